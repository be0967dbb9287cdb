/* SPDX-License-Identifier: BSD-3-Clause */
/* Priorities, and the limits on what one pass may run. */

#include "reactor_test.h"

#include <event2/watch.h>

TestSuite(priority, .init = start, .fini = finish, .timeout = 60);

static struct event *letter(const char *name, int priority)
{
	struct event *ev = event_new(base, -1, 0, trace, (void *)name);

	cr_assert_eq(event_priority_set(ev, priority), 0);
	event_active(ev, EV_READ, 1);
	return ev;
}

static void mark_poll(struct evwatch *w, const struct evwatch_check_cb_info *info, void *arg)
{
	(void)w;
	(void)info;
	(void)arg;
	trace_letter('|');
}

/*
 * Replaces the test's base by one with a limit, `n` priorities, and a mark in the trace per poll.
 */
static void limit_base(const struct timeval *interval, int callbacks, int min_priority, int n)
{
	struct event_config *cfg = event_config_new();

	event_base_free(base);
	cr_assert_eq(event_config_set_max_dispatch_interval(cfg, interval, callbacks, min_priority),
		     0);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	cr_assert_not_null(base);
	cr_assert_eq(event_base_priority_init(base, n), 0);
	cr_assert_not_null(evwatch_check_new(base, mark_poll, NULL));
}

/* CORE-197 */
Test(priority, only_the_most_urgent_level_runs_between_two_polls)
{
	struct event *ev[5];

	limit_base(NULL, -1, 0, 3);
	ev[0] = letter("c", 2);
	ev[1] = letter("a", 0);
	ev[2] = letter("b", 1);
	ev[3] = letter("A", 0);
	ev[4] = letter("C", 2);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "|aA|b|cC");
	for (int i = 0; i < 5; i++)
		event_free(ev[i]);
}

static int urgent_calls, lazy_calls;

static void urgent(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	urgent_calls++;
	event_active(arg, EV_READ, 1);
}

static void lazy(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	lazy_calls++;
}

static void stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

/*
 * CORE-197, CORE-368; C15: starvation is documented, and a timer of the same priority can end it.
 */
Test(priority, an_urgent_event_that_is_always_active_starves_the_others_but_not_its_equals)
{
	struct event *busy, *starved, *timer;

	cr_assert_eq(event_base_priority_init(base, 2), 0);
	busy = event_new(base, -1, 0, urgent, event_self_cbarg());
	starved = event_new(base, -1, 0, lazy, NULL);
	timer = event_new(base, -1, 0, stop, NULL);
	event_priority_set(busy, 0);
	event_priority_set(starved, 1);
	event_priority_set(timer, 0);
	event_active(busy, EV_READ, 1);
	event_active(starved, EV_READ, 1);
	cr_assert_eq(event_add(timer, MS(10)), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_eq(event_base_got_break(base), 1);
	cr_expect_gt(urgent_calls, 0);
	cr_expect_eq(lazy_calls, 0);
	event_free(busy);
	event_free(starved);
	event_free(timer);
}

/* CORE-198: that a common timeout's own bookkeeping runs is not a priority being served. */
Test(priority, internal_activity_does_not_count_as_a_level)
{
	const struct timeval *common = event_base_init_common_timeout(base, MS(1));
	struct event *timer, *lower;

	cr_assert_eq(event_base_priority_init(base, 3), 0);
	timer = event_new(base, -1, 0, trace, (void *)"t");
	lower = event_new(base, -1, 0, trace, (void *)"l");
	event_priority_set(timer, 2);
	event_priority_set(lower, 2);
	cr_assert_eq(event_add(timer, common), 0);
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_str_eq(traced, "t");
	event_free(timer);
	event_free(lower);
}

/* CORE-199, CORE-051 */
Test(priority, a_limit_on_callbacks_polls_in_between)
{
	struct event *ev[5];

	limit_base(NULL, 2, 0, 1);
	for (int i = 0; i < 5; i++)
		ev[i] = letter(&"abcde"[i], 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "|ab|cd|e");
	for (int i = 0; i < 5; i++)
		event_free(ev[i]);
}

/* CORE-199 */
Test(priority, a_limit_of_zero_callbacks_behaves_like_one)
{
	struct event *ev[3];

	limit_base(NULL, 0, 0, 1);
	for (int i = 0; i < 3; i++)
		ev[i] = letter(&"abc"[i], 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "|a|b|c");
	for (int i = 0; i < 3; i++)
		event_free(ev[i]);
}

/* CORE-199: after the poll the most urgent goes first, also before the rest of a cut-off level. */
Test(priority, after_a_cut_the_most_urgent_goes_on)
{
	evutil_socket_t pair[2];
	struct event *ev[3], *urgent_io;

	support_socketpair(pair);
	limit_base(NULL, 1, 1, 2);
	for (int i = 0; i < 3; i++)
		ev[i] = letter(&"xyz"[i], 1);
	urgent_io = event_new(base, pair[0], EV_READ, trace, (void *)"u");
	event_priority_set(urgent_io, 0);
	cr_assert_eq(event_add(urgent_io, NULL), 0);
	cr_assert_eq(event_base_loopcontinue(base), 0);
	send_byte(pair[1]);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "|u|x|y|z");
	for (int i = 0; i < 3; i++)
		event_free(ev[i]);
	event_free(urgent_io);
	close_pair(pair);
}

