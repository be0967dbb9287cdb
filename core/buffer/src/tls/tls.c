/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS engine: the operations of the two bufferevent types, and what a turn does.
 *
 * Whatever happens ends in run(), which does all that can be done now, in one order: the first
 * handshake or a new one, reading, writing, and then the waits for what is left.
 */

#include "tls/tls.h"

#include <errno.h>

#define BOTH (EV_READ | EV_WRITE)

/* How often one turn reads and writes. */
#define BURSTS_PER_TURN 16

struct evi_tls *evi_tls_of(struct bufferevent *bev)
{
	if (!evi_bev_is(bev, &evi_tls_socket_ops) && !evi_bev_is(bev, &evi_tls_filter_ops))
		return NULL;
	return evi_bev_data(bev);
}

static struct evi_tls *tls_of(struct bufferevent *bev)
{
	return evi_bev_data(bev);
}

/*
 * What the read callback has answered goes out while it is warm. Only small pieces that the user
 * wants in one record wait for the end of the round, for what others may add.
 */
static int may_answer(const struct evi_tls *tls)
{
	if (tls->is_blocked || tls->write_wants_read)
		return 0;
	return !(tls->flags & BUFFEREVENT_SSL_BATCH_WRITE) ||
	       evi_evbuffer_len(tls->bev->output) >= EVI_TLS_RECORD_MAX;
}

/* Reads and writes in turn, for a while: a fast sender does not keep others waiting. */
static void move(struct evi_tls *tls, int may_read, int may_write)
{
	for (int burst = 0; burst < BURSTS_PER_TURN; burst++) {
		if (may_read || tls->has_more) {
			evi_tls_read(tls);
			may_write |= may_answer(tls);
		}
		if (may_write)
			evi_tls_write(tls);
		if (!tls->has_more || tls->is_blocked || !evi_tls_active(tls, EV_READ))
			break;
		may_read = may_write = 0;
	}
}

/* A TLS library is not entered twice: who calls from inside is served at the end of the round. */
static void run(struct evi_tls *tls, int may_read, int may_write)
{
	if (!evi_tls_is_running(tls))
		return;
	if (tls->is_in_call || tls->is_in_turn) {
		evi_bev_at_round_end(tls->bev);
		return;
	}
	if (tls->is_shaking) {
		evi_tls_shake(tls);
		return;
	}
	tls->is_in_turn = 1;
	if (tls->is_renegotiation_due || tls->renegotiation != EVI_TLS_SETTLED)
		evi_tls_advance(tls);
	move(tls, may_read, may_write);
	tls->is_in_turn = 0;
	evi_tls_update_waits(tls);
	if (evi_tls_has_work(tls))
		evi_bev_at_round_end(tls->bev);
}

static void readable(struct bufferevent *bev)
{
	struct evi_tls *tls = tls_of(bev);

	tls->is_drained = 0;
	run(tls, 1, tls->write_wants_read);
}

static void writable(struct bufferevent *bev)
{
	struct evi_tls *tls = tls_of(bev);

	run(tls, tls->read_wants_write, 1);
}

static void output_grew(struct bufferevent *bev)
{
	struct evi_tls *tls = tls_of(bev);

	if (!tls->is_shaking && !tls->is_failed && !tls->is_blocked && !tls->is_in_turn)
		evi_bev_at_round_end(bev);
}

/* The object may hold bytes from before; only a read can tell. */
static int start(struct bufferevent *bev, short directions, enum evi_bev_cause cause)
{
	struct evi_tls *tls = tls_of(bev);

	if (tls->is_failed)
		return 0;
	if (directions & EV_READ)
		tls->has_more = 1;
	if (cause == EVI_BEV_ENABLED)
		tls->is_paused = 0;
	evi_bev_at_round_end(bev);
	evi_tls_update_waits(tls);
	return cause == EVI_BEV_ENABLED ? evi_bev_wait(bev, evi_bev_waits(bev, BOTH)) : 0;
}

static void stop(struct bufferevent *bev, short directions)
{
	struct evi_tls *tls = tls_of(bev);

	(void)directions;
	if (!tls->is_shaking)
		evi_tls_update_waits(tls);
	else if (!evi_bev_active(bev, BOTH))
		evi_bev_unwait(bev, BOTH);
}

static void connected(struct bufferevent *bev)
{
	evi_bev_at_round_end(bev);
}

static void timed_out(struct bufferevent *bev, short direction)
{
	(void)direction;
	evi_tls_pause(tls_of(bev));
}

/* What came before the end is delivered first; reading meets the end by itself. */
static void end_transport(struct evi_tls *tls, int err)
{
	tls->is_transport_ended = 1;
	tls->transport_err = err;
	tls->has_more = 1;
	run(tls, 1, 0);
}

