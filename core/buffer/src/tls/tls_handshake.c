/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS engine: handshakes.
 *
 * The first one runs alone, before any data. It has the time of the read timeout as a whole,
 * however often the peer sends a byte: no data has been read for that long.
 *
 * A new one on a connection that stands (TLS 1.2) is driven by reading, because data that the peer
 * has sent before it knew of the handshake may be in the way of its messages. While nothing may be
 * read, evi_tls_advance() drives it as far as the next data. Nothing is written meanwhile.
 */

#include "tls/tls.h"

#define BOTH      (EV_READ | EV_WRITE)
#define NS_PER_S  1000000000u
#define NS_PER_US 1000u
#define US_PER_S  1000000u

/* --- The deadline ----------------------------------------------------------------------------- */

static const struct timeval *time_allowed(const struct evi_tls *tls)
{
	const struct bufferevent *bev = tls->bev;

	return (bev->enabled & EV_READ) && evutil_timerisset(&bev->timeout_read)
		       ? &bev->timeout_read
		       : NULL;
}

static ev_uint64_t time_left_ns(const struct evi_tls *tls, const struct timeval *allowed)
{
	ev_uint64_t spent = evi_base_now_ns(tls->bev->ev_base) - tls->shake_start_ns;
	ev_uint64_t all =
		(ev_uint64_t)allowed->tv_sec * NS_PER_S + (ev_uint64_t)allowed->tv_usec * NS_PER_US;

	return spent < all ? all - spent : 0;
}

static void set_deadline(struct evi_tls *tls)
{
	const struct timeval *allowed = time_allowed(tls);
	struct timeval left;
	ev_uint64_t left_us;

	if (tls->shake_start_ns == 0)
		tls->shake_start_ns = evi_base_now_ns(tls->bev->ev_base);
	if (allowed == NULL || event_pending(&tls->deadline, EV_TIMEOUT, NULL))
		return;
	left_us = (time_left_ns(tls, allowed) + NS_PER_US - 1) / NS_PER_US;
	left.tv_sec = (long)(left_us / US_PER_S);
	left.tv_usec = (long)(left_us % US_PER_S);
	/* without memory the timeout of each wait remains */
	(void)event_add(&tls->deadline, &left);
}

static void clear_deadline(struct evi_tls *tls)
{
	tls->shake_start_ns = 0;
	(void)event_del_noblock(&tls->deadline); /* fails only without a base */
}

/* What has arrived in time counts, though the timer was seen first. */
static void check_deadline(struct evi_tls *tls)
{
	const struct timeval *allowed;

	evi_tls_shake(tls);
	if (!evi_bev_is_alive(tls->bev) || !tls->is_shaking || tls->is_paused)
		return;
	allowed = time_allowed(tls);
	if (allowed == NULL || time_left_ns(tls, allowed) > 0)
		return;
	evi_tls_pause(tls);
	evi_bev_fail(tls->bev, BEV_EVENT_TIMEOUT | BEV_EVENT_READING, 0);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct bufferevent *bev = arg;
	struct evi_tls *tls = evi_bev_data(bev);

	(void)fd;
	(void)what;
	if (!evi_bev_try_enter(evi_bev_of(bev)))
		return;
	check_deadline(tls);
	evi_bev_leave(bev);
}

void evi_tls_handshake_init(struct evi_tls *tls)
{
	event_assign(&tls->deadline, tls->bev->ev_base, -1, EV_FINALIZE, on_deadline, tls->bev);
}

void evi_tls_handshake_done(struct evi_tls *tls)
{
	clear_deadline(tls);
}

/* --- The first handshake ---------------------------------------------------------------------- */

static int reset(struct evi_tls *tls)
{
	int err;

	evi_tls_call_begin(tls);
	err = tls->ops->reset(tls->object, tls->role);
	evi_tls_call_end(tls);
	return err;
}

int evi_tls_restart(struct evi_tls *tls)
{
	clear_deadline(tls);
	tls->is_paused = 0;
	tls->read_wants_write = tls->write_wants_read = 0;
	tls->is_blocked = tls->has_more = tls->is_drained = 0;
	tls->is_read_closed = tls->is_failed = tls->is_transport_ended = 0;
	tls->is_renegotiation_due = tls->is_renegotiation_ours = 0;
	tls->renegotiation = EVI_TLS_SETTLED;
	tls->advance_waits = 0;
	tls->retry_len = 0;
	tls->transport_err = 0;
	tls->failure_below = 0;
	tls->error_count = 0;
	tls->is_shaking = tls->role != BUFFEREVENT_SSL_OPEN;
	return tls->is_shaking ? reset(tls) : 0;
}

