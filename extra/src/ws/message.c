/* SPDX-License-Identifier: BSD-3-Clause */
/* Putting a message together from the payload of its frames: RFC 6455 sections 5.4 and 8.1. */

#include "ws/session.h"

#include <errno.h>
#include <string.h>

/* Most messages are short. */
#define ROOM_MIN 256

static int reserve(struct evws_connection *ws, size_t more)
{
	size_t need = ws->len + more, room = ws->room != 0 ? ws->room : ROOM_MIN;
	uint8_t *bigger;

	if (need <= ws->room)
		return 0;
	while (room < need)
		room *= 2;
	bigger = evi_realloc(ws->message, room);
	if (bigger == NULL)
		return -ENOMEM;
	ws->message = bigger;
	ws->room = room;
	return 0;
}

/* An idle session holds no buffer. */
void evi_ws_message_forget(struct evws_connection *ws)
{
	evi_free(ws->message);
	ws->message = NULL;
	ws->len = ws->room = 0;
	ws->type = 0;
}

/* From where it was read to where it is delivered from, unmasked on the way. */
static void take_span(struct evws_connection *ws, const uint8_t *from, size_t len)
{
	uint8_t *to = ws->message + ws->len;

	if (ws->head.is_masked)
		evi_ws_mask(to, from, len, ws->head.mask, ws->head_read);
	else
		memcpy(to, from, len);
	ws->len += len;
	ws->head_read += len;
}

int evi_ws_message_take(struct evws_connection *ws, struct evbuffer *in, size_t len)
{
	size_t start = ws->len;

	if (reserve(ws, len) < 0) {
		evi_ws_fail(ws, 1011);
		return 0;
	}
	for (size_t left = len; left > 0;) {
		struct evbuffer_iovec span;
		size_t part;

		(void)evbuffer_peek(in, (ev_ssize_t)left, NULL, &span, 1);
		part = span.iov_len < left ? span.iov_len : left;
		take_span(ws, span.iov_base, part);
		(void)evbuffer_drain(in, part);
		left -= part;
	}
	if (ws->type == EVI_WS_TEXT && !ws->is_compressed &&
	    !evi_utf8_check(&ws->utf8, ws->message + start, len)) {
		evi_ws_fail(ws, 1007);
		return 0;
	}
	return 1;
}

/* The code to fail with, or 0. */
static unsigned inflate(struct evws_connection *ws)
{
	uint8_t *plain;
	size_t len;
	int err = evi_ws_deflate_unpack(ws->deflate, ws->message, ws->len, ws->max, &plain, &len);

	if (err != 0)
		return err == -EMSGSIZE ? 1009 : err == -ENOMEM ? 1011 : 1007;
	evi_free(ws->message);
	ws->message = plain;
	ws->len = ws->room = len;
	if (ws->type == EVI_WS_TEXT && !evi_utf8_check(&ws->utf8, plain, len))
		return 1007;
	return 0;
}

static unsigned finish(struct evws_connection *ws)
{
	unsigned error = ws->is_compressed ? inflate(ws) : 0;

	if (error == 0 && ws->type == EVI_WS_TEXT && !evi_utf8_is_whole(&ws->utf8))
		return 1007;
	return error;
}

void evi_ws_message_deliver(struct evws_connection *ws)
{
	static const uint8_t nothing[1];
	unsigned error = finish(ws);
	uint8_t *message = ws->message;
	size_t len = ws->len;
	int type = ws->type;

	if (error != 0) {
		evi_ws_fail(ws, error);
		return;
	}
	ws->message = NULL; /* the callback may end the session */
	evi_ws_message_forget(ws);
	if (ws->on_message != NULL)
		ws->on_message(ws, type, message != NULL ? message : nothing, len, ws->arg);
	evi_free(message);
}
