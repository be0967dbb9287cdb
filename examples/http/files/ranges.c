/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Range field, RFC 9110 section 14.1.2:
 *
 *     bytes=FIRST-LAST, FIRST-, -COUNT
 */

#include "files.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Decimal digits; numbers beyond any file count as the largest. NULL if there are none. */
static const char *parse_number(const char *at, ev_off_t *out)
{
	const ev_off_t most = EV_INT64_MAX / 16;
	ev_off_t n = 0;

	if (!isdigit((unsigned char)*at))
		return NULL;
	for (; isdigit((unsigned char)*at); at++)
		n = n < most ? n * 10 + (*at - '0') : most;
	*out = n;
	return at;
}

/* One range; its end in the field, or NULL if it is none. One that begins behind the file has last
 * < first. */
static const char *parse_range(const char *at, ev_off_t size, struct range *range)
{
	ev_off_t n;

	if (*at == '-') {
		at = parse_number(at + 1, &n);
		range->first = at != NULL && n < size ? size - n : 0;
		range->last = at != NULL && n > 0 ? size - 1 : -1;
		return at;
	}
	at = parse_number(at, &range->first);
	if (at == NULL || *at++ != '-')
		return NULL;
	range->last = size - 1;
	if (!isdigit((unsigned char)*at))
		return at;
	at = parse_number(at, &n);
	if (n < range->first)
		return NULL;
	if (n < range->last)
		range->last = n;
	return at;
}

static int overlaps(const struct range *ranges, int n, const struct range *other)
{
	for (int i = 0; i < n; i++)
		if (other->first <= ranges[i].last && ranges[i].first <= other->last)
			return 1;
	return 0;
}

int parse_ranges(const char *field, ev_off_t size, struct range out[RANGES_MAX])
{
	const char *at = field;
	struct range range;
	int n = 0;

	if (at == NULL || strncasecmp(at, "bytes=", 6) != 0)
		return 0;
	at += 6;
	for (;;) {
		at += strspn(at, " \t");
		at = parse_range(at, size, &range);
		if (at == NULL)
			return 0;
		if (range.first <= range.last) {
			if (n == RANGES_MAX || overlaps(out, n, &range))
				return 0;
			out[n++] = range;
		}
		at += strspn(at, " \t");
		if (*at == '\0')
			return n > 0 ? n : -1;
		if (*at++ != ',')
			return 0;
	}
}
