/* SPDX-License-Identifier: BSD-3-Clause */
/* Replies in one piece: their bytes, and when they may be sent. */

#include "server_test.h"

#include <stdio.h>
#include <stdlib.h>

TestSuite(http_server_reply, .init = http_open, .fini = http_close, .timeout = 60);

static size_t left_in_buffer = 77;

static void reply_parts(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add(evhttp_request_get_output_buffer(req), "first ", 6);
	evbuffer_add(body, "second", 6);
	evhttp_send_reply(req, 201, NULL, body);
	left_in_buffer = evbuffer_get_length(body);
	evbuffer_free(body);
}

/* HTTP-091, HTTP-092, HTTP-093 */
Test(http_server_reply, the_output_buffer_goes_first)
{
	const char *got;

	evhttp_set_gencb(http, reply_parts, NULL);
	got = get("/");
	check_reply(got, 201, "first second");
	cr_expect_eq(has_line(got, "HTTP/1.1 201 Created"), 1);
	cr_expect_eq(has_line(got, "Content-Length: 12"), 1);
	cr_expect_eq(left_in_buffer, 0);
}

static void reply_nothing(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_send_reply(req, 200, "Fine indeed", NULL);
}

/* HTTP-091, HTTP-116 */
Test(http_server_reply, no_body)
{
	const char *got;

	evhttp_set_gencb(http, reply_nothing, NULL);
	got = get("/");
	check_reply(got, 200, "");
	cr_expect_eq(has_line(got, "HTTP/1.1 200 Fine indeed"), 1);
	cr_expect_eq(has_line(got, "Content-Length: 0"), 1);
}

/* HTTP-094, HTTP-095, HTTP-031: later, and only then. */
static void answer_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	http_note("answer");
	http_hello(arg, NULL);
}

static void defer(struct evhttp_request *req, void *arg)
{
	const struct timeval soon = { 0, 10000 };

	(void)arg;
	http_note("handler");
	event_base_once(base, -1, EV_TIMEOUT, answer_later, req, &soon);
}

Test(http_server_reply, deferred)
{
	const char *got;

	evhttp_set_gencb(http, defer, NULL);
	got = talk(GET("/") GET("/"));
	cr_expect_eq(times(got, "\r\n\r\nhello"), 2);
	cr_expect_str_eq(http_log, "handler answer handler answer");
}

/*
 * HTTP-096, HTTP-380, H45: the client has gone. Each of these frees the request, or does nothing.
 */
static void lose_client(struct peer *peer)
{
	peer_send(peer, GET("/"));
	log_wait("handler");
	evhttp_connection_free(evhttp_request_get_connection(kept));
	cr_assert_null(evhttp_request_get_connection(kept));
	peer_close(peer);
	http_log[0] = '\0';
}

Test(http_server_reply, when_the_client_has_gone)
{
	struct evbuffer *body = evbuffer_new();

	evbuffer_add(body, "x", 1);
	evhttp_set_gencb(http, http_keep, NULL);
	lose_client(peer_open(port));
	evhttp_send_reply(kept, 200, NULL, body);
	lose_client(peer_open(port));
	evhttp_send_error(kept, 500, NULL);
	lose_client(peer_open(port));
	evhttp_send_reply_start(kept, 200, NULL);
	evhttp_send_reply_chunk(kept, body);
	evhttp_send_reply_end(kept);
	lose_client(peer_open(port));
	evhttp_request_free(kept);
	evbuffer_free(body);
}

/* HTTP-113, H45: a second answer is ignored. */
static void answer_twice(struct evhttp_request *req, void *arg)
{
	(void)arg;
	http_hello(req, NULL);
	http_hello(req, NULL);
	evhttp_send_error(req, 500, NULL);
	evhttp_send_reply_start(req, 200, NULL);
	evhttp_send_reply_end(req);
}

static void start_twice(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add(body, "x", 1);
	evhttp_send_reply_chunk(req, body);
	evhttp_send_reply_end(req);
	evhttp_send_reply_start(req, 200, NULL);
	evhttp_send_reply_start(req, 500, NULL);
	evhttp_send_error(req, 500, NULL);
	evhttp_send_reply(req, 500, NULL, NULL);
	evhttp_send_reply_chunk(req, body);
	evhttp_send_reply_end(req);
	evhttp_send_reply_end(req);
	evbuffer_free(body);
}

