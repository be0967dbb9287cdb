/* SPDX-License-Identifier: BSD-3-Clause */
/* Timeouts: waiting for a request, for the rest of it, for a client that does not read. */

#include "server_test.h"

#include <stdlib.h>
#include <sys/socket.h>

TestSuite(http_server_timeouts, .init = http_open, .fini = http_close, .timeout = 60);

static const struct timeval brief = { 0, 50 * 1000 };

/* Waits for the end of an idle server's connection; nothing may have been said. */
static void expect_silent_end(struct peer *peer)
{
	size_t before = peer->len;

	peer_until_end(peer);
	cr_expect_eq(peer->len, before, "%s", peer->got + before);
	peer_close(peer);
}

/*
 * HTTP-069, HTTP-070, HTTP-067, HTTP-136: before the first byte, in the head, in the body, between.
 */
Test(http_server_timeouts, reading)
{
	struct peer *peer;

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_timeout_tv(http, &brief);
	expect_silent_end(peer_open(port));

	peer = peer_open(port);
	peer_send(peer, "GET / HT");
	expect_silent_end(peer);

	peer = peer_open(port);
	peer_send(peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc");
	expect_silent_end(peer);

	peer = peer_open(port);
	peer_send(peer, GET("/"));
	peer_until(peer, "hello");
	expect_silent_end(peer);
}

static struct peer *dripping;
static int drips, is_dripping;
static double last_drip, longest_pause; /* in ms */

static void drip(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval next = { 0, 10 * 1000 };
	double now = support_now_ms();

	(void)fd;
	(void)what;
	if (now - last_drip > longest_pause)
		longest_pause = now - last_drip;
	last_drip = now;
	is_dripping = !dripping->has_ended && dripping->len == 0;
	if (!is_dripping)
		return;
	peer_send(dripping, arg);
	drips++;
	event_base_once(base, -1, EV_TIMEOUT, drip, arg, &next);
}

/* It is the timer that finds out that nothing more is wanted. */
static void until_dry(void)
{
	while (is_dripping)
		event_base_loop(base, EVLOOP_ONCE);
}

/* Nonzero if the answer came. */
static int drip_a_body(void)
{
	int is_answered;

	dripping = peer_open(port);
	peer_send(dripping, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n");
	drips = 0;
	longest_pause = 0;
	last_drip = support_now_ms();
	drip(-1, 0, (void *)(uintptr_t)"x");
	until_dry();
	is_answered = dripping->len > 0;
	if (is_answered)
		peer_until(dripping, "200 OK");
	peer_until_end(dripping);
	peer_close(dripping);
	return is_answered;
}

/*
 * HTTP-069: it starts again with every byte; twenty of them take longer than the timeout. Where the
 * machine let this process wait for half the timeout, the server is right to give up: once more.
 */
Test(http_server_timeouts, reading_starts_anew_with_every_byte)
{
	int attempts = 0;

	evhttp_set_gencb(http, http_echo, NULL);
	evhttp_set_read_timeout_tv(http, &(struct timeval){ 0, 150 * 1000 });
	while (!drip_a_body()) {
		cr_assert_gt(longest_pause, 75.0, "gave up after %d bytes", drips);
		cr_assert_lt(attempts++, 30);
	}
	cr_expect_geq(drips, 29);
}

/* HTTP-066, HTTP-069: in seconds; -1 and 0 are none. */
Test(http_server_timeouts, whole_seconds)
{
	struct peer *peer;
	double start;

	evhttp_set_timeout(http, 1);
	start = support_now_ms();
	expect_silent_end(peer_open(port));
	cr_expect_geq(support_now_ms() - start, 950);

	evhttp_set_timeout(http, 0);
	evhttp_set_timeout(http, -1);
	evhttp_set_gencb(http, http_hello, NULL);
	peer = peer_open(port);
	until_connections(1);
	event_base_loopexit(base, &(struct timeval){ 0, 200 * 1000 });
	event_base_dispatch(base);
	peer_send(peer, GET("/"));
	peer_until(peer, "hello");
	peer_close(peer);
}

/* HTTP-067: none. HTTP-068: one side set leaves the other at none. */
Test(http_server_timeouts, one_side_alone)
{
	struct peer *peer;

	evhttp_set_timeout_tv(http, &brief);
	evhttp_set_timeout_tv(http, NULL);
	evhttp_set_write_timeout_tv(http, &brief);
	evhttp_set_gencb(http, http_keep, NULL);
	peer = peer_open(port);
	until_connections(1);
	event_base_loopexit(base, &(struct timeval){ 0, 150 * 1000 });
	event_base_dispatch(base);
	peer_send(peer, GET("/"));
	log_wait("handler");
	evhttp_send_reply(kept, 200, NULL, NULL);
	peer_until(peer, "200 OK");
	peer_close(peer);
}

/* HTTP-071, HTTP-031: an application may take its time. */
Test(http_server_timeouts, none_while_the_application_works)
{
	struct peer *peer = NULL;

	evhttp_set_gencb(http, http_keep, NULL);
	evhttp_set_timeout_tv(http, &brief);
	peer = peer_open(port);
	peer_send(peer, GET("/"));
	log_wait("handler");
	event_base_loopexit(base, &(struct timeval){ 0, 200 * 1000 });
	event_base_dispatch(base);
	cr_assert(!peer->has_ended);
	evhttp_send_reply(kept, 200, NULL, NULL);
	peer_until(peer, "200 OK");
	expect_silent_end(peer);
}

/* HTTP-072, HTTP-135, H43: a client that reads nothing is dropped. */
static void much(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();
	size_t len = 32 << 20;
	char *bytes = calloc(1, len);

	(void)arg;
	evbuffer_add(body, bytes, len);
	free(bytes);
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), http_on_close, NULL);
	evhttp_request_set_on_complete_cb(req, http_on_complete, NULL);
	evhttp_send_reply(req, 200, NULL, body);
	evbuffer_free(body);
}

