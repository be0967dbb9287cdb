/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evbuffer: life, locking, flags, freezing, length.
 *
 * A public call locks, works, and ends with evi_evbuffer_finish() or _unlock(), which also carries
 * out a destruction that happened meanwhile (a callback may free its buffer). Only the mask of
 * flags that concern a call decides between its fast and its general path.
 */

#include "evbuffer.h"

#include "chain/chain.h"
#include "chain/chain_pool.h"
#include "evbuffer/marks.h"

#include <event2/component/buffer.h>

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#define DEFAULT_MAX_READ 4096

static void set_empty(struct evbuffer *buf)
{
	memset(buf, 0, sizeof(*buf));
	buf->refs = 1;
	buf->max_read = DEFAULT_MAX_READ;
	buf->plain_fd = -1;
}

void evi_evbuffer_init(struct evbuffer *buf)
{
	set_empty(buf);
	buf->flags = EVI_BUF_EMBEDDED;
	evi_pool_enter();
}

/* As evi_chain_unref_list(), past the pool. */
static void free_list(struct evi_chain *list)
{
	while (list != NULL) {
		struct evi_chain *next = list->next;

		if (evi_chain_is_exclusive(list))
			evi_free(list);
		else
			evi_chain_unref(list);
		list = next;
	}
}

static void release_memory(struct evi_chain *chains, struct evi_chain *spare)
{
	void (*release)(struct evi_chain *list) =
		evi_pool_is_last() ? free_list : evi_chain_unref_list;

	if (chains != NULL)
		release(chains);
	if (spare != NULL) {
		spare->next = NULL;
		release(spare);
	}
}

/* Forgets the callbacks first: cleanup functions may run, and must not find them. */
void evi_evbuffer_done(struct evbuffer *buf)
{
	struct evi_chain *chains = buf->first, *spare = buf->spare;

	buf->flags &= (uint16_t) ~(EVI_BUF_TELLS_GROWTH | EVI_BUF_TELLS_LOSS);
	if (buf->callbacks != NULL || buf->deferral != NULL)
		evi_evbuffer_callbacks_done(buf);
	buf->first = buf->last = buf->spare = NULL;
	buf->len = 0;
	release_memory(chains, spare);
	if (buf->marks != NULL) {
		evi_free(buf->marks);
		buf->marks = NULL;
	}
	if (buf->flags & EVI_BUF_OWN_LOCK)
		evi_lock_free(buf->lock);
	buf->lock = NULL;
	evi_pool_leave();
}

/* Like new before anything is released, for the same reason. */
int evi_evbuffer_renew(struct evbuffer *buf)
{
	struct evi_chain *chains = buf->first, *spare = buf->spare;
	uint32_t epoch = buf->epoch;

	assert(!(buf->flags & (EVI_BUF_EMBEDDED | EVI_BUF_FREED)));
	if (buf->lock != NULL || buf->refs != 1)
		return -EBUSY;
	if (buf->callbacks != NULL || buf->deferral != NULL)
		evi_evbuffer_callbacks_done(buf);
	if (buf->marks != NULL)
		evi_free(buf->marks);
	set_empty(buf);
	buf->epoch = epoch + 1; /* positions that somebody has kept stay void */
	if (chains != NULL)
		evi_chain_unref_list(chains);
	if (spare != NULL)
		evi_chain_unref(spare);
	return 0;
}

void evi_evbuffer_set_owner(struct evbuffer *buf, const struct evi_evbuffer_owner_ops *ops,
			    void *owner)
{
	buf->owner_ops = ops;
	buf->owner = owner;
}

void evi_evbuffer_share_lock(struct evbuffer *buf, void *lock)
{
	assert(buf->lock == NULL);
	if (lock == NULL)
		return;
	buf->lock = lock;
}

/*
 * An owner counts the references to what it embeds, so those of an embedded buffer never run out.
 */
void evi_evbuffer_unref_unlock(struct evbuffer *buf)
{
	assert(buf->refs > 0);
	buf->refs--;
	evi_evbuffer_unlock(buf);
}

void evi_evbuffer_unlock_last(struct evbuffer *buf)
{
	evi_unlock(buf->lock);
	evi_evbuffer_done(buf);
	evi_free(buf);
}

/* Locks are taken by ascending address, so that no two threads wait for each other. */
void evi_evbuffer_lock_pair(struct evbuffer *a, struct evbuffer *b)
{
	if ((uintptr_t)a->lock <= (uintptr_t)b->lock) {
		evi_lock(a->lock);
		evi_lock(b->lock);
	} else {
		evi_lock(b->lock);
		evi_lock(a->lock);
	}
}

