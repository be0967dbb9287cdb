/* SPDX-License-Identifier: BSD-3-Clause */
/* Socket bufferevents: making, callbacks, enabling, outcomes of reading and writing, descriptors. */

#include "bev_test.h"

TestSuite(bev_socket, .init = start, .fini = finish, .timeout = 30);

/* BEV-001, BEV-002, BEV-010 */
Test(bev_socket, a_new_one_has_writing_enabled_and_nothing_else)
{
	struct bufferevent *bev = socket_new(-1, 0);
	size_t low = 1, high = 1;

	cr_expect_eq(bufferevent_get_enabled(bev), EV_WRITE);
	for (short dir = EV_READ; dir <= EV_WRITE; dir += EV_WRITE - EV_READ) {
		cr_expect_eq(bufferevent_getwatermark(bev, dir, &low, &high), 0);
		cr_expect_eq(low, 0);
		cr_expect_eq(high, 0);
	}
	cr_expect_eq(bufferevent_getfd(bev), -1);
	cr_expect_null(bufferevent_get_token_bucket_cfg(bev));
	cr_expect_eq(bufferevent_get_base(bev), base);
	cr_expect_not_null(bufferevent_get_input(bev));
	cr_expect_not_null(bufferevent_get_output(bev));
	cr_expect_null(bufferevent_get_underlying(bev));
	bufferevent_free(bev);
}

/* BEV-122, BEV-165, BEV-060 */
Test(bev_socket, bytes_go_across)
{
	struct bufferevent *bev[2];
	struct probe a = { 0 }, b = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[0], &a);
	watch(bev[1], &b);
	cr_assert_eq(bufferevent_enable(bev[1], EV_READ), 0);
	cr_assert_eq(bufferevent_write(bev[0], "hello", 5), 0);
	run_until_received(&b, 5);
	cr_expect_arr_eq(b.data, "hello", 5);
	cr_expect_eq(b.reads, 1);
	cr_expect_eq(a.writes, 1);
	cr_expect_eq(a.events + b.events, 0);
	bufferevent_free(bev[0]);
	run_until(&b.events, 1);
	cr_expect_eq(b.what[0], BEV_EVENT_READING | BEV_EVENT_EOF);
	bufferevent_free(bev[1]);
}
