/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rate limits of one bufferevent: its own, and what its group leaves to it.
 *
 * A direction whose bucket is empty is held, and a timer fires when the next tick starts. Should
 * the timer fail to start, the direction is not held: a limit that is overrun is better than a
 * connection that stops for ever.
 */

#include "bucket.h"
#include "bufferevent.h"

static const short directions_all[] = { EV_READ, EV_WRITE };

static uint64_t now_of(const struct evi_bev *b)
{
	return evi_base_now_ns(b->pub.ev_base);
}

static int is_held(const struct evi_bev *b, short direction)
{
	return ((direction == EV_READ ? b->held_read : b->held_write) & EVI_BEV_HELD_LIMIT) != 0;
}

/* Nonzero if the direction is held now. */
static int hold(struct evi_bev *b, short direction)
{
	struct evi_limits *limits = b->limits;

	if (b->pub.be_ops->traits & EVI_BEV_UNLIMITED)
		return 0;
	if (is_held(b, direction))
		return 1;
	if (!event_pending(&limits->timer, EV_TIMEOUT, NULL) &&
	    evi_buckets_wait(&limits->buckets, limits->cfg, &limits->timer, now_of(b)) < 0) {
		event_warnx("rate limit: no memory for a timer, going on without");
		return 0;
	}
	evi_bev_hold(&b->pub, direction, EVI_BEV_HELD_LIMIT);
	return 1;
}

/* Brings what is held in line with the levels. */
static void review(struct evi_bev *b)
{
	struct evi_limits *limits = b->limits;

	for (int i = 0; i < 2; i++) {
		short direction = directions_all[i];

		if (limits->cfg != NULL && limits->buckets.level[evi_way_of(direction)] <= 0)
			(void)hold(b, direction);
		else if (is_held(b, direction))
			evi_bev_unhold(&b->pub, direction, EVI_BEV_HELD_LIMIT);
	}
	if (!is_held(b, EV_READ) && !is_held(b, EV_WRITE))
		(void)event_del_noblock(&limits->timer);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct evi_bev *b = arg;

	(void)fd;
	(void)what;
	if (!evi_bev_try_enter(b))
		return;
	if (b->limits->cfg != NULL) {
		struct evi_limits *limits = b->limits;

		evi_buckets_refill(&limits->buckets, limits->cfg, now_of(b));
		review(b);
		if (is_held(b, EV_READ) || is_held(b, EV_WRITE))
			(void)evi_buckets_wait(&limits->buckets, limits->cfg, &limits->timer,
					       now_of(b)); /* its memory was there just now */
	}
	evi_bev_leave(&b->pub);
}

struct evi_limits *evi_limits_of(struct evi_bev *b)
{
	struct evi_limits *limits = b->limits;

	if (limits != NULL)
		return limits;
	limits = evi_calloc(1, sizeof(*limits));
	if (limits == NULL)
		return NULL;
	limits->owner = b;
	event_assign(&limits->timer, b->pub.ev_base, -1, EV_FINALIZE, on_tick, b);
	b->limits = limits;
	return limits;
}

static size_t own_room(struct evi_bev *b, short direction)
{
	struct evi_limits *limits = b->limits;
	ev_ssize_t level;

	if (limits->cfg == NULL)
		return EVI_BEV_ANY;
	evi_buckets_refill(&limits->buckets, limits->cfg, now_of(b));
	level = limits->buckets.level[evi_way_of(direction)];
	if (level > 0)
		return (size_t)level;
	return hold(b, direction) ? 0 : 1;
}

size_t evi_limits_room(struct evi_bev *b, short direction)
{
	size_t own, group;

	if (b->limits == NULL)
		return EVI_BEV_ANY;
	own = own_room(b, direction);
	group = b->limits->group != NULL ? evi_group_room(b->limits, direction) : EVI_BEV_ANY;
	return own < group ? own : group;
}

