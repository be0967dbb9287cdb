/* SPDX-License-Identifier: BSD-3-Clause */
/* What a handler can learn of a request and its connection. */

#include "server_test.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

TestSuite(http_server_getters, .init = http_open, .fini = http_close, .timeout = 60);

static char host[64];

static void note_host(struct evhttp_request *req, void *arg)
{
	const char *name = evhttp_request_get_host(req);

	(void)arg;
	snprintf(host, sizeof(host), "%s", name != NULL ? name : "NULL");
	http_hello(req, NULL);
}

static const char *host_of(const char *text)
{
	snprintf(host, sizeof(host), "not called");
	talk(text);
	return host;
}

/* HTTP-144, HTTP-145, HTTP-381 */
Test(http_server_getters, hosts)
{
	static const char *const samples[][2] = {
		{ "a:80", "a" }, { "h:", "h" }, { "[::1]:80", "[::1]" }, { "[::1]", "[::1]" },
		{ "::1", "::1" }, { "a", "a" }, { "A.B", "A.B" },
	};
	char text[256];

	evhttp_set_flags(http, EVHTTP_SERVER_RELAX_HOST);
	evhttp_set_gencb(http, note_host, NULL);
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", samples[i][0]);
		cr_expect_str_eq(host_of(text), samples[i][1]);
	}
	cr_expect_str_eq(host_of("GET / HTTP/1.0\r\n\r\n"), "NULL");
	cr_expect_str_eq(host_of("GET http://b:8/ HTTP/1.1\r\nHost: a\r\n\r\n"), "b");
	evhttp_set_allowed_methods(http, EVHTTP_REQ_CONNECT);
	cr_expect_str_eq(host_of("CONNECT c:443 HTTP/1.1\r\nHost: a\r\n\r\n"), "c");
}

/* HTTP-142, HTTP-143, HTTP-169, HTTP-176: the raw target, and its parts. */
static char parts[512];

static void note_parts(struct evhttp_request *req, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *text[] = { evhttp_uri_get_scheme(uri),   evhttp_uri_get_userinfo(uri),
			       evhttp_uri_get_host(uri),     evhttp_uri_get_path(uri),
			       evhttp_uri_get_query(uri),    evhttp_uri_get_fragment(uri) };

	(void)arg;
	cr_expect_eq(req->uri_elems, uri);
	snprintf(parts, sizeof(parts), "%s|%s|%s|%s|%d|%s|%s|%s", evhttp_request_get_uri(req),
		 text[0] ? text[0] : "-", text[1] ? text[1] : "-", text[2] ? text[2] : "-",
		 evhttp_uri_get_port(uri), text[3] ? text[3] : "-", text[4] ? text[4] : "-",
		 text[5] ? text[5] : "-");
	http_hello(req, NULL);
}

static const char *parts_of(const char *target)
{
	parts[0] = '\0';
	get(target);
	return parts;
}

Test(http_server_getters, targets)
{
	evhttp_set_gencb(http, note_parts, NULL);
	cr_expect_str_eq(parts_of("/a%20b?q=1#f"), "/a%20b?q=1#f|-|-|-|-1|/a%20b|q=1|f");
	cr_expect_str_eq(parts_of("http://u:p@h:8/p?q"), "http://u:p@h:8/p?q|http|u:p|h|8|/p|q|-");
	cr_expect_str_eq(parts_of("/a b{}"), "/a b{}|-|-|-|-1|/a b{}|-|-");
	cr_expect_str_eq(parts_of("rel/path"), "rel/path|-|-|-|-1|rel/path|-|-");
	/* HTTP-171: two slashes are no authority. */
	cr_expect_str_eq(parts_of("//x/y?z"), "//x/y?z|-|-|-|-1|//x/y|z|-");
	/* HTTP-174 */
	evhttp_set_allowed_methods(http, EVHTTP_REQ_CONNECT | EVHTTP_REQ_OPTIONS);
	talk("CONNECT c:443 HTTP/1.1\r\nHost: a\r\n\r\n");
	cr_expect_str_eq(parts, "c:443|-|-|c|443||-|-");
	talk(REQUEST("OPTIONS *", ""));
	cr_expect_str_eq(parts, "*|-|-|-|-1|*|-|-");
}

/* HTTP-170, HTTP-171, HTTP-168 */
Test(http_server_getters, targets_and_paths)
{
	evhttp_set_cb(http, "/", answer_text, (void *)(uintptr_t)"root");
	evhttp_set_cb(http, "/y", answer_text, (void *)(uintptr_t)"y");
	evhttp_set_cb(http, "//x/y", answer_text, (void *)(uintptr_t)"slashes");
	evhttp_set_cb(http, "rel", answer_text, (void *)(uintptr_t)"rel");
	check_reply(get("http://h"), 200, "root");
	check_reply(get("http://h?q"), 200, "root");
	check_reply(get("http://h/y"), 200, "y");
	check_reply(get("//x/y"), 200, "slashes");
	check_reply(get("rel"), 200, "rel");
}

