/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors that are closed, reused, duplicated, shared with a child, or many. */

#include "reactor_test.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

TestSuite(descriptor, .init = start, .fini = finish, .timeout = 60);

static double cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* Runs the loop for `ms`; fails the test if it is busy meanwhile. */
static void expect_idle_for(long ms)
{
	double before;

	run_round(); /* whatever there is to repair */
	run_round();
	before = cpu_ms();
	cr_assert_eq(event_base_loopexit(base, MS(ms)), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_lt(cpu_ms() - before, (double)ms * 0.5);
}

/* C10, CORE-357: closed without event_del while a duplicate keeps the file alive. */
Test(descriptor, closed_while_a_duplicate_lives_it_does_not_spin_the_loop)
{
	evutil_socket_t pair[2], copy;
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	copy = dup(pair[0]);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, note, &seen);
	cr_assert_eq(event_add(ev, NULL), 0);
	run_round();
	close(pair[0]);
	cr_assert_eq(event_del(ev), 0);
	send_byte(pair[1]); /* the file is readable, and nobody watches it */
	expect_idle_for(200);
	cr_expect_eq(seen.calls, 0);
	event_free(ev);
	close(copy);
	close(pair[1]);
}

/* C10: the number's next owner gets its own events only. */
Test(descriptor, a_reused_number_gets_only_its_own_events)
{
	evutil_socket_t old[2], fresh[2], copy;
	struct seen seen = { 0 };
	struct event *old_event, *new_event;

	support_socketpair(old);
	copy = dup(old[0]);
	old_event = event_new(base, old[0], EV_READ | EV_PERSIST, never, NULL);
	cr_assert_eq(event_add(old_event, NULL), 0);
	run_round();
	event_del(old_event);
	close(old[0]);
	support_socketpair(fresh);
	if (fresh[0] != old[0]) {
		cr_assert_eq(dup2(fresh[0], old[0]), old[0]);
		close(fresh[0]);
		fresh[0] = old[0];
	}
	new_event = event_new(base, fresh[0], EV_READ | EV_PERSIST, note_and_read, &seen);
	cr_assert_eq(event_add(new_event, NULL), 0);
	send_byte(old[1]); /* news for the old file, which `copy` keeps alive */
	run_round();
	run_round();
	cr_expect_eq(seen.calls, 0);
	expect_idle_for(200);
	send_byte(fresh[1]);
	run_round();
	cr_expect_eq(seen.calls, 1);
	event_free(old_event);
	event_free(new_event);
	close(copy);
	close(old[1]);
	close_pair(fresh);
}

/* C11: add and delete on either side of close, with the same number every time. */
Test(descriptor, ten_thousand_files_under_one_number)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, 0, note, &seen);
	int number = -1;

	for (int i = 0; i < 10000; i++) {
		int round = i % 7 == 0;

		support_socketpair(pair);
		if (number < 0)
			number = (int)pair[0];
		cr_assert_eq(pair[0], number);
		cr_assert_eq(event_assign(ev, base, pair[0], EV_READ | EV_PERSIST, note, &seen), 0);
		cr_assert_eq(event_add(ev, NULL), 0, "file %d", i);
		if (round) {
			send_byte(pair[1]);
			run_round();
			cr_assert_eq(seen.calls, 1, "file %d", i);
			seen.calls = 0;
		}
		if (i % 2)
			cr_assert_eq(event_del(ev), 0);
		close_pair(pair);
		if (i % 2 == 0)
			cr_assert_eq(event_del(ev), 0);
	}
	event_free(ev);
}

static void note_and_break(evutil_socket_t fd, short what, void *arg)
{
	note(fd, what, arg);
	event_base_loopbreak(base);
}

/*
 * C10, CORE-078: against the rules, closed while it is watched and after it was reported, so that a
 * backend that watches it anew each round finds it gone. It may be reported or not; the loop goes
 * on.
 */
Test(descriptor, closed_after_it_was_reported_the_loop_goes_on)
{
	evutil_socket_t pair[2], others[2];
	struct seen seen = { 0 }, alive = { 0 };
	struct event *ev, *other;

	if (backend_is("select"))
		cr_skip_test("select fails for a closed descriptor");
	support_socketpair(pair);
	support_socketpair(others);
	support_capture_log();
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, note, &seen);
	other = event_new(base, others[0], EV_READ | EV_PERSIST, note_and_break, &alive);
	cr_assert_eq(event_add(ev, NULL), 0);
	cr_assert_eq(event_add(other, NULL), 0);
	send_byte(pair[1]);
	run_round();
	cr_expect_eq(seen.calls, 1);
	close(pair[0]);
	for (int i = 0; i < 3; i++)
		run_round();
	send_byte(others[1]);
	cr_assert_eq(event_base_loopexit(base, MS(5000)), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_eq(alive.calls, 1);
	cr_expect_eq(event_del(ev), 0);
	event_del(other);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 0);
	expect_idle_for(100);
	event_free(ev);
	event_free(other);
	close(pair[1]);
	close_pair(others);
}

