/* SPDX-License-Identifier: BSD-3-Clause */
/* How connections end, and what is reported. */

#include "tls_test.h"

#include <errno.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tls_pair pair;

static void start(int is_filter)
{
	tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
	tls_pair_connect(&pair);
}

static void free_client(void)
{
	bufferevent_free(pair.client.bev);
	pair.client.bev = NULL;
}

/* What comes after the first event, if anything. */
static void settle(struct tls_side *side)
{
	support_run_until(pair.base, &side->is_ended, TLS_TEST_WAIT_MS);
	for (int i = 0; i < 10; i++)
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
}

/* TLS-092, TLS-094, TLS-095, TLS-101, TLS-103, TLS-192, T01 */
Test(tls_close, an_end_without_goodbye_is_an_error, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter);
		free_client();
		settle(&pair.server);
		cr_assert_eq(pair.server.events, 1);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_ERROR);
		tls_pair_fini(&pair);
	}
}

/*
 * TLS-093, TLS-094, TLS-175, T01: a socket that is closed with bytes unread, such as tickets,
 * resets.
 */
Test(tls_close, a_dirty_end_is_an_end_if_allowed, .timeout = 120)
{
	for (int i = 0; i < 4; i++) {
		start(i & 1);
		tls_library()->set_dirty(pair.server.bev, 1);
		bufferevent_write(pair.server.bev, "x", 1);
		if (i & 2)
			tls_pair_receive(&pair, &pair.client, 1);
		else
			event_base_loop(pair.base, EVLOOP_NONBLOCK);
		bufferevent_disable(pair.client.bev, EV_READ);
		if (!(i & 2)) {
			bufferevent_write(pair.server.bev, "unread", 6);
			tls_pair_settle(&pair);
		}
		free_client();
		settle(&pair.server);
		cr_assert_eq(pair.server.events, 1);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_EOF);
		tls_pair_fini(&pair);
	}
}

/* TLS-060, TLS-061, TLS-090, TLS-097, TLS-102, TLS-175, T02 */
Test(tls_close, data_then_goodbye_then_end_give_one_eof, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter);
		bufferevent_write(pair.client.bev, "last", 4);
		tls_pair_receive(&pair, &pair.server, 4);
		tls_library()->say_goodbye(tls_library()->object_of(pair.client.bev));
		settle(&pair.server);
		cr_assert_eq(pair.server.events, 1);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_EOF);
		free_client();
		for (int i = 0; i < 10; i++)
			event_base_loop(pair.base, EVLOOP_NONBLOCK);
		cr_assert_eq(pair.server.events, 1);
		tls_pair_fini(&pair);
	}
}

/* TLS-091, T09 */
Test(tls_close, writing_goes_on_after_the_peers_goodbye, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter);
		tls_library()->say_goodbye(tls_library()->object_of(pair.client.bev));
		settle(&pair.server);
		bufferevent_write(pair.server.bev, "still", 5);
		tls_pair_receive(&pair, &pair.client, 5);
		cr_assert_eq(pair.client.events, 0);
		tls_pair_fini(&pair);
	}
}

/* TLS-041, TLS-201 */
Test(tls_close, an_end_in_the_handshake_is_one_event, .timeout = 120)
{
	for (int i = 0; i < 4; i++) {
		tls_pair_init(&pair, i & 1, BEV_OPT_CLOSE_ON_FREE);
		tls_library()->set_dirty(pair.client.bev, i & 2);
		shutdown(pair.fds[1], SHUT_WR);
		bufferevent_disable(pair.server.bev, EV_READ | EV_WRITE);
		settle(&pair.client);
		cr_assert_eq(pair.client.events, 1);
		cr_assert_eq(pair.client.connected, 0);
		cr_assert_eq(pair.client.first_event,
			     BEV_EVENT_READING | (i & 2 ? BEV_EVENT_EOF : BEV_EVENT_ERROR));
		tls_pair_fini(&pair);
	}
}

/* TLS-098, TLS-099, TLS-079, TLS-203 */
Test(tls_close, nothing_waits_after_an_error, .timeout = 120)
{
	start(0);
	free_client();
	settle(&pair.server);
	cr_assert_eq(bufferevent_get_enabled(pair.server.bev), 0);
	bufferevent_write(pair.server.bev, "kept", 4);
	support_run(pair.base, TLS_TEST_WAIT_MS);
	cr_assert_eq(evbuffer_get_length(bufferevent_get_output(pair.server.bev)), 4);
	cr_assert_eq(pair.server.events, 1);
	tls_pair_fini(&pair);
}

