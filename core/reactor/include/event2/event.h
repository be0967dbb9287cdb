/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_EVENT_H_INCLUDED_
#define EVENT2_EVENT_H_INCLUDED_

/**
 * @file event2/event.h
 *
 * Bases, events and the loop: wait for descriptors, timeouts and signals, and run callbacks.
 *
 * An event is assigned (event_new()), made pending (event_add()), becomes active when what it waits
 * for happens, and then its callback runs from event_base_loop(). Without EV_PERSIST it is neither
 * pending nor active when the callback starts; with it, it stays pending, and its timeout starts
 * anew. These rules hold for every function below unless its comment says otherwise.
 *
 * Units      Durations are struct timeval, from now. Microseconds beyond a second are carried over.
 * Errors     `int` functions return 0 on success and -1 on failure; a failed call leaves all as it
 *            was. NULL for a base or configuration is an error; for an event it is the caller's
 *            bug.
 * Ownership  The library copies durations and names, and borrows descriptors: it never closes one.
 *            An event's argument is the caller's.
 * Callbacks  Run in the thread that runs the loop, one at a time, without a lock. They may use the
 *            library in any way except entering the same loop, and may free their own event.
 * Threads    Once evthread_use_pthreads() or its like was called, everything on one base is safe
 *            from any threads at once, except: configuring an event (assign, base_set,
 *            priority_set) or freeing it while another thread uses it, freeing the base, and
 *            settings of the process. Nothing may be called from a signal handler.
 * Since      2.1, where nothing else is said.
 */

#include <event2/visibility.h>
#include <event2/event-config.h>
#include <event2/util.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Timers, signals and events that are only triggered by hand, as shorter names of the calls below.
 * Signal events made here persist, the others do not. evuser_pending() asks for no bits: always 0.
 */
#define evtimer_assign(ev, b, cb, arg) event_assign(ev, b, -1, 0, cb, arg)
#define evtimer_new(b, cb, arg) event_new(b, -1, 0, cb, arg)
#define evtimer_add(ev, tv) event_add(ev, tv)
#define evtimer_del(ev) event_del(ev)
#define evtimer_pending(ev, tv) event_pending(ev, EV_TIMEOUT, tv)
#define evtimer_initialized(ev) event_initialized(ev)
#define evsignal_assign(ev, b, x, cb, arg) event_assign(ev, b, x, EV_SIGNAL|EV_PERSIST, cb, arg)
#define evsignal_new(b, x, cb, arg) event_new(b, x, EV_SIGNAL|EV_PERSIST, cb, arg)
#define evsignal_add(ev, tv) event_add(ev, tv)
#define evsignal_del(ev) event_del(ev)
#define evsignal_pending(ev, tv) event_pending(ev, EV_SIGNAL, tv)
#define evsignal_initialized(ev) event_initialized(ev)
#define evuser_new(b, cb, arg) event_new(b, -1, 0, cb, arg)
#define evuser_del(ev) event_del(ev)
#define evuser_pending(ev, tv) event_pending(ev, 0, tv)
#define evuser_initialized(ev) event_initialized(ev)
#define evuser_trigger(ev) event_active(ev, 0, 0)
#define event_get_signal(ev) (int) event_get_fd(ev)

/**
 * What is waited for, and whom to call: see event_new(). Its inside is in event2/event_struct.h.
 */
struct event;
/** A set of events, and the loop that serves them. */
struct event_base;
/** What a base is to be like: see event_config_new(). */
struct event_config;

/** What a backend can do: event_config_require_features(). */
enum event_method_feature {
	/** Edge-triggered events. */
	EV_FEATURE_ET = 1,
	/** The cost of a round does not grow with the number of idle events. */
	EV_FEATURE_O1 = 2,
	/** Any kind of descriptor, also files. */
	EV_FEATURE_FDS = 4,
	/** EV_CLOSED: the peer's end is seen without reading all data before it. */
	EV_FEATURE_EARLY_CLOSE = 8,
};

