/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_BUFFEREVENT_H_INCLUDED
#define EVI_BUFFEREVENT_H_INCLUDED

/*
 * The inside of a bufferevent, for the files of src/bufferevent/. Types use only the component
 * interface, event2/component/buffer.h.
 *
 * Lock: every field is guarded by `input.lock` (the same as `output.lock`) if there is one, but for
 * what says otherwise. Order: a bufferevent's lock, then a rate-limit group's, then the base's.
 *
 * Life: `refs` are those that keep the bufferevent working: its creator's, those of
 * bufferevent_incref(), that of a bufferevent around it. `visits` are calls under way, which only
 * keep the memory. The object dies when it has neither. What merely is scheduled - events, the
 * deferred run, the end of the round - counts as nothing: at death all of it is taken back, and the
 * memory goes where no scheduled call can be on its way any more: at once in the loop's thread,
 * else by a finalizer, which the loop runs.
 */

#include "evbuffer.h"

#include <event2/component/buffer.h>

#include <stdatomic.h>

struct evi_dial;
struct evi_limits;

/* One lock, shared by the two of a pair and by a bufferevent and those around it. */
struct evi_bev_lock {
	void *lock;
	_Atomic unsigned users;
};

/* Bits of evi_bev.flags. */
enum {
	EVI_BEV_IS_FREED = 1 << 0,      /* bufferevent_free() was called */
	EVI_BEV_IS_DEAD = 1 << 1,       /* the last reference is gone */
	EVI_BEV_IS_CONNECTING = 1 << 2, /* ev_write waits for the connection */
	EVI_BEV_HAS_READ_SIZE = 1 << 3, /* bufferevent_set_max_single_read() set one */
	EVI_BEV_IS_CORKED = 1 << 4,     /* output_grew() comes later: see evi_bev_cork() */
	EVI_BEV_IS_UNWATCHED = 1 << 5,  /* told by completions: see evi_bev_unwatch() */
};

/* What reading takes at once by default, as the getters tell; reading itself adapts. */
#define EVI_BEV_SINGLE_DEFAULT 16384

struct evi_bev {
	struct bufferevent pub; /* first: the two are one address */
	struct evbuffer input;
	struct evbuffer output;
	struct evi_deferred deferred;   /* runs the pending callbacks */
	struct evi_round_end round_end; /* ops->round_end() */
	struct evi_bev_lock *shared;    /* counted; NULL: no lock */
	struct evi_bev *transport;      /* referenced; what this one is put over, or NULL */
	struct evi_limits *limits;      /* owned; NULL: never limited */
	struct evi_dial *dial;          /* owned; NULL: never connected by name */
	size_t max_single_write;        /* 0: no limit was set */
	_Atomic unsigned refs; /* never rises from 0; only groups change it unlocked */
	unsigned visits;
	int pending_error;    /* the socket error for the pending event callback */
	short pending_events; /* BEV_EVENT_* for the pending event callback */
	short pending_data;   /* EV_READ, EV_WRITE: the pending data callbacks */
	short waits;          /* directions between evi_bev_wait() and _unwait() */
	uint8_t held_read;    /* EVI_BEV_HELD_* */
	uint8_t held_write;
	uint8_t options; /* enum bufferevent_options */
	uint8_t flags;   /* EVI_BEV_IS_* and _HAS_* */
	uint8_t priority;
};

static inline struct evi_bev *evi_bev_of(const struct bufferevent *bev)
{
	return (struct evi_bev *)(uintptr_t)bev;
}

/* --- What is asked all the time: evi_bev_is_alive(), evi_bev_active(), evi_bev_waits() -------- */

static inline int evi_bev_lives(const struct evi_bev *b)
{
	return atomic_load_explicit(&b->refs, memory_order_relaxed) > 0;
}

static inline short evi_bev_moves(const struct evi_bev *b, short directions)
{
	short active = b->pub.enabled & directions & (EV_READ | EV_WRITE);

	if (!evi_bev_lives(b))
		return 0;
	if (b->held_read != 0)
		active &= ~EV_READ;
	if (b->held_write != 0)
		active &= ~EV_WRITE;
	return active;
}

/* --- References ------------------------------------------------------------------------------- */

static inline void evi_bev_ref(struct evi_bev *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
}

/* Drop a reference with the lock held, then unlock. Returns 1 if it was the last. */
int evi_bev_unref_unlock(struct evi_bev *b);

/* The way in for what was scheduled: 0, and not entered, if the object is dead. */
int evi_bev_try_enter(struct evi_bev *b);

/* --- Between the files ------------------------------------------------------------------------ */

/* bev_life.c: count a user of a lock, which may be NULL. */
struct evi_bev_lock *evi_bev_lock_ref(struct evi_bev_lock *shared);
void evi_bev_lock_unref(struct evi_bev_lock *shared);

