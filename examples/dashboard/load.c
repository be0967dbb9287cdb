/* SPDX-License-Identifier: BSD-3-Clause */
#include "load.h"

#include "histogram.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <arpa/inet.h>
#include <math.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CLIENTS_MAX     2000
#define JOIN_AT_ONCE    50 /* new clients per tick */
#define MESSAGE_MAX     8192
#define MESSAGES_A_LIFE 400

struct client {
	struct load *load;
	struct bufferevent *bev; /* NULL: not there */
	struct event *thinking;
	size_t awaited; /* bytes that have not come back */
	double sent_us;
	int messages;
};

struct load {
	pthread_t thread;
	int port;
	struct event_base *base;
	struct event *tick;
	struct client clients[CLIENTS_MAX];
	char message[MESSAGE_MAX];
	atomic_int wanted;
	atomic_int is_over;
	atomic_uint messages;
	struct histogram trips;
};

static double fraction(void)
{
	return (double)rand() / RAND_MAX;
}

static void leave(struct client *client)
{
	if (client->bev == NULL)
		return;
	bufferevent_free(client->bev);
	event_del(client->thinking);
	client->bev = NULL;
}

static void send_message(struct client *client)
{
	size_t len = (size_t)exp(log(32) + fraction() * log(MESSAGE_MAX / 32));

	client->awaited = len;
	client->sent_us = now_us();
	bufferevent_write(client->bev, client->load->message, len);
}

static void on_thought(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_message(arg);
}

/* 5 to 40 milliseconds on average, over 30 seconds, and as much again by chance. */
static void think(struct client *client)
{
	double swing = 0.5 - 0.5 * cos(now_us() / 30e6 * 2 * acos(-1));
	double us = (40e3 - 35e3 * swing) * (0.5 + fraction());
	struct timeval span = { 0, (suseconds_t)us };

	event_add(client->thinking, &span);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(in);

	evbuffer_drain(in, len);
	client->awaited -= len < client->awaited ? len : client->awaited;
	if (client->awaited > 0)
		return;
	histogram_add(&client->load->trips, now_us() - client->sent_us);
	atomic_fetch_add_explicit(&client->load->messages, 1, memory_order_relaxed);
	if (++client->messages >= MESSAGES_A_LIFE)
		leave(client); /* and comes back with the next tick */
	else
		think(client);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *client = arg;

	if (!(what & BEV_EVENT_CONNECTED)) {
		leave(client);
		return;
	}
	setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	think(client);
}

static void join(struct client *client)
{
	struct load *load = client->load;
	struct sockaddr_in name = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port),
	};

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->bev = bufferevent_socket_new(load->base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (client->bev == NULL)
		return;
	client->messages = rand() % MESSAGES_A_LIFE;
	bufferevent_setcb(client->bev, on_read, NULL, on_event, client);
	bufferevent_enable(client->bev, EV_READ);
	if (bufferevent_socket_connect(client->bev, (struct sockaddr *)&name, sizeof(name)) < 0)
		leave(client);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct load *load = arg;
	int wanted = atomic_load(&load->wanted), joined = 0;

	(void)fd;
	(void)what;
	if (atomic_load(&load->is_over)) {
		event_base_loopbreak(load->base);
		return;
	}
	for (int i = 0; i < CLIENTS_MAX; i++) {
		if (i >= wanted)
			leave(&load->clients[i]);
		else if (load->clients[i].bev == NULL && joined++ < JOIN_AT_ONCE)
			join(&load->clients[i]);
	}
}

static void *run(void *arg)
{
	struct load *load = arg;

	event_base_dispatch(load->base);
	return NULL;
}

static int prepare(struct load *load)
{
	static const struct timeval often = { 0, 50000 };

	load->base = event_base_new();
	if (load->base == NULL)
		return -1;
	load->tick = event_new(load->base, -1, EV_PERSIST, on_tick, load);
	if (load->tick == NULL || event_add(load->tick, &often) < 0)
		return -1;
	for (int i = 0; i < CLIENTS_MAX; i++) {
		load->clients[i].load = load;
		load->clients[i].thinking = evtimer_new(load->base, on_thought, &load->clients[i]);
		if (load->clients[i].thinking == NULL)
			return -1;
	}
	return pthread_create(&load->thread, NULL, run, load) == 0 ? 0 : -1;
}

static void release(struct load *load)
{
	for (int i = 0; i < CLIENTS_MAX; i++) {
		leave(&load->clients[i]);
		if (load->clients[i].thinking != NULL)
			event_free(load->clients[i].thinking);
	}
	if (load->tick != NULL)
		event_free(load->tick);
	if (load->base != NULL)
		event_base_free(load->base);
	free(load);
}

struct load *load_new(int port)
{
	struct load *load = calloc(1, sizeof(*load));

	if (load == NULL)
		return NULL;
	load->port = port;
	if (prepare(load) == 0)
		return load;
	release(load);
	return NULL;
}

void load_free(struct load *load)
{
	atomic_store(&load->is_over, 1);
	pthread_join(load->thread, NULL);
	release(load);
}

void load_set_clients(struct load *load, int count)
{
	atomic_store(&load->wanted, count < CLIENTS_MAX ? count : CLIENTS_MAX);
}

void load_sample(struct load *load, struct sample *sample, double span)
{
	struct quantiles trips = histogram_take(&load->trips);

	sample->messages = atomic_exchange(&load->messages, 0) / span;
	sample->trip_p50 = trips.p50;
	sample->trip_p99 = trips.p99;
	sample->trip_max = trips.max;
}
