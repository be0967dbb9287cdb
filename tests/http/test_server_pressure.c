/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory stays bounded whatever a client does: floods of requests, and readers that do not read. */

#include "server_test.h"

#include <stdlib.h>
#include <sys/socket.h>

TestSuite(http_server_pressure, .init = http_open, .fini = http_close, .timeout = 60);

static struct evhttp_connection *connection_of(struct evhttp_request *req)
{
	return evhttp_request_get_connection(req);
}

static size_t buffered(struct evhttp_connection *evcon)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);

	return evbuffer_get_length(bufferevent_get_input(bev)) +
	       evbuffer_get_length(bufferevent_get_output(bev));
}

static void flood(struct peer *peer, int count)
{
	for (int i = 0; i < count; i++)
		peer_send(peer, GET("/"));
}

/* HTTP-077, HTTP-378, H43: pipelined requests behind one that takes its time. */
Test(http_server_pressure, requests_that_wait_are_not_all_buffered)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, http_keep, NULL);
	flood(peer, 100000);
	log_wait("handler");
	for (int i = 0; i < 200; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_leq(buffered(connection_of(kept)), 256 * 1024);
	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_send_reply(kept, 200, NULL, NULL);
	peer_finish(peer);
	peer_until_end(peer);
	cr_assert_eq(times(peer->got, "HTTP/1.1 200 OK"), 100000);
	peer_close(peer);
}

static size_t most;
static int served;

static void watch(struct evhttp_request *req, void *arg)
{
	(void)arg;
	served++;
	if (buffered(connection_of(req)) > most)
		most = buffered(connection_of(req));
	http_hello(req, NULL);
}

/* HTTP-077, H43, H17: a client that sends thousands and reads nothing is served no further. */
Test(http_server_pressure, answers_nobody_reads)
{
	struct peer *peer = peer_open(port);
	int before = -1;

	evhttp_set_gencb(http, watch, NULL);
	bufferevent_disable(peer->bev, EV_READ);
	flood(peer, 100000);
	while (served != before || served == 0) {
		before = served;
		for (int i = 0; i < 100; i++)
			event_base_loop(base, EVLOOP_NONBLOCK);
	}
	cr_assert_lt(served, 100000);
	cr_assert_leq(most, 256 * 1024);
	bufferevent_enable(peer->bev, EV_READ);
	peer_finish(peer);
	peer_until_end(peer);
	cr_assert_eq(times(peer->got, "\r\n\r\nhello"), 100000);
	peer_close(peer);
}

/* HTTP-107, HTTP-108, HTTP-077: the callback of a chunk paces its producer. */
static int pieces;
static size_t most_out;

static void next_piece(struct evhttp_connection *evcon, void *arg)
{
	struct evbuffer *piece = evbuffer_new();
	char bytes[65536];

	(void)evcon;
	if (buffered(connection_of(arg)) > most_out)
		most_out = buffered(connection_of(arg));
	if (++pieces > 200) {
		evhttp_send_reply_end(arg);
	} else {
		memset(bytes, 'x', sizeof(bytes));
		evbuffer_add(piece, bytes, sizeof(bytes));
		evhttp_send_reply_chunk_with_cb(arg, piece, next_piece, arg);
	}
	evbuffer_free(piece);
}

static void stream(struct evhttp_request *req, void *arg)
{
	(void)arg;
	kept = req;
	evhttp_send_reply_start(req, 200, "OK");
	next_piece(connection_of(req), req);
}

Test(http_server_pressure, a_stream_waits_for_its_reader)
{
	struct peer *peer = peer_open(port);
	int before = -1;

	evhttp_set_gencb(http, stream, NULL);
	bufferevent_disable(peer->bev, EV_READ);
	peer_send(peer, GET("/"));
	while (pieces != before || pieces == 0) {
		before = pieces;
		for (int i = 0; i < 50; i++)
			event_base_loop(base, EVLOOP_NONBLOCK);
	}
	cr_assert_lt(pieces, 200);
	cr_assert_leq(most_out, 128 * 1024);
	bufferevent_enable(peer->bev, EV_READ);
	peer_finish(peer);
	peer_until_end(peer);
	cr_assert_eq(times(peer->got, "\r\n10000\r\n"), 200);
	cr_assert_str_eq(peer->got + peer->len - 7, "\r\n0\r\n\r\n");
	peer_close(peer);
}

