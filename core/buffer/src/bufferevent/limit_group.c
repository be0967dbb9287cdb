/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rate-limit groups: one bucket for many bufferevents, of possibly many threads and loops.
 *
 * Lock order: a bufferevent's lock, then the group's. To work on a member that is not the caller's
 * own, the group refers to it, lets go of its own lock, and takes the member's; suspending takes
 * it only if that is free, since a busy member finds out by itself as soon as it asks for room.
 * A member leaves before it dies, so as long as it is linked it can be referred to.
 *
 * When there is not enough for all, whoever asks waits for the end of the loop's round; then those
 * go on who have been served least recently. The order in which the loop asks would otherwise
 * always favour the same (select and poll go by the numbers of the descriptors).
 */

#include "bucket.h"
#include "bufferevent.h"

#define DEFAULT_MIN_SHARE 64

struct bufferevent_rate_limit_group {
	void *lock; /* guards all below; NULL without threads */
	struct event_base *base;
	struct ev_token_bucket_cfg cfg;
	struct evi_buckets buckets;
	struct event timer; /* fires when a tick ends that finds a direction suspended */
	struct evi_limits *first;
	struct evi_limits **last_next;
	size_t n_members;
	size_t min_share; /* as asked for */
	ev_uint64_t total[2];
	short suspended; /* directions */
	short waiting;   /* directions in which members wait for their turn */
	uint64_t services; /* counts transfers: tells who was served when */
	uint32_t period[2]; /* counts the times a direction was suspended */
};

static const short directions_all[] = { EV_READ, EV_WRITE };

static uint64_t now_of(const struct bufferevent_rate_limit_group *g)
{
	return evi_base_now_ns(g->base);
}

static void link_member(struct bufferevent_rate_limit_group *g, struct evi_limits *member)
{
	member->next = NULL;
	member->prev = g->last_next;
	*g->last_next = member;
	g->last_next = &member->next;
	g->n_members++;
}

static void unlink_member(struct bufferevent_rate_limit_group *g, struct evi_limits *member)
{
	if (member->next != NULL)
		member->next->prev = member->prev;
	else
		g->last_next = member->prev;
	*member->prev = member->next;
	g->n_members--;
}

static size_t effective_share(const struct bufferevent_rate_limit_group *g)
{
	size_t share = g->min_share;

	for (int way = EVI_IN; way <= EVI_OUT; way++)
		if (share > g->cfg.rate[way])
			share = g->cfg.rate[way];
	return share > 0 ? share : 1; /* nothing at all would be the same as suspended */
}

/* --- Suspending: with the group's lock held --------------------------------------------------- */

static void try_hold(struct evi_bev *b, short direction)
{
	void *lock = b->input.lock;

	if (b->pub.be_ops->traits & EVI_BEV_UNLIMITED)
		return;
	if (lock != NULL && !evi_lock_try(lock))
		return;
	evi_bev_hold(&b->pub, direction, EVI_BEV_HELD_GROUP);
	evi_unlock(lock);
}

/* Nonzero if the direction is suspended now: without a timer it cannot be, lest it stay so. */
static int suspend(struct bufferevent_rate_limit_group *g, short direction)
{
	if (g->suspended & direction)
		return 1;
	if (!event_pending(&g->timer, EV_TIMEOUT, NULL) &&
	    evi_buckets_wait(&g->buckets, &g->cfg, &g->timer, now_of(g)) < 0) {
		event_warnx("rate limit group: no memory for a timer, going on without");
		return 0;
	}
	g->suspended |= direction;
	g->period[evi_way_of(direction)]++;
	for (struct evi_limits *m = g->first; m != NULL; m = m->next)
		try_hold(m->owner, direction);
	return 1;
}

static short may_resume(const struct bufferevent_rate_limit_group *g)
{
	short result = 0;

	for (int i = 0; i < 2; i++)
		if ((g->suspended & directions_all[i]) &&
		    g->buckets.level[i] >= (ev_ssize_t)effective_share(g))
			result |= directions_all[i];
	return result;
}

/* --- Resuming: with the group's lock held, which is let go meanwhile -------------------------- */

static int is_member(const struct evi_bev *b, const struct bufferevent_rate_limit_group *g)
{
	return b->limits != NULL && b->limits->group == g;
}