Test(http_server_reply, twice)
{
	const char *got;

	evhttp_set_cb(http, "/1", answer_twice, NULL);
	evhttp_set_cb(http, "/2", start_twice, NULL);
	got = talk(GET("/1") GET("/1"));
	cr_expect_eq(times(got, "HTTP/1.1"), 2);
	cr_expect_eq(times(got, "\r\n\r\nhello"), 2);
	got = talk(GET("/2") GET("/2"));
	cr_expect_eq(times(got, "HTTP/1.1 200"), 2);
	cr_expect_eq(times(got, "1\r\nx\r\n0\r\n\r\n"), 2);
}

/* HTTP-121, HTTP-122, HTTP-375, H30, H31: no byte of a body where there can be none. */
static void reply_code(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	evbuffer_add(evhttp_request_get_output_buffer(req), "out", 3);
	evbuffer_add(body, "body", 4);
	evhttp_send_reply(req, *(const int *)arg, NULL, body);
	left_in_buffer = evbuffer_get_length(body);
	evbuffer_free(body);
}

Test(http_server_reply, without_a_body_by_its_code)
{
	static const int codes[] = { 204, 304 };

	evhttp_set_cb(http, "/hello", http_hello, NULL);
	for (int i = 0; i < 2; i++) {
		const char *got;

		evhttp_set_gencb(http, reply_code, (void *)(uintptr_t)&codes[i]);
		got = talk(GET("/") GET("/hello"));
		cr_expect_eq(code_of(got), codes[i]);
		cr_expect_eq(strncmp(body_of(got), "HTTP/1.1 200 OK\r\n", 17), 0, "%s", got);
		cr_expect_eq(times(got, "Content-Length"), 1);
		cr_expect_eq(times(got, "Content-Type"), 1);
		cr_expect_null(strstr(got, "body"));
		cr_expect_null(strstr(got, "out"));
		cr_expect_eq(left_in_buffer, 0);
	}
}

Test(http_server_reply, to_head)
{
	static const int code = 200;
	const char *got;

	evhttp_set_cb(http, "/hello", http_hello, NULL);
	evhttp_set_gencb(http, reply_code, (void *)(uintptr_t)&code);
	got = talk(REQUEST("HEAD /", "") GET("/hello"));
	cr_expect_eq(code_of(got), 200);
	cr_expect_eq(strncmp(body_of(got), "HTTP/1.1 200 OK\r\n", 17), 0, "%s", got);
	cr_expect_null(strstr(got, "body"));
	got = talk(REQUEST("HEAD /missing", "") "");
	cr_expect_str_eq(body_of(got), "");
}

/* HTTP-122: a length that the application gives is sent. */
static void reply_length(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Length", "123456");
	evhttp_send_reply(req, 200, NULL, NULL);
}

Test(http_server_reply, the_length_that_get_would_have)
{
	const char *got;

	evhttp_set_gencb(http, reply_length, NULL);
	got = talk(REQUEST("HEAD /", "") REQUEST("HEAD /", ""));
	cr_expect_eq(times(got, "\r\nContent-Length: 123456\r\n"), 2);
}

/* HTTP-125, HTTP-374, H50: nothing splits a reply. */
static void reply_evil(struct evhttp_request *req, void *arg)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);

	(void)arg;
	cr_expect_eq(evhttp_add_header(out, "X", "a\r\nSet-Cookie: evil"), -1);
	cr_expect_eq(evhttp_add_header(out, "X", "a\nb"), -1);
	cr_expect_eq(evhttp_add_header(out, "X\r\nY", "a"), -1);
	cr_expect_eq(evhttp_add_header(out, "X: y\r\nZ", "a"), -1);
	cr_expect_eq(evhttp_add_header(out, "Fold", "a\r\n b"), 0);
	evhttp_send_reply(req, 200, "O\r\nSet-Cookie: evil", NULL);
}

static void error_evil(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_send_error(req, 500, "O\r\n\r\nevil\n");
}

/* Entries that the program puts in by hand, past every check. */
static void put_evil(struct evhttp_request *req, void *arg)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);

	(void)arg;
	evhttp_add_header(out, "X", "0123456789");
	memcpy(out->tqh_first->value, "a\r\nY: b\r\nc", 10);
	evhttp_send_reply(req, 200, NULL, NULL);
}

