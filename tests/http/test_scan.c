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

/* The copies are as long as the runs, and nothing behind their room is touched. */
static void check_copies(const char *text, size_t len)
{
	char copy[LEN_MAX + 1];
	size_t run;

	copy[len] = 'z';
	run = evi_copy_text(copy, text, len);
	cr_assert_eq(run, plain_text(text, len));
	cr_assert_arr_eq(copy, text, run);
	run = evi_copy_token(copy, text, len);
	cr_assert_eq(run, plain_token(text, len));
	cr_assert_arr_eq(copy, text, run);
	cr_assert_eq(copy[len], 'z', "len %zu", len);
}

static void check(char *text, size_t len, size_t at, int byte)
{
	char before = text[at];

	text[at] = (char)byte;
	check_copies(text, len);
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

/* One byte after another, whatever the others are, in the two ways to look for them. */
static void check_hits(const char *text, size_t at, int is_control, int is_unusual)
{
	uint64_t controls = evi_word_controls(text), unusual = evi_word_unusual(text);
	evi_step_hits step_controls = evi_step_controls(text);
	evi_step_hits step_unusual = evi_step_unusual(text);

	cr_assert_eq(controls != 0, at < EVI_WORD && is_control, "%d at %zu", text[at], at);
	cr_assert_eq(unusual != 0, at < EVI_WORD && is_unusual, "%d at %zu", text[at], at);
	cr_assert_eq(step_controls != 0, at < EVI_STEP && is_control, "%d at %zu", text[at], at);
	cr_assert_eq(step_unusual != 0, at < EVI_STEP && is_unusual, "%d at %zu", text[at], at);
	if (controls != 0)
		cr_assert_eq(evi_word_first(controls), at);
	if (unusual != 0)
		cr_assert_eq(evi_word_first(unusual), at);
	if (step_controls != 0)
		cr_assert_eq(evi_step_first(step_controls), at);
	if (step_unusual != 0)
		cr_assert_eq(evi_step_first(step_unusual), at);
}

/* HTTP-160, HTTP-161: what the processor has for it and plain arithmetic agree. */
Test(http_scan, hits_of_every_byte_at_every_place)
{
	static const char fill[] = "aAzZ09-m";
	char text[16];

	for (size_t at = 0; at < sizeof(text); at++)
		for (int byte = 0; byte < 256; byte++) {
			for (size_t i = 0; i < sizeof(text); i++)
				text[i] = fill[i % (sizeof(fill) - 1)];
			text[at] = (char)byte;
			check_hits(text, at, byte < 0x20 || byte == 0x7f,
				   byte == 0 || strchr("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						       "abcdefghijklmnopqrstuvwxyz",
						       byte) == NULL);
		}
}

/* HTTP-309: word by word is like byte by byte, for every length, place and byte. */
Test(http_scan, words_in_any_case)
{
	static const char word[] = "a-transfer0encoding9-z";
	char text[sizeof(word)], same[sizeof(word)];

	for (size_t len = 4; len < sizeof(word); len++) {
		memcpy(same, word, len);
		same[len] = '\0';
		for (size_t at = 0; at < len; at++)
			for (int byte = 0; byte < 256; byte++) {
				for (size_t i = 0; i < len; i++)
					text[i] = i % 2 == 0 && word[i] >= 'a' ? word[i] - 'a' + 'A'
									       : word[i];
				text[at] = (char)byte;
				cr_assert_eq(evi_is_same_word(text, word, len),
					     evi_is_word(text, len, same),
					     "len %zu at %zu byte %d", len, at, byte);
			}
	}
}
