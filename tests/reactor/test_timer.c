/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers, on a clock that the test drives. */

#include "driven_clock.h"
#include "reactor_test.h"

#include <stdlib.h>

static void take_clock_and_start(void)
{
	clock_take();
	start();
}

TestSuite(timer, .init = take_clock_and_start, .fini = finish, .timeout = 60);

/* Both clocks go on by `ms`. */
static void pass_time(long long ms)
{
	clock_monotonic_offset_ms += ms;
	clock_wall_offset_ms += ms;
}

/* Without this the tests below prove nothing. */
static void check_that_the_clock_is_ours(void)
{
	struct timeval before, after;

	cr_assert_eq(event_gettime_monotonic(base, &before), 0);
	pass_time(5000);
	cr_assert_eq(event_gettime_monotonic(base, &after), 0);
	cr_assert_geq(after.tv_sec - before.tv_sec, 5);
}

/* CORE-222, CORE-232 */
Test(timer, runs_when_its_hour_has_come_and_not_before)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, 0, note, &seen);

	check_that_the_clock_is_ours();
	cr_assert_eq(event_add(ev, MS(3600000)), 0);
	run_round();
	pass_time(3590000);
	run_round();
	cr_expect_eq(seen.calls, 0);
	pass_time(10010);
	run_round();
	cr_expect_eq(seen.calls, 1);
	event_free(ev);
}

/* CORE-222; C18 */
Test(timer, steps_of_the_wall_clock_move_nothing)
{
	static const long long steps_ms[] = { 3600000, -3600000, 31536000000, -31536000000 };

	check_that_the_clock_is_ours();
	for (int i = 0; i < 4; i++) {
		struct seen seen = { 0 };
		struct event *ev = event_new(base, -1, 0, note, &seen);
		struct timeval expiry;

		cr_assert_eq(event_add(ev, MS(3600000)), 0);
		clock_wall_offset_ms += steps_ms[i];
		run_round();
		cr_expect_eq(seen.calls, 0);
		/* The expiry is told in the new wall-clock time. */
		cr_assert_eq(event_pending(ev, EV_TIMEOUT, &expiry), EV_TIMEOUT);
		cr_expect_leq(llabs(expiry.tv_sec - clock_wall_s() - 3600), 10);
		pass_time(3590000);
		run_round();
		cr_expect_eq(seen.calls, 0);
		pass_time(10010);
		run_round();
		cr_expect_eq(seen.calls, 1);
		event_free(ev);
	}
}

static struct timeval cached;

static void read_cache(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_gettimeofday_cached(base, &cached);
}

/* CORE-233; C18: the cached wall time is right again within one pass. */
Test(timer, the_time_cache_follows_a_step_within_one_pass)
{
	struct event *ev = event_new(base, -1, EV_PERSIST, read_cache, NULL);

	for (int i = 0; i < 4; i++) {
		clock_wall_offset_ms += i % 2 ? 86400000 : -86400000;
		event_active(ev, EV_READ, 1);
		run_round();
		cr_expect_leq(llabs(cached.tv_sec - clock_wall_s()), 60);
	}
	event_free(ev);
}

/* CORE-168; C19: after a long sleep an overdue periodic timer runs once, and others still work. */
Test(timer, a_jump_ahead_gives_one_call_not_one_per_missed_period)
{
	struct seen periodic = { 0 }, soon = { 0 };
	struct event *ev = event_new(base, -1, EV_PERSIST, note, &periodic);

	check_that_the_clock_is_ours();
	cr_assert_eq(event_add(ev, MS(1000)), 0);
	pass_time(1020);
	run_round();
	cr_expect_eq(periodic.calls, 1);
	pass_time(3600000);
	for (int i = 0; i < 5; i++)
		run_round();
	cr_expect_eq(periodic.calls, 2);
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, note, &soon, MS(3)), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(soon.calls, 1);
	pass_time(1020);
	run_round();
	cr_expect_eq(periodic.calls, 3);
	event_free(ev);
}

/* CORE-167: the plan is kept to the millisecond over many periods. */
Test(timer, periods_are_counted_from_the_plan)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, EV_PERSIST, note, &seen);

	check_that_the_clock_is_ours();
	cr_assert_eq(event_add(ev, MS(1000)), 0);
	/* Each time 400 ms late; drift would lose a period after three. */
	for (int i = 1; i <= 10; i++) {
		pass_time(i == 1 ? 1400 : 1000);
		run_round();
		cr_expect_eq(seen.calls, i);
	}
	event_free(ev);
}

