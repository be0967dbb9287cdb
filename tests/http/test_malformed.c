/* SPDX-License-Identifier: BSD-3-Clause */
/* Section 24 of the specification: what a server answers to malformed and borderline input. */

#include "http_test.h"

#include <stdio.h>

TestSuite(http_malformed, .init = http_open, .fini = http_close);

#define POST "POST /echo HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define END "0\r\n\r\n"

struct sample {
	const char *text;
	int code;
	int answers;
};

static void check(const struct sample *samples, size_t n)
{
	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_cb(http, "/echo", http_echo, NULL);
	for (size_t i = 0; i < n; i++) {
		const char *got = talk(samples[i].text);
		char line[32];

		snprintf(line, sizeof(line), "HTTP/1.1 %d ", samples[i].code);
		cr_expect_eq(strncmp(got, line, strlen(line)), 0, "%s: %.40s", samples[i].text,
			     got);
		cr_expect_eq(times(got, "HTTP/1."), samples[i].answers, "%s: %s", samples[i].text,
			     got);
		if (samples[i].code >= 400)
			cr_expect_eq(times(got, "\r\nConnection: close\r\n"), 1, "%s", got);
	}
}

#define CHECK(samples) check(samples, sizeof(samples) / sizeof((samples)[0]))

/* HTTP-046, HTTP-048, HTTP-157..168, HTTP-171..173, HTTP-187, HTTP-222, HTTP-223 */
Test(http_malformed, request_lines, .timeout = 60)
{
	static const struct sample samples[] = {
		{ "illegal request\r\n\r\n", 400, 1 },
		{ "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, 1 },
		{ "GET /\r\n\r\n", 400, 1 },
		{ "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, 1 },
		{ "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, 1 },
		{ "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 200, 1 },
		{ "GET / HTTP/0.9\r\n\r\n", 400, 1 },
		{ "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400, 1 },
		{ "GET / http/1.1\r\nHost: a\r\n\r\n", 400, 1 },
		{ "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501, 1 },
		{ "FLOOP / HTTP/1.1\r\nHost: a\r\n\r\n", 501, 1 },
		{ "PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", 501, 1 },
		{ "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, 1 },
		{ " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, 1 },
		{ "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 200, 1 },
		{ "GET / HTTP/1.1   \r\nHost: a\r\n\r\n", 200, 1 },
		{ "GET / HTTP/1.1\nHost: a\n\n", 200, 1 },
		{ "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", 400, 1 },
		{ "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, 1 },
		{ "GET http://[:/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, 1 },
		{ "GET 1:bbb HTTP/1.1\r\nHost: a\r\n\r\n", 400, 1 },
		{ "GET / HTTP/1.1\r\n\r\n", 400, 1 },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, 1 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, 1 },
		{ "illegal request\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, 1 },
	};

	CHECK(samples);
}

/* HTTP-178, HTTP-179, HTTP-182..184 */
Test(http_malformed, fields, .timeout = 60)
{
	static const struct sample samples[] = {
		{ POST "Foo\r\n\r\n", 400, 1 },
		{ POST ": x\r\n\r\n", 400, 1 },
		{ POST "X : x\r\n\r\n", 400, 1 },
		{ POST "X(y: x\r\n\r\n", 400, 1 },
		{ POST "X: a\rb\r\n\r\n", 400, 1 },
		{ POST "X: a\x07" "b\r\n\r\n", 400, 1 },
		{ POST "X: a\xff" "b\r\n\r\n", 200, 1 },
		{ "GET / HTTP/1.1\r\n x\r\nHost: a\r\n\r\n", 400, 1 },
		{ POST "X: a\r\n b\r\n\r\n", 200, 1 },
	};
	static const char nul[] = POST "X: a\0b\r\n\r\n";

	CHECK(samples);
	cr_expect_eq(strncmp(talk_bytes(nul, sizeof(nul) - 1), "HTTP/1.1 400 ", 13), 0);
}

/* HTTP-191..196, HTTP-199, HTTP-214, HTTP-372, HTTP-376 */
Test(http_malformed, framing, .timeout = 60)
{
	static const struct sample samples[] = {
		{ POST "Content-Length: -1\r\n\r\nabc", 400, 1 },
		{ POST "Content-Length:\r\n\r\nabc", 400, 1 },
		{ POST "Content-Length: 3x\r\n\r\nabc", 400, 1 },
		{ POST "Content-Length: 0x3\r\n\r\nabc", 400, 1 },
		{ POST "Content-Length: 3, 3\r\n\r\nabc", 400, 1 },
		{ POST "Content-Length: +3\r\n\r\nabc", 400, 1 },
		{ POST "Content-Length: 03\r\n\r\nabc", 200, 1 },
		{ POST "Content-Length: 9223372036854775808\r\n\r\nabc", 400, 1 },
		{ POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, 1 },
		{ POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" END, 400, 1 },
		{ POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" END, 400, 1 },
		{ POST "Transfer-Encoding: gzip, chunked\r\n\r\n" END, 501, 1 },
		{ POST "Transfer-Encoding: chunked, gzip\r\n\r\n" END, 400, 1 },
		{ POST "Transfer-Encoding: chunked,\r\n\r\n" END, 400, 1 },
		{ POST "Transfer-Encoding: identity\r\n\r\n" END, 400, 1 },
		{ POST "Transfer-Encoding: \tchunked\r\n\r\n" END, 200, 1 },
		{ POST "Transfer-Encoding: \vchunked\r\n\r\n" END, 400, 1 },
		{ POST "Transfer-Encoding : chunked\r\n\r\n" END, 400, 1 },
		{ "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" END, 400, 1 },
		{ POST "Content-Length: 3\r\nExpect: x\r\n\r\n", 417, 1 },
		{ "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
		  "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, 2 },
	};

	CHECK(samples);
}

/* HTTP-202..206, HTTP-208, HTTP-209 */
Test(http_malformed, chunks, .timeout = 60)
{
	static const struct sample samples[] = {
		{ CHUNKED "3;a=b\r\nabc\r\n" END, 200, 1 },
		{ CHUNKED "3 junk\r\nabc\r\n" END, 400, 1 },
		{ CHUNKED "3\t\r\nabc\r\n" END, 400, 1 },
		{ CHUNKED "0x3\r\nabc\r\n" END, 400, 1 },
		{ CHUNKED "+3\r\nabc\r\n" END, 400, 1 },
		{ CHUNKED " 3\r\nabc\r\n" END, 400, 1 },
		{ CHUNKED "-3\r\nabc\r\n" END, 400, 1 },
		{ CHUNKED "zz\r\nabc\r\n" END, 400, 1 },
		{ CHUNKED "11111111111111111\r\nabc", 400, 1 },
		{ CHUNKED "3\r\nabc" END, 400, 1 },
		{ CHUNKED "\r\n3\r\nabc\r\n" END, 400, 1 },
		{ CHUNKED "3\nabc\n0\n\n", 400, 1 },
		{ CHUNKED "3\r\nabc\r\n0\r\nT: x\r\n\r\n", 200, 1 },
		{ CHUNKED "3\r\nabc\r\n0\r\nT x\r\n\r\n", 400, 1 },
		{ CHUNKED "3\r\nabc\r\n" END "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, 2 },
	};

	CHECK(samples);
}
