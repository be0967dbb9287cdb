/* SPDX-License-Identifier: BSD-3-Clause */
/* Waits in nanoseconds where the kernel has epoll_pwait2(2) (5.11), else in milliseconds. */

#include "os_epoll.h"

#include "../clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Longer waits are cut; the loop waits again. Kernels once overflowed above 35 minutes. */
#define WAIT_MAX_MS (35 * 60 * 1000)

static _Atomic int lacks_pwait2;

/* By number, because the C library got the call later than kernels did. */
static int wait_ns(int fd, struct epoll_event *events, int room, const struct timespec *timeout)
{
#ifdef SYS_epoll_pwait2
	struct {
		int64_t sec, nsec;
	} limit = { timeout->tv_sec, timeout->tv_nsec };

	return (int)syscall(SYS_epoll_pwait2, fd, events, room, &limit, NULL, 0);
#else
	(void)fd, (void)events, (void)room, (void)timeout;
	errno = ENOSYS;
	return -1;
#endif
}

static int wait_ms(int fd, struct epoll_event *events, int room, int64_t timeout_ns)
{
	int64_t ms = timeout_ns < 0 ? -1 : timeout_ns / (int64_t)EVI_NS_PER_MS;

	if (timeout_ns > 0 && timeout_ns % (int64_t)EVI_NS_PER_MS != 0)
		ms++;
	return epoll_wait(fd, events, room, (int)(ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS));
}

/* No limit needs no fine call. */
int evi_os_epoll_wait(int fd, struct epoll_event *events, int room, int64_t timeout_ns)
{
	struct timespec timeout;
	int n;

	if (timeout_ns < 0 || atomic_load_explicit(&lacks_pwait2, memory_order_relaxed))
		return wait_ms(fd, events, room, timeout_ns);
	timeout.tv_sec = (time_t)(timeout_ns / (int64_t)EVI_NS_PER_S);
	timeout.tv_nsec = (long)(timeout_ns % (int64_t)EVI_NS_PER_S);
	n = wait_ns(fd, events, room, &timeout);
	if (n >= 0 || errno != ENOSYS)
		return n;
	atomic_store_explicit(&lacks_pwait2, 1, memory_order_relaxed);
	return wait_ms(fd, events, room, timeout_ns);
}
