/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop: wait, collect what is due, run it, again; and the ways to stop. */

#include "base.h"

#include <errno.h>

static int has_work(const struct event_base *base)
{
	return base->count_active.now > 0 || base->round_end != NULL;
}

static int is_empty(const struct event_base *base)
{
	return base->count_added.now <= base->passive && base->count_virtual.now == 0 &&
	       !has_work(base);
}

/* How long the backend may wait: 0 if there is work, -1 without limit, else nanoseconds. */
static int64_t wait_ns(struct event_base *base, int flags)
{
	uint64_t now, deadline;

	base->sleeps_until = 0;
	if ((flags & EVLOOP_NONBLOCK) || has_work(base) || base->break_asked)
		return 0;
	base->sleeps_until = UINT64_MAX;
	if (!evi_timers_next(&base->timers, &deadline))
		return -1;
	base->sleeps_until = deadline;
	now = evi_time_now(base);
	return deadline > now ? (int64_t)(deadline - now) : 0;
}

static void activate_expired(struct event *ev, void *ctx)
{
	(void)ctx;
	evi_flags_clear(ev, EVLIST_TIMEOUT | EVI_COMMON);
	evi_count_down(&ev->ev_base->count_added);
	evi_event_activate(ev, EV_TIMEOUT, 1);
}

struct expiry {
	struct event_base *base;
	uint64_t now;
};

static void expire_one(struct event *ev, void *ctx)
{
	struct expiry *expiry = ctx;

	if (evi_flags(ev) & EVLIST_INTERNAL)
		evi_common_expire(expiry->base, ev, expiry->now, activate_expired, NULL);
	else
		activate_expired(ev, NULL);
}

/*
 * No more are activated than the pass will run, while the processor still has them in its caches;
 * but which of several priorities comes first, only all can tell.
 */
static evi_noinline void expire_timers(struct event_base *base)
{
	int most = base->priorities == 1 ? EVI_PASS_MAX : INT_MAX;
	struct expiry expiry = { base, evi_time_now(base) };

	base->round_now = expiry.now;
	base->has_due =
		evi_timers_expire(&base->timers, expiry.now, most, expire_one, &expiry);
}

static void leave_lock(const struct evi_gate *gate);
static void enter_lock(const struct evi_gate *gate);

struct base_gate {
	struct evi_gate gate;
	struct event_base *base;
};

/* Without a lock no other thread asks whether the loop sleeps. */
static void leave_lock(const struct evi_gate *gate)
{
	struct event_base *base = evi_container_of(gate, struct base_gate, gate)->base;

	if (base->lock == NULL)
		return;
	atomic_store(&base->is_sleeping, 1);
	if (EVI_UNLIKELY(atomic_load(&base->posted) != 0))
		(void)evi_wake(base);
	evi_base_unlock(base);
}

static void enter_lock(const struct evi_gate *gate)
{
	struct event_base *base = evi_container_of(gate, struct base_gate, gate)->base;

	if (base->lock == NULL)
		return;
	evi_base_lock(base);
	atomic_store_explicit(&base->is_sleeping, 0, memory_order_relaxed);
}

/* One poll, with the watchers around it; 0 or -errno. */
static int poll_once(struct event_base *base, int flags)
{
	struct base_gate gate = { { leave_lock, enter_lock }, base };
	int64_t timeout = 0;
	int active, err;

	if (base->watchers[EVI_WATCH_PREPARE] != NULL) {
		evi_watch_run(base, EVI_WATCH_PREPARE, wait_ns(base, flags));
		if (base->break_asked)
			return 0;
	}
	evi_posts_collect_any(base);
	timeout = wait_ns(base, flags);
	evi_interest_apply(base);
	if (timeout != 0 && has_work(base)) /* a registration failed, and that is news */
		timeout = 0;
	if (timeout != 0 && is_empty(base) && !(flags & EVLOOP_NO_EXIT_ON_EMPTY))
		return 0; /* the prepare watchers took the last event away */
	active = base->count_active.now;
	err = base->backend->wait(base->backend_state, timeout, &gate.gate, evi_active_report,
				  base);
	if (base->count_active.now > active)
		evi_active_note_most(base);
	/*
	 * Another thread took a descriptor back and closed it while this one was about to wait for
	 * it.
	 */
	if (err == -EBADF && base->interest.changed_used > 0)
		err = 0;
	if (err < 0) {
		evi_log_socket_error(-err, "%s", base->backend->name);
		return err;
	}
	evi_time_begin_round(base);
	if (base->watchers[EVI_WATCH_CHECK] != NULL)
		evi_watch_run(base, EVI_WATCH_CHECK, 0);
	base->has_due = 0;
	/* The time of the round is read there; without timers nobody may need it. */
	if (base->timers.live != 0)
		expire_timers(base);
	return 0;
}

