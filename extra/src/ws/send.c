/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending: one frame per message. */

#include "ws/session.h"

#include <string.h>

#define FINAL      0x80u
#define COMPRESSED 0x40u

/* A client's payload is masked with fresh random bytes, so that nobody can choose what is on the wire. */
static int add_masked(struct evbuffer *out, const uint8_t *data, size_t len, const uint8_t mask[4])
{
	struct evbuffer_iovec space;

	if (len == 0)
		return 0;
	if (evbuffer_reserve_space(out, (ev_ssize_t)len, &space, 1) != 1)
		return -1;
	evi_ws_mask(space.iov_base, data, len, mask, 0);
	space.iov_len = len;
	return evbuffer_commit_space(out, &space, 1);
}

/* Head and payload, or nothing of it: half a frame would be read as something else. */
static int add_frame(struct evws_connection *ws, struct evbuffer *out, unsigned first_byte, const void *data,
		     size_t len)
{
	uint8_t head[EVI_WS_HEAD_MAX], mask[4];
	size_t head_len;

	if (len > SIZE_MAX / 2 || evbuffer_expand(out, len + EVI_WS_HEAD_MAX) < 0)
		return -1;
	if (ws->is_client)
		evutil_secure_rng_get_bytes(mask, sizeof(mask));
	head_len = evi_ws_head_write(head, first_byte, len, ws->is_client ? mask : NULL);
	if (evbuffer_add(out, head, head_len) < 0)
		return -1;
	return ws->is_client ? add_masked(out, data, len, mask) : evbuffer_add(out, data, len);
}

void evi_ws_send_frame(struct evws_connection *ws, unsigned opcode, const void *data, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(ws->bev);

	if (add_frame(ws, out, FINAL | opcode, data, len) < 0)
		event_warnx("evws: out of memory for a frame of %zu bytes", len);
}

void evi_ws_send_close(struct evws_connection *ws, unsigned code)
{
	uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };

	evi_ws_send_frame(ws, EVI_WS_CLOSE, payload, evi_ws_is_close_code(code) ? sizeof(payload) : 0);
}

static void add_message(struct evws_connection *ws, struct evbuffer *out, unsigned opcode, const void *data,
			size_t len)
{
	uint8_t *packed = NULL;
	size_t packed_len;
	unsigned first_byte = FINAL | opcode;

	if (ws->deflate != NULL && len > 0 &&
	    evi_ws_deflate_pack(ws->deflate, data, len, &packed, &packed_len) == 0) {
		first_byte |= COMPRESSED;
		data = packed;
		len = packed_len;
	}
	if (add_frame(ws, out, first_byte, data, len) < 0)
		event_warnx("evws: out of memory for a message of %zu bytes", len);
	evi_free(packed);
}

/* Straight to the output in the loop's thread, by way of the outbox from others. */
static void send_message(struct evws_connection *ws, unsigned opcode, const void *data, size_t len)
{
	if (ws->lock == NULL) {
		if (ws->state == EVI_WS_OPEN)
			add_message(ws, bufferevent_get_output(ws->bev), opcode, data, len);
		return;
	}
	evi_lock(ws->lock);
	if (ws->state == EVI_WS_OPEN && !ws->must_close) {
		add_message(ws, ws->outbox, opcode, data, len);
		(void)evi_deferred_schedule(ws->base, &ws->deferred);
	}
	evi_unlock(ws->lock);
}

void evi_ws_take_outbox(struct evws_connection *ws)
{
	int must_close;

	if (ws->lock == NULL || ws->state == EVI_WS_ENDED)
		return;
	evi_lock(ws->lock);
	if (ws->state == EVI_WS_OPEN)
		(void)bufferevent_write_buffer(ws->bev, ws->outbox);
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
