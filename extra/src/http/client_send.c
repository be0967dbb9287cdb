/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests on their way out: queueing, and what goes over the wire.
 */

#include "http/client.h"
#include "http/headers.h"
#include "http/method.h"
#include "http/queue.h"
#include "http/scan.h"
#include "http/writer.h"

#include <event2/component/reactor.h>

#include <errno.h>
#include <string.h>

#define HEAD_FIXED 128

/* How long a server may think before a body that waits for 100 (Continue) is sent anyway. */
static const struct timeval continue_patience = { 1, 0 };

/* A body this small goes out at once; the answer is awaited from the start. */
#define SMALL_BODY 65536

void evi_client_unqueue(struct evhttp_connection *c, struct evi_request *r)
{
	EVI_QUEUE_REMOVE(&c->client->queue, &r->pub, next);
	r->is_queued = 0;
}

/* --- The head --------------------------------------------------------------------------------- */

/* What the Host field says if the application does not. */
struct host {
	const char *text;
	char numeric[INET6_ADDRSTRLEN];
	ev_uint16_t port; /* 0: none is written */
	int is_bracketed;
};

/* A transport that was handed over connected: the peer's address. */
static void take_peer(const struct evi_address *peer, struct host *host)
{
	host->is_bracketed = peer->socket.any.sa_family == AF_INET6;
	host->port = ntohs(host->is_bracketed ? peer->socket.v6.sin6_port
					      : peer->socket.v4.sin_port);
	if (host->port == 80)
		host->port = 0;
	if (evutil_inet_ntop(peer->socket.any.sa_family,
			     host->is_bracketed ? (const void *)&peer->socket.v6.sin6_addr
						: (const void *)&peer->socket.v4.sin_addr,
			     host->numeric, sizeof(host->numeric)) != NULL)
		host->text = host->numeric;
}

static void choose_host(const struct evhttp_connection *c, const struct evi_request *r,
			struct host *host)
{
	const struct evi_client *client = c->client;

	*host = (struct host){ .text = "localhost" };
	if (r->pub.type == EVHTTP_REQ_CONNECT) {
		host->text = r->pub.uri;
	} else if (client->address != NULL) {
		host->text = client->address;
		host->port = client->port != (client->is_secure ? 443 : 80) ? client->port : 0;
		host->is_bracketed = strchr(client->address, ':') != NULL;
	} else if (client->path == NULL && c->address.is_known) {
		take_peer(&c->address, host);
	}
}

static void write_host(struct evi_writer *w, const struct host *host)
{
	EVI_WRITE(w, "Host: ");
	if (host->is_bracketed)
		EVI_WRITE(w, "[");
	evi_write_text(w, host->text);
	if (host->is_bracketed)
		EVI_WRITE(w, "]");
	if (host->port != 0) {
		EVI_WRITE(w, ":");
		evi_write_number(w, host->port);
	}
	EVI_WRITE(w, "\r\n");
}

/* The strings of the request line, measured once. */
struct start_line {
	const char *method;
	size_t method_len;
	const char *uri;
	size_t uri_len;
};

static void write_line(struct evi_writer *w, const struct evi_request *r,
		       const struct start_line *line)
{
	evi_write(w, line->method, line->method_len);
	EVI_WRITE(w, " ");
	evi_write_text_of(w, line->uri, line->uri_len);
	EVI_WRITE(w, " HTTP/");
	evi_write_number(w, (uint64_t)r->pub.major);
	EVI_WRITE(w, ".");
	evi_write_number(w, (uint64_t)r->pub.minor);
	EVI_WRITE(w, "\r\n");
}

/* POST and PUT always say how long they are; others if there is something. */
static int wants_length(struct evi_request *r, const struct evi_method *method)
{
	int always = r->pub.type == EVHTTP_REQ_POST || r->pub.type == EVHTTP_REQ_PUT;

	if (!always && (!method->has_body || evbuffer_get_length(r->pub.output_buffer) == 0))
		return 0;
	return evhttp_find_header(&r->output_headers, "Content-Length") == NULL &&
	       evhttp_find_header(&r->output_headers, "Transfer-Encoding") == NULL;
}

