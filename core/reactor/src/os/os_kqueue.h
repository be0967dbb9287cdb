/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_KQUEUE_H_INCLUDED
#define EVI_OS_KQUEUE_H_INCLUDED

/*
 * Where the systems that have kqueue(2) differ, as far as the backend can tell:
 *
 *                          FreeBSD   NetBSD              OpenBSD  DragonFly  macOS
 *   a result per change    always    since 10            always   always     always    EV_RECEIPT
 *   type of `udata`        void *    intptr_t before 10  void *   void *     void *
 *   a pipe that nobody     EPIPE or  EBADF               EPIPE    accepted   EPIPE or
 *   reads is added         accepted                                          accepted
 *   longest wait accepted > 3 years KQUEUE_WAIT_MAX
 */

#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

/* Longer waits are cut; the loop waits again. */
#define EVI_KQUEUE_WAIT_MAX_NS (INT64_C(1000000) * 1000000000)

typedef __typeof__(((struct kevent *)0)->udata) evi_kqueue_data;

/*
 * Carry out `n` changes and set each one's `data` to 0 or an errno. Without EV_RECEIPT they go one
 * by one: in a batch a failure would not say whose it is, and events would be taken along.
 */
#ifdef EV_RECEIPT

static inline void evi_kqueue_change(int queue, struct kevent *changes, int n)
{
	static const struct timespec at_once;
	int err;

	for (int i = 0; i < n; i++)
		changes[i].flags |= EV_RECEIPT;
	err = kevent(queue, changes, n, changes, n, &at_once) < 0 ? errno : 0;
	for (int i = 0; i < n && err != 0; i++)
		changes[i].data = err;
}

#else

static inline void evi_kqueue_change(int queue, struct kevent *changes, int n)
{
	static const struct timespec at_once;

	for (int i = 0; i < n; i++)
		changes[i].data = kevent(queue, &changes[i], 1, NULL, 0, &at_once) < 0 ? errno : 0;
}

#endif

/*
 * Nonzero if `err`, of adding `fd`, says that the other end is gone, rather than the descriptor
 * bad.
 */
static inline int evi_kqueue_is_broken_pipe(int fd, int err)
{
	return err == EPIPE || (err == EBADF && fcntl(fd, F_GETFD) >= 0);
}

#endif