void evi_evbuffer_trim(struct evbuffer *buf)
{
	struct evi_chain *spare = buf->spare;

	if (spare == NULL)
		return;
	buf->spare = NULL;
	evi_chain_unref(spare);
}

/* --- The API ---------------------------------------------------------------------------------- */

struct evbuffer *evbuffer_new(void)
{
	struct evbuffer *buf = evi_malloc(sizeof(*buf));

	if (buf == NULL)
		return NULL;
	evi_evbuffer_init(buf);
	buf->flags = 0;
	return buf;
}

void evbuffer_free(struct evbuffer *buf)
{
	if (buf == NULL)
		return;
	evi_evbuffer_lock(buf);
	if (buf->flags & (EVI_BUF_EMBEDDED | EVI_BUF_FREED)) {
		event_warnx("evbuffer_free: the buffer is %s",
			    buf->flags & EVI_BUF_EMBEDDED ? "a bufferevent's" : "freed already");
		evi_evbuffer_unlock(buf);
		return;
	}
	buf->flags |= EVI_BUF_FREED;
	evi_evbuffer_unref_unlock(buf);
}

int evbuffer_set_flags(struct evbuffer *buf, ev_uint64_t flags)
{
	evi_evbuffer_lock(buf);
	if (flags & EVBUFFER_FLAG_DRAINS_TO_FD)
		buf->flags |= EVI_BUF_DRAINS_TO_FD;
	evi_evbuffer_unlock(buf);
	return 0;
}

int evbuffer_clear_flags(struct evbuffer *buf, ev_uint64_t flags)
{
	evi_evbuffer_lock(buf);
	if (flags & EVBUFFER_FLAG_DRAINS_TO_FD)
		buf->flags &= (uint16_t)~EVI_BUF_DRAINS_TO_FD;
	evi_evbuffer_unlock(buf);
	return 0;
}

int evbuffer_enable_locking(struct evbuffer *buf, void *lock)
{
	if (buf->lock != NULL)
		return -1;
	if (lock == NULL) {
		lock = evi_lock_new();
		if (lock == NULL)
			return -1;
		buf->flags |= EVI_BUF_OWN_LOCK;
	}
	evi_evbuffer_share_lock(buf, lock);
	return 0;
}

void evbuffer_lock(struct evbuffer *buf)
{
	evi_evbuffer_lock(buf);
}

void evbuffer_unlock(struct evbuffer *buf)
{
	evi_unlock(buf->lock);
}

static uint16_t frozen_flag(int at_front)
{
	return at_front ? EVI_BUF_FROZEN_FRONT : EVI_BUF_FROZEN_END;
}

int evbuffer_freeze(struct evbuffer *buf, int at_front)
{
	evi_evbuffer_lock(buf);
	buf->flags |= frozen_flag(at_front);
	evi_evbuffer_unlock(buf);
	return 0;
}

int evbuffer_unfreeze(struct evbuffer *buf, int at_front)
{
	evi_evbuffer_lock(buf);
	buf->flags &= (uint16_t)~frozen_flag(at_front);
	evi_evbuffer_unlock(buf);
	return 0;
}

size_t evbuffer_get_length(const struct evbuffer *buf)
{
	size_t len;

	if (evi_likely(buf->lock == NULL))
		return buf->len;
	evi_lock_acquire(buf->lock);
	len = buf->len;
	evi_lock_release(buf->lock);
	return len;
}

size_t evbuffer_get_contiguous_space(const struct evbuffer *buf)
{
	size_t len;

	evi_lock(buf->lock);
	len = buf->first != NULL ? buf->first->len : 0;
	evi_unlock(buf->lock);
	return len;
}

int evbuffer_set_max_read(struct evbuffer *buf, size_t max)
{
	if (max > INT_MAX)
		return -1;
	evi_evbuffer_lock(buf);
	buf->max_read = max > 0 ? (uint32_t)max : DEFAULT_MAX_READ; /* 0 would look like EOF */
	evi_evbuffer_unlock(buf);
	return 0;
}

size_t evbuffer_get_max_read(struct evbuffer *buf)
{
	size_t max;

	evi_evbuffer_lock(buf);
	max = buf->max_read;
	evi_evbuffer_unlock(buf);
	return max;
}
