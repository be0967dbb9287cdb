/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bufferevent: one put over another.
 *
 * The outer one holds a reference to the inner one, its transport, until it is destroyed, and is
 * the argument of the transport's three callbacks. They run with the lock held, which the two
 * share, so that the outer one cannot go while they are on their way.
 */

#include "bufferevent.h"

#define BOTH (EV_READ | EV_WRITE)

static void on_transport_read(struct bufferevent *transport, void *arg)
{
	struct bufferevent *bev = arg;

	(void)transport;
	evi_bev_enter(bev);
	if (bev->be_ops->readable != NULL)
		bev->be_ops->readable(bev);
	evi_bev_leave(bev);
}

static void on_transport_write(struct bufferevent *transport, void *arg)
{
	struct bufferevent *bev = arg;

	(void)transport;
	evi_bev_enter(bev);
	if (bev->be_ops->writable != NULL)
		bev->be_ops->writable(bev);
	evi_bev_leave(bev);
}

static void on_transport_event(struct bufferevent *transport, short what, void *arg)
{
	struct bufferevent *bev = arg;
	int err = EVUTIL_SOCKET_ERROR();

	(void)transport;
	evi_bev_enter(bev);
	if (bev->be_ops->transport_event != NULL) {
		EVUTIL_SET_SOCKET_ERROR(err);
		bev->be_ops->transport_event(bev, what);
	} else {
		evi_bev_notify_event(bev, what, err, 0);
	}
	evi_bev_leave(bev);
}

int evi_bev_is_wrapper_cb(const struct bufferevent *bev)
{
	return bev->errorcb == on_transport_event;
}

/*
 * What works on each other without a call in between has one lock: the ends of a pair, and all
 * below.
 */
static void give_lock(struct evi_bev *b, struct evi_bev_lock *shared)
{
	for (; b != NULL && b->shared != shared; b = b->transport) {
		struct bufferevent *partner = bufferevent_pair_get_partner(&b->pub);

		evi_bev_use_lock(b, shared);
		if (partner != NULL)
			evi_bev_use_lock(evi_bev_of(partner), shared);
	}
}

/* The lock that the two will share: the transport's, or else the one that `b` may have. */
static void share_lock(struct evi_bev *b, struct evi_bev *transport)
{
	if (transport->shared != NULL)
		evi_bev_use_lock(b, transport->shared);
	else if (b->shared != NULL)
		give_lock(transport, b->shared);
}

int evi_bev_wrap(struct bufferevent *bev, struct bufferevent *transport)
{
	struct evi_bev *b = evi_bev_of(bev), *t = evi_bev_of(transport);
	int err;

	share_lock(b, t);
	evi_bev_enter(transport);
	evi_bev_hold(transport, EV_READ, EVI_BEV_HELD_WRAPPER);
	b->transport = t;
	evi_bev_ref(t);
	bufferevent_setcb(transport, on_transport_read, on_transport_write, on_transport_event,
			  bev);
	transport->enabled |= BOTH;
	err = 0;
	evi_bev_start(t, evi_bev_active(transport, EV_WRITE), EVI_BEV_RESUMED);
	evi_bev_leave(transport);
	return err;
}

struct bufferevent *evi_bev_transport(const struct bufferevent *bev)
{
	struct evi_bev *transport = evi_bev_of(bev)->transport;

	return transport != NULL ? &transport->pub : NULL;
}

void evi_bev_transport_read(struct bufferevent *bev, int wanted)
{
	struct evi_bev *transport = evi_bev_of(bev)->transport;

	if (!evi_bev_is_alive(bev))
		return; /* it has been let go, and may have another around it */
	evi_bev_enter(&transport->pub);
	if (wanted)
		evi_bev_unhold(&transport->pub, EV_READ, EVI_BEV_HELD_WRAPPER);
	else
		evi_bev_hold(&transport->pub, EV_READ, EVI_BEV_HELD_WRAPPER);
	evi_bev_leave(&transport->pub);
}

/* The reference stays until `b` is destroyed: the type may still refer to the transport. */
void evi_bev_unwrap(struct evi_bev *b)
{
	struct bufferevent *transport;

	if (b->transport == NULL)
		return;
	transport = &b->transport->pub;
	evi_bev_enter(transport);
	if (evi_bev_is_wrapper_cb(transport) && transport->cbarg == &b->pub)
		bufferevent_setcb(transport, NULL, NULL, NULL, NULL);
	evi_bev_unhold(transport, EV_READ, EVI_BEV_HELD_WRAPPER);
	if (b->options & BEV_OPT_CLOSE_ON_FREE)
		bufferevent_free(transport);
	evi_bev_leave(transport);
}

/* --- The API ---------------------------------------------------------------------------------- */

struct bufferevent *bufferevent_get_underlying(struct bufferevent *bev)
{
	return evi_bev_transport(bev);
}
