/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evbuffer: looking at bytes where they are, and writing them where they will be.
 *
 * What a reservation offers is the room of the last chain and the spare. Nothing is recorded: a
 * commit is checked against what would be offered now, so a reservation that something else has
 * overtaken is refused.
 */

#include "chain/chain.h"
#include "evbuffer/store.h"

#include <errno.h>

/* --- Looking ---------------------------------------------------------------------------------- */

/* Lists pieces from a place on until `wanted` bytes are covered; returns how many it takes. */
static int list_pieces(struct evi_place from, size_t wanted, struct evbuffer_iovec *vec, int n_vec)
{
	const struct evi_chain *chain = from.chain;
	size_t offset = from.offset;
	int n = 0;

	while (chain != NULL && wanted > 0) {
		size_t len = chain->len - offset;

		if (n < n_vec) {
			vec[n].iov_base = chain->data + offset;
			vec[n].iov_len = len;
		}
		n++;
		wanted -= len < wanted ? len : wanted;
		offset = 0;
		chain = chain->next;
	}
	return n;
}

/* As many pieces as there are vectors, whatever their length. */
static int fill_vectors(struct evi_place from, struct evbuffer_iovec *vec, int n_vec)
{
	const struct evi_chain *chain = from.chain;
	int n = 0;

	for (; chain != NULL && n < n_vec; chain = chain->next, n++) {
		vec[n].iov_base = chain->data;
		vec[n].iov_len = chain->len;
	}
	if (n > 0) {
		vec[0].iov_base = from.chain->data + from.offset;
		vec[0].iov_len -= from.offset;
	}
	return n;
}

static int peek_locked(struct evbuffer *buf, ev_ssize_t len, const struct evbuffer_ptr *start,
		       struct evbuffer_iovec *vec, int n_vec)
{
	struct evi_place place;
	size_t position, wanted;

	if (evi_evbuffer_place_of(buf, start, &position, &place) < 0)
		return 0;
	wanted = buf->len - position;
	if (len >= 0 && (size_t)len < wanted)
		wanted = (size_t)len;
	if (buf->flags & EVI_BUF_UNLOADED) {
		if (evi_evbuffer_load(buf, position, wanted) < 0)
			return 0;
		place = evi_evbuffer_locate(buf, position);
	}
	if (len < 0 && n_vec > 0)
		return fill_vectors(place, vec, n_vec);
	return list_pieces(place, wanted, vec, n_vec);
}

int evbuffer_peek(struct evbuffer *buf, ev_ssize_t len, struct evbuffer_ptr *start,
		  struct evbuffer_iovec *vec, int n_vec)
{
	int n;

	evi_evbuffer_lock(buf);
	n = peek_locked(buf, len, start, vec, n_vec);
	evi_evbuffer_unlock(buf);
	return n;
}

/* --- Reserving -------------------------------------------------------------------------------- */

/* What a reservation asks for when it asks for nothing. */
#define SMALL_ROOM 64

static struct evbuffer_iovec tail_of(struct evi_chain *chain)
{
	return (struct evbuffer_iovec){ .iov_base = evi_chain_tail(chain), .iov_len = chain->room };
}

static int reserve_locked(struct evbuffer *buf, size_t size, struct evbuffer_iovec *vec, int n_vec)
{
	size_t room = buf->last != NULL ? buf->last->room : 0;
	int n = 0, err;

	if (buf->flags & EVI_BUF_FROZEN_END)
		return -EPERM;
	if (size > SIZE_MAX - buf->len)
		return -EOVERFLOW;
	if (room > 0 && (room >= size || n_vec > 1))
		vec[n++] = tail_of(buf->last);
	if (n == 1 && room >= size)
		return 1;
	size -= n == 1 ? room : 0;
	err = evi_store_spare(buf, size > 0 ? size : SMALL_ROOM);
	if (err < 0)
		return err;
	vec[n++] = tail_of(buf->spare);
	return n;
}

int evbuffer_reserve_space(struct evbuffer *buf, ev_ssize_t size, struct evbuffer_iovec *vec,
			   int n_vec)
{
	int n;

	if (n_vec < 1 || size < 0)
		return -1;
	evi_evbuffer_lock(buf);
	n = reserve_locked(buf, (size_t)size, vec, n_vec);
	evi_evbuffer_unlock(buf);
	return n < 0 ? -1 : n;
}

static int is_offered(const struct evbuffer_iovec *vec, struct evi_chain *chain)
{
	return chain != NULL && vec->iov_base == evi_chain_tail(chain) &&
	       vec->iov_len <= chain->room;
}

/*
 * Which of the two areas the vectors are: `ret_tail` and `ret_spare` bytes of them. A room that is
 * full was not offered, though an empty vector may name its address.
 */
static int match(struct evbuffer *buf, const struct evbuffer_iovec *vec, int n_vec,
		 size_t *ret_tail, size_t *ret_spare)
{
	int i = 0;

	*ret_tail = *ret_spare = 0;
	if (n_vec > 0 && buf->last != NULL && buf->last->room > 0 && is_offered(vec, buf->last))
		*ret_tail = vec[i++].iov_len;
	if (i < n_vec && is_offered(vec + i, buf->spare))
		*ret_spare = vec[i++].iov_len;
	return i == n_vec ? 0 : -EINVAL;
}

/* Returns how many bytes became part of the buffer, or a negative errno. */
static ev_ssize_t commit_locked(struct evbuffer *buf, const struct evbuffer_iovec *vec, int n_vec)
{
	size_t tail, spare;

	if (buf->flags & EVI_BUF_FROZEN_END)
		return -EPERM;
	if (match(buf, vec, n_vec, &tail, &spare) < 0)
		return -EINVAL;
	if (tail > 0) {
		buf->last->len += tail;
		buf->last->room -= tail;
		buf->len += tail;
	}
	if (spare > 0)
		evi_store_use_spare(buf, spare);
	return (ev_ssize_t)(tail + spare);
}

int evbuffer_commit_space(struct evbuffer *buf, struct evbuffer_iovec *vec, int n_vec)
{
	ev_ssize_t added;

	if (n_vec < 0)
		return -1;
	evi_evbuffer_lock(buf);
	added = commit_locked(buf, vec, n_vec);
	evi_evbuffer_finish(buf, added < 0 ? 0 : (size_t)added, 0);
	return added < 0 ? -1 : 0;
}
