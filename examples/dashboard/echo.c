/* SPDX-License-Identifier: BSD-3-Clause */
#include "echo.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <event2/util.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct timer {
	struct event *event;
	struct echo *echo;
	double period_us, due_us;
};

struct client {
	struct client *next, **link;
	struct bufferevent *bev;
	struct echo *echo;
};

struct echo {
	struct event_base *base;
	struct probe *probe;
	struct evconnlistener *listener;
	struct client *clients;
	int connections;
	struct timer *timers;
	int timer_count;
	double in, out; /* bytes since the last sample */
};

/* --- Timers ----------------------------------------------------------------------------------- */

static void start_timer(struct timer *timer)
{
	struct timeval period = { (time_t)(timer->period_us / 1e6), 0 };

	period.tv_usec = (suseconds_t)(timer->period_us - (double)period.tv_sec * 1e6);
	timer->due_us = now_us() + timer->period_us;
	event_add(timer->event, &period);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct timer *timer = arg;

	(void)fd;
	(void)what;
	probe_note_late(timer->echo->probe, now_us() - timer->due_us);
	start_timer(timer);
}

static void free_timers(struct echo *echo)
{
	for (int i = 0; i < echo->timer_count; i++)
		event_free(echo->timers[i].event);
	free(echo->timers);
	echo->timers = NULL;
	echo->timer_count = 0;
}

void echo_set_timers(struct echo *echo, int count)
{
	free_timers(echo);
	if (count == 0)
		return;
	echo->timers = calloc((size_t)count, sizeof(*echo->timers));
	for (int i = 0; echo->timers != NULL && i < count; i++) {
		struct timer *timer = &echo->timers[i];

		timer->event = evtimer_new(echo->base, on_timer, timer);
		if (timer->event == NULL)
			return;
		timer->echo = echo;
		timer->period_us = 1e5 + 1.9e6 * ((double)rand() / RAND_MAX);
		start_timer(timer);
		echo->timer_count++;
	}
}

/* --- Echo ------------------------------------------------------------------------------------- */

static void leave(struct client *client)
{
	*client->link = client->next;
	if (client->next != NULL)
		client->next->link = client->link;
	client->echo->connections--;
	bufferevent_free(client->bev);
	free(client);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;
	size_t len = evbuffer_get_length(bufferevent_get_input(bev));

	probe_note_callback(client->echo->probe);
	client->echo->in += (double)len;
	client->echo->out += (double)len;
	bufferevent_write_buffer(bev, bufferevent_get_input(bev)); /* moves, does not copy */
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
	struct echo *echo = arg;
	struct client *client = calloc(1, sizeof(*client));
	struct bufferevent *bev = bufferevent_socket_new(echo->base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)peer;
	(void)len;
	probe_note_callback(echo->probe);
	if (client == NULL || bev == NULL) {
		free(client);
		if (bev != NULL)
			bufferevent_free(bev);
		else
			evutil_closesocket(fd);
		return;
	}
	client->bev = bev;
	client->echo = echo;
	client->next = echo->clients;
	client->link = &echo->clients;
	if (client->next != NULL)
		client->next->link = &client->next;
	echo->clients = client;
	echo->connections++;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)); /* answer at once */
	bufferevent_setcb(bev, on_read, NULL, on_event, client);
	bufferevent_enable(bev, EV_READ);
}

struct echo *echo_new(struct event_base *base, struct probe *probe)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	struct echo *echo = calloc(1, sizeof(*echo));

	if (echo == NULL)
		return NULL;
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	echo->base = base;
	echo->probe = probe;
	echo->listener = evconnlistener_new_bind(base, on_accept, echo, LEV_OPT_CLOSE_ON_FREE, -1,
						 (struct sockaddr *)&name, sizeof(name));
	if (echo->listener != NULL)
		return echo;
	free(echo);
	return NULL;
}

void echo_free(struct echo *echo)
{
	free_timers(echo);
	while (echo->clients != NULL)
		leave(echo->clients);
	evconnlistener_free(echo->listener);
	free(echo);
}

int echo_port(const struct echo *echo)
{
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	getsockname(evconnlistener_get_fd(echo->listener), (struct sockaddr *)&name, &len);
	return ntohs(name.sin_port);
}

void echo_sample(struct echo *echo, struct sample *sample, double span)
{
	sample->connections = echo->connections;
	sample->timers = echo->timer_count;
	sample->in = echo->in / span;
	sample->out = echo->out / span;
	echo->in = echo->out = 0;
}
