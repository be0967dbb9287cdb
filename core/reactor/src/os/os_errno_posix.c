/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of an error number, for any number of threads. */

#include "../log.h"

#include <string.h>

/* Two forms of strerror_r exist; the type of the result tells which one the C library has. */
static const char *text_of_gnu(const char *text, const char *buf)
{
	(void)buf;
	return text;
}

static const char *text_of_posix(int result, const char *buf)
{
	return result == 0 ? buf : "unknown error";
}

const char *evi_errno_text(int err, char *buf, size_t len)
{
	return _Generic(strerror_r(err, buf, len), int: text_of_posix, char *: text_of_gnu)(
		strerror_r(err, buf, len), buf);
}