/* With the member's lock held. Whatever has been suspended again meanwhile stays. */
static void resume_member(struct evi_bev *b, struct bufferevent_rate_limit_group *g,
			  short directions)
{
	evi_lock(g->lock);
	directions &= ~g->suspended;
	evi_unlock(g->lock);
	evi_bev_unhold(&b->pub, directions, EVI_BEV_HELD_GROUP);
}

/* Resumes one member, with its lock instead of the group's. */
static void resume_one(struct bufferevent_rate_limit_group *g, struct evi_bev *b, short directions)
{
	evi_bev_ref(b);
	evi_unlock(g->lock);
	evi_lock(b->input.lock);
	if (is_member(b, g))
		resume_member(b, g, directions);
	(void)evi_bev_unref_unlock(b);
	evi_lock(g->lock);
}

static struct evi_limits *move_first_to_end(struct bufferevent_rate_limit_group *g)
{
	struct evi_limits *member = g->first;

	unlink_member(g, member);
	link_member(g, member);
	return member;
}

/* Every round of resuming begins with another member. */
static void resume(struct bufferevent_rate_limit_group *g, short directions)
{
	size_t n = g->n_members;

	g->suspended &= ~directions;
	if (g->first != NULL)
		move_first_to_end(g);
	for (; n > 0 && g->first != NULL; n--)
		resume_one(g, move_first_to_end(g)->owner, directions);
}

/* Of those who wait for their turn, the one who was served least recently; NULL if nobody waits. */
static struct evi_limits *first_waiting(const struct bufferevent_rate_limit_group *g, int way)
{
	struct evi_limits *best = NULL;

	for (struct evi_limits *m = g->first; m != NULL; m = m->next)
		if (m->asked[way] == g->period[way] && m->turn[way] != g->period[way] &&
		    (best == NULL || m->served[way] < best->served[way]))
			best = m;
	return best;
}

/*
 * As many turns as there are shares, at least one. Who gets none this time gets one in the next
 * round.
 */
static void give_turns(struct bufferevent_rate_limit_group *g, short direction)
{
	int way = evi_way_of(direction);
	ev_ssize_t left = g->buckets.level[way] > 0 ? g->buckets.level[way] : 1;
	struct evi_limits *member = NULL;

	for (; left > 0 && (member = first_waiting(g, way)) != NULL;
	     left -= (ev_ssize_t)effective_share(g)) {
		member->turn[way] = g->period[way];
		resume_one(g, member->owner, direction);
	}
	if (member == NULL)
		g->waiting &= ~direction;
}

/* In the loop of the group's base, where no member's lock is held by the caller. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval at_once = { 0, 0 };
	struct bufferevent_rate_limit_group *g = arg;

	(void)fd;
	(void)what;
	evi_lock(g->lock);
	evi_buckets_refill(&g->buckets, &g->cfg, now_of(g));
	if (may_resume(g) != 0)
		resume(g, may_resume(g));
	for (int i = 0; i < 2; i++)
		if (g->waiting & ~g->suspended & directions_all[i])
			give_turns(g, directions_all[i]);
	/* Its memory was there just now. At once means after the next poll. */
	if (g->waiting & ~g->suspended)
		(void)event_add(&g->timer, &at_once);
	else if (g->suspended != 0)
		(void)evi_buckets_wait(&g->buckets, &g->cfg, &g->timer, now_of(g));
	evi_unlock(g->lock);
}

/* --- For members, with their lock held -------------------------------------------------------- */

static size_t room_locked(struct bufferevent_rate_limit_group *g, struct evi_limits *member,
			  short direction)
{
	ev_ssize_t level;
	size_t share, min_share = effective_share(g);

	evi_buckets_refill(&g->buckets, &g->cfg, now_of(g));
	level = g->buckets.level[evi_way_of(direction)];
	if (g->suspended & direction || (level <= 0 && suspend(g, direction))) {
		evi_bev_hold(&member->owner->pub, direction, EVI_BEV_HELD_GROUP);
		return 0;
	}
	share = level > 0 ? (size_t)level / g->n_members : 0;
	return share > min_share ? share : min_share;
}

size_t evi_group_room(struct evi_limits *member, short direction)
{
	struct bufferevent_rate_limit_group *g = member->group;
	size_t room;

	evi_lock(g->lock);
	room = room_locked(g, member, direction);
	evi_unlock(g->lock);
	return room;
}

/*
 * Whether there is enough for all (or a bucket that could not be suspended), or it is the member's
 * turn.
 */
