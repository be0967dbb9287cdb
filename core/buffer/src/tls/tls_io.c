/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS engine: data.
 *
 * Bytes are decrypted straight into the input's own memory and encrypted from the output's. One
 * burst is bounded; what it leaves goes on later in the turn or at the end of the round, so that
 * nothing recurses however fast the transport answers, and a fast sender does not keep others
 * waiting.
 */

#include "evbuffer/store.h"
#include "tls/tls.h"

#include <errno.h>

#define RECORD_MAX EVI_TLS_RECORD_MAX

/*
 * What is moved in one direction before the other has its turn: one record while more is to be
 * read, so that it is answered and its memory used again at once, which measures faster than four.
 */
#define READ_MAX RECORD_MAX
#define WRITE_MAX (4 * RECORD_MAX)

/* So many bytes are rather copied to what the input has than given a chain of their own. */
#define COPY_MAX 2048

/* What the kernel is asked to encrypt at once. */
#define FILE_MAX (16 * RECORD_MAX)

/* --- Reading ---------------------------------------------------------------------------------- */

static enum evi_tls_result decrypt(struct evi_tls *tls, void *data, size_t len, size_t *ret_len)
{
	enum evi_tls_result result;

	evi_tls_call_begin(tls);
	result = tls->ops->read(tls, tls->object, data, len, ret_len);
	evi_tls_call_end(tls);
	return result;
}

/* After a small message, mostly: the object need not be asked, nor memory be kept ready for it. */
static int has_run_dry(const struct evi_tls *tls)
{
	return evi_tls_is_running(tls) && !evi_tls_may_recv(tls) &&
	       tls->renegotiation == EVI_TLS_SETTLED && !tls->ops->holds_bytes(tls->object);
}

/* Until the object has no more, or `left` bytes, for which there is room, have come. */
static enum evi_tls_result fill(struct evi_tls *tls, struct evi_chain *chain, size_t left)
{
	enum evi_tls_result result;

	do {
		size_t len = 0;

		result = decrypt(tls, evi_chain_tail(chain), left, &len);
		chain->len += len;
		chain->room -= len;
		left -= len;
		if (result == EVI_TLS_OK && has_run_dry(tls))
			result = EVI_TLS_WANT_READ;
	} while (left > 0 && result == EVI_TLS_OK && evi_tls_active(tls, EV_READ));
	return result;
}

/* A few bytes need not keep all the room they were read into. */
static void deliver(struct evbuffer *input, struct evi_chain *chain)
{
	const struct evi_chain *last = input->last;
	size_t len = chain->len;

	if (last != NULL && len <= COPY_MAX && len <= last->room) {
		(void)evi_store_append(input, chain->data, len); /* there is room for it */
		evi_store_retire(input, chain);
	} else {
		evi_store_link(input, chain);
	}
	evi_evbuffer_notify(input, len, 0);
}

/*
 * Into a chain that is in no buffer meanwhile: who is called back by the TLS library cannot take
 * it away, move it, or write to it.
 */
static enum evi_tls_result read_burst(struct evi_tls *tls, size_t *ret_total)
{
	struct evbuffer *input = tls->bev->input;
	size_t room = evi_bev_room(tls->bev, EV_READ);
	size_t left = room < READ_MAX ? room : READ_MAX;
	enum evi_tls_result result;
	struct evi_chain *chain;

	*ret_total = 0;
	if (left == 0)
		return EVI_TLS_OK;
	if (evi_store_spare(input, left) < 0) {
		tls->transport_err = ENOMEM;
		return EVI_TLS_FAILED;
	}
	chain = input->spare;
	input->spare = NULL;
	result = fill(tls, chain, left);
	*ret_total = chain->len;
	if (chain->len > 0)
		deliver(input, chain);
	else
		evi_store_retire(input, chain);
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
	struct evbuffer_iovec piece;

	if (max > RECORD_MAX)
		max = RECORD_MAX;
	if (tls->retry_len > 0 || (tls->flags & BUFFEREVENT_SSL_BATCH_WRITE)) {
		*ret_len = tls->retry_len > 0 ? tls->retry_len : len < max ? len : max;
		return evbuffer_pullup(output, (ev_ssize_t)*ret_len);
	}
	if (!(output->flags & EVI_BUF_UNLOADED))
		piece = (struct evbuffer_iovec){ output->first->data, output->first->len };
	else if (evbuffer_peek(output, 1, NULL, &piece, 1) < 1)
		return NULL;
	*ret_len = piece.iov_len < max ? piece.iov_len : max;
	return piece.iov_base;
}

/*
 * The first chain, which holds the bytes, is in no buffer meanwhile: who is called back can neither
 * move nor release it, and gets nothing before it.
 */
static enum evi_tls_result encrypt(struct evi_tls *tls, const void *data, size_t len,
				   size_t *ret_len)
{
	struct evbuffer *output = tls->bev->output;
	struct evi_chain *chain = evi_store_take_first(output);
	enum evi_tls_result result;

	evi_tls_call_begin(tls);
	result = tls->ops->write(tls, tls->object, data, len, ret_len);
	tls->retry_len = result == EVI_TLS_WANT_READ || result == EVI_TLS_WANT_WRITE ? len : 0;
	evi_tls_call_end(tls);
	evi_store_put_first(output, chain);
	return result;
}

/* What is in a file, by the kernel. EVI_TLS_OK with 0 bytes: that is not the case, or it cannot. */
static enum evi_tls_result send_file(struct evi_tls *tls, size_t max, size_t *ret_len)
{
	struct evbuffer *output = tls->bev->output;
	struct evi_file_range range;
	enum evi_tls_result result;
	struct evi_chain *chain;

	if (tls->ops->send_file == NULL || tls->retry_len > 0 ||
	    !evi_evbuffer_front_file(output, &range))
		return EVI_TLS_OK;
	if (range.len > max)
		range.len = max;
	if (range.len > FILE_MAX)
		range.len = FILE_MAX;
	chain = evi_store_take_first(output);
	evi_tls_call_begin(tls);
	result = tls->ops->send_file(tls, tls->object, range.fd, range.offset, range.len, ret_len);
	evi_tls_call_end(tls);
	evi_store_put_first(output, chain);
	output->flags |= EVI_BUF_UNLOADED;
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

	result = send_file(tls, max, ret_len);
	if (result == EVI_TLS_OK && *ret_len == 0)
		result = encrypt_piece(tls, max, ret_len);
	if (result == EVI_TLS_OK) {
		evi_store_drop(output, *ret_len);
		evi_evbuffer_notify(output, 0, *ret_len);
	}
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
	size_t max = tls->has_more && evi_tls_active(tls, EV_READ) ? READ_MAX : WRITE_MAX;
	enum evi_tls_result result = EVI_TLS_OK;

	*ret_total = 0;
	while (result == EVI_TLS_OK && *ret_total < max && tls->sent < room &&
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
