/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks. */

#include "support.h"

#include <limits.h>
#include <time.h>

TestSuite(util_clock, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static const int all_flags[] = { 0, EV_MONOT_PRECISE, EV_MONOT_FALLBACK };

static struct evutil_monotonic_timer *timer_new(int flags)
{
	struct evutil_monotonic_timer *timer = evutil_monotonic_timer_new();

	cr_assert_not_null(timer);
	cr_assert_eq(evutil_configure_monotonic_time(timer, flags), 0);
	return timer;
}

static long usec_between(const struct timeval *from, const struct timeval *to)
{
	return (to->tv_sec - from->tv_sec) * 1000000L + (to->tv_usec - from->tv_usec);
}

/* UTIL-009 */
Test(util_clock, gettimeofday_is_the_wall_clock)
{
	struct timeval tv;
	time_t before = time(NULL);

	cr_assert_eq(evutil_gettimeofday(&tv, NULL), 0);
	cr_expect_geq(tv.tv_sec, before - 1);
	cr_expect_leq(tv.tv_sec, before + 5);
	cr_expect_lt(tv.tv_usec, 1000000);
	cr_expect_geq(tv.tv_usec, 0);
}

/* UTIL-079, UTIL-080, UTIL-081, UTIL-083 */
Test(util_clock, a_monotonic_timer_never_steps_back)
{
	for (size_t kind = 0; kind < 3; kind++) {
		struct evutil_monotonic_timer *timer = timer_new(all_flags[kind]);
		struct timeval last, now;

		cr_assert_eq(evutil_gettime_monotonic(timer, &last), 0);
		for (int i = 0; i < 100000; i++) {
			cr_assert_eq(evutil_gettime_monotonic(timer, &now), 0);
			cr_assert(evutil_timercmp(&now, &last, >=));
			last = now;
		}
		evutil_monotonic_timer_free(timer);
	}
	evutil_monotonic_timer_free(NULL);
}

/* The smallest distance between readings that differ: the larger ones may be the machine's. */
static long smallest_step_us(struct evutil_monotonic_timer *timer, int steps)
{
	struct timeval last, now;
	long smallest = LONG_MAX;

	evutil_gettime_monotonic(timer, &last);
	while (steps > 0) {
		evutil_gettime_monotonic(timer, &now);
		if (evutil_timercmp(&now, &last, !=)) {
			long step = (long)usec_between(&last, &now);

			smallest = step < smallest ? step : smallest;
			last = now;
			steps--;
		}
	}
	return smallest;
}

/* UTIL-082 */
Test(util_clock, steps_are_small)
{
	for (size_t kind = 0; kind < 3; kind++) {
		struct evutil_monotonic_timer *timer = timer_new(all_flags[kind]);
		long limit = all_flags[kind] == EV_MONOT_PRECISE ? 500 : 25000;

		cr_expect_lt(smallest_step_us(timer, 20), limit);
		evutil_monotonic_timer_free(timer);
	}
}

/* UTIL-082: against the system's own clock, since a sleep may be as late as it likes. */
Test(util_clock, distances_agree_with_the_system)
{
	for (size_t kind = 0; kind < 3; kind++) {
		struct evutil_monotonic_timer *timer = timer_new(all_flags[kind]);
		double limit_us = all_flags[kind] == 0 ? 20000 : 5000;
		const struct timespec pause = { 0, 40000000 };
		struct timeval from, to;
		double start, outer_start = support_now_ms(), end, outer_end;

		evutil_gettime_monotonic(timer, &from);
		start = support_now_ms();
		nanosleep(&pause, NULL); /* the time that is measured, not a synchronisation */
		end = support_now_ms();
		evutil_gettime_monotonic(timer, &to);
		outer_end = support_now_ms();
		cr_expect_geq((double)usec_between(&from, &to), (end - start) * 1000 - limit_us);
		cr_expect_leq((double)usec_between(&from, &to),
			      (outer_end - outer_start) * 1000 + limit_us);
		evutil_monotonic_timer_free(timer);
	}
}
