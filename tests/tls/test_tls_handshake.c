/* SPDX-License-Identifier: BSD-3-Clause */
/* Handshakes: who starts them, how they get stuck, time out, break off, and are done again. */

#include "tls_test.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tls_pair pair;

/* TLS-030, TLS-034, TLS-055, T05 */
Test(tls_handshake, it_completes_one_byte_at_a_time, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		double end = support_now_ms() + TLS_TEST_WAIT_MS;

		tls_wire_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_write(pair.client.bev, "early", 5);
		while (evbuffer_get_length(bufferevent_get_input(pair.server.bev)) < 5) {
			cr_assert_lt(support_now_ms(), end);
			for (int from = 0; from < 2; from++) {
				(void)tls_wire_move(&pair, from, 1);
				event_base_loop(pair.base, EVLOOP_NONBLOCK);
			}
		}
		cr_assert_eq(pair.client.connected, 1);
		cr_assert_eq(pair.server.connected, 1);
		tls_pair_fini(&pair);
	}
}

/*
 * The peer closes after `limit` bytes of the client have come; nonzero if the handshake was over
 * then.
 */
static int break_off_after(size_t limit, int is_filter, int is_reset)
{
	struct linger linger = { .l_onoff = 1 };
	size_t moved = 0, n = 1;
	int is_over;

	tls_wire_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
	while (moved < limit && n > 0) {
		n = 0;
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
		n += tls_wire_move(&pair, 0, limit - moved);
		moved += n;
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
		n += tls_wire_move(&pair, 1, SIZE_MAX);
	}
	is_over = pair.server.connected;
	if (is_reset)
		setsockopt(pair.wire[1], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(pair.wire[1]);
	pair.wire[1] = -1;
	support_run_until(pair.base, &pair.server.is_ended, TLS_TEST_WAIT_MS);
	for (int i = 0; i < 5; i++)
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
	cr_assert_eq(pair.server.events, 1);
	cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_ERROR);
	cr_assert_eq(pair.server.connected, is_over);
	tls_pair_fini(&pair);
	return is_over;
}

/* TLS-040, TLS-041, TLS-092, T09 */
Test(tls_handshake, breaking_it_off_anywhere_is_one_error, .timeout = 120)
{
	for (int mode = 0; mode < 4; mode++) {
		size_t limit = 0;

		while (!break_off_after(limit, mode & 1, mode & 2))
			limit += 23;
		cr_assert_gt(limit, 100);
	}
}

/*
 * TLS-135, TLS-137, TLS-138, T04: a peer that sends a byte now and then is as late as a silent one.
 */
Test(tls_handshake, the_timeout_is_for_the_handshake_as_a_whole, .timeout = 120)
{
	struct timeval limit = { 0, 150000 };

	for (int is_filter = 0; is_filter < 2; is_filter++) {
		double started, next;

		tls_wire_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_set_timeouts(pair.server.bev, &limit, NULL);
		started = next = support_now_ms();
		while (!pair.server.is_ended) {
			struct timeval wait = { 0, 5000 };

			cr_assert_lt(support_now_ms() - started, TLS_TEST_WAIT_MS);
			if (support_now_ms() >= next) {
				(void)tls_wire_move(&pair, 0, 1);
				next += 20;
			}
			event_base_loopexit(pair.base, &wait);
			event_base_dispatch(pair.base);
		}
		cr_assert_geq(support_now_ms() - started, 149);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_TIMEOUT | BEV_EVENT_READING);
		tls_pair_settle(&pair); /* the rest of the hello comes too late */
		cr_assert_eq(pair.server.events, 1);
		cr_assert_eq(pair.server.connected, 0);
		cr_assert_eq(bufferevent_get_enabled(pair.server.bev) & EV_READ, 0);
		bufferevent_set_timeouts(pair.server.bev, NULL, NULL);
		bufferevent_enable(pair.server.bev, EV_READ);
		tls_wire_connect(&pair);
		cr_assert_eq(pair.server.events, 1);
		tls_pair_fini(&pair);
	}
}