/** How a base is to be: event_config_set_flag(). */
enum event_base_config_flag {
	/** No lock: used by one thread only, even if threads are set up. */
	EVENT_BASE_FLAG_NOLOCK = 1,
	/** Pass over the EVENT_* environment variables; set-user-id programs always do. */
	EVENT_BASE_FLAG_IGNORE_ENV = 2,
	/**
	 * Windows: a completion port, and threads to wait on it (event_config_set_num_cpus_hint()).
	 * Socket bufferevents of the base then read, write and connect by overlapped operations;
	 * their callbacks come from the loop as ever, their priority is the middle one. Listeners
	 * have a few accepts outstanding. Needs the locks of evthread_use_windows_threads(), set up
	 * before, and no NOLOCK; without them, and on other systems, it has no effect.
	 */
	EVENT_BASE_FLAG_STARTUP_IOCP = 4,
	/** Read the clock at each query, instead of once per round. */
	EVENT_BASE_FLAG_NO_CACHE_TIME = 8,
	/** epoll: also the first registration waits for the next poll, so event_add() cannot see it
	 * fail. Other changes are batched in any case. */
	EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST = 16,
	/** The finest clock for every timeout, also those of a second and more. */
	EVENT_BASE_FLAG_PRECISE_TIMER = 32,
	/** With PRECISE_TIMER: no timer descriptor. There never is one. Since 2.2. */
	EVENT_BASE_FLAG_EPOLL_DISALLOW_TIMERFD = 64,
	/** Linux: receive signals by signalfd(2); several of a kind become one. Since 2.2. */
	EVENT_BASE_FLAG_USE_SIGNALFD = 128,
};

/* Counters of event_base_get_num_events(). */
#define EVENT_BASE_COUNT_ACTIVE 1
#define EVENT_BASE_COUNT_VIRTUAL 2
#define EVENT_BASE_COUNT_ADDED 4
/* Severities of event_log_cb; the names with an underscore are the old ones. */
#define EVENT_LOG_DEBUG 0
#define EVENT_LOG_MSG 1
#define EVENT_LOG_WARN 2
#define EVENT_LOG_ERR 3
#define _EVENT_LOG_DEBUG EVENT_LOG_DEBUG
#define _EVENT_LOG_MSG EVENT_LOG_MSG
#define _EVENT_LOG_WARN EVENT_LOG_WARN
#define _EVENT_LOG_ERR EVENT_LOG_ERR
/* For event_enable_debug_logging(). */
#define EVENT_DBG_ALL 4294967295
#define EVENT_DBG_NONE 0
/* Flags of event_base_loop(). */
#define EVLOOP_ONCE 1
#define EVLOOP_NONBLOCK 2
#define EVLOOP_NO_EXIT_ON_EMPTY 4
/*
 * What an event waits for, how, and what its callback is told.
 *
 * EV_TIMEOUT   the timeout passed; nothing to ask for
 * EV_READ      readable, or its end or an error is
 * EV_WRITE     writable, or an error is to be had
 * EV_SIGNAL    a signal came; not together with I/O
 * EV_PERSIST   stays pending when its callback runs
 * EV_ET        edge-triggered: told once per change, where the backend can
 * EV_FINALIZE  event_del() and event_free() do not wait for the callback
 * EV_CLOSED    the peer has closed its side, where the backend can tell
 */
#define EV_TIMEOUT 1
#define EV_READ 2
#define EV_WRITE 4
#define EV_SIGNAL 8
#define EV_PERSIST 16
#define EV_ET 32
#define EV_FINALIZE 64
#define EV_CLOSED 128
/* The version of these headers; event_get_version() tells the library's. */
#define LIBEVENT_VERSION EVENT__VERSION
#define LIBEVENT_VERSION_NUMBER EVENT__NUMERIC_VERSION
/* The most event_base_priority_init() accepts. */
#define EVENT_MAX_PRIORITIES 256
/* event_set_mem_functions() exists. */
#define EVENT_SET_MEM_FUNCTIONS_IMPLEMENTED 

/** Takes a log message: event_set_log_callback(). */
typedef void (*event_log_cb)(int severity, const char *msg);
/** Told before the process ends: event_set_fatal_callback(). */
typedef void (*event_fatal_cb)(int err);
/** An event's callback: its descriptor or signal, what happened (EV_ bits), its argument. */
typedef void (*event_callback_fn)(evutil_socket_t, short, void *);
/** An event's last callback: the event, its argument. See event_finalize(). */
typedef void (*event_finalize_callback_fn)(struct event *, void *);
/** Called for each event by event_base_foreach_event(); nonzero ends the walk. */
typedef int (*event_base_foreach_event_cb)(const struct event_base *, const struct event *, void *);

