/* SPDX-License-Identifier: BSD-3-Clause */
/* One iteration of the loop, its flags, and what keeps it alive. */

#include "reactor_test.h"

#include <event2/component/reactor.h>
#include <event2/watch.h>

#include <signal.h>
#include <sys/time.h>

TestSuite(loop, .init = start, .fini = finish, .timeout = 60);

static void on_prepare(struct evwatch *w, const struct evwatch_prepare_cb_info *info, void *arg)
{
	(void)w;
	(void)info;
	(void)arg;
	trace_letter('p');
}

static void on_check(struct evwatch *w, const struct evwatch_check_cb_info *info, void *arg)
{
	(void)w;
	(void)info;
	(void)arg;
	trace_letter('c');
}

/* CORE-179, CORE-181: what was active before comes first, then I/O, then timers. */
Test(loop, an_iteration_goes_through_its_steps_in_order)
{
	evutil_socket_t pair[2];
	struct event *active, *io, *timer;
	double until;

	support_socketpair(pair);
	cr_assert_not_null(evwatch_prepare_new(base, on_prepare, NULL));
	cr_assert_not_null(evwatch_check_new(base, on_check, NULL));
	active = event_new(base, -1, 0, trace, (void *)"a");
	io = event_new(base, pair[0], EV_READ, trace, (void *)"i");
	timer = event_new(base, -1, 0, trace, (void *)"t");
	cr_assert_eq(event_add(timer, MS(1)), 0);
	cr_assert_eq(event_add(io, NULL), 0);
	event_active(active, EV_READ, 1);
	send_byte(pair[1]);
	until = support_now_ms() + 8;
	while (support_now_ms() < until)
		;
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_str_eq(traced, "pcait");
	event_free(active);
	event_free(io);
	event_free(timer);
	close_pair(pair);
}

/* CORE-180 */
Test(loop, the_poll_waits_for_the_earliest_timer_only)
{
	struct event *late = event_new(base, -1, 0, never, NULL);
	struct event *early = event_new(base, -1, 0, trace, (void *)"e");
	double begin = support_now_ms(), took;

	cr_assert_eq(event_add(late, MS(60000)), 0);
	cr_assert_eq(event_add(early, MS(15)), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	took = support_now_ms() - begin;
	cr_expect(took >= 14 && took < 30000, "%f ms", took);
	cr_expect_str_eq(traced, "e");
	event_free(late);
	event_free(early);
}

/* CORE-183, CORE-360 */
Test(loop, equal_timers_expire_in_the_order_they_were_added)
{
	enum { N = 26 };
	struct event *ev[N];
	char letters[N + 1] = "abcdefghijklmnopqrstuvwxyz";

	for (int i = 0; i < N; i++) {
		ev[i] = event_new(base, -1, 0, trace, &letters[i]);
		cr_assert_eq(event_add(ev[i], MS(0)), 0);
	}
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, letters);
	for (int i = 0; i < N; i++)
		event_free(ev[i]);
}

/* CORE-182: whatever the order, each is called. */
Test(loop, events_of_one_poll_are_all_called)
{
	evutil_socket_t pair[2];
	struct event *ev[3];

	support_socketpair(pair);
	send_byte(pair[1]);
	for (int i = 0; i < 3; i++) {
		ev[i] = event_new(base, pair[0], EV_READ, trace, (void *)"r");
		cr_assert_eq(event_add(ev[i], NULL), 0);
	}
	run_round();
	cr_expect_str_eq(traced, "rrr");
	for (int i = 0; i < 3; i++)
		event_free(ev[i]);
	close_pair(pair);
}

static double fired_at;

static void note_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fired_at = support_now_ms();
}

/* CORE-184, CORE-224 */
Test(loop, a_timer_never_runs_before_its_time)
{
	for (int ms = 0; ms < 12; ms++) {
		struct event *ev = event_new(base, -1, 0, note_time, NULL);
		double added;

		added = support_now_ms();
		cr_assert_eq(event_add(ev, MS(ms)), 0);
		cr_assert_eq(event_base_dispatch(base), 1);
		cr_expect_geq(fired_at - added, (double)ms);
		event_free(ev);
	}
}

