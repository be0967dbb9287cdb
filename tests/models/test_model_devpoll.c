/* SPDX-License-Identifier: BSD-3-Clause */
/* The model of /dev/poll does what poll(7D) says. */

#include "model_test.h"

#include <sys/devpoll.h>
#include <sys/ioctl.h>

static int dp;

static void start(void)
{
	dp = open("/dev/poll", O_RDWR);
	cr_assert_geq(dp, 0);
	open_pair();
}

static void finish(void)
{
	close_pair();
	close(dp);
}

TestSuite(model_devpoll, .init = start, .fini = finish, .timeout = 60);

static int tell(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return write(dp, &pfd, sizeof(pfd)) == (ssize_t)sizeof(pfd) ? 0 : errno;
}

static int poll_device(struct pollfd *list, nfds_t room)
{
	struct dvpoll request = { .dp_fds = list, .dp_nfds = room, .dp_timeout = 0 };

	return ioctl(dp, DP_POLL, &request);
}

static short polled(int fd)
{
	struct pollfd ask = { .fd = fd };

	return ioctl(dp, DP_ISPOLLED, &ask) == 1 ? ask.revents : 0;
}

Test(model_devpoll, levels_are_reported_until_they_end)
{
	struct pollfd got[2];

	cr_assert_eq(tell(pair[0], POLLIN), 0);
	cr_expect_eq(poll_device(got, 2), 0);
	send_byte(pair[1]);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(poll_device(got, 2), 1);
		cr_expect(got[0].fd == pair[0] && got[0].revents == POLLIN);
	}
	take_byte(pair[0]);
	cr_expect_eq(poll_device(got, 2), 0);
}

Test(model_devpoll, what_is_written_is_added_until_it_is_removed)
{
	cr_assert_eq(tell(pair[0], POLLIN), 0);
	cr_assert_eq(tell(pair[0], POLLOUT), 0);
	cr_expect_eq(polled(pair[0]), POLLIN | POLLOUT);
	cr_assert_eq(tell(pair[0], POLLREMOVE), 0);
	cr_expect_eq(polled(pair[0]), 0);
	cr_expect_eq(tell(pair[0], POLLREMOVE), 0, "also if it is not there");
	cr_assert_eq(tell(pair[0], POLLOUT), 0);
	cr_expect_eq(polled(pair[0]), POLLOUT);
}

Test(model_devpoll, one_write_holds_many_changes_in_order)
{
	struct pollfd list[3] = { { .fd = pair[0], .events = POLLIN },
				  { .fd = pair[0], .events = POLLREMOVE },
				  { .fd = pair[0], .events = POLLOUT } };

	cr_assert_eq(write(dp, list, sizeof(list)), (ssize_t)sizeof(list));
	cr_expect_eq(polled(pair[0]), POLLOUT);
	cr_expect_eq(write(dp, list, sizeof(list) - 1), -1);
	cr_expect_eq(errno, EINVAL);
}

Test(model_devpoll, results_are_limited_by_room_and_by_descriptors)
{
	struct rlimit limit;
	struct pollfd got[2];

	cr_assert_eq(tell(pair[0], POLLOUT), 0);
	cr_assert_eq(tell(pair[1], POLLOUT), 0);
	cr_expect_eq(poll_device(got, 1), 1);
	cr_expect_eq(poll_device(got, 2), 2);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(poll_device(got, (nfds_t)limit.rlim_cur + 1), -1);
	cr_expect_eq(errno, EINVAL);
	cr_expect_eq(poll_device(NULL, 1), -1);
	cr_expect_eq(errno, EFAULT);
	cr_expect_eq(ioctl(dp, DPIOC | 77, NULL), -1);
	cr_expect_eq(errno, EINVAL);
}

Test(model_devpoll, with_little_room_everyone_has_a_turn)
{
	struct pollfd got;
	int first, i;

	cr_assert_eq(tell(pair[0], POLLOUT), 0);
	cr_assert_eq(tell(pair[1], POLLOUT), 0);
	cr_assert_eq(poll_device(&got, 1), 1);
	first = got.fd;
	for (i = 0; i < 8 && got.fd == first; i++)
		cr_assert_eq(poll_device(&got, 1), 1);
	cr_expect_lt(i, 8);
}

Test(model_devpoll, a_closed_descriptor_stays_and_is_invalid)
{
	struct pollfd got;

	cr_assert_eq(tell(pair[0], POLLIN), 0);
	close(pair[0]);
	cr_assert_eq(poll_device(&got, 1), 1);
	cr_expect_eq(got.revents, POLLNVAL);
	cr_assert_eq(tell(pair[0], POLLREMOVE), 0);
	cr_expect_eq(poll_device(&got, 1), 0);
	pair[0] = dup(pair[1]);
}

static int child_is_refused(void)
{
	struct pollfd got;

	if (tell(pair[0], POLLIN) != EACCES)
		return 1;
	return poll_device(&got, 1) == -1 && errno == EACCES ? 0 : 2;
}

Test(model_devpoll, only_who_opened_the_device_may_use_it)
{
	cr_assert_eq(tell(pair[0], POLLIN), 0);
	in_child(child_is_refused);
	cr_expect_eq(polled(pair[0]), POLLIN);
}

Test(model_devpoll, devices_are_independent_and_go_when_they_are_closed)
{
	int other = open("/dev/poll", O_RDWR), first = dp;

	cr_assert_geq(other, 0);
	cr_assert_eq(tell(pair[0], POLLOUT), 0);
	dp = other;
	cr_expect_eq(polled(pair[0]), 0);
	dp = first;
	close(other);
	cr_assert_eq(dup2(pair[1], other), other);
	send_byte(other); /* an ordinary descriptor again */
	take_byte(pair[0]);
	close(other);
}
