/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of the DNS server, and UDP. */

#include "dns/service.h"

#include <string.h>

/* Datagrams taken per wake-up. */
#define BATCH 64

#define TCP_MAX_CLIENTS  10
#define TCP_IDLE_TIMEOUT 10

void evi_dns_port_lock(struct evdns_server_port *port)
{
	evi_lock(port->lock);
}

static void free_port(struct event *readable, void *arg)
{
	struct evdns_server_port *port = arg;

	event_debug_unassign(readable);
	evi_lock_free(port->lock);
	evi_free(port);
}

/* The socket goes at once, since its number may be used again. */
static void destroy(struct evdns_server_port *port)
{
	if (port->fd >= 0)
		(void)evutil_closesocket(port->fd);
	port->fd = EVUTIL_INVALID_SOCKET;
	evi_free(port->packet);
	port->packet = NULL;
	if (evi_base_in_loop_thread(port->event_base) ||
	    event_finalize(0, &port->readable, free_port) < 0)
		free_port(&port->readable, port);
}

void evi_dns_port_unlock(struct evdns_server_port *port)
{
	int is_last = port->refs == 0;

	evi_unlock(port->lock);
	if (is_last)
		destroy(port);
}

/* One datagram; 0 if there is none. */
static int receive(struct evdns_server_port *port)
{
	struct evi_dns_path path;
	ev_ssize_t len =
		evi_dns_datagram_receive(port->fd, port->packet, EVI_DNS_MESSAGE_MAX, &path);

	if (len < 0)
		return 0;
	evi_dns_service_take(port, NULL, &path, port->packet, (size_t)len);
	return 1;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct evdns_server_port *port = arg;

	(void)fd;
	(void)what;
	evi_dns_port_lock(port);
	if (port->is_closing) {
		evi_unlock(port->lock);
		return;
	}
	port->refs++;
	for (int i = 0; i < BATCH && !port->is_closing && receive(port); i++)
		continue;
	port->refs--;
	evi_dns_port_unlock(port);
}

void evi_dns_port_send(struct evi_dns_service_request *r, const uint8_t *data, size_t len)
{
	if (r->client != NULL)
		evi_dns_client_send(r->client, data, len);
	else /* what the network does not take is lost, as with any datagram */
		(void)evi_dns_datagram_send(r->port->fd, data, len, &r->path);
}

static struct evdns_server_port *make(struct event_base *base, evutil_socket_t fd,
				      evdns_request_callback_fn_type fn, void *arg)
{
	struct evdns_server_port *port;

	if (base == NULL)
		base = evi_current_base();
	if (base == NULL)
		return NULL;
	port = evi_calloc(1, sizeof(*port));
	if (port == NULL)
		return NULL;
	if (evi_threading_enabled()) {
		port->lock = evi_lock_new();
		if (port->lock == NULL) {
			evi_free(port);
			return NULL;
		}
	}
	port->event_base = base;
	port->refs = 1;
	port->fn = fn;
	port->arg = arg;
	port->fd = EVUTIL_INVALID_SOCKET;
	port->client_max = TCP_MAX_CLIENTS;
	port->idle_timeout_s = TCP_IDLE_TIMEOUT;
	(void)event_assign(&port->readable, base, fd, EV_READ | EV_PERSIST, on_readable, port);
	return port;
}

struct evdns_server_port *evdns_add_server_port_with_base(struct event_base *base,
							  evutil_socket_t socket, int flags,
							  evdns_request_callback_fn_type callback,
							  void *user_data)
{
	struct evdns_server_port *port;

	if (flags != 0 || socket < 0 || evutil_make_socket_nonblocking(socket) < 0)
		return NULL;
	port = make(base, socket, callback, user_data);
	if (port == NULL)
		return NULL;
	port->packet = evi_malloc(EVI_DNS_MESSAGE_MAX);
	if (port->packet == NULL || event_add(&port->readable, NULL) < 0) {
		destroy(port); /* the socket stays the caller's */
		return NULL;
	}
	evi_dns_datagram_prepare(socket);
	port->fd = socket;
	return port;
}

struct evdns_server_port *
evdns_add_server_port_with_listener(struct event_base *base, struct evconnlistener *listener,
				    int flags, evdns_request_callback_fn_type callback,
				    void *user_data)
{
	struct evdns_server_port *port;

	if (flags != 0 || listener == NULL)
		return NULL;
	port = make(base, EVUTIL_INVALID_SOCKET, callback, user_data);
	if (port == NULL)
		return NULL;
	port->listener = listener;
	evi_dns_port_listen(port);
	return port;
}

void evdns_close_server_port(struct evdns_server_port *port)
{
	struct evconnlistener *listener;

	if (port == NULL)
		return;
	evi_dns_port_lock(port);
	port->is_closing = 1;
	listener = port->listener;
	port->listener = NULL;
	(void)event_del_noblock(&port->readable);
	evi_dns_port_close_clients(port);
	evi_unlock(port->lock);
	if (listener != NULL) /* waits for its callback, which takes our lock */
		evconnlistener_free(listener);
	evi_dns_port_lock(port);
	port->refs--;
	evi_dns_port_unlock(port);
}

int evdns_server_port_set_option(struct evdns_server_port *port, enum evdns_server_option option,
				 size_t value)
{
	int result = 0;

	if (port == NULL)
		return -1;
	evi_dns_port_lock(port);
	if (port->listener == NULL)
		result = -1;
	else if (option == EVDNS_SOPT_TCP_MAX_CLIENTS)
		port->client_max = value;
	else if (option == EVDNS_SOPT_TCP_IDLE_TIMEOUT)
		port->idle_timeout_s = value;
	else
		result = -1;
	evi_dns_port_unlock(port);
	return result;
}
