/* SPDX-License-Identifier: BSD-3-Clause */
/* Making connections of every kind, where they go, and what they say of themselves. */

#include "http_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

TestSuite(http_client_make, .init = http_open, .fini = http_close, .timeout = 60);

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

/* HTTP-228, HTTP-152, HTTP-151, HTTP-153, HTTP-154 */
Test(http_client_make, a_new_connection_does_nothing)
{
	char name[] = "127.0.0.1";
	struct evhttp_connection *evcon = evhttp_connection_base_new(base, NULL, name, port);
	const char *address;
	ev_uint16_t at;

	name[0] = 'x'; /* copied */
	evhttp_connection_get_peer(evcon, &address, &at);
	cr_assert_str_eq(address, "127.0.0.1");
	cr_assert_eq(at, port);
	cr_assert_null(evhttp_connection_get_addr(evcon));
	cr_assert_null(evhttp_connection_get_server(evcon));
	cr_assert_eq(evhttp_connection_get_base(evcon), base);
	cr_assert_not_null(evhttp_connection_get_bufferevent(evcon));
	cr_assert_eq(bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)), -1);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_eq(evhttp_get_connection_count(http), 0);
	evhttp_connection_free(evcon);
	evhttp_connection_free(NULL);
}

static const struct sockaddr *closing_address;

static void look_at_address(struct evhttp_connection *evcon, void *arg)
{
	const struct sockaddr_in *sin =
		(const struct sockaddr_in *)evhttp_connection_get_addr(evcon);

	(void)arg;
	closing_address = (const struct sockaddr *)sin;
	cr_assert_not_null(sin);
	cr_assert_eq(sin->sin_family, AF_INET);
	cr_assert_eq(sin->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	cr_assert_eq(ntohs(sin->sin_port), port);
}

/* HTTP-152, HTTP-228: a name, looked up while the program waits. HTTP-241 */
Test(http_client_make, the_address_is_known_once_it_is_connected_to)
{
	struct evhttp_connection *evcon = evhttp_connection_base_new(base, NULL, "localhost", port);

	evhttp_connection_set_family(evcon, AF_INET);
	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_connection_set_closecb(evcon, look_at_address, NULL);
	client_get(evcon, "/");
	client_wait(1);
	cr_assert_not_null(evhttp_connection_get_addr(evcon));
	evhttp_connection_free(evcon);
	cr_assert_not_null(closing_address);
}

/* HTTP-241: a server on ::1 only cannot be reached by IPv4. */
Test(http_client_make, the_family_restricts_the_lookup)
{
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "::1", 0);
	struct evhttp_connection *evcon;

	if (bound == NULL)
		cr_skip_test("no IPv6");
	evhttp_set_gencb(http, http_hello, NULL);
	evcon = evhttp_connection_base_new(base, NULL, "::1", http_port_of(bound));
	evhttp_connection_set_family(evcon, AF_INET6);
	client_get(evcon, "/");
	client_wait(1);
	evhttp_connection_free(evcon);
	evcon = evhttp_connection_base_new(base, NULL, "::1", http_port_of(bound));
	evhttp_connection_set_family(evcon, AF_INET);
	client_get(evcon, "/");
	client_wait(2);
	cr_assert_str_eq(http_log, "done-200 error-1 done-null");
	evhttp_connection_free(evcon);
}

/* HTTP-229: the program's bufferevent, moved to the connection's loop; NULL makes one. */
Test(http_client_make, with_a_bufferevent_of_the_program)
{
	struct event_base *other = support_base_new();
	struct bufferevent *bev = bufferevent_socket_new(other, -1, 0);
	struct evhttp_connection *evcon =
		evhttp_connection_base_bufferevent_new(base, NULL, bev, "127.0.0.1", port);

	cr_assert_not_null(evcon);
	cr_assert_eq(evhttp_connection_get_bufferevent(evcon), bev);
	cr_assert_eq(bufferevent_get_base(bev), base);
	evhttp_set_gencb(http, http_hello, NULL);
	client_get(evcon, "/");
	client_wait(1);
	/* HTTP-368: without BEV_OPT_CLOSE_ON_FREE the descriptor is closed all the same. */
	evhttp_connection_free(evcon);
	event_base_free(other);

	evcon = evhttp_connection_base_bufferevent_new(base, NULL, NULL, "127.0.0.1", port);
	client_get(evcon, "/");
	client_wait(2);
	cr_assert_str_eq(http_log, "done-200 done-200");
	evhttp_connection_free(evcon);
}

