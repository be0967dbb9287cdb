/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server's side of a connection, from the first byte of a request to the last of its reply.
 *
 *   HEAD -> BODY -> REPLY -> FLUSH -> HEAD ...
 *             \-> SKIP -> FLUSH -> LINGER
 *
 * DRAIN comes after any of them when the connection ends with earlier replies not written yet.
 *
 * evi_server_advance() takes steps until one has to wait. Whatever may call the program returns to
 * it by asking first whether the connection is still there.
 */

#include "http/body.h"
#include "http/method.h"
#include "http/queue.h"
#include "http/scan.h"
#include "http/server.h"
#include "http/server_step.h"

#include <event2/component/reactor.h>

#include <errno.h>
#include <string.h>

/* A reply this small counts as written when it is in the output: pipelined answers go together. */
#define COMMITTED_MAX 16384

/* What a peer that was refused may still send before the connection is cut. */
#define LINGER_MAX 262144

static void close_connection(struct evhttp_connection *c)
{
	evhttp_connection_free(c);
}

static size_t output_length(const struct evhttp_connection *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev));
}

void evi_server_close_written(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;

	if (output_length(c) == 0 || (r != NULL && evi_server_is_owed(c, r))) {
		close_connection(c);
		return;
	}
	c->current = NULL;
	c->state = EVI_SERVER_DRAIN;
	if (r != NULL)
		evi_request_release(r);
	(void)bufferevent_disable(c->bev, EV_READ);
}

static size_t input_length(const struct evhttp_connection *c)
{
	return evbuffer_get_length(bufferevent_get_input(c->bev));
}

/* --- Requests --------------------------------------------------------------------------------- */

/* Makes the object of the next request. 0; -1: the connection is gone, or out of memory. */
static int begin_request(struct evhttp_connection *c)
{
	struct evhttp *http = c->server;
	struct evi_request *r = evi_server_take_request(http);
	int verdict = 0;

	if (r == NULL) {
		close_connection(c);
		return -1;
	}
	r->pub.kind = EVHTTP_REQUEST;
	r->pub.evcon = c;
	r->pub.cb_arg = http;
	evi_request_start_head(r, EVI_HEAD_REQUEST, c->headers_max);
	if (c->peer_name != NULL)
		r->pub.remote_host = evi_arena_copy(&r->arena, c->peer_name, strlen(c->peer_name));
	r->pub.remote_port = c->peer_port;
	c->current = r;
	if (http->newreqcb == NULL || c->is_refused)
		return 0;

	evi_request_enter(r);
	verdict = http->newreqcb(&r->pub, http->newreqcb_arg);
	if (evi_request_leave(r) || verdict == -1) {
		if (c->is_freed)
			evi_request_release(r);
		else
			evi_server_close_written(c);
		return -1;
	}
	return c->is_freed ? -1 : 0;
}

/* Tells the request's own callbacks why it will not come. */
static void tell_error(struct evhttp_connection *c, enum evhttp_request_error error)
{
	struct evi_request *r = c->current;
	const struct evhttp_failure failure = {
		.stage = EVHTTP_STAGE_RECEIVE,
		.reason = error,
		.socket_error = EVUTIL_SOCKET_ERROR(),
		.text = evi_head_error_text((enum evi_head_error)(r != NULL ? r->head.error : 0)),
	};

	if (r == NULL || (r->pub.error_cb == NULL && r->failure_cb == NULL))
		return;
	evi_request_enter(r);
	if (r->failure_cb != NULL)
		r->failure_cb(&r->pub, &failure, r->failure_arg);
	if (r->pub.error_cb != NULL)
		r->pub.error_cb(error, r->pub.cb_arg);
	if (evi_request_leave(r) && c->is_freed)
		evi_request_release(r);
}

void evi_server_lose(struct evhttp_connection *c, enum evhttp_request_error error)
{
	if (c->state == EVI_SERVER_HEAD || c->state == EVI_SERVER_BODY)
		tell_error(c, error);
	close_connection(c);
}

void evi_server_lose_at_eof(struct evhttp_connection *c)
{
	tell_error(c, EVREQ_HTTP_EOF);
	if (!c->is_freed)
		evi_server_close_written(c);
}

