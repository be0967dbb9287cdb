/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A socket that was not bound to a port by the program loses it when it is disconnected, and gets a
 * new one when it is connected again (udp(7), ip(7)). That takes a quarter of the time of a new
 * socket, which also has to be watched.
 */

#include "dns/os_port.h"

#include <errno.h>

/* What may be lying in a socket that nobody waits for: more, and a new socket is cheaper. */
#define STALE_MAX 16

int evi_dns_port_renew(evutil_socket_t fd, const struct sockaddr *peer, ev_socklen_t peer_len)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	char byte;

	if (connect(fd, &nobody, sizeof(nobody)) != 0)
		return -1;
	for (int i = 0; i < STALE_MAX; i++) {
		if (recv(fd, &byte, sizeof(byte), 0) < 0 && errno == EAGAIN)
			return connect(fd, peer, peer_len);
	}
	return -1;
}
