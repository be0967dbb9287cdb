/* SPDX-License-Identifier: BSD-3-Clause */
#include "os_time.h"

#include <string.h>

void evi_os_gmtime_now(struct tm *ret_tm)
{
	time_t now = time(NULL);

	if (gmtime_s(ret_tm, &now) != 0)
		memset(ret_tm, 0, sizeof(*ret_tm));
}
