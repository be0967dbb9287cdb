/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs of text and tokens, against the plain definition: every length, place and byte. */

#include "support.h"

#include "http/scan.h"

#include <string.h>

#define LEN_MAX 50

static size_t plain_text(const char *in, size_t len)
{
	size_t n = 0;

	while (n < len && (((unsigned char)in[n] >= 0x20 && in[n] != 0x7f) || in[n] == '\t'))
		n++;
	return n;
}

static size_t plain_token(const char *in, size_t len)
{
	static const char marks[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz";
	size_t n = 0;

	while (n < len && in[n] != '\0' && strchr(marks, in[n]) != NULL)
		n++;
	return n;
}

static void check(char *text, size_t len, size_t at, int byte)
{
	char before = text[at];

	text[at] = (char)byte;
	cr_assert_eq(evi_scan_text(text, len), plain_text(text, len), "len %zu at %zu byte %d", len,
		     at, byte);
	cr_assert_eq(evi_scan_token(text, len), plain_token(text, len), "len %zu at %zu byte %d",
		     len, at, byte);
	text[at] = before;
}

/* HTTP-160, HTTP-161, HTTP-182 */
Test(http_scan, like_the_plain_definition, .timeout = 60)
{
	char text[LEN_MAX + 1];

	/* What lies behind the end is a control byte: it must not be looked at. */
	for (size_t len = 1; len <= LEN_MAX; len++) {
		memset(text, 'a', len);
		text[len] = '\r';
		for (size_t at = 0; at < len; at++)
			for (int byte = 0; byte < 256; byte++)
				check(text, len, at, byte);
		text[len / 2] = '\t';
		for (size_t at = 0; at < len; at++)
			check(text, len, at, '\n');
	}
	cr_assert_eq(evi_scan_text("", 0), 0);
	cr_assert_eq(evi_scan_token("", 0), 0);
}
