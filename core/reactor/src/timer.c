/* SPDX-License-Identifier: BSD-3-Clause */
/* The timer wheel. */

#include "timer.h"

#include "clock.h"

/*
 * In a slot with more events than this, the earliest is looked for only when the slot's time has
 * come.
 */
#define SCAN_MAX 64

static unsigned digit_of(uint64_t tick, int level)
{
	return (unsigned)(tick >> (level * EVI_SLOT_BITS)) % EVI_SLOTS;
}

/* What a tick has in common with all that share its slot. */
static uint64_t slot_number(uint64_t tick, int level)
{
	return tick >> (level * EVI_SLOT_BITS);
}

void evi_timers_init(struct evi_timers *t)
{
	evi_link_init(&t->soon);
	evi_link_init(&t->late);
	for (int level = 0; level < EVI_LEVELS; level++) {
		for (int digit = 0; digit < EVI_SLOTS; digit++)
			evi_link_init(&t->slots[level][digit]);
	}
	t->cursor = evi_tick_of(evi_clock_monotonic_ns(0));
}

void evi_timers_move(struct evi_timers *t, struct event *ev, uint64_t deadline)
{
	uint64_t old = evi_deadline(ev);

	if (old == t->bound)
		t->bound = EVI_BOUND_UNKNOWN;
	evi_timers_set(t, ev, deadline);
	if (EVI_HAS_ORDER && deadline >= old && evi_tick_of(old) > t->cursor)
		return;
	evi_link_remove(evi_timer_link(ev));
	evi_timers_file(t, ev, deadline);
}

/*
 * The earliest deadline in a slot that starts with `start`, or a lower bound; EVI_BOUND_UNKNOWN if
 * there is none, because all that was in it has been postponed and is filed anew now.
 */
static uint64_t scan_slot(struct evi_timers *t, struct evi_link *slot, uint64_t start, int level)
{
	uint64_t earliest = UINT64_MAX;
	struct evi_link *link, *next;
	int seen = 0;

	for (link = slot->next; link != slot; link = next) {
		struct event *ev = evi_event_of_link(link);
		uint64_t deadline = evi_deadline(ev);

		next = link->next;
		if (slot_number(evi_tick_of(deadline), level) != slot_number(start, level)) {
			evi_link_remove(link);
			evi_timers_file(t, ev, deadline);
			continue;
		}
		if (++seen > SCAN_MAX)
			return start << EVI_TICK_BITS;
		if (deadline < earliest)
			earliest = deadline;
	}
	return seen > 0 ? earliest : EVI_BOUND_UNKNOWN;
}

/* The lowest level has the earliest slots, since higher digits are the cursor's there. */
static uint64_t find_bound(struct evi_timers *t)
{
	uint64_t bound = EVI_BOUND_UNKNOWN;

	for (int level = 0; level < EVI_LEVELS && bound == EVI_BOUND_UNKNOWN; level++) {
		while (t->occupied[level] != 0 && bound == EVI_BOUND_UNKNOWN) {
			int digit = __builtin_ctzll(t->occupied[level]);
			uint64_t above = slot_number(t->cursor, level + 1) << EVI_SLOT_BITS;
			uint64_t start = (above | (unsigned)digit) << (level * EVI_SLOT_BITS);

			bound = scan_slot(t, &t->slots[level][digit], start, level);
			if (bound == EVI_BOUND_UNKNOWN)
				t->occupied[level] &= ~(UINT64_C(1) << digit);
		}
	}
	return bound;
}

int evi_timers_next(struct evi_timers *t, uint64_t *when)
{
	if (t->live == 0)
		return 0;
	evi_timers_order(t);
	if (!evi_link_is_alone(&t->soon)) {
		*when = evi_deadline(evi_event_of_link(t->soon.next));
		return 1;
	}
	if (t->bound == EVI_BOUND_UNKNOWN)
		t->bound = find_bound(t);
	*when = t->bound;
	return 1;
}

/* Moves the events of the slots in `which` to `list`. */
static void empty_slots(struct evi_timers *t, int level, uint64_t which, struct evi_link *list)
{
	t->occupied[level] &= ~which;
	for (; which != 0; which &= which - 1)
		evi_link_splice(list, &t->slots[level][__builtin_ctzll(which)]);
}

/* Moves the cursor to a later tick, and files anew what was in the slots on the way. */
static void advance(struct evi_timers *t, uint64_t tick)
{
	struct evi_link moved;
	int level = 0;

	evi_link_init(&moved);
	for (; slot_number(tick, level + 1) != slot_number(t->cursor, level + 1); level++)
		empty_slots(t, level, t->occupied[level], &moved);
	/*
	 * From here on up the digits are the same; bits beyond the cursor's and up to the tick's
	 * remain.
	 */
	empty_slots(t, level, t->occupied[level] & (UINT64_MAX >> (63 - digit_of(tick, level))),
		    &moved);
	t->cursor = tick;
	t->bound = EVI_BOUND_UNKNOWN;
	while (!evi_link_is_alone(&moved)) {
		struct event *ev = evi_event_of_link(moved.next);

		evi_link_remove(moved.next);
		evi_timers_file(t, ev, evi_deadline(ev));
	}
}

int evi_timers_expire(struct evi_timers *t, uint64_t now, int most,
		      void (*fn)(struct event *, void *), void *ctx)
{
	if (evi_tick_of(now) > t->cursor && t->bound <= now)
		advance(t, evi_tick_of(now));
	evi_timers_order(t);
	for (; !evi_link_is_alone(&t->soon); most--) {
		struct event *ev = evi_event_of_link(t->soon.next);

		if (evi_deadline(ev) > now)
			return 0;
		if (most == 0)
			return 1;
		evi_link_remove(t->soon.next);
		t->live--;
		fn(ev, ctx);
	}
	return 0;
}

static int each_of(struct evi_link *list, int (*fn)(struct event *, void *), void *ctx)
{
	struct evi_link *link, *next;
	int result = 0;

	for (link = list->next; link != list && result == 0; link = next) {
		next = link->next;
		result = fn(evi_event_of_link(link), ctx);
	}
	return result;
}

int evi_timers_each(struct evi_timers *t, int (*fn)(struct event *, void *), void *ctx)
{
	int result;

	evi_timers_order(t);
	result = each_of(&t->soon, fn, ctx);
	for (int level = 0; level < EVI_LEVELS && result == 0; level++) {
		for (uint64_t bits = t->occupied[level]; bits != 0 && result == 0; bits &= bits - 1)
			result = each_of(&t->slots[level][__builtin_ctzll(bits)], fn, ctx);
	}
	return result;
}
