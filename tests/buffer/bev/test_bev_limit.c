/* SPDX-License-Identifier: BSD-3-Clause */
/* Rate limits of single bufferevents. */

#include "bev_test.h"

#include <limits.h>

TestSuite(bev_limit, .init = start, .fini = finish, .timeout = 60);

#define MS(n) (&(const struct timeval){ .tv_sec = (n) / 1000, .tv_usec = (n) % 1000 * 1000 })

static struct ev_token_bucket_cfg *cfg_new(size_t rate, size_t burst, int tick_ms)
{
	struct ev_token_bucket_cfg *cfg =
		ev_token_bucket_cfg_new(rate, burst, rate, burst, MS(tick_ms));

	cr_assert_not_null(cfg);
	return cfg;
}

static void write_n(struct bufferevent *bev, size_t n)
{
	char *bytes = pattern(n);

	cr_assert_eq(bufferevent_write(bev, bytes, n), 0);
	free(bytes);
}

/* BEV-275, B22 */
Test(bev_limit, bad_configurations_are_refused)
{
	const size_t max = EV_RATE_LIMIT_MAX;
	struct ev_token_bucket_cfg *cfg;

	cr_expect_null(ev_token_bucket_cfg_new(0, 1, 1, 1, NULL));
	cr_expect_null(ev_token_bucket_cfg_new(1, 1, 0, 1, NULL));
	cr_expect_null(ev_token_bucket_cfg_new(2, 1, 1, 1, NULL));
	cr_expect_null(ev_token_bucket_cfg_new(1, 1, 2, 1, NULL));
	cr_expect_null(ev_token_bucket_cfg_new(1, max + 1, 1, 1, NULL));
	cr_expect_null(ev_token_bucket_cfg_new(1, 1, 1, SIZE_MAX, NULL));
	cfg = ev_token_bucket_cfg_new(max, max, max, max, NULL);
	cr_expect_not_null(cfg);
	ev_token_bucket_cfg_free(cfg);
}

