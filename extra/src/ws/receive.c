/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving frames: RFC 6455 section 5. Payload is taken as it comes, so no byte is looked at
 * twice, and what is held is at most one message.
 */

#include "ws/session.h"

#include <string.h>

/*
 * Frames and bytes per turn, so that a fast peer does not keep others waiting; the loop takes some
 * 32 turns of all sessions, then looks at what else there is to do.
 */
#define TURN_FRAMES 64
#define TURN_BYTES  (128u << 10)

/* Answers to pings that the peer does not read, in bytes. */
#define PONGS_MAX (256u << 10)

static int is_control(const struct evi_ws_head *head)
{
	return head->opcode >= EVI_WS_CLOSE;
}

static int is_known(unsigned opcode)
{
	return opcode <= EVI_WS_BINARY || (opcode >= EVI_WS_CLOSE && opcode <= EVI_WS_PONG);
}

/* Only the first frame of a message may say that it is compressed. */
static int has_right_reserved_bits(const struct evws_connection *ws)
{
	unsigned reserved = ws->head.reserved;

	if (reserved == 0)
		return 1;
	return reserved == 4 && ws->deflate != NULL && !is_control(&ws->head) &&
	       ws->head.opcode != EVI_WS_CONTINUATION && ws->type == 0;
}

static int has_right_mask(const struct evws_connection *ws)
{
	if (ws->is_client)
		return !ws->head.is_masked;
	return ws->head.is_masked || (ws->options & EVWS_OPT_UNMASKED_OK);
}

/* A data frame must begin a message, or go on with the one in progress. */
static int fits_message(const struct evws_connection *ws)
{
	if (ws->head.opcode == EVI_WS_CONTINUATION)
		return ws->type != 0;
	if (ws->type == 0)
		return 1;
	/* Existing clients repeat the opcode where they should continue. */
	return ws->head.opcode == ws->type && !(ws->options & EVWS_OPT_STRICT);
}

/* The code to fail with, or 0. */
static unsigned check_head(const struct evws_connection *ws)
{
	const struct evi_ws_head *head = &ws->head;

	if (!is_known(head->opcode) || !has_right_reserved_bits(ws) || !has_right_mask(ws))
		return 1002;
	if (is_control(head))
		return !head->is_final || head->len > EVI_WS_CONTROL_MAX ? 1002 : 0;
	if (!fits_message(ws))
		return 1002;
	if (ws->state != EVI_WS_OPEN) /* it is passed over */
		return 0;
	return ws->len > ws->max || head->len > ws->max - ws->len ? 1009 : 0;
}

static void begin_frame(struct evws_connection *ws)
{
	ws->has_head = 1;
	ws->head_read = 0;
	if (is_control(&ws->head) || ws->type != 0)
		return;
	ws->type = ws->head.opcode;
	ws->is_compressed = ws->head.reserved != 0;
	memset(&ws->utf8, 0, sizeof(ws->utf8));
}

/* 1 if there is a head, 0 if more must come first. */
static int read_head(struct evws_connection *ws, struct evbuffer *in)
{
	uint8_t bytes[EVI_WS_HEAD_MAX];
	ev_ssize_t have = evbuffer_copyout(in, bytes, sizeof(bytes));
	int size = have > 0 ? evi_ws_head_read(bytes, (size_t)have, &ws->head) : 0;
	unsigned error;

	if (size == 0)
		return 0;
	error = size < 0 ? 1002 : check_head(ws);
	if (error != 0) {
		evi_ws_fail(ws, error);
		return 0;
	}
	(void)evbuffer_drain(in, (size_t)size);
	begin_frame(ws);
	return 1;
}

/* 1 if the frame is complete. */
static int read_data(struct evws_connection *ws, struct evbuffer *in)
{
	uint64_t left = ws->head.len - ws->head_read;
	size_t have = evbuffer_get_length(in);
	size_t len = left < have ? (size_t)left : have;

	if (len > 0 && !evi_ws_message_take(ws, in, len))
		return 0;
	if (ws->head_read < ws->head.len)
		return 0;
	ws->has_head = 0;
	if (ws->head.is_final)
		evi_ws_message_deliver(ws);
	return 1;
}

/* --- Control frames ------------------------------------------------------------------------- */

/* A peer that asks without reading the answers must not fill our memory. */
static void handle_ping(struct evws_connection *ws, const uint8_t *payload, size_t len)
{
	if (ws->state != EVI_WS_OPEN)
		return;
	ws->pongs += len + EVI_WS_HEAD_MAX;
	if (ws->pongs > PONGS_MAX)
		evi_ws_fail(ws, 1008);
	else
		evi_ws_send_frame(ws, EVI_WS_PONG, payload, len);
}

static int read_control(struct evws_connection *ws, struct evbuffer *in)
{
	uint8_t payload[EVI_WS_CONTROL_MAX];
	size_t len = (size_t)ws->head.len;

	if (evbuffer_get_length(in) < len)
		return 0;
	(void)evbuffer_remove(in, payload, len);
	if (ws->head.is_masked)
		evi_ws_mask(payload, payload, len, ws->head.mask, 0);
	ws->has_head = 0;
	if (ws->head.opcode == EVI_WS_CLOSE)
		evi_ws_close_received(ws, payload, len);
	else if (ws->head.opcode == EVI_WS_PING)
		handle_ping(ws, payload, len);
	return 1;
}

/* --- The input ------------------------------------------------------------------------------ */

/* After our close frame only the peer's still counts; data are passed over. */
static int skip_data(struct evws_connection *ws, struct evbuffer *in)
{
	uint64_t left = ws->head.len - ws->head_read;
	size_t have = evbuffer_get_length(in);
	size_t len = left < have ? (size_t)left : have;

	(void)evbuffer_drain(in, len);
	ws->head_read += len;
	if (ws->head_read < ws->head.len)
		return 0;
	ws->has_head = 0;
	if (ws->head.is_final)
		evi_ws_message_forget(ws);
	return 1;
}

/* One step along the input; 0 if more must come first. */
static int step(struct evws_connection *ws, struct evbuffer *in)
{
	if (!ws->has_head && !read_head(ws, in))
		return 0;
	if (is_control(&ws->head))
		return read_control(ws, in);
	return ws->state == EVI_WS_OPEN ? read_data(ws, in) : skip_data(ws, in);
}

static int is_listening(const struct evws_connection *ws)
{
	return ws->state == EVI_WS_OPEN || ws->state == EVI_WS_CLOSE_SENT;
}

/* 1 if there may be more to do than a turn allows. */
static int take_turn(struct evws_connection *ws, struct evbuffer *in)
{
	size_t start = evbuffer_get_length(in);
	int frames = 0;

	while (step(ws, in) && is_listening(ws) && !evi_ws_is_waiting(ws)) {
		if (++frames >= TURN_FRAMES || start - evbuffer_get_length(in) >= TURN_BYTES)
			return 1;
	}
	return 0;
}

void evi_ws_receive(struct evws_connection *ws)
{
	struct evbuffer *in = ws->bev != NULL ? bufferevent_get_input(ws->bev) : NULL;

	if (evi_ws_is_waiting(ws))
		return;
	if (is_listening(ws) && take_turn(ws, in)) {
		(void)evi_deferred_schedule(ws->base, &ws->deferred);
		return;
	}
	if (ws->state == EVI_WS_ENDED || evi_ws_is_waiting(ws))
		return;
	if (!is_listening(ws))
		(void)evbuffer_drain(in, evbuffer_get_length(in));
	if (ws->has_eof)
		evi_ws_end(ws);
}
