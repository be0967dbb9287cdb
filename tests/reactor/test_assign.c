/* SPDX-License-Identifier: BSD-3-Clause */
/* Constructing events, reading them back, and event_pending(). */

#include "reactor_test.h"

#include <event2/event_struct.h>

#include <limits.h>
#include <signal.h>
#include <sys/time.h>

TestSuite(assign, .init = start, .fini = finish, .timeout = 60);

#define EVERYTHING (EV_TIMEOUT | EV_READ | EV_WRITE | EV_SIGNAL | EV_CLOSED)

/* CORE-089, CORE-101, CORE-102 */
Test(assign, new_and_assign_set_the_same_and_leave_the_event_idle)
{
	struct event memory, *ev[2] = {
		&memory, event_new(base, 7, EV_READ | EV_ET, note, &memory),
	};

	cr_assert_eq(event_assign(&memory, base, 7, EV_READ | EV_ET, note, &memory), 0);
	for (int i = 0; i < 2; i++) {
		struct event_base *b = NULL;
		evutil_socket_t fd = 0;
		short events = 0;
		event_callback_fn fn = NULL;
		void *arg = NULL;

		cr_expect_eq(event_pending(ev[i], EVERYTHING, NULL), 0);
		cr_expect_eq(event_get_fd(ev[i]), 7);
		cr_expect_eq(event_get_base(ev[i]), base);
		cr_expect_eq(event_get_events(ev[i]), EV_READ | EV_ET);
		cr_expect_eq(event_get_callback(ev[i]), (event_callback_fn)note);
		cr_expect_eq(event_get_callback_arg(ev[i]), &memory);
		cr_expect_eq(event_get_priority(ev[i]), 0);
		event_get_assignment(ev[i], &b, &fd, &events, &fn, &arg);
		cr_expect(b == base && fd == 7 && events == (EV_READ | EV_ET));
		cr_expect(fn == note && arg == &memory);
		event_get_assignment(ev[i], NULL, NULL, NULL, NULL, NULL);
	}
	cr_expect_eq(count(COUNT_ALL), 0);
	event_free(ev[1]);
}

/* CORE-090 */
Test(assign, a_signal_cannot_be_combined_with_io)
{
	static const short io[] = { EV_READ, EV_WRITE, EV_CLOSED, EV_READ | EV_WRITE };
	struct event ev;

	support_capture_log();
	for (int i = 0; i < 4; i++) {
		cr_expect_eq(event_assign(&ev, base, SIGUSR1, EV_SIGNAL | io[i], never, NULL), -1);
		cr_expect_null(event_new(base, SIGUSR1, EV_SIGNAL | io[i], never, NULL));
		cr_expect_eq(support_messages(EVENT_LOG_WARN), 2 * (i + 1));
	}
}

/* CORE-091, CORE-105, CORE-112, CORE-116, CORE-135, CORE-140, CORE-150, CORE-271, CORE-350 */
Test(assign, an_event_without_base_refuses_everything_until_it_gets_one)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(NULL, -1, 0, note, &seen);
	struct timeval tv = { 77, 88 };

	support_capture_log();
	cr_assert_not_null(ev);
	cr_expect_null(event_get_base(ev));
	cr_expect_eq(event_add(ev, MS(1)), -1);
	cr_expect_eq(event_del(ev), -1);
	cr_expect_eq(event_del_noblock(ev), -1);
	cr_expect_eq(event_del_block(ev), -1);
	cr_expect_eq(event_remove_timer(ev), -1);
	cr_expect_eq(event_priority_set(ev, 0), -1);
	cr_expect_eq(event_pending(ev, EVERYTHING, &tv), 0);
	cr_expect(tv.tv_sec == 77 && tv.tv_usec == 88);
	event_active(ev, EV_TIMEOUT, 1);
	cr_expect_eq(event_finalize(0, ev, NULL), -1);
	cr_expect_gt(support_messages(EVENT_LOG_WARN), 0);

	cr_expect_eq(event_base_set(base, ev), 0);
	cr_expect_eq(event_add(ev, MS(1)), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.calls, 1);
	event_free(ev);
}

