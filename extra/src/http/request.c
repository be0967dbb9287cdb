/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Making and freeing requests, and reading what they hold.
 */

#include "http/request.h"

#include "http/connection.h"
#include "http/queue.h"
#include "http/request_pool.h"

#include <event2/component/buffer.h>
#include <event2/component/reactor.h>

#include <errno.h>
#include <string.h>

#define FIELDS_MAX 1000

#define URI_IN_BLOCK_MAX 64 /* with NUL; a usual response still finds room before it */

static void init(struct evi_request *r, struct evbuffer *input, struct evbuffer *output,
		 size_t block_len)
{
	memset(r, 0, sizeof(*r));
	r->block_len = block_len;
	r->pub.input_buffer = input;
	r->pub.output_buffer = output;
	r->pub.input_headers = &r->input_headers;
	r->pub.output_headers = &r->output_headers;
	EVI_QUEUE_INIT(&r->input_headers);
	EVI_QUEUE_INIT(&r->output_headers);
	evi_arena_init(&r->arena, r->block, block_len);
	r->drained_end = &r->drained;
}

struct evi_request *evi_request_make(size_t block_len)
{
	struct evi_request *r = evi_malloc(sizeof(*r) + block_len);
	struct evbuffer *input, *output;

	if (r == NULL)
		return NULL;
	input = evbuffer_new();
	output = evbuffer_new();
	if (input == NULL || output == NULL) {
		if (input != NULL)
			evbuffer_free(input);
		if (output != NULL)
			evbuffer_free(output);
		evi_free(r);
		return NULL;
	}
	init(r, input, output, block_len);
	return r;
}

void evi_request_drop_drained(struct evi_request *r)
{
	while (r->drained != NULL) {
		struct evi_drained *drained = r->drained;

		r->drained = drained->next;
		evi_free(drained);
	}
	r->drained_end = &r->drained;
}

void evi_request_stop_deadline(struct evi_request *r)
{
	if (r->deadline != NULL)
		event_free(r->deadline);
	r->deadline = NULL;
}

/* What a request holds besides its two buffers. */
static void let_go(struct evi_request *r)
{
	if (r->input_headers.tqh_first != NULL)
		evhttp_clear_headers(&r->input_headers);
	if (r->output_headers.tqh_first != NULL)
		evhttp_clear_headers(&r->output_headers);
	if (r->pub.uri_elems != NULL)
		evhttp_uri_free(r->pub.uri_elems);
	if (r->taken_cb != NULL)
		(void)evbuffer_remove_cb_entry(r->pub.input_buffer, r->taken_cb);
	if (!r->has_uri_in_block && r->own_uri != NULL)
		evi_free(r->own_uri);
	evi_request_stop_deadline(r);
	evi_request_drop_drained(r);
	evi_arena_done(&r->arena);
}

void evi_request_free(struct evi_request *r)
{
	evbuffer_free(r->pub.input_buffer);
	evbuffer_free(r->pub.output_buffer);
	evi_free(r);
}

/* Whatever the program has done to a buffer, the next request must not find it. */
static int renew(struct evbuffer **buf)
{
	struct evbuffer *fresh;

	if (evi_evbuffer_renew(*buf) == 0)
		return 0;
	fresh = evbuffer_new();
	if (fresh == NULL)
		return -ENOMEM;
	evbuffer_free(*buf);
	*buf = fresh;
	return 0;
}

int evi_request_reset(struct evi_request *r)
{
	let_go(r);
	if (renew(&r->pub.input_buffer) != 0 || renew(&r->pub.output_buffer) != 0) {
		evi_request_free(r);
		return -ENOMEM;
	}
	init(r, r->pub.input_buffer, r->pub.output_buffer, r->block_len);
	return 0;
}

void evi_request_destroy(struct evi_request *r)
{
	if (r->block_len == EVI_CLIENT_BLOCK && evi_request_pool_has_room()) {
		if (evi_request_reset(r) != 0 || evi_request_pool_give(r))
			return;
	} else {
		let_go(r);
	}
	evi_request_free(r);
}

void evi_request_release(struct evi_request *r)
{
	r->pub.evcon = NULL;
	r->streams = 0;
	r->is_paused = 0;
	evi_request_stop_deadline(r);
	if (r->busy > 0) {
		if ((r->pub.flags & EVHTTP_USER_OWNED) == 0)
			r->is_unwanted = 1;
	} else if (r->is_unwanted || (r->pub.flags & EVHTTP_USER_OWNED) == 0) {
		evi_request_destroy(r);
	}
}

void evi_request_enter(struct evi_request *r)
{
	r->busy++;
	r->pub.flags |= EVHTTP_REQ_DEFER_FREE;
}

int evi_request_leave(struct evi_request *r)
{
	if (--r->busy > 0)
		return 0;
	r->pub.flags &= ~EVHTTP_REQ_DEFER_FREE;
	return r->is_unwanted;
}

