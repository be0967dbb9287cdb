/* SPDX-License-Identifier: BSD-3-Clause */
/* Debug mode: misuse of events is found, and right use is left alone. */

#include "reactor_test.h"

#include <event2/event_struct.h>
#include <event2/thread.h>

#include <pthread.h>
#include <signal.h>

static void debug_start(void)
{
	support_leak_init();
	support_capture_log();
	event_enable_debug_mode();
	base = support_base_new();
}

TestSuite(debug_first, .timeout = 60);
TestSuite(debug, .init = debug_start, .fini = finish, .timeout = 60);

/*
 * What diagnoses misuse must first have accepted what is right: an event of each kind, used fully.
 */
static struct event idle, zero;

static void setup(void)
{
	memset(&zero, 0, sizeof(zero));
	cr_assert_eq(event_assign(&idle, base, -1, 0, note, &(struct seen){ 0 }), 0);
}

/* CORE-282, CORE-290 */
Test(debug, right_use_is_left_alone)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	setup();
	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_WRITE, note, &seen);
	cr_assert_eq(event_add(ev, MS(60000)), 0);
	cr_expect_neq(event_pending(ev, EV_WRITE, NULL), 0);
	run_round();
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(event_del(ev), 0);
	cr_expect_eq(event_assign(ev, base, -1, 0, note, &seen), 0);
	event_free(ev);
	cr_expect_eq(event_initialized(&zero), 0, "never diagnosed");
	cr_expect_eq(support_messages(EVENT_LOG_WARN) + support_messages(EVENT_LOG_ERR), 0);
	event_debug_unassign(&idle);
	cr_expect_eq(event_initialized(&idle), 0);
	close_pair(pair);
}

#define ABORTS(name, ...)                                                                          \
	Test(debug, name, .signal = SIGABRT)                                                       \
	{                                                                                          \
		setup();                                                                           \
		__VA_ARGS__;                                                                       \
		_exit(0);                                                                          \
	}

/* CORE-283: each of these ends in abort(). */
ABORTS(assign_on_a_pending_event, event_add(&idle, MS(60000));
       (void)event_assign(&idle, base, -1, 0, never, NULL))
ABORTS(debug_unassign_on_a_pending_event, event_add(&idle, MS(60000)); event_debug_unassign(&idle))
ABORTS(add_on_zeroes, (void)event_add(&zero, NULL))
ABORTS(del_on_zeroes, (void)event_del(&zero))
ABORTS(del_noblock_on_zeroes, (void)event_del_noblock(&zero))
ABORTS(active_on_zeroes, event_active(&zero, EV_READ, 1))
ABORTS(pending_on_zeroes, (void)event_pending(&zero, EV_READ, NULL))
ABORTS(remove_timer_on_zeroes, (void)event_remove_timer(&zero))
ABORTS(priority_set_on_zeroes, (void)event_priority_set(&zero, 0))
ABORTS(base_set_on_zeroes, (void)event_base_set(base, &zero))
ABORTS(get_fd_on_zeroes, (void)event_get_fd(&zero))
ABORTS(get_base_on_zeroes, (void)event_get_base(&zero))
ABORTS(get_events_on_zeroes, (void)event_get_events(&zero))
ABORTS(get_callback_on_zeroes, (void)event_get_callback(&zero))
ABORTS(get_callback_arg_on_zeroes, (void)event_get_callback_arg(&zero))
ABORTS(get_priority_on_zeroes, (void)event_get_priority(&zero))
ABORTS(get_assignment_on_zeroes, event_get_assignment(&zero, NULL, NULL, NULL, NULL, NULL))
ABORTS(add_after_unassign, event_debug_unassign(&idle); (void)event_add(&idle, NULL))
ABORTS(add_on_a_copy, zero = idle; (void)event_add(&zero, NULL))

/* CORE-283: an event that was freed, whose memory is still readable: the address is remembered. */
Test(debug, add_after_free, .signal = SIGABRT)
{
	static struct event memory;
	struct event *ev = event_new(base, -1, 0, never, NULL);

	memory = *ev;
	event_free(ev);
	(void)event_add(&memory, NULL);
	_exit(0);
}

