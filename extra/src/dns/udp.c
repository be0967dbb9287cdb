/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP sockets of a nameserver.
 *
 * Forging a reply takes the right port as well as the right id, so each query leaves from a socket
 * of its own, with a random port (RFC 5452), connected, so that the system drops what comes from
 * elsewhere and tells when nobody listens there. A socket costs more than a query: one that is done
 * with gets another port for the next query, where the system can do that; and a resolver that has
 * used many ports within a second, or has many sockets open, lets a few queries share one
 * (doc/design/dns-ports.md).
 *
 * The main socket, opened when the server is added, stands in when no other can be had, and is the
 * only one once the program has asked for it, or has fixed the local port.
 */

#include "dns/base.h"
#include "dns/os_batch.h"
#include "dns/os_port.h"

#include <errno.h>
#include <string.h>

/* Ports taken per second, and sockets open at a time, before queries share them. */
#define FRESH_PER_SECOND 1000
#define SOCKETS_ENOUGH   64

#define USES_PER_SOCKET 16

/* Sockets that are kept for other ports while a server is asked, and while it is not. */
#define SPARES_BUSY 32
#define SPARES_IDLE 1

/*
 * Datagrams that are taken for bad luck: a late or double answer is one, so each query sent may
 * cause some more. Beyond that somebody guesses ids.
 */
#define MISTAKES_AT_FIRST  16
#define MISTAKES_PER_QUERY 4

/* Datagrams taken per wake-up. */
#define RECEIVED_MAX 64

/* Rooms of a batch are this far apart: what they hold first is not to share lines of a cache. */
#define ROOM_STRIDE (EVI_DNS_MESSAGE_MAX + 1 + 256)

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

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
	const struct evi_dns_server *server = socket->server;

	return socket == server->main || socket == server->current || socket->is_spare;
}

/*
 * Watched as long as an answer may come; while in use always, unless that would keep the loop
 * running.
 */
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
	struct event_base *event_base = server->base->event_base;
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
	socket->mistakes_left = MISTAKES_AT_FIRST;
	(void)event_assign(&socket->readable, event_base, fd, EV_READ | EV_PERSIST, on_readable,
			   socket);
	(void)event_assign(&socket->writable, event_base, fd, EV_WRITE | EV_PERSIST, on_writable,
			   socket);
	server->base->socket_count++;
	return socket;
}

static void free_socket(struct event *readable, void *arg)
{
	struct evi_dns_socket *socket = arg;
	struct evdns_base *base = socket->base;

	event_debug_unassign(readable);
	event_debug_unassign(&socket->writable);
	evi_free(socket);
	evi_dns_disposed(base);
}

