/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client's call, from its start to its callback.
 *
 * Anything that calls the program (hooks, the HTTP client, the callback) may free the pool, and
 * with it every call. So whoever does that holds the pool and asks `is_freed` afterwards.
 */

#include "pool.h"

#include <event2/component/reactor.h>

#include <string.h>

/* --- The end ---------------------------------------------------------------------------------- */

static void leave_con(struct evrpc_request_wrapper *call)
{
	if (call->con != NULL)
		call->con->call = NULL;
	call->con = NULL;
}

/* A request on a connection is cancelled, which resets that; its callback does not run then. */
static void drop_request(struct evrpc_request_wrapper *call)
{
	struct evhttp_request *req = call->req;

	call->req = NULL;
	if (req == NULL)
		return;
	if (evhttp_request_get_connection(req) != NULL)
		evhttp_cancel_request(req);
	else
		evhttp_request_free(req);
}

void evi_call_free(struct evrpc_request_wrapper *call)
{
	evi_rpc_pool_unqueue(call->pool, call);
	leave_con(call);
	drop_request(call);
	if (call->deadline != NULL)
		event_free(call->deadline);
	evi_hook_meta_done(&call->meta);
	evi_free(call->path);
	evi_free(call);
}

/*
 * Tell the program. `answer` is the HTTP response, for its headers, or NULL. A failure clears the
 * reply, which may be half unmarshalled.
 */
static void call_end(struct evrpc_request_wrapper *call, int error, struct evhttp_request *answer)
{
	struct evrpc_status status = { .error = error, .http_req = answer };
	struct evrpc_pool *pool = call->pool;
	struct evrpc_request_wrapper told = *call;
	struct evhttp_request *kept = NULL;

	if (call->state == EVI_CALL_ANSWERED) {
		kept = call->req;
		call->req = NULL;
	}
	evi_call_free(call);
	if (error != EVRPC_STATUS_ERR_NONE)
		told.clear(told.reply);
	pool->holds++;
	told.cb(&status, told.request, told.reply, told.cb_arg);
	if (kept != NULL)
		evhttp_request_free(kept);
	evi_rpc_pool_assign(pool);
	evi_rpc_pool_leave(pool);
}

/* --- The answer ------------------------------------------------------------------------------- */

static void call_unmarshal(struct evrpc_request_wrapper *call, struct evhttp_request *req)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(req);

	if (call->unmarshal(call->reply, body) == 0)
		call_end(call, EVRPC_STATUS_ERR_NONE, req);
	else
		call_end(call, EVRPC_STATUS_ERR_BADPAYLOAD, req);
}

static void resume_input(void *ctx, int is_continued)
{
	struct evrpc_request_wrapper *call = ctx;

	if (is_continued)
		call_unmarshal(call, call->req);
	else
		call_end(call, EVRPC_STATUS_ERR_HOOKABORTED, call->req);
}

/* Keep the response; the connection goes on with other calls. */
static void pause_input(struct evrpc_request_wrapper *call, struct evhttp_request *req)
{
	evhttp_request_own(req);
	call->req = req;
	call->state = EVI_CALL_ANSWERED;
	evi_hooks_pause(&call->pool->hooks, &call->meta, resume_input);
	evi_rpc_pool_assign(call->pool);
}

static void call_answered(struct evrpc_request_wrapper *call, struct evhttp_request *req)
{
	struct evrpc_pool *pool = call->pool;
	enum EVRPC_HOOK_RESULT result;

	leave_con(call); /* the exchange is over, whatever the hooks do with the connection */
	result = evi_hooks_run(&pool->hooks, EVRPC_INPUT, call, req,
			       evhttp_request_get_input_buffer(req));
	if (pool->is_freed)
		return;
	if (result == EVRPC_TERMINATE)
		call_end(call, EVRPC_STATUS_ERR_HOOKABORTED, req);
	else if (result == EVRPC_PAUSE)
		pause_input(call, req);
	else
		call_unmarshal(call, req);
}

/* No response object: a failure. Response code 0: nobody listens there. */
static void on_response(struct evhttp_request *req, void *arg)
{
	struct evrpc_request_wrapper *call = arg;
	struct evrpc_pool *pool = call->pool;

	pool->holds++;
	call->req = NULL;
	if (req == NULL)
		call_end(call, EVRPC_STATUS_ERR_TIMEOUT, NULL);
	else if (evhttp_request_get_response_code(req) == 0)
		call_end(call, EVRPC_STATUS_ERR_UNSTARTED, NULL);
	else if (evhttp_request_get_response_code(req) != HTTP_OK)
		call_end(call, EVRPC_STATUS_ERR_BADPAYLOAD, req);
	else
		call_answered(call, req);
	evi_rpc_pool_leave(pool);
}

/* --- The start -------------------------------------------------------------------------------- */

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct evrpc_request_wrapper *call = arg;

	(void)fd;
	(void)what;
	call_end(call, EVRPC_STATUS_ERR_TIMEOUT, NULL);
}

