/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pool of chain blocks; see chain_pool.h.
 *
 * Lists by size class, last in first out so that warm memory is used again, in shards that threads
 * are spread over. A shard is guarded by a flag that is only ever tried: who finds it taken goes to
 * the allocator instead, so nobody waits. A thread that is alone needs neither flag nor atomics.
 */

#include "chain/chain_pool.h"

#include "os/os_single_thread.h"

#include <event2/component/reactor.h>

#include <stdatomic.h>

/* A line of its own for each, so that threads do not share one. */
struct shard {
	_Alignas(64) atomic_flag busy; /* guards the rest */
	/* in all lists; read without the guard to see if there are any */
	atomic_size_t bytes;
	struct evi_chain *lists[EVI_CHAIN_CLASSES];
};

static struct shard shards[EVI_POOL_SHARDS];

static atomic_uint buffers; /* that exist */

/* The calling thread's shard. Without threads there is one thread, or nobody told us: one shard. */
static struct shard *shard_of_thread(void)
{
	uint64_t id;

	if (evi_is_single_thread() || !evi_threading_enabled())
		return &shards[0];
	/* Identities are addresses a multiple of a stack apart: mix the upper bits in. */
	id = (uint64_t)evi_thread_id() * UINT64_C(0x9e3779b97f4a7c15);
	return &shards[(id >> 48) % EVI_POOL_SHARDS];
}

/* One thread alone never finds it taken: it lets go before it does anything else. */
static int shard_try(struct shard *s)
{
	return evi_is_single_thread() ||
	       !atomic_flag_test_and_set_explicit(&s->busy, memory_order_acquire);
}

static void shard_release(struct shard *s)
{
	atomic_flag_clear_explicit(&s->busy, memory_order_release);
}

static size_t bytes_in(struct shard *s)
{
	return atomic_load_explicit(&s->bytes, memory_order_relaxed);
}

static void set_bytes(struct shard *s, size_t bytes)
{
	atomic_store_explicit(&s->bytes, bytes, memory_order_relaxed);
}

struct evi_chain *evi_pool_take(unsigned size_class)
{
	struct shard *s = shard_of_thread();
	struct evi_chain *chain;

	if (bytes_in(s) == 0 || !shard_try(s))
		return NULL;
	chain = s->lists[size_class];
	if (chain != NULL) {
		s->lists[size_class] = chain->next;
		set_bytes(s, bytes_in(s) - evi_chain_class_size(size_class));
	}
	shard_release(s);
	return chain;
}

int evi_pool_give(struct evi_chain *chain)
{
	struct shard *s = shard_of_thread();
	size_t size = evi_chain_class_size(chain->size_class);
	int kept;

	if (!shard_try(s))
		return 0;
	kept = bytes_in(s) + size <= EVI_POOL_BYTES;
	if (kept) {
		chain->next = s->lists[chain->size_class];
		s->lists[chain->size_class] = chain;
		set_bytes(s, bytes_in(s) + size);
	}
	shard_release(s);
	return kept;
}

static void shard_empty(struct shard *s)
{
	struct evi_chain *lists[EVI_CHAIN_CLASSES];

	while (!shard_try(s))
		; /* held for a few instructions only */
	for (unsigned i = 0; i < EVI_CHAIN_CLASSES; i++) {
		lists[i] = s->lists[i];
		s->lists[i] = NULL;
	}
	set_bytes(s, 0);
	shard_release(s);

	for (unsigned i = 0; i < EVI_CHAIN_CLASSES; i++) {
		while (lists[i] != NULL) {
			struct evi_chain *next = lists[i]->next;

			evi_free(lists[i]);
			lists[i] = next;
		}
	}
}

/* Returns how many buffers there were before. */
static unsigned count_buffers(unsigned change)
{
	unsigned before;

	if (!evi_is_single_thread())
		return atomic_fetch_add_explicit(&buffers, change, memory_order_acq_rel);
	before = atomic_load_explicit(&buffers, memory_order_relaxed);
	atomic_store_explicit(&buffers, before + change, memory_order_relaxed);
	return before;
}

void evi_pool_enter(void)
{
	(void)count_buffers(1);
}

int evi_pool_is_last(void)
{
	return atomic_load_explicit(&buffers, memory_order_relaxed) == 1;
}

static evi_noinline void empty_all(void)
{
	for (unsigned i = 0; i < EVI_POOL_SHARDS; i++)
		if (bytes_in(&shards[i]) > 0)
			shard_empty(&shards[i]);
}

void evi_pool_leave(void)
{
	if (count_buffers(-1U) == 1)
		empty_all();
}