Test(http_server_timeouts, writing)
{
	struct peer *peer;

	evhttp_set_gencb(http, much, NULL);
	evhttp_set_write_timeout_tv(http, &brief);
	peer = peer_open(port);
	bufferevent_disable(peer->bev, EV_READ);
	peer_send(peer, GET("/"));
	log_wait("close");
	cr_expect_str_eq(http_log, "close");
	until_connections(0);
	peer_close(peer);
}

/* HTTP-379, H42: a head that trickles has a deadline, however steadily it does so. */
Test(http_server_timeouts, a_deadline_for_the_head)
{
	double start = support_now_ms();

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_head_timeout_tv(http, &(struct timeval){ 0, 200 * 1000 });
	dripping = peer_open(port);
	peer_send(dripping, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	drip(-1, 0, (void *)(uintptr_t)"x");
	peer_until_end(dripping);
	cr_expect_eq(dripping->len, 0);
	cr_expect_geq(support_now_ms() - start, 190);
	until_dry();
	peer_close(dripping);
}

/* HTTP-379: it ends with the head: idle connections and slow answers are not its business. */
Test(http_server_timeouts, the_deadline_of_the_head_ends_with_it)
{
	struct peer *peer;

	evhttp_set_gencb(http, http_keep, NULL);
	evhttp_set_head_timeout_tv(http, &(struct timeval){ 0, 500 * 1000 });
	peer = peer_open(port);
	until_connections(1);
	event_base_loopexit(base, &(struct timeval){ 0, 600 * 1000 });
	event_base_dispatch(base);
	peer_send(peer, "GET / HTTP/1.1\r\nHost:");
	settle();
	peer_send(peer, " a\r\n\r\n");
	log_wait("handler");
	event_base_loopexit(base, &(struct timeval){ 0, 600 * 1000 });
	event_base_dispatch(base);
	evhttp_send_reply(kept, 200, NULL, NULL);
	peer_until(peer, "200 OK");
	peer_close(peer);
}

/* HTTP-379: no limit on demand. */
Test(http_server_timeouts, the_deadline_can_be_switched_off)
{
	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_head_timeout_tv(http, NULL);
	dripping = peer_open(port);
	peer_send(dripping, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	drip(-1, 0, (void *)(uintptr_t)"x");
	event_base_loopexit(base, &(struct timeval){ 0, 200 * 1000 });
	event_base_dispatch(base);
	cr_assert(!dripping->has_ended);
	peer_send(dripping, "\r\n\r\n");
	peer_until(dripping, "hello");
	until_dry();
	peer_close(dripping);
}

/* H42: slow clients do not hurt others. */
Test(http_server_timeouts, others_are_served_meanwhile)
{
	struct peer *slow[20];

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_timeout_tv(http, &(struct timeval){ 1, 0 });
	for (int i = 0; i < 20; i++) {
		slow[i] = peer_open(port);
		peer_send(slow[i], "GET / HTTP/1.1\r\nHo");
	}
	until_connections(20);
	for (int i = 0; i < 20; i++)
		check_reply(get("/"), 200, "hello");
	for (int i = 0; i < 20; i++)
		expect_silent_end(slow[i]);
}
