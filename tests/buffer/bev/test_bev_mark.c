/* SPDX-License-Identifier: BSD-3-Clause */
/* Watermarks. */

#include "bev_test.h"

TestSuite(bev_mark, .init = start, .fini = finish, .timeout = 60);

static void write_n(struct bufferevent *bev, size_t n)
{
	char *bytes = pattern(n);

	cr_assert_eq(bufferevent_write(bev, bytes, n), 0);
	free(bytes);
}

/* BEV-060, BEV-061 */
Test(bev_mark, the_read_callback_waits_for_the_low_mark)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_setwatermark(bev[1], EV_READ, 10, 0);
	bufferevent_enable(bev[1], EV_READ);
	write_n(bev[0], 9);
	settle();
	cr_expect_eq(probe.reads, 0);
	cr_expect_eq(input_len(bev[1]), 9);
	write_n(bev[0], 1);
	settle();
	cr_expect_eq(probe.reads, 1);
	settle();
	cr_expect_eq(probe.reads, 1, "what is there is not announced again");
	bufferevent_setwatermark(bev[1], EV_READ, 0, 0);
	settle();
	cr_expect_eq(probe.reads, 1);
	write_n(bev[0], 1);
	settle();
	cr_expect_eq(probe.reads, 2);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-062 */
Test(bev_mark, moving_the_low_mark_triggers_nothing)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_setwatermark(bev[1], EV_READ, 10, 0);
	bufferevent_enable(bev[1], EV_READ);
	write_n(bev[0], 5);
	settle();
	bufferevent_setwatermark(bev[1], EV_READ, 1, 0);
	settle();
	cr_expect_eq(probe.reads, 0);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-063, BEV-065, B12 */
Test(bev_mark, reading_stops_at_the_high_mark_and_resumes_below)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_setwatermark(bev[1], EV_READ, 0, 100);
	bufferevent_enable(bev[1], EV_READ);
	write_n(bev[0], 250);
	settle();
	cr_expect_eq(input_len(bev[1]), 100);
	cr_expect_eq(bufferevent_get_enabled(bev[1]), BOTH);
	cr_expect_not(event_pending(&bev[1]->ev_read, EV_READ, NULL));
	bufferevent_free(bev[0]);
	settle();
	cr_expect_eq(probe.events, 0, "the end goes unnoticed meanwhile");
	evbuffer_drain(bufferevent_get_input(bev[1]), 30);
	settle();
	cr_expect_eq(input_len(bev[1]), 100);
	evbuffer_drain(bufferevent_get_input(bev[1]), 100);
	settle();
	evbuffer_drain(bufferevent_get_input(bev[1]), 100);
	settle();
	cr_expect_eq(probe.events, 1);
	cr_expect_eq(input_len(bev[1]), 20);
	bufferevent_free(bev[1]);
}

