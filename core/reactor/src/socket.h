/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_SOCKET_H_INCLUDED
#define EVI_SOCKET_H_INCLUDED

/* Sockets as the reactor needs them beyond event2/util.h; per platform in os/os_socket_*.c. */

#include <event2/component/reactor.h>

/* Properties a new socket gets, in one step with its creation where the system can. */
#define EVI_SOCKET_NONBLOCK 1u
#define EVI_SOCKET_CLOEXEC  2u

/* socket(2) and accept(2); EVUTIL_INVALID_SOCKET, with the socket error set, if any step fails. */
evutil_socket_t evi_socket_open_flags(int domain, int type, int protocol, unsigned flags);
evutil_socket_t evi_socket_accept_flags(evutil_socket_t listener, struct sockaddr *addr,
					ev_socklen_t *addrlen, unsigned flags);

/* Nonzero if accept's error means: this connection is gone or none is there; go on as usual. */
int evi_error_is_retriable_accept(int err);

/* Nonzero if accept's error means that descriptors or memory have run out. */
int evi_error_is_exhaustion(int err);

/* Nonzero if operations on `fd` do not block, or if it is no descriptor at all. */
int evi_socket_is_nonblocking(evutil_socket_t fd);

#endif
