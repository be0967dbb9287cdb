/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP sockets of a nameserver.
 *
 * Forging a reply takes the right port as well as the right id, so queries leave from sockets with
 * random ports (RFC 5452), a new one after every few queries. The main socket, opened when the server is
 * added, stands in when no other can be had, and is the only one once the program has asked for it, or
 * has fixed the local port.
 */

#include "dns/base.h"

#include <errno.h>
#include <string.h>

#define USES_PER_SOCKET 16

/* Datagrams taken per wake-up. */
#define BATCH 64

static void on_readable(evutil_socket_t fd, short what, void *arg);

/* Servers on this host are reached from any address. */
static int is_loopback(const union evi_dns_sockaddr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return ntohl(addr->in.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&addr->in6.sin6_addr);
}

static int applies_bind_to(const struct evi_dns_server *server)
{
	const struct evi_dns_settings *s = &server->base->settings;

	return s->bind_to_len > 0 && s->bind_to.sa.sa_family == server->addr.sa.sa_family &&
	       !is_loopback(&server->addr);
}

static int has_fixed_port(const struct evi_dns_server *server)
{
	const union evi_dns_sockaddr *addr = &server->base->settings.bind_to;

	if (!applies_bind_to(server))
		return 0;
	return addr->sa.sa_family == AF_INET ? addr->in.sin_port != 0 : addr->in6.sin6_port != 0;
}

static void set_size(evutil_socket_t fd, int option, int size)
{
	if (size > 0)
		(void)setsockopt(fd, SOL_SOCKET, option, (void *)&size, sizeof(size));
}

/* An unbound socket gets its port with the first datagram. */
static evutil_socket_t open_fd(struct evi_dns_server *server)
{
	const struct evi_dns_settings *s = &server->base->settings;
	evutil_socket_t fd = evi_socket_open(server->addr.sa.sa_family, SOCK_DGRAM, 0);
	int err;

	if (fd < 0)
		return -EVUTIL_SOCKET_ERROR();
	set_size(fd, SO_RCVBUF, s->so_rcvbuf);
	set_size(fd, SO_SNDBUF, s->so_sndbuf);
	if (!applies_bind_to(server) || bind(fd, &s->bind_to.sa, (ev_socklen_t)s->bind_to_len) == 0)
		return fd;
	err = EVUTIL_SOCKET_ERROR();
	(void)evutil_closesocket(fd);
	return -err;
}

/* The server itself holds the sockets that it may still use. */
static int is_in_use(const struct evi_dns_socket *socket)
{
	return socket == socket->server->main || socket == socket->server->current;
}

/* Watched as long as an answer may come; while in use always, unless that would keep the loop running. */
static int update_watch(struct evi_dns_socket *socket)
{
	int is_wanted = socket->refs > is_in_use(socket) ||
			(is_in_use(socket) && !socket->base->is_disabled_when_inactive);

	if (is_wanted == socket->is_watched)
		return 0;
	if (is_wanted && event_add(&socket->readable, NULL) < 0)
		return -EIO;
	if (!is_wanted)
		(void)event_del_noblock(&socket->readable);
	socket->is_watched = is_wanted;
	return 0;
}

static struct evi_dns_socket *make(struct evi_dns_server *server, int *ret_err)
{
	struct evi_dns_socket *socket = evi_calloc(1, sizeof(*socket));
	evutil_socket_t fd;

	*ret_err = -ENOMEM;
	if (socket == NULL)
		return NULL;
	fd = open_fd(server);
	if (fd < 0) {
		*ret_err = (int)fd;
		evi_free(socket);
		return NULL;
	}
	socket->base = server->base;
	socket->server = server;
	socket->fd = fd;
	socket->refs = 1;
	socket->uses_left = USES_PER_SOCKET;
	(void)event_assign(&socket->readable, server->base->event_base, fd, EV_READ | EV_PERSIST, on_readable,
			   socket);
	return socket;
}

static void free_socket(struct event *readable, void *arg)
{
	struct evi_dns_socket *socket = arg;
	struct evdns_base *base = socket->base;

	event_debug_unassign(readable);
	evi_free(socket);
	evi_dns_disposed(base);
}

