/* SPDX-License-Identifier: BSD-3-Clause */
/* What a callback sees, and when persistent and one-shot events run again. */

#include "reactor_test.h"

#include <signal.h>

TestSuite(callback, .init = start, .fini = finish, .timeout = 60);

#define EVERYTHING (EV_TIMEOUT | EV_READ | EV_WRITE | EV_SIGNAL | EV_CLOSED)

static void spin_ms(double ms)
{
	double until = support_now_ms() + ms;

	while (support_now_ms() < until)
		;
}

/* When the last calls came, in milliseconds since `calls_from`. */
static double call_ms[32], calls_from;
static short call_what[32];
static int calls;

static void note_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)arg;
	if (calls < 32) {
		call_ms[calls] = support_now_ms() - calls_from;
		call_what[calls] = what;
	}
	calls++;
}

static void run_until_calls(int n)
{
	double limit = support_now_ms() + support_limit_ms(30000);

	while (calls < n && support_now_ms() < limit)
		cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_assert_geq(calls, n);
}

/* CORE-161, CORE-162 */
Test(callback, gets_the_assigned_descriptor_the_bits_and_the_argument)
{
	evutil_socket_t pair[2];
	struct seen io = { 0 }, timer = { 0 }, sig = { 0 };
	struct event *ev[3];

	support_socketpair(pair);
	ev[0] = event_new(base, pair[0], EV_WRITE | EV_READ, note, &io);
	ev[1] = event_new(base, -1, 0, note, &timer);
	ev[2] = event_new(base, SIGUSR2, EV_SIGNAL, note, &sig);
	cr_assert_eq(event_add(ev[0], NULL), 0);
	cr_assert_eq(event_add(ev[1], MS(0)), 0);
	cr_assert_eq(event_add(ev[2], NULL), 0);
	raise(SIGUSR2);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect(io.calls == 1 && io.fd == pair[0] && io.what == EV_WRITE);
	cr_expect(timer.calls == 1 && timer.fd == -1 && timer.what == EV_TIMEOUT);
	cr_expect(sig.calls == 1 && sig.fd == SIGUSR2 && sig.what == EV_SIGNAL);
	for (int i = 0; i < 3; i++)
		event_free(ev[i]);
	close_pair(pair);
}

/* CORE-163, CORE-343 */
Test(callback, io_and_expiry_in_one_pass_give_one_call_with_both_bits)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ, note, &seen);
	cr_assert_eq(event_add(ev, MS(1)), 0);
	send_byte(pair[1]);
	spin_ms(10);
	run_round();
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(seen.what, EV_READ | EV_TIMEOUT);
	event_free(ev);
	close_pair(pair);
}

/* CORE-164 */
Test(callback, expiry_of_a_one_shot_event_ends_its_watch)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ, note, &seen);
	cr_assert_eq(event_add(ev, MS(1)), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.what, EV_TIMEOUT);
	send_byte(pair[1]);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(event_pending(ev, EVERYTHING, NULL), 0);
	event_free(ev);
	close_pair(pair);
}

/* CORE-165, CORE-352 */
Test(callback, expiry_of_a_persistent_event_does_not_end_its_watch)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, note_and_read, &seen);
	cr_assert_eq(event_add(ev, MS(2)), 0);
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(seen.what, EV_TIMEOUT);
	cr_expect_eq(event_pending(ev, EVERYTHING, NULL), EV_READ | EV_TIMEOUT);
	send_byte(pair[1]);
	run_round();
	cr_expect(seen.what & EV_READ);
	event_free(ev);
	close_pair(pair);
}

static int pending_at_entry;

static void in_callback(evutil_socket_t fd, short what, void *arg)
{
	int (**action)(struct event *) = arg;
	struct event *ev = event_base_get_running_event(base);

	(void)fd;
	(void)what;
	calls++;
	pending_at_entry = event_pending(ev, EV_TIMEOUT, NULL);
	if (*action != NULL)
		(*action)(ev);
}

static int add_longer(struct event *ev)
{
	return event_add(ev, MS(60000));
}

