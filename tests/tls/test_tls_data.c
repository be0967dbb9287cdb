/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes through TLS bufferevents: marks, limits, batching, nothing stranded. */

#include "tls_test.h"

#include <openssl/ssl.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tls_pair pair;

static void start(int is_filter, int options)
{
	tls_pair_init(&pair, is_filter, options | BEV_OPT_CLOSE_ON_FREE);
	tls_pair_connect(&pair);
}

/* TLS-055, TLS-063, TLS-070, TLS-073 */
Test(tls_data, a_megabyte_arrives_whole, .timeout = 120)
{
	for (int i = 0; i < 4; i++) {
		start(i & 1, i & 2 ? BEV_OPT_DEFER_CALLBACKS : 0);
		tls_write_pattern(pair.client.bev, 1 << 20);
		tls_write_pattern(pair.server.bev, 1 << 19);
		tls_pair_receive(&pair, &pair.server, 1 << 20);
		tls_pair_receive(&pair, &pair.client, 1 << 19);
		tls_check_pattern(pair.server.bev, 1 << 20);
		tls_check_pattern(pair.client.bev, 1 << 19);
		tls_pair_fini(&pair);
	}
}

/* TLS-033, TLS-034 */
Test(tls_data, what_was_queued_before_goes_after_the_handshake, .timeout = 120)
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

/* TLS-056, TLS-057, TLS-058, TLS-059, TLS-200, T06 */
Test(tls_data, a_high_mark_strands_nothing, .timeout = 120)
{
	for (int i = 0; i < 4; i++) {
		struct taker taker = { 0, 512, 0, 40 << 10 };

		start(i & 1, i & 2 ? BEV_OPT_DEFER_CALLBACKS : 0);
		bufferevent_setcb(pair.server.bev, take_piece, NULL, ignore_event, &taker);
		bufferevent_setwatermark(pair.server.bev, EV_READ, 0, 5 << 10);
		tls_write_pattern(pair.client.bev, 40 << 10);
		support_run_until(pair.base, &taker.is_done, TLS_TEST_WAIT_MS);
		tls_pair_fini(&pair);
	}
}

/* TLS-057 */
Test(tls_data, draining_later_goes_on_with_the_record, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		size_t total = 0;

		start(is_filter, 0);
		bufferevent_setwatermark(pair.server.bev, EV_READ, 0, 10);
		tls_write_pattern(pair.client.bev, 10000);
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
Test(tls_data, nothing_is_read_while_reading_is_disabled, .timeout = 120)
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
Test(tls_data, flush_does_nothing, .timeout = 120)
{
	start(0, 0);
	cr_assert_eq(bufferevent_flush(pair.client.bev, EV_WRITE, BEV_NORMAL), 0);
	cr_assert_eq(bufferevent_flush(pair.client.bev, EV_READ, BEV_FINISHED), 0);
	tls_pair_fini(&pair);
}

/* TLS-163, TLS-193 */
Test(tls_data, priorities_change_and_bases_do_not, .timeout = 120)
{
	struct event_base *other = support_base_new();

	start(0, 0);
	cr_assert_eq(bufferevent_priority_set(pair.client.bev, 0), 0);
	cr_assert_eq(bufferevent_base_set(other, pair.client.bev), -1);
	event_base_free(other);
	tls_pair_fini(&pair);
}

/* --- Records ---------------------------------------------------------------------------------- */

static size_t records_of_pieces(ev_uint64_t flags, int count)
{
	struct evbuffer *output;
	size_t records;

	tls_wire_init(&pair, 0, BEV_OPT_CLOSE_ON_FREE);
	tls_wire_connect(&pair);
	bufferevent_ssl_set_flags(pair.client.bev, flags);
	output = bufferevent_get_output(pair.client.bev);
	for (int i = 0; i < count; i++)
		cr_assert_eq(evbuffer_add_reference(output, "abc", 3, NULL, NULL), 0);
	records = tls_wire_count_records(&pair, 0);
	cr_assert_eq(evbuffer_get_length(output), 0);
	tls_pair_fini(&pair);
	return records;
}

/* TLS-072, TLS-076 */
Test(tls_data, small_pieces_become_one_record, .timeout = 120)
{
	cr_assert_eq(records_of_pieces(BUFFEREVENT_SSL_BATCH_WRITE, 20), 1);
	cr_assert_eq(records_of_pieces(BUFFEREVENT_SSL_BATCH_WRITE, 0), 0);
	cr_assert_eq(records_of_pieces(0, 0), 0);
}

/* TLS-076 */
Test(tls_data, nothing_written_is_nothing_sent, .timeout = 120)
{
	struct evbuffer *empty = evbuffer_new();

	tls_wire_init(&pair, 0, BEV_OPT_CLOSE_ON_FREE);
	tls_wire_connect(&pair);
	bufferevent_write(pair.client.bev, "", 0);
	bufferevent_write_buffer(pair.client.bev, empty);
	evbuffer_add_reference(bufferevent_get_output(pair.client.bev), "", 0, NULL, NULL);
	bufferevent_write(pair.client.bev, "one", 3);
	cr_assert_eq(tls_wire_count_records(&pair, 0), 1);
	evbuffer_free(empty);
	tls_pair_fini(&pair);
}

/* TLS-058, TLS-064, T06: all the ways that reading stops inside a record. */
Test(tls_data, enabling_again_goes_on_with_the_record, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter, 0);
		bufferevent_set_max_single_read(pair.server.bev, 100);
		tls_write_pattern(pair.client.bev, 10000);
		while (evbuffer_get_length(bufferevent_get_input(pair.server.bev)) < 10000) {
			size_t before = evbuffer_get_length(bufferevent_get_input(pair.server.bev));

			tls_pair_receive(&pair, &pair.server, before + 1);
			bufferevent_disable(pair.server.bev, EV_READ);
			before = evbuffer_get_length(bufferevent_get_input(pair.server.bev));
			tls_pair_settle(&pair);
			cr_assert_eq(evbuffer_get_length(bufferevent_get_input(pair.server.bev)),
				     before);
			bufferevent_enable(pair.server.bev, EV_READ);
		}
		tls_check_pattern(pair.server.bev, 10000);
		tls_pair_fini(&pair);
	}
}

