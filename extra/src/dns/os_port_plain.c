/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a socket keeps its port for life. */

#include "dns/os_port.h"

int evi_dns_port_renew(evutil_socket_t fd, const struct sockaddr *peer, ev_socklen_t peer_len)
{
	(void)fd;
	(void)peer;
	(void)peer_len;
	return -1;
}
