/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Puts timers that are due soon in order: by deadline, and equal ones as they were set.
 *
 * Few are sorted on the stack, many in an array of their own, which is quicker by far than walking
 * lists through events all over memory. Without memory for that, they are sorted few by few.
 */

#include "timer.h"

#define FEW       32
#define DIGITS    256
#define AHEAD     8 /* how far to prefetch */

struct item {
	uint64_t deadline;
	struct event *ev;
};

/* `spare` has the same room, to sort with. */
struct items {
	struct item *items;
	struct item *spare;
	struct item *memory; /* to free */
	size_t used;
	size_t room;
};

static int is_before(const struct item *a, const struct item *b)
{
	return a->deadline != b->deadline ? a->deadline < b->deadline :
					    evi_order(a->ev) < evi_order(b->ev);
}

static struct item item_of(struct event *ev)
{
	return (struct item){ .deadline = evi_deadline(ev), .ev = ev };
}

static int grow(struct items *all)
{
	size_t room = all->room * 4;
	struct item *memory = evi_malloc(room * 2 * sizeof(*memory));

	if (memory == NULL)
		return -1;
	memcpy(memory, all->items, all->used * sizeof(*memory));
	evi_free(all->memory);
	all->memory = memory;
	all->items = memory;
	all->spare = memory + room;
	all->room = room;
	return 0;
}

/* Empties the list as far as there is room. */
static void take(struct items *all, struct evi_link *list)
{
	while (!evi_link_is_alone(list)) {
		struct evi_link *link = list->next;

		if (all->used == all->room && grow(all) < 0)
			return;
		evi_link_remove(link);
		all->items[all->used++] = item_of(evi_event_of_link(link));
	}
}

static int is_sorted(const struct items *all)
{
	for (size_t i = 1; i < all->used; i++) {
		if (is_before(&all->items[i], &all->items[i - 1]))
			return 0;
	}
	return 1;
}

static void insertion_sort(struct items *all)
{
	for (size_t i = 1; i < all->used; i++) {
		struct item item = all->items[i];
		size_t hole = i;

		for (; hole > 0 && is_before(&item, &all->items[hole - 1]); hole--)
			all->items[hole] = all->items[hole - 1];
		all->items[hole] = item;
	}
}

static uint64_t key_of(const struct item *item, int by_order)
{
	return by_order ? evi_order(item->ev) : item->deadline;
}

/* Sorts by one byte of the keys' distance from `least`; equal ones stay as they are. */
static void radix_pass(struct items *all, int by_order, uint64_t least, int shift)
{
	struct item *sorted = all->spare;
	size_t ends[DIGITS] = { 0 }, start = 0;

	for (size_t i = 0; i < all->used; i++)
		ends[(key_of(&all->items[i], by_order) - least) >> shift & (DIGITS - 1)]++;
	for (int digit = 0; digit < DIGITS; digit++) {
		size_t count = ends[digit];

		ends[digit] = start;
		start += count;
	}
	for (size_t i = 0; i < all->used; i++) {
		const struct item *item = &all->items[i];

		sorted[ends[(key_of(item, by_order) - least) >> shift & (DIGITS - 1)]++] = *item;
	}
	all->spare = all->items;
	all->items = sorted;
}

static void radix_sort(struct items *all, int by_order)
{
	uint64_t least = UINT64_MAX, most = 0;

	for (size_t i = 0; i < all->used; i++) {
		uint64_t key = key_of(&all->items[i], by_order);

		least = key < least ? key : least;
		most = key > most ? key : most;
	}
	for (int shift = 0; shift < 64 && (most - least) >> shift != 0; shift += 8)
		radix_pass(all, by_order, least, shift);
}

static void sort(struct items *all)
{
	if (is_sorted(all))
		return;
	if (all->used <= FEW) {
		insertion_sort(all);
		return;
	}
	radix_sort(all, 0);
	if (is_sorted(all))
		return;
	/* Equal deadlines, postponed in another order than they came in. */
	radix_sort(all, 1);
	radix_sort(all, 0);
}

/* Everything in `all` goes to its place in `soon`, which is most often the end. */
static void merge(struct evi_link *soon, const struct items *all)
{
	struct evi_link *at = soon->next;

	if (at != soon) {
		struct item last = item_of(evi_event_of_link(soon->prev));

		if (!is_before(&all->items[0], &last))
			at = soon;
	}
	for (size_t i = 0; i < all->used; i++) {
		if (i + AHEAD < all->used)
			__builtin_prefetch(evi_timer_link(all->items[i + AHEAD].ev), 1);
		for (; at != soon; at = at->next) {
			struct item other = item_of(evi_event_of_link(at));

			if (is_before(&all->items[i], &other))
				break;
		}
		evi_link_append(at, evi_timer_link(all->items[i].ev));
	}
}

void evi_timers_order(struct evi_timers *t)
{
	while (!evi_link_is_alone(&t->late)) {
		struct item few[2 * FEW];
		struct items all = { .items = few, .spare = few + FEW, .room = FEW };

		take(&all, &t->late);
		sort(&all);
		merge(&t->soon, &all);
		evi_free(all.memory);
	}
}
