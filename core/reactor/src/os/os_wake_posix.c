/* SPDX-License-Identifier: BSD-3-Clause */
/* Wake-ups by a pipe, where there is nothing better. */

#include "os_wake.h"

#include <event2/event-config.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#ifdef EVENT__HAVE_PIPE2

static int open_pipe(int ends[2])
{
	return pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0 ? -errno : 0;
}

#else

static int prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

static int open_pipe(int ends[2])
{
	int err;

	if (pipe(ends) < 0)
		return -errno;
	err = prepare(ends[0]);
	if (err == 0)
		err = prepare(ends[1]);
	if (err == 0)
		return 0;
	(void)close(ends[0]);
	(void)close(ends[1]);
	return err;
}

#endif

int evi_os_wake_open(evutil_socket_t fds[2])
{
	int ends[2], err = open_pipe(ends);

	if (err < 0)
		return err;
	fds[0] = ends[0];
	fds[1] = ends[1];
	return 0;
}

void evi_os_wake_close(const evutil_socket_t fds[2])
{
	(void)close(fds[0]);
	(void)close(fds[1]);
}

void evi_os_wake_send(evutil_socket_t fd)
{
	int saved = errno;

	/* A full pipe is readable already. */
	if (write(fd, "", 1) < 0)
		errno = saved;
}

int evi_os_wake_has_edges(void)
{
	return 0;
}

void evi_os_wake_drain(evutil_socket_t fd)
{
	char bytes[256];

	while (read(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes))
		continue;
}