/* What the arena may use of the block. */
static size_t arena_len(const struct evi_request *r)
{
	return r->has_uri_in_block ? (size_t)(r->own_uri - (const char *)r->block) : r->block_len;
}

/*
 * Most find room at the end of the block; not if the request was used before, for the strings of
 * the last response may be there, until the next one comes.
 */
int evi_request_set_uri(struct evi_request *r, const char *uri, size_t len)
{
	char *old = r->has_uri_in_block ? NULL : r->own_uri;
	int is_first = r->own_uri == NULL && r->pub.uri == NULL;

	r->has_uri_in_block = is_first && len < URI_IN_BLOCK_MAX;
	r->own_uri = r->has_uri_in_block ? (char *)r->block + r->block_len - len - 1
					 : evi_malloc(len + 1);
	if (r->own_uri != NULL) {
		memcpy(r->own_uri, uri, len);
		r->own_uri[len] = '\0';
	}
	if (old != NULL)
		evi_free(old);
	r->pub.uri = r->own_uri;
	return r->own_uri != NULL ? 0 : -ENOMEM;
}

void evi_request_start_head(struct evi_request *r, enum evi_head_kind kind, size_t size_max)
{
	if (r->input_headers.tqh_first != NULL)
		evhttp_clear_headers(&r->input_headers);
	evi_arena_done(&r->arena);
	evi_arena_init(&r->arena, r->block, arena_len(r));
	evi_head_init(&r->head, kind, &r->arena, &r->input_headers, size_max, FIELDS_MAX);
}

/* --- Public ----------------------------------------------------------------------------------- */

struct evhttp_request *evhttp_request_new(void (*cb)(struct evhttp_request *, void *), void *arg)
{
	struct evi_request *r = evi_request_pool_take();

	if (r == NULL)
		r = evi_request_make(EVI_CLIENT_BLOCK);
	if (r == NULL)
		return NULL;
	r->pub.kind = EVHTTP_RESPONSE;
	r->pub.cb = cb;
	r->pub.cb_arg = arg;
	return &r->pub;
}

void evhttp_request_free(struct evhttp_request *req)
{
	struct evi_request *r = evi_request_of(req);

	if (req == NULL)
		return;
	req->flags &= ~EVHTTP_USER_OWNED;
	if (r->busy > 0) {
		r->is_unwanted = 1;
		req->flags |= EVHTTP_REQ_NEEDS_FREE;
		return;
	}
	if (req->evcon != NULL)
		evi_connection_forget(req->evcon, r);
	else
		evi_request_destroy(r);
}

void evhttp_request_own(struct evhttp_request *req)
{
	req->flags |= EVHTTP_USER_OWNED;
}

int evhttp_request_is_owned(struct evhttp_request *req)
{
	return (req->flags & EVHTTP_USER_OWNED) != 0;
}

struct evhttp_connection *evhttp_request_get_connection(struct evhttp_request *req)
{
	return req->evcon;
}

const char *evhttp_request_get_uri(const struct evhttp_request *req)
{
	return req->uri;
}

enum evhttp_cmd_type evhttp_request_get_command(const struct evhttp_request *req)
{
	return req->type;
}

int evhttp_request_get_response_code(const struct evhttp_request *req)
{
	return req->response_code;
}

const char *evhttp_request_get_response_code_line(const struct evhttp_request *req)
{
	return req->response_code_line;
}

struct evkeyvalq *evhttp_request_get_input_headers(struct evhttp_request *req)
{
	return req->input_headers;
}

struct evkeyvalq *evhttp_request_get_output_headers(struct evhttp_request *req)
{
	return req->output_headers;
}

struct evbuffer *evhttp_request_get_input_buffer(struct evhttp_request *req)
{
	return req->input_buffer;
}

struct evbuffer *evhttp_request_get_output_buffer(struct evhttp_request *req)
{
	return req->output_buffer;
}

void evhttp_request_set_chunked_cb(struct evhttp_request *req,
				   void (*cb)(struct evhttp_request *, void *))
{
	req->chunk_cb = cb;
}

void evhttp_request_set_header_cb(struct evhttp_request *req,
				  int (*cb)(struct evhttp_request *, void *))
{
	req->header_cb = cb;
}

void evhttp_request_set_error_cb(struct evhttp_request *req,
				 void (*cb)(enum evhttp_request_error, void *))
{
	req->error_cb = cb;
}

void evhttp_request_set_on_complete_cb(struct evhttp_request *req,
				       void (*cb)(struct evhttp_request *, void *), void *cb_arg)
{
	req->on_complete_cb = cb;
	req->on_complete_cb_arg = cb_arg;
}

void evhttp_request_set_failure_cb(struct evhttp_request *req,
				   void (*cb)(struct evhttp_request *,
					      const struct evhttp_failure *, void *),
				   void *arg)
{
	struct evi_request *r = evi_request_of(req);

	r->failure_cb = cb;
	r->failure_arg = arg;
}
