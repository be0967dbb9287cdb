/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers: add, delete, reschedule and expire, with many of them pending. */

#include "../bench.h"

#include <event2/event.h>
#include <event2/event_struct.h>

struct timers {
	struct event_base *base;
	struct event *events;
	long count, fired;
};

static void fire(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	++*(long *)arg;
}

static struct timeval delay(uint32_t *random, int same)
{
	struct timeval tv = { 50, 0 };

	if (!same) {
		tv.tv_sec = (time_t)(10 + bench_random(random) % 90);
		tv.tv_usec = (suseconds_t)(bench_random(random) % 1000000);
	}
	return tv;
}

static void make(struct timers *t, long count)
{
	t->base = event_base_new();
	t->events = calloc((size_t)count, sizeof(*t->events));
	t->count = count;
	t->fired = 0;
	if (t->base == NULL || t->events == NULL)
		bench_die("setup");
	for (long i = 0; i < count; i++)
		evtimer_assign(&t->events[i], t->base, fire, &t->fired);
}

static void add_all(struct timers *t, int same)
{
	uint32_t random = 1;

	for (long i = 0; i < t->count; i++) {
		struct timeval tv = delay(&random, same);

		event_add(&t->events[i], &tv);
	}
}

static void delete_all(struct timers *t)
{
	for (long i = 0; i < t->count; i++)
		event_del(&t->events[(i * 7919) % t->count]);
}

/* Repeats until about n operations are timed; the inverse operation in between is not. */
static void add(long n, const struct bench_case *which)
{
	struct timers t;
	uint64_t elapsed = 0;
	long rounds = n / which->a + 1;

	make(&t, which->a);
	for (long r = 0; r < rounds; r++) {
		uint64_t start = bench_cpu_ns();

		add_all(&t, (int)which->b);
		elapsed += bench_cpu_ns() - start;
		delete_all(&t);
	}
	bench_report_ns(elapsed, (double)(rounds * which->a));
}

static void delete(long n, const struct bench_case *which)
{
	struct timers t;
	uint64_t elapsed = 0;
	long rounds = n / which->a + 1;

	make(&t, which->a);
	for (long r = 0; r < rounds; r++) {
		uint64_t start;

		add_all(&t, (int)which->b);
		start = bench_cpu_ns();
		delete_all(&t);
		elapsed += bench_cpu_ns() - start;
	}
	bench_report_ns(elapsed, (double)(rounds * which->a));
}

static void reschedule(long n, const struct bench_case *which)
{
	struct timers t;
	uint32_t random = 2;
	uint64_t start;

	make(&t, which->a);
	add_all(&t, (int)which->b);
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++) {
		struct timeval tv = delay(&random, (int)which->b);

		event_add(&t.events[bench_random(&random) % (uint32_t)which->a], &tv);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
}

/* All are due when the loop starts: what running them off costs. */
static void expire(long n, const struct bench_case *which)
{
	struct timers t;
	uint64_t elapsed = 0;
	long rounds = n / which->a + 1;

	make(&t, which->a);
	for (long r = 0; r < rounds; r++) {
		uint32_t random = 3;
		uint64_t start;

		for (long i = 0; i < which->a; i++) {
			struct timeval tv = { 0, which->b ? 1000 :
				(suseconds_t)(bench_random(&random) % 1000) };

			event_add(&t.events[i], &tv);
		}
		start = bench_now_ns();
		while (bench_now_ns() - start < 6000000)
			;
		start = bench_cpu_ns();
		event_base_dispatch(t.base);
		elapsed += bench_cpu_ns() - start;
	}
	if (t.fired != rounds * which->a)
		bench_die("lost timers");
	bench_report_ns(elapsed, (double)(rounds * which->a));
}

static const struct bench_case cases[] = {
	{ "add/rand/1000", add, 1000, 0, 1000000 },
	{ "add/rand/100000", add, 100000, 0, 1000000 },
	{ "add/same/100000", add, 100000, 1, 1000000 },
	{ "del/rand/1000", delete, 1000, 0, 1000000 },
	{ "del/rand/100000", delete, 100000, 0, 1000000 },
	{ "resched/rand/1000", reschedule, 1000, 0, 1000000 },
	{ "resched/rand/100000", reschedule, 100000, 0, 1000000 },
	{ "resched/rand/1000000", reschedule, 1000000, 0, 1000000 },
	{ "resched/same/100000", reschedule, 100000, 1, 1000000 },
	{ "expire/rand/1000", expire, 1000, 0, 50000 },
	{ "expire/rand/100000", expire, 100000, 0, 300000 },
	{ "expire/same/100000", expire, 100000, 1, 300000 },
	{ NULL, NULL, 0, 0, 0 },
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, cases);
}
