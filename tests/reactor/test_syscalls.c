/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the reactor talks to the kernel on Linux: how often, and what becomes of failures.
 *
 * This program's own epoll_ctl() and others stand before the C library's, also for the reactor.
 * They count, and fail when they are told to.
 */

#include "own_descriptors.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

static int own_epoll = -1; /* the test's base's: Criterion has one of its own */
static int controls, waits, wait_limit;
static int control_error, create_error, eventfd_error, interruptions;

int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	controls += epfd == own_epoll;
	if (epfd == own_epoll && control_error != 0 && op != EPOLL_CTL_DEL) {
		errno = control_error;
		return -1;
	}
	return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
}

int epoll_create1(int flags)
{
	if (create_error != 0) {
		errno = create_error;
		return -1;
	}
	return own_epoll = (int)syscall(SYS_epoll_create1, flags);
}

int eventfd(unsigned int count, int flags)
{
	if (eventfd_error != 0) {
		errno = eventfd_error;
		return -1;
	}
	return (int)syscall(SYS_eventfd2, count, flags);
}

static int interrupted(int epfd)
{
	waits += epfd == own_epoll;
	if (epfd != own_epoll || interruptions == 0)
		return 0;
	interruptions--;
	errno = EINTR;
	return 1;
}

int epoll_wait(int epfd, struct epoll_event *events, int room, int timeout)
{
	if (interrupted(epfd))
		return -1;
	if (epfd == own_epoll && wait_limit != 0 && room > wait_limit)
		room = wait_limit;
	return (int)syscall(SYS_epoll_pwait, epfd, events, room, timeout, NULL, 0);
}


static void epoll_start(void)
{
	unsetenv("EVENT_NOEPOLL");
	start();
	controls = waits = 0;
}

TestSuite(syscalls, .init = epoll_start, .fini = finish, .timeout = 60);

static evutil_socket_t pair[2];
static struct event *self;
static int left;

static void add_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (--left > 0)
		cr_assert_eq(event_add(self, NULL), 0);
}

/* CORE-351 */
Test(syscalls, a_one_shot_event_that_adds_itself_again_costs_no_registration)
{
	support_socketpair(pair);
	self = event_new(base, pair[0], EV_WRITE, add_again, NULL);
	cr_assert_eq(event_add(self, NULL), 0);
	cr_expect_eq(controls, 1);
	left = 100;
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(left, 0);
	cr_expect_leq(controls, 2, "%d", controls);
	event_free(self);
	close_pair(pair);
}

/* CORE-352 */
Test(syscalls, expiry_of_a_persistent_io_event_costs_no_registration)
{
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, note, &seen);
	cr_assert_eq(event_add(ev, MS(1)), 0);
	while (seen.calls < 10)
		cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(controls, 1);
	event_free(ev);
	close_pair(pair);
}

/* CORE-353 */
Test(syscalls, changes_of_interest_are_told_once_per_wait)
{
	struct event *reader, *writer;

	support_socketpair(pair);
	reader = event_new(base, pair[0], EV_READ | EV_PERSIST, never, NULL);
	writer = event_new(base, pair[0], EV_WRITE | EV_PERSIST, never, NULL);
	cr_assert_eq(event_add(reader, NULL), 0);
	run_round();
	cr_expect_eq(controls, 1);
	for (int i = 0; i < 50; i++) {
		cr_assert_eq(event_add(writer, NULL), 0);
		cr_assert_eq(event_del(writer), 0);
	}
	run_round();
	cr_expect_eq(controls, 1, "changes that cancel out are not told");
	event_free(reader);
	event_free(writer);
	close_pair(pair);
}

/* CORE-353: deleted and added again before the next wait. */
Test(syscalls, delete_and_add_cost_one_call)
{
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, never, NULL);
	cr_assert_eq(event_add(ev, NULL), 0);
	run_round();
	for (int i = 1; i <= 20; i++) {
		cr_assert_eq(event_del(ev), 0);
		cr_assert_eq(event_add(ev, NULL), 0);
		run_round();
		cr_expect_leq(controls, 1 + i);
	}
	event_free(ev);
	close_pair(pair);
}

/* CORE-354 */
Test(syscalls, one_wait_per_expiry)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, EV_PERSIST, note, &seen);

	cr_assert_eq(event_add(ev, MS(7)), 0);
	while (seen.calls < 10)
		cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	/* epoll_pwait2() goes by its number and is not seen here: no other wait was needed. */
	cr_expect_leq(waits, 10);
	event_free(ev);
}

/* CORE-346, CORE-355: fine waits, and no descriptor to re-arm for them. */
Test(syscalls, precise_timers_need_no_timer_descriptor)
{
	struct event_config *cfg = event_config_new();
	struct timeval short_wait = { 0, 300 };
	struct seen seen = { 0 };
	struct event_base *b;
	struct event *ev;
	double begin, took;

	event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER);
	b = event_base_new_with_config(cfg);
	event_config_free(cfg);
	ev = event_new(b, -1, EV_PERSIST, note, &seen);
	cr_assert_eq(event_add(ev, &short_wait), 0);
	begin = support_now_ms();
	while (seen.calls < 50)
		cr_assert_eq(event_base_loop(b, EVLOOP_ONCE), 0);
	took = support_now_ms() - begin;
	cr_expect_geq(took, 14.9);
	cr_expect_eq(descriptors_like("timerfd"), 0);
	event_free(ev);
	event_base_free(b);
}

