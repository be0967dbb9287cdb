/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One request at a time on a connection, the others in a queue; and when a connection is used
 * again.
 */

#include "http_test.h"

TestSuite(http_client_queue, .init = http_open, .fini = http_close, .timeout = 60);

#define OK "HTTP/1.1 200 OK\r\n"
#define OK_EMPTY OK "Content-Length: 0\r\n\r\n"

static char order[64];

static void note_order(struct evhttp_request *req, void *arg)
{
	(void)arg;
	strcat(order, evhttp_request_get_uri(req));
	evhttp_send_reply(req, 200, NULL, NULL);
}

/* HTTP-251 */
Test(http_client_queue, requests_are_sent_in_order_on_one_connection)
{
	struct evhttp_connection *evcon = client_open(port);

	evhttp_set_gencb(http, note_order, NULL);
	for (int i = 0; i < 5; i++)
		client_get(evcon, &"/a\0/b\0/c\0/d\0/e"[i * 3]);
	client_wait(5);
	cr_assert_str_eq(order, "/a/b/c/d/e");
	cr_assert_eq(evhttp_get_connection_count(http), 1);
	evhttp_connection_free(evcon);
}

/* HTTP-251: no pipelining. */
Test(http_client_queue, the_next_request_waits_for_the_answer)
{
	struct evhttp_connection *evcon = client_open(port);

	evhttp_set_gencb(http, http_keep, NULL);
	client_get(evcon, "/1");
	client_get(evcon, "/2");
	log_wait("handler");
	for (int i = 0; i < 5; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_str_eq(http_log, "handler");
	evhttp_send_reply(kept, 200, NULL, NULL);
	log_wait("handler done-200 handler");
	evhttp_send_reply(kept, 200, NULL, NULL);
	client_wait(2);
	evhttp_connection_free(evcon);
}

/* HTTP-282 */
Test(http_client_queue, an_idle_connection_that_the_server_closes_is_replaced)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, OK_EMPTY, CANNED_CLOSE);
	evcon = client_open(canned.port);
	client_get(evcon, "/1");
	log_wait("done-200 close");
	client_get(evcon, "/2");
	log_wait("done-200 close done-200 close");
	cr_assert_eq(canned.connections, 2);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* HTTP-283, HTTP-373; H61 */
Test(http_client_queue, bytes_behind_a_response_end_the_connection)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, OK_EMPTY "HTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n",
		    CANNED_KEEP);
	evcon = client_open(canned.port);
	client_get(evcon, "/1");
	client_get(evcon, "/2");
	client_wait(2);
	cr_assert_str_eq(http_log, "close done-200 close done-200");
	cr_assert_eq(canned.connections, 2);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* HTTP-283, HTTP-290, H61: whatever it was that told where the response ends. */
Test(http_client_queue, bytes_behind_any_response_are_no_answer)
{
	static const struct {
		const char *reply;
		enum evhttp_cmd_type type;
		const char *log;
	} samples[] = {
		{ "HTTP/1.1 204 None\r\n\r\n", EVHTTP_REQ_GET, "close done-204" },
		{ "HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n", EVHTTP_REQ_GET,
		  "close done-304" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", EVHTTP_REQ_HEAD,
		  "close done-200" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		  EVHTTP_REQ_GET, "close done-200" },
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
		  EVHTTP_REQ_GET, "close done-200" },
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct canned canned;
		struct evhttp_connection *evcon;
		char reply[256];

		snprintf(reply, sizeof(reply), "%sHTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n",
			 samples[i].reply);
		canned_open(&canned, reply, CANNED_KEEP);
		evcon = client_open(canned.port);
		for (int n = 1; n <= 2; n++) {
			http_log[0] = '\0';
			http_done = 0;
			cr_assert_eq(
				evhttp_make_request(evcon, client_request(), samples[i].type, "/"),
				0);
			client_wait(1);
			cr_expect_str_eq(http_log, samples[i].log, "%zu: %s", i, http_log);
		}
		cr_expect_eq(canned.connections, 2);
		evhttp_connection_free(evcon);
		canned_close(&canned);
	}
}

/* HTTP-283 */
Test(http_client_queue, unasked_bytes_end_an_idle_connection)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, OK_EMPTY, CANNED_KEEP);
	evcon = client_open(canned.port);
	client_get(evcon, "/1");
	client_wait(1);
	bufferevent_write(canned.last, "HTTP/1.1 500 Evil\r\n\r\n", 21);
	log_wait("done-200 close");
	client_get(evcon, "/2");
	client_wait(2);
	cr_assert_str_eq(http_log, "done-200 close done-200");
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

struct persistence {
	const char *reply;
	const char *own; /* request's Connection */
	char minor;
	int is_reused;
};

