/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_RPC_STRUCT_H_INCLUDED_
#define EVENT2_RPC_STRUCT_H_INCLUDED_

/**
 * @file event2/rpc_struct.h
 *
 * What a call's callback is told (event2/rpc.h), and the description of a served RPC.
 */

#ifdef __cplusplus
extern "C" {
#endif

struct evbuffer;
struct evhttp_request;
struct evrpc_base;
struct evrpc_req_generic;

/** The reply is there and complete. */
#define EVRPC_STATUS_ERR_NONE 0
/** No answer: deadline passed, connection lost, or a failure in HTTP. The reply is cleared. */
#define EVRPC_STATUS_ERR_TIMEOUT 1
/** The answer is not 200, or not a complete reply. The reply is cleared. */
#define EVRPC_STATUS_ERR_BADPAYLOAD 2
/** The call was never sent: no memory, nobody there, or an output hook said EVRPC_TERMINATE. */
#define EVRPC_STATUS_ERR_UNSTARTED 3
/** An input hook said EVRPC_TERMINATE. The reply is cleared. */
#define EVRPC_STATUS_ERR_HOOKABORTED 4

/** How a call ended; valid during its callback only. */
struct evrpc_status {
	int error; /**< EVRPC_STATUS_ERR_* */
	struct evhttp_request *http_req; /**< the answer, for its headers; NULL if there is none */
};

/** A served RPC: what evrpc_register_rpc() takes. EVRPC_REGISTER() fills it in for you. */
struct evrpc {
#if defined(TAILQ_ENTRY)
	TAILQ_ENTRY(evrpc) next; /**< the library's */
#else
	struct {
		struct evrpc *tqe_next;
		struct evrpc **tqe_prev;
	} next;
#endif
	const char *uri; /**< the RPC's name; allocated like the struct itself */
	void *(*request_new)(void *);
	void *request_new_arg;
	void (*request_free)(void *);
	int (*request_unmarshal)(void *, struct evbuffer *);
	void *(*reply_new)(void *);
	void *reply_new_arg;
	void (*reply_free)(void *);
	int (*reply_complete)(void *);
	void (*reply_marshal)(struct evbuffer *, void *);
	void (*cb)(struct evrpc_req_generic *, void *); /**< set by evrpc_register_rpc() */
	void *cb_arg; /**< likewise */
	struct evrpc_base *base; /**< likewise */
};

#ifdef __cplusplus
}
#endif

#endif
