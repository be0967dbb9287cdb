/* SPDX-License-Identifier: BSD-3-Clause */
/* event_active() and its relatives: manual activation. */

#include "reactor_test.h"

#include <limits.h>
#include <signal.h>

TestSuite(active, .init = start, .fini = finish, .timeout = 60);

#define EVERYTHING (EV_TIMEOUT | EV_READ | EV_WRITE | EV_SIGNAL | EV_CLOSED)

/* CORE-144, CORE-145, CORE-146, CORE-147 */
Test(active, bits_add_up_and_are_passed_through_as_given)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, EV_READ | EV_ET, note, &seen);

	event_active(ev, EV_WRITE, 1);
	event_active(ev, EV_TIMEOUT, 1);
	cr_expect_eq(event_pending(ev, EV_READ, NULL), 0, "it does not become pending");
	cr_expect_eq(count(EVENT_BASE_COUNT_ACTIVE), 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(seen.what, EV_WRITE | EV_TIMEOUT);
	event_active(ev, 0x4000, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.what, 0x4000);
	evuser_trigger(ev);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.calls, 3);
	cr_expect_eq(seen.what, 0);
	event_free(ev);
}

/* CORE-148, CORE-149 */
Test(active, the_number_of_calls_is_for_signals)
{
	struct seen timer_seen = { 0 }, sig_seen = { 0 };
	struct event *timer = event_new(base, -1, 0, note, &timer_seen);
	struct event *sig = event_new(base, SIGUSR1, EV_SIGNAL, note, &sig_seen);

	event_active(timer, EV_TIMEOUT, 5);
	event_active(sig, EV_SIGNAL, 3);
	event_active(sig, EV_SIGNAL, 7);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(timer_seen.calls, 1);
	cr_expect_eq(sig_seen.calls, 3);
	event_active(sig, EV_SIGNAL, 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(sig_seen.calls, 4);
	event_active(sig, EV_SIGNAL, -2);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(sig_seen.calls, 5);
	event_free(timer);
	event_free(sig);
}

/* CORE-150 */
Test(active, a_finalizing_event_is_left_alone)
{
	struct event *ev = event_new(base, -1, 0, never, NULL);

	cr_assert_eq(event_finalize(0, ev, NULL), 0);
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	event_free(ev);
}

/* CORE-151, CORE-164 */
Test(active, activating_a_pending_one_shot_event_ends_its_watch_and_timeout)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ, note, &seen);
	cr_assert_eq(event_add(ev, MS(60000)), 0);
	event_active(ev, EV_WRITE, 1);
	cr_expect_eq(event_pending(ev, EVERYTHING, NULL), EV_READ | EV_WRITE | EV_TIMEOUT);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(event_pending(ev, EVERYTHING, NULL), 0);
	event_free(ev);
	close_pair(pair);
}

static struct event *others[4];

static void activate_two(evutil_socket_t fd, short what, void *arg)
{
	trace(fd, what, arg);
	event_active(others[0], EV_READ, 1);
	event_active(others[1], EV_READ, 1);
}

/* CORE-152, CORE-202 */
Test(active, the_same_priority_is_appended_and_runs_in_the_same_pass)
{
	struct event *first = event_new(base, -1, 0, activate_two, (void *)"f");
	struct event *second = event_new(base, -1, 0, trace, (void *)"s");

	others[0] = event_new(base, -1, 0, trace, (void *)"a");
	others[1] = event_new(base, -1, 0, trace, (void *)"b");
	event_active(first, EV_READ, 1);
	event_active(second, EV_READ, 1);
	run_round();
	cr_expect_str_eq(traced, "fsab");
	event_free(first);
	event_free(second);
	event_free(others[0]);
	event_free(others[1]);
}

/* CORE-153, CORE-197 */
Test(active, something_more_urgent_interrupts_the_pass)
{
	struct event *ev[3];

	cr_assert_eq(event_base_priority_init(base, 3), 0);
	ev[0] = event_new(base, -1, 0, activate_two, (void *)"1");
	ev[1] = event_new(base, -1, 0, trace, (void *)"2");
	ev[2] = event_new(base, -1, 0, trace, (void *)"3");
	others[0] = event_new(base, -1, 0, trace, (void *)"u");
	others[1] = event_new(base, -1, 0, trace, (void *)"l");
	cr_assert_eq(event_priority_set(others[0], 0), 0);
	cr_assert_eq(event_priority_set(others[1], 2), 0);
	for (int i = 0; i < 3; i++)
		event_active(ev[i], EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "1u23l");
	for (int i = 0; i < 3; i++)
		event_free(ev[i]);
	event_free(others[0]);
	event_free(others[1]);
}

static int rounds_of_self;

static void activate_itself(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	rounds_of_self++;
	event_active(arg, EV_READ, 1);
}

static void break_loop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

