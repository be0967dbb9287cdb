/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_REQUEST_H_INCLUDED
#define HTTP_REQUEST_H_INCLUDED

/*
 * One request with its response, on either side. The public struct comes first; behind it lies what
 * a message needs while it is read and answered, and the first block of its arena.
 *
 * Who frees it: the connection it is on, when it is over, unless the program has taken it
 * (evhttp_request_own()). While a callback of its own runs, freeing is put off until that returns.
 */

#include "http/arena.h"
#include "http/chunk.h"
#include "http/framing.h"
#include "http/head.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>

/*
 * Bytes of arena without another allocation: a server, which keeps its requests, has room for
 * fifteen fields or so; with a client's, the whole is 1 KiB, which allocators are quick about.
 */
#define EVI_SERVER_BLOCK 1400
#define EVI_CLIENT_BLOCK 312

enum evi_reply {
	EVI_REPLY_NONE,    /* the application owes everything */
	EVI_REPLY_STARTED, /* the head is out, the application owes the end */
	EVI_REPLY_ENDED
};

/* Told when the output is drained: evhttp_send_reply_chunk_with_cb(). */
struct evi_drained {
	struct evi_drained *next;
	void (*cb)(struct evhttp_connection *evcon, void *arg);
	void *arg;
};

struct evi_request {
	struct evhttp_request pub; /* first */
	struct evkeyvalq input_headers;
	struct evkeyvalq output_headers;
	struct evi_arena arena;
	struct evi_head head;
	struct evi_chunk chunk;
	struct evi_framing framing;
	uint64_t body_left; /* EVI_BODY_LENGTH: bytes to come */
	/* client: of a body in pieces with Content-Length, bytes still to be given */
	uint64_t owed;

	char *own_uri; /* client: pub.uri; in the block if `has_uri_in_block` */
	struct evi_request *cached; /* next in the store of used ones that it is in */
	struct evi_drained *drained; /* in the order they were asked for */
	struct evi_drained **drained_end;
	void (*failure_cb)(struct evhttp_request *req, const struct evhttp_failure *failure,
			   void *arg);
	void *failure_arg;
	/* client: asks for the next piece */
	void (*body_cb)(struct evhttp_request *req, void *arg);
	void *body_arg;
	evhttp_body_cb stream_cb; /* server: of a streamed body */
	void *stream_arg;
	/* server: tells when the program takes from the input buffer */
	struct evbuffer_cb_entry *taken_cb;
	size_t held_max; /* server: what of a streamed body may lie in the input buffer */
	size_t told;     /* server: pub.body_size when `stream_cb` was last called */
	struct timeval time_limit; /* client: zero is none */
	struct event *deadline;    /* client: while the request is on a connection; or NULL */

	unsigned interims;        /* client: 1xx responses that have come */
	unsigned busy;            /* own callbacks running */
	unsigned is_unwanted : 1; /* freed by the program while busy */
	unsigned is_queued : 1;   /* client: in the connection's queue */
	unsigned is_meant : 1;    /* client: it was queued when connecting failed */
	unsigned has_uri_in_block : 1; /* client: at its end, behind the arena's part */
	unsigned holds_body : 1;  /* client: the body waits for 100 (Continue) */
	unsigned streams : 1;     /* client: the body comes in pieces, and the end has not come */
	unsigned is_asked : 1;    /* client: for pieces */
	unsigned is_paused : 1;   /* nothing of the body that comes in is delivered */
	unsigned drops_body : 1;  /* what comes in is thrown away */
	unsigned is_streamed : 1; /* server: the program has the request while its body comes */
	/* server: nothing of the body is read until the program has taken some */
	unsigned is_held : 1;
	unsigned has_body_end : 1; /* server: the program was told how a streamed body ended */
	unsigned is_known : 1;    /* server: the method is one we know */
	unsigned is_handled : 1;  /* server: the application's callback is running */
	unsigned is_error : 1;    /* server: the reply is an error page */
	unsigned lingers : 1;     /* server: half close after it */
	unsigned has_line : 1;    /* a start line was received */
	unsigned closes : 1;      /* the connection ends after this exchange */
	unsigned sends_chunks : 1;
	unsigned sends_no_body : 1;
	unsigned reply : 2;       /* enum evi_reply */
	uint32_t chunk_room; /* see evi_write_chunk() */

	size_t block_len;
	max_align_t block[]; /* the arena's first */
};

static inline struct evi_request *evi_request_of(const struct evhttp_request *req)
{
	return (struct evi_request *)(uintptr_t)req;
}

/* Make one, with nothing in it; NULL when out of memory. */
struct evi_request *evi_request_make(size_t block_len);

/*
 * Take out everything, so that it can be used again, and is like one just made. -ENOMEM: it had to
 * be destroyed.
 */
int evi_request_reset(struct evi_request *r);

/* Free one that holds nothing. */
void evi_request_free(struct evi_request *r);

/*
 * Let go of it now, whatever it holds. It is on no connection, and not busy. A client's may be kept
 * for another use.
 */
void evi_request_destroy(struct evi_request *r);

/* The exchange is over and the connection has let go: free it unless the program has taken it. */
void evi_request_release(struct evi_request *r);

/* Client: the request is over, its time limit is void. */
void evi_request_stop_deadline(struct evi_request *r);

/* A callback of the request's own begins, or has ended; the latter may free it. */
void evi_request_enter(struct evi_request *r);
/* @return nonzero if the program wanted it freed meanwhile */
int evi_request_leave(struct evi_request *r);

/* Client: take a copy of the URI, which has `len` bytes. 0 or -ENOMEM, then there is none. */
int evi_request_set_uri(struct evi_request *r, const char *uri, size_t len);

/* Start over with the incoming head: the arena and the input headers are emptied. */
void evi_request_start_head(struct evi_request *r, enum evi_head_kind kind, size_t size_max);

/* Drop the callbacks that wait for the output to drain. */
void evi_request_drop_drained(struct evi_request *r);

#endif