void evi_server_refuse(struct evhttp_connection *c, int code, enum evhttp_request_error error)
{
	evi_server_stop_deadline(c);
	tell_error(c, error);
	if (c->is_freed || (c->current == NULL && begin_request(c) != 0))
		return;
	c->state = EVI_SERVER_REPLY;
	c->current->closes = 1;
	/* Something may be left unread; only 413 without the flag is promised to cut it off. */
	c->current->lingers = code != HTTP_ENTITYTOOLARGE;
	evi_error_page_send(c->current, code, NULL, 0);
}

/* --- Head ------------------------------------------------------------------------------------- */

static int code_of_head_error(const struct evi_head *head)
{
	return head->error == EVI_HEAD_ERR_VERSION ? 505 : HTTP_BADREQUEST;
}

/* origin-form needs no look; the others have to make sense for the method. */
static int is_good_target(struct evhttp_request *req)
{
	const struct evhttp_uri *uri;
	int is_connect = req->type == EVHTTP_REQ_CONNECT;

	if (req->uri[0] == '/' && !is_connect)
		return 1;
	if (strcmp(req->uri, "*") == 0)
		return req->type == EVHTTP_REQ_OPTIONS;
	if (req->uri[0] == '\\') /* which others take for a slash */
		return 0;
	uri = evhttp_request_get_evhttp_uri(req);
	if (uri == NULL)
		return 0;
	return !is_connect ||
	       (evhttp_uri_get_host(uri) != NULL && *evhttp_uri_get_host(uri) != '\0');
}

static int is_good_host(const struct evhttp_connection *c, const struct evi_head *head)
{
	if ((c->server->flags & EVHTTP_SERVER_RELAX_HOST) != 0)
		return 1;
	if (head->minor == 0)
		return head->hosts < 2;
	return head->hosts == 1 && evi_host_is_valid(head->host);
}

/* Copies what the parser found to where the program looks. */
static int note_head(struct evhttp_connection *c, struct evi_request *r)
{
	struct evi_method method = { 0 };
	int err = evi_method_of_name(r->head.method, c->ext_method, &method);

	r->has_line = 1;
	r->is_known = err == 0;
	r->drops_body = !method.has_body;
	r->pub.major = (char)r->head.major;
	r->pub.minor = (char)r->head.minor;
	r->pub.uri = r->head.target;
	r->pub.type = (enum evhttp_cmd_type)method.type;
	r->closes = (r->head.connection & EVI_CONNECTION_CLOSE) != 0 ||
		    (r->head.minor == 0 && (r->head.connection & EVI_CONNECTION_KEEP_ALIVE) == 0);
	if (r->pub.type == EVHTTP_REQ_CONNECT)
		r->closes = 0;
	return err == -EINVAL ? HTTP_BADREQUEST : 0;
}

/* 0, or the code to refuse the request with. */
static int check_head(struct evhttp_connection *c, struct evi_request *r)
{
	int code = note_head(c, r);

	if (code == 0)
		code = evi_framing_of_request(&r->head,
					      c->server->flags & EVHTTP_SERVER_ACCEPT_CODINGS,
					      &r->framing);
	if (code == 0 && (!is_good_host(c, &r->head) || !is_good_target(&r->pub)))
		code = HTTP_BADREQUEST;
	return code;
}

/* The program may look at the head before the body comes. 0, or -1: it wants no more. */
static int run_header_cb(struct evhttp_connection *c, struct evi_request *r)
{
	int verdict;

	if (r->pub.header_cb == NULL)
		return 0;
	evi_request_enter(r);
	verdict = r->pub.header_cb(&r->pub, r->pub.cb_arg);
	if (evi_request_leave(r) || verdict < 0) {
		if (c->is_freed)
			evi_request_release(r);
		else
			evi_server_lose_at_eof(c);
		return -1;
	}
	return c->is_freed ? -1 : 0;
}

/* What the peer expects before it sends a body. 0, or the code to refuse the request with. */
static int meet_expectation(struct evhttp_connection *c, struct evi_request *r, int *ret_waits)
{
	*ret_waits = 0;
	if (r->head.minor == 0 || r->framing.body == EVI_BODY_NONE || r->head.expect == NULL)
		return 0;
	if (evi_text_casecmp(r->head.expect, "100-continue") != 0)
		return HTTP_EXPECTATIONFAILED;
	*ret_waits = input_length(c) == 0;
	return 0;
}

