/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions of a client: RFC 6455 section 4.1. */

#include "ws/session.h"

#include "http/arena.h"
#include "http/client.h"
#include "http/head.h"
#include "os/os_net.h"
#include "ws/handshake.h"
#include "ws/sha1.h"

#include <event2/buffer.h>
#include <event2/util.h>

#include <string.h>

/* A reply head larger than this is none. */
#define HEAD_MAX   (64u << 10)
#define FIELDS_MAX 200

static const struct timeval handshake_limit = { 30, 0 };

/* What is needed until the handshake is over. */
struct evi_ws_opening {
	evws_open_cb on_open;
	int is_aborted;
	int is_connected; /* the transport is */
	char key[EVI_WS_KEY_SIZE];
	char *protocols;
	struct evi_head head;
	struct evi_arena arena;
	struct evkeyvalq headers;
	max_align_t memory[64];
};

static void start_head(struct evi_ws_opening *opening)
{
	if (opening->headers.tqh_first != NULL)
		evhttp_clear_headers(&opening->headers);
	evi_arena_done(&opening->arena);
	evi_arena_init(&opening->arena, opening->memory, sizeof(opening->memory));
	evi_head_init(&opening->head, EVI_HEAD_RESPONSE, &opening->arena, &opening->headers,
		      HEAD_MAX, FIELDS_MAX);
}

void evi_ws_opening_free(struct evi_ws_opening *opening)
{
	if (opening == NULL)
		return;
	evhttp_clear_headers(&opening->headers);
	evi_arena_done(&opening->arena);
	evi_free(opening->protocols);
	evi_free(opening);
}

static struct evi_ws_opening *make_opening(const char *protocols, evws_open_cb fn)
{
	struct evi_ws_opening *opening = evi_calloc(1, sizeof(*opening));
	uint8_t bytes[16];

	if (opening == NULL)
		return NULL;
	opening->headers.tqh_last = &opening->headers.tqh_first;
	start_head(opening);
	opening->on_open = fn;
	opening->protocols = protocols != NULL ? evi_strdup(protocols) : NULL;
	evutil_secure_rng_get_bytes(bytes, sizeof(bytes));
	evi_base64_encode(bytes, sizeof(bytes), opening->key);
	if (protocols == NULL || opening->protocols != NULL)
		return opening;
	evi_ws_opening_free(opening);
	return NULL;
}

/* Tells the program how it went, once; the session ends unless it went well. */
static void tell(struct evws_connection *ws, int status)
{
	struct evi_ws_opening *opening = ws->opening;
	evws_open_cb fn = opening->on_open;

	ws->opening = NULL;
	evi_ws_opening_free(opening);
	(void)event_del(&ws->close_timer);
	ws->is_told = fn != NULL && status != 101;
	if (fn != NULL)
		fn(ws, status, ws->arg);
	if (status != 101)
		evi_ws_end(ws);
}

static int has_peer(struct bufferevent *bev)
{
	struct sockaddr_storage peer;
	ev_socklen_t len = sizeof(peer);

	return getpeername(bufferevent_getfd(bev), (struct sockaddr *)&peer, &len) == 0;
}

/* The request waits in the output from the beginning, and goes when the transport is ready. */
static enum evhttp_failure_stage stage_of(const struct evws_connection *ws)
{
	if (bufferevent_socket_get_dns_error(ws->bev) != 0)
		return EVHTTP_STAGE_LOOKUP;
	if (evbuffer_get_length(bufferevent_get_output(ws->bev)) == 0)
		return EVHTTP_STAGE_RECEIVE;
	if (ws->opening->is_connected)
		return EVHTTP_STAGE_SEND;
	return has_peer(ws->bev) ? EVHTTP_STAGE_TLS : EVHTTP_STAGE_CONNECT;
}

/* `text` NULL: what the system says of `err`. */
static void fail(struct evws_connection *ws, enum evhttp_request_error reason, int err,
		 const char *text)
{
	char words[EVI_FAILURE_TEXT];
	struct evhttp_failure failure = {
		.stage = stage_of(ws),
		.reason = reason,
		.socket_error = err,
		.lookup_error = bufferevent_socket_get_dns_error(ws->bev),
		.text = text != NULL ? text : evutil_socket_error_to_string(err),
	};

	if (failure.lookup_error != 0)
		failure.text = evutil_gai_strerror(failure.lookup_error);
	if (reason == EVREQ_HTTP_EOF)
		evi_failure_note_tls(&failure, ws->bev, words);
	if (failure.tls_error != 0 && failure.stage == EVHTTP_STAGE_SEND)
		failure.stage = EVHTTP_STAGE_TLS;
	ws->failure = &failure;
	tell(ws, 0);
	ws->failure = NULL;
}