/**
 * Make an event active by hand: its callback runs from the loop, as if `res` had happened.
 *
 * The event need not be pending, and does not become so; a pending one that does not persist ends,
 * with its watch and its timeout, when the callback starts. Activating an active event adds `res`
 * to its bits and gives one call. From another thread a sleeping loop is woken. Called by a
 * callback, an event of the same priority runs in the same pass; a more urgent one runs right after
 * a poll.
 *
 * Does nothing for an event that is being finalized, or that has no base (which is logged).
 *
 * @param ev      the event
 * @param res     the bits the callback will see; any, also none
 * @param ncalls  for signal events: how many times in a row to call, at least 1; otherwise ignored
 */
EVENT2_EXPORT_SYMBOL
void event_active(struct event *ev, int res, short ncalls);

/**
 * Make an event pending: watch what it was assigned, and set its timeout if one is given.
 *
 * Adding a pending event again without a timeout changes nothing; with one, it replaces the old
 * one, and for a persistent event also the interval. An event that is active because its old
 * timeout expired is not called for that any more. A blocked loop takes the change into account at
 * once.
 *
 * Cost: no system call if the descriptor is watched already; changes are told the kernel once per
 * round. A timeout that is pushed back again and again costs next to nothing.
 *
 * @param ev       the event, assigned, not being finalized
 * @param timeout  from now, copied; NULL: no (new) timeout. {0, 0} expires in the next round, never
 *                 in this one; a negative duration like {0, 0}; one beyond about 70 years never. Or
 *                 what event_base_init_common_timeout() gave.
 * @return 0; -1 with the socket error set and nothing changed if the event has no base, the backend
 *         refuses the descriptor (closed; with epoll also a regular file), the signal number is
 *         impossible, more than 65535 events of a kind are on the descriptor, or memory ran out
 */
EVENT2_EXPORT_SYMBOL
int event_add(struct event *ev, const struct timeval *timeout);

/**
 * Set up an event in memory of the caller's.
 *
 * Never to be applied to a pending or active event: delete it first. A bad descriptor or signal
 * number is event_add()'s to report. The priority becomes half of what the base has.
 *
 * The memory holds no resource afterwards; it may be dropped while the event is neither pending nor
 * active (in debug mode after event_debug_unassign()).
 *
 * @param ev            the memory; its size is sizeof(struct event) of event2/event_struct.h
 * @param base          NULL: the current base of event_init(), or none until event_base_set()
 * @param fd            the descriptor, nonblocking; the signal for EV_SIGNAL; -1 for a timer or an
 *                      event that is only activated by hand
 * @param events        EV_READ, EV_WRITE, EV_CLOSED, or EV_SIGNAL; with EV_PERSIST, EV_ET,
 *                      EV_FINALIZE
 * @param callback      called from the loop; NULL: nothing is called
 * @param callback_arg  passed to it; event_self_cbarg() stands for the event itself
 * @return 0; -1 if EV_SIGNAL is combined with I/O, or in debug mode without memory
 */
EVENT2_EXPORT_SYMBOL
int event_assign(struct event *ev, struct event_base *base, evutil_socket_t fd, short events,
		 event_callback_fn callback, void *callback_arg);

/**
 * Activate the pending events on a descriptor, each with what it asked for of `events`.
 *
 * With EV_TIMEOUT, those of them that have a timeout are activated with it. A number that is not
 * watched is ignored.
 *
 * @param base    the base; NULL does nothing
 * @param fd      the descriptor
 * @param events  any of EV_READ, EV_WRITE, EV_CLOSED, EV_TIMEOUT
 */
EVENT2_EXPORT_SYMBOL
void event_base_active_by_fd(struct event_base *base, evutil_socket_t fd, short events);

/**
 * Activate the pending events on a signal, one call each; other numbers are ignored.
 *
 * @param base  the base; NULL does nothing
 * @param sig   the signal
 */
EVENT2_EXPORT_SYMBOL
void event_base_active_by_signal(struct event_base *base, int sig);

/** Run the loop until nothing is left to wait for: event_base_loop() without flags. */
EVENT2_EXPORT_SYMBOL
int event_base_dispatch(struct event_base *base);

/**
 * Write a line for each pending and each active event; for people to read.
 *
 * Holds the base's lock meanwhile.
 *
 * @param base    the base
 * @param output  where to, open for writing
 */
EVENT2_EXPORT_SYMBOL
void event_base_dump_events(struct event_base *base, FILE *output);

/**
 * Call a function for every event that is pending or active, once each, in no particular order.
 *
 * The library's own events are among them. The function must not add, delete or free events, and
 * other threads that use the base wait meanwhile; queries such as event_pending() are allowed.
 *
 * @param base  the base
 * @param fn    called with the base, the event and `arg`; nonzero ends the walk
 * @param arg   passed to it
 * @return what `fn` returned last, so 0 after a complete walk; -1 for a NULL base or function
 */