/* HTTP-284, HTTP-285, HTTP-293 */
Test(http_client_queue, who_ends_a_connection)
{
	static const struct persistence rows[] = {
		{ OK_EMPTY, NULL, 1, 1 },
		{ OK "Connection: keep-alive\r\nContent-Length: 0\r\n\r\n", NULL, 1, 1 },
		{ OK "Connection: close\r\nContent-Length: 0\r\n\r\n", NULL, 1, 0 },
		{ OK "Connection: x, CLOSE\r\nContent-Length: 0\r\n\r\n", NULL, 1, 0 },
		{ OK "Connection: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", NULL, 1,
		  0 },
		{ OK_EMPTY, "close", 1, 0 },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", NULL, 1, 0 },
		{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", NULL, 1,
		  1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct canned canned;
		struct evhttp_connection *evcon;

		http_log[0] = '\0';
		http_done = 0;
		canned_open(&canned, rows[i].reply, CANNED_KEEP);
		evcon = client_open(canned.port);
		for (int n = 0; n < 2; n++) {
			struct evhttp_request *req = client_request();

			if (rows[i].own != NULL)
				evhttp_add_header(evhttp_request_get_output_headers(req),
						  "Connection", rows[i].own);
			evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
		}
		client_wait(2);
		cr_assert_str_eq(http_log, rows[i].is_reused ? "done-200 done-200"
							     : "close done-200 close done-200",
				 "row %zu", i);
		cr_assert_eq(canned.connections, rows[i].is_reused ? 1 : 2, "row %zu", i);
		evhttp_connection_free(evcon);
		canned_close(&canned);
	}
}

static void ask_again(struct evhttp_request *req, void *arg)
{
	http_on_done(req, NULL);
	if (http_done < 3)
		evhttp_make_request(arg, evhttp_request_new(ask_again, arg), EVHTTP_REQ_GET, "/");
}

/* HTTP-268 */
Test(http_client_queue, the_callback_may_ask_again)
{
	struct evhttp_connection *evcon = client_open(port);

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_make_request(evcon, evhttp_request_new(ask_again, evcon), EVHTTP_REQ_GET, "/");
	client_wait(3);
	cr_assert_str_eq(http_log, "done-200 done-200 done-200");
	cr_assert_eq(evhttp_get_connection_count(http), 1);
	evhttp_connection_free(evcon);
}

/* HTTP-155: a connection that reconnects is closed several times, one that never stood never. */
Test(http_client_queue, each_established_connection_is_closed_once)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, OK "Connection: close\r\nContent-Length: 0\r\n\r\n", CANNED_KEEP);
	evcon = client_open(canned.port);
	evhttp_connection_free(client_open(canned.port));
	cr_assert_str_eq(http_log, "");
	client_get(evcon, "/1");
	client_get(evcon, "/2");
	client_wait(2);
	evhttp_connection_free(evcon);
	cr_assert_eq(times(http_log, "close"), 2);
	canned_close(&canned);
}

/* HTTP-246: after success on a connection that stays open it waits for the peer. */
Test(http_client_queue, a_connection_that_frees_itself_waits_for_the_server)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, OK_EMPTY, CANNED_KEEP);
	evcon = client_open(canned.port);
	evhttp_connection_free_on_completion(evcon);
	client_get(evcon, "/1");
	client_get(evcon, "/2");
	client_wait(2);
	for (int i = 0; i < 5; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_str_eq(http_log, "done-200 done-200");
	canned_hang_up(&canned);
	log_wait("close");
	canned_close(&canned);
}

/* HTTP-246: in every other outcome it goes at once; the suite finds what is left. */
Test(http_client_queue, a_connection_that_frees_itself_does_so_in_every_outcome)
{
	static const struct {
		const char *reply;
		enum canned_then then;
		const char *log;
	} rows[] = {
		{ OK "Connection: close\r\nContent-Length: 0\r\n\r\n", CANNED_KEEP,
		  "close done-200" },
		{ "", CANNED_CLOSE, "close error-1 done-null" },
		{ "", CANNED_RESET, "close error-1 done-null" },
		{ "bad\r\n\r\n", CANNED_KEEP, "close error-2 done-null" },
		{ "", CANNED_KEEP, "close error-0 done-null" },
	};
	const struct timeval soon = { 0, 50 * 1000 };
	const size_t silent = sizeof(rows) / sizeof(rows[0]) - 1;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct canned canned;
		struct evhttp_connection *evcon;

		http_log[0] = '\0';
		http_done = 0;
		canned_open(&canned, rows[i].reply, rows[i].then);
		evcon = client_open(canned.port);
		if (i == silent)
			evhttp_connection_set_read_timeout_tv(evcon, &soon);
		evhttp_connection_free_on_completion(evcon);
		client_get(evcon, "/");
		client_wait(1);
		cr_assert_str_eq(http_log, rows[i].log);
		canned_close(&canned);
	}
}