static int write_head(struct evhttp_connection *c, struct evi_request *r,
		      const struct evi_method *method)
{
	int adds_host = r->pub.minor > 0 && evi_headers_find(&r->output_headers, "Host") == NULL;
	const struct start_line line = { method->name, strlen(method->name), r->pub.uri,
					 strlen(r->pub.uri) };
	struct host host;
	const struct evkeyval *pair;
	struct evi_writer w;
	size_t max = HEAD_FIXED + line.method_len + line.uri_len +
		     evi_fields_size(&r->output_headers);

	if (adds_host) {
		choose_host(c, r, &host);
		max += strlen(host.text);
	}
	if (evi_writer_open(&w, bufferevent_get_output(c->bev), max) != 0)
		return -ENOMEM;
	write_line(&w, r, &line);
	if (adds_host)
		write_host(&w, &host);
	EVI_QUEUE_EACH(pair, &r->output_headers, next)
		evi_write_field(&w, pair);
	if (r->streams && r->sends_chunks) {
		EVI_WRITE(&w, "Transfer-Encoding: chunked\r\n");
	} else if (!r->streams && wants_length(r, method)) {
		EVI_WRITE(&w, "Content-Length: ");
		evi_write_number(&w, evbuffer_get_length(r->pub.output_buffer));
		EVI_WRITE(&w, "\r\n");
	}
	EVI_WRITE(&w, "\r\n");
	return evi_writer_close(&w);
}

/* --- The body --------------------------------------------------------------------------------- */

/* A body in pieces keeps the transport busy: it is asked for before the last piece is out. */
static void mark_output(struct evhttp_connection *c, const struct evi_request *r)
{
	if (c->client->has_mark == r->streams)
		return;
	c->client->has_mark = r->streams;
	bufferevent_setwatermark(c->bev, EV_WRITE, r->streams ? EVI_BODY_LOW_MARK : 0, 0);
}

int evi_client_send_body(struct evhttp_connection *c, struct evi_request *r)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t len = evbuffer_get_length(r->pub.output_buffer);

	evi_client_stop_timer(c);
	if (r->streams) {
		int is_awaited = r->holds_body;

		r->holds_body = 0;
		evi_client_apply_timeouts(c, 1);
		/* Otherwise the first piece is asked for when the head is out. */
		if (is_awaited)
			evi_client_ask_for_body(c, r);
		return 0;
	}
	r->holds_body = 0;
	if (len > 0 && evbuffer_add_buffer(out, r->pub.output_buffer) != 0)
		return -ENOMEM;
	c->client->is_sending = len > SMALL_BODY;
	evi_client_apply_timeouts(c, len > SMALL_BODY);
	return 0;
}

static int waits_for_continue(struct evi_request *r)
{
	const char *expect;

	if (r->pub.minor == 0 ||
	    (!r->streams && evbuffer_get_length(r->pub.output_buffer) == 0))
		return 0;
	expect = evhttp_find_header(&r->output_headers, "Expect");
	return expect != NULL && evi_text_casecmp(expect, "100-continue") == 0;
}

static int send_request(struct evhttp_connection *c, struct evi_request *r)
{
	struct evi_method method;

	if (evi_method_of_type((ev_uint32_t)r->pub.type, c->ext_method, &method) != 0)
		return -EINVAL;
	/*
	 * What has no body gets none: its length could not be told. A body in pieces comes by
	 * calls.
	 */
	if (!method.has_body || r->streams)
		evbuffer_drain(r->pub.output_buffer, evbuffer_get_length(r->pub.output_buffer));
	if (write_head(c, r, &method) != 0)
		return -ENOMEM;
	if (!waits_for_continue(r))
		return evi_client_send_body(c, r);
	r->holds_body = 1;
	evi_client_apply_timeouts(c, 0);
	evi_client_start_timer(c, &continue_patience);
	return 0;
}

/*
 * Enabling starts the timeout for reading. Where writing is enabled already it goes by itself, and
 * to be told that it may begin would only cost.
 */
static int start_transport(struct evhttp_connection *c)
{
	short missing = (short)(EV_WRITE & ~bufferevent_get_enabled(c->bev));

	return bufferevent_enable(c->bev, EV_READ | missing);
}

