/* SPDX-License-Identifier: BSD-3-Clause */
/* Watchers: callbacks right before and right after each poll. */

#include "reactor_test.h"

#include <event2/watch.h>

#include <signal.h>
#include <sys/time.h>

TestSuite(watch, .init = start, .fini = finish, .timeout = 60);

static struct evwatch *doomed[2];
static struct timeval planned;
static int has_limit;

static void prepare(struct evwatch *w, const struct evwatch_prepare_cb_info *info, void *arg)
{
	cr_expect_eq(evwatch_base(w), base);
	cr_expect_not_null(info);
	trace_letter(*(const char *)arg);
}

static void check(struct evwatch *w, const struct evwatch_check_cb_info *info, void *arg)
{
	(void)info;
	cr_expect_eq(evwatch_base(w), base);
	trace_letter(*(const char *)arg);
}

static void note_timeout(struct evwatch *w, const struct evwatch_prepare_cb_info *info, void *arg)
{
	(void)w;
	(void)arg;
	planned.tv_sec = 1234;
	planned.tv_usec = 5678;
	has_limit = evwatch_prepare_get_timeout(info, &planned);
}

/* CORE-292, CORE-293, CORE-342 */
Test(watch, each_kind_runs_in_registration_order_around_the_poll)
{
	struct event *timer = event_new(base, -1, 0, trace, (void *)"t");
	struct evwatch *second;

	cr_assert_not_null(evwatch_check_new(base, check, (void *)"c"));
	cr_assert_not_null(evwatch_prepare_new(base, prepare, (void *)"p"));
	second = evwatch_prepare_new(base, prepare, (void *)"q");
	cr_assert_not_null(evwatch_check_new(base, check, (void *)"d"));
	cr_assert_not_null(evwatch_prepare_new(base, prepare, (void *)"r"));
	cr_assert_eq(event_add(timer, MS(0)), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_str_eq(traced, "pqrcdt");
	traced[0] = '\0';
	evwatch_free(second);
	event_active(timer, EV_READ, 1);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_str_eq(traced, "prcdt");
	event_free(timer);
}

static void use_the_base(struct evwatch *w, const struct evwatch_check_cb_info *info, void *arg)
{
	(void)w;
	(void)info;
	cr_expect_eq(event_del(arg), 0);
	cr_expect_eq(event_add(arg, MS(60000)), 0);
	cr_expect_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 1);
	cr_expect_eq(event_base_loopbreak(base), 0);
}

/* CORE-294 */
Test(watch, a_watcher_may_use_the_base)
{
	struct event *ev = event_new(base, -1, 0, never, NULL);

	cr_assert_not_null(evwatch_check_new(base, use_the_base, ev));
	cr_assert_eq(event_add(ev, MS(1)), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_eq(event_base_got_break(base), 1);
	event_free(ev);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void check_thrice(struct evwatch *w, const struct evwatch_check_cb_info *info, void *arg)
{
	check(w, info, arg);
	if (strlen(traced) == 6)
		event_base_loopbreak(base);
}

/* CORE-295: alarms come until three polls have been interrupted; nothing else ends them. */
Test(watch, both_run_when_the_poll_was_interrupted)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval again = { { 0, 20000 }, { 0, 20000 } },
			 never_again = { { 0, 0 }, { 0, 0 } };
	struct event *ev = event_new(base, -1, 0, never, NULL);

	sigaction(SIGALRM, &action, NULL);
	cr_assert_not_null(evwatch_prepare_new(base, prepare, (void *)"p"));
	cr_assert_not_null(evwatch_check_new(base, check_thrice, (void *)"c"));
	cr_assert_eq(event_add(ev, MS(3600000)), 0);
	setitimer(ITIMER_REAL, &again, NULL);
	cr_expect_eq(event_base_dispatch(base), 0);
	setitimer(ITIMER_REAL, &never_again, NULL);
	cr_expect_str_eq(traced, "pcpcpc");
	event_free(ev);
}

/* CORE-295, CORE-193, CORE-300 */
Test(watch, neither_runs_when_the_loop_ends_before_the_poll)
{
	cr_assert_not_null(evwatch_prepare_new(base, prepare, (void *)"p"));
	cr_assert_not_null(evwatch_check_new(base, check, (void *)"c"));
	cr_expect_eq(count(COUNT_ALL), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "");
	cr_assert_eq(event_base_loopexit(base, NULL), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_str_eq(traced, "pc", "one round for the exit, none after it");
}

/* CORE-295 */
Test(watch, check_is_skipped_if_the_poll_failed)
{
	evutil_socket_t pair[2];
	struct event *ev;

	if (!backend_is("select"))
		cr_skip_test("only select fails for a closed descriptor");
	support_capture_log();
	support_socketpair(pair);
	cr_assert_not_null(evwatch_prepare_new(base, prepare, (void *)"p"));
	cr_assert_not_null(evwatch_check_new(base, check, (void *)"c"));
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, never, NULL);
	cr_assert_eq(event_add(ev, NULL), 0);
	close(pair[0]);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), -1);
	cr_expect_str_eq(traced, "p");
	event_free(ev);
	close(pair[1]);
}

