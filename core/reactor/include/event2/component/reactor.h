/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_COMPONENT_REACTOR_H_INCLUDED_
#define EVENT2_COMPONENT_REACTOR_H_INCLUDED_

/**
 * @file event2/component/reactor.h
 *
 * What the sibling components (buffer, extra, TLS, locks) use of the reactor beyond its public API.
 *
 * This is for components of the same release only: every symbol here lives in a version node that
 * carries the release, so a component of another release refuses to load. Programs use the
 * headers in event2/ instead.
 *
 * Unless a comment says otherwise a function may be called from any thread, and NULL arguments are
 * the caller's bug.
 */

#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <event2/visibility.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define EVI_NORETURN            __attribute__((__noreturn__))
#define EVI_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#else
#define EVI_NORETURN
#define EVI_UNLIKELY(condition) (condition)
#endif

/* --- Memory: goes through event_set_mem_functions() --------------------------------------- */

/** Allocate `size` bytes; NULL for 0 bytes (errno untouched) or when out of memory (ENOMEM). */
EVENT2_EXPORT_SYMBOL
void *evi_malloc(size_t size);

/** Allocate `count * size` zeroed bytes; NULL with ENOMEM on overflow or when out of memory. */
EVENT2_EXPORT_SYMBOL
void *evi_calloc(size_t count, size_t size);

/** Resize; NULL on failure, with the old block still valid. */
EVENT2_EXPORT_SYMBOL
void *evi_realloc(void *block, size_t size);

/** Release; NULL does nothing. */
EVENT2_EXPORT_SYMBOL
void evi_free(void *block);

/** Duplicate a string; NULL when out of memory. The caller owns it (evi_free). */
EVENT2_EXPORT_SYMBOL
char *evi_strdup(const char *text);

/* --- Log ---------------------------------------------------------------------------------- */

/** Nonzero if debug messages are wanted: test it before formatting anything costly. */
EVENT2_EXPORT_SYMBOL
int evi_log_debug_enabled(void);

/** Log at EVENT_LOG_DEBUG; does nothing unless event_enable_debug_logging() asked for it. */
EVENT2_EXPORT_SYMBOL
void evi_log_debug(const char *format, ...) EVI_PRINTF(1, 2);

/** Log at EVENT_LOG_MSG. */
EVENT2_EXPORT_SYMBOL
void evi_log_msg(const char *format, ...) EVI_PRINTF(1, 2);

/** Log at EVENT_LOG_WARN with ": " and the text of errno appended. */
EVENT2_EXPORT_SYMBOL
void event_warn(const char *format, ...) EVI_PRINTF(1, 2);

/** Log at EVENT_LOG_WARN. */
EVENT2_EXPORT_SYMBOL
void event_warnx(const char *format, ...) EVI_PRINTF(1, 2);

/** Log at EVENT_LOG_WARN with the text of the socket error `err` appended. */
EVENT2_EXPORT_SYMBOL
void evi_log_socket_error(int err, const char *format, ...) EVI_PRINTF(2, 3);

/** Log at EVENT_LOG_ERR, then end the process with exit code 1, by way of the fatal callback. */
EVENT2_EXPORT_SYMBOL
void evi_fatal_misuse(const char *format, ...) EVI_PRINTF(1, 2) EVI_NORETURN;

/** Log at EVENT_LOG_ERR, tell the fatal callback (0xdeaddead), abort: see EVI_ASSERT(). */
EVENT2_EXPORT_SYMBOL
void evi_assert_failed(const char *condition, const char *function, const char *file, int line)
	EVI_NORETURN;

/**
 * Check what internal callers promised; also in release builds.
 *
 * Use it where going on would do damage and the check costs nothing that matters; elsewhere
 * assert() of <assert.h> will do. Nothing a peer sends may reach either.
 */
