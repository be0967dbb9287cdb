/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of sockets on Windows, and pairs of sockets, which it does not have. */

#include <event2/component/reactor.h>

#include <mstcpip.h>
#include <string.h>

static int set(evutil_socket_t sock, int level, int option, int value)
{
	return setsockopt((SOCKET)sock, level, option, (const char *)&value, sizeof(value)) != 0 ? -1 : 0;
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
	return WSAIoctl((SOCKET)sock, SIO_KEEPALIVE_VALS, &times, sizeof(times), NULL, 0, &ignored, NULL,
			NULL) == 0 ? 0 : -1;
}

static SOCKET listen_on_loopback(struct sockaddr_in *ret_address)
{
	SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	int len = sizeof(*ret_address);

	if (s == INVALID_SOCKET)
		return s;
	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->sin_family = AF_INET;
	ret_address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(s, (struct sockaddr *)ret_address, len) == 0 && listen(s, 1) == 0 &&
	    getsockname(s, (struct sockaddr *)ret_address, &len) == 0)
		return s;
	(void)closesocket(s);
	return INVALID_SOCKET;
}

/* Whoever else connected to the port in the meantime is not taken for the other end. */
static int is_peer(SOCKET accepted, SOCKET connected)
{
	struct sockaddr_in theirs, ours;
	int len1 = sizeof(theirs), len2 = sizeof(ours);

	return getpeername(accepted, (struct sockaddr *)&theirs, &len1) == 0 &&
	       getsockname(connected, (struct sockaddr *)&ours, &len2) == 0 &&
	       theirs.sin_port == ours.sin_port && theirs.sin_addr.s_addr == ours.sin_addr.s_addr;
}

int evutil_socketpair(int domain, int type, int protocol, evutil_socket_t sv[2])
{
	SOCKET listener, one = INVALID_SOCKET, two = INVALID_SOCKET;
	struct sockaddr_in address;
	int err;

	if (sv == NULL || (domain != AF_INET && domain != AF_UNIX) || type != SOCK_STREAM || protocol != 0) {
		WSASetLastError(WSAEAFNOSUPPORT);
		return -1;
	}
	listener = listen_on_loopback(&address);
	if (listener == INVALID_SOCKET)
		return -1;
	one = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (one != INVALID_SOCKET && connect(one, (struct sockaddr *)&address, sizeof(address)) == 0)
		two = accept(listener, NULL, NULL);
	err = WSAGetLastError();
	(void)closesocket(listener);
	if (two != INVALID_SOCKET && is_peer(two, one)) {
		sv[0] = (evutil_socket_t)one;
		sv[1] = (evutil_socket_t)two;
		return 0;
	}
	if (one != INVALID_SOCKET)
		(void)closesocket(one);
	if (two != INVALID_SOCKET)
		(void)closesocket(two);
	WSASetLastError(two != INVALID_SOCKET ? WSAECONNABORTED : err);
	return -1;
}