static void destroy(struct evi_dns_socket *socket)
{
	(void)event_del_noblock(&socket->readable);
	(void)event_del_noblock(&socket->writable);
	(void)evutil_closesocket(socket->fd);
	socket->fd = EVUTIL_INVALID_SOCKET;
	socket->base->socket_count--;
	socket->server->connected_count -= socket->is_connected;
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

/* One that cannot be connected is of no use, not even to send by. */
static struct evi_dns_socket *make_connected(struct evi_dns_server *server)
{
	int ignored;
	struct evi_dns_socket *socket = make(server, &ignored);

	if (socket == NULL)
		return NULL;
	if (connect(socket->fd, &server->addr.sa, (ev_socklen_t)server->addr_len) != 0) {
		destroy(socket);
		return NULL;
	}
	socket->is_connected = 1;
	server->connected_count++;
	return socket;
}

/*
 * The server's own reference to one of its sockets ends: the socket lives on as long as queries
 * wait for it.
 */
static void give_up(struct evi_dns_socket **ref)
{
	struct evi_dns_socket *socket = *ref;

	*ref = NULL;
	if (socket == NULL)
		return;
	if (--socket->refs == 0)
		destroy(socket);
	else
		(void)update_watch(socket);
}

/* With the server's reference. */
static struct evi_dns_socket *take_spare(struct evi_dns_server *server)
{
	struct evi_dns_socket *socket = server->spares;

	if (socket == NULL)
		return NULL;
	server->spares = socket->next_spare;
	server->spare_count--;
	socket->is_spare = 0;
	return socket;
}

static void drop_spares(struct evi_dns_server *server, int but)
{
	while (server->spare_count > but) {
		struct evi_dns_socket *socket = take_spare(server);

		give_up(&socket);
	}
}

void evi_dns_socket_retire_all(struct evi_dns_server *server)
{
	give_up(&server->current);
	drop_spares(server, 0);
}

/* Takes one of the ports that may be used in this second. */
static int take_fresh(struct evdns_base *base)
{
	int64_t now_s = (int64_t)(evi_base_now_ns(base->event_base) / 1000000000);

	if (now_s != base->fresh_second) {
		base->fresh_second = now_s;
		base->fresh_left = FRESH_PER_SECOND;
	}
	if (base->fresh_left == 0)
		return 0;
	base->fresh_left--;
	return 1;
}

/* Whether the server's next query leaves through the same socket as the last. */
static int is_shared(const struct evi_dns_server *server)
{
	const struct evi_dns_socket *current = server->current;

	if (current == NULL)
		return 0;
	if (server->base->socket_count >= SOCKETS_ENOUGH && current->refs > 1 &&
	    server->spares == NULL)
		return 1;
	return !take_fresh(server->base) && current->uses_left > 0;
}

/* Another port for the socket of a server that nobody else uses. */
static int renew(struct evi_dns_socket *socket)
{
	const struct evi_dns_server *server = socket->server;

	if (evi_dns_port_renew(socket->fd, &server->addr.sa, (ev_socklen_t)server->addr_len) != 0)
		return -1;
	socket->uses_left = USES_PER_SOCKET;
	socket->mistakes_left = MISTAKES_AT_FIRST;
	socket->is_refused = 0;
	return 0;
}

/*
 * Makes `current` a socket with a port that was not used before, as far as there is one to be had.
 */
static void take_port(struct evi_dns_server *server)
{
	if (server->current != NULL && server->current->refs > 1)
		give_up(&server->current);
	if (server->current == NULL)
		server->current = take_spare(server);
	if (server->current != NULL && renew(server->current) < 0)
		give_up(&server->current);
	if (server->current == NULL)
		server->current = make_connected(server);
}

static struct evi_dns_socket *choose(struct evi_dns_server *server)
{
	if (server->is_main_fixed || has_fixed_port(server))
		return server->main;
	if (is_shared(server))
		return server->current;
	take_port(server);
	return server->current != NULL ? server->current : server->main;
}

static void allow_mistakes(struct evi_dns_socket *socket)
{
	int most = MISTAKES_AT_FIRST + MISTAKES_PER_QUERY * socket->refs;

	socket->mistakes_left += MISTAKES_PER_QUERY;
	if (socket->mistakes_left > most)
		socket->mistakes_left = most;
}

/* Once for each time that there are too many. */
void evi_dns_socket_mistaken(struct evi_dns_socket *socket)
{
	if (--socket->mistakes_left == 0)
		evi_dns_query_distrust_all(socket);
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
	allow_mistakes(socket);
	return socket;
}

/* Whether a socket that nobody uses is kept for another port. */
static int is_spared(const struct evi_dns_socket *socket)
{
	const struct evi_dns_server *server = socket->server;

	return socket->is_connected && server->spare_count < SPARES_BUSY && !server->is_gone &&
	       !server->is_main_fixed;
}

/* No query waits for any of the server's sockets, but perhaps for the main one. */
static int is_idle(const struct evi_dns_server *server)
{
	const struct evi_dns_socket *current = server->current;

	return server->spare_count + (current != NULL && current->refs == 1) ==
	       server->connected_count;
}

/* The reference becomes the server's. */
static void spare(struct evi_dns_socket *socket)
{
	struct evi_dns_server *server = socket->server;

	socket->next_spare = server->spares;
	server->spares = socket;
	server->spare_count++;
	socket->is_spare = 1;
	(void)update_watch(socket);
}

void evi_dns_socket_unref(struct evi_dns_socket *socket)
{
	struct evi_dns_server *server = socket->server;

	if (socket->refs == 1 && is_spared(socket))
		spare(socket);
	else
		give_up(&socket);
	if (is_idle(server))
		drop_spares(server, SPARES_IDLE);
}

/* As the system does; an address is for sockets that are not connected. */
static int send_now(const struct evi_dns_socket *socket, const struct evi_dns_outgoing *list,
		    int count)
{
	const struct evi_dns_server *server = socket->server;
	const struct sockaddr *to = socket->is_connected ? NULL : &server->addr.sa;
	ev_socklen_t to_len = socket->is_connected ? 0 : (ev_socklen_t)server->addr_len;

	if (count == 1)
		return evi_dns_send_each(socket->fd, list, 1, to, to_len);
	return evi_dns_batch_send(socket->fd, list, count, to, to_len);
}

int evi_dns_socket_send(struct evi_dns_socket *socket, const struct evi_dns_outgoing *list,
			int count)
{
	int sent = send_now(socket, list, count);

	if (sent > 0)
		return sent;
	if (evi_error_is_refused(-sent)) {
		/* An earlier one was: the loop sees to that, and this one has not been sent. */
		socket->is_refused = 1;
		event_active(&socket->readable, EV_READ, 1);
		return 1;
	}
	return evi_error_is_retriable_rw(-sent) ? -EAGAIN : sent;
}

int evi_dns_socket_await_room(struct evi_dns_socket *socket)
{
	if (socket->roomless == 0 && event_add(&socket->writable, NULL) < 0)
		return -EIO;
	socket->roomless++;
	return 0;
}

void evi_dns_socket_unawait_room(struct evi_dns_socket *socket)
{
	if (--socket->roomless == 0)
		(void)event_del_noblock(&socket->writable);
}

/* Zone and flow label aside, address and port must be the server's. */
static int is_from_server(const struct evi_dns_server *server, const union evi_dns_sockaddr *from)
{
	const union evi_dns_sockaddr *addr = &server->addr;

	if (from->sa.sa_family != addr->sa.sa_family)
		return 0;
	if (addr->sa.sa_family == AF_INET)
		return from->in.sin_port == addr->in.sin_port &&
		       from->in.sin_addr.s_addr == addr->in.sin_addr.s_addr;
	return evutil_sockaddr_cmp(&addr->sa, &from->sa, 1) == 0;
}

static void receive_failed(struct evi_dns_socket *socket, int err)
{
	if (evi_error_is_refused(err) || evi_error_is_reset(err))
		socket->is_refused = 1;
	else if (!evi_error_is_retriable_rw(err))
		evi_dns_server_failed(socket->server, evutil_socket_error_to_string(err));
}

static void take(struct evi_dns_socket *socket, const struct evi_dns_incoming *in)
{
	char text[80];

	if (is_from_server(socket->server, &in->from))
		(void)evi_dns_server_message(socket->server, socket, in->data, in->len);
	else
		evi_dns_log(1, "Address mismatch on received DNS packet.  Apparent source was %s",
			    evi_dns_sockaddr_text(&in->from.sa, text, sizeof(text)));
}

/* Queries that wait for it, while it is being read. */
static int count_waiting(const struct evi_dns_socket *socket)
{
	return socket->refs - 1 - is_in_use(socket);
}

/* Room for several datagrams, each of any size; NULL if there is none. */
static uint8_t *need_batch(struct evdns_base *base)
{
	if (base->batch == NULL)
		base->batch = evi_malloc((size_t)EVI_DNS_BATCH * ROOM_STRIDE);
	return base->batch;
}

/* How many are received together, into which room. */
static int choose_room(struct evi_dns_socket *socket, uint8_t **ret_room)
{
	int count = count_waiting(socket);

	if (count > EVI_DNS_BATCH)
		count = EVI_DNS_BATCH;
	*ret_room = count > 1 ? need_batch(socket->base) : NULL;
	if (*ret_room != NULL)
		return count;
	*ret_room = socket->base->packet;
	return 1;
}

/* As many datagrams as queries wait for; 0 if that were all there are. */
static int receive(struct evi_dns_socket *socket)
{
	struct evi_dns_incoming list[EVI_DNS_BATCH];
	uint8_t *room;
	int wanted = choose_room(socket, &room), received;

	for (int i = 0; i < wanted; i++) {
		list[i].data = room + (size_t)i * ROOM_STRIDE;
		list[i].room = EVI_DNS_MESSAGE_MAX;
		list[i].from.sa.sa_family = AF_UNSPEC;
	}
	received = wanted > 1 ? evi_dns_batch_receive(socket->fd, list, wanted)
			      : evi_dns_receive_each(socket->fd, list, 1);
	if (received < 0)
		receive_failed(socket, -received);
	for (int i = 0; i < received; i++)
		take(socket, &list[i]);
	return received == wanted ? received : 0;
}

/* What nobody waits for has time until it is told of again. */
static void receive_all(struct evi_dns_socket *socket)
{
	int count = 0, received;

	do {
		received = receive(socket);
		count += received;
	} while (received > 0 && count < RECEIVED_MAX && count_waiting(socket) > 0);
	if (!socket->is_refused)
		return;
	socket->is_refused = 0;
	evi_dns_query_refused(socket);
}

static void on_ready(struct evi_dns_socket *socket, void (*fn)(struct evi_dns_socket *socket))
{
	struct evdns_base *base = socket->base;

	evi_dns_lock(base);
	if (socket->fd >= 0) {
		socket->refs++; /* a message may end what holds it */
		fn(socket);
		evi_dns_socket_unref(socket);
	}
	evi_dns_unlock(base);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	on_ready(arg, receive_all);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	on_ready(arg, evi_dns_outbox_send_roomless);
}
