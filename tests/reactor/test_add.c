/* SPDX-License-Identifier: BSD-3-Clause */
/* event_add(): what it refuses, adding again, durations of every size. */

#include "reactor_test.h"

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

TestSuite(add, .init = start, .fini = finish, .timeout = 60);

static int pending(const struct event *ev)
{
	return event_pending(ev, EV_TIMEOUT | EV_READ | EV_WRITE | EV_SIGNAL | EV_CLOSED, NULL);
}

static double ms_of(const struct timeval *tv)
{
	return (double)tv->tv_sec * 1e3 + (double)tv->tv_usec / 1e3;
}

static double wall_ms(void)
{
	struct timeval now;

	evutil_gettimeofday(&now, NULL);
	return ms_of(&now);
}

/* The wall-clock time of the event's timeout. */
static double due_at(const struct event *ev)
{
	struct timeval due;

	cr_assert_eq(event_pending(ev, EV_TIMEOUT, &due), EV_TIMEOUT);
	return ms_of(&due);
}

/*
 * Adds the event, which is then due `ms` from a moment of the call, however long that took. What is
 * told may lag as far as the cheap clock does.
 */
static void add_due_in(struct event *ev, const struct timeval *duration, double ms)
{
	double before = wall_ms(), due;

	cr_assert_eq(event_add(ev, duration), 0);
	due = due_at(ev);
	cr_expect_geq(due - before, ms - 100);
	cr_expect_leq(due - wall_ms(), ms + 100);
}

/* CORE-114, CORE-133 */
Test(add, null_sets_no_timeout_and_a_duration_is_copied)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, EV_READ, note, &seen);
	struct timeval tv = { 0, 1000 };

	cr_assert_eq(event_add(ev, NULL), 0);
	cr_expect_eq(pending(ev), EV_READ);
	cr_assert_eq(event_add(ev, &tv), 0);
	tv.tv_sec = 3600;
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.what, EV_TIMEOUT);
	event_free(ev);
}

/* CORE-116; C28 */
Test(add, impossible_signals_are_refused)
{
	static const int numbers[] = { -1, -100, 0, NSIG, NSIG + 1, INT_MAX, SIGKILL, SIGSTOP };

	support_capture_log();
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct event *ev = event_new(base, numbers[i], EV_SIGNAL, never, NULL);

		cr_expect_eq(event_add(ev, MS(1000)), -1, "signal %d", numbers[i]);
		cr_expect_eq(pending(ev), 0);
		event_free(ev);
	}
	cr_expect_eq(count(COUNT_ALL), 0);
}

/* CORE-116 */
Test(add, a_finalizing_event_is_refused)
{
	struct event *ev = event_new(base, -1, 0, never, NULL);

	support_capture_log();
	cr_assert_eq(event_finalize(0, ev, NULL), 0);
	cr_expect_eq(event_add(ev, MS(0)), -1);
	event_free(ev);
}

/* CORE-116: more events of a kind on one descriptor than can be counted are refused. */
Test(add, the_65536th_event_of_a_kind_on_one_descriptor_is_refused)
{
	enum { MOST = 65535 };
	struct event **ev = calloc(MOST + 2, sizeof(*ev));
	evutil_socket_t pair[2];

	support_capture_log();
	support_socketpair(pair);
	for (int i = 0; i < MOST; i++) {
		ev[i] = event_new(base, pair[0], EV_READ, never, NULL);
		cr_assert_eq(event_add(ev[i], NULL), 0, "event %d", i);
	}
	ev[MOST] = event_new(base, pair[0], EV_READ, never, NULL);
	ev[MOST + 1] = event_new(base, pair[0], EV_WRITE, never, NULL);
	cr_expect_eq(event_add(ev[MOST], MS(1000)), -1);
	cr_expect_eq(pending(ev[MOST]), 0);
	cr_expect_eq(event_add(ev[MOST + 1], NULL), 0, "another kind still has room");
	event_del(ev[0]);
	cr_expect_eq(event_add(ev[MOST], NULL), 0, "and so has this one after a deletion");
	for (int i = 0; i < MOST + 2; i++)
		event_free(ev[i]);
	free(ev);
	close_pair(pair);
}