/* CORE-092 */
Test(assign, events_are_returned_exactly_as_given)
{
	short all[] = {
		0, EV_TIMEOUT, EV_READ | EV_TIMEOUT | EV_PERSIST, EV_FINALIZE, EV_CLOSED | EV_ET,
	};

	for (int i = 0; i < 5; i++) {
		struct event ev;

		cr_assert_eq(event_assign(&ev, base, -1, all[i], never, NULL), 0);
		cr_expect_eq(event_get_events(&ev), all[i]);
	}
}

/* CORE-093 */
Test(assign, the_descriptor_of_a_signal_event_is_its_number)
{
	struct event ev;

	cr_assert_eq(evsignal_assign(&ev, base, SIGUSR2, never, NULL), 0);
	cr_expect_eq(event_get_signal(&ev), SIGUSR2);
	cr_expect_eq(event_get_events(&ev), EV_SIGNAL | EV_PERSIST);
	cr_assert_eq(evtimer_assign(&ev, base, never, NULL), 0);
	cr_expect_eq(event_get_fd(&ev), -1);
}

/* CORE-094, CORE-117 */
Test(assign, io_on_no_descriptor_counts_but_only_fires_otherwise)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, EV_READ | EV_WRITE | EV_PERSIST, note, &seen);

	cr_assert_eq(event_add(ev, NULL), 0);
	cr_expect_eq(count(EVENT_BASE_COUNT_ADDED), 1);
	cr_expect_eq(event_pending(ev, EV_READ | EV_WRITE, NULL), EV_READ | EV_WRITE);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0,
		     "it keeps the loop alive");
	cr_expect_eq(seen.calls, 0);
	event_active(ev, EV_READ, 1);
	run_round();
	cr_expect_eq(seen.what, EV_READ);
	cr_assert_eq(event_add(ev, MS(1)), 0);
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(seen.what, EV_TIMEOUT);
	event_free(ev);
}

/* CORE-095 */
Test(assign, an_event_can_be_its_own_argument)
{
	struct event memory, *ev = event_new(base, -1, 0, never, event_self_cbarg());

	cr_assert_eq(event_assign(&memory, base, -1, 0, never, event_self_cbarg()), 0);
	cr_expect_eq(event_get_callback_arg(&memory), &memory);
	cr_expect_eq(event_get_callback_arg(ev), ev);
	event_free(ev);
}

/* CORE-096 */
Test(assign, running_an_event_without_callback_does_nothing)
{
	struct event *timer = event_new(base, -1, 0, NULL, NULL);
	struct event *sig = event_new(base, SIGUSR1, EV_SIGNAL, NULL, NULL);

	cr_assert_eq(event_add(timer, MS(0)), 0);
	event_active(sig, EV_SIGNAL, 3);
	cr_expect_eq(event_base_dispatch(base), 1);
	event_free(timer);
	event_free(sig);
}

/* CORE-097 */
Test(assign, an_event_is_changed_by_deleting_and_assigning_again)
{
	struct seen first = { 0 }, second = { 0 };
	struct event_base *b;
	evutil_socket_t fd;
	short events;
	struct event ev;

	cr_assert_eq(event_assign(&ev, base, -1, EV_PERSIST, note, &first), 0);
	cr_assert_eq(event_add(&ev, MS(0)), 0);
	cr_assert_eq(event_del(&ev), 0);
	event_get_assignment(&ev, &b, &fd, &events, NULL, NULL);
	cr_assert_eq(event_assign(&ev, b, fd, events, note, &second), 0);
	cr_assert_eq(event_add(&ev, MS(0)), 0);
	cr_assert_eq(event_base_dispatch(base), 1);
	cr_expect_eq(first.calls, 0);
	cr_expect_eq(second.calls, 1);
}

/* CORE-098 */
Test(assign, the_default_priority_is_in_the_middle)
{
	static const int middle[] = { 0, 0, 1, 1, 2, 2 };

	for (int n = 1; n <= 5; n++) {
		struct event ev;

		cr_assert_eq(event_base_priority_init(base, n), 0);
		cr_assert_eq(event_assign(&ev, base, -1, 0, never, NULL), 0);
		cr_expect_eq(event_get_priority(&ev), middle[n], "%d priorities", n);
	}
}

/* CORE-099 */
Test(assign, bad_numbers_are_accepted_until_the_add)
{
	struct event ev;

	cr_expect_eq(event_assign(&ev, base, 123456, EV_READ, never, NULL), 0);
	cr_expect_eq(event_assign(&ev, base, INT_MAX, EV_READ, never, NULL), 0);
	cr_expect_eq(event_assign(&ev, base, 4711, EV_SIGNAL, never, NULL), 0);
	cr_expect_eq(event_assign(&ev, base, -5, EV_SIGNAL, never, NULL), 0);
}

