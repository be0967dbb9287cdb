/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Locks, conditions and thread numbers: the callbacks that a program sets, and the calls that the
 * library makes through them.
 *
 * Set-up happens once, before other threads use the library; nothing here is locked. While no
 * lock callbacks are set evi_lock_new() gives NULL, and evi_lock(NULL) does nothing: a program
 * without threads pays for no lock.
 */

#include "thread.h"
#include "log.h"

#include <stdatomic.h>
#include <string.h>

struct evthread_lock_callbacks evi_lock_ops;
struct evthread_condition_callbacks evi_cond_ops;
struct evthread_lock_callbacks evi_lock_user;
struct evthread_condition_callbacks evi_cond_user;

static unsigned long (*id_fn)(void);
static int debugging; /* evthread_enable_lock_debugging() was called */
static int strict;    /* a late set-up is fatal */
static _Atomic int has_objects;    /* a base was made, or a lock was asked for */
static _Atomic int has_real_locks; /* a lock was made */

/* Many threads make bases and locks at once: the line is written only by the first. */
static void note(_Atomic int *flag)
{
	if (!atomic_load_explicit(flag, memory_order_relaxed))
		atomic_store_explicit(flag, 1, memory_order_relaxed);
}

void evi_thread_note_base(void)
{
	note(&has_objects);
}

int evi_thread_is_late(void)
{
	return has_objects;
}

void evi_thread_set_strict(void)
{
	strict = 1;
}

/* Locks that exist already would be freed or taken by functions that did not make them. */
static void check_in_time(void)
{
	if (strict && has_objects)
		evi_fatal_misuse("thread callbacks must be set before any event base is made");
}

static void install(void)
{
	evi_lock_ops = evi_lock_user;
	evi_cond_ops = evi_cond_user;
	if (debugging && evi_lock_user.alloc != NULL)
		evi_lock_ops = evi_lock_debug_ops;
	if (debugging && evi_cond_user.alloc_condition != NULL)
		evi_cond_ops = evi_cond_debug_ops;
}

static int lock_callbacks_are_usable(const struct evthread_lock_callbacks *cbs)
{
	return cbs->lock_api_version == EVTHREAD_LOCK_API_VERSION &&
	       (cbs->supported_locktypes & EVTHREAD_LOCKTYPE_RECURSIVE) && cbs->alloc != NULL &&
	       cbs->free != NULL && cbs->lock != NULL && cbs->unlock != NULL;
}

static int lock_callbacks_are_same(const struct evthread_lock_callbacks *cbs)
{
	return evi_lock_user.lock_api_version == cbs->lock_api_version &&
	       evi_lock_user.supported_locktypes == cbs->supported_locktypes &&
	       evi_lock_user.alloc == cbs->alloc && evi_lock_user.free == cbs->free &&
	       evi_lock_user.lock == cbs->lock && evi_lock_user.unlock == cbs->unlock;
}

int evthread_set_lock_callbacks(const struct evthread_lock_callbacks *cbs)
{
	int was_on = evi_lock_user.alloc != NULL;

	if (cbs == NULL) {
		check_in_time();
		if (was_on)
			event_warnx("switching lock callbacks off will probably not work");
		memset(&evi_lock_user, 0, sizeof(evi_lock_user));
		install();
		return 0;
	}
	if (!lock_callbacks_are_usable(cbs))
		return -1;
	if (was_on && lock_callbacks_are_same(cbs))
		return 0;
	check_in_time();
	if (was_on) {
		event_warnx("lock callbacks cannot be changed once they are set");
		return -1;
	}
	evi_lock_user = *cbs;
	install();
	return 0;
}

static int cond_callbacks_are_usable(const struct evthread_condition_callbacks *cbs)
{
	return cbs->condition_api_version == EVTHREAD_CONDITION_API_VERSION &&
	       cbs->alloc_condition != NULL && cbs->free_condition != NULL &&
	       cbs->signal_condition != NULL && cbs->wait_condition != NULL;
}

static int cond_callbacks_are_same(const struct evthread_condition_callbacks *cbs)
{
	return evi_cond_user.condition_api_version == cbs->condition_api_version &&
	       evi_cond_user.alloc_condition == cbs->alloc_condition &&
	       evi_cond_user.free_condition == cbs->free_condition &&
	       evi_cond_user.signal_condition == cbs->signal_condition &&
	       evi_cond_user.wait_condition == cbs->wait_condition;
}

int evthread_set_condition_callbacks(const struct evthread_condition_callbacks *cbs)
{
	int was_on = evi_cond_user.alloc_condition != NULL;

	if (cbs == NULL) {
		check_in_time();
		if (was_on)
			event_warnx("switching condition callbacks off will probably not work");
		memset(&evi_cond_user, 0, sizeof(evi_cond_user));
		install();
		return 0;
	}
	if (!cond_callbacks_are_usable(cbs))
		return -1;
	if (was_on && cond_callbacks_are_same(cbs))
		return 0;
	check_in_time();
	if (was_on) {
		event_warnx("condition callbacks cannot be changed once they are set");
		return -1;
	}
	evi_cond_user = *cbs;
	install();
	return 0;
}

void evthread_set_id_callback(unsigned long (*id)(void))
{
	id_fn = id;
}

void evthread_enable_lock_debugging(void)
{
	if (debugging)
		return;
	if (has_real_locks) {
		if (strict)
			evi_fatal_misuse(
				"lock debugging must be enabled before any event base is made");
		event_warnx("lock debugging stays off: locks exist already");
		return;
	}
	debugging = 1;
	install();
}

/* The name was misspelt once, and programs use it. */
void evthread_enable_lock_debuging(void)
{
	evthread_enable_lock_debugging();
}

int evi_threading_enabled(void)
{
	return evi_lock_ops.lock != NULL;
}

void *evi_lock_new_type(unsigned locktype)
{
	note(&has_objects);
	if (evi_lock_ops.alloc == NULL)
		return NULL;
	note(&has_real_locks);
	return evi_lock_ops.alloc(locktype);
}

void evi_lock_free_type(void *lock, unsigned locktype)
{
	if (lock != NULL && evi_lock_ops.free != NULL)
		evi_lock_ops.free(lock, locktype);
}

void *evi_lock_new(void)
{
	return evi_lock_new_type(EVTHREAD_LOCKTYPE_RECURSIVE);
}

void evi_lock_free(void *lock)
{
	evi_lock_free_type(lock, EVTHREAD_LOCKTYPE_RECURSIVE);
}

void evi_lock_acquire(void *lock)
{
	(void)evi_lock_ops.lock(0, lock); /* without EVTHREAD_TRY it waits until it succeeds */
}

void evi_lock_release(void *lock)
{
	(void)evi_lock_ops.unlock(0, lock); /* fails only for a lock that is not held */
}

int evi_lock_try(void *lock)
{
	return evi_lock_ops.lock(EVTHREAD_TRY, lock) == 0;
}

void *evi_cond_new(void)
{
	return evi_cond_ops.alloc_condition != NULL ? evi_cond_ops.alloc_condition(0) : NULL;
}

void evi_cond_free(void *cond)
{
	if (cond != NULL && evi_cond_ops.free_condition != NULL)
		evi_cond_ops.free_condition(cond);
}

int evi_cond_broadcast(void *cond)
{
	return evi_cond_ops.signal_condition(cond, 1);
}

int evi_cond_wait(void *cond, void *lock, const struct timeval *timeout)
{
	return evi_cond_ops.wait_condition(cond, lock, timeout);
}

unsigned long evi_thread_id(void)
{
	return id_fn != NULL ? id_fn() : 0;
}