/* TLS-137, TLS-140 */
Test(tls_handshake, one_in_time_is_not_disturbed, .timeout = 120)
{
	struct timeval limit = { 100, 0 };

	for (int is_filter = 0; is_filter < 2; is_filter++) {
		tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_set_timeouts(pair.server.bev, &limit, &limit);
		bufferevent_set_timeouts(pair.client.bev, &limit, &limit);
		tls_pair_connect(&pair);
		bufferevent_set_timeouts(pair.server.bev, NULL, NULL);
		bufferevent_set_timeouts(pair.client.bev, NULL, NULL);
		bufferevent_disable(pair.server.bev, EV_READ);
		bufferevent_disable(pair.client.bev, EV_READ);
		/* nothing is left that the loop would wait for */
		support_run(pair.base, TLS_TEST_WAIT_MS);
		cr_assert_eq(pair.client.events, 0);
		cr_assert_eq(pair.server.events, 0);
		tls_pair_fini(&pair);
	}
}

/* TLS-037 */
Test(tls_handshake, it_waits_while_nothing_is_enabled, .timeout = 120)
{
	for (int i = 0; i < 4; i++) {
		tls_pair_init(&pair, i & 1, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_disable(pair.server.bev, EV_READ | EV_WRITE);
		tls_pair_settle(&pair);
		cr_assert_eq(pair.client.connected, 0);
		bufferevent_enable(pair.server.bev, i & 2 ? EV_WRITE : EV_READ);
		tls_pair_connect(&pair);
		tls_pair_fini(&pair);
	}
}

struct counter {
	int reads;
};

static void count_round(struct evwatch *watch, const struct evwatch_prepare_cb_info *info,
			void *arg)
{
	struct counter *counter = arg;

	(void)watch;
	(void)info;
	counter->reads++;
}

/* TLS-038 */
Test(tls_handshake, nobody_spins_while_the_other_holds_back, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		struct timeval pause = { 0, 300000 };
		struct counter counter = { 0 };

		tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_disable(pair.server.bev, EV_READ | EV_WRITE);
		evwatch_prepare_new(pair.base, count_round, &counter);
		event_base_loopexit(pair.base, &pause);
		event_base_dispatch(pair.base);
		cr_assert_lt(counter.reads, 30);
		bufferevent_enable(pair.server.bev, EV_WRITE);
		tls_pair_connect(&pair);
		tls_pair_fini(&pair);
	}
}

/* --- Connecting and accepting ----------------------------------------------------------------- */

struct host {
	struct evconnlistener *listener;
	struct sockaddr_in at;
	struct tls_side side;
	int options;
};

/* As an HTTP server does it: the descriptor comes after the bufferevent. */
static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		      int len, void *arg)
{
	struct event_base *base = evconnlistener_get_base(listener);
	struct host *host = arg;

	(void)sa;
	(void)len;
	tls_watch(&host->side,
		  tls_library()->socket_new(base, -1, tls_library()->object_new(1),
					    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE));
	bufferevent_enable(host->side.bev, EV_READ);
	cr_assert_eq(bufferevent_setfd(host->side.bev, fd), 0);
}

static void host_init(struct host *host, struct event_base *base)
{
	socklen_t len = sizeof(host->at);

	memset(host, 0, sizeof(*host));
	host->at.sin_family = AF_INET;
	host->at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	host->listener = evconnlistener_new_bind(base, on_accept, host, LEV_OPT_CLOSE_ON_FREE, 10,
						 (struct sockaddr *)&host->at, sizeof(host->at));
	cr_assert_not_null(host->listener);
	getsockname(evconnlistener_get_fd(host->listener), (struct sockaddr *)&host->at, &len);
}

static void host_done(struct host *host)
{
	evconnlistener_free(host->listener);
	bufferevent_free(host->side.bev);
}

