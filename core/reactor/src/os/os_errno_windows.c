/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of an error number, for any number of threads. */

#include "../log.h"

#include <string.h>

const char *evi_errno_text(int err, char *buf, size_t len)
{
	return strerror_s(buf, len, err) == 0 ? buf : "unknown error";
}