/* CORE-284 */
Test(debug, assign_with_a_blocking_descriptor, .signal = SIGABRT)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	(void)event_assign(&idle, base, ends[0], EV_READ, never, NULL);
	_exit(0);
}

/* CORE-285 */
Test(debug, assign_on_an_active_event, .signal = SIGABRT)
{
	setup();
	event_active(&idle, EV_READ, 1);
	(void)event_assign(&idle, base, -1, 0, never, NULL);
	_exit(0);
}

/* CORE-286 */
Test(debug_first, enabling_it_after_a_base_was_made, .exit_code = 1)
{
	(void)event_base_new();
	event_enable_debug_mode();
	_exit(44);
}

/* CORE-119, CORE-287 */
Test(debug, edges_and_levels_on_one_descriptor_are_refused_in_both_orders)
{
	evutil_socket_t pair[2];

	support_socketpair(pair);
	for (int order = 0; order < 2; order++) {
		struct seen seen = { 0 };
		struct event *first =
			event_new(base, pair[0], EV_READ | (order ? EV_ET : 0), note, &seen);
		struct event *second =
			event_new(base, pair[0], EV_READ | (order ? 0 : EV_ET), never, NULL);

		cr_assert_eq(event_add(first, NULL), 0);
		cr_expect_eq(event_add(second, NULL), -1);
		cr_expect_eq(event_pending(second, EV_READ, NULL), 0);
		send_byte(pair[1]);
		run_round();
		cr_expect_eq(seen.calls, 1, "the first stays intact");
		event_free(first);
		event_free(second);
	}
	close_pair(pair);
}

/* CORE-289 */
Test(debug, unassign_forgets_events_that_were_not_made_by_event_new)
{
	long live = support_live_blocks();

	for (int i = 0; i < 1000; i++) {
		struct event ev;

		cr_assert_eq(event_assign(&ev, base, -1, 0, never, NULL), 0);
		event_debug_unassign(&ev);
	}
	cr_expect_leq(support_live_blocks(), live + 8, "nothing is remembered of them");
}

/* C01: without memory to remember it in, an event is not made. */
Test(debug, assign_without_memory_fails)
{
	static struct event events[5000];
	int made = 0;

	support_fail_all_after(0);
	while (made < 5000 && event_assign(&events[made], base, -1, 0, never, NULL) == 0)
		made++;
	support_fail_all_after(-1);
	cr_expect_lt(made, 5000);
	cr_expect_eq(event_assign(&events[made], base, -1, 0, never, NULL), 0);
}

/* CORE-290 */
Test(debug, free_is_allowed_on_an_event_it_does_not_know)
{
	struct event *ev = event_new(base, -1, 0, never, NULL);

	event_debug_unassign(ev);
	event_free(ev);
}

static void *use_a_base(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		struct event_base *b = event_base_new();
		struct seen seen = { 0 };
		struct event *ev = event_new(b, -1, 0, note, &seen);

		event_add(ev, MS(0));
		event_base_dispatch(b);
		cr_expect_eq(seen.calls, 1);
		event_free(ev);
		event_base_free(b);
	}
	return NULL;
}

static void run_threads(void)
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, use_a_base, NULL), 0);
	for (int i = 0; i < 8; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
}

/* CORE-291: the first bases of the process are made by many threads at once. */
Test(debug_first, separate_bases_in_many_threads)
{
	cr_assert_eq(evthread_use_pthreads(), 0);
	event_enable_debug_mode();
	run_threads();
}

/* CORE-291 */
Test(debug_first, separate_bases_in_many_threads_without_debug_mode)
{
	cr_assert_eq(evthread_use_pthreads(), 0);
	run_threads();
}

/* CORE-288, CORE-310 */
Test(debug, thread_callbacks_after_a_base_are_fatal, .exit_code = 1)
{
	(void)evthread_use_pthreads();
	_exit(44);
}
