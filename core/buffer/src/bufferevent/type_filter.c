/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The filter type: bytes on their way between the user and another bufferevent pass user functions.
 *
 * Each way has a run: the function is called while it makes progress and something allows more. A
 * run never starts inside itself; what comes up meanwhile it does itself before it ends. Output
 * runs inside the call that added it; input that was left behind runs at the end of the round.
 */

#include "bufferevent.h"

#define LIMIT_NONE ((ev_ssize_t)-1)

/* One way through the filter. */
struct run {
	bufferevent_filter_cb fn;
	int is_running;
	int is_wanted; /* something has come up while it runs */
};

struct filter_data {
	struct run in;
	struct run out;
	void (*free_context)(void *);
	void *ctx;
};

static struct filter_data *data_of(struct bufferevent *bev)
{
	return evi_bev_data(bev);
}

static struct evi_bev *transport_of(struct bufferevent *bev)
{
	return evi_bev_of(bev)->transport;
}

/* What filters do that were given as NULL. */
static enum bufferevent_filter_result pass(struct evbuffer *src, struct evbuffer *dst,
					   ev_ssize_t limit, enum bufferevent_flush_mode mode,
					   void *ctx)
{
	int result;

	(void)mode;
	(void)ctx;
	if (limit == LIMIT_NONE || src->len <= (size_t)limit)
		result = evbuffer_add_buffer(dst, src);
	else
		result = evbuffer_remove_buffer(src, dst, (size_t)limit) < 0 ? -1 : 0;
	return result < 0 ? BEV_ERROR : BEV_OK;
}

/* --- Calling a filter ------------------------------------------------------------------------- */

static ev_ssize_t room_below(size_t len, size_t high, enum bufferevent_flush_mode mode)
{
	if (mode != BEV_NORMAL || high == 0)
		return LIMIT_NONE;
	if (len >= high)
		return 0;
	return high - len < EV_SSIZE_MAX ? (ev_ssize_t)(high - len) : EV_SSIZE_MAX;
}

struct outcome {
	int made_progress;
	int added; /* the destination has got something */
	int has_failed;
};

/* One call. Nonzero if another one may get further. */
static int call(struct run *run, struct evbuffer *src, struct evbuffer *dst, ev_ssize_t limit,
		enum bufferevent_flush_mode mode, void *ctx, struct outcome *outcome)
{
	size_t src_before = src->len, dst_before = dst->len;
	enum bufferevent_filter_result result = run->fn(src, dst, limit, mode, ctx);
	int changed = src->len != src_before || dst->len != dst_before;

	outcome->added |= dst->len > dst_before;
	outcome->made_progress |= changed;
	outcome->has_failed |= result == BEV_ERROR;
	return result == BEV_OK && changed && src->len > 0;
}

/* --- Input ------------------------------------------------------------------------------------ */

/* A user's buffer callback may disable or fill things between two calls. */
static void filter_input(struct bufferevent *bev, enum bufferevent_flush_mode mode,
			 struct outcome *outcome)
{
	struct filter_data *data = data_of(bev);
	struct evi_bev *b = evi_bev_of(bev);
	struct evbuffer *src = &b->transport->input;
	int is_forced = mode != BEV_NORMAL, again;

	do {
		if (!is_forced && (!evi_bev_active(bev, EV_READ) || src->len == 0))
			return;
		evi_evbuffer_unfreeze(&b->input, EVI_BUF_FROZEN_END);
		again = call(&data->in, src, &b->input,
			     room_below(b->input.len, bev->wm_read.high, mode), mode, data->ctx,
			     outcome);
		evi_evbuffer_freeze(&b->input, EVI_BUF_FROZEN_END);
	} while (again && evi_bev_is_alive(bev));
}

static void fail(struct bufferevent *bev, short direction)
{
	evi_bev_disable(bev, direction);
	evi_bev_notify_event(bev,
			     direction == EV_READ ? BEV_EVENT_READING | BEV_EVENT_ERROR
						  : BEV_EVENT_WRITING | BEV_EVENT_ERROR,
			     0, 0);
}

/* Returns nonzero if the filter got anywhere. */
static int run_input(struct bufferevent *bev, enum bufferevent_flush_mode mode)
{
	struct filter_data *data = data_of(bev);
	struct outcome outcome = { 0 };

	if (data->in.is_running) {
		data->in.is_wanted = 1;
		return 0;
	}
	data->in.is_running = 1;
	do {
		data->in.is_wanted = 0;
		filter_input(bev, mode, &outcome);
	} while (data->in.is_wanted && !outcome.has_failed);
	data->in.is_running = 0;
	if (outcome.added) {
		evi_bev_progress(bev, EV_READ);
		evi_bev_notify(bev, EV_READ, 0);
	}
	if (outcome.has_failed && evi_bev_is_alive(bev))
		fail(bev, EV_READ);
	return outcome.made_progress;
}

/* --- Output ----------------------------------------------------------------------------------- */

static int output_may_run(struct bufferevent *bev)
{
	struct evi_bev *b = evi_bev_of(bev), *transport = b->transport;
	size_t high = transport->pub.wm_write.high;

	return evi_bev_active(bev, EV_WRITE) && b->output.len > 0 &&
	       (high == 0 || transport->output.len < high);
}

/* Corked, so that what the filter adds is seen before the transport takes it on. */
static void filter_output(struct bufferevent *bev, enum bufferevent_flush_mode mode,
			  struct outcome *outcome)
{
	struct filter_data *data = data_of(bev);
	struct evi_bev *b = evi_bev_of(bev), *transport = b->transport;
	size_t high = transport->pub.wm_write.high;
	int is_forced = mode != BEV_NORMAL, again = 1;