static void destroy(struct evi_dns_socket *socket)
{
	(void)event_del_noblock(&socket->readable);
	(void)evutil_closesocket(socket->fd);
	socket->fd = EVUTIL_INVALID_SOCKET;
	evi_dns_dispose(socket->base, &socket->readable, free_socket);
}

int evi_dns_socket_open_main(struct evi_dns_server *server)
{
	int err;

	server->main = make(server, &err);
	if (server->main == NULL)
		return err;
	server->main->uses_left = -1;
	err = update_watch(server->main);
	if (err < 0) {
		destroy(server->main);
		server->main = NULL;
	}
	return err;
}

/* It lives on as long as queries wait for answers by it. */
void evi_dns_socket_retire_current(struct evi_dns_server *server)
{
	struct evi_dns_socket *old = server->current;

	server->current = NULL;
	if (old != NULL)
		evi_dns_socket_unref(old);
}

static struct evi_dns_socket *choose(struct evi_dns_server *server)
{
	int ignored;

	if (server->is_main_fixed || has_fixed_port(server))
		return server->main;
	if (server->current != NULL && server->current->uses_left > 0)
		return server->current;
	evi_dns_socket_retire_current(server);
	server->current = make(server, &ignored);
	return server->current != NULL ? server->current : server->main;
}

struct evi_dns_socket *evi_dns_socket_get(struct evi_dns_server *server)
{
	struct evi_dns_socket *socket = choose(server);

	socket->refs++;
	if (update_watch(socket) < 0) {
		socket->refs--;
		return NULL;
	}
	if (socket->uses_left > 0)
		socket->uses_left--;
	return socket;
}

void evi_dns_socket_unref(struct evi_dns_socket *socket)
{
	if (--socket->refs == 0)
		destroy(socket);
	else
		(void)update_watch(socket);
}

int evi_dns_socket_send(struct evi_dns_socket *socket, const void *data, size_t len)
{
	const struct evi_dns_server *server = socket->server;
	int err;

	if (sendto(socket->fd, data, len, MSG_NOSIGNAL, &server->addr.sa, (ev_socklen_t)server->addr_len) >= 0)
		return 0;
	err = EVUTIL_SOCKET_ERROR();
	return evi_error_is_retriable_rw(err) ? -EAGAIN : -err;
}

/* Zone and flow label aside, address and port must be the server's. */
static int is_from_server(const struct evi_dns_server *server, const union evi_dns_sockaddr *from)
{
	return evutil_sockaddr_cmp(&server->addr.sa, &from->sa, 1) == 0;
}

/* One datagram; 0 if there is none. */
static int receive(struct evi_dns_socket *socket)
{
	struct evi_dns_server *server = socket->server;
	uint8_t *packet = socket->base->packet;
	union evi_dns_sockaddr from;
	ev_socklen_t from_len = sizeof(from);
	ev_ssize_t len;
	char text[80];

	memset(&from, 0, sizeof(from));
	len = recvfrom(socket->fd, (void *)packet, EVI_DNS_MESSAGE_MAX, 0, &from.sa, &from_len);
	if (len < 0 && !evi_error_is_retriable_rw(EVUTIL_SOCKET_ERROR()))
		evi_dns_server_failed(server, evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	if (len < 0)
		return 0;
	if (from.sa.sa_family == server->addr.sa.sa_family && is_from_server(server, &from)) {
		(void)evi_dns_server_message(server, socket, packet, (size_t)len);
		return 1;
	}
	evi_dns_log(1, "Address mismatch on received DNS packet.  Apparent source was %s",
		    evi_dns_sockaddr_text(&from.sa, text, sizeof(text)));
	return 1;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct evi_dns_socket *socket = arg;
	struct evdns_base *base = socket->base;
	int count = 0;

	(void)fd;
	(void)what;
	evi_dns_lock(base);
	if (socket->fd >= 0) {
		socket->refs++; /* a message may end what holds it */
		do /* what nobody waits for has time until it is told of again */
			count++;
		while (receive(socket) && count < BATCH && socket->refs > 1 + is_in_use(socket));
		evi_dns_socket_unref(socket);
	}
	evi_dns_unlock(base);
}