EVENT2_EXPORT_SYMBOL
int event_base_foreach_event(struct event_base *base, event_base_foreach_event_cb fn, void *arg);

/**
 * Free a base, after running the finalizers that are queued on it, and those that they queue.
 *
 * Every event still on it becomes neither pending nor active and loses its base: its owner may
 * still free it, and nothing else. Callbacks do not run, descriptors stay open; events of
 * event_base_once() and watchers are freed; signals get back the handling they had.
 *
 * No thread may use the base any more, nor may it be running.
 *
 * @param eb  the base; NULL: the current base
 */
EVENT2_EXPORT_SYMBOL
void event_base_free(struct event_base *eb);

/**
 * As event_base_free(), without running finalizers; events that wait for event_free_finalize() are
 * not freed.
 */
EVENT2_EXPORT_SYMBOL
void event_base_free_nofinalize(struct event_base *);

/** Return the EV_FEATURE_ bits of a base's backend. */
EVENT2_EXPORT_SYMBOL
int event_base_get_features(const struct event_base *base);

/**
 * Return the largest value that event_base_get_num_events() had so far, summed per counter.
 *
 * @param eb     the base
 * @param flags  EVENT_BASE_COUNT_ bits
 * @param clear  nonzero: start over from 0 with these counters
 */
EVENT2_EXPORT_SYMBOL
int event_base_get_max_events(struct event_base *eb, unsigned int flags, int clear);

/**
 * Return the name of a base's backend: "epoll", "poll", "select", "io_uring", "kqueue" and others.
 *
 * @return a constant string; "epoll (with changelist)" if that was asked for
 */
EVENT2_EXPORT_SYMBOL
const char *event_base_get_method(const struct event_base *eb);

/**
 * Return how many priorities a base has; NULL means the current base, and -1 is returned if there
 * is none.
 */
EVENT2_EXPORT_SYMBOL
int event_base_get_npriorities(struct event_base *eb);

/**
 * Return the sum of a base's counters.
 *
 * EVENT_BASE_COUNT_ADDED counts registrations: an event that watches, has a timeout and is active
 * counts three. EVENT_BASE_COUNT_ACTIVE counts active events, EVENT_BASE_COUNT_VIRTUAL other
 * reasons for the loop to go on.
 *
 * @param eb     the base
 * @param flags  which counters
 */
EVENT2_EXPORT_SYMBOL
int event_base_get_num_events(struct event_base *eb, unsigned int flags);

/**
 * Return the event whose callback is running.
 *
 * @return NULL outside of callbacks of events, in another thread than the loop's, and for a NULL
 *         base
 */
EVENT2_EXPORT_SYMBOL
struct event *event_base_get_running_event(struct event_base *base);

/**
 * Return how a base receives signals: "signal" or "signalfd_signal" ("kqueue_signal" on some
 * systems).
 *
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
const char *event_base_get_signal_method(const struct event_base *eb);

/**
 * Read the wall-clock time that is the same for all callbacks of a round.
 *
 * In a callback it is the time at which the last wait ended; elsewhere, and always with
 * EVENT_BASE_FLAG_NO_CACHE_TIME, the present time.
 *
 * @param base  NULL: the current base; without one, the present time
 * @param tv    out: the time
 * @return 0; -1 if `tv` is NULL
 */
EVENT2_EXPORT_SYMBOL
int event_base_gettimeofday_cached(struct event_base *base, struct timeval *tv);

/** Return nonzero if event_base_loopbreak() was asked for since the loop was last entered. */
EVENT2_EXPORT_SYMBOL
int event_base_got_break(struct event_base *eb);

/**
 * Return nonzero if an exit by event_base_loopexit() took effect since the loop was last entered.
 */
EVENT2_EXPORT_SYMBOL
int event_base_got_exit(struct event_base *eb);

/**
 * Make a duration that many events share cheaper: they stand in a queue instead of a heap.
 *
 * Worth it for thousands of events with one duration. Nothing else changes.
 *
 * @param base      the base
 * @param duration  the duration, copied
 * @return what to pass to event_add() for this base, as it is or copied; it lives as long as the
 *         base. The same pointer for the same duration. NULL without memory, for more than 256
 *         durations, or for NULL arguments.
 */
EVENT2_EXPORT_SYMBOL
const struct timeval *event_base_init_common_timeout(struct event_base *base,
						     const struct timeval *duration);

