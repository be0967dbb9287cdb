/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The deadlines of queries. Nearly all of them have the same time, so they stand in a queue that is
 * sorted already, and one timer of the loop's serves them all. When the first is taken away the
 * timer stays: it comes too early once, and is set anew.
 */

#include "dns/base.h"

#include <stddef.h>

#define US_PER_S 1000000

static int64_t now_us(const struct evdns_base *base)
{
	struct timeval now = { 0 };

	(void)event_gettime_monotonic(base->event_base, &now);
	return (int64_t)now.tv_sec * US_PER_S + now.tv_usec;
}

static struct evi_dns_query *query_of(struct evi_dns_deadline *deadline)
{
	return (struct evi_dns_query *)(void *)((char *)deadline -
						offsetof(struct evi_dns_query, deadline));
}

static void unlink_deadline(struct evi_dns_deadline *deadline)
{
	deadline->prev->next = deadline->next;
	deadline->next->prev = deadline->prev;
	deadline->next = NULL;
}

static void insert(struct evi_dns_deadline *queue, struct evi_dns_deadline *deadline)
{
	struct evi_dns_deadline *before = queue->prev;

	while (before != queue && before->at_us > deadline->at_us)
		before = before->prev;
	deadline->prev = before;
	deadline->next = before->next;
	deadline->next->prev = deadline;
	before->next = deadline;
}

/* The loop's timer comes when `at_us` does, or before. */
static int set_timer(struct evdns_base *base, int64_t at_us, const struct timeval *after)
{
	if (base->timer_at_us != 0 && base->timer_at_us <= at_us)
		return 0;
	if (event_add(&base->timer, after) < 0)
		return -1;
	base->timer_at_us = at_us;
	return 0;
}

int evi_dns_deadline_set(struct evi_dns_query *query, const struct timeval *after)
{
	struct evdns_base *base = query->base;
	struct evi_dns_deadline *deadline = &query->deadline;

	if (deadline->next != NULL)
		unlink_deadline(deadline);
	deadline->at_us = now_us(base) + (int64_t)after->tv_sec * US_PER_S + after->tv_usec;
	if (set_timer(base, deadline->at_us, after) < 0)
		return -1;
	insert(&base->deadlines, deadline);
	return 0;
}

void evi_dns_deadline_clear(struct evi_dns_query *query)
{
	struct evdns_base *base = query->base;

	if (query->deadline.next == NULL)
		return;
	unlink_deadline(&query->deadline);
	if (base->deadlines.next != &base->deadlines)
		return;
	(void)event_del_noblock(&base->timer); /* it would keep the loop running */
	base->timer_at_us = 0;
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct evdns_base *base = arg;
	struct evi_dns_deadline *queue = &base->deadlines;
	int64_t now = now_us(base), left_us;

	(void)fd;
	(void)what;
	evi_dns_lock(base);
	base->timer_at_us = 0;
	while (queue->next != queue && queue->next->at_us <= now) {
		struct evi_dns_query *query = query_of(queue->next);

		unlink_deadline(queue->next);
		evi_dns_query_timed_out(query);
	}
	if (queue->next != queue) {
		left_us = queue->next->at_us - now;
		/* A timer that was added before is added again without memory. */
		(void)set_timer(base, queue->next->at_us,
				&(struct timeval) { (time_t)(left_us / US_PER_S),
						    (int)(left_us % US_PER_S) });
	}
	evi_dns_unlock(base);
}

void evi_dns_deadlines_init(struct evdns_base *base)
{
	base->deadlines.next = base->deadlines.prev = &base->deadlines;
	(void)event_assign(&base->timer, base->event_base, -1, 0, on_time, base);
}

static void timer_gone(struct event *timer, void *arg)
{
	event_debug_unassign(timer);
	evi_dns_disposed(arg);
}

void evi_dns_deadlines_done(struct evdns_base *base)
{
	(void)event_del_noblock(&base->timer);
	evi_dns_dispose(base, &base->timer, timer_gone);
}
