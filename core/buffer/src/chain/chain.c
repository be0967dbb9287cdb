/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Making and releasing chains; see chain.h for the kinds and the lock rule.
 *
 * Invariant: a chain that is not shared has one holder. Releasing the last hold on a view releases
 * its hold on the parent, which is a memory or reference chain, so this never goes deeper than two.
 */

#include "chain/chain.h"

#include "chain/chain_pool.h"
#include "evbuffer/file_segment.h"

#include <event2/component/reactor.h>

#include <assert.h>
#include <string.h>

/* Blocks above the largest class come in steps of this, to meet the allocator's pages. */
#define LARGE_STEP ((size_t)4096)

/* The smallest class with that much room; the caller has checked that there is one. */
static unsigned class_for(size_t room)
{
	unsigned size_class = 0;

	while (evi_chain_class_room(size_class) < room)
		size_class++;
	return size_class;
}

static struct evi_chain *new_large(size_t room)
{
	struct evi_chain *chain;
	size_t size;

	if (room > (size_t)EV_SSIZE_MAX - sizeof(*chain) - LARGE_STEP)
		return NULL;
	size = (room + sizeof(*chain) + LARGE_STEP - 1) / LARGE_STEP * LARGE_STEP;
	chain = evi_malloc(size);
	if (chain == NULL)
		return NULL;
	chain->size_class = EVI_CHAIN_CLASS_LARGE;
	chain->room = size - sizeof(*chain);
	return chain;
}

static struct evi_chain *new_of_class(unsigned size_class)
{
	struct evi_chain *chain = evi_pool_take(size_class);

	if (chain == NULL)
		chain = evi_malloc(evi_chain_class_size(size_class));
	if (chain == NULL)
		return NULL;
	chain->size_class = (uint8_t)size_class;
	chain->room = evi_chain_class_room(size_class);
	return chain;
}

struct evi_chain *evi_chain_new(size_t room)
{
	struct evi_chain *chain;

	chain = room <= EVI_CHAIN_ROOM_MAX ? new_of_class(class_for(room)) : new_large(room);
	if (chain == NULL)
		return NULL;
	chain->next = NULL;
	chain->data = evi_chain_base(chain);
	chain->len = 0;
	chain->refs = 1;
	chain->kind = EVI_CHAIN_MEMORY;
	chain->flags = 0;
	return chain;
}

void evi_chain_realign(struct evi_chain *chain)
{
	unsigned char *base = evi_chain_base(chain);

	assert(evi_chain_is_exclusive(chain));
	memmove(base, chain->data, chain->len);
	chain->room += (size_t)(chain->data - base);
	chain->data = base;
}

static void release_memory(struct evi_chain *chain)
{
	if (chain->size_class == EVI_CHAIN_CLASS_LARGE || !evi_pool_give(chain))
		evi_free(chain);
}

static void release_reference(struct evi_chain *chain)
{
	struct evi_chain_reference *ref = (struct evi_chain_reference *)chain;

	if (ref->cleanup != NULL)
		ref->cleanup(ref->given, ref->given_len, ref->cleanup_arg);
	evi_free(ref);
}

static void release_view(struct evi_chain *chain)
{
	struct evi_chain *parent = ((struct evi_chain_view *)chain)->parent;

	evi_free(chain);
	evi_chain_unref(parent);
}

static void release_file(struct evi_chain *chain)
{
	struct evbuffer_file_segment *segment = ((struct evi_chain_file *)chain)->segment;

	evi_free(chain);
	evi_segment_unref(segment);
}

static void (*const release[])(struct evi_chain *chain) = {
	[EVI_CHAIN_MEMORY] = release_memory,
	[EVI_CHAIN_REFERENCE] = release_reference,
	[EVI_CHAIN_VIEW] = release_view,
	[EVI_CHAIN_SEGMENT] = release_file,
	[EVI_CHAIN_FILE] = release_file,
};

void evi_chain_pin(struct evi_chain *chain)
{
	if (!(chain->flags & EVI_CHAIN_SHARED))
		chain->flags |= EVI_CHAIN_SHARED;
	__atomic_fetch_add(&chain->refs, 1, __ATOMIC_RELAXED);
}

void evi_chain_unref(struct evi_chain *chain)
{
	if (chain->flags & EVI_CHAIN_SHARED &&
	    __atomic_fetch_sub(&chain->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	release[chain->kind](chain);
}

void evi_chain_unref_list(struct evi_chain *list)
{
	while (list != NULL) {
		struct evi_chain *next = list->next;

		evi_chain_unref(list);
		list = next;
	}
}

/* What all chains that borrow have in common. */
static void init_borrowing(struct evi_chain *chain, enum evi_chain_kind kind, unsigned char *data,
			   size_t len)
{
	*chain = (struct evi_chain){ .data = data, .len = len, .refs = 1, .kind = (uint8_t)kind };
}

struct evi_chain *evi_chain_new_reference(const void *given, size_t offset, size_t len,
					  evbuffer_ref_cleanup_cb cleanup, void *cleanup_arg)
{
	struct evi_chain_reference *ref = evi_malloc(sizeof(*ref));

	if (ref == NULL)
		return NULL;
	init_borrowing(&ref->chain, EVI_CHAIN_REFERENCE, (unsigned char *)given + offset, len);
	ref->cleanup = cleanup;
	ref->cleanup_arg = cleanup_arg;
	ref->given = given;
	ref->given_len = offset + len;
	return &ref->chain;
}

struct evi_chain *evi_chain_new_view(struct evi_chain *seen, size_t len)
{
	struct evi_chain_view *view = evi_malloc(sizeof(*view));

	assert(seen->kind <= EVI_CHAIN_VIEW);
	if (view == NULL)
		return NULL;
	init_borrowing(&view->chain, EVI_CHAIN_VIEW, seen->data, len);
	view->chain.flags = seen->flags & EVI_CHAIN_GUEST;
	view->parent =
		seen->kind == EVI_CHAIN_VIEW ? ((struct evi_chain_view *)seen)->parent : seen;
	evi_chain_pin(view->parent);
	return &view->chain;
}

static struct evi_chain *split_file(struct evi_chain *chain, size_t len)
{
	struct evi_chain_file *whole = (struct evi_chain_file *)chain;
	struct evi_chain_file *front = evi_malloc(sizeof(*front));

	if (front == NULL)
		return NULL;
	init_borrowing(&front->chain, (enum evi_chain_kind)chain->kind, chain->data, len);
	front->segment = whole->segment;
	front->end = whole->end - (ev_off_t)(chain->len - len);
	evi_segment_ref(front->segment);
	return &front->chain;
}

struct evi_chain *evi_chain_split(struct evi_chain *chain, size_t len)
{
	assert(len < chain->len);
	if (chain->kind == EVI_CHAIN_SEGMENT || chain->kind == EVI_CHAIN_FILE)
		return split_file(chain, len);
	return evi_chain_new_view(chain, len);
}
