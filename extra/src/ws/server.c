/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions of a server: a request becomes one. */

#include "ws/session.h"

#include "ws/handshake.h"

#include <event2/http_struct.h>

#include <string.h>

static void refuse(struct evhttp_request *req, int status)
{
	if (status == 426)
		(void)evhttp_add_header(evhttp_request_get_output_headers(req),
					"Sec-WebSocket-Version", "13");
	evhttp_send_reply(req, status, status == 426 ? "Upgrade Required" : "Bad Request", NULL);
}

/* Ours, or without meaning in this reply. */
static int is_reserved(const char *name)
{
	static const char *const names[] = {
		"Upgrade",		  "Connection",
		"Sec-WebSocket-Accept",	  "Content-Length",
		"Content-Type",		  "Transfer-Encoding",
		"Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (evutil_ascii_strcasecmp(name, names[i]) == 0)
			return 1;
	}
	return 0;
}

/* One protocol: the program's choice, or the first that was offered. */
static void add_protocol(struct evbuffer *out, struct evhttp_request *req)
{
	const char *chosen = evhttp_find_header(evhttp_request_get_output_headers(req),
						"Sec-WebSocket-Protocol");
	const char *offered =
		evhttp_find_header(evhttp_request_get_input_headers(req), "Sec-WebSocket-Protocol");
	const char *list = chosen != NULL ? chosen : offered;
	char name[256];

	if (list != NULL && evi_ws_first_item(list, name, sizeof(name)))
		(void)evbuffer_add_printf(out, "Sec-WebSocket-Protocol: %s\r\n", name);
}

static struct evbuffer *make_reply(struct evhttp_request *req, const char *extension)
{
	const struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct evbuffer *out = evbuffer_new();
	char accept[EVI_WS_ACCEPT_SIZE];

	if (out == NULL)
		return NULL;
	evi_ws_accept_of(
		evhttp_find_header(evhttp_request_get_input_headers(req), "Sec-WebSocket-Key"),
		accept);
	(void)evbuffer_add_printf(out,
				  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				  "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n",
				  accept);
	add_protocol(out, req);
	if (extension[0] != '\0')
		(void)evbuffer_add_printf(out, "Sec-WebSocket-Extensions: %s\r\n", extension);
	for (const struct evkeyval *h = headers->tqh_first; h != NULL; h = h->next.tqe_next) {
		if (!is_reserved(h->key))
			(void)evbuffer_add_printf(out, "%s: %s\r\n", h->key, h->value);
	}
	/* The last piece tells whether there was memory for all of them. */
	if (evbuffer_add(out, "\r\n", 2) == 0)
		return out;
	evbuffer_free(out);
	return NULL;
}

static struct evi_ws_deflate *agree_on_deflate(struct evhttp_request *req, int options,
					       char *answer, size_t size)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);

	answer[0] = '\0';
	if (!(options & EVWS_OPT_DEFLATE))
		return NULL;
	for (const struct evkeyval *h = headers->tqh_first; h != NULL; h = h->next.tqe_next) {
		struct evi_ws_deflate *deflate = NULL;

		if (evutil_ascii_strcasecmp(h->key, "Sec-WebSocket-Extensions") == 0)
			deflate = evi_ws_deflate_accept(h->value, answer, size);
		if (deflate != NULL)
			return deflate;
	}
	return NULL;
}

/* Everything that can fail, before the connection is taken from HTTP. */
static struct evws_connection *prepare(struct evhttp_request *req, ws_on_msg_cb cb, void *arg,
				       int options, struct evbuffer **ret_reply)
{
	struct event_base *base = evhttp_connection_get_base(req->evcon);
	struct evws_connection *ws = evi_ws_new(base, NULL, 0, cb, arg, options, 0);
	char extension[128];

	if (ws == NULL)
		return NULL;
	ws->deflate = agree_on_deflate(req, options, extension, sizeof(extension));
	*ret_reply = make_reply(req, extension);
	if (*ret_reply != NULL)
		return ws;
	evi_ws_leave(ws);
	return NULL;
}

struct evws_connection *evws_new_session(struct evhttp_request *req, ws_on_msg_cb cb, void *arg,
					 int options)
{
	struct evws_connection *ws;
	struct evbuffer *reply;
	struct evhttp *http;
	int status;

	if (req->evcon == NULL) {
		evhttp_request_free(req);
		return NULL;
	}
	status = evi_ws_check_request(req);
	if (status != 0) {
		refuse(req, status);
		return NULL;
	}
	ws = prepare(req, cb, arg, options, &reply);
	if (ws == NULL) {
		evhttp_send_error(req, 500, NULL);
		return NULL;
	}
	http = req->evcon->server;
	evi_server_ref(http); /* giving up its last connection must not end it */
	ws->bev = evi_server_upgrade(req, &ws->owns_fd);
	if (ws->bev == NULL) {
		evbuffer_free(reply);
		evi_ws_leave(ws);
		evi_server_unref(http);
		return NULL;
	}
	(void)bufferevent_write_buffer(ws->bev, reply);
	evbuffer_free(reply);
	ws->http = http;
	evi_session_add(http, &ws->in_server);
	evi_server_unref(http);
	evi_ws_open(ws);
	return ws;
}