void evi_client_send(struct evhttp_connection *c)
{
	struct evi_request *r = evi_request_of(c->client->queue.tqh_first);

	evi_client_unqueue(c, r);
	c->current = r;
	c->state = EVI_CLIENT_HEAD;
	r->interims = 0;
	evi_request_start_head(r, EVI_HEAD_RESPONSE, c->headers_max);
	mark_output(c, r);
	bufferevent_setcb(c->bev, evi_client_on_read, evi_client_on_write, evi_client_on_event, c);
	if (send_request(c, r) != 0 || start_transport(c) != 0)
		evi_client_fail(c, EVREQ_HTTP_BUFFER_ERROR);
}

/* --- The queue -------------------------------------------------------------------------------- */

static void end_if_done(struct evhttp_connection *c)
{
	if (c->client->is_autofree && c->state == EVI_CLIENT_DOWN && c->current == NULL &&
	    c->client->queue.tqh_first == NULL)
		evhttp_connection_free(c);
}

static void connect_or_report(struct evhttp_connection *c)
{
	int err = evi_client_connect(c);
	const struct evhttp_failure failure = {
		.stage = EVHTTP_STAGE_CONNECT,
		.reason = EVREQ_HTTP_EOF,
		.socket_error = -err,
		.text = evutil_socket_error_to_string(-err),
	};

	if (err != 0)
		evi_client_report_unreachable(c, &failure);
}

void evi_client_pump(struct evhttp_connection *c)
{
	struct evi_client *client = c->client;

	if (c->is_freed || client->is_pumping)
		return;
	client->is_pumping = 1;
	while (!c->is_freed && c->current == NULL && client->queue.tqh_first != NULL &&
	       (c->state == EVI_CLIENT_IDLE || c->state == EVI_CLIENT_DOWN)) {
		if (c->state == EVI_CLIENT_IDLE)
			evi_client_send(c);
		else
			connect_or_report(c);
	}
	client->is_pumping = 0;
	if (!c->is_freed)
		end_if_done(c);
}

/* Printable, and nothing that could end the line. */
static int is_good_uri(const char *uri, size_t len)
{
	return len > 0 && evi_scan_text(uri, len) == len && memchr(uri, '\t', len) == NULL;
}

/* Fills in what the call says. 0, or -1. */
static int prepare(struct evhttp_connection *c, struct evi_request *r, enum evhttp_cmd_type type,
		   const char *uri)
{
	struct evi_method method;
	size_t len = strlen(uri);

	if (c->client == NULL || c->is_freed || c->bev == NULL || !is_good_uri(uri, len) ||
	    evi_method_of_type((ev_uint32_t)type, c->ext_method, &method) != 0 ||
	    evi_request_set_uri(r, uri, len) != 0)
		return -1;
	r->pub.kind = EVHTTP_REQUEST;
	r->pub.type = type;
	r->pub.response_code = 0;
	if (r->pub.major == 0 && r->pub.minor == 0) {
		r->pub.major = 1;
		r->pub.minor = 1;
	}
	return r->body_cb != NULL ? evi_client_prepare_stream(r, method.has_body) : 0;
}

int evhttp_make_request(struct evhttp_connection *c, struct evhttp_request *req,
			enum evhttp_cmd_type type, const char *uri)
{
	struct evi_request *r = evi_request_of(req);
	struct evi_client *client = c->client;
	int err = 0;

	if (prepare(c, r, type, uri) != 0) {
		evhttp_request_free(req);
		return -1;
	}
	if (evi_client_start_deadline(c, r) != 0) {
		evhttp_request_free(req);
		return -1;
	}
	req->evcon = c;
	r->is_queued = 1;
	EVI_QUEUE_APPEND(&client->queue, req, next);

	evi_connection_enter(c);
	/* Only the caller of the first attempt can be told that the source address will not do. */
	if (c->state == EVI_CLIENT_DOWN && client->queue.tqh_first == req && !client->is_pumping) {
		client->is_pumping = 1;
		err = evi_client_connect(c);
		client->is_pumping = 0;
	}
	if (err != 0) {
		evi_client_unqueue(c, r);
		req->evcon = NULL;
		evhttp_request_free(req);
	} else {
		evi_client_pump(c);
	}
	evi_connection_leave(c);
	return err == 0 ? 0 : -1;
}