/* CORE-185, CORE-187 */
Test(loop, returns_1_when_nothing_is_left)
{
	struct event *ev = event_new(base, -1, 0, trace, (void *)"x");

	cr_expect_eq(event_base_loop(base, 0), 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(event_base_loop(NULL, 0), -1);
	cr_assert_eq(event_add(ev, MS(1)), 0);
	cr_expect_eq(event_base_loop(base, 0), 1);
	cr_expect_str_eq(traced, "x");
	event_free(ev);
}

static int nested_result;

static void enter_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	trace_letter('n');
	nested_result = event_base_loop(base, EVLOOP_NONBLOCK);
}

/* CORE-185, CORE-186; C34 */
Test(loop, entering_it_again_from_a_callback_is_refused_and_harmless)
{
	struct event *nested = event_new(base, -1, 0, enter_again, NULL);
	struct event *after = event_new(base, -1, 0, trace, (void *)"a");

	support_capture_log();
	event_active(nested, EV_READ, 1);
	event_active(after, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(nested_result, -1);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
	cr_expect_str_eq(traced, "na");
	event_free(nested);
	event_free(after);
}

/* CORE-188 */
Test(loop, once_runs_the_active_events_of_every_priority)
{
	struct event *ev[3];

	cr_assert_eq(event_base_priority_init(base, 3), 0);
	for (int i = 0; i < 3; i++) {
		ev[i] = event_new(base, -1, 0, trace, (void *)&"abc"[i]);
		event_priority_set(ev[i], i);
		event_active(ev[i], EV_READ, 1);
	}
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_str_eq(traced, "abc");
	for (int i = 0; i < 3; i++)
		event_free(ev[i]);
}

/* CORE-188: picking up a signal nobody has an event for is not what ONCE waits for. */
Test(loop, once_waits_on_after_internal_activity)
{
	struct event *sig = event_new(base, SIGUSR1, EV_SIGNAL | EV_PERSIST, trace, (void *)"s");
	struct event *timer = event_new(base, -1, 0, trace, (void *)"t");

	cr_assert_eq(event_add(sig, NULL), 0);
	cr_assert_eq(event_add(timer, MS(10)), 0);
	raise(SIGUSR1);
	event_del(sig); /* the wake-up stays, and has nothing to call */
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_str_eq(traced, "t");
	event_free(sig);
	event_free(timer);
}

/* CORE-189 */
Test(loop, nonblock_repeats_while_it_finds_something)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *one_shot, *persistent;

	support_socketpair(pair);
	send_byte(pair[1]);
	one_shot = event_new(base, pair[0], EV_READ, note, &seen);
	cr_assert_eq(event_add(one_shot, NULL), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_NONBLOCK), 1);
	persistent = event_new(base, pair[0], EV_READ | EV_PERSIST, note_and_read, &seen);
	cr_assert_eq(event_add(persistent, NULL), 0);
	send_byte(pair[1]);
	send_byte(pair[1]);
	seen.calls = 0;
	cr_expect_eq(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	cr_expect_eq(seen.calls, 3, "one byte was left, two came");
	event_free(one_shot);
	event_free(persistent);
	close_pair(pair);
}

static int calls_left;

static void break_at_zero(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (--calls_left == 0)
		event_base_loopbreak(base);
}

/* CORE-190, CORE-372 */
Test(loop, nonblock_does_not_return_while_a_level_triggered_event_stays_ready)
{
	evutil_socket_t pair[2];
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_WRITE | EV_PERSIST, break_at_zero, NULL);
	cr_assert_eq(event_add(ev, NULL), 0);
	calls_left = 100;
	cr_expect_eq(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	cr_expect_eq(calls_left, 0);
	event_free(ev);
	close_pair(pair);
}

/* CORE-191 */
Test(loop, once_and_nonblock_make_one_round)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, note, &seen);
	cr_assert_eq(event_add(ev, NULL), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_expect_eq(seen.calls, 0);
	send_byte(pair[1]);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_expect_eq(seen.calls, 1);
	event_free(ev);
	close_pair(pair);
}

