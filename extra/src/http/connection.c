/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What both kinds of connection share: life, holds, the bufferevent, and the getters.
 */

#include "http/connection.h"

#include "http/client.h"
#include "http/server.h"

#include <event2/component/buffer.h>
#include <event2/component/reactor.h>

#include <errno.h>
#include <string.h>

struct evhttp_connection *evi_connection_make(struct event_base *base)
{
	struct evhttp_connection *c = evi_calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->base = base;
	c->holds = 1;
	c->headers_max = EVI_HEAD_SIZE_DEFAULT;
	c->body_max = EVI_UNLIMITED;
	return c;
}

/* Nonzero if freeing the bufferevent closes the descriptor below it. */
static int closes_fd(const struct bufferevent *bev)
{
	while (bev != NULL && (evi_bev_options(bev) & BEV_OPT_CLOSE_ON_FREE) != 0) {
		const struct bufferevent *below = evi_bev_transport(bev);

		if (below == NULL)
			return 1;
		bev = below;
	}
	return 0;
}

void evi_connection_take_bev(struct evhttp_connection *c, struct bufferevent *bev, int is_own)
{
	c->bev = bev;
	c->owns_fd = !is_own && !closes_fd(bev);
}

void evi_bev_free_with_fd(struct bufferevent *bev, int owns_fd)
{
	evutil_socket_t fd = owns_fd ? bufferevent_getfd(bev) : -1;

	bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
	if (fd >= 0) {
		bufferevent_disable(bev, EV_READ | EV_WRITE);
		(void)bufferevent_setfd(bev, -1);
	}
	bufferevent_free(bev);
	if (fd >= 0)
		evutil_closesocket(fd);
}

void evi_connection_drop_bev(struct evhttp_connection *c)
{
	struct bufferevent *bev = c->bev;

	c->bev = NULL;
	if (bev != NULL)
		evi_bev_free_with_fd(bev, c->owns_fd);
}

void evi_connection_enter(struct evhttp_connection *c)
{
	c->holds++;
}

void evi_connection_leave(struct evhttp_connection *c)
{
	struct evhttp *server = c->server;

	if (--c->holds > 0)
		return;
	if (c->client != NULL)
		evi_client_free(c->client);
	if (c->deadline != NULL)
		event_free(c->deadline);
	evi_free(c);
	if (server != NULL)
		evi_server_unref(server);
}

void evi_connection_tell_closed(struct evhttp_connection *c)
{
	if (!c->is_established)
		return;
	c->is_established = 0;
	if (c->closecb != NULL)
		c->closecb(c, c->closecb_arg);
}

enum evi_head_step evi_connection_read_head(struct evhttp_connection *c, struct evi_request *r)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct evbuffer_iovec span;
	enum evi_head_step step = EVI_HEAD_MORE;

	while (step == EVI_HEAD_MORE && evbuffer_peek(in, -1, NULL, &span, 1) > 0) {
		size_t used;

		step = evi_head_take(&r->head, span.iov_base, span.iov_len, &used);
		evbuffer_drain(in, used);
	}
	r->pub.headers_size = r->head.size;
	return step;
}

int evi_address_set(struct evi_address *address, const struct sockaddr *sa, size_t len)
{
	size_t known = 0;

	if (sa->sa_family == AF_INET)
		known = sizeof(address->socket.v4);
	else if (sa->sa_family == AF_INET6)
		known = sizeof(address->socket.v6);
	address->is_known = 0;
	if (known == 0 || len < known)
		return -EINVAL;
	memcpy(&address->socket, sa, known);
	address->is_known = 1;
	return 0;
}

void evi_connection_forget(struct evhttp_connection *c, struct evi_request *r)
{
	if (c->client != NULL) {
		evi_client_forget(c, r);
		return;
	}
	/* A server's connection cannot go on without an answer to this request. */
	if (c->current == r)
		c->current = NULL;
	r->pub.evcon = NULL;
	evi_request_destroy(r);
	evhttp_connection_free(c);
}

/* --- Public ----------------------------------------------------------------------------------- */

void evhttp_connection_free(struct evhttp_connection *c)
{
	if (c == NULL || c->is_freed)
		return;
	c->is_freed = 1;
	if (c->client != NULL)
		evi_client_end(c);
	else
		evi_server_end(c);
	evi_connection_drop_bev(c);
	evi_connection_leave(c);
}

void evhttp_connection_set_closecb(struct evhttp_connection *c,
				   void (*cb)(struct evhttp_connection *, void *), void *arg)
{
	c->closecb = cb;
	c->closecb_arg = arg;
}

void evhttp_connection_set_eofcb(struct evhttp_connection *c,
				 void (*cb)(struct evhttp_connection *, void *), void *arg)
{
	c->eofcb = cb;
	c->eofcb_arg = arg;
}

struct event_base *evhttp_connection_get_base(struct evhttp_connection *c)
{
	return c->base;
}

struct bufferevent *evhttp_connection_get_bufferevent(struct evhttp_connection *c)
{
	return c->bev;
}

struct evhttp *evhttp_connection_get_server(struct evhttp_connection *c)
{
	return c->server;
}

/* In parentheses, as the header has a macro of that name for sources of 2.1. */
void (evhttp_connection_get_peer)(struct evhttp_connection *c, const char **address,
				  ev_uint16_t *port)
{
	*address = c->peer_name;
	*port = c->peer_port;
}

const struct sockaddr *evhttp_connection_get_addr(struct evhttp_connection *c)
{
	return c->address.is_known ? &c->address.socket.any : NULL;
}

void evhttp_connection_set_max_headers_size(struct evhttp_connection *c, ev_ssize_t max)
{
	c->headers_max = evi_size_limit(max);
}

void evhttp_connection_set_max_body_size(struct evhttp_connection *c, ev_ssize_t max)
{
	c->body_max = evi_limit(max);
}

void evhttp_connection_set_ext_method_cmp(struct evhttp_connection *c, evhttp_ext_method_cb cmp)
{
	c->ext_method = cmp;
}
