/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP connections of the DNS server: RFC 7766. */

#include "dns/service.h"

#include <event2/buffer.h>

#include <string.h>

/* A client that asks faster than it is answered, or reads, has to wait. */
#define PENDING_MAX 128
#define OUTPUT_MAX  (256u << 10)
#define INPUT_MAX   (2u * (EVI_DNS_MESSAGE_MAX + 2))

static void close_client(struct evi_dns_client *client)
{
	struct evdns_server_port *port = client->port;

	if (client->bev == NULL)
		return;
	bufferevent_free(client->bev);
	client->bev = NULL;
	if (client->next != NULL)
		client->next->prev = client->prev;
	*client->prev = client->next;
	port->client_count--;
	evi_dns_client_unref(client);
}

static void free_client(struct event *end, void *arg)
{
	struct evi_dns_client *client = arg;
	struct evdns_server_port *port = client->port;

	event_debug_unassign(end);
	evi_free(client);
	evi_dns_port_lock(port);
	port->refs--;
	evi_dns_port_unlock(port);
}

/* The caller has a reference to the port. */
void evi_dns_client_unref(struct evi_dns_client *client)
{
	if (--client->refs > 0)
		return;
	if (evi_base_in_loop_thread(client->port->event_base) ||
	    event_finalize(0, &client->end, free_client) < 0)
		free_client(&client->end, client);
}

void evi_dns_port_close_clients(struct evdns_server_port *port)
{
	while (port->clients != NULL)
		close_client(port->clients);
}

/* Nothing more comes and nothing is to be written: it may go. */
static void close_if_done(struct evi_dns_client *client)
{
	if (client->bev != NULL && client->is_ending && client->pending == 0 &&
	    !client->is_paused && evbuffer_get_length(bufferevent_get_output(client->bev)) == 0)
		close_client(client);
}

static int must_wait(const struct evi_dns_client *client)
{
	return client->pending >= PENDING_MAX ||
	       evbuffer_get_length(bufferevent_get_output(client->bev)) >= OUTPUT_MAX;
}

static void pause_reading(struct evi_dns_client *client)
{
	client->is_paused = 1;
	(void)bufferevent_disable(client->bev, EV_READ);
}