/* CORE-100 */
Test(assign, initialized_is_false_for_zeroes_and_true_after_assign)
{
	struct event ev;

	memset(&ev, 0, sizeof(ev));
	cr_expect_eq(event_initialized(&ev), 0);
	cr_assert_eq(event_assign(&ev, base, -1, 0, never, NULL), 0);
	cr_expect_neq(event_initialized(&ev), 0);
	event_debug_unassign(&ev);
	cr_expect_eq(event_initialized(&ev), 0);
}

/* CORE-103 */
Test(assign, base_set_works_only_on_an_idle_event_and_resets_the_priority)
{
	struct event_base *other = support_base_new();
	struct event ev, zero;

	cr_assert_eq(event_base_priority_init(base, 5), 0);
	cr_assert_eq(event_assign(&ev, base, -1, 0, trace, (void *)"x"), 0);
	cr_assert_eq(event_priority_set(&ev, 4), 0);
	cr_assert_eq(event_add(&ev, MS(60000)), 0);
	cr_expect_eq(event_base_set(other, &ev), -1);
	event_del(&ev);
	event_active(&ev, EV_TIMEOUT, 1);
	cr_expect_eq(event_base_set(other, &ev), -1);
	cr_expect_eq(event_get_base(&ev), base);
	event_del(&ev);
	cr_expect_eq(event_base_set(other, &ev), 0);
	cr_expect_eq(event_get_base(&ev), other);
	cr_expect_eq(event_get_priority(&ev), 0);
	cr_expect_eq(event_base_set(base, &ev), 0);
	cr_expect_eq(event_get_priority(&ev), 2);
	memset(&zero, 0, sizeof(zero));
	cr_expect_eq(event_base_set(base, &zero), -1);
	cr_expect_eq(event_finalize(0, &ev, NULL), 0);
	cr_expect_eq(event_base_set(other, &ev), -1);
	run_round(); /* the finalizer; afterwards nobody knows of `ev` */
	event_base_free(other);
}

/* CORE-104 */
Test(assign, priority_set_refuses_active_events_and_numbers_out_of_range)
{
	struct event *ev;

	cr_assert_eq(event_base_priority_init(base, 3), 0);
	ev = event_new(base, -1, 0, trace, (void *)"x");
	cr_expect_eq(event_priority_set(ev, -1), -1);
	cr_expect_eq(event_priority_set(ev, 3), -1);
	cr_expect_eq(event_get_priority(ev), 1);
	cr_expect_eq(event_priority_set(ev, 2), 0);
	cr_assert_eq(event_add(ev, MS(60000)), 0);
	cr_expect_eq(event_priority_set(ev, 0), 0);
	cr_expect_eq(event_get_priority(ev), 0);
	event_active(ev, EV_TIMEOUT, 1);
	cr_expect_eq(event_priority_set(ev, 1), -1);
	event_free(ev);
}

/* CORE-104: a change while pending holds from the next activation on. */
Test(assign, a_new_priority_counts_at_the_next_activation)
{
	struct event *a, *b;

	cr_assert_eq(event_base_priority_init(base, 2), 0);
	a = event_new(base, -1, 0, trace, (void *)"a");
	b = event_new(base, -1, 0, trace, (void *)"b");
	event_priority_set(a, 0);
	event_priority_set(b, 1);
	cr_assert_eq(event_add(a, MS(0)), 0);
	cr_assert_eq(event_add(b, MS(0)), 0);
	event_priority_set(a, 1);
	event_priority_set(b, 0);
	cr_assert_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "ba");
	event_free(a);
	event_free(b);
}

