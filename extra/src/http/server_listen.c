/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a server listens.
 */

#include "http/server.h"

#include <event2/component/reactor.h>

#include <stdio.h>
#include <string.h>

#define BACKLOG 128

#define LISTENER_FLAGS (LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE)

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
		      int peer_len, void *arg)
{
	(void)listener;
	evi_server_accept(arg, fd, peer, (size_t)peer_len);
}

/*
 * Accepted sockets inherit it, as they do the listener's probes for dead peers: a reply's last
 * piece is not held back for an acknowledgement. It does not exist for Unix sockets; nothing
 * depends on it.
 */
void evi_server_tune(evutil_socket_t fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, (void *)&on, sizeof(on));
}

static void link_bound(struct evhttp *http, struct evhttp_bound_socket *bound,
		       struct evconnlistener *listener)
{
	struct evhttp_bound_socket **end = &http->bound;

	bound->http = http;
	bound->listener = listener;
	while (*end != NULL)
		end = &(*end)->next;
	*end = bound;
	evi_server_tune(evconnlistener_get_fd(listener));
	evconnlistener_set_cb(listener, on_accept, bound);
}

static struct evhttp_bound_socket *add_bound(struct evhttp *http, struct evconnlistener *listener)
{
	struct evhttp_bound_socket *bound = evi_calloc(1, sizeof(*bound));

	if (bound != NULL)
		link_bound(http, bound, listener);
	return bound;
}

static void free_bound(struct evhttp_bound_socket *bound)
{
	evconnlistener_free(bound->listener);
	evi_free(bound);
}

/* The first address that a listener can be made for. */
static struct evconnlistener *bind_any(struct evhttp *http, const struct evutil_addrinfo *found)
{
	struct evconnlistener *listener = NULL;

	for (; found != NULL && listener == NULL; found = found->ai_next)
		listener = evconnlistener_new_bind(http->base, NULL, NULL, LISTENER_FLAGS, BACKLOG,
						   found->ai_addr, (int)found->ai_addrlen);
	return listener;
}

static struct evconnlistener *make_listener(struct evhttp *http, const char *address,
					    ev_uint16_t port)
{
	struct evutil_addrinfo hints = {
		.ai_family = address != NULL ? AF_UNSPEC : AF_INET,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = EVUTIL_AI_PASSIVE | EVUTIL_AI_NUMERICSERV,
	};
	struct evutil_addrinfo *found = NULL;
	struct evconnlistener *listener;
	char service[8];
	int result;
	int err;

	(void)snprintf(service, sizeof(service), "%u", (unsigned)port);
	result = evutil_getaddrinfo(address, service, &hints, &found);
	if (result != 0) {
		event_warnx("http: cannot resolve %s: %s", address != NULL ? address : "any",
			    evutil_gai_strerror(result));
		return NULL;
	}
	listener = bind_any(http, found);
	err = EVUTIL_SOCKET_ERROR();
	evutil_freeaddrinfo(found);
	EVUTIL_SET_SOCKET_ERROR(err);
	return listener;
}

void evi_server_unbind(struct evhttp *http)
{
	while (http->bound != NULL) {
		struct evhttp_bound_socket *bound = http->bound;

		http->bound = bound->next;
		free_bound(bound);
	}
}

/* --- Public ----------------------------------------------------------------------------------- */

struct evhttp_bound_socket *evhttp_bind_socket_with_handle(struct evhttp *http, const char *address,
							   ev_uint16_t port)
{
	struct evhttp_bound_socket *bound;
	struct evconnlistener *listener;

	if (http->base == NULL)
		return NULL;
	listener = make_listener(http, address, port);
	if (listener == NULL)
		return NULL;
	bound = add_bound(http, listener);
	if (bound == NULL)
		evconnlistener_free(listener);
	return bound;
}

int evhttp_bind_socket(struct evhttp *http, const char *address, ev_uint16_t port)
{
	return evhttp_bind_socket_with_handle(http, address, port) != NULL ? 0 : -1;
}

struct evhttp_bound_socket *evhttp_accept_socket_with_handle(struct evhttp *http,
							     evutil_socket_t fd)
{
	struct evhttp_bound_socket *bound;
	struct evconnlistener *listener;

	if (http->base == NULL)
		return NULL;
	/* The handle first: a listener that has to be freed again would close the caller's fd. */
	bound = evi_calloc(1, sizeof(*bound));
	if (bound == NULL)
		return NULL;
	listener = evconnlistener_new(http->base, NULL, NULL, LISTENER_FLAGS, 0, fd);
	if (listener == NULL) {
		evi_free(bound);
		return NULL;
	}
	link_bound(http, bound, listener);
	return bound;
}

int evhttp_accept_socket(struct evhttp *http, evutil_socket_t fd)
{
	return evhttp_accept_socket_with_handle(http, fd) != NULL ? 0 : -1;
}

struct evhttp_bound_socket *evhttp_bind_listener(struct evhttp *http,
						 struct evconnlistener *listener)
{
	return add_bound(http, listener);
}

void evhttp_del_accept_socket(struct evhttp *http, struct evhttp_bound_socket *bound)
{
	struct evhttp_bound_socket **link = &http->bound;

	while (*link != NULL && *link != bound)
		link = &(*link)->next;
	if (*link == NULL)
		return;
	*link = bound->next;
	free_bound(bound);
}

void evhttp_foreach_bound_socket(struct evhttp *http, evhttp_bound_socket_foreach_fn *function,
				 void *argument)
{
	struct evhttp_bound_socket *next;

	for (struct evhttp_bound_socket *bound = http->bound; bound != NULL; bound = next) {
		next = bound->next;
		function(bound, argument);
	}
}

evutil_socket_t evhttp_bound_socket_get_fd(struct evhttp_bound_socket *bound)
{
	return evconnlistener_get_fd(bound->listener);
}

struct evconnlistener *evhttp_bound_socket_get_listener(struct evhttp_bound_socket *bound)
{
	return bound->listener;
}

void evhttp_bound_set_bevcb(struct evhttp_bound_socket *bound,
			    struct bufferevent *(*cb)(struct event_base *, void *), void *cbarg)
{
	bound->bevcb = cb;
	bound->bevcb_arg = cbarg;
}
