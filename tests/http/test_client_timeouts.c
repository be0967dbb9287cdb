/* SPDX-License-Identifier: BSD-3-Clause */
/* Timeouts of connecting, reading and writing. */

#include "http_test.h"

#include <event2/bufferevent_struct.h>

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

TestSuite(http_client_timeouts, .init = http_open, .fini = http_close, .timeout = 60);

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

/* What ends by the second one, or by the default of 50 s, fails the test. */
static const struct timeval soon = { 0, 60 * 1000 };
static const struct timeval late = { 30, 0 };

/* The last failure told. */
static struct evhttp_failure failure;

static void on_failure(struct evhttp_request *req, const struct evhttp_failure *f, void *arg)
{
	(void)req;
	(void)arg;
	failure = *f;
	cr_assert_neq(f->text[0], '\0');
}

static void get(struct evhttp_connection *evcon)
{
	evhttp_request_set_failure_cb(client_get(evcon, "/"), on_failure, NULL);
}

static void expect_timeout(struct evhttp_connection *evcon, double began,
			   enum evhttp_failure_stage stage)
{
	client_wait(1);
	cr_assert_not_null(strstr(http_log, "close error-0 done-null"));
	cr_assert_geq(support_now_ms() - began, 55);
	cr_assert_eq(failure.reason, EVREQ_HTTP_TIMEOUT);
	cr_assert_eq(failure.stage, stage);
	evhttp_connection_free(evcon);
}

/* A busy machine may have no time for the server's side before the client has given up. */
static void finish_kept(void)
{
	while (kept == NULL)
		event_base_loop(base, EVLOOP_ONCE);
	evhttp_send_reply(kept, 200, NULL, NULL);
}

/* HTTP-237, HTTP-263 */
Test(http_client_timeouts, a_silent_server_is_a_timeout)
{
	struct evhttp_connection *evcon = client_open(port);

	evhttp_set_gencb(http, http_keep, NULL);
	evhttp_connection_set_read_timeout_tv(evcon, &soon);
	get(evcon);
	expect_timeout(evcon, support_now_ms(), EVHTTP_STAGE_RECEIVE);
	finish_kept();
}

/* HTTP-236 */
Test(http_client_timeouts, one_call_sets_both_sides)
{
	struct evhttp_connection *evcon = client_open(port);

	evhttp_set_gencb(http, http_keep, NULL);
	evhttp_connection_set_timeout_tv(evcon, &soon);
	get(evcon);
	expect_timeout(evcon, support_now_ms(), EVHTTP_STAGE_RECEIVE);
	finish_kept();
}

/* HTTP-237: changed while the answer is awaited. */
Test(http_client_timeouts, a_change_counts_at_once)
{
	struct evhttp_connection *evcon = client_open(port);

	evhttp_set_gencb(http, http_keep, NULL);
	evhttp_connection_set_read_timeout_tv(evcon, NULL);
	get(evcon);
	log_wait("handler");
	http_log[0] = '\0';
	evhttp_connection_set_read_timeout_tv(evcon, &soon);
	expect_timeout(evcon, support_now_ms(), EVHTTP_STAGE_RECEIVE);
	finish_kept();
}

/* HTTP-263, H65: in the middle of the response as well; bytes start it afresh. */
Test(http_client_timeouts, a_server_that_stalls_is_a_timeout)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", CANNED_KEEP);
	evcon = client_open(canned.port);
	evhttp_connection_set_read_timeout_tv(evcon, &soon);
	get(evcon);
	expect_timeout(evcon, support_now_ms(), EVHTTP_STAGE_RECEIVE);
	canned_close(&canned);
}

