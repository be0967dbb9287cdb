/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What some cases of evbuffer.c cost on an array with the C library alone: the copies, scans and
 * allocations that the case's result cannot do without.
 */

#include "../bench.h"

#define BIG  65536
#define LINE 40

static char block[2 * BIG];

/* The compiler may not leave out what made `result`. */
static void use(const void *result)
{
	__asm__ volatile("" : : "r"(result) : "memory");
}

static void report(uint64_t start, long n)
{
	bench_report_ns(bench_cpu_ns() - start, (double)n);
}

/* An owned block of memory with the bytes in it. */
static void new_add_free(long n, const struct bench_case *which)
{
	uint64_t start = bench_cpu_ns();

	for (long i = 0; i < n; i++) {
		char *copy = malloc((size_t)which->a);

		memcpy(copy, block, (size_t)which->a);
		use(copy);
		free(copy);
	}
	report(start, n);
}

/* A ring whose reader is `b` bytes behind its writer. */
static void fifo(long n, const struct bench_case *which)
{
	static char ring[BIG], out[BIG];
	size_t len = (size_t)which->a, read_at = 0, write_at = (size_t)which->b;
	uint64_t start = bench_cpu_ns();

	for (long i = 0; i < n; i++) {
		memcpy(ring + write_at, block, len);
		memcpy(out, ring + read_at, len);
		use(out);
		write_at = (write_at + len) % sizeof(ring);
		read_at = (read_at + len) % sizeof(ring);
	}
	report(start, n);
}

static void print(long n, const struct bench_case *which)
{
	uint64_t start = bench_cpu_ns();

	(void)which;
	for (long i = 0; i < n; i++) {
		snprintf(block, sizeof(block), "%s: %d\r\n", "Content-Length", (int)i);
		use(block);
	}
	report(start, n);
}

static void fill_lines(void)
{
	memset(block, 'x', sizeof(block));
	for (size_t at = LINE; at <= sizeof(block); at += LINE)
		block[at - 1] = '\n';
}

/* Each line as a string of its own. */
static void readln(long n, const struct bench_case *which)
{
	const char *at = block, *end = block + BIG;
	uint64_t start;

	(void)which;
	fill_lines();
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)(eol - at);
		char *line = malloc(len + 1);

		memcpy(line, at, len);
		line[len] = '\0';
		use(line);
		free(line);
		at = end - eol > 2 * LINE ? eol + 1 : block;
	}
	report(start, n);
}

static void search_eol(long n, const struct bench_case *which)
{
	uint64_t start;

	(void)which;
	fill_lines();
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++)
		use(memchr(block, '\n', BIG));
	report(start, n);
}

static void search(long n, const struct bench_case *which)
{
	uint64_t start;

	(void)which;
	memset(block, 'x', sizeof(block));
	memcpy(block + BIG, "needle", 6);
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++)
		use(memchr(block, 'n', sizeof(block)));
	report(start, n);
}

/* Sixteen pieces copied into one. */
static void pullup(long n, const struct bench_case *which)
{
	static char whole[BIG];
	uint64_t start = bench_cpu_ns();

	(void)which;
	for (long i = 0; i < n; i++) {
		for (size_t at = 0; at < BIG; at += 4096)
			memcpy(whole + at, block + at, 4096);
		use(whole);
	}
	report(start, n);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		{ "fifo/64", fifo, 64, 1024, 4000000 },
		{ "new+add100+free", new_add_free, 100, 0, 2000000 },
		{ "printf", print, 0, 0, 2000000 },
		{ "readln/lf", readln, 0, 0, 2000000 },
		{ "search/64k", search, 0, 0, 20000 },
		{ "search-eol/40", search_eol, 0, 0, 4000000 },
		{ "pullup/64k", pullup, 0, 0, 20000 },
		{ NULL, NULL, 0, 0, 0 },
	};

	return bench_main(argc, argv, cases);
}