/* H11: one byte at a time in a million chunks, or sizes of thousands of zeros. */
static void count_body(struct evhttp_request *req, void *arg)
{
	*(size_t *)arg = evbuffer_get_length(evhttp_request_get_input_buffer(req));
	evhttp_send_reply(req, 200, NULL, NULL);
}

Test(http_server_pressure, tiny_chunks)
{
	static size_t got;
	const size_t count = 200000;
	struct peer *peer = peer_open(port);
	char *bytes = malloc(count * 6);

	evhttp_set_gencb(http, count_body, &got);
	for (size_t i = 0; i < count; i++)
		memcpy(bytes + i * 6, "1\r\nx\r\n", 6);
	peer_send(peer, REQUEST("POST /", "Transfer-Encoding: chunked\r\n"));
	peer_send_bytes(peer, bytes, count * 6);
	peer_send(peer, "0\r\n\r\n");
	peer_until(peer, "200 OK");
	cr_assert_eq(got, count);
	peer_close(peer);

	memset(bytes, '0', count);
	peer = peer_open(port);
	peer_send(peer, REQUEST("POST /", "Transfer-Encoding: chunked\r\n"));
	peer_send_bytes(peer, bytes, count);
	peer_until(peer, "HTTP/1.1 400");
	peer_close(peer);
	free(bytes);
}

/* HTTP-204, H09: extensions are thrown away, and not without end. */
Test(http_server_pressure, endless_chunk_extensions)
{
	struct peer *peer = peer_open(port);
	char *bytes = malloc(1 << 20);

	memset(bytes, 'x', 1 << 20);
	peer_send(peer, REQUEST("POST /", "Transfer-Encoding: chunked\r\n") "1;a=");
	peer_send_bytes(peer, bytes, 1 << 20);
	peer_until(peer, "HTTP/1.1 400");
	peer_close(peer);
	free(bytes);
}

/* HTTP-378, HTTP-210: a huge chunk reaches the chunk callback in pieces. */
static size_t largest, total;

static void take_piece(struct evhttp_request *req, void *arg)
{
	size_t len = evbuffer_get_length(evhttp_request_get_input_buffer(req));

	(void)arg;
	total += len;
	if (len > largest)
		largest = len;
}

static int install(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_request_set_chunked_cb(req, take_piece);
	return 0;
}

Test(http_server_pressure, a_huge_chunk_comes_in_pieces)
{
	struct peer *peer;
	char *bytes = malloc(8 << 20);

	evhttp_set_newreqcb(http, install, NULL);
	evhttp_set_gencb(http, http_echo, NULL);
	memset(bytes, 'x', 8 << 20);
	peer = peer_open(port);
	peer_send(peer, REQUEST("POST /", "Transfer-Encoding: chunked\r\n") "800000\r\n");
	peer_send_bytes(peer, bytes, 8 << 20);
	peer_send(peer, "\r\n0\r\n\r\n");
	peer_until(peer, "200 OK");
	cr_assert_eq(total, 8 << 20);
	cr_assert_leq(largest, 256 * 1024);
	cr_assert_eq(has_line(peer->got, "Content-Length: 0"), 1);
	peer_close(peer);
	free(bytes);
}

/* H17: thousands in one segment, all answered, in order. */
static void answer_target(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add_printf(body, "<%s>", evhttp_request_get_uri(req));
	evhttp_send_reply(req, 200, NULL, body);
	evbuffer_free(body);
}

Test(http_server_pressure, two_thousand_in_one_segment)
{
	struct evbuffer *text = evbuffer_new();
	const char *at;
	char mark[32];

	evhttp_set_gencb(http, answer_target, NULL);
	for (int i = 0; i < 2000; i++)
		evbuffer_add_printf(text, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
	at = talk_bytes(evbuffer_pullup(text, -1), evbuffer_get_length(text));
	for (int i = 0; i < 2000; i++) {
		evutil_snprintf(mark, sizeof(mark), "</%d>", i);
		at = strstr(at, mark);
		cr_assert_not_null(at, "%s", mark);
	}
	evbuffer_free(text);
}