/* CORE-296, CORE-297 */
Test(watch, the_planned_wait_is_known_to_prepare)
{
	evutil_socket_t pair[2];
	struct event *timer = event_new(base, -1, 0, never, NULL), *active, *io;

	support_socketpair(pair);
	io = event_new(base, pair[0], EV_WRITE, trace, (void *)"w");
	active = event_new(base, -1, 0, trace, (void *)"a");
	cr_assert_not_null(evwatch_prepare_new(base, note_timeout, NULL));
	cr_assert_eq(event_add(io, NULL), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(has_limit, 0);
	cr_expect(planned.tv_sec == 1234 && planned.tv_usec == 5678, "untouched");

	cr_assert_eq(event_add(timer, MS(60000)), 0);
	cr_assert_eq(event_add(io, NULL), 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(has_limit, 1);
	cr_expect(planned.tv_sec >= 30 && planned.tv_sec <= 60, "60 s, less what has passed");

	event_active(active, EV_READ, 1);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect(has_limit == 1 && planned.tv_sec == 0 && planned.tv_usec == 0);
	event_free(timer);
	event_free(active);
	event_free(io);
	close_pair(pair);
}

/* CORE-298: the fixture sees that what is left dies with the base. */
Test(watch, a_freed_watcher_is_not_called)
{
	struct evwatch *w = evwatch_prepare_new(base, prepare, (void *)"p");
	struct event *ev = event_new(base, -1, 0, trace, (void *)"e");

	cr_assert_not_null(evwatch_check_new(base, check, (void *)"c"));
	evwatch_free(w);
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "ce");
	event_free(ev);
}

static void free_itself_and_next(struct evwatch *w, const struct evwatch_prepare_cb_info *info,
				 void *arg)
{
	(void)info;
	trace_letter(*(const char *)arg);
	evwatch_free(w);
	evwatch_free(doomed[0]);
	evwatch_free(doomed[1]);
	cr_assert_not_null(evwatch_prepare_new(base, prepare, (void *)"n"));
}

/* CORE-299 */
Test(watch, watchers_may_be_freed_and_added_during_the_walk)
{
	struct event *ev = event_new(base, -1, 0, trace, (void *)"e");

	doomed[0] = evwatch_prepare_new(base, prepare, (void *)"x");
	cr_assert_not_null(evwatch_prepare_new(base, free_itself_and_next, (void *)"f"));
	doomed[1] = evwatch_prepare_new(base, prepare, (void *)"y");
	cr_assert_not_null(evwatch_prepare_new(base, prepare, (void *)"z"));
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_str_eq(traced, "xfze");
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_str_eq(traced, "xfzezne");
	event_free(ev);
}

static void activate_arg(struct evwatch *w, const struct evwatch_prepare_cb_info *info, void *arg)
{
	(void)info;
	event_active(arg, EV_READ, 1);
	evwatch_free(w);
}

static void add_soon(struct evwatch *w, const struct evwatch_prepare_cb_info *info, void *arg)
{
	(void)info;
	cr_expect_eq(event_add(arg, MS(5)), 0);
	evwatch_free(w);
}

static void delete_arg(struct evwatch *w, const struct evwatch_prepare_cb_info *info, void *arg)
{
	(void)info;
	event_del(arg);
	evwatch_free(w);
}

/* CORE-301 */
Test(watch, what_prepare_changes_counts_for_the_wait_that_follows)
{
	struct event *far = event_new(base, -1, 0, never, NULL);
	struct event *ev = event_new(base, -1, 0, trace, (void *)"e");
	double begin = support_now_ms();

	cr_assert_eq(event_add(far, MS(60000)), 0);
	cr_assert_not_null(evwatch_prepare_new(base, activate_arg, ev));
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_str_eq(traced, "e");
	cr_assert_not_null(evwatch_prepare_new(base, add_soon, ev));
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_str_eq(traced, "ee");
	cr_assert_not_null(evwatch_prepare_new(base, delete_arg, far));
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_lt(support_now_ms() - begin, 30000.0);
	event_free(far);
	event_free(ev);
}

/* CORE-369 */
Test(watch, null_base_gives_no_watcher)
{
	cr_expect_null(evwatch_prepare_new(NULL, prepare, NULL));
	cr_expect_null(evwatch_check_new(NULL, check, NULL));
	evwatch_free(NULL);
}
