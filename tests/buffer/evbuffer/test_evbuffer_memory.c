/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every call with each of its allocations refused in turn: it fails and both buffers are as before,
 * or it succeeds without that memory. The leak check at the end of each test covers what was half
 * done.
 */

#include "evbuffer_test.h"

#include <event2/thread.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define BIG 100000
#define FILE_LEN 70000

static char big[BIG];
static char file_bytes[FILE_LEN];

static void init(void)
{
	support_leak_init();
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)('a' + i % 23);
	for (size_t i = 0; i < FILE_LEN; i++)
		file_bytes[i] = (char)('A' + i % 19);
	memcpy(file_bytes + FILE_LEN - 7, "the end", 7);
}

TestSuite(evbuffer_memory, .init = init, .fini = support_leak_fini, .timeout = 60);

/* What every call starts from: text in pieces, then much memory; `other` likewise, but shorter. */
struct fixture {
	struct evbuffer *buf, *other;
	struct event_base *base;
	int file;    /* for the call to use; -1 once it has taken it */
	evutil_socket_t pair[2]; /* "from the socket" waits at the first */
	int refused; /* set by a call that asks for memory again after it was refused some */
};

static int open_file(void)
{
	FILE *stream = tmpfile();
	int fd;

	cr_assert_not_null(stream);
	cr_assert_eq(fwrite(file_bytes, 1, FILE_LEN, stream), (size_t)FILE_LEN);
	cr_assert_eq(fflush(stream), 0);
	fd = dup(fileno(stream));
	fclose(stream);
	cr_assert_geq(fd, 0);
	return fd;
}

static void make(struct fixture *f)
{
	f->refused = 0;
	f->base = event_base_new();
	f->buf = pieces_of("one line\nand another one\nwithout an end", 9);
	cr_assert_eq(evbuffer_add(f->buf, big, 9000), 0);
	f->other = pieces_of("of the other", 5);
	cr_assert_eq(evbuffer_add(f->other, big, 6000), 0);
	f->file = open_file();
	support_socketpair(f->pair);
	cr_assert_eq(write(f->pair[1], "from the socket", 15), 15);
}

static void destroy(struct fixture *f)
{
	evbuffer_free(f->buf);
	evbuffer_free(f->other);
	event_base_free(f->base);
	if (f->file >= 0)
		close(f->file);
	close(f->pair[0]);
	close(f->pair[1]);
}

/* --- The calls: nonzero means success --------------------------------------------------------- */

static int add_little(struct fixture *f)
{
	return evbuffer_add(f->buf, big, 3000) == 0;
}

static int add_much(struct fixture *f)
{
	return evbuffer_add(f->buf, big, BIG) == 0;
}

static int add_to_empty(struct fixture *f)
{
	struct evbuffer *buf = evbuffer_new();
	int done = buf != NULL && evbuffer_add(buf, big, BIG) == 0;

	(void)f;
	if (buf != NULL && !done)
		cr_assert_eq(evbuffer_get_length(buf), 0);
	evbuffer_free(buf);
	return done;
}

static int add_vectors(struct fixture *f)
{
	struct evbuffer_iovec vec[] = { { big, BIG }, { big, 0 } };

	return evbuffer_add_iovec(f->buf, vec, 2) == BIG;
}

static int prepend_little(struct fixture *f)
{
	return evbuffer_prepend(f->buf, "before", 6) == 0;
}

static int prepend_much(struct fixture *f)
{
	return evbuffer_prepend(f->buf, big, BIG) == 0;
}

static int print_much(struct fixture *f)
{
	return evbuffer_add_printf(f->buf, "%.*s and %d", 50000, big, 5) == 50006;
}

static int expand(struct fixture *f)
{
	return evbuffer_expand(f->buf, BIG) == 0;
}

static int reserve_in_one(struct fixture *f)
{
	struct evbuffer_iovec vec;

	return evbuffer_reserve_space(f->buf, BIG, &vec, 1) == 1;
}

static int reserve_in_two(struct fixture *f)
{
	struct evbuffer_iovec vec[2];

	return evbuffer_reserve_space(f->buf, BIG, vec, 2) >= 1;
}

static int add_by_reference(struct fixture *f)
{
	struct cleanup c = { 0 };
	int done = evbuffer_add_reference_with_offset(f->buf, big, 10, 500, note_cleanup, &c) == 0;

	if (done)
		evbuffer_drain(f->buf, (size_t)-1);
	cr_assert_eq(c.calls, done);
	return done;
}

