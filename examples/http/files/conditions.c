/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditional requests, RFC 9110 section 13. */

#include "files.h"

#include <stdint.h>
#include <string.h>

/* A number and what follows it; returns where to go on. By hand: each reply has four of them. */
static char *add_hex(char *at, uintmax_t number, char end)
{
	unsigned shift = 0;

	while (number >> shift > 15)
		shift += 4;
	for (; shift > 0; shift -= 4)
		*at++ = "0123456789abcdef"[number >> shift & 15];
	*at++ = "0123456789abcdef"[number & 15];
	*at++ = end;
	return at;
}

void version_of(struct version *version, const struct stat *st)
{
	char *at = version->tag;
	struct tm tm;

	/* Weak within a second of the change: another one might leave the same time. */
	if (time(NULL) - st->st_mtime < 2)
		at = stpcpy(at, "W/");
	*at++ = '"';
	at = add_hex(at, (uintmax_t)st->st_ino, '-');
	at = add_hex(at, (uintmax_t)st->st_mtim.tv_sec, '.');
	at = add_hex(at, (uintmax_t)st->st_mtim.tv_nsec, '-');
	at = add_hex(at, (uintmax_t)st->st_size, '"');
	*at = '\0';
	gmtime_r(&st->st_mtime, &tm);
	evutil_date_rfc1123(version->date, sizeof(version->date), &tm);
	version->changed = st->st_mtime;
}

/* Seconds since 1970, or -1 if it is no date. */
static time_t parse_date(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	return end != NULL && *end == '\0' ? timegm(&tm) : -1;
}

static const char *without_weakness(const char *tag)
{
	return strncmp(tag, "W/", 2) == 0 ? tag + 2 : tag;
}

/* Whether a list of tags, or "*", has this one. Weak ones are equal to none where `is_strong`. */
static int has_tag(const char *list, const char *tag, int is_strong)
{
	const char *opaque = without_weakness(tag);
	size_t len = strlen(opaque);

	if (strcmp(list, "*") == 0)
		return 1;
	if (is_strong && opaque != tag)
		return 0;
	while (*(list += strspn(list, " \t,")) != '\0') {
		const char *one = without_weakness(list);

		if (strncmp(one, opaque, len) == 0 && (!is_strong || one == list))
			return 1;
		if (*one != '"' || (one = strchr(one + 1, '"')) == NULL)
			return 0;
		list = one + 1;
	}
	return 0;
}

int check_conditions(const struct evkeyvalq *fields, const struct version *version)
{
	const char *field;
	time_t date;

	if ((field = evhttp_find_header(fields, "If-Match")) != NULL) {
		if (!has_tag(field, version->tag, 1))
			return 412;
	} else if ((field = evhttp_find_header(fields, "If-Unmodified-Since")) != NULL) {
		date = parse_date(field);
		if (date >= 0 && version->changed > date)
			return 412;
	}
	if ((field = evhttp_find_header(fields, "If-None-Match")) != NULL)
		return has_tag(field, version->tag, 0) ? 304 : 0;
	field = evhttp_find_header(fields, "If-Modified-Since");
	date = field != NULL ? parse_date(field) : -1;
	return date >= 0 && version->changed <= date ? 304 : 0;
}

int ranges_count(const struct evkeyvalq *fields, const struct version *version)
{
	const char *field = evhttp_find_header(fields, "If-Range");

	if (field == NULL)
		return 1;
	return strchr(field, '"') != NULL ? has_tag(field, version->tag, 1)
					  : strcmp(field, version->date) == 0;
}
