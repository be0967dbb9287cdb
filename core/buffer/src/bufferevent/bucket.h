/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_BUCKET_H_INCLUDED
#define EVI_BUCKET_H_INCLUDED

/* Token buckets, and what bufferevents and groups of them share in limiting rates. */

#include <event2/bufferevent.h>
#include <event2/component/reactor.h>
#include <event2/event_struct.h>

#include <stdint.h>

struct evi_bev;

/* Indices of what is kept per direction. */
enum { EVI_IN, EVI_OUT };

static inline int evi_way_of(short direction)
{
	return direction == EV_READ ? EVI_IN : EVI_OUT;
}

/* Rates and bursts in bytes, rates per tick; 1 <= rate <= burst <= EV_RATE_LIMIT_MAX. */
struct ev_token_bucket_cfg {
	size_t rate[2];
	size_t burst[2];
	uint64_t tick_ns;
};

struct evi_buckets {
	ev_ssize_t level[2]; /* bytes that may move; <= 0: none */
	uint64_t tick_start_ns;
};

/* Full for one tick. */
void evi_buckets_init(struct evi_buckets *buckets, const struct ev_token_bucket_cfg *cfg,
		      uint64_t now_ns);

/* Another configuration: takes what is above the new bursts, gives nothing. */
void evi_buckets_cap(struct evi_buckets *buckets, const struct ev_token_bucket_cfg *cfg);

/* Add what the ticks that have passed bring. */
void evi_buckets_refill(struct evi_buckets *buckets, const struct ev_token_bucket_cfg *cfg,
			uint64_t now_ns);

/* Take `len`, or give if it is negative; the level stops at the ends of its type. */
void evi_buckets_take(struct evi_buckets *buckets, int way, ev_ssize_t len);

/* Have `timer` fire when the tick that is running ends. 0 or a negative error. */
int evi_buckets_wait(const struct evi_buckets *buckets, const struct ev_token_bucket_cfg *cfg,
		     struct event *timer, uint64_t now_ns);

/* The limits of one bufferevent; guarded by its lock, but for the links. */
struct evi_limits {
	const struct ev_token_bucket_cfg *cfg; /* borrowed; NULL: no limit of its own */
	struct evi_buckets buckets;
	struct event timer; /* fires when a held direction may go on */
	struct evi_bev *owner;
	struct bufferevent_rate_limit_group *group; /* NULL: in none */
	struct evi_limits *next;                    /* guarded by the group's lock */
	struct evi_limits **prev;
	/*
	 * limit_group.c, under the group's lock: when it moved bytes last, the periods of its last
	 * wish and turn
	 */
	uint64_t served[2];
	uint32_t asked[2];
	uint32_t turn[2];
};

/* limits.c: the limits of `b`, made if need be; NULL without memory. */
struct evi_limits *evi_limits_of(struct evi_bev *b);

/* limit_group.c: what the group allows the member now; holds the member if that is nothing. */
size_t evi_group_room(struct evi_limits *member, short direction);

/* limit_group.c: whether the member may use its room now; if not it is held, and called again. */
int evi_group_turn(struct evi_limits *member, short direction);

/* limit_group.c: a member has moved `len` bytes. */
void evi_group_charge(struct evi_limits *member, short direction, ev_ssize_t len);

/* limit_group.c: leave; what the group has held goes on. */
void evi_group_leave(struct evi_limits *member);

#endif
