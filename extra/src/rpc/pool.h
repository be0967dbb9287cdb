/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RPC_POOL_H_INCLUDED
#define RPC_POOL_H_INCLUDED

/*
 * A pool of client connections, and the calls that go over them.
 *
 * A call is prepared by evrpc_make_request_ctx(), then belongs to its pool: waiting until a
 * connection is free, then assigned to it until the response has arrived or the call has failed.
 * Whatever ends it comes to call_end(), which runs the callback: the last thing that happens to a
 * call.
 */

#include "hooks.h"

#include <event2/event.h>

/* A connection of a pool. */
struct evi_rpc_pool_con {
	struct evi_rpc_pool_con *next;
	struct evhttp_connection *evcon; /* owned */
	struct evrpc_request_wrapper *call; /* assigned to it, or NULL */
};

struct evrpc_pool {
	struct evi_hooks hooks; /* first */
	struct event_base *base; /* may be NULL: then connections bring their own */
	struct evi_rpc_pool_con *cons;
	struct evrpc_request_wrapper *waiting; /* in the order they were started */
	struct evrpc_request_wrapper **waiting_end;
	struct evrpc_request_wrapper *active; /* assigned, or answered and paused */
	int timeout_s; /* negative: none of its own */
	unsigned holds; /* uses on the stack, and one while not freed */
	unsigned is_freed : 1;
	unsigned is_assigning : 1;
};

enum evi_call_state {
	EVI_CALL_PREPARED,
	EVI_CALL_WAITING,
	EVI_CALL_ASSIGNED, /* to a connection: hooks, request, response */
	EVI_CALL_ANSWERED /* an input hook has paused it; the connection goes on */
};

struct evrpc_request_wrapper {
	struct evrpc_hook_meta *hook_meta; /* first; `meta` */
	struct evrpc_hook_meta meta;
	struct evrpc_pool *pool;
	struct evrpc_request_wrapper *next; /* `waiting` or `active` of the pool */
	struct evrpc_request_wrapper **link;
	struct evi_rpc_pool_con *con; /* while assigned */
	struct evhttp_request *req; /* made and not sent, out, or answered and kept */
	struct event *deadline;
	enum evi_call_state state;
	int is_starting; /* in its output hooks: whoever runs these also ends it */

	char *path;
	void *request; /* both borrowed */
	void *reply;
	void (*marshal)(struct evbuffer *, void *);
	void (*clear)(void *);
	int (*unmarshal)(void *, struct evbuffer *);
	void (*cb)(struct evrpc_status *, void *request, void *reply, void *arg);
	void *cb_arg;
};

void evi_rpc_pool_leave(struct evrpc_pool *pool);

/* Give waiting calls to idle connections. May run callbacks; the caller holds the pool. */
void evi_rpc_pool_assign(struct evrpc_pool *pool);

/* Start a call that was just assigned. May end it. */
void evi_call_start(struct evrpc_request_wrapper *call);

/* The connection is taken away. */
void evi_call_lose_connection(struct evrpc_request_wrapper *call);

/* Take it off its pool and connection and free it, without a word. */
void evi_call_free(struct evrpc_request_wrapper *call);

/* Put a new call behind those that wait. */
void evi_rpc_pool_queue(struct evrpc_pool *pool, struct evrpc_request_wrapper *call);

/* Take a call out of the pool. */
void evi_rpc_pool_unqueue(struct evrpc_pool *pool, struct evrpc_request_wrapper *call);

#endif
