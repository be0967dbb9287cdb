/* SPDX-License-Identifier: BSD-3-Clause */
/* Filters. */

#include "bev_test.h"

#include <fcntl.h>

TestSuite(bev_filter, .init = start, .fini = finish, .timeout = 60);

#define MS(n) (&(const struct timeval){ .tv_sec = (n) / 1000, .tv_usec = (n) % 1000 * 1000 })

/*
 * What a filter function has seen, and what it is to do. Static in the tests: with threads a filter
 * is freed by the loop, and what is left of it with the base, after the test has returned.
 */
struct script {
	int in_calls, out_calls, frees;
	int fail_in, fail_out;        /* return BEV_ERROR */
	int idle;                     /* return BEV_OK without doing anything */
	size_t unit;                  /* NEED_MORE unless there are that many; 0: any */
	ev_ssize_t last_limit;
	enum bufferevent_flush_mode last_mode;
	int trailer;                  /* FINISHED: append "end" */
	struct bufferevent *write_to; /* the output filter writes there once */
	int depth, max_depth;
};

/* Changes every byte, so that each must pass exactly once each way. */
static void rotate(struct evbuffer *src, struct evbuffer *dst, size_t n, int by)
{
	while (n-- > 0) {
		char byte;

		evbuffer_remove(src, &byte, 1);
		byte = (char)(byte + by);
		evbuffer_add(dst, &byte, 1);
	}
}

static enum bufferevent_filter_result step(struct evbuffer *src, struct evbuffer *dst,
					   struct script *script, int by)
{
	size_t len = evbuffer_get_length(src);

	if (script->idle)
		return BEV_OK;
	if (len == 0 || len < script->unit)
		return BEV_NEED_MORE;
	rotate(src, dst, script->unit != 0 ? script->unit : len, by);
	return BEV_OK;
}

static enum bufferevent_filter_result filter_in(struct evbuffer *src, struct evbuffer *dst,
						ev_ssize_t limit, enum bufferevent_flush_mode mode,
						void *ctx)
{
	struct script *script = ctx;

	script->in_calls++;
	script->last_limit = limit;
	script->last_mode = mode;
	if (script->fail_in)
		return BEV_ERROR;
	if (mode == BEV_FINISHED && script->trailer) {
		script->trailer = 0;
		evbuffer_add(dst, "end", 3);
		return BEV_OK;
	}
	return step(src, dst, script, -1);
}

static enum bufferevent_filter_result filter_out(struct evbuffer *src, struct evbuffer *dst,
						 ev_ssize_t limit, enum bufferevent_flush_mode mode,
						 void *ctx)
{
	struct script *script = ctx;
	enum bufferevent_filter_result result;

	script->out_calls++;
	script->last_limit = limit;
	script->last_mode = mode;
	if (script->fail_out)
		return BEV_ERROR;
	if (++script->depth > script->max_depth)
		script->max_depth = script->depth;
	if (script->write_to != NULL) {
		struct bufferevent *bev = script->write_to;

		script->write_to = NULL;
		bufferevent_write(bev, "more", 4);
	}
	result = step(src, dst, script, 1);
	script->depth--;
	return result;
}

static void count_free(void *ctx)
{
	((struct script *)ctx)->frees++;
}

static struct bufferevent *filter_new(struct bufferevent *under, int options, struct script *script)
{
	struct bufferevent *bev;

	bev = bufferevent_filter_new(under, filter_in, filter_out, options | thread_option,
				     count_free, script);

	cr_assert_not_null(bev);
	return bev;
}

/* Two filters that undo each other, over a pair or a pair of sockets, which they own. */
static void filtered_new(struct bufferevent *bev[2], struct script script[2], int is_pair)
{
	struct bufferevent *under[2];

	if (is_pair)
		pair_new(under, 0);
	else
		linked_new(under, 0);
	for (int i = 0; i < 2; i++)
		bev[i] = filter_new(under[i], BEV_OPT_CLOSE_ON_FREE, &script[i]);
}

