/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_BASE_H_INCLUDED
#define EVI_BASE_H_INCLUDED

/*
 * The base: what all parts of the loop share. One part, one file; each file says what it owns.
 *
 * Unless a comment says otherwise every function here is called with the base lock held, and never
 * with a lock that a callback could need.
 */

#include "backend.h"
#include "clock.h"
#include "event_private.h"
#include "interest.h"
#include "log.h"
#include "thread.h"
#include "timer.h"

#include <event2/watch.h>
#include <stdatomic.h>

#define EVI_MAX_COMMON 256

/* As event_callback lists in event2/event_struct.h: the head of a queue of callbacks. */
struct evi_queue {
	struct event_callback *first;
	struct event_callback **last;
};

struct event_config {
	char **avoided; /* names, owned */
	size_t avoided_count;
	int features;
	int flags;
	int64_t max_interval_ns; /* < 0: no limit */
	int max_callbacks;       /* INT_MAX: no limit */
	int min_priority;        /* limits hold from here on */
	int cpus;                /* for the completion port; 0: nothing was said */
};

/* A number and the largest it has been: event_base_get_max_events(). */
struct evi_counter {
	int now;
	int max;
};

struct evi_common {
	struct event timer; /* internal: stands for the whole queue */
	struct event ends;  /* its neighbours are the first and the last event */
	uint64_t interval;
	struct timeval key; /* what the program passes to event_add() */
};

struct evi_port;
struct evi_posts;
struct evi_signals;

struct event_base {
	/* config: set when made */
	const struct evi_backend *backend;
	void *backend_state;
	int flags;
	int64_t max_interval_ns;
	int max_callbacks;
	int min_priority;
	unsigned fork_count; /* evi_fork_count when the kernel objects were made */

	/* threads */
	void *lock;
	void *callback_done; /* condition: a callback that somebody waits for has returned */
	int waiters;         /* threads that wait for it */
	_Atomic(unsigned long) loop_thread;
	int is_running;
	_Atomic int is_sleeping; /* inside the backend's wait without the lock */
	uint64_t sleeps_until; /* the deadline that this wait is for; UINT64_MAX: none */

	/* wake.c */
	struct event wake; /* internal; its descriptor is -1 until first needed */
	int wake_write;    /* where to write to, or -1 */
	_Atomic int is_wake_sent;

	/* os_port_*.c */
	struct evi_port *port; /* NULL: completions are not asked for, or there are none here */

	/* post.c */
	struct evi_posts *posts; /* NULL without threads */
	_Atomic unsigned posted; /* notes in there */

	/* interest.c, common_timeout.c, signal.c */
	struct evi_interest interest;
	struct event *unwatched; /* added I/O events whose descriptor is negative */
	struct evi_common **commons;
	int common_count;
	struct evi_signals *signals; /* NULL until the first signal is added */

	/* active.c */
	struct evi_queue *active; /* one per priority */
	int priorities;
	uint64_t nonempty[EVENT_MAX_PRIORITIES / 64]; /* bit n: active[n] has something */
	struct evi_queue later; /* deferred callbacks for the next iteration */
	int deferred_taken;     /* in this iteration */
	struct evi_counter count_added, count_active, count_virtual;
	int passive; /* of count_added: registrations that are no reason to go on */

	/* loop.c, dispatch.c */
	int running_priority; /* -1 outside the dispatch of callbacks */
	struct event *running;   /* whose callback runs; NULL if it is not an event's */
	uintptr_t running_serial; /* changes with every callback that is run */
	int *running_calls;      /* calls the running signal event has still to get */
	int exit_asked, break_asked;
	int is_pass_over; /* nothing more is run before the next poll */
	int has_due;      /* timers that have expired wait for the next round */

	/* round_end.c */
	struct evi_round_end *round_end;
	struct evi_round_end **round_end_last;
	int round_end_added; /* since tasks ran last */

	/* time.c: 0 means "not read in this round" */
	uint64_t round_now;
	int64_t round_wall;
	int has_round; /* inside the callbacks of a round */

	/* watch.c */
	struct evwatch *watchers[2], **watchers_last[2];
	struct evwatch *watch_next; /* where the present walk goes on */
	unsigned watch_walk;

	/* once.c */
	struct evi_once *onces;

	/* timer.c; large */
	struct evi_timers timers;
};

/* What other threads have posted is activated by the first who asks for the lock. */
void evi_posts_collect(struct event_base *base);

static inline void evi_posts_collect_any(struct event_base *base)
{
	if (EVI_UNLIKELY(atomic_load_explicit(&base->posted, memory_order_relaxed) != 0))
		evi_posts_collect(base);
}

static inline void evi_base_lock(struct event_base *base)
{
	if (EVI_UNLIKELY(base->lock != NULL)) {
		evi_lock_acquire(base->lock);
		evi_posts_collect_any(base);
	}
}

