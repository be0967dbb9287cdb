/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_HITS_H_INCLUDED
#define HTTP_HITS_H_INCLUDED

/*
 * Which of several bytes are of a kind, in one go. A kind is a function that returns hits: zero
 * for none, or a number of which evi_..._first() tells the first byte that is hit.
 *
 *   controls: 0x00 to 0x1f (HTAB among them: the caller looks closer) and 0x7f
 *   unusual:  neither letter, digit nor "-", of which most names consist
 *
 * evi_word_: eight bytes, by arithmetic on a word of them. evi_step_: EVI_STEP bytes, by what the
 * processor has for it.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define EVI_WORD 8
#define EVI_ONES (UINT64_MAX / 255) /* 0x01 in every byte */
#define EVI_TOPS (EVI_ONES * 0x80)

static inline uint64_t evi_word_at(const char *in)
{
	uint64_t word;

	memcpy(&word, in, sizeof(word));
	return word;
}

/* The top bit of every byte from `low` to `high`, both below 0x80. No byte carries to another. */
static inline uint64_t evi_word_between(uint64_t word, unsigned low, unsigned high)
{
	uint64_t rest = word & ~EVI_TOPS;

	return (rest + EVI_ONES * (0x80 - low)) & ~(rest + EVI_ONES * (0x7f - high)) & ~word &
	       EVI_TOPS;
}

static inline uint64_t evi_word_controls(const char *in)
{
	uint64_t word = evi_word_at(in), rest = word & ~EVI_TOPS;

	/* The first sum reaches a top bit from 0x20 on, the second with 0x7f. */
	return (~(rest + EVI_ONES * 0x60) | (rest + EVI_ONES)) & ~word & EVI_TOPS;
}

static inline uint64_t evi_word_unusual(const char *in)
{
	uint64_t word = evi_word_at(in);

	return ~(evi_word_between(word | EVI_ONES * 0x20, 'a', 'z') |
		 evi_word_between(word, '0', '9') | evi_word_between(word, '-', '-')) &
	       EVI_TOPS;
}

/*
 * Zero if they are the same, letters of `in` in any case. `word` has lower-case letters, digits and
 * "-" only: bit 0x40 is what letters have of these, and upper case differs from lower case by 0x20.
 */
static inline uint64_t evi_word_difference(const char *in, const char *word)
{
	uint64_t wanted = evi_word_at(word);

	return (evi_word_at(in) ^ wanted) & ~((wanted & EVI_ONES * 0x40) >> 1);
}

/* Which byte comes first in memory is a matter of byte order. */
static inline size_t evi_word_first(uint64_t hits)
{
	const uint16_t probe = 1;
	unsigned char lowest_first;

	memcpy(&lowest_first, &probe, 1);
	return (size_t)(lowest_first ? __builtin_ctzll(hits) : __builtin_clzll(hits)) / 8;
}

#if defined(__SSE2__)

#define EVI_STEP 16

typedef unsigned evi_step_hits;

/* A bit for each byte that is `low` to `low + span`. */
static inline __m128i evi_step_between(__m128i bytes, char low, char span)
{
	__m128i above = _mm_sub_epi8(bytes, _mm_set1_epi8(low));

	return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(span)), above);
}

static inline evi_step_hits evi_step_controls(const char *in)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)in);

	return (evi_step_hits)_mm_movemask_epi8(_mm_or_si128(
		evi_step_between(bytes, 0, 0x1f), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f))));
}

static inline evi_step_hits evi_step_unusual(const char *in)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)in);
	__m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
	__m128i usual = _mm_or_si128(evi_step_between(lower, 'a', 'z' - 'a'),
				     evi_step_between(bytes, '0', '9' - '0'));

	usual = _mm_or_si128(usual, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
	return (evi_step_hits)_mm_movemask_epi8(usual) ^ 0xffff;
}

static inline size_t evi_step_first(evi_step_hits hits)
{
	return (size_t)__builtin_ctz(hits);
}

#else

#define EVI_STEP EVI_WORD
#define evi_step_hits uint64_t
#define evi_step_controls evi_word_controls
#define evi_step_unusual evi_word_unusual
#define evi_step_first evi_word_first

#endif

#endif