/* CORE-166 */
Test(callback, the_timeout_restarts_before_the_callback_which_may_overrule_it)
{
	int (*const actions[])(struct event *) = {
		NULL, event_del, event_remove_timer, add_longer,
	};
	static const int pending[] = { EV_TIMEOUT, 0, 0, EV_TIMEOUT };

	for (int i = 0; i < 4; i++) {
		int (*action)(struct event *) = actions[i];
		struct event *ev = event_new(base, -1, EV_PERSIST, in_callback, &action);

		calls = 0;
		cr_assert_eq(event_add(ev, MS(1)), 0);
		cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
		cr_expect_eq(pending_at_entry, EV_TIMEOUT);
		cr_expect_eq(event_pending(ev, EV_TIMEOUT, NULL), pending[i], "case %d", i);
		if (i > 0) {
			spin_ms(5);
			run_round();
			cr_expect_eq(calls, 1, "case %d", i);
		}
		event_free(ev);
	}
}

static void work_and_note(evutil_socket_t fd, short what, void *arg)
{
	note_time(fd, what, arg);
	spin_ms(24);
}

/* CORE-167 */
Test(callback, a_periodic_timer_does_not_drift_with_the_time_its_callback_takes)
{
	struct event *ev = event_new(base, -1, EV_PERSIST, work_and_note, NULL);

	/*
	 * With drift the sixth call always comes at 40 + 5 * 64 ms or later; else on a slow machine
	 * only.
	 */
	for (int i = 0; i < 20 && (i == 0 || call_ms[5] >= 350.0); i++) {
		calls = 0;
		calls_from = support_now_ms();
		cr_assert_eq(event_add(ev, MS(40)), 0);
		run_until_calls(6);
		cr_expect_geq(call_ms[5], 240.0);
		event_del(ev);
	}
	cr_expect_lt(call_ms[5], 350.0);
	event_free(ev);
}

static void note_and_block_once(evutil_socket_t fd, short what, void *arg)
{
	note_time(fd, what, arg);
	if (calls == 1)
		spin_ms(55);
}

/* CORE-168; C19: missed periods are dropped. */
Test(callback, a_blocked_loop_drops_periods_and_goes_on_from_now)
{
	struct event *ev = event_new(base, -1, EV_PERSIST, note_and_block_once, NULL);

	calls_from = support_now_ms();
	cr_assert_eq(event_add(ev, MS(10)), 0);
	run_until_calls(4);
	/* Blocked until 65 ms: one call at once, then a period each, and no burst. */
	cr_expect_geq(call_ms[1], 64.0);
	cr_expect_geq(call_ms[2] - call_ms[1], 9.0);
	cr_expect_geq(call_ms[3], 79.0);
	event_free(ev);
}

static void activate_read(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	calls_from = support_now_ms(); /* before the period starts anew */
	event_active(arg, EV_READ, 1);
}

/* CORE-169 */
Test(callback, any_other_cause_restarts_the_period_from_now)
{
	struct event *ev = event_new(base, -1, EV_PERSIST, note_time, NULL);
	struct event *helper = event_new(base, -1, 0, activate_read, ev);

	cr_assert_eq(event_add(ev, MS(400)), 0);
	cr_assert_eq(event_add(helper, MS(100)), 0);
	run_until_calls(3);
	cr_expect_eq(call_what[0], EV_READ);
	cr_expect_eq(call_what[1], EV_TIMEOUT);
	/* The old expiry would have come after 300 ms. */
	cr_expect_geq(call_ms[1], 398.0);
	cr_expect_eq(call_what[2], EV_TIMEOUT);
	event_free(ev);
	event_free(helper);
}