/**
 * Wait for events and run their callbacks, again and again.
 *
 * A round: callbacks of prepare watchers; the wait, no longer than to the earliest timeout; check
 * watchers; then the callbacks of the most urgent priority that has active events.
 *
 *   0                        until nothing is pending or active, or until exit or break
 *   EVLOOP_ONCE              wait until something happens, run what is active, return
 *   EVLOOP_NONBLOCK          do not wait; return when a round finds nothing active
 *   EVLOOP_ONCE | _NONBLOCK  exactly one poll without waiting
 *   EVLOOP_NO_EXIT_ON_EMPTY  with the above: wait for other threads although nothing is pending
 *
 * One thread at a time runs a base; it may be another one each time.
 *
 * @param eb     the base
 * @param flags  any of EVLOOP_
 * @return 0 after exit, break, or what ONCE and NONBLOCK ask for; 1 when nothing is left to wait
 *         for; -1 if the backend failed, `eb` is NULL, the loop is running already, or the process
 *         was forked and event_reinit() not called (which is logged)
 */
EVENT2_EXPORT_SYMBOL
int event_base_loop(struct event_base *eb, int flags);

/**
 * Leave the loop right after the callback that is running; what is active stays so for the next
 * loop.
 *
 * Has no effect on a loop that is entered later. May be called from any thread.
 *
 * @return 0; -1 for a NULL base, or if a loop in another thread could not be woken
 */
EVENT2_EXPORT_SYMBOL
int event_base_loopbreak(struct event_base *eb);

/**
 * Poll again, without waiting, after the callback that is running, before further active events
 * run.
 *
 * Forgotten if no loop is running. May be called from any thread.
 *
 * @return as event_base_loopbreak()
 */
EVENT2_EXPORT_SYMBOL
int event_base_loopcontinue(struct event_base *eb);

/**
 * Leave the loop after the events that are active now, or after a time.
 *
 * The request is itself a one-shot event of default priority: it takes its turn, then the rest of
 * that priority still runs. Without a running loop, the next one ends after a round. Several timed
 * requests may be outstanding; each ends one loop.
 *
 * @param eb  the base
 * @param tv  how long to wait before; NULL or zero: not at all
 * @return 0; -1 for a NULL base or without memory
 */
EVENT2_EXPORT_SYMBOL
int event_base_loopexit(struct event_base *eb, const struct timeval *tv);

/** Make a base with all defaults: event_base_new_with_config(NULL). */
EVENT2_EXPORT_SYMBOL
struct event_base *event_base_new(void);

/**
 * Make a base: the place where events are, and whose loop runs their callbacks.
 *
 * The backend is the first in the order of event_get_supported_methods() that is not avoided, has
 * the required features, is not switched off by an environment variable EVENT_NO<NAME>, and works.
 * If threads have been set up the base has a lock, unless EVENT_BASE_FLAG_NOLOCK is given.
 *
 * @param cfg  what is wanted; borrowed until this returns; NULL: the defaults
 * @return a base that the caller owns and gives back with event_base_free(); NULL if no backend
 *         qualifies (which is logged), or without memory or descriptors
 */
EVENT2_EXPORT_SYMBOL
struct event_base *event_base_new_with_config(const struct event_config *cfg);

/**
 * Run a callback once, without an event of the caller's.
 *
 * It cannot be taken back. The default priority applies; EV_ET is ignored.
 *
 * @param base      the base
 * @param fd        the descriptor; ignored for a mere timeout
 * @param events    EV_TIMEOUT, or any of EV_READ, EV_WRITE, EV_CLOSED
 * @param callback  what to run
 * @param arg       passed to it
 * @param timeout   for EV_TIMEOUT alone: when, NULL or zero being as soon as possible, in the order
 *                  of the calls; for I/O: how long to wait for it at most, NULL being for ever
 * @return 0; -1 for impossible `events` (EV_SIGNAL, EV_PERSIST, none), a NULL base or callback,
 *         without memory, or if the descriptor is refused
 */
EVENT2_EXPORT_SYMBOL
int event_base_once(struct event_base *base, evutil_socket_t fd, short events,
		    event_callback_fn callback, void *arg, const struct timeval *timeout);

/**
 * Set how many priorities a base has; 0 is the most urgent.
 *
 * Before events are assigned, whose default is half of it. Events beyond a lowered number run at
 * the least urgent level.
 *
 * @param eb           the base
 * @param npriorities  1 to EVENT_MAX_PRIORITIES
 * @return 0; -1 for another number, while any event is active, or without memory
 */