/* TLS-042, TLS-044 */
Test(tls_close, a_refused_connection_is_one_error, .timeout = 120)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	for (int is_filter = 0; is_filter < 2; is_filter++) {
		struct event_base *base = support_base_new();
		struct tls_side side = { 0 };
		ev_uint16_t port;
		evutil_socket_t fd = support_listen(&port);
		void *object = tls_library()->object_new(0);

		evutil_closesocket(fd);
		to.sin_port = htons(port);
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (is_filter) {
			side.below = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
			tls_watch(&side, tls_library()->filter_new(base, side.below, object,
								   BUFFEREVENT_SSL_CONNECTING,
								   BEV_OPT_CLOSE_ON_FREE));
		} else {
			tls_watch(&side, tls_library()->socket_new(base, -1, object,
								   BUFFEREVENT_SSL_CONNECTING,
								   BEV_OPT_CLOSE_ON_FREE));
		}
		cr_assert_eq(
			bufferevent_socket_connect(side.bev, (struct sockaddr *)&to, sizeof(to)),
			0);
		support_run_until(base, &side.is_ended, TLS_TEST_WAIT_MS);
		event_base_loop(base, EVLOOP_NONBLOCK);
		cr_assert_eq(side.events, 1);
		cr_assert(side.first_event & BEV_EVENT_ERROR);
		cr_assert_eq(side.err, ECONNREFUSED);
		bufferevent_free(side.bev);
		event_base_free(base);
	}
}

static void say_last_and_free(struct bufferevent *bev, void *arg)
{
	struct tls_side *side = arg;

	bufferevent_free(bev);
	side->bev = NULL;
}

static void answer(struct bufferevent *bev, void *arg)
{
	tls_write_pattern(bev, 100000);
	bufferevent_setcb(bev, NULL, say_last_and_free, NULL, arg);
}

/* TLS-105 */
Test(tls_close, all_that_was_sent_comes_before_the_end, .timeout = 120)
{
	for (int i = 0; i < 4; i++) {
		start(i & 1);
		tls_library()->set_dirty(pair.client.bev, i & 2);
		bufferevent_setcb(pair.server.bev, answer, NULL, NULL, &pair.server);
		bufferevent_write(pair.client.bev, "?", 1);
		settle(&pair.client);
		if (!(i & 1)) /* a filter tells when the bytes are below, and they go with that */
			tls_check_pattern(pair.client.bev, 100000);
		cr_assert_eq(pair.client.events, 1);
		cr_assert_eq(pair.client.first_event,
			     BEV_EVENT_READING | (i & 2 ? BEV_EVENT_EOF : BEV_EVENT_ERROR));
		tls_pair_fini(&pair);
	}
}

static size_t unsent(const struct tls_side *side)
{
	size_t len = evbuffer_get_length(bufferevent_get_output(side->bev));

	return side->below != NULL ? len + evbuffer_get_length(bufferevent_get_output(side->below))
				   : len;
}

/* TLS-060, TLS-105: a write that fails must not take away what came before the peer left. */
Test(tls_close, all_that_came_is_read_before_a_failed_write_is_told, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter);
		bufferevent_disable(pair.server.bev, EV_READ);
		tls_write_pattern(pair.client.bev, 150000);
		while (unsent(&pair.client) > 0)
			event_base_loop(pair.base, EVLOOP_ONCE);
		free_client();
		bufferevent_write(pair.server.bev, "late", 4);
		bufferevent_enable(pair.server.bev, EV_READ);
		settle(&pair.server);
		cr_assert_eq(pair.server.events, 1);
		cr_assert(pair.server.first_event & BEV_EVENT_ERROR);
		tls_check_pattern(pair.server.bev, 150000);
		tls_pair_fini(&pair);
	}
}

/* TLS-104 */
Test(tls_close, after_ones_own_goodbye_one_may_read_but_not_write, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter);
		tls_library()->say_goodbye(tls_library()->object_of(pair.client.bev));
		settle(&pair.server);
		bufferevent_write(pair.server.bev, "late", 4);
		tls_pair_receive(&pair, &pair.client, 4);
		cr_assert_eq(pair.client.events, 0);
		if (tls_library() == &tls_openssl) { /* the other one lets it pass */
			bufferevent_write(pair.client.bev, "no", 2);
			settle(&pair.client);
			cr_assert_eq(pair.client.events, 1);
			cr_assert_eq(pair.client.first_event, BEV_EVENT_WRITING | BEV_EVENT_ERROR);
		}
		tls_pair_fini(&pair);
	}
}

