/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finding out that a peer is gone without a word: pings (RFC 6455 section 5.5.2) when it is silent.
 */

#include "ws/session.h"

void evi_ws_keepalive_stop(struct evws_connection *ws)
{
	if (ws->keepalive != NULL)
		event_free(ws->keepalive);
	ws->keepalive = NULL;
}

static void on_interval(evutil_socket_t fd, short what, void *arg)
{
	struct evws_connection *ws = arg;

	(void)fd;
	(void)what;
	evi_ws_enter(ws);
	ws->silence = ws->is_heard || ws->is_paused ? 0 : ws->silence + 1;
	ws->is_heard = 0;
	if (ws->silence >= 2)
		evi_ws_end(ws);
	else if (ws->silence == 1 && ws->state == EVI_WS_OPEN)
		evi_ws_send_frame(ws, EVI_WS_PING, NULL, 0);
	evi_ws_leave(ws);
}

int evws_connection_set_keepalive(struct evws_connection *evws, const struct timeval *interval)
{
	struct event *timer = NULL;

	if (evws->state == EVI_WS_ENDED)
		return -1;
	if (interval != NULL) {
		timer = event_new(evws->base, -1, EV_PERSIST, on_interval, evws);
		if (timer == NULL || event_add(timer, interval) < 0) {
			if (timer != NULL)
				event_free(timer);
			return -1;
		}
	}
	evi_ws_keepalive_stop(evws);
	evws->keepalive = timer;
	evws->is_heard = 1;
	evws->silence = 0;
	return 0;
}
