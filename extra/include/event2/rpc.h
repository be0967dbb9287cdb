/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_RPC_H_INCLUDED_
#define EVENT2_RPC_H_INCLUDED_

/**
 * @file event2/rpc.h
 *
 * Remote procedure calls over HTTP: a call of Name is a POST to /.rpc.Name whose body is the
 * marshalled request (event2/tag.h); the answer's body is the marshalled reply. Messages are
 * structures that event_rpcgen makes from a description: see its --help.
 *
 *   Both sides, once     EVRPC_HEADER(Name, Request, Reply)      in a header
 *                        EVRPC_GENERATE(Name, Request, Reply)    in one source file of the client
 *   Server               base = evrpc_init(http); EVRPC_REGISTER(base, Name, Request, Reply, cb,
 *                        arg) cb fills rpc->reply, then EVRPC_REQUEST_DONE(rpc), at once or later
 *   Client               pool = evrpc_pool_new(base); evrpc_pool_add_connection(pool, evcon)
 *                        EVRPC_MAKE_REQUEST(Name, pool, request, reply, cb, arg)
 *
 * Threads    None of this is thread-safe: an RPC base, a pool, and their HTTP server and
 *            connections belong to the loop's thread.
 * Security   There is no authentication: use hooks, or TLS. A request's size is bounded by the HTTP
 *            server's body limit only (evhttp_set_max_body_size()): set one.
 * Errors     Functions that return int return 0 or -1 unless they say otherwise.
 *
 * Everything here is available since 2.0.
 */

#include <event2/util.h>
#include <event2/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

struct evbuffer;
struct event_base;
struct evhttp;
struct evhttp_connection;
struct evhttp_request;
struct evrpc;
struct evrpc_base;
struct evrpc_hook_meta;
struct evrpc_pool;
struct evrpc_req_generic;
struct evrpc_request_wrapper;
struct evrpc_status;

/** Where a hook sits. */
enum EVRPC_HOOK_TYPE {
	EVRPC_INPUT = 0, /**< what arrives: a server's requests, a pool's replies */
	EVRPC_OUTPUT = 1, /**< what leaves: a server's replies, a pool's requests */
};

/** What a hook decides. */
enum EVRPC_HOOK_RESULT {
	EVRPC_TERMINATE = -1, /**< end the call: 503, ERR_UNSTARTED or ERR_HOOKABORTED */
	EVRPC_CONTINUE = 0, /**< go on with the next hook */
	EVRPC_PAUSE = 1, /**< stop until evrpc_resume_request(); the hooks behind do not run */
};

#ifndef _WIN32
/** Old names. @deprecated */
#define INPUT EVRPC_INPUT
#define OUTPUT EVRPC_OUTPUT
#endif

/* --- Access to members of generated messages ------------------------------------------------- */

/** 1 if the member is set, else 0. */
#define EVTAG_HAS(msg, member) ((msg)->member##_set == 1)

/** Set a member to a copy of `value`. @return 0 or -1: then the old value is still there */
#define EVTAG_ASSIGN(msg, member, value) ((*(msg)->base->member##_assign)((msg), (value)))

