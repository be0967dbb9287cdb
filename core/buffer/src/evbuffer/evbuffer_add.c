/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evbuffer: adding bytes at either end, by copy or by reference, and making room.
 */

#include "chain/chain.h"
#include "evbuffer/store.h"

#include <assert.h>
#include <errno.h>

#define SLOW_PREPEND (EVI_BUF_FROZEN_FRONT | EVI_BUF_TELLS_GROWTH)

static evi_noinline int add_generally(struct evbuffer *buf, const void *data, size_t len)
{
	int err = -EPERM;

	evi_evbuffer_lock(buf);
	if (!(buf->flags & EVI_BUF_FROZEN_END))
		err = len > 0 ? evi_store_append(buf, data, len) : 0;
	evi_evbuffer_finish(buf, err < 0 ? 0 : len, 0);
	return err < 0 ? -1 : 0;
}

/* Most appends go to the room of the last chain, or of the spare, in a buffer of one thread. */
int evbuffer_add(struct evbuffer *buf, const void *data, size_t len)
{
	struct evi_chain *last;
	size_t total;

	if (evi_unlikely(!evi_evbuffer_is_plain(buf, EVI_BUF_FROZEN_END) || len == 0 ||
			 __builtin_add_overflow(buf->len, len, &total)))
		return add_generally(buf, data, len);
	last = buf->last;
	if (evi_likely(last != NULL && len <= last->room)) {
		memcpy(evi_chain_tail(last), data, len);
		last->len += len;
		last->room -= len;
		buf->len = total;
	} else if (last == NULL && buf->spare != NULL && len <= buf->spare->room) {
		memcpy(evi_chain_tail(buf->spare), data, len);
		evi_store_use_spare(buf, len);
	} else {
		return add_generally(buf, data, len);
	}
	if (buf->flags & EVI_BUF_TELLS_GROWTH)
		evi_evbuffer_finish(buf, len, 0);
	return 0;
}

/* Bytes of all vectors, or SIZE_MAX if a size_t does not count them. */
static size_t iovec_sum(const struct evbuffer_iovec *vec, int n_vec)
{
	size_t sum = 0;

	for (int i = 0; i < n_vec; i++)
		if (__builtin_add_overflow(sum, (size_t)vec[i].iov_len, &sum))
			return SIZE_MAX;
	return sum;
}

/* What was appended before memory ran out stays. */
static size_t add_iovec_locked(struct evbuffer *buf, const struct evbuffer_iovec *vec, int n_vec)
{
	size_t sum = iovec_sum(vec, n_vec), added = 0;

	if (buf->flags & EVI_BUF_FROZEN_END || sum > SIZE_MAX - buf->len)
		return 0;
	for (int i = 0; i < n_vec; i++) {
		size_t len = vec[i].iov_len;

		if (len > 0 && evi_store_append(buf, vec[i].iov_base, len) < 0)
			break;
		added += len;
	}
	return added;
}

size_t evbuffer_add_iovec(struct evbuffer *buf, struct evbuffer_iovec *vec, int n_vec)
{
	size_t added;

	evi_evbuffer_lock(buf);
	added = add_iovec_locked(buf, vec, n_vec);
	evi_evbuffer_finish(buf, added, 0);
	return added;
}

int evbuffer_expand(struct evbuffer *buf, size_t len)
{
	int err;

	evi_evbuffer_lock(buf);
	err = len > SIZE_MAX - buf->len ? -EOVERFLOW : len > 0 ? evi_store_expand(buf, len) : 0;
	evi_evbuffer_unlock(buf);
	return err < 0 ? -1 : 0;
}

/* --- At the front ----------------------------------------------------------------------------- */

static void put_before(struct evbuffer *buf, struct evi_chain *chain, const unsigned char *data,
		       size_t len)
{
	chain->data -= len;
	chain->len += len;
	memcpy(chain->data, data, len);
	buf->len += len;
}

/* A chain whose room is all before its data, for prepends to come. */
static struct evi_chain *new_front(const struct evbuffer *buf, size_t len)
{
	struct evi_chain *chain;
	size_t room = buf->len >> 4;

	if (room > EVI_CHAIN_ROOM_MAX)
		room = EVI_CHAIN_ROOM_MAX;
	chain = evi_chain_new(len > room ? len : room);
	if (chain == NULL)
		return NULL;
	chain->data += chain->room;
	chain->room = 0;
	return chain;
}

static evi_noinline int prepend_locked(struct evbuffer *buf, const unsigned char *data, size_t len)
{
	struct evi_chain *first = buf->first, *front;
	size_t head = evi_chain_headroom(first);

	if (len > SIZE_MAX - buf->len)
		return -EOVERFLOW;
	if (head < len) {
		front = new_front(buf, len - head);
		if (front == NULL)
			return -ENOMEM;
		if (head > 0)
			put_before(buf, first, data + len - head, head);
		front->next = first;
		buf->first = front;
		len -= head;
	}
	put_before(buf, buf->first, data, len);
	evi_evbuffer_renumber(buf);
	return 0;
}

static evi_noinline int prepend_generally(struct evbuffer *buf, const void *data, size_t len)
{
	int err;

	evi_evbuffer_lock(buf);
	if (buf->flags & EVI_BUF_FROZEN_FRONT)
		err = -EPERM;
	else if (buf->first == NULL)
		err = evi_store_append(buf, data, len);
	else
		err = prepend_locked(buf, data, len);
	evi_evbuffer_finish(buf, err < 0 ? 0 : len, 0);
	return err < 0 ? -1 : 0;
}

int evbuffer_prepend(struct evbuffer *buf, const void *data, size_t len)
{
	if (len == 0)
		return 0;
	if (evi_likely(evi_evbuffer_is_plain(buf, SLOW_PREPEND) && buf->first != NULL &&
		       len <= evi_chain_headroom(buf->first) && len <= SIZE_MAX - buf->len)) {
		put_before(buf, buf->first, data, len);
		evi_evbuffer_renumber(buf);
		return 0;
	}
	return prepend_generally(buf, data, len);
}

/* --- By reference ----------------------------------------------------------------------------- */

static int add_reference_locked(struct evbuffer *buf, const void *data, size_t offset, size_t len,
				evbuffer_ref_cleanup_cb cleanup, void *arg)
{
	struct evi_chain *chain;

	if (buf->flags & EVI_BUF_FROZEN_END)
		return -EPERM;
	if (len > SIZE_MAX - offset || len > SIZE_MAX - buf->len)
		return -EOVERFLOW;
	if (len == 0)
		return 0;
	chain = evi_chain_new_reference(data, offset, len, cleanup, arg);
	if (chain == NULL)
		return -ENOMEM;
	evi_store_link(buf, chain);
	return 0;
}

/* Of no bytes there is nothing to borrow: the owner has its memory back at once. */
int evbuffer_add_reference_with_offset(struct evbuffer *buf, const void *data, size_t offset,
				       size_t len, evbuffer_ref_cleanup_cb cleanup, void *arg)
{
	int err;

	evi_evbuffer_lock(buf);
	err = add_reference_locked(buf, data, offset, len, cleanup, arg);
	evi_evbuffer_finish(buf, err < 0 ? 0 : len, 0);
	if (err == 0 && len == 0 && cleanup != NULL)
		cleanup(data, offset, arg);
	return err < 0 ? -1 : 0;
}

int evbuffer_add_reference(struct evbuffer *buf, const void *data, size_t len,
			   evbuffer_ref_cleanup_cb cleanup, void *arg)
{
	return evbuffer_add_reference_with_offset(buf, data, 0, len, cleanup, arg);
}
