/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client puts on the wire. */

#include "http_test.h"

TestSuite(http_client_request, .init = http_open, .fini = http_close, .timeout = 60);

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static struct canned canned;

/* The request as the server saw it, with the port in Host written as PORT. */
static const char *seen(void)
{
	static char text[1 << 17];
	char number[8];
	char *at;

	memcpy(text, canned.seen, strlen(canned.seen) + 1);
	snprintf(number, sizeof(number), ":%u", (unsigned)canned.port);
	at = strstr(text, number);
	if (at != NULL) {
		memmove(at + 5, at + strlen(number), strlen(at + strlen(number)) + 1);
		memcpy(at, ":PORT", 5);
	}
	return text;
}

static const char *send_it(struct evhttp_connection *evcon, struct evhttp_request *req,
			   enum evhttp_cmd_type type, const char *uri)
{
	int before = http_done;

	cr_assert_eq(evhttp_make_request(evcon, req, type, uri), 0);
	client_wait(before + 1);
	return seen();
}

static struct evhttp_connection *open_both(void)
{
	canned_open(&canned, OK_EMPTY, CANNED_KEEP);
	return client_open(canned.port);
}

static void close_both(struct evhttp_connection *evcon)
{
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

static struct evhttp_request *with_body(const char *body)
{
	struct evhttp_request *req = client_request();

	evbuffer_add(evhttp_request_get_output_buffer(req), body, strlen(body));
	return req;
}

/* HTTP-253, HTTP-257, HTTP-258 */
Test(http_client_request, a_get_is_a_line_and_a_host)
{
	struct evhttp_connection *evcon = open_both();

	cr_assert_str_eq(send_it(evcon, client_request(), EVHTTP_REQ_GET, "/a b?c#d"),
			 "GET /a b?c#d HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n");
	close_both(evcon);
}

/* HTTP-253 */
Test(http_client_request, control_bytes_in_the_uri_are_refused)
{
	static const char *const bad[] = { "", "/a\r\nEvil: 1", "/a\nb", "/\tb", "/\177", "/\001" };
	struct evhttp_connection *evcon = open_both();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(evhttp_make_request(evcon, client_request(), EVHTTP_REQ_GET, bad[i]),
			     -1);
	cr_assert_str_eq(http_log, "");
	close_both(evcon);
}

/* HTTP-254, HTTP-250: on failure the request has been freed; the suite counts. */
Test(http_client_request, an_unknown_method_is_refused)
{
	struct evhttp_connection *evcon = open_both();

	cr_assert_eq(
		evhttp_make_request(evcon, client_request(), (enum evhttp_cmd_type)0x10000, "/"),
		-1);
	cr_assert_eq(evhttp_make_request(evcon, client_request(), (enum evhttp_cmd_type)0, "/"),
		     -1);
	cr_assert_eq(evhttp_make_request(evcon, client_request(), (enum evhttp_cmd_type)3, "/"),
		     -1);
	close_both(evcon);
}

static int my_methods(struct evhttp_ext_method *method)
{
	if (method->method == NULL && method->type == EVHTTP_REQ_MAX << 1) {
		method->method = "SEARCH";
		method->flags = EVHTTP_METHOD_HAS_BODY;
		return 0;
	}
	if (method->method == NULL && method->type == (ev_uint32_t)EVHTTP_REQ_MAX << 2) {
		method->method = "LOOK";
		return 0;
	}
	return -1;
}

/* HTTP-050, HTTP-051, HTTP-055, HTTP-256 */
Test(http_client_request, custom_methods)
{
	struct evhttp_connection *evcon = open_both();

	evhttp_connection_set_ext_method_cmp(evcon, my_methods);
	canned.trigger = "body";
	cr_assert_str_eq(
		send_it(evcon, with_body("body"), EVHTTP_REQ_MAX << 1, "/"),
		"SEARCH / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 4\r\n\r\nbody");
	canned.trigger = "\r\n\r\n";
	cr_assert_str_eq(send_it(evcon, with_body("body"), EVHTTP_REQ_MAX << 2, "/"),
			 "LOOK / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n");
	close_both(evcon);
}

/* HTTP-255, HTTP-366 */
Test(http_client_request, content_length_is_added_where_it_belongs)
{
	static const struct {
		enum evhttp_cmd_type type;
		const char *body;
		const char *length;
	} rows[] = {
		{ EVHTTP_REQ_POST, "", "Content-Length: 0\r\n" },
		{ EVHTTP_REQ_PUT, "", "Content-Length: 0\r\n" },
		{ EVHTTP_REQ_POST, "four", "Content-Length: 4\r\n" },
		{ EVHTTP_REQ_PUT, "four", "Content-Length: 4\r\n" },
		{ EVHTTP_REQ_GET, "", "" },
		{ EVHTTP_REQ_GET, "four", "Content-Length: 4\r\n" },
		{ EVHTTP_REQ_DELETE, "", "" },
		{ EVHTTP_REQ_DELETE, "four", "Content-Length: 4\r\n" },
		{ EVHTTP_REQ_PATCH, "", "" },
		{ EVHTTP_REQ_PATCH, "four", "Content-Length: 4\r\n" },
		{ EVHTTP_REQ_PROPFIND, "four", "Content-Length: 4\r\n" },
	};
	struct evhttp_connection *evcon = open_both();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char want[200];

		snprintf(want, sizeof(want), " / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n%s\r\n%s",
			 rows[i].length, rows[i].body);
		canned.trigger = rows[i].body[0] != '\0' ? rows[i].body : "\r\n\r\n";
		cr_assert_not_null(
			strstr(send_it(evcon, with_body(rows[i].body), rows[i].type, "/"), want),
			"row %zu: %s", i, seen());
	}
	close_both(evcon);
}