/*
 * A transport that cannot write any more may still have something to read, which it would fetch
 * later. It is told to do so now, as long as that gives anything; its own events may end all
 * meanwhile.
 */
static void read_all_below(struct evi_tls *tls)
{
	struct bufferevent *transport = evi_bev_transport(tls->bev);

	evi_tls_read_rest(tls);
	do {
		tls->has_received = 0;
		if (transport->be_ops->readable != NULL)
			transport->be_ops->readable(transport);
		evi_tls_read_rest(tls);
	} while (tls->has_received && evi_tls_is_running(tls));
}

/* A failure that comes out of a call into the TLS library waits: reading would enter it again. */
static void transport_event(struct bufferevent *bev, short what)
{
	struct evi_tls *tls = tls_of(bev);
	int err = EVUTIL_SOCKET_ERROR();

	if (what & BEV_EVENT_CONNECTED) {
		evi_bev_at_round_end(bev);
	} else if ((what & BEV_EVENT_ERROR) && tls->is_in_call) {
		tls->failure_below = what;
		tls->failure_below_err = err;
		evi_bev_at_round_end(bev);
	} else if (what & BEV_EVENT_EOF) {
		end_transport(tls, 0);
	} else if ((what & BEV_EVENT_ERROR) && (what & BEV_EVENT_READING) &&
		   evi_error_is_reset(err)) {
		end_transport(tls, err);
	} else if (what & BEV_EVENT_ERROR) {
		read_all_below(tls);
		if (!evi_tls_is_running(tls))
			return;
		tls->transport_err = err;
		evi_tls_fail(tls, what);
	} else {
		evi_bev_notify_event(bev, what, err, 0);
	}
}

static void round_end(struct bufferevent *bev)
{
	struct evi_tls *tls = tls_of(bev);
	short failure = tls->failure_below;

	if (failure != 0 && evi_tls_is_running(tls)) {
		tls->failure_below = 0;
		EVUTIL_SET_SOCKET_ERROR(tls->failure_below_err);
		transport_event(bev, failure);
	}
	run(tls, 0, !tls->is_blocked && !tls->write_wants_read);
}

/* Not from inside a call into the TLS library, nor while it frees the object. */
static int may_reset(const struct evi_tls *tls)
{
	return !tls->is_in_call && tls->object != NULL;
}

static int set_fd_of_socket(struct bufferevent *bev, evutil_socket_t fd)
{
	struct evi_tls *tls = tls_of(bev);
	int err = may_reset(tls) ? 0 : -EBUSY;

	if (err == 0 && tls->role == BUFFEREVENT_SSL_OPEN)
		err = tls->ops->reset(tls->object, tls->role);
	if (err == 0)
		err = evi_tls_restart(tls);
	if (err == 0)
		err = evi_bev_set_fd(bev, fd);
	if (err == 0 && fd >= 0)
		evi_bev_at_round_end(bev);
	return err;
}

/* -1 leaves the transport's descriptor where it is. */
static int set_fd_of_filter(struct bufferevent *bev, evutil_socket_t fd)
{
	struct evi_tls *tls = tls_of(bev);
	int err = may_reset(tls) ? evi_tls_restart(tls) : -EBUSY;

	if (err < 0 || fd < 0)
		return err;
	if (bufferevent_setfd(evi_bev_transport(bev), fd) < 0)
		return -EINVAL;
	evi_bev_at_round_end(bev);
	return 0;
}

static int flush(struct bufferevent *bev, short directions, enum bufferevent_flush_mode mode)
{
	(void)bev;
	(void)directions;
	(void)mode;
	return 0;
}

static void detach(struct bufferevent *bev)
{
	struct evi_tls *tls = tls_of(bev);

	evi_tls_handshake_done(tls);
	evi_tls_let_go(tls);
}

const struct bufferevent_ops evi_tls_socket_ops = {
	.name = "bufferevent_tls_socket",
	.traits = EVI_BEV_DESCRIPTOR,
	.start = start,
	.stop = stop,
	.output_grew = output_grew,
	.round_end = round_end,
	.readable = readable,
	.writable = writable,
	.timed_out = timed_out,
	.connected = connected,
	.set_fd = set_fd_of_socket,
	.flush = flush,
	.detach = detach,
};

const struct bufferevent_ops evi_tls_filter_ops = {
	.name = "bufferevent_tls_filter",
	.start = start,
	.stop = stop,
	.output_grew = output_grew,
	.round_end = round_end,
	.readable = readable,
	.writable = writable,
	.timed_out = timed_out,
	.transport_event = transport_event,
	.set_fd = set_fd_of_filter,
	.flush = flush,
	.detach = detach,
};
