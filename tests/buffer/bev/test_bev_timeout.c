/* SPDX-License-Identifier: BSD-3-Clause */
/* Timeouts of reading and writing. */

#include "bev_test.h"

TestSuite(bev_timeout, .init = start, .fini = finish, .timeout = 60);

#define MS(n) (&(const struct timeval){ .tv_sec = (n) / 1000, .tv_usec = (n) % 1000 * 1000 })

#define TIMED_OUT_READING (BEV_EVENT_TIMEOUT | BEV_EVENT_READING)
#define TIMED_OUT_WRITING (BEV_EVENT_TIMEOUT | BEV_EVENT_WRITING)

/* More than a local socket takes. */
static void write_too_much(struct bufferevent *bev)
{
	char *bytes = pattern(4000000);

	cr_assert_eq(bufferevent_write(bev, bytes, 4000000), 0);
	free(bytes);
}

static int timer_runs(struct bufferevent *bev, short direction)
{
	return event_pending(direction == EV_READ ? &bev->ev_read : &bev->ev_write, EV_TIMEOUT,
			     NULL);
}

/* BEV-085, BEV-327 */
Test(bev_timeout, values_are_copied_and_can_be_removed)
{
	struct bufferevent *bev[2];
	struct timeval tv = { 100, 5 };

	linked_new(bev, 0);
	bufferevent_enable(bev[0], EV_READ);
	cr_expect_not(timer_runs(bev[0], EV_READ));
	cr_expect_eq(bufferevent_set_timeouts(bev[0], &tv, NULL), 0);
	tv.tv_sec = 1;
	cr_expect_eq(bev[0]->timeout_read.tv_sec, 100);
	cr_expect_eq(bev[0]->timeout_read.tv_usec, 5);
	cr_expect_eq(bev[0]->timeout_write.tv_sec, 0);
	cr_expect(timer_runs(bev[0], EV_READ));
	cr_expect_eq(bufferevent_set_timeouts(bev[0], MS(0), NULL), 0);
	cr_expect_not(timer_runs(bev[0], EV_READ));
	cr_expect_eq(event_pending(&bev[0]->ev_read, EV_READ, NULL), watched(EV_READ));
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-086, BEV-087, B18 */
Test(bev_timeout, fires_once_and_disables_the_direction)
{
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_set_timeouts(bev[0], MS(20), NULL);
	bufferevent_enable(bev[0], EV_READ);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], TIMED_OUT_READING);
	cr_expect_eq(bufferevent_get_enabled(bev[0]), EV_WRITE);
	bufferevent_write(bev[1], "x", 1);
	run_for(60);
	cr_expect_eq(probe.n_order, 1);
	bufferevent_enable(bev[0], EV_READ);
	run_until(&probe.events, 2);
	cr_expect_str_eq(probe.order, "ere");
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-088 */
Test(bev_timeout, progress_below_the_low_mark_counts)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };
	double written;

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_setwatermark(bev[0], EV_READ, 1000, 0);
	bufferevent_set_timeouts(bev[0], MS(2000), NULL);
	bufferevent_enable(bev[0], EV_READ);
	run_for(200);
	written = support_now_ms();
	bufferevent_write(bev[1], "x", 1);
	run_until(&probe.events, 1);
	cr_expect_geq(support_now_ms() - written, 1990.0);
	cr_expect_eq(probe.reads, 0);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-089 */
Test(bev_timeout, writing_is_timed_only_while_output_waits)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };
	struct timeval before, after;

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_set_timeouts(bev[0], NULL, MS(2000));
	bufferevent_write(bev[0], "small", 5);
	settle();
	cr_expect_not(timer_runs(bev[0], EV_WRITE));
	bufferevent_enable(bev[0], EV_WRITE);
	cr_expect(timer_runs(bev[0], EV_WRITE), "until the first writability");
	settle();
	cr_expect_not(timer_runs(bev[0], EV_WRITE));
	write_too_much(bev[0]);
	settle();
	cr_expect(event_pending(&bev[0]->ev_write, EV_TIMEOUT, &before));
	run_for(300);
	bufferevent_write(bev[0], "more", 4);
	settle();
	cr_expect(event_pending(&bev[0]->ev_write, EV_TIMEOUT, &after));
	evutil_timersub(&after, &before, &after);
	cr_expect_lt(after.tv_sec * 1000000 + after.tv_usec, 100000, "adding does not restart it");
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], TIMED_OUT_WRITING);
	cr_expect_eq(bufferevent_get_enabled(bev[0]), 0);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

