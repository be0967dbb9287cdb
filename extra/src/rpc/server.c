/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Serving RPCs. A call's way, each step of which may be the last (503):
 *
 *   HTTP request -> input hooks -> unmarshal -> handler -> evrpc_request_done() -> complete?
 *   marshal -> output hooks -> HTTP reply
 *
 * Calls may outlive the base and the registration of their RPC: a call knows that its base has gone
 * (NULL), and keeps what it needs of the registration (a reference).
 */

#include "hooks.h"

#include <event2/component/reactor.h>

#include <stdint.h>
#include <string.h>

/* A registration. */
struct served {
	struct served *next; /* of the base */
	struct evrpc_base *base;
	struct evrpc *rpc; /* owned, and its uri */
	char *path;
	unsigned refs; /* calls, and one while registered */
};

struct evrpc_base {
	struct evi_hooks hooks; /* first */
	struct evhttp *http; /* borrowed */
	struct served *served;
	struct evrpc_req_generic *calls;
	unsigned holds; /* uses on the stack, and one while not freed */
};

/* A call. EVRPC_HEADER() shows the program the first six members. */
struct evrpc_req_generic {
	struct evrpc_hook_meta *hook_meta; /* `meta` */
	void *request;
	void *reply;
	struct evrpc *rpc;
	struct evhttp_request *http_req;
	struct evbuffer *rpc_data; /* the marshalled reply */

	struct evrpc_hook_meta meta;
	struct served *served; /* a reference */
	struct evrpc_base *base; /* NULL if freed */
	struct evrpc_req_generic *next; /* of the base */
	struct evrpc_req_generic **link;
};

/* --- Life ------------------------------------------------------------------------------------ */

static void base_leave(struct evrpc_base *base)
{
	if (--base->holds > 0)
		return;
	evi_free(base);
}

static void served_release(struct served *served)
{
	if (--served->refs > 0)
		return;
	evi_free((void *)(uintptr_t)served->rpc->uri);
	evi_free(served->rpc);
	evi_free(served->path);
	evi_free(served);
}

static void call_free(struct evrpc_req_generic *call)
{
	if (call->base != NULL) {
		*call->link = call->next;
		if (call->next != NULL)
			call->next->link = call->link;
	}
	evi_hook_meta_done(&call->meta);
	if (call->request != NULL)
		call->rpc->request_free(call->request);
	if (call->reply != NULL)
		call->rpc->reply_free(call->reply);
	if (call->rpc_data != NULL)
		evbuffer_free(call->rpc_data);
	served_release(call->served);
	evi_free(call);
}

