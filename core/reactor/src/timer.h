/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_TIMER_H_INCLUDED
#define EVI_TIMER_H_INCLUDED

/*
 * Deadlines in order: a wheel of lists for what is due later than the present tick of about a
 * millisecond, and one sorted list for the rest. The lists run through the events themselves, so
 * adding never fails and a timer takes no memory.
 *
 * A slot of level n spans 64^n ticks. A deadline's level is the highest digit, base 64, in which
 * its tick differs from the cursor's; the cursor follows the clock. When it enters a slot, the
 * events in it are filed anew: most timeouts are deleted or postponed long before that. A postponed
 * event stays in its slot until then.
 *
 * Equal deadlines are due in the order they were set; see evi_order() for where that is kept.
 */

#include "event_private.h"

#define EVI_TICK_BITS  20 /* nanoseconds to ticks */
#define EVI_SLOT_BITS  6
#define EVI_SLOTS      (1 << EVI_SLOT_BITS)
#define EVI_LEVELS     8 /* times EVI_SLOT_BITS: no fewer than a tick has bits */

/* `bound` when it has to be found out. */
#define EVI_BOUND_UNKNOWN 0

struct evi_timers {
	struct evi_link soon;  /* due up to the cursor's tick, in order */
	struct evi_link late;  /* as `soon`, but not in order yet */
	uint64_t cursor;       /* a tick */
	uint64_t bound;        /* nothing in the wheel is due earlier */
	uint64_t changes;      /* counts the deadlines set */
	size_t live;
	uint64_t occupied[EVI_LEVELS]; /* bit n: slot n is in use, though it may be empty by now */
	struct evi_link slots[EVI_LEVELS][EVI_SLOTS];
};

void evi_timers_init(struct evi_timers *timers);

static inline uint64_t evi_tick_of(uint64_t deadline)
{
	return deadline >> EVI_TICK_BITS;
}

/* Puts an event where its deadline belongs. */
static inline void evi_timers_file(struct evi_timers *timers, struct event *ev, uint64_t deadline)
{
	uint64_t tick = evi_tick_of(deadline);
	struct evi_link *list = &timers->late;

	if (tick > timers->cursor) {
		unsigned level =
			(63u - (unsigned)__builtin_clzll(tick ^ timers->cursor)) / EVI_SLOT_BITS;
		unsigned digit = (unsigned)(tick >> (level * EVI_SLOT_BITS)) % EVI_SLOTS;

		timers->occupied[level] |= UINT64_C(1) << digit;
		list = &timers->slots[level][digit];
		if (deadline < timers->bound)
			timers->bound = deadline;
	}
	evi_link_append(list, evi_timer_link(ev));
}

static inline void evi_timers_set(struct evi_timers *timers, struct event *ev, uint64_t deadline)
{
	evi_deadline_set(ev, deadline);
	evi_order_set(ev, ++timers->changes);
}

/* Add an event that is not in there. */
static inline void evi_timers_add(struct evi_timers *timers, struct event *ev, uint64_t deadline)
{
	if (timers->live++ == 0)
		timers->bound = UINT64_MAX;
	evi_timers_set(timers, ev, deadline);
	evi_timers_file(timers, ev, deadline);
}

/* Give an event that is in there another deadline. */
void evi_timers_move(struct evi_timers *timers, struct event *ev, uint64_t deadline);

static inline void evi_timers_remove(struct evi_timers *timers, struct event *ev)
{
	if (evi_deadline(ev) == timers->bound)
		timers->bound = EVI_BOUND_UNKNOWN;
	evi_link_remove(evi_timer_link(ev));
	timers->live--;
}

/*
 * When to look again: the earliest deadline or, if many are close, a little before. 0 if there is
 * none.
 */
int evi_timers_next(struct evi_timers *timers, uint64_t *when);

/*
 * Take events whose deadline is <= `now` out, in order, and hand them to `fn`, `most` at most. 1 if
 * there are more.
 */
int evi_timers_expire(struct evi_timers *timers, uint64_t now, int most,
		      void (*fn)(struct event *ev, void *ctx), void *ctx);

/* Calls `fn` for each event until it returns nonzero, and returns that. It may remove the event. */
int evi_timers_each(struct evi_timers *timers, int (*fn)(struct event *ev, void *ctx), void *ctx);

/* Puts what is `late` where it belongs among what is `soon`; empties `late`. timer_order.c. */
void evi_timers_order(struct evi_timers *timers);

#endif