static int may_go(const struct bufferevent_rate_limit_group *g, const struct evi_limits *member,
		  int way)
{
	ev_ssize_t level = g->buckets.level[way];

	return level <= 0 || level / (ev_ssize_t)g->n_members >= (ev_ssize_t)effective_share(g) ||
	       member->turn[way] == g->period[way];
}

int evi_group_turn(struct evi_limits *member, short direction)
{
	struct bufferevent_rate_limit_group *g = member->group;
	int way = evi_way_of(direction), result;

	evi_lock(g->lock);
	result = may_go(g, member, way);
	if (!result) {
		member->asked[way] = g->period[way];
		g->waiting |= direction;
		event_active(&g->timer, EV_TIMEOUT, 0);
		evi_bev_hold(&member->owner->pub, direction, EVI_BEV_HELD_GROUP);
	}
	evi_unlock(g->lock);
	return result;
}

/* Never resumes: that takes other members' locks, and is the timer's to do. */
static void take_locked(struct bufferevent_rate_limit_group *g, short direction, ev_ssize_t len)
{
	int way = evi_way_of(direction);

	evi_buckets_refill(&g->buckets, &g->cfg, now_of(g));
	evi_buckets_take(&g->buckets, way, len);
	if (g->buckets.level[way] <= 0)
		(void)suspend(g, direction);
}

void evi_group_charge(struct evi_limits *member, short direction, ev_ssize_t len)
{
	struct bufferevent_rate_limit_group *g = member->group;

	evi_lock(g->lock);
	g->total[evi_way_of(direction)] += (ev_uint64_t)len;
	member->served[evi_way_of(direction)] = ++g->services;
	take_locked(g, direction, len);
	evi_unlock(g->lock);
}

void evi_group_leave(struct evi_limits *member)
{
	struct bufferevent_rate_limit_group *g = member->group;

	evi_lock(g->lock);
	unlink_member(g, member);
	member->group = NULL;
	evi_unlock(g->lock);
	evi_bev_unhold(&member->owner->pub, EV_READ | EV_WRITE, EVI_BEV_HELD_GROUP);
}

static void join(struct bufferevent_rate_limit_group *g, struct evi_limits *member)
{
	evi_lock(g->lock);
	link_member(g, member);
	member->group = g;
	for (int way = EVI_IN; way <= EVI_OUT; way++) {
		member->served[way] = 0;
		member->asked[way] = member->turn[way] = g->period[way] - 1;
	}
	for (int i = 0; i < 2; i++)
		if (g->suspended & directions_all[i])
			try_hold(member->owner, directions_all[i]);
	evi_unlock(g->lock);
}

/* --- The API: members ------------------------------------------------------------------------- */

static int change_group(struct evi_bev *b, struct bufferevent_rate_limit_group *g)
{
	struct evi_limits *member = b->limits;

	if (g != NULL)
		member = evi_limits_of(b);
	if (member == NULL)
		return g == NULL ? 0 : -1;
	if (member->group == g)
		return 0;
	if (member->group != NULL)
		evi_group_leave(member);
	if (g != NULL)
		join(g, member);
	return 0;
}

int bufferevent_add_to_rate_limit_group(struct bufferevent *bev,
					struct bufferevent_rate_limit_group *g)
{
	int result;

	evi_bev_enter(bev);
	result = change_group(evi_bev_of(bev), g);
	evi_bev_leave(bev);
	return result;
}

int bufferevent_remove_from_rate_limit_group(struct bufferevent *bev)
{
	return bufferevent_add_to_rate_limit_group(bev, NULL);
}

/* --- The API: groups -------------------------------------------------------------------------- */

struct bufferevent_rate_limit_group *
bufferevent_rate_limit_group_new(struct event_base *base, const struct ev_token_bucket_cfg *cfg)
{
	struct bufferevent_rate_limit_group *g;

	if (base == NULL)
		base = evi_current_base();
	if (base == NULL || cfg == NULL)
		return NULL;
	g = evi_calloc(1, sizeof(*g));
	if (g == NULL)
		return NULL;
	g->lock = evi_lock_new();
	if (g->lock == NULL && evi_threading_enabled()) {
		evi_free(g);
		return NULL;
	}
	g->base = base;
	g->cfg = *cfg;
	g->last_next = &g->first;
	g->min_share = DEFAULT_MIN_SHARE;
	evi_buckets_init(&g->buckets, &g->cfg, now_of(g));
	event_assign(&g->timer, base, -1, EV_FINALIZE, on_tick, g);
	return g;
}