enum way { BY_ADDRESS, BY_NAME, BELOW_BEFORE, BELOW_AFTER, WAYS };

static struct bufferevent *make_client(struct event_base *base, int is_filter,
				       struct bufferevent *below)
{
	const struct tls_library *library = tls_library();

	if (!is_filter)
		return library->socket_new(base, -1, library->object_new(0),
					   BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	return library->filter_new(base, below, library->object_new(0), BUFFEREVENT_SSL_CONNECTING,
				   BEV_OPT_CLOSE_ON_FREE);
}

static void connect_in(enum way way, int is_filter)
{
	struct event_base *base = support_base_new();
	struct tls_side side = { 0 };
	struct bufferevent *below =
		is_filter ? bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE) : NULL;
	struct host host;

	host_init(&host, base);
	if (way == BELOW_BEFORE)
		bufferevent_socket_connect(below, (struct sockaddr *)&host.at, sizeof(host.at));
	tls_watch(&side, make_client(base, is_filter, below));
	if (way == BY_ADDRESS)
		bufferevent_socket_connect(side.bev, (struct sockaddr *)&host.at, sizeof(host.at));
	else if (way == BY_NAME)
		bufferevent_socket_connect_hostname(side.bev, NULL, AF_INET, "localhost",
						    ntohs(host.at.sin_port));
	else if (way == BELOW_AFTER)
		bufferevent_socket_connect(below, (struct sockaddr *)&host.at, sizeof(host.at));
	support_run_until(base, &side.connected, TLS_TEST_WAIT_MS);
	support_run_until(base, &host.side.connected, TLS_TEST_WAIT_MS);
	for (int i = 0; i < 5; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_eq(side.connected, 1);
	cr_assert_eq(side.events, 0);
	cr_assert_eq(host.side.connected, 1);
	bufferevent_free(side.bev);
	host_done(&host);
	event_base_free(base);
}

/* TLS-031, TLS-032, TLS-039, TLS-042, TLS-043, TLS-045, TLS-046 */
Test(tls_handshake, it_starts_by_itself_when_the_transport_stands, .timeout = 120)
{
	for (int way = 0; way < WAYS; way++)
		for (int is_filter = way >= BELOW_BEFORE; is_filter < 2; is_filter++)
			connect_in(way, is_filter);
}

/* TLS-039, TLS-204 */
Test(tls_handshake, it_starts_by_itself_over_a_pair, .timeout = 120)
{
	for (int deferred = 0; deferred < 2; deferred++) {
		const struct tls_library *library = tls_library();
		struct event_base *base = support_base_new();
		int options = BEV_OPT_CLOSE_ON_FREE | (deferred ? BEV_OPT_DEFER_CALLBACKS : 0);
		struct bufferevent *ends[2];
		struct tls_side sides[2] = { { 0 }, { 0 } };

		cr_assert_eq(bufferevent_pair_new(base, options, ends), 0);
		for (int i = 0; i < 2; i++)
			tls_watch(&sides[i],
				  library->filter_new(base, ends[i], library->object_new(i),
						      i ? BUFFEREVENT_SSL_ACCEPTING
							: BUFFEREVENT_SSL_CONNECTING,
						      options));
		support_run_until(base, &sides[0].connected, TLS_TEST_WAIT_MS);
		support_run_until(base, &sides[1].connected, TLS_TEST_WAIT_MS);
		cr_assert_eq(sides[0].connected, 1);
		bufferevent_free(sides[0].bev);
		bufferevent_free(sides[1].bev);
		event_base_free(base);
	}
}

/* TLS-045, TLS-207 */
Test(tls_handshake, a_name_that_is_not_found_is_one_error, .timeout = 120)
{
	struct event_base *base = support_base_new();
	struct tls_side side = { 0 };

	tls_watch(&side, make_client(base, 0, NULL));
	cr_assert_eq(bufferevent_socket_connect_hostname(side.bev, NULL, AF_INET6, "127.0.0.1", 1),
		     0);
	if (!side.is_ended)
		support_run_until(base, &side.is_ended, TLS_TEST_WAIT_MS);
	cr_assert_eq(side.events, 1);
	cr_assert(side.first_event & BEV_EVENT_ERROR);
	cr_assert_eq(side.connected, 0);
	cr_assert_neq(bufferevent_socket_get_dns_error(side.bev), 0);
	bufferevent_free(side.bev);
	event_base_free(base);
}

/* --- Again on the same connection ------------------------------------------------------------- */

static void write_numbers(struct bufferevent *bev, size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++) {
		unsigned char block[100];

		memset(block, (int)(i & 255), sizeof(block));
		cr_assert_eq(bufferevent_write(bev, block, sizeof(block)), 0);
	}
}

