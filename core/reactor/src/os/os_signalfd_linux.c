/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals through signalfd(2). */

#include "os_signal.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int evi_os_signalfd_exists(void)
{
	return 1;
}

int evi_os_signalfd_open(int sig, evutil_socket_t *ret_fd, int *ret_was_blocked)
{
	sigset_t mask, old;
	int fd, err;

	(void)sigemptyset(&mask);
	if (sigaddset(&mask, sig) < 0)
		return -EINVAL;
	fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = pthread_sigmask(SIG_BLOCK, &mask, &old);
	if (err != 0) {
		(void)close(fd);
		return -err;
	}
	*ret_fd = fd;
	*ret_was_blocked = sigismember(&old, sig) == 1;
	return 0;
}

void evi_os_signalfd_close(int sig, evutil_socket_t fd, int was_blocked)
{
	sigset_t mask;

	(void)close(fd);
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, sig);
	if (!was_blocked)
		(void)pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
}

int evi_os_signalfd_drain(evutil_socket_t fd)
{
	struct signalfd_siginfo info;
	int any = 0;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		any = 1;
	return any;
}