/* TLS-102, TLS-206 */
Test(tls_close, goodbye_is_said_when_all_was_sent, .timeout = 120)
{
	struct event_base *base = support_base_new();
	struct bufferevent *plain = bufferevent_socket_new(base, -1, 0);

	cr_assert_eq(bufferevent_ssl_shutdown(plain), -1);
	bufferevent_free(plain);
	event_base_free(base);
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		/* before the handshake */
		cr_assert_eq(bufferevent_ssl_shutdown(pair.client.bev), -1);
		tls_pair_connect(&pair);
		bufferevent_write(pair.client.bev, "last", 4);
		cr_assert_eq(bufferevent_ssl_shutdown(pair.client.bev), -1); /* not sent yet */
		tls_pair_receive(&pair, &pair.server, 4);
		cr_assert_eq(bufferevent_ssl_shutdown(pair.client.bev), 0);
		settle(&pair.server);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_EOF);
		tls_pair_fini(&pair);
	}
}

/* --- On the wire ------------------------------------------------------------------------------ */

static void start_wire(int is_filter)
{
	tls_wire_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
	tls_wire_connect(&pair);
}

/* TLS-100 */
Test(tls_close, a_bad_record_is_one_error, .timeout = 120)
{
	static const char bad[] = "\027\003\003\000\040 this is no record that anybody made";

	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start_wire(is_filter);
		bufferevent_write(pair.client.bev, "good", 4);
		tls_pair_settle(&pair);
		cr_assert_eq(send(pair.wire[1], bad, sizeof(bad), 0), sizeof(bad));
		settle(&pair.server);
		cr_assert_eq(evbuffer_get_length(bufferevent_get_input(pair.server.bev)), 4);
		cr_assert_eq(pair.server.reads, 1);
		cr_assert_eq(pair.server.events, 1);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_ERROR);
		cr_assert_neq(pair.server.code, 0);
		tls_pair_fini(&pair);
	}
}

/* The size of a record with 1000 bytes of data. */
static size_t measure_record(void)
{
	size_t size = 0, n;

	tls_write_pattern(pair.client.bev, 1000);
	for (int i = 0; i < 3; i++) {
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
		while ((n = tls_wire_move(&pair, 0, SIZE_MAX)) > 0)
			size += n;
	}
	tls_pair_settle(&pair);
	cr_assert_eq(evbuffer_get_length(bufferevent_get_input(pair.server.bev)), 1000);
	evbuffer_drain(bufferevent_get_input(pair.server.bev), 1000);
	return size;
}

/*
 * TLS-092, TLS-175, T09: cut off anywhere, what came whole is delivered, then there is one error.
 */
Test(tls_close, a_stream_cut_short_is_an_error, .timeout = 120)
{
	for (int i = 0; i < 2; i++)
		for (size_t cut = 0; cut < 3000; cut += 311) {
			size_t moved = 0, record, n;

			start_wire(i);
			record = measure_record();
			for (int j = 0; j < 3; j++) {
				tls_write_pattern(pair.client.bev, 1000);
				event_base_loop(pair.base, EVLOOP_NONBLOCK);
			}
			while (moved < cut && (n = tls_wire_move(&pair, 0, cut - moved)) > 0)
				moved += n;
			cr_assert_eq(moved, cut);
			close(pair.wire[1]);
			pair.wire[1] = -1;
			settle(&pair.server);
			cr_assert_eq(pair.server.events, 1);
			cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_ERROR);
			cr_assert_eq(evbuffer_get_length(bufferevent_get_input(pair.server.bev)),
				     cut / record * 1000, "cut at %zu of %zu each", cut, record);
			tls_pair_fini(&pair);
		}
}

/* TLS-040, T08: harmless messages, far more than anybody needs. */
Test(tls_close, a_flood_of_warnings_is_an_error, .timeout = 120)
{
	static const char warning[] = { 21, 3, 1, 0, 2, 1, 90 };

	for (int is_filter = 0; is_filter < 2; is_filter++) {
		tls_wire_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		for (int i = 0; i < 100; i++)
			cr_assert_eq(send(pair.wire[1], warning, sizeof(warning), 0),
				     sizeof(warning));
		settle(&pair.server);
		cr_assert_eq(pair.server.events, 1);
		cr_assert_eq(pair.server.connected, 0);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_ERROR);
		tls_pair_fini(&pair);
	}
}

