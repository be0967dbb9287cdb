/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_EVENT_COMPAT_H_INCLUDED_
#define EVENT2_EVENT_COMPAT_H_INCLUDED_

/**
 * @file event2/event_compat.h
 *
 * The calls of libevent 1.x: they act on the current base, the one that event_init() made last.
 *
 * For programs that were written for them; new ones name their base. None of it is safe with
 * threads. Parameters and results are those of the calls they stand for, in event2/event.h.
 */

#include <event2/visibility.h>
#include <event2/event-config.h>
#include <event2/util.h>
#include <event2/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Timers and signals by their old names. Signal events set here persist, timers do not. */
#define evtimer_set(ev, cb, arg) event_set(ev, -1, 0, cb, arg)
#define evsignal_set(ev, x, cb, arg) event_set(ev, x, EV_SIGNAL|EV_PERSIST, cb, arg)
#define timeout_add(ev, tv) event_add(ev, tv)
#define timeout_set(ev, cb, arg) event_set(ev, -1, 0, cb, arg)
#define timeout_del(ev) event_del(ev)
#define timeout_pending(ev, tv) event_pending(ev, EV_TIMEOUT, tv)
#define timeout_initialized(ev) event_initialized(ev)
#define signal_add(ev, tv) event_add(ev, tv)
#define signal_set(ev, x, cb, arg) event_set(ev, x, EV_SIGNAL|EV_PERSIST, cb, arg)
#define signal_del(ev) event_del(ev)
#define signal_pending(ev, tv) event_pending(ev, EV_SIGNAL, tv)
#define signal_initialized(ev) event_initialized(ev)
#ifndef EVENT_FD
#define EVENT_FD(ev) ((int)event_get_fd(ev))
#define EVENT_SIGNAL(ev) event_get_signal(ev)
#endif

struct event;
struct event_base;



/** As event_base_dispatch() with the current base; -1 without one. */
EVENT2_EXPORT_SYMBOL
int event_dispatch(void);

/** As event_base_get_method() with the current base; NULL without one. */
EVENT2_EXPORT_SYMBOL
const char *event_get_method(void);

/**
 * Make a base with all defaults, and make it the current one.
 *
 * A base that was current before stays as it is. Freeing the current base leaves none.
 *
 * @return the base, which the caller frees; never NULL: failure ends the process, as misuse does
 */
EVENT2_EXPORT_SYMBOL
struct event_base *event_init(void);

/** As event_base_loop() with the current base; -1 without one. */
EVENT2_EXPORT_SYMBOL
int event_loop(int);

/** As event_base_loopbreak() with the current base; -1 without one. */
EVENT2_EXPORT_SYMBOL
int event_loopbreak(void);

/** As event_base_loopexit() with the current base; -1 without one. */
EVENT2_EXPORT_SYMBOL
int event_loopexit(const struct timeval *);

/** As event_base_once() with the current base; -1 without one. */
EVENT2_EXPORT_SYMBOL
int event_once(evutil_socket_t, short, void (*)(evutil_socket_t, short, void *), void *,
	       const struct timeval *);

/** As event_base_priority_init() with the current base; -1 without one. */
EVENT2_EXPORT_SYMBOL
int event_priority_init(int);

/**
 * As event_assign() with the current base; event_base_set() may follow.
 *
 * Flags that event_assign() refuses end the process, as misuse does.
 */
EVENT2_EXPORT_SYMBOL
void event_set(struct event *, evutil_socket_t, short, void (*)(evutil_socket_t, short, void *),
	       void *);

#ifdef __cplusplus
}
#endif

#endif
