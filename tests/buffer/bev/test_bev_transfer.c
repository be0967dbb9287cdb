/* SPDX-License-Identifier: BSD-3-Clause */
/* Socket bufferevents: what becomes of bytes, and how a connection ends. */

#include "bev_test.h"

#include <signal.h>

TestSuite(bev_transfer, .init = start, .fini = finish, .timeout = 60);

/* A TCP connection whose peer resets it when it is closed. */
static void tcp_pair(evutil_socket_t fds[2])
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(port);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(fds[0], (struct sockaddr *)&sin, sizeof(sin)), 0);
	while ((fds[1] = accept(listener, NULL, NULL)) < 0)
		cr_assert(errno == EAGAIN);
	evutil_make_socket_nonblocking(fds[0]);
	evutil_make_socket_nonblocking(fds[1]);
	close(listener);
}

static void reset(evutil_socket_t fd)
{
	const struct linger linger = { .l_onoff = 1 };

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(fd);
}

/* --- Outcomes --------------------------------------------------------------------------------- */

/* BEV-100, BEV-101, BEV-107, BEV-349 */
Test(bev_transfer, the_peers_close_ends_reading_only)
{
	struct bufferevent *bev[2];
	struct probe a = { 0 }, b = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[0], &a);
	watch(bev[1], &b);
	bufferevent_enable(bev[0], EV_READ);
	bufferevent_enable(bev[1], EV_READ);
	cr_assert_eq(shutdown(bufferevent_getfd(bev[1]), SHUT_WR), 0);
	run_until(&a.events, 1);
	settle();
	cr_expect_eq(a.events, 1);
	cr_expect_eq(a.what[0], BEV_EVENT_READING | BEV_EVENT_EOF);
	cr_expect_eq(bufferevent_get_enabled(bev[0]), EV_WRITE);
	bufferevent_write(bev[0], "still", 5);
	run_until_received(&b, 5);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-027, BEV-103, B14 */
Test(bev_transfer, data_comes_before_the_end_and_stays_below_the_mark)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_write(bev[1], "last words", 10);
	settle();
	bufferevent_free(bev[1]);
	bufferevent_enable(bev[0], EV_READ);
	run_until(&probe.events, 1);
	cr_expect_str_eq(probe.order, "re");
	cr_expect_eq(input_len(bev[0]), 10);
	bufferevent_free(bev[0]);

	linked_new(bev, 0);
	memset(&probe, 0, sizeof(probe));
	watch(bev[0], &probe);
	bufferevent_setwatermark(bev[0], EV_READ, 100, 0);
	bufferevent_write(bev[1], "last words", 10);
	settle();
	bufferevent_free(bev[1]);
	bufferevent_enable(bev[0], EV_READ);
	run_until(&probe.events, 1);
	cr_expect_str_eq(probe.order, "e");
	cr_expect_eq(input_len(bev[0]), 10);
	bufferevent_free(bev[0]);
}

/* BEV-104, BEV-029, BEV-349 */
Test(bev_transfer, a_reset_is_a_read_error)
{
	evutil_socket_t fds[2];
	struct bufferevent *bev;
	struct probe probe = { 0 };

	tcp_pair(fds);
	bev = socket_new(fds[0], BEV_OPT_CLOSE_ON_FREE);
	watch(bev, &probe);
	bufferevent_enable(bev, EV_READ);
	reset(fds[1]);
	run_until(&probe.events, 1);
	settle();
	cr_expect_eq(probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_READING | BEV_EVENT_ERROR);
	cr_expect_eq(probe.err[0], ECONNRESET);
	cr_expect_eq(bufferevent_get_enabled(bev), EV_WRITE);
	bufferevent_free(bev);
}

/* BEV-105, BEV-112, B17 */
Test(bev_transfer, a_broken_pipe_is_a_write_error_and_keeps_the_bytes)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	signal(SIGPIPE, SIG_DFL); /* the signal would end the test */
	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_free(bev[1]);
	bufferevent_write(bev[0], "nobody", 6);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_WRITING | BEV_EVENT_ERROR);
	cr_expect_eq(probe.err[0], EPIPE);
	cr_expect_eq(bufferevent_get_enabled(bev[0]), 0);
	cr_expect_eq(output_len(bev[0]), 6);
	bufferevent_write(bev[0], "home", 4);
	settle();
	cr_expect_eq(probe.events, 1);
	cr_expect_eq(output_len(bev[0]), 10);
	bufferevent_enable(bev[0], EV_WRITE);
	run_until(&probe.events, 2);
	cr_expect_eq(probe.writes, 0);
	bufferevent_free(bev[0]);
}