EVENT2_EXPORT_SYMBOL
int event_base_priority_init(struct event_base *eb, int npriorities);

/**
 * Move an idle event to a base; its priority becomes that base's default.
 *
 * @param eb  the base
 * @param ev  the event, assigned, neither pending nor active nor being finalized
 * @return 0; -1 otherwise, and nothing is changed
 */
EVENT2_EXPORT_SYMBOL
int event_base_set(struct event_base *eb, struct event *ev);

/**
 * Refresh the time that event_base_gettimeofday_cached() gives, in a callback that has taken long.
 *
 * @param base  NULL: the current base
 * @return 0, also where there is nothing to refresh; -1 without any base
 */
EVENT2_EXPORT_SYMBOL
int event_base_update_cache_time(struct event_base *base);

/**
 * Keep a base from using a backend.
 *
 * @param cfg     the configuration
 * @param method  a name as in event_get_supported_methods(), copied; others are ignored
 * @return 0; -1 for NULL arguments or without memory
 */
EVENT2_EXPORT_SYMBOL
int event_config_avoid_method(struct event_config *cfg, const char *method);

/** Free a configuration; bases made from it are not affected. NULL does nothing. */
EVENT2_EXPORT_SYMBOL
void event_config_free(struct event_config *cfg);

/**
 * Make a configuration that asks for nothing: a base made from it has all defaults.
 *
 * @return what the caller owns and gives back with event_config_free(); NULL without memory
 */
EVENT2_EXPORT_SYMBOL
struct event_config *event_config_new(void);

/**
 * Accept only backends that have all of these features; replaces what was required before.
 *
 * @param cfg      the configuration
 * @param feature  EV_FEATURE_ bits; 0: any backend will do
 * @return 0; -1 for a NULL configuration
 */
EVENT2_EXPORT_SYMBOL
int event_config_require_features(struct event_config *cfg, int feature);

/**
 * Add flags for the base; there is no way to take one back.
 *
 * @param cfg   the configuration
 * @param flag  EVENT_BASE_FLAG_ bits; unknown ones are ignored
 * @return 0; -1 for a NULL configuration
 */
EVENT2_EXPORT_SYMBOL
int event_config_set_flag(struct event_config *cfg, int flag);

/**
 * Limit what runs between two polls, so that urgent events need not wait for all the others.
 *
 * Once a limit is reached the loop polls, without waiting, and goes on with the most urgent event.
 *
 * @param cfg            the configuration
 * @param max_interval   how long callbacks may go on, checked after each; NULL: no limit
 * @param max_callbacks  how many; 0 is like 1; negative: no limit
 * @param min_priority   priorities from this one on are limited, more urgent ones are not
 * @return 0; -1 for a NULL configuration
 */
EVENT2_EXPORT_SYMBOL
int event_config_set_max_dispatch_interval(struct event_config *cfg,
					   const struct timeval *max_interval, int max_callbacks,
					   int min_priority);

/**
 * Say how many threads may wait on the completion port of EVENT_BASE_FLAG_STARTUP_IOCP: at most 64;
 * unless told, and for 0 and less, one per processor, but no more than 4. Without effect elsewhere.
 *
 * @return 0; -1 for a NULL configuration
 */
EVENT2_EXPORT_SYMBOL
int event_config_set_num_cpus_hint(struct event_config *cfg, int cpus);

/**
 * Tell debug mode that an event not made by event_new() no longer exists.
 *
 * Before its memory is dropped or used for something else. The event must not be pending or active;
 * it is not initialized afterwards, also without debug mode.
 */
EVENT2_EXPORT_SYMBOL
void event_debug_unassign(struct event *);

/**
 * Make an event neither pending nor active: its callback does not run any more.
 *
 * Called from another thread than the loop's while the callback runs, it waits until that has
 * returned, unless the event has EV_FINALIZE; so afterwards what the callback uses may be freed.
 * Never call it while holding a lock that the callback takes. In the loop's thread it never waits.
 *
 * Close a descriptor only after deleting its events.
 *
 * @return 0, also if there was nothing to do; -1 if the event has no base
 */
EVENT2_EXPORT_SYMBOL
int event_del(struct event *ev);

/** As event_del(), but wait for a running callback whatever the event's flags. */
EVENT2_EXPORT_SYMBOL
int event_del_block(struct event *ev);

