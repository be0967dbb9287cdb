/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a server listens: ports, addresses, sockets and listeners handed over, and their end. */

#include "server_test.h"

#include <event2/event_compat.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(http_server_listen, .init = http_open, .fini = http_close, .timeout = 60);

static int is_open(evutil_socket_t fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static const char *get_from(ev_uint16_t other, const char *target)
{
	ev_uint16_t first = port;
	const char *got;

	port = other;
	got = get(target);
	port = first;
	return got;
}

/* HTTP-001: no listener, no callback; without a base only good as a virtual host. */
Test(http_server_listen, a_new_server_has_nothing)
{
	struct evhttp *other = evhttp_new(NULL);

	cr_assert_not_null(other);
	cr_assert_eq(evhttp_get_connection_count(other), 0);
	cr_assert_eq(evhttp_bind_socket(other, "127.0.0.1", 0), -1);
	evhttp_free(other);
}

/* HTTP-002 */
Test(http_server_listen, defaults)
{
	static const char *const allowed[] = { "GET", "POST", "HEAD", "PUT", "DELETE" };
	static const char *const other[] = { "OPTIONS", "TRACE", "PATCH", "PROPFIND", "MKCOL" };
	char text[128];

	evhttp_set_gencb(http, http_hello, NULL);
	for (int i = 0; i < 5; i++) {
		evutil_snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", allowed[i]);
		cr_expect_eq(code_of(talk(text)), 200, "%s", allowed[i]);
		evutil_snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", other[i]);
		cr_expect_eq(code_of(talk(text)), 501, "%s", other[i]);
	}
	cr_expect_eq(has_line(get("/"), "Content-Type: text/html; charset=ISO-8859-1"), 1);
}

/* HTTP-003 */
Test(http_server_listen, the_deprecated_start_uses_the_current_base)
{
	struct event_base *current = event_init();
	struct evhttp *started = evhttp_start("127.0.0.1", 0);

	cr_assert_not_null(started);
	evhttp_free(started);
	cr_assert_null(evhttp_start("192.0.2.1", 1));
	event_base_free(current);
}

/* HTTP-004, HTTP-005, HTTP-014: as many as one likes, in the order they were made. */
static void collect(struct evhttp_bound_socket *bound, void *arg)
{
	http_note("%d", (int)http_port_of(bound));
	(void)arg;
}

Test(http_server_listen, many_sockets)
{
	struct evhttp_bound_socket *second, *third;
	char expected[64];

	evhttp_set_gencb(http, http_hello, NULL);
	second = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	third = evhttp_bind_socket_with_handle(http, "localhost", 0);
	cr_assert_not_null(second);
	cr_assert_not_null(third);
	cr_assert_neq(http_port_of(second), 0);
	cr_expect_eq(code_of(get_from(http_port_of(second), "/")), 200);
	cr_expect_eq(code_of(get("/")), 200);
	evhttp_foreach_bound_socket(http, collect, NULL);
	evutil_snprintf(expected, sizeof(expected), "%d %d %d", (int)port,
			(int)http_port_of(second), (int)http_port_of(third));
	cr_expect_str_eq(http_log, expected);
}

/*
 * HTTP-005: ports in the upper half are no negative numbers. One of the last hundred will be free.
 */
Test(http_server_listen, ports_up_to_the_last)
{
	struct evhttp_bound_socket *bound = NULL;
	int number = 65536;

	while (bound == NULL && number > 65436)
		bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", (ev_uint16_t)--number);
	cr_assert_not_null(bound);
	cr_assert_eq(http_port_of(bound), number);
}

/* HTTP-006 */
Test(http_server_listen, no_address_is_any_of_version_4)
{
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, NULL, 0);
	struct sockaddr_storage name;
	ev_socklen_t len = sizeof(name);

	cr_assert_not_null(bound);
	cr_assert_eq(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&name, &len),
		     0);
	cr_assert_eq(name.ss_family, AF_INET);
	cr_assert_eq(((struct sockaddr_in *)&name)->sin_addr.s_addr, htonl(INADDR_ANY));
	cr_assert_null(evhttp_bind_socket_with_handle(http, "no such name", 0));
}