static void check_numbers(struct bufferevent *bev, size_t count)
{
	unsigned char block[100];

	for (size_t i = 0; i < count; i++) {
		cr_assert_eq(bufferevent_read(bev, block, sizeof(block)), sizeof(block));
		cr_assert_eq(block[0], i & 255);
		cr_assert_eq(block[99], i & 255);
	}
}

/*
 * Both have data on their way, and more follows. A server of Mbed TLS 2.28 asks anew with every
 * record that comes instead of the hello, and its client takes the second question for an error:
 * there, the client is silent until it is over.
 */
static void renegotiate_from(struct tls_side *side, int is_filter)
{
	struct tls_setup client = { .renegotiates = 1 },
			 server = { .is_server = 1, .renegotiates = 1 };
	size_t early = side == &pair.server && tls_library() == &tls_mbedtls ? 0 : 300;

	tls_pair_init_with(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE, &client, &server);
	tls_pair_connect(&pair);
	write_numbers(pair.client.bev, 0, early);
	write_numbers(pair.server.bev, 0, 300);
	side->connected = 0;
	cr_assert_eq(tls_library()->renegotiate(side->bev), 0);
	cr_assert_eq(tls_library()->renegotiate(side->bev), -1); /* one at a time */
	event_base_loop(pair.base, EVLOOP_NONBLOCK);
	write_numbers(pair.client.bev, early, early);
	write_numbers(pair.server.bev, 300, 300);
	support_run_until(pair.base, &side->connected, TLS_TEST_WAIT_MS);
	write_numbers(pair.client.bev, 2 * early, 700 - 2 * early);
	write_numbers(pair.server.bev, 600, 100);
	tls_pair_receive(&pair, &pair.server, 70000);
	tls_pair_receive(&pair, &pair.client, 70000);
	check_numbers(pair.server.bev, 700);
	check_numbers(pair.client.bev, 700);
	cr_assert_eq(pair.client.connected, 1);
	cr_assert_eq(pair.server.connected, 1);
	cr_assert_eq(pair.client.events, 0);
	cr_assert_eq(pair.server.events, 0);
	tls_pair_fini(&pair);
}

/* TLS-062, TLS-160, TLS-162, T15 */
Test(tls_handshake, renegotiation_loses_nothing, .timeout = 120)
{
	if (tls_is_13())
		cr_skip_test("TLS 1.3 has no renegotiation");
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		renegotiate_from(&pair.client, is_filter);
		renegotiate_from(&pair.server, is_filter);
	}
}

/* TLS-062, TLS-162: who reads nothing renegotiates all the same, until data is in the way. */
Test(tls_handshake, renegotiation_needs_no_reading, .timeout = 120)
{
	struct tls_setup client = { .renegotiates = 1 },
			 server = { .is_server = 1, .renegotiates = 1 };

	if (tls_is_13())
		cr_skip_test("TLS 1.3 has no renegotiation");
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		tls_pair_init_with(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE, &client, &server);
		tls_pair_connect(&pair);
		bufferevent_disable(pair.client.bev, EV_READ);
		pair.client.connected = 0;
		cr_assert_eq(tls_library()->renegotiate(pair.client.bev), 0);
		support_run_until(pair.base, &pair.client.connected, TLS_TEST_WAIT_MS);
		bufferevent_write(pair.server.bev, "in the way", 10);
		tls_pair_settle(&pair);
		pair.client.connected = 0;
		cr_assert_eq(tls_library()->renegotiate(pair.client.bev), 0);
		tls_pair_settle(&pair);
		cr_assert_eq(pair.client.connected, 0);
		bufferevent_enable(pair.client.bev, EV_READ);
		support_run_until(pair.base, &pair.client.connected, TLS_TEST_WAIT_MS);
		tls_pair_receive(&pair, &pair.client, 10);
		tls_pair_fini(&pair);
	}
}

