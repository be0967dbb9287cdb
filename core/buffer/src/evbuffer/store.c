/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adding to and taking from the list of chains; see store.h.
 *
 * Sizes: a new chain has room for what is to be added and for a sixteenth of what is there, so that
 * long buffers have few chains and never waste more than an eighth; a small block is enough for the
 * first chain only. A buffer keeps one emptied chain
 * as its spare; when it becomes empty only a small one, the rest goes to the pool.
 */

#include "evbuffer/store.h"

#include <assert.h>
#include <errno.h>

#define GROWTH_SHIFT 4
/* The class of a further chain at least: 2 KiB. */
#define FURTHER_CLASS_MIN 2
/* Up to so many bytes are moved within a chain rather than a new one begun. */
#define REALIGN_MAX 2048
/*
 * What is larger than this is one block: a size that cannot be had fails before much is allocated.
 */
#define SINGLE_BLOCK_MIN (1u << 20)

void evi_store_link_list(struct evbuffer *buf, struct evi_chain *first, struct evi_chain *last,
			 size_t len)
{
	if (buf->last != NULL)
		buf->last->next = first;
	else
		buf->first = first;
	buf->last = last;
	buf->len += len;
}

/* --- Adding ----------------------------------------------------------------------------------- */

static struct evi_chain *new_chain_for(const struct evbuffer *buf, size_t n)
{
	size_t room = buf->len >> GROWTH_SHIFT;

	if (buf->first != NULL && room < evi_chain_class_room(FURTHER_CLASS_MIN))
		room = evi_chain_class_room(FURTHER_CLASS_MIN);
	if (room < n)
		room = n;
	if (n >= SINGLE_BLOCK_MIN)
		return evi_chain_new(n);
	return evi_chain_new(room < EVI_CHAIN_ROOM_MAX ? room : EVI_CHAIN_ROOM_MAX);
}

/* Chains with `n` bytes of room in all, the spare first if there is one. */
static int take_room(struct evbuffer *buf, size_t n, struct evi_chain **ret_list)
{
	struct evi_chain *list = buf->spare, **link = &list;
	size_t got = list != NULL ? list->room : 0;

	if (list != NULL)
		link = &list->next;
	while (got < n) {
		struct evi_chain *chain = new_chain_for(buf, n - got);

		if (chain == NULL)
			goto fail;
		got += chain->room;
		*link = chain;
		link = &chain->next;
	}
	buf->spare = NULL;
	*ret_list = list;
	return 0;

fail:
	*link = NULL;
	if (buf->spare != NULL) {
		list = buf->spare->next;
		buf->spare->next = NULL;
	}
	evi_chain_unref_list(list);
	return -ENOMEM;
}

/* Copies what fits behind the chain's data. */
static size_t fill(struct evi_chain *chain, const unsigned char *data, size_t len)
{
	size_t n = len < chain->room ? len : chain->room;

	memcpy(evi_chain_tail(chain), data, n);
	chain->len += n;
	chain->room -= n;
	return n;
}

/*
 * Whether moving the last chain's few bytes to its beginning makes room enough; never under `data`.
 */
static int can_realign(struct evi_chain *last, const unsigned char *data, size_t len)
{
	size_t head = evi_chain_headroom(last);

	if (last->len > REALIGN_MAX || last->len > head || head + last->room < len)
		return 0;
	return (uintptr_t)data >= (uintptr_t)evi_chain_tail(last) + last->room ||
	       (uintptr_t)data + len <= (uintptr_t)evi_chain_base(last);
}

int evi_store_spare(struct evbuffer *buf, size_t n)
{
	struct evi_chain *chain;

	if (buf->spare != NULL && buf->spare->room >= n)
		return 0;
	chain = evi_chain_new(n);
	if (chain == NULL)
		return -ENOMEM;
	evi_evbuffer_trim(buf);
	buf->spare = chain;
	return 0;
}

static int append_to_empty(struct evbuffer *buf, const unsigned char *data, size_t len)
{
	if (evi_store_spare(buf, len) < 0)
		return -ENOMEM;
	memcpy(evi_chain_tail(buf->spare), data, len);
	evi_store_use_spare(buf, len);
	return 0;
}

/* To the last chain's room, and to new chains. */
static evi_noinline int append_across(struct evbuffer *buf, const unsigned char *data, size_t len)
{
	struct evi_chain *last = buf->last, *list;
	size_t n = 0;
	int err;

	err = take_room(buf, len - (last != NULL ? last->room : 0), &list);
	if (err < 0)
		return err;
	if (last != NULL && last->room > 0) {
		n = fill(last, data, len);
		buf->len += n;
	}
	while (n < len) {
		struct evi_chain *next = list->next;

		n += fill(list, data + n, len - n);
		evi_store_link(buf, list);
		list = next;
	}
	return 0;
}