static int option(evutil_socket_t fd, int level, int name)
{
	int value = -1;
	ev_socklen_t len = sizeof(value);

	cr_assert_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* HTTP-007, HTTP-369 */
Test(http_server_listen, options_of_the_socket)
{
	evutil_socket_t fd;
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);

	fd = evhttp_bound_socket_get_fd(bound);
	cr_expect_neq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	cr_expect_neq(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	cr_expect_eq(option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
	cr_expect_eq(option(fd, SOL_SOCKET, SO_REUSEPORT), 0);
	cr_expect_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	cr_expect_eq(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 300);
}

/* HTTP-008 */
Test(http_server_listen, the_error_of_a_failed_bind_is_kept)
{
	EVUTIL_SET_SOCKET_ERROR(0);
	cr_assert_eq(evhttp_bind_socket(http, "127.0.0.1", port), -1);
	cr_assert_eq(EVUTIL_SOCKET_ERROR(), support_socket_error(EADDRINUSE));
	EVUTIL_SET_SOCKET_ERROR(0);
	cr_assert_null(evhttp_bind_socket_with_handle(http, "192.0.2.1", 1));
	cr_assert_eq(EVUTIL_SOCKET_ERROR(), support_socket_error(EADDRNOTAVAIL));
}

/* HTTP-009: with version 6, or a plain failure without. */
Test(http_server_listen, addresses_of_version_6)
{
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "::1", 0);
	struct sockaddr_in6 name;
	ev_socklen_t len = sizeof(name);
	struct peer *peer;
	evutil_socket_t fd;

	if (bound == NULL)
		cr_skip_test("there is no version 6 here");
	evhttp_set_gencb(http, http_hello, NULL);
	cr_assert_eq(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&name, &len),
		     0);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&name, len), 0);
	evutil_make_socket_nonblocking(fd);
	peer = peer_open_on(fd);
	peer_send(peer, GET("/"));
	peer_until(peer, "hello");
	peer_close(peer);
}

/* HTTP-010, HTTP-011: it must listen already; the descriptor goes with the handle. */
Test(http_server_listen, a_socket_handed_over)
{
	ev_uint16_t other;
	evutil_socket_t fd = support_listen(&other);
	struct evhttp_bound_socket *bound = evhttp_accept_socket_with_handle(http, fd);

	cr_assert_not_null(bound);
	cr_assert_eq(evhttp_bound_socket_get_fd(bound), fd);
	evhttp_set_gencb(http, http_hello, NULL);
	check_reply(get_from(other, "/"), 200, "hello");
	evhttp_del_accept_socket(http, bound);
	cr_assert(!is_open(fd));
}

/* HTTP-010: no listen() is called for the program. */
Test(http_server_listen, a_socket_that_does_not_listen_is_left_so)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	if (evhttp_accept_socket(http, fd) != 0)
		evutil_closesocket(fd);
	else
		cr_assert_eq(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
}

/* HTTP-010: what was not taken still belongs to the caller. */
Test(http_server_listen, out_of_memory_leaves_the_socket_alone)
{
	ev_uint16_t other;
	evutil_socket_t fd = support_listen(&other);

	for (int n = 0;; n++) {
		int result;

		support_fail_once_after(n);
		result = evhttp_accept_socket(http, fd);
		support_fail_once_after(-1);
		if (result == 0)
			break;
		cr_assert(is_open(fd));
		cr_assert_lt(n, 100);
	}
}

/* HTTP-012, HTTP-013 */
static void never(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *name,
		  int len, void *arg)
{
	(void)listener;
	(void)fd;
	(void)name;
	(void)len;
	(void)arg;
	cr_assert_fail("the listener's own callback ran");
}

Test(http_server_listen, a_listener_handed_over)
{
	ev_uint16_t other;
	evutil_socket_t fd = support_listen(&other);
	struct evconnlistener *listener =
		evconnlistener_new(base, never, NULL, LEV_OPT_CLOSE_ON_FREE, 0, fd);
	struct evhttp_bound_socket *bound;

	support_fail_all_after(0);
	cr_assert_null(evhttp_bind_listener(http, listener));
	support_fail_all_after(-1);
	bound = evhttp_bind_listener(http, listener);
	cr_assert_not_null(bound);
	cr_assert_eq(evhttp_bound_socket_get_listener(bound), listener);
	cr_assert_eq(evhttp_bound_socket_get_fd(bound), fd);
	evhttp_set_gencb(http, http_hello, NULL);
	check_reply(get_from(other, "/"), 200, "hello");
}

/* HTTP-013 */
Test(http_server_listen, accepting_can_be_paused)
{
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	struct peer *peer = peer_open(http_port_of(bound));

	evhttp_set_gencb(http, http_hello, NULL);
	evconnlistener_disable(evhttp_bound_socket_get_listener(bound));
	peer_send(peer, GET("/"));
	settle();
	cr_assert_eq(evhttp_get_connection_count(http), 0);
	evconnlistener_enable(evhttp_bound_socket_get_listener(bound));
	peer_until(peer, "hello");
	peer_close(peer);
}

