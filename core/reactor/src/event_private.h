/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_EVENT_PRIVATE_H_INCLUDED
#define EVI_EVENT_PRIVATE_H_INCLUDED

/*
 * What the fields of struct event mean to the reactor.
 *
 * The layout is fixed by programs that were compiled with it; most fields mean what they are
 * called. The rest is used as follows, always through the functions below:
 *
 *   ev_timeout                the deadline, nanoseconds on the monotonic clock (first 8 bytes), and
 *                             when it was set in relation to others (second 8, where there are any)
 *   ev_timeout_pos            the neighbours in a list of timers, or in a common timeout
 *   ev_.ev_io.ev_timeout      the repeat interval of an event on a descriptor, or a timer
 *   the gap after ev_fd       the mark of post.c, where there is a gap
 *   ev_.ev_signal             ev_ncalls: calls to come; ev_pncalls: the interval
 */

#include <event2/component/reactor.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define evi_noinline __attribute__((noinline)) /* keeps rare paths out of the frequent ones */
#else
#define evi_noinline
#endif

/* Bits of evcb_flags beyond the EVLIST_ ones. */
#define EVI_COMMON          0x100 /* the timeout is in a common queue, not among the timers */
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

/*
 * When the deadline was set, in relation to others: tells equal deadlines apart. Where struct
 * timeval has no room for it, lists that keep their order have to do.
 */
#define EVI_HAS_ORDER (sizeof(((struct event *)0)->ev_timeout) >= 2 * sizeof(uint64_t))

static inline uint64_t evi_order(const struct event *ev)
{
	uint64_t order = 0;

	if (EVI_HAS_ORDER)
		memcpy(&order, (const char *)&ev->ev_timeout + sizeof(order), sizeof(order));
	return order;
}

static inline void evi_order_set(struct event *ev, uint64_t order)
{
	if (EVI_HAS_ORDER)
		memcpy((char *)&ev->ev_timeout + sizeof(order), &order, sizeof(order));
}

/* What other threads may write at any time: post.c. NULL where there is no room for it. */
static inline _Atomic uint32_t *evi_post_mark(struct event *ev)
{
	size_t end = offsetof(struct event, ev_fd) + sizeof(ev->ev_fd);

	if (offsetof(struct event, ev_base) - end < sizeof(uint32_t))
		return NULL;
	return (_Atomic uint32_t *)(void *)((char *)ev + end);
}

/*
 * The repeat interval, nanoseconds; 0 for none. A signal event has its bookkeeping where others
 * have the interval; a pointer that is not needed holds its interval, as milliseconds if it is
 * narrow.
 */
static inline uint64_t evi_signal_unit(void)
{
	return sizeof(void *) >= sizeof(uint64_t) ? 1 : UINT64_C(1000000);
}

static inline uint64_t evi_io_interval(const struct event *ev)
{
	uint64_t interval;

	memcpy(&interval, &ev->ev_.ev_io.ev_timeout, sizeof(interval));
	return interval;
}

static inline uint64_t evi_interval(const struct event *ev)
{
	if (ev->ev_events & EV_SIGNAL)
		return (uint64_t)(uintptr_t)ev->ev_.ev_signal.ev_pncalls * evi_signal_unit();
	return evi_io_interval(ev);
}

static inline void evi_interval_set(struct event *ev, uint64_t interval)
{
	if (ev->ev_events & EV_SIGNAL) {
		uint64_t units = interval / evi_signal_unit() + (interval % evi_signal_unit() != 0);

		ev->ev_.ev_signal.ev_pncalls =
			(short *)(uintptr_t)(units < UINTPTR_MAX ? units : UINTPTR_MAX);
	} else {
		memcpy(&ev->ev_.ev_io.ev_timeout, &interval, sizeof(interval));
	}
}

/* --- Lists of timers: circular, through ev_timeout_pos, with a head that is no event ---------- */

struct __attribute__((may_alias)) evi_link {
	struct evi_link *next;
	struct evi_link *prev;
};

static inline struct evi_link *evi_timer_link(struct event *ev)
{
	return (struct evi_link *)(void *)&ev->ev_timeout_pos;
}

static inline struct event *evi_event_of_link(struct evi_link *link)
{
	return evi_container_of(link, struct event, ev_timeout_pos);
}

static inline void evi_link_init(struct evi_link *head)
{
	head->next = head;
	head->prev = head;
}

static inline int evi_link_is_alone(const struct evi_link *head)
{
	return head->next == head;
}

/* Before `at`; so at the end of the list whose head that is. */
static inline void evi_link_append(struct evi_link *at, struct evi_link *link)
{
	struct evi_link *before = at->prev;

	link->next = at;
	link->prev = before;
	before->next = link;
	at->prev = link;
}

static inline void evi_link_remove(struct evi_link *link)
{
	struct evi_link *before = link->prev, *after = link->next;

	before->next = after;
	after->prev = before;
}

/* Moves all of `from` to the end of `to`. */
static inline void evi_link_splice(struct evi_link *to, struct evi_link *from)
{
	struct evi_link *last = to->prev;

	if (evi_link_is_alone(from))
		return;
	last->next = from->next;
	from->next->prev = last;
	from->prev->next = to;
	to->prev = from->prev;
	evi_link_init(from);
}

#endif
