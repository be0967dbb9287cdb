/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DNS over TCP: RFC 7766. One connection per server, made when needed, shared by all its queries;
 * each message has its length in front.
 */

#include "dns/base.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <errno.h>
#include <string.h>

struct evi_dns_tcp {
	struct evi_dns_server *server;
	struct bufferevent *bev;
	struct event idle_timer;
	int has_answered; /* a query, at least once */
};

int evi_dns_tcp_has_answered(const struct evi_dns_server *server)
{
	return server->tcp != NULL && server->tcp->has_answered;
}

static void on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct evi_dns_server *server = arg;
	struct evdns_base *base = server->base;

	(void)fd;
	(void)what;
	evi_dns_lock(base);
	if (server->tcp != NULL && server->tcp_queries == 0)
		evi_dns_tcp_close(server);
	evi_dns_unlock(base);
}

void evi_dns_tcp_close(struct evi_dns_server *server)
{
	struct evi_dns_tcp *tcp = server->tcp;

	if (tcp == NULL)
		return;
	server->tcp = NULL;
	bufferevent_free(tcp->bev);
	(void)event_del_noblock(&tcp->idle_timer);
	event_debug_unassign(&tcp->idle_timer);
	evi_free(tcp);
}

/* One message, if it has come whole; 0 if not, -1 if the connection is of no use any more. */
static int take_message(struct evi_dns_server *server, struct evbuffer *in)
{
	uint8_t head[2];
	const uint8_t *data;
	size_t len;

	if (evbuffer_copyout(in, head, sizeof(head)) < (ev_ssize_t)sizeof(head))
		return 0;
	len = (size_t)head[0] << 8 | head[1];
	if (len == 0)
		return -1;
	if (evbuffer_get_length(in) < len + sizeof(head))
		return 0;
	data = evbuffer_pullup(in, (ev_ssize_t)(len + sizeof(head)));
	if (data == NULL)
		return -1;
	memcpy(server->base->packet, data + sizeof(head), len);
	(void)evbuffer_drain(in, len + sizeof(head));
	if (evi_dns_server_message(server, NULL, server->base->packet, len) && server->tcp != NULL)
		server->tcp->has_answered = 1;
	return 1;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evi_dns_server *server = arg;
	struct evdns_base *base = server->base;
	int result = 1;

	evi_dns_lock(base);
	while (result > 0 && server->tcp != NULL && server->tcp->bev == bev)
		result = take_message(server, bufferevent_get_input(bev));
	if (result < 0 && server->tcp != NULL && server->tcp->bev == bev)
		evi_dns_query_tcp_lost(server);
	evi_dns_unlock(base);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct evi_dns_server *server = arg;
	struct evdns_base *base = server->base;

	if (what & BEV_EVENT_CONNECTED)
		return;
	evi_dns_lock(base);
	if (server->tcp != NULL && server->tcp->bev == bev)
		evi_dns_query_tcp_lost(server);
	evi_dns_unlock(base);
}

/* The address part of bind-to holds for TCP as well. */
static evutil_socket_t open_bound(struct evi_dns_server *server)
{
	const struct evi_dns_settings *s = &server->base->settings;
	union evi_dns_sockaddr local = s->bind_to;
	evutil_socket_t fd;

	if (s->bind_to_len == 0 || local.sa.sa_family != server->addr.sa.sa_family)
		return EVUTIL_INVALID_SOCKET;
	if (local.sa.sa_family == AF_INET)
		local.in.sin_port = 0;
	else
		local.in6.sin6_port = 0;
	fd = evi_socket_open(local.sa.sa_family, SOCK_STREAM, 0);
	if (fd >= 0 && bind(fd, &local.sa, (ev_socklen_t)s->bind_to_len) != 0) {
		(void)evutil_closesocket(fd);
		return EVUTIL_INVALID_SOCKET;
	}
	return fd;
}

static int open_connection(struct evi_dns_server *server)
{
	struct evi_dns_tcp *tcp = evi_calloc(1, sizeof(*tcp));
	int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS | BEV_OPT_UNLOCK_CALLBACKS;
	evutil_socket_t fd;

	if (tcp == NULL)
		return -ENOMEM;
	if (evi_threading_enabled())
		options |= BEV_OPT_THREADSAFE;
	fd = open_bound(server);
	tcp->bev = bufferevent_socket_new(server->base->event_base, fd, options);
	if (tcp->bev == NULL) {
		if (fd >= 0)
			(void)evutil_closesocket(fd);
		evi_free(tcp);
		return -ENOMEM;
	}
	tcp->server = server;
	(void)event_assign(&tcp->idle_timer, server->base->event_base, -1, 0, on_idle, server);
	server->tcp = tcp;
	bufferevent_setcb(tcp->bev, on_read, NULL, on_event, server);
	if (bufferevent_socket_connect(tcp->bev, &server->addr.sa, server->addr_len) < 0 ||
	    bufferevent_enable(tcp->bev, EV_READ | EV_WRITE) < 0) {
		evi_dns_tcp_close(server);
		return -EIO;
	}
	return 0;
}

int evi_dns_tcp_send(struct evi_dns_server *server, const void *data, size_t len)
{
	uint8_t message[2 + EVI_DNS_NAME_SIZE + 40];
	int err = server->tcp == NULL ? open_connection(server) : 0;

	if (err < 0)
		return err;
	(void)event_del_noblock(&server->tcp->idle_timer);
	message[0] = (uint8_t)(len >> 8);
	message[1] = (uint8_t)len;
	memcpy(message + 2, data, len);
	return bufferevent_write(server->tcp->bev, message, len + 2) < 0 ? -ENOMEM : 0;
}

/* An idle connection is no reason for the loop to go on where that matters: it is closed. */
void evi_dns_tcp_query_ended(struct evi_dns_server *server)
{
	if (--server->tcp_queries > 0 || server->tcp == NULL)
		return;
	if (server->base->is_disabled_when_inactive ||
	    event_add(&server->tcp->idle_timer, &server->base->settings.tcp_idle_timeout) < 0)
		evi_dns_tcp_close(server);
}
