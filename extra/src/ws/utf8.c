/* SPDX-License-Identifier: BSD-3-Clause */
/* Checking UTF-8 as it comes. */

#include "ws/utf8.h"

#include <string.h>

/* What each first byte asks for; the limits of the second byte rule out overlong forms and surrogates. */
static int begin(struct evi_utf8 *s, uint8_t c)
{
	static const struct {
		uint8_t first, last, missing, low, high;
	} leads[] = {
		{ 0xc2, 0xdf, 1, 0x80, 0xbf }, { 0xe0, 0xe0, 2, 0xa0, 0xbf }, { 0xe1, 0xec, 2, 0x80, 0xbf },
		{ 0xed, 0xed, 2, 0x80, 0x9f }, { 0xee, 0xef, 2, 0x80, 0xbf }, { 0xf0, 0xf0, 3, 0x90, 0xbf },
		{ 0xf1, 0xf3, 3, 0x80, 0xbf }, { 0xf4, 0xf4, 3, 0x80, 0x8f },
	};

	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (c >= leads[i].first && c <= leads[i].last) {
			s->missing = leads[i].missing;
			s->low = leads[i].low;
			s->high = leads[i].high;
			return 1;
		}
	}
	return 0;
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

int evi_utf8_check(struct evi_utf8 *s, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s->missing == 0) {
			i += skip_ascii(data + i, len - i);
			if (i == len)
				return 1;
			if (!begin(s, data[i]))
				return 0;
			continue;
		}
		if (data[i] < s->low || data[i] > s->high)
			return 0;
		s->missing--;
		s->low = 0x80;
		s->high = 0xbf;
	}
	return 1;
}
