/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections to servers: life and settings.
 */

#include "http/client.h"

#include "http/queue.h"
#include "http/request_pool.h"

#include <event2/component/reactor.h>

#include <string.h>

static const struct timeval connect_default = { 45, 0 };
static const struct timeval read_default = { 50, 0 };
static const struct timeval write_default = { 50, 0 };
static const struct timeval delay_default = { 2, 0 };

#define KNOWN_FLAGS (EVHTTP_CON_REUSE_CONNECTED_ADDR | EVHTTP_CON_READ_ON_WRITE_ERROR)

void evi_client_free(struct evi_client *client)
{
	evi_free(client->address);
	evi_free(client->path);
	evi_free(client->proxy);
	evi_free(client->proxy_credentials);
	evi_free(client->local_address);
	evi_free(client);
	evi_request_pool_leave();
}

static struct evi_client *make_client(const char *address, ev_uint16_t port, const char *path)
{
	struct evi_client *client = evi_calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	evi_request_pool_enter();
	client->port = port;
	client->address = address != NULL ? evi_strdup(address) : NULL;
	client->path = path != NULL ? evi_strdup(path) : NULL;
	client->family = AF_UNSPEC;
	client->connect_timeout = connect_default;
	client->read_timeout = read_default;
	client->write_timeout = write_default;
	client->first_delay = delay_default;
	EVI_QUEUE_INIT(&client->queue);
	if ((address != NULL && client->address == NULL) ||
	    (path != NULL && client->path == NULL)) {
		evi_client_free(client);
		return NULL;
	}
	return client;
}

/* A connection without transport yet. */
static struct evhttp_connection *make(struct event_base *base, struct evdns_base *dnsbase,
				      const char *address, ev_uint16_t port, const char *path)
{
	struct evhttp_connection *c = evi_connection_make(base);

	if (c == NULL)
		return NULL;
	c->client = make_client(address, port, path);
	if (c->client == NULL) {
		evi_connection_leave(c);
		return NULL;
	}
	c->client->dnsbase = dnsbase;
	c->state = EVI_CLIENT_DOWN;
	c->peer_name = c->client->address;
	c->peer_port = port;
	return c;
}

/* Take the program's bufferevent, or make a plain one. 0, or -1: then nothing was taken. */
static int give_bev(struct evhttp_connection *c, struct bufferevent *bev)
{
	int is_own = bev == NULL;

	if (is_own)
		bev = bufferevent_socket_new(c->base, -1, BEV_OPT_CLOSE_ON_FREE);
	else if (bufferevent_get_base(bev) != c->base && c->base != NULL &&
		 bufferevent_base_set(c->base, bev) != 0)
		return -1;
	if (bev == NULL)
		return -1;
	evi_connection_take_bev(c, bev, is_own);
	return 0;
}

static struct evhttp_connection *make_with_bev(struct evhttp_connection *c, struct bufferevent *bev)
{
	if (c == NULL)
		return NULL;
	if (c->base == NULL && bev == NULL)
		return c; /* the transport is made when there is a base */
	if (give_bev(c, bev) != 0) {
		evi_connection_leave(c);
		return NULL;
	}
	return c;
}

static void let_go(struct evi_request *r)
{
	r->is_queued = 0;
	(void)evi_request_leave(r);
	evi_request_release(r);
}

/* Off the connection, and safe from being freed by the close callback until let_go(). */
static void detach(struct evi_request *r)
{
	r->pub.evcon = NULL;
	evi_request_enter(r);
}

void evi_client_end(struct evhttp_connection *c)
{
	struct evi_client *client = c->client;
	struct evi_request *current = c->current;
	struct evi_request_queue queue = { 0 };

	evi_client_stop_timer(c);
	evi_tunnel_close(client);
	EVI_QUEUE_INIT(&queue);
	while (client->queue.tqh_first != NULL) {
		struct evhttp_request *req = client->queue.tqh_first;

		EVI_QUEUE_REMOVE(&client->queue, req, next);
		EVI_QUEUE_APPEND(&queue, req, next);
		detach(evi_request_of(req));
	}
	c->current = NULL;
	if (current != NULL)
		detach(current);
	evi_connection_tell_closed(c);
	if (current != NULL)
		let_go(current);
	while (queue.tqh_first != NULL) {
		struct evhttp_request *req = queue.tqh_first;

		EVI_QUEUE_REMOVE(&queue, req, next);
		let_go(evi_request_of(req));
	}
}

/* --- Public: making --------------------------------------------------------------------------- */

struct evhttp_connection *evhttp_connection_base_bufferevent_new(struct event_base *base,
								 struct evdns_base *dnsbase,
								 struct bufferevent *bev,
								 const char *address,
								 ev_uint16_t port)
{
	return make_with_bev(make(base, dnsbase, address, port, NULL), bev);
}

struct evhttp_connection *evhttp_connection_base_new(struct event_base *base,
						     struct evdns_base *dnsbase,
						     const char *address, ev_uint16_t port)
{
	return evhttp_connection_base_bufferevent_new(base, dnsbase, NULL, address, port);
}

struct evhttp_connection *evhttp_connection_base_secure_new(struct event_base *base,
							   struct evdns_base *dnsbase,
							   evhttp_transport_cb make_transport,
							   void *arg, const char *host,
							   ev_uint16_t port)
{
	struct bufferevent *bev = make_transport(base, EVUTIL_INVALID_SOCKET, host, arg);
	struct evhttp_connection *c;

	/* Without this check the connection would be a plain one. */
	if (bev == NULL)
		return NULL;
	c = evhttp_connection_base_bufferevent_new(base, dnsbase, bev, host, port);
	if (c == NULL)
		bufferevent_free(bev);
	else
		c->client->is_secure = 1;
	return c;
}

