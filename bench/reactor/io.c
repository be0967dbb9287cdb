/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors: what one ready event costs, and what changing interest costs. */

#include "../bench.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

struct pipes {
	struct event_base *base;
	struct event *events;
	int (*fd)[2];
	long count, active, left;
	short flags;
	struct timeval *timeout;
	uint32_t random;
};

static void allow_descriptors(long count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		bench_die("getrlimit");
	if (limit.rlim_cur >= (rlim_t)count)
		return;
	limit.rlim_cur = (rlim_t)count;
	if (limit.rlim_max < (rlim_t)count)
		limit.rlim_max = (rlim_t)count;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		bench_die("setrlimit");
}

/*
 * One byte travels: who reads it writes to another pipe, so `active` pipes are ready at any time.
 */
static void pass_on(evutil_socket_t fd, short what, void *arg)
{
	struct pipes *p = arg;
	char byte;

	(void)what;
	if (read(fd, &byte, 1) != 1)
		return;
	if (!(p->flags & EV_PERSIST))
		event_add(event_base_get_running_event(p->base), p->timeout);
	if (--p->left <= 0) {
		event_base_loopbreak(p->base);
		return;
	}
	if (write(p->fd[bench_random(&p->random) % (uint32_t)p->count][1], "x", 1) != 1)
		bench_die("write");
}

/* Ready for ever: nothing is read, so only the library and the wait are measured. */
static void stay_ready(evutil_socket_t fd, short what, void *arg)
{
	struct pipes *p = arg;

	(void)fd;
	(void)what;
	if (!(p->flags & EV_PERSIST))
		event_add(event_base_get_running_event(p->base), p->timeout);
	if (--p->left <= 0)
		event_base_loopbreak(p->base);
}

static void remove_and_add(evutil_socket_t fd, short what, void *arg)
{
	struct pipes *p = arg;
	struct event *self = event_base_get_running_event(p->base);

	(void)fd;
	(void)what;
	event_del(self);
	event_add(self, NULL);
	if (--p->left <= 0)
		event_base_loopbreak(p->base);
}

static void open_pipes(struct pipes *p, long count, long active, short flags, event_callback_fn cb)
{
	allow_descriptors(2 * count + 50);
	p->base = event_base_new();
	p->count = count;
	p->active = active;
	p->flags = flags;
	p->events = calloc((size_t)count, sizeof(*p->events));
	p->fd = calloc((size_t)count, sizeof(*p->fd));
	if (p->base == NULL || p->events == NULL || p->fd == NULL)
		bench_die("setup");
	for (long i = 0; i < count; i++) {
		if (pipe2(p->fd[i], O_NONBLOCK | O_CLOEXEC) != 0)
			bench_die("pipe2");
		event_assign(&p->events[i], p->base, p->fd[i][0], flags, cb, p);
		event_add(&p->events[i], p->timeout);
	}
	for (long i = 0; i < active; i++)
		if (write(p->fd[i * (count / active)][1], "x", 1) != 1)
			bench_die("write");
}

static void run_loop(struct pipes *p, long n)
{
	uint64_t start;

	p->left = n / 10 + 1;
	event_base_dispatch(p->base); /* warm */
	for (long i = 0; i < p->active; i++)
		if (write(p->fd[i * (p->count / p->active)][1], "x", 1) != 1)
			bench_die("write");
	p->left = n;
	start = bench_cpu_ns();
	event_base_dispatch(p->base);
	bench_report_ns(bench_cpu_ns() - start, (double)n);
}

static void persistent(long n, const struct bench_case *which)
{
	struct pipes p = { .base = NULL };

	open_pipes(&p, which->a, which->b, EV_READ | EV_PERSIST, pass_on);
	run_loop(&p, n);
}

static void persistent_timeout(long n, const struct bench_case *which)
{
	struct timeval minute = { 60, 0 };
	struct pipes p = { .timeout = &minute };

	open_pipes(&p, which->a, which->b, EV_READ | EV_PERSIST, pass_on);
	run_loop(&p, n);
}

static void one_shot(long n, const struct bench_case *which)
{
	struct pipes p = { .base = NULL };

	open_pipes(&p, which->a, which->b, EV_READ, pass_on);
	run_loop(&p, n);
}

static void always_ready(long n, const struct bench_case *which)
{
	struct pipes p = { .base = NULL };

	open_pipes(&p, which->a, which->b, EV_READ | EV_PERSIST, stay_ready);
	run_loop(&p, n);
}

static void always_ready_one_shot(long n, const struct bench_case *which)
{
	struct pipes p = { .base = NULL };

	open_pipes(&p, which->a, which->b, EV_READ, stay_ready);
	run_loop(&p, n);
}

static void delete_and_add(long n, const struct bench_case *which)
{
	struct pipes p = { .base = NULL };

	open_pipes(&p, which->a, which->b, EV_READ | EV_PERSIST, remove_and_add);
	run_loop(&p, n);
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

static const struct bench_case cases[] = {
	{ "lt/100/1", persistent, 100, 1, 200000 },
	{ "lt/1000/100", persistent, 1000, 100, 300000 },
	{ "lt/10000/1000", persistent, 10000, 1000, 300000 },
	{ "lt+timeout/1000/100", persistent_timeout, 1000, 100, 300000 },
	{ "oneshot/1000/100", one_shot, 1000, 100, 200000 },
	{ "ready/100/1", always_ready, 100, 1, 500000 },
	{ "ready/1000/100", always_ready, 1000, 100, 1000000 },
	{ "ready+oneshot/1000/100", always_ready_one_shot, 1000, 100, 200000 },
	{ "del+add/1000/100", delete_and_add, 1000, 100, 200000 },
	{ "toggle-write", toggle_write, 0, 0, 500000 },
	{ NULL, NULL, 0, 0, 0 },
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, cases);
}
