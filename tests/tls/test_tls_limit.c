/* SPDX-License-Identifier: BSD-3-Clause */
/* Rate limits of TLS bufferevents: they count what goes over the transport, and strand nothing. */

#include "tls_test.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tls_pair pair;

static struct ev_token_bucket_cfg *limit_of(size_t rate, int tick_ms)
{
	struct timeval tick = { tick_ms / 1000, tick_ms % 1000 * 1000 };

	return ev_token_bucket_cfg_new(rate, rate, rate, rate, &tick);
}

/* Moves all there is; the bytes that came from each side are added up. */
static void move_counting(size_t moved[2])
{
	for (int quiet = 0; quiet < 5; quiet++) {
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
		for (int from = 0; from < 2; from++) {
			size_t n = tls_wire_move(&pair, from, SIZE_MAX);

			moved[from] += n;
			quiet = n > 0 ? 0 : quiet;
		}
	}
}

/* TLS-145, TLS-178 */
Test(tls_limit, every_byte_of_the_transport_counts, .timeout = 120)
{
	const ev_ssize_t start = 1000000;
	struct ev_token_bucket_cfg *limit = limit_of((size_t)start, 3600000);

	for (int is_filter = 0; is_filter < 2; is_filter++) {
		size_t moved[2] = { 0, 0 };

		tls_wire_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_set_rate_limit(pair.server.bev, limit);
		bufferevent_set_rate_limit(pair.client.bev, limit);
		move_counting(moved);
		cr_assert_eq(pair.client.connected, 1);
		tls_write_pattern(pair.client.bev, 12345);
		tls_write_pattern(pair.server.bev, 1000);
		move_counting(moved);
		cr_assert_gt(moved[0], 12345);
		cr_assert_gt(moved[1], 1000);
		cr_assert_eq(bufferevent_get_write_limit(pair.client.bev),
			     start - (ev_ssize_t)moved[0]);
		cr_assert_eq(bufferevent_get_read_limit(pair.server.bev),
			     start - (ev_ssize_t)moved[0]);
		cr_assert_eq(bufferevent_get_write_limit(pair.server.bev),
			     start - (ev_ssize_t)moved[1]);
		cr_assert_eq(bufferevent_get_read_limit(pair.client.bev),
			     start - (ev_ssize_t)moved[1]);
		tls_pair_fini(&pair);
	}
	ev_token_bucket_cfg_free(limit);
}

static void check_slow(struct bufferevent *limited, struct ev_token_bucket_cfg *limit)
{
	double started = support_now_ms();

	cr_assert_eq(bufferevent_set_rate_limit(limited, limit), 0);
	tls_write_pattern(pair.client.bev, 20000);
	tls_pair_receive(&pair, &pair.server, 20000);
	/* 20 ticks of 10 ms bring it; the first bytes and the last record wait for none */
	cr_assert_gt(support_now_ms() - started, 30);
	tls_check_pattern(pair.server.bev, 20000);
}

/* TLS-146, TLS-147, TLS-150, TLS-178, TLS-200, TLS-208 */
Test(tls_limit, it_slows_down_and_strands_nothing, .timeout = 120)
{
	struct ev_token_bucket_cfg *limit = limit_of(1000, 10);

	for (int i = 0; i < 4; i++) {
		tls_pair_init(&pair, i & 1, BEV_OPT_CLOSE_ON_FREE);
		tls_pair_connect(&pair);
		check_slow(i & 2 ? pair.client.bev : pair.server.bev, limit);
		tls_pair_fini(&pair);
	}
	for (int i = 0; i < 2; i++) {
		tls_pair_init(&pair, 1, BEV_OPT_CLOSE_ON_FREE);
		tls_pair_connect(&pair);
		check_slow(i & 1 ? pair.client.below : pair.server.below, limit);
		tls_pair_fini(&pair);
	}
	ev_token_bucket_cfg_free(limit);
}

/* TLS-146: over a hundred ticks no more than one record is read ahead of the rate. */
Test(tls_limit, the_average_holds, .timeout = 120)
{
	struct ev_token_bucket_cfg *limit = limit_of(2000, 5);
	double started;

	tls_pair_init(&pair, 0, BEV_OPT_CLOSE_ON_FREE);
	tls_pair_connect(&pair);
	cr_assert_eq(bufferevent_set_rate_limit(pair.server.bev, limit), 0);
	tls_write_pattern(pair.client.bev, 100000);
	started = support_now_ms();
	tls_pair_receive(&pair, &pair.server, 100000);
	cr_assert_gt(support_now_ms() - started, (100000 - 2000 - 2 * 16384) / 2000 * 5);
	tls_pair_fini(&pair);
	ev_token_bucket_cfg_free(limit);
}

