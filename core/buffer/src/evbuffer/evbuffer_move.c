/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evbuffer: moving content from buffer to buffer, and showing it in two.
 *
 * Lock: that of both buffers, in the order evi_evbuffer_lock_pair() takes them. Callbacks run when
 * both buffers are in their final state: the source's first.
 */

#include "chain/chain.h"
#include "evbuffer/store.h"

#include <errno.h>
#include <limits.h>

/* A partial chain of at least so many bytes is split rather than copied. */
#define SPLIT_MIN 4096

/* The end of a call on two buffers. References keep each alive while the other's callbacks run. */
static void finish_pair(struct evbuffer *from, struct evbuffer *to, size_t moved)
{
	if (!(from->flags & EVI_BUF_TELLS_LOSS) && !(to->flags & EVI_BUF_TELLS_GROWTH)) {
		evi_evbuffer_unlock(from);
		evi_evbuffer_unlock(to);
		return;
	}
	from->refs++;
	to->refs++;
	evi_evbuffer_notify(from, 0, moved);
	evi_evbuffer_notify(to, moved, 0);
	evi_evbuffer_unref_unlock(from);
	evi_evbuffer_unref_unlock(to);
}

/*
 * A buffer that has given its memory away takes the other's spare, for what it will be given next.
 */
static void hand_spare(struct evbuffer *to, struct evbuffer *from)
{
	if (from->spare == NULL && to->spare != NULL &&
	    to->spare->size_class <= EVI_STORE_IDLE_CLASS_MAX) {
		from->spare = to->spare;
		to->spare = NULL;
	}
}

/*
 * -EPERM unless the front of `from` and the given end of `to` may change; -EOVERFLOW if too long.
 */
static int may_move(const struct evbuffer *from, const struct evbuffer *to, unsigned to_frozen)
{
	if (from->flags & EVI_BUF_FROZEN_FRONT || to->flags & to_frozen)
		return -EPERM;
	return 0;
}

static int append_all(struct evbuffer *to, struct evbuffer *from)
{
	struct evi_chain *last = from->last;
	size_t len = from->len;
	int err = may_move(from, to, EVI_BUF_FROZEN_END);

	if (err < 0)
		return err;
	if (len > SIZE_MAX - to->len)
		return -EOVERFLOW;
	to->flags |= from->flags & EVI_BUF_UNLOADED;
	evi_store_link_list(to, evi_store_unlink_all(from), last, len);
	hand_spare(to, from);
	return 0;
}

static int prepend_all(struct evbuffer *to, struct evbuffer *from)
{
	struct evi_chain *last = from->last;
	size_t len = from->len;
	int err = may_move(from, to, EVI_BUF_FROZEN_FRONT);

	if (err < 0)
		return err;
	if (len > SIZE_MAX - to->len)
		return -EOVERFLOW;
	to->flags |= from->flags & EVI_BUF_UNLOADED;
	last->next = to->first;
	to->first = evi_store_unlink_all(from);
	if (to->last == NULL)
		to->last = last;
	to->len += len;
	evi_evbuffer_renumber(to);
	return 0;
}

static int move_all(struct evbuffer *to, struct evbuffer *from,
		    int (*move)(struct evbuffer *to, struct evbuffer *from))
{
	size_t len;
	int err = 0;

	if (to == from)
		return 0;
	evi_evbuffer_lock_pair(to, from);
	len = from->len;
	if (len > 0)
		err = move(to, from);
	finish_pair(from, to, err < 0 ? 0 : len);
	return err < 0 ? -1 : 0;
}

int evbuffer_add_buffer(struct evbuffer *to, struct evbuffer *from)
{
	return move_all(to, from, append_all);
}

int evbuffer_prepend_buffer(struct evbuffer *to, struct evbuffer *from)
{
	return move_all(to, from, prepend_all);
}

/* --- A part ----------------------------------------------------------------------------------- */

/* Moves the first `len` bytes of a chain that holds more. */
static int move_part(struct evbuffer *to, struct evbuffer *from, size_t len)
{
	struct evi_chain *chain = from->first, *part;

	if (len < SPLIT_MIN && chain->kind != EVI_CHAIN_FILE) {
		int err = evi_store_append(to, chain->data, len);

		if (err < 0)
			return err;
	} else {
		part = evi_chain_split(chain, len);
		if (part == NULL)
			return -ENOMEM;
		to->flags |= from->flags & EVI_BUF_UNLOADED;
		evi_store_link(to, part);
	}
	evi_chain_skip(chain, len);
	from->len -= len;
	return 0;
}