/** As event_del(), but never wait: the callback may still be running. */
EVENT2_EXPORT_SYMBOL
int event_del_noblock(struct event *ev);

/**
 * Switch messages of EVENT_LOG_DEBUG on (EVENT_DBG_ALL) or off (EVENT_DBG_NONE), for the whole
 * process.
 *
 * Before other threads use the library.
 */
EVENT2_EXPORT_SYMBOL
void event_enable_debug_logging(ev_uint32_t which);

/**
 * Check the use of events from now on: calls on events that are not initialized, or not in a state
 * that allows them, abort the process with a message.
 *
 * Costs a little time and memory per event. Once, before the first event or base is made; otherwise
 * the process ends with status 1.
 */
EVENT2_EXPORT_SYMBOL
void event_enable_debug_mode(void);

/**
 * Delete an event, and have a last callback run when its own is certainly not running.
 *
 * Never waits, so it may be called from any thread under any lock. From now on the event cannot be
 * added or activated. The finalizer runs from the loop with the event's priority; it may free the
 * event, or assign it again. A second call before that replaces the finalizer.
 *
 * @param flags  0
 * @param ev     the event
 * @param cb     called with the event and its argument; NULL: nothing is called
 * @return 0; -1 if the event has no base
 */
EVENT2_EXPORT_SYMBOL
int event_finalize(unsigned, struct event *, event_finalize_callback_fn);

/**
 * Delete an event and free its memory; for events made by event_new().
 *
 * Waits for a running callback as event_del() does. Legal in the event's own callback. An event
 * with EV_FINALIZE that may be running in another thread needs event_free_finalize() instead.
 *
 * @param ev  the event; NULL does nothing
 */
EVENT2_EXPORT_SYMBOL
void event_free(struct event *);

/** As event_finalize(), and free the event after its finalizer has run. */
EVENT2_EXPORT_SYMBOL
int event_free_finalize(unsigned, struct event *, event_finalize_callback_fn);

/**
 * Read what an event was assigned; any of the pointers may be NULL.
 *
 * @param event         the event, in any state
 * @param base_out      out: its base
 * @param fd_out        out: its descriptor or signal
 * @param events_out    out: its flags
 * @param callback_out  out: its callback
 * @param arg_out       out: the argument of its callback
 */
EVENT2_EXPORT_SYMBOL
void event_get_assignment(const struct event *event, struct event_base **base_out,
			  evutil_socket_t *fd_out, short *events_out,
			  event_callback_fn *callback_out, void **arg_out);

/** Return the base of an event; NULL if it has none. */
EVENT2_EXPORT_SYMBOL
struct event_base *event_get_base(const struct event *ev);

/** Return the callback of an event. */
EVENT2_EXPORT_SYMBOL
event_callback_fn event_get_callback(const struct event *ev);

/** Return the argument of an event's callback. */
EVENT2_EXPORT_SYMBOL
void *event_get_callback_arg(const struct event *ev);

/** Return the flags an event was assigned, exactly as given. */
EVENT2_EXPORT_SYMBOL
short event_get_events(const struct event *ev);

/** Return the descriptor of an event; its signal if it has EV_SIGNAL; -1 if it has none. */
EVENT2_EXPORT_SYMBOL
evutil_socket_t event_get_fd(const struct event *ev);

/** Return the priority of an event. */
EVENT2_EXPORT_SYMBOL
int event_get_priority(const struct event *ev);

/**
 * Return the size of struct event in this library, for memory that event_assign() is to set up
 * without including event2/event_struct.h.
 */
EVENT2_EXPORT_SYMBOL
size_t event_get_struct_event_size(void);

/**
 * Return the names of the backends built in, best first.
 *
 * Whether the system has them shows when a base is made.
 *
 * @return an array that ends with NULL; it is constant and lives for ever
 */
EVENT2_EXPORT_SYMBOL
const char **event_get_supported_methods(void);

/**
 * Return the version of the library, such as "2.2.1"; a program that came by the libraries of 2.1
 * gets that.
 */
EVENT2_EXPORT_SYMBOL
const char *event_get_version(void);

/** Return the version as a number: major, minor and patch in the three upper bytes. */
EVENT2_EXPORT_SYMBOL
ev_uint32_t event_get_version_number(void);

/**
 * Read the clock that timeouts run on; fresh, never the time of the round.
 *
 * @param base  the base
 * @param tp    out: time since some fixed point; nobody can set it
 * @return 0; -1 if either is NULL
 */