/* BEV-276, BEV-333, B22 */
Test(bev_limit, ticks_out_of_range_are_refused)
{
	const struct timeval bad[] = { { 0, 0 },   { 0, 999 },  { -1, 0 },
				       { 0, -1 },  { INT_MAX / 1000 + 1, 0 }, { 1, 1000000 } };
	const struct timeval good[] = { { 0, 1000 }, { 0, 1999 }, { INT_MAX / 1000, 0 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_null(ev_token_bucket_cfg_new(1, 1, 1, 1, &bad[i]), "%zu", i);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct ev_token_bucket_cfg *cfg = ev_token_bucket_cfg_new(1, 1, 1, 1, &good[i]);

		cr_expect_not_null(cfg, "%zu", i);
		ev_token_bucket_cfg_free(cfg);
	}
}

/* BEV-277, BEV-278, BEV-282, BEV-287 */
Test(bev_limit, a_new_limit_starts_with_one_tick)
{
	struct ev_token_bucket_cfg *cfg = ev_token_bucket_cfg_new(10, 100, 20, 200, NULL);
	struct bufferevent *bev = socket_new(-1, 0), *other = socket_new(-1, 0);

	cr_expect_null(bufferevent_get_token_bucket_cfg(bev));
	cr_expect_eq(bufferevent_set_rate_limit(bev, NULL), 0);
	cr_expect_eq(bufferevent_set_rate_limit(bev, cfg), 0);
	cr_expect_eq(bufferevent_set_rate_limit(other, cfg), 0);
	cr_expect_eq(bufferevent_get_token_bucket_cfg(bev), cfg);
	cr_expect_eq(bufferevent_get_read_limit(bev), 10);
	cr_expect_eq(bufferevent_get_write_limit(bev), 20);
	bufferevent_decrement_read_limit(bev, 3);
	cr_expect_eq(bufferevent_set_rate_limit(bev, cfg), 0);
	cr_expect_eq(bufferevent_get_read_limit(bev), 7, "the same again changes nothing");
	cr_expect_eq(bufferevent_get_read_limit(other), 10);
	cr_expect_eq(bufferevent_set_rate_limit(bev, NULL), 0);
	cr_expect_eq(bufferevent_get_read_limit(bev), EV_SSIZE_MAX);
	cr_expect_null(bufferevent_get_token_bucket_cfg(bev));
	bufferevent_free(bev);
	bufferevent_free(other);
	ev_token_bucket_cfg_free(cfg);
}

/*
 * What 10 at first and 10 a tick of 20 ms come to, up to 25; at the least after `ms`, or at the
 * most.
 */
static ev_ssize_t filled_after(double ms, int at_most)
{
	int ticks = ms > 0 ? (int)(ms / 20) + at_most : at_most;

	return ticks < 2 ? 10 + 10 * ticks : 25;
}

/* BEV-278, BEV-291, BEV-346 */
Test(bev_limit, every_tick_adds_the_rate_up_to_the_burst)
{
	struct ev_token_bucket_cfg *cfg = cfg_new(10, 25, 20);
	struct bufferevent *bev = socket_new(-1, 0);
	double before = support_now_ms(), since, now;

	bufferevent_set_rate_limit(bev, cfg);
	since = support_now_ms();
	for (int i = 0; i < 3; i++) {
		ev_ssize_t limit;

		now = support_now_ms();
		limit = bufferevent_get_read_limit(bev);
		cr_expect_geq(limit, filled_after(now - since, 0));
		cr_expect_leq(limit, filled_after(support_now_ms() - before, 1));
		run_for(22);
	}
	run_for(100);
	cr_expect_eq(bufferevent_get_read_limit(bev), 25);
	bufferevent_free(bev);
	ev_token_bucket_cfg_free(cfg);
}

/* BEV-279 */
Test(bev_limit, another_configuration_only_lowers)
{
	struct ev_token_bucket_cfg *small = cfg_new(5, 8, 1000), *big = cfg_new(100, 200, 1000);
	struct bufferevent *bev = socket_new(-1, 0);

	bufferevent_set_rate_limit(bev, small);
	bufferevent_set_rate_limit(bev, big);
	cr_expect_eq(bufferevent_get_read_limit(bev), 5);
	bufferevent_decrement_read_limit(bev, -50);
	cr_expect_eq(bufferevent_get_read_limit(bev), 55);
	bufferevent_set_rate_limit(bev, small);
	cr_expect_eq(bufferevent_get_read_limit(bev), 8);
	bufferevent_free(bev);
	ev_token_bucket_cfg_free(small);
	ev_token_bucket_cfg_free(big);
}

/* BEV-280, BEV-289, BEV-290, BEV-092 */
Test(bev_limit, an_empty_bucket_suspends_both_ways)
{
	struct ev_token_bucket_cfg *cfg = cfg_new(10, 10, 1500);
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_set_timeouts(bev[0], MS(1200), MS(1200));
	bufferevent_set_rate_limit(bev[0], cfg);
	bufferevent_enable(bev[0], EV_READ);
	bufferevent_enable(bev[1], EV_READ);
	write_n(bev[1], 25);
	write_n(bev[0], 25);
	settle();
	cr_expect_eq(probe.received, 10);
	cr_expect_eq(input_len(bev[1]), 10);
	cr_expect_eq(bufferevent_get_enabled(bev[0]), BOTH);
	cr_expect_eq(bufferevent_get_read_limit(bev[0]), 0);
	cr_expect_not(event_pending(&bev[0]->ev_read, EV_READ | EV_TIMEOUT, NULL));
	run_until_received(&probe, 25);
	cr_expect_eq(probe.max_input, 10);
	run_until(&probe.writes, 1);
	settle();
	cr_expect_eq(input_len(bev[1]), 25);
	bufferevent_set_timeouts(bev[0], NULL, NULL);
	cr_expect_eq(probe.events, 0);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
	ev_token_bucket_cfg_free(cfg);
}

/* BEV-281, BEV-111, BEV-342 */
Test(bev_limit, no_allowance_is_neither_end_nor_error)
{
	struct ev_token_bucket_cfg *cfg = cfg_new(10, 10, 2000);
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_set_rate_limit(bev[0], cfg);
	bufferevent_decrement_read_limit(bev[0], 15);
	bufferevent_decrement_write_limit(bev[0], 15);
	cr_expect_eq(bufferevent_get_read_limit(bev[0]), -5);
	bufferevent_enable(bev[0], BOTH);
	write_n(bev[1], 5);
	write_n(bev[0], 5);
	settle();
	cr_expect_eq(probe.n_order, 0);
	run_until_received(&probe, 5);
	run_until(&probe.writes, 1);
	cr_expect_eq(probe.events, 0);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
	ev_token_bucket_cfg_free(cfg);
}

/* BEV-283, BEV-284 */
Test(bev_limit, what_would_move_now_is_the_least_of_all)
{
	struct ev_token_bucket_cfg *cfg = cfg_new(1000, 1000, 1000);
	struct bufferevent *bev = socket_new(-1, 0);

	cr_expect_eq(bufferevent_get_max_to_read(bev), 16384);
	cr_expect_eq(bufferevent_get_max_to_write(bev), 16384);
	bufferevent_set_rate_limit(bev, cfg);
	cr_expect_eq(bufferevent_get_max_to_read(bev), 1000);
	cr_expect_eq(bufferevent_get_max_to_write(bev), 1000);
	bufferevent_set_max_single_read(bev, 100);
	bufferevent_set_max_single_write(bev, 200);
	cr_expect_eq(bufferevent_get_max_to_read(bev), 100);
	cr_expect_eq(bufferevent_get_max_to_write(bev), 200);
	bufferevent_decrement_read_limit(bev, 5000);
	cr_expect_eq(bufferevent_get_max_to_read(bev), 0);
	bufferevent_free(bev);
	ev_token_bucket_cfg_free(cfg);
}

/* BEV-285 */
Test(bev_limit, decrementing_by_hand_suspends_and_resumes)
{
	struct ev_token_bucket_cfg *cfg = cfg_new(100, 100, 100000);
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_set_rate_limit(bev[0], cfg);
	bufferevent_enable(bev[0], EV_READ);
	cr_expect_eq(bufferevent_decrement_read_limit(bev[0], 100), 0);
	write_n(bev[1], 10);
	settle();
	cr_expect_eq(probe.received, 0);
	cr_expect_eq(bufferevent_decrement_read_limit(bev[0], -1000), 0);
	cr_expect_eq(bufferevent_get_read_limit(bev[0]), 1000, "even beyond the burst");
	run_until_received(&probe, 10);
	cr_expect_eq(bufferevent_decrement_write_limit(bev[0], EV_SSIZE_MAX), 0);
	cr_expect_eq(bufferevent_decrement_write_limit(bev[0], EV_SSIZE_MAX), 0);
	cr_expect_lt(bufferevent_get_write_limit(bev[0]), 0, "it does not wrap");
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
	ev_token_bucket_cfg_free(cfg);
}

/* BEV-286, BEV-342 */
Test(bev_limit, decrementing_needs_a_limit)
{
	struct bufferevent *bev = socket_new(-1, 0);

	cr_expect_eq(bufferevent_decrement_read_limit(bev, 1), -1);
	cr_expect_eq(bufferevent_decrement_write_limit(bev, 1), -1);
	bufferevent_free(bev);
}

/* BEV-288, BEV-341 */
Test(bev_limit, removing_it_resumes_at_once_without_a_spurious_callback)
{
	struct ev_token_bucket_cfg *cfg = cfg_new(10, 10, 100000);
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_set_rate_limit(bev[0], cfg);
	bufferevent_enable(bev[0], EV_READ);
	write_n(bev[0], 10);
	write_n(bev[1], 20);
	settle();
	cr_expect_eq(probe.writes, 1);
	cr_expect_eq(probe.received, 10);
	bufferevent_set_rate_limit(bev[0], NULL);
	run_until_received(&probe, 20);
	settle();
	cr_expect_eq(probe.writes, 1);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
	ev_token_bucket_cfg_free(cfg);
}

/* BEV-312 */
Test(bev_limit, over_many_ticks_the_rate_holds)
{
	struct ev_token_bucket_cfg *cfg = cfg_new(1000, 2000, 10);
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };
	double began = support_now_ms(), took;

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_set_rate_limit(bev[0], cfg);
	bufferevent_enable(bev[1], EV_READ);
	write_n(bev[0], 30000);
	run_until_received(&probe, 30000);
	took = support_now_ms() - began;
	cr_expect_geq(took, 275.0, "at most a burst ahead; took %.0f ms", took);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
	ev_token_bucket_cfg_free(cfg);
}