/* TLS-160, TLS-161, TLS-179 */
Test(tls_handshake, what_cannot_renegotiate_goes_on, .timeout = 120)
{
	tls_pair_init(&pair, 0, BEV_OPT_CLOSE_ON_FREE);
	cr_assert_eq(tls_library()->renegotiate(pair.client.bev), -1); /* not connected yet */
	tls_pair_connect(&pair);
	if (tls_is_13() || tls_library() == &tls_mbedtls) {
		cr_assert_eq(tls_library()->renegotiate(pair.client.bev), -1);
		cr_assert_eq(tls_library()->renegotiate(pair.server.bev), -1);
	}
	bufferevent_write(pair.client.bev, "ping", 4);
	tls_pair_receive(&pair, &pair.server, 4);
	cr_assert_eq(pair.client.connected, 1);
	cr_assert_eq(pair.client.events, 0);
	tls_pair_fini(&pair);
}

/*
 * TLS-161, T07: servers refuse unless told otherwise, so that a client cannot keep one busy with
 * it.
 */
Test(tls_handshake, a_refusing_server_is_not_kept_busy, .timeout = 120)
{
	struct tls_setup client = { .renegotiates = 1 };

	if (tls_is_13())
		cr_skip_test("TLS 1.3 has no renegotiation");
	tls_pair_init_with(&pair, 0, BEV_OPT_CLOSE_ON_FREE, &client, NULL);
	tls_pair_connect(&pair);
	cr_assert_eq(tls_library()->renegotiate(pair.client.bev), 0);
	tls_pair_settle(&pair);
	cr_assert_eq(pair.client.connected, 1);
	cr_assert_eq(pair.server.connected, 1);
	if (tls_library() == &tls_openssl) { /* which takes the refusal for a failure */
		cr_assert_eq(pair.client.events, 1);
		cr_assert_eq(pair.client.first_event, BEV_EVENT_READING | BEV_EVENT_ERROR);
	} else {
		bufferevent_write(pair.server.bev, "on", 2);
		tls_pair_receive(&pair, &pair.client, 2);
	}
	tls_pair_fini(&pair);
}

/* TLS-155, TLS-158, TLS-159 */
Test(tls_handshake, a_filter_restarts_on_another_descriptor, .timeout = 120)
{
	evutil_socket_t fds[2];

	tls_pair_init(&pair, 1, BEV_OPT_CLOSE_ON_FREE);
	tls_pair_connect(&pair);
	cr_assert_eq(bufferevent_setfd(pair.client.bev, -1), 0);
	cr_assert_eq(bufferevent_getfd(pair.client.bev), pair.fds[0]);
	support_socketpair(fds);
	pair.client.connected = pair.server.connected = 0;
	bufferevent_write(pair.client.bev, "kept", 4);
	cr_assert_eq(bufferevent_setfd(pair.client.bev, fds[0]), 0);
	cr_assert_eq(bufferevent_setfd(pair.server.bev, fds[1]), 0);
	cr_assert_eq(bufferevent_getfd(pair.client.bev), fds[0]);
	close(pair.fds[0]);
	close(pair.fds[1]);
	tls_pair_connect(&pair);
	tls_pair_receive(&pair, &pair.server, 4);
	cr_assert_eq(pair.client.events, 0);
	tls_pair_fini(&pair);
}
