/* SPDX-License-Identifier: BSD-3-Clause */
/* bufferevent: the user's side of the buffers, and small enquiries. */

#include "bufferevent.h"

struct event_base *bufferevent_get_base(struct bufferevent *bev)
{
	return bev->ev_base;
}

struct evbuffer *bufferevent_get_input(struct bufferevent *bev)
{
	return bev->input;
}

struct evbuffer *bufferevent_get_output(struct bufferevent *bev)
{
	return bev->output;
}

/* The buffers lock themselves, in an order that is safe with the other buffer's lock. */
int bufferevent_write(struct bufferevent *bev, const void *data, size_t size)
{
	return evbuffer_add(bev->output, data, size);
}

int bufferevent_write_buffer(struct bufferevent *bev, struct evbuffer *buf)
{
	return evbuffer_add_buffer(bev->output, buf);
}

size_t bufferevent_read(struct bufferevent *bev, void *data, size_t size)
{
	int n = evbuffer_remove(bev->input, data, size);

	return n > 0 ? (size_t)n : 0;
}

int bufferevent_read_buffer(struct bufferevent *bev, struct evbuffer *buf)
{
	return evbuffer_add_buffer(buf, bev->input);
}

int bufferevent_flush(struct bufferevent *bev, short iotype, enum bufferevent_flush_mode mode)
{
	int result = -1;

	evi_bev_enter(bev);
	if (bev->be_ops->flush != NULL)
		result = bev->be_ops->flush(bev, iotype, mode);
	evi_bev_leave(bev);
	return result;
}

/* --- Base and priority ------------------------------------------------------------------------ */

/* Busy: something is on its way from the old base, or waits there. */
static int is_busy(const struct evi_bev *b)
{
	return b->waits != 0 || b->pending_data != 0 || b->pending_events != 0 ||
	       b->round_end.prev != NULL || b->dial != NULL || b->limits != NULL ||
	       (b->flags & (EVI_BEV_IS_CONNECTING | EVI_BEV_IS_UNWATCHED));
}

static void set_priority(struct evi_bev *b, int priority)
{
	b->priority = (uint8_t)priority;
	evi_deferred_cancel(b->pub.ev_base, &b->deferred);
	evi_deferred_set_priority(&b->deferred, priority);
	if (b->pending_data != 0 || b->pending_events != 0)
		(void)evi_deferred_schedule(b->pub.ev_base, &b->deferred);
}

int bufferevent_base_set(struct event_base *base, struct bufferevent *bev)
{
	struct evi_bev *b = evi_bev_of(bev);
	int result = -1;

	if (base == NULL || !(bev->be_ops->traits & EVI_BEV_CHANGES_BASE))
		return -1;
	evi_bev_enter(bev);
	if (!is_busy(b)) {
		bev->ev_base = base;
		set_priority(b, event_base_get_npriorities(base) / 2);
		evi_bev_assign(b, event_get_fd(&bev->ev_read));
		result = 0;
	}
	evi_bev_leave(bev);
	return result;
}

/* The events may be active right now; then they run as they were queued. */
static int change_priority(struct evi_bev *b, int priority)
{
	int old = event_get_priority(&b->pub.ev_read);

	if (event_priority_set(&b->pub.ev_read, priority) < 0)
		return -1;
	if (event_priority_set(&b->pub.ev_write, priority) < 0) {
		(void)event_priority_set(&b->pub.ev_read, old); /* it was not active just now */
		return -1;
	}
	set_priority(b, priority);
	return 0;
}

int bufferevent_priority_set(struct bufferevent *bev, int pri)
{
	int result;

	if (!(bev->be_ops->traits & EVI_BEV_DESCRIPTOR) ||
	    (bev->be_ops->traits & EVI_BEV_FIXED_PRIORITY) || pri < 0 ||
	    pri >= event_base_get_npriorities(bev->ev_base))
		return -1;
	evi_bev_enter(bev);
	result = change_priority(evi_bev_of(bev), pri);
	evi_bev_leave(bev);
	return result;
}

int bufferevent_get_priority(const struct bufferevent *bev)
{
	return evi_bev_of(bev)->priority;
}
