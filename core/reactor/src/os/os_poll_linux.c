/* SPDX-License-Identifier: BSD-3-Clause */
/* ppoll(2): nanoseconds. */

#include "os_poll.h"

#include <stddef.h>
#include <time.h>

int evi_os_poll(struct pollfd *fds, nfds_t n, int64_t timeout_ns)
{
	struct timespec timeout = { .tv_sec = (time_t)(timeout_ns / 1000000000),
		.tv_nsec = (long)(timeout_ns % 1000000000) };

	return ppoll(fds, n, timeout_ns < 0 ? NULL : &timeout, NULL);
}
