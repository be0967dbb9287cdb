/* SPDX-License-Identifier: BSD-3-Clause */
/* The time cached for the callbacks of a round. */

#include "reactor_test.h"

#include <event2/event_compat.h>

#include <sys/time.h>

TestSuite(time_cache, .init = start, .fini = finish, .timeout = 60);

static struct timeval seen_times[4];
static int seen_count, update_first;

static void spin_5_ms(void)
{
	double until = support_now_ms() + 5;

	while (support_now_ms() < until)
		;
}

static void note_cached(evutil_socket_t fd, short what, void *arg)
{
	struct event_base *b = arg;

	(void)fd;
	(void)what;
	spin_5_ms();
	if (update_first)
		cr_expect_eq(event_base_update_cache_time(b), 0);
	cr_expect_eq(event_base_gettimeofday_cached(b, &seen_times[seen_count++]), 0);
}

static void run_two(struct event_base *b)
{
	struct event *ev[2];

	seen_count = 0;
	for (int i = 0; i < 2; i++) {
		ev[i] = event_new(b, -1, 0, note_cached, b);
		event_active(ev[i], EV_READ, 1);
	}
	cr_expect_eq(event_base_dispatch(b), 1);
	cr_assert_eq(seen_count, 2);
	event_free(ev[0]);
	event_free(ev[1]);
}

/* CORE-233, CORE-234 */
Test(time_cache, two_callbacks_of_a_round_see_one_time)
{
	struct timeval now;

	run_two(base);
	cr_expect(evutil_timercmp(&seen_times[0], &seen_times[1], ==));
	gettimeofday(&now, NULL);
	cr_expect(evutil_timercmp(&seen_times[0], &now, <));
}

/* CORE-046, CORE-234, CORE-235 */
Test(time_cache, without_the_cache_they_see_two)
{
	struct event_config *cfg = event_config_new();
	struct event_base *b;

	event_config_set_flag(cfg, EVENT_BASE_FLAG_NO_CACHE_TIME);
	b = event_base_new_with_config(cfg);
	event_config_free(cfg);
	run_two(b);
	cr_expect(evutil_timercmp(&seen_times[0], &seen_times[1], <));
	update_first = 1;
	run_two(b);
	cr_expect(evutil_timercmp(&seen_times[0], &seen_times[1], <));
	event_base_free(b);
}

/* CORE-235 */
Test(time_cache, update_refreshes_it)
{
	update_first = 1;
	run_two(base);
	cr_expect(evutil_timercmp(&seen_times[0], &seen_times[1], <));
}

/* CORE-233, CORE-235 */
Test(time_cache, outside_the_loop_it_is_the_present_time)
{
	struct timeval a, b, now;

	cr_expect_eq(event_base_update_cache_time(base), 0);
	cr_expect_eq(event_base_gettimeofday_cached(base, &a), 0);
	spin_5_ms();
	cr_expect_eq(event_base_gettimeofday_cached(base, &b), 0);
	cr_expect(evutil_timercmp(&a, &b, <));
	gettimeofday(&now, NULL);
	cr_expect_leq(now.tv_sec - b.tv_sec, 60);
	run_two(base);
	cr_expect_eq(event_base_gettimeofday_cached(base, &a), 0);
	cr_expect(evutil_timercmp(&seen_times[1], &a, <));
}

/* CORE-236 */
Test(time_cache, null_means_the_current_base_or_plain_time)
{
	struct timeval tv = { 0, 0 }, now;
	struct event_base *current;

	cr_expect_eq(event_base_gettimeofday_cached(NULL, &tv), 0);
	gettimeofday(&now, NULL);
	cr_expect_leq(now.tv_sec - tv.tv_sec, 60);
	cr_expect_eq(event_base_update_cache_time(NULL), -1);
	current = event_init();
	cr_expect_eq(event_base_gettimeofday_cached(NULL, &tv), 0);
	cr_expect_eq(event_base_update_cache_time(NULL), 0);
	event_base_free(current);
}
