/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The timer heap.
 *
 * Order: by key, then by add order. An event that is postponed keeps its node; its add order changes,
 * so the node's place among equal keys would be wrong. Its key is therefore lowered by one nanosecond
 * first, which keeps the heap valid: the node surfaces a trifle early, and is then put where its
 * event belongs. Tombstones are lowered likewise, and count as the oldest of their key.
 */

#include "timer.h"

#include <errno.h>
#include <stdlib.h>

#define ARITY 4

/* After so many single removals, and an eighth of the heap, one pass over all is cheaper. */
#define SINGLES_MIN 64

static uintptr_t node_order(const struct evi_timer_node *node)
{
	return node->ev != NULL ? evi_add_order(node->ev) : 0;
}

static int is_before(const struct evi_timer_node *a, const struct evi_timer_node *b)
{
	if (a->key != b->key)
		return a->key < b->key;
	if (a->ev == NULL || b->ev == NULL)
		return a->ev == NULL && b->ev != NULL;
	return (intptr_t)(node_order(a) - node_order(b)) < 0;
}

static void place(struct evi_timers *t, size_t i, struct evi_timer_node node)
{
	t->nodes[i] = node;
	if (node.ev != NULL)
		node.ev->ev_timeout_pos.min_heap_idx = (int)i;
}

static void sift_up(struct evi_timers *t, size_t i)
{
	struct evi_timer_node node = t->nodes[i];
	size_t at = i;

	while (at > 0) {
		size_t parent = (at - 1) / ARITY;

		if (!is_before(&node, &t->nodes[parent]))
			break;
		place(t, at, t->nodes[parent]);
		at = parent;
	}
	if (at != i)
		place(t, at, node);
}

static size_t first_child(const struct evi_timers *t, size_t i)
{
	size_t child = ARITY * i + 1;
	size_t end = child + ARITY < t->used ? child + ARITY : t->used;
	size_t best = child;

	for (size_t c = child + 1; c < end; c++) {
		if (is_before(&t->nodes[c], &t->nodes[best]))
			best = c;
	}
	return best;
}

static void sift_down(struct evi_timers *t, size_t i)
{
	struct evi_timer_node node = t->nodes[i];

	while (ARITY * i + 1 < t->used) {
		size_t child = first_child(t, i);

		if (!is_before(&t->nodes[child], &node))
			break;
		place(t, i, t->nodes[child]);
		i = child;
	}
	place(t, i, node);
}

/* Makes a heap of nodes in any order. */
static void heapify(struct evi_timers *t)
{
	for (size_t i = 0; i < t->used; i++)
		place(t, i, t->nodes[i]);
	for (size_t i = t->used / ARITY + 1; i-- > 0;) {
		if (i < t->used)
			sift_down(t, i);
	}
}

static void remove_first(struct evi_timers *t)
{
	struct evi_timer_node last = t->nodes[--t->used];

	if (t->used > 0) {
		t->nodes[0] = last;
		sift_down(t, 0);
	}
}

int evi_timers_grow(struct evi_timers *t)
{
	struct evi_timer_node *nodes;
	size_t room = t->room != 0 ? t->room + t->room / 2 : 16;

	if (room > INT_MAX / sizeof(*nodes)) /* the index of a node is an int */
		return -ENOMEM;
	nodes = evi_realloc(t->nodes, room * sizeof(*nodes));
	if (nodes == NULL)
		return -ENOMEM;
	t->nodes = nodes;
	t->room = room;
	return 0;
}

void evi_timers_add(struct evi_timers *t, struct event *ev, uint64_t deadline)
{
	evi_deadline_set(ev, deadline);
	evi_add_order_set(ev, ++t->adds);
	place(t, t->used, (struct evi_timer_node){ .key = deadline, .ev = ev });
	t->live++;
	sift_up(t, t->used++);
}

void evi_timers_move(struct evi_timers *t, struct event *ev, uint64_t deadline)
{
	size_t i = (size_t)ev->ev_timeout_pos.min_heap_idx;
	struct evi_timer_node *node = &t->nodes[i];

	evi_deadline_set(ev, deadline);
	if (deadline < node->key)
		node->key = deadline;
	else if (node->key > 0)
		node->key--;
	evi_add_order_set(ev, ++t->adds);
	sift_up(t, i);
}

static void drop_tombstones(struct evi_timers *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->used; i++) {
		if (t->nodes[i].ev != NULL)
			t->nodes[kept++] = t->nodes[i];
	}
	t->used = kept;
	heapify(t);
}

