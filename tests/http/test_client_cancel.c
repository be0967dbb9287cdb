/* SPDX-License-Identifier: BSD-3-Clause */
/* Cancelling requests, in every state they can be in. */

#include "http_test.h"

#include <event2/dns.h>

#include <netinet/in.h>
#include <sys/socket.h>

TestSuite(http_client_cancel, .init = http_open, .fini = http_close, .timeout = 60);

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

/* HTTP-271 */
Test(http_client_cancel, a_running_request_gets_its_error_and_no_completion)
{
	struct evhttp_connection *evcon = client_open(port);
	struct evhttp_request *req;

	evhttp_set_gencb(http, http_keep, NULL);
	req = client_get(evcon, "/1");
	client_get(evcon, "/2");
	log_wait("handler");
	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_cancel_request(req);
	cr_assert_str_eq(http_log, "handler close error-4");
	client_wait(1);
	cr_assert_str_eq(http_log, "handler close error-4 done-200");
	evhttp_connection_free(evcon);
	evhttp_send_reply(kept, 200, NULL, NULL);
}

/* HTTP-272 */
Test(http_client_cancel, a_queued_request_goes_silently)
{
	struct evhttp_connection *evcon = client_open(port);
	struct evhttp_request *queued;

	evhttp_set_gencb(http, http_hello, NULL);
	client_get(evcon, "/1");
	queued = client_get(evcon, "/2");
	client_get(evcon, "/3");
	evhttp_cancel_request(queued);
	client_wait(2);
	cr_assert_str_eq(http_log, "done-200 done-200");
	cr_assert_eq(evhttp_get_connection_count(http), 1);
	evhttp_connection_free(evcon);
}

/* HTTP-273: before the connection stands. */
Test(http_client_cancel, while_connecting)
{
	struct canned canned;
	struct evhttp_connection *evcon;
	struct evhttp_request *req;

	canned_open(&canned, OK, CANNED_KEEP);
	evcon = client_open(canned.port);
	req = client_get(evcon, "/cancelled");
	evhttp_cancel_request(req);
	cr_assert_str_eq(http_log, "error-4");
	client_get(evcon, "/kept");
	client_wait(1);
	cr_assert_str_eq(http_log, "error-4 done-200");
	cr_assert_eq(canned.requests, 1);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* HTTP-273: the next in the queue takes its place. */
Test(http_client_cancel, while_connecting_with_another_behind)
{
	struct canned canned;
	struct evhttp_connection *evcon;
	struct evhttp_request *req;

	canned_open(&canned, OK, CANNED_KEEP);
	evcon = client_open(canned.port);
	req = client_get(evcon, "/cancelled");
	client_get(evcon, "/kept");
	evhttp_cancel_request(req);
	client_wait(1);
	cr_assert_str_eq(http_log, "error-4 done-200");
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* A name server that never answers. */
static evutil_socket_t mute_name_server(struct evdns_base *dns)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	ev_socklen_t len = sizeof(name);
	evutil_socket_t fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	cr_assert_eq(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&name, len, 0), 0);
	return fd;
}

