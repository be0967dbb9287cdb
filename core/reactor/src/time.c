/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop's view of time.
 *
 * Deadlines count from the moment of the call, not from the start of the round, so callbacks that
 * take long make nobody's timer early. The precise clock costs five times the coarse one; for a
 * second and more the coarse clock is read and the most that it lags added, which is late by at
 * most that (8 ms), never early. Such deadlines have their lowest bit set, so that what a program
 * is told of them (event_pending()) is what it asked for.
 */

#include "base.h"

#define COARSE_FROM_NS EVI_NS_PER_S
#define IS_ROUNDED     UINT64_C(1)

/* 73 years: what is longer never happens. */
#define NEVER_NS (UINT64_C(1) << 61)

uint64_t evi_time_now(const struct event_base *base)
{
	(void)base;
	return evi_clock_monotonic_ns(1);
}

uint64_t evi_time_deadline(const struct event_base *base, uint64_t after_ns)
{
	if (after_ns >= COARSE_FROM_NS && !(base->flags & EVENT_BASE_FLAG_PRECISE_TIMER))
		return (evi_clock_monotonic_ns(0) + evi_clock_coarse_step_ns() + after_ns) |
		       IS_ROUNDED;
	return (evi_clock_monotonic_ns(1) + after_ns + IS_ROUNDED) & ~IS_ROUNDED;
}

static void timeval_of_ns(int64_t ns, struct timeval *tv)
{
	int64_t sec = ns / (int64_t)EVI_NS_PER_S;
	int64_t rest = ns % (int64_t)EVI_NS_PER_S;

	if (rest < 0) {
		sec--;
		rest += (int64_t)EVI_NS_PER_S;
	}
	tv->tv_sec = (time_t)sec;
	tv->tv_usec = (int)(rest / (int64_t)EVI_NS_PER_US);
}

void evi_time_wall_of(const struct event_base *base, uint64_t deadline, struct timeval *tv)
{
	int64_t left = (int64_t)(deadline - evi_time_now(base));

	if (deadline & IS_ROUNDED)
		left -= (int64_t)evi_clock_coarse_step_ns();
	timeval_of_ns(evi_clock_wall_ns() + left, tv);
}

/* What is not in its normal form, or near the end of time. */
static uint64_t ns_of_odd(const struct timeval *tv)
{
	const int64_t never_s = (int64_t)(NEVER_NS / EVI_NS_PER_S);
	int64_t sec = tv->tv_sec, carry = tv->tv_usec / 1000000, usec = tv->tv_usec % 1000000;
	uint64_t ns;

	if (sec > never_s || carry > never_s)
		return NEVER_NS;
	if (sec < -never_s)
		return 0;
	sec += carry;
	if (usec < 0) {
		sec--;
		usec += 1000000;
	}
	if (sec < 0)
		return 0;
	ns = (uint64_t)sec * EVI_NS_PER_S + (uint64_t)usec * EVI_NS_PER_US;
	return ns < NEVER_NS ? ns : NEVER_NS;
}

uint64_t evi_time_ns_of(const struct timeval *tv)
{
	if ((uint64_t)tv->tv_sec < NEVER_NS / EVI_NS_PER_S && (unsigned long)tv->tv_usec < 1000000)
		return (uint64_t)tv->tv_sec * EVI_NS_PER_S + (uint64_t)tv->tv_usec * EVI_NS_PER_US;
	return ns_of_odd(tv);
}

void evi_time_begin_round(struct event_base *base)
{
	base->round_now = 0;
	base->round_wall = 0;
	base->has_round = !(base->flags & EVENT_BASE_FLAG_NO_CACHE_TIME);
}

void evi_time_end_round(struct event_base *base)
{
	base->has_round = 0;
}

/* Read when first asked for: most rounds never need it. */
static int64_t round_wall(struct event_base *base)
{
	if (!base->has_round)
		return evi_clock_wall_ns();
	if (base->round_wall == 0) {
		base->round_wall = evi_clock_wall_ns();
		if (base->round_now != 0)
			base->round_wall -= (int64_t)(evi_time_now(base) - base->round_now);
	}
	return base->round_wall;
}

uint64_t evi_base_now_ns(struct event_base *base)
{
	uint64_t now;

	evi_base_lock(base);
	if (base->has_round && base->round_now == 0)
		base->round_now = evi_time_now(base);
	now = base->has_round ? base->round_now : evi_time_now(base);
	evi_base_unlock(base);
	return now;
}

int event_base_gettimeofday_cached(struct event_base *base, struct timeval *tv)
{
	if (tv == NULL)
		return -1;
	if (base == NULL)
		base = event_global_current_base_;
	if (base == NULL) {
		timeval_of_ns(evi_clock_wall_ns(), tv);
		return 0;
	}
	evi_base_lock(base);
	timeval_of_ns(round_wall(base), tv);
	evi_base_unlock(base);
	return 0;
}

int event_base_update_cache_time(struct event_base *base)
{
	if (base == NULL)
		base = event_global_current_base_;
	if (base == NULL)
		return -1;
	evi_base_lock(base);
	if (base->has_round) {
		base->round_now = evi_time_now(base);
		base->round_wall = evi_clock_wall_ns();
	}
	evi_base_unlock(base);
	return 0;
}

int event_gettime_monotonic(struct event_base *base, struct timeval *tp)
{
	if (base == NULL || tp == NULL)
		return -1;
	timeval_of_ns((int64_t)evi_time_now(base), tp);
	return 0;
}
