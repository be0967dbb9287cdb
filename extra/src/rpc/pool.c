/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pools: connections, and which call goes to which.
 */

#include "pool.h"

#include "http/connection.h"

#include <event2/component/reactor.h>

void evi_rpc_pool_leave(struct evrpc_pool *pool)
{
	if (--pool->holds > 0)
		return;
	evi_free(pool);
}

static struct evi_rpc_pool_con *idle_con(const struct evrpc_pool *pool)
{
	struct evi_rpc_pool_con *con = pool->cons;

	while (con != NULL && con->call != NULL)
		con = con->next;
	return con;
}

void evi_rpc_pool_queue(struct evrpc_pool *pool, struct evrpc_request_wrapper *call)
{
	call->state = EVI_CALL_WAITING;
	call->next = NULL;
	call->link = pool->waiting_end;
	*pool->waiting_end = call;
	pool->waiting_end = &call->next;
}

void evi_rpc_pool_unqueue(struct evrpc_pool *pool, struct evrpc_request_wrapper *call)
{
	*call->link = call->next;
	if (call->next != NULL)
		call->next->link = call->link;
	else if (pool->waiting_end == &call->next)
		pool->waiting_end = call->link;
}

static void activate(struct evrpc_pool *pool, struct evrpc_request_wrapper *call,
		     struct evi_rpc_pool_con *con)
{
	evi_rpc_pool_unqueue(pool, call);
	call->next = pool->active;
	call->link = &pool->active;
	if (call->next != NULL)
		call->next->link = &call->next;
	pool->active = call;
	con->call = call;
	call->con = con;
	call->meta.evcon = con->evcon;
	call->state = EVI_CALL_ASSIGNED;
}

/*
 * Calls that end at once call the program, which may make new ones: these come after those that
 * wait, and from this loop, so that the stack does not grow.
 */
void evi_rpc_pool_assign(struct evrpc_pool *pool)
{
	struct evrpc_request_wrapper *call;
	struct evi_rpc_pool_con *con;

	if (pool->is_assigning)
		return;
	pool->is_assigning = 1;
	while (!pool->is_freed && (call = pool->waiting) != NULL &&
	       (con = idle_con(pool)) != NULL) {
		activate(pool, call, con);
		evi_call_start(call);
	}
	pool->is_assigning = 0;
}

struct evrpc_pool *evrpc_pool_new(struct event_base *base)
{
	struct evrpc_pool *pool = evi_calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->base = base != NULL ? base : evi_current_base();
	pool->waiting_end = &pool->waiting;
	pool->timeout_s = -1;
	pool->holds = 1;
	return pool;
}

/* The calls go first: their requests are cancelled or freed, so that no connection calls back. */
void evrpc_pool_free(struct evrpc_pool *pool)
{
	pool->is_freed = 1;
	evi_hooks_done(&pool->hooks); /* a chain that runs right now ends here */
	while (pool->waiting != NULL)
		evi_call_free(pool->waiting);
	while (pool->active != NULL)
		evi_call_free(pool->active);
	while (pool->cons != NULL) {
		struct evi_rpc_pool_con *con = pool->cons;

		pool->cons = con->next;
		evhttp_connection_free(con->evcon);
		evi_free(con);
	}
	evi_rpc_pool_leave(pool);
}

void evrpc_pool_add_connection(struct evrpc_pool *pool, struct evhttp_connection *evcon)
{
	struct evi_rpc_pool_con **link = &pool->cons, *con = evi_calloc(1, sizeof(*con));

	if (con == NULL) {
		event_warn("evrpc: no memory to add a connection; it is freed");
		evhttp_connection_free(evcon);
		return;
	}
	con->evcon = evcon;
	while (*link != NULL)
		link = &(*link)->next;
	*link = con;
	if (pool->base != NULL && evhttp_connection_get_base(evcon) != pool->base)
		evhttp_connection_set_base(evcon, pool->base);
	if (!evcon->has_own_timeouts && pool->timeout_s >= 0)
		evhttp_connection_set_timeout(evcon, pool->timeout_s);
	pool->holds++;
	evi_rpc_pool_assign(pool);
	evi_rpc_pool_leave(pool);
}

void evrpc_pool_remove_connection(struct evrpc_pool *pool, struct evhttp_connection *evcon)
{
	struct evi_rpc_pool_con **link = &pool->cons, *con;

	while (*link != NULL && (*link)->evcon != evcon)
		link = &(*link)->next;
	con = *link;
	if (con == NULL)
		return;
	*link = con->next;
	if (con->call != NULL)
		evi_call_lose_connection(con->call);
	evi_free(con);
}

void evrpc_pool_set_timeout(struct evrpc_pool *pool, int timeout_in_secs)
{
	pool->timeout_s = timeout_in_secs;
	for (struct evi_rpc_pool_con *con = pool->cons; con != NULL; con = con->next)
		evhttp_connection_set_timeout(con->evcon, timeout_in_secs);
}
