/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_THREAD_H_INCLUDED_
#define EVENT2_THREAD_H_INCLUDED_

#include <event2/visibility.h>
#include <event2/event-config.h>
#include <sys/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct evthread_lock_callbacks {
	int lock_api_version;
	unsigned supported_locktypes;
	void *(*alloc)(unsigned locktype);
	void (*free)(void *lock, unsigned locktype);
	int (*lock)(unsigned mode, void *lock);
	int (*unlock)(unsigned mode, void *lock);
};
struct evthread_condition_callbacks {
	int condition_api_version;
	void *(*alloc_condition)(unsigned condtype);
	void (*free_condition)(void *cond);
	int (*signal_condition)(void *cond, int broadcast);
	int (*wait_condition)(void *cond, void *lock, const struct timeval *timeout);
};

struct event_base;
struct evthread_condition_callbacks;
struct evthread_lock_callbacks;

#define EVTHREAD_WRITE 4
#define EVTHREAD_READ 8
#define EVTHREAD_TRY 16
#define EVTHREAD_LOCK_API_VERSION 1
#define EVTHREAD_LOCKTYPE_RECURSIVE 1
#define EVTHREAD_LOCKTYPE_READWRITE 2
#define EVTHREAD_CONDITION_API_VERSION 1


/* condition: threads */
EVENT2_EXPORT_SYMBOL
void evthread_enable_lock_debugging(void);

/* condition: threads */
EVENT2_EXPORT_SYMBOL
void evthread_enable_lock_debuging(void);

EVENT2_EXPORT_SYMBOL
int evthread_make_base_notifiable(struct event_base *base);

/* condition: threads */
EVENT2_EXPORT_SYMBOL
int evthread_set_condition_callbacks(const struct evthread_condition_callbacks *);

/* condition: threads */
EVENT2_EXPORT_SYMBOL
void evthread_set_id_callback(unsigned long (*id_fn)(void));

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

#define EVTHREAD_USE_PTHREADS_IMPLEMENTED 1
#define EVTHREAD_PTHREAD_PRIO_INHERIT 1

EVENT2_EXPORT_SYMBOL
int evthread_use_pthreads(void);

EVENT2_EXPORT_SYMBOL
int evthread_use_pthreads_with_flags(int flags);

#endif

#ifdef __cplusplus
}
#endif

#endif
