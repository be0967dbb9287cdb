/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_SERVER_H_INCLUDED
#define HTTP_SERVER_H_INCLUDED

/*
 * The server object: settings, where it listens, what it serves, and its connections.
 *
 * Every connection counts as a reference, so that the object outlives evhttp_free() called from a
 * callback of one of them.
 */

#include "http/connection.h"

#include <event2/listener.h>

#include <time.h>

#define EVI_DATE_LEN 29 /* Mon, 23 Nov 2026 03:21:24 GMT */

struct evi_route {
	struct evi_route *next;
	void (*cb)(struct evhttp_request *req, void *arg);
	void *arg;
	int is_stream;
	size_t len;
	char path[]; /* `len` bytes and a NUL */
};

struct evi_alias {
	struct evi_alias *next;
	char name[];
};

struct evhttp_bound_socket {
	struct evhttp_bound_socket *next;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct bufferevent *(*bevcb)(struct event_base *base, void *arg);
	void *bevcb_arg;
};

/* A connection that speaks another protocol now (WebSocket), but still belongs to the server. */
struct evi_session {
	struct evi_session *next;
	struct evi_session **link;
	/* the server goes: end it, and leave the list */
	void (*close)(struct evi_session *session);
};

struct evhttp {
	struct event_base *base;
	unsigned references;
	int is_freed;

	struct evhttp_bound_socket *bound; /* in the order they were added */
	struct evhttp_connection *connections;
	struct evi_session *sessions;
	int connection_count; /* sessions included */
	int connection_max;   /* 0: no limit */

	struct evi_route *routes;
	void (*gencb)(struct evhttp_request *req, void *arg);
	void *gencb_arg;
	struct bufferevent *(*bevcb)(struct event_base *base, void *arg);
	void *bevcb_arg;
	int (*newreqcb)(struct evhttp_request *req, void *arg);
	void *newreqcb_arg;
	int (*errorcb)(struct evhttp_request *req, struct evbuffer *buffer, int code,
		       const char *reason, void *arg);
	void *errorcb_arg;
	evhttp_ext_method_cb ext_method;

	struct evhttp *parent;      /* of a virtual host */
	struct evhttp *vhosts;      /* in the order they were added */
	struct evhttp *next_vhost;
	char *pattern;              /* of a virtual host */
	struct evi_alias *aliases;

	ev_uint32_t methods;
	int flags;
	const char *content_type; /* the caller's */
	size_t headers_max;
	uint64_t body_max;
	struct timeval read_timeout; /* zero: none */
	struct timeval write_timeout;
	struct timeval head_timeout;
	size_t body_rate;            /* bytes of a body within each `body_window` */
	struct timeval body_window;

	int is_stopping;
	void (*stop_cb)(struct evhttp *http, void *arg);
	void *stop_arg;

	struct evi_request *cache; /* used requests, ready to be used again */
	unsigned cached;
	time_t date_time; /* of `date` */
	char date[EVI_DATE_LEN + 1];
};

void evi_server_ref(struct evhttp *http);
void evi_server_unref(struct evhttp *http);

/* The Date of now. Valid until the next call. */
const char *evi_server_date(struct evhttp *http);

/* A request object for a connection; NULL when out of memory. */
struct evi_request *evi_server_take_request(struct evhttp *http);

/* Done with one that the program has not taken; keeps a few. */
void evi_server_give_request(struct evhttp *http, struct evi_request *r);

/* Replies do not wait for acknowledgements; of a listener, on all that it accepts. */
void evi_server_tune(evutil_socket_t fd);

/* Start with a new connection's descriptor, which is taken. */
void evi_server_accept(struct evhttp_bound_socket *bound, evutil_socket_t fd,
		       const struct sockaddr *peer, size_t peer_len);

/* The connection is freed: leave the server, let go of the request. */
void evi_server_end(struct evhttp_connection *c);

/* What serves a request: its callback, or NULL if there is none. */
struct evi_handler {
	void (*cb)(struct evhttp_request *req, void *arg);
	void *arg;
	int is_stream; /* wants the request before its body */
};
struct evi_handler evi_server_route(struct evhttp *http, struct evhttp_request *req);

/* A connection or session has gone: was it the last that evhttp_stop() waits for? */
void evi_server_look_whether_stopped(struct evhttp *http);

/* evhttp_request_pause() and its opposite; nothing unless a body is streamed. */
int evi_server_pause(struct evhttp_request *req, int is_paused);

/* Free the paths, aliases and virtual hosts. */
void evi_server_free_routes(struct evhttp *http);

/* Stop listening everywhere. */
void evi_server_unbind(struct evhttp *http);

/* --- The connection of a server (server_input.c) ---------------------------------------------- */

/* Give a connection that was just made its callbacks, and its first request if somebody asks. */
void evi_server_start(struct evhttp_connection *c);

/* Go on with what is in the input, as far as possible. The connection is held. */
void evi_server_advance(struct evhttp_connection *c);

/* The reply is complete in the output. Now, or when it is written, the exchange ends. */
void evi_server_reply_ended(struct evhttp_connection *c);

/* Answer the current request, or what should have become one, with an error page, then close. */
void evi_server_refuse(struct evhttp_connection *c, int code, enum evhttp_request_error error);

/* --- Replies (server_reply.c, error_page.c) --------------------------------------------------- */

/* Write a whole error page as the reply. `is_own`: made by the library, not evhttp_send_error(). */
void evi_error_page_send(struct evi_request *r, int code, const char *reason, int is_not_found);

/* Write a whole reply: the head, the request's output buffer and `body` (or NULL). 0 or -ENOMEM. */
int evi_reply_write(struct evi_request *r, int code, const char *reason, struct evbuffer *body);

/* The interim response. */
void evi_reply_write_continue(struct evhttp_connection *c);

/* --- Other protocols -------------------------------------------------------------------------- */

/**
 * Take the transport of a request's connection away from HTTP, in the request's callback.
 *
 * The connection is freed without its close callback; the request stays until its callback returns.
 * The caller owns the bufferevent, which has no callbacks, no timeouts and no marks, and frees it
 * with evi_bev_free_with_fd().
 *
 * @return NULL if the request has no connection, or was answered already
 */
struct bufferevent *evi_server_upgrade(struct evhttp_request *req, int *ret_owns_fd);

/* Count a session to the server until evi_session_remove(). */
void evi_session_add(struct evhttp *http, struct evi_session *session);
void evi_session_remove(struct evhttp *http, struct evi_session *session);

#endif
