/* SPDX-License-Identifier: BSD-3-Clause */
/* Pairs. */

#include "bev_test.h"

TestSuite(bev_pair, .init = start, .fini = finish, .timeout = 60);

static void free_both(struct bufferevent *bev[2])
{
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-230, BEV-002 */
Test(bev_pair, callbacks_are_always_deferred)
{
	struct bufferevent *bev[2];
	struct probe a = { 0 }, b = { .drain = 1 };

	pair_new(bev, BEV_OPT_CLOSE_ON_FREE);
	cr_expect_eq(bufferevent_get_enabled(bev[0]), EV_WRITE);
	cr_expect_eq(bufferevent_get_enabled(bev[1]), EV_WRITE);
	watch(bev[0], &a);
	watch(bev[1], &b);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "hello", 5);
	cr_expect_eq(a.n_order + b.n_order, 0);
	cr_expect_eq(input_len(bev[1]), 5);
	settle();
	cr_expect_arr_eq(b.data, "hello", 5);
	cr_expect_str_eq(a.order, "w");
	cr_expect_str_eq(b.order, "r");
	free_both(bev);
}

/* BEV-231, BEV-234 */
Test(bev_pair, bytes_move_as_soon_as_both_sides_allow)
{
	struct bufferevent *bev[2];

	pair_new(bev, 0);
	bufferevent_write(bev[0], "abc", 3);
	cr_expect_eq(output_len(bev[0]), 3, "the other does not read");
	bufferevent_enable(bev[1], EV_READ);
	cr_expect_eq(output_len(bev[0]), 0);
	cr_expect_eq(input_len(bev[1]), 3);
	bufferevent_disable(bev[0], EV_WRITE);
	bufferevent_write(bev[0], "def", 3);
	bufferevent_write(bev[0], "ghi", 3);
	cr_expect_eq(input_len(bev[1]), 3);
	bufferevent_enable(bev[0], EV_WRITE);
	cr_expect_eq(input_len(bev[1]), 9);
	cr_expect_eq(memcmp(evbuffer_pullup(bufferevent_get_input(bev[1]), -1), "abcdefghi", 9), 0);
	free_both(bev);
}

/* BEV-232 */
Test(bev_pair, a_move_tells_both_if_their_marks_allow)
{
	struct bufferevent *bev[2];
	struct probe a = { 0 }, b = { 0 };

	pair_new(bev, 0);
	watch(bev[0], &a);
	watch(bev[1], &b);
	bufferevent_setwatermark(bev[1], EV_READ, 5, 0);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "abc", 3);
	settle();
	cr_expect_eq(a.writes, 1);
	cr_expect_eq(b.reads, 0);
	bufferevent_write(bev[0], "de", 2);
	settle();
	cr_expect_eq(a.writes, 2);
	cr_expect_eq(b.reads, 1);
	free_both(bev);
}

/* BEV-233 */
Test(bev_pair, moving_stops_at_the_high_mark)
{
	struct bufferevent *bev[2];
	struct probe a = { 0 };

	pair_new(bev, 0);
	watch(bev[0], &a);
	bufferevent_setwatermark(bev[1], EV_READ, 0, 10);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "0123456789abcdefghij", 20);
	cr_expect_eq(input_len(bev[1]), 10);
	cr_expect_eq(output_len(bev[0]), 10);
	settle();
	cr_expect_eq(a.writes, 0);
	evbuffer_drain(bufferevent_get_input(bev[1]), 4);
	cr_expect_eq(input_len(bev[1]), 10);
	evbuffer_drain(bufferevent_get_input(bev[1]), 10);
	cr_expect_eq(input_len(bev[1]), 6);
	cr_expect_eq(output_len(bev[0]), 0);
	settle();
	cr_expect_eq(a.writes, 1);
	free_both(bev);
}

