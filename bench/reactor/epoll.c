/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same without a library: epoll and one callback. Interest is a mask for each descriptor, which
 * the callback may change; epoll hears of it after the callback, if it has changed.
 */

#include "pipes.h"

#include <sys/epoll.h>

#define EVENTS_MAX 1024

struct watch {
	int fd;
	uint32_t wanted; /* cleared before the callback of a one-shot watch */
};

struct load {
	struct pipes pipes;
	struct watch *watches;
	void (*callback)(struct load *load, struct watch *watch);
	int epoll, is_one_shot;
};

static void pass_on(struct load *load, struct watch *watch)
{
	watch->wanted = EPOLLIN;
	if (pipes_take(watch->fd) && --load->pipes.left > 0)
		pipes_pass_on(&load->pipes);
}

static void stay_ready(struct load *load, struct watch *watch)
{
	watch->wanted = EPOLLIN;
	load->pipes.left--;
}

/* The compiler may not see that the first has no effect: in a program these are far apart. */
static void remove_and_add(struct load *load, struct watch *watch)
{
	*(volatile uint32_t *)&watch->wanted = 0;
	*(volatile uint32_t *)&watch->wanted = EPOLLIN;
	load->pipes.left--;
}

static void control(struct load *load, struct watch *watch, int operation)
{
	struct epoll_event event = { .events = watch->wanted, .data.ptr = watch };

	if (epoll_ctl(load->epoll, operation, watch->fd, &event) != 0)
		bench_die("epoll_ctl");
}

static void loop(void *arg)
{
	struct load *load = arg;

	while (load->pipes.left > 0) {
		struct epoll_event events[EVENTS_MAX];
		int n = epoll_wait(load->epoll, events, EVENTS_MAX, -1);

		for (int i = 0; i < n && load->pipes.left > 0; i++) {
			struct watch *watch = events[i].data.ptr;
			uint32_t before = watch->wanted;

			if (load->is_one_shot)
				watch->wanted = 0;
			load->callback(load, watch);
			if (watch->wanted != before)
				control(load, watch, EPOLL_CTL_MOD);
		}
	}
}

static void run(long n, const struct bench_case *which, int is_one_shot,
		void (*callback)(struct load *load, struct watch *watch))
{
	struct load load = { .callback = callback, .is_one_shot = is_one_shot };

	pipes_open(&load.pipes, which->a, which->b);
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	load.watches = calloc((size_t)which->a, sizeof(*load.watches));
	if (load.epoll < 0 || load.watches == NULL)
		bench_die("setup");
	for (long i = 0; i < which->a; i++) {
		load.watches[i] = (struct watch){ load.pipes.fd[i][0], EPOLLIN };
		control(&load, &load.watches[i], EPOLL_CTL_ADD);
	}
	pipes_measure(&load.pipes, loop, &load, n);
}

static void persistent(long n, const struct bench_case *which)
{
	run(n, which, 0, pass_on);
}

static void one_shot(long n, const struct bench_case *which)
{
	run(n, which, 1, pass_on);
}

static void always_ready(long n, const struct bench_case *which)
{
	run(n, which, 0, stay_ready);
}

static void always_ready_one_shot(long n, const struct bench_case *which)
{
	run(n, which, 1, stay_ready);
}

static void delete_and_add(long n, const struct bench_case *which)
{
	run(n, which, 0, remove_and_add);
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
