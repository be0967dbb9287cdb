/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of strptime() that the suites use. */

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME_LEN 3 /* of days and months */

/* Where the name that `text` starts with stands among `names`, which have no separators; or -1. */
static int name_at(const char *text, const char *names)
{
	for (int i = 0; names[NAME_LEN * i] != '\0'; i++)
		if (strncmp(text, names + NAME_LEN * i, NAME_LEN) == 0)
			return i;
	return -1;
}

static const char *take_name(const char *text, const char *names, int *ret_index)
{
	*ret_index = name_at(text, names);
	return *ret_index >= 0 ? text + NAME_LEN : NULL;
}

static const char *take_number(const char *text, int less, int *ret_number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return NULL;
	*ret_number = (int)strtol(text, &end, 10) - less;
	return end;
}

static const char *convert(const char *text, char conversion, struct tm *tm)
{
	switch (conversion) {
	case 'a':
		return take_name(text, "SunMonTueWedThuFriSat", &tm->tm_wday);
	case 'b':
		return take_name(text, "JanFebMarAprMayJunJulAugSepOctNovDec", &tm->tm_mon);
	case 'd':
		return take_number(text, 0, &tm->tm_mday);
	case 'Y':
		return take_number(text, 1900, &tm->tm_year);
	case 'H':
		return take_number(text, 0, &tm->tm_hour);
	case 'M':
		return take_number(text, 0, &tm->tm_min);
	case 'S':
		return take_number(text, 0, &tm->tm_sec);
	default:
		return NULL;
	}
}

char *posix_strptime(const char *text, const char *format, struct tm *ret_tm)
{
	for (; text != NULL && *format != '\0'; format++) {
		if (*format == '%')
			text = convert(text, *++format, ret_tm);
		else
			text = *text == *format ? text + 1 : NULL;
	}
	return (char *)(uintptr_t)text;
}