/* BEV-064 */
Test(bev_mark, moving_the_high_mark_suspends_and_resumes_at_once)
{
	struct bufferevent *bev[2];

	linked_new(bev, 0);
	bufferevent_enable(bev[1], EV_READ);
	write_n(bev[0], 50);
	settle();
	bufferevent_setwatermark(bev[1], EV_READ, 0, 50);
	cr_expect_not(event_pending(&bev[1]->ev_read, EV_READ, NULL));
	write_n(bev[0], 50);
	settle();
	cr_expect_eq(input_len(bev[1]), 50);
	bufferevent_setwatermark(bev[1], EV_READ, 0, 60);
	settle();
	cr_expect_eq(input_len(bev[1]), 60);
	bufferevent_setwatermark(bev[1], EV_READ, 0, 0);
	settle();
	cr_expect_eq(input_len(bev[1]), 100);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-067, BEV-068, BEV-340, B12 */
Test(bev_mark, a_callback_that_takes_nothing_is_not_called_again)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_setwatermark(bev[1], EV_READ, 0, 10);
	bufferevent_enable(bev[1], EV_READ);
	write_n(bev[0], 50);
	settle();
	run_for(30);
	cr_expect_eq(probe.reads, 1);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

static void take_three(struct bufferevent *bev, void *arg)
{
	struct probe *probe = arg;
	char data[3];

	probe->reads++;
	probe->received += bufferevent_read(bev, data, sizeof(data));
}

/* BEV-068 */
Test(bev_mark, a_callback_that_takes_little_is_called_again)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	bufferevent_setcb(bev[1], take_three, NULL, NULL, &probe);
	bufferevent_enable(bev[1], EV_READ);
	write_n(bev[0], 60);
	settle();
	cr_expect_eq(probe.reads, 1);
	bufferevent_setwatermark(bev[1], EV_READ, 0, 10);
	bufferevent_trigger(bev[1], EV_READ, 0);
	settle();
	settle();
	settle();
	cr_expect_lt(input_len(bev[1]), 10, "%zu left", input_len(bev[1]));
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

static void check_range(struct bufferevent *bev, void *arg)
{
	struct probe *probe = arg;
	size_t len = input_len(bev);

	probe->reads++;
	cr_expect(len >= 10 && len <= 20, "%zu", len);
	probe->received += len;
	evbuffer_drain(bufferevent_get_input(bev), len);
}

/* BEV-069 */
Test(bev_mark, nothing_is_lost_between_the_marks)
{
	for (int is_pair = 0; is_pair < 2; is_pair++) {
		struct bufferevent *bev[2];
		struct probe probe = { 0 };

		if (is_pair)
			pair_new(bev, 0);
		else
			linked_new(bev, 0);
		bufferevent_setcb(bev[1], check_range, NULL, NULL, &probe);
		bufferevent_setwatermark(bev[1], EV_READ, 10, 20);
		bufferevent_enable(bev[1], EV_READ);
		write_n(bev[0], 65000);
		run_until_received(&probe, 65000);
		cr_expect_geq(probe.reads, 3250);
		bufferevent_free(bev[0]);
		bufferevent_free(bev[1]);
	}
}

/* BEV-070 */
Test(bev_mark, low_above_high_is_accepted)
{
	struct bufferevent *bev = socket_new(-1, 0);
	size_t low, high;

	bufferevent_setwatermark(bev, EV_READ, 20, 10);
	cr_expect_eq(bufferevent_getwatermark(bev, EV_READ, &low, &high), 0);
	cr_expect(low == 20 && high == 10);
	bufferevent_free(bev);
}

/* BEV-075, BEV-076 */
Test(bev_mark, the_write_callback_waits_for_the_low_mark)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_set_max_single_write(bev[0], 10);
	write_n(bev[0], 40);
	settle();
	cr_expect_eq(probe.writes, 1);
	bufferevent_setwatermark(bev[0], EV_WRITE, 15, 0);
	write_n(bev[0], 40);
	settle();
	cr_expect_eq(probe.writes, 3, "at 10 left and at 0");
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-077 */
Test(bev_mark, the_write_high_mark_does_not_limit_writing)
{
	struct bufferevent *bev = socket_new(-1, 0);

	bufferevent_setwatermark(bev, EV_WRITE, 0, 10);
	cr_expect_eq(bufferevent_write(bev, "01234567890123456789", 20), 0);
	cr_expect_eq(output_len(bev), 20);
	bufferevent_free(bev);
}

/* BEV-078 */
Test(bev_mark, marks_are_read_one_direction_at_a_time)
{
	struct bufferevent *bev = socket_new(-1, 0);
	size_t low = 7, high = 8;

	bufferevent_setwatermark(bev, BOTH, 1, 2);
	bufferevent_setwatermark(bev, EV_WRITE, 3, 4);
	cr_expect_eq(bufferevent_getwatermark(bev, BOTH, &low, &high), -1);
	cr_expect_eq(bufferevent_getwatermark(bev, 0, &low, &high), -1);
	cr_expect_eq(bufferevent_getwatermark(bev, EV_TIMEOUT, &low, &high), -1);
	cr_expect(low == 7 && high == 8, "nothing is stored");
	cr_expect_eq(bufferevent_getwatermark(bev, EV_READ, &low, &high), 0);
	cr_expect(low == 1 && high == 2);
	cr_expect_eq(bufferevent_getwatermark(bev, EV_WRITE, &low, NULL), 0);
	cr_expect_eq(bufferevent_getwatermark(bev, EV_WRITE, NULL, &high), 0);
	cr_expect(low == 3 && high == 4);
	bufferevent_free(bev);
}
