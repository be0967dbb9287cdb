/* SPDX-License-Identifier: BSD-3-Clause */
/* The closing handshake: RFC 6455 section 7. */

#include "ws/session.h"

#include <event2/bufferevent_ssl.h>

/* How long a peer has to answer our close frame, or to take what is queued. */
static const struct timeval patience = { 1, 500000 };

static int set_limit(struct evws_connection *ws)
{
	if (event_pending(&ws->close_timer, EV_TIMEOUT, NULL) ||
	    event_add(&ws->close_timer, &patience) == 0)
		return 0;
	evi_ws_end(ws);
	return -1;
}

void evi_ws_begin_close(struct evws_connection *ws, unsigned code)
{
	if (ws->state == EVI_WS_CONNECTING)
		evi_ws_client_abort(ws);
	if (ws->state != EVI_WS_OPEN)
		return;
	evi_ws_send_close(ws, code);
	evi_ws_set_state(ws, EVI_WS_CLOSE_SENT);
	if (set_limit(ws) == 0)
		evws_connection_resume(ws);
}

/*
 * A peer that was failed may be sending still, and a socket that is closed with bytes unread is
 * reset, which could cost the peer our close frame: end our direction only, and wait for its end.
 */
static int half_closes(struct evws_connection *ws)
{
	return ws->has_failed && !ws->has_eof &&
	       shutdown(bufferevent_getfd(ws->bev), SHUT_WR) == 0;
}

/* A server closes at once when all is written, a client waits for the server. */
void evi_ws_drained(struct evws_connection *ws)
{
	if (set_limit(ws) < 0 || evbuffer_get_length(bufferevent_get_output(ws->bev)) > 0)
		return;
	(void)bufferevent_ssl_shutdown(ws->bev); /* there may be no TLS, or no room for it */
	if (ws->is_client || half_closes(ws))
		evi_ws_set_state(ws, EVI_WS_LINGERING);
	else
		evi_ws_end(ws);
}

void evi_ws_fail(struct evws_connection *ws, unsigned code)
{
	if (ws->state == EVI_WS_OPEN)
		evi_ws_send_close(ws, code);
	if (ws->state != EVI_WS_OPEN && ws->state != EVI_WS_CLOSE_SENT)
		return;
	ws->close_code = code;
	ws->has_failed = 1;
	evi_ws_set_state(ws, EVI_WS_FLUSHING);
	evi_ws_drained(ws);
}

static unsigned code_of(const uint8_t *payload, size_t len, unsigned *ret_error)
{
	struct evi_utf8 utf8 = { 0 };
	unsigned code;

	*ret_error = 0;
	if (len == 0)
		return 1005;
	code = len >= 2 ? (unsigned)payload[0] << 8 | payload[1] : 0;
	if (len == 1 || !evi_ws_is_close_code(code))
		*ret_error = 1002;
	else if (!evi_utf8_check(&utf8, payload + 2, len - 2) || !evi_utf8_is_whole(&utf8))
		*ret_error = 1007;
	return code;
}

void evi_ws_close_received(struct evws_connection *ws, const uint8_t *payload, size_t len)
{
	unsigned error, code = code_of(payload, len, &error);

	if (error != 0) {
		evi_ws_fail(ws, error);
		return;
	}
	ws->close_code = code;
	if (ws->state == EVI_WS_OPEN)
		evi_ws_send_close(ws, code);
	evi_ws_set_state(ws, EVI_WS_FLUSHING);
	evi_ws_drained(ws);
}

void evws_close(struct evws_connection *evws, uint16_t reason)
{
	if (evws->lock == NULL) {
		evi_ws_enter(evws);
		evi_ws_begin_close(evws, reason);
		evi_ws_leave(evws);
		return;
	}
	evi_lock(evws->lock);
	if (!evws->must_close && evws->state <= EVI_WS_OPEN) {
		evws->must_close = 1;
		evws->must_code = reason;
		(void)evi_deferred_schedule(evws->base, &evws->deferred);
	}
	evi_unlock(evws->lock);
}
