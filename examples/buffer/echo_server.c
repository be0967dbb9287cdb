/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * echo_server [PORT]: sends back what it receives, to any number of clients at once.
 *
 *     echo_server 7777 &
 *     echo hello | nc -N localhost 7777
 */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* All that has arrived moves to the output; no byte is copied. */
static void on_read(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_write_buffer(bev, bufferevent_get_input(bev));
}

/* The write callback runs when everything is sent: only then may the connection go. */
static void on_all_sent(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_free(bev);
}

/* A client that ends its stream still gets the rest of its echo. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	size_t unsent = evbuffer_get_length(bufferevent_get_output(bev));

	(void)arg;
	if ((what & BEV_EVENT_EOF) && unsent > 0)
		bufferevent_setcb(bev, NULL, on_all_sent, on_event, NULL);
	else
		bufferevent_free(bev);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
		      int len, void *arg)
{
	struct event_base *base = evconnlistener_get_base(listener);
	struct bufferevent *bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)peer;
	(void)len;
	(void)arg;
	if (bev == NULL) {
		evutil_closesocket(fd);
		return;
	}
	bufferevent_setcb(bev, on_read, NULL, on_event, NULL);
	bufferevent_enable(bev, EV_READ);
}

static void on_signal(evutil_socket_t number, short what, void *base)
{
	(void)number;
	(void)what;
	event_base_loopexit(base, NULL);
}

static int port_of(struct evconnlistener *listener)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&sin, &len) != 0)
		return 0;
	return ntohs(sin.sin_port);
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct event_base *base = event_base_new();
	struct evconnlistener *listener;
	struct event *stop;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(argc > 1 ? (unsigned short)atoi(argv[1]) : 0);
	listener = evconnlistener_new_bind(base, on_accept, NULL,
					   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
					   (struct sockaddr *)&sin, sizeof(sin));
	if (listener == NULL) {
		perror("echo_server");
		return 1;
	}
	stop = evsignal_new(base, SIGTERM, on_signal, base);
	event_add(stop, NULL);
	printf("listening on port %d\n", port_of(listener));
	fflush(stdout);
	event_base_dispatch(base);
	event_free(stop);
	evconnlistener_free(listener);
	event_base_free(base);
	return 0;
}
