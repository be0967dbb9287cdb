/* SPDX-License-Identifier: BSD-3-Clause */
/* Error pages: the program's, and the standard ones. */

#include "server_test.h"

TestSuite(http_server_errorcb, .init = http_open, .fini = http_close, .timeout = 60);

static int result;

static int page(struct evhttp_request *req, struct evbuffer *buffer, int code, const char *reason,
		void *arg)
{
	http_note("%d:%s", code, reason != NULL ? reason : "null");
	cr_expect_not_null(evhttp_request_get_connection(req));
	cr_expect_eq(evbuffer_get_length(buffer), 0);
	evhttp_add_header(evhttp_request_get_output_headers(req), "X-Late", "1");
	if (arg != NULL)
		evbuffer_add(buffer, arg, strlen(arg));
	return result;
}

static void send_error(struct evhttp_request *req, void *arg)
{
	evhttp_add_header(evhttp_request_get_output_headers(req), "X-Early", "1");
	evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "keep-alive");
	evhttp_send_error(req, 503, arg);
}

static void check_fields(const char *got)
{
	cr_expect_eq(has_line(got, "Content-Type: text/html"), 1);
	cr_expect_eq(has_line(got, "Connection: close"), 1);
	cr_expect_null(strstr(got, "X-"));
	cr_expect_null(strstr(got, "keep-alive"));
}

/* HTTP-086, HTTP-089, HTTP-090 */
Test(http_server_errorcb, pages_of_the_program)
{
	const char *got;

	evhttp_set_errorcb(http, page, (void *)(uintptr_t)"mine");
	evhttp_set_cb(http, "/null", send_error, NULL);
	evhttp_set_cb(http, "/why", send_error, (void *)(uintptr_t)"Because");
	got = get("/null");
	check_reply(got, 503, "mine");
	check_fields(got);
	got = get("/why");
	check_reply(got, 503, "mine");
	cr_expect_eq(has_line(got, "HTTP/1.1 503 Because"), 1);
	cr_expect_str_eq(http_log, "503:null 503:Because");
}

/* HTTP-086, HTTP-090: those that the library makes, too. */
Test(http_server_errorcb, for_every_error_page)
{
	static const struct {
		const char *text;
		int code;
	} samples[] = {
		{ "nonsense\r\n\r\n", 400 },
		{ GET("/missing"), 404 },
		{ REQUEST("POST /", "Content-Length: 50\r\n"), 413 },
		{ REQUEST("POST /", "Content-Length: 1\r\nExpect: x\r\n"), 417 },
		{ REQUEST("FLOOP /", ""), 501 },
	};

	evhttp_set_max_body_size(http, 10);
	evhttp_set_errorcb(http, page, (void *)(uintptr_t)"mine");
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const char *got = talk(samples[i].text);

		check_reply(got, samples[i].code, "mine");
		check_fields(got);
	}
	evhttp_set_max_connections(http, 1);
	{
		struct peer *first = peer_open(port);
		struct peer *second = peer_open(port);

		peer_until_end(second);
		check_reply(second->got, 503, "mine");
		peer_close(first);
		peer_close(second);
	}
}

/* HTTP-087, HTTP-088 */
Test(http_server_errorcb, what_its_result_means)
{
	const char *got;

	evhttp_set_errorcb(http, page, (void *)(uintptr_t)"mine");
	result = -1;
	got = get("/missing");
	cr_expect_eq(strlen(body_of(got)), 152);
	cr_expect_null(strstr(got, "mine"));
	check_fields(got);
	evhttp_set_errorcb(http, page, NULL);
	result = 0;
	got = get("/missing");
	check_reply(got, 404, "");
	cr_expect_eq(has_line(got, "Content-Length: 0"), 1);
	evhttp_set_errorcb(http, NULL, NULL);
	cr_expect_eq(strlen(body_of(get("/missing"))), 152);
}

/* HTTP-097, HTTP-098, HTTP-360: every byte of the standard page. */
static void error_404(struct evhttp_request *req, void *arg)
{
	evhttp_send_error(req, 404, arg);
}

Test(http_server_errorcb, the_standard_page)
{
	const char *got;

	evhttp_set_gencb(http, error_404, NULL);
	got = get("/");
	check_reply(got, 404,
		    "<html><head><title>404 Not Found</title></head><body><h1>404 Not "
		    "Found</h1></body></html>");
	cr_expect_eq(strlen(body_of(got)), 89);
	cr_expect_eq(has_line(got, "HTTP/1.1 404 Not Found"), 1);
	evhttp_set_gencb(http, error_404, (void *)(uintptr_t)"<i>Gone fishing</i>");
	got = get("/");
	check_reply(got, 404,
		    "<html><head><title>404 Not Found</title></head><body><h1>404 Not "
		    "Found</h1><i>Gone fishing</i></body></html>");
	cr_expect_eq(has_line(got, "HTTP/1.1 404 <i>Gone fishing</i>"), 1);
}

/* HTTP-101: to requests of 1.0 as well, and to those never understood. */
Test(http_server_errorcb, error_pages_are_of_version_1_1)
{
	cr_expect_eq(has_line(talk("GET / HTTP/1.0\r\n\r\n"), "HTTP/1.1 404 Not Found"), 1);
	cr_expect_eq(has_line(talk("GET /\r\n\r\n"), "HTTP/1.1 400 Bad Request"), 1);
	evhttp_set_gencb(http, http_hello, NULL);
	cr_expect_eq(has_line(talk("GET / HTTP/1.0\r\n\r\n"), "HTTP/1.0 200 OK"), 1);
}

/* HTTP-222 */
Test(http_server_errorcb, every_error_page_ends_the_connection)
{
	evhttp_set_gencb(http, send_error, NULL);
	cr_expect_eq(times(talk(GET("/") GET("/")), "HTTP/1.1"), 1);
	cr_expect_eq(times(talk("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET("/")),
			   "HTTP/1.1"),
		     1);
	evhttp_set_gencb(http, NULL, NULL);
	cr_expect_eq(times(talk(GET("/") GET("/")), "HTTP/1.1"), 1);
}

/* HTTP-175: an error ends a CONNECT, too. */
Test(http_server_errorcb, an_error_ends_connect)
{
	const char *got = talk("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n" GET("/"));

	cr_expect_eq(code_of(got), 501);
	cr_expect_eq(times(got, "HTTP/1.1"), 1);
	cr_expect_eq(strlen(body_of(got)), 101);
}

/* The callback may free the request's connection, or the server. */
static int free_connection(struct evhttp_request *req, struct evbuffer *buffer, int code,
			   const char *reason, void *arg)
{
	(void)buffer;
	(void)code;
	(void)reason;
	if (arg != NULL) {
		evhttp_free(http);
		http = NULL;
	} else {
		evhttp_connection_free(evhttp_request_get_connection(req));
	}
	return 0;
}

Test(http_server_errorcb, frees_in_the_callback)
{
	evhttp_set_errorcb(http, free_connection, NULL);
	cr_expect_str_eq(get("/"), "");
	cr_expect_str_eq(talk("nonsense\r\n\r\n"), "");
	evhttp_set_errorcb(http, free_connection, base);
	cr_expect_str_eq(get("/"), "");
}
