/* SPDX-License-Identifier: BSD-3-Clause */
/* Making events, and asking about them. Adding and deleting them is event_add.c. */

#include "base.h"

static char self_marker;

/* Its address as the argument of an event stands for the event itself. */
void *event_self_cbarg(void)
{
	return &self_marker;
}

static enum evi_closure closure_of(short events)
{
	if (events & EV_SIGNAL)
		return EVI_CLOSURE_SIGNAL;
	return events & EV_PERSIST ? EVI_CLOSURE_PERSIST : EVI_CLOSURE_EVENT;
}

void evi_event_init_plain(struct event *ev, struct event_base *base, evutil_socket_t fd,
			  short events, event_callback_fn fn, void *arg)
{
	struct event_callback *cb = &ev->ev_evcallback;

	memset(ev, 0, sizeof(*ev));
	ev->ev_base = base;
	ev->ev_fd = fd;
	ev->ev_events = events;
	cb->evcb_flags = EVLIST_INIT;
	cb->evcb_cb_union.evcb_callback = fn;
	cb->evcb_arg = arg == &self_marker ? ev : arg;
	cb->evcb_closure = (ev_uint8_t)closure_of(events);
	if (base != NULL)
		cb->evcb_pri = (ev_uint8_t)(base->priorities / 2);
}

void evi_event_init_internal(struct event *ev, struct event_base *base, evutil_socket_t fd,
			     short events, event_callback_fn fn, void *arg)
{
	evi_event_init_plain(ev, base, fd, events, fn, arg);
	evi_flags_set(ev, EVLIST_INTERNAL);
}

int event_assign(struct event *ev, struct event_base *base, evutil_socket_t fd, short events,
		 event_callback_fn callback, void *callback_arg)
{
	if ((events & EV_SIGNAL) && (events & EVI_IO_EVENTS)) {
		event_warnx("event_assign: EV_SIGNAL cannot be combined with EV_READ, EV_WRITE or "
			    "EV_CLOSED");
		return -1;
	}
	EVI_CHECK(evi_debug_check_idle(ev, "event_assign"));
	evi_event_init_plain(ev, base != NULL ? base : event_global_current_base_, fd, events,
			     callback, callback_arg);
	evi_debug_note_object();
	return EVI_UNLIKELY(evi_debug_mode) ? evi_debug_note_assigned(ev, fd, events) : 0;
}

struct event *event_new(struct event_base *base, evutil_socket_t fd, short events,
			event_callback_fn callback, void *callback_arg)
{
	struct event *ev = evi_malloc(sizeof(*ev));

	if (ev == NULL)
		return NULL;
	EVI_CHECK(evi_debug_note_gone(ev));
	if (event_assign(ev, base, fd, events, callback, callback_arg) < 0) {
		evi_free(ev);
		return NULL;
	}
	return ev;
}

/*
 * An event that is on none of the base's lists, and whose callback no other thread can be running,
 * is only memory; its base may be gone by now. A signal event may have repeats to cancel.
 */
static int is_only_memory(const struct event *ev)
{
	return !evi_threading_enabled() && !(ev->ev_events & EV_SIGNAL) &&
	       !(evi_flags(ev) &
		 (EVLIST_INSERTED | EVLIST_TIMEOUT | EVLIST_ACTIVE | EVLIST_ACTIVE_LATER));
}

void event_free(struct event *ev)
{
	struct event_base *base;

	if (ev == NULL)
		return;
	base = is_only_memory(ev) ? NULL : ev->ev_base;
	if (base != NULL && (evi_flags(ev) & EVLIST_FINALIZING)) {
		evi_base_lock(base);
		if (evi_flags(ev) & EVLIST_ACTIVE)
			evi_active_remove(base, &ev->ev_evcallback);
		evi_base_unlock(base);
	} else if (base != NULL && event_initialized(ev)) {
		evi_base_lock(base);
		(void)evi_event_del(ev);
		if (!(ev->ev_events & EV_FINALIZE))
			evi_wait_for_callback(base, ev);
		evi_base_unlock(base);
	}
	EVI_CHECK(evi_debug_note_gone(ev));
	evi_free(ev);
}

void event_debug_unassign(struct event *ev)
{
	EVI_CHECK(evi_debug_check_idle(ev, "event_debug_unassign"));
	EVI_CHECK(evi_debug_note_gone(ev));
	evi_flags_clear(ev, EVLIST_INIT);
}