static int is_allowed(const struct evhttp_connection *c, const struct evi_request *r)
{
	return r->is_known && (c->server->methods & (ev_uint32_t)r->pub.type) != 0;
}

static enum evi_server_step run_handler(struct evhttp_connection *c, struct evi_request *r,
					const struct evi_handler *handler);
static enum evi_server_step after_handler(struct evhttp_connection *c, struct evi_request *r);

/* The program gets the request before its body; without a body that has ended at once. */
static enum evi_server_step start_stream(struct evhttp_connection *c, struct evi_request *r,
					 const struct evi_handler *handler, int waits)
{
	c->state = EVI_SERVER_BODY;
	r->is_streamed = 1;
	r->drops_body = 1; /* until the program asks for it */
	if (run_handler(c, r, handler) == EVI_STEP_WAIT)
		return EVI_STEP_WAIT;
	if (c->state != EVI_SERVER_BODY)
		return after_handler(c, r);
	r->is_handled = 0;
	if (waits && r->reply == EVI_REPLY_NONE)
		evi_reply_write_continue(c);
	return EVI_STEP_AGAIN;
}

/* The head is good, and a body is announced. */
static enum evi_server_step start_body(struct evhttp_connection *c, struct evi_request *r,
				       int waits)
{
	struct evi_handler handler = { 0 };

	if (is_allowed(c, r))
		handler = evi_server_route(c->server, &r->pub);
	if (handler.is_stream)
		return start_stream(c, r, &handler, waits);
	if (waits)
		evi_reply_write_continue(c);
	return EVI_STEP_AGAIN;
}

static enum evi_server_step end_head(struct evhttp_connection *c, struct evi_request *r)
{
	int code = check_head(c, r);
	int waits;

	evi_server_stop_deadline(c);
	if (code != 0) {
		evi_server_refuse(c, code, EVREQ_HTTP_INVALID_HEADER);
		return EVI_STEP_WAIT;
	}
	if (run_header_cb(c, r) != 0)
		return EVI_STEP_WAIT;
	code = meet_expectation(c, r, &waits);
	if (code != 0) {
		evi_server_refuse(c, code, EVREQ_HTTP_INVALID_HEADER);
		return EVI_STEP_WAIT;
	}
	c->state = EVI_SERVER_BODY;
	if (evi_body_start(r, c->body_max) != 0)
		return evi_server_refuse_length(c, r, waits);
	return r->framing.body == EVI_BODY_NONE ? evi_server_dispatch(c) : start_body(c, r, waits);
}

static enum evi_server_step step_head(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;
	enum evi_head_step step;

	if (input_length(c) == 0) {
		if (c->has_eof)
			evi_server_lose_at_eof(c);
		return EVI_STEP_WAIT;
	}
	if (r == NULL) {
		if (begin_request(c) != 0)
			return EVI_STEP_WAIT;
		r = c->current;
	}
	step = evi_connection_read_head(c, r);
	if (step == EVI_HEAD_DONE)
		return end_head(c, r);
	if (step == EVI_HEAD_BAD)
		evi_server_refuse(c, code_of_head_error(&r->head), EVREQ_HTTP_INVALID_HEADER);
	else if (c->has_eof)
		evi_server_lose_at_eof(c);
	else if (evi_head_has_begun(&r->head))
		evi_server_time_head(c);
	return EVI_STEP_WAIT;
}

/* --- The application's turn ------------------------------------------------------------------- */

static enum evi_server_step finish_exchange(struct evhttp_connection *c);

/* Nonzero if nobody can tell that the reply is not on the wire yet. */
static int is_committed(const struct evhttp_connection *c, const struct evi_request *r)
{
	return c->is_plain && !r->closes && !c->has_eof && r->pub.on_complete_cb == NULL &&
	       r->drained == NULL && output_length(c) <= COMMITTED_MAX;
}

/* The callback has returned: the reply is complete, or may take a while. */
static enum evi_server_step after_handler(struct evhttp_connection *c, struct evi_request *r)
{
	r->is_handled = 0;
	if (c->state != EVI_SERVER_FLUSH) {
		evi_server_set_quiet(c, 1);
		return EVI_STEP_WAIT;
	}
	if (is_committed(c, r)) {
		c->has_committed = 1;
		return finish_exchange(c);
	}
	evi_server_reply_ended(c);
	evi_server_set_quiet(c, 1);
	return EVI_STEP_WAIT;
}

