/* SPDX-License-Identifier: BSD-3-Clause */
/* Checking UTF-8 as it comes. */

#include "ws/utf8.h"

#include <string.h>

/* What a first byte asks for; the limits of the second rule out overlong forms and surrogates. */
struct lead {
	uint8_t missing, low, high; /* 0, 0, 0: it is none */
};

#define TWO   { 1, 0x80, 0xbf }
#define THREE { 2, 0x80, 0xbf }
#define FOUR  { 3, 0x80, 0xbf }

/* From 0xc2 to 0xf4. */
static const struct lead leads[] = {
	TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO,
	TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO, TWO,
	{ 2, 0xa0, 0xbf }, THREE, THREE, THREE, THREE, THREE, THREE,
	THREE, THREE, THREE, THREE, THREE, THREE, { 2, 0x80, 0x9f }, THREE, THREE,
	{ 3, 0x90, 0xbf }, FOUR, FOUR, FOUR, { 3, 0x80, 0x8f },
};

static const struct lead *lead_of(uint8_t c)
{
	static const struct lead none;

	return c >= 0xc2 && c <= 0xf4 ? &leads[c - 0xc2] : &none;
}

/* ASCII, eight bytes at a time. */
static size_t skip_ascii(const uint8_t *data, size_t len)
{
	size_t i = 0;
	uint64_t word;

	for (; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, data + i, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	while (i < len && data[i] < 0x80)
		i++;
	return i;
}

static int is_tail(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * Bytes of a character that began in an earlier piece. How many of them, or SIZE_MAX if one is
 * wrong.
 */
static size_t finish_character(struct evi_utf8 *s, const uint8_t *data, size_t len)
{
	size_t i = 0;

	for (; s->missing > 0 && i < len; i++) {
		if (data[i] < s->low || data[i] > s->high)
			return SIZE_MAX;
		s->missing--;
		s->low = 0x80;
		s->high = 0xbf;
	}
	return i;
}

/* Whether the character that begins at `data`, `missing` + 1 bytes all there, is right. */
static inline int is_character(const uint8_t *data, const struct lead *lead, unsigned missing)
{
	int is_right = lead->missing == missing && data[1] >= lead->low && data[1] <= lead->high;

	for (unsigned k = 2; k <= missing; k++)
		is_right &= is_tail(data[k]);
	return is_right;
}

/*
 * How long a character is by its first byte, if that is one. Steps that can be foretold are fast.
 */
static inline unsigned missing_of(uint8_t c)
{
	if (c < 0xe0)
		return 1;
	return c < 0xf0 ? 2 : 3;
}

int evi_utf8_check(struct evi_utf8 *s, const uint8_t *data, size_t len)
{
	size_t i = finish_character(s, data, len);

	if (i == SIZE_MAX)
		return 0;
	while (i < len) {
		const struct lead *lead = lead_of(data[i]);
		unsigned missing = missing_of(data[i]);

		if (data[i] < 0x80) {
			i += skip_ascii(data + i, len - i);
			continue;
		}
		if (len - i <= missing) { /* the rest comes later */
			*s = (struct evi_utf8){ lead->missing, lead->low, lead->high };
			return lead->missing != 0 &&
			       finish_character(s, data + i + 1, len - i - 1) != SIZE_MAX;
		}
		if (!is_character(data + i, lead, missing))
			return 0;
		if (missing == 1)
			i += 2;
		else
			i += missing == 2 ? 3 : 4;
	}
	return 1;
}
