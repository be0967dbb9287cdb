/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVEN_CLOCK_H_INCLUDED
#define DRIVEN_CLOCK_H_INCLUDED

/*
 * A clock that the test drives: what the reactor asks of the system goes through this program,
 * which adds an offset. Hours pass in no time, and clocks step. One implementation per family of
 * systems.
 */

/* What is added to the monotonic and the wall clock from now on; only the first cannot go back. */
extern long long clock_monotonic_offset_ms, clock_wall_offset_ms;

/* Stands between the reactor and the system's clocks, where that does not happen by itself. */
void clock_take(void);

/* The wall clock as the reactor sees it. */
long long clock_wall_s(void);

/* The monotonic clock as it is. */
long long clock_real_ms(void);

#endif
