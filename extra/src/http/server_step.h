/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_SERVER_STEP_H_INCLUDED
#define HTTP_SERVER_STEP_H_INCLUDED

/*
 * What the parts of a server's connection ask of each other: the steps of server_input.c and
 * server_body.c, and the times of server_time.c. In all of it the connection is held.
 */

#include "http/server.h"

enum evi_server_step { EVI_STEP_WAIT, EVI_STEP_AGAIN };

/* --- server_input.c --------------------------------------------------------------------------- */

/* The request did not come to its end, and nobody will be answered. */
void evi_server_lose(struct evhttp_connection *c, enum evhttp_request_error error);

/*
 * The peer has finished sending before its request was complete, but may wait for earlier replies.
 */
void evi_server_lose_at_eof(struct evhttp_connection *c);

/* Close when the replies to earlier requests are written. What the current one wants is dropped. */
void evi_server_close_written(struct evhttp_connection *c);

/* The request is complete: the application's turn. */
enum evi_server_step evi_server_dispatch(struct evhttp_connection *c);

/* Nonzero if it waits for a request of which nothing has come. */
static inline int evi_server_is_idle(const struct evhttp_connection *c)
{
	return c->state == EVI_SERVER_HEAD &&
	       evbuffer_get_length(bufferevent_get_input(c->bev)) == 0 &&
	       (c->current == NULL || !evi_head_has_begun(&c->current->head));
}

/* --- server_body.c ---------------------------------------------------------------------------- */

enum evi_server_step evi_server_step_body(struct evhttp_connection *c);
enum evi_server_step evi_server_step_skip(struct evhttp_connection *c);

/* The body exceeds the limit. With the lingering flag it is read first, so that 413 arrives. */
enum evi_server_step evi_server_refuse_length(struct evhttp_connection *c, struct evi_request *r,
					      int waits);

/* Tell the program, which has the request, that the rest of its body will not come. */
void evi_server_tell_body_lost(struct evi_request *r);

/*
 * Nonzero while the program has the request, the current one, and has not answered it to the end.
 */
static inline int evi_server_is_answerable(const struct evhttp_connection *c,
					   const struct evi_request *r)
{
	return (c->state == EVI_SERVER_REPLY || (c->state == EVI_SERVER_BODY && r->is_streamed)) &&
	       r->reply != EVI_REPLY_ENDED;
}

/* The same, and it will: it has not freed the request. */
static inline int evi_server_is_owed(const struct evhttp_connection *c, const struct evi_request *r)
{
	return evi_server_is_answerable(c, r) && !r->is_unwanted;
}

/* Nonzero if the program has the request, and its body is not all here. */
static inline int evi_server_lacks_body(const struct evhttp_connection *c,
					const struct evi_request *r)
{
	return c->state == EVI_SERVER_BODY && r->is_streamed && r->framing.body != EVI_BODY_NONE;
}

/* --- server_time.c ---------------------------------------------------------------------------- */

/* The read timeout runs while we wait for the peer, not while it waits for us. */
void evi_server_set_quiet(struct evhttp_connection *c, int is_quiet);

/* Begin to limit the time of a head that did not come in one piece, or the pace of a body. */
void evi_server_time_head(struct evhttp_connection *c);
void evi_server_time_body(struct evhttp_connection *c);
/* Or of a client that was refused, and may finish its sentence. */
void evi_server_time_linger(struct evhttp_connection *c);
void evi_server_stop_deadline(struct evhttp_connection *c);

/* NULL for a time of zero. */
const struct timeval *evi_server_or_none(const struct timeval *tv);

#endif
