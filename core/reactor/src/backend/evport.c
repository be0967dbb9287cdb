/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Event port backend, port_create(3C): Solaris and illumos.
 *
 * An association is over when it has reported; it is made again before the next wait if the
 * descriptor is still watched, which gives the level-triggered meaning. The user pointer of an
 * association is the tag of the registration.
 */

#include "poll_mask.h"

#include <sys/types.h>
#include <port.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MIN 32
#define EVENTS_MAX 4096

/* Longer waits are cut; the loop waits again. */
#define WAIT_MAX_NS (INT64_C(1000000) * 1000000000)

struct watched {
	uint32_t tag;
	uint8_t interest;
	uint8_t is_queued; /* stands in `to_arm` */
};

struct evport_state {
	int fd;
	int room;             /* of `events`; doubles when a wait fills it */
	port_event_t *events; /* owned */
	struct watched *of;   /* owned; by descriptor */
	size_t of_room;
	int *to_arm; /* owned; descriptors that have reported since the last wait; room for all */
	size_t to_arm_used;
};

static void evport_close(void *state)
{
	struct evport_state *st = state;

	if (st->fd >= 0)
		(void)close(st->fd);
	evi_free(st->events);
	evi_free(st->of);
	evi_free(st->to_arm);
	evi_free(st);
}

static int evport_open(void **ret_state, int flags)
{
	struct evport_state *st = evi_calloc(1, sizeof(*st));
	int err = 0;

	(void)flags;
	if (st == NULL)
		return -ENOMEM;
	st->room = EVENTS_MIN;
	st->events = evi_calloc(EVENTS_MIN, sizeof(*st->events));
	st->fd = port_create();
	if (st->fd < 0 || fcntl(st->fd, F_SETFD, FD_CLOEXEC) < 0)
		err = -errno;
	else if (st->events == NULL)
		err = -ENOMEM;
	if (err < 0)
		evport_close(st);
	else
		*ret_state = st;
	return err;
}

static int grow_index(struct evport_state *st, size_t fd)
{
	size_t room = st->of_room != 0 ? st->of_room : 64;
	struct watched *of;
	int *to_arm;

	if (fd < st->of_room)
		return 0;
	while (room <= fd)
		room *= 2;
	to_arm = evi_realloc(st->to_arm, room * sizeof(*to_arm));
	if (to_arm == NULL)
		return -ENOMEM;
	st->to_arm = to_arm;
	of = evi_realloc(st->of, room * sizeof(*of));
	if (of == NULL)
		return -ENOMEM;
	memset(of + st->of_room, 0, (room - st->of_room) * sizeof(*of));
	st->of = of;
	st->of_room = room;
	return 0;
}

/* Makes the association, or replaces the one there is. */
static int associate(const struct evport_state *st, int fd)
{
	const struct watched *w = &st->of[fd];

	return port_associate(st->fd, PORT_SOURCE_FD, (uintptr_t)fd, evi_poll_mask(w->interest, 0),
			      (void *)(uintptr_t)w->tag) < 0 ? -errno : 0;
}

/* It is gone already if it has reported, or if the descriptor was closed. */
static void dissociate(const struct evport_state *st, int fd)
{
	(void)port_dissociate(st->fd, PORT_SOURCE_FD, (uintptr_t)fd);
}

static int change(struct evport_state *st, const struct evi_change *c)
{
	int err = 0;

	if (evi_poll_mask(c->after, 0) != 0 && grow_index(st, (size_t)c->fd) < 0) {
		dissociate(st, c->fd);
		return -ENOMEM;
	}
	if ((size_t)c->fd >= st->of_room)
		return 0;
	st->of[c->fd].interest = c->after;
	st->of[c->fd].tag = c->tag;
	if (evi_poll_mask(c->after, 0) != 0)
		err = associate(st, c->fd);
	else if (evi_poll_mask(c->before, 0) != 0)
		dissociate(st, c->fd);
	if (err < 0)
		st->of[c->fd].interest = 0;
	return err;
}

