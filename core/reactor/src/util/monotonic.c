/* SPDX-License-Identifier: BSD-3-Clause */
/* Monotonic time for programs. */

#include "../clock.h"

#include <event2/component/reactor.h>

struct evutil_monotonic_timer {
	int flags;
	int64_t last_ns;    /* the last reading; no later one is before it */
	int64_t ahead_ns;   /* EV_MONOT_FALLBACK: how far the wall clock was set back, in all */
};

struct evutil_monotonic_timer *evutil_monotonic_timer_new(void)
{
	return evi_calloc(1, sizeof(struct evutil_monotonic_timer));
}

void evutil_monotonic_timer_free(struct evutil_monotonic_timer *timer)
{
	evi_free(timer);
}

int evutil_configure_monotonic_time(struct evutil_monotonic_timer *timer, int flags)
{
	if (timer == NULL)
		return -1;
	timer->flags = flags;
	timer->last_ns = 0;
	timer->ahead_ns = 0;
	return 0;
}

/* From the wall clock: when it steps back, time stands still there and goes on from that point. */
static int64_t simulated_ns(struct evutil_monotonic_timer *timer)
{
	int64_t now = evi_clock_wall_ns() + timer->ahead_ns;

	if (now < timer->last_ns) {
		timer->ahead_ns += timer->last_ns - now;
		now = timer->last_ns;
	}
	return now;
}

int evutil_gettime_monotonic(struct evutil_monotonic_timer *timer, struct timeval *tp)
{
	int64_t now;

	if (timer == NULL || tp == NULL)
		return -1;
	if (timer->flags & EV_MONOT_FALLBACK)
		now = simulated_ns(timer);
	else
		now = (int64_t)evi_clock_monotonic_ns(timer->flags & EV_MONOT_PRECISE);
	if (now < timer->last_ns)
		now = timer->last_ns;
	timer->last_ns = now;
	tp->tv_sec = (time_t)(now / (int64_t)EVI_NS_PER_S);
	tp->tv_usec = (int)(now % (int64_t)EVI_NS_PER_S / (int64_t)EVI_NS_PER_US);
	return 0;
}
