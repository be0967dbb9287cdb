/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors of sockets, where they are those of all calls. */

#include "support.h"

int support_socket_error(int err)
{
	return err;
}