int evi_store_append(struct evbuffer *buf, const void *data, size_t len)
{
	struct evi_chain *last = buf->last;

	if (len > SIZE_MAX - buf->len)
		return -EOVERFLOW;
	if (last == NULL && len <= EVI_CHAIN_ROOM_MAX)
		return append_to_empty(buf, data, len);
	if (last != NULL && len > last->room && can_realign(last, data, len))
		evi_chain_realign(last);
	if (last == NULL || len > last->room)
		return append_across(buf, data, len);
	buf->len += fill(last, data, len);
	return 0;
}

/* The next append starts with the last chain's room: what is too small there must not be used. */
int evi_store_expand(struct evbuffer *buf, size_t n)
{
	struct evi_chain *last = buf->last;
	int err;

	if (last != NULL && last->room >= n)
		return 0;
	if (last != NULL && can_realign(last, NULL, n)) {
		evi_chain_realign(last);
		evi_evbuffer_renumber(buf);
		return 0;
	}
	err = evi_store_spare(buf, n);
	if (err == 0 && last != NULL)
		last->room = 0;
	return err;
}

/* --- Taking ----------------------------------------------------------------------------------- */

void evi_store_retire(struct evbuffer *buf, struct evi_chain *list)
{
	while (list != NULL) {
		struct evi_chain *next = list->next;

		if (buf->spare == NULL && evi_chain_is_exclusive(list) &&
		    list->size_class <=
			    (buf->first == NULL ? EVI_STORE_IDLE_CLASS_MAX : EVI_CHAIN_CLASSES)) {
			evi_chain_reset(list);
			buf->spare = list;
		} else {
			evi_chain_unref(list);
		}
		list = next;
	}
	if (buf->first == NULL && buf->spare != NULL &&
	    buf->spare->size_class > EVI_STORE_IDLE_CLASS_MAX)
		evi_evbuffer_trim(buf);
}

/*
 * The buffer is in its final state before anything is released: cleanup functions may look at it.
 */
void evi_store_drop(struct evbuffer *buf, size_t n)
{
	struct evi_chain *dropped = buf->first, *chain = dropped, *before = NULL;

	assert(n > 0 && n <= buf->len);
	buf->len -= n;
	evi_evbuffer_renumber(buf);
	while (chain != NULL && n >= chain->len) {
		n -= chain->len;
		before = chain;
		chain = chain->next;
	}
	buf->first = chain;
	if (n > 0)
		evi_chain_skip(chain, n);
	if (before == NULL)
		return;
	before->next = NULL;
	if (chain == NULL) {
		buf->last = NULL;
		buf->flags &= (uint16_t)~EVI_BUF_UNLOADED;
	}
	evi_store_retire(buf, dropped);
}

void evi_store_copy(struct evi_place from, unsigned char *out, size_t n)
{
	const struct evi_chain *chain = from.chain;
	size_t offset = from.offset;

	while (n > 0) {
		size_t part = chain->len - offset;

		assert(chain->kind != EVI_CHAIN_FILE);
		if (part > n)
			part = n;
		memcpy(out, chain->data + offset, part);
		out += part;
		n -= part;
		offset = 0;
		chain = chain->next;
	}
}

/*
 * Moves the bytes from `chain` on that make `target` hold `n`; returns the chains that are used up.
 */
static struct evi_chain *gather(struct evbuffer *buf, struct evi_chain *target,
				struct evi_chain *chain, size_t n)
{
	struct evi_chain *used = NULL, **link = &used;

	while (target->len < n) {
		size_t part = n - target->len;

		if (part < chain->len) {
			fill(target, chain->data, part);
			evi_chain_skip(chain, part);
			break;
		}
		fill(target, chain->data, chain->len);
		*link = chain;
		link = &chain->next;
		chain = chain->next;
	}
	*link = NULL;
	target->next = chain;
	buf->first = target;
	if (chain == NULL)
		buf->last = target;
	return used;
}

/*
 * A new chain gets room for as much again, so that linearising a growing buffer over and over
 * copies each byte a few times only.
 */
unsigned char *evi_store_pullup(struct evbuffer *buf, size_t n)
{
	struct evi_chain *first = buf->first, *target, *used;

	if (n <= first->len)
		return first->data;
	if (first->room >= n - first->len) {
		target = first;
		used = gather(buf, target, first->next, n);
	} else {
		int exact = n <= EVI_CHAIN_ROOM_MAX || n > EV_SIZE_MAX / 2;

		target = evi_chain_new(exact ? n : n + n / 2);
		if (target == NULL)
			return NULL;
		used = gather(buf, target, first, n);
	}
	evi_evbuffer_renumber(buf);
	evi_store_retire(buf, used);
	return target->data;
}
