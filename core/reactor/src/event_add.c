/* SPDX-License-Identifier: BSD-3-Clause */
/* Adding events and deleting them: what becomes of their descriptor, signal and timeout. */

#include "base.h"

static int is_watched_kind(const struct event *ev)
{
	return (ev->ev_events & (EVI_IO_EVENTS | EV_SIGNAL)) != 0;
}

/* The library's own events are not counted. */
static void count_up(struct event *ev)
{
	if (!(evi_flags(ev) & EVLIST_INTERNAL))
		evi_count_up(&ev->ev_base->count_added);
}

static void count_down(struct event *ev)
{
	if (!(evi_flags(ev) & EVLIST_INTERNAL))
		evi_count_down(&ev->ev_base->count_added);
}

static int insert(struct event *ev)
{
	int err = ev->ev_events & EV_SIGNAL ? evi_signal_add(ev->ev_base, ev) :
					      evi_interest_add(ev->ev_base, ev);

	if (err < 0)
		return err;
	evi_flags_set(ev, EVLIST_INSERTED);
	evi_flags_clear(ev, EVI_TAKEN);
	count_up(ev);
	return 0;
}

static void take_out(struct event *ev, int by_running)
{
	if (ev->ev_events & EV_SIGNAL)
		evi_signal_remove(ev->ev_base, ev);
	else
		evi_interest_remove(ev->ev_base, ev, by_running);
	evi_flags_clear(ev, EVLIST_INSERTED);
	count_down(ev);
}

void evi_event_clear_timeout(struct event *ev)
{
	struct event_base *base = ev->ev_base;

	if (!(evi_flags(ev) & EVLIST_TIMEOUT))
		return;
	if (evi_flags(ev) & EVI_COMMON)
		evi_common_remove(base, ev);
	else
		evi_timers_remove(&base->timers, ev);
	evi_flags_clear(ev, EVLIST_TIMEOUT | EVI_COMMON);
	count_down(ev);
}

static void start_common(struct event *ev, struct evi_common *queue, uint64_t deadline)
{
	evi_event_clear_timeout(ev);
	evi_deadline_set(ev, deadline);
	evi_common_insert(ev->ev_base, queue, ev);
	evi_flags_set(ev, EVLIST_TIMEOUT | EVI_COMMON);
	count_up(ev);
}

static void start_timer(struct event *ev, uint64_t deadline)
{
	struct event_base *base = ev->ev_base;

	if ((evi_flags(ev) & (EVLIST_TIMEOUT | EVI_COMMON)) == EVLIST_TIMEOUT) {
		evi_timers_move(&base->timers, ev, deadline);
	} else {
		evi_event_clear_timeout(ev);
		evi_timers_add(&base->timers, ev, deadline);
		evi_flags_set(ev, EVLIST_TIMEOUT);
		count_up(ev);
	}
	/* The loop, in another thread, waits for something later. */
	if (EVI_UNLIKELY(base->is_sleeping) && deadline < base->sleeps_until)
		evi_wake_if_foreign(base);
}

void evi_event_set_deadline(struct event *ev, uint64_t deadline, int is_common)
{
	struct evi_common *queue =
		is_common ? evi_common_of_interval(ev->ev_base, evi_interval(ev)) : NULL;

	if (queue != NULL)
		start_common(ev, queue, deadline);
	else
		start_timer(ev, deadline);
}

void evi_event_set_timeout(struct event *ev, uint64_t after_ns, int is_common)
{
	evi_event_set_deadline(ev, evi_time_deadline(ev->ev_base, after_ns), is_common);
}

/* An activation by the old timeout is void once there is a new one. */
static void cancel_expiry(struct event *ev)
{
	struct event_base *base = ev->ev_base;

	if (!(evi_flags(ev) & EVLIST_ACTIVE) || !(ev->ev_res & EV_TIMEOUT))
		return;
	if (base->running == ev && base->running_calls != NULL)
		*base->running_calls = 0;
	evi_active_remove(base, &ev->ev_evcallback);
}

static evi_noinline void set_common_timeout(struct event *ev, struct evi_common *queue)
{
	/* The queue is found by the interval, also for an event that does not repeat. */
	evi_interval_set(ev, queue->interval);
	evi_flags_set(ev, EVI_COMMON_INTERVAL);
	start_common(ev, queue, evi_time_deadline(ev->ev_base, queue->interval));
}

