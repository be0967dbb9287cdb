/* SPDX-License-Identifier: BSD-3-Clause */
/* Output in which bytes in memory and ranges of files take turns. */

#include "bev_test.h"

#include <fcntl.h>
#include <signal.h>

TestSuite(bev_file, .init = start, .fini = finish, .timeout = 60);

/* A file without a name, for these bytes. */
static int file_of(const char *bytes, size_t n)
{
	char name[] = "/tmp/bev-file-XXXXXX";
	int fd = mkstemp(name);

	cr_assert_geq(fd, 0);
	cr_assert_eq(unlink(name), 0);
	cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
	return fd;
}

/* Small and large ranges, first and last, next to each other and between bytes. */
static const struct {
	int is_file;
	size_t len;
} parts[] = {
	{ 1, 700 },    { 0, 300 }, { 1, 100 },	 { 0, 1 },
	{ 1, 16384 },  { 0, 5 },   { 1, 16385 }, { 1, 10 },
	{ 1, 200000 }, { 0, 2 },   { 0, 40000 }, { 1, 70000 },
	{ 0, 7 },      { 1, 1 },   { 0, 3 },	 { 1, 100001 },
};

#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static size_t add_parts(struct evbuffer *output, const char *bytes)
{
	size_t at = 0;

	for (size_t i = 0; i < N_PARTS; i++) {
		size_t len = parts[i].len;

		if (parts[i].is_file)
			cr_assert_eq(evbuffer_add_file(output, file_of(bytes + at, len), 0, -1), 0);
		else
			cr_assert_eq(evbuffer_add(output, bytes + at, len), 0);
		at += len;
	}
	return at;
}

static size_t total_of_parts(void)
{
	size_t total = 0;

	for (size_t i = 0; i < N_PARTS; i++)
		total += parts[i].len;
	return total;
}

static void send_parts(struct bufferevent *from, struct bufferevent *to)
{
	size_t total = total_of_parts(), limit = 100000;
	char *bytes = pattern(total);
	struct probe probe = { 0 };

	watch(to, &probe);
	bufferevent_setwatermark(to, EV_READ, total, 0);
	bufferevent_enable(to, EV_READ);
	cr_assert_eq(add_parts(bufferevent_get_output(from), bytes), total);
	while (probe.reads == 0 && limit-- > 0)
		cr_assert_geq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_assert_eq(input_len(to), total);
	cr_assert_eq(output_len(from), 0);
	cr_assert_eq(memcmp(evbuffer_pullup(bufferevent_get_input(to), -1), bytes, total), 0);
	bufferevent_free(from);
	bufferevent_free(to);
	free(bytes);
}

/* BEV-171 */
Test(bev_file, all_parts_arrive_in_order)
{
	struct bufferevent *bev[2];

	linked_new(bev, 0);
	send_parts(bev[0], bev[1]);
}

/* BEV-171 */
Test(bev_file, descriptors_may_be_said_to_be_where_it_drains)
{
	struct bufferevent *bev[2];

	linked_new(bev, 0);
	cr_assert_eq(evbuffer_set_flags(bufferevent_get_output(bev[0]), EVBUFFER_FLAG_DRAINS_TO_FD),
		     0);
	send_parts(bev[0], bev[1]);
}

/* BEV-171: a write that ends anywhere in a part goes on there. */
Test(bev_file, parts_may_be_cut_anywhere)
{
	struct bufferevent *bev[2];

	linked_new(bev, 0);
	cr_assert_eq(bufferevent_set_max_single_write(bev[0], 997), 0);
	send_parts(bev[0], bev[1]);
}

/* BEV-171 */
Test(bev_file, a_pair_has_no_descriptor_to_send_to)
{
	struct bufferevent *bev[2];

	pair_new(bev, 0);
	send_parts(bev[0], bev[1]);
}

/* BEV-109: what is before the file is on its way when that turns out. */
Test(bev_file, a_file_that_shrank_fails_after_its_head)
{
	static const size_t sizes[] = { 100, 100000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *bytes = pattern(sizes[i]);
		int file = file_of(bytes, sizes[i]), kept = dup(file);
		struct probe sender = { 0 }, receiver = { .drain = 1 };
		struct bufferevent *bev[2];
		struct evbuffer *output;

		linked_new(bev, 0);
		watch(bev[0], &sender);
		watch(bev[1], &receiver);
		bufferevent_enable(bev[1], EV_READ);
		output = bufferevent_get_output(bev[0]);
		evbuffer_set_flags(output, EVBUFFER_FLAG_DRAINS_TO_FD);
		evbuffer_add(output, "head", 4);
		cr_assert_eq(evbuffer_add_file(output, file, 0, -1), 0);
		cr_assert_eq(ftruncate(kept, 0), 0);
		run_until(&sender.events, 1);
		run_until_received(&receiver, 4);
		cr_expect_eq(sender.what[0], BEV_EVENT_WRITING | BEV_EVENT_ERROR);
		cr_expect_eq(receiver.received, 4);
		cr_expect_eq(memcmp(receiver.data, "head", 4), 0);
		bufferevent_free(bev[0]);
		bufferevent_free(bev[1]);
		close(kept);
		free(bytes);
	}
}

static void send_file_to_nobody(void)
{
	char *bytes = pattern(100000);
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_free(bev[1]);
	cr_assert_eq(
		evbuffer_add_file(bufferevent_get_output(bev[0]), file_of(bytes, 100000), 0, -1),
		0);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_WRITING | BEV_EVENT_ERROR);
	cr_expect_eq(probe.err[0], EPIPE);
	bufferevent_free(bev[0]);
	free(bytes);
}

static int is_pending(int sig)
{
	sigset_t pending;

	cr_assert_eq(sigpending(&pending), 0);
	return sigismember(&pending, sig);
}

/* BEV-105 */
Test(bev_file, a_file_for_a_broken_pipe_raises_no_signal)
{
	sigset_t mask;

	signal(SIGPIPE, SIG_DFL); /* the signal would end the test */
	send_file_to_nobody();
	cr_assert_eq(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
	cr_expect(!sigismember(&mask, SIGPIPE));
}

/* BEV-105 */
Test(bev_file, a_blocked_signal_is_left_as_it_was)
{
	sigset_t mask, before;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGPIPE);
	cr_assert_eq(pthread_sigmask(SIG_BLOCK, &mask, &before), 0);
	send_file_to_nobody();
	cr_expect(!is_pending(SIGPIPE));
	raise(SIGPIPE);
	send_file_to_nobody();
	cr_expect(is_pending(SIGPIPE));
	signal(SIGPIPE, SIG_IGN); /* which takes the pending one back */
	cr_assert_eq(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}
