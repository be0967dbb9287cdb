/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ends of runs of token and text bytes, and words in any case.
 */

#include "http/scan.h"

#include <string.h>

#define T EVI_BYTE_TOKEN
#define H EVI_BYTE_HOST

/* clang-format off */
const uint8_t evi_byte_class[256] = {
	['!'] = T | H, ['#'] = T, ['$'] = T | H, ['%'] = T | H,
	['&'] = T | H, ['\''] = T | H, ['*'] = T | H, ['+'] = T | H,
	['-'] = T | H, ['.'] = T | H, ['^'] = T, ['_'] = T | H, ['`'] = T, ['|'] = T, ['~'] = T | H,
	['0'] = T | H, ['1'] = T | H, ['2'] = T | H, ['3'] = T | H,
	['4'] = T | H, ['5'] = T | H, ['6'] = T | H, ['7'] = T | H,
	['8'] = T | H, ['9'] = T | H,
	['A'] = T | H, ['B'] = T | H, ['C'] = T | H, ['D'] = T | H,
	['E'] = T | H, ['F'] = T | H, ['G'] = T | H, ['H'] = T | H,
	['I'] = T | H, ['J'] = T | H, ['K'] = T | H, ['L'] = T | H,
	['M'] = T | H, ['N'] = T | H, ['O'] = T | H, ['P'] = T | H,
	['Q'] = T | H, ['R'] = T | H, ['S'] = T | H, ['T'] = T | H,
	['U'] = T | H, ['V'] = T | H, ['W'] = T | H, ['X'] = T | H,
	['Y'] = T | H, ['Z'] = T | H,
	['a'] = T | H, ['b'] = T | H, ['c'] = T | H, ['d'] = T | H,
	['e'] = T | H, ['f'] = T | H, ['g'] = T | H, ['h'] = T | H,
	['i'] = T | H, ['j'] = T | H, ['k'] = T | H, ['l'] = T | H,
	['m'] = T | H, ['n'] = T | H, ['o'] = T | H, ['p'] = T | H,
	['q'] = T | H, ['r'] = T | H, ['s'] = T | H, ['t'] = T | H,
	['u'] = T | H, ['v'] = T | H, ['w'] = T | H, ['x'] = T | H,
	['y'] = T | H, ['z'] = T | H,
	['('] = H, [')'] = H, [','] = H, [';'] = H, ['='] = H,
};
/* clang-format on */

static unsigned byte_class(char byte)
{
	return evi_byte_class[(unsigned char)byte];
}

static int is_text(unsigned char byte)
{
	return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

/* Nonzero if the bytes, at most sixteen, can be told to be text at a glance. */
static int is_short_text(const char *in, size_t len)
{
	uint32_t ends[2];

	if (len >= EVI_WORD)
		return (evi_word_controls(in) | evi_word_controls(in + len - EVI_WORD)) == 0;
	if (len < sizeof(ends[0]))
		return 0;
	memcpy(&ends[0], in, sizeof(ends[0]));
	memcpy(&ends[1], in + len - sizeof(ends[1]), sizeof(ends[1]));
	return evi_word_controls((const char *)ends) == 0;
}

size_t evi_scan_token_rest(const char *in, size_t len)
{
	size_t n = 0;

	while (len - n >= 4 && (byte_class(in[n]) & byte_class(in[n + 1]) & byte_class(in[n + 2]) &
				byte_class(in[n + 3]) & T) != 0)
		n += 4;
	while (n < len && (byte_class(in[n]) & T) != 0)
		n++;
	return n;
}

size_t evi_scan_text_rest(const char *in, size_t len)
{
	size_t n = 0;

	if (is_short_text(in, len))
		return len;
	while (n < len && is_text((unsigned char)in[n]))
		n++;
	return n;
}

size_t evi_copy_token_rest(char *to, const char *in, size_t len, size_t n)
{
	size_t rest;

	while (n + EVI_STEP <= len) {
		evi_step_hits hits = evi_step_unusual(in + n);

		memcpy(to + n, in + n, EVI_STEP);
		if (hits == 0) {
			n += EVI_STEP;
			continue;
		}
		n += evi_step_first(hits);
		if (in[n] == ':')
			return n;
		break;
	}
	rest = evi_scan_token(in + n, len - n);
	memcpy(to + n, in + n, rest);
	return n + rest;
}

int evi_is_token(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && evi_scan_token(text, len) == len;
}

static unsigned char lower(unsigned char byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

int evi_is_word(const char *text, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++) {
		char difference = text[i] ^ word[i];

		/* Upper case differs from lower case by one bit. */
		if (difference != 0 && (difference != 0x20 || word[i] < 'a'))
			return 0;
	}
	return word[len] == '\0';
}

int evi_text_casecmp(const char *a, const char *b)
{
	while (*a != '\0' && lower((unsigned char)*a) == lower((unsigned char)*b)) {
		a++;
		b++;
	}
	return lower((unsigned char)*a) - lower((unsigned char)*b);
}

const char *evi_list_next(const char **list, size_t *ret_len)
{
	const char *at = *list + strspn(*list, " \t");
	size_t len = strcspn(at, ",");

	*list = at[len] == ',' ? at + len + 1 : NULL;
	while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
		len--;
	*ret_len = len;
	return at;
}

int evi_value_has_option(const char *value, const char *option)
{
	while (value != NULL) {
		size_t len;
		const char *at = evi_list_next(&value, &len);

		if (evi_is_word(at, len, option))
			return 1;
	}
	return 0;
}