/* HTTP-255: framing that the application chose is left alone. */
Test(http_client_request, framing_of_the_application)
{
	struct evhttp_connection *evcon = open_both();
	struct evhttp_request *req = with_body("4\r\nfour\r\n0\r\n\r\n");

	canned.trigger = "0\r\n\r\n";
	evhttp_add_header(evhttp_request_get_output_headers(req), "Transfer-Encoding", "chunked");
	cr_assert_str_eq(
		send_it(evcon, req, EVHTTP_REQ_POST, "/"),
		"POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nTransfer-Encoding: chunked\r\n\r\n"
		"4\r\nfour\r\n0\r\n\r\n");
	canned.trigger = "five5";
	req = with_body("five5");
	evhttp_add_header(evhttp_request_get_output_headers(req), "content-length", "5");
	cr_assert_str_eq(
		send_it(evcon, req, EVHTTP_REQ_POST, "/"),
		"POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\ncontent-length: 5\r\n\r\nfive5");
	close_both(evcon);
}

/* HTTP-256 */
Test(http_client_request, head_and_trace_have_no_body)
{
	struct evhttp_connection *evcon = open_both();

	cr_assert_str_eq(send_it(evcon, with_body("body"), EVHTTP_REQ_HEAD, "/"),
			 "HEAD / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n");
	cr_assert_str_eq(send_it(evcon, with_body("body"), EVHTTP_REQ_TRACE, "/"),
			 "TRACE / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n");
	close_both(evcon);
}

/* HTTP-257: the application's Host wins, wherever it stands. HTTP-114 */
Test(http_client_request, headers_keep_their_order_and_case)
{
	struct evhttp_connection *evcon = open_both();
	struct evhttp_request *req = client_request();

	evhttp_add_header(evhttp_request_get_output_headers(req), "X-One", "1");
	evhttp_add_header(evhttp_request_get_output_headers(req), "hOST", "else.where");
	evhttp_add_header(evhttp_request_get_output_headers(req), "x-one", "2");
	cr_assert_str_eq(send_it(evcon, req, EVHTTP_REQ_GET, "/"),
			 "GET / HTTP/1.1\r\nX-One: 1\r\nhOST: else.where\r\nx-one: 2\r\n\r\n");
	close_both(evcon);
}

/* HTTP-150, HTTP-257: 1.0 needs no Host. */
Test(http_client_request, the_version_may_be_chosen)
{
	struct evhttp_connection *evcon = open_both();
	struct evhttp_request *req = client_request();

	req->major = 1;
	req->minor = 0;
	cr_assert_str_eq(send_it(evcon, req, EVHTTP_REQ_GET, "/"), "GET / HTTP/1.0\r\n\r\n");
	close_both(evcon);
}

/* HTTP-257: for CONNECT the uri. */
Test(http_client_request, connect_names_its_target)
{
	struct evhttp_connection *evcon = open_both();

	cr_assert_str_eq(send_it(evcon, client_request(), EVHTTP_REQ_CONNECT, "far.away:443"),
			 "CONNECT far.away:443 HTTP/1.1\r\nHost: far.away:443\r\n\r\n");
	close_both(evcon);
}

/* HTTP-257: brackets around an IPv6 address. */
Test(http_client_request, an_ipv6_host_has_brackets)
{
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "::1", 0);
	struct evhttp_connection *evcon;
	char want[64];
	ev_uint16_t at;

	if (bound == NULL)
		cr_skip_test("no IPv6");
	at = http_port_of(bound);
	evcon = evhttp_connection_base_new(base, NULL, "::1", at);
	evhttp_set_gencb(http, http_keep, NULL);
	client_get(evcon, "/");
	log_wait("handler");
	snprintf(want, sizeof(want), "[::1]:%u", (unsigned)at);
	cr_assert_str_eq(evhttp_find_header(evhttp_request_get_input_headers(kept), "Host"), want);
	evhttp_connection_free(evcon);
	evhttp_send_reply(kept, 200, NULL, NULL);
}

