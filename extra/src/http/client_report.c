/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How exchanges end: complete, failed, refused, cancelled. Each request is told once, when nothing
 * of the connection depends on it any more, so that the program may do anything in the callback.
 */

#include "http/client.h"
#include "http/queue.h"
#include "os/os_net.h"

#include <event2/component/reactor.h>
#include <event2/component/tls.h>

#include <errno.h>
#include <string.h>

/*
 * Whoever ends an exchange enters the request first (evi_request_enter()): the program may free it
 * in any callback on the way, that of closing the connection included. A request that it has freed
 * hears nothing more.
 */

/*
 * Calls the completion callback, with the request or with NULL, leaves the request and lets go of
 * it.
 */
static void finish(struct evi_request *r, struct evhttp_request *told)
{
	if (r->pub.cb != NULL && !r->is_unwanted)
		r->pub.cb(told, r->pub.cb_arg);
	(void)evi_request_leave(r);
	evi_request_release(r);
}

static void tell_failure(struct evi_request *r, const struct evhttp_failure *failure)
{
	EVUTIL_SET_SOCKET_ERROR(failure->socket_error);
	if (r->failure_cb != NULL && !r->is_unwanted)
		r->failure_cb(&r->pub, failure, r->failure_arg);
	EVUTIL_SET_SOCKET_ERROR(failure->socket_error);
}

static void tell_error(struct evi_request *r, const struct evhttp_failure *failure)
{
	tell_failure(r, failure);
	if (r->pub.error_cb != NULL && !r->is_unwanted)
		r->pub.error_cb(failure->reason, r->pub.cb_arg);
	EVUTIL_SET_SOCKET_ERROR(failure->socket_error);
}

/* Error callback, then completion without request. */
static void finish_failed(struct evi_request *r, const struct evhttp_failure *failure)
{
	tell_error(r, failure);
	finish(r, NULL);
}

/* Why bytes were not what they should be. */
static const char *describe(const struct evi_request *r, enum evhttp_request_error error,
			    enum evhttp_failure_stage stage)
{
	switch (error) {
	case EVREQ_HTTP_TIMEOUT:
		return stage == EVHTTP_STAGE_SEND ? "the server did not take the request in time"
						  : "the server did not answer in time";
	case EVREQ_HTTP_EOF:
		return "the connection ended before the response";
	case EVREQ_HTTP_DATA_TOO_LONG:
		return "the body exceeds the limit";
	case EVREQ_HTTP_INVALID_HEADER:
		if (r->head.error != EVI_HEAD_OK)
			return evi_head_error_text((enum evi_head_error)r->head.error);
		return r->head.code < 200 ? "interim responses without end"
					  : "the framing of the body is malformed";
	default:
		return "the transport failed";
	}
}

static enum evhttp_failure_stage stage_of(const struct evhttp_connection *c,
					  const struct evi_request *r)
{
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) > 0 || r->holds_body)
		return EVHTTP_STAGE_SEND;
	return EVHTTP_STAGE_RECEIVE;
}

void evi_failure_note_tls(struct evhttp_failure *failure, struct bufferevent *bev, char *text)
{
	failure->tls_error = evi_tls_describe_error(bev, text, EVI_FAILURE_TEXT);
	if (failure->tls_error == 0)
		return;
	failure->text = text;
	if (failure->stage == EVHTTP_STAGE_CONNECT)
		failure->stage = EVHTTP_STAGE_TLS;
}

void evi_client_fail(struct evhttp_connection *c, enum evhttp_request_error error)
{
	struct evi_request *r = c->current;
	char text[EVI_FAILURE_TEXT];
	struct evhttp_failure failure = {
		.stage = stage_of(c, r),
		.reason = error,
		.socket_error = c->client->socket_error,
	};

	failure.text = describe(r, error, failure.stage);
	if (error == EVREQ_HTTP_EOF || error == EVREQ_HTTP_BUFFER_ERROR)
		evi_failure_note_tls(&failure, c->bev, text);
	c->current = NULL;
	r->pub.evcon = NULL;
	evi_request_enter(r);
	evi_client_down(c);
	finish_failed(r, &failure);
	evi_client_pump(c);
}

void evi_client_report_unreachable(struct evhttp_connection *c,
				   const struct evhttp_failure *failure)
{
	struct evi_request *r;

	if (c->client->queue.tqh_first == NULL)
		return;
	r = evi_request_of(c->client->queue.tqh_first);
	evi_client_unqueue(c, r);
	r->pub.evcon = NULL;
	evi_request_enter(r);
	finish_failed(r, failure);
}