static void destroy(struct bufferevent_rate_limit_group *g)
{
	evi_lock_free(g->lock);
	evi_free(g);
}

static void on_finalized(struct event *ev, void *arg)
{
	(void)ev;
	destroy(arg);
}

static void expel_all(struct bufferevent_rate_limit_group *g)
{
	evi_lock(g->lock);
	while (g->first != NULL) {
		struct evi_bev *b = g->first->owner;

		evi_bev_ref(b);
		evi_unlock(g->lock);
		evi_lock(b->input.lock);
		if (is_member(b, g))
			evi_group_leave(b->limits);
		(void)evi_bev_unref_unlock(b);
		evi_lock(g->lock);
	}
	evi_unlock(g->lock);
}

/* The timer's callback may be on its way in another thread: see bufferevent.h. */
void bufferevent_rate_limit_group_free(struct bufferevent_rate_limit_group *g)
{
	if (g == NULL)
		return;
	expel_all(g);
	(void)event_del_noblock(&g->timer);
	if (evi_base_in_loop_thread(g->base))
		destroy(g);
	else
		(void)event_finalize(0, &g->timer, on_finalized); /* it has a base */
}

/* Lets the loop resume what may go on now: the caller may hold a member's lock. */
static void resume_soon(struct bufferevent_rate_limit_group *g)
{
	if (may_resume(g) != 0)
		event_active(&g->timer, EV_TIMEOUT, 0);
}

int bufferevent_rate_limit_group_set_cfg(struct bufferevent_rate_limit_group *g,
					 const struct ev_token_bucket_cfg *cfg)
{
	if (g == NULL || cfg == NULL)
		return -1;
	evi_lock(g->lock);
	evi_buckets_refill(&g->buckets, &g->cfg, now_of(g));
	g->cfg = *cfg;
	evi_buckets_cap(&g->buckets, cfg);
	if (g->suspended != 0) /* the tick may be another; a timer that runs is only moved */
		(void)evi_buckets_wait(&g->buckets, cfg, &g->timer, now_of(g));
	resume_soon(g);
	evi_unlock(g->lock);
	return 0;
}

int bufferevent_rate_limit_group_set_min_share(struct bufferevent_rate_limit_group *g, size_t share)
{
	if (share > EV_SSIZE_MAX)
		return -1;
	evi_lock(g->lock);
	g->min_share = share;
	resume_soon(g);
	evi_unlock(g->lock);
	return 0;
}

static ev_ssize_t level_of(struct bufferevent_rate_limit_group *g, int way)
{
	ev_ssize_t level;

	evi_lock(g->lock);
	evi_buckets_refill(&g->buckets, &g->cfg, now_of(g));
	level = g->buckets.level[way];
	evi_unlock(g->lock);
	return level;
}

ev_ssize_t bufferevent_rate_limit_group_get_read_limit(struct bufferevent_rate_limit_group *g)
{
	return level_of(g, EVI_IN);
}

ev_ssize_t bufferevent_rate_limit_group_get_write_limit(struct bufferevent_rate_limit_group *g)
{
	return level_of(g, EVI_OUT);
}

static int decrement(struct bufferevent_rate_limit_group *g, short direction, ev_ssize_t len)
{
	evi_lock(g->lock);
	take_locked(g, direction, len);
	resume_soon(g);
	evi_unlock(g->lock);
	return 0;
}

int bufferevent_rate_limit_group_decrement_read(struct bufferevent_rate_limit_group *g,
						ev_ssize_t decr)
{
	return decrement(g, EV_READ, decr);
}

int bufferevent_rate_limit_group_decrement_write(struct bufferevent_rate_limit_group *g,
						 ev_ssize_t decr)
{
	return decrement(g, EV_WRITE, decr);
}

void bufferevent_rate_limit_group_get_totals(struct bufferevent_rate_limit_group *g,
					     ev_uint64_t *total_read_out,
					     ev_uint64_t *total_written_out)
{
	evi_lock(g->lock);
	if (total_read_out != NULL)
		*total_read_out = g->total[EVI_IN];
	if (total_written_out != NULL)
		*total_written_out = g->total[EVI_OUT];
	evi_unlock(g->lock);
}

void bufferevent_rate_limit_group_reset_totals(struct bufferevent_rate_limit_group *g)
{
	evi_lock(g->lock);
	g->total[EVI_IN] = g->total[EVI_OUT] = 0;
	evi_unlock(g->lock);
}
