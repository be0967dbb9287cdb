/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Locks that know who holds them: what evthread_enable_lock_debugging() puts around the program's.
 *
 * A checked lock stands on a recursive lock of the program's, whatever type was asked for: a second
 * acquisition of a lock that must not be taken twice is then seen instead of waited for. Owner and
 * depth change only while that lock is held; a thread that does not hold it may read them only to
 * compare the owner with itself.
 */

#include "log.h"
#include "thread.h"

#include <stdatomic.h>

#define MAGIC 0x10c4ed10u

struct checked_lock {
	unsigned magic;
	unsigned locktype;
	_Atomic unsigned long owner; /* thread number; valid while depth > 0 */
	_Atomic int depth;           /* how many times its owner holds it */
	void *lock;                  /* the program's */
};

static struct checked_lock *checked(void *lock)
{
	struct checked_lock *l = lock;

	EVI_ASSERT(l->magic == MAGIC);
	return l;
}

static int is_held(struct checked_lock *l)
{
	return atomic_load_explicit(&l->depth, memory_order_relaxed) > 0 &&
	       atomic_load_explicit(&l->owner, memory_order_relaxed) == evi_thread_id();
}

static void set_holder(struct checked_lock *l, int depth)
{
	atomic_store_explicit(&l->owner, evi_thread_id(), memory_order_relaxed);
	atomic_store_explicit(&l->depth, depth, memory_order_relaxed);
}

static void *debug_alloc(unsigned locktype)
{
	struct checked_lock *l = evi_calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->lock = evi_lock_user.alloc(locktype | EVTHREAD_LOCKTYPE_RECURSIVE);
	if (l->lock == NULL) {
		evi_free(l);
		return NULL;
	}
	l->magic = MAGIC;
	l->locktype = locktype;
	return l;
}

static void debug_free(void *lock, unsigned locktype)
{
	struct checked_lock *l = checked(lock);

	EVI_ASSERT(l->locktype == locktype);
	EVI_ASSERT(l->depth == 0);
	evi_lock_user.free(l->lock, locktype | EVTHREAD_LOCKTYPE_RECURSIVE);
	l->magic = 0;
	evi_free(l);
}

static int debug_lock(unsigned mode, void *lock)
{
	struct checked_lock *l = checked(lock);
	int result = evi_lock_user.lock(mode, l->lock);

	if (result != 0)
		return result;
	if (!(l->locktype & EVTHREAD_LOCKTYPE_RECURSIVE))
		EVI_ASSERT(l->depth == 0);
	if (l->depth > 0)
		EVI_ASSERT(is_held(l));
	set_holder(l, l->depth + 1);
	return 0;
}

static int debug_unlock(unsigned mode, void *lock)
{
	struct checked_lock *l = checked(lock);

	EVI_ASSERT(is_held(l));
	set_holder(l, l->depth - 1);
	return evi_lock_user.unlock(mode, l->lock);
}

static void *debug_alloc_condition(unsigned condtype)
{
	return evi_cond_user.alloc_condition(condtype);
}

static void debug_free_condition(void *cond)
{
	evi_cond_user.free_condition(cond);
}

static int debug_signal_condition(void *cond, int broadcast)
{
	return evi_cond_user.signal_condition(cond, broadcast);
}

/* Waiting gives the lock up once, so a lock held twice would stay locked for the whole wait. */
static int debug_wait_condition(void *cond, void *lock, const struct timeval *timeout)
{
	struct checked_lock *l = checked(lock);
	int result;

	EVI_ASSERT(is_held(l));
	EVI_ASSERT(l->depth == 1);
	set_holder(l, 0);
	result = evi_cond_user.wait_condition(cond, l->lock, timeout);
	set_holder(l, 1);
	return result;
}

int evi_lock_is_held(void *lock)
{
	return lock == NULL || evi_lock_ops.lock != debug_lock || is_held(checked(lock));
}

const struct evthread_lock_callbacks evi_lock_debug_ops = {
	.lock_api_version = EVTHREAD_LOCK_API_VERSION,
	.supported_locktypes = EVTHREAD_LOCKTYPE_RECURSIVE,
	.alloc = debug_alloc,
	.free = debug_free,
	.lock = debug_lock,
	.unlock = debug_unlock,
};

const struct evthread_condition_callbacks evi_cond_debug_ops = {
	.condition_api_version = EVTHREAD_CONDITION_API_VERSION,
	.alloc_condition = debug_alloc_condition,
	.free_condition = debug_free_condition,
	.signal_condition = debug_signal_condition,
	.wait_condition = debug_wait_condition,
};
