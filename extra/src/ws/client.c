/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions of a client: RFC 6455 section 4.1. */

#include "ws/session.h"

#include "ws/handshake.h"
#include "ws/sha1.h"

#include <event2/buffer.h>
#include <event2/util.h>

#include <stdlib.h>
#include <string.h>

/* A reply head larger than this is none. */
#define HEAD_MAX (64u << 10)

static const struct timeval handshake_limit = { 30, 0 };

/* Line breaks would end the head early. */
static int is_one_line(const char *text)
{
	return text == NULL || text[strcspn(text, "\r\n")] == '\0';
}

static void make_key(char *key)
{
	uint8_t bytes[16];

	evutil_secure_rng_get_bytes(bytes, sizeof(bytes));
	evi_base64_encode(bytes, sizeof(bytes), key);
}

static int add_request(struct evws_connection *ws, const char *host, const char *target,
		       const struct evkeyvalq *headers)
{
	struct evbuffer *out = bufferevent_get_output(ws->bev);

	(void)evbuffer_add_printf(out, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
				       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
				       "Sec-WebSocket-Key: %s\r\n", target, host, ws->key);
	if (ws->protocols != NULL)
		(void)evbuffer_add_printf(out, "Sec-WebSocket-Protocol: %s\r\n", ws->protocols);
	if (ws->options & EVWS_OPT_DEFLATE)
		(void)evbuffer_add_printf(out, "%s", evi_ws_deflate_offer());
	for (const struct evkeyval *h = headers != NULL ? headers->tqh_first : NULL; h != NULL;
	     h = h->next.tqe_next) {
		if (is_one_line(h->key) && is_one_line(h->value))
			(void)evbuffer_add_printf(out, "%s: %s\r\n", h->key, h->value);
	}
	return evbuffer_add(out, "\r\n", 2);
}

/* Tells the program how it went, once; the session ends unless it went well. */
void evi_ws_client_tell(struct evws_connection *ws, int status)
{
	evws_open_cb fn = ws->on_open;

	ws->on_open = NULL;
	(void)event_del(&ws->close_timer);
	if (fn != NULL)
		fn(ws, status, ws->arg);
	if (status != 101)
		evi_ws_end(ws);
}

/* --- The reply ----------------------------------------------------------------------------------------- */

/* "HTTP/1.1 101 ..." */
static int parse_status(const char *line)
{
	if (strncmp(line, "HTTP/1.", 7) != 0 || line[7] < '1' || line[7] > '9' || line[8] != ' ')
		return 0;
	return atoi(line + 9);
}

static int parse_field(struct evkeyvalq *headers, char *line)
{
	char *colon = strchr(line, ':'), *value;

	if (colon == NULL)
		return -1;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	for (size_t len = strlen(value); len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t');)
		value[--len] = '\0';
	return evhttp_add_header(headers, line, value);
}

/* An item that was not offered must not be chosen. */
static int is_offered(const char *offered, const char *chosen)
{
	size_t len = strlen(chosen);

	for (const char *p = offered; p != NULL && *p != '\0';) {
		size_t item = strcspn(p, ", \t");

		if (item == len && memcmp(p, chosen, len) == 0)
			return 1;
		p += item + strspn(p + item, ", \t");
	}
	return 0;
}

static int take_extension(struct evws_connection *ws, const struct evkeyvalq *headers)
{
	const char *extension = evhttp_find_header(headers, "Sec-WebSocket-Extensions");

	if (extension == NULL)
		return 1;
	if (!(ws->options & EVWS_OPT_DEFLATE))
		return 0;
	ws->deflate = evi_ws_deflate_take(extension);
	return ws->deflate != NULL;
}

static int is_acceptable(struct evws_connection *ws, const struct evkeyvalq *headers)
{
	const char *accept = evhttp_find_header(headers, "Sec-WebSocket-Accept");
	const char *protocol = evhttp_find_header(headers, "Sec-WebSocket-Protocol");
	char expected[EVI_WS_ACCEPT_SIZE];

	evi_ws_accept_of(ws->key, expected);
	return evi_ws_has_token(headers, "Upgrade", "websocket") &&
	       evi_ws_has_token(headers, "Connection", "upgrade") && accept != NULL &&
	       strcmp(accept, expected) == 0 && (protocol == NULL || is_offered(ws->protocols, protocol)) &&
	       take_extension(ws, headers);
}

/* The status of the reply, 0 if it is none. */
static int read_head(struct evws_connection *ws, struct evbuffer *in)
{
	struct evkeyvalq headers = { NULL, &headers.tqh_first };
	char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);
	int status = line != NULL ? parse_status(line) : 0;

	while (line != NULL && status != 0) {
		evi_free(line);
		line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);
		if (line == NULL || *line == '\0')
			break;
		if (parse_field(&headers, line) < 0)
			status = 0;
	}
	evi_free(line);
	if (status == 101 && !is_acceptable(ws, &headers))
		status = 0;
	evhttp_clear_headers(&headers);
	return status;
}

static void receive_reply(struct evws_connection *ws)
{
	struct evbuffer *in = bufferevent_get_input(ws->bev);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	int status;

	if (end.pos < 0) {
		if (evbuffer_get_length(in) > HEAD_MAX)
			evi_ws_client_tell(ws, 0);
		return;
	}
	status = read_head(ws, in);
	if (status == 101)
		evi_ws_open(ws);
	evi_ws_client_tell(ws, status);
}

/* --- Callbacks while connecting ---------------------------------------------------------------------------- */

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evws_connection *ws = arg;

	(void)bev;
	evi_ws_enter(ws);
	receive_reply(ws);
	evi_ws_leave(ws);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct evws_connection *ws = arg;

	(void)bev;
	if (what & BEV_EVENT_CONNECTED)
		return;
	evi_ws_enter(ws);
	evi_ws_client_tell(ws, 0);
	evi_ws_leave(ws);
}

struct evws_connection *evws_client_new(struct event_base *base, struct bufferevent *bev, const char *host,
					const char *target, const char *protocols,
					const struct evkeyvalq *headers, evws_open_cb opened, ws_on_msg_cb cb,
					void *arg, int options)
{
	struct evws_connection *ws;

	if (bev == NULL || host == NULL || target == NULL || !is_one_line(host) || !is_one_line(target) ||
	    !is_one_line(protocols) || *target == '\0' || strchr(target, ' ') != NULL)
		return NULL;
	ws = evi_ws_new(base, bev, 0, cb, arg, options, 1);
	if (ws == NULL)
		return NULL;
	ws->on_open = opened;
	ws->protocols = protocols != NULL ? evi_strdup(protocols) : NULL;
	make_key(ws->key);
	if ((protocols != NULL && ws->protocols == NULL) || add_request(ws, host, target, headers) < 0 ||
	    event_add(&ws->close_timer, &handshake_limit) < 0) {
		evi_ws_leave(ws);
		return NULL;
	}
	bufferevent_setcb(bev, on_read, NULL, on_event, ws);
	(void)bufferevent_enable(bev, EV_READ | EV_WRITE);
	return ws;
}
