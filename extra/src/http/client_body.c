/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bodies of requests that come in pieces. The program is asked for one when the transport has
 * little left to write, so memory does not grow with the body, however slow the server.
 */

#include "http/client.h"
#include "http/writer.h"

#include <event2/component/reactor.h>

#include <errno.h>

int evi_client_prepare_stream(struct evi_request *r, int has_body)
{
	const char *length = evhttp_find_header(&r->output_headers, "Content-Length");
	const char *coding = evhttp_find_header(&r->output_headers, "Transfer-Encoding");

	r->sends_chunks = length == NULL;
	r->owed = 0;
	r->streams = 1;
	r->is_asked = 0;
	if (!has_body || coding != NULL || (length == NULL && r->pub.minor == 0))
		return -1;
	return length == NULL || evi_length_parse(length, &r->owed) == 0 ? 0 : -1;
}

void evi_client_ask_for_body(struct evhttp_connection *c, struct evi_request *r)
{
	evi_request_enter(r);
	r->is_asked = 1;
	r->body_cb(&r->pub, r->body_arg);
	if (!evi_request_leave(r))
		return;
	/* The program has freed it. */
	if (c->current == r)
		evi_client_forget(c, r);
	else
		evi_request_destroy(r);
}

/* The connection on which pieces of this body may be given, or NULL. */
static struct evhttp_connection *taker(struct evi_request *r)
{
	struct evhttp_connection *c = r->pub.evcon;

	return c != NULL && c->client != NULL && c->current == r && r->streams && r->is_asked &&
			       !r->holds_body && !r->is_unwanted
		       ? c
		       : NULL;
}

int evhttp_request_write_body(struct evhttp_request *req, struct evbuffer *data)
{
	struct evi_request *r = evi_request_of(req);
	struct evhttp_connection *c = taker(r);
	size_t len = evbuffer_get_length(data);
	struct evbuffer *out;

	if (c == NULL || (!r->sends_chunks && len > r->owed))
		return -1;
	if (len == 0)
		return 0;
	out = bufferevent_get_output(c->bev);
	if (!r->sends_chunks) {
		if (evbuffer_add_buffer(out, data) != 0)
			return -1;
		r->owed -= len;
		return 0;
	}
	if (evi_write_chunk(out, data, &r->chunk_room) == 0)
		return 0;
	/*
	 * Half a chunk may be out: nothing right can follow. Reported by the loop, not from here.
	 */
	r->is_asked = 0;
	bufferevent_trigger_event(c->bev, BEV_EVENT_ERROR | BEV_EVENT_WRITING,
				  BEV_TRIG_DEFER_CALLBACKS);
	return -1;
}

int evhttp_request_end_body(struct evhttp_request *req)
{
	static const char last_chunk[] = "0\r\n\r\n";
	struct evi_request *r = evi_request_of(req);
	struct evhttp_connection *c = taker(r);
	struct evbuffer *out;

	if (c == NULL || r->owed > 0)
		return -1;
	out = bufferevent_get_output(c->bev);
	if (r->sends_chunks && evbuffer_add(out, last_chunk, sizeof(last_chunk) - 1) != 0)
		return -1;
	r->streams = 0;
	bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
	c->client->has_mark = 0;
	/* From here on it is a large body like any other. */
	c->client->is_sending = evbuffer_get_length(out) > 0;
	if (!c->client->is_sending)
		evi_client_apply_timeouts(c, 0);
	return 0;
}

void evhttp_request_set_body_cb(struct evhttp_request *req,
				void (*cb)(struct evhttp_request *, void *), void *arg)
{
	struct evi_request *r = evi_request_of(req);

	r->body_cb = cb;
	r->body_arg = arg;
}
