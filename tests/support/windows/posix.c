/* SPDX-License-Identifier: BSD-3-Clause */
/* See posix.h. */

#include <criterion/criterion.h>
#include <event2/util.h>

#include <direct.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "posix.h"
#include "sys/resource.h"

#undef socket
#undef accept
#undef connect
#undef close
#undef read
#undef write
#undef dup
#undef dup2
#undef send
#undef recv
#undef fclose

int posix_cannot(const char *what)
{
	cr_skip_test("%s", what);
	return -1;
}

/* After a call of Winsock. */
static intptr_t with_errno(intptr_t result)
{
	static const struct {
		int winsock, here;
	} table[] = {
		{ WSAEWOULDBLOCK, EAGAIN },
		{ WSAENOTSOCK, EBADF },
		{ WSAEBADF, EBADF },
		{ WSAECONNRESET, ECONNRESET },
		{ WSAECONNABORTED, ECONNABORTED },
		{ WSAENOTCONN, ENOTCONN },
		{ WSAESHUTDOWN, EPIPE },
	};
	int err = WSAGetLastError();

	if (result >= 0)
		return result;
	errno = EIO;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].winsock == err)
			errno = table[i].here;
	return result;
}

static int is_socket(intptr_t fd)
{
	int type, len = sizeof(type);

	return getsockopt((SOCKET)fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

static int unblock(intptr_t fd, unsigned long on)
{
	return (int)with_errno(ioctlsocket((SOCKET)fd, (long)FIONBIO, &on));
}

intptr_t posix_socket(int domain, int type, int protocol)
{
	intptr_t fd = (intptr_t)socket(domain, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol);

	if (fd == -1 && domain == AF_UNIX && WSAGetLastError() == WSAEAFNOSUPPORT)
		return posix_cannot("there are no Unix-domain sockets");
	if (fd != -1 && (type & SOCK_NONBLOCK))
		(void)unblock(fd, 1);
	return with_errno(fd);
}

intptr_t posix_accept(intptr_t fd, struct sockaddr *addr, int *len)
{
	return with_errno((intptr_t)accept((SOCKET)fd, addr, len));
}

int posix_connect(intptr_t fd, const struct sockaddr *addr, int len)
{
	return (int)with_errno(connect((SOCKET)fd, addr, len));
}

int posix_socketpair(int domain, int type, int protocol, intptr_t pair[2])
{
	int result =
		evutil_socketpair(domain, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol, pair);

	if (result == 0 && (type & SOCK_NONBLOCK)) {
		(void)unblock(pair[0], 1);
		(void)unblock(pair[1], 1);
	}
	return (int)with_errno(result);
}

int posix_close(intptr_t fd)
{
	if (is_socket(fd))
		return (int)with_errno(closesocket((SOCKET)fd));
	return _close((int)fd);
}

intptr_t posix_dup(intptr_t fd)
{
	WSAPROTOCOL_INFOW info;

	if (!is_socket(fd))
		return _dup((int)fd);
	if (WSADuplicateSocketW((SOCKET)fd, GetCurrentProcessId(), &info) != 0)
		return with_errno(-1);
	return with_errno((intptr_t)WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
					       FROM_PROTOCOL_INFO, &info, 0, WSA_FLAG_OVERLAPPED));
}

intptr_t posix_dup2(intptr_t fd, intptr_t wanted)
{
	if (is_socket(fd))
		return posix_cannot("the number of a socket cannot be chosen");
	return _dup2((int)fd, (int)wanted) == 0 ? wanted : -1;
}

/* Nobody can ask whether a socket blocks. */
int posix_fcntl(intptr_t fd, int command, int value)
{
	DWORD flags = 0;

	if (!is_socket(fd) && _get_osfhandle((int)fd) == -1) {
		errno = EBADF;
		return -1;
	}
	if (command == F_DUPFD_CLOEXEC)
		return posix_cannot("the number of a socket cannot be chosen");
	if (command == F_SETFL)
		return unblock(fd, (value & O_NONBLOCK) != 0);
	if (command == F_GETFL)
		return posix_cannot("a socket does not tell whether it blocks");
	if (command == F_GETFD && is_socket(fd))
		return GetHandleInformation((HANDLE)fd, &flags) && !(flags & HANDLE_FLAG_INHERIT)
			       ? FD_CLOEXEC
			       : 0;
	return 0;
}

ssize_t posix_read(intptr_t fd, void *buf, size_t n)
{
	return is_socket(fd) ? with_errno(recv((SOCKET)fd, buf, (int)n, 0))
			     : _read((int)fd, buf, (unsigned)n);
}

ssize_t posix_write(intptr_t fd, const void *buf, size_t n)
{
	return is_socket(fd) ? with_errno(send((SOCKET)fd, buf, (int)n, 0)) :
			       _write((int)fd, buf, (unsigned)n);
}

int posix_pipe(size_t size, void *ends)
{
	intptr_t pair[2];
	int numbers[2];

	if (evutil_socketpair(AF_INET, SOCK_STREAM, 0, pair) != 0)
		return (int)with_errno(-1);
	numbers[0] = (int)pair[0];
	numbers[1] = (int)pair[1];
	memcpy(ends, size == sizeof(int) ? (void *)numbers : (void *)pair, 2 * size);
	return 0;
}

char *posix_mkdtemp(char *name)
{
	return _mktemp(name) != NULL && _mkdir(name) == 0 ? name : NULL;
}

int posix_mkstemp(char *name)
{
	if (_mktemp(name) == NULL)
		return -1;
	return _open(name, _O_RDWR | _O_CREAT | _O_EXCL | _O_BINARY | _O_TEMPORARY,
		     0600);
}

int posix_unlink(const char *name)
{
	return _unlink(name) == 0 || errno == EACCES ? 0 : -1;
}

ssize_t posix_pwrite(intptr_t fd, const void *buf, size_t n, long long at)
{
	long long before = _lseeki64((int)fd, 0, SEEK_CUR);
	int result;

	if (before < 0 || _lseeki64((int)fd, at, SEEK_SET) < 0)
		return -1;
	result = _write((int)fd, buf, (unsigned)n);
	return _lseeki64((int)fd, before, SEEK_SET) < 0 ? -1 : result;
}

static struct {
	FILE *file;
	char **text;
	size_t *len;
} memory;

FILE *posix_open_memstream(char **text, size_t *len)
{
	char dir[MAX_PATH], name[MAX_PATH];

	if (memory.file != NULL || GetTempPathA(sizeof(dir), dir) == 0 ||
	    GetTempFileNameA(dir, "mem", 0, name) == 0)
		return NULL;
	memory.file = fopen(name, "w+bD"); /* gone when it is closed */
	memory.text = text;
	memory.len = len;
	return memory.file;
}

int posix_fclose(FILE *file)
{
	long len;

	if (file == NULL || file != memory.file)
		return fclose(file);
	memory.file = NULL;
	len = ftell(file);
	rewind(file);
	*memory.text = calloc(1, (size_t)len + 1);
	*memory.len = *memory.text != NULL ? fread(*memory.text, 1, (size_t)len, file) : 0;
	return fclose(file);
}

void *posix_memmem(const void *in, size_t n, const void *what, size_t m)
{
	const char *at = in;

	for (size_t i = 0; i + m <= n; i++)
		if (memcmp(at + i, what, m) == 0)
			return (void *)(uintptr_t)(at + i);
	return NULL;
}

int posix_setenv(const char *name, const char *value)
{
	return _putenv_s(name, value);
}

static struct timeval time_of(const FILETIME *spent)
{
	uint64_t us = (((uint64_t)spent->dwHighDateTime << 32) | spent->dwLowDateTime) / 10;

	return (struct timeval){ (long)(us / 1000000), (long)(us % 1000000) };
}

int posix_getrusage(struct rusage *ret_usage)
{
	FILETIME made, ended, kernel, user;

	if (!GetProcessTimes(GetCurrentProcess(), &made, &ended, &kernel, &user))
		return -1;
	ret_usage->ru_utime = time_of(&user);
	ret_usage->ru_stime = time_of(&kernel);
	return 0;
}
