/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_OS_BATCH_H_INCLUDED
#define DNS_OS_BATCH_H_INCLUDED

/* Several datagrams by one call, where the system can do that. */

#include "dns/datagram.h"

/* As evi_dns_send_each() and evi_dns_receive_each(). */
int evi_dns_batch_send(evutil_socket_t fd, const struct evi_dns_outgoing *list, int count,
		       const struct sockaddr *to, ev_socklen_t to_len);
int evi_dns_batch_receive(evutil_socket_t fd, struct evi_dns_incoming *list, int count);

#endif
