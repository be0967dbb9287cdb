/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A model of /dev/poll, poll(7D), on poll(2).
 *
 * What is written is added to what a descriptor is watched for; POLLREMOVE takes it out. A
 * descriptor that is closed stays in the set and shows POLLNVAL. Only the process that opened the
 * device may use it. A change does not reach a DP_POLL that is in progress.
 */

#include "model.h"

#include "include/sys/devpoll.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

struct devpoll {
	struct model_object object;
	struct pollfd *set;
	nfds_t used, room;
	nfds_t start; /* where the next DP_POLL begins to look, so that none is always first */
};

/* So that write(2) on anything else costs, and locks, nothing. */
static _Atomic int devices;

/* Which numbers are devices; read by signal handlers. */
#define NUMBERS 65536
static _Atomic unsigned char is_device[NUMBERS];

static void devpoll_free(struct model_object *object)
{
	struct devpoll *dp = (struct devpoll *)object;

	atomic_store(&is_device[object->fd], 0);
	atomic_fetch_sub(&devices, 1);
	free(dp->set);
	free(dp);
}

static const struct model_type devpoll_type = { .free = devpoll_free, .is_inherited = 1 };

int model_devpoll_open(void)
{
	struct devpoll *dp = calloc(1, sizeof(*dp));
	int fd = dp != NULL ? epoll_create1(EPOLL_CLOEXEC) : -1;

	if (fd < 0 || fd >= NUMBERS) {
		free(dp);
		if (fd >= 0)
			(void)real_close(fd);
		return -1;
	}
	model_lock();
	model_add(&dp->object, &devpoll_type, fd);
	atomic_fetch_add(&devices, 1);
	atomic_store(&is_device[fd], 1);
	model_unlock();
	return fd;
}

static struct pollfd *place_of(struct devpoll *dp, int fd)
{
	for (nfds_t i = 0; i < dp->used; i++) {
		if (dp->set[i].fd == fd)
			return &dp->set[i];
	}
	return NULL;
}

static int change(struct devpoll *dp, const struct pollfd *want)
{
	struct pollfd *place = place_of(dp, want->fd);

	if (want->events & POLLREMOVE) {
		if (place != NULL)
			*place = dp->set[--dp->used];
		return 0;
	}
	if (place != NULL) {
		place->events = (short)(place->events | want->events);
		return 0;
	}
	if (dp->used == dp->room) {
		nfds_t room = dp->room != 0 ? dp->room * 2 : 32;
		struct pollfd *set = realloc(dp->set, room * sizeof(*set));

		if (set == NULL)
			return ENOMEM;
		dp->set = set;
		dp->room = room;
	}
	dp->set[dp->used++] = (struct pollfd){ .fd = want->fd, .events = want->events };
	return 0;
}

/* The device behind `fd`, with the lock held; or NULL with errno set and the lock given up. */
static struct devpoll *get(int fd)
{
	struct devpoll *dp;

	errno = ENOENT;
	if (fd < 0 || fd >= NUMBERS || atomic_load(&devices) == 0 || !atomic_load(&is_device[fd]))
		return NULL;
	model_lock();
	dp = (struct devpoll *)model_find(fd, &devpoll_type);
	if (dp != NULL && model_is_owner(&dp->object))
		return dp;
	errno = dp != NULL ? EACCES : ENOENT;
	model_unlock();
	return NULL;
}

ssize_t model_devpoll_write(int fd, const void *data, size_t size)
{
	const struct pollfd *want = data;
	struct devpoll *dp = get(fd);
	int err = 0;

	if (dp == NULL)
		return -1;
	if (size % sizeof(*want) != 0)
		err = EINVAL;
	for (size_t i = 0; i < size / sizeof(*want) && err == 0; i++)
		err = change(dp, &want[i]);
	model_unlock();
	errno = err;
	return err == 0 ? (ssize_t)size : -1;
}

/* A copy of the set, which the caller frees; the first to be reported is another one each time. */
static struct pollfd *snapshot(struct devpoll *dp)
{
	struct pollfd *copy = calloc(dp->used + 1, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	dp->start = dp->used != 0 ? (dp->start + 1) % dp->used : 0;
	for (nfds_t i = 0; i < dp->used; i++)
		copy[i] = dp->set[(dp->start + i) % dp->used];
	return copy;
}

static int dp_poll(struct devpoll *dp, const struct dvpoll *request)
{
	struct rlimit limit;
	struct pollfd *copy;
	nfds_t used = dp->used;
	int ready, n = 0;

	copy = snapshot(dp);
	model_unlock();
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	errno = copy == NULL ? ENOMEM : request->dp_fds == NULL ? EFAULT : EINVAL;
	if (copy == NULL || request->dp_fds == NULL || request->dp_nfds > limit.rlim_cur) {
		free(copy);
		return -1;
	}
	ready = poll(copy, used, request->dp_timeout);
	for (nfds_t i = 0; i < used && ready > 0 && (nfds_t)n < request->dp_nfds; i++) {
		if (copy[i].revents != 0)
			request->dp_fds[n++] = copy[i];
	}
	free(copy);
	return ready < 0 ? -1 : n;
}

static int dp_is_polled(struct devpoll *dp, struct pollfd *ask)
{
	const struct pollfd *place = place_of(dp, ask->fd);
	int is_polled = place != NULL;

	if (is_polled)
		ask->revents = place->events;
	model_unlock();
	return is_polled;
}

int model_devpoll_ioctl(int fd, unsigned long request, void *arg)
{
	struct devpoll *dp = get(fd);

	if (dp == NULL)
		return -1;
	if (request == DP_POLL)
		return dp_poll(dp, arg);
	if (request == DP_ISPOLLED)
		return dp_is_polled(dp, arg);
	model_unlock();
	errno = EINVAL;
	return -1;
}
