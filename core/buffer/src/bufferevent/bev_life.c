/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bufferevent: making, locking, references, the end.
 *
 * The end has four steps. bufferevent_free() takes the callbacks away and drops the creator's
 * reference. With the last reference what the user may use on is let go: the transport, a partner,
 * a TLS object; a callback may free a bufferevent and put another in its place. When no call is
 * under way any more, everything that could still run is taken back and the descriptor closed, in
 * whichever thread that is. The memory follows when no scheduled call can be on its way: see
 * bufferevent.h.
 */

#include "bufferevent.h"

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>

#define OPTIONS_KNOWN                                                                              \
	(BEV_OPT_CLOSE_ON_FREE | BEV_OPT_THREADSAFE | BEV_OPT_DEFER_CALLBACKS |                    \
	 BEV_OPT_UNLOCK_CALLBACKS)

/* Where the type's data begins. */
#define DATA_ALIGN  alignof(max_align_t)
#define DATA_OFFSET ((sizeof(struct evi_bev) + DATA_ALIGN - 1) / DATA_ALIGN * DATA_ALIGN)

/* --- The lock --------------------------------------------------------------------------------- */

static struct evi_bev_lock *shared_lock_new(void)
{
	struct evi_bev_lock *shared = evi_malloc(sizeof(*shared));

	if (shared == NULL)
		return NULL;
	shared->lock = evi_lock_new();
	if (shared->lock == NULL) {
		evi_free(shared);
		return NULL;
	}
	atomic_init(&shared->users, 1);
	return shared;
}

struct evi_bev_lock *evi_bev_lock_ref(struct evi_bev_lock *shared)
{
	if (shared != NULL)
		atomic_fetch_add(&shared->users, 1);
	return shared;
}

void evi_bev_lock_unref(struct evi_bev_lock *shared)
{
	if (shared == NULL || atomic_fetch_sub(&shared->users, 1) > 1)
		return;
	evi_lock_free(shared->lock);
	evi_free(shared);
}

static void buffer_use_lock(struct evbuffer *buf, void *lock)
{
	buf->lock = NULL;
	evi_evbuffer_share_lock(buf, lock);
}

void evi_bev_use_lock(struct evi_bev *b, struct evi_bev_lock *shared)
{
	struct evi_bev_lock *old = b->shared;

	b->shared = evi_bev_lock_ref(shared);
	buffer_use_lock(&b->input, shared->lock);
	buffer_use_lock(&b->output, shared->lock);
	evi_bev_lock_unref(old);
}

/* --- The buffers ------------------------------------------------------------------------------ */

static void owner_ref(void *owner)
{
	struct evi_bev *b = owner;

	b->visits++;
}

static void owner_unref(void *owner)
{
	struct evi_bev *b = owner;

	evi_lock(b->input.lock);
	evi_bev_leave(&b->pub);
}

static void tell_output_grew(struct evi_bev *b)
{
	if (b->pub.be_ops->output_grew != NULL && evi_bev_active(&b->pub, EV_WRITE))
		b->pub.be_ops->output_grew(&b->pub);
}

/* Input that grew or shrank while it has a high mark; output that grew. */
static void owner_changed(void *owner, struct evbuffer *buf)
{
	struct evi_bev *b = owner;

	if (b->flags & EVI_BEV_IS_DEAD || (buf == &b->output && b->flags & EVI_BEV_IS_CORKED))
		return;
	evi_bev_enter(&b->pub);
	if (buf == &b->input)
		evi_bev_check_mark(b);
	else
		tell_output_grew(b);
	evi_bev_leave(&b->pub);
}

static const struct evi_evbuffer_owner_ops owner_ops = {
	.ref = owner_ref,
	.unref = owner_unref,
	.changed = owner_changed,
};

void evi_bev_cork(struct evi_bev *b)
{
	assert(!(b->flags & EVI_BEV_IS_CORKED));
	b->flags |= EVI_BEV_IS_CORKED;
}

void evi_bev_uncork(struct evi_bev *b)
{
	b->flags &= (uint8_t)~EVI_BEV_IS_CORKED;
	if (b->output.len > 0 && !(b->flags & EVI_BEV_IS_DEAD))
		tell_output_grew(b);
}

/* --- Making ----------------------------------------------------------------------------------- */

static void on_round_end(struct evi_round_end *task, void *arg)
{
	struct evi_bev *b = arg;

	(void)task;
	if (!evi_bev_try_enter(b))
		return;
	if (b->pub.be_ops->round_end != NULL)
		b->pub.be_ops->round_end(&b->pub);
	evi_bev_leave(&b->pub);
}

