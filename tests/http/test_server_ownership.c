/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who frees a request, when its client goes and when it is answered; completion and close
 * callbacks.
 */

#include "server_test.h"

#include <stdlib.h>
#include <sys/socket.h>

TestSuite(http_server_ownership, .init = http_open, .fini = http_close, .timeout = 60);

/* HTTP-112: after the last byte, before the request goes, with the connection still there. */
static void on_complete(struct evhttp_request *req, void *arg)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);

	cr_expect_not_null(evcon);
	cr_expect_eq(evbuffer_get_length(
			     bufferevent_get_output(evhttp_connection_get_bufferevent(evcon))),
		     0);
	cr_expect_str_eq(evhttp_request_get_uri(req), "/");
	http_note("complete-%s", (const char *)arg);
}

static void tell(struct evhttp_request *req, void *arg)
{
	evhttp_request_set_on_complete_cb(req, on_complete, (void *)(uintptr_t)"arg");
	(*(void (**)(struct evhttp_request *, void *))arg)(req, NULL);
	http_note("handler");
}

static void send_error(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_send_error(req, 500, NULL);
}

static void send_nothing(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_send_reply_start(req, 204, NULL);
	evhttp_send_reply_end(req);
}

Test(http_server_ownership, completion_is_told_once)
{
	static void (*handlers[])(struct evhttp_request *, void *) = {
		http_hello, send_error, send_nothing,
	};

	for (int i = 0; i < 3; i++) {
		http_log[0] = '\0';
		evhttp_set_gencb(http, tell, (void *)(uintptr_t)&handlers[i]);
		talk(GET("/"));
		cr_expect_str_eq(http_log, "handler complete-arg");
	}
}

/* HTTP-130, HTTP-132: freed after the reply, taken or not. The leak check counts. */
static void own_and_answer(struct evhttp_request *req, void *arg)
{
	(void)arg;
	cr_expect_eq(evhttp_request_is_owned(req), 0);
	evhttp_request_own(req);
	cr_expect_eq(evhttp_request_is_owned(req), 1);
	http_hello(req, NULL);
}

Test(http_server_ownership, an_answered_request_is_freed_even_if_owned)
{
	evhttp_set_gencb(http, own_and_answer, NULL);
	cr_expect_eq(times(talk(GET("/") GET("/")), "hello"), 2);
}

static void keep_told(struct evhttp_request *req, void *arg)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), http_on_close, NULL);
	http_keep(req, arg);
}

static void reset(struct peer *peer)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(bufferevent_getfd(peer->bev), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	peer_close(peer);
}

/* HTTP-133, HTTP-134, HTTP-139, H45: detached; all that it holds is still there. */
static void lose(void (*handler)(struct evhttp_request *, void *))
{
	struct peer *peer = peer_open(port);

	http_log[0] = '\0';
	evhttp_set_gencb(http, handler, NULL);
	peer_send(peer, REQUEST("POST /target", "X-Field: value\r\nContent-Length: 4\r\n") "body");
	log_wait("handler");
	reset(peer);
	log_wait("close");
	cr_assert_str_eq(http_log, "handler close");
	cr_assert_null(evhttp_request_get_connection(kept));
	cr_assert_str_eq(evhttp_request_get_uri(kept), "/target");
	cr_assert_str_eq(evhttp_find_header(evhttp_request_get_input_headers(kept), "x-field"),
			 "value");
	cr_assert_eq(evbuffer_get_length(evhttp_request_get_input_buffer(kept)), 4);
	cr_assert_str_eq(evhttp_request_get_host(kept), "a");
}

static void keep_owned(struct evhttp_request *req, void *arg)
{
	evhttp_request_own(req);
	keep_told(req, arg);
}

Test(http_server_ownership, a_request_outlives_its_client)
{
	lose(keep_told);
	evhttp_send_reply(kept, 200, NULL, NULL);
	lose(keep_told);
	evhttp_request_free(kept);
	lose(keep_owned);
	evhttp_request_free(kept);
}

static void start_told(struct evhttp_request *req, void *arg)
{
	evhttp_request_set_on_complete_cb(req, http_on_complete, NULL);
	evhttp_send_reply_start(req, 200, NULL);
	keep_told(req, arg);
}

/* HTTP-133: after the start as well; no completion. */
Test(http_server_ownership, a_reply_that_was_begun_outlives_its_client)
{
	struct evbuffer *piece = evbuffer_new();

	evbuffer_add(piece, "x", 1);
	lose(start_told);
	evhttp_send_reply_chunk(kept, piece);
	evhttp_send_reply_end(kept);
	cr_expect_str_eq(http_log, "handler close");
	evbuffer_free(piece);
}

/* HTTP-134 */
static void free_request(struct evhttp_connection *evcon, void *arg)
{
	(void)evcon;
	http_note("close");
	evhttp_request_free(arg);
}

static void keep_for_close(struct evhttp_request *req, void *arg)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), free_request, req);
	http_keep(req, arg);
}

Test(http_server_ownership, the_close_callback_may_free_the_request)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, keep_for_close, NULL);
	peer_send(peer, GET("/"));
	log_wait("handler");
	reset(peer);
	log_wait("close");
}

/* HTTP-135, HTTP-131: the reply was complete, but the client has gone. */
static void much(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();
	size_t len = 32 << 20;
	char *bytes = calloc(1, len);

	evbuffer_add(body, bytes, len);
	free(bytes);
	if (arg != NULL)
		evhttp_request_own(req);
	kept = req;
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), http_on_close, NULL);
	evhttp_request_set_on_complete_cb(req, http_on_complete, NULL);
	evhttp_send_reply(req, 200, NULL, body);
	evbuffer_free(body);
}