/* TLS-148 */
Test(tls_limit, a_write_is_split_at_the_allowance, .timeout = 120)
{
	struct ev_token_bucket_cfg *limit = limit_of(1000, 3600000);

	for (int is_filter = 0; is_filter < 2; is_filter++) {
		size_t moved[2] = { 0, 0 };

		tls_wire_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		tls_wire_connect(&pair);
		bufferevent_set_rate_limit(pair.client.bev, limit);
		tls_write_pattern(pair.client.bev, 5000);
		move_counting(moved);
		cr_assert_geq(moved[0], 1000);
		cr_assert_lt(moved[0], 1200); /* and what the record itself needs */
		bufferevent_set_rate_limit(pair.client.bev, NULL);
		move_counting(moved);
		tls_check_pattern(pair.server.bev, 5000);
		tls_pair_fini(&pair);
	}
	ev_token_bucket_cfg_free(limit);
}

#define MEMBERS 8

/* TLS-149 */
Test(tls_limit, members_wait_for_their_share_of_little, .timeout = 120)
{
	struct ev_token_bucket_cfg *limit = limit_of(3, 1);
	struct bufferevent_rate_limit_group *group;
	struct tls_pair pairs[MEMBERS];

	for (int i = 0; i < MEMBERS; i++) {
		tls_pair_init(&pairs[i], i & 1, BEV_OPT_CLOSE_ON_FREE);
		tls_pair_connect(&pairs[i]);
	}
	for (int i = 1; i < MEMBERS; i += 1)
		bufferevent_write(pairs[i].client.bev, "some bytes", 10);
	group = bufferevent_rate_limit_group_new(pairs[0].base, limit);
	cr_assert_not_null(group);
	cr_assert_eq(bufferevent_rate_limit_group_set_min_share(group, 1), 0);
	bufferevent_write(pairs[0].client.bev, "some bytes", 10);
	cr_assert_eq(bufferevent_add_to_rate_limit_group(pairs[0].server.bev, group), 0);
	cr_assert_eq(bufferevent_add_to_rate_limit_group(pairs[0].client.bev, group), 0);
	tls_pair_receive(&pairs[0], &pairs[0].server, 10);
	cr_assert_eq(bufferevent_remove_from_rate_limit_group(pairs[0].server.bev), 0);
	for (int i = 0; i < MEMBERS; i++)
		if (i > 0)
			tls_pair_fini(&pairs[i]);
	bufferevent_free(pairs[0].client.bev); /* while it is in the group */
	pairs[0].client.bev = NULL;
	bufferevent_rate_limit_group_free(group);
	tls_pair_fini(&pairs[0]);
	ev_token_bucket_cfg_free(limit);
}

/* TLS-150, TLS-205, T16: a limited server, and clients that reset at every stage. */
Test(tls_limit, clients_that_reset_leave_nothing_behind, .timeout = 120)
{
	struct ev_token_bucket_cfg *limit = limit_of(500, 1);

	for (size_t cut = 0; cut < 1500; cut += 67) {
		size_t moved = 0;
		double end = support_now_ms() + TLS_TEST_WAIT_MS;

		tls_wire_init(&pair, cut & 1, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_set_rate_limit(pair.server.bev, limit);
		bufferevent_write(pair.client.bev, "request", 7);
		while (moved < cut && support_now_ms() < end) {
			size_t n;

			event_base_loop(pair.base, EVLOOP_NONBLOCK);
			n = tls_wire_move(&pair, 0, cut - moved);
			n += tls_wire_move(&pair, 1, SIZE_MAX) > 0;
			moved += n;
			if (n == 0 && pair.server.connected)
				break;
		}
		close(pair.wire[1]);
		pair.wire[1] = -1;
		support_run_until(pair.base, &pair.server.is_ended, TLS_TEST_WAIT_MS);
		cr_assert_eq(pair.server.events, 1);
		tls_pair_fini(&pair);
	}
	ev_token_bucket_cfg_free(limit);
}
