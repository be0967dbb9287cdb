/* SPDX-License-Identifier: BSD-3-Clause */
/* Without completion ports listening sockets are watched. */

#include "os_accept.h"

struct evi_acceptor *evi_acceptor_new(struct event_base *base, evutil_socket_t fd, unsigned flags,
				      struct event *ready)
{
	(void)base;
	(void)fd;
	(void)flags;
	(void)ready;
	return NULL;
}

void evi_acceptor_start(struct evi_acceptor *acceptor)
{
	(void)acceptor;
}

void evi_acceptor_stop(struct evi_acceptor *acceptor)
{
	(void)acceptor;
}

evutil_socket_t evi_acceptor_take(struct evi_acceptor *acceptor, struct sockaddr *addr,
				  ev_socklen_t *addrlen)
{
	(void)acceptor;
	(void)addr;
	(void)addrlen;
	return EVUTIL_INVALID_SOCKET;
}

void evi_acceptor_free(struct evi_acceptor *acceptor)
{
	(void)acceptor;
}