/* HTTP-230, HTTP-231, HTTP-151, HTTP-257 */
Test(http_client_make, on_a_connected_bufferevent)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct canned canned;
	struct evhttp_connection *evcon;
	char want[64];
	const char *address;
	ev_uint16_t at;

	canned_open(&canned, OK_EMPTY, CANNED_KEEP);
	name.sin_port = htons(canned.port);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	evutil_make_socket_nonblocking(fd);
	evcon = evhttp_connection_base_bufferevent_reuse_new(
		base, NULL, bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE));
	cr_assert_not_null(evcon);
	evhttp_connection_set_closecb(evcon, http_on_close, NULL);
	evhttp_connection_get_peer(evcon, &address, &at);
	cr_assert_null(address);
	cr_assert_eq(at, 0);
	client_get(evcon, "/1");
	client_wait(1);
	snprintf(want, sizeof(want), "GET /1 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
		 (unsigned)canned.port);
	cr_assert_str_eq(canned.seen, want);
	cr_assert_eq(bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)), fd);
	client_get(evcon, "/2");
	client_wait(2);
	cr_assert_eq(bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)), fd);
	canned_hang_up(&canned);
	log_wait("close");
	client_get(evcon, "/3");
	client_wait(3);
	cr_assert_str_eq(http_log, "done-200 done-200 close done-0");
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* HTTP-230, HTTP-257 */
Test(http_client_make, on_a_socket_pair)
{
	evutil_socket_t pair[2];
	struct peer *server;
	struct evhttp_connection *evcon;

	cr_assert_null(evhttp_connection_base_bufferevent_reuse_new(base, NULL, NULL));
	support_socketpair(pair);
	server = peer_open_on(pair[1]);
	evcon = evhttp_connection_base_bufferevent_reuse_new(
		base, NULL, bufferevent_socket_new(base, pair[0], BEV_OPT_CLOSE_ON_FREE));
	client_get(evcon, "/");
	peer_until(server, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	peer_send(server, OK_EMPTY);
	client_wait(1);
	evhttp_connection_free(evcon);
	peer_close(server);
}

/* --- Unix sockets ----------------------------------------------------------------------------- */

static char directory[64];

static const char *socket_path(void)
{
	static char path[96];

	strcpy(directory, "/tmp/http-client-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/socket", directory);
	return path;
}

static void listen_at(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	evutil_socket_t fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(name.sun_path, path, strlen(path) + 1);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(evhttp_accept_socket(http, fd), 0);
}

/* HTTP-232, HTTP-257, HTTP-151, HTTP-149, HTTP-371 */
Test(http_client_make, to_a_unix_socket)
{
	const char *path = socket_path();
	struct evhttp_connection *evcon;
	const char *address = "";
	ev_uint16_t at = 1;

	listen_at(path);
	evcon = evhttp_connection_base_bufferevent_unix_new(base, NULL, path);
	cr_assert_not_null(evcon);
	evhttp_connection_get_peer(evcon, &address, &at);
	cr_assert_null(address);
	cr_assert_eq(at, 0);
	evhttp_set_gencb(http, http_keep, NULL);
	client_get(evcon, "/");
	log_wait("handler");
	cr_assert_str_eq(evhttp_find_header(evhttp_request_get_input_headers(kept), "Host"),
			 "localhost");
	cr_assert_null(kept->remote_host);
	cr_assert_eq(kept->remote_port, 0);
	evhttp_send_reply(kept, 200, NULL, NULL);
	client_wait(1);
	evhttp_connection_free(evcon);
	unlink(path);
	rmdir(directory);
}

/* HTTP-232: a reconnect finds the path again. HTTP-265: a path without server is refused. */
Test(http_client_make, to_a_unix_socket_again_and_in_vain)
{
	const char *path = socket_path();
	struct evhttp_connection *evcon;

	listen_at(path);
	evcon = evhttp_connection_base_bufferevent_unix_new(base, NULL, path);
	evhttp_set_gencb(http, http_hello, NULL);
	for (int i = 0; i < 2; i++) {
		struct evhttp_request *req = client_request();

		evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
		evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/");
	}
	client_wait(2);
	cr_assert_str_eq(http_log, "done-200 done-200");
	evhttp_free(http);
	http = NULL;
	client_get(evcon, "/");
	client_wait(3);
	cr_assert_str_eq(http_log, "done-200 done-200 done-0");
	evhttp_connection_free(evcon);
	unlink(path);
	rmdir(directory);
}

/* HTTP-232 */
Test(http_client_make, a_path_that_is_too_long_is_refused)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	struct evhttp_connection *evcon;

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	cr_assert_null(evhttp_connection_base_bufferevent_unix_new(base, NULL, path));
	path[sizeof(path) - 2] = '\0';
	evcon = evhttp_connection_base_bufferevent_unix_new(base, NULL, path);
	cr_assert_not_null(evcon);
	evhttp_connection_free(evcon);
}