EVENT2_EXPORT_SYMBOL
int event_gettime_monotonic(struct event_base *base, struct timeval *tp);

/**
 * Return nonzero if an event was assigned; 0 for memory filled with zeroes.
 *
 * Other memory gives any answer.
 */
EVENT2_EXPORT_SYMBOL
int event_initialized(const struct event *ev);

/**
 * Make an event: allocate it, then event_assign().
 *
 * @return an event that the caller owns and gives back with event_free(); NULL without memory, or
 *         if event_assign() refuses
 */
EVENT2_EXPORT_SYMBOL
struct event *event_new(struct event_base *base, evutil_socket_t fd, short events,
			event_callback_fn callback, void *callback_arg);

/**
 * Ask what an event is pending or active for.
 *
 * @param ev      the event
 * @param events  the bits to ask about: EV_TIMEOUT, EV_READ, EV_WRITE, EV_CLOSED, EV_SIGNAL
 * @param tv      out: when the timeout expires, as wall-clock time, if EV_TIMEOUT is in the result;
 *                NULL if that is not wanted
 * @return those of `events` that hold: what is watched, EV_TIMEOUT if a timeout is set, and what
 *         the event is active with; 0 (and a log message) if it has no base
 */
EVENT2_EXPORT_SYMBOL
int event_pending(const struct event *ev, short events, struct timeval *tv);

/**
 * Set the priority of an event, from its next activation on.
 *
 * @param ev        the event, not active
 * @param priority  0, the most urgent, to one less than the base has
 * @return 0; -1 if the event is active or has no base, or the priority does not exist
 */
EVENT2_EXPORT_SYMBOL
int event_priority_set(struct event *ev, int priority);

/**
 * Make an inherited base the child's own, after a fork.
 *
 * All that was pending or active is so in the child as well, independent of the parent. No other
 * thread may have been inside the base at the time of the fork. Until this is called the child may
 * only delete and free events and free the base, which does not disturb the parent.
 *
 * @param base  the base
 * @return 0, also where there was nothing to do; -1 if the base is NULL or kernel objects could not
 *         be made again: it may be tried again
 */
EVENT2_EXPORT_SYMBOL
int event_reinit(struct event_base *base);

/**
 * Take the timeout and the repeat interval off an event; what it watches stays watched.
 *
 * @return 0, also if it had none; -1 if it has no base
 */
EVENT2_EXPORT_SYMBOL
int event_remove_timer(struct event *ev);

/** Return what to pass as argument to event_new() or event_assign() for the event itself. */
EVENT2_EXPORT_SYMBOL
void *event_self_cbarg(void);

/**
 * Set what is called before the library ends the process: with 1 after misuse, 0xdeaddead after a
 * failed assertion.
 *
 * If it returns, the process ends all the same: by exit(1), or abort(). Before other threads use
 * the library.
 *
 * @param cb  NULL: nothing is called
 */
EVENT2_EXPORT_SYMBOL
void event_set_fatal_callback(event_fatal_cb cb);

/**
 * Set where log messages go.
 *
 * Messages have no newline at their end, and at most 1023 bytes; those about a failed system call
 * end with ": " and the reason. The callback may be called from any thread and with locks of the
 * library held: it must not call the library. Before other threads use the library.
 *
 * @param cb  NULL: messages go to stderr, as "[warn] text"
 */
EVENT2_EXPORT_SYMBOL
void event_set_log_callback(event_log_cb cb);

/**
 * Set the functions that all allocations of the library go through.
 *
 * Before anything is allocated. `malloc_fn` is never asked for 0 bytes, `free_fn` never given NULL;
 * `realloc_fn` may be given NULL (allocate) and 0 bytes (free). Memory must be aligned as malloc()
 * aligns it. Used from many threads, they must be safe for that.
 *
 * @param malloc_fn   as malloc(); all three NULL: the C library's
 * @param realloc_fn  as realloc()
 * @param free_fn     as free()
 */
/* condition: mm-replacement */
EVENT2_EXPORT_SYMBOL
void event_set_mem_functions(void *(*malloc_fn)(size_t sz),
			     void *(*realloc_fn)(void *ptr, size_t sz), void (*free_fn)(void *ptr));

/**
 * Free what the library keeps for the process, for tools that look for leaks.
 *
 * Never objects of the program's. Nothing of the library may be used afterwards, but this may be
 * called again.
 */
EVENT2_EXPORT_SYMBOL
void libevent_global_shutdown(void);

#ifdef __cplusplus
}
#endif

#endif