/* HTTP-259 */
Test(http_client_request, a_large_body_arrives_whole)
{
	struct evhttp_connection *evcon = client_open(port);
	struct evhttp_request *req = client_request();
	static char block[1 << 20];

	evhttp_set_gencb(http, http_keep, NULL);
	for (int i = 0; i < 8; i++) {
		memset(block, 'a' + i, sizeof(block));
		evbuffer_add(evhttp_request_get_output_buffer(req), block, sizeof(block));
	}
	evhttp_make_request(evcon, req, EVHTTP_REQ_PUT, "/");
	log_wait("handler");
	cr_assert_eq(evbuffer_get_length(evhttp_request_get_output_buffer(req)), 0);
	cr_assert_eq(evbuffer_get_length(evhttp_request_get_input_buffer(kept)), 8u << 20);
	for (int i = 0; i < 8; i++) {
		evbuffer_remove(evhttp_request_get_input_buffer(kept), block, sizeof(block));
		cr_assert(block[0] == 'a' + i && block[sizeof(block) - 1] == 'a' + i);
	}
	evhttp_send_reply(kept, 200, NULL, NULL);
	client_wait(1);
	evhttp_connection_free(evcon);
}

/*
 * HTTP-142, HTTP-143, HTTP-056, HTTP-148: what the request says of itself, before and in the
 * callback.
 */
static void look_at(struct evhttp_request *req, void *arg)
{
	cr_assert_null(evhttp_request_get_connection(req));
	cr_assert_str_eq(evhttp_request_get_uri(req), "/x?y");
	cr_assert_null(evhttp_request_get_evhttp_uri(req));
	cr_assert_eq(evhttp_request_get_command(req), EVHTTP_REQ_PUT);
	http_on_done(req, arg);
}

Test(http_client_request, getters_of_a_client_request)
{
	struct evhttp_connection *evcon = open_both();
	struct evhttp_request *req = evhttp_request_new(look_at, NULL);

	cr_assert_null(evhttp_request_get_connection(req));
	cr_assert_null(evhttp_request_get_uri(req));
	cr_assert_null(evhttp_request_get_response_code_line(req));
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_PUT, "/x?y"), 0);
	cr_assert_eq(evhttp_request_get_connection(req), evcon);
	client_wait(1);
	close_both(evcon);
}

/* HTTP-253: wherever it is kept, with a response that takes all the room there is beside it. */
Test(http_client_request, uris_of_every_length)
{
	static char reply[4096], uri[400], wanted[512];
	struct evhttp_connection *evcon = open_both();
	int len = snprintf(reply, sizeof(reply), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");

	for (int i = 0; i < 12; i++)
		len += snprintf(reply + len, sizeof(reply) - (size_t)len,
				"Name-%d: a value of some length\r\n", i);
	snprintf(reply + len, sizeof(reply) - (size_t)len, "\r\n");
	canned.reply = reply;
	for (size_t n = 1; n < sizeof(uri); n += n < 80 ? 1 : 40) {
		struct evhttp_request *req = client_request();

		memset(uri, 'u', n);
		uri[0] = '/';
		uri[n] = '\0';
		snprintf(wanted, sizeof(wanted), "GET %s HTTP/1.1\r\n", uri);
		evhttp_request_own(req);
		cr_assert_eq(strncmp(send_it(evcon, req, EVHTTP_REQ_GET, uri), wanted,
				     strlen(wanted)),
			     0);
		cr_assert_str_eq(evhttp_request_get_uri(req), uri);
		cr_assert_str_eq(evhttp_find_header(evhttp_request_get_input_headers(req),
						    "name-11"),
				 "a value of some length");

		/* HTTP-268: once more, with what it says itself. */
		cr_assert_eq(strncmp(send_it(evcon, req, EVHTTP_REQ_GET,
					     evhttp_request_get_uri(req)),
				     wanted, strlen(wanted)),
			     0);
		cr_assert_str_eq(evhttp_request_get_uri(req), uri);
		evhttp_request_free(req);
	}
	close_both(evcon);
}

/* HTTP-269: a request goes with all that the program has done to it. */
static void on_change(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	(void)buf;
	(void)info;
	http_note("%s", (const char *)arg);
}

Test(http_client_request, a_request_inherits_nothing_from_the_one_before)
{
	struct evhttp_connection *evcon = open_both();
	struct evhttp_request *req = with_body("abc");

	cr_assert_not_null(evbuffer_add_cb(evhttp_request_get_output_buffer(req), on_change,
					   (void *)(uintptr_t)"out"));
	cr_assert_not_null(evbuffer_add_cb(evhttp_request_get_input_buffer(req), on_change,
					   (void *)(uintptr_t)"in"));
	evhttp_add_header(evhttp_request_get_output_headers(req), "A", "b");
	(void)send_it(evcon, req, EVHTTP_REQ_POST, "/1");
	cr_assert_str_eq(http_log, "out done-200");

	http_log[0] = '\0';
	canned.reply = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
	cr_assert_str_eq(send_it(evcon, with_body("x"), EVHTTP_REQ_POST, "/2"),
			 "POST /2 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n"
			 "Content-Length: 1\r\n\r\nx");
	cr_assert_str_eq(http_log, "done-200");
	cr_assert_str_eq(http_body, "abc");

	/* As many at once as are kept, and more, over and over. */
	for (int round = 0; round < 3; round++) {
		int before = http_done;

		for (int i = 0; i < 100; i++)
			client_get(evcon, "/");
		client_wait(before + 100);
	}
	close_both(evcon);
}