static inline void evi_base_unlock(struct event_base *base)
{
	if (EVI_UNLIKELY(base->lock != NULL))
		evi_lock_release(base->lock);
}

static inline void evi_count_note_most(struct evi_counter *counter)
{
	if (counter->now > counter->max)
		counter->max = counter->now;
}

static inline void evi_count_up(struct evi_counter *counter)
{
	counter->now++;
	evi_count_note_most(counter);
}

static inline void evi_count_down(struct evi_counter *counter)
{
	counter->now--;
}

/* The base of the 1.x calls; exported, because old programs read it. */
EVENT2_EXPORT_SYMBOL extern struct event_base *event_global_current_base_;

/* --- base.c ---------------------------------------------------------------------------------- */

/* Goes over to a new state of the backend, signals first; returns the old one, to be closed. */
void *evi_base_replace_state(struct event_base *base, void *state);

/* --- config.c: no lock ----------------------------------------------------------------------- */

int evi_config_avoids(const struct event_config *cfg, const char *name);

/* The flags of `cfg` (may be NULL) with those that the environment adds. */
int evi_config_flags(const struct event_config *cfg);

/* --- event.c --------------------------------------------------------------------------------- */

/* Set up an event of the library's own, which is neither counted nor queued: its callback runs with
 * the base lock held, right when its descriptor is reported. */
void evi_event_init_internal(struct event *ev, struct event_base *base, evutil_socket_t fd,
			     short events, event_callback_fn fn, void *arg);

/* As event_assign(), without the checks of debug mode. */
void evi_event_init_plain(struct event *ev, struct event_base *base, evutil_socket_t fd,
			  short events, event_callback_fn fn, void *arg);

/* As event_add() and event_del(), with the lock held; 0 or -1. */
int evi_event_add(struct event *ev, const struct timeval *timeout);
int evi_event_del(struct event *ev);

/* Takes an event off its descriptor and its timeout because its callback is about to run. */
void evi_event_take(struct event *ev);

/* Set the deadline to `after_ns` from now. */
void evi_event_set_timeout(struct event *ev, uint64_t after_ns, int is_common);
void evi_event_set_deadline(struct event *ev, uint64_t deadline, int is_common);
void evi_event_clear_timeout(struct event *ev);

/* Frees the base's hold on an event without further ado, when the base dies. */
void evi_event_orphan(struct event *ev);

/* --- active.c -------------------------------------------------------------------------------- */

int evi_active_init(struct event_base *base, int priorities);
void evi_active_done(struct event_base *base);

/* The most urgent priority with something to do; -1 if there is none. */
int evi_active_first(const struct event_base *base);

/* Make `ev` active with the bits `what`; `calls` counts for signal events only. */
void evi_event_activate(struct event *ev, unsigned what, int calls);

/* Queue or take back a callback of any kind; the counters follow. */
void evi_active_insert(struct event_base *base, struct event_callback *callback);
void evi_active_remove(struct event_base *base, struct event_callback *callback);

/* After callbacks were queued. */
static inline void evi_active_note_most(struct event_base *base)
{
	evi_count_note_most(&base->count_active);
	evi_count_note_most(&base->count_added);
}

/* Takes the first of the queue of `priority`, which is not empty. */
static inline struct event_callback *evi_active_pop(struct event_base *base,
						    struct evi_queue *queue, int priority)
{
	struct event_callback *cb = queue->first;

	queue->first = cb->evcb_active_next.tqe_next;
	if (queue->first != NULL) {
		queue->first->evcb_active_next.tqe_prev = &queue->first;
	} else {
		queue->last = &queue->first;
		base->nonempty[priority / 64] &= ~(UINT64_C(1) << (priority % 64));
	}
	cb->evcb_flags &= (short)~EVLIST_ACTIVE;
	evi_count_down(&base->count_active);
	evi_count_down(&base->count_added);
	return cb;
}

/* Moves deferred callbacks that had to wait for this iteration. */
void evi_active_next_iteration(struct event_base *base);

/* What the backend reported; evi_active_note_most() comes after all of it. */
evi_report_fn evi_active_report;

/* --- dispatch.c ------------------------------------------------------------------------------ */

/*
 * A pass over a priority runs what is activated meanwhile, too. An event that activates itself for
 * ever must not keep the loop from its timers and descriptors, so after this many callbacks the
 * loop polls, without waiting, and goes on where it was.
 */
#define EVI_PASS_MAX 2048

/* Run the callbacks of the most urgent priority; how many of the program's were run. */
int evi_dispatch(struct event_base *base);

/* Wait until the callback of `ev`, if it runs in another thread, has returned. */
void evi_wait_for_callback(struct event_base *base, struct event *ev);

/* Runs a queued finalizer; gives up the lock meanwhile. */
void evi_finalizer_run(struct event_base *base, struct event *ev);

/* --- round_end.c ----------------------------------------------------------------------------- */

/* Callbacks leave at most so many tasks behind before these run. */
#define EVI_ROUND_END_MAX 64

