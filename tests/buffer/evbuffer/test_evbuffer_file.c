/* SPDX-License-Identifier: BSD-3-Clause */
/* Files and file segments. */

#include "evbuffer_test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

TestSuite(evbuffer_file, .init = support_leak_init, .fini = support_leak_fini);

/* A file of its own with that content; its descriptor. */
static int file_of(const char *content, size_t len)
{
	char name[] = "/tmp/evbuffer-test-XXXXXX";
	int fd = mkstemp(name);

	cr_assert_geq(fd, 0);
	cr_assert_eq(unlink(name), 0);
	cr_assert_eq(write(fd, content, len), (ssize_t)len);
	return fd;
}

static char *pattern(size_t len)
{
	char *bytes = malloc(len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 31 + i / 256);
	return bytes;
}

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static const unsigned variants[] = { 0, EVBUF_FS_DISABLE_MMAP, EVBUF_FS_DISABLE_SENDFILE,
	EVBUF_FS_DISABLE_MMAP | EVBUF_FS_DISABLE_SENDFILE, EVBUF_FS_DISABLE_LOCKING };

/* BUF-110, BUF-115, BUF-118, BUF-125, BUF-136 */
Test(evbuffer_file, every_variant_delivers_the_same_bytes)
{
	char *bytes = pattern(20000);
	int fd = file_of(bytes, 20000);

	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		struct evbuffer *buf = buffer_of("");
		struct evbuffer_file_segment *segment =
			evbuffer_file_segment_new(fd, 777, 15000, variants[i]);

		cr_assert_not_null(segment);
		cr_assert_eq(evbuffer_add_file_segment(buf, segment, 100, 9000), 0);
		evbuffer_file_segment_free(segment);
		expect_bytes(buf, bytes + 877, 9000);
		evbuffer_free(buf);
	}
	close(fd);
	free(bytes);
}