/* --- Source address --------------------------------------------------------------------------- */

/* GET from a port of which nobody has anything at the moment: which it was. */
static ev_uint16_t get_from_some_port(struct evhttp_connection *evcon)
{
	for (int i = 0; i < 100; i++) {
		ev_uint16_t from;

		evutil_closesocket(support_listen(&from));
		evhttp_connection_set_local_port(evcon, from);
		if (evhttp_make_request(evcon, client_request(), EVHTTP_REQ_GET, "/") == 0)
			return from;
	}
	cr_assert_fail("no port is free");
	return 0;
}

/* HTTP-242, HTTP-369 */
Test(http_client_make, from_a_source_address_and_port)
{
	struct evhttp_connection *evcon = client_open(port);
	ev_uint16_t from;
	int on = 0;
	socklen_t len = sizeof(on);

	evhttp_connection_set_local_address(evcon, "127.0.0.2");
	evhttp_set_gencb(http, http_keep, NULL);
	from = get_from_some_port(evcon);
	log_wait("handler");
	cr_assert_str_eq(kept->remote_host, "127.0.0.2");
	cr_assert_eq(kept->remote_port, from);
	cr_assert_eq(getsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)),
				SOL_SOCKET, SO_KEEPALIVE, &on, &len),
		     0);
	cr_assert_neq(on, 0);
	evhttp_send_reply(kept, 200, NULL, NULL);
	client_wait(1);
	evhttp_connection_free(evcon);
}

/* HTTP-242: a port alone, too. */
Test(http_client_make, from_a_source_port)
{
	struct evhttp_connection *evcon = client_open(port);
	ev_uint16_t from;

	evhttp_set_gencb(http, http_keep, NULL);
	from = get_from_some_port(evcon);
	log_wait("handler");
	cr_assert_eq(kept->remote_port, from);
	evhttp_send_reply(kept, 200, NULL, NULL);
	client_wait(1);
	evhttp_connection_free(evcon);
}

/* HTTP-242, HTTP-250: the suite finds a request that is not freed. */
Test(http_client_make, a_source_address_of_others_is_refused)
{
	struct evhttp_connection *evcon = client_open(port);

	evhttp_connection_set_local_address(evcon, "192.0.2.1");
	cr_assert_eq(evhttp_make_request(evcon, client_request(), EVHTTP_REQ_GET, "/"), -1);
	cr_assert_str_eq(http_log, "");
	evhttp_connection_set_local_address(evcon, NULL);
	evhttp_set_gencb(http, http_hello, NULL);
	client_get(evcon, "/");
	client_wait(1);
	cr_assert_str_eq(http_log, "done-200");
	evhttp_connection_free(evcon);
}

