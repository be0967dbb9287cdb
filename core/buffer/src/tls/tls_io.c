/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS engine: data.
 *
 * Bytes are decrypted straight into the input's own memory and encrypted from the output's. One
 * burst is bounded; what it leaves goes on later in the turn or at the end of the round, so that
 * nothing recurses however fast the transport answers, and a fast sender does not keep others
 * waiting.
 */

#include "evbuffer.h"
#include "tls/tls.h"

#include <errno.h>

#define RECORD_MAX EVI_TLS_RECORD_MAX

/* What is moved in one direction before the other has its turn. */
#define BURST_MAX (4 * RECORD_MAX)

/* What the kernel is asked to encrypt at once. */
#define FILE_MAX (16 * RECORD_MAX)

/* --- Reading ---------------------------------------------------------------------------------- */

static enum evi_tls_result decrypt(struct evi_tls *tls, struct evbuffer_iovec *space)
{
	enum evi_tls_result result;
	size_t len = 0;

	evi_tls_call_begin(tls);
	result = tls->ops->read(tls, tls->object, space->iov_base, space->iov_len, &len);
	evi_tls_call_end(tls);
	space->iov_len = len;
	return result;
}

static enum evi_tls_result read_piece(struct evi_tls *tls, size_t max, size_t *ret_len)
{
	struct evbuffer *input = tls->bev->input;
	struct evbuffer_iovec space;
	enum evi_tls_result result;

	evi_evbuffer_unfreeze(input, EVI_BUF_FROZEN_END);
	if (evbuffer_reserve_space(input, (ev_ssize_t)(max < RECORD_MAX ? max : RECORD_MAX), &space,
				   1) == 1) {
		if (space.iov_len > max)
			space.iov_len = max;
		result = decrypt(tls, &space);
		if (result == EVI_TLS_OK) {
			*ret_len = space.iov_len;
			(void)evbuffer_commit_space(input, &space, 1);
		}
	} else {
		tls->transport_err = ENOMEM;
		result = EVI_TLS_FAILED;
	}
	evi_evbuffer_freeze(input, EVI_BUF_FROZEN_END);
	return result;
}

/* After a small message, mostly: the object need not be asked, nor memory be kept ready for it. */
static int has_run_dry(const struct evi_tls *tls)
{
	return evi_tls_is_running(tls) && !evi_tls_may_recv(tls) &&
	       tls->renegotiation == EVI_TLS_SETTLED && !tls->ops->holds_bytes(tls->object);
}

/* Until the object has no more, or what one turn may take is reached. */
static enum evi_tls_result read_burst(struct evi_tls *tls, size_t *ret_total)
{
	size_t room = evi_bev_room(tls->bev, EV_READ);
	size_t left = room < BURST_MAX ? room : BURST_MAX;
	enum evi_tls_result result = EVI_TLS_OK;

	*ret_total = 0;
	while (left > 0 && result == EVI_TLS_OK && evi_tls_active(tls, EV_READ)) {
		size_t len = 0;

		result = read_piece(tls, left, &len);
		*ret_total += len;
		left -= len < left ? len : left;
		if (result == EVI_TLS_OK && has_run_dry(tls))
			result = EVI_TLS_WANT_READ;
	}
	return result;
}

