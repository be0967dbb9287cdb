/* SPDX-License-Identifier: BSD-3-Clause */
/* Formatting, number parsing and comparing of text, the same on every platform and locale. */

#include <event2/util.h>

#include <stdio.h>
#include <stdlib.h>

int evutil_vsnprintf(char *buf, size_t buflen, const char *format, va_list ap)
{
	return vsnprintf(buf, buflen, format, ap);
}

int evutil_snprintf(char *buf, size_t buflen, const char *format, ...)
{
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(buf, buflen, format, ap);
	va_end(ap);
	return len;
}

ev_int64_t evutil_strtoll(const char *s, char **endptr, int base)
{
	return strtoll(s, endptr, base);
}