/* CORE-358 */
Test(syscalls, a_base_opens_only_what_it_needs)
{
	int before = support_open_fds();
	struct event_base *b = event_base_new();
	struct event *sig;

	cr_expect_eq(support_open_fds(), before + 1, "the epoll descriptor");
	sig = event_new(b, SIGUSR1, EV_SIGNAL, never, NULL);
	cr_assert_eq(event_add(sig, NULL), 0);
	cr_expect_leq(support_open_fds(), before + 3);
	event_free(sig);
	event_base_free(b);
}

/* CORE-115, CORE-116; C04 */
Test(syscalls, a_failed_registration_is_event_adds_own_failure)
{
	static const int errors[] = { ENOMEM, ENOSPC, EPERM, EBADF };
	struct event *ev;

	support_capture_log();
	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ, never, NULL);
	for (int i = 0; i < 4; i++) {
		control_error = errors[i];
		cr_expect_eq(event_add(ev, MS(1)), -1);
		cr_expect_eq(event_pending(ev, EV_READ | EV_TIMEOUT, NULL), 0);
		cr_expect_eq(count(COUNT_ALL), 0);
	}
	control_error = 0;
	cr_expect_eq(event_add(ev, NULL), 0);
	event_free(ev);
	close_pair(pair);
}

/* C04: accepted, since another event watches the descriptor, and refused by the kernel later. */
Test(syscalls, a_failure_after_event_add_is_delivered_as_readiness)
{
	struct seen read_seen = { 0 }, write_seen = { 0 };
	struct event *reader, *writer;

	support_capture_log();
	support_socketpair(pair);
	reader = event_new(base, pair[0], EV_READ, note, &read_seen);
	writer = event_new(base, pair[0], EV_WRITE, note, &write_seen);
	cr_assert_eq(event_add(reader, NULL), 0);
	run_round();
	cr_assert_eq(event_add(writer, NULL), 0);
	control_error = ENOMEM;
	run_round();
	control_error = 0;
	cr_expect_eq(write_seen.calls, 1, "whoever waits learns it by trying");
	cr_expect_geq(support_messages(EVENT_LOG_WARN), 1);
	event_free(reader);
	event_free(writer);
	close_pair(pair);
}

/* CORE-195; C05 */
Test(syscalls, interrupted_waits_lose_nothing)
{
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	send_byte(pair[1]);
	ev = event_new(base, pair[0], EV_READ, note, &seen);
	cr_assert_eq(event_add(ev, NULL), 0);
	interruptions = 5;
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(interruptions, 0);
	cr_expect_eq(seen.calls, 1);
	event_free(ev);
	close_pair(pair);
}

/* C05: one event at a time. */
Test(syscalls, a_kernel_that_reports_one_at_a_time_loses_nothing)
{
	evutil_socket_t pairs[10][2];
	struct seen seen[10] = { 0 };
	struct event *ev[10];

	wait_limit = 1;
	for (int i = 0; i < 10; i++) {
		support_socketpair(pairs[i]);
		send_byte(pairs[i][1]);
		ev[i] = event_new(base, pairs[i][0], EV_READ, note, &seen[i]);
		cr_assert_eq(event_add(ev[i], NULL), 0);
	}
	cr_expect_eq(event_base_dispatch(base), 1);
	for (int i = 0; i < 10; i++) {
		cr_expect_eq(seen[i].calls, 1);
		event_free(ev[i]);
		close_pair(pairs[i]);
	}
}

/* CORE-038; C03 */
Test(syscalls, a_backend_that_cannot_be_opened_is_passed_over)
{
	struct event_base *b;

	support_capture_log();
	create_error = EMFILE;
	b = event_base_new();
	create_error = 0;
	cr_assert_not_null(b);
	cr_expect_str_neq(event_base_get_method(b), "epoll");
	event_base_free(b);
}

/* CORE-116; C03: signals need a descriptor to wake the loop by. */
Test(syscalls, without_a_wake_up_descriptor_a_signal_is_not_added)
{
	struct event *sig = event_new(base, SIGUSR1, EV_SIGNAL, trace, (void *)"s");
	int fds = support_open_fds();

	support_capture_log();
	eventfd_error = EMFILE;
	cr_expect_eq(event_add(sig, NULL), -1);
	cr_expect_eq(event_pending(sig, EV_SIGNAL, NULL), 0);
	cr_expect_eq(support_open_fds(), fds);
	eventfd_error = 0;
	cr_expect_eq(event_add(sig, NULL), 0);
	raise(SIGUSR1);
	run_round();
	cr_expect_str_eq(traced, "s");
	event_free(sig);
}
