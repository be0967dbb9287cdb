/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Searching plain memory: the C library's vectorised functions where it has them.
 */

#include "chain/memory_search.h"

#include <event2/event-config.h>

#include <stdint.h>
#include <string.h>

const unsigned char *evi_memory_find(const unsigned char *at, size_t len, const unsigned char *what,
				     size_t what_len)
{
	if (what_len == 1)
		return memchr(at, what[0], len);
	return memmem(at, len, what, what_len);
}

/* Nonzero if a byte of the word is zero; the lowest set bit is in the first such byte. */
static uint64_t zero_bytes(uint64_t word)
{
	return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

const unsigned char *evi_memory_find_crlf(const unsigned char *at, size_t len)
{
	const unsigned char *end = at + len;

	while (end - at >= 8) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		if (zero_bytes(word ^ UINT64_C(0x0d0d0d0d0d0d0d0d)) |
		    zero_bytes(word ^ UINT64_C(0x0a0a0a0a0a0a0a0a)))
			break;
		at += 8;
	}
	while (at < end && *at != '\r' && *at != '\n')
		at++;
	return at < end ? at : NULL;
}
