/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Common timeouts: one queue per duration. Events with the same duration expire in the order they
 * were added, so adding and deleting is at the ends of a list; one internal timer stands for all of
 * them.
 *
 * A program names a queue by a timeval whose microseconds carry a mark and the queue's number.
 */

#include "base.h"

#define MARK       0x50000000
#define MARK_MASK  0xf0000000
#define INDEX_MASK 0x0ff00000
#define USEC_MASK  0x000fffff
#define SHIFT      20

static struct event *neighbour_after(const struct event *ev)
{
	return ev->ev_timeout_pos.ev_next_with_common_timeout.tqe_next;
}

static struct event *neighbour_before(const struct event *ev)
{
	return (struct event *)(void *)ev->ev_timeout_pos.ev_next_with_common_timeout.tqe_prev;
}

static void join(struct event *before, struct event *after)
{
	before->ev_timeout_pos.ev_next_with_common_timeout.tqe_next = after;
	after->ev_timeout_pos.ev_next_with_common_timeout.tqe_prev =
		(struct event **)(void *)before;
}

static int is_empty(const struct evi_common *queue)
{
	return neighbour_after(&queue->ends) == &queue->ends;
}

/* The internal timer follows the first event. */
static void sync_timer(struct event_base *base, struct evi_common *queue)
{
	struct event *timer = &queue->timer;
	int is_set = (evi_flags(timer) & EVLIST_TIMEOUT) != 0;
	uint64_t deadline;

	if (is_empty(queue)) {
		if (is_set)
			evi_event_clear_timeout(timer);
		return;
	}
	deadline = evi_deadline(neighbour_after(&queue->ends));
	if (!is_set || evi_deadline(timer) != deadline)
		evi_event_set_deadline(timer, deadline, 0);
	(void)base;
}

struct evi_common *evi_common_marked(struct event_base *base, const struct timeval *tv)
{
	int index = (int)(((unsigned long)tv->tv_usec & INDEX_MASK) >> SHIFT);

	if (((unsigned long)tv->tv_usec & MARK_MASK) != MARK || index >= base->common_count)
		return NULL;
	if (base->commons[index]->key.tv_sec != tv->tv_sec ||
	    base->commons[index]->key.tv_usec != tv->tv_usec)
		return NULL;
	return base->commons[index];
}

struct evi_common *evi_common_of_interval(struct event_base *base, uint64_t interval)
{
	for (int i = 0; i < base->common_count; i++) {
		if (base->commons[i]->interval == interval)
			return base->commons[i];
	}
	return NULL;
}

/* From the end, since hardly anything is ever due before the last one. */
void evi_common_insert(struct event_base *base, struct evi_common *queue, struct event *ev)
{
	struct event *before = neighbour_before(&queue->ends);

	while (before != &queue->ends && evi_deadline(before) > evi_deadline(ev))
		before = neighbour_before(before);
	join(ev, neighbour_after(before));
	join(before, ev);
	if (before == &queue->ends)
		sync_timer(base, queue);
}

void evi_common_remove(struct event_base *base, struct event *ev)
{
	struct event *before = neighbour_before(ev);
	int was_first = (evi_flags(before) & EVLIST_INTERNAL) != 0;

	join(before, neighbour_after(ev));
	if (was_first)
		sync_timer(base, evi_container_of(before, struct evi_common, ends));
}

/* The timer of a queue has expired, and is out of the wheel. */
void evi_common_expire(struct event_base *base, struct event *timer, uint64_t now,
		       void (*fn)(struct event *ev, void *ctx), void *ctx)
{
	struct evi_common *queue = evi_container_of(timer, struct evi_common, timer);

	evi_flags_clear(timer, EVLIST_TIMEOUT);
	while (!is_empty(queue)) {
		struct event *ev = neighbour_after(&queue->ends);

		if (evi_deadline(ev) > now)
			break;
		join(&queue->ends, neighbour_after(ev));
		fn(ev, ctx);
	}
	sync_timer(base, queue);
}

static struct evi_common *add_queue(struct event_base *base, uint64_t interval)
{
	struct evi_common *queue = evi_calloc(1, sizeof(*queue));

	if (queue == NULL)
		return NULL;
	evi_event_init_internal(&queue->timer, base, -1, 0, NULL, NULL);
	evi_event_init_internal(&queue->ends, base, -1, 0, NULL, NULL);
	join(&queue->ends, &queue->ends);
	queue->interval = interval;
	queue->key.tv_sec = (time_t)(interval / EVI_NS_PER_S);
	queue->key.tv_usec = (int)(interval % EVI_NS_PER_S / EVI_NS_PER_US) | MARK |
			     (int)(base->common_count << SHIFT);
	base->commons[base->common_count++] = queue;
	return queue;
}

/* The table is made for as many as there can be, at the first: 2 KiB for those who use it. */
static struct evi_common *get_queue(struct event_base *base, const struct timeval *duration)
{
	struct evi_common *queue = evi_common_find(base, duration);
	uint64_t interval = evi_time_ns_of(duration);

	if (queue == NULL)
		queue = evi_common_of_interval(base, interval);
	if (queue != NULL)
		return queue;
	if (base->common_count == EVI_MAX_COMMON) {
		event_warnx("event_base_init_common_timeout: no more than %d durations",
			    EVI_MAX_COMMON);
		return NULL;
	}
	if (base->commons == NULL)
		base->commons = evi_calloc(EVI_MAX_COMMON, sizeof(struct evi_common *));
	return base->commons != NULL ? add_queue(base, interval) : NULL;
}

const struct timeval *event_base_init_common_timeout(struct event_base *base,
						     const struct timeval *duration)
{
	struct evi_common *queue;

	if (base == NULL || duration == NULL)
		return NULL;
	evi_base_lock(base);
	queue = get_queue(base, duration);
	evi_base_unlock(base);
	return queue != NULL ? &queue->key : NULL;
}

void evi_common_done(struct event_base *base)
{
	for (int i = 0; i < base->common_count; i++) {
		struct evi_common *queue = base->commons[i];

		while (!is_empty(queue))
			evi_event_orphan(neighbour_after(&queue->ends));
		evi_event_clear_timeout(&queue->timer);
		evi_free(queue);
	}
	evi_free(base->commons);
	base->commons = NULL;
	base->common_count = 0;
}
