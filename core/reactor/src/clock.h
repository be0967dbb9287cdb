/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_CLOCK_H_INCLUDED
#define EVI_CLOCK_H_INCLUDED

#include <stdint.h>

/*
 * The system's clocks, one implementation per platform (os/os_clock_*.c). Neither fails, and both
 * may be read from any thread.
 */

#define EVI_NS_PER_S  UINT64_C(1000000000)
#define EVI_NS_PER_MS UINT64_C(1000000)
#define EVI_NS_PER_US UINT64_C(1000)

/*
 * Time since some fixed point; never goes back, and no one can set it.
 *
 * `precise`: the finest clock there is; otherwise the cheapest that steps at least every 10 ms or
 * so.
 */
uint64_t evi_clock_monotonic_ns(int precise);

/* How far the cheap clock may be behind the precise one. */
uint64_t evi_clock_coarse_step_ns(void);

/* Time since 1970, as the administrator believes it to be: it may jump either way. */
int64_t evi_clock_wall_ns(void);

#endif
