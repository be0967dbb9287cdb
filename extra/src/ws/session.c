/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions: making them, their callbacks, and their end. */

#include "ws/session.h"

#include <string.h>

#define MESSAGE_MAX_DEFAULT (10u << 20)

/* Input that waits for its turn. Payload is taken at once, so this limits small frames only. */
#define INPUT_MAX (256u << 10)

void evi_ws_enter(struct evws_connection *ws)
{
	ws->holds++;
}

static void destroy(struct evws_connection *ws)
{
	event_debug_unassign(&ws->close_timer);
	evi_ws_deflate_free(ws->deflate);
	if (ws->outbox != NULL)
		evbuffer_free(ws->outbox);
	evi_lock_free(ws->lock);
	evi_ws_opening_free(ws->opening);
	evi_free(ws->message);
	evi_free(ws);
}

void evi_ws_leave(struct evws_connection *ws)
{
	if (--ws->holds == 0)
		destroy(ws);
}

/* Other threads look at it when they send. */
void evi_ws_set_state(struct evws_connection *ws, enum evi_ws_state state)
{
	evi_lock(ws->lock);
	ws->state = state;
	evi_unlock(ws->lock);
}

void evi_ws_end(struct evws_connection *ws)
{
	if (ws->state == EVI_WS_ENDED)
		return;
	evi_ws_enter(ws);
	evi_ws_set_state(ws, EVI_WS_ENDED);
	(void)event_del(&ws->close_timer);
	evi_ws_keepalive_stop(ws);
	if (ws->http != NULL)
		evi_session_remove(ws->http, &ws->in_server);
	if (ws->on_close != NULL && !ws->is_told)
		ws->on_close(ws, ws->close_arg);
	evi_deferred_cancel(ws->base, &ws->deferred);
	evi_bev_free_with_fd(ws->bev, ws->owns_fd);
	ws->bev = NULL;
	ws->holds--;
	evi_ws_leave(ws);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evws_connection *ws = arg;

	(void)bev;
	evi_ws_enter(ws);
	ws->is_heard = 1;
	evi_ws_receive(ws);
	evi_ws_leave(ws);
}

static void on_write(struct bufferevent *bev, void *arg)
{
	struct evws_connection *ws = arg;

	(void)bev;
	evi_ws_enter(ws);
	ws->pongs = 0;
	if (ws->state == EVI_WS_FLUSHING)
		evi_ws_drained(ws);
	else if (ws->state == EVI_WS_OPEN)
		evi_ws_tell_drained(ws);
	evi_ws_leave(ws);
}

/*
 * The end, after what has come whole before it. A timeout that the program has set on the
 * bufferevent is one too, but the peer is told: what it stopped must run again for that.
 */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct evws_connection *ws = arg;

	evi_ws_enter(ws);
	if ((what & BEV_EVENT_TIMEOUT) && ws->state == EVI_WS_OPEN) {
		evi_ws_begin_close(ws, 1001);
		if (ws->state != EVI_WS_ENDED)
			(void)bufferevent_enable(bev, EV_READ | EV_WRITE);
	} else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
		ws->has_eof = 1;
		evi_ws_receive(ws);
	} else if (what & BEV_EVENT_TIMEOUT) {
		evi_ws_end(ws);
	}
	evi_ws_leave(ws);
}

static void on_deferred(struct evi_deferred *deferred, void *arg)
{
	struct evws_connection *ws = arg;

	(void)deferred;
	evi_ws_enter(ws);
	evi_ws_take_outbox(ws);
	if (ws->state != EVI_WS_CONNECTING)
		evi_ws_receive(ws);
	evi_ws_leave(ws);
}

/* The peer has had its time to close, or to let itself be talked to. */
static void on_close_time(evutil_socket_t fd, short what, void *arg)
{
	struct evws_connection *ws = arg;

	(void)fd;
	(void)what;
	evi_ws_enter(ws);
	if (ws->state == EVI_WS_CONNECTING)
		evi_ws_client_give_up(ws);
	else
		evi_ws_end(ws);
	evi_ws_leave(ws);
}

static void close_with_server(struct evi_session *session)
{
	evi_ws_end((struct evws_connection *)(void *)session); /* its first member */
}

static int prepare_threads(struct evws_connection *ws)
{
	if (!(ws->options & BEV_OPT_THREADSAFE) || !evi_threading_enabled())
		return 0;
	ws->lock = evi_lock_new();
	ws->outbox = evbuffer_new();
	return ws->lock != NULL && ws->outbox != NULL ? 0 : -1;
}

struct evws_connection *evi_ws_new(struct event_base *base, struct bufferevent *bev, int owns_fd,
				   ws_on_msg_cb cb, void *arg, int options, int is_client)
{
	struct evws_connection *ws = evi_calloc(1, sizeof(*ws));

	if (ws == NULL)
		return NULL;
	ws->base = base;
	ws->bev = bev;
	ws->owns_fd = owns_fd;
	ws->on_message = cb;
	ws->arg = arg;
	ws->options = options;
	ws->is_client = is_client != 0;
	ws->holds = 1;
	ws->max = MESSAGE_MAX_DEFAULT;
	ws->close_code = 1006;
	ws->in_server.close = close_with_server;
	(void)evtimer_assign(&ws->close_timer, base, on_close_time, ws);
	evi_deferred_init(&ws->deferred, event_base_get_npriorities(base) / 2, on_deferred, ws);
	if (prepare_threads(ws) < 0) {
		destroy(ws);
		return NULL;
	}
	return ws;
}

void evi_ws_open(struct evws_connection *ws)
{
	evi_ws_set_state(ws, EVI_WS_OPEN);
	bufferevent_setwatermark(ws->bev, EV_READ, 0, INPUT_MAX);
	bufferevent_setcb(ws->bev, on_read, on_write, on_event, ws);
	(void)bufferevent_enable(ws->bev, EV_READ | EV_WRITE);
	(void)evi_deferred_schedule(ws->base, &ws->deferred);
}

/* --- The API -------------------------------------------------------------------------------- */

void evws_connection_free(struct evws_connection *evws)
{
	evi_ws_end(evws);
}

void evws_connection_set_closecb(struct evws_connection *evws, ws_on_close_cb cb, void *arg)
{
	evws->on_close = cb;
	evws->close_arg = arg;
}

struct bufferevent *evws_connection_get_bufferevent(struct evws_connection *evws)
{
	return evws->bev;
}

void evws_connection_set_max_message(struct evws_connection *evws, size_t bytes)
{
	evws->max = bytes;
}

int evws_connection_get_close_code(const struct evws_connection *evws)
{
	return (int)evws->close_code;
}
