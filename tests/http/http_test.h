/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_TEST_H_INCLUDED
#define HTTP_TEST_H_INCLUDED

/*
 * What the HTTP suites share: a server with its loop, a raw peer that sends bytes and keeps what
 * comes back, a canned server for clients, and a log of the callbacks in their order.
 *
 * All of it runs in the test's one loop; every wait has a limit and fails the test when it is
 * reached.
 */

#include "support.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_compat.h>
#include <event2/http_struct.h>
#include <event2/listener.h>

#include <string.h>

#define LIMIT_MS 30000 /* of every wait: only a test that hangs comes near it */

/* --- Server ----------------------------------------------------------------------------------- */

extern struct event_base *base;
extern struct evhttp *http;
extern ev_uint16_t port;

/*
 * .init and .fini of suites: a base and a server on a free port of 127.0.0.1; and that nothing
 * leaks.
 */
void http_open(void);
void http_close(void);

/* The port a bound socket has. */
ev_uint16_t http_port_of(struct evhttp_bound_socket *bound);

/* Handlers: 200 with "hello"; 200 with the request's body; log "handler" and keep the request. */
void http_hello(struct evhttp_request *req, void *arg);
void http_echo(struct evhttp_request *req, void *arg);
void http_keep(struct evhttp_request *req, void *arg);
extern struct evhttp_request *kept;

/* --- Log -------------------------------------------------------------------------------------- */

/* Words separated by blanks, in the order of the calls. */
void http_note(const char *format, ...) EVI_PRINTF(1, 2);
extern char http_log[4096];

/* Callbacks that log "close", "error-N", "complete". */
void http_on_close(struct evhttp_connection *evcon, void *arg);
void http_on_error(enum evhttp_request_error error, void *arg);
void http_on_complete(struct evhttp_request *req, void *arg);

/* --- Raw peer --------------------------------------------------------------------------------- */

struct peer {
	struct bufferevent *bev;
	char *got; /* NUL-terminated */
	size_t len;
	size_t size; /* of the memory behind `got` */
	size_t awaited; /* bytes before the end of what peer_until() last found */
	int has_ended; /* EOF or reset */
	int was_reset;
};

struct peer *peer_open(ev_uint16_t to);
struct peer *peer_open_on(evutil_socket_t fd);
void peer_send(struct peer *peer, const char *text);
void peer_send_bytes(struct peer *peer, const void *bytes, size_t len);
void peer_finish(struct peer *peer);                     /* half close, once all is written */
/* `text` has come, after what was awaited before */
void peer_until(struct peer *peer, const char *text);
void peer_until_end(struct peer *peer);
void peer_close(struct peer *peer);

/* Send, half close, return all that came back; valid until the next call. */
const char *talk(const char *text);
const char *talk_bytes(const void *bytes, size_t len);

/* How often `part` stands in `text`. */
int times(const char *text, const char *part);

/* --- Canned server ---------------------------------------------------------------------------- */

enum canned_then { CANNED_KEEP, CANNED_CLOSE, CANNED_RESET };

#define CANNED_MAX 64 /* connections at the same time */

struct canned {
	const char *reply; /* sent when `trigger` has come */
	size_t reply_len;  /* 0: strlen(reply) */
	const char *trigger;
	enum canned_then then;
	struct evconnlistener *listener;
	ev_uint16_t port;
	int connections; /* accepted */
	int requests;    /* triggers seen */
	int closed;      /* connections the client has closed */
	int has_answered; /* on the last connection */
	char seen[1 << 17]; /* of the current request */
	size_t seen_len;
	struct bufferevent *last;
	struct bufferevent *open[CANNED_MAX];
};

void canned_open(struct canned *canned, const char *reply, enum canned_then then);
void canned_close(struct canned *canned);

/* End the last connection. */
void canned_hang_up(struct canned *canned);

/*
 * A bound socket that does not listen: connecting to it is refused, and nobody else gets the port.
 * On that port, or any if it is 0, which is set then.
 */
evutil_socket_t http_deaf(ev_uint16_t *io_port);

/* --- Client ----------------------------------------------------------------------------------- */

/* The last completion: logged as "done-CODE" or "done-null"; its body is kept. */
extern char http_body[1 << 16];
extern size_t http_body_len;
extern int http_done; /* completions */

void http_on_done(struct evhttp_request *req, void *arg);

struct evhttp_connection *client_open(ev_uint16_t to);

/* Make a request with all callbacks logged, and send it. */
struct evhttp_request *client_request(void);
struct evhttp_request *client_get(struct evhttp_connection *evcon, const char *uri);

/* Wait for that many completions since the start of the test. */
void client_wait(int done);

/* Wait until `word` is in the log. */
void log_wait(const char *word);

#endif
