/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs of token and text bytes, sixteen at a time.
 */

#include "http/scan.h"

#include <string.h>

#define VECTOR 16

/* Handed on by address only: by value means something else on each kind of x86. */
typedef uint8_t vector __attribute__((vector_size(VECTOR)));

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

static int is_any_hit(const vector *hit)
{
	uint64_t half[2];

	memcpy(half, hit, sizeof(half));
	return (half[0] | half[1]) != 0;
}

/* The first byte that is hit; one is. */
static size_t first_hit(const vector *hit)
{
	uint64_t half[2];

	memcpy(half, hit, sizeof(half));
	return half[0] != 0 ? first_of(half[0]) : 8 + first_of(half[1]);
}

/* Hits controls. HTAB counts: the caller looks closer. */
static void hit_controls(const char *in, vector *ret_hit)
{
	vector bytes;

	memcpy(&bytes, in, sizeof(bytes));
	*ret_hit = (vector)(bytes < 0x20) | (vector)(bytes == 0x7f);
}

/* Hits what is neither letter, digit nor "-", of which most names consist. */
static void hit_unusual(const char *in, vector *ret_hit)
{
	vector bytes, lower;

	memcpy(&bytes, in, sizeof(bytes));
	lower = bytes | 0x20;
	*ret_hit = ~((vector)((vector)(lower - 'a') < 26) | (vector)((vector)(bytes - '0') < 10) |
		     (vector)(bytes == '-'));
}

/* Nonzero if a control byte may be among these eight. */
static int has_control(uint64_t bytes)
{
	static const uint64_t ones = UINT64_MAX / 255, tops = UINT64_MAX / 255 * 128;
	uint64_t del = bytes ^ ones * 0x7f;

	return ((((bytes - ones * 0x20) & ~bytes) | ((del - ones) & ~del)) & tops) != 0;
}

static uint64_t eight_at(const char *in)
{
	uint64_t bytes;

	memcpy(&bytes, in, sizeof(bytes));
	return bytes;
}

/* Nonzero if so many bytes, up to VECTOR, are text; zero proves nothing. The looks may overlap. */
static int is_short_text(const char *in, size_t len)
{
	uint32_t first, last;

	if (len >= 8)
		return !has_control(eight_at(in)) && !has_control(eight_at(in + len - 8));
	if (len < 4)
		return 0;
	memcpy(&first, in, sizeof(first));
	memcpy(&last, in + len - 4, sizeof(last));
	return !has_control((uint64_t)first << 32 | last);
}

size_t evi_scan_token(const char *in, size_t len)
{
	size_t n = 0;

	while (len - n >= VECTOR) {
		vector hit;

		hit_unusual(in + n, &hit);
		if (!is_any_hit(&hit)) {
			n += VECTOR;
			continue;
		}
		n += first_hit(&hit);
		if ((evi_byte_class[(unsigned char)in[n]] & T) == 0)
			return n;
		n++;
	}
	while (len - n >= 4 &&
	       (evi_byte_class[(unsigned char)in[n]] & evi_byte_class[(unsigned char)in[n + 1]] &
		evi_byte_class[(unsigned char)in[n + 2]] &
		evi_byte_class[(unsigned char)in[n + 3]] & T) != 0)
		n += 4;
	while (n < len && (evi_byte_class[(unsigned char)in[n]] & T) != 0)
		n++;
	return n;
}

size_t evi_scan_text(const char *in, size_t len)
{
	size_t n = 0;

	while (len - n >= VECTOR) {
		vector hit;

		hit_controls(in + n, &hit);
		if (!is_any_hit(&hit)) {
			n += VECTOR;
			continue;
		}
		n += first_hit(&hit);
		if (in[n] != '\t')
			return n;
		n++;
	}
	if (is_short_text(in + n, len - n))
		return len;
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
