/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pairs of connected sockets, which Windows does not have: one end connects to the other. AF_UNIX
 * is that where the system has it (since Windows 10 of 2018), and the IPv4 loopback elsewhere.
 */

#include <event2/component/reactor.h>

#include <afunix.h>
#include <string.h>
#include <winsock2.h>
#include <windows.h>

/* Of newer headers: the process at the other end. */
#define IOCTL_PEER_PROCESS _WSAIOR(IOC_VENDOR, 256) /* SIO_AF_UNIX_GETPEERPID */

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_un un;
};

struct kind {
	int domain;
	int len; /* of an address */
	/* An address to listen at; it may be that the system chooses. 0 or -1. */
	int (*choose)(union address *address);
	void (*forget)(const union address *address);
	int (*is_peer)(SOCKET accepted, SOCKET connected);
};

static int choose_port(union address *address)
{
	address->in.sin_family = AF_INET;
	address->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return 0;
}

static void forget_port(const union address *address)
{
	(void)address;
}

/* Whoever else connected to the port in the meantime is not taken for the other end. */
static int is_port_of(SOCKET accepted, SOCKET connected)
{
	struct sockaddr_in theirs, ours;
	int len1 = sizeof(theirs), len2 = sizeof(ours);

	return getpeername(accepted, (struct sockaddr *)&theirs, &len1) == 0 &&
	       getsockname(connected, (struct sockaddr *)&ours, &len2) == 0 &&
	       theirs.sin_port == ours.sin_port && theirs.sin_addr.s_addr == ours.sin_addr.s_addr;
}

/* A new name in the user's folder for temporary files. Binding to one that exists fails. */
static int choose_file(union address *address)
{
	char dir[MAX_PATH + 1];
	unsigned char random[8];
	DWORD n = GetTempPathA(sizeof(dir), dir);
	int len;

	if (n == 0 || n >= sizeof(dir))
		return -1;
	evutil_secure_rng_get_bytes(random, sizeof(random));
	address->un.sun_family = AF_UNIX;
	len = evutil_snprintf(address->un.sun_path, sizeof(address->un.sun_path),
			      "%sev%02x%02x%02x%02x%02x%02x%02x%02x", dir, random[0], random[1],
			      random[2], random[3], random[4], random[5], random[6], random[7]);
	return len > 0 && (size_t)len < sizeof(address->un.sun_path) ? 0 : -1;
}

static void forget_file(const union address *address)
{
	(void)DeleteFileA(address->un.sun_path);
}

static int is_this_process(SOCKET accepted, SOCKET connected)
{
	ULONG process = 0;
	DWORD n;

	(void)connected;
	return WSAIoctl(accepted, IOCTL_PEER_PROCESS, NULL, 0, &process, sizeof(process), &n, NULL,
			NULL) == 0 && process == GetCurrentProcessId();
}

static const struct kind loopback = { AF_INET, sizeof(struct sockaddr_in), choose_port, forget_port,
	is_port_of };
static const struct kind local = { AF_UNIX, sizeof(struct sockaddr_un), choose_file, forget_file,
	is_this_process };

static void close_both(const SOCKET pair[2])
{
	for (int i = 0; i < 2; i++)
		if (pair[i] != INVALID_SOCKET)
			(void)closesocket(pair[i]);
}

/* 0 or the error of a socket. */
static int connect_to(const struct kind *kind, SOCKET listener, union address *address,
		      SOCKET pair[2])
{
	int len = kind->len;

	if (listen(listener, 1) != 0 || getsockname(listener, &address->any, &len) != 0)
		return WSAGetLastError();
	pair[0] = socket(kind->domain, SOCK_STREAM, 0);
	if (pair[0] == INVALID_SOCKET || connect(pair[0], &address->any, kind->len) != 0)
		return WSAGetLastError();
	pair[1] = accept(listener, NULL, NULL);
	if (pair[1] == INVALID_SOCKET)
		return WSAGetLastError();
	return kind->is_peer(pair[1], pair[0]) ? 0 : WSAECONNABORTED;
}

/* 0, or the error of a socket, and then nothing is left. */
static int make_pair(const struct kind *kind, evutil_socket_t sv[2])
{
	SOCKET listener = socket(kind->domain, SOCK_STREAM, 0),
	       pair[2] = { INVALID_SOCKET, INVALID_SOCKET };
	union address address = { .any = { 0 } }, bound;
	int err;

	if (listener == INVALID_SOCKET)
		return WSAGetLastError();
	if (kind->choose(&address) < 0) {
		err = WSAEADDRNOTAVAIL;
	} else if (bind(listener, &address.any, kind->len) != 0) {
		err = WSAGetLastError();
	} else {
		bound = address;
		err = connect_to(kind, listener, &bound, pair);
		kind->forget(&address);
	}
	(void)closesocket(listener);
	if (err != 0) {
		close_both(pair);
		return err;
	}
	sv[0] = (evutil_socket_t)pair[0];
	sv[1] = (evutil_socket_t)pair[1];
	return 0;
}

int evutil_socketpair(int domain, int type, int protocol, evutil_socket_t sv[2])
{
	int err;

	if (sv == NULL || (domain != AF_INET && domain != AF_UNIX) || type != SOCK_STREAM ||
	    protocol != 0) {
		WSASetLastError(WSAEAFNOSUPPORT);
		return -1;
	}
	if (domain == AF_UNIX && make_pair(&local, sv) == 0)
		return 0;
	err = make_pair(&loopback, sv);
	if (err == 0)
		return 0;
	WSASetLastError(err);
	return -1;
}
