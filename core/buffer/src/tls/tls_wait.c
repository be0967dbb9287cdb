/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS engine: what a connection waits for, and how it ends.
 *
 * A read or write that the TLS library cannot do before the transport did something in the other
 * direction waits for exactly that.
 */

#include "tls/tls.h"

#define BOTH (EV_READ | EV_WRITE)

void evi_tls_fail(struct evi_tls *tls, short what)
{
	int err = tls->transport_err;

	tls->is_failed = tls->is_read_closed = 1;
	tls->is_shaking = 0;
	evi_bev_unwait(tls->bev, BOTH);
	evi_bev_disable(tls->bev, BOTH);
	evi_bev_notify_event(tls->bev, what, err, 0);
}

/* Without the peer's goodbye every end of the transport is the same, a reset included. */
void evi_tls_fail_read(struct evi_tls *tls)
{
	int is_end = tls->is_transport_ended && (tls->flags & BUFFEREVENT_SSL_DIRTY_SHUTDOWN);

	evi_tls_fail(tls, BEV_EVENT_READING | (is_end ? BEV_EVENT_EOF : BEV_EVENT_ERROR));
}

void evi_tls_wait(struct evi_tls *tls, short directions)
{
	int err;

	if ((directions & EV_READ) && evi_bev_transport(tls->bev) != NULL)
		evi_bev_transport_read(tls->bev, 1);
	err = evi_bev_wait(tls->bev, directions);
	if (err < 0) {
		tls->transport_err = -err;
		evi_tls_fail(tls, BEV_EVENT_ERROR | (directions & EV_READ ? BEV_EVENT_READING
									  : BEV_EVENT_WRITING));
	}
}

static short wanted_by_reading(const struct evi_tls *tls)
{
	if (tls->is_read_closed || !evi_tls_active(tls, EV_READ))
		return 0;
	return tls->read_wants_write ? BOTH : EV_READ;
}

static short wanted_by_writing(const struct evi_tls *tls)
{
	short wanted = 0;

	if (!evi_tls_active(tls, EV_WRITE) || evbuffer_get_length(tls->bev->output) == 0)
		return 0;
	if (tls->write_wants_read)
		wanted |= EV_READ;
	if (tls->is_blocked)
		wanted |= EV_WRITE;
	return wanted;
}

void evi_tls_update_waits(struct evi_tls *tls)
{
	struct bufferevent *bev = tls->bev;
	short wanted, added;

	if (!evi_tls_is_running(tls) || tls->is_shaking)
		return;
	wanted = wanted_by_reading(tls) | wanted_by_writing(tls) | tls->advance_waits;
	added = wanted & ~evi_bev_waits(bev, BOTH);
	evi_bev_unwait(bev, (short)(BOTH & ~wanted));
	if (added != 0)
		evi_tls_wait(tls, added);
	if (!(wanted & EV_READ) && evi_bev_transport(bev) != NULL)
		evi_bev_transport_read(bev, 0);
}
