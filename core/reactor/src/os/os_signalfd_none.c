/* SPDX-License-Identifier: BSD-3-Clause */
/* Where signals cannot be read from a descriptor they are caught by a handler. */

#include "os_signal.h"

#include <errno.h>

int evi_os_signalfd_exists(void)
{
	return 0;
}

int evi_os_signalfd_open(int sig, evutil_socket_t *ret_fd, int *ret_was_blocked)
{
	(void)sig;
	(void)ret_fd;
	(void)ret_was_blocked;
	return -ENOSYS;
}

void evi_os_signalfd_close(int sig, evutil_socket_t fd, int was_blocked)
{
	(void)sig;
	(void)fd;
	(void)was_blocked;
}

int evi_os_signalfd_drain(evutil_socket_t fd)
{
	(void)fd;
	return 0;
}
