/* SPDX-License-Identifier: BSD-3-Clause */
/* HTTP over TLS bufferevents, both ends. */

#include "tls_test.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct event_base *base;
static struct evhttp *http;
static struct evhttp_connection *connection;
static ev_uint16_t port;
static int is_answered, is_failed, handshakes;
static size_t body_len;

static struct bufferevent *accept_tls(struct event_base *loop, void *arg)
{
	(void)arg;
	handshakes++;
	return tls_library()->socket_new(loop, -1, tls_library()->object_new(1),
					 BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

static void greet(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add_printf(body, "hello, %s",
			    evhttp_find_header(evhttp_request_get_input_headers(req), "Host"));
	evhttp_send_reply(req, 200, "OK", body);
	evbuffer_free(body);
}

static void on_answer(struct evhttp_request *req, void *arg)
{
	(void)arg;
	is_answered = 1;
	is_failed = req == NULL || evhttp_request_get_response_code(req) != 200;
	body_len = is_failed ? 0 : evbuffer_get_length(evhttp_request_get_input_buffer(req));
}

static void start(void)
{
	base = support_base_new();
	http = evhttp_new(base);
	evhttp_set_bevcb(http, accept_tls, NULL);
	evhttp_set_cb(http, "/", greet, NULL);
	port = 0;
	{
		struct evhttp_bound_socket *bound =
			evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
		struct sockaddr_in at;
		socklen_t len = sizeof(at);

		cr_assert_not_null(bound);
		getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &len);
		port = ntohs(at.sin_port);
	}
}

static struct bufferevent *client_tls(void)
{
	struct tls_setup setup = { .verifies = 1 };
	struct bufferevent *bev =
		tls_library()->socket_new(base, -1, tls_library()->object_with(&setup),
					  BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);

	cr_assert_eq(tls_library()->verify_host(bev, "localhost"), 0);
	return bev;
}

static void connect_to(const char *host)
{
	connection = evhttp_connection_base_bufferevent_new(base, NULL, client_tls(), host, port);
	cr_assert_not_null(connection);
	evhttp_connection_set_family(connection, AF_INET);
	evhttp_connection_set_timeout(connection, 100);
}

static void get(const char *path)
{
	struct evhttp_request *req = evhttp_request_new(on_answer, NULL);

	is_answered = 0;
	evhttp_add_header(evhttp_request_get_output_headers(req), "Host", "localhost");
	cr_assert_eq(evhttp_make_request(connection, req, EVHTTP_REQ_GET, path), 0);
	support_run_until(base, &is_answered, TLS_TEST_WAIT_MS);
}

static void finish(void)
{
	evhttp_connection_free(connection);
	evhttp_free(http);
	event_base_free(base);
}

/* TLS-185, TLS-187: by name, and again after the connection has gone. */
Test(tls_http, a_client_connects_and_reconnects, .timeout = 120)
{
	start();
	connect_to("localhost");
	for (int i = 0; i < 3; i++) {
		struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);

		get("/");
		cr_assert_eq(is_failed, 0);
		cr_assert_eq(body_len, strlen("hello, localhost"));
		cr_assert_eq(handshakes, i + 1);
		shutdown(bufferevent_getfd(bev), SHUT_RDWR);
		for (int j = 0; j < 10; j++)
			event_base_loop(base, EVLOOP_NONBLOCK);
	}
	finish();
}

/* --- A body that ends with the connection ----------------------------------------------------- */

static int says_goodbye;

static void end_connection(struct bufferevent *bev, void *arg)
{
	(void)arg;
	if (says_goodbye)
		cr_assert_eq(bufferevent_ssl_shutdown(bev), 0);
	bufferevent_free(bev);
}

static void answer(struct bufferevent *bev, void *arg)
{
	(void)arg;
	if (evbuffer_search(bufferevent_get_input(bev), "\r\n\r\n", 4, NULL).pos < 0)
		return;
	evbuffer_add_printf(bufferevent_get_output(bev), "HTTP/1.0 200 OK\r\n\r\nall of it");
	bufferevent_setcb(bev, NULL, end_connection, NULL, NULL);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		      int len, void *arg)
{
	struct bufferevent *bev = accept_tls(evconnlistener_get_base(listener), NULL);

	(void)sa;
	(void)len;
	(void)arg;
	bufferevent_setcb(bev, answer, NULL, NULL, NULL);
	bufferevent_enable(bev, EV_READ);
	cr_assert_eq(bufferevent_setfd(bev, fd), 0);
}

/* TLS-186 */
Test(tls_http, a_body_that_ends_with_the_connection_needs_an_end, .timeout = 120)
{
	struct evconnlistener *listener;
	evutil_socket_t fd;

	start();
	fd = support_listen(&port);
	listener = evconnlistener_new(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 10, fd);
	for (int i = 0; i < 3; i++) {
		says_goodbye = i == 1;
		connect_to("localhost");
		if (i == 2)
			tls_library()->set_dirty(evhttp_connection_get_bufferevent(connection), 1);
		get("/");
		cr_assert_eq(is_failed, i == 0);
		if (i > 0)
			cr_assert_eq(body_len, 9);
		if (i < 2)
			evhttp_connection_free(connection);
	}
	evconnlistener_free(listener);
	finish();
}

/* TLS-187: others are served while one fails, one is silent, and one has gone again. */
Test(tls_http, a_failing_handshake_disturbs_nobody, .timeout = 120)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fds[3];

	start();
	at.sin_port = htons(port);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 3; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		cr_assert_eq(connect(fds[i], (struct sockaddr *)&at, sizeof(at)), 0);
	}
	cr_assert_eq(send(fds[0], "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	close(fds[1]);
	connect_to("localhost");
	get("/");
	cr_assert_eq(is_failed, 0);
	cr_assert_eq(handshakes, 4);
	close(fds[0]);
	close(fds[2]);
	finish();
}

/* --- One record for head and body ------------------------------------------------------------- */

static size_t records;

/* Counts the records of data that the server sends. */
static void count_records(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct evbuffer_iovec piece;
	struct evbuffer_ptr at;

	(void)arg;
	if (info->n_added == 0)
		return;
	evbuffer_ptr_set(buf, &at, info->orig_size, EVBUFFER_PTR_SET);
	if (evbuffer_peek(buf, 1, &at, &piece, 1) == 1 && *(unsigned char *)piece.iov_base == 23)
		records++;
}

static struct bufferevent *accept_batching(struct event_base *loop, void *arg)
{
	struct bufferevent *below = bufferevent_socket_new(loop, -1, BEV_OPT_CLOSE_ON_FREE), *bev;

	(void)arg;
	evbuffer_add_cb(bufferevent_get_output(below), count_records, NULL);
	bev = tls_library()->filter_new(loop, below, tls_library()->object_new(1),
					BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_ssl_set_flags(bev, BUFFEREVENT_SSL_BATCH_WRITE);
	return bev;
}

/* TLS-046, TLS-188 */
Test(tls_http, head_and_body_are_one_record, .timeout = 120)
{
	size_t before;

	start();
	evhttp_set_bevcb(http, accept_batching, NULL);
	connect_to("localhost");
	get("/");
	before = records; /* tickets look like data in TLS 1.3 */
	get("/");
	cr_assert_eq(is_failed, 0);
	cr_assert_eq(records - before, 1, "%zu records", records - before);
	finish();
}
