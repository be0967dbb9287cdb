/* SPDX-License-Identifier: BSD-3-Clause */
/* Byte queues: adding, taking, lines, searching, moving, descriptors. No event loop runs. */

#include "../bench.h"

#include <event2/buffer.h>
#include <event2/thread.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BIG 65536

static char block[BIG * 2];

static struct evbuffer *new_buffer(void)
{
	struct evbuffer *buf = evbuffer_new();

	if (buf == NULL)
		bench_die("evbuffer_new");
	return buf;
}

/* --- Adding ----------------------------------------------------------------------------------- */

/* Blocks of `a` bytes; the buffer is emptied at every megabyte, outside the measured time. */
static void add(long n, const struct bench_case *which)
{
	size_t len = (size_t)which->a;
	long per_round = (1 << 20) / which->a, done = 0;
	struct evbuffer *buf = new_buffer();
	uint64_t elapsed = 0;

	while (done < n) {
		uint64_t start = bench_cpu_ns();

		for (long i = 0; i < per_round; i++)
			evbuffer_add(buf, block, len);
		elapsed += bench_cpu_ns() - start;
		evbuffer_drain(buf, (size_t)-1);
		done += per_round;
	}
	bench_report_ns(elapsed, (double)done);
	evbuffer_free(buf);
}

static void prepend(long n, const struct bench_case *which)
{
	size_t len = (size_t)which->a;
	long per_round = 4096, done = 0;
	struct evbuffer *buf = new_buffer();
	uint64_t elapsed = 0;

	while (done < n) {
		uint64_t start = bench_cpu_ns();

		for (long i = 0; i < per_round; i++)
			evbuffer_prepend(buf, block, len);
		elapsed += bench_cpu_ns() - start;
		evbuffer_drain(buf, (size_t)-1);
		done += per_round;
	}
	bench_report_ns(elapsed, (double)done);
	evbuffer_free(buf);
}

