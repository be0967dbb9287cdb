/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending a file without a copy: Linux.
 *
 * sendfile(2) has no flag against SIGPIPE, so the signal is blocked for the call, and taken back if
 * the call caused it. One that is not blocked cannot be pending, which saves asking.
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

ev_ssize_t evi_io_call_quietly(ev_ssize_t (*call)(void *arg), void *arg)
{
	sigset_t set, before;
	int was_blocked, was_pending;
	ev_ssize_t n;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	was_blocked = sigismember(&before, SIGPIPE);
	was_pending = was_blocked && is_pending(SIGPIPE);
	n = call(arg);
	if (n == -EPIPE)
		take_back(&set, was_pending);
	if (!was_blocked)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	return n;
}

struct transfer {
	int to, file;
	off_t offset;
	size_t len;
};

static ev_ssize_t transfer(void *arg)
{
	struct transfer *t = arg;
	ssize_t n = sendfile(t->to, t->file, &t->offset, t->len);

	return n < 0 ? -errno : n;
}

/* Where there is no such pair of descriptors the caller reads and writes instead. */
ev_ssize_t evi_io_send_file(evutil_socket_t to, int file, ev_off_t offset, size_t len)
{
	struct transfer t = { to, file, offset, len < SEND_AT_MOST ? len : SEND_AT_MOST };
	ev_ssize_t n = evi_io_call_quietly(transfer, &t);

	return n == -EINVAL ? -ENOSYS : n;
}