static int transport_stands(const struct evi_tls *tls)
{
	return evi_bev_transport(tls->bev) != NULL || evi_bev_fd(tls->bev) >= 0;
}

/* Data may have come with the last bytes, or was queued before. */
static void finish(struct evi_tls *tls)
{
	clear_deadline(tls);
	tls->is_shaking = 0;
	tls->has_more = 1;
	evi_bev_unwait(tls->bev, BOTH);
	evi_bev_at_round_end(tls->bev);
	evi_bev_notify_event(tls->bev, BEV_EVENT_CONNECTED, 0, 0);
	evi_tls_update_waits(tls);
}

static void fail_handshake(struct evi_tls *tls)
{
	clear_deadline(tls);
	evi_tls_fail_read(tls);
}

static void wait_for(struct evi_tls *tls, short direction)
{
	evi_bev_unwait(tls->bev, (short)(BOTH & ~direction));
	if (!evi_bev_waits(tls->bev, direction))
		evi_tls_wait(tls, direction);
}

void evi_tls_shake(struct evi_tls *tls)
{
	enum evi_tls_result result;

	if (!tls->is_shaking || tls->is_paused || !evi_tls_is_running(tls) ||
	    !evi_tls_active(tls, BOTH) || !transport_stands(tls))
		return;
	set_deadline(tls);
	evi_tls_call_begin(tls);
	result = tls->ops->handshake(tls, tls->object);
	evi_tls_call_end(tls);
	evi_tls_charge(tls);
	if (!evi_tls_is_running(tls))
		return;
	if (result == EVI_TLS_OK)
		finish(tls);
	else if (result == EVI_TLS_WANT_READ)
		wait_for(tls, EV_READ);
	else if (result == EVI_TLS_WANT_WRITE)
		wait_for(tls, EV_WRITE);
	else
		fail_handshake(tls);
}

void evi_tls_pause(struct evi_tls *tls)
{
	if (!tls->is_shaking)
		return;
	clear_deadline(tls);
	tls->is_paused = 1;
	evi_bev_unwait(tls->bev, BOTH);
}

/* --- Renegotiation ---------------------------------------------------------------------------- */

static void begin(struct evi_tls *tls)
{
	int err;

	tls->is_renegotiation_due = 0;
	evi_tls_call_begin(tls);
	err = tls->ops->renegotiate(tls->object);
	evi_tls_call_end(tls);
	evi_tls_charge(tls);
	if (!evi_tls_is_running(tls))
		return;
	if (err < 0) {
		evi_tls_fail(tls, BEV_EVENT_READING | BEV_EVENT_ERROR);
		return;
	}
	tls->is_renegotiation_ours = 1;
	tls->has_more = 1;
	tls->renegotiation = tls->ops->renegotiation(tls->object);
}

void evi_tls_advance(struct evi_tls *tls)
{
	enum evi_tls_result result;

	tls->advance_waits = 0;
	if (tls->is_renegotiation_due && tls->retry_len == 0)
		begin(tls);
	if (!evi_tls_is_running(tls) || tls->renegotiation == EVI_TLS_SETTLED ||
	    evi_tls_active(tls, BOTH) != EV_WRITE)
		return;
	evi_tls_call_begin(tls);
	result = tls->ops->advance(tls, tls->object);
	evi_tls_call_end(tls);
	evi_tls_charge(tls);
	if (result == EVI_TLS_WANT_READ)
		tls->advance_waits = EV_READ;
	else if (result == EVI_TLS_WANT_WRITE)
		tls->advance_waits = EV_WRITE;
	else if (result == EVI_TLS_FAILED && evi_tls_is_running(tls))
		evi_tls_fail_read(tls);
	evi_tls_watch_renegotiation(tls);
}

void evi_tls_watch_renegotiation(struct evi_tls *tls)
{
	enum evi_tls_renegotiation before = tls->renegotiation;

	if (!evi_tls_is_running(tls))
		return;
	tls->renegotiation = tls->ops->renegotiation(tls->object);
	if (before == EVI_TLS_SETTLED || tls->renegotiation != EVI_TLS_SETTLED)
		return;
	tls->advance_waits = 0;
	evi_bev_at_round_end(tls->bev); /* for what was not written meanwhile */
	if (tls->is_renegotiation_ours) {
		tls->is_renegotiation_ours = 0;
		evi_bev_notify_event(tls->bev, BEV_EVENT_CONNECTED, 0, 0);
	}
}