#define EVI_ASSERT(condition)                                                                     \
	do {                                                                                       \
		if (EVI_UNLIKELY(!(condition)))                                                    \
			evi_assert_failed(#condition, __func__, __FILE__, __LINE__);               \
	} while (0)

/* --- Locks: those of evthread_set_lock_callbacks() ----------------------------------------- */

/** Nonzero once lock callbacks are set. */
EVENT2_EXPORT_SYMBOL
int evi_threading_enabled(void);

/** Make a recursive lock. NULL if threading is off (then no lock is needed) or out of memory. */
EVENT2_EXPORT_SYMBOL
void *evi_lock_new(void);

/** Free a lock made by evi_lock_new(); NULL does nothing. */
EVENT2_EXPORT_SYMBOL
void evi_lock_free(void *lock);

EVENT2_EXPORT_SYMBOL
void evi_lock_acquire(void *lock);

EVENT2_EXPORT_SYMBOL
void evi_lock_release(void *lock);

/** Nonzero if acquired without waiting. */
EVENT2_EXPORT_SYMBOL
int evi_lock_try(void *lock);

/** Take a lock that may be NULL, which means "no locking". */
static inline void evi_lock(void *lock)
{
	if (lock != NULL)
		evi_lock_acquire(lock);
}

static inline void evi_unlock(void *lock)
{
	if (lock != NULL)
		evi_lock_release(lock);
}

/** Make a condition variable; NULL if there are no condition callbacks or out of memory. */
EVENT2_EXPORT_SYMBOL
void *evi_cond_new(void);

EVENT2_EXPORT_SYMBOL
void evi_cond_free(void *cond);

EVENT2_EXPORT_SYMBOL
int evi_cond_broadcast(void *cond);

/** Wait with `lock` held exactly once; 0 when woken, 1 when `timeout` (may be NULL) passed. */
EVENT2_EXPORT_SYMBOL
int evi_cond_wait(void *cond, void *lock, const struct timeval *timeout);

/** The calling thread's number; 0 if there is no id callback. */
EVENT2_EXPORT_SYMBOL
unsigned long evi_thread_id(void);

/* --- Work for the loop ---------------------------------------------------------------------- */

struct evi_deferred;
typedef void (*evi_deferred_fn)(struct evi_deferred *deferred, void *arg);

/**
 * A callback that runs from the loop, at a priority, once per evi_deferred_schedule().
 *
 * Lives inside its owner's struct; no allocation takes place. Its fields belong to the reactor.
 */
struct evi_deferred {
	struct event_callback callback;
};

/** Prepare; `priority` is clamped to the base's range when it runs. */
EVENT2_EXPORT_SYMBOL
void evi_deferred_init(struct evi_deferred *deferred, int priority, evi_deferred_fn fn, void *arg);

/** Change the priority of one that is not scheduled. */
EVENT2_EXPORT_SYMBOL
void evi_deferred_set_priority(struct evi_deferred *deferred, int priority);

/**
 * Run it once from the loop; wakes a loop that sleeps in another thread.
 *
 * About 32 deferred callbacks are taken per iteration (CORE-203).
 *
 * @return 1 if newly queued, 0 if it was queued already
 */
EVENT2_EXPORT_SYMBOL
int evi_deferred_schedule(struct event_base *base, struct evi_deferred *deferred);

/** Take it back; if another thread runs it right now, it is not waited for. */
EVENT2_EXPORT_SYMBOL
void evi_deferred_cancel(struct event_base *base, struct evi_deferred *deferred);

struct evi_round_end;
typedef void (*evi_round_end_fn)(struct evi_round_end *task, void *arg);

/**
 * A task that runs once, at the end of the round: after that round's callbacks and before the next
 * wait, without the base lock. This is how output that many callbacks produced is written once.
 * When 64 have been scheduled they run sooner, after the present callback.
 *
 * Scheduled while no loop runs, it runs before the first wait of the next loop. It keeps the loop
 * alive like an active event, also when the loop was asked to exit after this round. A task may
 * schedule itself or others: they run before the same wait, in FIFO order, bounded to one more
 * pass per round so that the loop still polls.
 */
struct evi_round_end {
	struct evi_round_end *next;
	struct evi_round_end **prev; /* NULL while not scheduled */
	evi_round_end_fn fn;
	void *arg;
};

static inline void evi_round_end_init(struct evi_round_end *task, evi_round_end_fn fn, void *arg)
{
	task->next = NULL;
	task->prev = NULL;
	task->fn = fn;
	task->arg = arg;
}

/** @return 1 if newly queued, 0 if it was queued already */
EVENT2_EXPORT_SYMBOL
int evi_round_end_schedule(struct event_base *base, struct evi_round_end *task);

/**
 * Take it back.
 *
 * @return 1 if it will not run, 0 if it was not scheduled, or its turn has come
 */
EVENT2_EXPORT_SYMBOL
int evi_round_end_cancel(struct event_base *base, struct evi_round_end *task);

/** Keep the loop alive without an event (`event_base_get_num_events` counts it as virtual). */
EVENT2_EXPORT_SYMBOL
void evi_base_hold(struct event_base *base);

EVENT2_EXPORT_SYMBOL
void evi_base_release(struct event_base *base);

/**
 * Of the registrations of pending events, `change` more (or fewer) are no reason for the loop to go
 * on: background work that proceeds only while something else does. One for a descriptor or signal,
 * one for a timeout; take it back when the event is deleted or its timeout has fired.
 */
EVENT2_EXPORT_SYMBOL
void evi_base_passive(struct event_base *base, int change);

/**
 * Close a socket on which the caller has deleted its events: spares the kernel the order to stop
 * watching what it stops watching by itself. As evutil_closesocket().
 */
EVENT2_EXPORT_SYMBOL
int evi_base_close_socket(struct event_base *base, evutil_socket_t fd);

/** The loop's clock: the time of this round inside callbacks, fresh otherwise. Nanoseconds. */
EVENT2_EXPORT_SYMBOL
uint64_t evi_base_now_ns(struct event_base *base);

/** Nonzero if the calling thread runs the loop of `base`, or if threads cannot be told apart. */
EVENT2_EXPORT_SYMBOL
int evi_base_in_loop_thread(struct event_base *base);

/**
 * Nonzero if this is part of a round of the loop of `base`, whose end is thus near: a callback that
 * the loop runs, in its thread.
 */
EVENT2_EXPORT_SYMBOL
int evi_base_in_round(struct event_base *base);

/** The base that event_init() made last, or NULL. */
EVENT2_EXPORT_SYMBOL
struct event_base *evi_current_base(void);

/** How often this process image has been forked; what was made under an older number is a copy. */
EVENT2_EXPORT_SYMBOL
unsigned evi_fork_count(void);

/* --- Sockets -------------------------------------------------------------------------------- */

/** socket(2), nonblocking and close-on-exec; EVUTIL_INVALID_SOCKET with the socket error set. */
EVENT2_EXPORT_SYMBOL
evutil_socket_t evi_socket_open(int domain, int type, int protocol);

/** accept(2), nonblocking and close-on-exec. */
EVENT2_EXPORT_SYMBOL
evutil_socket_t evi_socket_accept(evutil_socket_t listener, struct sockaddr *addr,
				  ev_socklen_t *addrlen);

/**
 * As evconnlistener_new_bind(), but LEV_OPT_REUSEABLE is taken for a Unix-domain socket as well,
 * where it does nothing: libevent 2.1 does so, and programs built against it rely on it.
 */
EVENT2_EXPORT_SYMBOL
struct evconnlistener *evi_listener_new_bind(struct event_base *base, evconnlistener_cb cb,
					     void *ptr, unsigned flags, int backlog,
					     const struct sockaddr *sa, int socklen);

/**
 * One entry of a list that evutil_freeaddrinfo() frees, with a copy of the address and its family;
 * everything else is 0. `ai_canonname`, if set, must come from evi_strdup(). NULL if out of memory.
 */
EVENT2_EXPORT_SYMBOL
struct evutil_addrinfo *evi_addrinfo_new(const struct sockaddr *sa, ev_socklen_t len);

/** Which families have an address on this host that is not local: what AI_ADDRCONFIG means. */
EVENT2_EXPORT_SYMBOL
void evi_addrinfo_usable_families(int *ret_v4, int *ret_v6);

/** Nonzero if `text` is an IPv4 address, or an IPv6 address with or without a zone. */
EVENT2_EXPORT_SYMBOL
int evi_is_address_literal(const char *text);

/* How a socket error is to be taken. */
EVENT2_EXPORT_SYMBOL
int evi_error_is_retriable_rw(int err);      /* EINTR, EAGAIN and their like */
EVENT2_EXPORT_SYMBOL
int evi_error_is_retriable_connect(int err); /* EINTR, EINPROGRESS */
EVENT2_EXPORT_SYMBOL
int evi_error_is_refused(int err);           /* ECONNREFUSED */
EVENT2_EXPORT_SYMBOL
int evi_error_is_reset(int err);             /* ECONNRESET: the peer has gone without a word */

#ifdef __cplusplus
}
#endif

#endif