static int start_deadline(struct evrpc_request_wrapper *call)
{
	struct timeval tv = { .tv_sec = call->pool->timeout_s };

	if (tv.tv_sec <= 0)
		return 0;
	call->deadline =
		evtimer_new(evhttp_connection_get_base(call->con->evcon), on_deadline, call);
	return call->deadline == NULL ? -1 : event_add(call->deadline, &tv);
}

/*
 * On -1 the HTTP client has freed the request. It may have called on_response() when this is over.
 */
static void call_send(struct evrpc_request_wrapper *call)
{
	if (evhttp_make_request(call->con->evcon, call->req, EVHTTP_REQ_POST, call->path) != 0) {
		call->req = NULL;
		call_end(call, EVRPC_STATUS_ERR_UNSTARTED, NULL);
	}
}

static void resume_output(void *ctx, int is_continued)
{
	struct evrpc_request_wrapper *call = ctx;
	struct evrpc_pool *pool = call->pool;

	pool->holds++;
	if (is_continued)
		call_send(call);
	else
		call_end(call, EVRPC_STATUS_ERR_UNSTARTED, NULL);
	evi_rpc_pool_leave(pool);
}

void evi_call_start(struct evrpc_request_wrapper *call)
{
	struct evrpc_pool *pool = call->pool;
	struct evbuffer *body;
	enum EVRPC_HOOK_RESULT result;

	call->req = evhttp_request_new(on_response, call);
	if (call->req == NULL || start_deadline(call) != 0) {
		call_end(call, EVRPC_STATUS_ERR_UNSTARTED, NULL);
		return;
	}
	body = evhttp_request_get_output_buffer(call->req);
	call->marshal(body, call->request);
	call->is_starting = 1;
	result = evi_hooks_run(&pool->hooks, EVRPC_OUTPUT, call, call->req, body);
	if (pool->is_freed)
		return;
	call->is_starting = 0;
	if (result == EVRPC_TERMINATE || call->con == NULL)
		call_end(call, EVRPC_STATUS_ERR_UNSTARTED, NULL);
	else if (result == EVRPC_PAUSE)
		evi_hooks_pause(&pool->hooks, &call->meta, resume_output);
	else
		call_send(call);
}

void evi_call_lose_connection(struct evrpc_request_wrapper *call)
{
	int is_out = call->req != NULL && evhttp_request_get_connection(call->req) != NULL;

	leave_con(call);
	if (!call->is_starting)
		call_end(call, is_out ? EVRPC_STATUS_ERR_TIMEOUT : EVRPC_STATUS_ERR_UNSTARTED,
			 NULL);
}

/* --- Public ----------------------------------------------------------------------------------- */

struct evrpc_request_wrapper *
evrpc_make_request_ctx(struct evrpc_pool *pool, void *request, void *reply, const char *rpcname,
		       void (*req_marshal)(struct evbuffer *, void *), void (*rpl_clear)(void *),
		       int (*rpl_unmarshal)(void *, struct evbuffer *),
		       void (*cb)(struct evrpc_status *, void *, void *, void *), void *cbarg)
{
	struct evrpc_request_wrapper *call = evi_calloc(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	call->path = evi_rpc_path(rpcname);
	if (call->path == NULL) {
		evi_free(call);
		return NULL;
	}
	evi_hook_meta_init(&call->meta, call);
	call->hook_meta = &call->meta;
	call->pool = pool;
	call->request = request;
	call->reply = reply;
	call->marshal = req_marshal;
	call->clear = rpl_clear;
	call->unmarshal = rpl_unmarshal;
	call->cb = cb;
	call->cb_arg = cbarg;
	return call;
}

int evrpc_make_request(struct evrpc_request_wrapper *call)
{
	struct evrpc_pool *pool = call->pool;

	evi_rpc_pool_queue(pool, call);
	pool->holds++;
	evi_rpc_pool_assign(pool);
	evi_rpc_pool_leave(pool);
	return 0;
}

int evrpc_send_request_generic(struct evrpc_pool *pool, void *request, void *reply,
			       void (*cb)(struct evrpc_status *, void *, void *, void *),
			       void *cb_arg, const char *rpcname,
			       void (*req_marshal)(struct evbuffer *, void *),
			       void (*rpl_clear)(void *),
			       int (*rpl_unmarshal)(void *, struct evbuffer *))
{
	struct evrpc_status status = { .error = EVRPC_STATUS_ERR_UNSTARTED };
	struct evrpc_request_wrapper *call;

	call = evrpc_make_request_ctx(pool, request, reply, rpcname, req_marshal, rpl_clear,
				      rpl_unmarshal, cb, cb_arg);
	if (call != NULL)
		return evrpc_make_request(call);
	cb(&status, request, reply, cb_arg);
	return -1;
}

struct evrpc_pool *evrpc_request_get_pool(struct evrpc_request_wrapper *ctx)
{
	return ctx->pool;
}

void evrpc_request_set_pool(struct evrpc_request_wrapper *ctx, struct evrpc_pool *pool)
{
	ctx->pool = pool;
}

void evrpc_request_set_cb(struct evrpc_request_wrapper *ctx,
			  void (*cb)(struct evrpc_status *, void *request, void *reply, void *arg),
			  void *cb_arg)
{
	ctx->cb = cb;
	ctx->cb_arg = cb_arg;
}
