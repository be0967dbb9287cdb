/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_OS_PORT_H_INCLUDED
#define DNS_OS_PORT_H_INCLUDED

#include "os/os_net.h"

#include <event2/util.h>

/*
 * Give a connected UDP socket another random port, and throw away what came to the old one. 0, or
 * -1 where the system cannot do that: then the socket is of no use any more.
 */
int evi_dns_port_renew(evutil_socket_t fd, const struct sockaddr *peer, ev_socklen_t peer_len);

#endif
