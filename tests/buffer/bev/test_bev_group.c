/* SPDX-License-Identifier: BSD-3-Clause */
/* Rate-limit groups. */

#include "bev_test.h"

TestSuite(bev_group, .init = start, .fini = finish, .timeout = 60);

#define MS(n) (&(const struct timeval){ .tv_sec = (n) / 1000, .tv_usec = (n) % 1000 * 1000 })

static struct ev_token_bucket_cfg *cfg;

static struct bufferevent_rate_limit_group *group_new(size_t rate, size_t burst, int tick_ms)
{
	struct bufferevent_rate_limit_group *group;

	cfg = ev_token_bucket_cfg_new(rate, burst, rate, burst, MS(tick_ms));
	cr_assert_not_null(cfg);
	group = bufferevent_rate_limit_group_new(base, cfg);
	cr_assert_not_null(group);
	return group;
}

static void group_free(struct bufferevent_rate_limit_group *group)
{
	bufferevent_rate_limit_group_free(group);
	ev_token_bucket_cfg_free(cfg);
}

static void write_n(struct bufferevent *bev, size_t n)
{
	char *bytes = pattern(n);

	cr_assert_eq(bufferevent_write(bev, bytes, n), 0);
	free(bytes);
}

/* BEV-300, BEV-307 */
Test(bev_group, copies_its_configuration_and_starts_with_one_tick)
{
	struct bufferevent_rate_limit_group *group = group_new(100, 400, 1000);

	ev_token_bucket_cfg_free(cfg);
	cfg = NULL;
	cr_expect_eq(bufferevent_rate_limit_group_get_read_limit(group), 100);
	cr_expect_eq(bufferevent_rate_limit_group_get_write_limit(group), 100);
	cr_expect_eq(bufferevent_rate_limit_group_decrement_read(group, 150), 0);
	cr_expect_eq(bufferevent_rate_limit_group_get_read_limit(group), -50);
	cr_expect_eq(bufferevent_rate_limit_group_decrement_write(group, -1000), 0);
	cr_expect_eq(bufferevent_rate_limit_group_get_write_limit(group), 1100);
	group_free(group);
}

/* BEV-301, BEV-302, BEV-342 */
Test(bev_group, members_join_move_and_leave)
{
	struct bufferevent_rate_limit_group *one = group_new(1000, 1000, 1000), *two;
	struct bufferevent *bev = socket_new(-1, 0);

	two = bufferevent_rate_limit_group_new(base, cfg);
	cr_expect_eq(bufferevent_remove_from_rate_limit_group(bev), 0);
	cr_expect_eq(bufferevent_add_to_rate_limit_group(bev, one), 0);
	cr_expect_eq(bufferevent_add_to_rate_limit_group(bev, one), 0);
	cr_expect_eq(bufferevent_get_max_to_read(bev), 1000);
	bufferevent_rate_limit_group_decrement_read(two, 500);
	cr_expect_eq(bufferevent_add_to_rate_limit_group(bev, two), 0);
	cr_expect_eq(bufferevent_get_max_to_read(bev), 500);
	cr_expect_eq(bufferevent_add_to_rate_limit_group(bev, NULL), 0);
	cr_expect_eq(bufferevent_get_max_to_read(bev), 16384);
	cr_expect_eq(bufferevent_add_to_rate_limit_group(bev, one), 0);
	cr_expect_eq(bufferevent_remove_from_rate_limit_group(bev), 0);
	bufferevent_free(bev);
	bufferevent_rate_limit_group_free(two);
	group_free(one);
}

/* BEV-303, BEV-304, BEV-283 */
Test(bev_group, members_share_with_a_minimum)
{
	struct bufferevent_rate_limit_group *group = group_new(1000, 1000, 1000);
	struct bufferevent *bev[20];

	for (int i = 0; i < 20; i++) {
		bev[i] = socket_new(-1, 0);
		bufferevent_add_to_rate_limit_group(bev[i], group);
		if (i == 4)
			cr_expect_eq(bufferevent_get_max_to_read(bev[0]), 200);
	}
	cr_expect_eq(bufferevent_get_max_to_read(bev[0]), 64, "the minimum by default");
	cr_expect_eq(bufferevent_rate_limit_group_set_min_share(group, 100), 0);
	cr_expect_eq(bufferevent_get_max_to_read(bev[0]), 100);
	cr_expect_eq(bufferevent_rate_limit_group_set_min_share(group, 5000), 0);
	cr_expect_eq(bufferevent_get_max_to_read(bev[0]), 1000, "capped by the rate");
	cr_expect_eq(bufferevent_rate_limit_group_set_min_share(group, 0), 0);
	cr_expect_eq(bufferevent_get_max_to_read(bev[0]), 50);
	cr_expect_eq(
		bufferevent_rate_limit_group_set_min_share(group, (size_t)EV_SSIZE_MAX + 1), -1);
	cr_expect_eq(bufferevent_get_max_to_read(bev[0]), 50);
	for (int i = 0; i < 20; i++)
		bufferevent_free(bev[i]);
	group_free(group);
}

