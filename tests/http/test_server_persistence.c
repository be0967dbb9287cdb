/* SPDX-License-Identifier: BSD-3-Clause */
/* How long connections live: keep-alive, pipelines, the end of either side. */

#include "server_test.h"

#include <sys/socket.h>

TestSuite(http_server_persistence, .init = http_open, .fini = http_close, .timeout = 60);

/* How many requests of the same bytes a connection takes. */
static int served(const char *text)
{
	char twice[2048];

	evutil_snprintf(twice, sizeof(twice), "%s%s", text, text);
	return times(talk(twice), "hello");
}

/* HTTP-217, HTTP-218, H29 */
Test(http_server_persistence, who_keeps_the_connection)
{
	evhttp_set_gencb(http, http_hello, NULL);
	cr_expect_eq(served(GET("/")), 2);
	cr_expect_eq(served(REQUEST("GET /", "Connection: close\r\n")), 1);
	cr_expect_eq(served(REQUEST("GET /", "Connection: CLOSE\r\n")), 1);
	cr_expect_eq(served(REQUEST("GET /", "Connection: close, te\r\n")), 1);
	cr_expect_eq(served(REQUEST("GET /", "Connection: foo , close\r\n")), 1);
	cr_expect_eq(served(REQUEST("GET /", "Connection: foo\r\nConnection: close\r\n")), 1);
	cr_expect_eq(served(REQUEST("GET /", "Connection: closed\r\n")), 2);
	cr_expect_eq(served(REQUEST("GET /", "Connection: keep-alive\r\n")), 2);
	cr_expect_eq(served("GET / HTTP/1.0\r\n\r\n"), 1);
	cr_expect_eq(served("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), 2);
	cr_expect_eq(served("GET / HTTP/1.0\r\nConnection: te, keep-alive\r\n\r\n"), 2);
	cr_expect_eq(served("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), 1);
}

/* HTTP-220, H17: what comes behind the last request is not looked at. */
Test(http_server_persistence, nothing_is_served_after_close)
{
	const char *got;

	evhttp_set_gencb(http, answer_text, (void *)(uintptr_t)"x");
	got = talk(REQUEST("GET /", "Connection: close\r\n") GET("/") "nonsense\r\n\r\n");
	cr_expect_eq(times(got, "HTTP/1.1"), 1);
	cr_expect_str_eq(http_log, "x");
}

/* HTTP-221: one after another, however long each takes. */
static struct evhttp_request *waiting[4];
static int n_waiting;

static void park(struct evhttp_request *req, void *arg)
{
	(void)arg;
	http_note("in:%s", evhttp_request_get_uri(req));
	waiting[n_waiting++] = req;
}

Test(http_server_persistence, pipelined_requests_wait_for_their_turn)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, park, NULL);
	evhttp_set_cb(http, "/now", answer_text, (void *)(uintptr_t)"now");
	peer_send(peer, GET("/a") GET("/b") GET("/now") GET("/c"));
	log_wait("in:/a");
	settle();
	cr_assert_str_eq(http_log, "in:/a");
	evhttp_send_reply(waiting[0], 201, NULL, NULL);
	log_wait("in:/b");
	settle();
	cr_assert_str_eq(http_log, "in:/a in:/b");
	evhttp_send_reply(waiting[1], 202, NULL, NULL);
	log_wait("in:/c");
	evhttp_send_reply(waiting[2], 203, NULL, NULL);
	peer_until(peer, "201 Created");
	peer_until(peer, "202 Accepted");
	peer_until(peer, "now");
	peer_until(peer, "203 Non");
	cr_assert_str_eq(http_log, "in:/a in:/b now in:/c");
	peer_close(peer);
}

/* H17: a bad one behind a good one. */
Test(http_server_persistence, a_bad_request_behind_a_good_one)
{
	const char *got;

	evhttp_set_gencb(http, http_hello, NULL);
	got = talk(GET("/") "nonsense\r\n\r\n" GET("/"));
	cr_expect_eq(times(got, "HTTP/1.1 200"), 1);
	cr_expect_eq(times(got, "HTTP/1.1 400"), 1);
	cr_expect_eq(times(got, "HTTP/1.1"), 2);
	cr_expect_lt(strstr(got, "200"), strstr(got, "400"));
}

/* HTTP-224, HTTP-136, H12: no answer to what was never asked to its end, and none to nothing. */
Test(http_server_persistence, an_early_end_is_silent)
{
	static const char *const texts[] = {
		"", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r",
		REQUEST("POST /", "Content-Length: 5\r\n") "abcd",
		REQUEST("POST /", "Transfer-Encoding: chunked\r\n") "5\r\nhello\r\n0\r\n",
	};

	evhttp_set_gencb(http, answer_text, (void *)(uintptr_t)"hello");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char after[512];
		const char *got;

		cr_expect_str_eq(talk(texts[i]), "");
		evutil_snprintf(after, sizeof(after), "%s%s", GET("/"), texts[i]);
		got = talk(after);
		cr_expect_eq(times(got, "HTTP/1.1"), 1, "%s", got);
		cr_expect_eq(times(got, "hello"), 1);
		until_connections(0);
	}
}

/* HTTP-226 */
static void set_close(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), http_on_close, NULL);
	http_hello(req, NULL);
}

