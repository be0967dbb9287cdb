/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_THREAD_H_INCLUDED
#define EVI_THREAD_H_INCLUDED

/*
 * The reactor's own view of the lock callbacks: which functions are in force, and what the rest of
 * the library tells thread.c so that it can judge a late set-up.
 *
 * All of it is set before threads use the library, and read without a lock.
 */

#include <event2/component/reactor.h>
#include <event2/thread.h>

/* What evi_lock_*() and evi_cond_*() call: the program's functions, or the checking ones. */
extern struct evthread_lock_callbacks evi_lock_ops;
extern struct evthread_condition_callbacks evi_cond_ops;

/* Checking functions, which call the program's (`*_user`) and abort on misuse: thread_debug.c. */
extern const struct evthread_lock_callbacks evi_lock_debug_ops;
extern const struct evthread_condition_callbacks evi_cond_debug_ops;
extern struct evthread_lock_callbacks evi_lock_user;
extern struct evthread_condition_callbacks evi_cond_user;

/* As evi_lock_new(), with EVTHREAD_LOCKTYPE_ bits: 0 makes a lock that must not be taken twice. */
void *evi_lock_new_type(unsigned locktype);
void evi_lock_free_type(void *lock, unsigned locktype);

/* Nonzero if the caller holds `lock`, or if that cannot be known; for assertions. */
int evi_lock_is_held(void *lock);

/* A base was made: from now on setting thread callbacks comes too late for it. */
void evi_thread_note_base(void);

/* Nonzero if a base or a lock was ever made. */
int evi_thread_is_late(void);

/* From now on a set-up that comes too late is fatal; called by event_enable_debug_mode(). */
void evi_thread_set_strict(void);

#endif