/* AGAIN, or WAIT if the connection is gone. */
static enum evi_server_step run_handler(struct evhttp_connection *c, struct evi_request *r,
					const struct evi_handler *handler)
{
	int is_unwanted;

	r->is_handled = 1;
	evi_request_enter(r);
	handler->cb(&r->pub, handler->arg);
	is_unwanted = evi_request_leave(r);
	if (c->is_freed) {
		if (is_unwanted)
			evi_request_release(r);
		else
			r->is_handled = 0;
		return EVI_STEP_WAIT;
	}
	if (is_unwanted) {
		close_connection(c);
		return EVI_STEP_WAIT;
	}
	return EVI_STEP_AGAIN;
}

enum evi_server_step evi_server_dispatch(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;
	struct evi_handler handler = { 0 };

	c->state = EVI_SERVER_REPLY;
	if (!is_allowed(c, r)) {
		evi_error_page_send(r, HTTP_NOTIMPLEMENTED, NULL, 0);
		return EVI_STEP_WAIT;
	}
	handler = evi_server_route(c->server, &r->pub);
	if (handler.cb == NULL) {
		evi_error_page_send(r, HTTP_NOTFOUND, NULL, 1);
		return EVI_STEP_WAIT;
	}
	if (handler.is_stream)
		return start_stream(c, r, &handler, 0);
	if (run_handler(c, r, &handler) == EVI_STEP_WAIT)
		return EVI_STEP_WAIT;
	return after_handler(c, r);
}

/* --- The end of an exchange ------------------------------------------------------------------- */

/* Runs the callbacks that waited for the output to drain; those they add wait for the next time. */
static int run_drained(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;
	struct evi_drained *list = r->drained;

	r->drained = NULL;
	r->drained_end = &r->drained;
	while (list != NULL) {
		struct evi_drained *drained = list;

		list = drained->next;
		if (!c->is_freed)
			drained->cb(c, drained->arg);
		evi_free(drained);
	}
	return c->is_freed ? -1 : 0;
}

static int run_on_complete(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;
	int is_unwanted;

	if (r->pub.on_complete_cb == NULL)
		return 0;
	evi_request_enter(r);
	r->pub.on_complete_cb(&r->pub, r->pub.on_complete_cb_arg);
	is_unwanted = evi_request_leave(r);
	if (c->is_freed && is_unwanted)
		evi_request_release(r);
	return c->is_freed ? -1 : 0;
}

/* Half closes, so that a peer that is still sending can read the reply to its end. */
static void start_linger(struct evhttp_connection *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	c->state = EVI_SERVER_LINGER;
	if (c->has_eof || shutdown(bufferevent_getfd(c->bev), SHUT_WR) != 0) {
		close_connection(c);
		return;
	}
	evbuffer_drain(in, evbuffer_get_length(in));
	(void)bufferevent_enable(c->bev, EV_READ);
	evi_server_time_linger(c);
}

static enum evi_server_step step_linger(struct evhttp_connection *c)
{
	size_t len = input_length(c);

	evbuffer_drain(bufferevent_get_input(c->bev), len);
	c->lingered += (uint32_t)len;
	if (c->has_eof || c->lingered > LINGER_MAX)
		close_connection(c);
	return EVI_STEP_WAIT;
}

/* The reply is written. */
static enum evi_server_step finish_exchange(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;
	int lingers;

	if (run_drained(c) != 0 || run_on_complete(c) != 0)
		return EVI_STEP_WAIT;
	/*
	 * A head that was sent before evhttp_stop() promised more: the peer may be sending its
	 * next.
	 */
	lingers = r->lingers || (!r->closes && c->server->is_stopping);
	if (r->closes && !lingers) {
		close_connection(c);
		return EVI_STEP_WAIT;
	}
	c->current = NULL;
	evi_server_give_request(c->server, r);
	if (lingers) {
		start_linger(c);
		return EVI_STEP_WAIT;
	}
	c->state = EVI_SERVER_HEAD;
	evi_server_set_quiet(c, 0);
	if (c->server->newreqcb != NULL && begin_request(c) != 0)
		return EVI_STEP_WAIT;
	return EVI_STEP_AGAIN;
}