void evi_ws_client_give_up(struct evws_connection *ws)
{
	if (ws->opening->is_aborted)
		fail(ws, EVREQ_HTTP_REQUEST_CANCEL, 0, "the session was closed");
	else
		fail(ws, EVREQ_HTTP_TIMEOUT, EVI_NET_TIMED_OUT, "the server did not answer in time");
}

void evi_ws_client_abort(struct evws_connection *ws)
{
	static const struct timeval now = { 0, 0 };

	if (ws->opening == NULL)
		return;
	ws->opening->is_aborted = 1;
	/* Only changes when it is due, so it does not fail. */
	(void)event_add(&ws->close_timer, &now);
}

/* --- The request ---------------------------------------------------------------------------- */

/* Line breaks would end the head early. */
static int is_one_line(const char *text)
{
	return text == NULL || text[strcspn(text, "\r\n")] == '\0';
}

static int are_headers_valid(const struct evkeyvalq *headers)
{
	for (const struct evkeyval *h = headers != NULL ? headers->tqh_first : NULL; h != NULL;
	     h = h->next.tqe_next) {
		if (!is_one_line(h->key) || !is_one_line(h->value) || *h->key == '\0')
			return 0;
	}
	return 1;
}

static struct evbuffer *make_request(const struct evws_connection *ws, const char *host,
				     const char *target, const struct evkeyvalq *headers)
{
	const struct evi_ws_opening *opening = ws->opening;
	struct evbuffer *out = evbuffer_new();

	if (out == NULL)
		return NULL;
	(void)evbuffer_add_printf(out, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
				       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
				       "Sec-WebSocket-Key: %s\r\n", target, host, opening->key);
	if (opening->protocols != NULL)
		(void)evbuffer_add_printf(out, "Sec-WebSocket-Protocol: %s\r\n",
					  opening->protocols);
	if (ws->options & EVWS_OPT_DEFLATE)
		(void)evbuffer_add_printf(out, "%s", evi_ws_deflate_offer());
	for (const struct evkeyval *h = headers != NULL ? headers->tqh_first : NULL; h != NULL;
	     h = h->next.tqe_next)
		(void)evbuffer_add_printf(out, "%s: %s\r\n", h->key, h->value);
	return out;
}

/* All of it, or nothing. */
static int send_request(struct evws_connection *ws, const char *host, const char *target,
			const struct evkeyvalq *headers)
{
	struct evbuffer *out = make_request(ws, host, target, headers);
	int result = -1;

	if (out == NULL)
		return -1;
	if (evbuffer_add(out, "\r\n", 2) == 0 && event_add(&ws->close_timer, &handshake_limit) == 0)
		result = bufferevent_write_buffer(ws->bev, out);
	evbuffer_free(out);
	return result;
}

/* --- The reply ------------------------------------------------------------------------------ */

/* An item that was not offered must not be chosen. */
static int is_offered(const char *offered, const char *chosen)
{
	size_t len = strlen(chosen);

	for (const char *p = offered; p != NULL && *p != '\0';) {
		size_t item = strcspn(p, ", \t");

		if (item == len && len > 0 && memcmp(p, chosen, len) == 0)
			return 1;
		p += item + strspn(p + item, ", \t");
	}
	return 0;
}

static int is_protocol_acceptable(const struct evi_ws_opening *opening)
{
	static const char name[] = "Sec-WebSocket-Protocol";
	const char *chosen = evi_ws_single_header(&opening->headers, name);

	if (chosen == NULL)
		return evhttp_find_header(&opening->headers, name) == NULL;
	return is_offered(opening->protocols, chosen);
}

static int take_extension(struct evws_connection *ws)
{
	static const char name[] = "Sec-WebSocket-Extensions";
	const char *chosen = evi_ws_single_header(&ws->opening->headers, name);

	if (chosen == NULL)
		return evhttp_find_header(&ws->opening->headers, name) == NULL;
	if (ws->options & EVWS_OPT_DEFLATE)
		ws->deflate = evi_ws_deflate_take(chosen);
	return ws->deflate != NULL;
}

static int is_acceptable(struct evws_connection *ws)
{
	const struct evi_ws_opening *opening = ws->opening;
	const char *accept = evi_ws_single_header(&opening->headers, "Sec-WebSocket-Accept");
	const char *upgrade = evi_ws_single_header(&opening->headers, "Upgrade");
	char expected[EVI_WS_ACCEPT_SIZE];

	evi_ws_accept_of(opening->key, expected);
	return opening->head.minor >= 1 && upgrade != NULL &&
	       evutil_ascii_strcasecmp(upgrade, "websocket") == 0 &&
	       evi_ws_has_token(&opening->headers, "Connection", "upgrade") && accept != NULL &&
	       strcmp(accept, expected) == 0 && is_protocol_acceptable(opening) &&
	       take_extension(ws);
}