static void charge_own(struct evi_bev *b, short direction, ev_ssize_t len)
{
	struct evi_limits *limits = b->limits;

	evi_buckets_refill(&limits->buckets, limits->cfg, now_of(b));
	evi_buckets_take(&limits->buckets, evi_way_of(direction), len);
	review(b);
}

void evi_limits_charge(struct evi_bev *b, short direction, ev_ssize_t len)
{
	if (b->limits->cfg != NULL)
		charge_own(b, direction, len);
	if (b->limits->group != NULL)
		evi_group_charge(b->limits, direction, len);
}

void evi_limits_leave(struct evi_bev *b)
{
	if (b->limits == NULL)
		return;
	if (b->limits->group != NULL)
		evi_group_leave(b->limits);
	if (b->flags & EVI_BEV_IS_DEAD)
		(void)event_del_noblock(&b->limits->timer);
}

void evi_limits_free(struct evi_bev *b)
{
	evi_free(b->limits);
}

/* --- The API ---------------------------------------------------------------------------------- */

static int set_cfg(struct evi_bev *b, const struct ev_token_bucket_cfg *cfg)
{
	struct evi_limits *limits = b->limits;

	if (cfg == NULL && limits == NULL)
		return 0;
	limits = evi_limits_of(b);
	if (limits == NULL)
		return -1;
	if (cfg == limits->cfg)
		return 0;
	if (limits->cfg == NULL)
		evi_buckets_init(&limits->buckets, cfg, now_of(b));
	else if (cfg != NULL)
		evi_buckets_cap(&limits->buckets, cfg);
	limits->cfg = cfg;
	(void)event_del_noblock(&limits->timer); /* the tick may be another; review() sees to it */
	for (int i = 0; cfg != NULL && i < 2; i++)
		if (is_held(b, directions_all[i]))
			(void)evi_buckets_wait(&limits->buckets, cfg, &limits->timer, now_of(b));
	review(b);
	return 0;
}

int bufferevent_set_rate_limit(struct bufferevent *bev, struct ev_token_bucket_cfg *cfg)
{
	int result;

	evi_bev_enter(bev);
	result = set_cfg(evi_bev_of(bev), cfg);
	evi_bev_leave(bev);
	return result;
}

const struct ev_token_bucket_cfg *bufferevent_get_token_bucket_cfg(const struct bufferevent *bev)
{
	const struct ev_token_bucket_cfg *cfg;
	struct evi_bev *b = evi_bev_of(bev);

	evi_bev_enter(&b->pub);
	cfg = b->limits != NULL ? b->limits->cfg : NULL;
	evi_bev_leave(&b->pub);
	return cfg;
}

static ev_ssize_t level_of(struct bufferevent *bev, short direction)
{
	struct evi_bev *b = evi_bev_of(bev);
	ev_ssize_t level = EV_SSIZE_MAX;

	evi_bev_enter(bev);
	if (b->limits != NULL && b->limits->cfg != NULL) {
		evi_buckets_refill(&b->limits->buckets, b->limits->cfg, now_of(b));
		level = b->limits->buckets.level[evi_way_of(direction)];
	}
	evi_bev_leave(bev);
	return level;
}

ev_ssize_t bufferevent_get_read_limit(struct bufferevent *bev)
{
	return level_of(bev, EV_READ);
}

ev_ssize_t bufferevent_get_write_limit(struct bufferevent *bev)
{
	return level_of(bev, EV_WRITE);
}

static int decrement(struct bufferevent *bev, short direction, ev_ssize_t len)
{
	struct evi_bev *b = evi_bev_of(bev);
	int result = -1;

	evi_bev_enter(bev);
	if (b->limits != NULL && b->limits->cfg != NULL) {
		charge_own(b, direction, len);
		result = 0;
	}
	evi_bev_leave(bev);
	return result;
}

int bufferevent_decrement_read_limit(struct bufferevent *bev, ev_ssize_t decr)
{
	return decrement(bev, EV_READ, decr);
}

int bufferevent_decrement_write_limit(struct bufferevent *bev, ev_ssize_t decr)
{
	return decrement(bev, EV_WRITE, decr);
}