/* Runs what is active. Nonzero if the loop has done what `flags` ask for. */
static int run_round(struct event_base *base, int flags)
{
	int count;

	if (base->count_active.now == 0)
		return (flags & EVLOOP_NONBLOCK) != 0;
	count = evi_dispatch(base);
	return (flags & EVLOOP_ONCE) && base->count_active.now == 0 && !base->has_due &&
	       count != 0;
}

/*
 * EVLOOP_ONCE ends when something has been done, and tasks at the end of a round may call the user
 * too: what they did counts, so the loop then only looks what else is due. So it does if timers had
 * to wait for this round.
 */
static int flags_of_round(int flags, int has_done)
{
	return (flags & EVLOOP_ONCE) && has_done ? flags | EVLOOP_NONBLOCK : flags;
}

static int loop(struct event_base *base, int flags)
{
	int is_done = 0;

	for (;;) {
		int tasks_ran = base->round_end != NULL;
		int round_flags = flags_of_round(flags, tasks_ran || base->has_due);

		if (tasks_ran)
			evi_round_end_run(base);
		evi_time_end_round(base);
		if (is_done || base->exit_asked || base->break_asked)
			return 0;
		base->is_pass_over = 0;
		if (!(flags & EVLOOP_NO_EXIT_ON_EMPTY) && is_empty(base))
			return round_flags == flags;
		evi_active_next_iteration(base);
		if (poll_once(base, round_flags) < 0)
			return -1;
		is_done = run_round(base, round_flags);
	}
}

static int may_enter(struct event_base *base)
{
	if (base->is_running) {
		event_warnx(
			"event_base_loop: this base runs already; only one loop can run at a time");
		return 0;
	}
	if (evi_base_is_copy(base)) {
		event_warnx("event_base_loop: call event_reinit() after a fork");
		return 0;
	}
	return 1;
}

int event_base_loop(struct event_base *base, int flags)
{
	int result;

	if (base == NULL)
		return -1;
	evi_base_lock(base);
	if (!may_enter(base)) {
		evi_base_unlock(base);
		return -1;
	}
	base->is_running = 1;
	base->exit_asked = base->break_asked = base->has_due = 0;
	base->loop_thread = evi_thread_id();
	evi_signal_collect(base);
	result = loop(base, flags);
	evi_time_end_round(base);
	base->is_running = 0;
	evi_base_unlock(base);
	return result;
}

int event_base_dispatch(struct event_base *base)
{
	return event_base_loop(base, 0);
}

static void on_exit_time(evutil_socket_t fd, short what, void *arg)
{
	struct event_base *base = arg;

	(void)fd;
	(void)what;
	evi_base_lock(base);
	base->exit_asked = 1;
	evi_base_unlock(base);
}

int event_base_loopexit(struct event_base *base, const struct timeval *tv)
{
	if (base == NULL)
		return -1;
	return event_base_once(base, -1, EV_TIMEOUT, on_exit_time, base, tv);
}

static int ask(struct event_base *base, int *what)
{
	int result = 0;

	if (base == NULL)
		return -1;
	evi_base_lock(base);
	*what = 1;
	base->is_pass_over = 1;
	if (base->is_running && !evi_base_in_loop_thread(base))
		result = evi_wake(base);
	/* Without a lock there is no telling whose thread this is. */
	if ((base->flags & EVENT_BASE_FLAG_NOLOCK) && base->is_running && evi_threading_enabled() &&
	    base->loop_thread != evi_thread_id())
		result = -1;
	evi_base_unlock(base);
	return result;
}

int event_base_loopbreak(struct event_base *base)
{
	return ask(base, base != NULL ? &base->break_asked : NULL);
}

int event_base_loopcontinue(struct event_base *base)
{
	return ask(base, base != NULL ? &base->is_pass_over : NULL);
}

static int flag_of(struct event_base *base, const int *flag)
{
	int result;

	evi_base_lock(base);
	result = *flag;
	evi_base_unlock(base);
	return result;
}

int event_base_got_break(struct event_base *base)
{
	return base != NULL ? flag_of(base, &base->break_asked) : 0;
}

int event_base_got_exit(struct event_base *base)
{
	return base != NULL ? flag_of(base, &base->exit_asked) : 0;
}

void evi_base_hold(struct event_base *base)
{
	evi_base_lock(base);
	evi_count_up(&base->count_virtual);
	evi_base_unlock(base);
}

void evi_base_release(struct event_base *base)
{
	evi_base_lock(base);
	evi_count_down(&base->count_virtual);
	if (base->count_virtual.now == 0)
		evi_wake_if_foreign(base);
	evi_base_unlock(base);
}

void evi_base_passive(struct event_base *base, int change)
{
	evi_base_lock(base);
	base->passive += change;
	evi_base_unlock(base);
}