/* BEV-235, BEV-237 */
Test(bev_pair, flushing_ignores_marks_and_what_is_enabled)
{
	struct bufferevent *bev[2];
	struct probe a = { 0 }, b = { 0 };

	pair_new(bev, 0);
	watch(bev[0], &a);
	watch(bev[1], &b);
	bufferevent_setwatermark(bev[1], EV_READ, 0, 1);
	bufferevent_disable(bev[0], EV_WRITE);
	bufferevent_write(bev[0], "abc", 3);
	bufferevent_write(bev[1], "xy", 2);
	cr_expect_eq(bufferevent_flush(bev[0], BOTH, BEV_NORMAL), 0);
	cr_expect_eq(input_len(bev[1]), 0);
	cr_expect_eq(bufferevent_flush(bev[0], EV_WRITE, BEV_FLUSH), 0);
	cr_expect_eq(input_len(bev[1]), 3);
	cr_expect_eq(input_len(bev[0]), 0);
	cr_expect_eq(bufferevent_flush(bev[0], EV_READ, BEV_FLUSH), 0);
	cr_expect_eq(input_len(bev[0]), 2);
	settle();
	cr_expect_str_eq(b.order, "rw");
	a.n_order = b.n_order = 0;
	cr_expect_eq(bufferevent_flush(bev[0], BOTH, BEV_FLUSH), 0);
	settle();
	cr_expect_eq(a.n_order + b.n_order, 0, "nothing moved");
	free_both(bev);
}

/* BEV-236 */
Test(bev_pair, finishing_tells_the_partner)
{
	struct bufferevent *bev[2];
	struct probe a = { 0 }, b = { 0 };

	pair_new(bev, 0);
	watch(bev[0], &a);
	watch(bev[1], &b);
	bufferevent_write(bev[0], "abc", 3);
	cr_expect_eq(bufferevent_flush(bev[0], EV_WRITE, BEV_FINISHED), 0);
	settle();
	cr_expect_str_eq(b.order, "re");
	cr_expect_eq(b.what[0], BEV_EVENT_EOF | BEV_EVENT_READING);
	cr_expect_eq(a.events, 0);
	cr_expect_eq(bufferevent_get_enabled(bev[1]), EV_WRITE);
	bufferevent_flush(bev[0], EV_READ, BEV_FINISHED);
	settle();
	cr_expect_eq(b.what[1], BEV_EVENT_EOF | BEV_EVENT_WRITING);
	free_both(bev);
}

/* BEV-238, BEV-239, BEV-240, BEV-346 */
Test(bev_pair, the_survivor_keeps_what_it_has)
{
	struct bufferevent *bev[2];
	struct probe b = { .drain = 1 };

	pair_new(bev, 0);
	watch(bev[1], &b);
	cr_expect_eq(bufferevent_pair_get_partner(bev[0]), bev[1]);
	cr_expect_eq(bufferevent_pair_get_partner(bev[1]), bev[0]);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "abc", 3);
	bufferevent_free(bev[0]);
	cr_expect_null(bufferevent_pair_get_partner(bev[1]));
	settle();
	cr_expect_eq(b.received, 3);
	cr_expect_eq(b.events, 0);
	cr_expect_eq(bufferevent_write(bev[1], "xyz", 3), 0);
	settle();
	cr_expect_eq(output_len(bev[1]), 3);
	cr_expect_eq(bufferevent_flush(bev[1], EV_WRITE, BEV_FLUSH), -1);
	bufferevent_free(bev[1]);
}

/* BEV-241 */
Test(bev_pair, both_are_freed_in_either_order)
{
	struct bufferevent *bev[2];

	for (int first = 0; first < 2; first++) {
		pair_new(bev, 0);
		bufferevent_enable(bev[1], EV_READ);
		bufferevent_write(bev[0], "x", 1);
		bufferevent_free(bev[first]);
		bufferevent_free(bev[!first]);
	}
}

