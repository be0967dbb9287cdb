/* SPDX-License-Identifier: BSD-3-Clause */
/* The callback for new requests. */

#include "server_test.h"

TestSuite(http_server_newreq, .init = http_open, .fini = http_close, .timeout = 60);

/* HTTP-083, HTTP-084: at once, before any byte of the request. */
static int look(struct evhttp_request *req, void *arg)
{
	const char *address;
	ev_uint16_t number;

	cr_expect_str_eq(arg, "arg");
	http_note("new");
	cr_expect_null(evhttp_request_get_uri(req));
	cr_expect_null(evhttp_request_get_evhttp_uri(req));
	cr_expect_null(evhttp_request_get_host(req));
	cr_expect_null(evhttp_request_get_input_headers(req)->tqh_first);
	evhttp_connection_get_peer(evhttp_request_get_connection(req), &address, &number);
	cr_expect_str_eq(address, "127.0.0.1");
	cr_expect_str_eq(req->remote_host, "127.0.0.1");
	cr_expect_eq(req->remote_port, number);
	return 0;
}

Test(http_server_newreq, runs_before_every_request)
{
	struct peer *peer;

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_newreqcb(http, look, (void *)(uintptr_t)"arg");
	peer = peer_open(port);
	log_wait("new");
	cr_assert_str_eq(http_log, "new");
	peer_send(peer, GET("/"));
	peer_until(peer, "hello");
	log_wait("new new");
	peer_send(peer, GET("/"));
	peer_until(peer, "hello");
	log_wait("new new new");
	peer_close(peer);
	until_connections(0);
	cr_assert_str_eq(http_log, "new new new");
}

/* HTTP-085 */
static int verdict;

static int judge(struct evhttp_request *req, void *arg)
{
	(void)req;
	(void)arg;
	return verdict;
}

Test(http_server_newreq, minus_one_closes)
{
	struct peer *peer;

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_newreqcb(http, judge, NULL);
	verdict = -1;
	peer = peer_open(port);
	peer_until_end(peer);
	cr_expect_eq(peer->len, 0);
	peer_close(peer);
	verdict = -2;
	check_reply(get("/"), 200, "hello");
	verdict = 1;
	check_reply(get("/"), 200, "hello");
}

/* HTTP-085: on a connection that was kept as well. */
static int once(struct evhttp_request *req, void *arg)
{
	(void)req;
	return (*(int *)arg)++ == 0 ? 0 : -1;
}

Test(http_server_newreq, minus_one_closes_a_kept_connection)
{
	static int count;
	const char *got;

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_newreqcb(http, once, &count);
	got = talk(GET("/") GET("/"));
	cr_expect_eq(times(got, "HTTP/1.1 200"), 1);
}

/* HTTP-084: the callbacks of a request are set here. */
static int on_header(struct evhttp_request *req, void *arg)
{
	(void)arg;
	http_note("head:%s", evhttp_request_get_uri(req));
	return 0;
}

static void on_chunk(struct evhttp_request *req, void *arg)
{
	(void)arg;
	http_note("piece:%zu", evbuffer_get_length(evhttp_request_get_input_buffer(req)));
}

static int install(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_request_set_header_cb(req, on_header);
	evhttp_request_set_chunked_cb(req, on_chunk);
	evhttp_request_set_on_complete_cb(req, http_on_complete, NULL);
	evhttp_request_set_error_cb(req, http_on_error);
	return 0;
}

static void note_rest(struct evhttp_request *req, void *arg)
{
	(void)arg;
	http_note("handler:%zu", evbuffer_get_length(evhttp_request_get_input_buffer(req)));
	evhttp_send_reply(req, 200, NULL, NULL);
}

/* HTTP-210: once per chunk; what is left is dropped. */
Test(http_server_newreq, callbacks_of_a_request)
{
	evhttp_set_gencb(http, note_rest, NULL);
	evhttp_set_newreqcb(http, install, NULL);
	talk(REQUEST("POST /x",
		     "Transfer-Encoding: chunked\r\n") "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
	cr_expect_eq(strncmp(http_log, "head:/x piece:3 piece:2 handler:0 complete", 42), 0, "%s",
		     http_log);
}

/* HTTP-210: bodies with a length come as they arrive. */
Test(http_server_newreq, pieces_of_a_body_with_a_length)
{
	struct peer *peer;

	evhttp_set_gencb(http, note_rest, NULL);
	evhttp_set_newreqcb(http, install, NULL);
	peer = peer_open(port);
	peer_send(peer, REQUEST("POST /x", "Content-Length: 5\r\n") "ab");
	log_wait("piece:2");
	peer_send(peer, "cde");
	log_wait("piece:3 handler:0");
	peer_until(peer, "200 OK");
	peer_close(peer);
}

/* HTTP-141, HTTP-367: errors of incoming requests; the argument is the server. */
static int fail_arg_seen;

static void on_server_error(enum evhttp_request_error error, void *arg)
{
	fail_arg_seen = arg == http;
	http_note("error-%d", (int)error);
}

static int install_error(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_request_set_error_cb(req, on_server_error);
	return 0;
}

Test(http_server_newreq, errors_of_incoming_requests)
{
	static const struct {
		const char *text;
		const char *log;
	} samples[] = {
		{ "nonsense\r\n\r\n", "error-2" },
		{ "GET / HT", "error-1" },
		{ REQUEST("POST /", "Content-Length: 5\r\n") "ab", "error-1" },
		{ REQUEST("POST /", "Content-Length: 50\r\n") "ab", "error-5" },
		{ REQUEST("POST /", "Transfer-Encoding: chunked\r\n") "zz\r\n", "error-2" },
		{ REQUEST("GET /", "X: 0123456789012345678901234567890123456789\r\n"), "error-2" },
	};

	evhttp_set_max_body_size(http, 10);
	evhttp_set_max_headers_size(http, 60);
	evhttp_set_newreqcb(http, install_error, NULL);
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		http_log[0] = '\0';
		fail_arg_seen = 0;
		talk(samples[i].text);
		cr_expect_str_eq(http_log, samples[i].log, "%s", samples[i].text);
		cr_expect(fail_arg_seen);
	}
	http_log[0] = '\0';
	evhttp_set_read_timeout_tv(http, &(struct timeval){ 0, 30 * 1000 });
	peer_close(peer_open(port));
	log_wait("error-");
}

/* HTTP-141: a timeout. */
Test(http_server_newreq, a_timeout_is_told)
{
	struct peer *peer;

	evhttp_set_newreqcb(http, install_error, NULL);
	evhttp_set_read_timeout_tv(http, &(struct timeval){ 0, 30 * 1000 });
	peer = peer_open(port);
	peer_until_end(peer);
	cr_expect_str_eq(http_log, "error-0");
	peer_close(peer);
}
