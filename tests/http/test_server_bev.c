/* SPDX-License-Identifier: BSD-3-Clause */
/* The bufferevent of a connection: the program's or ours, and who closes the descriptor. */

#include "server_test.h"

#include <fcntl.h>

TestSuite(http_server_bev, .init = http_open, .fini = http_close, .timeout = 60);

static struct bufferevent *last_made;
static int made;

static struct bufferevent *make(struct event_base *on, void *arg)
{
	cr_expect_eq(on, base);
	made++;
	last_made = bufferevent_socket_new(on, -1, *(int *)arg);
	return last_made;
}

static struct bufferevent *make_none(struct event_base *on, void *arg)
{
	(void)on;
	(void)arg;
	made++;
	return NULL;
}

static evutil_socket_t last_fd;

static void note_bev(struct evhttp_request *req, void *arg)
{
	struct bufferevent *bev =
		evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));

	(void)arg;
	last_fd = bufferevent_getfd(bev);
	http_note(bev == last_made ? "made" : "plain");
	http_hello(req, NULL);
}

/*
 * HTTP-079, HTTP-081, HTTP-082, HTTP-154, HTTP-368: closed with the connection, with or without the
 * option.
 */
Test(http_server_bev, of_the_program)
{
	static int options[] = { 0, BEV_OPT_CLOSE_ON_FREE, BEV_OPT_DEFER_CALLBACKS };

	evhttp_set_gencb(http, note_bev, NULL);
	for (int i = 0; i < 3; i++) {
		http_log[0] = '\0';
		evhttp_set_bevcb(http, make, &options[i]);
		check_reply(get("/"), 200, "hello");
		cr_expect_str_eq(http_log, "made");
		until_connections(0);
		cr_expect_eq(fcntl(last_fd, F_GETFD), -1, "options %d", options[i]);
	}
	cr_expect_eq(made, 3);
}

/* HTTP-079 */
Test(http_server_bev, none_is_a_plain_one)
{
	evhttp_set_gencb(http, note_bev, NULL);
	evhttp_set_bevcb(http, make_none, NULL);
	check_reply(get("/"), 200, "hello");
	cr_expect_str_eq(http_log, "plain");
	cr_expect_eq(made, 1);
}

/* HTTP-080: the listener's comes first; only if it gives none is the server's asked. */
static struct bufferevent *make_for_bound(struct event_base *on, void *arg)
{
	http_note("bound");
	return *(int *)arg ? bufferevent_socket_new(on, -1, BEV_OPT_CLOSE_ON_FREE) : NULL;
}

Test(http_server_bev, of_a_listener)
{
	static int options = BEV_OPT_CLOSE_ON_FREE;
	static int gives = 1;
	ev_uint16_t first = port;
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);

	evhttp_set_gencb(http, http_hello, NULL);
	evhttp_set_bevcb(http, make, &options);
	evhttp_bound_set_bevcb(bound, make_for_bound, &gives);
	port = http_port_of(bound);
	check_reply(get("/"), 200, "hello");
	cr_expect_str_eq(http_log, "bound");
	cr_expect_eq(made, 0);
	gives = 0;
	check_reply(get("/"), 200, "hello");
	cr_expect_eq(made, 1);
	port = first;
	check_reply(get("/"), 200, "hello");
	cr_expect_eq(made, 2);
	cr_expect_str_eq(http_log, "bound bound");
}

/* HTTP-079: a server freed in its own callback. */
static struct bufferevent *free_server(struct event_base *on, void *arg)
{
	(void)arg;
	evhttp_free(http);
	http = NULL;
	return bufferevent_socket_new(on, -1, BEV_OPT_CLOSE_ON_FREE);
}

Test(http_server_bev, the_server_may_be_freed_in_the_callback)
{
	struct peer *peer = peer_open(port);

	evhttp_set_bevcb(http, free_server, NULL);
	peer_until_end(peer);
	peer_close(peer);
}

/* HTTP-021, H44: whatever happens to one descriptor, the next is served. */
Test(http_server_bev, a_connection_that_cannot_be_made_harms_no_other)
{
	struct peer *peer;

	evhttp_set_gencb(http, http_hello, NULL);
	for (int n = 0; n < 12; n++) {
		peer = peer_open(port);
		support_fail_once_after(n);
		settle();
		support_fail_once_after(-1);
		peer_send(peer, GET("/"));
		peer_finish(peer);
		peer_until_end(peer);
		cr_expect(peer->len == 0 || code_of(peer->got) == 200);
		peer_close(peer);
		check_reply(get("/"), 200, "hello");
	}
}
