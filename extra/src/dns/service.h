/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_SERVICE_H_INCLUDED
#define DNS_SERVICE_H_INCLUDED

/*
 * The DNS server: what its parts share.
 *
 *   port (port.c, port_tcp.c)  a socket, or a listener and its connections
 *   request (service.c)        a query that the program answers
 *   reply (compose.c)          putting the answer together within its limit
 *
 * A port lives until it is closed and no request of it is left. Its lock is held except during the
 * program's callbacks. What ends in another thread than the loop's is freed from the loop:
 * callbacks of its sockets may be about to run there.
 */

#include "dns/os_datagram.h"
#include "dns/wire.h"
#include "os/os_net.h"

#include <event2/bufferevent.h>
#include <event2/component/reactor.h>
#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/listener.h>

struct evi_dns_client;

struct evdns_server_port {
	struct event_base *event_base;
	void *lock;
	/* the program's, one per request, one per client, and callers in the middle of it */
	int refs;
	int is_closing;
	evdns_request_callback_fn_type fn;
	void *arg;
	/* UDP */
	evutil_socket_t fd;    /* -1: TCP */
	struct event readable; /* assigned for TCP, too: it ends the port's life */
	uint8_t *packet;
	/* TCP */
	struct evconnlistener *listener;
	struct evi_dns_client *clients;
	size_t client_count;
	size_t client_max;
	size_t idle_timeout_s;
};

/* One connection. */
struct evi_dns_client {
	struct evi_dns_client *next, **prev;
	struct evdns_server_port *port;
	struct bufferevent *bev; /* NULL: gone */
	struct event end;        /* never added: it ends the client's life */
	int refs; /* the port's, and one per request */
	int pending;   /* requests not answered */
	int is_ending; /* the peer sends no more */
	int is_paused; /* it has to wait before more is read */
};

struct evi_dns_item {
	struct evi_dns_item *next;
	uint16_t type, class;
	uint32_t ttl;
	uint8_t is_name;  /* the data is a name as text */
	uint16_t unit;    /* size of one address in a group of addresses; 0: no group */
	size_t len;
	char *data;
	char name[];
};

struct evi_dns_section {
	struct evi_dns_item *first, **last;
};

struct evi_dns_service_request {
	struct evdns_server_request pub; /* first */
	struct evdns_server_port *port;
	struct evi_dns_client *client; /* NULL: UDP */
	struct evi_dns_path path;
	uint16_t id;
	uint16_t opcode;   /* in its place */
	uint16_t udp_size; /* largest reply by UDP */
	uint8_t has_opt;
	struct evi_dns_section sections[3];
};

void evi_dns_port_lock(struct evdns_server_port *port);
void evi_dns_port_unlock(struct evdns_server_port *port); /* frees it with the last reference */

/* A message has come, with the lock held; calls the program without it. */
void evi_dns_service_take(struct evdns_server_port *port, struct evi_dns_client *client,
			  const struct evi_dns_path *path, const uint8_t *data, size_t len);

/* Sends a composed reply; nothing if nobody is there to take it. With the lock. */
void evi_dns_port_send(struct evi_dns_service_request *request, const uint8_t *data, size_t len);
void evi_dns_client_send(struct evi_dns_client *client, const uint8_t *data, size_t len);

/* One request less, answered or not. */
void evi_dns_client_unref(struct evi_dns_client *client);
void evi_dns_client_request_ended(struct evi_dns_client *client);
void evi_dns_port_close_clients(struct evdns_server_port *port);
void evi_dns_port_listen(struct evdns_server_port *port);

/*
 * The reply in `data`, at most `room`, cut at a record's end with TC set if need be. 0 if a name is
 * bad.
 */
size_t evi_dns_compose(const struct evi_dns_service_request *request, unsigned rcode, uint8_t *data,
		       size_t room);

#endif
