/* SPDX-License-Identifier: BSD-3-Clause */
/* Holding back: a program that cannot keep up with its peer, and a peer that does not read. */

#include "ws/session.h"

/* Closing is not held back: the peer's close frame is behind what waits. */
int evi_ws_is_waiting(const struct evws_connection *ws)
{
	return ws->is_paused && ws->state == EVI_WS_OPEN;
}

int evi_ws_is_full(const struct evws_connection *ws, const struct evbuffer *out)
{
	return ws->output_max != 0 && evbuffer_get_length(out) > ws->output_max;
}

static int is_outbox_empty(struct evws_connection *ws)
{
	int is_empty;

	evi_lock(ws->lock);
	is_empty = ws->outbox == NULL || evbuffer_get_length(ws->outbox) == 0;
	evi_unlock(ws->lock);
	return is_empty;
}

void evi_ws_tell_drained(struct evws_connection *ws)
{
	if (ws->on_drained != NULL && is_outbox_empty(ws))
		ws->on_drained(ws, ws->drained_arg);
}

void evws_connection_pause(struct evws_connection *evws)
{
	evws->is_paused = 1;
}

void evws_connection_resume(struct evws_connection *evws)
{
	if (!evws->is_paused)
		return;
	evws->is_paused = 0;
	(void)evi_deferred_schedule(evws->base, &evws->deferred);
}

void evws_connection_set_drained_cb(struct evws_connection *evws, evws_drained_cb cb, void *arg)
{
	evws->on_drained = cb;
	evws->drained_arg = arg;
}

void evws_connection_set_max_output(struct evws_connection *evws, size_t bytes)
{
	evi_lock(evws->lock);
	evws->output_max = bytes;
	evi_unlock(evws->lock);
}
