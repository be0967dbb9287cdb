/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_CLIENT_H_INCLUDED
#define HTTP_CLIENT_H_INCLUDED

/*
 * What a connection has that was made to send requests: where to, how to get there, and a queue.
 *
 * A request is in the queue until it is sent, then it is the connection's current one. While there
 * is no connection the first of the queue is the one that a failure to connect befalls.
 */

#include "http/connection.h"

struct evi_request_queue {
	struct evhttp_request *tqh_first;
	struct evhttp_request **tqh_last;
};

struct evi_client {
	char *address; /* NULL with `path`, and where a connected transport was handed over */
	ev_uint16_t port;
	char *path; /* of a Unix socket */
	char *proxy; /* address; NULL: none */
	ev_uint16_t proxy_port;
	const struct evi_proxy_ops *proxy_ops;
	char *proxy_credentials; /* as the protocol wants them, or NULL */
	struct evi_tunnel *tunnel; /* while the proxy is connected to, and asked */
	struct evdns_base *dnsbase;
	int family;
	char *local_address;
	ev_uint16_t local_port;

	struct timeval connect_timeout; /* zero: none */
	struct timeval read_timeout;
	struct timeval write_timeout;
	struct timeval first_delay; /* before the first retry; doubles */
	int retries_max;            /* negative: for ever */
	int retries;

	struct evi_request_queue queue;
	struct event timer;    /* of connecting, of waiting to retry, of waiting for 100 */
	int socket_error;      /* of the last failure */
	int lookup_error;      /* EVUTIL_EAI_*, likewise */
	unsigned has_timer : 1; /* `timer` is assigned */
	unsigned is_timing : 1; /* it runs */
	unsigned is_pumping : 1;
	unsigned is_autofree : 1; /* goes when the last request is over */
	unsigned has_tried : 1;   /* to connect; the descriptor given before that is used */
	unsigned has_write_error : 1;
	unsigned is_secure : 1;   /* https: the port that goes without saying is 443 */
	unsigned has_mark : 1;    /* the transport's low mark for writing is set */
	unsigned has_timeouts : 1; /* the transport has them ... */
	unsigned is_mute : 1;      /* ... but the one for reading */
	unsigned is_sending : 1; /* a large body: the read timeout waits until it is out */
};

void evi_client_free(struct evi_client *client);

/* The connection is freed: let go of its requests without a word to them. */
void evi_client_end(struct evhttp_connection *c);

/* The program frees a request that is queued or running. */
void evi_client_forget(struct evhttp_connection *c, struct evi_request *r);

/* Start what can be started: connect, or send the next request. May call the program. */
void evi_client_pump(struct evhttp_connection *c);

/* --- Connecting (client_connect.c) ------------------------------------------------------------ */

/* Try to connect. 0: on its way, or failed and reported; -EADDRNOTAVAIL: no source address. */
int evi_client_connect(struct evhttp_connection *c);

/* Connecting has failed. */
void evi_client_connect_failed(struct evhttp_connection *c, int err,
			       const struct evhttp_failure *failure);

/* The transport stands: requests may go out. */
void evi_client_connected(struct evhttp_connection *c);

/* Close the transport; the close callback runs if it was established. */
void evi_client_down(struct evhttp_connection *c);

/* Start the timer, or stop it. Zero is no time at all. */
void evi_client_start_timer(struct evhttp_connection *c, const struct timeval *after);
void evi_client_stop_timer(struct evhttp_connection *c);

/* Put the timeouts to the transport. `is_sending`: nothing is awaited from the peer yet. */
void evi_client_apply_timeouts(struct evhttp_connection *c, int is_sending);

/* --- Tunnels through proxies (client_tunnel.c) ------------------------------------------------ */

/* Have a bufferevent for the connection to the proxy. 0 or -ENOMEM. */
int evi_tunnel_open(struct evhttp_connection *c);
void evi_tunnel_close(struct evi_client *client);

/* What is to be connected: the proxy's bufferevent, or the connection's own. */
struct bufferevent *evi_client_dialled(const struct evhttp_connection *c);

/* --- Requests (client_send.c, client_input.c, client_report.c) -------------------------------- */

/* Take the first of the queue and write it. The connection is idle. */
void evi_client_send(struct evhttp_connection *c);

/* Write the body that was held back. 0 or -ENOMEM. */
int evi_client_send_body(struct evhttp_connection *c, struct evi_request *r);

void evi_client_on_read(struct bufferevent *bev, void *arg);
void evi_client_on_write(struct bufferevent *bev, void *arg);
void evi_client_on_event(struct bufferevent *bev, short what, void *arg);

/* The transport failed or ended while connected. */
void evi_client_on_end(struct evhttp_connection *c, short what);

/* The current request fails. The connection goes down. */
void evi_client_fail(struct evhttp_connection *c, enum evhttp_request_error error);

/* Nobody answers at the address: every request now queued is told, with response code 0. */
void evi_client_report_refused(struct evhttp_connection *c, const struct evhttp_failure *failure);

/* There is no way to the address: the first request is told. */
void evi_client_report_unreachable(struct evhttp_connection *c,
				   const struct evhttp_failure *failure);

/* Write a failure of TLS to `failure`, if there was one; `text` is lent to it. */
#define EVI_FAILURE_TEXT 200
void evi_failure_note_tls(struct evhttp_failure *failure, struct bufferevent *bev, char *text);

/* --- Bodies in pieces (client_body.c) --------------------------------------------------------- */

/* More is asked for when no more than this is left to write. */
#define EVI_BODY_LOW_MARK 32768

/* Choose the framing. 0, or -1 if there is none. */
int evi_client_prepare_stream(struct evi_request *r, int has_body);

/* The transport can take more. Calls the program. */
void evi_client_ask_for_body(struct evhttp_connection *c, struct evi_request *r);

/* --- Deadlines (client_report.c) -------------------------------------------------------------- */

/* The request is about to be queued: its time begins. 0 or -ENOMEM. */
int evi_client_start_deadline(struct evhttp_connection *c, struct evi_request *r);

/* The exchange is complete. */
void evi_client_complete(struct evhttp_connection *c);

/* Take a request out of the queue. */
void evi_client_unqueue(struct evhttp_connection *c, struct evi_request *r);

static inline int evi_timeval_is_set(const struct timeval *tv)
{
	return tv->tv_sec != 0 || tv->tv_usec != 0;
}

static inline const struct timeval *evi_timeval_or_none(const struct timeval *tv)
{
	return evi_timeval_is_set(tv) ? tv : NULL;
}

#endif