/* CORE-171, CORE-172 */
Test(callback, a_zero_interval_is_used_up_by_one_call)
{
	evutil_socket_t pair[2];
	struct seen timer_seen = { 0 }, io_seen = { 0 };
	struct event *timer, *io;

	support_socketpair(pair);
	timer = event_new(base, -1, EV_PERSIST, note, &timer_seen);
	io = event_new(base, pair[0], EV_READ | EV_PERSIST, note_and_read, &io_seen);
	cr_assert_eq(event_add(timer, MS(0)), 0);
	cr_assert_eq(event_add(io, MS(0)), 0);
	for (int i = 0; i < 5; i++)
		run_round();
	cr_expect_eq(timer_seen.calls, 1);
	cr_expect_eq(event_pending(timer, EVERYTHING, NULL), 0);
	cr_expect_eq(io_seen.calls, 1);
	cr_expect_eq(io_seen.what, EV_TIMEOUT);
	cr_expect_eq(event_pending(io, EVERYTHING, NULL), EV_READ);
	send_byte(pair[1]);
	run_round();
	cr_expect_eq(io_seen.what, EV_READ);
	event_free(timer);
	event_free(io);
	close_pair(pair);
}

/* CORE-173, CORE-174 */
Test(callback, the_timeout_of_a_persistent_signal_event_repeats)
{
	struct event *ev = event_new(base, SIGUSR1, EV_SIGNAL | EV_PERSIST, note_time, NULL);

	calls_from = support_now_ms();
	cr_assert_eq(event_add(ev, MS(10)), 0);
	run_until_calls(2);
	cr_expect(call_what[0] == EV_TIMEOUT && call_what[1] == EV_TIMEOUT);
	cr_expect_eq(event_pending(ev, EVERYTHING, NULL), EV_SIGNAL | EV_TIMEOUT);
	raise(SIGUSR1);
	run_until_calls(3);
	cr_expect_eq(call_what[2] & EV_SIGNAL, EV_SIGNAL);
	event_free(ev);
}

/* CORE-174 */
Test(callback, the_timeout_of_a_one_shot_signal_event)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, SIGUSR1, EV_SIGNAL, note, &seen);

	cr_assert_eq(event_add(ev, MS(1)), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.what, EV_TIMEOUT);
	cr_expect_eq(seen.calls, 1);
	event_free(ev);
}

static void raise_usr1(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	raise(SIGUSR1);
}

/* CORE-175 */
Test(callback, a_delivered_signal_restarts_the_timeout)
{
	struct event *ev = event_new(base, SIGUSR1, EV_SIGNAL | EV_PERSIST, note_time, NULL);
	struct event *helper = event_new(base, -1, 0, raise_usr1, NULL);

	calls_from = support_now_ms();
	cr_assert_eq(event_add(ev, MS(300)), 0);
	cr_assert_eq(event_add(helper, MS(40)), 0);
	run_until_calls(2);
	cr_expect_eq(call_what[0], EV_SIGNAL);
	cr_expect_eq(call_what[1], EV_TIMEOUT);
	cr_expect_geq(call_ms[1], 339.0);
	event_free(ev);
	event_free(helper);
}

/* CORE-176 */
Test(callback, an_edge_is_reported_once)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	if (!(event_base_get_features(base) & EV_FEATURE_ET))
		cr_skip_test("%s has no edges", event_base_get_method(base));
	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ | EV_ET | EV_PERSIST, note, &seen);
	cr_assert_eq(event_add(ev, NULL), 0);
	send_byte(pair[1]);
	for (int i = 0; i < 4; i++)
		run_round();
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(seen.what, EV_READ | EV_ET);
	send_byte(pair[1]);
	for (int i = 0; i < 4; i++)
		run_round();
	cr_expect_eq(seen.calls, 2);
	event_free(ev);
	close_pair(pair);
}

static void add_delete_query(evutil_socket_t fd, short what, void *arg)
{
	struct event *other = arg;

	(void)fd;
	(void)what;
	calls++;
	cr_expect_eq(event_add(other, MS(60000)), 0);
	cr_expect_eq(event_pending(other, EV_TIMEOUT, NULL), EV_TIMEOUT);
	cr_expect_eq(event_del(other), 0);
	cr_expect_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE), 0);
}

/* CORE-178: with lock debugging, too, every call works inside a callback; see test_threads.c. */
Test(callback, may_use_the_base)
{
	struct event *other = event_new(base, -1, 0, never, NULL);
	struct event *ev = event_new(base, -1, 0, add_delete_query, other);

	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(calls, 1);
	event_free(ev);
	event_free(other);
}
