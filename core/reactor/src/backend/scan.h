/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_SCAN_H_INCLUDED
#define EVI_SCAN_H_INCLUDED

/*
 * Where to begin looking through the results of poll(2) and select(2): somewhere else each time, so
 * that no descriptor is always first. Not for secrets.
 */

#include "../clock.h"

#include <stddef.h>

struct evi_scan {
	uint32_t seed;
};

static inline void evi_scan_init(struct evi_scan *scan)
{
	scan->seed = (uint32_t)evi_clock_monotonic_ns(1) | 1;
}

/* A number in 0 .. n-1; 0 if n is 0. */
static inline size_t evi_scan_start(struct evi_scan *scan, size_t n)
{
	scan->seed = scan->seed * 1664525u + 1013904223u;
	return n != 0 ? (scan->seed >> 8) % n : 0;
}

#endif
