/* SPDX-License-Identifier: BSD-3-Clause */
/* TLS engine: making TLS bufferevents, and what can be asked of them. */

#include "tls/tls.h"

#include <errno.h>

#define KNOWN_FLAGS (BUFFEREVENT_SSL_DIRTY_SHUTDOWN | BUFFEREVENT_SSL_BATCH_WRITE)

/* Who gave the object up with BEV_OPT_CLOSE_ON_FREE does not get it back. */
static struct bufferevent *give_up(const struct evi_tls_ops *ops, void *object, int options)
{
	if (object != NULL && (options & BEV_OPT_CLOSE_ON_FREE))
		ops->free(object);
	return NULL;
}

/* --- The object ------------------------------------------------------------------------------- */

void evi_tls_let_go(struct evi_tls *tls)
{
	struct bufferevent *bev = tls->bev;
	void *object = tls->object;

	if (object == NULL || tls->is_in_call)
		return;
	tls->object = NULL;
	/* Who has freed the bufferevent does not hear of what a call that was under way moves. */
	bev->input->flags &= (uint16_t)~EVI_BUF_TELLS_GROWTH;
	bev->output->flags &= (uint16_t)~EVI_BUF_TELLS_LOSS;
	if (evi_bev_options(bev) & BEV_OPT_CLOSE_ON_FREE)
		tls->ops->free(object);
	else
		tls->ops->release(object, evi_bev_transport(bev) != NULL ? EVUTIL_INVALID_SOCKET
									   : evi_bev_fd(bev));
}

/* The bufferevent with its engine, not yet on any transport; NULL with the object untouched. */
static struct bufferevent *make(const struct bufferevent_ops *type, struct event_base *base,
				const struct evi_tls_ops *ops, enum bufferevent_ssl_state state,
				int options)
{
	struct bufferevent *bev = evi_bev_new(type, base, options, sizeof(struct evi_tls));
	struct evi_tls *tls;

	if (bev == NULL)
		return NULL;
	tls = evi_bev_data(bev);
	tls->bev = bev;
	tls->ops = ops;
	tls->role = state;
	evi_tls_handshake_init(tls);
	return bev;
}

/* From here on the engine has the object, unless this fails. */
static int take_object(struct bufferevent *bev, void *object)
{
	struct evi_tls *tls = evi_bev_data(bev);
	int err = tls->ops->attach(object, tls);

	if (err < 0)
		return err;
	tls->object = object;
	err = evi_tls_restart(tls);
	if (err < 0) {
		tls->ops->release(object, EVUTIL_INVALID_SOCKET);
		tls->object = NULL;
	}
	return err;
}

struct bufferevent *evi_tls_socket_new(struct event_base *base, evutil_socket_t fd,
				       const struct evi_tls_ops *ops, void *object,
				       enum bufferevent_ssl_state state, int options)
{
	struct bufferevent *bev;

	if (object == NULL)
		return NULL;
	bev = make(&evi_tls_socket_ops, base, ops, state, options);
	if (bev == NULL)
		return give_up(ops, object, options);
	if (take_object(bev, object) < 0) {
		bufferevent_free(bev);
		return give_up(ops, object, options);
	}
	if (fd >= 0) {
		evi_bev_adopt_fd(bev, fd);
		evi_bev_at_round_end(bev);
	}
	return bev;
}

struct bufferevent *evi_tls_filter_new(struct event_base *base, struct bufferevent *underlying,
				       const struct evi_tls_ops *ops, void *object,
				       enum bufferevent_ssl_state state, int options)
{
	struct bufferevent *bev;

	if (object == NULL)
		return NULL;
	if (underlying == NULL || (base != NULL && base != bufferevent_get_base(underlying)))
		return give_up(ops, object, options);
	bev = make(&evi_tls_filter_ops, bufferevent_get_base(underlying), ops, state, options);
	if (bev == NULL)
		return give_up(ops, object, options);
	if (take_object(bev, object) < 0) {
		bufferevent_free(bev);
		return give_up(ops, object, options);
	}
	if (evi_bev_wrap(bev, underlying) < 0) {
		bufferevent_free(bev); /* lets the object go as well */
		return NULL;
	}
	bufferevent_setwatermark(underlying, EV_READ, 0, 0);
	evi_bev_at_round_end(bev);
	return bev;
}

