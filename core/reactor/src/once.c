/* SPDX-License-Identifier: BSD-3-Clause */
/* One-shot callbacks whose event the library owns. */

#include "base.h"

struct evi_once {
	struct evi_once *next, **prev;
	struct event ev;
	event_callback_fn fn;
	void *arg;
};

static void unlink_once(struct evi_once *once)
{
	if (once->next != NULL)
		once->next->prev = once->prev;
	*once->prev = once->next;
}

static void on_once(evutil_socket_t fd, short what, void *arg)
{
	struct evi_once *once = arg;
	struct event_base *base = once->ev.ev_base;

	evi_base_lock(base);
	unlink_once(once);
	evi_base_unlock(base);
	once->fn(fd, what, once->arg);
	evi_free(once);
}

/* A timer without a duration is simply active: it runs in the order of the calls. */
static int start(struct event_base *base, struct evi_once *once, short events,
		 const struct timeval *tv)
{
	int is_timer = !(events & EVI_IO_EVENTS);

	if (is_timer && (tv == NULL || evi_time_ns_of(tv) == 0)) {
		evi_event_activate(&once->ev, EV_TIMEOUT, 1);
		return 0;
	}
	(void)base;
	return evi_event_add(&once->ev, tv);
}

int event_base_once(struct event_base *base, evutil_socket_t fd, short events,
		    event_callback_fn callback, void *arg, const struct timeval *timeout)
{
	short io = events & EVI_IO_EVENTS;
	struct evi_once *once;

	if (base == NULL || callback == NULL || (events & (EV_SIGNAL | EV_PERSIST)) ||
	    (io == 0 && !(events & EV_TIMEOUT)))
		return -1;
	once = evi_calloc(1, sizeof(*once));
	if (once == NULL)
		return -1;
	once->fn = callback;
	once->arg = arg;
	evi_event_init_plain(&once->ev, base, io != 0 ? fd : -1, io, on_once, once);
	evi_base_lock(base);
	if (start(base, once, io, timeout) < 0) {
		evi_base_unlock(base);
		evi_free(once);
		return -1;
	}
	once->next = base->onces;
	once->prev = &base->onces;
	if (once->next != NULL)
		once->next->prev = &once->next;
	base->onces = once;
	evi_base_unlock(base);
	return 0;
}

void evi_once_done(struct event_base *base)
{
	while (base->onces != NULL) {
		struct evi_once *once = base->onces;

		unlink_once(once);
		if (once->ev.ev_base != NULL)
			evi_event_orphan(&once->ev);
		evi_free(once);
	}
}
