/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets on POSIX systems: creation, acceptance, modes, and what their errors mean. */

#include "log.h"
#include "socket.h"

#include <event2/event-config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static int add_status_flags(evutil_socket_t fd, int flags)
{
	int old = fcntl(fd, F_GETFL);

	if (old < 0)
		return -1;
	return (old & flags) == flags ? 0 : fcntl(fd, F_SETFL, old | flags);
}

static int add_descriptor_flags(evutil_socket_t fd, int flags)
{
	int old = fcntl(fd, F_GETFD);

	if (old < 0)
		return -1;
	return (old & flags) == flags ? 0 : fcntl(fd, F_SETFD, old | flags);
}

int evutil_make_socket_nonblocking(evutil_socket_t fd)
{
	if (add_status_flags(fd, O_NONBLOCK) == 0)
		return 0;
	event_warn("cannot make descriptor %d nonblocking", fd);
	return -1;
}

int evutil_make_socket_closeonexec(evutil_socket_t fd)
{
	if (add_descriptor_flags(fd, FD_CLOEXEC) == 0)
		return 0;
	event_warn("cannot make descriptor %d close-on-exec", fd);
	return -1;
}

int evutil_closesocket(evutil_socket_t fd)
{
	return close(fd);
}

#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC) && defined(EVENT__HAVE_ACCEPT4)

static int type_bits(unsigned flags)
{
	return (flags & EVI_SOCKET_NONBLOCK ? SOCK_NONBLOCK : 0) |
	       (flags & EVI_SOCKET_CLOEXEC ? SOCK_CLOEXEC : 0);
}

evutil_socket_t evi_socket_open_flags(int domain, int type, int protocol, unsigned flags)
{
	return socket(domain, type | type_bits(flags), protocol);
}

evutil_socket_t evi_socket_accept_flags(evutil_socket_t listener, struct sockaddr *addr,
					ev_socklen_t *addrlen, unsigned flags)
{
	return accept4(listener, addr, addrlen, type_bits(flags));
}

#else

/* Where a send cannot be told not to raise SIGPIPE the socket is. */
#if defined(SO_NOSIGPIPE) && !defined(MSG_NOSIGNAL)
#define NO_SIGPIPE SO_NOSIGPIPE
#else
#define NO_SIGPIPE (-1)
#endif

static void make_quiet(evutil_socket_t fd)
{
	const int on = 1;

	if (NO_SIGPIPE >= 0)
		(void)setsockopt(fd, SOL_SOCKET, NO_SIGPIPE, &on, sizeof(on));
}

/* Sets the properties one by one; closes the socket, keeping the error, if that fails. */
static evutil_socket_t apply_flags(evutil_socket_t fd, unsigned flags)
{
	int saved_errno;

	if (fd < 0)
		return fd;
	make_quiet(fd);
	if ((!(flags & EVI_SOCKET_NONBLOCK) || add_status_flags(fd, O_NONBLOCK) == 0) &&
	    (!(flags & EVI_SOCKET_CLOEXEC) || add_descriptor_flags(fd, FD_CLOEXEC) == 0))
		return fd;
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return EVUTIL_INVALID_SOCKET;
}

evutil_socket_t evi_socket_open_flags(int domain, int type, int protocol, unsigned flags)
{
	return apply_flags(socket(domain, type, protocol), flags);
}

evutil_socket_t evi_socket_accept_flags(evutil_socket_t listener, struct sockaddr *addr,
					ev_socklen_t *addrlen, unsigned flags)
{
	return apply_flags(accept(listener, addr, addrlen), flags);
}

#endif

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
	return err == EINTR || err == EAGAIN || err == EWOULDBLOCK;
}

int evi_error_is_retriable_connect(int err)
{
	return err == EINTR || err == EINPROGRESS;
}

int evi_error_is_refused(int err)
{
	return err == ECONNREFUSED;
}

int evi_error_is_reset(int err)
{
	return err == ECONNRESET || err == ECONNABORTED;
}

/* accept() also passes on errors that the network reported about a connection in the queue. */
int evi_error_is_retriable_accept(int err)
{
	switch (err) {
	case EINTR:
	case EAGAIN:
#if EWOULDBLOCK != EAGAIN
	case EWOULDBLOCK:
#endif
	case ECONNABORTED:
	case EPROTO:
	case EPERM: /* a firewall's answer */
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
		return 1;
	default:
		return 0;
	}
}

int evi_error_is_exhaustion(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOBUFS;
}

int evi_socket_is_nonblocking(evutil_socket_t fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || (flags & O_NONBLOCK) != 0;
}