static int move_all(struct fixture *f)
{
	return evbuffer_add_buffer(f->buf, f->other) == 0;
}

static int move_all_before(struct fixture *f)
{
	return evbuffer_prepend_buffer(f->buf, f->other) == 0;
}

/* A copy of a part. */
static int move_little(struct fixture *f)
{
	return evbuffer_remove_buffer(f->other, f->buf, 3) == 3;
}

/*
 * Shares a part of a piece. Without the memory for that, the whole pieces before it move: no byte
 * is lost or doubled.
 */
static int move_much(struct fixture *f)
{
	size_t before = evbuffer_get_length(f->buf), rest = evbuffer_get_length(f->other);
	int n = evbuffer_remove_buffer(f->other, f->buf, 5012);
	struct evbuffer_ptr at;
	char moved[12];

	if (n <= 0)
		return 0;
	cr_assert(n == 5012 || n == 12);
	cr_assert_eq(evbuffer_get_length(f->buf), before + (size_t)n);
	cr_assert_eq(evbuffer_get_length(f->other), rest - (size_t)n);
	cr_assert_eq(evbuffer_ptr_set(f->buf, &at, before, EVBUFFER_PTR_SET), 0);
	cr_assert_eq(evbuffer_copyout_from(f->buf, &at, moved, 12), 12);
	cr_assert(memcmp(moved, "of the other", 12) == 0);
	return 1;
}

static int share(struct fixture *f)
{
	return evbuffer_add_buffer_reference(f->other, f->buf) == 0;
}

static int pull_up(struct fixture *f)
{
	return evbuffer_pullup(f->buf, -1) != NULL;
}

static int read_line(struct fixture *f)
{
	char *line = evbuffer_readln(f->buf, NULL, EVBUFFER_EOL_LF);

	if (line != NULL)
		cr_assert_str_eq(line, "one line");
	support_free(line);
	return line != NULL;
}

/* A pattern too long for the stack, over pieces. */
static int search(struct fixture *f)
{
	char pattern[1000];
	ev_ssize_t n = evbuffer_copyout(f->buf, pattern, sizeof(pattern));

	cr_assert_eq(n, (ev_ssize_t)sizeof(pattern));
	return evbuffer_search(f->buf, pattern, sizeof(pattern), NULL).pos == 0;
}

static int find(struct fixture *f)
{
	return evbuffer_find(f->buf, (const unsigned char *)"another one", 11) != NULL;
}

static int set_position(struct fixture *f)
{
	struct evbuffer_ptr at;

	return evbuffer_ptr_set(f->buf, &at, 30, EVBUFFER_PTR_SET) == 0;
}

static int read_socket(struct fixture *f)
{
	return evbuffer_read(f->other, f->pair[0], -1) == 15;
}

static int read_socket_far(struct fixture *f)
{
	cr_assert_eq(evbuffer_set_max_read(f->other, 1 << 30), 0);
	return evbuffer_read(f->other, f->pair[0], -1) == 15;
}

static int write_socket(struct fixture *f)
{
	return evbuffer_write_atmost(f->buf, f->pair[0], 20) == 20;
}

static int add_file(struct fixture *f)
{
	int fd = f->file;

	f->file = -1; /* gone whatever happens */
	return evbuffer_add_file(f->buf, fd, 0, -1) == 0;
}

static int add_file_in_parts(struct fixture *f)
{
	struct evbuffer_file_segment *segment = evbuffer_file_segment_new(f->file, 5, 40000, 0);
	int done = segment != NULL && evbuffer_add_file_segment(f->buf, segment, 1, 2000) == 0;

	if (segment != NULL)
		evbuffer_file_segment_free(segment);
	return done;
}

static struct evbuffer *with_file(struct fixture *f)
{
	struct evbuffer *buf = evbuffer_new();

	if (buf == NULL)
		return NULL;
	evbuffer_set_flags(buf, EVBUFFER_FLAG_DRAINS_TO_FD);
	if (evbuffer_add(buf, "head", 4) == 0) {
		struct evbuffer_file_segment *segment = evbuffer_file_segment_new(
			f->file, 0, FILE_LEN, 0);

		if (segment != NULL && evbuffer_add_file_segment(buf, segment, 0, -1) == 0) {
			evbuffer_file_segment_free(segment);
			return buf;
		}
		evbuffer_file_segment_free(segment);
	}
	evbuffer_free(buf);
	return NULL;
}