/* CORE-118 */
Test(add, many_events_on_one_descriptor_and_one_signal_are_all_called)
{
	evutil_socket_t pair[2];
	struct seen io[5] = { 0 }, sig[5] = { 0 };
	struct event *ev[10];

	support_socketpair(pair);
	for (int i = 0; i < 5; i++) {
		ev[i] = event_new(base, pair[0], EV_READ | (i % 2 ? EV_PERSIST : 0), note, &io[i]);
		ev[5 + i] = event_new(base, SIGUSR1, EV_SIGNAL, note, &sig[i]);
		cr_assert_eq(event_add(ev[i], NULL), 0);
		cr_assert_eq(event_add(ev[5 + i], NULL), 0);
	}
	send_byte(pair[1]);
	raise(SIGUSR1);
	run_round();
	run_round();
	for (int i = 0; i < 5; i++) {
		cr_expect_geq(io[i].calls, 1);
		cr_expect_eq(sig[i].calls, 1);
	}
	for (int i = 0; i < 10; i++)
		event_free(ev[i]);
	close_pair(pair);
}

/* CORE-120 */
Test(add, edges_stay_edges_when_one_of_the_events_goes)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *a, *b;

	if (!(event_base_get_features(base) & EV_FEATURE_ET))
		cr_skip_test("%s has no edges", event_base_get_method(base));
	support_socketpair(pair);
	a = event_new(base, pair[0], EV_READ | EV_ET | EV_PERSIST, note, &seen);
	b = event_new(base, pair[0], EV_READ | EV_ET | EV_PERSIST, trace, (void *)"b");
	cr_assert_eq(event_add(a, NULL), 0);
	cr_assert_eq(event_add(b, NULL), 0);
	send_byte(pair[1]);
	run_round();
	cr_expect_eq(seen.calls, 1);
	event_del(b);
	run_round();
	run_round();
	cr_expect_leq(seen.calls, 2, "unread data is not reported for ever");
	seen.calls = 0;
	send_byte(pair[1]);
	run_round();
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(seen.what, EV_READ | EV_ET);
	event_free(a);
	event_free(b);
	close_pair(pair);
}

/* CORE-121 */
Test(add, adding_again_without_a_timeout_changes_nothing)
{
	struct event *ev = event_new(base, -1, EV_READ, never, NULL);

	cr_assert_eq(event_add(ev, MS(5000)), 0);
	cr_assert_eq(event_add(ev, NULL), 0);
	cr_expect_eq(pending(ev), EV_READ | EV_TIMEOUT);
	cr_expect_gt(due_at(ev) - wall_ms(), 1000.0);
	cr_expect_eq(count(EVENT_BASE_COUNT_ADDED), 2);
	event_free(ev);
}

/* CORE-122, CORE-226, CORE-230 */
Test(add, a_timeout_is_replaced_by_any_other_ordinary_or_common)
{
	const struct timeval *durations[] = {
		MS(20000), event_base_init_common_timeout(base, MS(30000)), MS(10000),
		event_base_init_common_timeout(base, MS(5000)), MS(40000),
		event_base_init_common_timeout(base, MS(30000)),
	};
	static const double ms[] = { 20000, 30000, 10000, 5000, 40000, 30000 };
	struct event *ev = event_new(base, -1, EV_READ, never, NULL);

	for (int from = 0; from < 6; from++) {
		for (int to = 0; to < 6; to++) {
			add_due_in(ev, durations[from], ms[from]);
			add_due_in(ev, durations[to], ms[to]);
			cr_expect_eq(pending(ev), EV_READ | EV_TIMEOUT);
			cr_expect_eq(count(EVENT_BASE_COUNT_ADDED), 2);
		}
	}
	event_free(ev);
}

/* CORE-122, CORE-361: pushing a timeout back and pulling it forward again. */
Test(add, the_last_duration_counts_earlier_or_later)
{
	struct event *a = event_new(base, -1, 0, trace, (void *)"a");
	struct event *b = event_new(base, -1, 0, trace, (void *)"b");

	cr_assert_eq(event_add(a, MS(5)), 0);
	cr_assert_eq(event_add(b, MS(15)), 0);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(event_add(a, MS(60000 + i)), 0);
	cr_assert_eq(event_add(a, MS(30)), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "ba");
	cr_assert_eq(event_add(a, MS(60000)), 0);
	cr_assert_eq(event_add(b, MS(10)), 0);
	cr_assert_eq(event_add(a, MS(1)), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "baab");
	event_free(a);
	event_free(b);
}