/* BEV-250, BEV-011 */
Test(bev_filter, without_functions_bytes_pass_unchanged)
{
	struct bufferevent *under[2], *bev[2];
	struct probe probe = { .drain = 1 };

	cr_expect_null(bufferevent_filter_new(NULL, NULL, NULL, 0, NULL, NULL));
	pair_new(under, 0);
	for (int i = 0; i < 2; i++) {
		bev[i] = bufferevent_filter_new(under[i], NULL, NULL,
						BEV_OPT_CLOSE_ON_FREE | thread_option, NULL, NULL);
		cr_assert_not_null(bev[i]);
		cr_expect_eq(bufferevent_get_underlying(bev[i]), under[i]);
	}
	watch(bev[1], &probe);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "as it is", 8);
	run_until_received(&probe, 8);
	cr_expect_arr_eq(probe.data, "as it is", 8);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-251, BEV-262 */
Test(bev_filter, takes_over_what_is_below_and_reads_when_wanted)
{
	struct bufferevent *under[2], *bev;
	static struct script script;
	struct probe probe = { .drain = 1 }, old = { 0 };

	linked_new(under, 0);
	watch(under[0], &old);
	bev = filter_new(under[0], BEV_OPT_CLOSE_ON_FREE, &script);
	watch(bev, &probe);
	cr_expect_eq(bufferevent_get_enabled(under[0]), BOTH);
	bufferevent_write(under[1], "b", 1);
	settle();
	cr_expect_eq(input_len(under[0]), 0, "nobody wants it yet");
	bufferevent_enable(bev, EV_READ);
	run_until_received(&probe, 1);
	cr_expect_eq(probe.data[0], 'a');
	bufferevent_disable(bev, EV_READ);
	bufferevent_write(under[1], "c", 1);
	settle();
	cr_expect_eq(input_len(under[0]), 0);
	bufferevent_enable(bev, EV_READ);
	run_until_received(&probe, 2);
	cr_expect_eq(old.n_order, 0);
	bufferevent_free(bev);
	bufferevent_free(under[1]);
}

/* BEV-252, BEV-253, BEV-258, BEV-259, BEV-347 */
Test(bev_filter, bytes_pass_each_function_once_over_every_type)
{
	for (int is_pair = 0; is_pair < 2; is_pair++) {
		struct bufferevent *bev[2];
		struct script script[2] = { 0 };
		struct probe a = { 0 }, b = { .drain = 1 };

		filtered_new(bev, script, is_pair);
		watch(bev[0], &a);
		watch(bev[1], &b);
		bufferevent_enable(bev[1], EV_READ);
		bufferevent_write(bev[0], "hello", 5);
		run_until_received(&b, 5);
		cr_expect_arr_eq(b.data, "hello", 5);
		cr_expect_geq(script[0].out_calls, 1);
		cr_expect_geq(script[1].in_calls, 1);
		cr_expect_eq(script[0].in_calls, 0);
		settle();
		cr_expect_eq(a.writes, 1);
		bufferevent_free(bev[0]);
		bufferevent_free(bev[1]);
	}
}

/* BEV-252 */
Test(bev_filter, works_over_another_filter_and_before_there_is_a_descriptor)
{
	evutil_socket_t fds[2];
	struct bufferevent *below = socket_new(-1, BEV_OPT_CLOSE_ON_FREE), *inner, *outer;
	static struct script one, two;
	struct probe probe = { .drain = 1 };
	char data[4] = { 0 };

	support_socketpair(fds);
	inner = filter_new(below, BEV_OPT_CLOSE_ON_FREE, &one);
	outer = filter_new(inner, BEV_OPT_CLOSE_ON_FREE, &two);
	watch(outer, &probe);
	bufferevent_enable(outer, EV_READ);
	bufferevent_write(outer, "abc", 3);
	settle();
	cr_expect_eq(bufferevent_setfd(outer, fds[0]), 0);
	cr_expect_eq(bufferevent_getfd(outer), fds[0]);
	settle();
	cr_expect_eq(recv(fds[1], data, sizeof(data), 0), 3);
	cr_expect_str_eq(data, "cde");
	cr_assert_eq(send(fds[1], "ccc", 3, 0), 3);
	run_until_received(&probe, 3);
	cr_expect_arr_eq(probe.data, "aaa", 3);
	bufferevent_free(outer);
	cr_expect_eq(one.frees, 1);
	cr_expect_eq(two.frees, 1);
	close(fds[1]);
}

