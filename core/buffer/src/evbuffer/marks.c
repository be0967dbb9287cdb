/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Positions in a buffer: finding the chain a position is in, and what users are given as a
 * position.
 *
 * A position given out names its chain, its offset there and the epoch it was made in. A position
 * of another epoch is found anew by its number, so it may be out of date but never dangles.
 */

#include "evbuffer/marks.h"

#include <event2/buffer_compat.h>

#include <assert.h>
#include <errno.h>

/* Below this many bytes a walk is cheaper than the memory to save it. */
#define MARKS_MIN_LEN 1024

struct evi_marks *evi_evbuffer_marks(struct evbuffer *buf)
{
	struct evi_marks *marks = buf->marks;

	if (marks != NULL || buf->len < MARKS_MIN_LEN)
		return marks;
	marks = evi_calloc(1, sizeof(*marks));
	if (marks == NULL)
		return NULL;
	marks->epoch = marks->line_epoch = buf->epoch - 1;
	buf->marks = marks;
	return marks;
}

static struct evi_place walk(struct evi_chain *chain, size_t offset)
{
	while (offset >= chain->len) {
		offset -= chain->len;
		chain = chain->next;
	}
	return (struct evi_place){ .chain = chain, .offset = offset };
}

struct evi_place evi_evbuffer_locate(struct evbuffer *buf, size_t position)
{
	struct evi_chain *from = buf->first;
	struct evi_marks *marks;
	struct evi_place place;
	size_t from_at = 0;

	assert(position <= buf->len);
	if (position == buf->len)
		return (struct evi_place){ 0 };
	if (position < from->len)
		return (struct evi_place){ .chain = from, .offset = position };
	if (position >= buf->len - buf->last->len)
		return (struct evi_place){ .chain = buf->last,
					   .offset = position - (buf->len - buf->last->len) };

	marks = evi_evbuffer_marks(buf);
	if (marks != NULL && marks->epoch == buf->epoch && marks->chain_at <= position) {
		from = marks->chain;
		from_at = marks->chain_at;
	}
	place = walk(from, position - from_at);
	if (marks != NULL) {
		marks->chain = place.chain;
		marks->chain_at = position - place.offset;
		marks->epoch = buf->epoch;
	}
	return place;
}

/* --- What users hold -------------------------------------------------------------------------- */

#if SIZE_MAX > UINT32_MAX

/* Epoch and offset in one word; an offset that does not fit is left to evi_evbuffer_locate(). */
static int can_pack(size_t offset)
{
	return offset <= UINT32_MAX;
}

static size_t pack(uint32_t epoch, size_t offset)
{
	return (size_t)epoch << 32 | offset;
}

static int unpack(size_t packed, uint32_t epoch, size_t *ret_offset)
{
	if (packed >> 32 != epoch)
		return 0;
	*ret_offset = packed & UINT32_MAX;
	return 1;
}

#else

static int can_pack(size_t offset)
{
	(void)offset;
	return 0;
}

static size_t pack(uint32_t epoch, size_t offset)
{
	(void)epoch;
	return offset;
}

static int unpack(size_t packed, uint32_t epoch, size_t *ret_offset)
{
	(void)packed;
	(void)epoch;
	(void)ret_offset;
	return 0;
}

#endif

struct evbuffer_ptr evi_evbuffer_ptr_at(struct evbuffer *buf, size_t position,
					struct evi_place place)
{
	struct evbuffer_ptr ptr = { .pos = (ev_ssize_t)position };

	if (place.chain != NULL && can_pack(place.offset)) {
		ptr.internal_.chain = place.chain;
		ptr.internal_.pos_in_chain = pack(buf->epoch, place.offset);
	}
	return ptr;
}

struct evbuffer_ptr evi_evbuffer_ptr_none(void)
{
	return (struct evbuffer_ptr){ .pos = -1 };
}

int evi_evbuffer_place_of(struct evbuffer *buf, const struct evbuffer_ptr *ptr,
			  size_t *ret_position, struct evi_place *ret_place)
{
	size_t offset;

	if (ptr == NULL) {
		*ret_position = 0;
		*ret_place = (struct evi_place){ .chain = buf->first };
		return 0;
	}
	if (ptr->pos < 0 || (size_t)ptr->pos > buf->len)
		return -EINVAL;
	*ret_position = (size_t)ptr->pos;
	if (ptr->internal_.chain != NULL &&
	    unpack(ptr->internal_.pos_in_chain, buf->epoch, &offset))
		*ret_place = (struct evi_place){ .chain = ptr->internal_.chain, .offset = offset };
	else
		*ret_place = evi_evbuffer_locate(buf, (size_t)ptr->pos);
	return 0;
}

/*
 * Nothing but SET may be done with a position that was never set, so its old value is not read
 * then.
 */
static int set_locked(struct evbuffer *buf, struct evbuffer_ptr *ptr, size_t position,
		      enum evbuffer_ptr_how how)
{
	struct evi_place place = { 0 };
	size_t from = 0;

	if (how == EVBUFFER_PTR_ADD && evi_evbuffer_place_of(buf, ptr, &from, &place) < 0)
		return -EINVAL;
	if (position > buf->len - from || from + position > (size_t)EV_SSIZE_MAX)
		return -EINVAL;
	if (place.chain != NULL && position < place.chain->len - place.offset)
		place.offset += position;
	else
		place = evi_evbuffer_locate(buf, from + position);
	*ptr = evi_evbuffer_ptr_at(buf, from + position, place);
	return 0;
}

int evbuffer_ptr_set(struct evbuffer *buf, struct evbuffer_ptr *ptr, size_t position,
		     enum evbuffer_ptr_how how)
{
	int err = -EINVAL;

	evi_evbuffer_lock(buf);
	if (how == EVBUFFER_PTR_SET || how == EVBUFFER_PTR_ADD)
		err = set_locked(buf, ptr, position, how);
	if (err < 0)
		*ptr = evi_evbuffer_ptr_none();
	evi_evbuffer_unlock(buf);
	return err < 0 ? -1 : 0;
}