/* BEV-303, BEV-281, BEV-307 */
Test(bev_group, an_empty_bucket_suspends_all_until_refilled)
{
	struct bufferevent_rate_limit_group *group = group_new(100, 100, 2000);
	struct bufferevent *bev[2], *other[2];
	struct probe a = { .drain = 1 }, b = { .drain = 1 };

	linked_new(bev, 0);
	linked_new(other, 0);
	watch(bev[1], &a);
	watch(other[1], &b);
	bufferevent_add_to_rate_limit_group(bev[1], group);
	bufferevent_add_to_rate_limit_group(other[1], group);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_enable(other[1], EV_READ);
	bufferevent_rate_limit_group_decrement_read(group, 100);
	cr_expect_not(event_pending(&other[1]->ev_read, EV_READ, NULL));
	write_n(bev[0], 10);
	write_n(other[0], 10);
	settle();
	cr_expect_eq(a.received + b.received, 0);
	run_until_received(&a, 10);
	run_until_received(&b, 10);
	cr_expect_eq(a.events + b.events, 0);
	bufferevent_rate_limit_group_decrement_read(group, 1000);
	write_n(bev[0], 5);
	settle();
	cr_expect_eq(a.received, 10);
	bufferevent_rate_limit_group_decrement_read(group, -2000);
	settle();
	cr_expect_eq(a.received, 15, "resumed by hand");
	for (int i = 0; i < 2; i++) {
		bufferevent_free(bev[i]);
		bufferevent_free(other[i]);
	}
	group_free(group);
}

/* BEV-302, B23 */
Test(bev_group, leaving_resumes_what_was_held)
{
	struct bufferevent_rate_limit_group *group = group_new(100, 100, 100000);
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_rate_limit_group_decrement_read(group, 200);
	bufferevent_add_to_rate_limit_group(bev[1], group);
	bufferevent_enable(bev[1], EV_READ);
	write_n(bev[0], 10);
	settle();
	cr_expect_eq(probe.received, 0);
	bufferevent_remove_from_rate_limit_group(bev[1]);
	run_until_received(&probe, 10);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
	group_free(group);
}

/* BEV-306 */
Test(bev_group, another_configuration_only_lowers)
{
	struct bufferevent_rate_limit_group *group = group_new(100, 100, 100000);
	struct ev_token_bucket_cfg *less = ev_token_bucket_cfg_new(10, 20, 10, 20, MS(2000));
	struct ev_token_bucket_cfg *more = ev_token_bucket_cfg_new(500, 500, 500, 500, MS(2000));

	cr_expect_eq(bufferevent_rate_limit_group_set_cfg(group, NULL), -1);
	cr_expect_eq(bufferevent_rate_limit_group_set_cfg(NULL, less), -1);
	cr_expect_eq(bufferevent_rate_limit_group_set_cfg(group, less), 0);
	cr_expect_eq(bufferevent_rate_limit_group_get_read_limit(group), 20);
	bufferevent_rate_limit_group_decrement_read(group, 20);
	cr_expect_eq(bufferevent_rate_limit_group_set_cfg(group, more), 0);
	cr_expect_eq(bufferevent_rate_limit_group_get_read_limit(group), 0);
	run_for(2100);
	cr_expect_geq(bufferevent_rate_limit_group_get_read_limit(group), 500,
		      "the new tick counts");
	ev_token_bucket_cfg_free(less);
	ev_token_bucket_cfg_free(more);
	group_free(group);
}

