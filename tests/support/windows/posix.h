/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SUPPORT_WINDOWS_POSIX_H_INCLUDED
#define SUPPORT_WINDOWS_POSIX_H_INCLUDED

/*
 * The part of POSIX that the suites use, over Winsock and the C runtime; the headers beside this
 * one have the names that the suites include. Descriptors are sockets or the C runtime's files,
 * pipes are socket pairs, and what the system cannot do skips the test that asks for it.
 */

#include <winsock2.h>
#include <ws2tcpip.h>

#include <io.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

typedef int socklen_t;
typedef unsigned short sa_family_t;
typedef unsigned short in_port_t;

#define SOCK_NONBLOCK 0x800
#define SOCK_CLOEXEC  0x80000
#define SHUT_RD       SD_RECEIVE
#define SHUT_WR       SD_SEND
#define SHUT_RDWR     SD_BOTH
#define MSG_NOSIGNAL  0
#define MSG_DONTWAIT  0

/* Options that are another system's: asking for them fails. */
#define SO_REUSEPORT     0x7001
#define TCP_DEFER_ACCEPT 0x7002
#undef TCP_KEEPIDLE
#undef TCP_KEEPINTVL
#undef TCP_KEEPCNT
#define TCP_KEEPIDLE     0x7003
#define TCP_KEEPINTVL    0x7004
#define TCP_KEEPCNT      0x7005

/* Words of 16-bit compilers and macros, in the way of names of the suites. */
#undef near
#undef far
#undef interface
#undef TEXT

/* The C runtime has a function of this name. */
#define tell suites_tell

#define F_GETFD    1
#define F_SETFD    2
#define F_GETFL    3
#define F_SETFL    4
#define F_DUPFD_CLOEXEC 5
#define FD_CLOEXEC 1
#define O_NONBLOCK 0x800
#define O_CLOEXEC  0
#define O_ASYNC    0x2000

intptr_t posix_socket(int domain, int type, int protocol);
intptr_t posix_accept(intptr_t fd, struct sockaddr *addr, int *len);
int posix_connect(intptr_t fd, const struct sockaddr *addr, int len);
int posix_socketpair(int domain, int type, int protocol, intptr_t pair[2]);
int posix_close(intptr_t fd);
intptr_t posix_dup(intptr_t fd);
intptr_t posix_dup2(intptr_t fd, intptr_t wanted);
int posix_fcntl(intptr_t fd, int command, int value);
ssize_t posix_read(intptr_t fd, void *buf, size_t n);
ssize_t posix_write(intptr_t fd, const void *buf, size_t n);

/* Two connected sockets, as elements of `size` bytes. */
int posix_pipe(size_t size, void *ends);

/* Skip the test. */
int posix_cannot(const char *what);

char *posix_mkdtemp(char *name);

/*
 * A file that is gone when it is closed: here an open one cannot lose its name, so unlink() waits
 * for that.
 */
int posix_mkstemp(char *name);
int posix_unlink(const char *name);

/* 0, or an error. */
int posix_setenv(const char *name, const char *value);

ssize_t posix_pwrite(intptr_t fd, const void *buf, size_t n, long long at);

/* A temporary file, which becomes *text when it is closed; one at a time. */
FILE *posix_open_memstream(char **text, size_t *len);
int posix_fclose(FILE *file);

#define socket(domain, type, protocol)           posix_socket(domain, type, protocol)
#define accept(fd, addr, len)                    posix_accept(fd, addr, len)
#define accept4(fd, addr, len, flags)            posix_accept(fd, addr, len)
#define connect(fd, addr, len)                   posix_connect(fd, addr, len)
#define socketpair(domain, type, protocol, pair) posix_socketpair(domain, type, protocol, pair)
#define close(fd)                                posix_close(fd)
#define dup(fd)                                  posix_dup(fd)
#define dup2(fd, wanted)                         posix_dup2(fd, wanted)
#define pipe(ends)                               posix_pipe(sizeof((ends)[0]), ends)
#define pipe2(ends, flags)                       posix_pipe(sizeof((ends)[0]), ends)
#define read(fd, buf, n)                         posix_read(fd, buf, n)
#define write(fd, buf, n)                        posix_write(fd, buf, n)
#define FCNTL_3(fd, command, value, ...)         posix_fcntl(fd, command, value)
#define fcntl(...)                               FCNTL_3(__VA_ARGS__, 0, 0)
#define setsockopt(fd, level, name, value, len)                                                    \
	setsockopt(fd, level, name, (const char *)(value), len)
#define getsockopt(fd, level, name, value, len)  getsockopt(fd, level, name, (char *)(value), len)
#define recv(fd, buf, n, flags)                  recv(fd, (char *)(buf), (int)(n), flags)
#define send(fd, buf, n, flags)                  send(fd, (const char *)(buf), (int)(n), flags)
#define recvfrom(fd, buf, n, flags, from, len)                                                     \
	recvfrom(fd, (char *)(buf), (int)(n), flags, from, len)
#define sendto(fd, buf, n, flags, to, len)                                                         \
	sendto(fd, (const char *)(buf), (int)(n), flags, to, len)

#define mkdtemp(name)             posix_mkdtemp(name)
#define mkstemp(name)             posix_mkstemp(name)
#define unlink(name)              posix_unlink(name)
/* No variable can be empty. */
#define setenv(name, value, over) posix_setenv(name, *(value) != '\0' ? (value) : "0")
#define unsetenv(name)            posix_setenv(name, "")
#define open_memstream(text, len) posix_open_memstream(text, len)
#define fclose(file)              posix_fclose(file)
#define aligned_alloc(unit, size) \
	((void)(unit), (void)(size), posix_cannot("there is no aligned_alloc()"), NULL)
#define setitimer(which, new, old) ((void)(new), posix_cannot("there are no interval timers"))
#define pwrite(fd, buf, n, at)    posix_pwrite(fd, buf, n, at)
#define fork()                    posix_cannot("there is no fork()")
#define waitpid(pid, status, how) posix_cannot("there is no waitpid()")

/* What the library has instead of POSIX locks; their header comes before the names mean others. */
#include <event2/thread.h>
#define evthread_use_pthreads()               evthread_use_windows_threads()
#define evthread_use_pthreads_with_flags(how) evthread_use_windows_threads()
#define EVTHREAD_PTHREAD_PRIO_INHERIT         1

#endif
