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
	bufferevent_data_cb on_asked;
	char seen[1024];
	size_t seen_len;    /* SOCKS */
	struct event *rest; /* what is left of an answer */
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
	event_del(proxy.rest);
	if (proxy.client != NULL)
		bufferevent_free(proxy.client);
	if (proxy.server != NULL)
		bufferevent_free(proxy.server);
	proxy.client = proxy.server = NULL;
}

/* The client has its tunnel. */
static void start_relay(struct bufferevent *bev)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	proxy.server = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(proxy.server, relay, NULL, hang_up, NULL);
	bufferevent_setcb(bev, relay, NULL, hang_up, NULL);
	bufferevent_enable(proxy.server, EV_READ | EV_WRITE);
	bufferevent_socket_connect(proxy.server, (struct sockaddr *)&name, sizeof(name));
}

/* What a SOCKS proxy is sent, in order, and what it answers to each. */
struct turn {
	const char *want;
	size_t want_len;
	const char *answer;
	size_t answer_len;
};

static const struct turn *turn;

/* One byte of a SOCKS answer has gone out; the client must wait for the rest. */
static void send_rest(evutil_socket_t fd, short what, void *arg)
{
	const struct turn *answered = turn - 1;

	(void)fd;
	(void)what;
	(void)arg;
	bufferevent_write(proxy.client, answered->answer + 1, answered->answer_len - 1);
	if (turn->want == NULL)
		start_relay(proxy.client);
}

static void on_asked(struct bufferevent *bev, void *arg)
{
	size_t len = strlen(proxy.seen);

	(void)arg;
	len += bufferevent_read(bev, proxy.seen + len, sizeof(proxy.seen) - 1 - len);
	proxy.seen[len] = '\0';
	if (strstr(proxy.seen, "\r\n\r\n") == NULL)
		return;
	bufferevent_write(bev, proxy.answer, strlen(proxy.answer));
	start_relay(bev);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		      int len, void *arg)
{
	(void)listener;
	(void)sa;
	(void)len;
	(void)arg;
	hang_up(NULL, BEV_EVENT_EOF, NULL);
	proxy.connections++;
	proxy.seen[0] = '\0';
	proxy.seen_len = 0;
	proxy.client = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(proxy.client, proxy.on_asked, NULL, hang_up, NULL);
	bufferevent_enable(proxy.client, EV_READ | EV_WRITE);
}

static void proxy_open(const char *answer)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	ev_socklen_t len = sizeof(name);

	proxy.answer = answer;
	proxy.on_asked = on_asked;
	proxy.rest = evtimer_new(base, send_rest, NULL);
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
	event_free(proxy.rest);
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
	struct evhttp_connection *evcon =
		evhttp_connection_base_new(base, NULL, "far.example", 8080);

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
	cr_assert_not_null(
		strstr(proxy.seen, "\r\nProxy-Authorization: Basic bWU6c2VjcmV0IHdvcmQ=\r\n"));
	cr_assert_null(
		evhttp_find_header(evhttp_request_get_input_headers(kept), "Proxy-Authorization"));
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

/* H67 */
Test(http_client_proxy, nonsense_from_the_proxy_is_a_failure)
{
	static char interims[4096];
	const char *const answers[] = {
		"SSH-2.0-what\r\n",
		"HTTP/1.1 2x0 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		interims,
	};

	while (strlen(interims) < 101 * strlen("HTTP/1.1 100 A\r\n\r\n"))
		strcat(interims, "HTTP/1.1 100 A\r\n\r\n");
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
	evutil_socket_t deaf = http_deaf(&proxy.port);

	evcon = through(NULL);
	ask(evcon);
	client_wait(1);
	cr_assert_str_eq(http_log, "failure done-0");
	cr_assert_eq(stage, EVHTTP_STAGE_CONNECT);
	evhttp_connection_free(evcon);
	evutil_closesocket(deaf);
}

