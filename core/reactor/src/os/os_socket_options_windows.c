/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of sockets on Windows. */

#include <event2/component/reactor.h>

#include <mstcpip.h>
#include <string.h>

static int set(evutil_socket_t sock, int level, int option, int value)
{
	if (setsockopt((SOCKET)sock, level, option, (const char *)&value, sizeof(value)) != 0)
		return -1;
	return 0;
}

/* SO_REUSEADDR would let others take the port. */
int evutil_make_listen_socket_reuseable(evutil_socket_t sock)
{
	(void)sock;
	return 0;
}

int evutil_make_listen_socket_reuseable_port(evutil_socket_t sock)
{
	(void)sock;
	WSASetLastError(WSAENOPROTOOPT);
	return -1;
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
	(void)sock;
	return 0;
}

int evutil_set_tcp_keepalive(evutil_socket_t sock, int on, int timeout)
{
	struct tcp_keepalive times;
	DWORD ignored;

	if (!on)
		return set(sock, SOL_SOCKET, SO_KEEPALIVE, 0);
	if (timeout <= 0)
		return 0;
	times.onoff = 1;
	times.keepalivetime = (u_long)timeout * 1000;
	times.keepaliveinterval = (u_long)(timeout / 3 > 0 ? timeout / 3 : 1) * 1000;
	if (WSAIoctl((SOCKET)sock, SIO_KEEPALIVE_VALS, &times, sizeof(times), NULL, 0, &ignored,
		     NULL, NULL) != 0)
		return -1;
	return 0;
}
