/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Responses: reading them, and what the transport tells meanwhile.
 */

#include "http/body.h"
#include "http/client.h"
#include "http/server.h"
#include "http/scan.h"
#include "os/os_net.h"

#include <event2/component/reactor.h>

#define INTERIMS_MAX 10000

enum step { WAIT, AGAIN };

/* A callback of the request's has returned. Nonzero if the exchange is over. */
static int after_callback(struct evhttp_connection *c, struct evi_request *r)
{
	int is_unwanted = evi_request_leave(r);

	if (c->current != r) {
		/* Cancelled, or the connection freed; the request waited for its callback. */
		if (is_unwanted)
			evi_request_destroy(r);
		return 1;
	}
	if (is_unwanted) {
		evi_client_forget(c, r);
		return 1;
	}
	return 0;
}

/* --- Head ------------------------------------------------------------------------------------- */

static void note_head(struct evi_request *r)
{
	r->has_line = 1;
	r->pub.major = (char)r->head.major;
	r->pub.minor = (char)r->head.minor;
	r->pub.response_code = r->head.code;
	r->pub.response_code_line = r->head.phrase;
}

static int run_header_cb(struct evhttp_connection *c, struct evi_request *r)
{
	int verdict;

	if (r->pub.header_cb == NULL)
		return 0;
	evi_request_enter(r);
	verdict = r->pub.header_cb(&r->pub, r->pub.cb_arg);
	if (after_callback(c, r))
		return -1;
	if (verdict < 0)
		evi_client_fail(c, EVREQ_HTTP_EOF);
	return verdict < 0 ? -1 : 0;
}

/* 1xx but 101: another head follows, as often as a server has reason to say that it is at work. */
static enum step end_interim(struct evhttp_connection *c, struct evi_request *r)
{
	int code = r->head.code;

	if (++r->interims > INTERIMS_MAX) {
		evi_client_fail(c, EVREQ_HTTP_INVALID_HEADER);
		return WAIT;
	}
	evi_request_start_head(r, EVI_HEAD_RESPONSE, c->headers_max);
	r->pub.response_code_line = NULL;
	if (code == HTTP_CONTINUE && r->holds_body && evi_client_send_body(c, r) != 0) {
		evi_client_fail(c, EVREQ_HTTP_BUFFER_ERROR);
		return WAIT;
	}
	return AGAIN;
}

/* Nonzero if no other request can follow on this connection. */
static int is_last(const struct evi_request *r)
{
	const char *own = evhttp_find_header(&r->output_headers, "Connection");

	if ((r->head.connection & EVI_CONNECTION_CLOSE) != 0 || r->holds_body || r->streams ||
	    r->framing.body == EVI_BODY_CLOSE)
		return 1;
	if (r->head.minor == 0 && (r->head.connection & EVI_CONNECTION_KEEP_ALIVE) == 0)
		return 1;
	return own != NULL && evi_value_has_option(own, "close");
}

static enum step end_head(struct evhttp_connection *c, struct evi_request *r)
{
	int is_bodyless = r->pub.type == EVHTTP_REQ_HEAD || r->pub.type == EVHTTP_REQ_CONNECT;

	note_head(r);
	if (run_header_cb(c, r) != 0)
		return WAIT;
	if (r->head.code < 200 && r->head.code != HTTP_SWITCH_PROTOCOLS)
		return end_interim(c, r);
	evi_client_stop_timer(c);
	if (evi_framing_of_response(&r->head, is_bodyless, &r->framing) != 0) {
		evi_client_fail(c, EVREQ_HTTP_INVALID_HEADER);
		return WAIT;
	}
	r->closes = is_last(r) != 0;
	if (evi_body_start(r, c->body_max) != 0) {
		evi_client_fail(c, EVREQ_HTTP_DATA_TOO_LONG);
		return WAIT;
	}
	if (r->framing.body == EVI_BODY_NONE) {
		evi_client_complete(c);
		return WAIT;
	}
	c->state = EVI_CLIENT_BODY;
	return AGAIN;
}

static enum step step_head(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;

	switch (evi_connection_read_head(c, r)) {
	case EVI_HEAD_DONE:
		return end_head(c, r);
	case EVI_HEAD_BAD:
		evi_client_fail(c, EVREQ_HTTP_INVALID_HEADER);
		return WAIT;
	default:
		return WAIT;
	}
}

/* --- Body ------------------------------------------------------------------------------------- */

static int deliver(struct evhttp_connection *c, struct evi_request *r)
{
	struct evbuffer *body = r->pub.input_buffer;

	if (r->pub.chunk_cb == NULL || evbuffer_get_length(body) == 0)
		return 0;
	evi_request_enter(r);
	r->pub.chunk_cb(&r->pub, r->pub.cb_arg);
	evbuffer_drain(body, evbuffer_get_length(body));
	return after_callback(c, r) ? -1 : 0;
}

