/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of sockets on POSIX systems: socket(7), ip(7), ipv6(7), tcp(7). */

#include <event2/event-config.h>
#include <event2/util.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* What a system lacks; see set_if_known(). */
#define UNKNOWN (-1)

/* Only where the system spreads connections over those who share the port. */
#if defined(SO_REUSEPORT_LB)
#define SHARE_PORT SO_REUSEPORT_LB
#elif defined(SO_REUSEPORT) && (defined(__linux__) || defined(__DragonFly__) || defined(_AIX) || \
				defined(EVENT__SOLARIS_11_4))
#define SHARE_PORT SO_REUSEPORT
#else
#define SHARE_PORT UNKNOWN
#endif

#if defined(TCP_DEFER_ACCEPT)
#define DEFER_ACCEPT TCP_DEFER_ACCEPT
#else
#define DEFER_ACCEPT UNKNOWN
#endif

#if defined(TCP_KEEPIDLE)
#define KEEP_IDLE TCP_KEEPIDLE
#elif defined(TCP_KEEPALIVE)
#define KEEP_IDLE TCP_KEEPALIVE
#else
#define KEEP_IDLE UNKNOWN
#endif

#if defined(TCP_KEEPINTVL) && defined(TCP_KEEPCNT)
#define KEEP_INTERVAL TCP_KEEPINTVL
#define KEEP_COUNT    TCP_KEEPCNT
#else
#define KEEP_INTERVAL UNKNOWN
#define KEEP_COUNT    UNKNOWN
#endif

static int set(evutil_socket_t sock, int level, int option, int value)
{
	return setsockopt(sock, level, option, &value, sizeof(value)) < 0 ? -1 : 0;
}

static int set_if_known(evutil_socket_t sock, int level, int option, int value)
{
	return option != UNKNOWN ? set(sock, level, option, value) : 0;
}

int evutil_make_listen_socket_reuseable(evutil_socket_t sock)
{
	return set(sock, SOL_SOCKET, SO_REUSEADDR, 1);
}

int evutil_make_listen_socket_reuseable_port(evutil_socket_t sock)
{
	errno = ENOPROTOOPT; /* unless it is known */
	return SHARE_PORT != UNKNOWN ? set(sock, SOL_SOCKET, SHARE_PORT, 1) : -1;
}

int evutil_make_listen_socket_ipv6only(evutil_socket_t sock)
{
	return set(sock, IPPROTO_IPV6, IPV6_V6ONLY, 1);
}

int evutil_make_listen_socket_not_ipv6only(evutil_socket_t sock)
{
	return set(sock, IPPROTO_IPV6, IPV6_V6ONLY, 0);
}

int evutil_make_tcp_listen_socket_deferred(evutil_socket_t sock)
{
	return set_if_known(sock, IPPROTO_TCP, DEFER_ACCEPT, 1);
}

static int set_keepalive_times(evutil_socket_t sock, int idle)
{
	int interval = idle / 3 > 0 ? idle / 3 : 1;

	if (set_if_known(sock, IPPROTO_TCP, KEEP_IDLE, idle) < 0 ||
	    set_if_known(sock, IPPROTO_TCP, KEEP_INTERVAL, interval) < 0)
		return -1;
	return set_if_known(sock, IPPROTO_TCP, KEEP_COUNT, 3);
}

int evutil_set_tcp_keepalive(evutil_socket_t sock, int on, int timeout)
{
	if (!on)
		return set(sock, SOL_SOCKET, SO_KEEPALIVE, 0);
	if (timeout <= 0)
		return 0;
	if (set(sock, SOL_SOCKET, SO_KEEPALIVE, 1) < 0)
		return -1;
	return set_keepalive_times(sock, timeout);
}

int evutil_socketpair(int domain, int type, int protocol, evutil_socket_t sv[2])
{
	if (sv == NULL) {
		errno = EFAULT;
		return -1;
	}
	return socketpair(domain, type, protocol, sv) < 0 ? -1 : 0;
}
