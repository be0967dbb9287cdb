/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets on Windows: creation, acceptance, modes, and what their errors mean. */

#include "../log.h"
#include "../socket.h"

#include <string.h>
#include <winsock2.h>
#include <windows.h>

/* The socket library is set up once for the process, as soon as this library is loaded. */
__attribute__((constructor)) static void start_sockets(void)
{
	WSADATA data;

	(void)WSAStartup(MAKEWORD(2, 2), &data);
}

int evutil_make_socket_nonblocking(evutil_socket_t fd)
{
	unsigned long on = 1;

	if (ioctlsocket((SOCKET)fd, (long)FIONBIO, &on) == 0)
		return 0;
	evi_log_socket_error(WSAGetLastError(), "cannot make socket nonblocking");
	return -1;
}

/* Handles are not inherited unless a program asks for it. */
int evutil_make_socket_closeonexec(evutil_socket_t fd)
{
	(void)SetHandleInformation((HANDLE)fd, HANDLE_FLAG_INHERIT, 0);
	return 0;
}

int evutil_closesocket(evutil_socket_t fd)
{
	return closesocket((SOCKET)fd);
}

static evutil_socket_t apply_flags(SOCKET s, unsigned flags)
{
	unsigned long on = 1;

	if (s == INVALID_SOCKET)
		return EVUTIL_INVALID_SOCKET;
	if ((flags & EVI_SOCKET_NONBLOCK) && ioctlsocket(s, (long)FIONBIO, &on) != 0) {
		(void)closesocket(s);
		return EVUTIL_INVALID_SOCKET;
	}
	if (flags & EVI_SOCKET_CLOEXEC)
		(void)evutil_make_socket_closeonexec((evutil_socket_t)s);
	return (evutil_socket_t)s;
}

evutil_socket_t evi_socket_open_flags(int domain, int type, int protocol, unsigned flags)
{
	return apply_flags(socket(domain, type, protocol), flags);
}

evutil_socket_t evi_socket_accept_flags(evutil_socket_t listener, struct sockaddr *addr,
					ev_socklen_t *addrlen, unsigned flags)
{
	return apply_flags(accept((SOCKET)listener, addr, addrlen), flags);
}

evutil_socket_t evi_socket_open(int domain, int type, int protocol)
{
	return evi_socket_open_flags(domain, type, protocol,
				     EVI_SOCKET_NONBLOCK | EVI_SOCKET_CLOEXEC);
}

evutil_socket_t evi_socket_accept(evutil_socket_t listener, struct sockaddr *addr,
				  ev_socklen_t *addrlen)
{
	return evi_socket_accept_flags(listener, addr, addrlen,
				       EVI_SOCKET_NONBLOCK | EVI_SOCKET_CLOEXEC);
}

int evi_error_is_retriable_rw(int err)
{
	return err == WSAEWOULDBLOCK || err == WSAEINTR;
}

int evi_error_is_retriable_connect(int err)
{
	return err == WSAEWOULDBLOCK || err == WSAEINTR || err == WSAEINPROGRESS;
}

int evi_error_is_refused(int err)
{
	return err == WSAECONNREFUSED;
}

int evi_error_is_reset(int err)
{
	return err == WSAECONNRESET || err == WSAECONNABORTED;
}

int evi_error_is_retriable_accept(int err)
{
	return err == WSAEWOULDBLOCK || err == WSAEINTR || err == WSAECONNRESET ||
	       err == WSAECONNABORTED || err == WSAENETDOWN;
}

int evi_error_is_exhaustion(int err)
{
	return err == WSAEMFILE || err == WSAENOBUFS || err == WSA_NOT_ENOUGH_MEMORY;
}

/* There is no way to ask. */
int evi_socket_is_nonblocking(evutil_socket_t fd)
{
	(void)fd;
	return 1;
}

int evutil_socket_geterror(evutil_socket_t sock)
{
	int err = WSAGetLastError(), of_socket = 0, len = sizeof(of_socket);

	if (err == WSAEWOULDBLOCK && sock >= 0 &&
	    getsockopt((SOCKET)sock, SOL_SOCKET, SO_ERROR, (char *)&of_socket, &len) == 0 &&
	    of_socket != 0)
		return of_socket;
	return err;
}

/* The system ends its texts as lines. */
static void put_text(int code, char *text, size_t size)
{
	DWORD n = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
				 (DWORD)code, 0, text, (DWORD)size, NULL);

	while (n > 0 && strchr("\r\n .", text[n - 1]) != NULL)
		text[--n] = '\0';
	if (n == 0)
		(void)evutil_snprintf(text, size, "unknown socket error 0x%x", (unsigned)code);
}

/* A buffer per thread would need cleaning up; texts are kept, there are few. */
const char *evutil_socket_error_to_string(int errcode)
{
	static struct {
		int code;
		char text[128];
	} known[64];
	static SRWLOCK lock = SRWLOCK_INIT;
	const char *result = "unknown socket error";

	AcquireSRWLockExclusive(&lock);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].text[0] == '\0') {
			known[i].code = errcode;
			put_text(errcode, known[i].text, sizeof(known[i].text));
		}
		if (known[i].code == errcode) {
			result = known[i].text;
			break;
		}
	}
	ReleaseSRWLockExclusive(&lock);
	return result;
}
