/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Token buckets: a level per direction, to which every tick adds the rate, up to the burst. Nothing
 * runs per tick: levels are brought up to date when they are looked at. Time is monotonic.
 */

#include "bucket.h"

#include <event2/util.h>

#include <limits.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)
#define DEFAULT_TICK_MS 1000

void evi_buckets_init(struct evi_buckets *buckets, const struct ev_token_bucket_cfg *cfg,
		      uint64_t now_ns)
{
	buckets->level[EVI_IN] = (ev_ssize_t)cfg->rate[EVI_IN];
	buckets->level[EVI_OUT] = (ev_ssize_t)cfg->rate[EVI_OUT];
	buckets->tick_start_ns = now_ns;
}

void evi_buckets_cap(struct evi_buckets *buckets, const struct ev_token_bucket_cfg *cfg)
{
	for (int way = EVI_IN; way <= EVI_OUT; way++)
		if (buckets->level[way] > (ev_ssize_t)cfg->burst[way])
			buckets->level[way] = (ev_ssize_t)cfg->burst[way];
}

/* The distance to the burst may exceed the signed type, but never the unsigned one. */
static void refill_one(ev_ssize_t *level, size_t rate, size_t burst, uint64_t ticks)
{
	size_t missing;

	if (*level >= (ev_ssize_t)burst)
		return;
	missing = burst - (size_t)*level;
	if (ticks > missing / rate)
		*level = (ev_ssize_t)burst;
	else
		*level = (ev_ssize_t)((size_t)*level + (size_t)ticks * rate);
}

void evi_buckets_refill(struct evi_buckets *buckets, const struct ev_token_bucket_cfg *cfg,
			uint64_t now_ns)
{
	uint64_t ticks;

	if (now_ns < buckets->tick_start_ns)
		return; /* another thread has read a later time */
	ticks = (now_ns - buckets->tick_start_ns) / cfg->tick_ns;
	if (ticks == 0)
		return;
	buckets->tick_start_ns += ticks * cfg->tick_ns;
	for (int way = EVI_IN; way <= EVI_OUT; way++)
		refill_one(&buckets->level[way], cfg->rate[way], cfg->burst[way], ticks);
}

void evi_buckets_take(struct evi_buckets *buckets, int way, ev_ssize_t len)
{
	ev_ssize_t level = buckets->level[way];

	if (len >= 0)
		buckets->level[way] =
			level < EV_SSIZE_MIN + len ? EV_SSIZE_MIN : level - len;
	else
		buckets->level[way] =
			level > EV_SSIZE_MAX + len ? EV_SSIZE_MAX : level - len;
}

int evi_buckets_wait(const struct evi_buckets *buckets, const struct ev_token_bucket_cfg *cfg,
		     struct event *timer, uint64_t now_ns)
{
	uint64_t end_ns = buckets->tick_start_ns + cfg->tick_ns;
	uint64_t wait_us = end_ns > now_ns ? (end_ns - now_ns) / NS_PER_US + 1 : 1;
	struct timeval tv = {
		.tv_sec = (time_t)(wait_us / 1000000),
		.tv_usec = wait_us % 1000000,
	};

	return event_add(timer, &tv) < 0 ? -ENOMEM : 0;
}

/* --- The API ---------------------------------------------------------------------------------- */

/* A tick in milliseconds; 0 if it is out of range. */
static uint64_t tick_ms(const struct timeval *tick)
{
	if (tick == NULL)
		return DEFAULT_TICK_MS;
	if (tick->tv_sec < 0 || tick->tv_sec > INT_MAX / 1000 || tick->tv_usec < 0 ||
	    tick->tv_usec > 999999)
		return 0;
	return (uint64_t)tick->tv_sec * 1000 + (uint64_t)tick->tv_usec / 1000;
}

static int is_good_rate(size_t rate, size_t burst)
{
	return rate > 0 && rate <= burst && burst <= EV_RATE_LIMIT_MAX;
}

struct ev_token_bucket_cfg *ev_token_bucket_cfg_new(size_t read_rate, size_t read_burst,
						    size_t write_rate, size_t write_burst,
						    const struct timeval *tick_len)
{
	uint64_t ms = tick_ms(tick_len);
	struct ev_token_bucket_cfg *cfg;

	if (ms == 0 || !is_good_rate(read_rate, read_burst) ||
	    !is_good_rate(write_rate, write_burst))
		return NULL;
	cfg = evi_malloc(sizeof(*cfg));
	if (cfg == NULL)
		return NULL;
	cfg->rate[EVI_IN] = read_rate;
	cfg->burst[EVI_IN] = read_burst;
	cfg->rate[EVI_OUT] = write_rate;
	cfg->burst[EVI_OUT] = write_burst;
	cfg->tick_ns = ms * NS_PER_MS;
	return cfg;
}

void ev_token_bucket_cfg_free(struct ev_token_bucket_cfg *cfg)
{
	evi_free(cfg);
}
