/* SPDX-License-Identifier: BSD-3-Clause */
/* The model of kqueue(2) does what the manual page says. */

#include "model_test.h"

#include <sys/event.h>

static int kq;

static void start(void)
{
	kq = kqueue();
	cr_assert_geq(kq, 0);
	open_pair();
}

static void finish(void)
{
	close_pair();
	close(kq);
}

TestSuite(model_kqueue, .init = start, .fini = finish, .timeout = 60);

/* One change; 0 or an errno. */
static int change(int ident, short filter, unsigned flags, void *data)
{
	struct kevent kev;

	EV_SET(&kev, ident, filter, flags, 0, 0, data);
	return kevent(kq, &kev, 1, NULL, 0, NULL) < 0 ? errno : 0;
}

/* How many events there are now. */
static int poll_queue(struct kevent *list, int room)
{
	static const struct timespec at_once;

	return kevent(kq, NULL, 0, list, room, &at_once);
}

Test(model_kqueue, levels_are_reported_until_they_end)
{
	struct kevent got;
	int mark;

	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ADD, &mark), 0);
	cr_expect_eq(poll_queue(&got, 1), 0);
	send_byte(pair[1]);
	send_byte(pair[1]);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(poll_queue(&got, 1), 1);
		cr_expect_eq(got.ident, (uintptr_t)pair[0]);
		cr_expect_eq(got.filter, EVFILT_READ);
		cr_expect_eq(got.data, 2, "bytes to read");
		cr_expect_eq(got.udata, (void *)&mark);
		cr_expect_eq(got.flags, 0);
	}
	take_byte(pair[0]);
	take_byte(pair[0]);
	cr_expect_eq(poll_queue(&got, 1), 0);
}

Test(model_kqueue, each_filter_is_an_entry_of_its_own)
{
	struct kevent got[4];

	send_byte(pair[1]);
	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ADD, NULL), 0);
	cr_assert_eq(change(pair[0], EVFILT_WRITE, EV_ADD, NULL), 0);
	cr_expect_eq(poll_queue(got, 4), 2);
	cr_expect_eq(poll_queue(got, 1), 1, "no more than there is room for");
	cr_assert_eq(change(pair[0], EVFILT_READ, EV_DELETE, NULL), 0);
	cr_assert_eq(poll_queue(got, 4), 1);
	cr_expect_eq(got[0].filter, EVFILT_WRITE);
	cr_expect_gt(got[0].data, 0, "room to write");
}

Test(model_kqueue, the_end_of_file_is_flagged)
{
	struct kevent got[2];

	send_byte(pair[1]);
	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ADD, NULL), 0);
	shutdown(pair[1], SHUT_WR);
	cr_assert_eq(poll_queue(got, 2), 1);
	cr_expect_eq(got[0].flags, EV_EOF);
	cr_expect_eq(got[0].data, 1, "what is left may be read");
	cr_assert_eq(change(pair[0], EVFILT_WRITE, EV_ADD, NULL), 0);
	close(pair[1]);
	cr_expect_eq(poll_queue(got, 2), 2);
	cr_expect(got[0].flags == EV_EOF && got[1].flags == EV_EOF);
	pair[1] = dup(pair[0]);
}

Test(model_kqueue, with_ev_clear_only_changes_are_reported)
{
	struct kevent got;

	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ADD | EV_CLEAR, NULL), 0);
	send_byte(pair[1]);
	cr_assert_eq(poll_queue(&got, 1), 1);
	cr_expect_eq(got.flags, EV_CLEAR);
	cr_expect_eq(poll_queue(&got, 1), 0);
	send_byte(pair[1]);
	cr_expect_eq(poll_queue(&got, 1), 1);
}

Test(model_kqueue, adding_again_changes_the_data_but_not_the_kind)
{
	struct kevent got;
	int first, second;

	send_byte(pair[1]);
	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ADD | EV_CLEAR, &first), 0);
	cr_assert_eq(poll_queue(&got, 1), 1);
	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ADD, &second), 0);
	cr_assert_eq(poll_queue(&got, 1), 1, "it is looked at afresh");
	cr_expect_eq(got.udata, (void *)&second);
	cr_expect_eq(got.flags, EV_CLEAR);
	cr_expect_eq(poll_queue(&got, 1), 0, "and is still edge-triggered");
}

