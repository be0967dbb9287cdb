/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks on Windows: the performance counter and the file time. */

#include "../clock.h"

#include <windows.h>

/* From 100 ns since 1601 to ns since 1970. */
#define EPOCH_100NS INT64_C(116444736000000000)

uint64_t evi_clock_monotonic_ns(int precise)
{
	LARGE_INTEGER frequency, now;

	/* The counter is cheap enough for every use. */
	(void)precise;
	QueryPerformanceFrequency(&frequency);
	QueryPerformanceCounter(&now);
	return (uint64_t)(now.QuadPart / frequency.QuadPart) * EVI_NS_PER_S +
	       (uint64_t)(now.QuadPart % frequency.QuadPart) * EVI_NS_PER_S /
		       (uint64_t)frequency.QuadPart;
}

uint64_t evi_clock_coarse_step_ns(void)
{
	return 0;
}

int64_t evi_clock_wall_ns(void)
{
	FILETIME now;
	ULARGE_INTEGER t;

	GetSystemTimeAsFileTime(&now);
	t.LowPart = now.dwLowDateTime;
	t.HighPart = now.dwHighDateTime;
	return ((int64_t)t.QuadPart - EPOCH_100NS) * 100;
}
