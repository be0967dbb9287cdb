/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_TIMER_H_INCLUDED
#define EVI_TIMER_H_INCLUDED

/*
 * Deadlines in order: a 4-ary heap of (deadline, event), equal deadlines in the order they were added.
 *
 * Deletion and postponement do not move anything: the node stays where it is as a tombstone, or
 * with its old deadline, and is dealt with when it surfaces. So the usual life of a timeout, set and
 * pushed back again and again and hardly ever reached, costs next to nothing. Tombstones are at
 * most half of the nodes.
 *
 * A node's key is never above its event's deadline. See timer.c for how ties stay in order.
 */

#include "event_private.h"

struct evi_timer_node {
	uint64_t key;
	struct event *ev; /* NULL: a tombstone */
};

struct evi_timers {
	struct evi_timer_node *nodes;
	size_t used;
	size_t room;
	size_t live; /* nodes with an event */
	uintptr_t adds;
};

/* Room for one more; 0 or -ENOMEM. */
int evi_timers_grow(struct evi_timers *timers);

static inline int evi_timers_reserve(struct evi_timers *timers)
{
	return timers->used < timers->room ? 0 : evi_timers_grow(timers);
}

/* Add an event that is not in the heap; room must have been reserved. */
void evi_timers_add(struct evi_timers *timers, struct event *ev, uint64_t deadline);

/* Give an event in the heap another deadline; it counts as added now. */
void evi_timers_move(struct evi_timers *timers, struct event *ev, uint64_t deadline);

void evi_timers_remove(struct evi_timers *timers, struct event *ev);

/* The event with the earliest deadline; NULL if there is none. */
struct event *evi_timers_first(struct evi_timers *timers);

/* Take every event whose deadline is <= `now` out, in order, and hand it to `fn`. */
void evi_timers_expire(struct evi_timers *timers, uint64_t now,
		       void (*fn)(struct event *ev, void *ctx), void *ctx);

void evi_timers_done(struct evi_timers *timers);

#endif