/* CORE-152, CORE-368; C14: nothing else starves, not even a timer of the same priority. */
Test(active, an_event_that_activates_itself_for_ever_does_not_starve_the_rest)
{
	evutil_socket_t pair[2];
	struct seen io_seen = { 0 };
	struct event *self = event_new(base, -1, 0, activate_itself, event_self_cbarg());
	struct event *timer = event_new(base, -1, 0, break_loop, NULL);
	struct event *io;

	support_socketpair(pair);
	send_byte(pair[1]);
	io = event_new(base, pair[0], EV_READ, note, &io_seen);
	event_active(self, EV_READ, 1);
	cr_assert_eq(event_add(timer, MS(20)), 0);
	cr_assert_eq(event_add(io, NULL), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_eq(event_base_got_break(base), 1);
	cr_expect_gt(rounds_of_self, 0);
	cr_expect_eq(io_seen.calls, 1);
	event_free(self);
	event_free(timer);
	event_free(io);
	close_pair(pair);
}

/* CORE-154 */
Test(active, from_outside_the_next_loop_runs_it_without_blocking)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, 0, note, &seen);
	struct event *far = event_new(base, -1, 0, never, NULL);
	double begin = support_now_ms();

	cr_assert_eq(event_add(far, MS(60000)), 0);
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(seen.calls, 1);
	cr_expect_lt(support_now_ms() - begin, 30000.0);
	event_free(ev);
	event_free(far);
}

/* CORE-156, CORE-157, CORE-158, CORE-359 */
Test(active, by_fd_activates_what_was_asked_for)
{
	static const struct {
		short mask;
		short reader, writer; /* what each then sees */
	} cases[] = {
		{ EV_READ, EV_READ, 0 },
		{ EV_WRITE, 0, EV_WRITE },
		{ EV_READ | EV_WRITE, EV_READ, EV_WRITE },
		{ EV_CLOSED, 0, 0 },
		{ EV_TIMEOUT, EV_TIMEOUT, 0 },
		{ EV_TIMEOUT | EV_READ | EV_WRITE, EV_TIMEOUT | EV_READ, EV_WRITE },
		{ 0, 0, 0 },
	};
	evutil_socket_t pair[2];
	char block[4096] = { 0 };

	support_socketpair(pair);
	while (write(pair[0], block, sizeof(block)) > 0)
		; /* so that it is neither readable nor writable */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen reader = { 0 }, writer = { 0 };
		struct event *r = event_new(base, pair[0], EV_READ | EV_PERSIST, note, &reader);
		struct event *w = event_new(base, pair[0], EV_WRITE | EV_PERSIST, note, &writer);
		struct event *idle = event_new(base, pair[0], EV_READ | EV_WRITE, never, NULL);

		cr_assert_eq(event_add(r, MS(60000)), 0);
		cr_assert_eq(event_add(w, NULL), 0);
		event_base_active_by_fd(base, pair[0], cases[i].mask);
		run_round();
		cr_expect_eq(reader.what, cases[i].reader, "case %zu", i);
		cr_expect_eq(writer.what, cases[i].writer, "case %zu", i);
		event_free(r);
		event_free(w);
		event_free(idle);
	}
	close_pair(pair);
}

/* CORE-157: bits combine with those of other activations. */
Test(active, by_fd_combines_with_other_activations)
{
	struct seen seen = { 0 };
	evutil_socket_t pair[2];
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ, note, &seen);
	cr_assert_eq(event_add(ev, MS(60000)), 0);
	event_active(ev, EV_WRITE, 1);
	event_base_active_by_fd(base, pair[0], EV_TIMEOUT);
	event_base_active_by_fd(base, pair[0], EV_READ);
	run_round();
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(seen.what, EV_READ | EV_WRITE | EV_TIMEOUT);
	event_free(ev);
	close_pair(pair);
}

/* CORE-159 */
Test(active, unknown_numbers_are_ignored)
{
	static const int numbers[] = { -1, -2, INT_MIN, 5000, INT_MAX, 0 };

	for (int i = 0; i < 6; i++) {
		event_base_active_by_fd(base, numbers[i], EV_READ | EV_WRITE);
		event_base_active_by_signal(base, numbers[i]);
	}
	cr_expect_eq(count(COUNT_ALL), 0);
}

/* CORE-160 */
Test(active, by_signal_calls_each_pending_event_once)
{
	struct seen a_seen = { 0 }, b_seen = { 0 };
	struct event *a = event_new(base, SIGUSR1, EV_SIGNAL | EV_PERSIST, note, &a_seen);
	struct event *b = event_new(base, SIGUSR1, EV_SIGNAL, note, &b_seen);
	struct event *idle = event_new(base, SIGUSR1, EV_SIGNAL, never, NULL);
	struct event *other = event_new(base, SIGUSR2, EV_SIGNAL, never, NULL);

	cr_assert_eq(event_add(a, NULL), 0);
	cr_assert_eq(event_add(b, NULL), 0);
	cr_assert_eq(event_add(other, NULL), 0);
	event_base_active_by_signal(base, SIGUSR1);
	run_round();
	cr_expect(a_seen.calls == 1 && a_seen.what == EV_SIGNAL);
	cr_expect(b_seen.calls == 1 && b_seen.what == EV_SIGNAL);
	event_free(a);
	event_free(b);
	event_free(idle);
	event_free(other);
}