/* CORE-106, CORE-107, CORE-108 */
Test(assign, pending_tells_watched_scheduled_and_active_bits)
{
	evutil_socket_t pair[2];
	struct event *io, *idle, *sig;

	support_socketpair(pair);
	io = event_new(base, pair[0], EV_READ | EV_CLOSED, never, NULL);
	idle = event_new(base, -1, 0, never, NULL);
	sig = event_new(base, SIGUSR1, EV_SIGNAL, never, NULL);
	cr_assert_eq(event_add(io, NULL), 0);
	cr_assert_eq(event_add(sig, MS(60000)), 0);
	cr_expect_eq(event_pending(io, EV_TIMEOUT, NULL), 0);
	cr_expect_eq(event_pending(io, EV_WRITE, NULL), 0);
	cr_expect_eq(event_pending(io, EV_READ | EV_WRITE, NULL), EV_READ);
	cr_expect_eq(event_pending(io, EVERYTHING, NULL), EV_READ | EV_CLOSED);
	cr_expect_eq(event_pending(io, EV_PERSIST | EV_ET, NULL), 0);
	cr_expect_eq(event_pending(sig, EVERYTHING, NULL), EV_SIGNAL | EV_TIMEOUT);
	event_active(idle, EV_READ, 1);
	cr_expect_eq(event_pending(idle, EVERYTHING, NULL), EV_READ);
	cr_expect_eq(event_pending(idle, EV_WRITE, NULL), 0);
	event_free(io);
	event_free(idle);
	event_free(sig);
	close_pair(pair);
}

static double wall_ms_between(const struct timeval *from, const struct timeval *to)
{
	return (double)(to->tv_sec - from->tv_sec) * 1e3 +
	       (double)(to->tv_usec - from->tv_usec) / 1e3;
}

static double wall_ms_until(const struct timeval *tv)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return wall_ms_between(&now, tv);
}

/* CORE-109, CORE-110, CORE-345 */
Test(assign, pending_gives_the_expiry_as_wall_clock_time)
{
	static const long durations[] = { 10, 999, 1000, 5000, 1000000 };
	struct event *ev = event_new(base, -1, EV_PERSIST, never, NULL);
	struct timeval tv = { 1, 2 };

	cr_expect_eq(event_pending(ev, EV_TIMEOUT, &tv), 0);
	cr_expect(tv.tv_sec == 1 && tv.tv_usec == 2);
	for (int i = 0; i < 5; i++) {
		struct timeval before;
		double until;

		gettimeofday(&before, NULL);
		cr_assert_eq(event_add(ev, MS(durations[i])), 0);
		cr_assert_eq(event_pending(ev, EV_TIMEOUT, &tv), EV_TIMEOUT);
		until = wall_ms_between(&before, &tv);
		cr_expect_leq(wall_ms_until(&tv), (double)durations[i],
			      "never more than asked for");
		cr_expect_gt(until, (double)durations[i] - 8); /* however long the calls took */
	}
	event_free(ev);
}

/* CORE-110: the same with the clock that PRECISE_TIMER asks for. */
Test(assign, pending_with_a_precise_timer)
{
	struct event_config *cfg = event_config_new();
	struct event_base *b;
	struct event *ev;
	struct timeval tv;

	event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER);
	b = event_base_new_with_config(cfg);
	event_config_free(cfg);
	ev = event_new(b, -1, 0, never, NULL);
	for (int i = 0; i < 200; i++) {
		cr_assert_eq(event_add(ev, MS(1500)), 0);
		cr_assert_eq(event_pending(ev, EV_TIMEOUT, &tv), EV_TIMEOUT);
		cr_expect_leq(wall_ms_until(&tv), 1500.0);
	}
	event_free(ev);
	event_base_free(b);
}

static int pending_inside;

static void ask_pending(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pending_inside = event_pending(arg, EVERYTHING, NULL);
}

/* CORE-111, CORE-164, CORE-165 */
Test(assign, pending_inside_the_callback)
{
	static const struct {
		short events;
		int pending;
	} cases[] = { { EV_WRITE, 0 }, { EV_WRITE | EV_PERSIST, EV_WRITE | EV_TIMEOUT } };
	evutil_socket_t pair[2];

	support_socketpair(pair);
	for (int i = 0; i < 2; i++) {
		struct event *ev = event_new(base, pair[0], cases[i].events, ask_pending,
					     event_self_cbarg());

		pending_inside = -1;
		cr_assert_eq(event_add(ev, MS(60000)), 0);
		run_round();
		cr_expect_eq(pending_inside, cases[i].pending);
		event_free(ev);
	}
	close_pair(pair);
}

/* CORE-113 */
Test(assign, evuser_pending_asks_for_nothing)
{
	struct event *ev = evuser_new(base, never, NULL);

	evuser_trigger(ev);
	cr_expect_eq(evuser_pending(ev, NULL), 0);
	evuser_del(ev);
	event_free(ev);
}
