/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors of sockets, which have numbers of their own here. */

#include "support.h"

#include <errno.h>
#include <winsock2.h>

int support_socket_error(int err)
{
	static const struct {
		int c, winsock;
	} table[] = {
		{ EAGAIN, WSAEWOULDBLOCK },
		{ EADDRINUSE, WSAEADDRINUSE },
		{ EADDRNOTAVAIL, WSAEADDRNOTAVAIL },
		{ ECONNREFUSED, WSAECONNREFUSED },
		{ ECONNRESET, WSAECONNRESET },
		{ ETIMEDOUT, WSAETIMEDOUT },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].c == err)
			return table[i].winsock;
	cr_assert_fail("no number of Winsock for errno %d", err);
	return 0;
}