Test(http_server_ownership, a_complete_reply_that_cannot_be_written)
{
	for (int owned = 0; owned < 2; owned++) {
		struct peer *peer = peer_open(port);

		http_log[0] = '\0';
		kept = NULL;
		evhttp_set_gencb(http, much, owned ? base : NULL);
		peer_send(peer, GET("/"));
		peer_until(peer, "200 OK");
		bufferevent_disable(peer->bev, EV_READ);
		reset(peer);
		log_wait("close");
		cr_expect_str_eq(http_log, "close");
		if (owned) {
			cr_expect_null(evhttp_request_get_connection(kept));
			evhttp_request_free(kept);
		}
	}
}

/* HTTP-140, HTTP-155: by the application, at any time. */
Test(http_server_ownership, connections_freed_by_the_application)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, keep_told, NULL);
	peer_send(peer, GET("/"));
	log_wait("handler");
	evhttp_connection_free(evhttp_request_get_connection(kept));
	cr_expect_str_eq(http_log, "handler close");
	cr_expect_null(evhttp_request_get_connection(kept));
	evhttp_request_free(kept);
	peer_until_end(peer);
	cr_expect_eq(peer->len, 0);
	peer_close(peer);
}

/* Freeing a request that is on its connection ends that. */
Test(http_server_ownership, a_pending_request_freed_by_the_application)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, keep_told, NULL);
	peer_send(peer, GET("/"));
	log_wait("handler");
	evhttp_request_free(kept);
	peer_until_end(peer);
	cr_expect_str_eq(http_log, "handler close");
	peer_close(peer);
}

/* HTTP-155, HTTP-156, HTTP-380: once, and again in its own callback. */
static void free_again(struct evhttp_connection *evcon, void *arg)
{
	(void)arg;
	http_note("close");
	evhttp_connection_free(evcon);
}

static void answer_and_free_again(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), free_again, NULL);
	http_hello(req, NULL);
}

Test(http_server_ownership, freeing_in_the_close_callback_is_harmless)
{
	evhttp_set_gencb(http, answer_and_free_again, NULL);
	check_reply(get("/"), 200, "hello");
	until_connections(0);
	cr_expect_str_eq(http_log, "close");
	http_log[0] = '\0';
	check_reply(talk(REQUEST("GET /", "Connection: close\r\n")), 200, "hello");
	cr_expect_str_eq(http_log, "close");
}

/*
 * HTTP-137, H45: the end of a waiting client's sending is told at once, and the reply may still
 * come.
 */
static void on_eof(struct evhttp_connection *evcon, void *arg)
{
	http_note("eof");
	if (arg != NULL)
		evhttp_connection_free(evcon);
}

static void keep_for_eof(struct evhttp_request *req, void *arg)
{
	evhttp_connection_set_eofcb(evhttp_request_get_connection(req), on_eof, arg);
	keep_told(req, NULL);
}

Test(http_server_ownership, a_client_that_leaves_is_noticed_at_once)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, keep_for_eof, NULL);
	peer_send(peer, GET("/"));
	log_wait("handler");
	peer_close(peer);
	log_wait("eof");
	cr_expect_str_eq(http_log, "handler eof");
	cr_expect_not_null(evhttp_request_get_connection(kept));
	evhttp_send_reply(kept, 200, NULL, NULL);
	log_wait("close");

	http_log[0] = '\0';
	evhttp_set_gencb(http, keep_for_eof, base);
	peer = peer_open(port);
	peer_send(peer, GET("/"));
	log_wait("handler");
	peer_close(peer);
	log_wait("close");
	cr_expect_str_eq(http_log, "handler eof close");
	evhttp_request_free(kept);
}

/* HTTP-137: by the flag, such a client counts as gone. */
Test(http_server_ownership, half_closed_clients_may_count_as_gone)
{
	struct peer *peer = peer_open(port);

	cr_assert_eq(evhttp_set_flags(http, EVHTTP_SERVER_EOF_IS_GONE), 0);
	evhttp_set_gencb(http, keep_told, NULL);
	peer_send(peer, GET("/"));
	log_wait("handler");
	peer_close(peer);
	log_wait("close");
	cr_expect_null(evhttp_request_get_connection(kept));
	evhttp_request_free(kept);
}

/* HTTP-018: a request's buffers go with it, and with them what the program has done to them. */
static void on_change(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	(void)buf;
	(void)info;
	http_note("change-%s", (const char *)arg);
}

static void touch_buffers(struct evhttp_request *req, void *arg)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(req);
	struct evbuffer *output = evhttp_request_get_output_buffer(req);

	(void)arg;
	http_note("%s", evhttp_request_get_uri(req));
	evbuffer_add(output, "hello", 5);
	if (strcmp(evhttp_request_get_uri(req), "/1") == 0) {
		cr_assert_not_null(evbuffer_add_cb(output, on_change, (void *)(uintptr_t)"out"));
		cr_assert_not_null(evbuffer_add_cb(input, on_change, (void *)(uintptr_t)"in"));
		cr_assert_eq(evbuffer_freeze(input, 0), 0);
	}
	evhttp_send_reply(req, 200, NULL, NULL);
}

Test(http_server_ownership, a_request_inherits_nothing_from_the_one_before)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, touch_buffers, NULL);
	peer_send(peer, GET("/1"));
	peer_until(peer, "hello");
	for (int i = 0; i < 2; i++) {
		http_log[0] = '\0';
		peer_send(peer, "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
		peer_until(peer, "hello");
		cr_expect_str_eq(http_log, "/2");
	}
	peer_close(peer);
}
