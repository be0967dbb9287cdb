/* SPDX-License-Identifier: BSD-3-Clause */
/* One call for each datagram. */

#include "dns/datagram.h"

#include <event2/component/reactor.h>

#include <string.h>

int evi_dns_send_each(evutil_socket_t fd, const struct evi_dns_outgoing *list, int count,
		      const struct sockaddr *to, ev_socklen_t to_len)
{
	for (int i = 0; i < count; i++) {
		ev_ssize_t sent = to == NULL ? send(fd, list[i].data, list[i].len, MSG_NOSIGNAL)
					     : sendto(fd, list[i].data, list[i].len, MSG_NOSIGNAL,
						      to, to_len);

		if (sent < 0)
			return i > 0 ? i : -EVUTIL_SOCKET_ERROR();
	}
	return count;
}

int evi_dns_receive_each(evutil_socket_t fd, struct evi_dns_incoming *list, int count)
{
	for (int i = 0; i < count; i++) {
		ev_socklen_t from_len = sizeof(list[i].from);
		ev_ssize_t len =
			recvfrom(fd, list[i].data, list[i].room, 0, &list[i].from.sa, &from_len);

		if (len < 0)
			return i > 0 ? i : -EVUTIL_SOCKET_ERROR();
		list[i].len = (size_t)len;
	}
	return count;
}