/* bev_life.c: share `shared`, which gets one more user, instead of the lock it has. */
void evi_bev_use_lock(struct evi_bev *b, struct evi_bev_lock *shared);

/* bev_notify.c */
void evi_bev_deferred_run(struct evi_deferred *deferred, void *arg);

/* bev_wait.c: the callbacks of the two events. */
void evi_bev_on_read(evutil_socket_t fd, short what, void *arg);
void evi_bev_on_write(evutil_socket_t fd, short what, void *arg);

/*
 * bev_wait.c: prepare both events for `fd` or -1; neither is pending. They watch it unless
 * something else tells of it; then they only keep the timeouts.
 */
void evi_bev_assign(struct evi_bev *b, evutil_socket_t fd);

/* bev_wait.c: bring the event of a direction in line with what it waits for now. */
int evi_bev_arm(struct evi_bev *b, short direction);

/* bev_wait.c: start timeouts afresh where they run, after they or what is enabled have changed. */
int evi_bev_rearm(struct evi_bev *b, short directions);

/* bev_direction.c: clear a reason and let what becomes active start for `cause`. */
void evi_bev_release(struct evi_bev *b, short directions, unsigned reason,
		     enum evi_bev_cause cause);

/* bev_direction.c: start active directions; an error is reported as the direction's. */
void evi_bev_start(struct evi_bev *b, short directions, enum evi_bev_cause cause);

/* bev_mark.c: the input's length or its high mark has changed. */
void evi_bev_check_mark(struct evi_bev *b);

/* bev_connect.c: the descriptor of a connecting bufferevent became writable, or so it seems. */
void evi_bev_connect_ready(struct evi_bev *b);

/* bev_connect.c: forget about connecting; the directions stay held. */
void evi_bev_connect_abandon(struct evi_bev *b);

/*
 * bev_connect.c: connect `fd`. 0: under way; -ECONNREFUSED and others as connect() says. Holds
 * nothing and reports nothing.
 */
int evi_bev_connect_begin(evutil_socket_t fd, const struct sockaddr *sa, ev_socklen_t len);

/* bev_connect.c: until it is replaced, the descriptor is not watched. Nothing waits. */
void evi_bev_unwatch(struct evi_bev *b);

/* bev_connect.c: the attempt of the bufferevent's own descriptor has ended with `err`, or 0. */
void evi_bev_connect_end(struct evi_bev *b, int err);

/* bev_connect.c: the error of an attempt that has ended; 0 if its connection stands. */
int evi_bev_connect_error(evutil_socket_t fd);

/* bev_connect.c: stop waiting and take the descriptor; the latter also watches it connect. */
void evi_bev_connect_use(struct evi_bev *b, evutil_socket_t fd);
int evi_bev_connect_watch(struct evi_bev *b, evutil_socket_t fd);

/* bev_connect.c: the descriptor's connection stands; or the last try failed with `err`. */
void evi_bev_connect_done(struct evi_bev *b);
void evi_bev_connect_failed(struct evi_bev *b, int err);

/* dial.c: give up looking up and trying; a lookup that was under way counts as cancelled. */
void evi_dial_abandon(struct evi_bev *b);
void evi_dial_free(struct evi_bev *b);

/*
 * dial.c: the bufferevent's own descriptor failed: nonzero if another address is tried, or the
 * failure has been reported. Or its connection stands, so the others are given up.
 */
int evi_dial_own_failed(struct evi_bev *b, int err);
void evi_dial_own_done(struct evi_bev *b);

/* bev_wrap.c: let go of the transport. */
void evi_bev_unwrap(struct evi_bev *b);

/* bev_wrap.c: nonzero for the callbacks of wrapping bufferevents, which run with the lock held. */
int evi_bev_is_wrapper_cb(const struct bufferevent *bev);

/*
 * Keep output_grew() back while somebody adds to the output piece by piece; uncorking makes up for
 * it. Not recursive.
 */
void evi_bev_cork(struct evi_bev *b);
void evi_bev_uncork(struct evi_bev *b);

/* --- Rate limits (limits.c, limit_group.c) ---------------------------------------------------- */

/* What the limits allow to move now; SIZE_MAX without limits. May hold the direction. */
size_t evi_limits_room(struct evi_bev *b, short direction);

/* Charge `len` bytes, which may be negative; holds and releases the direction. */
void evi_limits_charge(struct evi_bev *b, short direction, ev_ssize_t len);

/* Leave the group, stop the timer. */
void evi_limits_leave(struct evi_bev *b);

/* Release the memory; left before. */
void evi_limits_free(struct evi_bev *b);

#endif
