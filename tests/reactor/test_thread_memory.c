/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Locks, conditions and what else threads need, with each of their allocations refused in turn: who
 * cannot have a lock gets no object that would need one.
 */

#include "reactor_test.h"

#include <event2/thread.h>

TestSuite(thread_memory, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* A base that came to be works; 1 if there was one. */
static int try_base(void)
{
	struct event_base *b = event_base_new();
	struct seen seen = { 0 };

	if (b == NULL)
		return 0;
	if (event_base_once(b, -1, EV_TIMEOUT, note, &seen, NULL) == 0) {
		cr_expect_geq(event_base_loop(b, EVLOOP_ONCE), 0);
		cr_expect_eq(seen.calls, 1);
	}
	event_base_free(b);
	return 1;
}

/* Returns how many of the requests, refused alone, left no base. */
static long refuse_each(void)
{
	int fds = support_open_fds();
	long without = 0;

	for (long n = 0;; n++) {
		int made;

		support_fail_once_after(n);
		made = try_base();
		if (!support_has_refused())
			break;
		support_fail_once_after(-1);
		without += !made;
		cr_expect_eq(support_live_blocks(), 0, "request %ld leaks", n);
		cr_expect_eq(support_open_fds(), fds, "request %ld leaks a descriptor", n);
	}
	support_fail_once_after(-1);
	return without;
}

/* CORE-009; C01: a base has two locks, the notes behind one of them and a condition. */
Test(thread_memory, a_base_without_its_locks_is_none)
{
	long alone;

	support_capture_log();
	alone = refuse_each();
	cr_assert_eq(evthread_use_pthreads(), 0);
	cr_expect_geq(refuse_each(), alone + 4);
}

/* CORE-009, CORE-319; C01: each of the two is a lock around a lock. */
Test(thread_memory, nor_is_one_whose_locks_cannot_be_watched)
{
	long alone;

	support_capture_log();
	alone = refuse_each();
	evthread_enable_lock_debugging();
	cr_assert_eq(evthread_use_pthreads(), 0);
	cr_expect_geq(refuse_each(), alone + 6);
}

/* CORE-009, UTIL-079; C01 */
Test(thread_memory, a_timer_of_the_users_needs_memory_too)
{
	struct evutil_monotonic_timer *timer;

	support_fail_all_after(0);
	cr_expect_null(evutil_monotonic_timer_new());
	support_fail_all_after(-1);
	timer = evutil_monotonic_timer_new();
	cr_assert_not_null(timer);
	evutil_monotonic_timer_free(timer);
}
