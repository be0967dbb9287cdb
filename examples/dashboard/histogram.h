/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HISTOGRAM_H_INCLUDED
#define HISTOGRAM_H_INCLUDED

/*
 * Microseconds, counted in buckets that are an eighth of their value wide. One thread adds, any
 * takes.
 */

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 256

struct histogram {
	atomic_uint counts[HISTOGRAM_BUCKETS];
};

struct quantiles {
	double p50, p99, max; /* microseconds; 0 if nothing was counted */
	uint64_t count;
};

void histogram_add(struct histogram *histogram, double us);

/* What was counted since the last call. */
struct quantiles histogram_take(struct histogram *histogram);

#endif
