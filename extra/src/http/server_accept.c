/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From an accepted descriptor to a connection of the server's, and its end.
 */

#include "http/server_step.h"

#include <event2/component/reactor.h>

#include <string.h>

/* Input is not buffered beyond this; TCP then slows the peer down. */
#define INPUT_MAX 131072

static void link_connection(struct evhttp *http, struct evhttp_connection *c)
{
	evi_server_ref(http);
	c->server = http;
	c->next = http->connections;
	c->link = &http->connections;
	if (c->next != NULL)
		c->next->link = &c->next;
	http->connections = c;
	http->connection_count++;
}

static void unlink_connection(struct evhttp_connection *c)
{
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	c->server->connection_count--;
}

/* Notes who the peer is; a Unix socket's has no name. */
static void note_peer(struct evhttp_connection *c, const struct sockaddr *peer, size_t len)
{
	const void *bytes;

	if (evi_address_set(&c->address, peer, len) != 0)
		return;
	if (peer->sa_family == AF_INET) {
		bytes = &c->address.socket.v4.sin_addr;
		c->peer_port = ntohs(c->address.socket.v4.sin_port);
	} else {
		bytes = &c->address.socket.v6.sin6_addr;
		c->peer_port = ntohs(c->address.socket.v6.sin6_port);
	}
	c->peer_name = evutil_inet_ntop(peer->sa_family, bytes, c->peer_text, sizeof(c->peer_text));
}

/* The program's bufferevent if it gives one, else a plain one. */
static struct bufferevent *make_bev(struct evhttp *http, const struct evhttp_bound_socket *bound,
				    int *ret_is_own)
{
	struct bufferevent *bev = NULL;

	*ret_is_own = 0;
	if (bound != NULL && bound->bevcb != NULL)
		bev = bound->bevcb(http->base, bound->bevcb_arg);
	if (bev == NULL && http->bevcb != NULL)
		bev = http->bevcb(http->base, http->bevcb_arg);
	if (bev == NULL) {
		*ret_is_own = 1;
		bev = bufferevent_socket_new(http->base, -1, BEV_OPT_CLOSE_ON_FREE);
	}
	return bev;
}

static struct evhttp_connection *make_connection(struct evhttp *http, struct bufferevent *bev,
						 int is_own)
{
	struct evhttp_connection *c = evi_connection_make(http->base);

	if (c == NULL) {
		bufferevent_free(bev);
		return NULL;
	}
	evi_connection_take_bev(c, bev, is_own);
	c->state = EVI_SERVER_HEAD;
	c->is_established = 1;
	c->is_plain = is_own != 0;
	c->ext_method = http->ext_method;
	c->headers_max = http->headers_max;
	c->body_max = http->body_max;
	c->read_timeout = http->read_timeout;
	c->write_timeout = http->write_timeout;
	link_connection(http, c);
	return c;
}

/* The descriptor is taken. `bound` is where it comes from, or NULL. */
static int accept_held(struct evhttp *http, const struct evhttp_bound_socket *bound,
		       evutil_socket_t fd, const struct sockaddr *peer, size_t peer_len)
{
	struct evhttp_connection *c;
	struct bufferevent *bev;
	int is_own;

	bev = make_bev(http, bound, &is_own);
	if (bev == NULL || http->is_freed || bufferevent_setfd(bev, fd) != 0) {
		if (bev != NULL)
			bufferevent_free(bev);
		evutil_closesocket(fd);
		return -1;
	}
	c = make_connection(http, bev, is_own);
	if (c == NULL) {
		if (!is_own)
			evutil_closesocket(fd);
		return -1;
	}
	if (peer != NULL)
		note_peer(c, peer, peer_len);
	bufferevent_setwatermark(bev, EV_READ, 0, INPUT_MAX);
	evi_connection_enter(c);
	evi_server_start(c);
	evi_connection_leave(c);
	return 0;
}

static int accept_one(struct evhttp *http, const struct evhttp_bound_socket *bound,
		      evutil_socket_t fd, const struct sockaddr *peer, size_t peer_len)
{
	int result;

	evi_server_ref(http);
	result = accept_held(http, bound, fd, peer, peer_len);
	evi_server_unref(http);
	return result;
}

void evi_server_accept(struct evhttp_bound_socket *bound, evutil_socket_t fd,
		       const struct sockaddr *peer, size_t peer_len)
{
	(void)accept_one(bound->http, bound, fd, peer, peer_len);
}

int evhttp_serve_socket(struct evhttp *http, evutil_socket_t fd, const struct sockaddr *peer,
			int peer_len)
{
	if (evutil_make_socket_nonblocking(fd) != 0) {
		evutil_closesocket(fd);
		return -1;
	}
	evi_server_tune(fd);
	return accept_one(http, NULL, fd, peer, peer_len > 0 ? (size_t)peer_len : 0);
}

/*
 * The program ends the connection while the reply to an earlier request, which it believes written,
 * may still be in the output: what the socket takes at once goes out.
 */
static void push_committed(struct evhttp_connection *c)
{
	struct evbuffer *out;

	if (!c->has_committed || c->bev == NULL) /* it was taken over, with what is in it */
		return;
	out = bufferevent_get_output(c->bev);
	if (evbuffer_get_length(out) == 0)
		return;
	(void)evbuffer_unfreeze(out, 1);
	(void)evbuffer_write(out, bufferevent_getfd(c->bev));
}

static void let_go(struct evi_request *r, int is_owed)
{
	if (is_owed)
		evi_server_tell_body_lost(r);
	if (evi_request_leave(r) || !is_owed)
		evi_request_release(r);
}

/*
 * The request goes before the close callback is told. It stays with the application while that owes
 * the rest of the reply, and is ours to free otherwise.
 */
void evi_server_end(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;
	int is_owed = 0;

	push_committed(c);
	unlink_connection(c);
	c->current = NULL;
	if (r != NULL) {
		is_owed = evi_server_is_owed(c, r);
		r->pub.evcon = NULL;
		evi_request_drop_drained(r);
		evi_request_enter(r); /* the program may free it in any of these callbacks */
	}
	evi_connection_tell_closed(c);
	if (r != NULL)
		let_go(r, is_owed);
	evi_server_look_whether_stopped(c->server);
}

struct bufferevent *evi_server_upgrade(struct evhttp_request *req, int *ret_owns_fd)
{
	struct evi_request *r = evi_request_of(req);
	struct evhttp_connection *c = req->evcon;
	struct bufferevent *bev;

	if (c == NULL || c->server == NULL || c->is_freed || r->reply != EVI_REPLY_NONE)
		return NULL;
	bev = c->bev;
	c->bev = NULL;
	*ret_owns_fd = c->owns_fd;
	bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
	bufferevent_setwatermark(bev, EV_READ, 0, 0);
	(void)bufferevent_set_timeouts(bev, NULL, NULL);

	c->is_established = 0;
	r->reply = EVI_REPLY_ENDED;
	evhttp_connection_free(c);
	return bev;
}