Test(model_kqueue, one_shot_dispatch_and_disabled_entries)
{
	struct kevent got;

	send_byte(pair[1]);
	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ADD | EV_ONESHOT, NULL), 0);
	cr_expect_eq(poll_queue(&got, 1), 1);
	cr_expect_eq(poll_queue(&got, 1), 0);
	cr_expect_eq(change(pair[0], EVFILT_READ, EV_DELETE, NULL), ENOENT, "it is gone");

	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ADD | EV_DISPATCH, NULL), 0);
	cr_expect_eq(poll_queue(&got, 1), 1);
	cr_expect_eq(poll_queue(&got, 1), 0);
	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ENABLE, NULL), 0, "it is only disabled");
	cr_expect_eq(poll_queue(&got, 1), 1);

	cr_assert_eq(change(pair[1], EVFILT_WRITE, EV_ADD | EV_DISABLE, NULL), 0);
	cr_expect_eq(poll_queue(&got, 1), 0);
	cr_assert_eq(change(pair[1], EVFILT_WRITE, EV_ENABLE, NULL), 0);
	cr_expect_eq(poll_queue(&got, 1), 1);
	cr_assert_eq(change(pair[1], EVFILT_WRITE, EV_DISABLE, NULL), 0);
	cr_expect_eq(poll_queue(&got, 1), 0);
}

Test(model_kqueue, receipts_tell_of_each_change_and_take_no_event_along)
{
	struct kevent list[3];
	int unopened = dup(0);

	close(unopened);
	send_byte(pair[1]);
	EV_SET(&list[0], pair[0], EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, NULL);
	EV_SET(&list[1], unopened, EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, NULL);
	EV_SET(&list[2], pair[0], EVFILT_WRITE, EV_DELETE | EV_RECEIPT, 0, 0, NULL);
	cr_assert_eq(kevent(kq, list, 3, list, 3, NULL), 3);
	cr_expect(list[0].flags == EV_ERROR && list[0].data == 0);
	cr_expect(list[1].flags == EV_ERROR && list[1].data == EBADF);
	cr_expect(list[2].flags == EV_ERROR && list[2].data == ENOENT);
	cr_expect_eq(list[1].ident, (uintptr_t)unopened);
	cr_expect_eq(poll_queue(list, 3), 1);
}

Test(model_kqueue, without_room_for_it_a_failure_ends_the_changes)
{
	struct kevent list[2];

	EV_SET(&list[0], pair[0], EVFILT_READ, EV_DELETE, 0, 0, NULL);
	EV_SET(&list[1], pair[0], EVFILT_WRITE, EV_ADD, 0, 0, NULL);
	cr_expect_eq(kevent(kq, list, 2, NULL, 0, NULL), -1);
	cr_expect_eq(errno, ENOENT);
	cr_expect_eq(poll_queue(list, 2), 0, "the second change was not made");
}

Test(model_kqueue, what_cannot_be_watched)
{
	int ends[2];

	cr_expect_eq(change(pair[0], 77, EV_ADD, NULL), EINVAL);
	cr_expect_eq(change(0, EVFILT_SIGNAL, EV_ADD, NULL), EINVAL);
	cr_expect_eq(change(-1, EVFILT_READ, EV_ADD, NULL), EBADF);
	cr_assert_eq(pipe(ends), 0);
	close(ends[0]);
	cr_expect_eq(change(ends[1], EVFILT_WRITE, EV_ADD, NULL), EPIPE);
	close(ends[1]);
	cr_expect_eq(kevent(pair[0], NULL, 0, NULL, 0, NULL), -1);
	cr_expect_eq(errno, EBADF, "not a queue");
}

Test(model_kqueue, closing_a_descriptor_removes_its_entries_and_no_others)
{
	struct kevent got;
	int copy = dup(pair[0]);

	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ADD, NULL), 0);
	cr_assert_eq(change(copy, EVFILT_READ, EV_ADD, NULL), 0);
	send_byte(pair[1]);
	close(copy);
	cr_assert_eq(poll_queue(&got, 1), 1);
	cr_expect_eq(got.ident, (uintptr_t)pair[0]);
	cr_expect_eq(change(copy, EVFILT_READ, EV_DELETE, NULL), EBADF);
	cr_assert_eq(dup2(pair[1], pair[0]), pair[0]);
	cr_expect_eq(poll_queue(&got, 1), 0, "replaced is closed");
	cr_expect_eq(change(pair[0], EVFILT_READ, EV_DELETE, NULL), ENOENT);
}

