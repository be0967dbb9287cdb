/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RPC_HOOKS_H_INCLUDED
#define RPC_HOOKS_H_INCLUDED

/*
 * Hooks of an RPC base or pool, and what they see: a call's context.
 *
 * A context is a struct whose first member is a pointer to its struct evrpc_hook_meta, on the
 * server (struct evrpc_req_generic) and on the client (struct evrpc_request_wrapper). A base or
 * pool is a struct whose first member is its struct evi_hooks.
 */

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/rpc.h>
#include <event2/rpc_struct.h>

struct evi_hook;
struct evi_meta;

struct evi_hooks {
	struct evi_hook *lists[2]; /* by enum EVRPC_HOOK_TYPE, in the order added */
	struct evrpc_hook_meta *paused;
	unsigned running; /* chains in progress: hooks are unlinked when there is none */
};

struct evrpc_hook_meta {
	struct evi_meta *first; /* in the order added */
	struct evhttp_connection *evcon; /* client */
	/* server: leads to the connection, as long as there is one */
	struct evhttp_request *http_req;
	void *ctx; /* whose this is */

	/* While paused: */
	struct evrpc_hook_meta *next;
	struct evrpc_hook_meta **link; /* NULL if not paused */
	void (*resume)(void *ctx, int is_continued);
};

void evi_hook_meta_init(struct evrpc_hook_meta *meta, void *ctx);
void evi_hook_meta_done(struct evrpc_hook_meta *meta); /* also unpauses */

/* Run a chain; the first result that is not EVRPC_CONTINUE ends it. */
enum EVRPC_HOOK_RESULT evi_hooks_run(struct evi_hooks *hooks, enum EVRPC_HOOK_TYPE type, void *ctx,
				     struct evhttp_request *req, struct evbuffer *data);

/* Wait for evrpc_resume_request(), which calls `resume`. */
void evi_hooks_pause(struct evi_hooks *hooks, struct evrpc_hook_meta *meta,
		     void (*resume)(void *ctx, int is_continued));
void evi_hooks_unpause(struct evrpc_hook_meta *meta);

/* Remove all hooks; a chain that runs goes no further. */
void evi_hooks_done(struct evi_hooks *hooks);

/* "/.rpc.<name>", allocated; NULL if the name is bad (RPC-101) or memory is short. */
char *evi_rpc_path(const char *name);

#endif