void *evi_tls_object(struct bufferevent *bev, const struct evi_tls_ops *ops)
{
	struct evi_tls *tls = evi_tls_of(bev);

	return tls != NULL && tls->ops == ops ? tls->object : NULL;
}

void evi_tls_note_error(struct evi_tls *tls, unsigned long code)
{
	if (code != 0 && tls->error_count < EVI_TLS_ERRORS_MAX)
		tls->errors[tls->error_count++] = code;
}

unsigned long evi_tls_take_error(struct bufferevent *bev)
{
	struct evi_tls *tls = evi_tls_of(bev);
	unsigned long code = 0;

	if (tls == NULL)
		return 0;
	evi_bev_enter(bev);
	if (tls->error_count > 0)
		code = tls->errors[--tls->error_count];
	evi_bev_leave(bev);
	return code;
}

unsigned long evi_tls_describe_error(struct bufferevent *bev, char *text, size_t size)
{
	struct evi_tls *tls = evi_tls_of(bev);
	unsigned long code = 0;

	if (tls == NULL)
		return 0;
	evi_bev_enter(bev);
	if (tls->error_count > 0 && tls->object != NULL) {
		code = tls->errors[tls->error_count - 1];
		tls->ops->describe(tls->object, code, text, size);
	}
	evi_bev_leave(bev);
	return code;
}

static int may_finish(const struct evi_tls *tls)
{
	return evi_tls_is_running(tls) && !tls->is_shaking && !tls->is_in_call &&
	       tls->renegotiation == EVI_TLS_SETTLED && evbuffer_get_length(tls->bev->output) == 0;
}

int bufferevent_ssl_shutdown(struct bufferevent *bev)
{
	struct evi_tls *tls = evi_tls_of(bev);
	int err = -EINVAL;

	if (tls == NULL)
		return -1;
	evi_bev_enter(bev);
	if (may_finish(tls)) {
		evi_tls_call_begin(tls);
		err = tls->ops->finish(tls->object);
		evi_tls_call_end(tls);
		evi_tls_charge(tls);
	}
	evi_bev_leave(bev);
	return err < 0 ? -1 : 0;
}

static int may_renegotiate(const struct evi_tls *tls)
{
	return evi_tls_is_running(tls) && !tls->is_shaking && !tls->is_renegotiation_due &&
	       tls->renegotiation == EVI_TLS_SETTLED && tls->ops->can_renegotiate(tls->object);
}

int evi_tls_renegotiate(struct bufferevent *bev)
{
	struct evi_tls *tls = evi_tls_of(bev);
	int result = -1;

	if (tls == NULL)
		return -1;
	evi_bev_enter(bev);
	if (may_renegotiate(tls)) {
		tls->is_renegotiation_due = 1;
		evi_bev_at_round_end(bev);
		result = 0;
	}
	evi_bev_leave(bev);
	return result;
}

/* --- Flags ------------------------------------------------------------------------------------ */

#define NO_FLAGS EV_UINT64_MAX

ev_uint64_t bufferevent_ssl_get_flags(struct bufferevent *bev)
{
	struct evi_tls *tls = evi_tls_of(bev);
	ev_uint64_t flags;

	if (tls == NULL)
		return NO_FLAGS;
	evi_bev_enter(bev);
	flags = tls->flags;
	evi_bev_leave(bev);
	return flags;
}

/* Sets and clears bits; the flags before, or all ones. */
static ev_uint64_t change_flags(struct bufferevent *bev, ev_uint64_t set, ev_uint64_t clear)
{
	struct evi_tls *tls = evi_tls_of(bev);
	ev_uint64_t old;

	if (tls == NULL || ((set | clear) & KNOWN_FLAGS) == 0)
		return NO_FLAGS;
	evi_bev_enter(bev);
	old = tls->flags;
	tls->flags = ((old | set) & ~clear) & KNOWN_FLAGS;
	evi_bev_leave(bev);
	return old;
}

ev_uint64_t bufferevent_ssl_set_flags(struct bufferevent *bev, ev_uint64_t flags)
{
	return change_flags(bev, flags, 0);
}

ev_uint64_t bufferevent_ssl_clear_flags(struct bufferevent *bev, ev_uint64_t flags)
{
	return change_flags(bev, 0, flags);
}