static void end_read(struct evi_tls *tls, enum evi_tls_result result)
{
	if (result == EVI_TLS_CLOSED) {
		tls->is_read_closed = 1;
		evi_bev_fail(tls->bev, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
	} else if (result == EVI_TLS_FAILED) {
		evi_tls_fail_read(tls);
	}
}

static int may_read(const struct evi_tls *tls)
{
	return evi_tls_is_running(tls) && !tls->is_shaking && !tls->is_read_closed;
}

void evi_tls_read(struct evi_tls *tls)
{
	enum evi_tls_result result;
	size_t total;

	if (!may_read(tls) || !evi_tls_active(tls, EV_READ))
		return;
	result = read_burst(tls, &total);
	tls->read_wants_write = result == EVI_TLS_WANT_WRITE;
	tls->has_more = result == EVI_TLS_OK;
	evi_tls_charge(tls);
	evi_tls_watch_renegotiation(tls);
	if (total > 0) {
		evi_bev_progress(tls->bev, EV_READ);
		evi_bev_notify(tls->bev, EV_READ, 0);
	} else {
		evi_evbuffer_trim(tls->bev->input); /* an idle connection holds no memory */
	}
	if (may_read(tls))
		end_read(tls, result);
}

/* What a transport at its end still has is finite, so no turn bounds this; and it may be news. */
void evi_tls_read_rest(struct evi_tls *tls)
{
	tls->is_drained = 0;
	do
		evi_tls_read(tls);
	while (may_read(tls) && tls->has_more && evi_tls_active(tls, EV_READ) &&
	       evi_bev_room(tls->bev, EV_READ) > 0);
}

/* --- Writing ---------------------------------------------------------------------------------- */

/*
 * The bytes of the next record: the first piece of the output, or with BATCH_WRITE a record's
 * worth.
 */
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

static enum evi_tls_result encrypt(struct evi_tls *tls, const void *data, size_t len,
				   size_t *ret_len)
{
	enum evi_tls_result result;

	evi_tls_call_begin(tls);
	result = tls->ops->write(tls, tls->object, data, len, ret_len);
	tls->retry_len = result == EVI_TLS_WANT_READ || result == EVI_TLS_WANT_WRITE ? len : 0;
	evi_tls_call_end(tls);
	return result;
}

/* What is in a file, by the kernel. EVI_TLS_OK with 0 bytes: that is not the case, or it cannot. */
static enum evi_tls_result send_file(struct evi_tls *tls, size_t max, size_t *ret_len)
{
	struct evi_file_range range;
	enum evi_tls_result result;

	if (tls->ops->send_file == NULL || tls->retry_len > 0 ||
	    !evi_evbuffer_front_file(tls->bev->output, &range))
		return EVI_TLS_OK;
	if (range.len > max)
		range.len = max;
	if (range.len > FILE_MAX)
		range.len = FILE_MAX;
	evi_tls_call_begin(tls);
	result = tls->ops->send_file(tls, tls->object, range.fd, range.offset, range.len, ret_len);
	evi_tls_call_end(tls);
	return result;
}

static enum evi_tls_result encrypt_piece(struct evi_tls *tls, size_t max, size_t *ret_len)
{
	size_t len = 0;
	const void *data = next_piece(tls, max, &len);

	if (data != NULL && len > 0)
		return encrypt(tls, data, len, ret_len);
	tls->transport_err = ENOMEM;
	return EVI_TLS_FAILED;
}

static enum evi_tls_result write_piece(struct evi_tls *tls, size_t max, size_t *ret_len)
{
	struct evbuffer *output = tls->bev->output;
	enum evi_tls_result result;

	evi_evbuffer_unfreeze(output, EVI_BUF_FROZEN_FRONT);
	result = send_file(tls, max, ret_len);
	if (result == EVI_TLS_OK && *ret_len == 0)
		result = encrypt_piece(tls, max, ret_len);
	if (result == EVI_TLS_OK)
		(void)evbuffer_drain(output, *ret_len);
	evi_evbuffer_freeze(output, EVI_BUF_FROZEN_FRONT);
	return result;
}

/* Bytes that must be repeated go first, even if a new handshake is to come. */
static int may_encrypt(const struct evi_tls *tls)
{
	if (!evi_tls_active(tls, EV_WRITE) || evi_evbuffer_len(tls->bev->output) == 0)
		return 0;
	return tls->retry_len > 0 ||
	       (!tls->is_renegotiation_due && tls->renegotiation != EVI_TLS_UNDER_WAY);
}

static enum evi_tls_result write_burst(struct evi_tls *tls, size_t *ret_total)
{
	size_t room = evi_bev_room(tls->bev, EV_WRITE);
	enum evi_tls_result result = EVI_TLS_OK;

	*ret_total = 0;
	while (result == EVI_TLS_OK && *ret_total < BURST_MAX && tls->sent < room &&
	       may_encrypt(tls)) {
		size_t len = 0;

		result = write_piece(tls, room - tls->sent, &len);
		*ret_total += len;
	}
	return result;
}

/* A peer that takes no more may have sent something before. */
static void end_write(struct evi_tls *tls, enum evi_tls_result result)
{
	if (result != EVI_TLS_FAILED && result != EVI_TLS_CLOSED)
		return;
	if (tls->transport_err != 0)
		evi_tls_read_rest(tls);
	if (evi_tls_is_running(tls))
		evi_tls_fail(tls, BEV_EVENT_WRITING | BEV_EVENT_ERROR);
}

void evi_tls_write(struct evi_tls *tls)
{
	enum evi_tls_result result;
	size_t total;

	if (!evi_tls_is_running(tls) || tls->is_shaking || !may_encrypt(tls))
		return;
	result = write_burst(tls, &total);
	tls->write_wants_read = result == EVI_TLS_WANT_READ;
	tls->is_blocked = result == EVI_TLS_WANT_WRITE;
	evi_tls_charge(tls);
	if (result != EVI_TLS_OK || tls->renegotiation != EVI_TLS_SETTLED)
		evi_tls_watch_renegotiation(tls);
	if (total > 0) {
		evi_bev_progress(tls->bev, EV_WRITE);
		evi_bev_notify(tls->bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
	}
	if (evi_tls_is_running(tls) && !tls->is_shaking)
		end_write(tls, result);
}

int evi_tls_has_work(const struct evi_tls *tls)
{
	if (!evi_tls_is_running(tls) || tls->is_shaking)
		return 0;
	return (tls->has_more && !tls->is_read_closed && evi_tls_active(tls, EV_READ)) ||
	       (!tls->is_blocked && !tls->write_wants_read && may_encrypt(tls));
}
