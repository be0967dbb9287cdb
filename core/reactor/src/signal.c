/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signal events of a base. Every base that has a signal added gets it.
 *
 * Three ways of delivery. The backend's queue brings signals, if it can: one call per pick-up.
 * Otherwise the handler counts and wakes; the loop compares counts, so that repeats are called for
 * one by one. With EVENT_BASE_FLAG_USE_SIGNALFD the signal is also blocked in the thread that adds
 * it and read from a descriptor; the handler stays for threads that do not block it.
 */

#include "base.h"
#include "os/os_signal.h"

#include <errno.h>

struct evi_signal {
	struct event *first;    /* events, newest first, through ev_signal_next */
	unsigned seen;          /* of the process's count */
	struct event descriptor; /* internal; in use if `has_descriptor` */
	int has_descriptor;
	int was_blocked;
};

struct evi_signals {
	struct evi_receiver *receiver;
	int used; /* signals with events */
	struct evi_signal *of[]; /* by number; made when first added */
};

static int is_queued(const struct event_base *base)
{
	return base->backend->watch_signal != NULL;
}

/* What the handler wakes; 0 or -errno. Stays until the base goes. */
static int receiver_get(struct event_base *base)
{
	struct evi_signals *all = base->signals;
	int err;

	if (is_queued(base) || all->receiver != NULL)
		return 0;
	err = evi_wake_open(base);
	if (err < 0)
		return err;
	all->receiver = evi_os_receiver_new(base->wake_write);
	return all->receiver != NULL ? 0 : -ENOMEM;
}

/* The table and the receiver; 0 or -errno. */
static int signals_get(struct event_base *base)
{
	size_t limit = (size_t)evi_os_signal_limit();
	struct evi_signals *all = base->signals;

	if (all == NULL) {
		all = evi_calloc(1, sizeof(*all) + limit * sizeof(all->of[0]));
		if (all == NULL)
			return -ENOMEM;
		base->signals = all;
	}
	return receiver_get(base);
}

static void on_descriptor(evutil_socket_t fd, short what, void *arg)
{
	struct event *descriptor = arg;
	struct evi_signal *signal = evi_container_of(descriptor, struct evi_signal, descriptor);

	(void)what;
	if (evi_os_signalfd_drain(fd) && signal->first != NULL)
		evi_signal_activate(descriptor->ev_base, (int)signal->first->ev_fd, 1);
}

/* Also without a descriptor the signal is delivered, so failing to get one is no failure. */
static void open_descriptor(struct event_base *base, struct evi_signal *signal, int sig)
{
	evutil_socket_t fd;

	if (!(base->flags & EVENT_BASE_FLAG_USE_SIGNALFD) ||
	    evi_os_signalfd_open(sig, &fd, &signal->was_blocked) < 0)
		return;
	evi_event_init_internal(&signal->descriptor, base, fd, EV_READ | EV_PERSIST, on_descriptor,
				&signal->descriptor);
	if (evi_event_add(&signal->descriptor, NULL) < 0)
		evi_os_signalfd_close(sig, fd, signal->was_blocked);
	else
		signal->has_descriptor = 1;
}

static void close_descriptor(struct evi_signal *signal, int sig)
{
	if (!signal->has_descriptor)
		return;
	(void)evi_event_del(&signal->descriptor);
	evi_os_signalfd_close(sig, signal->descriptor.ev_fd, signal->was_blocked);
	signal->has_descriptor = 0;
}

/* The first event of a signal: have it delivered from now on. */
static int start(struct event_base *base, struct evi_signal *signal, int sig)
{
	int err;

	signal->seen = evi_os_signal_count(sig);
	if (is_queued(base))
		err = base->backend->watch_signal(base->backend_state, sig, 1);
	else
		err = evi_os_signal_catch(sig);
	if (err < 0)
		return err;
	base->signals->used++;
	if (!is_queued(base))
		open_descriptor(base, signal, sig);
	return 0;
}

static void stop(struct event_base *base, struct evi_signal *signal, int sig)
{
	close_descriptor(signal, sig);
	if (is_queued(base))
		(void)base->backend->watch_signal(base->backend_state, sig, 0);
	else
		evi_os_signal_release(sig);
	base->signals->used--;
}

