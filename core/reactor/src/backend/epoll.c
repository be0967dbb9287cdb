/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * epoll(7) backend.
 *
 * The kernel's data of an entry holds the descriptor and the tag of its registration, so reports of
 * a registration that is over can be told from those of its successor.
 */

#include "../backend.h"
#include "../os/os_epoll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MIN 32
#define EVENTS_MAX 4096

struct epoll_state {
	int fd;
	int room;                   /* of `events`; doubles when a wait fills it */
	struct epoll_event *events; /* owned */
};

static uint32_t epoll_mask(unsigned interest)
{
	return (interest & EVI_READ ? EPOLLIN : 0) | (interest & EVI_WRITE ? EPOLLOUT : 0) |
	       (interest & EVI_CLOSED ? EPOLLRDHUP : 0) | (interest & EVI_EDGE ? EPOLLET : 0);
}

/* A hangup or an error is for everybody: the next read or write will say what happened. */
static unsigned interest_of(uint32_t mask)
{
	unsigned what = 0;

	if (mask == EPOLLIN) /* which is most often so */
		return EVI_READ;
	if ((mask & EPOLLERR) || ((mask & EPOLLHUP) && !(mask & EPOLLRDHUP)))
		return EVI_READ | EVI_WRITE | EVI_CLOSED;
	if (mask & (EPOLLIN | EPOLLPRI))
		what |= EVI_READ;
	if (mask & EPOLLOUT)
		what |= EVI_WRITE;
	if (mask & (EPOLLRDHUP | EPOLLHUP))
		what |= EVI_CLOSED;
	return what;
}

static void epoll_close(void *state)
{
	struct epoll_state *st = state;

	if (st->fd >= 0)
		(void)close(st->fd);
	evi_free(st->events);
	evi_free(st);
}

static int epoll_open(void **ret_state, int flags)
{
	struct epoll_state *st = evi_calloc(1, sizeof(*st));
	int err = 0;

	(void)flags;
	if (st == NULL)
		return -ENOMEM;
	st->room = EVENTS_MIN;
	st->events = evi_calloc(EVENTS_MIN, sizeof(*st->events));
	st->fd = epoll_create1(EPOLL_CLOEXEC);
	if (st->fd < 0)
		err = -errno;
	else if (st->events == NULL)
		err = -ENOMEM;
	if (err < 0)
		epoll_close(st);
	else
		*ret_state = st;
	return err;
}

static int control(const struct epoll_state *st, int op, const struct evi_change *change)
{
	struct epoll_event event = { .events = epoll_mask(change->after) };

	event.data.u64 = (uint64_t)change->tag << 32 | (uint32_t)change->fd;
	return epoll_ctl(st->fd, op, change->fd, &event) < 0 ? -errno : 0;
}

/*
 * The kernel may know more than the base (an entry of a duplicate) or less (the descriptor was
 * closed): the operation that its answer suggests is tried next.
 */
static int apply_one(const struct epoll_state *st, const struct evi_change *change)
{
	int err;

	if (change->after == 0) {
		(void)control(st, EPOLL_CTL_DEL, change); /* gone already if it was closed */
		return 0;
	}
	if (change->before != 0) {
		err = control(st, EPOLL_CTL_MOD, change);
		return err == -ENOENT ? control(st, EPOLL_CTL_ADD, change) : err;
	}
	err = control(st, EPOLL_CTL_ADD, change);
	return err == -EEXIST ? control(st, EPOLL_CTL_MOD, change) : err;
}

static void epoll_apply(void *state, struct evi_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		changes[i].err = apply_one(state, &changes[i]);
}

/* Nonzero if there is more room now; without memory what is left comes with the next wait. */
static int grow(struct epoll_state *st)
{
	struct epoll_event *events;

	if (st->room >= EVENTS_MAX)
		return 0;
	events = evi_realloc(st->events, (size_t)st->room * 2 * sizeof(*events));
	if (events == NULL)
		return 0;
	st->events = events;
	st->room *= 2;
	return 1;
}

static void report_all(const struct epoll_state *st, int n, evi_report_fn *report, void *ctx)
{
	const struct epoll_event *end = st->events + n;

	for (const struct epoll_event *event = st->events; event < end; event++) {
		uint64_t data = event->data.u64;

		report(ctx, (evutil_socket_t)(uint32_t)data, (uint32_t)(data >> 32),
		       interest_of(event->events));
	}
}

static int epoll_wait_for(void *state, int64_t timeout_ns, const struct evi_gate *gate,
			  evi_report_fn *report, void *ctx)
{
	struct epoll_state *st = state;
	int n, err;

	if (timeout_ns == 0) {
		n = epoll_wait(st->fd, st->events, st->room, 0);
		err = n < 0 ? -errno : 0;
	} else {
		gate->leave(gate);
		n = evi_os_epoll_wait(st->fd, st->events, st->room, timeout_ns);
		err = n < 0 ? -errno : 0;
		gate->enter(gate);
	}
	if (err == -EINTR)
		return 0;
	if (err < 0)
		return err;
	report_all(st, n, report, ctx);
	/* A full array means there may be more, and all that is ready belongs to one round. */
	while (n == st->room && grow(st)) {
		n = epoll_wait(st->fd, st->events, st->room, 0);
		report_all(st, n, report, ctx);
	}
	return 0;
}

const struct evi_backend evi_backend_epoll = {
	.name = "epoll",
	.changelist_name = "epoll (with changelist)",
	.env = "EVENT_NOEPOLL",
	.features = EV_FEATURE_ET | EV_FEATURE_O1 | EV_FEATURE_EARLY_CLOSE,
	.traits = EVI_BACKEND_TAGGED | EVI_BACKEND_LIVE | EVI_BACKEND_LEAVES_CLOSED,
	.open = epoll_open,
	.close = epoll_close,
	.apply = epoll_apply,
	.wait = epoll_wait_for,
};
