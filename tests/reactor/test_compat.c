/* SPDX-License-Identifier: BSD-3-Clause */
/* The 1.x calls, which use the current base. */

#include "reactor_test.h"

#include <event2/event_compat.h>
#include <event2/event_struct.h>

#include <signal.h>

extern struct event_base *event_global_current_base_;

TestSuite(compat, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* CORE-335, CORE-340, CORE-086 */
Test(compat, init_makes_a_new_base_current)
{
	struct event_base *first, *second, *plain;

	cr_expect_null(event_global_current_base_);
	first = event_init();
	cr_assert_not_null(first);
	cr_expect_eq(event_global_current_base_, first);
	plain = event_base_new();
	cr_expect_eq(event_global_current_base_, first);
	second = event_init();
	cr_expect_eq(event_global_current_base_, second);
	cr_expect_eq(event_base_dispatch(first), 1, "earlier bases are as they were");
	event_base_free(first);
	cr_expect_eq(event_global_current_base_, second);
	event_base_free(plain);
	event_base_free(NULL);
	cr_expect_null(event_global_current_base_);
}

/* CORE-335 */
Test(compat, a_failed_init_is_fatal, .exit_code = 1)
{
	support_capture_log();
	support_fail_all_after(0);
	(void)event_init();
	_exit(44);
}

/* CORE-336, CORE-208, CORE-091 */
Test(compat, calls_without_a_base_act_on_the_current_one)
{
	struct event_base *b = event_init();
	struct event ev;
	struct seen seen = { 0 };

	cr_expect_eq(event_priority_init(3), 0);
	cr_expect_eq(event_base_get_npriorities(b), 3);
	cr_expect_eq(event_base_get_npriorities(NULL), 3);
	cr_expect_str_eq(event_get_method(), event_base_get_method(b));
	event_set(&ev, -1, EV_PERSIST, note, &seen);
	cr_expect_eq(event_get_base(&ev), b);
	cr_expect_eq(event_get_priority(&ev), 1);
	cr_assert_eq(event_add(&ev, MS(1)), 0);
	cr_expect_eq(event_loop(EVLOOP_ONCE), 0);
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(event_loopexit(MS(0)), 0);
	cr_expect_eq(event_dispatch(), 0);
	cr_expect_eq(event_loopbreak(), 0);
	event_del(&ev);
	cr_expect_eq(event_once(-1, EV_TIMEOUT, note, &seen, NULL), 0);
	cr_expect_eq(event_dispatch(), 1);
	cr_expect_eq(seen.what, EV_TIMEOUT);
	event_base_free(b);
}

/* CORE-337 */
Test(compat, without_a_current_base_they_are_errors)
{
	cr_expect_eq(event_loopexit(NULL), -1);
	cr_expect_eq(event_loopbreak(), -1);
	cr_expect_eq(event_once(-1, EV_TIMEOUT, never, NULL, NULL), -1);
	cr_expect_eq(event_dispatch(), -1);
	cr_expect_eq(event_loop(EVLOOP_NONBLOCK), -1);
	cr_expect_eq(event_priority_init(2), -1);
	cr_expect_null(event_get_method());
}

/* CORE-338 */
Test(compat, set_may_be_followed_by_base_set)
{
	struct event_base *current = event_init(), *other = event_base_new();
	struct event ev;
	struct seen seen = { 0 };

	event_set(&ev, -1, 0, note, &seen);
	cr_expect_eq(event_base_set(other, &ev), 0);
	cr_assert_eq(event_add(&ev, MS(0)), 0);
	cr_expect_eq(event_dispatch(), 1);
	cr_expect_eq(seen.calls, 0);
	cr_expect_eq(event_base_dispatch(other), 1);
	cr_expect_eq(seen.calls, 1);
	event_base_free(current);
	event_base_free(other);
}

/* CORE-338 */
Test(compat, set_with_illegal_bits_is_fatal, .exit_code = 1)
{
	struct event ev;

	support_capture_log();
	event_set(&ev, SIGUSR1, EV_SIGNAL | EV_READ, never, NULL);
	_exit(44);
}

/* CORE-339 */
Test(compat, the_macros_map_to_the_event_calls)
{
	struct event_base *b = event_init();
	struct seen timer_seen = { 0 }, sig_seen = { 0 };
	struct event timer, sig;

	timeout_set(&timer, note, &timer_seen);
	cr_expect_eq(event_get_events(&timer), 0);
	evtimer_set(&timer, note, &timer_seen);
	cr_expect(timeout_initialized(&timer));
	cr_expect_eq(timeout_add(&timer, MS(1)), 0);
	cr_expect_neq(timeout_pending(&timer, NULL), 0);
	cr_expect_eq(timeout_del(&timer), 0);
	cr_expect_eq(evtimer_add(&timer, MS(1)), 0);

	signal_set(&sig, SIGUSR1, note, &sig_seen);
	cr_expect_eq(event_get_events(&sig), EV_SIGNAL | EV_PERSIST);
	evsignal_set(&sig, SIGUSR1, note, &sig_seen);
	cr_expect_eq(event_get_events(&sig), EV_SIGNAL | EV_PERSIST);
	cr_expect(signal_initialized(&sig));
	cr_expect_eq(EVENT_SIGNAL(&sig), SIGUSR1);
	cr_expect_eq(EVENT_FD(&timer), -1);
	cr_expect_eq(signal_add(&sig, NULL), 0);
	cr_expect_neq(signal_pending(&sig, NULL), 0);
	raise(SIGUSR1);
	cr_expect_eq(event_loop(EVLOOP_ONCE), 0);
	cr_expect_eq(sig_seen.calls, 1);
	cr_expect_eq(signal_del(&sig), 0);
	cr_expect_eq(event_dispatch(), 1);
	cr_expect_eq(timer_seen.calls, 1);
	event_base_free(b);
}
