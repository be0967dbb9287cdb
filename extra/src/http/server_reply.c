/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies: the head with the fields that are added by themselves, and the body in one or many
 * pieces.
 */

#include "http/framing.h"
#include "http/queue.h"
#include "http/scan.h"
#include "http/server_step.h"
#include "http/status.h"
#include "http/writer.h"

#include <event2/component/reactor.h>

#include <errno.h>
#include <string.h>

/* Room for the status line without phrase, and for every automatic field without its value. */
#define HEAD_FIXED 256

/* What the application's own fields say. */
struct own_fields {
	size_t size;
	char has_length;
	char has_coding;
	char is_chunked;
	char has_date;
	char has_type;
	char closes;
};

static void note_field(struct own_fields *own, const struct evkeyval *pair)
{
	size_t len = strlen(pair->key);

	own->size += len + strlen(pair->value) + 4;
	if (len == 4 && evi_is_same_word(pair->key, "date", len))
		own->has_date = 1;
	else if (len == 10 && evi_is_same_word(pair->key, "connection", len))
		own->closes |= evi_value_has_option(pair->value, "close") != 0;
	else if (len == 12 && evi_is_same_word(pair->key, "content-type", len))
		own->has_type = 1;
	else if (len == 14 && evi_is_same_word(pair->key, "content-length", len))
		own->has_length = 1;
	else if (len == 17 && evi_is_same_word(pair->key, "transfer-encoding", len)) {
		own->has_coding = 1;
		own->is_chunked |= evi_value_has_option(pair->value, "chunked") != 0;
	}
}

static struct own_fields note_fields(const struct evi_request *r)
{
	struct own_fields own = { 0 };
	const struct evkeyval *pair;

	EVI_QUEUE_EACH(pair, &r->output_headers, next)
		note_field(&own, pair);
	return own;
}

/* HEAD, CONNECT, 1xx, 204, 304. A library's error page for CONNECT has a body: it ends there. */
static int has_no_body(const struct evi_request *r, int code)
{
	return evi_code_has_no_body(code) || r->pub.type == EVHTTP_REQ_HEAD ||
	       (r->pub.type == EVHTTP_REQ_CONNECT && !r->is_error);
}

/* Which automatic fields the reply gets. */
struct automatic {
	const char *date;
	const char *type;
	char keep_alive;
	char chunked;
	char length;
	char close;
};

/* A request for keep-alive is HTTP/1.0's way; 1.1 needs no word for it. */
static int asks_to_keep(const struct evi_request *r)
{
	return r->head.minor == 0 && (r->head.connection & EVI_CONNECTION_KEEP_ALIVE) != 0;
}

/* What is known of the body when the head is written. */
struct reply_body {
	uint64_t len;
	size_t copied;   /* so much of it is copied behind the head */
	int is_streamed; /* `len` is not known */
};

/* How the body is delimited, and with that whether the connection can go on. */
static void decide_framing(struct evi_request *r, const struct own_fields *own, int is_modern,
			   int is_streamed, struct automatic *added)
{
	if (r->sends_no_body)
		return;
	if (own->has_coding) {
		r->sends_chunks = is_streamed && own->is_chunked;
		return;
	}
	if (own->has_length)
		return;
	if (!is_streamed) {
		added->length = is_modern || asks_to_keep(r);
	} else if (is_modern) {
		added->chunked = 1;
		r->sends_chunks = 1;
	} else {
		r->closes = 1;
	}
}

static struct automatic decide(struct evi_request *r, const struct own_fields *own, int is_streamed)
{
	struct evhttp *http = r->pub.evcon->server;
	/* A request that was never parsed is answered like one of 1.1, and so is an error. */
	int is_modern = r->head.minor >= 1 || r->is_error;
	int must_close = (r->head.connection & EVI_CONNECTION_CLOSE) != 0 || http->is_stopping;
	struct automatic added = { 0 };

	if (own->closes && r->pub.type != EVHTTP_REQ_CONNECT)
		r->closes = 1;
	/* What was not read of the body cannot be told from the next request. */
	if (!is_streamed && evi_server_lacks_body(r->pub.evcon, r))
		must_close = 1;
	if (must_close && r->pub.type != EVHTTP_REQ_CONNECT)
		r->closes = 1;
	decide_framing(r, own, is_modern, is_streamed, &added);
	added.keep_alive = !r->closes && !r->is_error && asks_to_keep(r);
	if (is_modern && !own->has_date)
		added.date = evi_server_date(http);
	if (!r->sends_no_body && !own->has_type)
		added.type = http->content_type;
	added.close = r->is_error || must_close;
	return added;
}