/* Moves what it can, whole chains first; returns how many bytes, or -ENOMEM if none. */
static ev_ssize_t move_front(struct evbuffer *to, struct evbuffer *from, size_t len)
{
	struct evi_chain *first = from->first, *chain = first, *last = NULL;
	size_t whole = 0;
	int err = 0;

	while (chain != NULL && chain->len <= len - whole) {
		whole += chain->len;
		last = chain;
		chain = chain->next;
	}
	if (whole > 0) {
		last->next = NULL;
		from->first = chain;
		from->len -= whole;
		to->flags |= from->flags & EVI_BUF_UNLOADED;
		evi_store_link_list(to, first, last, whole);
	}
	if (whole < len)
		err = move_part(to, from, len - whole);
	evi_evbuffer_renumber(from);
	if (err < 0)
		return whole > 0 ? (ev_ssize_t)whole : err;
	return (ev_ssize_t)len;
}

static ev_ssize_t move_some(struct evbuffer *to, struct evbuffer *from, size_t len)
{
	struct evi_chain *last = from->last;
	int err = may_move(from, to, EVI_BUF_FROZEN_END);

	if (err < 0)
		return err;
	if (len > INT_MAX)
		len = INT_MAX;
	if (len >= from->len) {
		len = from->len;
		if (len == 0)
			return 0;
		if (len > SIZE_MAX - to->len)
			return -EOVERFLOW;
		to->flags |= from->flags & EVI_BUF_UNLOADED;
		evi_store_link_list(to, evi_store_unlink_all(from), last, len);
		return (ev_ssize_t)len;
	}
	if (len > SIZE_MAX - to->len)
		return -EOVERFLOW;
	return move_front(to, from, len);
}

int evbuffer_remove_buffer(struct evbuffer *from, struct evbuffer *to, size_t len)
{
	ev_ssize_t moved;

	if (len == 0 || from == to)
		return 0;
	evi_evbuffer_lock_pair(from, to);
	moved = move_some(to, from, len);
	finish_pair(from, to, moved < 0 ? 0 : (size_t)moved);
	return moved < 0 ? -1 : (int)moved;
}

/* --- Sharing ---------------------------------------------------------------------------------- */

static int may_share(const struct evbuffer *from)
{
	for (const struct evi_chain *c = from->first; c != NULL; c = c->next)
		if (c->flags & EVI_CHAIN_GUEST || c->kind == EVI_CHAIN_SEGMENT ||
		    c->kind == EVI_CHAIN_FILE)
			return 0;
	return 1;
}

/* Views of all chains, before any is linked: all or nothing. */
static int share_locked(struct evbuffer *to, struct evbuffer *from)
{
	struct evi_chain *list = NULL, **link = &list, *last = NULL;

	if (to->flags & EVI_BUF_FROZEN_END)
		return -EPERM;
	if (to == from || !may_share(from))
		return -EINVAL;
	if (from->len > SIZE_MAX - to->len)
		return -EOVERFLOW;
	for (struct evi_chain *c = from->first; c != NULL; c = c->next) {
		last = evi_chain_new_view(c, c->len);
		if (last == NULL) {
			evi_chain_unref_list(list);
			return -ENOMEM;
		}
		last->flags |= EVI_CHAIN_GUEST;
		*link = last;
		link = &last->next;
	}
	evi_store_link_list(to, list, last, from->len);
	return 0;
}

int evbuffer_add_buffer_reference(struct evbuffer *to, struct evbuffer *from)
{
	size_t len;
	int err = 0;

	evi_evbuffer_lock_pair(to, from);
	len = from->len;
	if (len > 0)
		err = share_locked(to, from);
	to->refs++;
	evi_evbuffer_unlock(from);
	evi_evbuffer_notify(to, err < 0 ? 0 : len, 0);
	evi_evbuffer_unref_unlock(to);
	return err < 0 ? -1 : 0;
}
