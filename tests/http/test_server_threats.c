/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What makes two servers disagree about where a request ends: refused with one answer, and nothing
 * behind it is ever taken for a request.
 */

#include "server_test.h"

#include <stdio.h>

TestSuite(http_server_threats, .init = http_open, .fini = http_close, .timeout = 60);

struct threat {
	const char *bytes;
	size_t len;
};

#define BYTES(text)    { text, sizeof(text) - 1 }
#define POST(fields)   BYTES(REQUEST("POST /", fields "\r\n"))
#define CHUNKS(body)   BYTES(REQUEST("POST /", "Transfer-Encoding: chunked\r\n") body)
#define FIELD(field)   BYTES(REQUEST("GET /", field "\r\n"))
#define LINE(line)     BYTES(line "\r\nHost: a\r\n\r\n")
#define SMUGGLED       "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

static void count_request(struct evhttp_request *req, void *served)
{
	++*(int *)served;
	http_hello(req, NULL);
}

static void check_refused(const struct threat *threats, size_t n)
{
	int served = 0;

	evhttp_set_gencb(http, count_request, &served);
	for (size_t i = 0; i < n; i++) {
		struct evbuffer *text = evbuffer_new();
		const char *got;

		evbuffer_add(text, threats[i].bytes, threats[i].len);
		evbuffer_add(text, SMUGGLED, strlen(SMUGGLED));
		got = talk_bytes(evbuffer_pullup(text, -1), evbuffer_get_length(text));
		cr_expect_geq(code_of(got), 400, "%zu: %s: %s", i, threats[i].bytes, got);
		cr_expect_eq(times(got, "HTTP/1."), 1, "%zu: %s: %s", i, threats[i].bytes, got);
		cr_expect_eq(has_line(got, "Connection: close"), 1, "%zu: %s", i, got);
		cr_expect_eq(served, 0, "%zu: %s", i, threats[i].bytes);
		evbuffer_free(text);
	}
}

#define CHECK(threats) check_refused(threats, sizeof(threats) / sizeof((threats)[0]))

/* H01, H02, H03 */
Test(http_server_threats, lengths)
{
	static const struct threat threats[] = {
		POST("Content-Length: +5"), POST("Content-Length: -0"), POST("Content-Length: 0x5"),
		POST("Content-Length: 5a"), POST("Content-Length: 5.0"),
		POST("Content-Length: 5e0"), POST("Content-Length: 0 5"),
		POST("Content-Length: 0_5"), POST("Content-Length: \"5\""), POST("Content-Length:"),
		POST("Content-Length: 5, 6"), POST("Content-Length: 5,"),
		POST("Content-Length: 9223372036854775808"),
		POST("Content-Length: 18446744073709551621"), POST("Content-Length: \xa0" "5"),
		POST("Content-Length: \v5"), POST("Content-Length: 5\0"),
		POST("Content-Length: 5\r\nContent-Length: 6"),
		POST("Content-Length: 5\r\ncontent-length: 0"),
		POST("Content-Length: 5\r\nTransfer-Encoding: chunked"),
		POST("transfer-encoding: chunked\r\ncontent-length: 5"),
		POST("TRANSFER-ENCODING: CHUNKED\r\nCONTENT-LENGTH: 5"),
	};

	CHECK(threats);
}

/* H04, H05 */
Test(http_server_threats, codings)
{
	static const struct threat threats[] = {
		POST("Transfer-Encoding: x"), POST("Transfer-Encoding:"),
		POST("Transfer-Encoding: "), POST("Transfer-Encoding: \"chunked\""),
		POST("Transfer-Encoding: chunked x"), POST("Transfer-Encoding: x chunked"),
		POST("Transfer-Encoding: chunked, chunked"),
		POST("Transfer-Encoding: chunked, identity"), POST("Transfer-Encoding: identity"),
		POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
		POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
		POST("Transfer-Encoding: \vchunked"), POST("Transfer-Encoding: chunked\v"),
		POST("Transfer-Encoding: chunked\f"), POST("Transfer-Encoding: chunked\0"),
		POST("Transfer-Encoding: \xa0" "chunked"), POST("Transfer-Encoding: xchunked"),
		POST("Transfer-Encoding: chunkedx"), POST("Transfer-Encoding: chunke"),
		POST("Transfer-Encoding: gzip, chunked"), POST("Transfer-Encoding: chunked;q=1"),
	};

	CHECK(threats);
}

/* H06 */
Test(http_server_threats, codings_of_old_versions)
{
	static const struct threat threats[] = {
		BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
		BYTES("POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: "
		      "chunked\r\n\r\n"),
	};

	CHECK(threats);
}