/*
 * CORE-371: a wait never asks for more results than the process may have descriptors (DP_POLL
 * refuses).
 */
Test(descriptor, with_few_descriptors_allowed_waits_still_work)
{
	int next = dup(0);
	struct rlimit limit, few;
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	support_needs_descriptor_limit();
	close(next);
	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, note_and_read, &seen);
	cr_assert_eq(event_add(ev, NULL), 0);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = (rlim_t)next + 4;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int i = 1; i <= 3; i++) {
		send_byte(pair[1]);
		run_round();
		cr_expect_eq(seen.calls, i);
	}
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	event_free(ev);
	close_pair(pair);
}

/* CORE-357: an entry that a child keeps alive is not the parent's to spin on. */
Test(descriptor, closed_here_but_open_in_a_child)
{
	evutil_socket_t pair[2], to_child[2];
	struct event *ev;
	pid_t child;
	char byte;

	support_socketpair(pair);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, to_child), 0);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, never, NULL);
	cr_assert_eq(event_add(ev, NULL), 0);
	run_round();
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		close(to_child[0]);
		_exit(read(to_child[1], &byte, 1) == 0 ? 0 : 1);
	}
	close(to_child[1]);
	event_del(ev);
	close(pair[0]);
	send_byte(pair[1]);
	expect_idle_for(200);
	close(to_child[0]);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	event_free(ev);
	close(pair[1]);
}

#define IDLE 900

/* C36: idle descriptors cost next to nothing, in memory and in time. */
Test(descriptor, a_pass_touches_only_the_active_ones)
{
	evutil_socket_t(*pairs)[2] = calloc(IDLE, sizeof(*pairs));
	struct event **ev = calloc(IDLE, sizeof(*ev));
	struct seen seen = { 0 };
	struct rlimit limit;
	int n = 0;

	if (support_is_select_emulated(base))
		cr_skip_test("qemu's select(2) has a limit");
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 2 * IDLE + 100 ? limit.rlim_max : 2 * IDLE + 100;
	setrlimit(RLIMIT_NOFILE, &limit);
	while (n < IDLE && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pairs[n]) == 0) {
		ev[n] = event_new(base, pairs[n][0], EV_READ | EV_PERSIST,
				  n == 0 ? note_and_read : never, &seen);
		cr_assert_eq(event_add(ev[n], NULL), 0);
		n++;
	}
	cr_assert_gt(n, 100);
	for (int i = 0; i < 100; i++) {
		send_byte(pairs[0][1]);
		run_round();
	}
	cr_expect_eq(seen.calls, 100);
	expect_idle_for(200);
	for (int i = 0; i < n; i++) {
		event_free(ev[i]);
		close_pair(pairs[i]);
	}
	free(pairs);
	free(ev);
}

/* CORE-068, CORE-357: what nobody asked for does not spin the loop. */
Test(descriptor, conditions_that_nobody_asked_for_do_not_spin)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	if (event_base_get_features(base) & EV_FEATURE_EARLY_CLOSE)
		cr_skip_test("%s reports the end to EV_CLOSED", event_base_get_method(base));
	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_CLOSED | EV_PERSIST, note, &seen);
	cr_assert_eq(event_add(ev, NULL), 0);
	close(pair[1]);
	expect_idle_for(200);
	cr_expect_eq(seen.calls, 0);
	event_free(ev);
	close(pair[0]);
}

static void once_closed(evutil_socket_t fd, short what, void *arg)
{
	note(fd, what, arg);
	event_base_loopbreak(base);
}

/* CORE-068 */
Test(descriptor, the_end_reaches_an_event_that_asks_for_nothing_else)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	if (!(event_base_get_features(base) & EV_FEATURE_EARLY_CLOSE))
		cr_skip_test("%s cannot tell", event_base_get_method(base));
	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_CLOSED | EV_PERSIST, once_closed, &seen);
	cr_assert_eq(event_add(ev, NULL), 0);
	run_round();
	cr_expect_eq(seen.calls, 0);
	close(pair[1]);
	cr_assert_eq(event_base_loopexit(base, MS(2000)), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_eq(seen.what, EV_CLOSED);
	event_free(ev);
	close(pair[0]);
}
