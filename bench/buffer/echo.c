/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bufferevents over TCP: an echo server. `mem` cases tell the bytes that one connection's
 * bufferevent takes.
 */

#include "load.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include <malloc.h>

struct server {
	struct event_base *base;
	long left; /* connections that will still end */
};

static void echo(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_write_buffer(bev, bufferevent_get_input(bev));
}

static void end(struct bufferevent *bev, short what, void *arg)
{
	struct server *server = arg;

	(void)what;
	bufferevent_free(bev);
	if (--server->left == 0)
		event_base_loopbreak(server->base);
}

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		     int len, void *arg)
{
	struct server *server = arg;
	struct bufferevent *bev;

	(void)listener;
	(void)sa;
	(void)len;
	bev = bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		bench_die("bufferevent_socket_new");
	bufferevent_setcb(bev, echo, NULL, end, server);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void serve(int fd, long connections)
{
	struct server server = { event_base_new(), connections };
	struct evconnlistener *listener = evconnlistener_new(
		server.base, accepted, &server, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);

	if (listener == NULL)
		bench_die("listener");
	event_base_dispatch(server.base);
	evconnlistener_free(listener);
	event_base_free(server.base);
}

/* --- Memory ----------------------------------------------------------------------------------- */

static void exchange(struct event_base *base, int (*fd)[2], long n)
{
	for (long i = 0; i < n; i++)
		if (write(fd[i][1], block, 64) != 64)
			bench_die("write");
	for (long i = 0; i < n; i++)
		while (read(fd[i][1], block, 64) != 64)
			event_base_loop(base, EVLOOP_NONBLOCK);
}

static void memory(long n, const struct bench_case *which)
{
	struct server server = { event_base_new(), 0 };
	int(*fd)[2] = calloc((size_t)n, sizeof(*fd));
	size_t before;

	allow_descriptors(2 * (rlim_t)n + 100);
	for (long i = 0; i < n; i++)
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd[i]) != 0)
			bench_die("socketpair");
	before = mallinfo2().uordblks;
	for (long i = 0; i < n; i++)
		accepted(NULL, fd[i][0], NULL, 0, &server);
	event_base_loop(server.base, EVLOOP_NONBLOCK);
	if (which->a)
		exchange(server.base, fd, n);
	printf("%.0f B\n", (double)(mallinfo2().uordblks - before) / (double)n);
}

int main(int argc, char **argv)
{
	return echo_main(argc, argv, memory);
}
