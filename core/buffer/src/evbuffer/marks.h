/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_MARKS_H_INCLUDED
#define EVI_MARKS_H_INCLUDED

/*
 * Remembered positions, so that long buffers are not walked or scanned from the front again and
 * again.
 *
 * Each is valid while its epoch equals the buffer's: appending leaves the epoch alone, everything
 * else that moves, frees or renumbers bytes advances it.
 */

#include "evbuffer.h"
#include "chain/chain.h"

struct evi_marks {
	/* The chain a position was last found in. */
	struct evi_chain *chain;
	size_t chain_at; /* position of its first byte */
	uint32_t epoch;

	/* The line search that found no terminator. */
	uint32_t line_epoch;
	size_t line_scanned; /* positions before this one start no terminator of the style */
	enum evbuffer_eol_style line_style;
};

/* A place inside a buffer; `chain` is NULL at the end. */
struct evi_place {
	struct evi_chain *chain;
	size_t offset; /* in the chain */
};

/* Bytes may have moved: all positions handed out or remembered mean something else now. */
static inline void evi_evbuffer_renumber(struct evbuffer *buf)
{
	buf->epoch++;
}

/* The buffer's marks, made when missing; NULL when out of memory, which only costs time. */
struct evi_marks *evi_evbuffer_marks(struct evbuffer *buf);

/* Where `position`, at most the length, is. */
struct evi_place evi_evbuffer_locate(struct evbuffer *buf, size_t position);

/*
 * Where a position given by the user is; found by what it carries if that still holds. Returns
 * -EINVAL if it is no position of the buffer. NULL is the front.
 */
int evi_evbuffer_place_of(struct evbuffer *buf, const struct evbuffer_ptr *ptr,
			  size_t *ret_position, struct evi_place *ret_place);

/* The position as the user is given it. */
struct evbuffer_ptr evi_evbuffer_ptr_at(struct evbuffer *buf, size_t position,
					struct evi_place place);

/* What stands for "not found". */
struct evbuffer_ptr evi_evbuffer_ptr_none(void);

/*
 * See that the `n` bytes from `position` on, or as many as there are, are in memory. Returns 0, or
 * a negative errno when a file range could not be loaded.
 */
int evi_evbuffer_load_files(struct evbuffer *buf, size_t position, size_t n);

static inline int evi_evbuffer_load(struct evbuffer *buf, size_t position, size_t n)
{
	return buf->flags & EVI_BUF_UNLOADED ? evi_evbuffer_load_files(buf, position, n) : 0;
}

#endif
