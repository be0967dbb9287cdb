/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bufferevent: which directions run.
 *
 * A direction is active while the user has enabled it and nothing holds it back. All that changes
 * either goes through here, and the type hears of the edges: start() and stop().
 */

#include "bufferevent.h"

#define BOTH (EV_READ | EV_WRITE)

short evi_bev_active(const struct bufferevent *bev, short directions)
{
	return evi_bev_moves(evi_bev_of(bev), directions);
}

static void stop(struct evi_bev *b, short directions)
{
	if (directions != 0 && b->pub.be_ops->stop != NULL)
		b->pub.be_ops->stop(&b->pub, directions);
}

static int start(struct evi_bev *b, short directions, enum evi_bev_cause cause)
{
	if (directions == 0 || b->pub.be_ops->start == NULL)
		return 0;
	return b->pub.be_ops->start(&b->pub, directions, cause);
}

void evi_bev_start(struct evi_bev *b, short directions, enum evi_bev_cause cause)
{
	short what = BEV_EVENT_ERROR;
	int err = start(b, directions, cause);

	if (err >= 0)
		return;
	if (directions & EV_READ)
		what |= BEV_EVENT_READING;
	if (directions & EV_WRITE)
		what |= BEV_EVENT_WRITING;
	evi_bev_disable(&b->pub, directions);
	evi_bev_notify_event(&b->pub, what, -err, BEV_TRIG_DEFER_CALLBACKS);
}

void evi_bev_hold(struct bufferevent *bev, short directions, unsigned reason)
{
	struct evi_bev *b = evi_bev_of(bev);
	short before = evi_bev_active(bev, directions);

	if (directions & EV_READ)
		b->held_read |= (uint8_t)reason;
	if (directions & EV_WRITE)
		b->held_write |= (uint8_t)reason;
	stop(b, before & ~evi_bev_active(bev, directions));
}

void evi_bev_release(struct evi_bev *b, short directions, unsigned reason,
		     enum evi_bev_cause cause)
{
	short before = evi_bev_active(&b->pub, directions);

	if (directions & EV_READ)
		b->held_read &= (uint8_t)~reason;
	if (directions & EV_WRITE)
		b->held_write &= (uint8_t)~reason;
	evi_bev_start(b, evi_bev_active(&b->pub, directions) & ~before, cause);
}

void evi_bev_unhold(struct bufferevent *bev, short directions, unsigned reason)
{
	evi_bev_release(evi_bev_of(bev), directions, reason, EVI_BEV_RESUMED);
}

/* What waits on all the same, a connection attempt or a handshake, does so without timeout. */
void evi_bev_disable(struct bufferevent *bev, short directions)
{
	short before = evi_bev_active(bev, directions);

	bev->enabled &= ~(directions & BOTH);
	stop(evi_bev_of(bev), before);
	(void)evi_bev_rearm(evi_bev_of(bev), directions); /* takes away, which cannot fail */
}

/* --- The API ---------------------------------------------------------------------------------- */

static int enable(struct evi_bev *b, short directions)
{
	short added = directions & BOTH & ~b->pub.enabled;
	int err;

	b->pub.enabled |= directions & BOTH;
	err = start(b, evi_bev_active(&b->pub, directions), EVI_BEV_ENABLED);
	if (err < 0) {
		evi_bev_disable(&b->pub, added);
		return err;
	}
	if (b->flags & EVI_BEV_IS_CONNECTING)
		return evi_bev_rearm(b, directions & EV_WRITE);
	return 0;
}

int bufferevent_enable(struct bufferevent *bev, short event)
{
	int err;

	evi_bev_enter(bev);
	err = enable(evi_bev_of(bev), event);
	evi_bev_leave(bev);
	return err < 0 ? -1 : 0;
}

int bufferevent_disable(struct bufferevent *bev, short event)
{
	evi_bev_enter(bev);
	evi_bev_disable(bev, event);
	evi_bev_leave(bev);
	return 0;
}

short bufferevent_get_enabled(struct bufferevent *bev)
{
	short enabled;

	evi_bev_enter(bev);
	enabled = bev->enabled;
	evi_bev_leave(bev);
	return enabled;
}
