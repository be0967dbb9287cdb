/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS engine: when to shake hands, read, write and report.
 *
 * The handshake and every operation that could run again and again go through the end of the round,
 * so nothing recurses however fast the transport answers. A read or write that the TLS library cannot
 * do before the transport did something in the other direction waits for exactly that.
 */

#include "evbuffer.h"
#include "tls/tls.h"

#include <errno.h>

#define BOTH (EV_READ | EV_WRITE)

/* The largest piece of data in one record: RFC 8446 section 5.1. */
#define RECORD_MAX 16384

/* Decrypted bytes taken per turn, so that a fast sender does not keep others waiting. */
#define BURST_MAX (4 * RECORD_MAX)

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

void evi_tls_note_error(struct evi_tls *tls, unsigned long code)
{
	if (code != 0 && tls->error_count < EVI_TLS_ERRORS_MAX)
		tls->errors[tls->error_count++] = code;
}

int evi_tls_restart(struct evi_tls *tls)
{
	tls->is_paused = 0;
	tls->read_wants_write = tls->write_wants_read = 0;
	tls->is_blocked = tls->has_more = 0;
	tls->is_read_closed = tls->is_failed = tls->is_transport_ended = 0;
	tls->retry_len = 0;
	tls->transport_err = 0;
	tls->error_count = 0;
	tls->is_shaking = tls->role != BUFFEREVENT_SSL_OPEN;
	return tls->is_shaking ? tls->ops->reset(tls->object, tls->role) : 0;
}

/* --- Reporting ------------------------------------------------------------------------------------- */

/* Everything is over: one event, and nothing moves or waits any more. */
static void fail(struct evi_tls *tls, short what)
{
	int err = tls->transport_err;

	tls->is_failed = tls->is_read_closed = 1;
	tls->is_shaking = 0;
	evi_bev_unwait(tls->bev, BOTH);
	evi_bev_disable(tls->bev, BOTH);
	evi_bev_notify_event(tls->bev, what, err, 0);
}

/* The transport has ended without the peer's goodbye: an error, unless the user takes that for an end. */
static void report_read_failure(struct evi_tls *tls)
{
	int is_end = tls->is_transport_ended && (tls->flags & BUFFEREVENT_SSL_DIRTY_SHUTDOWN);

	fail(tls, BEV_EVENT_READING | (is_end ? BEV_EVENT_EOF : BEV_EVENT_ERROR));
}

