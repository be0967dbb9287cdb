/* SPDX-License-Identifier: BSD-3-Clause */
/* Expect: 100-continue, and interim responses of every kind. */

#include "http_test.h"

#include <stdlib.h>

TestSuite(http_client_expect, .init = http_open, .fini = http_close, .timeout = 60);

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static struct canned canned;
static struct evhttp_connection *evcon;

static struct evhttp_request *post(const char *expect)
{
	struct evhttp_request *req = client_request();

	evhttp_add_header(evhttp_request_get_output_headers(req), "Expect", expect);
	evbuffer_add(evhttp_request_get_output_buffer(req), "the body", 8);
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_POST, "/"), 0);
	return req;
}

/* Less than the client's patience. On a busy machine it passes now and then, but not each time. */
#define QUICK_MS 900
#define TRIES    20

/* HTTP-302, HTTP-212: both ends are ours. */
Test(http_client_expect, the_body_follows_the_100)
{
	int is_quick = 0;

	evcon = client_open(port);
	evhttp_set_gencb(http, http_echo, NULL);
	for (int i = 0; i < TRIES && !is_quick; i++) {
		double began = support_now_ms();

		http_log[0] = '\0';
		post("100-Continue");
		client_wait(i + 1);
		cr_assert_str_eq(http_log, "done-200");
		cr_assert_str_eq(http_body, "the body");
		is_quick = support_now_ms() - began < QUICK_MS;
	}
	cr_assert(is_quick, "it waits for the patience to end");
	evhttp_connection_free(evcon);
}

/* HTTP-302: the head alone goes out. HTTP-296 */
Test(http_client_expect, the_body_is_held_back)
{
	canned_open(&canned, "HTTP/1.1 100 Continue\r\n\r\n", CANNED_KEEP);
	evcon = client_open(canned.port);
	canned.trigger = "\r\n\r\n";
	post("100-continue");
	while (canned.requests == 0) {
		event_base_loop(base, EVLOOP_ONCE);
		cr_assert_null(strstr(canned.seen, "the body"));
	}
	canned.reply = OK_EMPTY;
	canned.trigger = "the body";
	client_wait(1);
	cr_assert_str_eq(http_log, "done-200");
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* HTTP-302: any other value, and HTTP/1.0, wait for nothing. */
Test(http_client_expect, other_expectations_hold_nothing_back)
{
	int is_quick = 0;

	canned_open(&canned, OK_EMPTY, CANNED_KEEP);
	canned.trigger = "the body";
	for (int i = 0; i < TRIES && !is_quick; i++) {
		struct evhttp_request *req;
		double began;

		evcon = client_open(canned.port);
		began = support_now_ms();
		post("200-ok");
		client_wait(2 * i + 1);
		req = client_request();
		req->major = 1;
		req->minor = 0;
		evhttp_add_header(evhttp_request_get_output_headers(req), "Expect", "100-continue");
		evbuffer_add(evhttp_request_get_output_buffer(req), "the body", 8);
		evhttp_make_request(evcon, req, EVHTTP_REQ_POST, "/");
		client_wait(2 * i + 2);
		is_quick = support_now_ms() - began < QUICK_MS;
		evhttp_connection_free(evcon);
	}
	cr_assert(is_quick, "it waits for the patience to end");
	canned_close(&canned);
}

/* HTTP-303 */
Test(http_client_expect, a_final_response_instead_ends_the_connection)
{
	canned_open(&canned, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", CANNED_KEEP);
	evcon = client_open(canned.port);
	post("100-continue");
	client_get(evcon, "/next");
	client_wait(2);
	cr_assert_str_eq(http_log, "close done-417 done-417");
	cr_assert_eq(canned.connections, 2);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* HTTP-304 */
Test(http_client_expect, a_silent_server_gets_the_body_after_a_while)
{
	double began = support_now_ms();

	canned_open(&canned, OK_EMPTY, CANNED_KEEP);
	canned.trigger = "the body";
	evcon = client_open(canned.port);
	post("100-continue");
	client_wait(1);
	cr_assert_str_eq(http_log, "done-200");
	cr_assert_geq(support_now_ms() - began, 900);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

static int heads;

static int count_head(struct evhttp_request *req, void *arg)
{
	(void)arg;
	heads++;
	http_note("head-%d", evhttp_request_get_response_code(req));
	return 0;
}

/* H62: more than any server has reason to send. */
Test(http_client_expect, interim_responses_without_end_are_a_failure)
{
	static const char interim[] = "HTTP/1.1 102 Processing\r\n\r\n";
	const size_t len = sizeof(interim) - 1;
	char *all = malloc(10001 * len + 1);

	for (size_t i = 0; i < 10001; i++)
		memcpy(all + i * len, interim, len + 1);
	canned_open(&canned, all, CANNED_KEEP);
	evcon = client_open(canned.port);
	client_get(evcon, "/");
	client_wait(1);
	cr_assert_str_eq(http_log, "close error-2 done-null");
	evhttp_connection_free(evcon);
	canned_close(&canned);
	free(all);
}

/* HTTP-296, HTTP-297, HTTP-298, HTTP-261; H62 */
Test(http_client_expect, interim_responses_are_skipped)
{
	struct evhttp_request *req = client_request();

	canned_open(&canned,
		    "HTTP/1.1 100 Continue\r\nX: 100\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
		    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
		    "HTTP/1.1 199 Whatever\r\nContent-Length: 5\r\n\r\n"
		    "HTTP/1.1 200 Fine\r\nY: 1\r\nContent-Length: 2\r\n\r\nok",
		    CANNED_KEEP);
	evcon = client_open(canned.port);
	evhttp_request_own(req);
	evhttp_request_set_header_cb(req, count_head);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	client_wait(1);
	cr_assert_str_eq(http_log,
			 "head-100 head-102 head-103 head-100 head-199 head-200 done-200");
	cr_assert_str_eq(http_body, "ok");
	cr_assert_str_eq(evhttp_request_get_response_code_line(req), "Fine");
	cr_assert_null(evhttp_find_header(evhttp_request_get_input_headers(req), "X"));
	cr_assert_null(evhttp_find_header(evhttp_request_get_input_headers(req), "Link"));
	cr_assert_str_eq(evhttp_find_header(evhttp_request_get_input_headers(req), "Y"), "1");
	evhttp_request_free(req);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}
