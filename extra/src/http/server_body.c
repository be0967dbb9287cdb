/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The body of a request: gathered for a handler that wants all of it, handed on in pieces, streamed
 * to a handler that has the request already, or thrown away.
 *
 * A streamed body is held (`is_held`) while the program has not taken enough of it: then nothing is
 * read, and the client is slowed down by TCP. Taking bytes from the input buffer lets it go on.
 */

#include "http/body.h"
#include "http/server_step.h"

#include <event2/component/reactor.h>

/* A callback of the request's has returned. 0; -1: the connection is gone. */
static int after_callback(struct evhttp_connection *c, struct evi_request *r)
{
	if (evi_request_leave(r)) {
		if (c->is_freed)
			evi_request_release(r);
		else
			evhttp_connection_free(c);
	}
	return c->is_freed ? -1 : 0;
}

/* Hands what has come to the chunk callback. 0; -1: the connection is gone. */
static int deliver(struct evhttp_connection *c, struct evi_request *r)
{
	if (r->pub.chunk_cb == NULL || evbuffer_get_length(r->pub.input_buffer) == 0)
		return 0;
	evi_request_enter(r);
	r->pub.chunk_cb(&r->pub, r->pub.cb_arg);
	evbuffer_drain(r->pub.input_buffer, evbuffer_get_length(r->pub.input_buffer));
	return after_callback(c, r);
}

enum evi_server_step evi_server_refuse_length(struct evhttp_connection *c, struct evi_request *r,
					      int waits)
{
	if ((c->server->flags & EVHTTP_SERVER_LINGERING_CLOSE) == 0 || waits) {
		evi_server_refuse(c, HTTP_ENTITYTOOLARGE, EVREQ_HTTP_DATA_TOO_LONG);
		return EVI_STEP_WAIT;
	}
	r->drops_body = 1;
	c->state = EVI_SERVER_SKIP;
	evbuffer_drain(r->pub.input_buffer, evbuffer_get_length(r->pub.input_buffer));
	return EVI_STEP_AGAIN;
}

static void lack_memory(struct evhttp_connection *c)
{
	evi_server_lose(c, EVREQ_HTTP_BUFFER_ERROR);
}

/* All has been read that came, and more is to come. */
static void wait_for_more(struct evhttp_connection *c)
{
	if (c->has_eof)
		evi_server_lose_at_eof(c);
	else
		evi_server_time_body(c);
}

static enum evi_server_step gather(struct evhttp_connection *c, struct evi_request *r)
{
	switch (evi_body_read(r, bufferevent_get_input(c->bev), c->body_max)) {
	case EVI_BODY_PIECE:
		return deliver(c, r) == 0 ? EVI_STEP_AGAIN : EVI_STEP_WAIT;
	case EVI_BODY_DONE:
		evi_server_stop_deadline(c);
		return deliver(c, r) == 0 ? evi_server_dispatch(c) : EVI_STEP_WAIT;
	case EVI_BODY_TOO_LONG:
		return evi_server_refuse_length(c, r, 0);
	case EVI_BODY_BAD:
		evi_server_refuse(c, HTTP_BADREQUEST, EVREQ_HTTP_INVALID_HEADER);
		return EVI_STEP_WAIT;
	case EVI_BODY_MEMORY:
		lack_memory(c);
		return EVI_STEP_WAIT;
	default:
		wait_for_more(c);
		return EVI_STEP_WAIT;
	}
}

/* --- Streams ---------------------------------------------------------------------------------- */

static size_t held_length(const struct evi_request *r)
{
	return evbuffer_get_length(r->pub.input_buffer);
}

static int must_hold(const struct evi_request *r)
{
	return r->is_paused || (!r->drops_body && held_length(r) >= r->held_max);
}

/* 0; -1: the connection is gone. */
static int tell(struct evhttp_connection *c, struct evi_request *r, enum evhttp_body_news news)
{
	if (r->stream_cb == NULL)
		return 0;
	evi_request_enter(r);
	r->told = r->pub.body_size;
	r->stream_cb(&r->pub, news, r->stream_arg);
	return after_callback(c, r);
}

void evi_server_tell_body_lost(struct evi_request *r)
{
	if (r->stream_cb == NULL || r->has_body_end || r->is_unwanted)
		return;
	r->has_body_end = 1;
	r->stream_cb(&r->pub, EVHTTP_BODY_LOST, r->stream_arg);
}

static enum evi_server_step tell_data(struct evhttp_connection *c, struct evi_request *r)
{
	if (r->drops_body) {
		r->told = r->pub.body_size;
		return EVI_STEP_AGAIN;
	}
	return tell(c, r, EVHTTP_BODY_DATA) == 0 ? EVI_STEP_AGAIN : EVI_STEP_WAIT;
}

