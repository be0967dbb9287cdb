/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_CONNECTION_H_INCLUDED
#define HTTP_CONNECTION_H_INCLUDED

/*
 * A connection, on either side: what it runs on, whom it talks to, and the exchange in progress.
 *
 * Callbacks of the program may free a connection at any time. So whoever calls one holds the
 * connection (evi_connection_enter()), and asks `is_freed` afterwards; the memory goes with the
 * last hold. A freed connection has no bufferevent and no request any more.
 */

#include "http/request.h"
#include "os/os_net.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/http_compat.h>

#define EVI_UNLIMITED UINT64_MAX

/* A message's head without line ends, of either side, unless the program says otherwise. */
#define EVI_HEAD_SIZE_DEFAULT (1024 * 1024)

struct evi_client;

enum evi_connection_state {
	/* server */
	EVI_SERVER_HEAD,    /* waiting for a request, or in its head */
	EVI_SERVER_BODY,    /* in its body */
	EVI_SERVER_SKIP,    /* in a body too long, which is thrown away; then 413 */
	EVI_SERVER_REPLY,   /* the application has the request */
	EVI_SERVER_FLUSH,   /* the reply is complete, not all of it is written */
	EVI_SERVER_LINGER,  /* half closed: what still comes is thrown away */
	EVI_SERVER_DRAIN,   /* the end, as soon as earlier replies are written */
	/* client */
	EVI_CLIENT_DOWN,    /* not connected */
	EVI_CLIENT_WAIT,    /* until the next attempt */
	EVI_CLIENT_CONNECT, /* looking up, connecting, shaking hands */
	EVI_CLIENT_IDLE,    /* connected; no request */
	EVI_CLIENT_HEAD,    /* a request is out, or on its way */
	EVI_CLIENT_BODY
};

struct evi_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} socket;
	uint8_t is_known;
};

struct evhttp_connection {
	struct event_base *base;
	struct bufferevent *bev;
	struct evhttp *server;      /* accepted by it, counted as a reference; NULL for a client */
	struct evi_client *client;  /* NULL for an accepted connection */
	struct evi_request *current; /* the exchange in progress, or none */
	struct evhttp_connection *next; /* server: its connections */
	struct evhttp_connection **link;

	void (*closecb)(struct evhttp_connection *evcon, void *arg);
	void *closecb_arg;
	void (*eofcb)(struct evhttp_connection *evcon, void *arg);
	void *eofcb_arg;
	evhttp_ext_method_cb ext_method;

	size_t headers_max;
	uint64_t body_max;
	struct timeval read_timeout;  /* server; zero: none */
	struct timeval write_timeout;
	/* server: of head, body or lingering; made when it is first needed */
	struct event *deadline;

	const char *peer_name; /* `peer_text`, or as given by the program; NULL if there is none */
	ev_uint16_t peer_port;
	char peer_text[INET6_ADDRSTRLEN];
	struct evi_address address;

	unsigned holds;           /* uses on the stack, and one while not freed */
	int flags;                /* EVHTTP_CON_* */
	uint8_t state;            /* enum evi_connection_state */
	unsigned is_freed : 1;
	unsigned owns_fd : 1;     /* the bufferevent does not close it: we do */
	unsigned is_established : 1;
	unsigned has_eof : 1;     /* the peer has finished sending */
	unsigned is_quiet : 1;    /* the read timeout is off */
	unsigned is_refused : 1;  /* server: above the maximum of connections */
	unsigned has_deadline : 1;
	unsigned has_own_timeouts : 1; /* the program has set them */
	unsigned is_plain : 1;    /* server: a bufferevent of ours, over the socket alone */
	unsigned has_committed : 1; /* server: a reply was done with when it was in the output */
	uint32_t lingered; /* bytes thrown away */
	size_t body_mark;  /* server: what of a body had come when its pace was last looked at */
};

/* Make one without anything in it; one hold. NULL when out of memory. */
struct evhttp_connection *evi_connection_make(struct event_base *base);

/*
 * Give it the bufferevent, which it owns from now on. `is_own`: made here, closes its descriptor.
 */
void evi_connection_take_bev(struct evhttp_connection *c, struct bufferevent *bev, int is_own);

void evi_connection_enter(struct evhttp_connection *c);
void evi_connection_leave(struct evhttp_connection *c);

/* Run the close callback if the connection was established. The program may free it therein. */
void evi_connection_tell_closed(struct evhttp_connection *c);

/* The program frees a request that is on the connection: the exchange cannot go on. */
void evi_connection_forget(struct evhttp_connection *c, struct evi_request *r);

/* Free the bufferevent and close its descriptor. */
void evi_connection_drop_bev(struct evhttp_connection *c);

/* Free a bufferevent; if it would leave its descriptor open, close that too. */
void evi_bev_free_with_fd(struct bufferevent *bev, int owns_fd);

/* Feed the head parser from the bufferevent's input. */
enum evi_head_step evi_connection_read_head(struct evhttp_connection *c, struct evi_request *r);

/* Note the peer's address; -EINVAL if it is none that can be told. */
int evi_address_set(struct evi_address *address, const struct sockaddr *sa, size_t len);

/* Limits as the public setters take them: negative is unlimited. */
static inline uint64_t evi_limit(ev_ssize_t limit)
{
	return limit < 0 ? EVI_UNLIMITED : (uint64_t)limit;
}

static inline size_t evi_size_limit(ev_ssize_t limit)
{
	return limit < 0 ? SIZE_MAX : (size_t)limit;
}

#endif