void evi_server_reply_ended(struct evhttp_connection *c)
{
	struct evi_request *r = c->current;

	if (evi_server_lacks_body(c, r))
		r->closes = r->lingers = 1;
	evi_server_stop_deadline(c);
	r->reply = EVI_REPLY_ENDED;
	r->pub.userdone = 1;
	c->state = EVI_SERVER_FLUSH;
	/* Without bytes to write nothing would tell that they are written. */
	if (!r->is_handled && output_length(c) == 0)
		bufferevent_trigger(c->bev, EV_WRITE,
				    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* --- What the bufferevent tells --------------------------------------------------------------- */

static enum evi_server_step wait_for_reply(struct evhttp_connection *c)
{
	(void)c;
	return EVI_STEP_WAIT;
}

static enum evi_server_step (*const steps[])(struct evhttp_connection *c) = {
	[EVI_SERVER_HEAD] = step_head,
	[EVI_SERVER_BODY] = evi_server_step_body,
	[EVI_SERVER_SKIP] = evi_server_step_skip,
	[EVI_SERVER_REPLY] = wait_for_reply,
	[EVI_SERVER_FLUSH] = wait_for_reply,
	[EVI_SERVER_LINGER] = step_linger,
	[EVI_SERVER_DRAIN] = wait_for_reply,
};

void evi_server_advance(struct evhttp_connection *c)
{
	while (!c->is_freed && steps[c->state](c) == EVI_STEP_AGAIN)
		;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evhttp_connection *c = arg;

	(void)bev;
	evi_connection_enter(c);
	evi_server_advance(c);
	evi_connection_leave(c);
}

static void on_write(struct bufferevent *bev, void *arg)
{
	struct evhttp_connection *c = arg;

	(void)bev;
	if (output_length(c) > 0 || (c->current == NULL && c->state != EVI_SERVER_DRAIN))
		return;
	evi_connection_enter(c);
	if (c->state == EVI_SERVER_DRAIN)
		close_connection(c);
	else if (evi_server_is_answerable(c, c->current))
		(void)run_drained(c);
	else if (c->state == EVI_SERVER_FLUSH && finish_exchange(c) == EVI_STEP_AGAIN)
		evi_server_advance(c);
	evi_connection_leave(c);
}

/* The peer has finished sending; it may still wait for its replies. */
static void on_eof(struct evhttp_connection *c)
{
	int is_answering = c->state == EVI_SERVER_REPLY || c->state == EVI_SERVER_FLUSH;

	c->has_eof = 1;
	if (is_answering && c->eofcb != NULL)
		c->eofcb(c, c->eofcb_arg);
	if (c->is_freed)
		return;
	if (is_answering && (c->server->flags & EVHTTP_SERVER_EOF_IS_GONE) != 0)
		close_connection(c);
	else
		evi_server_advance(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct evhttp_connection *c = arg;

	(void)bev;
	evi_connection_enter(c);
	if ((what & BEV_EVENT_TIMEOUT) != 0)
		evi_server_lose(c, EVREQ_HTTP_TIMEOUT);
	else if ((what & BEV_EVENT_ERROR) != 0)
		evi_server_lose(c, EVREQ_HTTP_EOF);
	else if ((what & BEV_EVENT_EOF) != 0)
		on_eof(c);
	evi_connection_leave(c);
}

void evi_server_start(struct evhttp_connection *c)
{
	struct evhttp *http = c->server;

	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	if (evi_server_or_none(&c->read_timeout) != NULL ||
	    evi_server_or_none(&c->write_timeout) != NULL)
		(void)bufferevent_set_timeouts(c->bev, evi_server_or_none(&c->read_timeout),
					       evi_server_or_none(&c->write_timeout));
	c->is_refused = http->connection_max > 0 && http->connection_count > http->connection_max;
	if (c->is_refused) {
		evi_server_refuse(c, HTTP_SERVUNAVAIL, EVREQ_HTTP_EOF);
		if (c->is_freed)
			return;
	} else if (http->newreqcb != NULL && begin_request(c) != 0) {
		return;
	}
	if (bufferevent_enable(c->bev, EV_READ | EV_WRITE) != 0)
		close_connection(c);
}
