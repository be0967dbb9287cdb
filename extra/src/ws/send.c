/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending: one frame per message. */

#include "ws/session.h"

#include <string.h>

#define FINAL      0x80u
#define COMPRESSED 0x40u

/*
 * Head and payload, or nothing of it: half a frame would be read as something else. A client's
 * payload is masked with fresh random bytes, so that nobody can choose what is on the wire (section
 * 10.3).
 */
static int add_frame(struct evws_connection *ws, struct evbuffer *out, unsigned first_byte,
		     const void *data, size_t len)
{
	struct evbuffer_iovec space;
	uint8_t *to, mask[4];

	if (len > SIZE_MAX / 2 - EVI_WS_HEAD_MAX ||
	    evbuffer_reserve_space(out, (ev_ssize_t)(len + EVI_WS_HEAD_MAX), &space, 1) != 1)
		return -1;
	if (ws->is_client)
		evutil_secure_rng_get_bytes(mask, sizeof(mask));
	to = space.iov_base;
	to += evi_ws_head_write(to, first_byte, len, ws->is_client ? mask : NULL);
	if (ws->is_client)
		evi_ws_mask(to, data, len, mask, 0);
	else if (len > 0)
		memcpy(to, data, len);
	space.iov_len = (size_t)(to - (uint8_t *)space.iov_base) + len;
	return evbuffer_commit_space(out, &space, 1);
}

/* What was sent before must go before. */
static void flush_outbox(struct evws_connection *ws)
{
	evi_lock(ws->lock);
	if (ws->outbox != NULL)
		(void)bufferevent_write_buffer(ws->bev, ws->outbox);
	evi_unlock(ws->lock);
}

void evi_ws_send_frame(struct evws_connection *ws, unsigned opcode, const void *data, size_t len)
{
	flush_outbox(ws);
	if (add_frame(ws, bufferevent_get_output(ws->bev), FINAL | opcode, data, len) < 0)
		event_warnx("evws: out of memory for a frame of %zu bytes", len);
}

void evi_ws_send_close(struct evws_connection *ws, unsigned code)
{
	uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };

	evi_ws_send_frame(ws, EVI_WS_CLOSE, payload,
			  evi_ws_is_close_code(code) ? sizeof(payload) : 0);
}

static int add_message(struct evws_connection *ws, struct evbuffer *out, unsigned opcode,
		       const void *data, size_t len)
{
	uint8_t *packed = NULL;
	size_t packed_len;
	unsigned first_byte = FINAL | opcode;
	int result;

	if (ws->deflate != NULL && len > 0 &&
	    evi_ws_deflate_pack(ws->deflate, data, len, &packed, &packed_len) == 0) {
		first_byte |= COMPRESSED;
		data = packed;
		len = packed_len;
	}
	result = add_frame(ws, out, first_byte, data, len);
	evi_free(packed);
	return result;
}

/*
 * Straight to the output, or by way of the outbox if other threads may send. A message that cannot
 * be sent is not left out: that ends the session.
 */
static void send_message(struct evws_connection *ws, unsigned opcode, const void *data, size_t len)
{
	struct evbuffer *out;
	uint16_t error = 0;

	evi_lock(ws->lock);
	if (ws->state == EVI_WS_OPEN && !ws->must_close) {
		out = ws->lock != NULL ? ws->outbox : bufferevent_get_output(ws->bev);
		if (evi_ws_is_full(ws, out))
			error = 1008;
		else if (add_message(ws, out, opcode, data, len) < 0)
			error = 1011;
		else if (ws->lock != NULL)
			(void)evi_deferred_schedule(ws->base, &ws->deferred);
	}
	evi_unlock(ws->lock);
	if (error != 0)
		evws_close(ws, error);
}

/* To the output, unless the peer has too much before it already. */
static void move_outbox(struct evws_connection *ws)
{
	int is_refused;

	evi_lock(ws->lock);
	is_refused = evbuffer_get_length(ws->outbox) > 0 &&
		     evi_ws_is_full(ws, bufferevent_get_output(ws->bev));
	if (is_refused)
		(void)evbuffer_drain(ws->outbox, evbuffer_get_length(ws->outbox));
	evi_unlock(ws->lock);
	if (is_refused)
		evi_ws_begin_close(ws, 1008);
	else
		flush_outbox(ws);
}

void evi_ws_take_outbox(struct evws_connection *ws)
{
	int must_close;

	if (ws->lock == NULL || ws->state == EVI_WS_ENDED)
		return;
	if (ws->state == EVI_WS_OPEN)
		move_outbox(ws);
	evi_lock(ws->lock);
	must_close = ws->must_close;
	evi_unlock(ws->lock);
	if (must_close)
		evi_ws_begin_close(ws, ws->must_code);
}

void evws_send_text(struct evws_connection *evws, const char *packet_str)
{
	send_message(evws, EVI_WS_TEXT, packet_str, strlen(packet_str));
}

void evws_send_binary(struct evws_connection *evws, const char *packet_data, size_t packet_len)
{
	send_message(evws, EVI_WS_BINARY, packet_data, packet_len);
}