static void deferred_break(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

/* CORE-192 */
Test(loop, no_exit_on_empty_waits_for_an_exit)
{
	cr_expect_eq(event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY | EVLOOP_NONBLOCK), 0);
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, deferred_break, base, MS(5)), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY), 0);
	cr_expect_eq(event_base_got_break(base), 1);
}

/* CORE-193, CORE-295 */
Test(loop, an_empty_base_returns_at_once_without_polling)
{
	static const int flags[] = {
		0, EVLOOP_ONCE, EVLOOP_NONBLOCK, EVLOOP_ONCE | EVLOOP_NONBLOCK,
	};

	cr_assert_not_null(evwatch_prepare_new(base, on_prepare, NULL));
	cr_assert_not_null(evwatch_check_new(base, on_check, NULL));
	for (int i = 0; i < 4; i++)
		cr_expect_eq(event_base_loop(base, flags[i]), 1);
	cr_expect_str_eq(traced, "");
}

/* CORE-194, CORE-300 */
Test(loop, the_library_s_own_events_do_not_keep_it_alive)
{
	struct event *sig = event_new(base, SIGUSR1, EV_SIGNAL, never, NULL);

	cr_assert_not_null(event_base_init_common_timeout(base, MS(10)));
	cr_assert_not_null(evwatch_check_new(base, on_check, NULL));
	cr_assert_eq(event_add(sig, NULL), 0);
	event_del(sig);
	cr_expect_eq(event_base_dispatch(base), 1);
	event_free(sig);
}

/* CORE-194, CORE-241 */
Test(loop, a_virtual_event_keeps_it_alive)
{
	evi_base_hold(base);
	cr_expect_eq(count(EVENT_BASE_COUNT_VIRTUAL), 1);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	evi_base_release(base);
	cr_expect_eq(count(EVENT_BASE_COUNT_VIRTUAL), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 1);
}

static int interrupted;

static void on_alarm(int sig)
{
	(void)sig;
	interrupted++;
}

/*
 * CORE-195; C05: signals that are none of the loop's business interrupt its wait again and again.
 */
Test(loop, an_interrupted_poll_is_a_normal_empty_pass)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 5000 }, { 0, 5000 } }, off = { { 0, 0 }, { 0, 0 } };
	struct event *ev = event_new(base, -1, 0, trace, (void *)"t");
	double begin = support_now_ms();

	sigaction(SIGALRM, &action, NULL);
	cr_assert_eq(event_add(ev, MS(200)), 0);
	setitimer(ITIMER_REAL, &often, NULL);
	cr_expect_eq(event_base_dispatch(base), 1);
	setitimer(ITIMER_REAL, &off, NULL);
	cr_expect_geq(support_now_ms() - begin, 200.0);
	cr_expect_gt(interrupted, 0);
	cr_expect_str_eq(traced, "t");
	event_free(ev);
}

/* CORE-196 */
Test(loop, may_be_run_again_after_any_return)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, 0, note, &seen);

	cr_expect_eq(event_base_dispatch(base), 1);
	cr_assert_eq(event_add(ev, MS(60000)), 0);
	cr_assert_eq(event_base_loopexit(base, NULL), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_assert_eq(event_add(ev, MS(1)), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.calls, 1);
	event_free(ev);
}

/* --- deferred callbacks and tasks at the end of a round --------------------------------------- */

static int deferred_calls;

static void reschedule(struct evi_deferred *deferred, void *arg)
{
	deferred_calls++;
	evi_deferred_schedule(arg, deferred);
}

static int iterations;

static void break_at_iteration_5(struct evwatch *w, const struct evwatch_check_cb_info *info,
				 void *arg)
{
	(void)w;
	(void)info;
	(void)arg;
	if (++iterations == 5)
		event_base_loopbreak(base);
}

