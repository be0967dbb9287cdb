/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_EVENT_PRIVATE_H_INCLUDED
#define EVI_EVENT_PRIVATE_H_INCLUDED

/*
 * What the fields of struct event mean to the reactor.
 *
 * The layout is fixed by programs that were compiled with it; most fields mean what they are called.
 * The rest is used as follows, always through the functions below:
 *
 *   ev_timeout                the deadline, nanoseconds on the monotonic clock (first 8 bytes)
 *   ev_timeout_pos            in the heap: min_heap_idx is the index, tqe_prev the add order;
 *                             in a common timeout: tqe_next and tqe_prev are the neighbours
 *   ev_.ev_io.ev_timeout      the repeat interval of an event on a descriptor, or a timer
 *   ev_.ev_signal             ev_ncalls: calls to come; the interval is where there is room for it
 */

#include <event2/component/reactor.h>

#include <stdint.h>
#include <string.h>

/* Bits of evcb_flags beyond the EVLIST_ ones. */
#define EVI_COMMON          0x100 /* the timeout is in a common queue, not in the heap */
#define EVI_COMMON_INTERVAL 0x200 /* the interval is that of a common queue */
#define EVI_TAKEN           0x400 /* left its descriptor by running, not by event_del() */
#define EVI_FINALIZE_FREE   0x800 /* freed after its finalizer */

/* evcb_closure: how a callback is run. */
enum evi_closure {
	EVI_CLOSURE_EVENT,
	EVI_CLOSURE_PERSIST,
	EVI_CLOSURE_SIGNAL,
	EVI_CLOSURE_DEFERRED,
	EVI_CLOSURE_FINALIZE,
};

#define EVI_IO_EVENTS (EV_READ | EV_WRITE | EV_CLOSED)

#define evi_container_of(pointer, type, member)                                                    \
	((type *)(void *)((char *)(pointer) - offsetof(type, member)))

static inline struct event *evi_event_of(struct event_callback *callback)
{
	return evi_container_of(callback, struct event, ev_evcallback);
}

static inline unsigned evi_flags(const struct event *ev)
{
	return (unsigned short)ev->ev_evcallback.evcb_flags;
}

static inline void evi_flags_set(struct event *ev, unsigned flags)
{
	ev->ev_evcallback.evcb_flags = (short)(evi_flags(ev) | flags);
}

static inline void evi_flags_clear(struct event *ev, unsigned flags)
{
	ev->ev_evcallback.evcb_flags = (short)(evi_flags(ev) & ~flags);
}

static inline uint64_t evi_deadline(const struct event *ev)
{
	uint64_t deadline;

	memcpy(&deadline, &ev->ev_timeout, sizeof(deadline));
	return deadline;
}

static inline void evi_deadline_set(struct event *ev, uint64_t deadline)
{
	memcpy(&ev->ev_timeout, &deadline, sizeof(deadline));
}

/* Add order of events in the heap; wraps, so compare by difference. */
static inline uintptr_t evi_add_order(const struct event *ev)
{
	return (uintptr_t)ev->ev_timeout_pos.ev_next_with_common_timeout.tqe_prev;
}

static inline void evi_add_order_set(struct event *ev, uintptr_t order)
{
	ev->ev_timeout_pos.ev_next_with_common_timeout.tqe_prev = (struct event **)order;
}

/*
 * The repeat interval, nanoseconds; 0 for none. A signal event has its bookkeeping where others have
 * the interval; where struct timeval has 16 bytes the second half of ev_timeout is free, elsewhere
 * the unused pointer holds milliseconds.
 */
static inline uint64_t evi_interval(const struct event *ev)
{
	uint64_t interval;

	if (!(ev->ev_events & EV_SIGNAL))
		memcpy(&interval, &ev->ev_.ev_io.ev_timeout, sizeof(interval));
	else if (sizeof(ev->ev_timeout) >= 2 * sizeof(interval))
		memcpy(&interval, (const char *)&ev->ev_timeout + sizeof(interval), sizeof(interval));
	else
		interval = (uint64_t)(uintptr_t)ev->ev_.ev_signal.ev_pncalls * UINT64_C(1000000);
	return interval;
}

static inline void evi_interval_set(struct event *ev, uint64_t interval)
{
	if (!(ev->ev_events & EV_SIGNAL)) {
		memcpy(&ev->ev_.ev_io.ev_timeout, &interval, sizeof(interval));
	} else if (sizeof(ev->ev_timeout) >= 2 * sizeof(interval)) {
		memcpy((char *)&ev->ev_timeout + sizeof(interval), &interval, sizeof(interval));
	} else {
		uint64_t ms = (interval + 999999) / 1000000;

		ev->ev_.ev_signal.ev_pncalls = (short *)(uintptr_t)(ms < UINTPTR_MAX ? ms : UINTPTR_MAX);
	}
}

#endif
