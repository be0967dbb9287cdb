/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bufferevent: telling the user, at once or from the loop.
 *
 * A notification whose callback is not set is dropped at once. A pending one is kept as bits, so
 * that several causes become one call, and finds the callbacks that are set when it runs.
 */

#include "bufferevent.h"

/* Runs `call` without the lock if the user asked for that; callbacks of wrappers need it. */
static int must_unlock(const struct evi_bev *b)
{
	return (b->options & BEV_OPT_UNLOCK_CALLBACKS) && !evi_bev_is_wrapper_cb(&b->pub);
}

static void call_data(struct evi_bev *b, bufferevent_data_cb cb)
{
	void *arg = b->pub.cbarg;
	int unlocked = must_unlock(b);

	if (cb == NULL)
		return;
	if (unlocked)
		evi_unlock(b->input.lock);
	cb(&b->pub, arg);
	if (unlocked)
		evi_lock(b->input.lock);
}

static void call_event(struct evi_bev *b, short what, int err)
{
	bufferevent_event_cb cb = b->pub.errorcb;
	void *arg = b->pub.cbarg;
	int unlocked = must_unlock(b);

	if (cb == NULL)
		return;
	if (unlocked)
		evi_unlock(b->input.lock);
	EVUTIL_SET_SOCKET_ERROR(err);
	cb(&b->pub, what, arg);
	if (unlocked)
		evi_lock(b->input.lock);
}

static void schedule(struct evi_bev *b)
{
	(void)evi_deferred_schedule(b->pub.ev_base, &b->deferred);
}

/*
 * A callback that took something, but left the input at or over the high mark, is called again:
 * nothing new can arrive to cause that. One that took nothing will not take anything next time
 * either.
 */
static void call_read(struct evi_bev *b)
{
	size_t before = b->input.len, high;

	call_data(b, b->pub.readcb);
	if (b->input.len == 0)
		evi_evbuffer_trim(&b->input); /* an idle connection holds no memory */
	high = b->pub.wm_read.high;
	if (high == 0 || b->input.len < high || b->input.len >= before ||
	    !(b->pub.enabled & EV_READ) || b->pub.readcb == NULL)
		return;
	b->pending_data |= EV_READ;
	schedule(b);
}

void evi_bev_deferred_run(struct evi_deferred *deferred, void *arg)
{
	struct evi_bev *b = arg;
	short events, data;
	int err;

	(void)deferred;
	if (!evi_bev_try_enter(b))
		return;
	events = b->pending_events;
	data = b->pending_data;
	err = b->pending_error;
	b->pending_events = b->pending_data = 0;
	if (events & BEV_EVENT_CONNECTED)
		call_event(b, BEV_EVENT_CONNECTED, 0);
	if (data & EV_READ)
		call_read(b);
	if (data & EV_WRITE)
		call_data(b, b->pub.writecb);
	if (events & ~BEV_EVENT_CONNECTED)
		call_event(b, (short)(events & ~BEV_EVENT_CONNECTED), err);
	evi_bev_leave(&b->pub);
}

static int must_defer(const struct evi_bev *b, int options)
{
	return ((b->options | options) & BEV_OPT_DEFER_CALLBACKS) != 0;
}

/* The directions whose callback is set and whose low mark allows it. */
static short due(const struct evi_bev *b, short directions, int options)
{
	int any = options & BEV_TRIG_IGNORE_WATERMARKS;
	short result = 0;

	if ((directions & EV_READ) && b->pub.readcb != NULL &&
	    (any || b->input.len >= b->pub.wm_read.low))
		result |= EV_READ;
	if ((directions & EV_WRITE) && b->pub.writecb != NULL &&
	    (any || b->output.len <= b->pub.wm_write.low))
		result |= EV_WRITE;
	return result;
}

void evi_bev_notify(struct bufferevent *bev, short directions, int options)
{
	struct evi_bev *b = evi_bev_of(bev);
	short now = due(b, directions, options);

	if (now == 0)
		return;
	if (must_defer(b, options)) {
		b->pending_data |= now;
		schedule(b);
		return;
	}
	if (now & EV_READ)
		call_read(b);
	if (now & EV_WRITE)
		call_data(b, b->pub.writecb);
}

void evi_bev_notify_event(struct bufferevent *bev, short what, int err, int options)
{
	struct evi_bev *b = evi_bev_of(bev);

	if (b->pub.errorcb == NULL)
		return;
	if (!must_defer(b, options)) {
		call_event(b, what, err);
		return;
	}
	b->pending_events |= what;
	if (err != 0)
		b->pending_error = err;
	schedule(b);
}

void evi_bev_fail(struct bufferevent *bev, short what, int err)
{
	short directions = 0;

	if (what & BEV_EVENT_READING)
		directions |= EV_READ;
	if (what & BEV_EVENT_WRITING)
		directions |= EV_WRITE;
	evi_bev_disable(bev, directions);
	evi_bev_notify_event(bev, what, err, 0);
}

/* --- The API ---------------------------------------------------------------------------------- */

void bufferevent_setcb(struct bufferevent *bev, bufferevent_data_cb readcb,
		       bufferevent_data_cb writecb, bufferevent_event_cb eventcb, void *cbarg)
{
	evi_bev_enter(bev);
	bev->readcb = readcb;
	bev->writecb = writecb;
	bev->errorcb = eventcb;
	bev->cbarg = cbarg;
	evi_bev_leave(bev);
}

void bufferevent_getcb(struct bufferevent *bev, bufferevent_data_cb *readcb_ptr,
		       bufferevent_data_cb *writecb_ptr, bufferevent_event_cb *eventcb_ptr,
		       void **cbarg_ptr)
{
	evi_bev_enter(bev);
	if (readcb_ptr != NULL)
		*readcb_ptr = bev->readcb;
	if (writecb_ptr != NULL)
		*writecb_ptr = bev->writecb;
	if (eventcb_ptr != NULL)
		*eventcb_ptr = bev->errorcb;
	if (cbarg_ptr != NULL)
		*cbarg_ptr = bev->cbarg;
	evi_bev_leave(bev);
}

void bufferevent_trigger(struct bufferevent *bev, short iotype, int options)
{
	evi_bev_enter(bev);
	evi_bev_notify(bev, iotype, options);
	evi_bev_leave(bev);
}

/* The user's own event carries no error, so the socket error stays what it is. */
void bufferevent_trigger_event(struct bufferevent *bev, short what, int options)
{
	evi_bev_enter(bev);
	evi_bev_notify_event(bev, what, EVUTIL_SOCKET_ERROR(), options);
	evi_bev_leave(bev);
}