int event_base_set(struct event_base *base, struct event *ev)
{
	struct event_base *old = ev->ev_base;
	int result = -1;

	EVI_CHECK(evi_debug_check_assigned(ev, "event_base_set"));
	if (old != NULL)
		evi_base_lock(old);
	if (base != NULL && event_initialized(ev) &&
	    !(evi_flags(ev) & (EVLIST_INSERTED | EVLIST_TIMEOUT | EVLIST_ACTIVE |
			       EVLIST_ACTIVE_LATER | EVLIST_FINALIZING))) {
		ev->ev_base = base;
		ev->ev_evcallback.evcb_pri = (ev_uint8_t)(base->priorities / 2);
		result = 0;
	}
	if (old != NULL)
		evi_base_unlock(old);
	return result;
}

int event_priority_set(struct event *ev, int priority)
{
	struct event_base *base = ev->ev_base;
	int result = -1;

	EVI_CHECK(evi_debug_check_assigned(ev, "event_priority_set"));
	if (base == NULL)
		return -1;
	evi_base_lock(base);
	if (!(evi_flags(ev) & EVLIST_ACTIVE) && priority >= 0 && priority < base->priorities) {
		ev->ev_evcallback.evcb_pri = (ev_uint8_t)priority;
		result = 0;
	}
	evi_base_unlock(base);
	return result;
}

/* The bits for which `ev` is pending or active. */
static unsigned pending_bits(const struct event *ev)
{
	unsigned flags = evi_flags(ev), bits = 0;

	if (flags & EVLIST_FINALIZING)
		return 0;
	if (flags & EVLIST_INSERTED)
		bits |= (unsigned)ev->ev_events & (EVI_IO_EVENTS | EV_SIGNAL);
	if (flags & EVLIST_TIMEOUT)
		bits |= EV_TIMEOUT;
	if (flags & (EVLIST_ACTIVE | EVLIST_ACTIVE_LATER))
		bits |= (unsigned short)ev->ev_res;
	return bits;
}

int event_pending(const struct event *ev, short events, struct timeval *tv)
{
	unsigned bits;

	EVI_CHECK(evi_debug_check_assigned(ev, "event_pending"));
	if (ev->ev_base == NULL) {
		event_warnx("event_pending: the event has no base");
		return 0;
	}
	evi_base_lock(ev->ev_base);
	bits = pending_bits(ev) & (unsigned)events & (EVI_IO_EVENTS | EV_SIGNAL | EV_TIMEOUT);
	if (tv != NULL && (bits & EV_TIMEOUT))
		evi_time_wall_of(ev->ev_base, evi_deadline(ev), tv);
	evi_base_unlock(ev->ev_base);
	return (int)bits;
}

int event_initialized(const struct event *ev)
{
	return (evi_flags(ev) & EVLIST_INIT) != 0;
}

void event_get_assignment(const struct event *event, struct event_base **base_out,
			  evutil_socket_t *fd_out, short *events_out,
			  event_callback_fn *callback_out, void **arg_out)
{
	EVI_CHECK(evi_debug_check_assigned(event, "event_get_assignment"));
	if (base_out != NULL)
		*base_out = event->ev_base;
	if (fd_out != NULL)
		*fd_out = event->ev_fd;
	if (events_out != NULL)
		*events_out = event->ev_events;
	if (callback_out != NULL)
		*callback_out = event->ev_evcallback.evcb_cb_union.evcb_callback;
	if (arg_out != NULL)
		*arg_out = event->ev_evcallback.evcb_arg;
}

evutil_socket_t event_get_fd(const struct event *ev)
{
	EVI_CHECK(evi_debug_check_assigned(ev, "event_get_fd"));
	return ev->ev_fd;
}

struct event_base *event_get_base(const struct event *ev)
{
	EVI_CHECK(evi_debug_check_assigned(ev, "event_get_base"));
	return ev->ev_base;
}

short event_get_events(const struct event *ev)
{
	EVI_CHECK(evi_debug_check_assigned(ev, "event_get_events"));
	return ev->ev_events;
}

event_callback_fn event_get_callback(const struct event *ev)
{
	EVI_CHECK(evi_debug_check_assigned(ev, "event_get_callback"));
	return ev->ev_evcallback.evcb_cb_union.evcb_callback;
}

void *event_get_callback_arg(const struct event *ev)
{
	EVI_CHECK(evi_debug_check_assigned(ev, "event_get_callback_arg"));
	return ev->ev_evcallback.evcb_arg;
}

int event_get_priority(const struct event *ev)
{
	EVI_CHECK(evi_debug_check_assigned(ev, "event_get_priority"));
	return ev->ev_evcallback.evcb_pri;
}

size_t event_get_struct_event_size(void)
{
	return sizeof(struct event);
}
