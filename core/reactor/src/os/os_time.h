/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_TIME_H_INCLUDED
#define EVI_OS_TIME_H_INCLUDED

#include <time.h>

/* The present time in UTC; any thread. */
void evi_os_gmtime_now(struct tm *ret_tm);

#endif
