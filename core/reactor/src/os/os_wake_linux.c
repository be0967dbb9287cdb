/* SPDX-License-Identifier: BSD-3-Clause */
/* Wake-ups by eventfd(2): one descriptor, and any number of sends are one to the reader. */

#include "os_wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int evi_os_wake_open(evutil_socket_t fds[2])
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	fds[0] = fds[1] = fd;
	return 0;
}

void evi_os_wake_close(const evutil_socket_t fds[2])
{
	(void)close(fds[0]);
}

void evi_os_wake_send(evutil_socket_t fd)
{
	const uint64_t one = 1;
	int saved = errno;

	/* Fails only if nobody has read for 2^64 sends, and then it is readable anyway. */
	if (write(fd, &one, sizeof(one)) < 0)
		errno = saved;
}

/*
 * eventfd(2): a write wakes whoever watches, by epoll(7) with EPOLLET too, whatever the counter
 * was. It is full after 2^64 - 1 sends.
 */
int evi_os_wake_has_edges(void)
{
	return 1;
}

void evi_os_wake_drain(evutil_socket_t fd)
{
	uint64_t sends;

	/* EAGAIN: another thread's signal handler and this one's wake-up were read together. */
	if (read(fd, &sends, sizeof(sends)) < 0)
		return;
}