/* HTTP-015: graceful stop: no new connections, the old ones live on. */
Test(http_server_listen, connections_outlive_where_they_came_in)
{
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	evutil_socket_t fd = evhttp_bound_socket_get_fd(bound);
	struct peer *peer = peer_open(http_port_of(bound));

	evhttp_set_gencb(http, http_hello, NULL);
	until_connections(1);
	evhttp_del_accept_socket(http, bound);
	cr_assert(!is_open(fd));
	peer_send(peer, GET("/"));
	peer_until(peer, "hello");
	peer_close(peer);
}

/* HTTP-020 */
Test(http_server_listen, servers_share_a_loop)
{
	struct evhttp *other = evhttp_new(base);
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(other, "127.0.0.1", 0);

	evhttp_set_gencb(http, answer_text, (void *)(uintptr_t)"one");
	evhttp_set_gencb(other, answer_text, (void *)(uintptr_t)"two");
	check_reply(get("/"), 200, "one");
	check_reply(get_from(http_port_of(bound), "/"), 200, "two");
	evhttp_free(other);
}

/* H46, HTTP-149, HTTP-151, HTTP-371: over a Unix socket, where peers have no name. */
static void tell_peer(struct evhttp_request *req, void *arg)
{
	const char *address = "none";
	ev_uint16_t number = 7;

	(void)arg;
	evhttp_connection_get_peer(evhttp_request_get_connection(req), &address, &number);
	cr_expect_null(address);
	cr_expect_eq(number, 0);
	cr_expect_null(req->remote_host);
	cr_expect_eq(req->remote_port, 0);
	cr_expect_null(evhttp_connection_get_addr(evhttp_request_get_connection(req)));
	http_hello(req, NULL);
}

Test(http_server_listen, unix_sockets)
{
	char path[128];
	struct peer *peer;

	cr_assert_eq(evhttp_accept_socket(http, unix_listen(path, sizeof(path))), 0);
	evhttp_set_gencb(http, tell_peer, NULL);
	peer = unix_peer(path);
	peer_send(peer, GET("/"));
	peer_until(peer, "hello");
	peer_close(peer);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

/* However the socket came to be: the end of a reply does not wait for an acknowledgement. */
static void say_delay(struct evhttp_request *req, void *arg)
{
	struct bufferevent *bev =
		evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));
	socklen_t len = sizeof(int);

	cr_assert_eq(getsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, arg, &len), 0);
	http_hello(req, NULL);
}

static int has_no_delay(ev_uint16_t to)
{
	struct peer *peer = peer_open(to);
	int is_on = 0;

	evhttp_set_gencb(http, say_delay, &is_on);
	peer_send(peer, GET("/"));
	peer_until(peer, "hello");
	peer_close(peer);
	return is_on != 0;
}

Test(http_server_listen, replies_are_not_delayed)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	struct evconnlistener *listener;
	ev_uint16_t other;
	evutil_socket_t fd = support_listen(&other);

	cr_expect(has_no_delay(port));
	cr_assert_eq(evhttp_accept_socket(http, fd), 0);
	cr_expect(has_no_delay(other));
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = evconnlistener_new_bind(base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE, -1,
					   (struct sockaddr *)&name, sizeof(name));
	cr_assert_not_null(listener);
	cr_expect(has_no_delay(http_port_of(evhttp_bind_listener(http, listener))));
}

/* A connection from elsewhere, with and without a name. */
Test(http_server_listen, a_socket_that_was_accepted_elsewhere)
{
	const struct sockaddr_in name = { .sin_family = AF_INET,
					  .sin_port = htons(1234),
					  .sin_addr.s_addr = htonl(0x01020304) };

	evhttp_set_gencb(http, http_hello, NULL);
	for (int has_name = 0; has_name < 2; has_name++) {
		const struct sockaddr *sa = has_name ? (const struct sockaddr *)&name : NULL;
		int len = has_name ? sizeof(name) : 0;
		evutil_socket_t ends[2];
		struct peer *peer;

		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		cr_assert_eq(evhttp_serve_socket(http, ends[0], sa, len), 0);
		cr_expect((fcntl(ends[0], F_GETFL) & O_NONBLOCK) != 0);
		cr_expect_eq(evhttp_get_connection_count(http), 1);
		evutil_make_socket_nonblocking(ends[1]);
		peer = peer_open_on(ends[1]);
		peer_send(peer, GET("/hello"));
		peer_finish(peer);
		peer_until_end(peer);
		cr_expect_eq(code_of(peer->got), 200);
		peer_close(peer);
		until_connections(0);
	}
	cr_expect_eq(evhttp_serve_socket(http, -1, NULL, 0), -1);
}