/* TLS-055, TLS-191 */
Test(tls_data, what_is_there_is_read_in_one_go, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		start(is_filter, 0);
		bufferevent_disable(pair.server.bev, EV_READ);
		tls_write_pattern(pair.client.bev, 30000);
		tls_pair_settle(&pair);
		bufferevent_enable(pair.server.bev, EV_READ);
		tls_pair_receive(&pair, &pair.server, 30000);
		cr_assert_leq(pair.server.reads, 4);
		tls_pair_fini(&pair);
	}
}

static void fill_until_blocked(struct tls_pair *to_fill, size_t *ret_written)
{
	struct evbuffer *output = bufferevent_get_output(to_fill->client.bev);

	bufferevent_disable(to_fill->server.bev, EV_READ);
	*ret_written = 2 << 20;
	tls_write_pattern(to_fill->client.bev, *ret_written);
	tls_pair_settle(to_fill);
	cr_assert_gt(evbuffer_get_length(output), 0);
}

/* TLS-073, TLS-074, T15 */
Test(tls_data, output_may_grow_and_move_while_a_write_is_blocked, .timeout = 120)
{
	size_t written;

	for (int is_batched = 0; is_batched < 2; is_batched++) {
		struct evbuffer *output, *input;

		start(0, 0);
		if (is_batched)
			bufferevent_ssl_set_flags(pair.client.bev, BUFFEREVENT_SSL_BATCH_WRITE);
		fill_until_blocked(&pair, &written);
		output = bufferevent_get_output(pair.client.bev);
		bufferevent_write(pair.client.bev, "the end", 7);
		(void)evbuffer_pullup(output, -1);
		bufferevent_enable(pair.server.bev, EV_READ);
		tls_pair_receive(&pair, &pair.server, written + 7);
		input = bufferevent_get_input(pair.server.bev);
		cr_assert_eq(memcmp(evbuffer_pullup(input, -1) + written, "the end", 7), 0);
		for (size_t i = 0; i < written; i += 4099)
			cr_assert_eq(evbuffer_pullup(input, -1)[i], i * 7 % 251);
		tls_pair_fini(&pair);
	}
}

static void note_high(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	size_t *highest = arg;

	(void)info;
	if (evbuffer_get_length(buf) > *highest)
		*highest = evbuffer_get_length(buf);
}

/* TLS-075 */
Test(tls_data, a_filter_keeps_to_the_high_mark_below, .timeout = 120)
{
	size_t highest = 0;

	start(1, 0);
	bufferevent_setwatermark(pair.client.below, EV_WRITE, 0, 4096);
	evbuffer_add_cb(bufferevent_get_output(pair.client.below), note_high, &highest);
	tls_write_pattern(pair.client.bev, 300000);
	tls_pair_receive(&pair, &pair.server, 300000);
	tls_check_pattern(pair.server.bev, 300000);
	cr_assert_leq(highest, 4096);
	cr_assert_gt(highest, 0);
	tls_pair_fini(&pair);
}

/* TLS-077 */
Test(tls_data, files_are_sent, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		char name[] = "/tmp/tls-file-XXXXXX";
		int fd = mkstemp(name);
		unsigned char *content = malloc(100000);

		for (int i = 0; i < 100000; i++)
			content[i] = (unsigned char)(i * 7 % 251);
		cr_assert_eq(write(fd, content, 100000), 100000);
		free(content);
		unlink(name);
		start(is_filter, 0);
		cr_assert_eq(
			evbuffer_add_file(bufferevent_get_output(pair.client.bev), fd, 0, 100000),
			0);
		tls_pair_receive(&pair, &pair.server, 100000);
		tls_check_pattern(pair.server.bev, 100000);
		tls_pair_fini(&pair);
	}
}

