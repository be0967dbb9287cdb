/* SPDX-License-Identifier: BSD-3-Clause */
/* wss where no TLS library is built. */

#include "transport.h"

#include <stddef.h>

struct bufferevent *secure_transport(struct event_base *base, const char *host)
{
	(void)base;
	(void)host;
	return NULL;
}
