/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the local address of a datagram cannot be known, the system chooses the one of the reply.
 */

#include "dns/os_datagram.h"

void evi_dns_datagram_prepare(evutil_socket_t fd)
{
	(void)fd;
}

ev_ssize_t evi_dns_datagram_receive(evutil_socket_t fd, void *data, size_t room,
				    struct evi_dns_path *path)
{
	path->local_family = AF_UNSPEC;
	path->peer_len = sizeof(path->peer);
	return recvfrom(fd, data, room, 0, (struct sockaddr *)&path->peer, &path->peer_len);
}

ev_ssize_t evi_dns_datagram_send(evutil_socket_t fd, const void *data, size_t len,
				 const struct evi_dns_path *path)
{
	return sendto(fd, data, len, 0, (const struct sockaddr *)&path->peer, path->peer_len);
}
