/* SPDX-License-Identifier: BSD-3-Clause */
/* Wake-ups on Windows by a pair of connected sockets, the only thing its select() can watch. */

#include "os_wake.h"

#include <winsock2.h>

int evi_os_wake_open(evutil_socket_t fds[2])
{
	if (evutil_socketpair(AF_INET, SOCK_STREAM, 0, fds) < 0)
		return -EMFILE;
	if (evutil_make_socket_nonblocking(fds[0]) == 0 &&
	    evutil_make_socket_nonblocking(fds[1]) == 0)
		return 0;
	evi_os_wake_close(fds);
	return -EMFILE;
}

void evi_os_wake_close(const evutil_socket_t fds[2])
{
	(void)closesocket((SOCKET)fds[0]);
	(void)closesocket((SOCKET)fds[1]);
}

void evi_os_wake_send(evutil_socket_t fd)
{
	int saved = WSAGetLastError();

	/* A full socket is readable at the other end already. */
	(void)send((SOCKET)fd, "", 1, 0);
	WSASetLastError(saved);
}

int evi_os_wake_has_edges(void)
{
	return 0;
}

void evi_os_wake_drain(evutil_socket_t fd)
{
	char bytes[256];

	while (recv((SOCKET)fd, bytes, sizeof(bytes), 0) == (int)sizeof(bytes))
		continue;
}
