/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes through TLS bufferevents: marks, limits, batching, nothing stranded. */

#include "tls_test.h"

#include <string.h>

static struct tls_pair pair;

static void start(int is_filter, int options)
{
	tls_pair_init(&pair, is_filter, options | BEV_OPT_CLOSE_ON_FREE);
	tls_pair_connect(&pair);
}

static void write_pattern(struct bufferevent *bev, size_t len)
{
	struct evbuffer *data = evbuffer_new();

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)(i * 7 % 251);

		evbuffer_add(data, &c, 1);
	}
	cr_assert_eq(bufferevent_write_buffer(bev, data), 0);
	evbuffer_free(data);
}

static void check_pattern(struct bufferevent *bev, size_t len)
{
	const unsigned char *data = evbuffer_pullup(bufferevent_get_input(bev), -1);

	cr_assert_eq(evbuffer_get_length(bufferevent_get_input(bev)), len);
	for (size_t i = 0; i < len; i++) {
		if (data[i] != i * 7 % 251)
			cr_assert_fail("byte %zu differs", i);
	}
}

/* TLS-055, TLS-063, TLS-070, TLS-073, TLS-074 */
Test(tls_data, a_megabyte_arrives_whole, .timeout = 60)
{
	for (int i = 0; i < 4; i++) {
		start(i & 1, i & 2 ? BEV_OPT_DEFER_CALLBACKS : 0);
		write_pattern(pair.client.bev, 1 << 20);
		write_pattern(pair.server.bev, 1 << 19);
		tls_pair_receive(&pair, &pair.server, 1 << 20);
		tls_pair_receive(&pair, &pair.client, 1 << 19);
		check_pattern(pair.server.bev, 1 << 20);
		check_pattern(pair.client.bev, 1 << 19);
		tls_pair_fini(&pair);
	}
}

/* TLS-033, TLS-034 */
Test(tls_data, what_was_queued_before_goes_after_the_handshake, .timeout = 30)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_write(pair.client.bev, "early", 5);
		bufferevent_write(pair.server.bev, "early", 5);
		tls_pair_receive(&pair, &pair.server, 5);
		tls_pair_receive(&pair, &pair.client, 5);
		cr_assert_eq(pair.client.connected, 1);
		tls_pair_fini(&pair);
	}
}

struct taker {
	size_t total, piece;
	int is_done;
	size_t wanted;
};

static void take_piece(struct bufferevent *bev, void *arg)
{
	struct taker *taker = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(input);

	if (len > taker->piece)
		len = taker->piece;
	evbuffer_drain(input, len);
	taker->total += len;
	taker->is_done = taker->total + evbuffer_get_length(input) >= taker->wanted;
	event_base_loopbreak(bufferevent_get_base(bev));
}

static void ignore_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	(void)arg;
}

/* TLS-056, TLS-057, TLS-058, TLS-059 */
Test(tls_data, a_high_mark_strands_nothing, .timeout = 60)
{
	for (int i = 0; i < 4; i++) {
		struct taker taker = { 0, 512, 0, 40 << 10 };

		start(i & 1, i & 2 ? BEV_OPT_DEFER_CALLBACKS : 0);
		bufferevent_setcb(pair.server.bev, take_piece, NULL, ignore_event, &taker);
		bufferevent_setwatermark(pair.server.bev, EV_READ, 0, 5 << 10);
		write_pattern(pair.client.bev, 40 << 10);
		support_run_until(pair.base, &taker.is_done, TLS_TEST_WAIT_MS);
		tls_pair_fini(&pair);
	}
}

/* TLS-057 */
Test(tls_data, draining_later_goes_on_with_the_record, .timeout = 60)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		size_t total = 0;

		start(is_filter, 0);
		bufferevent_setwatermark(pair.server.bev, EV_READ, 0, 10);
		write_pattern(pair.client.bev, 10000);
		while (total < 10000) {
			struct evbuffer *input = bufferevent_get_input(pair.server.bev);

			tls_pair_receive(&pair, &pair.server, 1);
			total += evbuffer_get_length(input);
			evbuffer_drain(input, evbuffer_get_length(input));
		}
		tls_pair_fini(&pair);
	}
}

/* TLS-064 */
Test(tls_data, nothing_is_read_while_reading_is_disabled, .timeout = 30)
{
	start(0, 0);
	bufferevent_disable(pair.server.bev, EV_READ);
	bufferevent_write(pair.client.bev, "later", 5);
	for (int i = 0; i < 20; i++)
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
	cr_assert_eq(evbuffer_get_length(bufferevent_get_input(pair.server.bev)), 0);
	bufferevent_enable(pair.server.bev, EV_READ);
	tls_pair_receive(&pair, &pair.server, 5);
	tls_pair_fini(&pair);
}

/* TLS-078 */
Test(tls_data, flush_does_nothing, .timeout = 30)
{
	start(0, 0);
	cr_assert_eq(bufferevent_flush(pair.client.bev, EV_WRITE, BEV_NORMAL), 0);
	cr_assert_eq(bufferevent_flush(pair.client.bev, EV_READ, BEV_FINISHED), 0);
	tls_pair_fini(&pair);
}

/* TLS-163 */
Test(tls_data, priorities_change_and_bases_do_not, .timeout = 30)
{
	struct event_base *other = support_base_new();

	start(0, 0);
	cr_assert_eq(bufferevent_priority_set(pair.client.bev, 0), 0);
	cr_assert_eq(bufferevent_base_set(other, pair.client.bev), -1);
	event_base_free(other);
	tls_pair_fini(&pair);
}

/* TLS-145, TLS-146, TLS-147, TLS-148, TLS-178 */
Test(tls_data, limits_slow_down_and_strand_nothing, .timeout = 60)
{
	struct timeval tick = { 0, 10000 };
	struct ev_token_bucket_cfg *limit = ev_token_bucket_cfg_new(1000, 1000, 1000, 1000, &tick);

	for (int is_filter = 0; is_filter < 2; is_filter++) {
		ev_ssize_t before;
		double start_ms;

		start(is_filter, 0);
		cr_assert_eq(bufferevent_set_rate_limit(pair.server.bev, limit), 0);
		before = bufferevent_get_read_limit(pair.server.bev);
		write_pattern(pair.client.bev, 20000);
		start_ms = support_now_ms();
		tls_pair_receive(&pair, &pair.server, 20000);
		cr_assert_gt(support_now_ms() - start_ms, 100);
		cr_assert_lt(bufferevent_get_read_limit(pair.server.bev), before);
		check_pattern(pair.server.bev, 20000);
		tls_pair_fini(&pair);
	}
	ev_token_bucket_cfg_free(limit);
}
