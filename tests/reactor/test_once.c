/* SPDX-License-Identifier: BSD-3-Clause */
/* event_base_once(). */

#include "reactor_test.h"

#include <signal.h>

TestSuite(once, .init = start, .fini = finish, .timeout = 60);

/* CORE-248, CORE-249 */
Test(once, timers_without_duration_run_in_call_order)
{
	struct seen seen = { 0 };

	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, trace, (void *)"a", NULL), 0);
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, trace, (void *)"b", MS(0)), 0);
	cr_assert_eq(event_base_once(base, 5, EV_TIMEOUT, trace, (void *)"c", NULL), 0);
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, note, &seen, NULL), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "abc");
	cr_expect(seen.calls == 1 && seen.what == EV_TIMEOUT);
}

/* CORE-248: with default priority. */
Test(once, runs_with_the_default_priority)
{
	struct event *urgent, *lazy;

	cr_assert_eq(event_base_priority_init(base, 3), 0);
	urgent = event_new(base, -1, 0, trace, (void *)"u");
	lazy = event_new(base, -1, 0, trace, (void *)"l");
	event_priority_set(urgent, 0);
	event_priority_set(lazy, 2);
	event_active(lazy, EV_READ, 1);
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, trace, (void *)"o", NULL), 0);
	event_active(urgent, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "uol");
	event_free(urgent);
	event_free(lazy);
}

/* CORE-249 */
Test(once, a_timer_takes_its_time)
{
	struct seen seen = { 0 };
	double begin = support_now_ms();

	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, note, &seen, MS(15)), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_geq(support_now_ms() - begin, 15.0);
	cr_expect(seen.calls == 1 && seen.what == EV_TIMEOUT);
}

/* CORE-248, CORE-250 */
Test(once, io_runs_at_most_once)
{
	evutil_socket_t pair[2];
	struct seen read_seen = { 0 }, write_seen = { 0 }, late = { 0 };

	support_socketpair(pair);
	cr_assert_eq(
		event_base_once(base, pair[0], EV_READ | EV_TIMEOUT, note, &read_seen, MS(60000)),
		0);
	cr_assert_eq(event_base_once(base, pair[0], EV_WRITE, note, &write_seen, NULL), 0);
	cr_assert_eq(event_base_once(base, pair[0], EV_READ | EV_CLOSED, note, &late, MS(1)), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect(write_seen.calls == 1 && write_seen.what == EV_WRITE && write_seen.fd == pair[0]);
	while (late.calls == 0)
		cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(late.what, EV_TIMEOUT);
	send_byte(pair[1]);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect(read_seen.calls == 1 && read_seen.what == EV_READ);
	cr_expect(write_seen.calls == 1 && late.calls == 1);
	close_pair(pair);
}

/* CORE-248: the fixture checks that nothing is leaked; the argument is nobody's but the user's. */
Test(once, what_never_ran_is_freed_with_the_base)
{
	evutil_socket_t pair[2];
	char argument = 'a';

	support_socketpair(pair);
	cr_assert_eq(event_base_once(base, pair[0], EV_READ, never, &argument, NULL), 0);
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, never, &argument, MS(60000)), 0);
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, never, &argument, NULL), 0);
	event_base_free(base);
	base = NULL;
	cr_expect_eq(argument, 'a');
	close_pair(pair);
}

/* CORE-251, CORE-253, CORE-366 */
Test(once, refuses_what_it_cannot_serve_and_the_base_stays_usable)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	int bad;

	support_capture_log();
	support_socketpair(pair);
	bad = dup(pair[0]);
	close(bad);
	cr_expect_eq(event_base_once(base, pair[0], 0, never, NULL, NULL), -1);
	cr_expect_eq(event_base_once(base, pair[0], EV_ET, never, NULL, NULL), -1);
	cr_expect_eq(event_base_once(base, SIGUSR1, EV_SIGNAL, never, NULL, NULL), -1);
	cr_expect_eq(event_base_once(base, SIGUSR1, EV_SIGNAL | EV_TIMEOUT, never, NULL, NULL), -1);
	cr_expect_eq(event_base_once(base, pair[0], EV_READ | EV_PERSIST, never, NULL, NULL), -1);
	cr_expect_eq(event_base_once(base, -1, EV_TIMEOUT | EV_PERSIST, never, NULL, NULL), -1);
	cr_expect_eq(event_base_once(NULL, -1, EV_TIMEOUT, never, NULL, NULL), -1);
	if (backend_is("epoll") || backend_is("kqueue") || backend_is("evport"))
		cr_expect_eq(event_base_once(base, bad, EV_READ, never, NULL, MS(1)), -1);
	cr_expect_eq(count(COUNT_ALL), 0);
	cr_assert_eq(event_base_once(base, pair[0], EV_WRITE | EV_ET, note, &seen, NULL), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.what, EV_WRITE, "EV_ET is dropped");
	close_pair(pair);
}

static int show(const struct event_base *b, const struct event *ev, void *arg)
{
	(void)b;
	(void)ev;
	++*(int *)arg;
	return 0;
}

/* CORE-252: all there is to see is that something is pending. */
Test(once, the_record_is_counted)
{
	int seen = 0;

	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, never, NULL, MS(60000)), 0);
	cr_expect_eq(count(EVENT_BASE_COUNT_ADDED), 1);
	cr_expect_eq(event_base_foreach_event(base, show, &seen), 0);
	cr_expect_eq(seen, 1);
}

static void ask_for_more(evutil_socket_t fd, short what, void *arg)
{
	trace(fd, what, arg);
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, trace, (void *)"2", NULL), 0);
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, trace, (void *)"3", MS(1)), 0);
}

/* CORE-248 */
Test(once, a_callback_may_ask_for_another)
{
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, ask_for_more, (void *)"1", NULL), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "123");
}