/* CORE-224, CORE-356 */
Test(timer, a_slow_callback_makes_no_timer_early_or_late)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, 0, note, &seen);

	check_that_the_clock_is_ours();
	cr_assert_eq(event_add(ev, MS(1000)), 0);
	pass_time(700); /* as if a callback had taken that long */
	cr_assert_eq(event_add(ev, MS(1000)), 0);
	pass_time(900);
	run_round();
	cr_expect_eq(seen.calls, 0);
	pass_time(150);
	run_round();
	cr_expect_eq(seen.calls, 1);
	event_free(ev);
}

static void add_50_s_then_be_slow(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	cr_assert_eq(event_add(arg, MS(50000)), 0);
	pass_time(49500);
}

/* CORE-224, CORE-356: 49.5 of its 50 s have passed when the wait begins. */
Test(timer, waits_are_computed_from_fresh_time)
{
	struct seen seen = { 0 };
	struct event *timer = event_new(base, -1, 0, note, &seen);
	struct event *slow = event_new(base, -1, 0, add_50_s_then_be_slow, timer);
	long long begin_ms, took_ms;

	check_that_the_clock_is_ours();
	event_active(slow, EV_READ, 1);
	begin_ms = clock_real_ms();
	cr_expect_eq(event_base_dispatch(base), 1);
	took_ms = clock_real_ms() - begin_ms;
	cr_expect_eq(seen.calls, 1);
	cr_expect_geq(took_ms, 490);
	cr_expect_lt(took_ms, 30000);
	event_free(timer);
	event_free(slow);
}

/* CORE-223: Ours is finer than the specification asks. */
Test(timer, gettime_monotonic_is_fresh_and_refuses_null)
{
	struct timeval a, b;

	cr_expect_eq(event_gettime_monotonic(NULL, &a), -1);
	cr_expect_eq(event_gettime_monotonic(base, NULL), -1);
	cr_assert_eq(event_gettime_monotonic(base, &a), 0);
	pass_time(1);
	cr_assert_eq(event_gettime_monotonic(base, &b), 0);
	cr_expect(evutil_timercmp(&b, &a, >));
}

/* --- a model to compare with ------------------------------------------------------------------ */

#define TIMERS 400

struct model {
	struct event *ev;
	long long due; /* on the test's clock, in ms; -1: not pending */
	unsigned order;
	int calls;
};

static struct model timers[TIMERS];
static long long now_ms, last_due;
static unsigned added, last_order, order_errors, early_errors;

static void on_model_timer(evutil_socket_t fd, short what, void *arg)
{
	struct model *m = arg;

	(void)fd;
	(void)what;
	early_errors += m->due > now_ms || m->due < 0;
	order_errors += m->due < last_due || (m->due == last_due && m->order < last_order);
	last_due = m->due;
	last_order = m->order;
	m->due = -1;
	m->calls++;
}

static unsigned random_state = 12345;

static unsigned random_below(unsigned n)
{
	random_state = random_state * 1103515245u + 12345u;
	return (random_state >> 8) % n;
}

static void add_model(struct model *m, long long ms)
{
	cr_assert_eq(event_add(m->ev, MS(ms)), 0);
	m->due = now_ms + ms;
	m->order = ++added;
}

static void let_time_pass(long long ms)
{
	pass_time(ms);
	now_ms += ms;
	last_due = -1;
	run_round();
	for (int i = 0; i < TIMERS; i++)
		cr_assert(timers[i].due < 0 || timers[i].due > now_ms, "timer %d is overdue", i);
}

/*
 * CORE-183, CORE-361; C32: adds, postponements, deletions and expiry in random order against a
 * plain table. Durations are whole seconds, and the test ends long before its own running time
 * could make one of them due early.
 */
Test(timer, random_operations_agree_with_a_plain_table)
{
	check_that_the_clock_is_ours();
	for (int i = 0; i < TIMERS; i++) {
		timers[i].ev = event_new(base, -1, 0, on_model_timer, &timers[i]);
		timers[i].due = -1;
	}
	for (int step = 0; step < 20000; step++) {
		struct model *m = &timers[random_below(TIMERS)];
		unsigned choice = random_below(100);

		if (choice < 60) {
			/*
			 * Added at slightly different real times: never closer than that to
			 * another.
			 */
			add_model(m, 1000000LL * (1 + random_below(50)) - now_ms % 1000000);
		} else if (choice < 85) {
			cr_assert_eq(event_del(m->ev), 0);
			m->due = -1;
		} else if (choice == 99) {
			let_time_pass(1000000LL * (1 + random_below(3)) - now_ms % 1000000 +
				      500000);
		}
	}
	let_time_pass(100 * 1000000LL);
	cr_expect_eq(order_errors, 0u);
	cr_expect_eq(early_errors, 0u);
	cr_expect_eq(count(COUNT_ALL), 0);
	for (int i = 0; i < TIMERS; i++)
		event_free(timers[i].ev);
}

