/* SPDX-License-Identifier: BSD-3-Clause */
/* What freeing a base does to the events, finalizers and signals that are still on it. */

#include "reactor_test.h"

#include <event2/component/reactor.h>
#include <event2/event_struct.h>
#include <event2/watch.h>

#include <signal.h>

TestSuite(base_free, .init = start, .fini = finish, .timeout = 60);

static void free_base(void)
{
	event_base_free(base);
	base = NULL;
}

static void never_watch(struct evwatch *watcher, const struct evwatch_check_cb_info *info,
			void *arg)
{
	(void)watcher;
	(void)info;
	(void)arg;
	cr_assert_fail("no loop ran");
}

static void never_deferred(struct evi_deferred *deferred, void *arg)
{
	(void)deferred;
	(void)arg;
	cr_assert_fail("no loop ran");
}

static void never_task(struct evi_round_end *task, void *arg)
{
	(void)task;
	(void)arg;
	cr_assert_fail("no loop ran");
}

/* CORE-082, CORE-083, CORE-088, CORE-298; C33 */
Test(base_free, takes_everything_off_and_calls_nothing)
{
	evutil_socket_t pair[2];
	struct event *ev[7];
	const struct timeval *common = event_base_init_common_timeout(base, MS(60000));
	struct evi_deferred deferred;
	struct evi_round_end task;

	support_capture_log();
	support_socketpair(pair);
	ev[0] = event_new(base, pair[0], EV_READ | EV_PERSIST, never, NULL);
	ev[1] = event_new(base, -1, 0, never, NULL);
	ev[2] = event_new(base, -1, EV_PERSIST, never, NULL);
	ev[3] = event_new(base, SIGUSR1, EV_SIGNAL, never, NULL);
	ev[4] = event_new(base, pair[0], EV_READ | EV_WRITE, never, NULL);
	ev[5] = event_new(base, -1, 0, never, NULL);
	ev[6] = event_new(base, -1, EV_READ, never, NULL);
	cr_assert_eq(event_add(ev[0], NULL), 0);
	cr_assert_eq(event_add(ev[1], MS(0)), 0);
	cr_assert_eq(event_add(ev[2], common), 0);
	cr_assert_eq(event_add(ev[3], NULL), 0);
	cr_assert_eq(event_add(ev[4], MS(10)), 0);
	cr_assert_eq(event_add(ev[6], NULL), 0);
	event_active(ev[4], EV_READ, 1);
	event_active(ev[5], EV_TIMEOUT, 1);
	cr_assert_eq(event_base_once(base, pair[1], EV_READ, never, NULL, MS(60000)), 0);
	cr_assert_eq(event_base_once(base, -1, EV_TIMEOUT, never, NULL, NULL), 0);
	cr_assert_not_null(evwatch_check_new(base, never_watch, NULL));
	evi_deferred_init(&deferred, 0, never_deferred, NULL);
	evi_deferred_schedule(base, &deferred);
	evi_round_end_init(&task, never_task, NULL);
	evi_round_end_schedule(base, &task);

	free_base();
	for (int i = 0; i < 7; i++) {
		cr_expect_null(event_get_base(ev[i]), "event %d", i);
		cr_expect_eq(event_del(ev[i]), -1);
		cr_expect_eq(
			event_pending(ev[i], EV_READ | EV_WRITE | EV_SIGNAL | EV_TIMEOUT, NULL), 0);
		event_free(ev[i]);
	}
	/* The user's descriptors are still the user's. */
	cr_expect_eq(write(pair[0], "x", 1), 1);
	close_pair(pair);
}

static int finalized;

static void count_finalizer(struct event *ev, void *arg)
{
	(void)ev;
	(void)arg;
	finalized++;
}

static void finalize_another(struct event *ev, void *arg)
{
	(void)ev;
	finalized++;
	cr_expect_eq(event_finalize(0, arg, count_finalizer), 0);
}