Test(model_kqueue, a_file_is_readable_short_of_its_end)
{
	struct kevent got[2];
	int fd = plain_file();

	cr_assert_eq(change(fd, EVFILT_READ, EV_ADD, NULL), 0);
	cr_expect_eq(poll_queue(got, 2), 0);
	cr_assert_eq(pwrite(fd, "xyz", 3, 0), 3);
	cr_assert_eq(poll_queue(got, 2), 1);
	cr_expect_eq(got[0].data, 3);
	cr_assert_eq(change(fd, EVFILT_WRITE, EV_ADD, NULL), 0);
	cr_expect_eq(poll_queue(got, 2), 2);
	lseek(fd, 3, SEEK_SET);
	cr_assert_eq(poll_queue(got, 2), 1);
	cr_expect_eq(got[0].filter, EVFILT_WRITE);
	close(fd);
	cr_expect_eq(poll_queue(got, 2), 0);
}

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

Test(model_kqueue, signals_are_counted_before_and_besides_their_delivery)
{
	struct kevent got;

	signal(SIGUSR1, SIG_IGN);
	cr_assert_eq(change(SIGUSR1, EVFILT_SIGNAL, EV_ADD, NULL), 0);
	cr_expect_eq(poll_queue(&got, 1), 0);
	for (int i = 0; i < 3; i++)
		raise(SIGUSR1);
	cr_assert_eq(poll_queue(&got, 1), 1);
	cr_expect_eq(got.ident, SIGUSR1);
	cr_expect_eq(got.data, 3);
	cr_expect(got.flags & EV_CLEAR);
	cr_expect_eq(poll_queue(&got, 1), 0);
	cr_expect_eq(signal(SIGUSR1, handler), SIG_IGN, "the program sees its own disposition");
	raise(SIGUSR1);
	cr_expect_eq(handled, 1);
	cr_expect_eq(poll_queue(&got, 1), 1);
	cr_assert_eq(change(SIGUSR1, EVFILT_SIGNAL, EV_DELETE, NULL), 0);
	raise(SIGUSR1);
	cr_expect_eq(handled, 2);
	cr_expect_eq(poll_queue(&got, 1), 0);
}

static int killed_by_watched_signal(void)
{
	pid_t child;
	int status;

	kq = kqueue();
	if (change(SIGUSR2, EVFILT_SIGNAL, EV_ADD, NULL) != 0)
		return 1;
	child = fork();
	if (child == 0) {
		raise(SIGUSR2);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2 ? 0 : 2;
}

Test(model_kqueue, the_default_disposition_is_carried_out)
{
	in_child(killed_by_watched_signal);
}

static int queue_is_gone(void)
{
	struct kevent got;

	if (poll_queue(&got, 1) != -1 || errno != EBADF)
		return 1;
	if (fcntl(kq, F_GETFD) != -1)
		return 2;
	close(pair[0]);
	return 0;
}

Test(model_kqueue, a_child_does_not_inherit_the_queue)
{
	struct kevent got;

	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ADD, NULL), 0);
	send_byte(pair[1]);
	in_child(queue_is_gone);
	cr_expect_eq(poll_queue(&got, 1), 1, "what the child closes is not the parent's");
}

static void *send_later(void *arg)
{
	wait_until_first_thread_sleeps();
	send_byte(*(int *)arg);
	return NULL;
}

Test(model_kqueue, waits_end_with_an_event_a_change_or_the_time)
{
	struct timespec soon = { 0, 10000000 };
	struct kevent got;
	pthread_t thread;

	cr_expect_eq(kevent(kq, NULL, 0, &got, 1, &soon), 0);
	cr_assert_eq(change(pair[0], EVFILT_READ, EV_ADD, NULL), 0);
	cr_assert_eq(pthread_create(&thread, NULL, send_later, &pair[1]), 0);
	cr_expect_eq(kevent(kq, NULL, 0, &got, 1, NULL), 1);
	pthread_join(thread, NULL);
}
