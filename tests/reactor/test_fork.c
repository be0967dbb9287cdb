/* SPDX-License-Identifier: BSD-3-Clause */
/* fork(), event_reinit(), and bases that the child leaves alone. */

#include "reactor_test.h"

#include <signal.h>
#include <sys/wait.h>

TestSuite(fork, .init = start, .fini = finish, .timeout = 60);

/* In a child, a failed check ends it with its line number; 0 is success. */
#define CHILD_CHECK(condition)                                                                     \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "child: line %d: %s\n", __LINE__, #condition);             \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static pid_t in_child(void (*fn)(void))
{
	pid_t child = fork();

	cr_assert_geq(child, 0);
	if (child == 0) {
		fn();
		_exit(0);
	}
	return child;
}

static void join(pid_t child)
{
	int status = 0;

	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child ended with %x", status);
}

static evutil_socket_t pair[2];
static struct seen io_seen, timer_seen, sig_seen, active_seen;
static struct event *io, *timer, *sig, *active;

static void make_events(void)
{
	support_socketpair(pair);
	io = event_new(base, pair[0], EV_READ | EV_PERSIST, note_and_read, &io_seen);
	timer = event_new(base, -1, EV_PERSIST, note, &timer_seen);
	sig = event_new(base, SIGUSR1, EV_SIGNAL | EV_PERSIST, note, &sig_seen);
	active = event_new(base, -1, 0, note, &active_seen);
	cr_assert_eq(event_add(io, NULL), 0);
	cr_assert_eq(event_add(timer, MS(5)), 0);
	cr_assert_eq(event_add(sig, NULL), 0);
	event_active(active, EV_READ, 1);
}

static void free_events(void)
{
	event_free(io);
	event_free(timer);
	event_free(sig);
	event_free(active);
	close_pair(pair);
}

/* All four kinds work in the calling process; exits with 1 if they do not. */
static void all_kinds_work(void)
{
	struct seen io_before = io_seen, timer_before = timer_seen, sig_before = sig_seen;

	CHILD_CHECK(write(pair[1], "x", 1) == 1);
	raise(SIGUSR1);
	for (int i = 0; i < 100 && timer_seen.calls == timer_before.calls; i++)
		CHILD_CHECK(event_base_loop(base, EVLOOP_ONCE) == 0);
	CHILD_CHECK(io_seen.calls == io_before.calls + 1);
	CHILD_CHECK(timer_seen.calls > timer_before.calls);
	CHILD_CHECK(sig_seen.calls == sig_before.calls + 1);
	CHILD_CHECK(active_seen.calls == 1);
}

static void reinit_and_use(void)
{
	CHILD_CHECK(event_reinit(base) == 0);
	all_kinds_work();
	event_free(io);
	event_del(timer);
	event_free(sig);
	CHILD_CHECK(write(pair[1], "x", 1) == 1); /* stays in the socket, for the parent */
	CHILD_CHECK(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK) == 1);
	event_base_free(base);
}

/* CORE-302, CORE-303, CORE-304; C29 */
Test(fork, after_reinit_parent_and_child_each_have_their_own)
{
	make_events();
	join(in_child(reinit_and_use));
	run_round();
	cr_expect_eq(active_seen.calls, 1);
	cr_expect_eq(sig_seen.calls, 0, "the child's signal was the child's");
	cr_expect_eq(io_seen.calls, 1, "the byte that the child left");
	all_kinds_work();
	free_events();
}

static void use_for_a_while(void)
{
	CHILD_CHECK(event_reinit(base) == 0);
	CHILD_CHECK(write(pair[1], "x", 1) == 1);
	for (int i = 0; i < 5; i++)
		CHILD_CHECK(event_base_loop(base, EVLOOP_ONCE) == 0);
}

/* CORE-303: descriptors that the child adds or closes are not the parent's business. */
static void add_and_close_others(void)
{
	evutil_socket_t own[2];
	struct event *ev;

	CHILD_CHECK(event_reinit(base) == 0);
	support_socketpair(own);
	ev = event_new(base, own[0], EV_READ, never, NULL);
	CHILD_CHECK(event_add(ev, NULL) == 0);
	CHILD_CHECK(event_del(io) == 0);
	close(pair[0]);
	CHILD_CHECK(event_add(sig, MS(1)) == 0);
	for (int i = 0; i < 3; i++)
		CHILD_CHECK(event_base_loop(base, EVLOOP_ONCE) == 0);
}

/* CORE-303 */
Test(fork, what_the_child_adds_deletes_and_closes_does_not_reach_the_parent)
{
	make_events();
	join(in_child(add_and_close_others));
	all_kinds_work();
	free_events();
}

static void delete_without_reinit(void)
{
	(void)event_del(io);
	(void)event_del(timer);
	(void)event_del(sig);
	event_free(active);
}

static void free_without_reinit(void)
{
	event_free(io);
	event_base_free(base);
}

static void reinit_then_free(void)
{
	CHILD_CHECK(event_reinit(base) == 0);
	event_base_free(base);
}

static void just_exit(void)
{
}

