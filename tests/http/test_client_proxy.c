/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels through a proxy. */

#include "http_test.h"

#include <netinet/in.h>

TestSuite(http_client_proxy, .init = http_open, .fini = http_close, .timeout = 60);

/* A proxy that relays one connection to our server, whatever name it is asked for. */
static struct {
	struct evconnlistener *listener;
	ev_uint16_t port;
	const char *answer;
	char seen[1024];
	struct bufferevent *client;
	struct bufferevent *server;
	int connections;
} proxy;

static void relay(struct bufferevent *bev, void *arg)
{
	struct bufferevent *other = bev == proxy.client ? proxy.server : proxy.client;

	(void)arg;
	bufferevent_write_buffer(other, bufferevent_get_input(bev));
}

static void hang_up(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)arg;
	if ((what & BEV_EVENT_CONNECTED) != 0)
		return;
	if (proxy.client != NULL)
		bufferevent_free(proxy.client);
	if (proxy.server != NULL)
		bufferevent_free(proxy.server);
	proxy.client = proxy.server = NULL;
}

static void on_asked(struct bufferevent *bev, void *arg)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
	size_t len = strlen(proxy.seen);

	(void)arg;
	len += bufferevent_read(bev, proxy.seen + len, sizeof(proxy.seen) - 1 - len);
	proxy.seen[len] = '\0';
	if (strstr(proxy.seen, "\r\n\r\n") == NULL)
		return;
	bufferevent_write(bev, proxy.answer, strlen(proxy.answer));
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	proxy.server = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(proxy.server, relay, NULL, hang_up, NULL);
	bufferevent_setcb(bev, relay, NULL, hang_up, NULL);
	bufferevent_enable(proxy.server, EV_READ | EV_WRITE);
	bufferevent_socket_connect(proxy.server, (struct sockaddr *)&name, sizeof(name));
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len,
		      void *arg)
{
	(void)listener;
	(void)sa;
	(void)len;
	(void)arg;
	hang_up(NULL, BEV_EVENT_EOF, NULL);
	proxy.connections++;
	proxy.seen[0] = '\0';
	proxy.client = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(proxy.client, on_asked, NULL, hang_up, NULL);
	bufferevent_enable(proxy.client, EV_READ | EV_WRITE);
}

static void proxy_open(const char *answer)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	ev_socklen_t len = sizeof(name);

	proxy.answer = answer;
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	proxy.listener = evconnlistener_new_bind(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 8,
						 (struct sockaddr *)&name, sizeof(name));
	getsockname(evconnlistener_get_fd(proxy.listener), (struct sockaddr *)&name, &len);
	proxy.port = ntohs(name.sin_port);
}

static void proxy_close(void)
{
	evconnlistener_free(proxy.listener);
	hang_up(NULL, BEV_EVENT_EOF, NULL);
}

static enum evhttp_failure_stage stage;
static int status;
static char text[128];

static void on_failure(struct evhttp_request *req, const struct evhttp_failure *failure, void *arg)
{
	(void)req;
	(void)arg;
	stage = failure->stage;
	status = failure->proxy_status;
	evutil_snprintf(text, sizeof(text), "%s", failure->text);
	http_note("failure");
}

static struct evhttp_connection *through(const char *credentials)
{
	struct evhttp_connection *evcon = evhttp_connection_base_new(base, NULL, "far.example", 8080);

	evhttp_connection_set_closecb(evcon, http_on_close, NULL);
	cr_assert_eq(evhttp_connection_set_proxy(evcon, "127.0.0.1", proxy.port, credentials), 0);
	return evcon;
}

