/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Running callbacks. The lock is held between them and never during one; what runs is noted in the
 * base, so that event_del() in another thread can wait for it.
 */

#include "base.h"

/* After the lock was taken again: whoever waits for the callback may go on. */
static void callback_is_done(struct event_base *base)
{
	base->running = NULL;
	if (EVI_UNLIKELY(base->lock != NULL) && base->waiters > 0) {
		base->running_serial++;
		base->waiters = 0;
		(void)evi_cond_broadcast(base->callback_done);
	}
}

void evi_wait_for_callback(struct event_base *base, struct event *ev)
{
	uintptr_t serial = base->running_serial;

	if (base->running != ev || base->callback_done == NULL || evi_base_in_loop_thread(base))
		return;
	while (base->running == ev && base->running_serial == serial) {
		base->waiters++;
		(void)evi_cond_wait(base->callback_done, base->lock, NULL);
		evi_posts_collect_any(base);
	}
}

static void call(struct event_base *base, struct event *ev)
{
	event_callback_fn fn = ev->ev_evcallback.evcb_cb_union.evcb_callback;
	void *arg = ev->ev_evcallback.evcb_arg;
	evutil_socket_t fd = ev->ev_fd;
	short what = ev->ev_res;

	evi_base_unlock(base);
	if (fn != NULL)
		fn(fd, what, arg);
	evi_base_lock(base);
}

/* The callback may free its event: nothing of it is touched afterwards. */
static void run_event(struct event_base *base, struct event *ev)
{
	base->running = ev;
	call(base, ev);
	callback_is_done(base);
}

/* A signal that was caught several times; deleting the event in its callback sets `calls` to 0. */
static void run_signal(struct event_base *base, struct event *ev)
{
	event_callback_fn fn = ev->ev_evcallback.evcb_cb_union.evcb_callback;
	void *arg = ev->ev_evcallback.evcb_arg;
	evutil_socket_t fd = ev->ev_fd;
	short what = ev->ev_res;
	int calls = what & EV_SIGNAL ? ev->ev_.ev_signal.ev_ncalls : 1;

	base->running = ev;
	base->running_calls = &calls;
	while (calls > 0) {
		calls--;
		evi_base_unlock(base);
		if (fn != NULL)
			fn(fd, what, arg);
		evi_base_lock(base);
		if (base->break_asked)
			break;
	}
	base->running_calls = NULL;
	callback_is_done(base);
}

/* Restarts the timeout of a persistent event, before its callback, which may decide otherwise. */
static evi_noinline void restart_timeout(struct event_base *base, struct event *ev)
{
	uint64_t interval = evi_interval(ev);
	int is_common = (evi_flags(ev) & EVI_COMMON_INTERVAL) != 0;

	if ((ev->ev_res & EV_TIMEOUT) && !(evi_flags(ev) & EVLIST_TIMEOUT)) {
		uint64_t next = evi_deadline(ev) + interval;

		if (next > evi_time_now(base)) {
			evi_event_set_deadline(ev, next, is_common);
			return;
		}
	}
	evi_event_set_timeout(ev, interval, is_common);
}

static void run_deferred(struct event_base *base, struct event_callback *cb)
{
	evi_deferred_fn fn = (evi_deferred_fn)(void (*)(void))cb->evcb_cb_union.evcb_selfcb;
	struct evi_deferred *deferred = evi_container_of(cb, struct evi_deferred, callback);
	void *arg = cb->evcb_arg;

	evi_base_unlock(base);
	fn(deferred, arg);
	evi_base_lock(base);
}

static evi_noinline void run_other(struct event_base *base, struct event_callback *cb)
{
	struct event *ev = evi_event_of(cb);

	switch ((enum evi_closure)cb->evcb_closure) {
	case EVI_CLOSURE_EVENT:
	case EVI_CLOSURE_PERSIST:
		return; /* see run() */
	case EVI_CLOSURE_SIGNAL:
		if (!(ev->ev_events & EV_PERSIST))
			evi_event_take(ev);
		else if (evi_interval(ev) != 0)
			restart_timeout(base, ev);
		run_signal(base, ev);
		return;
	case EVI_CLOSURE_DEFERRED:
		run_deferred(base, cb);
		return;
	case EVI_CLOSURE_FINALIZE:
		evi_finalizer_run(base, ev);
		return;
	}
}

/* Runs a callback that was just taken off its queue. */
static void run(struct event_base *base, struct event_callback *cb)
{
	struct event *ev = evi_event_of(cb);

	if (cb->evcb_closure == EVI_CLOSURE_PERSIST) {
		if (EVI_UNLIKELY(evi_io_interval(ev) != 0))
			restart_timeout(base, ev);
		run_event(base, ev);
	} else if (cb->evcb_closure == EVI_CLOSURE_EVENT) {
		evi_event_take(ev);
		run_event(base, ev);
	} else {
		run_other(base, cb);
	}
}

struct limits {
	int callbacks;
	uint64_t until; /* 0: no limit */
	int ask_from;   /* so many callbacks cannot be too many */
};

static struct limits limits_of(struct event_base *base, int priority)
{
	struct limits limits = { .callbacks = EVI_PASS_MAX, .ask_from = EVI_PASS_MAX };

	if (priority < base->min_priority)
		return limits;
	if (base->max_callbacks < EVI_PASS_MAX)
		limits.callbacks = limits.ask_from = base->max_callbacks;
	if (base->max_interval_ns >= 0) {
		limits.until = evi_base_now_ns(base) + (uint64_t)base->max_interval_ns;
		limits.ask_from = 0;
	}
	return limits;
}

static int is_over(struct event_base *base, const struct limits *limits, int count)
{
	if (count >= limits->callbacks)
		return 1;
	if (limits->until == 0)
		return 0;
	(void)event_base_update_cache_time(base);
	return evi_base_now_ns(base) >= limits->until;
}

int evi_dispatch(struct event_base *base)
{
	int priority = evi_active_first(base);
	struct evi_queue *queue;
	struct limits limits;
	int count = 0;

	if (priority < 0)
		return 0;
	queue = &base->active[priority];
	limits = limits_of(base, priority);
	base->running_priority = priority;
	do {
		run(base, evi_active_pop(base, queue, priority));
		count++;
		if (base->round_end_added >= EVI_ROUND_END_MAX)
			evi_round_end_run(base);
		if (base->is_pass_over ||
		    (count >= limits.ask_from && is_over(base, &limits, count)))
			break;
	} while (queue->first != NULL);
	base->running_priority = -1;
	return count;
}
