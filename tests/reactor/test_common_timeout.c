/* SPDX-License-Identifier: BSD-3-Clause */
/* Common timeouts: one queue for many events of the same duration. */

#include "reactor_test.h"

#include <event2/event_struct.h>

#include <stdlib.h>

TestSuite(common_timeout, .init = start, .fini = finish, .timeout = 60);

/* CORE-225, CORE-226, CORE-227 */
Test(common_timeout, one_duration_has_one_name_however_it_is_written)
{
	const struct timeval five = { 5, 0 }, micro = { 0, 5000000 }, one = { 1, 0 };
	const struct timeval million = { 0, 1000000 };
	const struct timeval *name = event_base_init_common_timeout(base, &five);
	struct timeval copy;

	cr_assert_not_null(name);
	cr_expect_eq(event_base_init_common_timeout(base, &five), name);
	cr_expect_eq(event_base_init_common_timeout(base, &micro), name);
	cr_expect_eq(event_base_init_common_timeout(base, name), name);
	copy = *name;
	cr_expect_eq(event_base_init_common_timeout(base, &copy), name);
	cr_expect_eq(event_base_init_common_timeout(base, &million),
		     event_base_init_common_timeout(base, &one));
	cr_expect_neq(event_base_init_common_timeout(base, &one), name);
	cr_expect_null(event_base_init_common_timeout(NULL, &five));
}

/* CORE-228, CORE-229 */
Test(common_timeout, names_are_numbered_and_there_are_256)
{
	support_capture_log();
	for (int i = 0; i < 256; i++) {
		struct timeval duration = { i, 1000 + i };
		const struct timeval *name = event_base_init_common_timeout(base, &duration);

		cr_assert_not_null(name, "duration %d", i);
		cr_expect_eq(name->tv_sec, i);
		cr_expect_eq(name->tv_usec, (1000 + i) | 0x50000000 | (i << 20));
	}
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 0);
	cr_expect_null(event_base_init_common_timeout(base, MS(1234567)));
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
	cr_expect_not_null(event_base_init_common_timeout(base, &(struct timeval){ 7, 1007 }));
}

/* CORE-225, CORE-230: a copy of the name works as well. */
Test(common_timeout, events_expire_in_the_order_they_were_added)
{
	struct timeval name = *event_base_init_common_timeout(base, MS(5));
	struct event *ev[20];

	for (int i = 0; i < 20; i++) {
		ev[i] = event_new(base, -1, 0, trace, (void *)&"abcdefghijklmnopqrst"[i]);
		cr_assert_eq(event_add(ev[i], &name), 0);
	}
	event_del(ev[0]);
	event_del(ev[7]);
	event_del(ev[19]);
	cr_assert_eq(event_add(ev[3], &name), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "bcefgijklmnopqrsd");
	for (int i = 0; i < 20; i++)
		event_free(ev[i]);
}

/* CORE-230 */
Test(common_timeout, it_takes_as_long_as_an_ordinary_one)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, 0, note, &seen);
	double begin = support_now_ms();

	cr_assert_eq(event_add(ev, event_base_init_common_timeout(base, MS(20))), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_geq(support_now_ms() - begin, 20.0);
	cr_expect_eq(seen.what, EV_TIMEOUT);
	event_free(ev);
}

/* CORE-230 */
Test(common_timeout, pending_tells_the_true_time)
{
	struct timeval duration = { 7, 250000 }, expiry, now;
	struct event *ev = event_new(base, -1, 0, never, NULL);
	double left;

	cr_assert_eq(event_add(ev, event_base_init_common_timeout(base, &duration)), 0);
	cr_assert_eq(event_pending(ev, EV_TIMEOUT, &expiry), EV_TIMEOUT);
	cr_expect_lt(expiry.tv_usec, 1000000);
	evutil_gettimeofday(&now, NULL);
	left = (double)(expiry.tv_sec - now.tv_sec) + (double)(expiry.tv_usec - now.tv_usec) / 1e6;
	cr_expect(left <= 7.25 && left > 7.2, "%f", left);
	event_free(ev);
}

static int runs;

static void stop_after_five(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (++runs == 5)
		event_del(arg);
}

/* CORE-230 */
Test(common_timeout, a_persistent_event_repeats)
{
	struct event *ev = event_new(base, -1, EV_PERSIST, stop_after_five, event_self_cbarg());
	double begin = support_now_ms();

	cr_assert_eq(event_add(ev, event_base_init_common_timeout(base, MS(4))), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(runs, 5);
	cr_expect_geq(support_now_ms() - begin, 20.0);
	event_free(ev);
}

/* CORE-122, CORE-231: thousands, mixed with ordinary ones, some deleted. */
Test(common_timeout, thousands_of_events_with_two_durations)
{
	enum { N = 4000 };
	const struct timeval *names[2] = { event_base_init_common_timeout(base, MS(3)),
					   event_base_init_common_timeout(base, MS(6)) };
	struct event **ev = calloc(N, sizeof(*ev));
	struct seen seen = { 0 };

	for (int i = 0; i < N; i++) {
		ev[i] = event_new(base, -1, 0, note, &seen);
		cr_assert_eq(event_add(ev[i], names[i % 2]), 0);
	}
	for (int i = 0; i < N; i += 10)
		event_del(ev[i]);
	for (int i = 1; i < N; i += 10)
		cr_assert_eq(event_add(ev[i], names[0]), 0);
	for (int i = 2; i < N; i += 10)
		cr_assert_eq(event_add(ev[i], MS(2)), 0);
	cr_expect_eq(count(EVENT_BASE_COUNT_ADDED), N - N / 10);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.calls, N - N / 10);
	for (int i = 0; i < N; i++)
		event_free(ev[i]);
	free(ev);
}

/* CORE-082, CORE-194: an event still in the queue when the base dies, and one that was freed. */
Test(common_timeout, queues_die_with_the_base)
{
	const struct timeval *name = event_base_init_common_timeout(base, MS(60000));
	struct event *kept = event_new(base, -1, EV_PERSIST, never, NULL);
	struct event *freed = event_new(base, -1, EV_PERSIST, never, NULL);

	cr_assert_eq(event_add(kept, name), 0);
	cr_assert_eq(event_add(freed, name), 0);
	event_free(freed);
	event_base_free(base);
	base = NULL;
	cr_expect_eq(event_del(kept), -1);
	event_free(kept);
}