static void init_buffers(struct evi_bev *b)
{
	b->pub.input = &b->input;
	b->pub.output = &b->output;
	evi_evbuffer_init(&b->input);
	evi_evbuffer_init(&b->output);
	b->input.max_read = EVI_BEV_SINGLE_DEFAULT;
	evi_evbuffer_set_owner(&b->input, &owner_ops, b);
	evi_evbuffer_set_owner(&b->output, &owner_ops, b);
	evi_evbuffer_set_owner_wants(&b->output, EVI_BUF_OWNER_GROWTH);
	evi_evbuffer_freeze(&b->input, EVI_BUF_FROZEN_END);
	evi_evbuffer_freeze(&b->output, EVI_BUF_FROZEN_FRONT);
}

static int options_are_good(const struct bufferevent_ops *ops, int options)
{
	if (ops->traits & EVI_BEV_ALWAYS_DEFERS)
		options |= BEV_OPT_DEFER_CALLBACKS;
	if (!(options & BEV_OPT_UNLOCK_CALLBACKS) || (options & BEV_OPT_DEFER_CALLBACKS))
		return 1;
	event_warnx("%s: BEV_OPT_UNLOCK_CALLBACKS needs BEV_OPT_DEFER_CALLBACKS", ops->name);
	return 0;
}

static int init_lock(struct evi_bev *b)
{
	if (!(b->options & BEV_OPT_THREADSAFE) || !evi_threading_enabled())
		return 0;
	b->shared = shared_lock_new();
	if (b->shared == NULL)
		return -ENOMEM;
	evi_evbuffer_share_lock(&b->input, b->shared->lock);
	evi_evbuffer_share_lock(&b->output, b->shared->lock);
	return 0;
}

static void release(struct evi_bev *b)
{
	evi_evbuffer_done(&b->input);
	evi_evbuffer_done(&b->output);
	evi_limits_free(b);
	evi_dial_free(b);
	evi_bev_lock_unref(b->shared);
	evi_free(b);
}

struct bufferevent *evi_bev_new(const struct bufferevent_ops *ops, struct event_base *base,
				int options, size_t data_size)
{
	struct evi_bev *b;

	if (base == NULL)
		base = evi_current_base();
	if (base == NULL || !options_are_good(ops, options) ||
	    data_size > SIZE_MAX - DATA_OFFSET)
		return NULL;
	b = evi_calloc(1, DATA_OFFSET + data_size);
	if (b == NULL)
		return NULL;
	b->pub.ev_base = base;
	b->pub.be_ops = ops;
	b->pub.enabled = EV_WRITE;
	b->options = (uint8_t)(options & OPTIONS_KNOWN);
	if (ops->traits & EVI_BEV_ALWAYS_DEFERS)
		b->options |= BEV_OPT_DEFER_CALLBACKS;
	atomic_init(&b->refs, 1);
	init_buffers(b);
	if (init_lock(b) < 0) {
		release(b);
		return NULL;
	}
	b->priority = (uint8_t)(event_base_get_npriorities(base) / 2);
	evi_deferred_init(&b->deferred, b->priority, evi_bev_deferred_run, b);
	evi_round_end_init(&b->round_end, on_round_end, b);
	evi_bev_assign(b, EVUTIL_INVALID_SOCKET);
	return &b->pub;
}

void *evi_bev_data(const struct bufferevent *bev)
{
	return (char *)evi_bev_of(bev) + DATA_OFFSET;
}

int evi_bev_options(const struct bufferevent *bev)
{
	return evi_bev_of(bev)->options;
}

/* --- The end ---------------------------------------------------------------------------------- */

static void destroy(struct evi_bev *b)
{
	struct evi_bev *transport = b->transport;

	if (b->pub.be_ops->destroy != NULL)
		b->pub.be_ops->destroy(&b->pub);
	release(b);
	if (transport != NULL) {
		evi_lock(transport->input.lock);
		(void)evi_bev_unref_unlock(transport);
	}
}

/* A call on one of the buffers may be under way, further up the stack or in another thread. */
static int is_out_of_use(const struct evi_bev *b)
{
	return b->input.refs == 1 && b->output.refs == 1;
}

static void on_finalized(struct event *ev, void *arg)
{
	struct evi_bev *b = arg;
	int may_go;

	evi_lock(b->input.lock);
	may_go = is_out_of_use(b);
	evi_unlock(b->input.lock);
	if (may_go)
		destroy(b);
	else
		(void)event_finalize(0, ev, on_finalized);
}

