/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bufferevent: waiting for the descriptor and for timeouts.
 *
 * A direction waits between evi_bev_wait() and evi_bev_unwait(). What its event is then added for
 * is decided in one place, evi_bev_arm(): the descriptor if there is one, the timeout if it runs.
 */

#include "bufferevent.h"

static struct event *event_of(struct evi_bev *b, short direction)
{
	return direction == EV_READ ? &b->pub.ev_read : &b->pub.ev_write;
}

/* A connection attempt is watched by the write timeout although nothing may be written yet. */
static int timeout_runs(const struct evi_bev *b, short direction)
{
	if (direction == EV_WRITE && (b->flags & EVI_BEV_IS_CONNECTING))
		return (b->pub.enabled & EV_WRITE) != 0;
	return evi_bev_active(&b->pub, direction) != 0;
}

static const struct timeval *timeout_of(const struct evi_bev *b, short direction)
{
	const struct timeval *tv =
		direction == EV_READ ? &b->pub.timeout_read : &b->pub.timeout_write;

	return evutil_timerisset(tv) && timeout_runs(b, direction) ? tv : NULL;
}

static int watches(const struct event *ev)
{
	return (event_get_events(ev) & (EV_READ | EV_WRITE)) != 0;
}

/* Without descriptor and timeout nothing can happen, so nothing keeps the loop alive. */
int evi_bev_arm(struct evi_bev *b, short direction)
{
	struct event *ev = event_of(b, direction);
	const struct timeval *timeout = timeout_of(b, direction);

	if (timeout == NULL && !watches(ev))
		return event_del(ev) < 0 ? -EINVAL : 0;
	if (timeout == NULL && event_pending(ev, EV_TIMEOUT, NULL))
		(void)event_remove_timer(ev); /* fails only without a base */
	if (event_add(ev, timeout) == 0)
		return 0;
	(void)event_del(ev);
	return errno != 0 ? -errno : -ENOMEM;
}

void evi_bev_assign(struct evi_bev *b, evutil_socket_t fd)
{
	struct event_base *base = b->pub.ev_base;
	int is_watched = fd >= 0 && !(b->flags & EVI_BEV_IS_UNWATCHED);
	short flags = EV_PERSIST | EV_FINALIZE;

	event_assign(&b->pub.ev_read, base, fd, is_watched ? (short)(flags | EV_READ) : flags,
		     evi_bev_on_read, b);
	event_assign(&b->pub.ev_write, base, fd, is_watched ? (short)(flags | EV_WRITE) : flags,
		     evi_bev_on_write, b);
	if (event_get_priority(&b->pub.ev_read) == b->priority)
		return; /* the middle one, which every new event has */
	event_priority_set(&b->pub.ev_read, b->priority);
	event_priority_set(&b->pub.ev_write, b->priority);
}

int evi_bev_rearm(struct evi_bev *b, short directions)
{
	static const short each[] = { EV_READ, EV_WRITE };
	int result = 0;

	for (int i = 0; i < 2; i++) {
		int err = 0;

		if (directions & b->waits & each[i])
			err = evi_bev_arm(b, each[i]);
		if (err < 0)
			result = err;
	}
	return result;
}

/* --- The events ------------------------------------------------------------------------------- */

static int has_timed_out(short what)
{
	return (what & EV_TIMEOUT) && !(what & (EV_READ | EV_WRITE));
}

/* The attempt goes on: only the direction, and with it the timeout, is over. */
static void time_out(struct evi_bev *b, short direction)
{
	short flag = direction == EV_READ ? BEV_EVENT_READING : BEV_EVENT_WRITING;

	if (!(b->pub.enabled & direction))
		return;
	if (b->pub.be_ops->timed_out != NULL && !(b->flags & EVI_BEV_IS_CONNECTING))
		b->pub.be_ops->timed_out(&b->pub, direction);
	evi_bev_fail(&b->pub, (short)(BEV_EVENT_TIMEOUT | flag), 0);
}

void evi_bev_on_read(evutil_socket_t fd, short what, void *arg)
{
	struct evi_bev *b = arg;

	(void)fd;
	if (!evi_bev_try_enter(b))
		return;
	if (!(b->waits & EV_READ))
		; /* another thread has just stopped it */
	else if (has_timed_out(what))
		time_out(b, EV_READ);
	else if (b->pub.be_ops->readable != NULL)
		b->pub.be_ops->readable(&b->pub);
	evi_bev_leave(&b->pub);
}

void evi_bev_on_write(evutil_socket_t fd, short what, void *arg)
{
	struct evi_bev *b = arg;

	(void)fd;
	if (!evi_bev_try_enter(b))
		return;
	if (!(b->waits & EV_WRITE))
		; /* likewise */
	else if (has_timed_out(what))
		time_out(b, EV_WRITE);
	else if (b->flags & EVI_BEV_IS_CONNECTING)
		evi_bev_connect_ready(b);
	else if (b->pub.be_ops->writable != NULL)
		b->pub.be_ops->writable(&b->pub);
	evi_bev_leave(&b->pub);
}

/* --- The component interface ------------------------------------------------------------------ */

int evi_bev_wait(struct bufferevent *bev, short directions)
{
	struct evi_bev *b = evi_bev_of(bev);
	int err;

	b->waits |= directions & (EV_READ | EV_WRITE);
	err = evi_bev_rearm(b, directions);
	if (err < 0)
		evi_bev_unwait(bev, directions);
	return err;
}

void evi_bev_unwait(struct bufferevent *bev, short directions)
{
	struct evi_bev *b = evi_bev_of(bev);
	short ended = b->waits & directions;

	b->waits &= (short)~directions;
	if (ended & EV_READ)
		(void)event_del_noblock(&bev->ev_read); /* fails only without a base */
	if (ended & EV_WRITE)
		(void)event_del_noblock(&bev->ev_write);
}

short evi_bev_waits(const struct bufferevent *bev, short directions)
{
	return evi_bev_of(bev)->waits & directions;
}

void evi_bev_progress(struct bufferevent *bev, short directions)
{
	struct evi_bev *b = evi_bev_of(bev);

	if (!evutil_timerisset(&bev->timeout_read))
		directions &= ~EV_READ;
	if (!evutil_timerisset(&bev->timeout_write))
		directions &= ~EV_WRITE;
	if (b->waits & directions)
		(void)evi_bev_rearm(b, directions); /* what was added stays added */
}

void evi_bev_at_round_end(struct bufferevent *bev)
{
	(void)evi_round_end_schedule(bev->ev_base, &evi_bev_of(bev)->round_end);
}

/* --- The API ---------------------------------------------------------------------------------- */

static void set_timeout(struct timeval *timeout, const struct timeval *wanted)
{
	if (wanted != NULL)
		*timeout = *wanted;
	else
		evutil_timerclear(timeout);
}

int bufferevent_set_timeouts(struct bufferevent *bev, const struct timeval *timeout_read,
			     const struct timeval *timeout_write)
{
	int err;

	evi_bev_enter(bev);
	set_timeout(&bev->timeout_read, timeout_read);
	set_timeout(&bev->timeout_write, timeout_write);
	err = evi_bev_rearm(evi_bev_of(bev), EV_READ | EV_WRITE);
	evi_bev_leave(bev);
	return err < 0 ? -1 : 0;
}
