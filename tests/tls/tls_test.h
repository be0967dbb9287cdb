/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_TEST_H_INCLUDED
#define TLS_TEST_H_INCLUDED

/*
 * What the TLS suites share: certificates made on the spot, both TLS libraries behind one table,
 * and a client and a server that talk over a socket pair.
 *
 * The TLS_TEST_LIBRARY environment variable names the library: "openssl" or "mbedtls".
 */

#include "support.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/watch.h>

#include <stddef.h>

#define TLS_TEST_WAIT_MS 60000

/*
 * Certificates, made when they are asked for. All but SELF_SIGNED are signed by the test's
 * authority.
 */
enum tls_cert {
	TLS_CERT_GOOD,        /* localhost and 127.0.0.1 */
	TLS_CERT_EXPIRED,     /* the same, an hour ago */
	TLS_CERT_OTHER,       /* other.example */
	TLS_CERT_WILDCARD,    /* *.example.org */
	TLS_CERT_NUL,         /* localhost, a NUL, .evil.example */
	TLS_CERT_TEXT,        /* the name, not the address, "127.0.0.1" */
	TLS_CERT_SELF_SIGNED, /* localhost and 127.0.0.1 */
	TLS_CERT_COUNT
};

const char *tls_authority_pem(void);
const char *tls_cert_pem(enum tls_cert which);
const char *tls_key_pem(enum tls_cert which);

/* How an object is to be; all zero: a plain client that checks nothing. */
struct tls_setup {
	int is_server;
	enum tls_cert cert; /* of a server, or of a client with `has_cert` */
	int has_cert;
	int verifies; /* against the authority; a server then insists on a certificate */
	int renegotiates; /* allows it; TLS 1.2 */
	const char *const *protocols; /* ALPN, NULL at the end; or NULL */
};

/* A library. `object` is an SSL or an mbedtls_dyncontext. */
struct tls_library {
	const char *name;
	void *(*object_with)(const struct tls_setup *setup);
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
	int (*verify_host)(struct bufferevent *, const char *host);
	int (*get_alpn)(struct bufferevent *, char *name, size_t size);
	void (*say_goodbye)(void *object);
	/* Calls back often while it shakes hands, reads and writes; 0 if it cannot. */
	int (*call_back)(void *object, void (*call)(void *arg), void *arg);
};

extern const struct tls_library tls_openssl, tls_mbedtls;

/* The one under test. */
const struct tls_library *tls_library(void);

/* Nonzero if the objects speak TLS 1.3; a test that needs 1.2 may skip itself. */
int tls_is_13(void);

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
	evutil_socket_t wire[2]; /* of tls_wire_init(): the far ends, client's and server's */
	struct tls_side client, server;
};

/* Bytes that can be told apart: writes `len` of them, checks that the input is just that. */
void tls_write_pattern(struct bufferevent *bev, size_t len);
void tls_check_pattern(struct bufferevent *bev, size_t len);

/* A side's callbacks: count, and leave the data. */
void tls_watch(struct tls_side *side, struct bufferevent *bev);

/* Both sides over a socket pair, of the socket or the filter type; nothing has run yet. */
void tls_pair_init(struct tls_pair *pair, int is_filter, int options);

/* The same with objects as wished; NULL means the plain ones. */
void tls_pair_init_with(struct tls_pair *pair, int is_filter, int options,
			const struct tls_setup *client, const struct tls_setup *server);

/* The two with a wire between them that the test moves bytes over; see tls_wire_move(). */
void tls_wire_init(struct tls_pair *pair, int is_filter, int options);

/* Moves up to `max` bytes that one side (0: the client) has sent to the other. How many it were. */
size_t tls_wire_move(struct tls_pair *pair, int from, size_t max);

/* Takes what one side has sent off the wire; how many records of data it was, 0 if it was none. */
size_t tls_wire_count_records(struct tls_pair *pair, int from);

/* Turns of the loop without waiting, moving all there is over the wire if there is one. */
void tls_pair_settle(struct tls_pair *pair);

/* Moves bytes over the wire until both have CONNECTED. */
void tls_wire_connect(struct tls_pair *pair);

/* Runs until both have CONNECTED. */
void tls_pair_connect(struct tls_pair *pair);

/* Runs until the input of `side` has `len` bytes. */
void tls_pair_receive(struct tls_pair *pair, struct tls_side *side, size_t len);

/* Frees both sides, if not done yet, and the base. */
void tls_pair_fini(struct tls_pair *pair);

#endif