/* HTTP-237: the server does not read; the buffers fill up. HTTP-259 */
Test(http_client_timeouts, a_server_that_does_not_read_is_a_write_timeout)
{
	ev_uint16_t to;
	evutil_socket_t fd = support_listen(&to);
	struct evhttp_connection *evcon = client_open(to);
	struct evhttp_request *req = client_request();
	static char block[1 << 20];
	double began = support_now_ms();

	evhttp_connection_set_write_timeout_tv(evcon, &soon);
	evhttp_connection_set_read_timeout_tv(evcon, NULL);
	for (int i = 0; i < 16; i++)
		evbuffer_add_reference(evhttp_request_get_output_buffer(req), block, sizeof(block),
				       NULL, NULL);
	evhttp_request_set_failure_cb(req, on_failure, NULL);
	evhttp_make_request(evcon, req, EVHTTP_REQ_POST, "/");
	expect_timeout(evcon, began, EVHTTP_STAGE_SEND);
	evutil_closesocket(fd);
}

/* HTTP-259, HTTP-237: while a large body goes out, the answer is not awaited. */
static evutil_socket_t slow_fd;

#define LAST_BYTE "!" /* of the body; nothing else has it */

static void read_at_last(evutil_socket_t fd, short what, void *arg)
{
	static char block[1 << 18];
	ssize_t got = recv(fd, block, sizeof(block), MSG_DONTWAIT);

	(void)what;
	(void)arg;
	if (got > 0 && block[got - 1] == LAST_BYTE[0])
		cr_assert_eq(send(fd, OK_EMPTY, strlen(OK_EMPTY), 0), (ssize_t)strlen(OK_EMPTY));
}

/* A stranger may look for a server that had this port before, or is about to have it. */
static void accept_slow(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
			int len, void *arg)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(arg);
	struct sockaddr_in name = { 0 };
	ev_socklen_t name_len = sizeof(name);

	(void)listener;
	(void)len;
	getsockname(bufferevent_getfd(bev), (struct sockaddr *)&name, &name_len);
	if (((struct sockaddr_in *)(void *)sa)->sin_port == name.sin_port)
		slow_fd = fd;
	else
		evutil_closesocket(fd);
}

Test(http_client_timeouts, a_long_upload_is_no_silence)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	ev_socklen_t name_len = sizeof(name);
	struct evconnlistener *listener;
	struct evhttp_connection *evcon;
	struct evhttp_request *req = client_request();
	const struct timeval patience = { 2, 0 };
	const struct timeval stall = { 2, 300 * 1000 };
	struct event *reader;
	static char block[1 << 20];

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = evconnlistener_new_bind(base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE, 4,
					   (struct sockaddr *)&name, sizeof(name));
	getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&name, &name_len);
	evcon = client_open(ntohs(name.sin_port));
	evconnlistener_set_cb(listener, accept_slow, evcon);
	evhttp_connection_set_read_timeout_tv(evcon, &patience);
	for (int i = 0; i < 32; i++)
		evbuffer_add_reference(evhttp_request_get_output_buffer(req), block, sizeof(block),
				       NULL, NULL);
	evbuffer_add(evhttp_request_get_output_buffer(req), LAST_BYTE, strlen(LAST_BYTE));
	evhttp_make_request(evcon, req, EVHTTP_REQ_POST, "/");
	while (slow_fd == 0)
		event_base_loop(base, EVLOOP_ONCE);
	event_base_loopexit(base, &stall);
	event_base_dispatch(base);
	cr_assert_str_eq(http_log, "");
	reader = event_new(base, slow_fd, EV_READ | EV_PERSIST, read_at_last, NULL);
	event_add(reader, NULL);
	client_wait(1);
	cr_assert_str_eq(http_log, "done-200");
	event_free(reader);
	evhttp_connection_free(evcon);
	evconnlistener_free(listener);
	evutil_closesocket(slow_fd);
}

/* A listener whose queue is full: connecting to it takes for ever. */
static int fill_queue(evutil_socket_t fd, ev_uint16_t to, evutil_socket_t *fill, int max)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(to) };
	int n = 0;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(listen(fd, 0), 0);
	while (n < max) {
		fill[n] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fill[n], (struct sockaddr *)&name, sizeof(name));
		n++;
	}
	return n;
}