static void resume_reading(struct evi_dns_client *client)
{
	if (client->bev == NULL || !client->is_paused || must_wait(client))
		return;
	client->is_paused = 0;
	if (!client->is_ending)
		(void)bufferevent_enable(client->bev, EV_READ);
	bufferevent_trigger(client->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

void evi_dns_client_request_ended(struct evi_dns_client *client)
{
	client->pending--;
	resume_reading(client);
	close_if_done(client);
}

void evi_dns_client_send(struct evi_dns_client *client, const uint8_t *data, size_t len)
{
	uint8_t head[2] = { (uint8_t)(len >> 8), (uint8_t)len };
	struct evbuffer *out;

	if (client->bev == NULL)
		return;
	out = bufferevent_get_output(client->bev);
	if (evbuffer_expand(out, len + sizeof(head)) < 0)
		return;
	(void)evbuffer_add(out, head, sizeof(head));
	(void)evbuffer_add(out, data, len);
}

/* One message; 0 if it has not come whole, -1 if the connection is to be closed. */
static int take_message(struct evi_dns_client *client)
{
	struct evbuffer *in = bufferevent_get_input(client->bev);
	struct evi_dns_path path = { .local_family = AF_UNSPEC, .peer_len = sizeof(path.peer) };
	uint8_t head[2], *data;
	size_t len;

	if (evbuffer_copyout(in, head, sizeof(head)) < (ev_ssize_t)sizeof(head))
		return 0;
	len = (size_t)head[0] << 8 | head[1];
	if (len == 0)
		return -1;
	if (evbuffer_get_length(in) < len + sizeof(head))
		return 0;
	data = evi_malloc(len);
	if (data == NULL)
		return -1;
	(void)evbuffer_drain(in, sizeof(head));
	(void)evbuffer_remove(in, data, len);
	if (getpeername(bufferevent_getfd(client->bev), (struct sockaddr *)&path.peer,
			&path.peer_len) != 0)
		path.peer_len = 0;
	evi_dns_service_take(client->port, client, &path, data, len);
	evi_free(data);
	return 1;
}

/* Ends what began with the lock and a reference. */
static void leave(struct evdns_server_port *port)
{
	port->refs--;
	evi_dns_port_unlock(port);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evi_dns_client *client = arg;
	struct evdns_server_port *port = client->port;
	int result = 1;

	(void)bev;
	evi_dns_port_lock(port);
	port->refs++;
	if (client->bev != NULL) {
		client->refs++;
		while (result > 0 && client->bev != NULL && !port->is_closing && !must_wait(client))
			result = take_message(client);
		if (result < 0)
			close_client(client);
		else if (result > 0 && client->bev != NULL)
			pause_reading(client);
		close_if_done(client);
		evi_dns_client_unref(client);
	}
	leave(port);
}

static void on_write(struct bufferevent *bev, void *arg)
{
	struct evi_dns_client *client = arg;
	struct evdns_server_port *port = client->port;

	(void)bev;
	evi_dns_port_lock(port);
	port->refs++;
	resume_reading(client);
	close_if_done(client);
	leave(port);
}

/* An idle connection goes, one whose answer is being prepared does not. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct evi_dns_client *client = arg;
	struct evdns_server_port *port = client->port;

	evi_dns_port_lock(port);
	port->refs++;
	if (client->bev == NULL) {
		/* closed by another thread just now */
	} else if ((what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_READING) &&
		   client->pending > 0) {
		(void)bufferevent_enable(bev, EV_READ);
	} else if (what & BEV_EVENT_EOF) {
		client->is_ending = 1;
		close_if_done(client);
	} else {
		close_client(client);
	}
	leave(port);
}

static struct bufferevent *make_bufferevent(struct evdns_server_port *port, evutil_socket_t fd)
{
	int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS | BEV_OPT_UNLOCK_CALLBACKS;

	if (port->lock != NULL)
		options |= BEV_OPT_THREADSAFE;
	return bufferevent_socket_new(port->event_base, fd, options);
}

static int add_client(struct evdns_server_port *port, evutil_socket_t fd)
{
	struct evi_dns_client *client = evi_calloc(1, sizeof(*client));
	struct timeval idle = { (time_t)port->idle_timeout_s, 0 };

	if (client == NULL)
		return -1;
	client->bev = make_bufferevent(port, fd);
	if (client->bev == NULL) {
		evi_free(client);
		return -1;
	}
	client->port = port;
	client->refs = 1;
	(void)event_assign(&client->end, port->event_base, -1, 0, NULL, client);
	port->refs++;
	client->next = port->clients;
	if (client->next != NULL)
		client->next->prev = &client->next;
	client->prev = &port->clients;
	port->clients = client;
	port->client_count++;
	bufferevent_setcb(client->bev, on_read, on_write, on_event, client);
	if (port->idle_timeout_s > 0)
		(void)bufferevent_set_timeouts(client->bev, &idle, &idle);
	bufferevent_setwatermark(client->bev, EV_READ, 0, INPUT_MAX);
	if (bufferevent_enable(client->bev, EV_READ | EV_WRITE) < 0)
		close_client(client);
	return 0;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr,
		      int len, void *arg)
{
	struct evdns_server_port *port = arg;

	(void)listener;
	(void)addr;
	(void)len;
	evi_dns_port_lock(port);
	port->refs++;
	if (port->is_closing || port->client_count >= port->client_max || add_client(port, fd) < 0)
		(void)evutil_closesocket(fd);
	leave(port);
}

void evi_dns_port_listen(struct evdns_server_port *port)
{
	evconnlistener_set_cb(port->listener, on_accept, port);
}
