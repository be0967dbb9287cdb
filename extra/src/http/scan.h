/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_SCAN_H_INCLUDED
#define HTTP_SCAN_H_INCLUDED

/*
 * How far a run of bytes reaches: names (RFC 9110 5.6.2, token) and text (5.5, field-vchar, SP,
 * HTAB and obs-text). No allocation, no state.
 */

#include "http/hits.h"

#include <stddef.h>
#include <stdint.h>

#define EVI_BYTE_TOKEN 1 /* RFC 9110 5.6.2 */
#define EVI_BYTE_HOST  2 /* unreserved, sub-delims and "%" of RFC 3986 */

extern const uint8_t evi_byte_class[256];

/* The same as below, for fewer bytes than EVI_STEP. */
size_t evi_scan_token_rest(const char *in, size_t len);
size_t evi_scan_text_rest(const char *in, size_t len);

/* The rest of evi_copy_token(): `n` bytes are token, and copied. */
size_t evi_copy_token_rest(char *to, const char *in, size_t len, size_t n);

/* How many bytes at the front of `in` are token bytes. */
static inline size_t evi_scan_token(const char *in, size_t len)
{
	size_t n = 0;

	while (n + EVI_STEP <= len) {
		evi_step_hits hits = evi_step_unusual(in + n);

		if (hits == 0) {
			n += EVI_STEP;
			continue;
		}
		n += evi_step_first(hits);
		if ((evi_byte_class[(unsigned char)in[n]] & EVI_BYTE_TOKEN) == 0)
			return n;
		n++;
	}
	return n + evi_scan_token_rest(in + n, len - n);
}

/* How many bytes at the front of `in` are text: anything but controls; HTAB is text, DEL is not. */
static inline size_t evi_scan_text(const char *in, size_t len)
{
	size_t n = 0;

	while (n + EVI_STEP <= len) {
		evi_step_hits hits = evi_step_controls(in + n);

		if (hits == 0) {
			n += EVI_STEP;
			continue;
		}
		n += evi_step_first(hits);
		if (in[n] != '\t')
			return n;
		n++;
	}
	return n + evi_scan_text_rest(in + n, len - n);
}

/*
 * Likewise, and a copy of them at `to`, which has room for `len` bytes; what follows the copy is
 * undefined. Most names end in the first step, with a colon.
 */
static inline size_t evi_copy_token(char *to, const char *in, size_t len)
{
	size_t n = 0;

	if (len >= EVI_STEP) {
		evi_step_hits hits = evi_step_unusual(in);

		memcpy(to, in, EVI_STEP);
		n = hits != 0 ? evi_step_first(hits) : EVI_STEP;
		if (hits != 0 && in[n] == ':')
			return n;
	}
	return evi_copy_token_rest(to, in, len, n);
}

/* Copies a word; nonzero if all of it is text, other than HTAB. */
static inline int evi_copy_clean_word(char *to, const char *in)
{
	memcpy(to, in, EVI_WORD);
	return evi_word_controls(in) == 0;
}

static inline size_t evi_copy_text(char *to, const char *in, size_t len)
{
	size_t n = 0, rest;

	while (n + EVI_STEP <= len) {
		evi_step_hits hits = evi_step_controls(in + n);

		memcpy(to + n, in + n, EVI_STEP);
		if (hits == 0) {
			n += EVI_STEP;
			continue;
		}
		n += evi_step_first(hits);
		if (in[n] != '\t')
			return n;
		n++;
	}
	rest = len - n;
	if (rest >= EVI_WORD && evi_copy_clean_word(to + n, in + n) &&
	    evi_copy_clean_word(to + len - EVI_WORD, in + len - EVI_WORD))
		return len;
	rest = evi_scan_text_rest(in + n, rest);
	memcpy(to + n, in + n, rest);
	return n + rest;
}

/* Nonzero if the string is a token of one byte or more. */
int evi_is_token(const char *text);

/*
 * Nonzero if `len` bytes, no NUL among them, equal the lower-case string `word`, ASCII letters in
 * any case.
 */
int evi_is_word(const char *text, size_t len, const char *word);

/*
 * The same for a `word` of `len` bytes, 4 at least, that consists of letters, digits and "-". The
 * last bytes may be looked at twice.
 */
static inline int evi_is_same_word(const char *text, const char *word, size_t len)
{
	char ends[2][EVI_WORD];
	uint64_t difference = 0;

	if (len < EVI_WORD) {
		memcpy(ends[0], text, 4);
		memcpy(ends[0] + 4, text + len - 4, 4);
		memcpy(ends[1], word, 4);
		memcpy(ends[1] + 4, word + len - 4, 4);
		return evi_word_difference(ends[0], ends[1]) == 0;
	}
	for (size_t i = 0; i + EVI_WORD < len; i += EVI_WORD)
		difference |= evi_word_difference(text + i, word + i);
	difference |= evi_word_difference(text + len - EVI_WORD, word + len - EVI_WORD);
	return difference == 0;
}

/* Like strcasecmp(), ASCII only, in every locale. */
int evi_text_casecmp(const char *a, const char *b);

/*
 * The next element of a comma-separated list (RFC 9110 5.6.1), blanks stripped; it may be empty.
 *
 * @param list  in: where to go on; out: behind the element and its comma, NULL after the last
 * @return the element's first byte, *ret_len bytes long
 */
const char *evi_list_next(const char **list, size_t *ret_len);

/* Nonzero if a comma-separated list has the element `option`, which is lower-case. */
int evi_value_has_option(const char *value, const char *option);

#endif