static double read_timeout_at_ms(struct bufferevent *bev)
{
	struct timeval at = { 0 };

	cr_assert(event_pending(&bev->ev_read, EV_TIMEOUT, &at));
	return (double)at.tv_sec * 1000 + (double)at.tv_usec / 1000;
}

/* BEV-042, BEV-090 */
Test(bev_timeout, setting_and_enabling_restart_it)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };
	double at_first, at_second;

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_enable(bev[0], EV_READ);
	bufferevent_set_timeouts(bev[0], MS(60000), NULL);
	at_first = read_timeout_at_ms(bev[0]);
	run_for(40);
	bufferevent_set_timeouts(bev[0], MS(60000), NULL);
	at_second = read_timeout_at_ms(bev[0]);
	cr_expect_geq(at_second, at_first + 35);
	run_for(40);
	bufferevent_enable(bev[0], EV_READ);
	cr_expect_geq(read_timeout_at_ms(bev[0]), at_second + 35);
	bufferevent_set_timeouts(bev[0], MS(20), NULL);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], TIMED_OUT_READING);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-091 */
Test(bev_timeout, both_directions_fire_at_their_own_times)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	write_too_much(bev[0]);
	settle();
	bufferevent_set_timeouts(bev[0], MS(75), MS(50));
	bufferevent_enable(bev[0], EV_READ);
	run_until(&probe.events, 2);
	run_for(100);
	cr_expect_eq(probe.what[0], TIMED_OUT_WRITING);
	cr_expect_eq(probe.what[1], TIMED_OUT_READING);
	cr_expect_str_eq(probe.order, "ee");
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-091, BEV-094, BEV-346 */
Test(bev_timeout, a_pair_times_out_like_a_socket)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	pair_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_set_timeouts(bev[0], MS(600000), MS(30));
	bufferevent_enable(bev[0], BOTH);
	cr_expect_not(timer_runs(bev[0], EV_WRITE), "there is nothing to write");
	bufferevent_write(bev[0], "nobody reads", 12);
	cr_expect(timer_runs(bev[0], EV_WRITE));
	run_until(&probe.events, 1);
	bufferevent_set_timeouts(bev[0], MS(30), NULL);
	run_until(&probe.events, 2);
	run_for(80);
	cr_expect_eq(probe.what[0], TIMED_OUT_WRITING);
	cr_expect_eq(probe.what[1], TIMED_OUT_READING);
	cr_expect_str_eq(probe.order, "ee");
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-092, BEV-065 */
Test(bev_timeout, rests_while_suspended)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_setwatermark(bev[0], EV_READ, 0, 5);
	bufferevent_set_timeouts(bev[0], MS(30), NULL);
	bufferevent_enable(bev[0], EV_READ);
	bufferevent_write(bev[1], "0123456789", 10);
	settle();
	cr_expect_not(timer_runs(bev[0], EV_READ));
	run_for(60);
	cr_expect_eq(probe.events, 0);
	evbuffer_drain(bufferevent_get_input(bev[0]), 5);
	cr_expect(timer_runs(bev[0], EV_READ));
	settle();
	evbuffer_drain(bufferevent_get_input(bev[0]), 5);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], TIMED_OUT_READING);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-049, BEV-093 */
Test(bev_timeout, runs_without_a_descriptor)
{
	struct bufferevent *bev = socket_new(-1, 0), *under[2], *filter;
	struct probe probe = { 0 }, filtered = { 0 };

	watch(bev, &probe);
	bufferevent_set_timeouts(bev, MS(20), MS(30));
	bufferevent_enable(bev, BOTH);
	run_until(&probe.events, 2);
	cr_expect_eq(probe.what[0], TIMED_OUT_READING);
	cr_expect_eq(probe.what[1], TIMED_OUT_WRITING);
	bufferevent_free(bev);

	pair_new(under, 0);
	filter = bufferevent_filter_new(under[0], NULL, NULL, thread_option, NULL, NULL);
	cr_assert_not_null(filter);
	watch(filter, &filtered);
	bufferevent_set_timeouts(filter, NULL, MS(20));
	bufferevent_enable(filter, EV_WRITE);
	run_until(&filtered.events, 1);
	cr_expect_eq(filtered.what[0], TIMED_OUT_WRITING);
	bufferevent_free(filter);
	bufferevent_free(under[0]);
	bufferevent_free(under[1]);
}

/* BEV-096 */
Test(bev_timeout, readiness_wins_over_expiry)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_set_timeouts(bev[0], MS(10), NULL);
	bufferevent_enable(bev[0], EV_READ);
	cr_assert_eq(send(bufferevent_getfd(bev[1]), "x", 1, 0), 1);
	usleep(30000); /* so that both are due when the loop looks */
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	cr_expect_str_eq(probe.order, "r");
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}
