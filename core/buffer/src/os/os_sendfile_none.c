/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending a file without a copy: systems where we have no call for it. */

#include "os/os_io.h"

ev_ssize_t evi_io_send_file(evutil_socket_t to, int file, ev_off_t offset, size_t len)
{
	(void)to;
	(void)file;
	(void)offset;
	(void)len;
	return -ENOSYS;
}

/*
 * The reactor's sockets raise no signal where there is an option for that; elsewhere nobody asks.
 */
ev_ssize_t evi_io_call_quietly(ev_ssize_t (*call)(void *arg), void *arg)
{
	return call(arg);
}