/* HTTP-265, HTTP-237, HTTP-365: the connect timeout is one of its own. */
Test(http_client_timeouts, connecting_takes_too_long)
{
	ev_uint16_t to;
	evutil_socket_t fd = support_listen(&to);
	evutil_socket_t fill[8];
	int filled = fill_queue(fd, to, fill, 8);
	struct evhttp_connection *evcon = client_open(to);
	double began = support_now_ms();

	evhttp_connection_set_connect_timeout_tv(evcon, &soon);
	evhttp_connection_set_timeout_tv(evcon, &late);
	client_get(evcon, "/1");
	get(evcon);
	client_wait(2);
	cr_assert_str_eq(http_log, "done-0 done-0");
	cr_assert_geq(support_now_ms() - began, 55);
	cr_assert_eq(failure.reason, EVREQ_HTTP_TIMEOUT);
	cr_assert_eq(failure.stage, EVHTTP_STAGE_CONNECT);
	cr_assert_eq(failure.socket_error, support_socket_error(ETIMEDOUT));

	/* HTTP-237: changed while connecting. */
	evhttp_connection_set_connect_timeout_tv(evcon, NULL);
	client_get(evcon, "/3");
	event_base_loop(base, EVLOOP_NONBLOCK);
	evhttp_connection_set_connect_timeout_tv(evcon, &soon);
	client_wait(3);
	cr_assert_str_eq(http_log, "done-0 done-0 done-0");
	evhttp_connection_free(evcon);
	while (filled > 0)
		evutil_closesocket(fill[--filled]);
	evutil_closesocket(fd);
}

/*
 * HTTP-235: 0 is none, -1 the defaults, and connecting is not touched. HTTP-234, HTTP-236, HTTP-365
 */
Test(http_client_timeouts, what_reaches_the_transport)
{
	struct evhttp_connection *evcon = client_open(port);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);

	evhttp_set_gencb(http, http_hello, NULL);
	client_get(evcon, "/");
	client_wait(1);
	cr_assert_eq(bev->timeout_read.tv_sec, 50);
	cr_assert_eq(bev->timeout_write.tv_sec, 50);
	evhttp_connection_set_timeout(evcon, 7);
	cr_assert_eq(bev->timeout_read.tv_sec, 7);
	cr_assert_eq(bev->timeout_write.tv_sec, 7);
	evhttp_connection_set_timeout(evcon, 0);
	cr_assert_eq(bev->timeout_read.tv_sec, 0);
	cr_assert_eq(bev->timeout_write.tv_sec, 0);
	evhttp_connection_set_timeout(evcon, -1);
	cr_assert_eq(bev->timeout_read.tv_sec, 50);
	evhttp_connection_set_timeout_tv(evcon, &late);
	cr_assert_eq(bev->timeout_write.tv_sec, 30);
	evhttp_connection_set_timeout_tv(evcon, NULL);
	cr_assert_eq(bev->timeout_write.tv_sec, 50);
	evhttp_connection_set_write_timeout_tv(evcon, &late);
	cr_assert_eq(bev->timeout_write.tv_sec, 30);
	cr_assert_eq(bev->timeout_read.tv_sec, 50);
	evhttp_connection_free(evcon);
}

/* An idle connection is not closed by its read timeout: the server does that when it likes. */
Test(http_client_timeouts, an_idle_connection_stays)
{
	struct evhttp_connection *evcon = client_open(port);
	const struct timeval limit = { 2, 0 }; /* no machine is that busy with one request */
	const struct timeval wait = { 2, 300 * 1000 };

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_connection_set_timeout_tv(evcon, &limit);
	client_get(evcon, "/");
	client_wait(1);
	event_base_loopexit(base, &wait);
	event_base_dispatch(base);
	cr_assert_str_eq(http_log, "done-200");
	client_get(evcon, "/");
	client_wait(2);
	cr_assert_str_eq(http_log, "done-200 done-200");
	cr_assert_eq(evhttp_get_connection_count(http), 1);
	evhttp_connection_free(evcon);
}