static void write_automatic(struct evi_writer *w, const struct automatic *added, uint64_t len)
{
	if (added->keep_alive)
		EVI_WRITE(w, "Connection: keep-alive\r\n");
	if (added->date != NULL) {
		EVI_WRITE(w, "Date: ");
		evi_write(w, added->date, strlen(added->date));
		EVI_WRITE(w, "\r\n");
	}
	if (added->chunked)
		EVI_WRITE(w, "Transfer-Encoding: chunked\r\n");
	if (added->length) {
		EVI_WRITE(w, "Content-Length: ");
		evi_write_number(w, len);
		EVI_WRITE(w, "\r\n");
	}
	if (added->type != NULL) {
		EVI_WRITE(w, "Content-Type: ");
		evi_write_text(w, added->type);
		EVI_WRITE(w, "\r\n");
	}
	if (added->close)
		EVI_WRITE(w, "Connection: close\r\n");
}

/* The application's fields. A Connection of its own goes if ours is to be the only one. */
static void write_own(struct evi_writer *w, const struct evi_request *r,
		      const struct automatic *added)
{
	const struct evkeyval *pair;

	EVI_QUEUE_EACH(pair, &r->output_headers, next)
		if (!((added->close || added->keep_alive) &&
		      evi_text_casecmp(pair->key, "connection") == 0))
			evi_write_field(w, pair);
}

static void write_status(struct evi_writer *w, const struct evi_request *r, int code,
			 const char *reason)
{
	int is_old = r->has_line && r->head.minor == 0 && !r->is_error;
	const char digits[] = { (char)('0' + code / 100), (char)('0' + code / 10 % 10),
				(char)('0' + code % 10), ' ' };

	if (is_old)
		EVI_WRITE(w, "HTTP/1.0 ");
	else
		EVI_WRITE(w, "HTTP/1.1 ");
	evi_write(w, digits, sizeof(digits));
	evi_write_text(w, reason);
	EVI_WRITE(w, "\r\n");
}

/* Writes the head, with room for as many bytes of the body behind it as are to be copied. */
static int open_reply(struct evi_writer *w, struct evi_request *r, int code, const char *reason,
		      const struct reply_body *body)
{
	struct evbuffer *out = bufferevent_get_output(r->pub.evcon->bev);
	struct own_fields own = note_fields(r);
	struct automatic added;
	size_t max = HEAD_FIXED + own.size + body->copied;

	if (reason == NULL)
		reason = evi_status_phrase(code);
	code = code < 100 || code > 999 ? HTTP_INTERNAL : code;
	r->pub.response_code = code;
	r->sends_no_body = has_no_body(r, code);
	added = decide(r, &own, body->is_streamed);
	max += strlen(reason) + (added.type != NULL ? strlen(added.type) : 0);
	if (evi_writer_open(w, out, max) != 0)
		return -ENOMEM;

	write_status(w, r, code, reason);
	write_own(w, r, &added);
	write_automatic(w, &added, body->len);
	EVI_WRITE(w, "\r\n");
	return 0;
}

static int move_body(struct evbuffer *out, struct evbuffer *own, struct evbuffer *body)
{
	if (evbuffer_add_buffer(out, own) != 0 ||
	    (body != NULL && evbuffer_add_buffer(out, body) != 0))
		return -ENOMEM;
	return 0;
}

int evi_reply_write(struct evi_request *r, int code, const char *reason, struct evbuffer *body)
{
	struct evbuffer *own = r->pub.output_buffer;
	size_t own_len = evbuffer_get_length(own);
	size_t len = own_len + (body != NULL ? evbuffer_get_length(body) : 0);
	struct reply_body what = { .len = len, .copied = len <= EVI_COPIED_MAX ? len : 0 };
	struct evi_writer w;
	int err = open_reply(&w, r, code, reason, &what);

	if (err == 0 && !r->sends_no_body && what.copied > 0) {
		err = evi_write_buffer(&w, own, own_len);
		if (err == 0 && body != NULL)
			err = evi_write_buffer(&w, body, len - own_len);
	}
	if (err == 0)
		err = evi_writer_close(&w);
	if (err == 0 && !r->sends_no_body && what.copied < len)
		err = move_body(bufferevent_get_output(r->pub.evcon->bev), own, body);
	return err;
}

void evi_reply_write_continue(struct evhttp_connection *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	(void)evbuffer_add(bufferevent_get_output(c->bev), text, sizeof(text) - 1);
}

/* --- Pieces ----------------------------------------------------------------------------------- */

