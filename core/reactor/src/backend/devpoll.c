/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * /dev/poll backend, poll(7D): Solaris and illumos.
 *
 * What is written to the device is added to what a descriptor is watched for already, so each
 * change takes the descriptor out first. Changes are made while no wait is in progress only (the
 * trait EVI_BACKEND_LIVE is absent): the driver makes a writer wait for those who poll.
 */

#include "poll_mask.h"

#include <sys/types.h>
#include <sys/devpoll.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define EVENTS_MIN 32
#define EVENTS_MAX 4096

/* Descriptors told to the driver in one call; each takes one to go and one to come. */
#define BATCH 64

struct devpoll_state {
	int fd;
	int room;             /* of `ready`; doubles when a wait fills it */
	struct pollfd *ready; /* owned */
};

static void devpoll_close(void *state)
{
	struct devpoll_state *st = state;

	if (st->fd >= 0)
		(void)close(st->fd);
	evi_free(st->ready);
	evi_free(st);
}

static int devpoll_open(void **ret_state, int flags)
{
	struct devpoll_state *st = evi_calloc(1, sizeof(*st));
	int err = 0;

	(void)flags;
	if (st == NULL)
		return -ENOMEM;
	st->room = EVENTS_MIN;
	st->ready = evi_calloc(EVENTS_MIN, sizeof(*st->ready));
	st->fd = open("/dev/poll", O_RDWR | O_CLOEXEC);
	if (st->fd < 0)
		err = -errno;
	else if (st->ready == NULL)
		err = -ENOMEM;
	if (err < 0)
		devpoll_close(st);
	else
		*ret_state = st;
	return err;
}

/* Puts what `change` asks for behind the `n` that `fds` has, and returns how many there are now. */
static int put(struct pollfd *fds, int n, const struct evi_change *change)
{
	short events = evi_poll_mask(change->after, 0);

	if (evi_poll_mask(change->before, 0) != 0)
		fds[n++] = (struct pollfd){ .fd = change->fd, .events = POLLREMOVE };
	if (events != 0)
		fds[n++] = (struct pollfd){ .fd = change->fd, .events = events };
	return n;
}

static int tell(const struct devpoll_state *st, const struct pollfd *fds, int n)
{
	size_t size = (size_t)n * sizeof(*fds);
	ssize_t written;

	if (n == 0)
		return 0;
	do
		written = write(st->fd, fds, size);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return -errno;
	return (size_t)written == size ? 0 : -EIO;
}

/* The failure of a batch does not say whose it is. Taking out what is not there is no failure. */
static void apply_singly(const struct devpoll_state *st, struct evi_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct pollfd remove = { .fd = changes[i].fd, .events = POLLREMOVE };
		struct pollfd add = {
			.fd = changes[i].fd,
			.events = evi_poll_mask(changes[i].after, 0),
		};

		(void)tell(st, &remove, 1);
		changes[i].err = add.events != 0 ? tell(st, &add, 1) : 0;
	}
}

static void devpoll_apply(void *state, struct evi_change *changes, size_t n)
{
	struct devpoll_state *st = state;

	for (size_t first = 0; first < n; first += BATCH) {
		size_t last = n - first < BATCH ? n : first + BATCH;
		struct pollfd fds[2 * BATCH];
		int used = 0;

		for (size_t i = first; i < last; i++) {
			changes[i].err = 0;
			used = put(fds, used, &changes[i]);
		}
		if (tell(st, fds, used) < 0)
			apply_singly(st, changes + first, last - first);
	}
}

/* Nonzero if there is more room now; without memory what is left comes with the next wait. */
static int grow(struct devpoll_state *st)
{
	struct pollfd *ready;

	if (st->room >= EVENTS_MAX)
		return 0;
	ready = evi_realloc(st->ready, (size_t)st->room * 2 * sizeof(*ready));
	if (ready == NULL)
		return 0;
	st->ready = ready;
	st->room *= 2;
	return 1;
}

/*
 * Milliseconds, rounded up. More results than the process may have descriptors are refused
 * (EINVAL).
 */
static int poll_device(struct devpoll_state *st, int64_t timeout_ns)
{
	int64_t ms = timeout_ns < 0 ? -1 : timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
	struct dvpoll request = { .dp_fds = st->ready,
				  .dp_timeout = (int)(ms < INT_MAX ? ms : INT_MAX) };
	int n;

	for (;;) {
		request.dp_nfds = (nfds_t)st->room;
		n = ioctl(st->fd, DP_POLL, &request);
		if (n >= 0 || errno != EINVAL || st->room == 1)
			return n < 0 ? -errno : n;
		st->room /= 2;
	}
}

static void report_all(const struct devpoll_state *st, int n, evi_report_fn *report, void *ctx)
{
	for (int i = 0; i < n; i++)
		report(ctx, st->ready[i].fd, 0, evi_poll_interest(st->ready[i].revents, 0));
}

static int devpoll_wait(void *state, int64_t timeout_ns, const struct evi_gate *gate,
			evi_report_fn *report, void *ctx)
{
	struct devpoll_state *st = state;
	int n;

	gate->leave(gate);
	n = poll_device(st, timeout_ns);
	gate->enter(gate);
	if (n == -EINTR)
		return 0;
	if (n < 0)
		return n;
	report_all(st, n, report, ctx);
	/* A full array means there may be more, and all that is ready belongs to one round. */
	while (n == st->room && grow(st)) {
		n = poll_device(st, 0);
		report_all(st, n, report, ctx);
	}
	return 0;
}

const struct evi_backend evi_backend_devpoll = {
	.name = "devpoll",
	.env = "EVENT_NODEVPOLL",
	.features = EV_FEATURE_O1 | EV_FEATURE_FDS,
	.open = devpoll_open,
	.close = devpoll_close,
	.apply = devpoll_apply,
	.wait = devpoll_wait,
};
