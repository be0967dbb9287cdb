/* SPDX-License-Identifier: BSD-3-Clause */
/* poll(2): milliseconds, rounded up. */

#include "os_poll.h"

#include <limits.h>

int evi_os_poll(struct pollfd *fds, nfds_t n, int64_t timeout_ns)
{
	int64_t ms = timeout_ns < 0 ? -1 : (timeout_ns + 999999) / 1000000;

	return poll(fds, n, (int)(ms < INT_MAX ? ms : INT_MAX));
}