static void evport_apply(void *state, struct evi_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		changes[i].err = change(state, &changes[i]);
}

/*
 * A descriptor that was closed while it is watched: whoever waits for it learns that by trying.
 * Returns how many there are; they stay in the list.
 */
static size_t arm_all(struct evport_state *st, evi_report_fn *report, void *ctx)
{
	size_t refused = 0;

	for (size_t i = 0; i < st->to_arm_used; i++) {
		int fd = st->to_arm[i];
		struct watched *w = &st->of[fd];

		w->is_queued = 0;
		if (evi_poll_mask(w->interest, 0) == 0 || associate(st, fd) == 0)
			continue;
		report(ctx, fd, w->tag, EVI_READ | EVI_WRITE);
		w->is_queued = 1;
		st->to_arm[refused++] = fd;
	}
	st->to_arm_used = refused;
	return refused;
}

/* Nonzero if there is more room now; without memory what is left comes with the next wait. */
static int grow(struct evport_state *st)
{
	port_event_t *events;

	if (st->room >= EVENTS_MAX)
		return 0;
	events = evi_realloc(st->events, (size_t)st->room * 2 * sizeof(*events));
	if (events == NULL)
		return 0;
	st->events = events;
	st->room *= 2;
	return 1;
}

/*
 * How many events there are, or -errno. When time is up or a signal came (ETIME, EINTR) the call
 * may still have events; some systems then leave the count alone, so the first entry is marked as
 * empty.
 */
static int get_events(struct evport_state *st, int64_t timeout_ns)
{
	int64_t ns = timeout_ns < WAIT_MAX_NS ? timeout_ns : WAIT_MAX_NS;
	struct timespec timeout = { .tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000) };
	unsigned n = 1;

	st->events[0].portev_source = 0;
	if (port_getn(st->fd, st->events, (unsigned)st->room, &n,
		      timeout_ns < 0 ? NULL : &timeout) < 0 &&
	    errno != ETIME && errno != EINTR)
		return -errno;
	return st->events[0].portev_source == 0 ? 0 : (int)n;
}

static void take_all(struct evport_state *st, int n, evi_report_fn *report, void *ctx)
{
	for (int i = 0; i < n; i++) {
		const port_event_t *event = &st->events[i];
		int fd = (int)event->portev_object;
		uint32_t tag = (uint32_t)(uintptr_t)event->portev_user;
		struct watched *w = (size_t)fd < st->of_room ? &st->of[fd] : NULL;

		/* Not of the present registration: it was changed while this was on its way. */
		if (event->portev_source != PORT_SOURCE_FD || w == NULL || w->tag != tag ||
		    w->interest == 0)
			continue;
		if (!w->is_queued) {
			w->is_queued = 1;
			st->to_arm[st->to_arm_used++] = fd;
		}
		report(ctx, fd, tag, evi_poll_interest(event->portev_events, 0));
	}
}

static int evport_wait(void *state, int64_t timeout_ns, const struct evi_gate *gate,
		       evi_report_fn *report, void *ctx)
{
	struct evport_state *st = state;
	int n;

	if (arm_all(st, report, ctx) != 0)
		timeout_ns = 0;
	gate->leave(gate);
	n = get_events(st, timeout_ns);
	gate->enter(gate);
	if (n < 0)
		return n;
	take_all(st, n, report, ctx);
	/* A full array means there may be more, and all that is ready belongs to one round. */
	while (n == st->room && grow(st)) {
		n = get_events(st, 0);
		take_all(st, n, report, ctx);
	}
	return 0;
}

const struct evi_backend evi_backend_evport = {
	.name = "evport",
	.env = "EVENT_NOEVPORT",
	.features = 0,
	.traits = EVI_BACKEND_TAGGED | EVI_BACKEND_LIVE,
	.open = evport_open,
	.close = evport_close,
	.apply = evport_apply,
	.wait = evport_wait,
};