static void report_close(struct evi_tls *tls)
{
	tls->is_read_closed = 1;
	evi_bev_fail(tls->bev, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
}

/* --- Waiting --------------------------------------------------------------------------------------- */

static void wait_for(struct evi_tls *tls, short directions)
{
	int err;

	if ((directions & EV_READ) && evi_bev_transport(tls->bev) != NULL)
		evi_bev_transport_read(tls->bev, 1);
	err = evi_bev_wait(tls->bev, directions);
	if (err < 0) {
		tls->transport_err = -err;
		fail(tls, BEV_EVENT_ERROR | (directions & EV_READ ? BEV_EVENT_READING : BEV_EVENT_WRITING));
	}
}

/* What the connection waits for now, in both directions, no more and no less. */
static void update_waits(struct evi_tls *tls)
{
	struct bufferevent *bev = tls->bev;
	int has_output = evi_evbuffer_len(bev->output) > 0;
	short wanted = 0;

	if (tls->is_failed || tls->is_shaking)
		return;
	if (evi_bev_active(bev, EV_READ) && !tls->is_read_closed)
		wanted |= tls->read_wants_write ? EV_WRITE | EV_READ : EV_READ;
	if (evi_bev_active(bev, EV_WRITE) && has_output && tls->write_wants_read)
		wanted |= EV_READ;
	if (evi_bev_active(bev, EV_WRITE) && has_output && tls->is_blocked)
		wanted |= EV_WRITE;
	evi_bev_unwait(bev, (short)(BOTH & ~wanted));
	if (wanted & ~evi_bev_waits(bev, BOTH))
		wait_for(tls, (short)(wanted & ~evi_bev_waits(bev, BOTH)));
	if (!(wanted & EV_READ) && evi_bev_transport(bev) != NULL)
		evi_bev_transport_read(bev, 0);
}

/* --- Handshake ------------------------------------------------------------------------------------- */

static int transport_stands(struct evi_tls *tls)
{
	return evi_bev_transport(tls->bev) != NULL || evi_bev_fd(tls->bev) >= 0;
}

static void finish_handshake(struct evi_tls *tls)
{
	tls->is_shaking = 0;
	tls->has_more = 1; /* data may have come with the last bytes */
	evi_bev_unwait(tls->bev, BOTH);
	evi_bev_at_round_end(tls->bev);
	evi_bev_notify_event(tls->bev, BEV_EVENT_CONNECTED, 0, 0);
	if (evi_bev_is_alive(tls->bev) && !tls->is_shaking)
		update_waits(tls);
}

static void wait_in_handshake(struct evi_tls *tls, short direction)
{
	evi_bev_unwait(tls->bev, (short)(BOTH & ~direction));
	if (!evi_bev_waits(tls->bev, direction))
		wait_for(tls, direction);
}

static void shake(struct evi_tls *tls)
{
	enum evi_tls_result result;

	if (!evi_bev_active(tls->bev, BOTH) || !transport_stands(tls) || tls->is_failed || tls->is_paused)
		return;
	result = tls->ops->handshake(tls, tls->object);
	evi_tls_charge(tls);
	switch (result) {
	case EVI_TLS_OK:
		finish_handshake(tls);
		return;
	case EVI_TLS_WANT_READ:
		wait_in_handshake(tls, EV_READ);
		return;
	case EVI_TLS_WANT_WRITE:
		wait_in_handshake(tls, EV_WRITE);
		return;
	case EVI_TLS_CLOSED:
	case EVI_TLS_FAILED:
		report_read_failure(tls);
		return;
	}
}

/* --- Reading --------------------------------------------------------------------------------------- */

/* Decrypts straight into the input's own memory. */
static enum evi_tls_result read_piece(struct evi_tls *tls, size_t max, size_t *ret_len)
{
	struct evbuffer *input = tls->bev->input;
	struct evbuffer_iovec space;
	enum evi_tls_result result = EVI_TLS_FAILED;

	evi_evbuffer_unfreeze(input, EVI_BUF_FROZEN_END);
	if (evbuffer_reserve_space(input, (ev_ssize_t)(max < RECORD_MAX ? max : RECORD_MAX), &space, 1) == 1) {
		if (space.iov_len > max)
			space.iov_len = max;
		result = tls->ops->read(tls, tls->object, space.iov_base, space.iov_len, ret_len);
		if (result == EVI_TLS_OK) {
			space.iov_len = *ret_len;
			(void)evbuffer_commit_space(input, &space, 1);
		}
	} else {
		tls->transport_err = ENOMEM;
	}
	evi_evbuffer_freeze(input, EVI_BUF_FROZEN_END);
	return result;
}

/* Until the object has no more, or what one turn may take is reached. */
static enum evi_tls_result read_burst(struct evi_tls *tls, size_t *ret_total)
{
	size_t room = evi_bev_room(tls->bev, EV_READ);
	size_t left = room < BURST_MAX ? room : BURST_MAX;
	enum evi_tls_result result = EVI_TLS_OK;

	*ret_total = 0;
	while (left > 0 && result == EVI_TLS_OK) {
		size_t len = 0;

		result = read_piece(tls, left, &len);
		if (result == EVI_TLS_OK) {
			*ret_total += len;
			left -= len < left ? len : left;
		}
	}
	return result;
}

static void end_read(struct evi_tls *tls, enum evi_tls_result result)
{
	if (result == EVI_TLS_CLOSED)
		report_close(tls);
	else if (result == EVI_TLS_FAILED)
		report_read_failure(tls);
}

static void do_read(struct evi_tls *tls)
{
	struct bufferevent *bev = tls->bev;
	enum evi_tls_result result;
	size_t total;

	if (!evi_bev_active(bev, EV_READ) || tls->is_read_closed || tls->is_failed)
		return;
	result = read_burst(tls, &total);
	tls->read_wants_write = result == EVI_TLS_WANT_WRITE;
	tls->has_more = result == EVI_TLS_OK;
	evi_tls_charge(tls);
	if (total > 0) {
		evi_bev_progress(bev, EV_READ);
		evi_bev_notify(bev, EV_READ, 0);
	}
	if (!evi_bev_is_alive(bev) || tls->is_shaking || tls->is_failed)
		return;
	end_read(tls, result);
	if (tls->has_more && evi_bev_active(bev, EV_READ))
		evi_bev_at_round_end(bev);
}

/* --- Writing --------------------------------------------------------------------------------------- */

/* The bytes of the next record: the first piece of the output, or with BATCH_WRITE a record's worth. */
static const void *next_piece(struct evi_tls *tls, size_t max, size_t *ret_len)
{
	struct evbuffer *output = tls->bev->output;
	size_t len = evi_evbuffer_len(output);
	struct evbuffer_iovec piece = { NULL, 0 };

	if (max > RECORD_MAX)
		max = RECORD_MAX;
	if (tls->retry_len > 0 || (tls->flags & BUFFEREVENT_SSL_BATCH_WRITE)) {
		*ret_len = tls->retry_len > 0 ? tls->retry_len : len < max ? len : max;
		return evbuffer_pullup(output, (ev_ssize_t)*ret_len);
	}
	if (evbuffer_peek(output, 1, NULL, &piece, 1) < 1)
		return NULL;
	*ret_len = piece.iov_len < max ? piece.iov_len : max;
	return piece.iov_base;
}

static enum evi_tls_result write_piece(struct evi_tls *tls, size_t max, size_t *ret_len)
{
	struct evbuffer *output = tls->bev->output;
	enum evi_tls_result result = EVI_TLS_FAILED;
	const void *data;
	size_t len = 0;

	evi_evbuffer_unfreeze(output, EVI_BUF_FROZEN_FRONT);
	data = next_piece(tls, max, &len);
	if (data != NULL && len > 0) {
		result = tls->ops->write(tls, tls->object, data, len, ret_len);
		tls->retry_len = result == EVI_TLS_WANT_READ || result == EVI_TLS_WANT_WRITE ? len : 0;
		if (result == EVI_TLS_OK)
			(void)evbuffer_drain(output, *ret_len);
	} else {
		tls->transport_err = ENOMEM;
	}
	evi_evbuffer_freeze(output, EVI_BUF_FROZEN_FRONT);
	return result;
}

static enum evi_tls_result write_burst(struct evi_tls *tls, size_t *ret_total)
{
	size_t room = evi_bev_room(tls->bev, EV_WRITE);
	enum evi_tls_result result = EVI_TLS_OK;

	*ret_total = 0;
	while (evi_evbuffer_len(tls->bev->output) > 0 && result == EVI_TLS_OK && *ret_total < BURST_MAX &&
	       tls->sent < room) {
		size_t len = 0;

		result = write_piece(tls, room - tls->sent, &len);
		if (result == EVI_TLS_OK)
			*ret_total += len;
	}
	return result;
}

static void do_write(struct evi_tls *tls)
{
	struct bufferevent *bev = tls->bev;
	enum evi_tls_result result;
	size_t total;

	if (!evi_bev_active(bev, EV_WRITE) || tls->is_failed || evi_evbuffer_len(bev->output) == 0)
		return;
	result = write_burst(tls, &total);
	tls->write_wants_read = result == EVI_TLS_WANT_READ;
	tls->is_blocked = result == EVI_TLS_WANT_WRITE;
	evi_tls_charge(tls);
	if (total > 0) {
		evi_bev_progress(bev, EV_WRITE);
		evi_bev_notify(bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
	}
	if (!evi_bev_is_alive(bev) || tls->is_shaking || tls->is_failed)
		return;
	if (result == EVI_TLS_FAILED || result == EVI_TLS_CLOSED)
		fail(tls, BEV_EVENT_WRITING | BEV_EVENT_ERROR);
	else if (result == EVI_TLS_OK && evi_evbuffer_len(bev->output) > 0 && evi_bev_active(bev, EV_WRITE))
		evi_bev_at_round_end(bev);
}

/* --- Operations of the bufferevent ------------------------------------------------------------------ */

static void run(struct evi_tls *tls, int may_read, int may_write)
{
	if (tls->is_shaking) {
		shake(tls);
		return;
	}
	if (may_read)
		do_read(tls);
	if (may_write && evi_bev_is_alive(tls->bev) && !tls->is_shaking)
		do_write(tls);
	if (evi_bev_is_alive(tls->bev))
		update_waits(tls);
}

static void readable(struct bufferevent *bev)
{
	struct evi_tls *tls = tls_of(bev);

	run(tls, 1, tls->write_wants_read);
}

static void writable(struct bufferevent *bev)
{
	struct evi_tls *tls = tls_of(bev);

	run(tls, tls->read_wants_write, 1);
}

static void round_end(struct bufferevent *bev)
{
	struct evi_tls *tls = tls_of(bev);

	run(tls, tls->has_more, !tls->is_blocked && !tls->write_wants_read);
}

static void output_grew(struct bufferevent *bev)
{
	struct evi_tls *tls = tls_of(bev);

	if (!tls->is_shaking && !tls->is_failed && !tls->is_blocked)
		evi_bev_at_round_end(bev);
}

/* The object may hold bytes from before; only a read can tell. */
static int start(struct bufferevent *bev, short directions, enum evi_bev_cause cause)
{
	struct evi_tls *tls = tls_of(bev);

	(void)cause;
	if (tls->is_failed)
		return 0;
	tls->is_paused = 0;
	if (directions & EV_READ)
		tls->has_more = 1;
	evi_bev_at_round_end(bev);
	if (!tls->is_shaking)
		update_waits(tls);
	return 0;
}

static void stop(struct bufferevent *bev, short directions)
{
	struct evi_tls *tls = tls_of(bev);

	(void)directions;
	if (!tls->is_shaking)
		update_waits(tls);
	else if (!evi_bev_active(bev, BOTH))
		evi_bev_unwait(bev, BOTH);
}

static void connected(struct bufferevent *bev)
{
	evi_bev_at_round_end(bev);
}

/* What came before the end is delivered before it is reported; reading meets the end by itself. */
static void transport_event(struct bufferevent *bev, short what)
{
	struct evi_tls *tls = tls_of(bev);
	int err = EVUTIL_SOCKET_ERROR();

	if (what & BEV_EVENT_CONNECTED) {
		evi_bev_at_round_end(bev);
	} else if (what & BEV_EVENT_EOF) {
		tls->is_transport_ended = 1;
		if (tls->is_shaking || tls->read_wants_write || !evi_bev_active(bev, EV_READ))
			evi_bev_at_round_end(bev);
		tls->has_more = 1;
		run(tls, 1, 0);
	} else if (what & BEV_EVENT_ERROR) {
		if (tls->is_failed)
			return;
		if (!tls->is_shaking)
			do_read(tls);
		if (!evi_bev_is_alive(bev) || tls->is_failed)
			return;
		tls->transport_err = err;
		fail(tls, what);
	} else {
		evi_bev_notify_event(bev, what, err, 0);
	}
}

static int set_fd_of_socket(struct bufferevent *bev, evutil_socket_t fd)
{
	struct evi_tls *tls = tls_of(bev);
	int err = evi_tls_restart(tls);

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
	int err = evi_tls_restart(tls);

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

static void destroy(struct bufferevent *bev)
{
	struct evi_tls *tls = tls_of(bev);

	if (tls->object == NULL)
		return;
	if (evi_bev_options(bev) & BEV_OPT_CLOSE_ON_FREE)
		tls->ops->free(tls->object);
	else
		tls->ops->release(tls->object,
				  evi_bev_transport(bev) != NULL ? EVUTIL_INVALID_SOCKET : evi_bev_fd(bev));
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
	.connected = connected,
	.set_fd = set_fd_of_socket,
	.flush = flush,
	.destroy = destroy,
};

const struct bufferevent_ops evi_tls_filter_ops = {
	.name = "bufferevent_tls_filter",
	.start = start,
	.stop = stop,
	.output_grew = output_grew,
	.round_end = round_end,
	.readable = readable,
	.writable = writable,
	.transport_event = transport_event,
	.set_fd = set_fd_of_filter,
	.flush = flush,
	.destroy = destroy,
};
