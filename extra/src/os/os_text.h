/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXTRA_OS_TEXT_H_INCLUDED
#define EXTRA_OS_TEXT_H_INCLUDED

/* Calls of the C library that differ between systems, one implementation each: os_text_*.c. */

#include <stdio.h>
#include <time.h>

/* Opens a file for reading that children do not inherit; NULL if it cannot be opened. */
FILE *evi_text_open(const char *name);

/* Splits a time into its parts in UTC, for any number of threads. 0, or -1 if it has none. */
int evi_time_parts(time_t at, struct tm *ret_parts);

#endif