void evi_round_end_run(struct event_base *base);

/* --- time.c ---------------------------------------------------------------------------------- */

/* Fresh monotonic time. */
uint64_t evi_time_now(const struct event_base *base);

/* The present time plus `after_ns`, never too early: see time.c for the rounding. */
uint64_t evi_time_deadline(const struct event_base *base, uint64_t after_ns);

/* Wall-clock time of a deadline; never later than now plus what was asked for. */
void evi_time_wall_of(const struct event_base *base, uint64_t deadline, struct timeval *tv);

/* A duration as nanoseconds: normalised, 0 if negative, saturated far in the future. */
uint64_t evi_time_ns_of(const struct timeval *tv);

void evi_time_begin_round(struct event_base *base);
void evi_time_end_round(struct event_base *base);

/* --- common_timeout.c ------------------------------------------------------------------------ */

/* The queue that `tv` names, or NULL if it is an ordinary duration. */
struct evi_common *evi_common_marked(struct event_base *base, const struct timeval *tv);

static inline struct evi_common *evi_common_find(struct event_base *base, const struct timeval *tv)
{
	return base->common_count != 0 ? evi_common_marked(base, tv) : NULL;
}

struct evi_common *evi_common_of_interval(struct event_base *base, uint64_t interval);
void evi_common_insert(struct event_base *base, struct evi_common *queue, struct event *ev);
void evi_common_remove(struct event_base *base, struct event *ev);
void evi_common_expire(struct event_base *base, struct event *timer, uint64_t now,
		       void (*fn)(struct event *ev, void *ctx), void *ctx);
void evi_common_done(struct event_base *base);

/* --- signal.c -------------------------------------------------------------------------------- */

int evi_signal_add(struct event_base *base, struct event *ev);
void evi_signal_remove(struct event_base *base, struct event *ev);
void evi_signal_activate(struct event_base *base, int sig, int calls);
/* Activates the events of signals caught since the last call. */
void evi_signal_collect(struct event_base *base);
/* Tells a new backend of the signals that it is to watch, if it does. 0 or the first error. */
int evi_signal_watch_all(struct event_base *base);
/* After a fork: deliver to this process. 0 or -errno. */
int evi_signal_reinit(struct event_base *base);
int evi_signal_each(struct event_base *base, int (*fn)(struct event *ev, void *ctx), void *ctx);
void evi_signal_done(struct event_base *base);

/* --- post.c ---------------------------------------------------------------------------------- */

int evi_posts_init(struct event_base *base);
void evi_posts_done(struct event_base *base);

/*
 * No lock held, and not in the loop's thread: as evi_event_activate(), soon. 0 if there is no room.
 */
int evi_post(struct event_base *base, struct event *ev, unsigned what, int calls);

/* --- wake.c ---------------------------------------------------------------------------------- */

/* Make waking possible; 0 or -errno. */
int evi_wake_open(struct event_base *base);
void evi_wake_close(struct event_base *base);

/*
 * End the wait of a loop that sleeps in another thread. 0, or -1 if that is impossible. No lock
 * needed.
 */
int evi_wake(struct event_base *base);

/* As evi_wake() if the caller is not the loop's own thread, else nothing. */
void evi_wake_from_elsewhere(struct event_base *base);

static inline void evi_wake_if_foreign(struct event_base *base)
{
	if (EVI_UNLIKELY(atomic_load_explicit(&base->is_sleeping, memory_order_relaxed)))
		evi_wake_from_elsewhere(base);
}

/* --- watch.c, once.c ------------------------------------------------------------------------- */

enum evi_watch_kind { EVI_WATCH_PREPARE, EVI_WATCH_CHECK };

/* `wait_ns`: the planned wait, -1 for no limit. Gives up the lock during callbacks. */
void evi_watch_run(struct event_base *base, enum evi_watch_kind kind, int64_t wait_ns);
void evi_watch_done(struct event_base *base);
void evi_once_done(struct event_base *base);

/* --- fork (os_fork_*.c): no lock -------------------------------------------------------------- */

static inline int evi_base_is_copy(const struct event_base *base)
{
	return base->fork_count != evi_fork_count();
}

/* --- debug.c --------------------------------------------------------------------------------- */

extern int evi_debug_mode;

/* 0, or -1 if there is no memory to remember the event in. */
int evi_debug_note_assigned(const struct event *ev, evutil_socket_t fd, short events);

/* Each is fatal if the event is not in a state that allows the call; called through EVI_CHECK. */
void evi_debug_note_gone(const struct event *ev);
void evi_debug_check_assigned(const struct event *ev, const char *call);
void evi_debug_check_idle(const struct event *ev, const char *call);
void evi_debug_note_object(void);
void evi_debug_prepare(void);

#define EVI_CHECK(check)                                                                           \
	do {                                                                                       \
		if (EVI_UNLIKELY(evi_debug_mode))                                                  \
			check;                                                                     \
	} while (0)

#endif