void evi_timers_remove(struct evi_timers *t, struct event *ev)
{
	size_t i = (size_t)ev->ev_timeout_pos.min_heap_idx;
	struct evi_timer_node *node = &t->nodes[i];

	t->live--;
	if (i == t->used - 1) {
		t->used--;
		return;
	}
	node->ev = NULL;
	if (node->key > 0)
		node->key--;
	sift_up(t, i);
	if (t->used > 2 * t->live + SINGLES_MIN)
		drop_tombstones(t);
}

struct event *evi_timers_first(struct evi_timers *t)
{
	while (t->used > 0) {
		struct evi_timer_node *top = &t->nodes[0];

		if (top->ev == NULL) {
			remove_first(t);
			continue;
		}
		if (top->key == evi_deadline(top->ev))
			return top->ev;
		top->key = evi_deadline(top->ev);
		sift_down(t, 0);
	}
	return NULL;
}

struct due {
	uint64_t deadline;
	uintptr_t order;
	struct event *ev;
};

static int due_is_before(const struct due *a, const struct due *b)
{
	if (a->deadline != b->deadline)
		return a->deadline < b->deadline;
	return (intptr_t)(a->order - b->order) < 0;
}

/* Merges the sorted halves of `from` into `to`. */
static void merge(const struct due *from, size_t half, size_t n, struct due *to)
{
	size_t left = 0, right = half;

	for (size_t i = 0; i < n; i++) {
		if (right == n || (left < half && !due_is_before(&from[right], &from[left])))
			to[i] = from[left++];
		else
			to[i] = from[right++];
	}
}

static void insertion_sort(struct due *items, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct due item = items[i];
		size_t hole = i;

		for (; hole > 0 && due_is_before(&item, &items[hole - 1]); hole--)
			items[hole] = items[hole - 1];
		items[hole] = item;
	}
}

/* Sorts `items`, with `spare` of the same size to work in: merge sort from runs of RUN up. */
static struct due *sort_due(struct due *items, struct due *spare, size_t n)
{
	enum { RUN = 16 };

	for (size_t start = 0; start < n; start += RUN)
		insertion_sort(items + start, n - start < RUN ? n - start : RUN);
	for (size_t width = RUN; width < n; width *= 2) {
		struct due *swap = items;

		for (size_t start = 0; start < n; start += 2 * width) {
			size_t len = n - start < 2 * width ? n - start : 2 * width;

			merge(items + start, len < width ? len : width, len, spare + start);
		}
		items = spare;
		spare = swap;
	}
	return items;
}

static size_t count_due(const struct evi_timers *t, uint64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < t->used; i++) {
		if (t->nodes[i].ev != NULL && t->nodes[i].key <= now &&
		    evi_deadline(t->nodes[i].ev) <= now)
			n++;
	}
	return n;
}

/* Moves what is due to `items`, and keeps the rest in the heap with true keys. */
static void take_due(struct evi_timers *t, uint64_t now, struct due *items)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->used; i++) {
		struct evi_timer_node node = t->nodes[i];

		if (node.ev == NULL)
			continue;
		if (node.key <= now)
			node.key = evi_deadline(node.ev);
		if (node.key > now) {
			t->nodes[kept++] = node;
			continue;
		}
		*items++ = (struct due){ node.key, evi_add_order(node.ev), node.ev };
	}
	t->used = kept;
	t->live = kept;
	heapify(t);
}

/* Takes all that is due in one pass; 0 if there is no memory for it, and nothing has happened. */
static int expire_all(struct evi_timers *t, uint64_t now, void (*fn)(struct event *, void *), void *ctx)
{
	size_t n = count_due(t, now);
	struct due *items, *sorted;

	if (n < SINGLES_MIN)
		return 0;
	items = evi_calloc(2 * n, sizeof(*items));
	if (items == NULL)
		return 0;
	take_due(t, now, items);
	sorted = sort_due(items, items + n, n);
	for (size_t i = 0; i < n; i++)
		fn(sorted[i].ev, ctx);
	evi_free(items);
	return 1;
}

void evi_timers_expire(struct evi_timers *t, uint64_t now, void (*fn)(struct event *, void *),
		       void *ctx)
{
	size_t singles = 0;

	for (;;) {
		struct event *ev = evi_timers_first(t);

		if (ev == NULL || evi_deadline(ev) > now)
			return;
		if (++singles > SINGLES_MIN && singles > t->used / 8) {
			singles = 0;
			if (expire_all(t, now, fn, ctx))
				continue;
		}
		t->live--;
		remove_first(t);
		fn(ev, ctx);
	}
}

void evi_timers_done(struct evi_timers *t)
{
	evi_free(t->nodes);
	memset(t, 0, sizeof(*t));
}