/* CORE-305, CORE-309; C30 */
Test(fork, a_child_that_does_not_want_the_base_does_not_disturb_the_parent)
{
	static void (*const ways[])(void) = {
		delete_without_reinit, free_without_reinit, reinit_then_free, just_exit,
		use_for_a_while,
	};

	make_events();
	run_round();
	for (int i = 0; i < 5; i++) {
		join(in_child(ways[i]));
		run_round();
		all_kinds_work();
		event_del(active);
	}
	free_events();
}

/* Some systems take the backend's descriptor from a child, and give its number to the next file. */
static void free_keeps_other_files(void)
{
	int files[16];

	for (int i = 0; i < 16; i++) {
		files[i] = dup(0);
		CHILD_CHECK(files[i] >= 0);
	}
	event_base_free(base);
	for (int i = 0; i < 16; i++)
		CHILD_CHECK(close(files[i]) == 0);
}

static void reinit_keeps_other_files(void)
{
	int files[16];

	for (int i = 0; i < 16; i++) {
		files[i] = dup(0);
		CHILD_CHECK(files[i] >= 0);
	}
	CHILD_CHECK(event_reinit(base) == 0);
	for (int i = 0; i < 16; i++)
		CHILD_CHECK(close(files[i]) == 0);
	all_kinds_work();
}

/* CORE-309, CORE-303; C30 */
Test(fork, files_that_the_child_opens_are_not_taken_for_the_backends)
{
	make_events();
	join(in_child(free_keeps_other_files));
	join(in_child(reinit_keeps_other_files));
	all_kinds_work();
	free_events();
}

static void loop_without_reinit(void)
{
	support_capture_log();
	CHILD_CHECK(event_base_loop(base, EVLOOP_NONBLOCK) == -1);
	CHILD_CHECK(support_messages(EVENT_LOG_WARN) == 1);
}

/* CORE-305. Ours: the loop refuses, so that neither steals the other's events. */
Test(fork, a_loop_without_reinit_is_refused)
{
	make_events();
	join(in_child(loop_without_reinit));
	all_kinds_work();
	free_events();
}

/* CORE-307; C29 */
Test(fork, reinit_may_be_repeated_also_in_the_parent_and_leaks_nothing)
{
	int fds;

	cr_expect_eq(event_reinit(base), 0, "on a fresh base");
	make_events();
	cr_expect_eq(event_reinit(base), 0);
	fds = support_open_fds();
	for (int i = 0; i < 20; i++)
		cr_expect_eq(event_reinit(base), 0);
	cr_expect_eq(support_open_fds(), fds);
	all_kinds_work();
	cr_expect_eq(event_reinit(NULL), -1);
	free_events();
}

static pid_t forked_inside;

static void fork_in_callback(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	forked_inside = fork();
	if (forked_inside == 0)
		CHILD_CHECK(event_reinit(base) == 0);
}

/* CORE-302, CORE-303; C29: the child goes on in the loop that it was forked in. */
Test(fork, inside_a_callback)
{
	struct event *forker = event_new(base, -1, 0, fork_in_callback, NULL);

	make_events();
	event_active(forker, EV_READ, 1);
	cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_assert_geq(forked_inside, 0);
	if (forked_inside == 0) {
		all_kinds_work();
		_exit(0);
	}
	join(forked_inside);
	all_kinds_work();
	event_free(forker);
	free_events();
}

static void all_on_signalfd(void)
{
	CHILD_CHECK(event_reinit(base) == 0);
	all_kinds_work();
}

/* CORE-304 with signalfd. */
Test(fork, signals_by_descriptor)
{
	struct event_config *cfg = event_config_new();

	event_base_free(base);
	event_config_set_flag(cfg, EVENT_BASE_FLAG_USE_SIGNALFD);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	make_events();
	join(in_child(all_on_signalfd));
	cr_expect_eq(sig_seen.calls, 0);
	all_kinds_work();
	free_events();
}

/* C31 */
Test(fork, random_bytes_differ_in_parent_and_child)
{
	unsigned char mine[32], theirs[32];
	int ends[2];
	pid_t child;

	evutil_secure_rng_get_bytes(mine, sizeof(mine));
	cr_assert_eq(pipe(ends), 0);
	child = fork();
	cr_assert_geq(child, 0);
	evutil_secure_rng_get_bytes(mine, sizeof(mine));
	if (child == 0)
		_exit(write(ends[1], mine, sizeof(mine)) == sizeof(mine) ? 0 : 1);
	join(child);
	cr_assert_eq(read(ends[0], theirs, sizeof(theirs)), (ssize_t)sizeof(theirs));
	cr_expect_neq(memcmp(mine, theirs, sizeof(mine)), 0);
	close_pair(ends);
}

static void reinit_without_descriptors(void)
{
	int fds[1100], n = 0;

	support_capture_log();
	while (n < 1100 && (fds[n] = dup(0)) >= 0)
		n++;
	if (n == 1100)
		_exit(0); /* no limit to run into */
	CHILD_CHECK(event_reinit(base) == -1);
	while (n > 0)
		close(fds[--n]);
	CHILD_CHECK(event_reinit(base) == 0);
	all_kinds_work();
}

/* CORE-306 */
Test(fork, a_reinit_that_fails_says_so_and_may_be_tried_again)
{
	if (backend_is("poll") || backend_is("select"))
		cr_skip_test("%s needs no descriptor", event_base_get_method(base));
	make_events();
	join(in_child(reinit_without_descriptors));
	free_events();
}