int evi_signal_add(struct event_base *base, struct event *ev)
{
	struct evi_signal *signal;
	int sig = (int)ev->ev_fd, err;

	if (ev->ev_fd <= 0 || ev->ev_fd >= evi_os_signal_limit() ||
	    !evi_os_signal_is_catchable(sig))
		return -EINVAL;
	err = signals_get(base);
	if (err < 0)
		return err;
	signal = base->signals->of[sig];
	if (signal == NULL) {
		signal = evi_calloc(1, sizeof(*signal));
		if (signal == NULL)
			return -ENOMEM;
		base->signals->of[sig] = signal;
	}
	if (signal->first == NULL) {
		err = start(base, signal, sig);
		if (err < 0)
			return err;
	}
	ev->ev_.ev_signal.ev_signal_next.le_next = signal->first;
	if (signal->first != NULL)
		signal->first->ev_.ev_signal.ev_signal_next.le_prev =
			&ev->ev_.ev_signal.ev_signal_next.le_next;
	signal->first = ev;
	ev->ev_.ev_signal.ev_signal_next.le_prev = &signal->first;
	return 0;
}

void evi_signal_remove(struct event_base *base, struct event *ev)
{
	struct event *next = ev->ev_.ev_signal.ev_signal_next.le_next;
	struct evi_signal *signal = base->signals->of[ev->ev_fd];

	if (next != NULL)
		next->ev_.ev_signal.ev_signal_next.le_prev =
			ev->ev_.ev_signal.ev_signal_next.le_prev;
	*ev->ev_.ev_signal.ev_signal_next.le_prev = next;
	if (signal->first == NULL)
		stop(base, signal, (int)ev->ev_fd);
}

void evi_signal_activate(struct event_base *base, int sig, int calls)
{
	struct event *ev, *next;

	if (base->signals == NULL || sig <= 0 || sig >= evi_os_signal_limit() ||
	    base->signals->of[sig] == NULL)
		return;
	for (ev = base->signals->of[sig]->first; ev != NULL; ev = next) {
		next = ev->ev_.ev_signal.ev_signal_next.le_next;
		evi_event_activate(ev, EV_SIGNAL, calls);
	}
}

void evi_signal_collect(struct event_base *base)
{
	struct evi_signals *all = base->signals;

	if (all == NULL || all->used == 0 || is_queued(base))
		return;
	for (int sig = 1; sig < evi_os_signal_limit(); sig++) {
		struct evi_signal *signal = all->of[sig];
		unsigned count;

		if (signal == NULL || signal->first == NULL)
			continue;
		count = evi_os_signal_count(sig);
		if (count != signal->seen)
			evi_signal_activate(base, sig, (int)(count - signal->seen));
		signal->seen = count;
	}
}

int evi_signal_watch_all(struct event_base *base)
{
	struct evi_signals *all = base->signals;
	int err = 0;

	if (all == NULL || !is_queued(base))
		return 0;
	for (int sig = 1; sig < evi_os_signal_limit(); sig++) {
		int one = 0;

		if (all->of[sig] != NULL && all->of[sig]->first != NULL)
			one = base->backend->watch_signal(base->backend_state, sig, 1);
		if (one < 0 && err == 0)
			err = one;
	}
	return err;
}

/* The receiver wrote to the parent's descriptor, and signalfd reads the parent's signals. */
int evi_signal_reinit(struct event_base *base)
{
	struct evi_signals *all = base->signals;

	if (all == NULL)
		return 0;
	evi_os_receiver_free(all->receiver);
	all->receiver = NULL;
	for (int sig = 1; sig < evi_os_signal_limit(); sig++) {
		struct evi_signal *signal = all->of[sig];

		if (signal == NULL || !signal->has_descriptor)
			continue;
		close_descriptor(signal, sig);
		open_descriptor(base, signal, sig);
	}
	return signals_get(base);
}

int evi_signal_each(struct event_base *base, int (*fn)(struct event *ev, void *ctx), void *ctx)
{
	if (base->signals == NULL)
		return 0;
	for (int sig = 1; sig < evi_os_signal_limit(); sig++) {
		struct evi_signal *signal = base->signals->of[sig];
		struct event *ev = signal != NULL ? signal->first : NULL, *next;

		for (; ev != NULL; ev = next) {
			int result;

			next = ev->ev_.ev_signal.ev_signal_next.le_next;
			result = fn(ev, ctx);
			if (result != 0)
				return result;
		}
	}
	return 0;
}

static int orphan(struct event *ev, void *ctx)
{
	(void)ctx;
	evi_event_orphan(ev);
	return 0;
}

void evi_signal_done(struct event_base *base)
{
	struct evi_signals *all = base->signals;

	if (all == NULL)
		return;
	(void)evi_signal_each(base, orphan, NULL);
	evi_os_receiver_free(all->receiver);
	for (int sig = 1; sig < evi_os_signal_limit(); sig++)
		evi_free(all->of[sig]);
	evi_free(all);
	base->signals = NULL;
}

const char *event_base_get_signal_method(const struct event_base *base)
{
	if (is_queued(base))
		return base->backend->signal_method;
	return evi_os_signalfd_exists() && (base->flags & EVENT_BASE_FLAG_USE_SIGNALFD)
		       ? "signalfd_signal"
		       : "signal";
}
