/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors: what one ready event costs, and what changing interest costs. */

#include "pipes.h"

#include <event2/event.h>
#include <event2/event_struct.h>

struct load {
	struct pipes pipes;
	struct event_base *base;
	struct event *events;
	short flags;
	struct timeval *timeout;
};

static void count_down(struct load *load)
{
	if (--load->pipes.left <= 0)
		event_base_loopbreak(load->base);
}

static void add_again(struct load *load)
{
	if (!(load->flags & EV_PERSIST))
		event_add(event_base_get_running_event(load->base), load->timeout);
}

static void pass_on(evutil_socket_t fd, short what, void *arg)
{
	struct load *load = arg;

	(void)what;
	if (!pipes_take(fd))
		return;
	add_again(load);
	count_down(load);
	if (load->pipes.left > 0)
		pipes_pass_on(&load->pipes);
}

/* Ready for ever: nothing is read, so only the library and the wait are measured. */
static void stay_ready(evutil_socket_t fd, short what, void *arg)
{
	struct load *load = arg;

	(void)fd;
	(void)what;
	add_again(load);
	count_down(load);
}

static void remove_and_add(evutil_socket_t fd, short what, void *arg)
{
	struct load *load = arg;
	struct event *self = event_base_get_running_event(load->base);

	(void)fd;
	(void)what;
	event_del(self);
	event_add(self, NULL);
	count_down(load);
}

static void loop(void *base)
{
	event_base_dispatch(base);
}

static void run(long n, const struct bench_case *which, short flags, struct timeval *timeout,
		event_callback_fn cb)
{
	struct load load = { .base = event_base_new(), .flags = flags, .timeout = timeout };

	pipes_open(&load.pipes, which->a, which->b);
	load.events = calloc((size_t)which->a, sizeof(*load.events));
	if (load.base == NULL || load.events == NULL)
		bench_die("setup");
	for (long i = 0; i < which->a; i++) {
		event_assign(&load.events[i], load.base, load.pipes.fd[i][0], flags, cb, &load);
		event_add(&load.events[i], timeout);
	}
	pipes_measure(&load.pipes, loop, load.base, n);
}

static void persistent(long n, const struct bench_case *which)
{
	run(n, which, EV_READ | EV_PERSIST, NULL, pass_on);
}

static void persistent_timeout(long n, const struct bench_case *which)
{
	struct timeval minute = { 60, 0 };

	run(n, which, EV_READ | EV_PERSIST, &minute, pass_on);
}

static void one_shot(long n, const struct bench_case *which)
{
	run(n, which, EV_READ, NULL, pass_on);
}

static void always_ready(long n, const struct bench_case *which)
{
	run(n, which, EV_READ | EV_PERSIST, NULL, stay_ready);
}

static void always_ready_one_shot(long n, const struct bench_case *which)
{
	run(n, which, EV_READ, NULL, stay_ready);
}

static void delete_and_add(long n, const struct bench_case *which)
{
	run(n, which, EV_READ | EV_PERSIST, NULL, remove_and_add);
}

static void never(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void toggle_write(long n, const struct bench_case *which)
{
	struct event_base *base = event_base_new();
	struct event reader, writer;
	int fd[2];
	uint64_t start;

	(void)which;
	if (pipe2(fd, O_NONBLOCK | O_CLOEXEC) != 0)
		bench_die("pipe2");
	event_assign(&reader, base, fd[0], EV_READ | EV_PERSIST, never, NULL);
	event_add(&reader, NULL);
	event_assign(&writer, base, fd[0], EV_WRITE | EV_PERSIST, never, NULL);
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++) {
		event_add(&writer, NULL);
		event_del(&writer);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
}

int main(int argc, char **argv)
{
	static const struct io_cases by = {
		.persistent = persistent,
		.persistent_timeout = persistent_timeout,
		.one_shot = one_shot,
		.always_ready = always_ready,
		.always_ready_one_shot = always_ready_one_shot,
		.delete_and_add = delete_and_add,
		.toggle_write = toggle_write,
	};

	return io_main(argc, argv, &by);
}