/* HTTP-273 */
Test(http_client_cancel, while_the_name_is_looked_up)
{
	struct evdns_base *dns = evdns_base_new(base, 0);
	evutil_socket_t mute = mute_name_server(dns);
	struct evhttp_connection *evcon =
		evhttp_connection_base_new(base, dns, "somewhere.example", port);
	struct evhttp_request *req = client_get(evcon, "/1");

	event_base_loop(base, EVLOOP_NONBLOCK);
	evhttp_cancel_request(req);
	cr_assert_str_eq(http_log, "error-4");
	client_get(evcon, "/2");
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_str_eq(http_log, "error-4");
	evhttp_connection_free(evcon);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_str_eq(http_log, "error-4");
	evdns_base_free(dns, 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	evutil_closesocket(mute);
}

/* HTTP-273: nothing more is tried, and the connection stays usable. */
Test(http_client_cancel, while_it_waits_to_retry)
{
	const struct timeval long_delay = { 3000, 0 };
	ev_uint16_t to;
	evutil_socket_t fd = support_listen(&to);
	struct evhttp_connection *evcon;
	struct evhttp_request *req;

	evutil_closesocket(fd);
	evcon = client_open(to);
	evhttp_connection_set_retries(evcon, -1);
	evhttp_connection_set_initial_retry_tv(evcon, &long_delay);
	req = client_get(evcon, "/1");
	for (int i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	evhttp_cancel_request(req);
	cr_assert_str_eq(http_log, "error-4");
	evhttp_connection_set_retries(evcon, 0);
	client_get(evcon, "/2");
	client_wait(1);
	cr_assert_str_eq(http_log, "error-4 done-0");
	evhttp_connection_free(evcon);
}

static void cancel_in_chunk(struct evhttp_request *req, void *arg)
{
	(void)arg;
	http_note("chunk");
	evhttp_cancel_request(req);
	/* Still there until the callback returns. */
	cr_assert_gt(evbuffer_get_length(evhttp_request_get_input_buffer(req)), 0);
}

/* HTTP-274 */
Test(http_client_cancel, from_the_chunk_callback)
{
	struct canned canned;
	struct evhttp_connection *evcon;
	struct evhttp_request *req = client_request();

	canned_open(&canned, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", CANNED_KEEP);
	evcon = client_open(canned.port);
	evhttp_request_set_chunked_cb(req, cancel_in_chunk);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	log_wait("error-4");
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_str_eq(http_log, "chunk close error-4");
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

static int cancel_in_head(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_cancel_request(req);
	return 0;
}

/* HTTP-271 */
Test(http_client_cancel, from_the_header_callback)
{
	struct canned canned;
	struct evhttp_connection *evcon;
	struct evhttp_request *req = client_request();

	canned_open(&canned, OK, CANNED_KEEP);
	evcon = client_open(canned.port);
	evhttp_request_set_header_cb(req, cancel_in_head);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	client_get(evcon, "/next");
	client_wait(1);
	cr_assert_str_eq(http_log, "close error-4 done-200");
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* HTTP-275 */
Test(http_client_cancel, one_that_was_never_sent_is_freed)
{
	evhttp_cancel_request(client_request());
	cr_assert_str_eq(http_log, "");
}

static void on_failure(struct evhttp_request *req, const struct evhttp_failure *failure, void *arg)
{
	(void)req;
	(void)arg;
	http_note("failure-%d-%d", (int)failure->stage, (int)failure->reason);
}

/* The additional callback is told of cancelling too: before the error callback. */
Test(http_client_cancel, the_failure_callback_is_told)
{
	struct evhttp_connection *evcon = client_open(port);
	struct evhttp_request *req = client_request();

	evhttp_set_gencb(http, http_keep, NULL);
	evhttp_request_set_failure_cb(req, on_failure, NULL);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	log_wait("handler");
	evhttp_cancel_request(req);
	cr_assert_str_eq(http_log, "handler close failure-3-4 error-4");
	evhttp_connection_free(evcon);
	evhttp_send_reply(kept, 200, NULL, NULL);
}

/* HTTP-269: an owned request survives; its owner frees it. */
Test(http_client_cancel, an_owned_request_stays_its_owners)
{
	struct evhttp_connection *evcon = client_open(port);
	struct evhttp_request *req;

	evhttp_set_gencb(http, http_keep, NULL);
	req = client_get(evcon, "/");
	evhttp_request_own(req);
	log_wait("handler");
	evhttp_cancel_request(req);
	cr_assert_null(evhttp_request_get_connection(req));
	evhttp_request_free(req);
	evhttp_connection_free(evcon);
	evhttp_send_reply(kept, 200, NULL, NULL);
}
