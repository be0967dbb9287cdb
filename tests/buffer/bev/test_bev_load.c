/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reference load of rate limits: local echo connections for some seconds.
 *
 * What a limit allows can be saved for four ticks, and to use it takes about three rounds of the
 * loop. Where the machine made rounds longer than that allows, some is lost, as it should be, and
 * unevenly, but never all. More than the limit it is never.
 */

#include "bev_test.h"

#include <math.h>

TestSuite(bev_load, .init = start, .fini = finish, .timeout = 60);

#define MS(n) (&(const struct timeval){ .tv_sec = (n) / 1000, .tv_usec = (n) % 1000 * 1000 })

#define CONNECTIONS 30
#define SECONDS 5.0
#define LEN 20000
#define TICK_MS 100
#define SAVED_TICKS 4

static void echo(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_write_buffer(bev, bufferevent_get_input(bev));
}

struct load {
	double rate_all;      /* bytes per second; 0: no group limit */
	double rate_one;      /* likewise for each */
	int drain;            /* taken from the group per tick */
};

static struct bufferevent_rate_limit_group *load_group;

static void drain_group(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bufferevent_rate_limit_group_decrement_read(load_group, *(int *)arg);
	bufferevent_rate_limit_group_decrement_write(load_group, *(int *)arg);
}

static double last_tick, longest_tick;

static void note_tick(evutil_socket_t fd, short what, void *arg)
{
	double now = support_now_ms();

	(void)fd;
	(void)what;
	(void)arg;
	longest_tick = fmax(longest_tick, now - last_tick);
	last_tick = now;
}

static int was_held_up(void)
{
	return longest_tick > TICK_MS * SAVED_TICKS / 3.0;
}

static int is_near(double rate, double wanted, double tolerance)
{
	double least = was_held_up() ? 0 : wanted - tolerance;

	return rate > least && rate < wanted + tolerance;
}

static void check_load(const struct probe probe[CONNECTIONS], double seconds,
		       const struct load *load)
{
	double sum = 0, squares = 0, mean, deviation;

	for (int i = 0; i < CONNECTIONS; i++) {
		double rate = (double)probe[i].received / seconds;

		sum += rate;
		squares += rate * rate;
	}
	mean = sum / CONNECTIONS;
	deviation = sqrt(fmax(squares / CONNECTIONS - mean * mean, 0));
	cr_log_info("total %.0f, mean %.1f, deviation %.1f, longest tick %.0f ms", sum, mean,
		    deviation, longest_tick);
	if (load->rate_all > 0) {
		cr_expect(is_near(sum, load->rate_all, 1000), "total %.0f", sum);
		cr_expect(deviation <= 100 || was_held_up(), "%.1f", deviation);
	}
	if (load->rate_one > 0) {
		cr_expect(is_near(mean, load->rate_one, 50), "mean %.1f", mean);
		cr_expect(deviation <= 50 || was_held_up(), "%.1f", deviation);
	}
}

static struct ev_token_bucket_cfg *limit_of(double per_second)
{
	size_t rate = (size_t)(per_second * TICK_MS / 1000);

	return ev_token_bucket_cfg_new(rate, rate * SAVED_TICKS, rate, rate * SAVED_TICKS,
				       MS(TICK_MS));
}

static void run_load(const struct load *load, double group_rate)
{
	struct bufferevent *bev[CONNECTIONS][2];
	struct probe probe[CONNECTIONS] = { 0 };
	struct ev_token_bucket_cfg *one = NULL, *all = NULL;
	struct event *tick = NULL, *watch_ticks;
	int drain = load->drain;
	char *bytes = pattern(LEN);
	double began;

	if (load->rate_one > 0)
		one = limit_of(load->rate_one);
	if (group_rate > 0) {
		all = limit_of(group_rate);
		load_group = bufferevent_rate_limit_group_new(base, all);
	}
	if (drain > 0) {
		tick = event_new(base, -1, EV_PERSIST, drain_group, &drain);
		event_add(tick, MS(TICK_MS));
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		linked_new(bev[i], 0);
		probe[i].drain = 1;
		watch(bev[i][1], &probe[i]);
		bufferevent_setcb(bev[i][0], echo, NULL, NULL, NULL);
		if (one != NULL)
			bufferevent_set_rate_limit(bev[i][1], one);
		if (all != NULL)
			bufferevent_add_to_rate_limit_group(bev[i][1], load_group);
		bufferevent_enable(bev[i][0], EV_READ);
		bufferevent_enable(bev[i][1], EV_READ);
		cr_assert_eq(bufferevent_write(bev[i][1], bytes, LEN), 0);
	}
	watch_ticks = event_new(base, -1, EV_PERSIST, note_tick, NULL);
	event_add(watch_ticks, MS(TICK_MS));
	began = last_tick = support_now_ms();
	run_for((int)(SECONDS * 1000));
	check_load(probe, (support_now_ms() - began) / 1000, load);
	for (int i = 0; i < CONNECTIONS; i++) {
		bufferevent_free(bev[i][0]);
		bufferevent_free(bev[i][1]);
	}
	event_free(watch_ticks);
	if (tick != NULL)
		event_free(tick);
	if (all != NULL)
		bufferevent_rate_limit_group_free(load_group);
	ev_token_bucket_cfg_free(one);
	ev_token_bucket_cfg_free(all);
	free(bytes);
}

/* BEV-313, BEV-312 */
Test(bev_load, reference_load_with_a_group)
{
	run_load(&(const struct load){ .rate_all = 30000 }, 30000);
}

/* BEV-313 */
Test(bev_load, reference_load_with_single_limits)
{
	run_load(&(const struct load){ .rate_one = 1000 }, 0);
}

/* BEV-313, BEV-311 */
Test(bev_load, reference_load_with_both)
{
	run_load(&(const struct load){ .rate_all = 30000, .rate_one = 1000 }, 30000);
}

/* BEV-313 */
Test(bev_load, reference_load_with_a_group_that_is_drained_by_hand)
{
	run_load(&(const struct load){ .rate_all = 30000, .rate_one = 1000, .drain = 500 }, 35000);
}
