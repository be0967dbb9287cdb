/* SPDX-License-Identifier: BSD-3-Clause */
/* Where each datagram takes a call. */

#include "dns/os_batch.h"

int evi_dns_batch_send(evutil_socket_t fd, const struct evi_dns_outgoing *list, int count,
		       const struct sockaddr *to, ev_socklen_t to_len)
{
	return evi_dns_send_each(fd, list, count, to, to_len);
}

int evi_dns_batch_receive(evutil_socket_t fd, struct evi_dns_incoming *list, int count)
{
	return evi_dns_receive_each(fd, list, count);
}
