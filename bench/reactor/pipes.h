/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PIPES_H_INCLUDED
#define PIPES_H_INCLUDED

/* Pipes that are ready or become so, and the cases that all loops are measured by. */

#include "../bench.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

struct pipes {
	int (*fd)[2];
	long count, active;
	long left; /* callbacks until the loop ends */
	uint32_t random;
};

static inline void allow_descriptors(long count)
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

/* A byte into every pipe that is to be ready at first. */
static inline void pipes_fill(struct pipes *p)
{
	for (long i = 0; i < p->active; i++)
		if (write(p->fd[i * (p->count / p->active)][1], "x", 1) != 1)
			bench_die("write");
}

static inline void pipes_open(struct pipes *p, long count, long active)
{
	allow_descriptors(2 * count + 50);
	*p = (struct pipes){ .fd = calloc((size_t)count, sizeof(*p->fd)), .count = count,
			     .active = active };
	if (p->fd == NULL)
		bench_die("calloc");
	for (long i = 0; i < count; i++)
		if (pipe2(p->fd[i], O_NONBLOCK | O_CLOEXEC) != 0)
			bench_die("pipe2");
	pipes_fill(p);
}

/* 0 if there was none: of two bytes in a pipe the first reader takes one, and is called again. */
static inline int pipes_take(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1;
}

/* Who has read one byte writes to another pipe, so `active` pipes are ready at any time. */
static inline void pipes_pass_on(struct pipes *p)
{
	if (write(p->fd[bench_random(&p->random) % (uint32_t)p->count][1], "x", 1) != 1)
		bench_die("write");
}

/* Measures `n` callbacks of a loop that runs until `left` is 0. */
static inline void pipes_measure(struct pipes *p, void (*loop)(void *), void *arg, long n)
{
	uint64_t start;

	p->left = 10 * p->count;
	loop(arg); /* warm */
	pipes_fill(p);
	p->left = n;
	start = bench_cpu_ns();
	loop(arg);
	bench_report_ns(bench_cpu_ns() - start, (double)n);
}

/* --- The cases, by whichever loop ------------------------------------------------------------- */

typedef void io_case_fn(long n, const struct bench_case *which);

/* What a loop does not have is NULL. */
struct io_cases {
	io_case_fn *persistent, *persistent_timeout, *one_shot, *always_ready, *always_ready_one_shot,
		*delete_and_add, *toggle_write;
};

static inline int io_main(int argc, char **argv, const struct io_cases *by)
{
	const struct bench_case all[] = {
		{ "lt/100/1", by->persistent, 100, 1, 200000 },
		{ "lt/1000/100", by->persistent, 1000, 100, 300000 },
		{ "lt/10000/1000", by->persistent, 10000, 1000, 300000 },
		{ "lt+timeout/1000/100", by->persistent_timeout, 1000, 100, 300000 },
		{ "oneshot/1000/100", by->one_shot, 1000, 100, 200000 },
		{ "ready/100/1", by->always_ready, 100, 1, 500000 },
		{ "ready/1000/100", by->always_ready, 1000, 100, 1000000 },
		{ "ready+oneshot/1000/100", by->always_ready_one_shot, 1000, 100, 200000 },
		{ "del+add/1000/100", by->delete_and_add, 1000, 100, 200000 },
		{ "toggle-write", by->toggle_write, 0, 0, 500000 },
	};
	struct bench_case cases[sizeof(all) / sizeof(all[0]) + 1] = { { .name = NULL } };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].run != NULL)
			cases[n++] = all[i];
	return bench_main(argc, argv, cases);
}

#endif