/* BEV-254 */
Test(bev_filter, is_told_the_room_below_the_high_mark)
{
	struct bufferevent *bev[2];
	static struct script script[2];

	filtered_new(bev, script, 1);
	bufferevent_write(bev[0], "x", 1);
	cr_expect_eq(script[0].last_limit, -1);
	cr_expect_eq(script[0].last_mode, BEV_NORMAL);
	bufferevent_setwatermark(bufferevent_get_underlying(bev[0]), EV_WRITE, 0, 100);
	bufferevent_write(bev[0], "y", 1);
	cr_expect_eq(script[0].last_limit, 99);
	bufferevent_flush(bev[0], EV_WRITE, BEV_FLUSH);
	cr_expect_eq(script[0].last_limit, -1);
	cr_expect_eq(script[0].last_mode, BEV_FLUSH);
	bufferevent_setwatermark(bev[1], EV_READ, 0, 40);
	bufferevent_enable(bev[1], EV_READ);
	settle();
	cr_expect_eq(script[1].last_limit, 40);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-254, BEV-259 */
Test(bev_filter, output_waits_for_room_below)
{
	struct bufferevent *under[2], *bev;
	struct probe probe = { 0 };

	pair_new(under, 0);
	bev = bufferevent_filter_new(under[0], NULL, NULL, BEV_OPT_CLOSE_ON_FREE | thread_option,
				     NULL, NULL);
	watch(bev, &probe);
	bufferevent_setwatermark(under[0], EV_WRITE, 0, 10);
	bufferevent_write(bev, "0123456789abcdefghijklmno", 25);
	cr_expect_eq(output_len(under[0]), 10);
	cr_expect_eq(output_len(bev), 15);
	bufferevent_enable(under[1], EV_READ);
	settle();
	cr_expect_eq(input_len(under[1]), 25);
	cr_expect_eq(output_len(bev), 0);
	cr_expect_geq(probe.writes, 1);
	bufferevent_free(bev);
	bufferevent_free(under[1]);
}

/* BEV-255 */
Test(bev_filter, ok_goes_on_and_need_more_waits)
{
	struct bufferevent *bev[2];
	static struct script script[2] = { { .unit = 4 }, { 0 } };

	filtered_new(bev, script, 1);
	bufferevent_write(bev[0], "0123456789", 10);
	cr_expect_eq(script[0].out_calls, 3);
	cr_expect_eq(output_len(bev[0]), 2);
	bufferevent_write(bev[0], "ab", 2);
	cr_expect_eq(output_len(bev[0]), 0);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-256, BEV-343, B20 */
Test(bev_filter, ok_without_progress_stops)
{
	struct bufferevent *bev[2];
	static struct script script[2] = { { .idle = 1 }, { .idle = 1 } };

	filtered_new(bev, script, 1);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "x", 1);
	settle();
	cr_expect_eq(script[0].out_calls, 1);
	cr_expect_eq(output_len(bev[0]), 1);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* Adds without end while it is told that there is room. */
static enum bufferevent_filter_result inflate(struct evbuffer *src, struct evbuffer *dst,
					      ev_ssize_t limit, enum bufferevent_flush_mode mode,
					      void *ctx)
{
	char zeros[100] = { 0 };

	(void)src;
	(void)limit;
	(void)mode;
	(void)ctx;
	evbuffer_add(dst, zeros, sizeof(zeros));
	return BEV_OK;
}

/* B20 */
Test(bev_filter, endless_output_is_bounded_by_the_mark)
{
	struct bufferevent *under[2], *bev;

	pair_new(under, 0);
	bev = bufferevent_filter_new(under[0], inflate, inflate,
				     BEV_OPT_CLOSE_ON_FREE | thread_option, NULL, NULL);
	bufferevent_setwatermark(bev, EV_READ, 0, 1000);
	bufferevent_setwatermark(under[0], EV_WRITE, 0, 1000);
	bufferevent_enable(bev, EV_READ);
	bufferevent_write(under[1], "x", 1);
	bufferevent_write(bev, "x", 1);
	settle();
	cr_expect(input_len(bev) >= 1000 && input_len(bev) <= 1100, "%zu", input_len(bev));
	cr_expect_leq(output_len(under[0]), 1100);
	bufferevent_free(bev);
	bufferevent_free(under[1]);
}

/* BEV-257, BEV-343, B20 */
Test(bev_filter, its_error_ends_the_direction)
{
	struct bufferevent *bev[2];
	static struct script script[2] = { { .fail_out = 1 }, { 0 } };
	struct probe a = { 0 }, b = { .drain = 1 };

	filtered_new(bev, script, 1);
	watch(bev[0], &a);
	watch(bev[1], &b);
	bufferevent_write(bev[0], "abc", 3);
	settle();
	cr_expect_str_eq(a.order, "e");
	cr_expect_eq(a.what[0], BEV_EVENT_ERROR | BEV_EVENT_WRITING);
	cr_expect_eq(output_len(bev[0]), 3);
	cr_expect_eq(bufferevent_get_enabled(bev[0]), 0);
	script[0].fail_out = 0;
	script[1].fail_in = 1;
	bufferevent_enable(bev[0], EV_WRITE);
	bufferevent_enable(bev[1], EV_READ);
	settle();
	cr_expect_str_eq(b.order, "e");
	cr_expect_eq(b.what[0], BEV_EVENT_ERROR | BEV_EVENT_READING);
	script[1].fail_in = 0;
	bufferevent_enable(bev[1], EV_READ);
	run_until_received(&b, 3);
	cr_expect_arr_eq(b.data, "abc", 3);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-260, BEV-066, B13 */
Test(bev_filter, what_was_left_below_follows_when_the_user_drains)
{
	struct bufferevent *bev[2];
	static struct script script[2];
	struct probe probe = { 0 };
	int calls;

	script[1].unit = 4;
	filtered_new(bev, script, 1);
	watch(bev[1], &probe);
	bufferevent_setwatermark(bev[1], EV_READ, 0, 6);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "0123456789abcdef", 16);
	settle();
	cr_expect_eq(input_len(bev[1]), 8, "one unit over the mark");
	cr_expect_eq(input_len(bufferevent_get_underlying(bev[1])), 8);
	calls = probe.reads;
	evbuffer_drain(bufferevent_get_input(bev[1]), 8);
	settle();
	cr_expect_eq(input_len(bev[1]), 8);
	cr_expect_gt(probe.reads, calls);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-261, BEV-343 */
Test(bev_filter, enabling_processes_what_waits)
{
	struct bufferevent *bev[2];
	static struct script script[2];

	filtered_new(bev, script, 1);
	bufferevent_disable(bev[0], EV_WRITE);
	bufferevent_write(bev[0], "abc", 3);
	settle();
	cr_expect_eq(output_len(bev[0]), 3);
	bufferevent_enable(bev[0], EV_WRITE);
	settle();
	cr_expect_eq(output_len(bev[0]), 0);
	bufferevent_enable(bev[1], EV_READ);
	settle();
	cr_expect_eq(input_len(bev[1]), 3);
	bufferevent_disable(bev[1], EV_READ);
	bufferevent_flush(bev[0], EV_WRITE, BEV_FLUSH);
	bufferevent_write(bev[0], "def", 3);
	bufferevent_flush(bev[0], EV_WRITE, BEV_FLUSH);
	settle();
	cr_expect_eq(input_len(bev[1]), 3);
	bufferevent_enable(bev[1], EV_READ);
	settle();
	cr_expect_eq(input_len(bev[1]), 6);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-263 */
Test(bev_filter, events_from_below_pass_unchanged)
{
	struct bufferevent *under[2], *bev;
	static struct script script;
	struct probe probe = { 0 };

	linked_new(under, 0);
	bev = filter_new(under[0], BEV_OPT_CLOSE_ON_FREE, &script);
	watch(bev, &probe);
	bufferevent_enable(bev, EV_READ);
	bufferevent_set_timeouts(under[0], MS(20), NULL);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_TIMEOUT | BEV_EVENT_READING);
	cr_expect_eq(bufferevent_get_enabled(bev), BOTH);
	bufferevent_free(under[1]);
	bufferevent_enable(under[0], EV_READ);
	run_until(&probe.events, 2);
	cr_expect_eq(probe.what[1], BEV_EVENT_EOF | BEV_EVENT_READING);
	bufferevent_write(bev, "x", 1);
	run_until(&probe.events, 3);
	cr_expect_eq(probe.what[2], BEV_EVENT_ERROR | BEV_EVENT_WRITING);
	cr_expect_eq(probe.err[2], EPIPE);
	cr_expect_eq(bufferevent_get_enabled(bev), BOTH);
	bufferevent_free(bev);
}

/* BEV-264, BEV-343 */
Test(bev_filter, the_input_filter_gets_a_last_call_before_the_end)
{
	struct bufferevent *under[2], *bev;
	static struct script script = { .trailer = 1 };
	struct probe probe = { .drain = 1 };

	linked_new(under, 0);
	bev = filter_new(under[0], BEV_OPT_CLOSE_ON_FREE, &script);
	watch(bev, &probe);
	bufferevent_enable(bev, EV_READ);
	bufferevent_write(under[1], "bc", 2);
	settle();
	bufferevent_free(under[1]);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.received, 5);
	cr_expect_arr_eq(probe.data, "abend", 5);
	cr_expect_eq(probe.order[probe.n_order - 1], 'e');
	cr_expect_eq(script.last_mode, BEV_FINISHED);
	bufferevent_free(bev);
}

/* BEV-265, BEV-266 */
Test(bev_filter, flushing_runs_the_functions)
{
	struct bufferevent *bev[2];
	static struct script script[2];

	filtered_new(bev, script, 1);
	cr_expect_eq(bufferevent_flush(bev[0], BOTH, BEV_NORMAL), 0);
	cr_expect_eq(script[0].out_calls + script[0].in_calls, 0);
	cr_expect_eq(bufferevent_flush(bev[0], EV_WRITE, BEV_FLUSH), 0);
	cr_expect_eq(script[0].out_calls, 1, "also with an empty source");
	bufferevent_disable(bev[0], EV_WRITE);
	bufferevent_write(bev[0], "abc", 3);
	cr_expect_eq(bufferevent_flush(bev[0], EV_WRITE, BEV_NORMAL), 0);
	cr_expect_eq(output_len(bev[0]), 3);
	cr_expect_eq(bufferevent_flush(bev[0], EV_WRITE, BEV_FLUSH), 1);
	cr_expect_eq(output_len(bev[0]), 0);
	cr_expect_eq(input_len(bufferevent_get_underlying(bev[1])), 3, "the pair was flushed, too");
	cr_expect_eq(bufferevent_flush(bev[1], EV_READ, BEV_FLUSH), 1);
	cr_expect_eq(input_len(bev[1]), 3);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-267, BEV-006 */
Test(bev_filter, freed_it_leaves_or_frees_what_is_below)
{
	for (int owns = 0; owns < 2; owns++) {
		evutil_socket_t fds[2];
		struct bufferevent *under, *bev;
		struct script script = { 0 };
		bufferevent_data_cb readcb;

		support_socketpair(fds);
		under = socket_new(fds[0], BEV_OPT_CLOSE_ON_FREE);
		bev = filter_new(under, owns ? BEV_OPT_CLOSE_ON_FREE : 0, &script);
		bufferevent_free(bev);
		settle();
		cr_expect_eq(script.frees, 1);
		cr_expect_eq(fcntl(fds[0], F_GETFD) < 0, owns);
		if (!owns) {
			bufferevent_getcb(under, &readcb, NULL, NULL, NULL);
			cr_expect(readcb == NULL);
			cr_expect_eq(bufferevent_get_enabled(under), BOTH);
			cr_assert_eq(send(fds[1], "x", 1, 0), 1);
			settle();
			cr_expect_eq(input_len(under), 1, "reads on");
			bufferevent_free(under);
		}
		close(fds[1]);
	}
}

/* BEV-268 */
Test(bev_filter, the_context_is_freed_once)
{
	struct bufferevent *under[2], *bev;
	static struct script script;

	pair_new(under, 0);
	bev = filter_new(under[0], 0, &script);
	bufferevent_incref(bev);
	bufferevent_free(bev);
	settle();
	cr_expect_eq(script.frees, 0);
	cr_expect_eq(bufferevent_decref(bev), 1);
	settle();
	cr_expect_eq(script.frees, 1);
	bufferevent_free(under[0]);
	bufferevent_free(under[1]);
}

/* BEV-269, B21 */
Test(bev_filter, the_one_below_may_be_freed_first)
{
	for (int owns = 0; owns < 2; owns++) {
		struct bufferevent *under[2], *bev;
		struct script script = { 0 };

		linked_new(under, 0);
		bev = filter_new(under[0], owns ? BEV_OPT_CLOSE_ON_FREE : 0, &script);
		bufferevent_enable(bev, BOTH);
		bufferevent_free(under[0]);
		bufferevent_write(bev, "x", 1);
		bufferevent_write(under[1], "x", 1);
		settle();
		bufferevent_free(bev);
		settle();
		cr_expect_eq(script.frees, 1);
		bufferevent_free(under[1]);
	}
}

/* The whole is compressed into its length and a check sum, at the end. */
struct sum {
	size_t len;
	unsigned sum;
	int calls;
};

static enum bufferevent_filter_result squeeze(struct evbuffer *src, struct evbuffer *dst,
					      ev_ssize_t limit, enum bufferevent_flush_mode mode,
					      void *ctx)
{
	struct sum *sum = ctx;
	unsigned char byte;

	(void)limit;
	sum->calls++;
	while (evbuffer_remove(src, &byte, 1) == 1) {
		sum->len++;
		sum->sum = sum->sum * 31 + byte;
	}
	if (mode != BEV_FINISHED)
		return BEV_NEED_MORE;
	evbuffer_add_printf(dst, "%zu:%u\n", sum->len, sum->sum);
	return BEV_OK;
}

/* BEV-270 */
Test(bev_filter, a_stream_that_ends_when_finished_arrives)
{
	struct bufferevent *under[2], *bev;
	struct sum sum = { 0 };
	struct probe probe = { .drain = 1 }, mine = { 0 };
	char *bytes = pattern(50000), expected[64];
	unsigned check = 0;

	for (int i = 0; i < 50000; i++)
		check = check * 31 + (unsigned char)bytes[i];
	snprintf(expected, sizeof(expected), "50000:%u\n", check);
	linked_new(under, 0);
	bev = bufferevent_filter_new(under[0], NULL, squeeze, BEV_OPT_CLOSE_ON_FREE | thread_option,
				     NULL, &sum);
	watch(bev, &mine);
	watch(under[1], &probe);
	bufferevent_enable(under[1], EV_READ);
	bufferevent_write(bev, bytes, 50000);
	cr_expect_eq(bufferevent_flush(bev, EV_WRITE, BEV_FINISHED), 1);
	run_until_received(&probe, strlen(expected));
	cr_expect_arr_eq(probe.data, expected, strlen(expected));
	cr_expect_geq(sum.calls, 1);
	cr_expect_eq(probe.events + mine.events, 0);
	free(bytes);
	bufferevent_free(bev);
	bufferevent_free(under[1]);
}

/* BEV-271 */
Test(bev_filter, shares_the_lock_in_either_direction)
{
	struct bufferevent *under, *bev;

	if (thread_option == 0)
		cr_skip_test("without locks");
	under = bufferevent_socket_new(base, -1, 0);
	bev = bufferevent_filter_new(under, NULL, NULL, BEV_OPT_THREADSAFE | BEV_OPT_CLOSE_ON_FREE,
				     NULL, NULL);
	cr_assert_not_null(bev);
	bufferevent_lock(under);
	bufferevent_lock(bev);
	bufferevent_write(bev, "x", 1);
	bufferevent_unlock(bev);
	bufferevent_unlock(under);
	bufferevent_free(bev);
	under = bufferevent_socket_new(base, -1, BEV_OPT_THREADSAFE);
	bev = bufferevent_filter_new(under, NULL, NULL, 0, NULL, NULL);
	bufferevent_write(bev, "x", 1);
	bufferevent_free(bev);
	bufferevent_free(under);
}

/* BEV-272 */
Test(bev_filter, its_timeouts_count_what_passes_it)
{
	struct bufferevent *under[2], *bev;
	static struct script script = { .unit = 100 };
	struct probe probe = { 0 };

	linked_new(under, 0);
	bev = filter_new(under[0], BEV_OPT_CLOSE_ON_FREE, &script);
	watch(bev, &probe);
	bufferevent_set_timeouts(bev, MS(40), NULL);
	bufferevent_enable(bev, EV_READ);
	run_for(20);
	bufferevent_write(under[1], "not a unit", 10);
	run_for(30);
	cr_expect_eq(probe.events, 1, "traffic below is no progress");
	cr_expect_eq(probe.what[0], BEV_EVENT_TIMEOUT | BEV_EVENT_READING);
	bufferevent_free(bev);
	bufferevent_free(under[1]);
}

/* BEV-273 */
Test(bev_filter, has_no_properties_of_a_socket_itself)
{
	struct ev_token_bucket_cfg *cfg = ev_token_bucket_cfg_new(1, 1, 1, 1, NULL);
	evutil_socket_t fds[2], more[2];
	struct bufferevent *under, *bev;
	static struct script script;

	support_socketpair(fds);
	support_socketpair(more);
	under = socket_new(fds[0], BEV_OPT_CLOSE_ON_FREE);
	bev = filter_new(under, BEV_OPT_CLOSE_ON_FREE, &script);
	cr_expect_eq(bufferevent_getfd(bev), fds[0]);
	cr_expect_eq(bufferevent_priority_set(bev, 0), -1);
	cr_expect_eq(bufferevent_base_set(base, bev), -1);
	cr_expect_eq(bufferevent_set_rate_limit(bev, cfg), 0);
	bufferevent_write(bev, "0123456789", 10);
	cr_expect_eq(output_len(bev), 0, "no limit on the flow");
	cr_expect_eq(bufferevent_replacefd(bev, more[0]), 0);
	cr_expect_lt(fcntl(fds[0], F_GETFD), 0);
	cr_expect_eq(bufferevent_getfd(bev), more[0]);
	bufferevent_free(bev);
	ev_token_bucket_cfg_free(cfg);
	close(fds[1]);
	close(more[1]);
}

static void write_twice_more(struct bufferevent *bev, void *arg)
{
	struct probe *probe = arg;

	if (probe->writes++ < 2)
		bufferevent_write(bev, "again", 5);
}

/* BEV-274, BEV-034 */
Test(bev_filter, writing_inside_the_filter_never_re_enters_it)
{
	struct bufferevent *bev[2];
	static struct script script[2];
	struct probe probe = { 0 };

	filtered_new(bev, script, 1);
	bufferevent_setcb(bev[0], NULL, write_twice_more, NULL, &probe);
	script[0].write_to = bev[0];
	bufferevent_write(bev[0], "abc", 3);
	cr_expect_eq(script[0].max_depth, 1);
	cr_expect_eq(probe.writes, 3, "inside bufferevent_write(), got %d", probe.writes);
	cr_expect_eq(output_len(bev[0]), 0);
	cr_expect_eq(output_len(bufferevent_get_underlying(bev[0])), 17);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

static void free_it(struct bufferevent *bev, void *arg)
{
	struct probe *probe = arg;

	probe->writes++;
	bufferevent_free(bev);
}

/* B10, B19 */
Test(bev_filter, may_be_freed_in_a_callback_inside_a_buffer_call)
{
	struct bufferevent *bev[2];
	static struct script script[2];
	struct probe probe = { 0 };

	filtered_new(bev, script, 1);
	bufferevent_setcb(bev[0], NULL, free_it, NULL, &probe);
	evbuffer_add(bufferevent_get_output(bev[0]), "x", 1);
	cr_expect_eq(probe.writes, 1);
	settle();
	cr_expect_eq(script[0].frees, 1);
	bufferevent_free(bev[1]);
}