/* CORE-203 */
Test(loop, deferred_callbacks_that_re_trigger_themselves_leave_room_for_the_poll)
{
	struct evi_deferred a, b;

	cr_assert_not_null(evwatch_check_new(base, break_at_iteration_5, NULL));
	evi_deferred_init(&a, 0, reschedule, base);
	evi_deferred_init(&b, 0, reschedule, base);
	cr_expect_eq(evi_deferred_schedule(base, &a), 1);
	cr_expect_eq(evi_deferred_schedule(base, &a), 0);
	cr_expect_eq(evi_deferred_schedule(base, &b), 1);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_eq(iterations, 5);
	cr_expect_gt(deferred_calls, 64, "a batch per iteration");
	cr_expect_lt(deferred_calls, 256);
	evi_deferred_cancel(base, &a);
	evi_deferred_cancel(base, &b);
	cr_expect_eq(count(COUNT_ALL), 0);
}

static struct evi_round_end task_a, task_b;

static void trace_task(struct evi_round_end *task, void *arg)
{
	(void)task;
	trace_letter(*(char *)arg);
}

static void task_again(struct evi_round_end *task, void *arg)
{
	trace_letter(*(char *)arg);
	evi_round_end_cancel(base, &task_b);
	if (strlen(traced) < 200)
		evi_round_end_schedule(base, task);
}

static void schedule_both(evutil_socket_t fd, short what, void *arg)
{
	trace(fd, what, arg);
	cr_expect_eq(evi_round_end_schedule(base, &task_a), 1);
	cr_expect_eq(evi_round_end_schedule(base, &task_a), 0);
	cr_expect_eq(evi_round_end_schedule(base, &task_b), 1);
}

/*
 * The component interface: tasks run after the round's callbacks, in order, before the next wait.
 */
Test(loop, tasks_at_the_end_of_the_round_run_after_its_callbacks)
{
	struct event *first = event_new(base, -1, 0, schedule_both, (void *)"1");
	struct event *second = event_new(base, -1, 0, trace, (void *)"2");

	evi_round_end_init(&task_a, trace_task, (void *)"a");
	evi_round_end_init(&task_b, trace_task, (void *)"b");
	event_active(first, EV_READ, 1);
	event_active(second, EV_READ, 1);
	cr_assert_eq(event_base_loopexit(base, NULL), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_str_eq(traced, "12ab");
	cr_expect_eq(event_base_dispatch(base), 1);
	event_free(first);
	event_free(second);
}

#define MANY 200

static struct evi_round_end many_tasks[MANY];
static int tasks_left, most_left;

static void task_ran(struct evi_round_end *task, void *arg)
{
	(void)task;
	(void)arg;
	tasks_left--;
}

static void leave_task(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	evi_round_end_schedule(base, arg);
	tasks_left++;
	if (tasks_left > most_left)
		most_left = tasks_left;
}

/* What they are about would leave the caches, and the memory that they free is wanted before. */
Test(loop, tasks_at_the_end_of_the_round_do_not_pile_up)
{
	struct event *events[MANY];

	for (int i = 0; i < MANY; i++) {
		evi_round_end_init(&many_tasks[i], task_ran, NULL);
		events[i] = event_new(base, -1, 0, leave_task, &many_tasks[i]);
		event_active(events[i], EV_READ, 1);
	}
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(most_left, 64);
	cr_expect_eq(tasks_left, 0);
	for (int i = 0; i < MANY; i++)
		event_free(events[i]);
}

/* A task that always comes back, and takes away the one behind it, still lets the loop poll. */
Test(loop, a_task_that_re_schedules_itself_leaves_room_for_the_poll)
{
	struct event *timer = event_new(base, -1, 0, break_at_zero, NULL);

	calls_left = 1;
	evi_round_end_init(&task_a, task_again, (void *)"a");
	evi_round_end_init(&task_b, trace_task, (void *)"b");
	evi_round_end_schedule(base, &task_a);
	evi_round_end_schedule(base, &task_b);
	cr_assert_eq(event_add(timer, MS(0)), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_lt(strlen(traced), 20u);
	cr_expect_null(strchr(traced, 'b'));
	evi_round_end_cancel(base, &task_a);
	event_free(timer);
}