/* `b`: whether another buffer lives meanwhile, as in most programs. */
static void new_add_free(long n, const struct bench_case *which)
{
	struct evbuffer *other = which->b ? new_buffer() : NULL;
	uint64_t start = bench_cpu_ns();

	for (long i = 0; i < n; i++) {
		struct evbuffer *buf = new_buffer();

		evbuffer_add(buf, block, (size_t)which->a);
		evbuffer_free(buf);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	if (other != NULL)
		evbuffer_free(other);
}

static void print(long n, const struct bench_case *which)
{
	struct evbuffer *buf = new_buffer();
	uint64_t start = bench_cpu_ns();

	(void)which;
	for (long i = 0; i < n; i++) {
		evbuffer_add_printf(buf, "%s: %d\r\n", "Content-Length", (int)i);
		if (i % 1024 == 1023)
			evbuffer_drain(buf, (size_t)-1);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(buf);
}

static void reference(long n, const struct bench_case *which)
{
	struct evbuffer *buf = new_buffer();
	uint64_t start = bench_cpu_ns();

	for (long i = 0; i < n; i++) {
		evbuffer_add_reference(buf, block, (size_t)which->a, NULL, NULL);
		if (i % 64 == 63)
			evbuffer_drain(buf, (size_t)-1);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(buf);
}

static void reserve(long n, const struct bench_case *which)
{
	struct evbuffer *buf = new_buffer();
	uint64_t start = bench_cpu_ns();

	for (long i = 0; i < n; i++) {
		struct evbuffer_iovec vec;

		if (evbuffer_reserve_space(buf, (ev_ssize_t)which->a, &vec, 1) != 1)
			bench_die("evbuffer_reserve_space");
		vec.iov_len = (size_t)which->a;
		evbuffer_commit_space(buf, &vec, 1);
		if (i % 64 == 63)
			evbuffer_drain(buf, (size_t)-1);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(buf);
}

/* --- Through the queue ------------------------------------------------------------------------ */

static void run_fifo(struct evbuffer *buf, size_t len, size_t waiting, long n)
{
	static char out[BIG];
	uint64_t start;

	for (size_t at = 0; at < waiting; at += len)
		evbuffer_add(buf, block, len);
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++) {
		evbuffer_add(buf, block, len);
		if (evbuffer_remove(buf, out, len) != (int)len)
			bench_die("evbuffer_remove");
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(buf);
}

static void fifo(long n, const struct bench_case *which)
{
	run_fifo(new_buffer(), (size_t)which->a, (size_t)which->b, n);
}

static void count(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	(void)buf;
	*(size_t *)arg += info->n_added;
}

static void fifo_callback(long n, const struct bench_case *which)
{
	struct evbuffer *buf = new_buffer();
	size_t added = 0;

	evbuffer_add_cb(buf, count, &added);
	run_fifo(buf, (size_t)which->a, (size_t)which->b, n);
}

static void fifo_lock(long n, const struct bench_case *which)
{
	struct evbuffer *buf;

	if (evthread_use_pthreads() < 0)
		bench_die("evthread_use_pthreads");
	buf = new_buffer();
	if (evbuffer_enable_locking(buf, NULL) < 0)
		bench_die("evbuffer_enable_locking");
	run_fifo(buf, (size_t)which->a, (size_t)which->b, n);
}

static void drain(long n, const struct bench_case *which)
{
	long per_round = BIG / which->a, done = 0;
	struct evbuffer *buf = new_buffer();
	uint64_t elapsed = 0;

	while (done < n) {
		uint64_t start;

		evbuffer_add(buf, block, BIG);
		start = bench_cpu_ns();
		for (long i = 0; i < per_round; i++)
			evbuffer_drain(buf, (size_t)which->a);
		elapsed += bench_cpu_ns() - start;
		done += per_round;
	}
	bench_report_ns(elapsed, (double)done);
	evbuffer_free(buf);
}

/* --- Lines and searching ---------------------------------------------------------------------- */

#define LINE 40
#define LINES 512

/* Lines of LINE bytes, terminator included; `a` is the style. */
static void fill_lines(struct evbuffer *buf, enum evbuffer_eol_style style)
{
	static const char *const terminators[] = { "\r\n", "\r\n", "\r\n", "\n", "" };
	size_t len = style == EVBUFFER_EOL_NUL ? 1 : strlen(terminators[style]);
	char line[LINE];

	memset(line, 'x', sizeof(line));
	memcpy(line + LINE - len, terminators[style], len);
	for (int i = 0; i < LINES; i++)
		evbuffer_add(buf, line, sizeof(line));
}

static void readln(long n, const struct bench_case *which)
{
	struct evbuffer *buf = new_buffer();
	uint64_t elapsed = 0;
	long done = 0;

	while (done < n) {
		uint64_t start;
		char *line;

		fill_lines(buf, (enum evbuffer_eol_style)which->a);
		start = bench_cpu_ns();
		while ((line = evbuffer_readln(buf, NULL, (enum evbuffer_eol_style)which->a)))
			free(line);
		elapsed += bench_cpu_ns() - start;
		done += LINES;
	}
	bench_report_ns(elapsed, (double)done);
	evbuffer_free(buf);
}

static void search_eol(long n, const struct bench_case *which)
{
	struct evbuffer *buf = new_buffer();
	uint64_t start;

	fill_lines(buf, (enum evbuffer_eol_style)which->a);
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++) {
		size_t len;

		evbuffer_search_eol(buf, NULL, &len, (enum evbuffer_eol_style)which->a);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(buf);
}

/* One line of `a` bytes that arrives a kilobyte at a time; asked for after each. */
static void long_line(long n, const struct bench_case *which)
{
	struct evbuffer *buf = new_buffer();
	uint64_t start = bench_cpu_ns();

	memset(block, 'x', sizeof(block));
	for (long i = 0; i < n; i++) {
		for (long at = 0; at < which->a; at += 1024) {
			evbuffer_add(buf, block, 1024);
			if (evbuffer_readln(buf, NULL, EVBUFFER_EOL_CRLF) != NULL)
				bench_die("evbuffer_readln");
		}
		evbuffer_drain(buf, (size_t)-1);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(buf);
}

static void run_search(long n, const char *what)
{
	struct evbuffer *buf = new_buffer();
	size_t len = strlen(what);
	uint64_t start;

	evbuffer_add(buf, block, BIG);
	evbuffer_add(buf, what, len);
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++)
		if (evbuffer_search(buf, what, len, NULL).pos != BIG)
			bench_die("evbuffer_search");
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(buf);
}

static void search(long n, const struct bench_case *which)
{
	(void)which;
	memset(block, 'x', sizeof(block));
	run_search(n, "needle");
}

/* Every other byte begins something like the pattern; `a`: and ends it, too. */
static void search_hard(long n, const struct bench_case *which)
{
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = i % 2 ? 'b' : 'a';
	run_search(n, which->a ? "ababacab" : "abababac");
}

/* --- Rearranging ------------------------------------------------------------------------------ */

static void add_pieces(struct evbuffer *buf, long len)
{
	for (long at = 0; at < len; at += 4096)
		evbuffer_add_reference(buf, block + at, 4096, NULL, NULL);
}

#define BUFFERS_MAX 8

/* `b` buffers at a time: with one, reading the clock is a good part of what it takes. */
static void pullup(long n, const struct bench_case *which)
{
	struct evbuffer *bufs[BUFFERS_MAX];
	uint64_t elapsed = 0;
	long done = 0;

	for (long i = 0; i < which->b; i++)
		bufs[i] = new_buffer();
	for (; done < n; done += which->b) {
		uint64_t start;

		for (long i = 0; i < which->b; i++)
			add_pieces(bufs[i], which->a);
		start = bench_cpu_ns();
		for (long i = 0; i < which->b; i++)
			if (evbuffer_pullup(bufs[i], -1) == NULL)
				bench_die("evbuffer_pullup");
		elapsed += bench_cpu_ns() - start;
		for (long i = 0; i < which->b; i++)
			evbuffer_drain(bufs[i], (size_t)-1);
	}
	bench_report_ns(elapsed, (double)done);
	for (long i = 0; i < which->b; i++)
		evbuffer_free(bufs[i]);
}

static void pullup_contiguous(long n, const struct bench_case *which)
{
	struct evbuffer *buf = new_buffer();
	uint64_t start;

	evbuffer_add(buf, block, 256);
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++)
		if (evbuffer_pullup(buf, which->a) == NULL)
			bench_die("evbuffer_pullup");
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(buf);
}

static void move(long n, const struct bench_case *which)
{
	struct evbuffer *a = new_buffer(), *b = new_buffer();
	uint64_t start;

	evbuffer_add(a, block, (size_t)which->a);
	start = bench_cpu_ns();
	for (long i = 0; i < n; i += 2) {
		evbuffer_add_buffer(b, a);
		evbuffer_add_buffer(a, b);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(a);
	evbuffer_free(b);
}

static void add_move_drain(long n, const struct bench_case *which)
{
	struct evbuffer *a = new_buffer(), *b = new_buffer();
	uint64_t start = bench_cpu_ns();

	for (long i = 0; i < n; i++) {
		evbuffer_add(a, block, (size_t)which->a);
		evbuffer_add_buffer(b, a);
		evbuffer_drain(b, (size_t)which->a);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(a);
	evbuffer_free(b);
}

static void remove_buffer(long n, const struct bench_case *which)
{
	struct evbuffer *a = new_buffer(), *b = new_buffer();
	long per_round = BIG / which->a, done = 0;
	uint64_t elapsed = 0;

	while (done < n) {
		uint64_t start;

		evbuffer_add(a, block, BIG);
		start = bench_cpu_ns();
		for (long i = 0; i < per_round; i++)
			evbuffer_remove_buffer(a, b, (size_t)which->a);
		elapsed += bench_cpu_ns() - start;
		evbuffer_drain(a, (size_t)-1);
		evbuffer_drain(b, (size_t)-1);
		done += per_round;
	}
	bench_report_ns(elapsed, (double)done);
	evbuffer_free(a);
	evbuffer_free(b);
}

static void peek(long n, const struct bench_case *which)
{
	struct evbuffer *buf = new_buffer();
	uint64_t start;

	for (long i = 0; i < which->a; i++)
		evbuffer_add_reference(buf, block, 512, NULL, NULL);
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++) {
		struct evbuffer_iovec vec[16];

		if (evbuffer_peek(buf, -1, NULL, vec, 16) != which->a)
			bench_die("evbuffer_peek");
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(buf);
}

static void copyout(long n, const struct bench_case *which)
{
	static char out[BIG];
	struct evbuffer *buf = new_buffer();
	uint64_t start;

	evbuffer_add(buf, block, BIG);
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++)
		evbuffer_copyout(buf, out, (size_t)which->a);
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(buf);
}

/* --- Descriptors ------------------------------------------------------------------------------ */

/* Writes `a` bytes to a socket and reads them from its other end, as often as that takes. */
static void write_read(long n, const struct bench_case *which)
{
	struct evbuffer *out = new_buffer(), *in = new_buffer();
	uint64_t start;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		bench_die("socketpair");
	start = bench_cpu_ns();
	for (long i = 0; i < n; i++) {
		evbuffer_add(out, block, (size_t)which->a);
		while (evbuffer_get_length(out) > 0)
			if (evbuffer_write(out, pair[0]) < 0)
				bench_die("evbuffer_write");
		while (evbuffer_get_length(in) < (size_t)which->a)
			if (evbuffer_read(in, pair[1], -1) <= 0)
				bench_die("evbuffer_read");
		evbuffer_drain(in, (size_t)which->a);
	}
	bench_report_ns(bench_cpu_ns() - start, (double)n);
	evbuffer_free(out);
	evbuffer_free(in);
	close(pair[0]);
	close(pair[1]);
}

static const struct bench_case cases[] = {
	{ "add/16", add, 16, 0, 4000000 },
	{ "add/256", add, 256, 0, 1000000 },
	{ "add/4096", add, 4096, 0, 100000 },
	{ "add/65536", add, 65536, 0, 10000 },
	{ "fifo/64", fifo, 64, 1024, 4000000 },
	{ "fifo/64-empty", fifo, 64, 0, 4000000 },
	{ "fifo/2048", fifo, 2048, 8192, 1000000 },
	{ "new+add100+free", new_add_free, 100, 1, 2000000 },
	{ "new+add100+free/alone", new_add_free, 100, 0, 2000000 },
	{ "printf", print, 0, 0, 2000000 },
	{ "readln/any", readln, EVBUFFER_EOL_ANY, 0, 2000000 },
	{ "readln/crlf", readln, EVBUFFER_EOL_CRLF, 0, 2000000 },
	{ "readln/crlf-strict", readln, EVBUFFER_EOL_CRLF_STRICT, 0, 2000000 },
	{ "readln/lf", readln, EVBUFFER_EOL_LF, 0, 2000000 },
	{ "readln/nul", readln, EVBUFFER_EOL_NUL, 0, 2000000 },
	{ "long-line/256k", long_line, 1 << 18, 0, 20 },
	{ "search/64k", search, 0, 0, 20000 },
	{ "search-hard/64k", search_hard, 0, 0, 2000 },
	{ "search-hardest/64k", search_hard, 1, 0, 2000 },
	{ "search-eol/40", search_eol, EVBUFFER_EOL_CRLF, 0, 4000000 },
	{ "drain/16", drain, 16, 0, 4000000 },
	{ "pullup/64k", pullup, 65536, 1, 20000 },
	{ "pullup-8/64k", pullup, 65536, BUFFERS_MAX, 20000 },
	{ "pullup/64-contiguous", pullup_contiguous, 64, 0, 10000000 },
	{ "prepend/16", prepend, 16, 0, 4000000 },
	{ "move/64k", move, 65536, 0, 4000000 },
	{ "add64+move+drain", add_move_drain, 64, 0, 2000000 },
	{ "remove_buffer/1000", remove_buffer, 1000, 0, 1000000 },
	{ "reference/1k", reference, 1024, 0, 2000000 },
	{ "reserve+commit/4k", reserve, 4096, 0, 200000 },
	{ "peek/8", peek, 8, 0, 4000000 },
	{ "copyout/4k", copyout, 4096, 0, 1000000 },
	{ "fifo/64+callback", fifo_callback, 64, 1024, 2000000 },
	{ "fifo/64+lock", fifo_lock, 64, 1024, 2000000 },
	{ "write+read/64", write_read, 64, 0, 200000 },
	{ "write+read/16k", write_read, 16384, 0, 50000 },
	{ NULL, NULL, 0, 0, 0 },
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, cases);
}
