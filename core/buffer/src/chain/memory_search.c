/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Searching plain memory: the C library's vectorised functions where it has them.
 */

#include "chain/memory_search.h"

#include "os/os_memmem.h"

/* False hits that are tried at least, and the distance between them from which on skipping pays. */
#define FALSE_HITS_MIN 32
#define FALSE_HIT_DISTANCE 64
/* Bytes that tell which are rare. */
#define SAMPLE 256

/*
 * Skips from one place to the next where the pattern's byte `anchor` fits. Returns 1 and the match,
 * or NULL for none; 0 if the byte is too frequent, and where to go on searching.
 */
static int skip(const unsigned char *at, const unsigned char *end, const unsigned char *what,
		size_t what_len, size_t anchor, const unsigned char **ret_at)
{
	const unsigned char *start = at;
	size_t hits = 0;

	while (hits++ < FALSE_HITS_MIN + (size_t)(at - start) / FALSE_HIT_DISTANCE) {
		const unsigned char *hit;

		*ret_at = NULL;
		if ((size_t)(end - at) < what_len)
			return 1;
		hit = memchr(at + anchor, what[anchor], (size_t)(end - at) - what_len + 1);
		if (hit == NULL)
			return 1;
		*ret_at = at = hit - anchor;
		if (memcmp(at, what, what_len) == 0)
			return 1;
		*ret_at = ++at;
	}
	return 0;
}

/* Where in the pattern the byte is that a sample of the text has least of. */
static size_t rarest(const unsigned char *at, size_t len, const unsigned char *what,
		     size_t what_len)
{
	uint16_t counts[256] = { 0 };
	size_t best = 0;

	for (size_t i = 0; i < len && i < SAMPLE; i++)
		counts[at[i]]++;
	for (size_t i = 1; i < what_len && i < SAMPLE; i++)
		if (counts[what[i]] < counts[what[best]])
			best = i;
	return best;
}

/*
 * memchr() is several times faster than memmem(), as long as the byte it looks for is rare. Which
 * bytes of a pattern are is not known: the last is tried, then the one that seems to be, and in the
 * end memmem() bounds the cost.
 */
const unsigned char *evi_memory_find(const unsigned char *at, size_t len, const unsigned char *what,
				     size_t what_len)
{
	const unsigned char *end = at + len;

	if (what_len == 1)
		return memchr(at, what[0], len);
	if (skip(at, end, what, what_len, what_len - 1, &at) ||
	    skip(at, end, what, what_len, rarest(at, (size_t)(end - at), what, what_len), &at))
		return at;
	return evi_memmem(at, (size_t)(end - at), what, what_len);
}

/* Compilers have operations on these, and make of them what the processor has. */
typedef unsigned char bytes16 __attribute__((vector_size(16)));

/* Which byte of a word, in memory order, is the first that is not 0; the word is not 0. */
static size_t first_byte(uint64_t word)
{
	int bit = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_ctzll(word)
							    : __builtin_clzll(word);

	return (size_t)bit / 8;
}

const unsigned char *evi_memory_find_crlf(const unsigned char *at, size_t len)
{
	const unsigned char *end = at + len;

	for (; end - at >= 16; at += 16) {
		uint64_t words[2];
		bytes16 bytes;

		memcpy(&bytes, at, sizeof(bytes));
		bytes = (bytes16)((bytes == '\r') | (bytes == '\n'));
		memcpy(words, &bytes, sizeof(words));
		if (words[0] != 0)
			return at + first_byte(words[0]);
		if (words[1] != 0)
			return at + 8 + first_byte(words[1]);
	}
	while (at < end && *at != '\r' && *at != '\n')
		at++;
	return at < end ? at : NULL;
}