struct evhttp_connection *evhttp_connection_base_bufferevent_unix_new(struct event_base *base,
								      struct bufferevent *bev,
								      const char *path)
{
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return NULL;
	return make_with_bev(make(base, NULL, NULL, 0, path), bev);
}

struct evhttp_connection *evhttp_connection_base_bufferevent_reuse_new(struct event_base *base,
								       struct evdns_base *dnsbase,
								       struct bufferevent *bev)
{
	struct evhttp_connection *c;
	struct sockaddr_storage peer = { 0 };
	ev_socklen_t len = sizeof(peer);

	if (bev == NULL)
		return NULL;
	c = make_with_bev(make(base, dnsbase, NULL, 0, NULL), bev);
	if (c == NULL)
		return NULL;
	if (getpeername(bufferevent_getfd(bev), (struct sockaddr *)&peer, &len) == 0)
		(void)evi_address_set(&c->address, (struct sockaddr *)&peer, len);
	c->client->has_tried = 1;
	c->is_established = 1;
	c->state = EVI_CLIENT_IDLE;
	return c;
}

struct evhttp_connection *evhttp_connection_new(const char *address, ev_uint16_t port)
{
	struct event_base *base = evi_current_base();

	if (base != NULL)
		return evhttp_connection_base_new(base, NULL, address, port);
	/* The transport is made when there is a base. */
	return make(NULL, NULL, address, port, NULL);
}

void evhttp_connection_set_base(struct evhttp_connection *c, struct event_base *base)
{
	if (c->client == NULL || c->state != EVI_CLIENT_DOWN || c->client->has_tried)
		return;
	c->base = base;
	if (c->bev != NULL)
		(void)bufferevent_base_set(base, c->bev);
	else
		(void)give_bev(c, NULL);
}

/* --- Public: settings ------------------------------------------------------------------------- */

static struct timeval timeout_of(const struct timeval *tv, struct timeval otherwise)
{
	return tv != NULL ? *tv : otherwise;
}

/* Changes count at once, also in the middle of the phase they are for. */
static void changed(struct evhttp_connection *c)
{
	if (c->client != NULL && c->state >= EVI_CLIENT_IDLE) {
		c->client->has_timeouts = 0;
		evi_client_apply_timeouts(c, c->client->is_mute);
	} else if (c->client == NULL) {
		(void)bufferevent_set_timeouts(c->bev, evi_timeval_or_none(&c->read_timeout),
					       evi_timeval_or_none(&c->write_timeout));
	}
}

static void set_timeouts(struct evhttp_connection *c, struct timeval read, struct timeval write)
{
	c->has_own_timeouts = 1;
	if (c->client != NULL) {
		c->client->read_timeout = read;
		c->client->write_timeout = write;
	} else {
		c->read_timeout = read;
		c->write_timeout = write;
	}
	changed(c);
}

void evhttp_connection_set_timeout(struct evhttp_connection *c, int timeout)
{
	struct timeval tv = { .tv_sec = timeout };

	evhttp_connection_set_timeout_tv(c, timeout >= 0 ? &tv : NULL);
}

void evhttp_connection_set_timeout_tv(struct evhttp_connection *c, const struct timeval *tv)
{
	set_timeouts(c, timeout_of(tv, read_default), timeout_of(tv, write_default));
}

void evhttp_connection_set_connect_timeout_tv(struct evhttp_connection *c, const struct timeval *tv)
{
	if (c->client == NULL)
		return;
	c->client->connect_timeout = timeout_of(tv, (struct timeval){ 0 });
	if (c->state == EVI_CLIENT_CONNECT)
		evi_client_start_timer(c, &c->client->connect_timeout);
}

void evhttp_connection_set_read_timeout_tv(struct evhttp_connection *c, const struct timeval *tv)
{
	set_timeouts(c, timeout_of(tv, (struct timeval){ 0 }),
		     c->client != NULL ? c->client->write_timeout : c->write_timeout);
}

void evhttp_connection_set_write_timeout_tv(struct evhttp_connection *c, const struct timeval *tv)
{
	set_timeouts(c, c->client != NULL ? c->client->read_timeout : c->read_timeout,
		     timeout_of(tv, (struct timeval){ 0 }));
}

void evhttp_connection_set_initial_retry_tv(struct evhttp_connection *c, const struct timeval *tv)
{
	if (c->client != NULL)
		c->client->first_delay = timeout_of(tv, delay_default);
}

void evhttp_connection_set_retries(struct evhttp_connection *c, int retry_max)
{
	if (c->client != NULL)
		c->client->retries_max = retry_max;
}

void evhttp_connection_set_family(struct evhttp_connection *c, int family)
{
	if (c->client != NULL)
		c->client->family = family;
}

int evhttp_connection_set_flags(struct evhttp_connection *c, int flags)
{
	if ((flags & ~KNOWN_FLAGS) != 0)
		return 1;
	c->flags = flags;
	return 0;
}

void evhttp_connection_set_local_address(struct evhttp_connection *c, const char *address)
{
	char *copy;

	if (c->client == NULL || c->state != EVI_CLIENT_DOWN)
		return;
	copy = address != NULL ? evi_strdup(address) : NULL;
	if (address != NULL && copy == NULL) {
		event_warn("http: no memory for the source address");
		return;
	}
	evi_free(c->client->local_address);
	c->client->local_address = copy;
}

void evhttp_connection_set_local_port(struct evhttp_connection *c, ev_uint16_t port)
{
	if (c->client != NULL && c->state == EVI_CLIENT_DOWN)
		c->client->local_port = port;
}

void evhttp_connection_free_on_completion(struct evhttp_connection *c)
{
	if (c->client != NULL)
		c->client->is_autofree = 1;
}
