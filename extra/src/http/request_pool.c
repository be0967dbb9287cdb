/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pool of clients' requests; see request_pool.h.
 *
 * Last in, first out, so that warm memory is used again. It is guarded by a flag that is only ever
 * tried: who finds it taken goes to the allocator instead, so nobody waits.
 */

#include "http/request_pool.h"

#include <stdatomic.h>

#define KEPT_MAX 64 /* more is only of use where as many run at once */

static atomic_flag busy = ATOMIC_FLAG_INIT; /* guards `first` */
static struct evi_request *first;
static atomic_uint kept; /* how many there are; changes with the guard */
static atomic_uint connections; /* of clients */

static int try_guard(void)
{
	return !atomic_flag_test_and_set_explicit(&busy, memory_order_acquire);
}

static void release_guard(void)
{
	atomic_flag_clear_explicit(&busy, memory_order_release);
}

static unsigned count_kept(void)
{
	return atomic_load_explicit(&kept, memory_order_relaxed);
}

static void set_kept(unsigned n)
{
	atomic_store_explicit(&kept, n, memory_order_relaxed);
}

struct evi_request *evi_request_pool_take(void)
{
	struct evi_request *r;

	if (count_kept() == 0 || !try_guard())
		return NULL;
	r = first;
	if (r != NULL) {
		first = r->cached;
		r->cached = NULL;
		set_kept(count_kept() - 1);
	}
	release_guard();
	return r;
}

int evi_request_pool_has_room(void)
{
	return count_kept() < KEPT_MAX &&
	       atomic_load_explicit(&connections, memory_order_relaxed) > 0;
}

/* With the guard it is certain: the last connection takes it after it has ceased to count. */
int evi_request_pool_give(struct evi_request *r)
{
	int has_room;

	if (!try_guard())
		return 0;
	has_room = evi_request_pool_has_room();
	if (has_room) {
		r->cached = first;
		first = r;
		set_kept(count_kept() + 1);
	}
	release_guard();
	return has_room;
}

static void empty(void)
{
	struct evi_request *r;

	while (!try_guard())
		; /* held for a few instructions only */
	r = first;
	first = NULL;
	set_kept(0);
	release_guard();

	while (r != NULL) {
		struct evi_request *next = r->cached;

		evi_request_free(r);
		r = next;
	}
}

void evi_request_pool_enter(void)
{
	atomic_fetch_add_explicit(&connections, 1, memory_order_relaxed);
}

void evi_request_pool_leave(void)
{
	if (atomic_fetch_sub_explicit(&connections, 1, memory_order_acq_rel) == 1)
		empty();
}
