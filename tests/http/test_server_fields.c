/* SPDX-License-Identifier: BSD-3-Clause */
/* Fields that replies get by themselves. */

#include "server_test.h"

#include <stdio.h>
#include <time.h>

TestSuite(http_server_fields, .init = http_open, .fini = http_close, .timeout = 60);

static void with_fields(struct evhttp_request *req, void *arg)
{
	const char *const *pairs = arg;

	for (; *pairs != NULL; pairs += 2)
		evhttp_add_header(evhttp_request_get_output_headers(req), pairs[0], pairs[1]);
	http_hello(req, NULL);
}

/* HTTP-114, HTTP-124, HTTP-123, HTTP-120: order, case, and nothing else. */
Test(http_server_fields, order)
{
	static const char *const pairs[] = { "X-b", "1", "x-A", "2", "X-b", "3", NULL };
	char expected[512], date[64];
	const char *got;

	evhttp_set_gencb(http, with_fields, (void *)(uintptr_t)pairs);
	got = get("/");
	cr_assert_not_null(strstr(got, "Date: "));
	snprintf(date, sizeof(date), "%.35s", strstr(got, "Date: "));
	snprintf(expected, sizeof(expected),
		 "HTTP/1.1 200 OK\r\nX-b: 1\r\nx-A: 2\r\nX-b: 3\r\n%s\r\nContent-Length: "
		 "5\r\nContent-Type: text/html; charset=ISO-8859-1\r\n\r\nhello",
		 date);
	cr_expect_str_eq(got, expected);
}

/* HTTP-124, HTTP-119 */
Test(http_server_fields, order_with_close)
{
	const char *got;

	evhttp_set_gencb(http, http_hello, NULL);
	got = talk(REQUEST("GET /", "Connection: close\r\n"));
	cr_expect_not_null(strstr(got, "ISO-8859-1\r\nConnection: close\r\n\r\n"));
	got = talk("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	cr_expect_eq(strncmp(got,
			     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n",
			     59),
		     0, "%s", got);
}

/* HTTP-115 */
Test(http_server_fields, date)
{
	static const char *const own[] = { "date", "yesterday", NULL };
	const char *got;
	struct tm parts = { 0 };
	time_t now = time(NULL);

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_cb(http, "/own", with_fields, (void *)(uintptr_t)own);
	got = get("/");
	cr_assert_not_null(
		strptime(strstr(got, "Date: "), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts));
	cr_expect_leq(timegm(&parts) - now, 10);
	cr_expect_geq(timegm(&parts) - now, -2);
	cr_expect_null(strstr(talk("GET / HTTP/1.0\r\n\r\n"), "Date"));
	got = get("/own");
	cr_expect_null(strstr(got, "Date"));
	cr_expect_eq(has_line(got, "date: yesterday"), 1);
}

/* HTTP-116 */
Test(http_server_fields, content_length)
{
	static const char *const own[] = { "content-length", "5", NULL };
	static const char *const coded[] = { "transfer-encoding", "x", NULL };

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_cb(http, "/own", with_fields, (void *)(uintptr_t)own);
	evhttp_set_cb(http, "/coded", with_fields, (void *)(uintptr_t)coded);
	cr_expect_eq(has_line(get("/"), "Content-Length: 5"), 1);
	cr_expect_null(strstr(talk("GET / HTTP/1.0\r\n\r\n"), "Content-Length"));
	cr_expect_not_null(strstr(talk("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
				  "Content-Length: 5"));
	cr_expect_null(strstr(get("/own"), "Content-Length"));
	cr_expect_null(strstr(get("/coded"), "Content-Length"));
}

/* HTTP-117, HTTP-078 */
Test(http_server_fields, content_type)
{
	static const char *const own[] = { "CONTENT-TYPE", "own", NULL };
	static char type[] = "text/x";

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_cb(http, "/own", with_fields, (void *)(uintptr_t)own);
	cr_expect_not_null(strstr(talk("GET / HTTP/1.0\r\n\r\n"), "\r\nContent-Type: text/html; "));
	cr_expect_null(strstr(get("/own"), "Content-Type"));
	evhttp_set_default_content_type(http, type);
	cr_expect_eq(has_line(get("/"), "Content-Type: text/x"), 1);
	type[5] = 'y'; /* the pointer is kept */
	cr_expect_eq(has_line(get("/"), "Content-Type: text/y"), 1);
	evhttp_set_default_content_type(http, NULL);
	cr_expect_null(strstr(get("/"), "Content-Type"));
}

/* HTTP-118, HTTP-119, HTTP-219, H29 */
Test(http_server_fields, connection)
{
	static const char *const close[] = { "Connection", "close", NULL };
	static const char *const keep[] = { "Connection", "keep-alive", NULL };
	const char *got;

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_cb(http, "/close", with_fields, (void *)(uintptr_t)close);
	evhttp_set_cb(http, "/keep", with_fields, (void *)(uintptr_t)keep);
	got = talk("GET /close HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET("/"));
	cr_expect_null(strstr(got, "keep-alive"));
	cr_expect_eq(times(got, "Connection: close"), 1);
	cr_expect_eq(times(got, "hello"), 1);
	got = talk("GET /keep HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" GET("/"));
	cr_expect_eq(times(got, "Connection: keep-alive"), 1);
	cr_expect_eq(times(got, "hello"), 2);
	got = talk(REQUEST("GET /keep", "Connection: close\r\n") GET("/"));
	cr_expect_null(strstr(got, "keep-alive"));
	cr_expect_eq(times(got, "Connection: close"), 1);
	cr_expect_eq(times(got, "hello"), 1);
	got = talk(GET("/close") GET("/"));
	cr_expect_eq(times(got, "hello"), 1);
	cr_expect_null(strstr(get("/"), "Connection"));
}

/* HTTP-166, HTTP-215: never another version than 1.0 and 1.1. H20 */
Test(http_server_fields, version)
{
	const char *got;

	evhttp_set_gencb(http, http_hello, NULL);
	got = talk(
		"GET / HTTP/1.9\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n");
	cr_expect_eq(has_line(got, "HTTP/1.1 200 OK"), 1);
	got = talk("GET / HTTP/2.0\r\nHost: a\r\n\r\n");
	cr_expect_eq(strncmp(got, "HTTP/1.1 505 ", 13), 0);
}
