/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_CHUNK_H_INCLUDED
#define HTTP_CHUNK_H_INCLUDED

/*
 * Incremental decoder for the framing of a chunked body. It takes the bytes between the data; the
 * data themselves go past it, so that a caller can move them without copying.
 */

#include "http/head.h"

enum evi_chunk_step {
	EVI_CHUNK_MORE, /* all bytes were used */
	EVI_CHUNK_DATA, /* `left` bytes of data come next: tell with evi_chunk_passed() */
	EVI_CHUNK_END,  /* the body has ended; the bytes behind it were not used */
	EVI_CHUNK_BAD   /* for good */
};

struct evi_chunk {
	uint64_t left;     /* data bytes of this chunk that have not passed */
	uint64_t size;     /* of this chunk */
	unsigned overhead; /* bytes of extensions and blanks in the whole body */
	uint8_t state;     /* private */
	uint8_t digits;    /* of the size, leading zeros included */
	struct evi_head trailer;
};

/* Start a body. The trailer section is limited like a head; `arena` is used, not kept. */
void evi_chunk_init(struct evi_chunk *chunk, struct evi_arena *arena, size_t trailer_max,
		    unsigned fields_max);

/* Take bytes of framing; *ret_used of them. */
enum evi_chunk_step evi_chunk_take(struct evi_chunk *chunk, const char *in, size_t len,
				   size_t *ret_used);

/* `len` bytes of data, at most `left`, have passed. */
void evi_chunk_passed(struct evi_chunk *chunk, uint64_t len);

#endif