/** Set a variable-length member to a copy of `len` bytes. */
#define EVTAG_ASSIGN_WITH_LEN(msg, member, bytes, len)                                             \
	((*(msg)->base->member##_assign)((msg), (bytes), (len)))

/** Read a member into *ret_value; what it points to is the message's. @return 0; -1 if unset */
#define EVTAG_GET(msg, member, ret_value) ((*(msg)->base->member##_get)((msg), (ret_value)))

/** Read a variable-length member. */
#define EVTAG_GET_WITH_LEN(msg, member, ret_bytes, ret_len)                                        \
	((*(msg)->base->member##_get)((msg), (ret_bytes), (ret_len)))

/** Append a copy of `value` to an array. @return the new element's address, or NULL */
#define EVTAG_ARRAY_ADD_VALUE(msg, member, value) ((*(msg)->base->member##_add)((msg), (value)))

/** Append an empty structure to an array. @return it, to be filled in, or NULL; the message's */
#define EVTAG_ARRAY_ADD(msg, member) ((*(msg)->base->member##_add)(msg))

/** Read an array's element into *ret_value. @return 0; -1 if there is no such element */
#define EVTAG_ARRAY_GET(msg, member, index, ret_value)                                             \
	((*(msg)->base->member##_get)((msg), (index), (ret_value)))

/** The number of elements. */
#define EVTAG_ARRAY_LEN(msg, member) ((msg)->member##_length)

/* --- Declaring RPCs -------------------------------------------------------------------------- */

/**
 * The type of a call as the server's handler sees it. A handler may use `request`, `reply`, and
 * EVRPC_REQUEST_HTTP(); the rest is the library's.
 */
#define EVRPC_STRUCT(rpcname) struct evrpc_req__##rpcname

/** Declare an RPC: its call type, and evrpc_send_request_<rpcname>(). File scope, no semicolon. */
#define EVRPC_HEADER(rpcname, reqstruct, rplystruct)                                               \
	EVRPC_STRUCT(rpcname)                                                                      \
	{                                                                                          \
		struct evrpc_hook_meta *hook_meta;                                                 \
		struct reqstruct *request;                                                         \
		struct rplystruct *reply;                                                          \
		struct evrpc *rpc;                                                                 \
		struct evhttp_request *http_req;                                                   \
		struct evbuffer *rpc_data;                                                         \
	};                                                                                         \
	extern int evrpc_send_request_##rpcname(                                                   \
		struct evrpc_pool *, struct reqstruct *, struct rplystruct *,                      \
		void (*)(struct evrpc_status *, struct reqstruct *, struct rplystruct *, void *),  \
		void *);

/** Define evrpc_send_request_<rpcname>(), in one file of the program. File scope, no semicolon. */
#define EVRPC_GENERATE(rpcname, reqstruct, rplystruct)                                             \
	int evrpc_send_request_##rpcname(                                                          \
		struct evrpc_pool *pool, struct reqstruct *request, struct rplystruct *reply,      \
		void (*cb)(struct evrpc_status *, struct reqstruct *, struct rplystruct *,         \
			   void *),                                                                \
		void *cb_arg)                                                                      \
	{                                                                                          \
		return evrpc_send_request_generic(                                                 \
			pool, request, reply,                                                      \
			(void (*)(struct evrpc_status *, void *, void *, void *))cb, cb_arg,       \
			#rpcname, (void (*)(struct evbuffer *, void *))reqstruct##_marshal,        \
			(void (*)(void *))rplystruct##_clear,                                      \
			(int (*)(void *, struct evbuffer *))rplystruct##_unmarshal);               \
	}

/* --- Server ---------------------------------------------------------------------------------- */

/** The HTTP request of a call. */
#define EVRPC_REQUEST_HTTP(rpc) ((rpc)->http_req)

/**
 * Answer a call with its reply; the call, request and reply are gone afterwards.
 *
 * A reply that lacks a required member is answered with 503. If the client has left, everything is
 * just released.
 */
#define EVRPC_REQUEST_DONE(rpc) evrpc_request_done((struct evrpc_req_generic *)(rpc))

/**
 * Serve an RPC at /.rpc.<name>. See evrpc_register_generic().
 *
 * @param callback  void callback(EVRPC_STRUCT(name) *rpc, void *arg); gets a complete request and
 *                  an empty reply
 */
#define EVRPC_REGISTER(base, name, request, reply, callback, cbarg)                                \
	evrpc_register_generic(                                                                    \
		base, #name, (void (*)(struct evrpc_req_generic *, void *))(callback), (cbarg),    \
		(void *(*)(void *))request##_new_with_arg, NULL, (void (*)(void *))request##_free, \
		(int (*)(void *, struct evbuffer *))request##_unmarshal,                           \
		(void *(*)(void *))reply##_new_with_arg, NULL, (void (*)(void *))reply##_free,     \
		(int (*)(void *))reply##_complete,                                                 \
		(void (*)(struct evbuffer *, void *))reply##_marshal)

/** Stop serving an RPC. See evrpc_unregister_rpc(). */
#define EVRPC_UNREGISTER(base, name) evrpc_unregister_rpc((base), #name)

/* --- Client ---------------------------------------------------------------------------------- */

/**
 * Make a call.
 *
 * Request and reply are the caller's, and must live until the callback, which runs exactly once:
 * perhaps before this returns, and also when it returns -1. The reply must be new or cleared.
 *
 * @param cb  void cb(struct evrpc_status *status, struct <request> *, struct <reply> *, void *arg)
 * @return 0; -1 if the call could not be set up
 */
#define EVRPC_MAKE_REQUEST(name, pool, request, reply, cb, cbarg)                                  \
	evrpc_send_request_##name((pool), (request), (reply), (cb), (cbarg))

/**
 * Prepare a call without starting it: see evrpc_make_request_ctx() and evrpc_make_request().
 *
 * @return the call, or NULL
 */
#define EVRPC_MAKE_CTX(rpcname, reqstruct, rplystruct, pool, request, reply, cb, cbarg)            \
	evrpc_make_request_ctx((pool), (request), (reply), #rpcname,                               \
			       (void (*)(struct evbuffer *, void *))reqstruct##_marshal,           \
			       (void (*)(void *))rplystruct##_clear,                               \
			       (int (*)(void *, struct evbuffer *))rplystruct##_unmarshal,         \
			       (void (*)(struct evrpc_status *, void *, void *, void *))cb,        \
			       (cbarg))

/**
 * Add a hook to an RPC base or a pool: it sees every call, after the hooks added before it.
 *
 * The callback gets the call's context (for evrpc_hook_add_meta() and the like, and to resume), the
 * HTTP request, whose headers it may read and add to, and the marshalled data, which it may
 * rewrite. It returns an enum EVRPC_HOOK_RESULT; the first that is not EVRPC_CONTINUE ends the
 * chain.
 *
 * @param vbase  a struct evrpc_base or a struct evrpc_pool
 * @return a handle for evrpc_remove_hook(), or NULL when out of memory or on a bad type
 */
EVENT2_EXPORT_SYMBOL
void *evrpc_add_hook(void *vbase, enum EVRPC_HOOK_TYPE hook_type,
		     int (*cb)(void *, struct evhttp_request *, struct evbuffer *, void *),
		     void *cb_arg);

/**
 * Free an RPC base: stops serving its RPCs, removes its hooks, and answers calls that a hook has
 * paused with 503. The HTTP server stays.
 *
 * Calls whose handler has not said EVRPC_REQUEST_DONE() yet may still be finished afterwards.
 */
EVENT2_EXPORT_SYMBOL
void evrpc_free(struct evrpc_base *base);

/** The reply of a call, for handlers of evrpc_register_generic(). */
EVENT2_EXPORT_SYMBOL
void *evrpc_get_reply(struct evrpc_req_generic *req);

/** The request of a call, for handlers of evrpc_register_generic(). */
EVENT2_EXPORT_SYMBOL
void *evrpc_get_request(struct evrpc_req_generic *req);

/**
 * Keep a copy of `data_size` bytes with a call, under a key (copied).
 *
 * Keys may repeat: the first added is found. It lasts until the call ends, so what a pool's output
 * hook adds, its input hook finds.
 *
 * @param ctx  what the hook got
 * @return 0, or -1 when out of memory. 2.1: void
 */
EVENT2_EXPORT_SYMBOL
int evrpc_hook_add_meta(void *ctx, const char *key, const void *data, size_t data_size);

/**
 * Find what evrpc_hook_add_meta() kept.
 *
 * @param data  takes a pointer to the bytes, which stay the call's
 * @return 0, or -1 if there is nothing under that key
 */
EVENT2_EXPORT_SYMBOL
int evrpc_hook_find_meta(void *ctx, const char *key, void **data, size_t *data_size);

/** The HTTP connection of a call, valid inside a hook; NULL if there is none any more. */
EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evrpc_hook_get_connection(void *ctx);

/**
 * Make an RPC base on an HTTP server, which must outlive it.
 *
 * @return owned by the caller (evrpc_free()); NULL when out of memory
 */
EVENT2_EXPORT_SYMBOL
struct evrpc_base *evrpc_init(struct evhttp *server);

/**
 * Start a prepared call, which the library then owns.
 *
 * It goes to the first connection of the pool that has nothing to do; if there is none it waits, in
 * order. The callback may run before this returns.
 *
 * @return 0
 */
EVENT2_EXPORT_SYMBOL
int evrpc_make_request(struct evrpc_request_wrapper *ctx);

/**
 * Prepare a call; EVRPC_MAKE_CTX() spares you the pointers. The name is copied.
 *
 * @param pool  may be NULL until evrpc_request_set_pool()
 * @return the call, which evrpc_make_request() takes; NULL when out of memory, or if the name is
 *         not a clean path segment
 */
EVENT2_EXPORT_SYMBOL
struct evrpc_request_wrapper *
evrpc_make_request_ctx(struct evrpc_pool *pool, void *request, void *reply, const char *rpcname,
		       void (*req_marshal)(struct evbuffer *, void *), void (*rpl_clear)(void *),
		       int (*rpl_unmarshal)(void *, struct evbuffer *),
		       void (*cb)(struct evrpc_status *, void *, void *, void *), void *cbarg);

/**
 * Give a connection to a pool, which frees it in the end.
 *
 * It must be a client connection without requests, and without base or with the pool's own base. If
 * its timeout was never set it gets the pool's. A waiting call starts on it.
 */
EVENT2_EXPORT_SYMBOL
void evrpc_pool_add_connection(struct evrpc_pool *pool, struct evhttp_connection *evcon);

/**
 * Free a pool: its connections, its hooks, and all its calls, whose callbacks do not run.
 *
 * May be called from a call's callback.
 */
EVENT2_EXPORT_SYMBOL
void evrpc_pool_free(struct evrpc_pool *pool);

/**
 * Make a pool of connections to one service.
 *
 * @param base  the loop; NULL means the one event_init() made
 * @return owned by the caller (evrpc_pool_free()); NULL when out of memory
 */
EVENT2_EXPORT_SYMBOL
struct evrpc_pool *evrpc_pool_new(struct event_base *base);

/**
 * Take a connection back: it is the caller's again. Nothing happens if it is not in the pool.
 *
 * A call under way on it ends with EVRPC_STATUS_ERR_TIMEOUT (UNSTARTED if it was not sent yet), and
 * the connection is reset.
 */
EVENT2_EXPORT_SYMBOL
void evrpc_pool_remove_connection(struct evrpc_pool *pool, struct evhttp_connection *evcon);

/**
 * Set the timeout of all present connections, and the deadline of calls started later.
 *
 * A call that misses its deadline ends with EVRPC_STATUS_ERR_TIMEOUT; its connection is reset.
 *
 * @param timeout_in_secs  seconds; 0: none; -1: the connections' own defaults
 */
EVENT2_EXPORT_SYMBOL
void evrpc_pool_set_timeout(struct evrpc_pool *pool, int timeout_in_secs);

/**
 * Serve an RPC; EVRPC_REGISTER() spares you the pointers.
 *
 * @param name         one path segment without '/', '?', '#', blanks and control bytes; copied
 * @param callback     the handler: see EVRPC_REGISTER()
 * @param req_new      makes an empty request, given `req_new_arg`; NULL fails the call
 * @param rpl_complete 0 if the reply may be sent
 * @return 0; -1 if the name is taken or bad, or when out of memory
 */
EVENT2_EXPORT_SYMBOL
int evrpc_register_generic(struct evrpc_base *base, const char *name,
			   void (*callback)(struct evrpc_req_generic *, void *), void *cbarg,
			   void *(*req_new)(void *), void *req_new_arg, void (*req_free)(void *),
			   int (*req_unmarshal)(void *, struct evbuffer *),
			   void *(*rpl_new)(void *), void *rpl_new_arg, void (*rpl_free)(void *),
			   int (*rpl_complete)(void *),
			   void (*rpl_marshal)(struct evbuffer *, void *));

/**
 * Serve an RPC that is described by a filled-in struct, which the base then owns, its `uri`
 * included: both are released with free(), or with what event_set_mem_functions() put in its place.
 *
 * @return 0; -1 if the name is taken or bad, or when out of memory: then the struct is still yours
 */
EVENT2_EXPORT_SYMBOL
int evrpc_register_rpc(struct evrpc_base *, struct evrpc *,
		       void (*)(struct evrpc_req_generic *, void *), void *);

/** Remove a hook. @return 1 if removed, 0 if it is not there */
EVENT2_EXPORT_SYMBOL
int evrpc_remove_hook(void *vbase, enum EVRPC_HOOK_TYPE hook_type, void *handle);

/** Answer a call: see EVRPC_REQUEST_DONE(). */
EVENT2_EXPORT_SYMBOL
void evrpc_request_done(struct evrpc_req_generic *req);

/** The pool of a prepared call. */
EVENT2_EXPORT_SYMBOL
struct evrpc_pool *evrpc_request_get_pool(struct evrpc_request_wrapper *ctx);

/** Change the callback of a prepared call. */
EVENT2_EXPORT_SYMBOL
void evrpc_request_set_cb(struct evrpc_request_wrapper *ctx,
			  void (*cb)(struct evrpc_status *, void *request, void *reply, void *arg),
			  void *cb_arg);

/** Change the pool of a prepared call. */
EVENT2_EXPORT_SYMBOL
void evrpc_request_set_pool(struct evrpc_request_wrapper *ctx, struct evrpc_pool *pool);

/**
 * Resume a call that a hook has paused.
 *
 * The remaining hooks do not run. The call's callback may run before this returns.
 *
 * @param vbase  the RPC base or pool of the hook
 * @param ctx    what the hook got
 * @param res    EVRPC_CONTINUE or EVRPC_TERMINATE
 * @return 0, or -1 if no such call is paused there
 */
EVENT2_EXPORT_SYMBOL
int evrpc_resume_request(void *vbase, void *ctx, enum EVRPC_HOOK_RESULT res);

/** Prepare and start a call; what EVRPC_MAKE_REQUEST() comes down to. */
EVENT2_EXPORT_SYMBOL
int evrpc_send_request_generic(struct evrpc_pool *pool, void *request, void *reply,
			       void (*cb)(struct evrpc_status *, void *, void *, void *),
			       void *cb_arg, const char *rpcname,
			       void (*req_marshal)(struct evbuffer *, void *),
			       void (*rpl_clear)(void *),
			       int (*rpl_unmarshal)(void *, struct evbuffer *));

/**
 * Stop serving an RPC. Calls under way may still be finished.
 *
 * @return 0, or -1 if there is none of that name
 */
EVENT2_EXPORT_SYMBOL
int evrpc_unregister_rpc(struct evrpc_base *base, const char *name);

#ifdef __cplusplus
}
#endif

#endif