static void close_descriptor(struct evi_bev *b)
{
	evutil_socket_t fd = event_get_fd(&b->pub.ev_read);

	if (fd < 0)
		return;
	if (b->options & BEV_OPT_CLOSE_ON_FREE)
		(void)evi_base_close_socket(b->pub.ev_base, fd); /* nobody is left to tell */
	evi_bev_assign(b, EVUTIL_INVALID_SOCKET);
}

/* The one visit that never ends lets operations enter and leave without dying again. */
static void die(struct evi_bev *b)
{
	b->visits++;
	b->flags |= EVI_BEV_IS_DEAD;
	evi_dial_abandon(b);
	evi_limits_leave(b);
	evi_bev_unwait(&b->pub, EV_READ | EV_WRITE);
	evi_deferred_cancel(b->pub.ev_base, &b->deferred);
	(void)evi_round_end_cancel(b->pub.ev_base, &b->round_end);
	close_descriptor(b);
}

static void finish(struct evi_bev *b)
{
	int may_go;

	die(b);
	may_go = is_out_of_use(b) && evi_base_in_loop_thread(b->pub.ev_base);
	if (!may_go)
		(void)event_finalize(0, &b->pub.ev_read, on_finalized); /* it has a base */
	evi_unlock(b->input.lock);
	if (may_go)
		destroy(b);
}

/* The last reference is gone; further up the stack calls may be under way. */
static void let_go(struct evi_bev *b)
{
	b->visits++;
	evi_bev_unwait(&b->pub, EV_READ | EV_WRITE);
	if (b->pub.be_ops->detach != NULL)
		b->pub.be_ops->detach(&b->pub);
	evi_bev_unwrap(b);
	b->visits--;
}

/* With the lock held. Returns 1 if it was the last. */
static int drop_reference(struct evi_bev *b)
{
	if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) > 1)
		return 0;
	let_go(b);
	return 1;
}

/* Unlock, after a reference or a visit has ended. */
static void unlock_or_finish(struct evi_bev *b)
{
	if (b->visits == 0 && atomic_load_explicit(&b->refs, memory_order_acquire) == 0)
		finish(b);
	else
		evi_unlock(b->input.lock);
}

int evi_bev_unref_unlock(struct evi_bev *b)
{
	int is_last = drop_reference(b);

	unlock_or_finish(b);
	return is_last;
}

int evi_bev_try_enter(struct evi_bev *b)
{
	evi_lock(b->input.lock);
	if (b->flags & EVI_BEV_IS_DEAD) {
		evi_unlock(b->input.lock);
		return 0;
	}
	b->visits++;
	return 1;
}

void evi_bev_enter(struct bufferevent *bev)
{
	struct evi_bev *b = evi_bev_of(bev);

	evi_lock(b->input.lock);
	b->visits++;
}

void evi_bev_leave(struct bufferevent *bev)
{
	struct evi_bev *b = evi_bev_of(bev);

	b->visits--;
	unlock_or_finish(b);
}

int evi_bev_is_alive(const struct bufferevent *bev)
{
	return evi_bev_lives(evi_bev_of(bev));
}

/* --- The API ---------------------------------------------------------------------------------- */

/* A second call, while something still holds a reference, is a mistake and does nothing. */
void bufferevent_free(struct bufferevent *bev)
{
	struct evi_bev *b;
	int is_first;

	if (bev == NULL)
		return;
	b = evi_bev_of(bev);
	evi_bev_enter(bev);
	is_first = !(b->flags & EVI_BEV_IS_FREED);
	if (is_first) {
		b->flags |= EVI_BEV_IS_FREED;
		bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
		evi_limits_leave(b);
		evi_dial_abandon(b);
		(void)drop_reference(b); /* the visit ends below */
	}
	evi_bev_leave(bev);
}

void bufferevent_incref(struct bufferevent *bev)
{
	struct evi_bev *b = evi_bev_of(bev);

	evi_lock(b->input.lock);
	evi_bev_ref(b);
	evi_unlock(b->input.lock);
}

int bufferevent_decref(struct bufferevent *bev)
{
	struct evi_bev *b = evi_bev_of(bev);

	evi_lock(b->input.lock);
	return evi_bev_unref_unlock(b);
}

void bufferevent_lock(struct bufferevent *bev)
{
	evi_bev_enter(bev);
}

void bufferevent_unlock(struct bufferevent *bev)
{
	evi_bev_leave(bev);
}
