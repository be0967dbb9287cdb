/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kqueue(2) backend: FreeBSD, NetBSD, OpenBSD, DragonFly, macOS.
 *
 * The kernel keeps one entry per descriptor and filter; closing the descriptor removes them, and
 * adding one that exists changes its user data but not whether it is edge-triggered. The user data
 * is the tag of the registration.
 *
 * Signals come by the queue as well. It counts them although they are ignored, which they are while
 * anybody has them added.
 */

#include "../backend.h"
#include "../os/os_kqueue.h"
#include "../os/os_signal.h"

#include <event2/component/reactor.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_MIN 32
#define EVENTS_MAX 4096

/* Changes told to the kernel in one call; one interest changes by at most MOST of them. */
#define BATCH 64
#define MOST  4

/*
 * A descriptor that the kernel refuses to watch because its other end is gone: it is ready for
 * good.
 */
struct broken {
	int fd;
	uint32_t tag;
	unsigned interest;
};

struct kqueue_state {
	int fd;
	/* a child does not inherit the queue, and its number may be another file's */
	unsigned forks;
	int room;              /* of `events`; doubles when a wait fills it */
	struct kevent *events; /* owned */
	struct kevent batch[BATCH];
	struct evi_change *origin[BATCH]; /* what each of `batch` is for */
	int used;
	struct broken *broken; /* owned; nearly always none */
	size_t broken_used;
	size_t broken_room;
	uint8_t is_watched[NSIG]; /* by signal number */
};

static const struct {
	unsigned interest;
	short filter;
} filters[] = {
	{ EVI_READ, EVFILT_READ },
	{ EVI_WRITE, EVFILT_WRITE },
};
#define FILTERS (sizeof(filters) / sizeof(filters[0]))

static void fill(struct kevent *kev, int ident, short filter, unsigned flags, uintptr_t data)
{
	memset(kev, 0, sizeof(*kev));
	kev->ident = (__typeof__(kev->ident))ident;
	kev->filter = (__typeof__(kev->filter))filter;
	kev->flags = (__typeof__(kev->flags))flags;
	kev->udata = (evi_kqueue_data)data;
}

static void kqueue_close(void *state)
{
	struct kqueue_state *st = state;

	if (st->fd >= 0 && st->forks == evi_fork_count())
		(void)close(st->fd);
	for (int sig = 1; sig < NSIG; sig++) {
		if (st->is_watched[sig])
			evi_os_signal_heed(sig);
	}
	evi_free(st->events);
	evi_free(st->broken);
	evi_free(st);
}

static int kqueue_open(void **ret_state, int flags)
{
	struct kqueue_state *st = evi_calloc(1, sizeof(*st));
	int err = 0;

	(void)flags;
	if (st == NULL)
		return -ENOMEM;
	st->forks = evi_fork_count();
	st->room = EVENTS_MIN;
	st->events = evi_calloc(EVENTS_MIN, sizeof(*st->events));
	st->fd = kqueue();
	if (st->fd < 0 || fcntl(st->fd, F_SETFD, FD_CLOEXEC) < 0)
		err = -errno;
	else if (st->events == NULL)
		err = -ENOMEM;
	if (err < 0)
		kqueue_close(st);
	else
		*ret_state = st;
	return err;
}

static int add_broken(struct kqueue_state *st, const struct evi_change *change, unsigned interest)
{
	size_t room = st->broken_room != 0 ? st->broken_room * 2 : 4;
	struct broken *bigger;

	if (st->broken_used == st->broken_room) {
		bigger = evi_realloc(st->broken, room * sizeof(*bigger));
		if (bigger == NULL)
			return -ENOMEM;
		st->broken = bigger;
		st->broken_room = room;
	}
	st->broken[st->broken_used++] = (struct broken){ .fd = change->fd, .tag = change->tag,
		.interest = interest | (change->after & EVI_EDGE) };
	return 0;
}

static void remove_broken(struct kqueue_state *st, int fd)
{
	for (size_t i = st->broken_used; i-- > 0;) {
		if (st->broken[i].fd == fd)
			st->broken[i] = st->broken[--st->broken_used];
	}
}

/* What the kernel answered to the addition of one filter. */
static void note_result(struct kqueue_state *st, const struct kevent *kev,
			struct evi_change *change)
{
	int err = (int)kev->data;
	unsigned interest = kev->filter == EVFILT_READ ? EVI_READ : EVI_WRITE;

	if (err == 0 || change->err < 0)
		return;
	if (!evi_kqueue_is_broken_pipe(change->fd, err)) {
		change->err = -err;
		return;
	}
	change->err = add_broken(st, change, interest);
	change->is_ready = change->err == 0;
}

/* Half an interest is none. */
static void withdraw(struct kqueue_state *st, const struct evi_change *change)
{
	struct kevent undo[FILTERS];

	for (size_t i = 0; i < FILTERS; i++)
		fill(&undo[i], change->fd, filters[i].filter, EV_DELETE, 0);
	evi_kqueue_change(st->fd, undo, FILTERS);
	remove_broken(st, change->fd);
}

/* Failures to delete do not count: the entry went when the descriptor was closed. */
static void flush(struct kqueue_state *st)
{
	uint8_t is_add[BATCH];

	for (int i = 0; i < st->used; i++)
		is_add[i] = (st->batch[i].flags & EV_ADD) != 0;
	if (st->used != 0)
		evi_kqueue_change(st->fd, st->batch, st->used);
	for (int i = 0; i < st->used; i++) {
		if (is_add[i])
			note_result(st, &st->batch[i], st->origin[i]);
	}
	for (int i = 0; i < st->used; i++) {
		if (is_add[i] && st->origin[i]->err < 0)
			withdraw(st, st->origin[i]);
	}
	st->used = 0;
}