Test(http_server_reply, cannot_be_split)
{
	const char *got;

	evhttp_set_cb(http, "/reply", reply_evil, NULL);
	evhttp_set_cb(http, "/error", error_evil, NULL);
	evhttp_set_cb(http, "/put", put_evil, NULL);
	got = get("/reply");
	cr_expect_eq(has_line(got, "HTTP/1.1 200 O  Set-Cookie: evil"), 1, "%s", got);
	cr_expect_eq(has_line(got, "Fold: a b"), 1, "%s", got);
	got = get("/error");
	cr_expect_eq(has_line(got, "HTTP/1.1 500 O    evil "), 1, "%s", got);
	got = get("/put");
	cr_expect_eq(has_line(got, "Y: b"), 0, "%s", got);
}

/* HTTP-126, HTTP-127, HTTP-128, HTTP-129 */
static void reply_number(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_send_reply(req, atoi(evhttp_request_get_uri(req) + 1), NULL, NULL);
}

Test(http_server_reply, standard_phrases)
{
	static const struct {
		int code;
		const char *phrase;
	} samples[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 203, "Non-Authoritative Information" },
		{ 204, "No Content" },
		{ 205, "Reset Content" },
		{ 206, "Partial Content" },
		{ 300, "Multiple Choices" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 305, "Use Proxy" },
		{ 307, "Temporary Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 407, "Proxy Authentication Required" },
		{ 408, "Request Time-out" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Request Entity Too Large" },
		{ 414, "Request-URI Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Requested range not satisfiable" },
		{ 417, "Expectation Failed" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Time-out" },
		{ 505, "HTTP Version not supported" },
		{ 100, "Continue" },
		{ 101, "Switching Protocols" },
		{ 199, "Informational" },
		{ 299, "Success" },
		{ 399, "Redirection" },
		{ 499, "Client Error" },
		{ 599, "Server Error" },
		{ 600, "Unknown Status Class" },
	};
	char target[16], line[64];

	evhttp_set_gencb(http, reply_number, NULL);
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		snprintf(target, sizeof(target), "/%d", samples[i].code);
		snprintf(line, sizeof(line), "HTTP/1.1 %d %s", samples[i].code, samples[i].phrase);
		cr_expect_eq(has_line(get(target), line), 1, "%s", line);
	}
}

/* HTTP-104: whatever the sizes, alone or gathered, and whether memory is moved or copied. */
#define PIECES 60

static size_t piece_len(int i)
{
	static const size_t lens[] = { 1, 15, 16, 500, 1024, 2048, 2049, 4095, 9, 17000 };

	return lens[i % 10] + (size_t)(i / 10);
}

static void reply_in_pieces(struct evhttp_request *req, void *arg)
{
	static char block[20000];
	struct evbuffer *piece = evbuffer_new();

	(void)arg;
	evhttp_send_reply_start(req, 200, NULL);
	for (int i = 0; i < PIECES; i++) {
		memset(block, 'a' + i % 26, piece_len(i));
		evbuffer_add(piece, block, piece_len(i));
		evhttp_send_reply_chunk(req, piece);
		cr_expect_eq(evbuffer_get_length(piece), 0);
	}
	evhttp_send_reply_end(req);
	evbuffer_free(piece);
}

Test(http_server_reply, pieces_of_all_sizes)
{
	const char *at;

	evhttp_set_gencb(http, reply_in_pieces, NULL);
	at = strstr(talk(GET("/")), "\r\n\r\n");
	cr_assert_not_null(at);
	at += 4;
	for (int i = 0; i < PIECES; i++) {
		char *end;

		cr_assert_eq(strtoul(at, &end, 16), piece_len(i), "piece %d", i);
		cr_assert_eq(strncmp(end, "\r\n", 2), 0);
		at = end + 2;
		cr_assert_eq(strspn(at, (char[]){ (char)('a' + i % 26), '\0' }), piece_len(i));
		at += piece_len(i);
		cr_assert_eq(strncmp(at, "\r\n", 2), 0);
		at += 2;
	}
	cr_assert_str_eq(at, "0\r\n\r\n");
}