/* H07: a continuation line of a field that frames the request. */
Test(http_server_threats, folds)
{
	static const struct threat threats[] = {
		POST("Content-Length: 5\r\n 0"), POST("Content-Length:\r\n 5"),
		POST("Transfer-Encoding: chunked\r\n "), POST("Transfer-Encoding:\r\n\tchunked"),
		POST("Connection: close\r\n , x"), BYTES("GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n"),
	};

	CHECK(threats);
}

/* H08, H09, H10 */
Test(http_server_threats, chunks)
{
	static const struct threat threats[] = {
		CHUNKS("0x3\r\nabc\r\n"), CHUNKS("+3\r\nabc\r\n"), CHUNKS("-3\r\nabc\r\n"),
		CHUNKS(" 3\r\nabc\r\n"), CHUNKS("3_0\r\nabc\r\n"), CHUNKS("g\r\nabc\r\n"),
		CHUNKS("\r\nabc\r\n"), CHUNKS("8000000000000000\r\nabc\r\n"),
		CHUNKS("10000000000000003\r\nabc\r\n"), CHUNKS("3;a=\0\r\nabc\r\n"),
		CHUNKS("3;a\rb\r\nabc\r\n"), CHUNKS("3;a\nb\r\nabc\r\n"),
		CHUNKS("3;a=\x01\r\nabc\r\n"), CHUNKS("3\nabc\r\n"), CHUNKS("3\rabc\r\n"),
		CHUNKS("3\r\r\nabc\r\n"), CHUNKS("3\r\nabc\n"), CHUNKS("3\r\nabc\r"),
		CHUNKS("3\r\nabcXY"), CHUNKS("3\r\nabc"), CHUNKS("3\r\nabc\r\n0\n\n"),
		CHUNKS("3\r\nabc\r\n0\r\r"),
	};

	CHECK(threats);
}

/* H14 */
Test(http_server_threats, trailers)
{
	static const struct threat threats[] = {
		CHUNKS("0\r\nno colon\r\n\r\n"), CHUNKS("0\r\n: x\r\n\r\n"),
		CHUNKS("0\r\nA : x\r\n\r\n"), CHUNKS("0\r\nA: \0\r\n\r\n"),
		CHUNKS("0\r\nA: x\ry\r\n\r\n"),
	};

	CHECK(threats);
}

/* H20, H21, H22 */
Test(http_server_threats, lines)
{
	static const struct threat threats[] = {
		LINE("GET /"), LINE("GET / HTTP/0.9"), LINE("GET / HTTP/+1.1"),
		LINE("GET / HTTP/01.1"), LINE("GET / HTTP/1.01"), LINE("GET / HTTP/4294967297.1"),
		LINE("GET / http/1.1"), LINE("GET / ICY/1.1"), LINE("GET / HTTP/2.0"),
		LINE("GET / HTTP/1"), LINE("GET / HTTP/1."), LINE("GET  / HTTP/1.1"),
		LINE("GET\t/ HTTP/1.1"), LINE("GET /\vHTTP/1.1"), LINE(" GET / HTTP/1.1"),
		LINE("GET /\n HTTP/1.1"), LINE("GET / HTTP/1.1\rX: y"), LINE("GET /\0 HTTP/1.1"),
		LINE("GET /\x01 HTTP/1.1"), LINE("GET /\x7f HTTP/1.1"), LINE("GET \\ HTTP/1.1"),
		LINE("CONNECT a HTTP/1.1"), LINE("CONNECT a:65536 HTTP/1.1"),
	};

	CHECK(threats);
}

/* H25, H26, H27 */
Test(http_server_threats, fields)
{
	static const struct threat threats[] = {
		FIELD("no colon"), FIELD(": x"), FIELD("A : x"), FIELD("A\t: x"), FIELD("A B: x"),
		BYTES("GET / HTTP/1.1\r\n A: x\r\nHost: a\r\n\r\n"), FIELD("A(: x"),
		FIELD("A\xe9: x"), FIELD("A\0: x"), FIELD("A: x\0y"), FIELD("A: x\ry"),
		FIELD("A: x\x01y"), FIELD("A: x\x7fy"), FIELD("A: x\r\r\nB: y"),
		FIELD("A: x\r\n\rB: y"),
	};

	CHECK(threats);
}

/* H28: blanks and tabs around a value are not part of it. */
static void say_field(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add_printf(body, "<%s>",
			    evhttp_find_header(evhttp_request_get_input_headers(req), "A"));
	evhttp_send_reply(req, 200, NULL, body);
	evbuffer_free(body);
}

Test(http_server_threats, blanks_around_values)
{
	evhttp_set_gencb(http, say_field, NULL);
	check_reply(talk(REQUEST("GET /", "A:x\r\n")), 200, "<x>");
	check_reply(talk(REQUEST("GET /", "A: \t x y \t \r\n")), 200, "<x y>");
	check_reply(talk(REQUEST("GET /", "A:\tx\t\r\n")), 200, "<x>");
	check_reply(talk(REQUEST("GET /", "A: \t\r\n")), 200, "<>");
}