/* HTTP-174 */
Test(http_server_getters, connect_needs_a_host)
{
	evhttp_set_allowed_methods(http, EVHTTP_REQ_CONNECT);
	evhttp_set_gencb(http, http_hello, NULL);
	cr_expect_eq(code_of(talk("CONNECT :443 HTTP/1.1\r\nHost: a\r\n\r\n")), 400);
	cr_expect_eq(code_of(talk("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n")), 400);
	cr_expect_eq(code_of(talk("CONNECT a:99999 HTTP/1.1\r\nHost: a\r\n\r\n")), 400);
}

/* HTTP-175: the application takes the connection over. */
static void tunnel_read(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_write_buffer(bev, bufferevent_get_input(bev));
}

static void accept_tunnel(struct evhttp_request *req, void *arg)
{
	struct bufferevent *bev =
		evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));

	(void)arg;
	evhttp_send_reply(req, 200, "Established", NULL);
	bufferevent_setcb(bev, tunnel_read, NULL, NULL, NULL);
}

Test(http_server_getters, connect_stays_open)
{
	struct peer *peer = peer_open(port);

	evhttp_set_allowed_methods(http, EVHTTP_REQ_CONNECT);
	evhttp_set_gencb(http, accept_tunnel, NULL);
	peer_send(peer, "CONNECT c:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	peer_until(peer, "\r\n\r\n");
	peer_send(peer, "through the tunnel");
	peer_until(peer, "through the tunnel");
	peer_close(peer);
}

/*
 * HTTP-146, HTTP-147, HTTP-148, HTTP-149, HTTP-150, HTTP-151, HTTP-152, HTTP-153, HTTP-154,
 * HTTP-359
 */
static struct sockaddr_in peer_name;

static void check_all(struct evhttp_request *req, void *arg)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	const struct sockaddr_in *name = (const void *)evhttp_connection_get_addr(evcon);
	const char *address = NULL;
	ev_uint16_t number = 0;

	(void)arg;
	cr_expect_eq(evhttp_connection_get_server(evcon), http);
	cr_expect_eq(evhttp_connection_get_base(evcon), base);
	cr_expect_not_null(evhttp_connection_get_bufferevent(evcon));
	evhttp_connection_get_peer(evcon, &address, &number);
	cr_expect_str_eq(address, "127.0.0.1");
	cr_expect_str_eq(req->remote_host, "127.0.0.1");
	cr_expect_eq(req->remote_port, number);
	cr_expect_eq(name->sin_family, AF_INET);
	cr_expect_eq(ntohs(name->sin_port), number);
	peer_name = *name;
	cr_expect_eq(req->major, 1);
	cr_expect_eq(req->minor, 0);
	cr_expect_eq(evhttp_request_get_command(req), EVHTTP_REQ_POST);
	cr_expect_eq(evhttp_request_get_response_code(req), 0);
	cr_expect_eq(evbuffer_get_length(evhttp_request_get_output_buffer(req)), 0);
	cr_expect_null(evhttp_request_get_output_headers(req)->tqh_first);
	/* HTTP-177, HTTP-181, HTTP-189 */
	cr_expect_str_eq(evhttp_find_header(evhttp_request_get_input_headers(req), "X-TWICE"), "1");
	cr_expect_str_eq(evhttp_find_header(evhttp_request_get_input_headers(req), "empty"), "");
	cr_expect_str_eq(evhttp_request_get_input_headers(req)->tqh_first->key, "X-Twice");
	http_echo(req, NULL);
	cr_expect_eq(evhttp_request_get_response_code(req), 200);
}

static struct sockaddr_in closed_name;

static void on_close(struct evhttp_connection *evcon, void *arg)
{
	(void)arg;
	closed_name = *(const struct sockaddr_in *)(const void *)evhttp_connection_get_addr(evcon);
	http_note("close");
}

static int set_close(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_close, NULL);
	return 0;
}

Test(http_server_getters, everything_else)
{
	const char *got;

	evhttp_set_newreqcb(http, set_close, NULL);
	evhttp_set_gencb(http, check_all, NULL);
	got = talk("POST / HTTP/1.0\r\nX-Twice: 1\r\nx-twice: 2\r\nEmpty:\r\nContent-Length: "
		   "4\r\n\r\nbody");
	check_reply(got, 200, "body");
	log_wait("close");
	cr_expect_eq(closed_name.sin_port, peer_name.sin_port);
}

/* HTTP-362, HTTP-363, HTTP-364: where the releases differ, this is the later one. */
Test(http_server_getters, versions_fields_and_proxies)
{
	const char *got;

	evhttp_set_gencb(http, http_hello, NULL);
	cr_expect_eq(code_of(talk("GET / HTTP/1.10\r\nHost: a\r\n\r\n")), 400);
	cr_expect_eq(code_of(talk(REQUEST("GET /", ": x\r\n"))), 400);
	got = talk(
		"GET http://other/ HTTP/1.1\r\nHost: other\r\nProxy-Connection: close\r\n\r\n" GET(
			"/"));
	cr_expect_eq(times(got, "hello"), 2);
}

/* HTTP-361, HTTP-378: malformed chunks are 400. */
Test(http_server_getters, malformed_chunks)
{
	evhttp_set_gencb(http, http_hello, NULL);
	cr_expect_eq(code_of(talk(REQUEST("POST /", "Transfer-Encoding: chunked\r\n") "xyz\r\n")),
		     400);
}