/* Whatever brings a file into memory; afterwards all of it must be there. */
static int load(struct fixture *f, int (*use)(struct evbuffer *buf))
{
	struct evbuffer *buf = with_file(f);
	char *out;
	int done;

	if (buf == NULL)
		return 0;
	done = use(buf);
	if (!done) {
		f->refused = support_has_refused();
		support_fail_once_after(-1);
		cr_assert_eq(evbuffer_get_length(buf), FILE_LEN + 4u);
		out = malloc(FILE_LEN + 4);
		cr_assert_eq(evbuffer_copyout(buf, out, FILE_LEN + 4), FILE_LEN + 4);
		cr_assert(memcmp(out, "head", 4) == 0);
		cr_assert(memcmp(out + 4, file_bytes, FILE_LEN) == 0);
		free(out);
	}
	evbuffer_free(buf);
	return done;
}

static int use_pullup(struct evbuffer *buf)
{
	return evbuffer_pullup(buf, -1) != NULL;
}

static int use_search(struct evbuffer *buf)
{
	return evbuffer_search(buf, "the end", 7, NULL).pos == FILE_LEN - 3;
}

static int use_peek(struct evbuffer *buf)
{
	return evbuffer_peek(buf, -1, NULL, NULL, 0) > 0;
}

static int use_eol(struct evbuffer *buf)
{
	size_t len;
	struct evbuffer_ptr end;

	end = evbuffer_search_eol(buf, NULL, &len, EVBUFFER_EOL_LF);
	cr_assert_eq(end.pos, -1);
	return 0;
}

static int use_copyout(struct evbuffer *buf)
{
	static char out[FILE_LEN + 4];

	return evbuffer_copyout(buf, out, sizeof(out)) == (ev_ssize_t)sizeof(out);
}

static int load_by_pullup(struct fixture *f)
{
	return load(f, use_pullup);
}

static int load_by_search(struct fixture *f)
{
	return load(f, use_search);
}

static int load_by_peek(struct fixture *f)
{
	return load(f, use_peek);
}

static int load_by_eol(struct fixture *f)
{
	return load(f, use_eol);
}

static int load_by_copyout(struct fixture *f)
{
	return load(f, use_copyout);
}

static int move_part_of_file(struct fixture *f)
{
	struct evbuffer *buf = with_file(f);
	int n;

	if (buf == NULL)
		return 0;
	n = evbuffer_remove_buffer(buf, f->other, 30004);
	cr_assert_eq(evbuffer_get_length(buf), FILE_LEN + 4u - (n > 0 ? (size_t)n : 0));
	evbuffer_free(buf);
	return n > 0;
}

static int add_callback(struct fixture *f)
{
	return evbuffer_add_cb(f->buf, count_changes, NULL) != NULL;
}

static void old_callback(struct evbuffer *buf, size_t before, size_t after, void *arg)
{
	(void)buf;
	(void)before;
	(void)after;
	(void)arg;
}

static int set_callback(struct fixture *f)
{
	return evbuffer_setcb(f->buf, old_callback, NULL) == 0;
}

static int defer_callbacks(struct fixture *f)
{
	return evbuffer_defer_callbacks(f->buf, f->base) == 0;
}

