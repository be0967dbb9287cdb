/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bodies streamed to a handler, with back-pressure; how slowly bodies may come; stopping
 * gracefully.
 */

#include "server_test.h"

#include <stdlib.h>
#include <sys/socket.h>

TestSuite(http_server_upload, .init = http_open, .fini = http_close, .timeout = 60);

static size_t taken, most_held, held_max;
static int keeps; /* leave the bytes where they are */

static void on_body(struct evhttp_request *req, enum evhttp_body_news news, void *arg)
{
	static const char *const words[] = { "data", "end", "lost" };
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t len = evbuffer_get_length(in);

	cr_expect_eq(arg, base);
	if (len > most_held)
		most_held = len;
	if (news != EVHTTP_BODY_DATA || http_log[0] == '\0' || strcmp(http_log, "head") == 0)
		http_note("%s", words[news]);
	if (news == EVHTTP_BODY_LOST) {
		cr_expect_null(evhttp_request_get_connection(req));
		evhttp_request_free(req);
		return;
	}
	if (!keeps) {
		taken += len;
		evbuffer_drain(in, len);
	}
	if (news == EVHTTP_BODY_END)
		evhttp_send_reply(req, 200, NULL, NULL);
}

static void start(struct evhttp_request *req, void *arg)
{
	(void)arg;
	http_note("head");
	kept = req;
	cr_expect_eq(evbuffer_get_length(evhttp_request_get_input_buffer(req)), 0);
	cr_expect_eq(evhttp_request_stream_body(req, on_body, held_max, base), 0);
	cr_expect_eq(evhttp_request_stream_body(req, on_body, held_max, base), -1);
}

static void serve_stream(void)
{
	held_max = 1 << 20;
	cr_assert_eq(evhttp_set_stream_cb(http, "/up", start, NULL), 0);
	cr_assert_eq(evhttp_set_stream_cb(http, "/up", start, NULL), -1);
	cr_assert_eq(evhttp_set_cb(http, "/up", http_hello, NULL), -1);
	evhttp_set_gencb(http, http_hello, NULL);
}

#define CHUNKED REQUEST("POST /up", "Transfer-Encoding: chunked\r\n")

/* The handler runs at the head; the body follows; the connection goes on. */
Test(http_server_upload, a_body_comes_in_pieces)
{
	struct peer *peer = peer_open(port);

	serve_stream();
	peer_send(peer, REQUEST("POST /up", "Content-Length: 6\r\n"));
	log_wait("head");
	peer_send(peer, "abc");
	log_wait("data");
	cr_expect_eq(taken, 3);
	peer_send(peer, "def" GET("/"));
	peer_until(peer, "200 OK");
	peer_until(peer, "hello");
	cr_expect_eq(taken, 6);
	cr_expect_str_eq(http_log, "head data end");

	http_log[0] = '\0';
	peer_send(peer, CHUNKED "3\r\nabc\r\n");
	log_wait("data");
	cr_expect_eq(taken, 9);
	peer_send(peer, "5\r\nde");
	while (taken < 11)
		event_base_loop(base, EVLOOP_ONCE);
	peer_send(peer, "fgh\r\n0\r\n\r\n" GET("/"));
	peer_until(peer, "200 OK");
	peer_until(peer, "hello");
	cr_expect_eq(taken, 14);
	peer_close(peer);
	cr_assert_eq(evhttp_del_cb(http, "/up"), 0);
}

/* All at once, and none at all. */
Test(http_server_upload, whole_requests)
{
	serve_stream();
	cr_expect_eq(times(talk(CHUNKED "3\r\nabc\r\n0\r\n\r\n" GET("/")), "HTTP/1.1 200"), 2);
	cr_expect_eq(taken, 3);
	http_log[0] = '\0';
	cr_expect_eq(times(talk(GET("/up") GET("/")), "HTTP/1.1 200"), 2);
	cr_expect_str_eq(http_log, "head end");
	cr_expect_eq(taken, 3);
}

