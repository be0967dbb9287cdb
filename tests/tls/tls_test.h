/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_TEST_H_INCLUDED
#define TLS_TEST_H_INCLUDED

/*
 * What the TLS suites share: certificates made on the spot, both TLS libraries behind one table, and
 * a client and a server that talk over a socket pair.
 *
 * The TLS_TEST_LIBRARY environment variable names the library: "openssl" or "mbedtls".
 */

#include "support.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include <stddef.h>

#define TLS_TEST_WAIT_MS 10000

/* A library. `object` is an SSL or an mbedtls_dyncontext. */
struct tls_library {
	const char *name;
	void *(*object_new)(int is_server);
	void (*object_free)(void *object);
	struct bufferevent *(*socket_new)(struct event_base *, evutil_socket_t, void *,
					  enum bufferevent_ssl_state, int);
	struct bufferevent *(*filter_new)(struct event_base *, struct bufferevent *, void *,
					  enum bufferevent_ssl_state, int);
	void *(*object_of)(struct bufferevent *);
	unsigned long (*error_of)(struct bufferevent *);
	int (*get_dirty)(struct bufferevent *);
	void (*set_dirty)(struct bufferevent *, int);
	int (*renegotiate)(struct bufferevent *);
	void (*say_goodbye)(void *object);
};

extern const struct tls_library tls_openssl, tls_mbedtls;

/* The one under test. */
const struct tls_library *tls_library(void);

/* PEM of the self-signed certificate for "localhost", and its key; made once per process. */
const char *tls_certificate_pem(void);
const char *tls_key_pem(void);

/* What happened to one side. */
struct tls_side {
	struct bufferevent *bev;
	struct bufferevent *below; /* of a filter */
	int connected, reads, writes, events;
	short first_event, last_event; /* but CONNECTED */
	int is_ended;
	int err;
	unsigned long code;
};

struct tls_pair {
	struct event_base *base;
	evutil_socket_t fds[2];
	struct tls_side client, server;
};

/* A side's callbacks: count, and leave the data. */
void tls_watch(struct tls_side *side, struct bufferevent *bev);

/* Both sides over a socket pair, of the socket or the filter type; nothing has run yet. */
void tls_pair_init(struct tls_pair *pair, int is_filter, int options);

/* Runs until both have CONNECTED. */
void tls_pair_connect(struct tls_pair *pair);

/* Runs until the input of `side` has `len` bytes. */
void tls_pair_receive(struct tls_pair *pair, struct tls_side *side, size_t len);

/* Frees both sides, if not done yet, and the base. */
void tls_pair_fini(struct tls_pair *pair);

#endif
