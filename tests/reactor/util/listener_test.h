/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LISTENER_TEST_H_INCLUDED
#define LISTENER_TEST_H_INCLUDED

/* Addresses and connections for the listeners' tests. */

#include "support.h"

#include <event2/listener.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_MS 30000

static inline struct sockaddr_in loopback(ev_uint16_t port)
{
	struct sockaddr_in sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sin;
}

static inline struct evconnlistener *listen_loopback(struct event_base *base, evconnlistener_cb cb,
						     void *arg, unsigned flags)
{
	struct sockaddr_in sin = loopback(0);

	return evconnlistener_new_bind(base, cb, arg, flags, -1, (struct sockaddr *)&sin,
				       sizeof(sin));
}

static inline ev_uint16_t port_of(struct evconnlistener *lev)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	cr_assert_eq(getsockname(evconnlistener_get_fd(lev), (struct sockaddr *)&sin, &len), 0);
	return ntohs(sin.sin_port);
}

/* Connected when this returns: the kernel completes it without accept(). */
static inline evutil_socket_t connect_to(ev_uint16_t port)
{
	struct sockaddr_in sin = loopback(port);
	evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

static inline int option(evutil_socket_t fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	cr_assert_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

#endif