Test(http_server_persistence, an_idle_connection_ends_with_its_client)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, set_close, NULL);
	peer_send(peer, GET("/"));
	peer_until(peer, "hello");
	settle();
	cr_assert_str_eq(http_log, "");
	cr_assert_eq(evhttp_get_connection_count(http), 1);
	peer_close(peer);
	log_wait("close");
	cr_assert_eq(evhttp_get_connection_count(http), 0);
}

/* HTTP-227: as a reset, too. */
Test(http_server_persistence, an_idle_connection_is_reset)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, set_close, NULL);
	peer_send(peer, GET("/"));
	peer_until(peer, "hello");
	setsockopt(bufferevent_getfd(peer->bev), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	peer_close(peer);
	log_wait("close");
	cr_assert_eq(evhttp_get_connection_count(http), 0);
}

/* HTTP-138, H43 */
Test(http_server_persistence, a_half_closed_client_is_answered)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, http_keep, NULL);
	peer_send(peer, GET("/"));
	peer_finish(peer);
	log_wait("handler");
	settle();
	evhttp_send_reply(kept, 200, NULL, NULL);
	peer_until_end(peer);
	cr_expect_eq(code_of(peer->got), 200);
	peer_close(peer);
}

/* HTTP-225: bytes that come meanwhile, whole requests and parts. */
static void half(struct evhttp_request *req, void *arg)
{
	struct evbuffer *piece = evbuffer_new();

	(void)arg;
	kept = req;
	evbuffer_add(piece, "first ", 6);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Length", "12");
	evhttp_send_reply_start(req, 200, NULL);
	evhttp_send_reply_chunk(req, piece);
	evbuffer_free(piece);
}

Test(http_server_persistence, input_does_not_disturb_a_reply)
{
	struct peer *peer = peer_open(port);
	struct evbuffer *piece = evbuffer_new();

	evhttp_set_cb(http, "/half", half, NULL);
	evhttp_set_gencb(http, http_hello, NULL);
	peer_send(peer, GET("/half"));
	peer_until(peer, "first ");
	peer_send(peer, GET("/") "GET /par");
	settle();
	evbuffer_add(piece, "second", 6);
	evhttp_send_reply_chunk(kept, piece);
	evhttp_send_reply_end(kept);
	peer_until(peer, "secondHTTP/1.1 200 OK");
	peer_until(peer, "hello");
	evbuffer_free(piece);
	peer_close(peer);
}

/* Earlier replies get out whatever ends the connection: a free in the next handler, for one. */
static void drop(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_connection_free(evhttp_request_get_connection(req));
	evhttp_request_free(req);
}

Test(http_server_persistence, earlier_replies_survive_a_drop)
{
	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_cb(http, "/drop", drop, NULL);
	cr_expect_eq(times(talk(GET("/") GET("/") GET("/drop") GET("/")), "hello"), 2);
}
