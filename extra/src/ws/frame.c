/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading and writing of WebSocket frames. */

#include "ws/frame.h"

#include <string.h>

static uint64_t read_number(const uint8_t *data, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | data[i];
	return value;
}

/* 1 if the length came in its shortest form, 0 if there is more to come, -1 if it did not. */
static int read_len(const uint8_t *data, size_t len, size_t *at, uint64_t *ret_len)
{
	unsigned code = data[1] & 0x7f;
	int bytes = code == 126 ? 2 : code == 127 ? 8 : 0;

	*ret_len = code;
	if (bytes == 0)
		return 1;
	if (len < *at + (size_t)bytes)
		return 0;
	*ret_len = read_number(data + *at, bytes);
	*at += (size_t)bytes;
	if (*ret_len < (bytes == 2 ? 126u : 65536u) || *ret_len >> 63)
		return -1;
	return 1;
}

int evi_ws_head_read(const uint8_t *data, size_t len, struct evi_ws_head *head)
{
	size_t at = 2;
	int result;

	if (len < at)
		return 0;
	head->is_final = data[0] >> 7;
	head->reserved = data[0] >> 4 & 7;
	head->opcode = data[0] & 15;
	head->is_masked = data[1] >> 7;
	result = read_len(data, len, &at, &head->len);
	if (result <= 0)
		return result;
	if (!head->is_masked)
		return (int)at;
	if (len < at + sizeof(head->mask))
		return 0;
	memcpy(head->mask, data + at, sizeof(head->mask));
	return (int)(at + sizeof(head->mask));
}

size_t evi_ws_head_write(uint8_t out[EVI_WS_HEAD_MAX], unsigned first_byte, uint64_t len,
			 const uint8_t mask[4])
{
	int bytes = len < 126 ? 0 : len < 65536 ? 2 : 8;
	size_t at = 2;

	out[0] = (uint8_t)first_byte;
	out[1] = (uint8_t)(mask != NULL ? 0x80 : 0);
	out[1] |= (uint8_t)(bytes == 0 ? len : bytes == 2 ? 126 : 127);
	for (int i = bytes - 1; i >= 0; i--)
		out[at++] = (uint8_t)(len >> (8 * i));
	if (mask != NULL) {
		memcpy(out + at, mask, 4);
		at += 4;
	}
	return at;
}

/* In blocks that compilers make vectors of, then by words, then by bytes. */
void evi_ws_mask(uint8_t *to, const uint8_t *from, size_t len, const uint8_t mask[4],
		 uint64_t offset)
{
	uint32_t half;
	uint64_t key, twice[2], words[8];
	uint8_t turned[sizeof(key)];
	size_t i = 0;

	memcpy(&half, mask, sizeof(half));
	twice[0] = twice[1] = (uint64_t)half << 32 | half;
	memcpy(&key, (const uint8_t *)twice + (offset & 3), sizeof(key));
	memcpy(turned, &key, sizeof(key));
	for (; len - i >= sizeof(words); i += sizeof(words)) {
		memcpy(words, from + i, sizeof(words));
		for (size_t k = 0; k < 8; k++)
			words[k] ^= key;
		memcpy(to + i, words, sizeof(words));
	}
	for (; len - i >= sizeof(key); i += sizeof(key)) {
		memcpy(words, from + i, sizeof(key));
		words[0] ^= key;
		memcpy(to + i, words, sizeof(key));
	}
	for (; i < len; i++)
		to[i] = from[i] ^ turned[i & 7];
}

int evi_ws_is_close_code(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}