/* BEV-308 */
Test(bev_group, totals_count_both_ways_until_reset)
{
	struct bufferevent_rate_limit_group *group = group_new(100000, 100000, 1000);
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };
	ev_uint64_t in = 1, out = 1;

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_add_to_rate_limit_group(bev[0], group);
	bufferevent_enable(bev[0], EV_READ);
	write_n(bev[0], 30);
	write_n(bev[1], 20);
	settle();
	bufferevent_rate_limit_group_get_totals(group, &in, NULL);
	bufferevent_rate_limit_group_get_totals(group, NULL, &out);
	cr_expect_eq(in, 20);
	cr_expect_eq(out, 30);
	cr_expect_eq(bufferevent_rate_limit_group_get_read_limit(group), 99980);
	bufferevent_rate_limit_group_reset_totals(group);
	bufferevent_rate_limit_group_get_totals(group, &in, &out);
	cr_expect_eq(in + out, 0);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
	group_free(group);
}

/* BEV-309, BEV-342, B23 */
Test(bev_group, freed_it_lets_its_members_go_on)
{
	struct bufferevent_rate_limit_group *group = group_new(100, 100, 100000);
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_add_to_rate_limit_group(bev[0], group);
	bufferevent_add_to_rate_limit_group(bev[1], group);
	bufferevent_rate_limit_group_decrement_read(group, 200);
	bufferevent_rate_limit_group_decrement_write(group, 200);
	bufferevent_enable(bev[1], EV_READ);
	write_n(bev[0], 10);
	settle();
	cr_expect_eq(output_len(bev[0]), 10);
	group_free(group);
	run_until_received(&probe, 10);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-310, BEV-342, B23 */
Test(bev_group, a_freed_member_has_left)
{
	struct bufferevent_rate_limit_group *group = group_new(1000, 1000, 100000);
	struct bufferevent *bev = socket_new(-1, 0), *other = socket_new(-1, 0);

	bufferevent_add_to_rate_limit_group(bev, group);
	bufferevent_add_to_rate_limit_group(other, group);
	bufferevent_incref(bev);
	bufferevent_free(bev);
	cr_expect_eq(bufferevent_get_max_to_read(other), 1000, "it has all for itself");
	bufferevent_free(other);
	group_free(group);
	bufferevent_decref(bev);
}

/* BEV-311 */
Test(bev_group, both_limits_count_and_both_are_charged)
{
	struct bufferevent_rate_limit_group *group = group_new(100, 100, 100000);
	struct ev_token_bucket_cfg *own = ev_token_bucket_cfg_new(30, 30, 300, 300, MS(100000));
	struct bufferevent *bev[2];

	linked_new(bev, 0);
	bufferevent_set_rate_limit(bev[0], own);
	bufferevent_add_to_rate_limit_group(bev[0], group);
	cr_expect_eq(bufferevent_get_max_to_read(bev[0]), 30);
	cr_expect_eq(bufferevent_get_max_to_write(bev[0]), 100);
	cr_expect_eq(bufferevent_get_write_limit(bev[0]), 300, "the group is not included");
	write_n(bev[0], 60);
	settle();
	cr_expect_eq(bufferevent_get_write_limit(bev[0]), 240);
	cr_expect_eq(bufferevent_rate_limit_group_get_write_limit(group), 40);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
	ev_token_bucket_cfg_free(own);
	group_free(group);
}

/* There is enough for one at a time, and each has more to say than will ever be heard. */
static void feed_ten(struct bufferevent_rate_limit_group *group, struct bufferevent *bev[10][2],
		     struct probe probe[10])
{
	for (int i = 0; i < 10; i++) {
		linked_new(bev[i], 0);
		probe[i].drain = 1;
		watch(bev[i][1], &probe[i]);
		bufferevent_add_to_rate_limit_group(bev[i][1], group);
		bufferevent_enable(bev[i][1], EV_READ);
		write_n(bev[i][0], 100000);
	}
}

/* BEV-305 */
Test(bev_group, nobody_starves)
{
	struct bufferevent_rate_limit_group *group = group_new(64, 64, 2);
	struct bufferevent *bev[10][2];
	struct probe probe[10] = { 0 };

	feed_ten(group, bev, probe);
	for (int i = 0; i < 10; i++)
		run_until_received(&probe[i], 200);
	for (int i = 0; i < 10; i++)
		cr_expect_lt(probe[i].received, 2000, "the %dth has had %zu bytes", i,
			     probe[i].received);
	for (int i = 0; i < 10; i++) {
		bufferevent_free(bev[i][0]);
		bufferevent_free(bev[i][1]);
	}
	group_free(group);
}