/* --- The runs --------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*call)(struct fixture *f);
} calls[] = {
	{ "add a little", add_little },
	{ "add much", add_much },
	{ "add much to an empty buffer", add_to_empty },
	{ "prepend a little", prepend_little },
	{ "prepend much", prepend_much },
	{ "printf", print_much },
	{ "expand", expand },
	{ "reserve in one", reserve_in_one },
	{ "reserve in two", reserve_in_two },
	{ "add a reference", add_by_reference },
	{ "add a buffer", move_all },
	{ "prepend a buffer", move_all_before },
	{ "move a little", move_little },
	{ "move much", move_much },
	{ "share", share },
	{ "pull up", pull_up },
	{ "read a line", read_line },
	{ "search", search },
	{ "find", find },
	{ "set a position", set_position },
	{ "read", read_socket },
	{ "read with a high limit", read_socket_far },
	{ "write", write_socket },
	{ "add a file", add_file },
	{ "add parts of a file", add_file_in_parts },
	{ "load by pulling up", load_by_pullup },
	{ "load by searching", load_by_search },
	{ "load by peeking", load_by_peek },
	{ "load by looking for a line", load_by_eol },
	{ "load by copying", load_by_copyout },
	{ "move a part of a file", move_part_of_file },
	{ "add a callback", add_callback },
	{ "set a callback", set_callback },
	{ "defer callbacks", defer_callbacks },
	{ "add vectors", add_vectors },
};

struct content {
	char *bytes;
	size_t len;
};

static struct content content_of(struct evbuffer *buf)
{
	struct content c = { .len = evbuffer_get_length(buf) };

	c.bytes = malloc(c.len + 1);
	cr_assert_eq(evbuffer_copyout(buf, c.bytes, c.len), (ev_ssize_t)c.len);
	return c;
}

static void expect_content(struct evbuffer *buf, struct content *c)
{
	expect_bytes(buf, c->bytes, c->len);
	free(c->bytes);
}

/* Nonzero if the call was refused memory. */
static int run_once(size_t i, long n, void (*fail)(long n))
{
	struct fixture f;
	struct content before[2];
	int done, refused;

	make(&f);
	before[0] = content_of(f.buf);
	before[1] = content_of(f.other);
	fail(n);
	done = calls[i].call(&f);
	refused = f.refused || support_has_refused();
	fail(-1);
	if (!done && !refused && calls[i].call != load_by_eol)
		cr_assert_fail("%s fails with all the memory it wants", calls[i].name);
	if (done) {
		free(before[0].bytes);
		free(before[1].bytes);
	} else {
		expect_content(f.buf, &before[0]);
		expect_content(f.other, &before[1]);
		/* Still of use. */
		cr_assert_eq(evbuffer_add(f.buf, big, BIG), 0);
		cr_assert_eq(evbuffer_drain(f.buf, (size_t)-1), 0);
	}
	destroy(&f);
	return refused;
}

static void run_all(void (*fail)(long n))
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		long n = 0;

		while (run_once(i, n, fail)) {
			n++;
			cr_assert_lt(n, 200, "%s never gets enough", calls[i].name);
		}
	}
}

/* BUF-030, BUF-063, BUF-078, BUF-094, BUF-145, BUF-173, BUF-361, B04 */
Test(evbuffer_memory, each_allocation_refused_once)
{
	run_all(support_fail_once_after);
}

/* BUF-361, BUF-362, B04 */
Test(evbuffer_memory, all_allocations_refused_from_one_on)
{
	run_all(support_fail_all_after);
}

/* BUF-001, BUF-361 */
Test(evbuffer_memory, no_buffer_and_no_lock_without_memory)
{
	struct evbuffer *buf;

	support_fail_once_after(0);
	cr_assert_null(evbuffer_new());
	support_fail_once_after(-1);
	buf = evbuffer_new();
	cr_assert_not_null(buf);
	cr_assert_eq(evthread_use_pthreads(), 0);
	support_fail_once_after(0);
	cr_assert_eq(evbuffer_enable_locking(buf, NULL), -1);
	support_fail_once_after(-1);
	cr_assert_eq(evbuffer_add(buf, "x", 1), 0);
	cr_assert_eq(evbuffer_enable_locking(buf, NULL), 0);
	evbuffer_free(buf);
}

/* BUF-281: a limit of a gigabyte is not a reason to allocate one */
Test(evbuffer_memory, reading_allocates_for_what_is_there)
{
	struct fixture f;
	struct evbuffer *buf = evbuffer_new();
	char *sent = malloc(150000), *got = malloc(150000);
	size_t written = 0;

	make(&f);
	cr_assert_eq(read(f.pair[0], got, 100), 15);
	for (ssize_t n; written < 150000 && (n = write(f.pair[1], big, 10000)) > 0;) {
		memcpy(sent + written, big, (size_t)n);
		written += (size_t)n;
	}
	cr_assert_gt(written, 65536);
	cr_assert_eq(evbuffer_set_max_read(buf, 1 << 30), 0);
	cr_assert_eq(evbuffer_read(buf, f.pair[0], -1), (int)written);
	cr_assert_eq(evbuffer_copyout(buf, got, written), (ev_ssize_t)written);
	cr_assert(memcmp(got, sent, written) == 0);
	evbuffer_free(buf);
	destroy(&f);
	free(sent);
	free(got);
}
