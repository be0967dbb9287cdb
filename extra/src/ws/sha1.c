/* SPDX-License-Identifier: BSD-3-Clause */
/* The check sum of the WebSocket handshake, and its text form. */

#include "ws/sha1.h"

#include <string.h>

#define BLOCK 64

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d)
{
	switch (round / 20) {
	case 0:
		return ((b & c) | (~b & d)) + 0x5a827999u;
	case 1:
		return (b ^ c ^ d) + 0x6ed9eba1u;
	case 2:
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
	default:
		return (b ^ c ^ d) + 0xca62c1d6u;
	}
}

static void add_block(uint32_t h[5], const uint8_t *block)
{
	uint32_t w[80], s[5];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	memcpy(s, h, sizeof(s));
	for (int i = 0; i < 80; i++) {
		uint32_t next = rotate(s[0], 5) + mix(i, s[1], s[2], s[3]) + s[4] + w[i];

		s[4] = s[3];
		s[3] = s[2];
		s[2] = rotate(s[1], 30);
		s[1] = s[0];
		s[0] = next;
	}
	for (int i = 0; i < 5; i++)
		h[i] += s[i];
}

void evi_sha1(const void *data, size_t len, uint8_t digest[20])
{
	uint32_t h[5] = { 0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u };
	uint8_t padded[4 * BLOCK] = { 0 };
	size_t total = (len + 9 + BLOCK - 1) / BLOCK * BLOCK;

	memcpy(padded, data, len);
	padded[len] = 0x80;
	padded[total - 2] = (uint8_t)(len * 8 >> 8);
	padded[total - 1] = (uint8_t)(len * 8);
	for (size_t at = 0; at < total; at += BLOCK)
		add_block(h, padded + at);
	for (int i = 0; i < 20; i++)
		digest[i] = (uint8_t)(h[i / 4] >> (24 - i % 4 * 8));
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void evi_base64_encode(const uint8_t *data, size_t len, char *text)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)data[i] << 16 |
				(left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
				(left > 2 ? data[i + 2] : 0u);

		*text++ = alphabet[bits >> 18];
		*text++ = alphabet[bits >> 12 & 63];
		*text++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		*text++ = left > 2 ? alphabet[bits & 63] : '=';
	}
	*text = '\0';
}

/* Bits of the last digit that encode nothing must be zero. */
int evi_base64_decoded_len(const char *text)
{
	size_t len = strlen(text), digits = strcspn(text, "="), padding = len - digits;
	const char *last;

	if (len % 4 != 0 || len > 1024 || padding > 2 || (padding == 2 && text[len - 1] != '='))
		return -1;
	for (size_t i = 0; i < digits; i++) {
		if (strchr(alphabet, text[i]) == NULL)
			return -1;
	}
	last = digits > 0 ? strchr(alphabet, text[digits - 1]) : alphabet;
	if (padding > 0 && ((size_t)(last - alphabet) & (padding == 2 ? 15u : 3u)) != 0)
		return -1;
	return (int)(len / 4 * 3 - padding);
}
