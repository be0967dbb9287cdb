/* SPDX-License-Identifier: BSD-3-Clause */
/* The model of event ports does what port_create(3C) and its siblings say. */

#include "model_test.h"

#include <port.h>

static int port;

static void start(void)
{
	port = port_create();
	cr_assert_geq(port, 0);
	open_pair();
}

static void finish(void)
{
	close_pair();
	close(port);
}

TestSuite(model_port, .init = start, .fini = finish, .timeout = 60);

static int associate(int fd, int events, void *user)
{
	return port_associate(port, PORT_SOURCE_FD, (uintptr_t)fd, events, user) < 0 ? errno : 0;
}

static int dissociate(int fd)
{
	return port_dissociate(port, PORT_SOURCE_FD, (uintptr_t)fd) < 0 ? errno : 0;
}

/* How many events there are now. */
static unsigned take(port_event_t *list, unsigned max)
{
	struct timespec at_once = { 0, 0 };
	unsigned n = 1;

	if (port_getn(port, list, max, &n, &at_once) < 0)
		cr_assert_eq(errno, ETIME);
	return n;
}

Test(model_port, an_association_is_over_when_it_was_reported)
{
	port_event_t got;
	int mark;

	cr_assert_eq(associate(pair[0], POLLIN, &mark), 0);
	cr_expect_eq(take(&got, 1), 0);
	send_byte(pair[1]);
	cr_assert_eq(take(&got, 1), 1);
	cr_expect_eq(got.portev_events, POLLIN);
	cr_expect_eq(got.portev_source, PORT_SOURCE_FD);
	cr_expect_eq(got.portev_object, (uintptr_t)pair[0]);
	cr_expect_eq(got.portev_user, (void *)&mark);
	cr_expect_eq(take(&got, 1), 0, "though there still is a byte");
	cr_expect_eq(dissociate(pair[0]), ENOENT);
	cr_assert_eq(associate(pair[0], POLLIN, NULL), 0);
	cr_expect_eq(take(&got, 1), 1);
}

Test(model_port, associating_again_replaces)
{
	port_event_t got[2];
	int first, second;

	send_byte(pair[1]);
	cr_assert_eq(associate(pair[0], POLLIN, &first), 0);
	cr_assert_eq(associate(pair[0], POLLOUT, &second), 0);
	cr_assert_eq(take(got, 2), 1);
	cr_expect_eq(got[0].portev_events, POLLOUT);
	cr_expect_eq(got[0].portev_user, (void *)&second);
}

Test(model_port, dissociated_it_is_not_reported)
{
	port_event_t got;

	cr_assert_eq(associate(pair[0], POLLOUT, NULL), 0);
	cr_assert_eq(dissociate(pair[0]), 0);
	cr_expect_eq(take(&got, 1), 0);
}

Test(model_port, a_hangup_is_reported_without_being_asked_for)
{
	port_event_t got;

	cr_assert_eq(associate(pair[0], POLLIN, NULL), 0);
	close(pair[1]);
	cr_assert_eq(take(&got, 1), 1);
	cr_expect(got.portev_events & POLLHUP);
	pair[1] = dup(pair[0]);
}

Test(model_port, closing_ends_the_association)
{
	port_event_t got;
	int copy = dup(pair[0]);

	cr_assert_eq(associate(copy, POLLIN, NULL), 0);
	close(copy);
	send_byte(pair[1]);
	cr_expect_eq(take(&got, 1), 0);
	cr_expect_eq(associate(copy, POLLIN, NULL), EBADF);
}

Test(model_port, files_are_ready)
{
	port_event_t got;
	int fd = plain_file();

	cr_assert_eq(associate(fd, POLLIN | POLLOUT, NULL), 0);
	cr_assert_eq(take(&got, 1), 1);
	cr_expect_eq(got.portev_events, POLLIN | POLLOUT);
	cr_expect_eq(take(&got, 1), 0);
	close(fd);
}

Test(model_port, errors)
{
	struct timespec at_once = { 0, 0 };
	port_event_t got[2];
	unsigned n = 3;

	cr_expect_eq(port_associate(port, 77, 0, POLLIN, NULL), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(port_associate(pair[0], PORT_SOURCE_FD, 0, POLLIN, NULL), -1);
	cr_expect_eq(errno, EBADF, "not a port");
	cr_expect_eq(port_getn(port, got, 2, &n, &at_once), -1);
	cr_expect_eq(errno, EINVAL, "more asked for than there is room");
	cr_expect_eq(port_get(port, got, &at_once), -1);
	cr_expect_eq(errno, ETIME);
}

Test(model_port, when_time_is_up_the_count_says_what_there_is)
{
	struct timespec soon = { 0, 10000000 };
	port_event_t got[2];
	unsigned n = 2;

	cr_assert_eq(associate(pair[0], POLLOUT, NULL), 0);
	cr_expect_eq(port_getn(port, got, 2, &n, &soon), -1);
	cr_expect_eq(errno, ETIME);
	cr_expect_eq(n, 1);
	cr_expect_eq(got[0].portev_object, (uintptr_t)pair[0]);
}

static void nothing(int sig)
{
	(void)sig;
}

static _Atomic int is_interrupted;

/* Again and again: a signal that comes just before the wait does not end it. */
static void *interrupt(void *arg)
{
	while (!is_interrupted) {
		wait_until_first_thread_sleeps();
		pthread_kill(*(pthread_t *)arg, SIGUSR1);
	}
	return NULL;
}

Test(model_port, a_signal_ends_a_wait_and_leaves_the_count_alone)
{
	struct sigaction action = { .sa_handler = nothing };
	pthread_t self = pthread_self(), thread;
	port_event_t got;
	unsigned n = 1;

	cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
	cr_assert_eq(pthread_create(&thread, NULL, interrupt, &self), 0);
	cr_expect_eq(port_getn(port, &got, 1, &n, NULL), -1);
	cr_expect_eq(errno, EINTR);
	cr_expect_eq(n, 1);
	is_interrupted = 1;
	pthread_join(thread, NULL);
	signal(SIGUSR1, SIG_DFL);
}

static int child_owns_nothing(void)
{
	if (dissociate(pair[0]) != EACCES)
		return 1;
	close(pair[0]);
	close(port);
	return 0;
}

Test(model_port, associations_belong_to_the_process_that_made_them)
{
	port_event_t got;

	cr_assert_eq(associate(pair[0], POLLIN, NULL), 0);
	in_child(child_owns_nothing);
	send_byte(pair[1]);
	cr_expect_eq(take(&got, 1), 1);
}

static void *associate_later(void *arg)
{
	wait_until_first_thread_sleeps();
	cr_assert_eq(associate(*(int *)arg, POLLOUT, NULL), 0);
	return NULL;
}

Test(model_port, a_change_reaches_a_wait_in_progress)
{
	port_event_t got;
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, associate_later, &pair[0]), 0);
	cr_expect_eq(port_get(port, &got, NULL), 0);
	cr_expect_eq(got.portev_object, (uintptr_t)pair[0]);
	pthread_join(thread, NULL);
}
