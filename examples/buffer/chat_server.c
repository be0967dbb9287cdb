/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chat_server [PORT]: passes each line of a client to all the others.
 *
 * Watermarks keep every client's memory bounded:
 *   - the read high mark stops reading at the longest line allowed; whoever fills it without ending
 *     the line is sent away;
 *   - a client that does not read is told nothing more while its output is above a limit, and the
 *     write low mark tells when it has caught up.
 */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_LEN 1024
#define OUTPUT_LIMIT (64 * 1024)
#define CAUGHT_UP    (4 * 1024)

struct client {
	struct client *next;
	struct bufferevent *bev;
	int number;
	unsigned missed; /* lines, since its output passed the limit */
};

static struct client *clients;

static void say(struct client *to, const char *line)
{
	struct evbuffer *out = bufferevent_get_output(to->bev);

	if (to->missed > 0 || evbuffer_get_length(out) > OUTPUT_LIMIT)
		to->missed++;
	else
		evbuffer_add_printf(out, "%s\n", line);
}

static void say_to_others(const struct client *from, const char *line)
{
	char text[LINE_MAX_LEN + 32];

	snprintf(text, sizeof(text), "%d: %s", from->number, line);
	for (struct client *c = clients; c != NULL; c = c->next)
		if (c != from)
			say(c, text);
}

static void leave(struct client *client)
{
	struct client **link = &clients;

	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	say_to_others(client, "has left");
	bufferevent_free(client->bev);
	free(client);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	char *line;

	while ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF)) != NULL) {
		say_to_others(arg, line);
		free(line);
	}
	if (evbuffer_get_length(in) >= LINE_MAX_LEN)
		leave(arg);
}

/* Runs at or below the low mark. */
static void on_write(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;

	if (client->missed == 0)
		return;
	evbuffer_add_printf(bufferevent_get_output(bev), "(missed %u lines)\n", client->missed);
	client->missed = 0;
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	leave(arg);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
		      int len, void *arg)
{
	static int count;
	struct client *client = calloc(1, sizeof(*client));
	struct bufferevent *bev;

	(void)peer;
	(void)len;
	(void)arg;
	bev = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
	if (client == NULL || bev == NULL) {
		evutil_closesocket(fd);
		free(client);
		return;
	}
	client->bev = bev;
	client->number = ++count;
	client->next = clients;
	clients = client;
	bufferevent_setcb(bev, on_read, on_write, on_event, client);
	bufferevent_setwatermark(bev, EV_READ, 0, LINE_MAX_LEN);
	bufferevent_setwatermark(bev, EV_WRITE, CAUGHT_UP, 0);
	bufferevent_enable(bev, EV_READ);
	say_to_others(client, "has come");
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct event_base *base = event_base_new();
	struct evconnlistener *listener;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(argc > 1 ? (unsigned short)atoi(argv[1]) : 0);
	listener = evconnlistener_new_bind(base, on_accept, NULL,
					   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
					   (struct sockaddr *)&sin, sizeof(sin));
	if (listener == NULL) {
		perror("chat_server");
		return 1;
	}
	getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&sin, &len);
	printf("listening on port %d\n", ntohs(sin.sin_port));
	fflush(stdout);
	event_base_dispatch(base);
	evconnlistener_free(listener);
	event_base_free(base);
	return 0;
}
