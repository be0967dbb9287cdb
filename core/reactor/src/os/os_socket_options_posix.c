/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of sockets on POSIX systems: socket(7), ip(7), ipv6(7), tcp(7). */

#include <event2/util.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static int set(evutil_socket_t sock, int level, int option, int value)
{
	return setsockopt(sock, level, option, &value, sizeof(value)) < 0 ? -1 : 0;
}

int evutil_make_listen_socket_reuseable(evutil_socket_t sock)
{
	return set(sock, SOL_SOCKET, SO_REUSEADDR, 1);
}

/* Only where the system spreads connections over those who share the port. */
#if defined(SO_REUSEPORT_LB)
#define SHARE_PORT SO_REUSEPORT_LB
#elif defined(SO_REUSEPORT) && (defined(__linux__) || defined(__DragonFly__) || defined(_AIX))
#define SHARE_PORT SO_REUSEPORT
#endif

int evutil_make_listen_socket_reuseable_port(evutil_socket_t sock)
{
#ifdef SHARE_PORT
	return set(sock, SOL_SOCKET, SHARE_PORT, 1);
#else
	(void)sock;
	errno = ENOPROTOOPT;
	return -1;
#endif
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
#ifdef TCP_DEFER_ACCEPT
	return set(sock, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
#else
	(void)sock;
	return 0;
#endif
}

#if defined(TCP_KEEPIDLE)
#define KEEP_IDLE TCP_KEEPIDLE
#elif defined(TCP_KEEPALIVE)
#define KEEP_IDLE TCP_KEEPALIVE
#endif

static int set_keepalive_times(evutil_socket_t sock, int idle)
{
	int interval = idle / 3 > 0 ? idle / 3 : 1;

#ifdef KEEP_IDLE
	if (set(sock, IPPROTO_TCP, KEEP_IDLE, idle) < 0)
		return -1;
#endif
#if defined(TCP_KEEPINTVL) && defined(TCP_KEEPCNT)
	if (set(sock, IPPROTO_TCP, TCP_KEEPINTVL, interval) < 0 || set(sock, IPPROTO_TCP, TCP_KEEPCNT, 3) < 0)
		return -1;
#endif
	(void)interval;
	return 0;
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
