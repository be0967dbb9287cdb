/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Error replies: the program's page or the standard one, always the last of their connection.
 */

#include "http/server.h"
#include "http/status.h"

#include <event2/component/reactor.h>

#include <string.h>

static const struct {
	const char *before_title;
	const char *before_heading;
	const char *before_reason;
	const char *end;
} page = {
	"<html><head><title>",
	"</title></head><body><h1>",
	"</h1>",
	"</body></html>",
};

static int write_page(struct evbuffer *buf, int code, const char *reason)
{
	const char *phrase = evi_status_phrase(code);

	return evbuffer_add_printf(buf, "%s%d %s%s%d %s%s%s%s", page.before_title, code, phrase,
				   page.before_heading, code, phrase, page.before_reason,
				   reason != NULL ? reason : "", page.end) < 0
		       ? -1
		       : 0;
}

/* What the standard 404 says; the caller frees it. NULL when out of memory. */
static char *describe_missing(const struct evhttp_request *req)
{
	static const char format[] = "<p>The requested URL %s was not found on this server.</p>";
	char *target = evhttp_htmlescape(req->uri);
	size_t len;
	char *text;

	if (target == NULL)
		return NULL;
	len = sizeof(format) + strlen(target);
	text = evi_malloc(len);
	if (text != NULL)
		(void)evutil_snprintf(text, len, format, target);
	evi_free(target);
	return text;
}

/* Nonzero if the program has made the page. */
static int ask_program(struct evi_request *r, struct evbuffer *buf, int code, const char *reason)
{
	struct evhttp *http = r->pub.evcon->server;

	return http->errorcb != NULL &&
	       http->errorcb(&r->pub, buf, code, reason, http->errorcb_arg) >= 0;
}

static void send_page(struct evi_request *r, int code, const char *line, const char *reason)
{
	struct evhttp_connection *c = r->pub.evcon;
	struct evbuffer *buf = r->pub.output_buffer;
	int is_own_page;

	evbuffer_drain(buf, evbuffer_get_length(buf));
	evi_request_enter(r);
	is_own_page = ask_program(r, buf, code, reason);
	if (evi_request_leave(r) || c->is_freed) {
		if (c->is_freed)
			evi_request_release(r);
		else
			evhttp_connection_free(c);
		return;
	}
	evhttp_clear_headers(&r->output_headers);
	if (!is_own_page)
		evbuffer_drain(buf, evbuffer_get_length(buf));
	if ((!is_own_page && write_page(buf, code, reason) != 0) ||
	    evhttp_add_header(&r->output_headers, "Content-Type", "text/html") != 0 ||
	    evi_reply_write(r, code, line, NULL) != 0) {
		r->reply = EVI_REPLY_ENDED; /* nobody goes on with it */
		evhttp_connection_free(c);
		return;
	}
	evi_server_reply_ended(c);
}

void evi_error_page_send(struct evi_request *r, int code, const char *reason, int is_not_found)
{
	char *text = is_not_found ? describe_missing(&r->pub) : NULL;

	r->is_error = 1;
	r->closes = 1;
	send_page(r, code, is_not_found ? NULL : reason, is_not_found ? text : reason);
	evi_free(text);
}