static void take_3_ms(evutil_socket_t fd, short what, void *arg)
{
	double until = support_now_ms() + 3;

	trace(fd, what, arg);
	while (support_now_ms() < until)
		;
}

/* CORE-200, CORE-237 */
Test(priority, a_limit_on_time_polls_once_it_has_passed)
{
	struct event *ev[4];

	limit_base(MS(5), -1, 0, 1);
	for (int i = 0; i < 4; i++) {
		ev[i] = event_new(base, -1, 0, take_3_ms, (void *)&"abcd"[i]);
		event_active(ev[i], EV_READ, 1);
	}
	cr_expect_eq(event_base_dispatch(base), 1);
	/* Two take 6 ms; a machine that is slow may get only one done. */
	cr_expect_null(strstr(traced, "abc"));
	cr_expect_null(strstr(traced, "bcd"));
	cr_expect_eq(traced[strlen(traced) - 1], 'd');
	for (int i = 0; i < 4; i++)
		event_free(ev[i]);
}

/* CORE-200 */
Test(priority, no_time_at_all_means_one_callback)
{
	struct event *ev[3];

	limit_base(MS(0), -1, 0, 1);
	for (int i = 0; i < 3; i++)
		ev[i] = letter(&"abc"[i], 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "|a|b|c");
	for (int i = 0; i < 3; i++)
		event_free(ev[i]);
}

/* CORE-201 */
Test(priority, limits_hold_from_the_given_priority_on)
{
	struct event *ev[6];

	limit_base(NULL, 1, 1, 2);
	for (int i = 0; i < 3; i++) {
		ev[i] = letter(&"abc"[i], 0);
		ev[3 + i] = letter(&"xyz"[i], 1);
	}
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "|abc|x|y|z");
	for (int i = 0; i < 6; i++)
		event_free(ev[i]);
}

/* CORE-204, CORE-205, CORE-206, CORE-208 */
Test(priority, init_accepts_1_to_256_while_nothing_is_active)
{
	struct event *ev = event_new(base, -1, 0, trace, (void *)"x");

	cr_expect_eq(event_base_priority_init(base, 0), -1);
	cr_expect_eq(event_base_priority_init(base, -1), -1);
	cr_expect_eq(event_base_priority_init(base, EVENT_MAX_PRIORITIES + 1), -1);
	cr_expect_eq(event_base_priority_init(NULL, 2), -1);
	cr_expect_eq(event_base_get_npriorities(base), 1);
	cr_expect_eq(event_base_priority_init(base, EVENT_MAX_PRIORITIES), 0);
	cr_expect_eq(event_base_get_npriorities(base), 256);
	cr_expect_eq(event_priority_set(ev, 255), 0);
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_priority_init(base, 256), -1);
	cr_expect_eq(event_base_priority_init(base, 3), -1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "x");
	cr_expect_eq(event_base_priority_init(base, 256), 0);
	cr_expect_eq(event_get_priority(ev), 255);
	event_free(ev);
}

static void shrink(evutil_socket_t fd, short what, void *arg)
{
	trace(fd, what, arg);
	cr_expect_eq(event_base_priority_init(base, 2), 0);
}

/* CORE-204, CORE-207 */
Test(priority, a_callback_may_leave_fewer_levels_than_its_own)
{
	struct event *ev;

	cr_assert_eq(event_base_priority_init(base, 200), 0);
	ev = event_new(base, -1, 0, shrink, (void *)"s");
	cr_assert_eq(event_priority_set(ev, 199), 0);
	for (int i = 0; i < 2; i++) {
		event_active(ev, EV_READ, 1);
		cr_expect_eq(event_base_dispatch(base), 1);
	}
	cr_expect_str_eq(traced, "ss");
	cr_expect_eq(event_base_get_npriorities(base), 2);
	event_free(ev);
}

/* CORE-207 */
Test(priority, an_event_beyond_a_shrunken_range_runs_at_the_least_urgent_level)
{
	struct event *low, *high;

	cr_assert_eq(event_base_priority_init(base, 10), 0);
	low = event_new(base, -1, 0, trace, (void *)"l");
	high = event_new(base, -1, 0, trace, (void *)"h");
	event_priority_set(low, 9);
	event_priority_set(high, 1);
	cr_assert_eq(event_add(low, MS(0)), 0);
	cr_assert_eq(event_base_priority_init(base, 3), 0);
	event_active(high, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "hl");
	event_free(low);
	event_free(high);
}

static int expected_level;

static void check_level(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	cr_expect_eq(fd, expected_level);
	expected_level++;
}

/* CORE-197: the search for the most urgent level is right over the whole range. */
Test(priority, all_256_levels_are_found_in_order)
{
	struct event *ev[EVENT_MAX_PRIORITIES];

	cr_assert_eq(event_base_priority_init(base, EVENT_MAX_PRIORITIES), 0);
	for (int i = EVENT_MAX_PRIORITIES - 1; i >= 0; i--) {
		ev[i] = event_new(base, i, 0, check_level, NULL);
		cr_assert_eq(event_priority_set(ev[i], i), 0);
		event_active(ev[i], EV_READ, 1);
	}
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(expected_level, EVENT_MAX_PRIORITIES);
	for (int i = 0; i < EVENT_MAX_PRIORITIES; i++)
		event_free(ev[i]);
}