#define MANY 200000

/* C32: the work per timer hardly grows with their number. */
Test(timer, two_hundred_thousand_timers_in_random_order)
{
	struct event **ev = calloc(MANY, sizeof(*ev));
	struct seen seen = { 0 };

	check_that_the_clock_is_ours();
	for (int i = 0; i < MANY; i++) {
		ev[i] = event_new(base, -1, 0, note, &seen);
		cr_assert_eq(event_add(ev[i], MS(100000 + random_below(1000000))), 0);
	}
	for (int i = 0; i < MANY; i++) {
		unsigned k = random_below(MANY);

		if (i % 2)
			event_del(ev[k]);
		else
			cr_assert_eq(event_add(ev[k], MS(100000 + random_below(1000000))), 0);
	}
	cr_expect_lt(count(EVENT_BASE_COUNT_ADDED), MANY + 1);
	pass_time(2000000);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_gt(seen.calls, MANY / 4);
	for (int i = 0; i < MANY; i++)
		event_free(ev[i]);
	free(ev);
}

/* --- many with one deadline ------------------------------------------------------------------- */

struct crowd {
	struct event **ev;
	int *turn; /* of each event: the when-th it was set again */
	int calls;
	int out_of_turn;
};

struct member {
	struct crowd *crowd;
	int number;
};

static void on_member(evutil_socket_t fd, short what, void *arg)
{
	struct member *member = arg;
	struct crowd *crowd = member->crowd;

	(void)fd;
	(void)what;
	crowd->out_of_turn += crowd->turn[member->number] != crowd->calls++;
}

/* In a callback all of them get the same time. */
static void set_again_in_random_order(evutil_socket_t fd, short what, void *arg)
{
	struct crowd *crowd = arg;
	int *order = calloc(MANY, sizeof(*order));

	(void)fd;
	(void)what;
	for (int i = 0; i < MANY; i++) {
		int k = (int)random_below((unsigned)i + 1);

		order[i] = order[k];
		order[k] = i;
	}
	for (int i = 0; i < MANY; i++) {
		crowd->turn[order[i]] = i;
		cr_assert_eq(event_add(crowd->ev[order[i]], MS(700000)), 0);
	}
	free(order);
}

/* CORE-183, CORE-360; C32: the last order counts, and to find it takes no time to speak of. */
Test(timer, a_crowd_set_again_runs_in_the_order_of_that)
{
	struct crowd crowd = { .ev = calloc(MANY, sizeof(*crowd.ev)),
			       .turn = calloc(MANY, sizeof(*crowd.turn)) };
	struct member *members = calloc(MANY, sizeof(*members));

	check_that_the_clock_is_ours();
	for (int i = 0; i < MANY; i++) {
		members[i] = (struct member){ &crowd, i };
		crowd.ev[i] = event_new(base, -1, 0, on_member, &members[i]);
		cr_assert_eq(event_add(crowd.ev[i], MS(600000)), 0);
	}
	cr_assert_eq(
		event_base_once(base, -1, EV_TIMEOUT, set_again_in_random_order, &crowd, MS(0)), 0);
	run_round();
	pass_time(800000);
	run_round();
	cr_expect_eq(crowd.calls, MANY);
	cr_expect_eq(crowd.out_of_turn, 0);
	for (int i = 0; i < MANY; i++)
		event_free(crowd.ev[i]);
	free(crowd.ev);
	free(crowd.turn);
	free(members);
}

/* --- more than run between two polls ---------------------------------------------------------- */

#define DUE 5000

static struct event *due[DUE];
static int due_calls;

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (due_calls++ == 0 && arg != NULL)
		*(struct event **)arg = event_base_get_running_event(base);
}

