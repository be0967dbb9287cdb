/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits of the head, the body and the number of connections. */

#include "server_test.h"

#include <stdio.h>
#include <stdlib.h>

TestSuite(http_server_limits, .init = http_open, .fini = http_close, .timeout = 60);

static const char *ask_with_length(int length, const char *body)
{
	static char text[4096];

	snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s",
		 length, body);
	return talk(text);
}

/*
 * HTTP-057, HTTP-058, HTTP-059: the line and the fields without their ends, and not one byte more.
 */
Test(http_server_limits, the_head)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: yz\r\n\r\n";

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_max_headers_size(http, 14 + 7 + 5);
	cr_expect_eq(code_of(talk(text)), 200);
	evhttp_set_max_headers_size(http, 14 + 7 + 4);
	cr_expect_eq(code_of(talk(text)), 400);
	evhttp_set_max_headers_size(http, -1);
	cr_expect_eq(code_of(talk(text)), 200);
}

/* HTTP-057 */
Test(http_server_limits, a_connection_keeps_the_limits_it_was_accepted_with)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, http_hello, NULL);
	until_connections(1);
	evhttp_set_max_headers_size(http, 1);
	evhttp_set_max_body_size(http, 1);
	peer_send(peer, REQUEST("POST /", "Content-Length: 5\r\n") "world");
	peer_until(peer, "hello");
	peer_close(peer);
}

/* HTTP-059, H41: refused as soon as it is too long; no line end has to come for that. */
Test(http_server_limits, a_line_without_end)
{
	struct peer *peer = peer_open(port);
	char *much = malloc(5000);

	memset(much, 'a', 5000);
	evhttp_set_max_headers_size(http, 4096);
	peer_send(peer, "GET /");
	peer_send_bytes(peer, much, 5000);
	peer_until(peer, "HTTP/1.1 400 ");
	peer_close(peer);

	peer = peer_open(port);
	peer_send(peer, "GET / HTTP/1.1\r\nX: ");
	peer_send_bytes(peer, much, 5000);
	peer_until(peer, "HTTP/1.1 400 ");
	peer_close(peer);
	free(much);
}

/* H40, HTTP-188, HTTP-378: with nothing configured endless heads are refused all the same. */
Test(http_server_limits, heads_are_limited_by_themselves)
{
	struct peer *peer = peer_open(port);
	char *fields = malloc(4 * 2000 + 1);
	char *much = malloc(2 << 20);

	for (int i = 0; i < 2000; i++)
		memcpy(fields + 4 * i, "a:\r\n", 5);
	peer_send(peer, "GET / HTTP/1.1\r\n");
	peer_send(peer, fields);
	peer_until(peer, "HTTP/1.1 400 ");
	peer_close(peer);

	memset(much, 'a', 2 << 20);
	peer = peer_open(port);
	peer_send(peer, "GET /");
	peer_send_bytes(peer, much, 2 << 20);
	peer_until(peer, "HTTP/1.1 400 ");
	peer_close(peer);
	free(fields);
	free(much);
}

/* HTTP-060, HTTP-061 */
Test(http_server_limits, an_announced_body)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, http_echo, NULL);
	evhttp_set_max_body_size(http, 5);
	check_reply(ask_with_length(5, "hello"), 200, "hello");
	peer_send(peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n");
	peer_until(peer, "HTTP/1.1 413 ");
	peer_close(peer);
	evhttp_set_max_body_size(http, -1);
	check_reply(ask_with_length(6, "hello!"), 200, "hello!");
	evhttp_set_max_body_size(http, 0);
	cr_expect_eq(code_of(ask_with_length(1, "")), 413);
	cr_expect_eq(code_of(get("/")), 200);
}

/* HTTP-061, HTTP-207: when the chunk is announced that would be too much. */
Test(http_server_limits, a_chunked_body)
{
	struct peer *peer;

	evhttp_set_gencb(http, http_echo, NULL);
	evhttp_set_max_body_size(http, 5);
	check_reply(talk(REQUEST("POST /", "Transfer-Encoding: chunked\r\n")
			 "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), 200, "abcde");
	peer = peer_open(port);
	peer_send(peer, REQUEST("POST /", "Transfer-Encoding: chunked\r\n") "3\r\nabc\r\n3\r\n");
	peer_until(peer, "HTTP/1.1 413 ");
	peer_close(peer);
}

/* HTTP-207, HTTP-376: sizes near the end of the range. */
Test(http_server_limits, absurd_chunks)
{
	static const char *const sizes[] = {
		"7fffffffffffffff", "ffffffffffffffff", "8000000000000000", "fffffffffffffffff",
		"10000000000000000",
	};
	char text[256];

	evhttp_set_gencb(http, http_echo, NULL);
	evhttp_set_max_body_size(http, 1 << 20);
	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof(text),
			 REQUEST("POST /", "Transfer-Encoding: chunked\r\n") "3\r\nabc\r\n%s\r\n",
			 sizes[i]);
		cr_expect_eq(code_of(talk(text)), i == 0 ? 413 : 400, "%s", sizes[i]);
	}
}

/* HTTP-062, HTTP-063, HTTP-064, HTTP-065 */
static int note_new(struct evhttp_request *req, void *arg)
{
	(void)req;
	(void)arg;
	http_note("new");
	return 0;
}

Test(http_server_limits, connections)
{
	struct peer *first = peer_open(port);
	struct peer *second;

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_newreqcb(http, note_new, NULL);
	evhttp_set_max_connections(http, 1);
	until_connections(1);
	second = peer_open(port);
	/* Its request is not read, and yet what it sends does not turn the answer into a reset. */
	peer_send(second, GET("/"));
	until_connections(2);
	peer_send(second, GET("/"));
	peer_until_end(second);
	cr_expect_eq(code_of(second->got), 503);
	cr_expect_eq(has_line(second->got, "Connection: close"), 1);
	cr_expect(!second->was_reset);
	peer_close(second);
	until_connections(1);
	cr_expect_str_eq(http_log, "new");

	peer_send(first, GET("/"));
	peer_until(first, "hello");
	peer_close(first);
	until_connections(0);
	check_reply(get("/"), 200, "hello");
}

/* HTTP-062: none and fewer are no limit. */
Test(http_server_limits, no_limit_of_connections)
{
	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_max_connections(http, 0);
	check_reply(get("/"), 200, "hello");
	evhttp_set_max_connections(http, -1);
	check_reply(get("/"), 200, "hello");
}

/* H44: hundreds come, idle or gone again; the server serves on. */
Test(http_server_limits, many_connections)
{
	struct peer *peers[200];

	evhttp_set_gencb(http, http_hello, NULL);
	for (int i = 0; i < 200; i++) {
		peers[i] = peer_open(port);
		until_connections(i + 1);
	}
	for (int i = 0; i < 200; i += 2)
		peer_close(peers[i]);
	until_connections(100);
	for (int i = 1; i < 200; i += 2)
		peer_send(peers[i], GET("/"));
	for (int i = 1; i < 200; i += 2) {
		peer_until(peers[i], "hello");
		peer_close(peers[i]);
	}
	until_connections(0);
}