static enum evi_server_step end_stream(struct evhttp_connection *c, struct evi_request *r)
{
	evi_server_stop_deadline(c);
	r->has_body_end = 1;
	c->state = EVI_SERVER_REPLY;
	evi_server_set_quiet(c, 1);
	(void)tell(c, r, EVHTTP_BODY_END);
	return EVI_STEP_WAIT;
}

/*
 * The body is malformed or too long, and the program has the request. It loses that; the client is
 * told why, unless a reply has begun.
 */
static void refuse_stream(struct evhttp_connection *c, struct evi_request *r, int code,
			  enum evhttp_request_error error)
{
	if (r->reply != EVI_REPLY_NONE) {
		evhttp_connection_free(c);
		return;
	}
	c->current = NULL;
	c->is_refused = 1; /* the page's own request is nobody's business */
	r->pub.evcon = NULL;
	evi_request_enter(r);
	evi_server_tell_body_lost(r);
	if (evi_request_leave(r))
		evi_request_release(r);
	if (!c->is_freed)
		evi_server_refuse(c, code, error);
}

static enum evi_server_step read_stream(struct evhttp_connection *c, struct evi_request *r)
{
	switch (evi_body_read(r, bufferevent_get_input(c->bev), c->body_max)) {
	case EVI_BODY_PIECE:
		return tell_data(c, r);
	case EVI_BODY_DONE:
		return end_stream(c, r);
	case EVI_BODY_TOO_LONG:
		refuse_stream(c, r, HTTP_ENTITYTOOLARGE, EVREQ_HTTP_DATA_TOO_LONG);
		return EVI_STEP_WAIT;
	case EVI_BODY_BAD:
		refuse_stream(c, r, HTTP_BADREQUEST, EVREQ_HTTP_INVALID_HEADER);
		return EVI_STEP_WAIT;
	case EVI_BODY_MEMORY:
		lack_memory(c);
		return EVI_STEP_WAIT;
	default:
		if (r->told != r->pub.body_size)
			return tell_data(c, r);
		wait_for_more(c);
		return EVI_STEP_WAIT;
	}
}

static enum evi_server_step stream(struct evhttp_connection *c, struct evi_request *r)
{
	if (must_hold(r)) {
		r->is_held = 1;
		evi_server_set_quiet(c, 1);
		return EVI_STEP_WAIT;
	}
	if (r->is_held) {
		r->is_held = 0;
		evi_server_set_quiet(c, 0);
	}
	return read_stream(c, r);
}

/* From the loop, since it may call the program. */
static void go_on(struct evhttp_connection *c)
{
	bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* The program has taken bytes of a stream. */
static void on_taken(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct evi_request *r = arg;

	(void)buf;
	if (info->n_deleted > 0 && r->is_held && r->pub.evcon != NULL && !must_hold(r))
		go_on(r->pub.evcon);
}

enum evi_server_step evi_server_step_body(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;

	return r->is_streamed ? stream(c, r) : gather(c, r);
}

enum evi_server_step evi_server_step_skip(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;
	struct evbuffer *in = bufferevent_get_input(c->bev);
	enum evi_body_step step;

	do
		step = evi_body_read(r, in, EVI_UNLIMITED);
	while (step == EVI_BODY_PIECE);
	if (step != EVI_BODY_MORE || c->has_eof)
		evi_server_refuse(c, HTTP_ENTITYTOOLARGE, EVREQ_HTTP_DATA_TOO_LONG);
	else
		evi_server_time_body(c);
	return EVI_STEP_WAIT;
}

/* --- What the program asks -------------------------------------------------------------------- */

/* A stream of a server's that has not ended. */
static struct evi_request *stream_of(struct evhttp_request *req)
{
	struct evi_request *r = evi_request_of(req);
	const struct evhttp_connection *c = req->evcon;

	if (c == NULL || c->server == NULL || c->current != r || !r->is_streamed || r->has_body_end)
		return NULL;
	return r;
}

int evi_server_pause(struct evhttp_request *req, int is_paused)
{
	struct evi_request *r = stream_of(req);

	if (r == NULL)
		return -1;
	r->is_paused = is_paused != 0;
	if (!is_paused)
		go_on(req->evcon);
	return 0;
}

int evhttp_request_stream_body(struct evhttp_request *req, evhttp_body_cb cb, size_t held_max,
			       void *arg)
{
	struct evi_request *r = stream_of(req);

	if (r == NULL || r->taken_cb != NULL)
		return -1;
	r->taken_cb = evbuffer_add_cb(req->input_buffer, on_taken, r);
	if (r->taken_cb == NULL)
		return -1;
	r->stream_cb = cb;
	r->stream_arg = arg;
	r->held_max = held_max > 0 ? held_max : 1;
	r->drops_body = 0;
	return 0;
}
