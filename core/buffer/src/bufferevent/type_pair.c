/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pair type: two bufferevents, each the other's transport.
 *
 * Bytes move inside the call that makes it possible: a write, enabling, or taking from a full
 * input. Callbacks always come from the loop, so moving never runs user code, other than buffer
 * callbacks. The two share one lock, so an operation of one may work on the other.
 */

#include "bufferevent.h"

struct pair_data {
	struct evi_bev *partner; /* NULL once either has ended */
	int is_moving;           /* bytes move out of this one right now */
};

static const struct bufferevent_ops pair_ops;

static struct evi_bev *partner_of(struct bufferevent *bev)
{
	struct pair_data *data = evi_bev_data(bev);

	return data->partner;
}

/* The write timer runs while the partner does not take what there is. */
static void watch_output(struct evi_bev *from)
{
	int has_output = from->output.len > 0;

	if (has_output && !evi_bev_waits(&from->pub, EV_WRITE) &&
	    evi_bev_active(&from->pub, EV_WRITE))
		(void)evi_bev_wait(&from->pub, EV_WRITE); /* at worst there is no timeout */
	else if (!has_output)
		evi_bev_unwait(&from->pub, EV_WRITE);
}

static size_t room_of(const struct evi_bev *to)
{
	size_t high = to->pub.wm_read.high;

	if (high == 0)
		return SIZE_MAX;
	return to->input.len < high ? high - to->input.len : 0;
}

/* One step; buffer callbacks may write more meanwhile, or fill the input. Returns bytes moved. */
static size_t move_some(struct evi_bev *from, struct evi_bev *to, size_t room)
{
	size_t before = from->output.len, len = before < room ? before : room;
	int result;

	if (len == 0)
		return 0;
	evi_evbuffer_unfreeze(&from->output, EVI_BUF_FROZEN_FRONT);
	evi_evbuffer_unfreeze(&to->input, EVI_BUF_FROZEN_END);
	result = len == before ? evbuffer_add_buffer(&to->input, &from->output)
			       : evbuffer_remove_buffer(&from->output, &to->input, len);
	evi_evbuffer_freeze(&from->output, EVI_BUF_FROZEN_FRONT);
	evi_evbuffer_freeze(&to->input, EVI_BUF_FROZEN_END);
	return result < 0 ? 0 : len;
}

static void tell(struct evi_bev *from, struct evi_bev *to)
{
	evi_bev_progress(&from->pub, EV_WRITE);
	evi_bev_progress(&to->pub, EV_READ);
	evi_bev_notify(&to->pub, EV_READ, 0);
	evi_bev_notify(&from->pub, EV_WRITE, 0);
}

/* Everything, whatever holds it back: for flushing. */
static void move_all(struct evi_bev *from, struct evi_bev *to)
{
	if (move_some(from, to, SIZE_MAX) > 0)
		tell(from, to);
	watch_output(from);
}

static int may_move(const struct evi_bev *from, const struct evi_bev *to)
{
	return evi_bev_active(&from->pub, EV_WRITE) && evi_bev_active(&to->pub, EV_READ);
}

/* Bytes that buffer callbacks add meanwhile are picked up by the loop here, not recursively. */
static void move(struct evi_bev *from, struct evi_bev *to)
{
	struct pair_data *data = evi_bev_data(&from->pub);
	size_t moved = 0, n;

	if (data->is_moving)
		return;
	data->is_moving = 1;
	do {
		n = may_move(from, to) ? move_some(from, to, room_of(to)) : 0;
		moved += n;
	} while (n > 0);
	data->is_moving = 0;
	if (moved > 0)
		tell(from, to);
	watch_output(from);
}

/* --- Operations ------------------------------------------------------------------------------- */