/* CORE-123 */
Test(add, a_new_duration_is_the_new_interval)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, EV_PERSIST, note, &seen);

	cr_assert_eq(event_add(ev, MS(60000)), 0);
	cr_assert_eq(event_add(ev, MS(2)), 0);
	while (seen.calls < 3)
		cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	event_free(ev);
}

/* Called by one timer: adds the event that is active for its timeout. */
static void add_other(evutil_socket_t fd, short what, void *arg)
{
	trace(fd, what, (void *)"x");
	cr_assert_eq(event_add(arg, MS(20)), 0);
}

/* CORE-124 */
Test(add, a_new_timeout_cancels_the_activation_by_the_old_one)
{
	struct event *b = event_new(base, -1, 0, trace, (void *)"b");
	struct event *a = event_new(base, -1, 0, add_other, b);

	event_active(a, EV_TIMEOUT, 1);
	event_active(b, EV_TIMEOUT, 1);
	run_round();
	cr_expect_str_eq(traced, "x");
	cr_expect_eq(pending(b), EV_TIMEOUT);
	cr_expect_eq(count(EVENT_BASE_COUNT_ACTIVE), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "xb");
	event_free(a);
	event_free(b);
}

/* CORE-125 */
Test(add, a_timeout_for_an_event_that_is_active_for_another_reason)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, 0, note, &seen);

	event_active(ev, EV_READ, 1);
	cr_assert_eq(event_add(ev, MS(1)), 0);
	cr_expect_eq(pending(ev), EV_READ | EV_TIMEOUT);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(pending(ev), 0, "its timeout went with it");
	event_free(ev);
}

/* CORE-126, CORE-367 */
Test(add, re_adding_an_expired_event_watches_its_descriptor_again)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev, *first;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ, note, &seen);
	first = event_new(base, -1, 0, add_other, ev);
	cr_assert_eq(event_add(first, MS(1)), 0);
	cr_assert_eq(event_add(ev, MS(1)), 0);
	/* Both expire in one pass, so the second is active when the first adds it. */
	while (count(EVENT_BASE_COUNT_ACTIVE) == 0 && traced[0] == '\0') {
		double until = support_now_ms() + 5;

		while (support_now_ms() < until)
			;
		run_round();
	}
	cr_expect_eq(seen.calls, 0);
	cr_expect_eq(pending(ev), EV_READ | EV_TIMEOUT);
	send_byte(pair[1]);
	run_round();
	cr_expect(seen.what & EV_READ, "its new timeout may have expired as well");
	event_free(ev);
	event_free(first);
	close_pair(pair);
}

/* CORE-127, CORE-367 */
Test(add, an_active_persistent_event_becomes_pending)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, note_and_read, &seen);
	event_active(ev, EV_WRITE, 1);
	cr_assert_eq(event_add(ev, NULL), 0);
	run_round();
	cr_expect_eq(seen.what, EV_WRITE);
	cr_expect_eq(pending(ev), EV_READ);
	send_byte(pair[1]);
	run_round();
	cr_expect_eq(seen.what, EV_READ);
	event_free(ev);
	close_pair(pair);
}

static struct event *two[2];

static void add_the_other(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	trace_letter(*(const char *)arg);
	cr_assert_eq(event_add(*(const char *)arg == 'a' ? two[1] : two[0], NULL), 0);
}

/* CORE-128 */
Test(add, two_one_shot_events_that_re_add_each_other)
{
	evutil_socket_t pairs[2][2];
	int first;

	for (int i = 0; i < 2; i++) {
		support_socketpair(pairs[i]);
		send_byte(pairs[i][1]);
		two[i] = event_new(base, pairs[i][0], EV_READ, add_the_other,
				   (void *)(i ? "b" : "a"));
		cr_assert_eq(event_add(two[i], NULL), 0);
	}
	run_round();
	cr_assert_eq(strlen(traced), 2u);
	first = traced[0] == 'a' ? 0 : 1;
	cr_expect_eq(pending(two[first]), EV_READ, "whoever ran first was added by the second");
	cr_expect_eq(pending(two[!first]), 0);
	for (int i = 0; i < 2; i++) {
		event_free(two[i]);
		close_pair(pairs[i]);
	}
}