/* All of them are due, the last one first, and one more in an hour. */
static void make_due(event_callback_fn fn, void *arg)
{
	check_that_the_clock_is_ours();
	for (int i = 0; i < DUE; i++) {
		due[i] = event_new(base, -1, 0, fn, arg);
		cr_assert_eq(event_add(due[i], MS(2 * DUE - i)), 0);
	}
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, on_due, NULL, MS(3600000)), 0);
	pass_time(3 * DUE);
}

static void free_due(void)
{
	for (int i = 0; i < DUE; i++)
		event_free(due[i]);
}

/* CORE-188 */
Test(timer, once_runs_all_that_are_due)
{
	make_due(on_due, NULL);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(due_calls, DUE);
	free_due();
}

/* All that this round has not activated. */
static void delete_pending(evutil_socket_t fd, short what, void *arg)
{
	on_due(fd, what, arg);
	for (int i = 0; i < DUE; i++)
		if (event_pending(due[i], EV_TIMEOUT, NULL))
			event_del(due[i]);
}

/* CORE-188: it has done something, so it does not wait for what is due in an hour. */
Test(timer, once_ends_when_those_that_are_due_are_deleted)
{
	make_due(delete_pending, NULL);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_gt(due_calls, 0);
	free_due();
}

/* CORE-197 */
Test(timer, the_most_urgent_of_all_that_are_due_comes_first)
{
	struct event *first = NULL;

	cr_assert_eq(event_base_priority_init(base, 3), 0);
	make_due(on_due, &first);
	event_del(due[0]);
	cr_assert_eq(event_priority_set(due[0], 0), 0);
	cr_assert_eq(event_add(due[0], MS(1)), 0);
	pass_time(10);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(due_calls, DUE);
	cr_expect(first == due[0]);
	free_due();
}

/* CORE-214, CORE-215 */
Test(timer, the_earliest_of_several_timed_exits_wins_and_the_others_stay)
{
	check_that_the_clock_is_ours();
	cr_assert_eq(event_base_loopexit(base, MS(7200000)), 0);
	cr_assert_eq(event_base_loopexit(base, MS(3600000)), 0);
	cr_expect_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 2);
	pass_time(3600100);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 1);
	run_round();
	cr_expect_eq(event_base_got_exit(base), 0, "the other one is not due");
	pass_time(3600100);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_eq(event_base_got_exit(base), 1);
	cr_expect_eq(event_base_dispatch(base), 1);
}

/* CORE-170, CORE-367 */
Test(timer, a_manual_timeout_restarts_the_period_from_now)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, EV_PERSIST, note, &seen);

	check_that_the_clock_is_ours();
	cr_assert_eq(event_add(ev, MS(3600000)), 0);
	pass_time(1800000);
	run_round();
	cr_expect_eq(seen.calls, 0);
	event_active(ev, EV_TIMEOUT, 1);
	run_round();
	cr_expect_eq(seen.calls, 1);
	pass_time(3400000);
	run_round();
	cr_expect_eq(seen.calls, 1, "not at the old expiry");
	pass_time(200100);
	run_round();
	cr_expect_eq(seen.calls, 2, "not at the old expiry plus a period");
	event_free(ev);
}

static int reads, reads_at_expiry;

static void read_and_pass_time(evutil_socket_t fd, short what, void *arg)
{
	char byte;

	(void)what;
	(void)arg;
	(void)!read(fd, &byte, 1);
	if (++reads == 10)
		pass_time(3600100);
}

static void send_back(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	(void)!write(fd, "x", 1);
}

static void note_expiry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	reads_at_expiry = reads;
	event_base_loopbreak(base);
}

/* C16: a peer that always has more to say delays a timer by one callback only. */
Test(timer, a_busy_descriptor_does_not_delay_it)
{
	evutil_socket_t pair[2];
	struct event *reader, *feeder, *timer;

	check_that_the_clock_is_ours();
	support_socketpair(pair);
	reader = event_new(base, pair[0], EV_READ | EV_PERSIST, read_and_pass_time, NULL);
	feeder = event_new(base, pair[1], EV_WRITE | EV_PERSIST, send_back, NULL);
	timer = event_new(base, -1, 0, note_expiry, NULL);
	cr_assert_eq(event_add(reader, NULL), 0);
	cr_assert_eq(event_add(feeder, NULL), 0);
	cr_assert_eq(event_add(timer, MS(3600000)), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_geq(reads_at_expiry, 10);
	cr_expect_leq(reads_at_expiry, 11);
	event_free(reader);
	event_free(feeder);
	event_free(timer);
	close_pair(pair);
}