static void ask(struct evhttp_connection *evcon)
{
	struct evhttp_request *req = client_request();

	evhttp_request_set_failure_cb(req, on_failure, NULL);
	cr_assert_eq(evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/"), 0);
}

/* HTTP-257: the server is the one named, not the proxy. */
static void say_host(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	evbuffer_add_printf(body, "%s",
			    evhttp_find_header(evhttp_request_get_input_headers(req), "Host"));
	evhttp_send_reply(req, 200, NULL, body);
	evbuffer_free(body);
}

Test(http_client_proxy, requests_go_through_the_tunnel)
{
	struct evhttp_connection *evcon;
	const char *address;
	ev_uint16_t at;

	proxy_open("HTTP/1.1 200 Connected\r\nVia: me\r\n\r\n");
	evhttp_set_gencb(http, say_host, NULL);
	evcon = through(NULL);
	ask(evcon);
	ask(evcon);
	client_wait(2);
	cr_assert_str_eq(proxy.seen,
			 "CONNECT far.example:8080 HTTP/1.1\r\nHost: far.example:8080\r\n\r\n");
	cr_assert_str_eq(http_log, "done-200 done-200");
	cr_assert_str_eq(http_body, "far.example:8080");
	cr_assert_eq(proxy.connections, 1);
	evhttp_connection_get_peer(evcon, &address, &at);
	cr_assert_str_eq(address, "far.example");
	evhttp_connection_free(evcon);
	proxy_close();
}

Test(http_client_proxy, credentials_are_for_the_proxy)
{
	struct evhttp_connection *evcon;

	proxy_open("HTTP/1.1 100 Wait\r\n\r\nHTTP/1.1 200 Connected\r\n\r\n");
	evhttp_set_gencb(http, http_keep, NULL);
	evcon = through("me:secret word");
	ask(evcon);
	log_wait("handler");
	cr_assert_not_null(strstr(proxy.seen, "\r\nProxy-Authorization: Basic bWU6c2VjcmV0IHdvcmQ=\r\n"));
	cr_assert_null(evhttp_find_header(evhttp_request_get_input_headers(kept), "Proxy-Authorization"));
	evhttp_send_reply(kept, 200, NULL, NULL);
	client_wait(1);
	evhttp_connection_free(evcon);
	proxy_close();
}

/* The tunnel is made anew for each connection. */
Test(http_client_proxy, a_reconnect_asks_again)
{
	struct evhttp_connection *evcon;

	proxy_open("HTTP/1.1 200 Connected\r\n\r\n");
	evhttp_set_gencb(http, http_hello, NULL);
	evcon = through(NULL);
	for (int i = 0; i < 3; i++) {
		struct evhttp_request *req = client_request();

		evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
		evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	}
	client_wait(3);
	cr_assert_str_eq(http_log, "close done-200 close done-200 close done-200");
	cr_assert_eq(proxy.connections, 3);
	evhttp_connection_free(evcon);
	proxy_close();
}

Test(http_client_proxy, a_refusal_tells_the_proxys_status)
{
	struct evhttp_connection *evcon;

	proxy_open("HTTP/1.1 407 Who are you\r\nContent-Length: 4\r\n\r\nbody");
	evcon = through(NULL);
	evhttp_connection_set_retries(evcon, 5);
	ask(evcon);
	ask(evcon);
	client_wait(2);
	cr_assert_str_eq(http_log, "failure error-1 done-null failure error-1 done-null");
	cr_assert_eq(stage, EVHTTP_STAGE_PROXY);
	cr_assert_eq(status, 407);
	evhttp_connection_free(evcon);
	proxy_close();
}

Test(http_client_proxy, nonsense_from_the_proxy_is_a_failure)
{
	static const char *const answers[] = {
		"SSH-2.0-what\r\n",
		"HTTP/1.1 2x0 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct evhttp_connection *evcon;

		http_log[0] = '\0';
		http_done = 0;
		proxy_open(answers[i]);
		evcon = through(NULL);
		ask(evcon);
		client_wait(1);
		cr_assert_not_null(strstr(http_log, "failure error-"), "%s", answers[i]);
		cr_assert_not_null(strstr(http_log, "done-null"), "%s", answers[i]);
		cr_assert_eq(stage, EVHTTP_STAGE_PROXY);
		cr_assert_eq(status, 0);
		cr_assert_neq(text[0], '\0');
		evhttp_connection_free(evcon);
		proxy_close();
	}
}

/* HTTP-265 */
Test(http_client_proxy, a_proxy_that_is_not_there_is_refused)
{
	struct evhttp_connection *evcon;

	proxy_open("");
	proxy_close();
	evcon = through(NULL);
	ask(evcon);
	client_wait(1);
	cr_assert_str_eq(http_log, "failure done-0");
	cr_assert_eq(stage, EVHTTP_STAGE_CONNECT);
	evhttp_connection_free(evcon);
}

/* HTTP-237: the connect timeout covers the proxy's thinking. */
Test(http_client_proxy, a_silent_proxy_is_a_timeout)
{
	struct evhttp_connection *evcon;
	const struct timeval soon = { 0, 50 * 1000 };

	proxy_open("");
	evcon = through(NULL);
	evhttp_connection_set_connect_timeout_tv(evcon, &soon);
	ask(evcon);
	client_wait(1);
	cr_assert_str_eq(http_log, "failure done-0");
	cr_assert_eq(stage, EVHTTP_STAGE_PROXY);
	evhttp_connection_free(evcon);
	proxy_close();
}

/* HTTP-273, HTTP-248 */
Test(http_client_proxy, cancelling_and_freeing_while_the_proxy_is_asked)
{
	struct evhttp_connection *evcon;
	struct evhttp_request *req = client_request();

	proxy_open("");
	evcon = through(NULL);
	evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	while (strstr(proxy.seen, "\r\n\r\n") == NULL)
		event_base_loop(base, EVLOOP_ONCE);
	evhttp_cancel_request(req);
	cr_assert_str_eq(http_log, "error-4");
	client_get(evcon, "/");
	event_base_loop(base, EVLOOP_NONBLOCK);
	evhttp_connection_free(evcon);
	cr_assert_str_eq(http_log, "error-4");
	proxy_close();
}

Test(http_client_proxy, what_cannot_have_a_proxy)
{
	struct evhttp_connection *evcon = client_open(port);
	struct evhttp_connection *local = evhttp_connection_base_bufferevent_unix_new(base, NULL, "/x");

	cr_assert_eq(evhttp_connection_set_proxy(local, "127.0.0.1", 1, NULL), -1);
	cr_assert_eq(evhttp_connection_set_proxy(evcon, "", 1, NULL), -1);
	cr_assert_eq(evhttp_connection_set_proxy(evcon, "a b", 1, NULL), -1);
	cr_assert_eq(evhttp_connection_set_proxy(evcon, "a\r\n", 1, NULL), -1);
	cr_assert_eq(evhttp_connection_set_proxy(evcon, "127.0.0.1", 1, "a:b"), 0);
	cr_assert_eq(evhttp_connection_set_proxy(evcon, NULL, 0, NULL), 0);
	evhttp_set_gencb(http, http_hello, NULL);
	client_get(evcon, "/");
	client_wait(1);
	cr_assert_eq(evhttp_connection_set_proxy(evcon, "127.0.0.1", 1, NULL), -1);
	evhttp_connection_free(evcon);
	evhttp_connection_free(local);
}