/* --- Timeouts --------------------------------------------------------------------------------- */

static void run_ms(int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(pair.base, &tv);
	event_base_dispatch(pair.base);
}

/* TLS-135, TLS-136, TLS-202 */
Test(tls_close, a_timeout_is_told_once_and_disables, .timeout = 120)
{
	struct timeval soon = { 0, 30000 };

	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter);
		bufferevent_set_timeouts(pair.server.bev, &soon, NULL);
		support_run_until(pair.base, &pair.server.is_ended, TLS_TEST_WAIT_MS);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_TIMEOUT | BEV_EVENT_READING);
		cr_assert_eq(bufferevent_get_enabled(pair.server.bev), EV_WRITE);
		run_ms(100);
		cr_assert_eq(pair.server.events, 1);
		bufferevent_enable(pair.server.bev, EV_READ);
		pair.server.is_ended = 0;
		support_run_until(pair.base, &pair.server.is_ended, TLS_TEST_WAIT_MS);
		cr_assert_eq(pair.server.events, 2);
		tls_pair_fini(&pair);
	}
}

/* TLS-135 */
Test(tls_close, a_write_that_does_not_get_on_times_out, .timeout = 120)
{
	struct timeval soon = { 0, 30000 };

	start(0);
	bufferevent_disable(pair.server.bev, EV_READ);
	bufferevent_set_timeouts(pair.client.bev, NULL, &soon);
	tls_write_pattern(pair.client.bev, 2 << 20);
	support_run_until(pair.base, &pair.client.is_ended, TLS_TEST_WAIT_MS);
	cr_assert_eq(pair.client.first_event, BEV_EVENT_TIMEOUT | BEV_EVENT_WRITING);
	cr_assert_eq(bufferevent_get_enabled(pair.client.bev), EV_READ);
	tls_pair_fini(&pair);
}

/* TLS-139: a record that comes byte by byte is no data yet. */
Test(tls_close, a_filters_timeout_counts_data, .timeout = 120)
{
	struct timeval limit = { 0, 150000 };
	double started;

	start_wire(1);
	tls_write_pattern(pair.client.bev, 10000);
	event_base_loop(pair.base, EVLOOP_NONBLOCK);
	bufferevent_set_timeouts(pair.server.bev, &limit, NULL);
	started = support_now_ms();
	while (!pair.server.is_ended) {
		cr_assert_lt(support_now_ms() - started, TLS_TEST_WAIT_MS);
		(void)tls_wire_move(&pair, 0, 10);
		run_ms(10);
	}
	cr_assert_eq(pair.server.first_event, BEV_EVENT_TIMEOUT | BEV_EVENT_READING);
	tls_pair_fini(&pair);
}

/* TLS-096, TLS-139 */
Test(tls_close, timeouts_below_are_passed_on, .timeout = 120)
{
	struct timeval soon = { 0, 20000 };

	start(1);
	bufferevent_set_timeouts(pair.server.below, &soon, NULL);
	support_run_until(pair.base, &pair.server.is_ended, TLS_TEST_WAIT_MS);
	cr_assert_eq(pair.server.events, 1);
	cr_assert_eq(pair.server.first_event, BEV_EVENT_TIMEOUT | BEV_EVENT_READING);
	tls_pair_fini(&pair);
}

/* TLS-141 */
Test(tls_close, what_is_readable_is_not_late, .timeout = 120)
{
	struct timeval soon = { 0, 20000 };
	double late;

	start(0);
	bufferevent_disable(pair.client.bev, EV_READ);
	bufferevent_write(pair.client.bev, "in time", 7);
	bufferevent_disable(pair.server.bev, EV_READ);
	tls_pair_settle(&pair);
	bufferevent_set_timeouts(pair.server.bev, &soon, NULL);
	bufferevent_enable(pair.server.bev, EV_READ);
	for (late = support_now_ms() + 40; support_now_ms() < late;)
		; /* both are due when the loop looks */
	tls_pair_receive(&pair, &pair.server, 7);
	cr_assert_eq(pair.server.reads, 1);
	cr_assert_eq(pair.server.events, 0);
	tls_pair_fini(&pair);
}
