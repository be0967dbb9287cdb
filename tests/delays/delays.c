/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loaded in front of a test (LD_PRELOAD): waits now and then before and after the calls at which threads
 * and processes meet. What a busy machine does to a test once in thousands of runs happens in each.
 *
 *   DELAYS_PER_MILLE  how often (20)
 *   DELAYS_MOST_MS    how long at most (10); most are a twentieth of it
 *   DELAYS_SEED       which ones (1)
 */

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* What a process may lose in all: tests that make a million calls are not to take an hour. */
#define MOST_IN_ALL_US 5000000

static unsigned per_mille, most_us;
static uint64_t seed;
static _Atomic unsigned spent_us;
static _Atomic pid_t spent_by;
static __thread uint64_t state;

static unsigned setting(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);

	return value != NULL ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

__attribute__((constructor)) static void init(void)
{
	per_mille = setting("DELAYS_PER_MILLE", 20);
	most_us = setting("DELAYS_MOST_MS", 10) * 1000;
	seed = setting("DELAYS_SEED", 1);
}

/* xorshift64: https://doi.org/10.18637/jss.v008.i14 */
static uint64_t random_bits(void)
{
	if (state == 0)
		state = (uint64_t)syscall(SYS_gettid) * 2654435761U + seed * 40503U + 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Nothing here takes a lock or memory: this runs in signal handlers and after fork(). */
static void wait_now_and_then(void)
{
	uint64_t bits = random_bits();
	unsigned us = (unsigned)((bits >> 32) % (most_us + 1));
	struct timespec duration;
	int error = errno;

	if ((bits >> 20) % 1000 >= per_mille)
		return;
	if (spent_by != getpid()) {
		spent_by = getpid();
		spent_us = 0;
	}
	if (spent_us > MOST_IN_ALL_US)
		return;
	if ((bits >> 10) % 4 != 0)
		us /= 20;
	spent_us += us;
	duration = (struct timespec){ us / 1000000, us % 1000000 * 1000 };
	syscall(SYS_nanosleep, &duration, NULL); /* the function may be one of those replaced */
	errno = error;
}

/* A function of the C library, or of what is loaded after this, with a wait on either side. */
#define DELAYED(type, name, parameters, arguments)                               \
	type name parameters                                                     \
	{                                                                        \
		static type(*_Atomic next) parameters;                           \
		type result;                                                     \
                                                                                 \
		if (next == NULL)                                                \
			next = (type(*) parameters)dlsym(RTLD_NEXT, #name);      \
		wait_now_and_then();                                             \
		result = next arguments;                                         \
		wait_now_and_then();                                             \
		return result;                                                   \
	}

DELAYED(int, pthread_mutex_lock, (pthread_mutex_t * lock), (lock))
DELAYED(int, pthread_mutex_unlock, (pthread_mutex_t * lock), (lock))
DELAYED(int, pthread_cond_signal, (pthread_cond_t * cond), (cond))
DELAYED(int, pthread_cond_broadcast, (pthread_cond_t * cond), (cond))
DELAYED(int, pthread_create,
	(pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg),
	(thread, attributes, run, arg))
DELAYED(pid_t, fork, (void), ())

DELAYED(int, epoll_ctl, (int epfd, int op, int fd, struct epoll_event *event), (epfd, op, fd, event))
DELAYED(int, epoll_wait, (int epfd, struct epoll_event *events, int max, int timeout),
	(epfd, events, max, timeout))
DELAYED(int, epoll_pwait2,
	(int epfd, struct epoll_event *events, int max, const struct timespec *timeout,
	 const sigset_t *mask),
	(epfd, events, max, timeout, mask))
DELAYED(int, poll, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout))
DELAYED(int, select, (int n, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout),
	(n, in, out, except, timeout))

DELAYED(ssize_t, read, (int fd, void *buf, size_t len), (fd, buf, len))
DELAYED(ssize_t, readv, (int fd, const struct iovec *parts, int n), (fd, parts, n))
DELAYED(ssize_t, recv, (int fd, void *buf, size_t len, int flags), (fd, buf, len, flags))
DELAYED(ssize_t, recvfrom,
	(int fd, void *buf, size_t len, int flags, struct sockaddr *from, socklen_t *fromlen),
	(fd, buf, len, flags, from, fromlen))
DELAYED(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
DELAYED(ssize_t, write, (int fd, const void *buf, size_t len), (fd, buf, len))
DELAYED(ssize_t, writev, (int fd, const struct iovec *parts, int n), (fd, parts, n))
DELAYED(ssize_t, send, (int fd, const void *buf, size_t len, int flags), (fd, buf, len, flags))
DELAYED(ssize_t, sendto,
	(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t tolen),
	(fd, buf, len, flags, to, tolen))
DELAYED(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))

DELAYED(int, accept, (int fd, struct sockaddr *from, socklen_t *len), (fd, from, len))
DELAYED(int, accept4, (int fd, struct sockaddr *from, socklen_t *len, int flags),
	(fd, from, len, flags))
DELAYED(int, connect, (int fd, const struct sockaddr *to, socklen_t len), (fd, to, len))
DELAYED(int, shutdown, (int fd, int how), (fd, how))
DELAYED(int, close, (int fd), (fd))