/* A program that takes nothing stops the client; memory stays bounded; taking lets it go on. */
Test(http_server_upload, what_is_not_taken_holds_the_client_up)
{
	const size_t len = 32 << 20;
	char *bytes = calloc(1, len);
	struct peer *peer = peer_open(port);
	struct evbuffer *in;
	size_t before = 1;

	serve_stream();
	held_max = 100000;
	keeps = 1;
	peer_send(peer, REQUEST("POST /up", "Content-Length: 33554432\r\n"));
	peer_send_bytes(peer, bytes, len);
	log_wait("data");
	in = evhttp_request_get_input_buffer(kept);
	while (before != evbuffer_get_length(bufferevent_get_output(peer->bev))) {
		before = evbuffer_get_length(bufferevent_get_output(peer->bev));
		for (int i = 0; i < 50; i++)
			event_base_loop(base, EVLOOP_NONBLOCK);
	}
	cr_assert_gt(before, 0);
	cr_assert_geq(evbuffer_get_length(in), held_max);
	cr_assert_leq(evbuffer_get_length(in), held_max + 65536);
	keeps = 0;
	taken += evbuffer_get_length(in);
	evbuffer_drain(in, evbuffer_get_length(in));
	peer_until(peer, "200 OK");
	cr_assert_eq(taken, len);
	cr_assert_leq(most_held, held_max + 65536);
	peer_close(peer);
	free(bytes);
}

/* Paused and resumed. */
Test(http_server_upload, pausing)
{
	struct peer *peer = peer_open(port);

	serve_stream();
	evhttp_set_read_timeout_tv(http, &(struct timeval){ 0, 100 * 1000 });
	peer_close(peer);
	peer = peer_open(port);
	peer_send(peer, REQUEST("POST /up", "Content-Length: 6\r\n") "abc");
	log_wait("data");
	evhttp_request_pause(kept);
	peer_send(peer, "def");
	/* No timeout runs meanwhile. */
	event_base_loopexit(base, &(struct timeval){ 0, 250 * 1000 });
	event_base_dispatch(base);
	cr_expect_eq(taken, 3);
	cr_expect(!peer->has_ended);
	evhttp_request_resume(kept);
	peer_until(peer, "200 OK");
	cr_expect_eq(taken, 6);
	peer_close(peer);
}

/* A reply may come at the head; the rest is not read, and the connection ends. H15 */
static void refuse(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_send_reply(req, 401, NULL, NULL);
}

Test(http_server_upload, an_early_answer)
{
	struct peer *peer = peer_open(port);
	const char *got;

	evhttp_set_stream_cb(http, "/up", refuse, NULL);
	evhttp_set_gencb(http, http_hello, NULL);
	peer_send(peer, REQUEST("POST /up", "Content-Length: 6\r\nExpect: 100-continue\r\n"));
	peer_until_end(peer);
	cr_expect_eq(code_of(peer->got), 401);
	cr_expect_eq(has_line(peer->got, "Connection: close"), 1);
	peer_close(peer);
	got = talk(CHUNKED "3\r\nabc\r\n0\r\n\r\n" GET("/"));
	cr_expect_eq(times(got, "HTTP/1.1"), 1);
	cr_expect_eq(code_of(got), 401);
	/* Without a body there is nothing to lose. */
	cr_expect_eq(times(talk(GET("/up") GET("/up")), "HTTP/1.1 401"), 2);
}

/* 100 is sent when the handler wants the body, and has been called. */
Test(http_server_upload, continue_after_the_handler)
{
	struct peer *peer = peer_open(port);

	serve_stream();
	peer_send(peer, REQUEST("POST /up", "Content-Length: 3\r\nExpect: 100-continue\r\n"));
	peer_until(peer, "HTTP/1.1 100 Continue\r\n\r\n");
	cr_expect_str_eq(http_log, "head");
	peer_send(peer, "abc");
	peer_until(peer, "200 OK");
	peer_close(peer);
}

/* A reply that streams while the request does. */
static void echo_body(struct evhttp_request *req, enum evhttp_body_news news, void *arg)
{
	(void)arg;
	if (news == EVHTTP_BODY_LOST) {
		evhttp_request_free(req);
		return;
	}
	evhttp_send_reply_chunk(req, evhttp_request_get_input_buffer(req));
	if (news == EVHTTP_BODY_END)
		evhttp_send_reply_end(req);
}

static void echo_start(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_send_reply_start(req, 200, NULL);
	evhttp_request_stream_body(req, echo_body, 65536, NULL);
}

Test(http_server_upload, echo_as_it_comes)
{
	struct peer *peer = peer_open(port);

	evhttp_set_stream_cb(http, "/up", echo_start, NULL);
	evhttp_set_gencb(http, http_hello, NULL);
	peer_send(peer, CHUNKED);
	peer_until(peer, "\r\n\r\n");
	peer_send(peer, "3\r\nabc\r\n");
	peer_until(peer, "3\r\nabc\r\n");
	peer_send(peer, "1\r\nd\r\n0\r\n\r\n" GET("/"));
	peer_until(peer, "1\r\nd\r\n0\r\n\r\n");
	peer_until(peer, "hello");
	peer_close(peer);
}

