/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The framing of a chunked body (RFC 9112, section 7.1).
 *
 *   body    = *( chunk ) last-chunk trailer-fields CRLF
 *   chunk   = 1*HEXDIG *SP [ ";" ext ] CRLF data CRLF        (last-chunk: size zero, no data)
 *   ext     = text
 *
 * Lines end in CR LF and nothing else: lenient readings of either have been the way into request
 * smuggling. Extensions are dropped; all of them together, and leading zeros, are bounded.
 */

#include "http/chunk.h"

#include "http/scan.h"

#include <assert.h>

#define DIGITS_MAX   32   /* of a size, leading zeros included */
#define OVERHEAD_MAX 4096 /* bytes of extensions in one body */

enum state { REFUSED, SIZE_FIRST, SIZE, BLANK, EXT, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, END };

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

/* Sizes end at 2^63 - 1, which every type that counts bodies can hold. */
static enum state add_digit(struct evi_chunk *chunk, int value)
{
	if (chunk->digits++ == DIGITS_MAX || chunk->size >> 59 != 0)
		return REFUSED;
	chunk->size = chunk->size << 4 | (uint64_t)value;
	return SIZE;
}

static enum state take_extension(struct evi_chunk *chunk, char byte, enum state same)
{
	if (byte == '\r')
		return SIZE_LF;
	if (chunk->overhead++ == OVERHEAD_MAX || evi_scan_text(&byte, 1) == 0)
		return REFUSED;
	return same;
}

static enum state take_size(struct evi_chunk *chunk, char byte)
{
	int value = hex_value(byte);

	if (value >= 0)
		return add_digit(chunk, value);
	if (chunk->state == SIZE_FIRST)
		return REFUSED;
	if (byte == ';')
		return EXT;
	return byte == ' ' || byte == '\r' ? take_extension(chunk, byte, BLANK) : REFUSED;
}

static enum state take_blank(struct evi_chunk *chunk, char byte)
{
	if (byte == ';')
		return EXT;
	return byte == ' ' || byte == '\r' ? take_extension(chunk, byte, BLANK) : REFUSED;
}

static enum state end_size(struct evi_chunk *chunk)
{
	chunk->left = chunk->size;
	return chunk->size > 0 ? DATA : TRAILER;
}

static enum state end_data(struct evi_chunk *chunk)
{
	chunk->size = 0;
	chunk->digits = 0;
	return SIZE_FIRST;
}

static enum state take_byte(struct evi_chunk *chunk, char byte)
{
	switch (chunk->state) {
	case SIZE_FIRST:
	case SIZE:
		return take_size(chunk, byte);
	case BLANK:
		return take_blank(chunk, byte);
	case EXT:
		return take_extension(chunk, byte, EXT);
	case SIZE_LF:
		return byte == '\n' ? end_size(chunk) : REFUSED;
	case DATA_CR:
		return byte == '\r' ? DATA_LF : REFUSED;
	case DATA_LF:
		return byte == '\n' ? end_data(chunk) : REFUSED;
	default:
		return REFUSED;
	}
}

static enum evi_chunk_step take_trailer(struct evi_chunk *chunk, const char *in, size_t len,
					size_t *used)
{
	size_t n;
	enum evi_head_step step = evi_head_take(&chunk->trailer, in + *used, len - *used, &n);

	*used += n;
	if (step == EVI_HEAD_MORE)
		return EVI_CHUNK_MORE;
	chunk->state = step == EVI_HEAD_DONE ? END : REFUSED;
	return step == EVI_HEAD_DONE ? EVI_CHUNK_END : EVI_CHUNK_BAD;
}

void evi_chunk_init(struct evi_chunk *chunk, struct evi_arena *arena, size_t trailer_max,
		    unsigned fields_max)
{
	chunk->left = 0;
	chunk->size = 0;
	chunk->overhead = 0;
	chunk->digits = 0;
	chunk->state = SIZE_FIRST;
	evi_head_init(&chunk->trailer, EVI_HEAD_TRAILER, arena, NULL, trailer_max, fields_max);
}

enum evi_chunk_step evi_chunk_take(struct evi_chunk *chunk, const char *in, size_t len,
				   size_t *ret_used)
{
	size_t used = 0;

	while (used < len && chunk->state != REFUSED && chunk->state < END &&
	       chunk->state != DATA && chunk->state != TRAILER) {
		chunk->state = (uint8_t)take_byte(chunk, in[used]);
		used += chunk->state != REFUSED;
	}
	*ret_used = used;
	switch (chunk->state) {
	case REFUSED:
		return EVI_CHUNK_BAD;
	case DATA:
		return EVI_CHUNK_DATA;
	case TRAILER:
		return take_trailer(chunk, in, len, ret_used);
	case END:
		return EVI_CHUNK_END;
	default:
		return EVI_CHUNK_MORE;
	}
}

void evi_chunk_passed(struct evi_chunk *chunk, uint64_t len)
{
	assert(len <= chunk->left);
	chunk->left -= len;
	if (chunk->left == 0 && chunk->state == DATA)
		chunk->state = DATA_CR;
}