static void add_itself(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	trace_letter('t');
	if (strlen(traced) < 20)
		cr_assert_eq(event_add(arg, MS(0)), 0);
}

/* CORE-129, CORE-130 */
Test(add, a_zero_timer_that_adds_itself_leaves_room_for_io)
{
	evutil_socket_t pair[2];
	struct event *timer, *io;

	support_socketpair(pair);
	send_byte(pair[1]);
	timer = event_new(base, -1, 0, add_itself, event_self_cbarg());
	io = event_new(base, pair[0], EV_READ, trace, (void *)"i");
	cr_assert_eq(event_add(timer, MS(0)), 0);
	cr_assert_eq(event_add(io, NULL), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_not_null(strchr(traced, 'i'));
	cr_expect_lt(strchr(traced, 'i') - traced, 3);
	event_free(timer);
	event_free(io);
	close_pair(pair);
}

static int passes;

static void count_pass(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	passes++;
	if (arg != NULL)
		cr_assert_eq(event_add(arg, MS(0)), 0);
}

/* CORE-130 */
Test(add, a_zero_timer_never_fires_in_the_pass_that_adds_it)
{
	struct event *inner = event_new(base, -1, 0, count_pass, NULL);
	struct event *outer = event_new(base, -1, 0, count_pass, inner);

	event_active(outer, EV_TIMEOUT, 1);
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_expect_eq(passes, 1);
	cr_assert_eq(event_base_dispatch(base), 1);
	cr_expect_eq(passes, 2);
	event_free(inner);
	event_free(outer);
}

/* CORE-131; C17 */
Test(add, a_negative_duration_has_passed_already)
{
	static const struct timeval durations[] = { { -1, 0 }, { 0, -1 }, { LONG_MIN, 0 },
						    { -5, 900000 }, { 0, LONG_MIN } };
	struct seen seen = { 0 };

	for (int i = 0; i < 5; i++) {
		struct event *ev = event_new(base, -1, 0, note, &seen);

		cr_expect_eq(event_add(ev, &durations[i]), 0);
		cr_expect_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
		cr_expect_eq(seen.calls, i + 1, "case %d", i);
		event_free(ev);
	}
}

/* CORE-132, CORE-370; C17 */
Test(add, a_huge_duration_never_fires)
{
	static const struct timeval durations[] = {
		{ LONG_MAX, 0 },       { LONG_MAX, 999999 }, { LONG_MAX, LONG_MAX }, { INT_MAX, 0 },
		{ LONG_MAX >> 23, 0 }, { 0, LONG_MAX },      { LONG_MAX / 2, 5 },
	};
	struct event *ev[7];
	struct seen soon = { 0 };

	for (int i = 0; i < 7; i++) {
		ev[i] = event_new(base, -1, EV_PERSIST, never, NULL);
		cr_expect_eq(event_add(ev[i], &durations[i]), 0);
		cr_expect_eq(event_pending(ev[i], EV_TIMEOUT, NULL), EV_TIMEOUT);
	}
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, note, &soon, MS(5)), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(soon.calls, 1);
	run_round();
	for (int i = 0; i < 7; i++)
		event_free(ev[i]);
}

/* CORE-132, CORE-370 */
Test(add, microseconds_are_normalised)
{
	static const struct {
		struct timeval tv;
		double ms;
	} cases[] = {
		{ { 0, 1300000 }, 1300 }, { { 1, 45000000 }, 46000 }, { { 10, -1000000 }, 9000 },
		{ { 3, 999999 }, 3999.999 }, { { 0, 1000000 }, 1000 }, { { 2, -1 }, 1999.999 },
	};
	struct event *ev = event_new(base, -1, 0, never, NULL);

	for (int i = 0; i < 6; i++) {
		add_due_in(ev, &cases[i].tv, cases[i].ms);
	}
	event_free(ev);
}