static int start(struct bufferevent *bev, short directions, enum evi_bev_cause cause)
{
	struct evi_bev *partner = partner_of(bev);
	int err = 0;

	(void)cause;
	if (directions & EV_READ)
		err = evi_bev_wait(bev, EV_READ);
	if (err == 0 && (directions & EV_WRITE) && bev->output->len > 0)
		err = evi_bev_wait(bev, EV_WRITE);
	if (err < 0 || partner == NULL)
		return err;
	if (directions & EV_READ)
		move(partner, evi_bev_of(bev));
	if (directions & EV_WRITE)
		move(evi_bev_of(bev), partner);
	return 0;
}

static void output_grew(struct bufferevent *bev)
{
	struct evi_bev *partner = partner_of(bev);

	if (partner != NULL)
		move(evi_bev_of(bev), partner);
	else
		watch_output(evi_bev_of(bev));
}

static void tell_end(struct evi_bev *partner, short directions)
{
	short what = BEV_EVENT_EOF;

	if (directions & EV_WRITE)
		what |= BEV_EVENT_READING;
	if (directions & EV_READ)
		what |= BEV_EVENT_WRITING;
	evi_bev_notify_event(&partner->pub, what, 0, 0);
}

static int flush(struct bufferevent *bev, short directions, enum bufferevent_flush_mode mode)
{
	struct evi_bev *b = evi_bev_of(bev), *partner = partner_of(bev);

	if (partner == NULL)
		return -1;
	if (mode == BEV_NORMAL)
		return 0;
	if (directions & EV_READ)
		move_all(partner, b);
	if (directions & EV_WRITE)
		move_all(b, partner);
	if (mode == BEV_FINISHED)
		tell_end(partner, directions);
	return 0;
}

static void detach(struct bufferevent *bev)
{
	struct pair_data *data = evi_bev_data(bev), *other;

	if (data->partner == NULL)
		return;
	other = evi_bev_data(&data->partner->pub);
	other->partner = NULL;
	data->partner = NULL;
}

static int refuse_fd(struct bufferevent *bev, evutil_socket_t fd)
{
	(void)bev;
	(void)fd;
	return -ENOTSUP;
}

static const struct bufferevent_ops pair_ops = {
	.name = "bufferevent_pair",
	.traits = EVI_BEV_ALWAYS_DEFERS | EVI_BEV_UNLIMITED,
	.start = start,
	.stop = evi_bev_unwait,
	.output_grew = output_grew,
	.set_fd = refuse_fd,
	.flush = flush,
	.detach = detach,
};

/* --- The API ---------------------------------------------------------------------------------- */

static struct evi_bev *member_new(struct event_base *base, int options)
{
	struct bufferevent *bev =
		evi_bev_new(&pair_ops, base, options & ~BEV_OPT_CLOSE_ON_FREE,
			    sizeof(struct pair_data));

	return bev != NULL ? evi_bev_of(bev) : NULL;
}

static void introduce(struct evi_bev *b, struct evi_bev *partner)
{
	struct pair_data *data = evi_bev_data(&b->pub);

	data->partner = partner;
}

/* The second gets the first one's lock. */
int bufferevent_pair_new(struct event_base *base, int options, struct bufferevent *pair[2])
{
	struct evi_bev *first = member_new(base, options), *second;

	if (first == NULL)
		return -1;
	second = member_new(base, options & ~BEV_OPT_THREADSAFE);
	if (second == NULL) {
		bufferevent_free(&first->pub);
		return -1;
	}
	if (first->shared != NULL)
		evi_bev_use_lock(second, first->shared);
	second->options = first->options;
	introduce(first, second);
	introduce(second, first);
	pair[0] = &first->pub;
	pair[1] = &second->pub;
	return 0;
}

struct bufferevent *bufferevent_pair_get_partner(struct bufferevent *bev)
{
	struct evi_bev *partner;

	if (!evi_bev_is(bev, &pair_ops))
		return NULL;
	evi_bev_enter(bev);
	partner = partner_of(bev);
	evi_bev_leave(bev);
	return partner != NULL ? &partner->pub : NULL;
}