static int write_piece(struct evi_request *r, struct evbuffer *piece)
{
	struct evbuffer *out = bufferevent_get_output(r->pub.evcon->bev);

	if (!r->sends_chunks)
		return evbuffer_add_buffer(out, piece);
	return evi_write_chunk(out, piece, &r->chunk_room);
}

/* Out of memory in the middle of a reply: nothing right can follow on this connection. */
static void give_up(struct evi_request *r)
{
	evhttp_connection_free(r->pub.evcon);
}

/* The same when the program does not come back to the request. */
static void give_up_all(struct evi_request *r)
{
	r->reply = EVI_REPLY_ENDED;
	give_up(r);
}

static int add_drained(struct evi_request *r, void (*cb)(struct evhttp_connection *, void *),
		       void *arg)
{
	struct evi_drained *drained;

	if (cb == NULL)
		return 0;
	drained = evi_malloc(sizeof(*drained));
	if (drained == NULL)
		return -ENOMEM;
	*drained = (struct evi_drained){ .cb = cb, .arg = arg };
	*r->drained_end = drained;
	r->drained_end = &drained->next;
	return 0;
}

/* A request that an application may answer now; NULL if that would be out of turn. */
static struct evi_request *answerable(struct evhttp_request *req, enum evi_reply reply)
{
	struct evi_request *r = evi_request_of(req);
	const struct evhttp_connection *c = req->evcon;

	if (c == NULL || c->server == NULL || c->current != r || r->reply != reply ||
	    !evi_server_is_answerable(c, r))
		return NULL;
	return r;
}

/* --- Public ----------------------------------------------------------------------------------- */

void evhttp_send_reply(struct evhttp_request *req, int code, const char *reason,
		       struct evbuffer *databuf)
{
	struct evi_request *r = answerable(req, EVI_REPLY_NONE);

	if (r == NULL) {
		if (req->evcon == NULL)
			evhttp_request_free(req);
		return;
	}
	if (evi_reply_write(r, code, reason, databuf) != 0) {
		give_up_all(r);
		return;
	}
	if (r->sends_no_body && databuf != NULL)
		evbuffer_drain(databuf, evbuffer_get_length(databuf));
	evi_server_reply_ended(req->evcon);
}

void evhttp_send_reply_start(struct evhttp_request *req, int code, const char *reason)
{
	static const struct reply_body unknown = { .is_streamed = 1 };
	struct evi_request *r = answerable(req, EVI_REPLY_NONE);
	struct evi_writer w;

	if (r == NULL)
		return;
	if (open_reply(&w, r, code, reason, &unknown) != 0 || evi_writer_close(&w) != 0) {
		give_up(r);
		return;
	}
	r->reply = EVI_REPLY_STARTED;
	req->chunked = r->sends_chunks;
	if (evbuffer_get_length(req->output_buffer) > 0)
		evhttp_send_reply_chunk(req, req->output_buffer);
}

void evhttp_send_reply_chunk_with_cb(struct evhttp_request *req, struct evbuffer *databuf,
				     void (*cb)(struct evhttp_connection *, void *), void *arg)
{
	struct evi_request *r = answerable(req, EVI_REPLY_STARTED);
	int is_kept_back;

	if (r == NULL || evbuffer_get_length(databuf) == 0)
		return;
	is_kept_back = r->sends_no_body;
	if (add_drained(r, cb, arg) != 0 || (!is_kept_back && write_piece(r, databuf) != 0)) {
		give_up(r);
		return;
	}
	/* A reply without body makes no progress of its own; its producer still wants to go on. */
	if (is_kept_back && cb != NULL)
		bufferevent_trigger(req->evcon->bev, EV_WRITE,
				    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

void evhttp_send_reply_chunk(struct evhttp_request *req, struct evbuffer *databuf)
{
	evhttp_send_reply_chunk_with_cb(req, databuf, NULL, NULL);
}

void evhttp_send_reply_end(struct evhttp_request *req)
{
	struct evi_request *r = answerable(req, EVI_REPLY_STARTED);

	if (r == NULL) {
		if (req->evcon == NULL)
			evhttp_request_free(req);
		return;
	}
	if (r->sends_chunks &&
	    evbuffer_add(bufferevent_get_output(req->evcon->bev), "0\r\n\r\n", 5) != 0) {
		give_up_all(r);
		return;
	}
	evi_server_reply_ended(req->evcon);
}

void evhttp_send_error(struct evhttp_request *req, int error, const char *reason)
{
	struct evi_request *r = answerable(req, EVI_REPLY_NONE);

	if (r != NULL)
		evi_error_page_send(r, error, reason, 0);
	else if (req->evcon == NULL)
		evhttp_request_free(req);
}