/* BEV-242, BEV-137, BEV-216, BEV-215 */
Test(bev_pair, has_no_descriptor)
{
	struct bufferevent *bev[2];
	struct sockaddr_in sin = { .sin_family = AF_INET };

	pair_new(bev, 0);
	cr_expect_eq(bufferevent_getfd(bev[0]), -1);
	cr_expect_null(bufferevent_get_underlying(bev[0]));
	cr_expect_eq(bufferevent_setfd(bev[0], 0), -1);
	cr_expect_eq(bufferevent_setfd(bev[0], -1), -1);
	cr_expect_eq(bufferevent_priority_set(bev[0], 0), -1);
	cr_expect_eq(bufferevent_base_set(base, bev[0]), -1);
	cr_expect_eq(bufferevent_socket_connect(bev[0], (struct sockaddr *)&sin, sizeof(sin)), -1);
	cr_expect_eq(bufferevent_socket_connect_hostname(bev[0], NULL, AF_INET, "localhost", 1),
		     -1);
	free_both(bev);
}

/* BEV-243 */
Test(bev_pair, limits_do_not_apply)
{
	struct ev_token_bucket_cfg *cfg = ev_token_bucket_cfg_new(1, 1, 1, 1, NULL);
	struct bufferevent_rate_limit_group *group = bufferevent_rate_limit_group_new(base, cfg);
	struct bufferevent *bev[2];

	pair_new(bev, 0);
	bufferevent_set_max_single_read(bev[1], 1);
	bufferevent_set_max_single_write(bev[0], 1);
	cr_expect_eq(bufferevent_set_rate_limit(bev[0], cfg), 0);
	cr_expect_eq(bufferevent_add_to_rate_limit_group(bev[1], group), 0);
	bufferevent_decrement_write_limit(bev[0], 100);
	bufferevent_rate_limit_group_decrement_read(group, 100);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "0123456789", 10);
	cr_expect_eq(input_len(bev[1]), 10);
	free_both(bev);
	bufferevent_rate_limit_group_free(group);
	ev_token_bucket_cfg_free(cfg);
}

/* BEV-171 */
Test(bev_pair, file_content_arrives_as_bytes)
{
	char name[] = "/tmp/bev_pair_XXXXXX", *bytes = pattern(50000);
	struct bufferevent *bev[2];
	int file = mkstemp(name);

	cr_assert_geq(file, 0);
	unlink(name);
	cr_assert_eq(write(file, bytes, 50000), 50000);
	pair_new(bev, 0);
	bufferevent_enable(bev[1], EV_READ);
	cr_assert_eq(evbuffer_add_file(bufferevent_get_output(bev[0]), file, 0, 50000), 0);
	cr_assert_eq(input_len(bev[1]), 50000);
	cr_expect_eq(memcmp(evbuffer_pullup(bufferevent_get_input(bev[1]), -1), bytes, 50000), 0);
	free(bytes);
	free_both(bev);
}

/* BEV-347, BEV-045 */
Test(bev_pair, the_write_callback_comes_when_all_has_moved)
{
	struct bufferevent *bev[2];
	struct probe a = { 0 };

	pair_new(bev, 0);
	watch(bev[0], &a);
	bufferevent_write(bev[0], "abc", 3);
	settle();
	cr_expect_eq(a.writes, 0);
	bufferevent_enable(bev[1], EV_READ);
	settle();
	cr_expect_eq(a.writes, 1);
	cr_expect_eq(output_len(bev[0]), 0);
	free_both(bev);
}

/* BEV-009 */
Test(bev_pair, may_have_unlocked_callbacks)
{
	struct bufferevent *bev[2];
	struct probe b = { .drain = 1, .free_at = 'r' };

	pair_new(bev, BEV_OPT_DEFER_CALLBACKS | BEV_OPT_UNLOCK_CALLBACKS);
	watch(bev[1], &b);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "x", 1);
	settle();
	cr_expect_eq(b.received, 1);
	cr_expect_null(bufferevent_pair_get_partner(bev[0]));
	bufferevent_free(bev[0]);
}
