/* SPDX-License-Identifier: BSD-3-Clause */
/* event_finalize() and event_free_finalize(). */

#include "reactor_test.h"

#include <event2/event_struct.h>

TestSuite(finalize, .init = start, .fini = finish, .timeout = 60);

#define EVERYTHING (EV_TIMEOUT | EV_READ | EV_WRITE | EV_SIGNAL | EV_CLOSED)

static struct event *finalized_event;
static void *finalized_arg;
static int finalizer_calls, other_calls;

static void on_finalize(struct event *ev, void *arg)
{
	finalized_event = ev;
	finalized_arg = arg;
	finalizer_calls++;
	trace_letter('F');
}

static void on_other_finalize(struct event *ev, void *arg)
{
	(void)ev;
	(void)arg;
	other_calls++;
}

/* CORE-270, CORE-271, CORE-275, CORE-277 */
Test(finalize, the_finalizer_runs_from_the_loop_with_event_and_argument)
{
	int arg;
	struct event *ev = event_new(base, -1, EV_PERSIST, never, &arg);

	cr_assert_eq(event_add(ev, MS(60000)), 0);
	cr_expect_eq(event_finalize(0, ev, on_finalize), 0);
	cr_expect_eq(finalizer_calls, 0);
	cr_expect_eq(event_base_dispatch(base), 1, "it keeps the loop alive, and from blocking");
	cr_expect_eq(finalizer_calls, 1);
	cr_expect_eq(finalized_event, ev);
	cr_expect_eq(finalized_arg, &arg);
	support_capture_log();
	cr_expect_eq(event_add(ev, MS(0)), -1, "unusable until assigned again");
	event_free(ev);
}

/* CORE-270: the fixture sees that the event is freed. */
Test(finalize, the_free_variant_releases_the_event)
{
	long live = support_live_blocks();
	struct event *ev = event_new(base, -1, 0, never, NULL);

	cr_expect_eq(event_free_finalize(0, ev, on_finalize), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(finalizer_calls, 1);
	cr_expect_eq(support_live_blocks(), live);
}

/* CORE-272, CORE-273 */
Test(finalize, from_the_call_on_the_event_is_out_of_use)
{
	evutil_socket_t pair[2];
	struct event *ev;

	support_capture_log();
	support_socketpair(pair);
	send_byte(pair[1]);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, never, NULL);
	cr_assert_eq(event_add(ev, MS(0)), 0);
	event_active(ev, EV_WRITE, 1);
	cr_expect_eq(event_finalize(0, ev, on_finalize), 0);
	cr_expect_eq(event_pending(ev, EVERYTHING, NULL), 0);
	cr_expect_eq(event_add(ev, MS(0)), -1);
	cr_expect_eq(event_del(ev), 0);
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(finalizer_calls, 1);
	event_free(ev);
	close_pair(pair);
}

static struct event *both[2];

static void finalize_both(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	cr_expect_eq(event_finalize(0, both[0], on_finalize), 0);
	cr_expect_eq(event_free_finalize(0, both[1], on_finalize), 0);
	cr_expect_eq(finalizer_calls, 0);
	trace_letter('c');
}

/* CORE-274 */
Test(finalize, in_a_callback_finalizers_run_after_it_and_the_other_callback_does_not)
{
	both[0] = event_new(base, -1, EV_PERSIST, finalize_both, NULL);
	both[1] = event_new(base, -1, 0, never, NULL);
	event_active(both[0], EV_READ, 1);
	event_active(both[1], EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "cFF");
	event_free(both[0]);
}

static void free_it(struct event *ev, void *arg)
{
	(void)arg;
	finalizer_calls++;
	event_free(ev);
}

static void reassign_it(struct event *ev, void *arg)
{
	finalizer_calls++;
	cr_expect_eq(event_assign(ev, base, -1, 0, note, arg), 0);
	cr_expect_eq(event_add(ev, MS(1)), 0);
}

static void overwrite_it(struct event *ev, void *arg)
{
	(void)arg;
	finalizer_calls++;
	memset(ev, 0xee, sizeof(*ev));
}

/* CORE-276 */
Test(finalize, the_finalizer_may_free_reuse_or_assign_the_event)
{
	struct seen seen = { 0 };
	struct event memory[2];

	cr_expect_eq(event_finalize(0, event_new(base, -1, 0, never, NULL), free_it), 0);
	cr_assert_eq(event_assign(&memory[0], base, -1, 0, never, &seen), 0);
	cr_expect_eq(event_finalize(0, &memory[0], reassign_it), 0);
	cr_assert_eq(event_assign(&memory[1], base, -1, 0, never, NULL), 0);
	cr_expect_eq(event_finalize(0, &memory[1], overwrite_it), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(finalizer_calls, 3);
	cr_expect(seen.calls == 1 && seen.what == EV_TIMEOUT);
}

/* CORE-277 */
Test(finalize, afterwards_the_event_may_be_freed_or_assigned)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, 0, never, NULL);

	cr_assert_eq(event_finalize(0, ev, on_finalize), 0);
	cr_assert_eq(event_base_dispatch(base), 1);
	cr_assert_eq(event_assign(ev, base, -1, 0, note, &seen), 0);
	cr_assert_eq(event_add(ev, MS(0)), 0);
	cr_assert_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.calls, 1);
	event_free(ev);
}

/* CORE-278 */
Test(finalize, the_second_call_wins)
{
	long live = support_live_blocks();
	struct event *ev = event_new(base, -1, 0, never, NULL);

	cr_expect_eq(event_finalize(0, ev, on_other_finalize), 0);
	cr_expect_eq(event_free_finalize(0, ev, on_finalize), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(other_calls, 0);
	cr_expect_eq(finalizer_calls, 1);
	cr_expect_eq(support_live_blocks(), live);

	ev = event_new(base, -1, 0, never, NULL);
	cr_expect_eq(event_free_finalize(0, ev, on_other_finalize), 0);
	cr_expect_eq(event_finalize(0, ev, on_finalize), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(finalizer_calls, 2);
	event_free(ev);
}

static void trace_finalizer(struct event *ev, void *arg)
{
	(void)ev;
	trace_letter(*(const char *)arg);
}

/* CORE-270, CORE-280 */
Test(finalize, finalizers_queue_behind_what_was_active_with_the_event_s_priority)
{
	struct event *ev[4];

	cr_assert_eq(event_base_priority_init(base, 2), 0);
	for (int i = 0; i < 4; i++)
		ev[i] = event_new(base, -1, 0, trace, (void *)&"abcd"[i]);
	event_priority_set(ev[0], 1);
	event_priority_set(ev[1], 1);
	event_priority_set(ev[2], 1);
	event_priority_set(ev[3], 0);
	event_active(ev[0], EV_READ, 1);
	cr_assert_eq(event_finalize(0, ev[1], trace_finalizer), 0);
	cr_assert_eq(event_finalize(0, ev[2], trace_finalizer), 0);
	cr_assert_eq(event_finalize(0, ev[3], trace_finalizer), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "dabc");
	for (int i = 0; i < 4; i++)
		event_free(ev[i]);
}

/* CORE-281, CORE-092: the flag is for threads; in one thread such an event is like any other. */
Test(finalize, an_event_with_ev_finalize_works_as_any_other)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, EV_FINALIZE | EV_PERSIST, note, &seen);

	cr_expect_eq(event_get_events(ev), EV_FINALIZE | EV_PERSIST);
	cr_assert_eq(event_add(ev, MS(0)), 0);
	run_round();
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(event_free_finalize(0, ev, on_finalize), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(finalizer_calls, 1);
}
