/* SPDX-License-Identifier: BSD-3-Clause */
/* The same on libev. It has no one-shot watchers: those stop themselves and are started again. */

#include "pipes.h"

#include <ev.h>

static struct pipes pipes;
static int is_one_shot;

static void count_down(struct ev_loop *loop)
{
	if (--pipes.left <= 0)
		ev_break(loop, EVBREAK_ALL);
}

static void pass_on(struct ev_loop *loop, ev_io *watch, int what)
{
	(void)what;
	if (is_one_shot)
		ev_io_stop(loop, watch);
	if (pipes_take(watch->fd)) {
		count_down(loop);
		if (pipes.left > 0)
			pipes_pass_on(&pipes);
	}
	if (is_one_shot)
		ev_io_start(loop, watch);
}

static void stay_ready(struct ev_loop *loop, ev_io *watch, int what)
{
	(void)watch;
	(void)what;
	count_down(loop);
}

static void remove_and_add(struct ev_loop *loop, ev_io *watch, int what)
{
	(void)what;
	ev_io_stop(loop, watch);
	ev_io_start(loop, watch);
	count_down(loop);
}

static void loop(void *arg)
{
	ev_run(arg, 0);
}

static void run(long n, const struct bench_case *which,
		void (*callback)(struct ev_loop *loop, ev_io *watch, int what))
{
	struct ev_loop *base = ev_loop_new(EVBACKEND_EPOLL);
	ev_io *watches = calloc((size_t)which->a, sizeof(*watches));

	pipes_open(&pipes, which->a, which->b);
	if (base == NULL || watches == NULL)
		bench_die("setup");
	for (long i = 0; i < which->a; i++) {
		ev_io_init(&watches[i], callback, pipes.fd[i][0], EV_READ);
		ev_io_start(base, &watches[i]);
	}
	pipes_measure(&pipes, loop, base, n);
}

static void persistent(long n, const struct bench_case *which)
{
	run(n, which, pass_on);
}

static void one_shot(long n, const struct bench_case *which)
{
	is_one_shot = 1;
	run(n, which, pass_on);
}

static void always_ready(long n, const struct bench_case *which)
{
	run(n, which, stay_ready);
}

static void always_ready_one_shot(long n, const struct bench_case *which)
{
	run(n, which, remove_and_add);
}

static void delete_and_add(long n, const struct bench_case *which)
{
	run(n, which, remove_and_add);
}

int main(int argc, char **argv)
{
	static const struct io_cases by = {
		.persistent = persistent,
		.one_shot = one_shot,
		.always_ready = always_ready,
		.always_ready_one_shot = always_ready_one_shot,
		.delete_and_add = delete_and_add,
	};

	return io_main(argc, argv, &by);
}
