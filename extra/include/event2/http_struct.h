/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_HTTP_STRUCT_H_INCLUDED_
#define EVENT2_HTTP_STRUCT_H_INCLUDED_

/**
 * @file event2/http_struct.h
 *
 * The inside of struct evhttp_request, for programs written when there were no functions for it.
 */

#include <event2/event-config.h>
#include <event2/util.h>
#include <event2/keyvalq_struct.h>
#include <event2/http.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A request with its response. For programs that must: there is a function for nearly all of it.
 * Members without comment are the library's, and change without notice; none may be written but
 * `major` and `minor`.
 */
struct evhttp_request {
#if defined(TAILQ_ENTRY)
	TAILQ_ENTRY(evhttp_request) next;
#else
	struct {
		struct evhttp_request *tqe_next;
		struct evhttp_request **tqe_prev;
	} next;
#endif
	struct evhttp_connection *evcon; /* evhttp_request_get_connection() */
	int flags;
	struct evkeyvalq *input_headers;  /* evhttp_request_get_input_headers() */
	struct evkeyvalq *output_headers; /* evhttp_request_get_output_headers() */
	char *remote_host;       /* server: the client's address; NULL for a Unix socket */
	ev_uint16_t remote_port; /* server: the client's port; 0 likewise */
	char *host_cache;
	enum evhttp_request_kind kind;
	enum evhttp_cmd_type type; /* evhttp_request_get_command() */
	size_t headers_size; /* bytes of the head that was received, without line ends */
	size_t body_size;    /* bytes of the body that were received */
	char *uri;           /* evhttp_request_get_uri() */
	struct evhttp_uri *uri_elems; /* evhttp_request_get_evhttp_uri() */
	char major; /* version: received, or, if not both are zero, to be sent */
	char minor;
	int response_code;        /* evhttp_request_get_response_code() */
	char *response_code_line; /* evhttp_request_get_response_code_line() */
	struct evbuffer *input_buffer; /* evhttp_request_get_input_buffer() */
	ev_int64_t ntoread;
	unsigned chunked : 1, userdone : 1;
	struct evbuffer *output_buffer; /* evhttp_request_get_output_buffer() */
	void (*cb)(struct evhttp_request *, void *); /* evhttp_request_new() */
	void *cb_arg;
	void (*chunk_cb)(struct evhttp_request *, void *);
	int (*header_cb)(struct evhttp_request *, void *);
	void (*error_cb)(enum evhttp_request_error, void *);
	void (*on_complete_cb)(struct evhttp_request *, void *);
	void *on_complete_cb_arg;
};

/* Bits of `flags`. Only 2.1 had these names. */
#define EVHTTP_REQ_OWN_CONNECTION 1
#define EVHTTP_PROXY_REQUEST 2
#define EVHTTP_USER_OWNED 4
#define EVHTTP_REQ_DEFER_FREE 8
#define EVHTTP_REQ_NEEDS_FREE 16

#ifdef __cplusplus
}
#endif

#endif