static enum step step_body(struct evhttp_connection *c)
{
	static const enum evhttp_request_error errors[] = {
		[EVI_BODY_TOO_LONG] = EVREQ_HTTP_DATA_TOO_LONG,
		[EVI_BODY_BAD] = EVREQ_HTTP_INVALID_HEADER,
		[EVI_BODY_MEMORY] = EVREQ_HTTP_BUFFER_ERROR,
	};
	struct evi_request *r = c->current;
	enum evi_body_step step = evi_body_read(r, bufferevent_get_input(c->bev), c->body_max);

	switch (step) {
	case EVI_BODY_MORE:
		return WAIT;
	case EVI_BODY_PIECE:
		return deliver(c, r) == 0 ? AGAIN : WAIT;
	case EVI_BODY_DONE:
		if (deliver(c, r) == 0)
			evi_client_complete(c);
		return WAIT;
	default:
		evi_client_fail(c, errors[step]);
		return WAIT;
	}
}

static void advance(struct evhttp_connection *c)
{
	enum step step = AGAIN;

	while (step == AGAIN && !c->is_freed) {
		if (c->current != NULL && c->current->is_paused)
			step = WAIT;
		else if (c->state == EVI_CLIENT_HEAD)
			step = step_head(c);
		else if (c->state == EVI_CLIENT_BODY)
			step = step_body(c);
		else
			step = WAIT;
	}
}

/* --- What the bufferevent tells --------------------------------------------------------------- */

void evi_client_on_read(struct bufferevent *bev, void *arg)
{
	struct evhttp_connection *c = arg;

	evi_connection_enter(c);
	if (c->state == EVI_CLIENT_IDLE && evbuffer_get_length(bufferevent_get_input(bev)) > 0) {
		/* Nobody has asked: what follows could be taken for the next answer. */
		evi_client_down(c);
		evi_client_pump(c);
	} else {
		advance(c);
	}
	evi_connection_leave(c);
}

/* The request is out: from now on the answer is awaited. */
void evi_client_on_write(struct bufferevent *bev, void *arg)
{
	struct evhttp_connection *c = arg;

	struct evi_request *r = c->current;

	if (r != NULL && r->streams) {
		evi_connection_enter(c);
		if (!r->holds_body)
			evi_client_ask_for_body(c, r);
		evi_connection_leave(c);
	} else if (c->client->is_sending && evbuffer_get_length(bufferevent_get_output(bev)) == 0) {
		c->client->is_sending = 0;
		evi_client_apply_timeouts(c, 0);
	}
}

static void end_idle(struct evhttp_connection *c, short what)
{
	if ((what & BEV_EVENT_TIMEOUT) != 0) {
		(void)bufferevent_enable(c->bev,
					 what & (EV_READ | EV_WRITE) ? EV_READ | EV_WRITE : 0);
		return;
	}
	evi_client_down(c);
	evi_client_pump(c);
}

void evi_client_on_end(struct evhttp_connection *c, short what)
{
	int err = EVUTIL_SOCKET_ERROR();

	c->client->socket_error = err;
	if (c->state == EVI_CLIENT_IDLE) {
		end_idle(c, what);
		return;
	}
	if (c->current == NULL)
		return;
	if ((what & BEV_EVENT_TIMEOUT) != 0) {
		c->client->socket_error = EVI_NET_TIMED_OUT;
		evi_client_fail(c, EVREQ_HTTP_TIMEOUT);
	} else if ((what & BEV_EVENT_ERROR) != 0 && (what & BEV_EVENT_WRITING) != 0 &&
		   (c->flags & EVHTTP_CON_READ_ON_WRITE_ERROR) != 0) {
		c->current->closes = 1;
		c->client->has_write_error = 1;
	} else if ((what & BEV_EVENT_EOF) != 0 && c->state == EVI_CLIENT_BODY &&
		   c->current->framing.body == EVI_BODY_CLOSE) {
		evi_client_complete(c);
	} else if ((what & BEV_EVENT_EOF) != 0 || err != 0) {
		evi_client_fail(c, EVREQ_HTTP_EOF);
	} else {
		evi_client_fail(c, EVREQ_HTTP_BUFFER_ERROR);
	}
}

/* --- Public ----------------------------------------------------------------------------------- */

void evhttp_request_pause(struct evhttp_request *req)
{
	struct evi_request *r = evi_request_of(req);
	struct evhttp_connection *c = req->evcon;

	if (c == NULL || evi_server_pause(req, 1) == 0 || c->client == NULL || c->current != r ||
	    r->is_paused)
		return;
	r->is_paused = 1;
	(void)bufferevent_disable(c->bev, EV_READ);
}

void evhttp_request_resume(struct evhttp_request *req)
{
	struct evi_request *r = evi_request_of(req);
	struct evhttp_connection *c = req->evcon;

	if (c == NULL || evi_server_pause(req, 0) == 0 || c->client == NULL || c->current != r ||
	    !r->is_paused)
		return;
	r->is_paused = 0;
	(void)bufferevent_enable(c->bev, EV_READ);
	/* What has come already is looked at from the loop, not from here. */
	bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}
