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

static int lower(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte;
}

int evutil_ascii_strncasecmp(const char *str1, const char *str2, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int c1 = lower(str1[i]), c2 = lower(str2[i]);

		if (c1 != c2)
			return c1 < c2 ? -1 : 1;
		if (c1 == 0)
			return 0;
	}
	return 0;
}

int evutil_ascii_strcasecmp(const char *str1, const char *str2)
{
	return evutil_ascii_strncasecmp(str1, str2, SIZE_MAX);
}