static enum evi_head_step read_head(struct evi_ws_opening *opening, struct evbuffer *in)
{
	enum evi_head_step step = EVI_HEAD_MORE;
	struct evbuffer_iovec span;

	while (step == EVI_HEAD_MORE && evbuffer_peek(in, -1, NULL, &span, 1) > 0) {
		size_t used;

		step = evi_head_take(&opening->head, span.iov_base, span.iov_len, &used);
		(void)evbuffer_drain(in, used);
	}
	return step;
}

/* 1xx but 101: another head follows. */
static int is_interim(const struct evi_head *head)
{
	return head->code / 100 == 1 && head->code != 101;
}

/* A short message must not wait for the acknowledgement of the one before. */
static void send_at_once(struct evws_connection *ws)
{
	int on = 1;

	(void)setsockopt(bufferevent_getfd(ws->bev), IPPROTO_TCP, TCP_NODELAY, (void *)&on,
			 sizeof(on));
}

static void receive_reply(struct evws_connection *ws)
{
	struct evi_ws_opening *opening = ws->opening;
	struct evbuffer *in = bufferevent_get_input(ws->bev);
	enum evi_head_step step = read_head(opening, in);

	while (step == EVI_HEAD_DONE && is_interim(&opening->head)) {
		start_head(opening);
		step = read_head(opening, in);
	}
	if (step == EVI_HEAD_MORE)
		return;
	if (step == EVI_HEAD_BAD) {
		fail(ws, EVREQ_HTTP_INVALID_HEADER, 0,
		     evi_head_error_text((enum evi_head_error)opening->head.error));
	} else if (opening->head.code != 101) {
		tell(ws, opening->head.code);
	} else if (!is_acceptable(ws)) {
		fail(ws, EVREQ_HTTP_INVALID_HEADER, 0, "the reply does not fit the handshake");
	} else {
		send_at_once(ws);
		evi_ws_open(ws);
		tell(ws, 101);
	}
}

/* --- Callbacks while connecting ------------------------------------------------------------- */

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evws_connection *ws = arg;

	(void)bev;
	evi_ws_enter(ws);
	if (!ws->opening->is_aborted)
		receive_reply(ws);
	evi_ws_leave(ws);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct evws_connection *ws = arg;
	int err = EVUTIL_SOCKET_ERROR();

	(void)bev;
	if (what & BEV_EVENT_CONNECTED) {
		ws->opening->is_connected = 1;
		return;
	}
	evi_ws_enter(ws);
	if (ws->opening->is_aborted || (what & BEV_EVENT_TIMEOUT))
		evi_ws_client_give_up(ws);
	else if (what & BEV_EVENT_EOF)
		fail(ws, EVREQ_HTTP_EOF, 0, "the connection ended before the response");
	else
		fail(ws, err == EVI_NET_TIMED_OUT ? EVREQ_HTTP_TIMEOUT : EVREQ_HTTP_EOF, err, NULL);
	evi_ws_leave(ws);
}

const struct evhttp_failure *evws_client_get_failure(const struct evws_connection *evws)
{
	return evws->failure;
}

struct evws_connection *evws_client_new(struct event_base *base, struct bufferevent *bev,
					const char *host, const char *target, const char *protocols,
					const struct evkeyvalq *headers, evws_open_cb opened,
					ws_on_msg_cb cb, void *arg, int options)
{
	struct evws_connection *ws;

	if (base == NULL || bev == NULL || host == NULL || target == NULL || !is_one_line(host) ||
	    !is_one_line(target) || !is_one_line(protocols) || *target == '\0' ||
	    strchr(target, ' ') != NULL || !are_headers_valid(headers))
		return NULL;
	ws = evi_ws_new(base, bev, 0, cb, arg, options, 1);
	if (ws == NULL)
		return NULL;
	ws->opening = make_opening(protocols, opened);
	if (ws->opening == NULL || send_request(ws, host, target, headers) < 0) {
		(void)event_del(&ws->close_timer);
		evi_ws_leave(ws);
		return NULL;
	}
	ws->opening->is_connected = has_peer(bev);
	bufferevent_setcb(bev, on_read, NULL, on_event, ws);
	(void)bufferevent_enable(bev, EV_READ | EV_WRITE);
	return ws;
}
