/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_ACCEPT_H_INCLUDED
#define EVI_OS_ACCEPT_H_INCLUDED

/*
 * Accepting by completions, on a base with a completion port: a few accepts are outstanding at the
 * listening socket, instead of the loop watching it. Called with the listener's lock held, if it
 * has one.
 */

#include "../socket.h"

struct evi_acceptor;

/*
 * For a listening socket. `ready`, never added, is made active when there is something to take.
 * `flags` are EVI_SOCKET_* for the accepted. NULL: watch the socket instead, there is no other way.
 */
struct evi_acceptor *evi_acceptor_new(struct event_base *base, evutil_socket_t fd, unsigned flags,
				      struct event *ready);

/* Have accepts outstanding. What fails is told by evi_acceptor_take(). */
void evi_acceptor_start(struct evi_acceptor *acceptor);

/* Have none. Connections that come all the same wait to be taken. */
void evi_acceptor_stop(struct evi_acceptor *acceptor);

/* The next connection, as evi_socket_accept_flags() returns it. */
evutil_socket_t evi_acceptor_take(struct evi_acceptor *acceptor, struct sockaddr *addr,
				  ev_socklen_t *addrlen);

/* Neither accepts nor activates `ready` any more; the listening socket may be closed. */
void evi_acceptor_free(struct evi_acceptor *acceptor);

#endif
