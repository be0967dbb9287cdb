/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_H_INCLUDED
#define BENCH_H_INCLUDED

/*
 * What the benchmarks share. Each program is linked to the 2.1 sonames, so that the same binary
 * runs on this library and on the system's; bench/run does both in turn and prints the ratio.
 *
 * A program is called `NAME CASE N`: it repeats the case's operation N times and prints one line,
 * "value unit": the cost of one operation (ns), or a rate (/s).
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench_case {
	const char *name;
	void (*run)(long n, const struct bench_case *which);
	long a, b;        /* the case's own numbers */
	long default_n;
};

static inline uint64_t bench_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t bench_now_ns(void)
{
	return bench_clock_ns(CLOCK_MONOTONIC);
}

/*
 * Of a program without other threads: what it took of the processor, however busy the machine is.
 */
static inline uint64_t bench_cpu_ns(void)
{
	return bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void bench_report_ns(uint64_t elapsed_ns, double operations)
{
	printf("%.2f ns\n", (double)elapsed_ns / operations);
}

static inline void bench_report_rate(uint64_t elapsed_ns, double operations)
{
	printf("%.0f /s\n", operations * 1e9 / (double)elapsed_ns);
}

static inline void bench_die(const char *what)
{
	perror(what);
	exit(2);
}

/* Pseudo-random numbers, the same in every run. */
static inline uint32_t bench_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static inline int bench_main(int argc, char **argv, const struct bench_case *cases)
{
	if (argc < 2) {
		for (; cases->name != NULL; cases++)
			printf("%s %ld\n", cases->name, cases->default_n);
		return 0;
	}
	for (; cases->name != NULL; cases++)
		if (strcmp(cases->name, argv[1]) == 0) {
			cases->run(argc > 2 ? atol(argv[2]) : cases->default_n, cases);
			return 0;
		}
	fprintf(stderr, "no case %s\n", argv[1]);
	return 2;
}

#endif
