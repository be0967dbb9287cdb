/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending a file without a copy: Linux.
 *
 * sendfile(2) has no flag against SIGPIPE, so the signal is blocked for the call, and taken back if the
 * call caused it. One that is not blocked cannot be pending, which saves asking.
 */

#include "os/os_io.h"

#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <time.h>

/* What one call transfers at most. */
#define SEND_AT_MOST ((size_t)0x7ffff000)

static int is_pending(int sig)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, sig);
}

/* One that was pending before must stay; then another of its kind has merged with it. */
static void take_back(const sigset_t *set, int was_pending)
{
	static const struct timespec at_once = { 0 };

	if (!was_pending)
		while (sigtimedwait(set, NULL, &at_once) < 0 && errno == EINTR)
			;
}

ev_ssize_t evi_io_send_file(evutil_socket_t to, int file, ev_off_t offset, size_t len)
{
	sigset_t set, before;
	off_t at = offset;
	int was_blocked, was_pending, err;
	ssize_t n;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	was_blocked = sigismember(&before, SIGPIPE);
	was_pending = was_blocked && is_pending(SIGPIPE);
	n = sendfile(to, file, &at, len < SEND_AT_MOST ? len : SEND_AT_MOST);
	err = n < 0 ? errno : 0;
	if (err == EPIPE)
		take_back(&set, was_pending);
	if (!was_blocked)
		pthread_sigmask(SIG_SETMASK, &before, NULL);

	/* No such pair of descriptors: the caller reads and writes instead. */
	if (err == EINVAL)
		return -ENOSYS;
	return err != 0 ? -err : n;
}
