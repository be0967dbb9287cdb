/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_STORE_H_INCLUDED
#define EVI_STORE_H_INCLUDED

/*
 * What the calls of an evbuffer are made of: adding to and taking from its list of chains.
 *
 * Lock: all expect the buffer's lock held; none looks at freezing or runs callbacks.
 */

#include "evbuffer.h"
#include "chain/chain.h"
#include "evbuffer/marks.h"

#include <assert.h>
#include <string.h>

/* An empty buffer keeps no spare of a larger class than this: 4 KiB. */
#define EVI_STORE_IDLE_CLASS_MAX 3

/* Link a chain, which holds at least one byte, behind the last. */
static inline void evi_store_link(struct evbuffer *buf, struct evi_chain *chain)
{
	chain->next = NULL;
	if (buf->last != NULL)
		buf->last->next = chain;
	else
		buf->first = chain;
	buf->last = chain;
	buf->len += chain->len;
}

/* Link a list of chains behind the last. */
void evi_store_link_list(struct evbuffer *buf, struct evi_chain *first, struct evi_chain *last,
			 size_t len);

/* Take all chains away; the buffer is empty then. */
static inline struct evi_chain *evi_store_unlink_all(struct evbuffer *buf)
{
	struct evi_chain *list = buf->first;

	buf->first = buf->last = NULL;
	buf->len = 0;
	buf->flags &= (uint16_t)~EVI_BUF_UNLOADED;
	evi_evbuffer_renumber(buf);
	return list;
}

/* Append a copy; 0, -ENOMEM or -EOVERFLOW with nothing changed. */
int evi_store_append(struct evbuffer *buf, const void *data, size_t len);

/* Have `n` bytes of contiguous room behind the data: in the last chain or in the spare. */
int evi_store_expand(struct evbuffer *buf, size_t n);

/* Have a spare with at least `n` bytes of room; replaces a smaller one. */
int evi_store_spare(struct evbuffer *buf, size_t n);

/* Make the first `n` bytes of the spare the buffer's last. */
static inline void evi_store_use_spare(struct evbuffer *buf, size_t n)
{
	struct evi_chain *chain = buf->spare;

	assert(n > 0 && n <= chain->room);
	buf->spare = NULL;
	chain->len = n;
	chain->room -= n;
	evi_store_link(buf, chain);
}

/*
 * Whether the buffer is one small chain of its own memory, which stays as the spare when emptied.
 */
static inline int evi_store_is_small(const struct evbuffer *buf)
{
	const struct evi_chain *first = buf->first;

	return first == buf->last && buf->spare == NULL && evi_chain_is_exclusive(first) &&
	       first->size_class <= EVI_STORE_IDLE_CLASS_MAX;
}

/* Empty such a buffer. */
static inline void evi_store_empty_small(struct evbuffer *buf)
{
	struct evi_chain *first = buf->first;

	buf->first = buf->last = NULL;
	buf->len = 0;
	buf->flags &= (uint16_t)~EVI_BUF_UNLOADED;
	evi_chain_reset(first);
	buf->spare = first;
	evi_evbuffer_renumber(buf);
}

/*
 * Take the first chain, which there is, out for a while, and put it back before all that has come
 * meanwhile. Nobody is told.
 */
static inline struct evi_chain *evi_store_take_first(struct evbuffer *buf)
{
	struct evi_chain *chain = buf->first;

	buf->first = chain->next;
	if (chain->next == NULL)
		buf->last = NULL;
	buf->len -= chain->len;
	evi_evbuffer_renumber(buf);
	return chain;
}

static inline void evi_store_put_first(struct evbuffer *buf, struct evi_chain *chain)
{
	chain->next = buf->first;
	if (chain->next == NULL)
		buf->last = chain;
	buf->first = chain;
	buf->len += chain->len;
	evi_evbuffer_renumber(buf);
}

/* Discard the first `n` bytes, of which there are as many, 1 at least. */
void evi_store_drop(struct evbuffer *buf, size_t n);

/* The same where it is likely that the first chain has more. */
static inline void evi_store_skip(struct evbuffer *buf, size_t n)
{
	if (evi_unlikely(n >= buf->first->len)) {
		evi_store_drop(buf, n);
		return;
	}
	evi_chain_skip(buf->first, n);
	buf->len -= n;
	evi_evbuffer_renumber(buf);
}

/* Release chains taken out of the buffer; memory worth keeping becomes its spare. */
void evi_store_retire(struct evbuffer *buf, struct evi_chain *list);

/* Copy `n` bytes out from a place on, from where there are as many, all of them in memory. */
void evi_store_copy(struct evi_place from, unsigned char *out, size_t n);

/*
 * Make the first `n` bytes, of which there are as many, all in memory, one piece. NULL: no memory.
 */
unsigned char *evi_store_pullup(struct evbuffer *buf, size_t n);

#endif