/* Without evhttp_request_stream_body() the body is thrown away. */
static void later(struct evhttp_request *req, void *arg)
{
	(void)arg;
	http_note("head");
	kept = req;
}

Test(http_server_upload, a_body_nobody_wants)
{
	struct peer *peer = peer_open(port);

	evhttp_set_stream_cb(http, "/up", later, NULL);
	evhttp_set_gencb(http, http_hello, NULL);
	peer_send(peer, CHUNKED "3\r\nabc\r\n0\r\n\r\n" GET("/"));
	log_wait("head");
	settle();
	cr_expect_eq(evbuffer_get_length(evhttp_request_get_input_buffer(kept)), 0);
	evhttp_send_reply(kept, 200, NULL, NULL);
	peer_until(peer, "hello");
	peer_close(peer);
}

/* A client that leaves, one that stops half way, nonsense, too much: lost, once. */
Test(http_server_upload, a_body_is_lost)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	struct peer *peer = peer_open(port);
	const char *got;

	serve_stream();
	peer_send(peer, REQUEST("POST /up", "Content-Length: 6\r\n") "abc");
	log_wait("data");
	setsockopt(bufferevent_getfd(peer->bev), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	peer_close(peer);
	log_wait("lost");
	http_log[0] = '\0';
	got = talk(GET("/") REQUEST("POST /up", "Content-Length: 6\r\n") "abc");
	cr_expect_eq(times(got, "HTTP/1.1"), 1);
	cr_expect_str_eq(http_log, "head data lost");
	http_log[0] = '\0';
	cr_expect_eq(code_of(talk(CHUNKED "3\r\nabc\r\nzz\r\n")), 400);
	cr_expect_str_eq(http_log, "head lost");
	evhttp_set_max_body_size(http, 5);
	http_log[0] = '\0';
	cr_expect_eq(code_of(talk(CHUNKED "3\r\nabc\r\n6\r\n")), 413);
	cr_expect_str_eq(http_log, "head lost");
	http_log[0] = '\0';
	cr_expect_eq(code_of(talk(REQUEST("POST /up", "Content-Length: 6\r\n"))), 413);
	cr_expect_str_eq(http_log, "");
}

/* A method that is not allowed is refused as ever. */
Test(http_server_upload, other_methods_are_refused)
{
	serve_stream();
	cr_expect_eq(code_of(talk(REQUEST("PATCH /up", "Content-Length: 3\r\n") "abc")), 501);
	cr_expect_str_eq(http_log, "");
}

/* The server may go in the callback. */
static void free_server(struct evhttp_request *req, enum evhttp_body_news news, void *arg)
{
	(void)arg;
	http_note("%d", (int)news);
	if (news == EVHTTP_BODY_LOST) {
		evhttp_request_free(req);
		return;
	}
	evhttp_free(http);
	http = NULL;
}

static void start_freeing(struct evhttp_request *req, void *arg)
{
	evhttp_request_stream_body(req, free_server, 65536, arg);
}

Test(http_server_upload, the_server_goes_meanwhile)
{
	evhttp_set_stream_cb(http, "/up", start_freeing, NULL);
	talk(REQUEST("POST /up", "Content-Length: 6\r\n") "abc");
	cr_expect_str_eq(http_log, "0 2");
}

/* --- Pace ------------------------------------------------------------------------------------- */

static const struct timeval window = { 0, 100 * 1000 };
static struct peer *dripping;

static void drip(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval next = { 0, 10 * 1000 };

	(void)fd;
	(void)what;
	if (dripping == NULL || dripping->has_ended || dripping->len > 0)
		return;
	peer_send(dripping, arg);
	event_base_once(base, -1, EV_TIMEOUT, drip, arg, &next);
}

/* H42: a body that trickles is cut off; others are served meanwhile; a faster one gets through. */
Test(http_server_upload, bodies_have_to_keep_pace)
{
	evhttp_set_gencb(http, http_echo, NULL);
	evhttp_set_body_rate(http, 50, &window);
	dripping = peer_open(port);
	peer_send(dripping, REQUEST("POST /", "Content-Length: 1000000\r\n"));
	drip(-1, 0, (void *)(uintptr_t)"x");
	check_reply(talk(REQUEST("POST /", "Content-Length: 4\r\n") "body"), 200, "body");
	peer_until_end(dripping);
	cr_expect_eq(dripping->len, 0);
	peer_close(dripping);
	dripping = NULL; /* the next drop may be due already */
	settle();
}

