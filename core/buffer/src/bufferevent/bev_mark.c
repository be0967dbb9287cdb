/* SPDX-License-Identifier: BSD-3-Clause */
/* bufferevent: watermarks, sizes of single transfers, and how much may move now. */

#include "bucket.h"
#include "bufferevent.h"

#include <limits.h>

/* Types that come across this while they fill the input are held as soon as they cross the mark. */
void evi_bev_check_mark(struct evi_bev *b)
{
	size_t high = b->pub.wm_read.high;
	int is_full = high != 0 && b->input.len >= high;
	int is_held = (b->held_read & EVI_BEV_HELD_MARK) != 0;

	if (is_full == is_held)
		return;
	if (is_full)
		evi_bev_hold(&b->pub, EV_READ, EVI_BEV_HELD_MARK);
	else
		evi_bev_unhold(&b->pub, EV_READ, EVI_BEV_HELD_MARK);
}

/* The mark that was set is the only reason to look at the input's length. */
static void set_read_marks(struct evi_bev *b, const struct event_watermark *marks)
{
	b->pub.wm_read = *marks;
	evi_evbuffer_set_owner_wants(
		&b->input, marks->high > 0 ? EVI_BUF_OWNER_GROWTH | EVI_BUF_OWNER_LOSS : 0);
	evi_bev_check_mark(b);
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* A limit that the user has put on the input counts like bufferevent_set_max_single_read(). */
static size_t read_size(const struct evi_bev *b)
{
	if (!(b->flags & EVI_BEV_HAS_READ_SIZE) && b->input.max_read == EVI_BEV_SINGLE_DEFAULT)
		return EVI_BEV_ANY;
	return b->input.max_read;
}

static size_t write_size(const struct evi_bev *b)
{
	return b->max_single_write != 0 ? b->max_single_write : EVI_BEV_ANY;
}

static size_t room_below_mark(const struct evi_bev *b)
{
	size_t high = b->pub.wm_read.high;

	if (high == 0)
		return EVI_BEV_ANY;
	return b->input.len < high ? high - b->input.len : 0;
}

size_t evi_bev_room(struct bufferevent *bev, short direction)
{
	struct evi_bev *b = evi_bev_of(bev);
	size_t room = b->limits == NULL ? EVI_BEV_ANY : evi_limits_room(b, direction);

	if (direction == EV_WRITE)
		room = min_size(room, write_size(b));
	else
		room = min_size(room, min_size(read_size(b), room_below_mark(b)));
	if (room > 0 && b->limits != NULL && b->limits->group != NULL &&
	    !evi_group_turn(b->limits, direction))
		return 0;
	return room;
}

void evi_bev_moved(struct bufferevent *bev, short direction, size_t len)
{
	struct evi_bev *b = evi_bev_of(bev);

	if (direction == EV_READ)
		evi_evbuffer_freeze(&b->input, EVI_BUF_FROZEN_END);
	else
		evi_evbuffer_freeze(&b->output, EVI_BUF_FROZEN_FRONT);
	if (b->limits != NULL)
		evi_limits_charge(b, direction, (ev_ssize_t)len);
}

/* --- The API ---------------------------------------------------------------------------------- */

void bufferevent_setwatermark(struct bufferevent *bev, short events, size_t lowmark,
			      size_t highmark)
{
	struct event_watermark marks = { .low = lowmark, .high = highmark };

	evi_bev_enter(bev);
	if (events & EV_WRITE)
		bev->wm_write = marks;
	if (events & EV_READ)
		set_read_marks(evi_bev_of(bev), &marks);
	evi_bev_leave(bev);
}

int bufferevent_getwatermark(struct bufferevent *bev, short events, size_t *lowmark,
			     size_t *highmark)
{
	const struct event_watermark *marks;

	if (events != EV_READ && events != EV_WRITE)
		return -1;
	evi_bev_enter(bev);
	marks = events == EV_READ ? &bev->wm_read : &bev->wm_write;
	if (lowmark != NULL)
		*lowmark = marks->low;
	if (highmark != NULL)
		*highmark = marks->high;
	evi_bev_leave(bev);
	return 0;
}

static int is_default(size_t size)
{
	return size == 0 || size > EV_SSIZE_MAX;
}

int bufferevent_set_max_single_read(struct bufferevent *bev, size_t size)
{
	struct evi_bev *b = evi_bev_of(bev);

	if (size > INT_MAX && !is_default(size))
		return -1;
	evi_bev_enter(bev);
	if (is_default(size)) {
		b->flags &= (uint8_t)~EVI_BEV_HAS_READ_SIZE;
		b->input.max_read = EVI_BEV_SINGLE_DEFAULT;
	} else {
		b->flags |= EVI_BEV_HAS_READ_SIZE;
		b->input.max_read = (uint32_t)size;
	}
	evi_bev_leave(bev);
	return 0;
}

int bufferevent_set_max_single_write(struct bufferevent *bev, size_t size)
{
	evi_bev_enter(bev);
	evi_bev_of(bev)->max_single_write = is_default(size) ? 0 : size;
	evi_bev_leave(bev);
	return 0;
}

ev_ssize_t bufferevent_get_max_single_read(struct bufferevent *bev)
{
	ev_ssize_t size;

	evi_bev_enter(bev);
	size = (ev_ssize_t)evi_bev_of(bev)->input.max_read;
	evi_bev_leave(bev);
	return size;
}

ev_ssize_t bufferevent_get_max_single_write(struct bufferevent *bev)
{
	struct evi_bev *b = evi_bev_of(bev);
	ev_ssize_t size;

	evi_bev_enter(bev);
	size = b->max_single_write != 0 ? (ev_ssize_t)b->max_single_write
					: EVI_BEV_SINGLE_DEFAULT;
	evi_bev_leave(bev);
	return size;
}

/* Reading by default adapts; what is told then is the size that it may always take. */
static ev_ssize_t max_to_move(struct bufferevent *bev, short direction)
{
	struct evi_bev *b = evi_bev_of(bev);
	size_t room, size;

	evi_bev_enter(bev);
	size = direction == EV_READ ? read_size(b) : write_size(b);
	room = evi_limits_room(b, direction);
	if (size == EVI_BEV_ANY)
		size = EVI_BEV_SINGLE_DEFAULT;
	evi_bev_leave(bev);
	return (ev_ssize_t)min_size(size, room);
}

ev_ssize_t bufferevent_get_max_to_read(struct bufferevent *bev)
{
	return max_to_move(bev, EV_READ);
}

ev_ssize_t bufferevent_get_max_to_write(struct bufferevent *bev)
{
	return max_to_move(bev, EV_WRITE);
}