static void queue(struct kqueue_state *st, struct evi_change *change, short filter, unsigned flags)
{
	st->origin[st->used] = change;
	fill(&st->batch[st->used++], change->fd, filter, flags, change->tag);
}

static void queue_filter(struct kqueue_state *st, struct evi_change *change, size_t i)
{
	unsigned had = change->before & filters[i].interest,
		 wants = change->after & filters[i].interest;
	int must_replace = ((change->before ^ change->after) & EVI_EDGE) ||
			   (change->is_unsure && (change->after & EVI_EDGE));

	if (had && (!wants || must_replace))
		queue(st, change, filters[i].filter, EV_DELETE);
	if (wants && (!had || must_replace || change->is_unsure))
		queue(st, change, filters[i].filter,
		      EV_ADD | (change->after & EVI_EDGE ? EV_CLEAR : 0));
}

static void kqueue_apply(void *state, struct evi_change *changes, size_t n)
{
	struct kqueue_state *st = state;

	for (size_t i = 0; i < n; i++) {
		changes[i].err = 0;
		if (st->broken_used != 0) {
			remove_broken(st, changes[i].fd);
			changes[i].is_unsure = 1; /* what was refused is to be asked for again */
		}
		if (st->used + MOST > BATCH)
			flush(st);
		for (size_t filter = 0; filter < FILTERS; filter++)
			queue_filter(st, &changes[i], filter);
	}
	flush(st);
}

static int kqueue_watch_signal(void *state, int sig, int is_wanted)
{
	struct kqueue_state *st = state;
	struct kevent kev;
	int err = 0;

	fill(&kev, sig, EVFILT_SIGNAL, is_wanted ? EV_ADD : EV_DELETE, 0);
	if (is_wanted)
		err = evi_os_signal_ignore(sig);
	if (err < 0)
		return err;
	if (st->forks == evi_fork_count())
		evi_kqueue_change(st->fd, &kev, 1);
	if (is_wanted)
		err = -(int)kev.data;
	if (err < 0 || (!is_wanted && st->is_watched[sig]))
		evi_os_signal_heed(sig);
	st->is_watched[sig] = is_wanted && err == 0;
	return err;
}

/* Nonzero if there is more room now; without memory what is left comes with the next wait. */
static int grow(struct kqueue_state *st)
{
	struct kevent *events;

	if (st->room >= EVENTS_MAX)
		return 0;
	events = evi_realloc(st->events, (size_t)st->room * 2 * sizeof(*events));
	if (events == NULL)
		return 0;
	st->events = events;
	st->room *= 2;
	return 1;
}

static void report_all(const struct kqueue_state *st, int n, evi_report_fn *report, void *ctx)
{
	for (int i = 0; i < n; i++) {
		const struct kevent *kev = &st->events[i];
		int ident = (int)kev->ident;
		uint32_t tag = (uint32_t)(uintptr_t)kev->udata;

		if (kev->filter == EVFILT_SIGNAL)
			report(ctx, -ident, 0, EVI_SIGNAL);
		else
			report(ctx, ident, tag, kev->filter == EVFILT_READ ? EVI_READ : EVI_WRITE);
	}
}

static void report_broken(struct kqueue_state *st, evi_report_fn *report, void *ctx)
{
	for (size_t i = st->broken_used; i-- > 0;) {
		const struct broken one = st->broken[i];

		report(ctx, one.fd, one.tag, one.interest & ~(unsigned)EVI_EDGE);
		if (one.interest & EVI_EDGE)
			st->broken[i] = st->broken[--st->broken_used];
	}
}

static int wait_once(const struct kqueue_state *st, int64_t timeout_ns)
{
	int64_t ns = timeout_ns < EVI_KQUEUE_WAIT_MAX_NS ? timeout_ns : EVI_KQUEUE_WAIT_MAX_NS;
	struct timespec timeout = { .tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000) };

	return kevent(st->fd, NULL, 0, st->events, st->room, timeout_ns < 0 ? NULL : &timeout);
}

static int kqueue_wait(void *state, int64_t timeout_ns, const struct evi_gate *gate,
		       evi_report_fn *report, void *ctx)
{
	struct kqueue_state *st = state;
	int n, err;

	if (st->broken_used != 0)
		timeout_ns = 0;
	gate->leave(gate);
	n = wait_once(st, timeout_ns);
	err = n < 0 ? -errno : 0;
	gate->enter(gate);
	report_broken(st, report, ctx);
	if (err == -EINTR)
		return 0;
	if (err < 0)
		return err;
	report_all(st, n, report, ctx);
	/* A full array means there may be more, and all that is ready belongs to one round. */
	while (n == st->room && grow(st)) {
		n = wait_once(st, 0);
		report_all(st, n, report, ctx);
	}
	return 0;
}

const struct evi_backend evi_backend_kqueue = {
	.name = "kqueue",
	.env = "EVENT_NOKQUEUE",
	.features = EV_FEATURE_ET | EV_FEATURE_O1 | EV_FEATURE_FDS,
	.traits = EVI_BACKEND_TAGGED | EVI_BACKEND_LIVE | EVI_BACKEND_LEAVES_CLOSED,
	.signal_method = "kqueue_signal",
	.open = kqueue_open,
	.close = kqueue_close,
	.apply = kqueue_apply,
	.wait = kqueue_wait,
	.watch_signal = kqueue_watch_signal,
};