static struct evrpc_req_generic *call_new(struct served *served, struct evhttp_request *req)
{
	struct evrpc_base *base = served->base;
	struct evrpc_req_generic *call = evi_calloc(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	evi_hook_meta_init(&call->meta, call);
	call->hook_meta = &call->meta;
	call->meta.http_req = req;
	call->rpc = served->rpc;
	call->http_req = req;
	call->served = served;
	served->refs++;
	call->base = base;
	call->next = base->calls;
	call->link = &base->calls;
	if (call->next != NULL)
		call->next->link = &call->next;
	base->calls = call;
	return call;
}

/* 503; if the client has left, this frees the request. */
static void call_fail(struct evrpc_req_generic *call)
{
	struct evhttp_request *req = call->http_req;

	call_free(call);
	evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
}

/* --- The way in ------------------------------------------------------------------------------ */

static void call_handle(struct evrpc_req_generic *call)
{
	struct evrpc *rpc = call->rpc;

	call->request = rpc->request_new(rpc->request_new_arg);
	if (call->request == NULL ||
	    rpc->request_unmarshal(call->request,
				   evhttp_request_get_input_buffer(call->http_req)) != 0) {
		call_fail(call);
		return;
	}
	call->reply = rpc->reply_new(rpc->reply_new_arg);
	if (call->reply == NULL)
		call_fail(call);
	else
		rpc->cb(call, rpc->cb_arg);
}

static void resume_input(void *ctx, int is_continued)
{
	if (is_continued)
		call_handle(ctx);
	else
		call_fail(ctx);
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct served *served = arg;
	struct evrpc_base *base = served->base;
	struct evrpc_req_generic *call = NULL;
	enum EVRPC_HOOK_RESULT result;

	if (evhttp_request_get_command(req) == EVHTTP_REQ_POST)
		call = call_new(served, req);
	if (call == NULL) {
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	base->holds++;
	result = evi_hooks_run(&base->hooks, EVRPC_INPUT, call, req,
			       evhttp_request_get_input_buffer(req));
	if (call->base == NULL || result == EVRPC_TERMINATE)
		call_fail(call);
	else if (result == EVRPC_PAUSE)
		evi_hooks_pause(&base->hooks, &call->meta, resume_input);
	else
		call_handle(call);
	base_leave(base);
}

/* --- The way out ----------------------------------------------------------------------------- */

static void call_reply(struct evrpc_req_generic *call)
{
	static const char field[] = "Content-Type";
	struct evhttp_request *req = call->http_req;
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct evbuffer *data = call->rpc_data;

	if (evhttp_find_header(headers, field) == NULL &&
	    evhttp_add_header(headers, field, "application/octet-stream") != 0) {
		call_fail(call);
		return;
	}
	call->rpc_data = NULL;
	call_free(call);
	evhttp_send_reply(req, HTTP_OK, "OK", data);
	evbuffer_free(data);
}

static void resume_output(void *ctx, int is_continued)
{
	struct evrpc_req_generic *call = ctx;

	if (is_continued && evhttp_request_get_connection(call->http_req) != NULL)
		call_reply(call);
	else
		call_fail(call);
}

/* The output hooks' verdict; a base that is gone has none. */
static enum EVRPC_HOOK_RESULT run_output_hooks(struct evrpc_req_generic *call)
{
	struct evrpc_base *base = call->base;
	enum EVRPC_HOOK_RESULT result;

	if (base == NULL)
		return EVRPC_CONTINUE;
	base->holds++;
	result = evi_hooks_run(&base->hooks, EVRPC_OUTPUT, call, call->http_req, call->rpc_data);
	if (result == EVRPC_PAUSE && call->base != NULL)
		evi_hooks_pause(&base->hooks, &call->meta, resume_output);
	else if (result == EVRPC_PAUSE)
		result = EVRPC_TERMINATE;
	base_leave(base);
	return result;
}

void evrpc_request_done(struct evrpc_req_generic *call)
{
	struct evrpc *rpc = call->rpc;

	if (evhttp_request_get_connection(call->http_req) == NULL ||
	    rpc->reply_complete(call->reply) != 0 || (call->rpc_data = evbuffer_new()) == NULL) {
		call_fail(call);
		return;
	}
	rpc->reply_marshal(call->rpc_data, call->reply);
	switch (run_output_hooks(call)) {
	case EVRPC_CONTINUE:
		call_reply(call);
		break;
	case EVRPC_PAUSE:
		break;
	default:
		call_fail(call);
		break;
	}
}

void *evrpc_get_request(struct evrpc_req_generic *req)
{
	return req->request;
}

void *evrpc_get_reply(struct evrpc_req_generic *req)
{
	return req->reply;
}

/* --- Registering ----------------------------------------------------------------------------- */

struct evrpc_base *evrpc_init(struct evhttp *server)
{
	struct evrpc_base *base = evi_calloc(1, sizeof(*base));

	if (base == NULL)
		return NULL;
	base->http = server;
	base->holds = 1;
	return base;
}

static void unregister(struct evrpc_base *base, struct served **link)
{
	struct served *served = *link;

	(void)evhttp_del_cb(base->http, served->path); /* the server may have dropped it already */
	*link = served->next;
	served->base = NULL;
	served_release(served);
}

void evrpc_free(struct evrpc_base *base)
{
	evi_hooks_done(&base->hooks); /* a chain that runs right now ends here */
	while (base->hooks.paused != NULL) {
		struct evrpc_hook_meta *meta = base->hooks.paused;

		evi_hooks_unpause(meta);
		meta->resume(meta->ctx, 0);
	}
	while (base->calls != NULL) {
		struct evrpc_req_generic *call = base->calls;

		base->calls = call->next;
		call->base = NULL;
	}
	while (base->served != NULL)
		unregister(base, &base->served);
	base_leave(base);
}

int evrpc_register_rpc(struct evrpc_base *base, struct evrpc *rpc,
		       void (*cb)(struct evrpc_req_generic *, void *), void *cb_arg)
{
	struct served *served = evi_calloc(1, sizeof(*served));

	if (served == NULL)
		return -1;
	served->base = base;
	served->rpc = rpc;
	served->refs = 1;
	served->path = evi_rpc_path(rpc->uri);
	/* A name that is taken is refused by the server. */
	if (served->path == NULL ||
	    evhttp_set_cb(base->http, served->path, on_request, served) != 0) {
		evi_free(served->path);
		evi_free(served);
		return -1;
	}
	rpc->cb = cb;
	rpc->cb_arg = cb_arg;
	rpc->base = base;
	served->next = base->served;
	base->served = served;
	return 0;
}

int evrpc_register_generic(struct evrpc_base *base, const char *name,
			   void (*callback)(struct evrpc_req_generic *, void *), void *cbarg,
			   void *(*req_new)(void *), void *req_new_arg, void (*req_free)(void *),
			   int (*req_unmarshal)(void *, struct evbuffer *),
			   void *(*rpl_new)(void *), void *rpl_new_arg, void (*rpl_free)(void *),
			   int (*rpl_complete)(void *),
			   void (*rpl_marshal)(struct evbuffer *, void *))
{
	struct evrpc *rpc = evi_calloc(1, sizeof(*rpc));
	char *uri = evi_strdup(name);

	if (rpc != NULL && uri != NULL) {
		rpc->uri = uri;
		rpc->request_new = req_new;
		rpc->request_new_arg = req_new_arg;
		rpc->request_free = req_free;
		rpc->request_unmarshal = req_unmarshal;
		rpc->reply_new = rpl_new;
		rpc->reply_new_arg = rpl_new_arg;
		rpc->reply_free = rpl_free;
		rpc->reply_complete = rpl_complete;
		rpc->reply_marshal = rpl_marshal;
		if (evrpc_register_rpc(base, rpc, callback, cbarg) == 0)
			return 0;
	}
	evi_free(uri);
	evi_free(rpc);
	return -1;
}

int evrpc_unregister_rpc(struct evrpc_base *base, const char *name)
{
	for (struct served **link = &base->served; *link != NULL; link = &(*link)->next)
		if (strcmp((*link)->rpc->uri, name) == 0) {
			unregister(base, link);
			return 0;
		}
	return -1;
}