	evi_bev_cork(transport);
	while (again && evi_bev_is_alive(bev) && (is_forced || output_may_run(bev))) {
		evi_evbuffer_unfreeze(&b->output, EVI_BUF_FROZEN_FRONT);
		again = call(&data->out, &b->output, &transport->output,
			     room_below(transport->output.len, high, mode), mode, data->ctx,
			     outcome);
		evi_evbuffer_freeze(&b->output, EVI_BUF_FROZEN_FRONT);
	}
	evi_bev_uncork(transport);
}

/* The write callback may write more: that is this run's to do, too. */
static int run_output(struct bufferevent *bev, enum bufferevent_flush_mode mode)
{
	struct filter_data *data = data_of(bev);
	struct outcome outcome = { 0 };
	int made_progress = 0;

	if (data->out.is_running) {
		data->out.is_wanted = 1;
		return 0;
	}
	data->out.is_running = 1;
	do {
		data->out.is_wanted = 0;
		outcome.made_progress = 0;
		filter_output(bev, mode, &outcome);
		made_progress |= outcome.made_progress;
		if (outcome.made_progress) {
			evi_bev_progress(bev, EV_WRITE);
			evi_bev_notify(bev, EV_WRITE, 0);
		}
		mode = BEV_NORMAL;
	} while (data->out.is_wanted && !outcome.has_failed && evi_bev_is_alive(bev));
	data->out.is_running = 0;
	if (outcome.has_failed && evi_bev_is_alive(bev))
		fail(bev, EV_WRITE);
	return made_progress;
}

/* --- Operations ------------------------------------------------------------------------------- */

static int start(struct bufferevent *bev, short directions, enum evi_bev_cause cause)
{
	struct evi_bev *b = evi_bev_of(bev);
	int err = 0;

	if (directions & EV_READ) {
		err = evi_bev_wait(bev, EV_READ);
		evi_bev_transport_read(bev, 1);
	}
	if (err == 0 && (directions & EV_WRITE) &&
	    (b->output.len > 0 || cause == EVI_BEV_ENABLED))
		err = evi_bev_wait(bev, EV_WRITE);
	if (b->output.len > 0 || b->transport->input.len > 0)
		evi_bev_at_round_end(bev);
	return err;
}

static void stop(struct bufferevent *bev, short directions)
{
	evi_bev_unwait(bev, directions);
	if (directions & EV_READ)
		evi_bev_transport_read(bev, 0);
}

/* The timer runs while there is output that the filter, or what is below it, does not take. */
static void output_grew(struct bufferevent *bev)
{
	(void)run_output(bev, BEV_NORMAL);
	if (!evi_bev_active(bev, EV_WRITE))
		return;
	if (evi_bev_of(bev)->output.len == 0)
		evi_bev_unwait(bev, EV_WRITE);
	else if (!evi_bev_waits(bev, EV_WRITE))
		(void)evi_bev_wait(bev, EV_WRITE); /* at worst there is no timeout */
}

static void readable(struct bufferevent *bev)
{
	(void)run_input(bev, BEV_NORMAL);
}

static void writable(struct bufferevent *bev)
{
	output_grew(bev);
}

static void round_end(struct bufferevent *bev)
{
	readable(bev);
	if (evi_bev_active(bev, EV_WRITE) && evi_bev_of(bev)->output.len > 0)
		output_grew(bev);
}

/* What the filter kept back until it knew that nothing follows comes before the end itself. */
static void transport_event(struct bufferevent *bev, short what)
{
	int err = EVUTIL_SOCKET_ERROR();

	if ((what & BEV_EVENT_EOF) && (what & BEV_EVENT_READING))
		(void)run_input(bev, BEV_FINISHED);
	if (evi_bev_is_alive(bev))
		evi_bev_notify_event(bev, what, err, 0);
}

static int flush(struct bufferevent *bev, short directions, enum bufferevent_flush_mode mode)
{
	int made_progress = 0;

	if (directions & EV_READ)
		made_progress |= run_input(bev, mode);
	if (directions & EV_WRITE)
		made_progress |= run_output(bev, mode);
	(void)bufferevent_flush(&transport_of(bev)->pub, directions, mode);
	return made_progress;
}

static void destroy(struct bufferevent *bev)
{
	struct filter_data *data = data_of(bev);

	if (data->free_context != NULL)
		data->free_context(data->ctx);
}

static const struct bufferevent_ops filter_ops = {
	.name = "bufferevent_filter",
	.traits = EVI_BEV_UNLIMITED,
	.start = start,
	.stop = stop,
	.output_grew = output_grew,
	.round_end = round_end,
	.readable = readable,
	.writable = writable,
	.transport_event = transport_event,
	.flush = flush,
	.destroy = destroy,
};

/* --- The API ---------------------------------------------------------------------------------- */

struct bufferevent *bufferevent_filter_new(struct bufferevent *underlying,
					   bufferevent_filter_cb input_filter,
					   bufferevent_filter_cb output_filter, int options,
					   void (*free_context)(void *), void *ctx)
{
	struct bufferevent *bev;
	struct filter_data *data;

	if (underlying == NULL)
		return NULL;
	bev = evi_bev_new(&filter_ops, underlying->ev_base, options, sizeof(*data));
	if (bev == NULL)
		return NULL;
	data = data_of(bev);
	data->in.fn = input_filter != NULL ? input_filter : pass;
	data->out.fn = output_filter != NULL ? output_filter : pass;
	data->free_context = free_context;
	data->ctx = ctx;
	if (evi_bev_wrap(bev, underlying) < 0) {
		data->free_context = NULL;
		bufferevent_free(bev);
		return NULL;
	}
	return bev;
}