/* BEV-108 */
Test(bev_transfer, without_event_callback_the_direction_ends_silently)
{
	struct bufferevent *bev[2];

	linked_new(bev, 0);
	bufferevent_enable(bev[0], EV_READ);
	bufferevent_free(bev[1]);
	settle();
	cr_expect_eq(bufferevent_get_enabled(bev[0]), EV_WRITE);
	bufferevent_free(bev[0]);
}

/* BEV-109 */
Test(bev_transfer, a_file_that_shrank_is_a_write_error)
{
	char name[] = "/tmp/bev_shrink_XXXXXX";
	struct bufferevent *bev[2];
	struct probe probe = { 0 };
	int file = mkstemp(name);

	cr_assert_geq(file, 0);
	unlink(name);
	cr_assert_eq(ftruncate(file, 100000), 0);
	linked_new(bev, 0);
	watch(bev[0], &probe);
	cr_assert_eq(evbuffer_set_flags(bufferevent_get_output(bev[0]), EVBUFFER_FLAG_DRAINS_TO_FD),
		     0);
	cr_assert_eq(evbuffer_add_file(bufferevent_get_output(bev[0]), file, 0, 100000), 0);
	cr_assert_eq(ftruncate(file, 0), 0);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_WRITING | BEV_EVENT_ERROR);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-110 */
Test(bev_transfer, a_refusal_outside_a_connection_attempt_is_a_read_error)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port);
	evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct bufferevent *bev;
	struct probe probe = { 0 };

	close(listener);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(port);
	(void)connect(fd, (struct sockaddr *)&sin, sizeof(sin));
	bev = socket_new(fd, BEV_OPT_CLOSE_ON_FREE);
	watch(bev, &probe);
	bufferevent_disable(bev, EV_WRITE);
	bufferevent_enable(bev, EV_READ);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_READING | BEV_EVENT_ERROR);
	cr_expect_eq(probe.err[0], ECONNREFUSED);
	bufferevent_free(bev);
}