/* Requests made meanwhile by callbacks are not meant. */
void evi_client_report_refused(struct evhttp_connection *c, const struct evhttp_failure *failure)
{
	struct evi_client *client = c->client;
	int was_pumping = client->is_pumping;
	struct evhttp_request *req;

	EVI_QUEUE_EACH(req, &client->queue, next)
		evi_request_of(req)->is_meant = 1;
	client->is_pumping = 1;
	while (!c->is_freed && client->queue.tqh_first != NULL &&
	       evi_request_of(client->queue.tqh_first)->is_meant) {
		struct evi_request *r = evi_request_of(client->queue.tqh_first);

		evi_client_unqueue(c, r);
		r->is_meant = 0;
		r->pub.evcon = NULL;
		r->pub.response_code = 0;
		evi_request_enter(r);
		tell_failure(r, failure);
		finish(r, &r->pub);
	}
	client->is_pumping = was_pumping != 0;
}

void evi_client_complete(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct evbuffer *out = bufferevent_get_output(c->bev);
	int is_tunnel = r->pub.response_code == HTTP_SWITCH_PROTOCOLS ||
			(r->pub.type == EVHTTP_REQ_CONNECT && r->pub.response_code / 100 == 2);

	c->current = NULL;
	c->state = EVI_CLIENT_IDLE;
	r->pub.evcon = NULL;
	evi_request_enter(r);
	if (r->is_paused)
		(void)bufferevent_enable(c->bev, EV_READ);
	/* Leftovers, or a request that was not sent to its end: what comes next is uncertain. */
	if (!is_tunnel &&
	    (r->closes || evbuffer_get_length(in) > 0 || evbuffer_get_length(out) > 0))
		evi_client_down(c);
	finish(r, &r->pub);
	evi_client_pump(c);
}

/* The running request, or the one that connecting is for, goes away. */
static void stop_running(struct evhttp_connection *c, struct evi_request *r)
{
	struct evi_client *client = c->client;

	if (c->current == r)
		c->current = NULL;
	if (r->is_queued)
		evi_client_unqueue(c, r);
	r->pub.evcon = NULL;
	if (c->state == EVI_CLIENT_WAIT) {
		if (client->queue.tqh_first == NULL) {
			evi_client_stop_timer(c);
			c->state = EVI_CLIENT_DOWN;
		}
	} else {
		evi_client_down(c);
	}
}

void evi_client_forget(struct evhttp_connection *c, struct evi_request *r)
{
	int is_running = !r->is_queued ||
			 (c->current == NULL && c->client->queue.tqh_first == &r->pub);

	evi_connection_enter(c);
	if (is_running) {
		stop_running(c, r);
	} else {
		evi_client_unqueue(c, r);
		r->pub.evcon = NULL;
	}
	evi_request_destroy(r);
	evi_client_pump(c);
	evi_connection_leave(c);
}

void evhttp_cancel_request(struct evhttp_request *req)
{
	struct evi_request *r = evi_request_of(req);
	struct evhttp_connection *c = req->evcon;
	const struct evhttp_failure failure = {
		.stage = r->is_queued ? EVHTTP_STAGE_CONNECT : EVHTTP_STAGE_RECEIVE,
		.reason = EVREQ_HTTP_REQUEST_CANCEL,
		.text = "the request was cancelled",
	};

	if (c == NULL || c->client == NULL) {
		evhttp_request_free(req);
		return;
	}
	evi_connection_enter(c);
	if (!r->is_queued || (c->current == NULL && c->client->queue.tqh_first == req)) {
		evi_request_enter(r);
		stop_running(c, r);
		tell_error(r, &failure);
		(void)evi_request_leave(r);
	} else {
		evi_client_unqueue(c, r);
	}
	evi_request_release(r);
	evi_client_pump(c);
	evi_connection_leave(c);
}

/* --- Deadlines -------------------------------------------------------------------------------- */

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct evi_request *r = arg;
	struct evhttp_connection *c = r->pub.evcon;
	const struct evhttp_failure failure = {
		.stage = r->is_queued ? EVHTTP_STAGE_CONNECT : stage_of(c, r),
		.reason = EVREQ_HTTP_TIMEOUT,
		.socket_error = EVI_NET_TIMED_OUT,
		.text = "the request took longer than it may",
	};

	(void)fd;
	(void)what;
	evi_connection_enter(c);
	evi_request_enter(r);
	if (!r->is_queued || (c->current == NULL && c->client->queue.tqh_first == &r->pub))
		stop_running(c, r);
	else
		evi_client_unqueue(c, r);
	r->pub.evcon = NULL;
	finish_failed(r, &failure);
	evi_client_pump(c);
	evi_connection_leave(c);
}

int evi_client_start_deadline(struct evhttp_connection *c, struct evi_request *r)
{
	if (!evi_timeval_is_set(&r->time_limit))
		return 0;
	r->deadline = evtimer_new(c->base, on_deadline, r);
	return r->deadline != NULL && evtimer_add(r->deadline, &r->time_limit) == 0 ? 0 : -ENOMEM;
}

void evhttp_request_set_time_limit_tv(struct evhttp_request *req, const struct timeval *tv)
{
	static const struct timeval none = { 0, 0 };

	evi_request_of(req)->time_limit = tv != NULL ? *tv : none;
}