static void set_timeout(struct event *ev, const struct timeval *tv)
{
	struct evi_common *queue = evi_common_find(ev->ev_base, tv);
	uint64_t after_ns;

	cancel_expiry(ev);
	if (queue != NULL) {
		set_common_timeout(ev, queue);
		return;
	}
	after_ns = evi_time_ns_of(tv);
	if (ev->ev_events & EV_PERSIST)
		evi_interval_set(ev, after_ns);
	evi_flags_clear(ev, EVI_COMMON_INTERVAL);
	start_timer(ev, evi_time_deadline(ev->ev_base, after_ns));
}

int evi_event_add(struct event *ev, const struct timeval *tv)
{
	if (evi_flags(ev) & EVLIST_FINALIZING)
		return -1;
	if (is_watched_kind(ev) && !(evi_flags(ev) & EVLIST_INSERTED)) {
		int err = insert(ev);

		if (err < 0) {
			EVUTIL_SET_SOCKET_ERROR(-err);
			return -1;
		}
	}
	if (tv != NULL)
		set_timeout(ev, tv);
	return 0;
}

int event_add(struct event *ev, const struct timeval *timeout)
{
	struct event_base *base = ev->ev_base;
	int result;

	EVI_CHECK(evi_debug_check_assigned(ev, "event_add"));
	if (EVI_UNLIKELY(base == NULL)) {
		event_warnx("event_add: the event has no base");
		return -1;
	}
	evi_base_lock(base);
	result = evi_event_add(ev, timeout);
	evi_base_unlock(base);
	if (EVI_UNLIKELY(result < 0))
		event_warn("event_add: descriptor or signal %d", (int)ev->ev_fd);
	return result;
}

void evi_event_take(struct event *ev)
{
	evi_event_clear_timeout(ev);
	if (evi_flags(ev) & EVLIST_INSERTED) {
		take_out(ev, 1);
		evi_flags_set(ev, EVI_TAKEN);
	}
}

int evi_event_del(struct event *ev)
{
	struct event_base *base = ev->ev_base;

	if (evi_flags(ev) & EVLIST_FINALIZING)
		return 0;
	if (base->running == ev && base->running_calls != NULL)
		*base->running_calls = 0;
	evi_event_clear_timeout(ev);
	if (evi_flags(ev) & EVLIST_INSERTED)
		take_out(ev, 0);
	if (evi_flags(ev) & (EVLIST_ACTIVE | EVLIST_ACTIVE_LATER))
		evi_active_remove(base, &ev->ev_evcallback);
	evi_interval_set(ev, 0);
	evi_flags_clear(ev, EVI_TAKEN);
	/* A loop that has nothing left to wait for returns. */
	if (base->count_added.now == 0)
		evi_wake_if_foreign(base);
	return 0;
}

enum blocking { BLOCK_UNLESS_FINALIZE, BLOCK_ALWAYS, BLOCK_NEVER };

static int delete(struct event *ev, enum blocking blocking, const char *name)
{
	struct event_base *base = ev->ev_base;
	int result;

	EVI_CHECK(evi_debug_check_assigned(ev, name));
	if (EVI_UNLIKELY(base == NULL)) {
		event_warnx("%s: the event has no base", name);
		return -1;
	}
	evi_base_lock(base);
	result = evi_event_del(ev);
	if (EVI_UNLIKELY(base->running == ev) && blocking != BLOCK_NEVER &&
	    (blocking == BLOCK_ALWAYS || !(ev->ev_events & EV_FINALIZE)))
		evi_wait_for_callback(base, ev);
	evi_base_unlock(base);
	return result;
}

int event_del(struct event *ev)
{
	return delete(ev, BLOCK_UNLESS_FINALIZE, "event_del");
}

int event_del_block(struct event *ev)
{
	return delete(ev, BLOCK_ALWAYS, "event_del_block");
}

int event_del_noblock(struct event *ev)
{
	return delete(ev, BLOCK_NEVER, "event_del_noblock");
}

int event_remove_timer(struct event *ev)
{
	struct event_base *base = ev->ev_base;

	EVI_CHECK(evi_debug_check_assigned(ev, "event_remove_timer"));
	if (base == NULL) {
		event_warnx("event_remove_timer: the event has no base");
		return -1;
	}
	evi_base_lock(base);
	evi_event_clear_timeout(ev);
	evi_interval_set(ev, 0);
	evi_flags_clear(ev, EVI_COMMON_INTERVAL);
	if (base->count_added.now == 0)
		evi_wake_if_foreign(base);
	evi_base_unlock(base);
	return 0;
}

/* The base is going: it forgets the event, whose memory is its owner's. */
void evi_event_orphan(struct event *ev)
{
	evi_flags_clear(ev, EVLIST_FINALIZING);
	(void)evi_event_del(ev);
	ev->ev_base = NULL;
}