/* BEV-106, BEV-172, B16 */
Test(bev_transfer, megabytes_arrive_whole_and_in_order)
{
	const size_t n = 3000000;
	struct bufferevent *bev[2];
	struct evbuffer *all = evbuffer_new();
	struct probe a = { 0 }, b = { 0 };
	char *bytes = pattern(n);

	linked_new(bev, 0);
	watch(bev[0], &a);
	watch(bev[1], &b);
	bufferevent_enable(bev[1], EV_READ);
	for (size_t at = 0; at < n; at += 100000)
		cr_assert_eq(bufferevent_write(bev[0], bytes + at, 100000), 0);
	for (int rounds = 0; evbuffer_get_length(all) < n; rounds++) {
		cr_assert_lt(rounds, 100000);
		cr_assert_geq(event_base_loop(base, EVLOOP_ONCE), 0);
		bufferevent_read_buffer(bev[1], all);
	}
	cr_expect_eq(memcmp(evbuffer_pullup(all, -1), bytes, n), 0);
	cr_expect_eq(a.events + b.events, 0);
	cr_expect_geq(a.writes, 1);
	free(bytes);
	evbuffer_free(all);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-113, BEV-024, BEV-331 */
Test(bev_transfer, one_readiness_is_one_read_of_at_most_the_single_size)
{
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	cr_expect_eq(bufferevent_set_max_single_read(bev[1], 100), 0);
	fill(bev[0], 1000);
	settle();
	bufferevent_enable(bev[1], EV_READ);
	run_until_received(&probe, 1000);
	cr_expect_eq(probe.reads, 10);
	cr_expect_eq(probe.max_input, 100);
	evbuffer_set_max_read(bufferevent_get_input(bev[1]), 50);
	fill(bev[0], 100);
	run_until_received(&probe, 1100);
	cr_expect_eq(probe.reads, 12);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* B25 */
Test(bev_transfer, a_peer_that_reads_nothing_stops_the_write_callbacks)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };
	int before;

	linked_new(bev, 0);
	watch(bev[0], &probe);
	for (int i = 0; i < 1000 && output_len(bev[0]) == 0; i++) {
		fill(bev[0], 10000);
		settle();
	}
	cr_assert_gt(output_len(bev[0]), 0);
	before = probe.writes;
	run_for(50);
	cr_expect_eq(probe.writes, before);
	cr_expect_leq(output_len(bev[0]), 10000, "bounded if the user waits for the callback");
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* --- Moving data ------------------------------------------------------------------------------ */

/* BEV-165, BEV-166, BEV-169, BEV-122 */
Test(bev_transfer, writing_appends_and_the_loop_sends)
{
	struct bufferevent *bev[2];
	struct evbuffer *buf = evbuffer_new();
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_enable(bev[1], EV_READ);
	cr_expect_eq(bufferevent_write(bev[0], NULL, 0), 0);
	cr_expect_eq(bufferevent_write(bev[0], "ab", 2), 0);
	evbuffer_add(buf, "cdef", 4);
	cr_expect_eq(bufferevent_write_buffer(bev[0], buf), 0);
	cr_expect_eq(evbuffer_get_length(buf), 0);
	cr_expect_eq(bufferevent_write_buffer(bev[0], buf), 0);
	cr_expect_eq(output_len(bev[0]), 6, "nothing is sent inside the call");
	run_until_received(&probe, 6);
	cr_expect_arr_eq(probe.data, "abcdef", 6);
	cr_expect_eq(probe.reads, 1, "what was written in one round goes at once");
	evbuffer_free(buf);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-167, BEV-168, BEV-332 */
Test(bev_transfer, reading_takes_from_the_input)
{
	struct bufferevent *bev[2];
	struct evbuffer *buf = evbuffer_new();
	struct probe probe = { 0 };
	char data[8];

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_enable(bev[1], EV_READ);
	cr_expect_eq(bufferevent_read(bev[1], data, sizeof(data)), 0);
	bufferevent_write(bev[0], "0123456789", 10);
	run_until(&probe.reads, 1);
	cr_expect_eq(bufferevent_read(bev[1], data, 3), 3);
	cr_expect_arr_eq(data, "012", 3);
	evbuffer_freeze(bufferevent_get_input(bev[1]), 1);
	cr_expect_eq(bufferevent_read(bev[1], data, 3), 0);
	cr_expect_eq(bufferevent_read_buffer(bev[1], buf), -1);
	evbuffer_unfreeze(bufferevent_get_input(bev[1]), 1);
	cr_expect_eq(bufferevent_read_buffer(bev[1], buf), 0);
	cr_expect_eq(evbuffer_get_length(buf), 7);
	cr_expect_eq(input_len(bev[1]), 0);
	evbuffer_free(buf);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-171 */
Test(bev_transfer, files_and_references_are_sent)
{
	char name[] = "/tmp/bev_file_XXXXXX";
	struct bufferevent *bev[2];
	struct evbuffer *out, *all = evbuffer_new();
	char *bytes = pattern(200000);
	int file = mkstemp(name);

	cr_assert_geq(file, 0);
	unlink(name);
	cr_assert_eq(write(file, bytes, 200000), 200000);
	linked_new(bev, 0);
	bufferevent_enable(bev[1], EV_READ);
	out = bufferevent_get_output(bev[0]);
	evbuffer_add_reference(out, "head ", 5, NULL, NULL);
	cr_assert_eq(evbuffer_add_file(out, file, 0, 200000), 0);
	bufferevent_write(bev[0], " tail", 5);
	for (int i = 0; i < 10000 && evbuffer_get_length(all) < 200010; i++) {
		event_base_loop(base, EVLOOP_ONCE);
		bufferevent_read_buffer(bev[1], all);
	}
	cr_assert_eq(evbuffer_get_length(all), 200010);
	cr_expect_eq(memcmp(evbuffer_pullup(all, -1) + 5, bytes, 200000), 0);
	cr_expect_eq(memcmp(evbuffer_pullup(all, -1) + 200005, " tail", 5), 0);
	free(bytes);
	evbuffer_free(all);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-347 */
Test(bev_transfer, a_write_callback_with_empty_output_means_all_is_sent)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	fill(bev[0], 1000000);
	bufferevent_enable(bev[1], EV_READ);
	run_until(&probe.writes, 1);
	cr_expect_eq(output_len(bev[0]), 0);
	settle();
	cr_expect_eq(input_len(bev[1]), 1000000);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* CORE-188: what is written before the wait is something that happened. */
Test(bev_transfer, one_turn_of_the_loop_ends_with_the_write_callback, .timeout = 60)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	settle();
	probe.writes = 0;
	bufferevent_write(bev[0], "x", 1);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(probe.writes, 1);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}