/* --- Flags ------------------------------------------------------------------------------------ */

/* HTTP-243 */
Test(http_client_make, flags_are_checked)
{
	struct evhttp_connection *evcon = client_open(port);

	cr_assert_eq(evhttp_connection_set_flags(evcon, EVHTTP_CON_REUSE_CONNECTED_ADDR), 0);
	cr_assert_eq(evhttp_connection_set_flags(evcon, EVHTTP_CON_READ_ON_WRITE_ERROR), 0);
	cr_assert_eq(evhttp_connection_set_flags(evcon, EVHTTP_CON_READ_ON_WRITE_ERROR |
						 EVHTTP_CON_REUSE_CONNECTED_ADDR), 0);
	cr_assert_neq(evhttp_connection_set_flags(evcon, EVHTTP_CON_LINGERING_CLOSE), 0);
	cr_assert_neq(evhttp_connection_set_flags(evcon, 1), 0);
	cr_assert_neq(evhttp_connection_set_flags(evcon, 1 << 25), 0);
	cr_assert_eq(evhttp_connection_set_flags(evcon, 0), 0);
	evhttp_connection_free(evcon);
}

/* The server answers before it has read the body, and closes: writing the rest fails. */
static void answer_early(int flags, const char *log)
{
	struct evhttp_connection *evcon;
	struct evhttp_request *req = client_request();
	static char block[1 << 20];
	ev_uint16_t to;
	evutil_socket_t listener = support_listen(&to);
	evutil_socket_t fd = -1;
	static const char reply[] = "HTTP/1.1 413 Big\r\nContent-Length: 2\r\n\r\nno";

	evcon = client_open(to);
	cr_assert_eq(evhttp_connection_set_flags(evcon, flags), 0);
	for (int i = 0; i < 32; i++)
		evbuffer_add_reference(evhttp_request_get_output_buffer(req), block, sizeof(block),
				       NULL, NULL);
	evhttp_make_request(evcon, req, EVHTTP_REQ_PUT, "/");
	while (fd < 0) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		fd = accept(listener, NULL, NULL);
	}
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	/*
	 * The answer lies in the client's receive queue; then its sending side breaks. A reset by
	 * the server would take the answer away with it.
	 */
	cr_assert_eq(send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL), (ssize_t)sizeof(reply) - 1);
	shutdown(bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)), SHUT_WR);
	client_wait(1);
	cr_assert_str_eq(http_log, log);
	evhttp_connection_free(evcon);
	evutil_closesocket(fd);
	evutil_closesocket(listener);
}

/* HTTP-245 */
Test(http_client_make, the_answer_is_read_although_writing_failed)
{
	answer_early(EVHTTP_CON_READ_ON_WRITE_ERROR, "close done-413");
	cr_assert_str_eq(http_body, "no");
}

/* --- Deprecated ------------------------------------------------------------------------------- */

/* HTTP-233 */
Test(http_client_make, the_old_constructor_gets_its_base_later)
{
	struct evhttp_connection *evcon = evhttp_connection_new("127.0.0.1", port);

	cr_assert_not_null(evcon);
	evhttp_connection_set_base(evcon, base);
	cr_assert_eq(evhttp_connection_get_base(evcon), base);
	evhttp_set_gencb(http, http_hello, NULL);
	client_get(evcon, "/");
	client_wait(1);
	evhttp_connection_set_base(evcon, NULL); /* too late: nothing happens */
	cr_assert_eq(evhttp_connection_get_base(evcon), base);
	evhttp_connection_free(evcon);
}

/* HTTP-233 */
Test(http_client_make, without_any_base_a_request_is_refused)
{
	struct evhttp_connection *evcon = evhttp_connection_new("127.0.0.1", port);

	cr_assert_eq(evhttp_make_request(evcon, client_request(), EVHTTP_REQ_GET, "/"), -1);
	evhttp_connection_free(evcon);
}
