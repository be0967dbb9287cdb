/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_OS_DATAGRAM_H_INCLUDED
#define DNS_OS_DATAGRAM_H_INCLUDED

/*
 * Datagrams answered from the address they came to, where the system can tell and choose it: a
 * client that asked one address of a host ignores what another one says.
 */

#include "os/os_net.h"

#include <event2/util.h>

/* Who sent, and which address of ours it was sent to, in the system's form. */
struct evi_dns_path {
	struct sockaddr_storage peer;
	ev_socklen_t peer_len;
	int local_family; /* AF_UNSPEC: not known */
	unsigned char local[24];
};

/* Ask for local addresses; what the system cannot tell is done without. */
void evi_dns_datagram_prepare(evutil_socket_t fd);

/* As recvfrom() and sendto(). */
ev_ssize_t evi_dns_datagram_receive(evutil_socket_t fd, void *data, size_t room,
				    struct evi_dns_path *path);
ev_ssize_t evi_dns_datagram_send(evutil_socket_t fd, const void *data, size_t len,
				 const struct evi_dns_path *path);

#endif
