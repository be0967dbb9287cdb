/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_DATAGRAM_H_INCLUDED
#define DNS_DATAGRAM_H_INCLUDED

/* Datagrams sent and received in order, one after the other or together (os_batch.h). */

#include "os/os_net.h"

#include <event2/util.h>

#include <stddef.h>
#include <stdint.h>

/* How many are given to the system together. */
#define EVI_DNS_BATCH 16

union evi_dns_sockaddr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct evi_dns_outgoing {
	const void *data;
	size_t len;
};

struct evi_dns_incoming {
	void *data; /* the room for it */
	size_t room;
	size_t len; /* the rest is what was received */
	union evi_dns_sockaddr from;
};

/*
 * Sends up to `count`, which is at least 1, to an address or, if that is NULL, to where the socket
 * is connected to. How many went, or a negative errno if the first did not.
 */
int evi_dns_send_each(evutil_socket_t fd, const struct evi_dns_outgoing *list, int count,
		      const struct sockaddr *to, ev_socklen_t to_len);

/*
 * Receives up to `count`, which is at least 1. How many came, fewer if there are no more for now,
 * or a negative errno if none did.
 */
int evi_dns_receive_each(evutil_socket_t fd, struct evi_dns_incoming *list, int count);

#endif
