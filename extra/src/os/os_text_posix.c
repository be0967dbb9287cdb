/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of the C library that differ between systems: POSIX. */

#include "os/os_text.h"

FILE *evi_text_open(const char *name)
{
	return fopen(name, "re");
}

int evi_time_parts(time_t at, struct tm *ret_parts)
{
	return gmtime_r(&at, ret_parts) != NULL ? 0 : -1;
}
