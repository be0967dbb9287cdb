/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks by clock_gettime(), which is a library call without a system call where it matters. */

#include "clock.h"

#include <time.h>

#if defined(CLOCK_MONOTONIC_COARSE)
#define CLOCK_CHEAP CLOCK_MONOTONIC_COARSE
#elif defined(CLOCK_MONOTONIC_FAST)
#define CLOCK_CHEAP CLOCK_MONOTONIC_FAST
#else
#define CLOCK_CHEAP CLOCK_MONOTONIC
#endif

uint64_t evi_clock_monotonic_ns(int precise)
{
	struct timespec now = { 0 };

	/* Fails only for a clock that does not exist. */
	if (clock_gettime(precise ? CLOCK_MONOTONIC : CLOCK_CHEAP, &now) != 0)
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * EVI_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Twice the resolution: virtual machines have been seen to take a tick late. */
uint64_t evi_clock_coarse_step_ns(void)
{
	static _Atomic uint64_t step; /* the same whoever finds it out */
	struct timespec resolution;

	if (step == 0) {
		if (clock_getres(CLOCK_CHEAP, &resolution) != 0)
			return 10 * EVI_NS_PER_MS;
		step = 2 *
		       ((uint64_t)resolution.tv_sec * EVI_NS_PER_S + (uint64_t)resolution.tv_nsec);
	}
	return step;
}

int64_t evi_clock_wall_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * (int64_t)EVI_NS_PER_S + now.tv_nsec;
}