/* HTTP-237: the connect timeout covers the proxy's thinking. */
Test(http_client_proxy, a_silent_proxy_is_a_timeout)
{
	struct evhttp_connection *evcon;
	const struct timeval soon = { 0, 50 * 1000 };

	proxy_open("");
	evcon = through(NULL);
	ask(evcon);
	while (strstr(proxy.seen, "\r\n\r\n") == NULL)
		event_base_loop(base, EVLOOP_ONCE);
	evhttp_connection_set_connect_timeout_tv(evcon, &soon);
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
	struct evhttp_connection *local =
		evhttp_connection_base_bufferevent_unix_new(base, NULL, "/x");

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

/* --- SOCKS ------------------------------------------------------------------------------------ */

#define TURN(want, answer) { want, sizeof(want) - 1, answer, sizeof(answer) - 1 }
#define END { NULL, 0, NULL, 0 }

#define ASK_NAME "\5\1\0\3\13far.example\x1f\x90" /* port 8080 */
#define GRANTED  "\5\0\0\1\1\2\3\4\5\6"

static int splits_answers;

static void on_socks(struct bufferevent *bev, void *arg)
{
	const struct timeval soon = { 0, 1000 };
	const struct turn *answered = turn;

	(void)arg;
	proxy.seen_len += bufferevent_read(bev, proxy.seen + proxy.seen_len,
					   sizeof(proxy.seen) - proxy.seen_len);
	if (proxy.seen_len < turn->want_len)
		return;
	cr_assert_eq(proxy.seen_len, turn->want_len);
	cr_assert_arr_eq(proxy.seen, turn->want, turn->want_len);
	proxy.seen_len = 0;
	turn++;
	bufferevent_write(bev, answered->answer, splits_answers ? 1 : answered->answer_len);
	if (splits_answers)
		event_add(proxy.rest, &soon);
	else if (turn->want == NULL)
		start_relay(bev);
}

static struct evhttp_connection *through_socks(const char *host, const char *credentials,
					       const struct turn *turns)
{
	struct evhttp_connection *evcon = evhttp_connection_base_new(base, NULL, host, 8080);

	turn = turns;
	proxy_open("");
	proxy.on_asked = on_socks;
	cr_assert_eq(evhttp_connection_set_socks_proxy(evcon, "127.0.0.1", proxy.port, credentials),
		     0);
	return evcon;
}

static void socks_gets(const char *host, const char *credentials, const struct turn *turns)
{
	for (splits_answers = 0; splits_answers < 2; splits_answers++) {
		struct evhttp_connection *evcon = through_socks(host, credentials, turns);

		http_log[0] = '\0';
		http_done = 0;
		evhttp_set_gencb(http, http_hello, NULL);
		ask(evcon);
		ask(evcon);
		client_wait(2);
		cr_assert_str_eq(http_log, "done-200 done-200", "%s %s", http_log, text);
		evhttp_connection_free(evcon);
		proxy_close();
	}
}

Test(http_client_proxy, socks_by_name)
{
	static const struct turn turns[] = { TURN("\5\1\0", "\5\0"), TURN(ASK_NAME, GRANTED), END };

	socks_gets("far.example", NULL, turns);
}

Test(http_client_proxy, socks_by_address)
{
	static const struct turn v4[] = { TURN("\5\1\0", "\5\0"),
					  TURN("\5\1\0\1\12\1\2\3\x1f\x90",
					       "\5\0\0\3\5there\5\6"), END };
	static const struct turn v6[] = {
		TURN("\5\1\0", "\5\0"),
		TURN("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x1f\x90",
		     "\5\0\0\4ABCDEFGHIJKLMNOP\5\6"), END };

	socks_gets("10.1.2.3", NULL, v4);
	socks_gets("::1", NULL, v6);
}

Test(http_client_proxy, socks_with_a_password)
{
	static const struct turn asked[] = { TURN("\5\2\0\2", "\5\2"),
					     TURN("\1\2me\4pa:s", "\1\0"), TURN(ASK_NAME, GRANTED),
					     END };
	static const struct turn not_asked[] = { TURN("\5\2\0\2", "\5\0"), TURN(ASK_NAME, GRANTED),
						 END };

	socks_gets("far.example", "me:pa:s", asked);
	socks_gets("far.example", "me:pa:s", not_asked);
}

static void socks_fails(const char *credentials, const struct turn *turns, int want)
{
	for (splits_answers = 0; splits_answers < 2; splits_answers++) {
		struct evhttp_connection *evcon = through_socks("far.example", credentials, turns);

		http_log[0] = '\0';
		http_done = 0;
		ask(evcon);
		client_wait(1);
		cr_assert_not_null(strstr(http_log, "failure error-"), "%s", http_log);
		cr_assert_not_null(strstr(http_log, "done-null"), "%s", http_log);
		cr_assert_eq(stage, EVHTTP_STAGE_PROXY);
		cr_assert_eq(status, want);
		cr_assert_neq(text[0], '\0');
		evhttp_connection_free(evcon);
		proxy_close();
	}
}

Test(http_client_proxy, socks_refusals)
{
	static const struct turn wants_password[] = { TURN("\5\1\0", "\5\2"), END };
	static const struct turn wants_more[] = { TURN("\5\2\0\2", "\5\377"), END };
	static const struct turn wrong_password[] = { TURN("\5\2\0\2", "\5\2"),
						      TURN("\1\1a\1b", "\1\1"), END };
	static const struct turn refused[] = { TURN("\5\1\0", "\5\0"),
					       TURN(ASK_NAME, "\5\5\0\1\0\0\0\0\0\0"), END };

	splits_answers = 0;
	socks_fails(NULL, wants_password, 2);
	socks_fails("a:b", wants_more, 255);
	socks_fails("a:b", wrong_password, 1);
	socks_fails(NULL, refused, 5);
}

Test(http_client_proxy, socks_nonsense)
{
	static const struct turn other_version[] = { TURN("\5\1\0", "\4\0"), END };
	static const struct turn no_socks[] = { TURN("\5\1\0", "HTTP/1.1 400 What\r\n\r\n"), END };
	static const struct turn odd_type[] = { TURN("\5\1\0", "\5\0"),
						TURN(ASK_NAME, "\5\0\0\2\1\1\1\1\1\1"), END };
	static const struct turn odd_reply[] = { TURN("\5\1\0", "\5\0"),
						 TURN(ASK_NAME, "\4\0\0\1\0\0\0\0\0\0"), END };
	static const struct turn too_much[] = { TURN("\5\1\0", "\5\0"), TURN(ASK_NAME, GRANTED "x"),
						END };

	socks_fails(NULL, other_version, 0);
	socks_fails(NULL, no_socks, 0);
	socks_fails(NULL, odd_type, 0);
	socks_fails(NULL, odd_reply, 0);
	socks_fails(NULL, too_much, 0);
}

Test(http_client_proxy, socks_credentials_must_fit)
{
	struct evhttp_connection *evcon = client_open(port);
	char long_one[300];

	memset(long_one, 'x', sizeof(long_one));
	long_one[256] = ':';
	long_one[258] = '\0';
	cr_assert_eq(evhttp_connection_set_socks_proxy(evcon, "127.0.0.1", 1, long_one), -1);
	cr_assert_eq(evhttp_connection_set_socks_proxy(evcon, "127.0.0.1", 1, long_one + 1), 0);
	cr_assert_eq(evhttp_connection_set_socks_proxy(evcon, "127.0.0.1", 1, "nothing"), -1);
	cr_assert_eq(evhttp_connection_set_socks_proxy(evcon, "127.0.0.1", 1, ":b"), -1);
	cr_assert_eq(evhttp_connection_set_socks_proxy(evcon, "127.0.0.1", 1, "a:"), -1);
	evhttp_connection_free(evcon);
}
