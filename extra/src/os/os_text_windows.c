/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of the C library that differ between systems: Windows. */

#include "os/os_text.h"

FILE *evi_text_open(const char *name)
{
	return fopen(name, "rbN");
}

int evi_time_parts(time_t at, struct tm *ret_parts)
{
	return gmtime_s(ret_parts, &at) == 0 ? 0 : -1;
}