/* CORE-084, CORE-279 */
Test(base_free, runs_queued_finalizers_and_those_they_queue)
{
	struct event *inner = event_new(base, -1, 0, never, NULL);
	struct event *outer = event_new(base, -1, 0, never, inner);
	struct event *freed = event_new(base, -1, 0, never, NULL);

	event_active(outer, EV_TIMEOUT, 1);
	cr_assert_eq(event_finalize(0, outer, finalize_another), 0);
	cr_assert_eq(event_free_finalize(0, freed, count_finalizer), 0);
	free_base();
	cr_expect_eq(finalized, 3);
	event_free(inner);
	event_free(outer);
}

/* CORE-084 */
Test(base_free, nofinalize_runs_no_finalizer)
{
	struct event *kept = event_new(base, -1, 0, never, NULL);
	struct event *not_freed = event_new(base, -1, 0, never, NULL);

	cr_assert_eq(event_finalize(0, kept, count_finalizer), 0);
	cr_assert_eq(event_free_finalize(0, not_freed, count_finalizer), 0);
	event_base_free_nofinalize(base);
	base = NULL;
	cr_expect_eq(finalized, 0);
	event_free(kept);
	event_free(not_freed);
}

static volatile sig_atomic_t user_handled;

static void user_handler(int sig)
{
	(void)sig;
	user_handled++;
}

static void check_handler(int expected)
{
	int before = user_handled;

	raise(SIGUSR1);
	cr_expect_eq(user_handled, before + expected);
}

/* CORE-085: in both orders of freeing. */
Test(base_free, restores_signal_dispositions_in_any_order)
{
	struct sigaction action = { .sa_handler = user_handler };

	cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
	for (int order = 0; order < 2; order++) {
		int fds = support_open_fds();
		struct event_base *b[2] = { event_base_new(), event_base_new() };
		struct event *ev[2];

		for (int i = 0; i < 2; i++) {
			ev[i] = event_new(b[i], SIGUSR1, EV_SIGNAL | EV_PERSIST, trace,
					  (void *)"s");
			cr_assert_eq(event_add(ev[i], NULL), 0);
		}
		check_handler(0);
		event_base_free(b[order]);
		check_handler(0);
		event_base_free(b[!order]);
		check_handler(1);
		cr_expect_eq(support_open_fds(), fds);
		event_free(ev[0]);
		event_free(ev[1]);
	}
	signal(SIGUSR1, SIG_DFL);
}

/* CORE-088: also events that were not on the base when it died. */
Test(base_free, idle_events_may_be_freed_after_it)
{
	struct event *unused = event_new(base, -1, EV_PERSIST, never, NULL);
	struct event *used = event_new(base, -1, 0, trace, (void *)"x");

	cr_assert_eq(event_add(used, MS(0)), 0);
	cr_assert_eq(event_base_dispatch(base), 1);
	free_base();
	event_free(unused);
	event_free(used);
}

/* CORE-086 */
Test(base_free, null_means_the_current_base_or_a_warning)
{
	support_capture_log();
	event_base_free(NULL);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
}

/* CORE-087, CORE-298; C35: whatever goes first, nothing is left. */
Test(base_free, every_order_of_tearing_down_is_clean)
{
	static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					  { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	support_capture_log();
	for (int order = 0; order < 6; order++) {
		struct event_base *b = support_base_new();
		evutil_socket_t pair[2];
		struct event *io, *timer;

		support_socketpair(pair);
		io = event_new(b, pair[0], EV_READ | EV_PERSIST, never, NULL);
		timer = event_new(b, -1, EV_PERSIST, never, NULL);
		cr_assert_eq(event_add(io, MS(60000)), 0);
		cr_assert_eq(event_add(timer, MS(60000)), 0);
		event_active(timer, EV_TIMEOUT, 1);
		for (int i = 0; i < 3; i++) {
			if (orders[order][i] == 0)
				event_base_free(b);
			else if (orders[order][i] == 1)
				event_free(io);
			else
				event_free(timer);
		}
		close_pair(pair);
	}
}
