/* SPDX-License-Identifier: BSD-3-Clause */
/* Reserving and committing, and reading and writing descriptors. */

#include "evbuffer_test.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

TestSuite(evbuffer_io, .init = support_leak_init, .fini = support_leak_fini);

/* BUF-250..252, BUF-258, BUF-265 */
Test(evbuffer_io, reserved_space_becomes_content_when_committed)
{
	struct changes c = { 0 };
	struct evbuffer *buf = buffer_of("ab");
	struct evbuffer_iovec vec[2];

	evbuffer_add_cb(buf, count_changes, &c);
	cr_assert_eq(evbuffer_reserve_space(buf, 2000, vec, 1), 1);
	cr_assert_geq(vec[0].iov_len, 2000);
	cr_assert_eq(evbuffer_get_length(buf), 2);
	memcpy(vec[0].iov_base, "cde", 3);
	vec[0].iov_len = 3;
	cr_assert_eq(evbuffer_commit_space(buf, vec, 1), 0);
	cr_assert_eq(c.rounds, 1);
	cr_assert_eq(c.added, 3);
	expect_text(buf, "abcde");
	cr_assert_eq(evbuffer_reserve_space(buf, 10, vec, 1), 1);
	cr_assert_eq(evbuffer_add(buf, "f", 1), 0);
	expect_text(buf, "abcdef");
	cr_assert_eq(evbuffer_reserve_space(buf, 10, vec, 0), -1);
	evbuffer_free(buf);
}

/* BUF-253..255, BUF-260, BUF-262, BUF-263, B01 */
Test(evbuffer_io, reservations_that_cannot_be)
{
	struct changes c = { 0 };
	struct evbuffer *buf = buffer_of("ab");
	struct evbuffer_iovec vec[2];

	evbuffer_add_cb(buf, count_changes, &c);
	cr_assert_eq(evbuffer_reserve_space(buf, -1, vec, 1), -1);
	cr_assert_eq(evbuffer_reserve_space(buf, EV_SSIZE_MAX, vec, 1), -1);
	cr_assert_geq(evbuffer_reserve_space(buf, 0, vec, 1), 0);
	cr_assert_geq(evbuffer_reserve_space(buf, 0, vec, 2), 0);
	evbuffer_freeze(buf, 0);
	cr_assert_eq(evbuffer_reserve_space(buf, 10, vec, 1), -1);
	cr_assert_eq(evbuffer_commit_space(buf, vec, 0), -1);
	evbuffer_unfreeze(buf, 0);
	cr_assert_eq(evbuffer_commit_space(buf, vec, 0), 0);
	cr_assert_eq(evbuffer_commit_space(buf, vec, -1), -1);
	cr_assert_eq(evbuffer_reserve_space(buf, 10, vec, 1), 1);
	vec[0].iov_len = 0;
	cr_assert_eq(evbuffer_commit_space(buf, vec, 1), 0);
	cr_assert_eq(c.rounds, 0);
	expect_text(buf, "ab");
	evbuffer_free(buf);
}

/* BUF-256, BUF-257, BUF-259, BUF-266, BUF-267 */
Test(evbuffer_io, reservations_use_the_room_that_is_there_first)
{
	struct evbuffer *buf = evbuffer_new();
	struct evbuffer_iovec vec[2], again[2];
	size_t room;

	cr_assert_eq(evbuffer_reserve_space(buf, 512, vec, 2), 1);
	cr_assert_eq(evbuffer_reserve_space(buf, 512, again, 2), 1);
	cr_assert_eq(vec[0].iov_base, again[0].iov_base);
	memcpy(vec[0].iov_base, "start", 5);
	room = vec[0].iov_len - 5;
	vec[0].iov_len = 5;
	cr_assert_eq(evbuffer_commit_space(buf, vec, 1), 0);
	cr_assert_eq(evbuffer_reserve_space(buf, (ev_ssize_t)room + 4000, vec, 2), 2);
	cr_assert_eq((char *)vec[0].iov_base, (char *)evbuffer_pullup(buf, 5) + 5);
	cr_assert_geq(vec[0].iov_len + vec[1].iov_len, room + 4000);
	memcpy(vec[0].iov_base, "/", 1);
	vec[0].iov_len = 1;
	cr_assert_eq(evbuffer_commit_space(buf, vec, 1), 0);
	cr_assert_eq(evbuffer_add(buf, "more", 4), 0);
	expect_text(buf, "start/more");
	evbuffer_free(buf);
}

/* BUF-261, BUF-264 */
Test(evbuffer_io, a_commit_that_does_not_fit_its_reservation_fails)
{
	struct evbuffer *buf = buffer_of("ab");
	struct evbuffer_iovec vec[1], wrong;
	char elsewhere[16] = "";

	cr_assert_eq(evbuffer_reserve_space(buf, 16, vec, 1), 1);
	wrong.iov_base = elsewhere;
	wrong.iov_len = 4;
	cr_assert_eq(evbuffer_commit_space(buf, &wrong, 1), -1);
	wrong = vec[0];
	wrong.iov_len++;
	cr_assert_eq(evbuffer_commit_space(buf, &wrong, 1), -1);
	cr_assert_eq(evbuffer_add(buf, "c", 1), 0);
	cr_assert_eq(evbuffer_commit_space(buf, vec, 1), -1);
	expect_text(buf, "abc");
	cr_assert_eq(evbuffer_reserve_space(buf, 16, vec, 1), 1);
	cr_assert_eq(evbuffer_drain(buf, 3), 0);
	(void)evbuffer_commit_space(buf, vec, 1);
	cr_assert_eq(evbuffer_drain(buf, SIZE_MAX), 0);
	cr_assert_eq(evbuffer_add(buf, "ok", 2), 0);
	expect_text(buf, "ok");
	evbuffer_free(buf);
}

