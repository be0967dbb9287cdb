/* SPDX-License-Identifier: BSD-3-Clause */
#include "histogram.h"

#include <math.h>

/* Values below 8 have a bucket each, then eight buckets share each power of two. */
static unsigned bucket_of(double us)
{
	int exponent;
	double fraction;
	unsigned bucket;

	if (!(us >= 8))
		return us > 0 ? (unsigned)us : 0;
	fraction = frexp(us, &exponent); /* 0.5 <= fraction < 1 */
	bucket = (unsigned)(exponent - 3) * 8 + (unsigned)((fraction - 0.5) * 16);
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The middle of a bucket. */
static double value_of(unsigned bucket)
{
	if (bucket < 8)
		return bucket + 0.5;
	return ldexp(0.5 + (bucket % 8 + 0.5) / 16, (int)(bucket / 8) + 3);
}

void histogram_add(struct histogram *histogram, double us)
{
	atomic_fetch_add_explicit(&histogram->counts[bucket_of(us)], 1, memory_order_relaxed);
}

struct quantiles histogram_take(struct histogram *histogram)
{
	unsigned counts[HISTOGRAM_BUCKETS];
	struct quantiles q = { 0 };
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		counts[i] =
			atomic_exchange_explicit(&histogram->counts[i], 0, memory_order_relaxed);
		q.count += counts[i];
	}
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (counts[i] == 0)
			continue;
		seen += counts[i];
		q.max = value_of(i);
		if (q.p50 == 0 && seen * 2 >= q.count)
			q.p50 = q.max;
		if (q.p99 == 0 && seen * 100 >= q.count * 99)
			q.p99 = q.max;
	}
	return q;
}
