/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finalizers: a last callback that comes when the event's own is certainly not running. They are
 * queued like any active event, and the loop runs one callback at a time, so waiting is not needed.
 */

#include "base.h"

static int finalize(struct event *ev, event_finalize_callback_fn fn, unsigned flags)
{
	struct event_base *base = ev->ev_base;

	EVI_CHECK(evi_debug_check_assigned(ev, "event_finalize"));
	if (base == NULL) {
		event_warnx("event_finalize: the event has no base");
		return -1;
	}
	evi_base_lock(base);
	if (!(evi_flags(ev) & EVLIST_FINALIZING))
		(void)evi_event_del(ev);
	evi_flags_clear(ev, EVI_FINALIZE_FREE);
	evi_flags_set(ev, EVLIST_FINALIZING | flags);
	ev->ev_evcallback.evcb_closure = EVI_CLOSURE_FINALIZE;
	ev->ev_evcallback.evcb_cb_union.evcb_evfinalize = fn;
	if (!(evi_flags(ev) & EVLIST_ACTIVE))
		evi_active_insert(base, &ev->ev_evcallback);
	evi_base_unlock(base);
	return 0;
}

int event_finalize(unsigned flags, struct event *ev, event_finalize_callback_fn fn)
{
	(void)flags; /* none is defined */
	return finalize(ev, fn, 0);
}

int event_free_finalize(unsigned flags, struct event *ev, event_finalize_callback_fn fn)
{
	(void)flags;
	return finalize(ev, fn, EVI_FINALIZE_FREE);
}

/* A finalizer may free or re-use the event, unless the event is to be freed here. */
void evi_finalizer_run(struct event_base *base, struct event *ev)
{
	event_finalize_callback_fn fn = ev->ev_evcallback.evcb_cb_union.evcb_evfinalize;
	void *arg = ev->ev_evcallback.evcb_arg;
	int is_freed = (evi_flags(ev) & EVI_FINALIZE_FREE) != 0;

	evi_base_unlock(base);
	if (fn != NULL)
		fn(ev, arg);
	if (is_freed) {
		EVI_CHECK(evi_debug_note_gone(ev));
		evi_free(ev);
	}
	evi_base_lock(base);
}
