/* SPDX-License-Identifier: BSD-3-Clause */
/* The same on libuv. It has no one-shot polling: those stop themselves and are started again. */

#include "pipes.h"

#include <uv.h>

static struct pipes pipes;
static uv_poll_cb callback;
static int is_one_shot;

static void count_down(uv_poll_t *watch)
{
	if (--pipes.left <= 0)
		uv_stop(watch->loop);
}

static void start(uv_poll_t *watch)
{
	if (uv_poll_start(watch, UV_READABLE, callback) != 0)
		bench_die("uv_poll_start");
}

static void pass_on(uv_poll_t *watch, int status, int what)
{
	int fd;

	(void)status;
	(void)what;
	if (is_one_shot)
		uv_poll_stop(watch);
	if (uv_fileno((uv_handle_t *)watch, &fd) == 0 && pipes_take(fd)) {
		count_down(watch);
		if (pipes.left > 0)
			pipes_pass_on(&pipes);
	}
	if (is_one_shot)
		start(watch);
}

static void stay_ready(uv_poll_t *watch, int status, int what)
{
	(void)status;
	(void)what;
	count_down(watch);
}

static void remove_and_add(uv_poll_t *watch, int status, int what)
{
	(void)status;
	(void)what;
	uv_poll_stop(watch);
	start(watch);
	count_down(watch);
}

static void loop(void *arg)
{
	uv_run(arg, UV_RUN_DEFAULT);
}

static void run(long n, const struct bench_case *which, uv_poll_cb wanted)
{
	uv_loop_t base;
	uv_poll_t *watches = calloc((size_t)which->a, sizeof(*watches));

	callback = wanted;
	pipes_open(&pipes, which->a, which->b);
	if (watches == NULL || uv_loop_init(&base) != 0)
		bench_die("setup");
	for (long i = 0; i < which->a; i++) {
		if (uv_poll_init(&base, &watches[i], pipes.fd[i][0]) != 0)
			bench_die("uv_poll_init");
		start(&watches[i]);
	}
	pipes_measure(&pipes, loop, &base, n);
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
