/* SPDX-License-Identifier: BSD-3-Clause */
/* Activation by hand: the queues without the kernel. */

#include "../bench.h"

#include <event2/event.h>
#include <event2/event_struct.h>

struct state {
	struct event_base *base;
	struct event *self;
	long left;
};

static void again(evutil_socket_t fd, short what, void *arg)
{
	struct state *s = arg;

	(void)fd;
	(void)what;
	if (--s->left > 0)
		event_active(s->self, EV_READ, 1);
	else
		event_base_loopbreak(s->base);
}

static void self(long n, const struct bench_case *which)
{
	struct state s = { .base = event_base_new(), .left = n };
	uint64_t start;

	(void)which;
	s.self = event_new(s.base, -1, EV_PERSIST, again, &s);
	event_active(s.self, EV_READ, 1);
	start = bench_cpu_ns();
	event_base_loop(s.base, EVLOOP_NO_EXIT_ON_EMPTY);
	bench_report_ns(bench_cpu_ns() - start, (double)n);
}

static void count_down(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	--*(long *)arg;
}

static void fan(long n, const struct bench_case *which)
{
	struct event_base *base = event_base_new();
	struct event *events[128];
	long left = n;
	uint64_t start;

	(void)which;
	for (int i = 0; i < 128; i++)
		events[i] = event_new(base, -1, EV_PERSIST, count_down, &left);
	start = bench_cpu_ns();
	while (left > 0) {
		for (int i = 0; i < 128; i++)
			event_active(events[i], EV_READ, 1);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
}

static void once(long n, const struct bench_case *which)
{
	struct event_base *base = event_base_new();
	long left = n;
	uint64_t start = bench_cpu_ns();

	(void)which;
	while (left > 0) {
		for (int i = 0; i < 100; i++)
			event_base_once(base, -1, EV_TIMEOUT, count_down, &left, NULL);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
}

static const struct bench_case cases[] = {
	{ "self", self, 0, 0, 3000000 },
	{ "fan128", fan, 0, 0, 3000000 },
	{ "once", once, 0, 0, 1000000 },
	{ NULL, NULL, 0, 0, 0 },
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, cases);
}
