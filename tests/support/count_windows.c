/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Open sockets, found by asking every handle that there may be, and open files of the C runtime.
 * Other handles are not counted: the system's libraries open some of their own when they like.
 */

#include "support.h"

#include <io.h>

#define FILES 64

int support_open_fds(void)
{
	DWORD handles = 0;
	int n = 0, type, len;

	GetProcessHandleCount(GetCurrentProcess(), &handles);
	for (SOCKET s = 4; s < (handles + 256) * 4; s += 4) {
		len = sizeof(type);
		n += getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&type, &len) == 0;
	}
	for (int fd = 0; fd < FILES; fd++)
		n += _get_osfhandle(fd) != -1;
	return n;
}

void support_raise_beside_others(int sig)
{
	(void)sig;
}