/* BUF-111..113, BUF-120, BUF-121, B05 */
Test(evbuffer_file, ranges_are_checked)
{
	int fd = file_of("0123456789", 10), ends[2];
	struct evbuffer *buf = evbuffer_new();
	struct evbuffer_file_segment *segment = evbuffer_file_segment_new(fd, 4, -1, 0);

	cr_assert_eq(pipe(ends), 0);
	cr_assert_null(evbuffer_file_segment_new(fd, 11, -1, 0));
	cr_assert_null(evbuffer_file_segment_new(fd, -1, 3, 0));
	cr_assert_null(evbuffer_file_segment_new(fd, 0, -2, 0));
	cr_assert_null(evbuffer_file_segment_new(fd, EV_INT64_MAX, 10, 0));
	cr_assert_null(evbuffer_file_segment_new(ends[0], 0, -1, 0));
	cr_assert(is_open(fd));
	cr_assert_eq(evbuffer_add_file_segment(buf, segment, 7, -1), -1);
	cr_assert_eq(evbuffer_add_file_segment(buf, segment, 2, 5), -1);
	cr_assert_eq(evbuffer_add_file_segment(buf, segment, -1, 2), -1);
	cr_assert_eq(evbuffer_add_file_segment(buf, segment, 6, -1), 0);
	cr_assert_eq(evbuffer_get_length(buf), 0);
	cr_assert_eq(evbuffer_add_file_segment(buf, segment, 0, -1), 0);
	expect_text(buf, "456789");
	evbuffer_file_segment_free(segment);
	evbuffer_free(buf);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

struct segment_cleanup {
	int calls, fd, was_open;
	const struct evbuffer_file_segment *segment;
};

static void on_segment_gone(struct evbuffer_file_segment const *segment, int flags, void *arg)
{
	struct segment_cleanup *c = arg;

	cr_assert_eq(flags, EVBUF_FS_CLOSE_ON_FREE);
	c->calls++;
	c->segment = segment;
	c->was_open = is_open(c->fd);
}

/* BUF-114, BUF-119, BUF-126, BUF-127 */
Test(evbuffer_file, a_segment_lives_until_its_last_user_is_gone)
{
	struct segment_cleanup wrong = { 0 }, c = { .fd = file_of("segment", 7) };
	struct evbuffer *a = evbuffer_new(), *b = evbuffer_new();
	struct evbuffer_file_segment *segment =
		evbuffer_file_segment_new(c.fd, 0, 7, EVBUF_FS_CLOSE_ON_FREE);

	evbuffer_file_segment_add_cleanup_cb(segment, on_segment_gone, &wrong);
	evbuffer_file_segment_add_cleanup_cb(segment, on_segment_gone, &c);
	cr_assert_eq(evbuffer_add_file_segment(a, segment, 0, -1), 0);
	cr_assert_eq(evbuffer_add_file_segment(a, segment, 0, 3), 0);
	cr_assert_eq(evbuffer_add_file_segment(b, segment, 3, -1), 0);
	evbuffer_file_segment_free(segment);
	cr_assert_eq(evbuffer_drain(a, 100), 0);
	cr_assert_eq(c.calls, 0);
	expect_text(b, "ment");
	evbuffer_free(b);
	cr_assert_eq(c.calls, 1);
	cr_assert_eq(wrong.calls, 0);
	cr_assert_eq(c.segment, segment);
	cr_assert_eq(c.was_open, 0);
	evbuffer_free(a);
}

/* BUF-116, BUF-384 */
Test(evbuffer_file, the_position_of_the_descriptor_stays)
{
	int fd = file_of("0123456789", 10);
	struct evbuffer *buf = evbuffer_new();
	struct evbuffer_file_segment *segment;

	cr_assert_eq(lseek(fd, 3, SEEK_SET), 3);
	segment = evbuffer_file_segment_new(fd, 0, 10,
					    EVBUF_FS_DISABLE_MMAP | EVBUF_FS_DISABLE_SENDFILE);
	cr_assert_eq(evbuffer_add_file_segment(buf, segment, 0, -1), 0);
	expect_text(buf, "0123456789");
	cr_assert_eq(lseek(fd, 0, SEEK_CUR), 3);
	evbuffer_file_segment_free(segment);
	evbuffer_free(buf);
	close(fd);
}

/* BUF-122, B05 */
Test(evbuffer_file, a_refused_addition_leaves_the_segment_alone)
{
	int fd = file_of("abc", 3);
	struct evbuffer *buf = evbuffer_new();
	struct evbuffer_file_segment *segment = evbuffer_file_segment_new(fd, 0, 3, 0);

	for (int i = 0; i < 3; i++)
		cr_assert_eq(evbuffer_add_file_segment(buf, segment, 9, 1), -1);
	cr_assert_eq(evbuffer_add_file_segment(buf, segment, 0, -1), 0);
	expect_text(buf, "abc");
	evbuffer_file_segment_free(segment);
	evbuffer_free(buf);
	close(fd);
}

/* BUF-008, BUF-009, BUF-124 */
Test(evbuffer_file, what_drains_to_a_descriptor_can_still_be_looked_at)
{
	int fd = file_of("0123456789", 10);
	struct evbuffer *buf = evbuffer_new(), *plain = evbuffer_new();

	evbuffer_set_flags(buf, EVBUFFER_FLAG_DRAINS_TO_FD);
	cr_assert_eq(evbuffer_add_file(buf, fd, 0, 10), 0);
	evbuffer_clear_flags(buf, EVBUFFER_FLAG_DRAINS_TO_FD);
	cr_assert_eq(evbuffer_search(buf, "456", 3, NULL).pos, 4);
	expect_text(buf, "0123456789");
	cr_assert_eq(evbuffer_add_buffer(plain, buf), 0);
	cr_assert(memcmp(evbuffer_pullup(plain, -1), "0123456789", 10) == 0);
	evbuffer_free(buf);
	evbuffer_free(plain);
}

/* BUF-128..132, BUF-383, BUF-390 */
Test(evbuffer_file, a_file_is_closed_whatever_happens)
{
	struct evbuffer *buf = evbuffer_new();
	int fd = file_of("0123456789", 10);

	cr_assert_eq(evbuffer_add_file(buf, fd, 2, 5), 0);
	expect_text(buf, "23456");
	cr_assert_eq(evbuffer_drain(buf, 5), 0);
	cr_assert(!is_open(fd));
	fd = file_of("0123456789", 10);
	cr_assert_eq(evbuffer_add_file(buf, fd, -1, 5), -1);
	cr_assert(!is_open(fd));
	fd = file_of("0123456789", 10);
	cr_assert_eq(evbuffer_add_file(buf, fd, 0, 20), -1);
	cr_assert(!is_open(fd));
	fd = file_of("0123456789", 10);
	cr_assert_eq(evbuffer_add_file(buf, fd, 0, 0), 0);
	cr_assert(!is_open(fd));
	fd = file_of("0123456789", 10);
	evbuffer_freeze(buf, 0);
	cr_assert_eq(evbuffer_add_file(buf, fd, 0, 5), -1);
	cr_assert(!is_open(fd));
	cr_assert_eq(evbuffer_get_length(buf), 0);
	evbuffer_free(buf);
}

/* BUF-124, BUF-129: what is larger than a few pages stays in the file until it is looked at. */
Test(evbuffer_file, a_large_file_is_read_when_it_is_looked_at)
{
	enum { LARGE = 300000 };
	char *bytes = pattern(LARGE);
	int fd = file_of(bytes, LARGE), kept = dup(fd);
	struct evbuffer *buf = evbuffer_new();
	char got[10];

	cr_assert_eq(evbuffer_add_file(buf, fd, 0, -1), 0);
	cr_assert_eq(pwrite(kept, "0123456789", 10, LARGE - 10), 10);
	memcpy(bytes + LARGE - 10, "0123456789", 10);
	cr_assert_eq(evbuffer_remove(buf, got, 10), 10);
	cr_assert(is_open(fd));
	cr_assert(memcmp(got, bytes, 10) == 0);
	expect_bytes(buf, bytes + 10, LARGE - 10);
	cr_assert_eq(evbuffer_drain(buf, LARGE), 0);
	cr_assert(!is_open(fd));
	evbuffer_free(buf);
	close(kept);
	free(bytes);
}

/* BUF-116: there is no size to check, so the bytes are asked for when they are added. */
Test(evbuffer_file, what_is_no_file_fails_at_once)
{
	struct evbuffer *buf = evbuffer_new();
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(evbuffer_add_file(buf, ends[0], 0, 100000), -1);
	cr_assert(!is_open(ends[0]));
	cr_assert_eq(evbuffer_get_length(buf), 0);
	evbuffer_free(buf);
	close(ends[1]);
}

/* BUF-134, BUF-135, BUF-129 */
Test(evbuffer_file, sending_by_descriptor_keeps_to_the_limit)
{
	char *bytes = pattern(50000), *got = malloc(50010);
	int fd = file_of(bytes, 50000);
	struct evbuffer *buf = buffer_of("head:");
	evutil_socket_t pair[2];
	size_t have = 0;

	support_socketpair(pair);
	evbuffer_set_flags(buf, EVBUFFER_FLAG_DRAINS_TO_FD);
	cr_assert_eq(evbuffer_add_file(buf, fd, 0, 50000), 0);
	while (evbuffer_get_length(buf) > 0) {
		int n = evbuffer_write_atmost(buf, pair[0], 1000);
		ssize_t r;

		cr_assert_gt(n, 0);
		cr_assert_leq(n, 1000);
		r = read(pair[1], got + have, 50010 - have);
		cr_assert_eq(r, n);
		have += (size_t)r;
	}
	cr_assert_eq(have, 50005);
	cr_assert(memcmp(got, "head:", 5) == 0 && memcmp(got + 5, bytes, 50000) == 0);
	cr_assert(!is_open(fd));
	evbuffer_free(buf);
	close(pair[0]);
	close(pair[1]);
	free(bytes);
	free(got);
}

/* BUF-134, B06 */
Test(evbuffer_file, a_full_socket_is_an_error_to_retry)
{
	char *bytes = pattern(4000000);
	struct evbuffer *buf = evbuffer_new();
	evutil_socket_t pair[2];
	int n;

	support_socketpair(pair);
	evbuffer_set_flags(buf, EVBUFFER_FLAG_DRAINS_TO_FD);
	cr_assert_eq(evbuffer_add_file(buf, file_of(bytes, 4000000), 0, 4000000), 0);
	while ((n = evbuffer_write(buf, pair[0])) > 0)
		continue;
	cr_assert_eq(n, -1);
	cr_assert_eq(errno, EAGAIN);
	evbuffer_free(buf);
	close(pair[0]);
	close(pair[1]);
	free(bytes);
}

/* BUF-133, B06 */
Test(evbuffer_file, a_file_that_shrank_is_an_error)
{
	int fd = file_of("0123456789", 10), kept = dup(fd);
	struct evbuffer *buf = evbuffer_new();
	evutil_socket_t pair[2];

	support_socketpair(pair);
	evbuffer_set_flags(buf, EVBUFFER_FLAG_DRAINS_TO_FD);
	cr_assert_eq(evbuffer_add_file(buf, fd, 0, 10), 0);
	cr_assert_eq(ftruncate(kept, 0), 0);
	errno = 0;
	cr_assert_eq(evbuffer_write(buf, pair[0]), -1);
	cr_assert_neq(errno, EAGAIN);
	cr_assert_neq(errno, 0);
	evbuffer_free(buf);
	close(kept);
	close(pair[0]);
	close(pair[1]);
}

/*
 * BUF-384, UTIL-003: offsets have 64 bits where pointers have 32. A whole file that is longer than
 * any buffer is refused there, but not a part of it.
 */
Test(evbuffer_file, offsets_go_beyond_32_bits)
{
	static const ev_off_t places[] = { INT64_C(0x7ffffffc), INT64_C(0xfffffffc),
		INT64_C(0x180000000) };
	const int whole = sizeof(size_t) > 4 ? 0 : -1;
	int fd = file_of("", 0);

	if (ftruncate(fd, INT64_C(0x200000000)) < 0)
		cr_skip_test("the file system has no large files with holes: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) * 2; i++) {
		struct evbuffer_file_segment *segment = evbuffer_file_segment_new(fd, 0, -1, 0);
		struct evbuffer *buf = evbuffer_new();
		ev_off_t at = places[i / 2];
		evutil_socket_t pair[2];
		char got[10];

		support_socketpair(pair);
		cr_assert_eq(pwrite(fd, "0123456789", 10, at), 10);
		if (i % 2 == 1) /* sent by descriptor, else read */
			evbuffer_set_flags(buf, EVBUFFER_FLAG_DRAINS_TO_FD);
		cr_assert_eq(evbuffer_add_file(buf, dup(fd), at + 2, 6), 0);
		cr_assert_eq(evbuffer_add_file_segment(buf, segment, at, 4), 0);
		while (evbuffer_get_length(buf) > 0)
			cr_assert_gt(evbuffer_write(buf, pair[0]), 0);
		cr_assert_eq(read(pair[1], got, 10), 10);
		cr_assert(memcmp(got, "2345670123", 10) == 0);
		cr_assert_eq(evbuffer_add_file_segment(buf, segment, 0, -1), whole);
		evbuffer_file_segment_free(segment);
		evbuffer_free(buf);
		close(pair[0]);
		close(pair[1]);
	}
	close(fd);
}