/* BUF-280, BUF-281, BUF-285..287 */
Test(evbuffer_io, reading)
{
	struct changes c = { 0 };
	struct evbuffer *buf = evbuffer_new();
	evutil_socket_t pair[2];

	support_socketpair(pair);
	evbuffer_add_cb(buf, count_changes, &c);
	errno = 0;
	cr_assert_eq(evbuffer_read(buf, pair[0], -1), -1);
	cr_assert(errno == EAGAIN || errno == EWOULDBLOCK);
	cr_assert_eq(write(pair[1], "0123456789", 10), 10);
	cr_assert_eq(evbuffer_read(buf, pair[0], 0), 0);
	evbuffer_freeze(buf, 0);
	cr_assert_eq(evbuffer_read(buf, pair[0], -1), -1);
	evbuffer_unfreeze(buf, 0);
	cr_assert_eq(c.rounds, 0);
	cr_assert_eq(evbuffer_read(buf, pair[0], 4), 4);
	cr_assert_eq(c.rounds, 1);
	cr_assert_eq(evbuffer_read(buf, pair[0], -1), 6);
	expect_text(buf, "0123456789");
	close(pair[1]);
	cr_assert_eq(evbuffer_read(buf, pair[0], -1), 0);
	cr_assert_eq(c.rounds, 2);
	close(pair[0]);
	cr_assert_eq(evbuffer_read(buf, pair[0], -1), -1);
	evbuffer_free(buf);
}

/* BUF-282..284, BUF-380 */
Test(evbuffer_io, the_limit_of_one_read)
{
	struct evbuffer *buf = evbuffer_new();
	evutil_socket_t pair[2];
	char block[20000];

	memset(block, 'r', sizeof(block));
	support_socketpair(pair);
	cr_assert_eq(write(pair[1], block, sizeof(block)), (ssize_t)sizeof(block));
	cr_assert_eq(evbuffer_read(buf, pair[0], -1), 4096);
	cr_assert_eq(evbuffer_set_max_read(buf, 8192), 0);
	cr_assert_eq(evbuffer_get_max_read(buf), 8192);
	cr_assert_eq(evbuffer_read(buf, pair[0], -1), 8192);
	cr_assert_eq(evbuffer_set_max_read(buf, (size_t)INT_MAX + 1), -1);
	cr_assert_eq(evbuffer_get_max_read(buf), 8192);
	cr_assert_eq(evbuffer_set_max_read(buf, 0), 0);
	cr_assert_eq(evbuffer_read(buf, pair[0], -1), 4096);
	evbuffer_free(buf);
	close(pair[0]);
	close(pair[1]);
}

/* BUF-288..293, BUF-392 */
Test(evbuffer_io, writing)
{
	struct changes c = { 0 };
	struct evbuffer *buf = pieces_of("0123456789", 3);
	evutil_socket_t pair[2];
	char out[16];

	support_socketpair(pair);
	evbuffer_add_cb(buf, count_changes, &c);
	cr_assert_eq(evbuffer_write_atmost(buf, pair[0], 4), 4);
	cr_assert_eq(c.deleted, 4);
	expect_text(buf, "456789");
	evbuffer_freeze(buf, 1);
	cr_assert_eq(evbuffer_write(buf, pair[0]), -1);
	evbuffer_unfreeze(buf, 1);
	cr_assert_eq(evbuffer_write(buf, pair[0]), 6);
	cr_assert_eq(read(pair[1], out, sizeof(out)), 10);
	cr_assert(memcmp(out, "0123456789", 10) == 0);
	errno = 0;
	cr_assert_eq(evbuffer_write(buf, pair[0]), -1);
	cr_assert_eq(errno, EAGAIN);
	cr_assert_eq(evbuffer_add(buf, "x", 1), 0);
	close(pair[0]);
	cr_assert_eq(evbuffer_write(buf, pair[0]), -1);
	cr_assert_eq(errno, EBADF);
	expect_text(buf, "x");
	close(pair[1]);
	evbuffer_free(buf);
}

/* BUF-290 */
Test(evbuffer_io, many_pieces_take_several_writes)
{
	struct evbuffer *buf = evbuffer_new();
	evutil_socket_t pair[2];
	int written = 0;

	support_socketpair(pair);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(evbuffer_add_reference(buf, "ab", 2, NULL, NULL), 0);
	while (evbuffer_get_length(buf) > 0) {
		int n = evbuffer_write(buf, pair[0]);

		cr_assert_gt(n, 0);
		written += n;
	}
	cr_assert_eq(written, 2000);
	evbuffer_free(buf);
	close(pair[0]);
	close(pair[1]);
}

/* BUF-295, BUF-398 */
Test(evbuffer_io, a_peer_that_is_gone_raises_no_signal)
{
	struct evbuffer *buf = buffer_of("x");
	evutil_socket_t pair[2];

	signal(SIGPIPE, SIG_DFL);
	support_socketpair(pair);
	close(pair[1]);
	cr_assert_eq(evbuffer_write(buf, pair[0]), -1);
	cr_assert_eq(errno, EPIPE);
	expect_text(buf, "x");
	evbuffer_free(buf);
	close(pair[0]);
}

/* BUF-294 */
Test(evbuffer_io, pipes_and_files_work_like_sockets)
{
	struct evbuffer *buf = buffer_of("through a pipe"), *back = evbuffer_new();
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(evbuffer_write(buf, ends[1]), 14);
	cr_assert_eq(evbuffer_read(back, ends[0], -1), 14);
	expect_text(back, "through a pipe");
	close(ends[0]);
	close(ends[1]);
	evbuffer_free(buf);
	evbuffer_free(back);
}