/* --- Callbacks -------------------------------------------------------------------------------- */

static char order[8];

static void note_sent(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	if (info->n_deleted > 0 && evbuffer_get_length(buf) == 0)
		strcat(order, arg);
}

static void note_write(struct bufferevent *bev, void *arg)
{
	(void)bev;
	strcat(order, arg);
}

/* TLS-071: both are sent before either is told. */
Test(tls_data, the_write_callback_comes_from_the_loop, .timeout = 120)
{
	static char sent[] = "s", told[] = "t";

	start(0, 0);
	evbuffer_add_cb(bufferevent_get_output(pair.client.bev), note_sent, sent);
	evbuffer_add_cb(bufferevent_get_output(pair.server.bev), note_sent, sent);
	bufferevent_setcb(pair.client.bev, NULL, note_write, NULL, told);
	bufferevent_setcb(pair.server.bev, NULL, note_write, NULL, told);
	bufferevent_write(pair.client.bev, "x", 1);
	bufferevent_write(pair.server.bev, "x", 1);
	tls_pair_settle(&pair);
	cr_assert_str_eq(order, "sstt");
	tls_pair_fini(&pair);
}

static void greet(struct bufferevent *bev, short what, void *arg)
{
	struct tls_side *side = arg;

	cr_assert_eq(what, BEV_EVENT_CONNECTED);
	side->connected++;
	bufferevent_write(bev, "hello", 5);
}

/* TLS-035 */
Test(tls_data, the_first_bytes_may_be_written_when_connected, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		bufferevent_setcb(pair.client.bev, NULL, NULL, greet, &pair.client);
		bufferevent_setcb(pair.server.bev, NULL, NULL, greet, &pair.server);
		tls_pair_settle(&pair);
		tls_pair_receive(&pair, &pair.client, 5);
		tls_pair_receive(&pair, &pair.server, 5);
		tls_pair_fini(&pair);
	}
}

static int had_turn;

static void echo(struct bufferevent *bev, void *arg)
{
	struct tls_side *side = arg;

	side->reads++;
	bufferevent_write_buffer(bev, bufferevent_get_input(bev));
	if (had_turn && side->reads > 10)
		event_base_loopbreak(bufferevent_get_base(bev));
}

static void take_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	had_turn = 1;
}

/*
 * TLS-204: over what answers at once, two who always answer do not recurse, and others get their
 * turn.
 */
Test(tls_data, endless_answers_over_a_pair_go_through_the_loop, .timeout = 120)
{
	const struct tls_library *library = tls_library();
	struct event_base *base = support_base_new();
	struct tls_side sides[2] = { { 0 }, { 0 } };
	struct bufferevent *ends[2];
	struct timeval soon = { 0, 50000 };

	cr_assert_eq(bufferevent_pair_new(base, BEV_OPT_CLOSE_ON_FREE, ends), 0);
	for (int i = 0; i < 2; i++) {
		tls_watch(&sides[i], library->filter_new(base, ends[i], library->object_new(i),
							 i ? BUFFEREVENT_SSL_ACCEPTING
							   : BUFFEREVENT_SSL_CONNECTING,
							 BEV_OPT_CLOSE_ON_FREE));
		bufferevent_enable(sides[i].bev, EV_READ);
	}
	support_run_until(base, &sides[0].connected, TLS_TEST_WAIT_MS);
	for (int i = 0; i < 2; i++)
		bufferevent_setcb(sides[i].bev, echo, NULL, NULL, &sides[i]);
	bufferevent_write(sides[0].bev, "x", 1);
	event_base_once(base, -1, EV_TIMEOUT, take_turn, NULL, &soon);
	/* ends when the timer had its turn; if it never has, the test does */
	event_base_dispatch(base);
	cr_assert_eq(had_turn, 1);
	bufferevent_free(sides[0].bev);
	bufferevent_free(sides[1].bev);
	event_base_free(base);
}

/* --- Keys ------------------------------------------------------------------------------------- */

/*
 * TLS-062, T08: the answer to a key update is written though the user writes nothing, and many do
 * no harm.
 */
Test(tls_data, key_updates_are_answered, .timeout = 120)
{
	if (!tls_is_13())
		cr_skip_test("key updates are TLS 1.3's");
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		SSL *ssl;

		start(is_filter, 0);
		bufferevent_disable(pair.server.bev, EV_WRITE);
		ssl = bufferevent_openssl_get_ssl(pair.client.bev);
		for (int i = 0; i < 20; i++) {
			cr_assert_eq(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
			bufferevent_write(pair.client.bev, "x", 1);
			tls_pair_receive(&pair, &pair.server, (size_t)i + 1);
		}
		bufferevent_enable(pair.server.bev, EV_WRITE);
		bufferevent_write(pair.server.bev, "done", 4);
		tls_pair_receive(&pair, &pair.client, 4);
		cr_assert_eq(pair.client.events + pair.server.events, 0);
		tls_pair_fini(&pair);
	}
}
