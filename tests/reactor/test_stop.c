/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit, break and continue. */

#include "reactor_test.h"

#include <event2/watch.h>

TestSuite(stop, .init = start, .fini = finish, .timeout = 60);

static int exit_inside, break_inside;

static void ask_exit(evutil_socket_t fd, short what, void *arg)
{
	trace(fd, what, arg);
	cr_expect_eq(event_base_loopexit(base, NULL), 0);
	exit_inside = event_base_got_exit(base);
}

static void ask_break(evutil_socket_t fd, short what, void *arg)
{
	trace(fd, what, arg);
	cr_expect_eq(event_base_loopbreak(base), 0);
	break_inside = event_base_got_break(base);
}

static void ask_continue(evutil_socket_t fd, short what, void *arg)
{
	trace(fd, what, arg);
	cr_expect_eq(event_base_loopcontinue(base), 0);
}

static struct event *active(event_callback_fn fn, const char *name, int priority)
{
	struct event *ev = event_new(base, -1, 0, fn, (void *)name);

	cr_assert_eq(event_priority_set(ev, priority), 0);
	event_active(ev, EV_READ, 1);
	return ev;
}

/* CORE-209, CORE-210, CORE-216 */
Test(stop, exit_takes_its_turn_and_lets_its_priority_finish)
{
	struct event *first = active(ask_exit, "e", 0), *second = active(trace, "s", 0);
	struct event *far = event_new(base, -1, 0, never, NULL);

	cr_assert_eq(event_add(far, MS(60000)), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_str_eq(traced, "es");
	cr_expect_eq(exit_inside, 0, "true only once it took effect");
	cr_expect_eq(event_base_got_exit(base), 1);
	cr_expect_eq(event_base_got_break(base), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_expect_eq(event_base_got_exit(base), 0, "until a loop is entered");
	event_free(first);
	event_free(second);
	event_free(far);
}

struct counted {
	struct event *ev;
	int calls;
};

static void run_three_times_then_exit(evutil_socket_t fd, short what, void *arg)
{
	struct counted *c = arg;

	(void)fd;
	(void)what;
	if (c->calls == 3) {
		cr_expect_eq(event_base_loopexit(base, NULL), 0);
		return;
	}
	c->calls++;
	cr_assert_eq(event_add(c->ev, MS(0)), 0);
}

/* CORE-211 */
Test(stop, zero_timers_at_both_ends_of_the_priorities)
{
	static const int expected[3][2] = { { 3, 3 }, { 3, 1 }, { 3, 0 } };

	for (int n = 1; n <= 3; n++) {
		struct counted urgent = { 0 }, lazy = { 0 };

		cr_assert_eq(event_base_priority_init(base, n), 0);
		urgent.ev = event_new(base, -1, 0, run_three_times_then_exit, &urgent);
		lazy.ev = event_new(base, -1, 0, run_three_times_then_exit, &lazy);
		event_priority_set(urgent.ev, 0);
		event_priority_set(lazy.ev, n - 1);
		cr_assert_eq(event_add(urgent.ev, MS(0)), 0);
		cr_assert_eq(event_add(lazy.ev, MS(0)), 0);
		cr_expect_eq(event_base_dispatch(base), 0);
		cr_expect_eq(urgent.calls, expected[n - 1][0], "%d priorities", n);
		cr_expect_eq(lazy.calls, expected[n - 1][1], "%d priorities", n);
		event_free(urgent.ev);
		event_free(lazy.ev);
	}
}

/* CORE-212, CORE-217 */
Test(stop, less_urgent_events_run_in_the_next_loop)
{
	struct event *first, *low;

	cr_assert_eq(event_base_priority_init(base, 3), 0);
	first = active(ask_exit, "e", 1);
	low = active(trace, "l", 2);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_str_eq(traced, "e");
	cr_expect_eq(count(EVENT_BASE_COUNT_ACTIVE), 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "el");
	event_free(first);
	event_free(low);
}

/* CORE-213 */
Test(stop, an_exit_asked_for_outside_ends_the_next_loop_after_a_round)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, note, &seen);
	cr_assert_eq(event_add(ev, NULL), 0);
	send_byte(pair[1]);
	cr_assert_eq(event_base_loopexit(base, NULL), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(event_base_got_exit(base), 1);
	event_free(ev);
	close_pair(pair);
}

/* CORE-217, CORE-218 */
Test(stop, break_leaves_after_the_callback_and_the_rest_runs_next_time)
{
	struct event *first = active(ask_break, "b", 0), *second = active(trace, "s", 0);

	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_str_eq(traced, "b");
	cr_expect_eq(break_inside, 1);
	cr_expect_eq(event_base_got_break(base), 1);
	cr_expect_eq(event_base_got_exit(base), 0);
	cr_expect_eq(count(EVENT_BASE_COUNT_ACTIVE), 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "bs");
	cr_expect_eq(event_base_got_break(base), 0);
	event_free(first);
	event_free(second);
}

/* CORE-218 */
Test(stop, break_outside_a_loop_has_no_effect_on_the_next)
{
	struct event *ev = active(trace, "x", 0);

	cr_expect_eq(event_base_loopbreak(base), 0);
	cr_expect_eq(event_base_got_break(base), 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "x");
	cr_expect_eq(event_base_got_break(base), 0);
	event_free(ev);
}

static void mark_poll(struct evwatch *w, const struct evwatch_check_cb_info *info, void *arg)
{
	(void)w;
	(void)info;
	(void)arg;
	trace_letter('|');
}

/* CORE-219 */
Test(stop, continue_polls_before_the_next_callback)
{
	struct event *first = active(ask_continue, "c", 0), *second = active(trace, "s", 0);

	cr_assert_not_null(evwatch_check_new(base, mark_poll, NULL));
	cr_expect_eq(event_base_loopcontinue(base), 0, "forgotten: no loop is running");
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "|c|s");
	event_free(first);
	event_free(second);
}

/* CORE-209, CORE-217, CORE-219, CORE-221, CORE-369 */
Test(stop, null_bases_are_errors)
{
	cr_expect_eq(event_base_loopexit(NULL, NULL), -1);
	cr_expect_eq(event_base_loopbreak(NULL), -1);
	cr_expect_eq(event_base_loopcontinue(NULL), -1);
	cr_expect_eq(event_base_got_exit(NULL), 0);
	cr_expect_eq(event_base_got_break(NULL), 0);
}
