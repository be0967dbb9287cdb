/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of token and text bytes. Text, which is most of a head, is tested sixteen bytes at a time.
 */

#include "http/scan.h"

#include <string.h>

#define VECTOR 16

typedef uint8_t vector __attribute__((vector_size(VECTOR)));

/* clang-format off */
const uint8_t evi_token_byte[256] = {
	['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1,
	['-'] = 1, ['.'] = 1, ['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1, ['~'] = 1,
	['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
	['8'] = 1, ['9'] = 1,
	['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1, ['G'] = 1, ['H'] = 1,
	['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1, ['O'] = 1, ['P'] = 1,
	['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1,
	['Y'] = 1, ['Z'] = 1,
	['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1,
	['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1,
	['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1,
	['y'] = 1, ['z'] = 1,
};
/* clang-format on */

static int is_text(unsigned char byte)
{
	return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

/* Which byte of an eight-byte word comes first in memory among those that are set. */
static size_t first_of(uint64_t word)
{
	const uint16_t probe = 1;
	unsigned char lowest_first;

	memcpy(&lowest_first, &probe, 1);
	return (size_t)(lowest_first ? __builtin_ctzll(word) : __builtin_clzll(word)) / 8;
}

/* The first control byte among the next VECTOR, or VECTOR. HTAB counts: the caller looks closer. */
static size_t find_control(const char *in)
{
	vector bytes, hit;
	uint64_t half[2];

	memcpy(&bytes, in, sizeof(bytes));
	hit = (vector)(bytes < 0x20) | (vector)(bytes == 0x7f);
	memcpy(half, &hit, sizeof(half));
	if (half[0] != 0)
		return first_of(half[0]);
	return half[1] != 0 ? 8 + first_of(half[1]) : VECTOR;
}

/* Nonzero if a control byte may be among the next eight. */
static int has_control(const char *in)
{
	static const uint64_t ones = UINT64_MAX / 255, tops = UINT64_MAX / 255 * 128;
	uint64_t bytes, del;

	memcpy(&bytes, in, sizeof(bytes));
	del = bytes ^ ones * 0x7f;
	return ((((bytes - ones * 0x20) & ~bytes) | ((del - ones) & ~del)) & tops) != 0;
}

size_t evi_scan_token(const char *in, size_t len)
{
	size_t n = 0;

	while (n < len && evi_token_byte[(unsigned char)in[n]])
		n++;
	return n;
}

size_t evi_scan_text(const char *in, size_t len)
{
	size_t n = 0;

	while (len - n >= VECTOR) {
		size_t run = find_control(in + n);

		n += run;
		if (run == VECTOR)
			continue;
		if (in[n] != '\t')
			return n;
		n++;
	}
	if (len - n >= 8 && !has_control(in + n))
		n += 8;
	while (n < len && is_text((unsigned char)in[n]))
		n++;
	return n;
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
	for (size_t i = 0; i < len; i++)
		if (word[i] == '\0' || lower((unsigned char)text[i]) != (unsigned char)word[i])
			return 0;
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
