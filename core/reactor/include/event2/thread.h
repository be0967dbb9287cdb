/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_THREAD_H_INCLUDED_
#define EVENT2_THREAD_H_INCLUDED_

/**
 * @file event2/thread.h
 *
 * Locks for programs that use one base from several threads.
 *
 * Without set-up nothing is locked, and each base belongs to one thread. Set up once, before other
 * threads use the library and before the first base is made: a base that exists already stays
 * without a lock. The order that always works: memory functions, log callbacks, debug mode,
 * threads, lock debugging, bases. In debug mode a set-up that comes too late ends the process.
 */

#include <event2/visibility.h>
#include <event2/event-config.h>
#include <sys/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Functions for locks: evthread_set_lock_callbacks(). */
struct evthread_lock_callbacks {
	/** EVTHREAD_LOCK_API_VERSION. */
	int lock_api_version;
	/** EVTHREAD_LOCKTYPE_ bits; RECURSIVE is required. */
	unsigned supported_locktypes;
	/** Make a lock, of type 0 or RECURSIVE; NULL on failure. */
	void *(*alloc)(unsigned locktype);
	/** Free a lock that nobody holds; its type is the one it was made with. */
	void (*free)(void *lock, unsigned locktype);
	/** Acquire, with mode 0 or EVTHREAD_TRY, which does not wait; 0 if acquired. */
	int (*lock)(unsigned mode, void *lock);
	/** Release; 0 on success. */
	int (*unlock)(unsigned mode, void *lock);
};
/** Functions for condition variables: evthread_set_condition_callbacks(). */
struct evthread_condition_callbacks {
	/** EVTHREAD_CONDITION_API_VERSION. */
	int condition_api_version;
	/** Make a condition variable, of type 0; NULL on failure. */
	void *(*alloc_condition)(unsigned condtype);
	/** Free one that nobody waits for. */
	void (*free_condition)(void *cond);
	/** Wake one waiter, or all if `broadcast`; 0 on success. The lock is held. */
	int (*signal_condition)(void *cond, int broadcast);
	/** Release the lock, wait, acquire it again. `timeout` is from now, NULL for ever. 0 when
	 * woken, 1 when the time was up, -1 on failure. */
	int (*wait_condition)(void *cond, void *lock, const struct timeval *timeout);
};

struct event_base;
struct evthread_condition_callbacks;
struct evthread_lock_callbacks;

/* Modes of `lock`; the library uses none but TRY. */
#define EVTHREAD_WRITE 4
#define EVTHREAD_READ 8
#define EVTHREAD_TRY 16
/* Versions of the structs above, and types of locks. */
#define EVTHREAD_LOCK_API_VERSION 1
#define EVTHREAD_LOCKTYPE_RECURSIVE 1
#define EVTHREAD_LOCKTYPE_READWRITE 2
#define EVTHREAD_CONDITION_API_VERSION 1


/**
 * Check the use of locks: taking a lock twice that is not recursive, and releasing, waiting with or
 * freeing one wrongly, abort the process with a message.
 *
 * Before the first base or lock is made, before or after the callbacks are set; calling it again
 * does nothing.
 */
/* condition: threads */
EVENT2_EXPORT_SYMBOL
void evthread_enable_lock_debugging(void);

/** The same, as its name was once written. */
/* condition: threads */
EVENT2_EXPORT_SYMBOL
void evthread_enable_lock_debuging(void);

/**
 * Make a base able to be woken by other threads.
 *
 * Bases made after threads were set up are.
 *
 * @param base  the base
 * @return 0, also if it was already; -1 for NULL, or without descriptors or memory
 */
EVENT2_EXPORT_SYMBOL
int evthread_make_base_notifiable(struct event_base *base);

/**
 * Set the functions for condition variables, which event_del() needs to wait for a callback.
 *
 * @param cbs  the functions, all of them, copied; NULL: none, which is logged if there were any
 * @return 0, also for those that are set already; -1 for an unknown version, a missing function, or
 *         (which is logged) others than those that are set
 */
/* condition: threads */
EVENT2_EXPORT_SYMBOL
int evthread_set_condition_callbacks(const struct evthread_condition_callbacks *);

/**
 * Set the function that tells threads apart: equal numbers for equal threads, and only for them.
 *
 * Without it every thread is taken for the loop's own: nobody is woken, and nobody waits.
 *
 * @param id_fn  the function
 */
/* condition: threads */
EVENT2_EXPORT_SYMBOL
void evthread_set_id_callback(unsigned long (*id_fn)(void));

/**
 * Set the functions for locks; bases made from now on use them.
 *
 * @param cbs  the functions, all of them, copied; locks must be recursive if asked to be; NULL:
 *             none, which is logged if there were any
 * @return 0, also for those that are set already; -1 for an unknown version, a missing function,
 *         locks that cannot be recursive, or (which is logged) others than those that are set
 */
/* condition: threads */
EVENT2_EXPORT_SYMBOL
int evthread_set_lock_callbacks(const struct evthread_lock_callbacks *);


#if defined(_WIN32)

#define EVTHREAD_USE_WINDOWS_THREADS_IMPLEMENTED 1

/** Use the system's locks, conditions and thread numbers. 0, or -1 if others are set. Since 2.0. */
EVENT2_EXPORT_SYMBOL
int evthread_use_windows_threads(void);

#endif

#if defined(EVENT__HAVE_PTHREADS)

/* libevent_pthreads is installed, so these are to be had. */
#define EVTHREAD_USE_PTHREADS_IMPLEMENTED 1
#define EVTHREAD_PTHREAD_PRIO_INHERIT 1

/**
 * Set all callbacks to those of POSIX threads, as most programs want; in libevent_pthreads.
 *
 * May be called again, and by several threads at once.
 *
 * @return 0; -1 if other callbacks are set
 */
EVENT2_EXPORT_SYMBOL
int evthread_use_pthreads(void);

/**
 * As evthread_use_pthreads(), with a choice of locks; the first call decides.
 *
 * @param flags  EVTHREAD_PTHREAD_PRIO_INHERIT: locks that pass on the priority of those who wait
 * @return 0; -1 if the system has no such locks, for other flags, or if other callbacks are set
 *
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
int evthread_use_pthreads_with_flags(int flags);

#endif

#ifdef __cplusplus
}
#endif

#endif