/* Over several windows, of which each is so long that a busy machine does not make a hole in it. */
Test(http_server_upload, steady_bodies_get_through)
{
	evhttp_set_gencb(http, http_echo, NULL);
	evhttp_set_body_rate(http, 10, &(const struct timeval){ 1, 0 });
	dripping = peer_open(port);
	peer_send(dripping, REQUEST("POST /", "Transfer-Encoding: chunked\r\n"));
	for (int i = 0; i < 30; i++) {
		peer_send(dripping, "a\r\n0123456789\r\n");
		event_base_loopexit(base, &(struct timeval){ 0, 100 * 1000 });
		event_base_dispatch(base);
	}
	peer_send(dripping, "0\r\n\r\n");
	peer_until(dripping, "200 OK");
	peer_close(dripping);
}

Test(http_server_upload, the_pace_can_be_switched_off)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, http_echo, NULL);
	evhttp_set_body_rate(http, 0, &window);
	peer_send(peer, REQUEST("POST /", "Content-Length: 4\r\n") "bo");
	event_base_loopexit(base, &(struct timeval){ 0, 250 * 1000 });
	event_base_dispatch(base);
	peer_send(peer, "dy");
	peer_until(peer, "\r\n\r\nbody");
	peer_close(peer);
}

/* --- Stop ------------------------------------------------------------------------------------- */

static void stopped(struct evhttp *server, void *arg)
{
	cr_expect_eq(server, http);
	http_note("stopped");
	if (arg != NULL) {
		evhttp_free(http);
		http = NULL;
	}
}

Test(http_server_upload, stopping_without_connections)
{
	evhttp_stop(http, stopped, NULL);
	cr_expect_str_eq(http_log, "stopped");
	evhttp_stop(http, stopped, base);
	cr_expect_str_eq(http_log, "stopped stopped");
}

Test(http_server_upload, stopping_lets_requests_finish)
{
	struct peer *idle = peer_open(port);
	struct peer *busy = peer_open(port);
	struct peer *half = peer_open(port);

	evhttp_set_gencb(http, http_keep, NULL);
	evhttp_set_cb(http, "/hello", http_hello, NULL);
	peer_send(idle, GET("/hello"));
	peer_until(idle, "hello");
	peer_send(half, "GET /hello HT");
	peer_send(busy, GET("/busy"));
	log_wait("handler");
	settle();
	evhttp_stop(http, stopped, base);
	peer_until_end(idle);
	cr_expect_str_eq(http_log, "handler");
	peer_send(half, "TP/1.1\r\nHost: a\r\n\r\n");
	peer_until_end(half);
	cr_expect_eq(has_line(half->got, "Connection: close"), 1);
	cr_expect_str_eq(body_of(half->got), "hello");
	cr_expect_eq(evhttp_get_connection_count(http), 1);
	evhttp_send_reply(kept, 200, NULL, NULL);
	peer_until_end(busy);
	cr_expect_eq(has_line(busy->got, "Connection: close"), 1);
	cr_expect_str_eq(http_log, "handler stopped");
	peer_close(idle);
	peer_close(busy);
	peer_close(half);
}

/* The head had promised to keep the connection. */
Test(http_server_upload, stopping_closes_after_replies_that_have_begun)
{
	struct peer *peer = peer_open(port);
	struct evbuffer *piece = evbuffer_new();

	evhttp_set_gencb(http, http_keep, NULL);
	peer_send(peer, GET("/busy"));
	log_wait("handler");
	evhttp_send_reply_start(kept, 200, NULL);
	evbuffer_add(piece, "hello", 5);
	evhttp_send_reply_chunk(kept, piece);
	peer_until(peer, "hello");
	evhttp_stop(http, stopped, base);
	peer_send(peer, GET("/next"));
	settle();
	evhttp_send_reply_end(kept);
	peer_until_end(peer);
	cr_expect_eq(has_line(peer->got, "Connection: close"), 0);
	cr_expect_str_eq(body_of(peer->got), "5\r\nhello\r\n0\r\n\r\n");
	cr_expect_eq(peer->was_reset, 0);
	peer_close(peer);
	log_wait("handler stopped");
	evbuffer_free(piece);
}
