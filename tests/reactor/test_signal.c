/* SPDX-License-Identifier: BSD-3-Clause */
/* Signal events, by the handler and by signalfd. */

#include "reactor_test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>

TestSuite(signals, .init = start, .fini = finish, .timeout = 60);

static struct event *add_signal(struct event_base *b, int sig, short flags, event_callback_fn fn,
				void *arg)
{
	struct event *ev = event_new(b, sig, EV_SIGNAL | flags, fn, arg);

	cr_assert_not_null(ev);
	cr_assert_eq(event_add(ev, NULL), 0);
	return ev;
}

static struct event_base *signalfd_base(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *b;

	event_config_set_flag(cfg, EVENT_BASE_FLAG_USE_SIGNALFD);
	b = event_base_new_with_config(cfg);
	event_config_free(cfg);
	cr_assert_not_null(b);
	return b;
}

/* How often a signal caught `n` times is called for; kqueue(2) has one call for all. */
static int calls_for(int n)
{
	return backend_is("kqueue") ? 1 : n;
}

static int in_handler_context;

static void allocate_and_note(evutil_socket_t fd, short what, void *arg)
{
	void *block = malloc(100);

	cr_expect_eq(in_handler_context, 0, "not before raise() has returned");
	cr_expect_not_null(block);
	free(block);
	note(fd, what, arg);
}

/* CORE-254, CORE-255, CORE-259 */
Test(signals, raised_before_the_loop_they_are_delivered_by_it)
{
	struct seen seen = { 0 };
	struct event *ev = add_signal(base, SIGUSR1, EV_PERSIST, allocate_and_note, &seen);

	in_handler_context = 1;
	raise(SIGUSR1);
	in_handler_context = 0;
	cr_expect_eq(seen.calls, 0);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect(seen.calls == 1 && seen.what == EV_SIGNAL && seen.fd == SIGUSR1);
	event_free(ev);
}

static void raise_once(evutil_socket_t fd, short what, void *arg)
{
	struct seen *seen = arg;

	note(fd, what, arg);
	if (seen->calls < 3)
		raise((int)fd);
}

/* CORE-255 */
Test(signals, raised_in_a_callback_they_are_delivered_later)
{
	struct seen seen = { 0 };
	struct event *ev = add_signal(base, SIGUSR1, EV_PERSIST, raise_once, &seen);

	raise(SIGUSR1);
	for (int i = 1; i <= 3; i++) {
		cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
		cr_expect_eq(seen.calls, i);
	}
	event_free(ev);
}

/* CORE-118, CORE-256, CORE-257 */
Test(signals, every_event_is_called_as_often_as_the_signal_was_caught)
{
	struct seen a_seen = { 0 }, b_seen = { 0 }, other_seen = { 0 };
	struct event *a = add_signal(base, SIGUSR1, EV_PERSIST, note, &a_seen);
	struct event *b = add_signal(base, SIGUSR1, 0, note, &b_seen);
	struct event *other = add_signal(base, SIGUSR2, EV_PERSIST, note, &other_seen);

	for (int i = 0; i < 3; i++)
		raise(SIGUSR1);
	run_round();
	cr_expect_eq(a_seen.calls, calls_for(3));
	cr_expect_eq(b_seen.calls, calls_for(3));
	cr_expect_eq(other_seen.calls, 0);
	event_free(a);
	event_free(b);
	event_free(other);
}

/* CORE-257: what is caught while the event is active already adds nothing. */
Test(signals, repeats_while_active_add_nothing)
{
	struct seen seen = { 0 };
	struct event *ev = add_signal(base, SIGUSR1, EV_PERSIST, note, &seen);

	event_active(ev, EV_SIGNAL, 2);
	for (int i = 0; i < 5; i++)
		raise(SIGUSR1);
	run_round();
	cr_expect_eq(seen.calls, 2);
	run_round();
	cr_expect_eq(seen.calls, 2);
	event_free(ev);
}

static void delete_at_2(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	trace_letter('d');
	if (strlen(traced) == 2)
		event_del(arg);
}

static void break_at_2(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	trace_letter('b');
	if (strlen(traced) == 2)
		event_base_loopbreak(base);
}

/* CORE-258 */
Test(signals, deleting_the_event_cancels_the_remaining_repeats)
{
	struct event *ev;

	if (calls_for(2) == 1)
		cr_skip_test("%s has no repeats", event_base_get_signal_method(base));
	ev = add_signal(base, SIGUSR1, EV_PERSIST, delete_at_2, event_self_cbarg());
	for (int i = 0; i < 5; i++)
		raise(SIGUSR1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "dd");
	event_free(ev);
}

/* CORE-258 */
Test(signals, break_drops_the_remaining_repeats)
{
	struct event *ev;

	if (calls_for(2) == 1)
		cr_skip_test("%s has no repeats", event_base_get_signal_method(base));
	ev = add_signal(base, SIGUSR1, EV_PERSIST, break_at_2, NULL);
	for (int i = 0; i < 5; i++)
		raise(SIGUSR1);
	cr_expect_eq(event_base_dispatch(base), 0);
	run_round();
	cr_expect_str_eq(traced, "bb");
	event_free(ev);
}

static volatile sig_atomic_t handled_by_user;

static void user_handler(int sig)
{
	(void)sig;
	handled_by_user++;
}

/* CORE-259; C27 */
Test(signals, deleting_the_last_event_restores_handler_and_flags)
{
	struct sigaction mine = { .sa_handler = user_handler, .sa_flags = SA_NODEFER }, now;
	struct seen seen = { 0 };
	struct event *a, *b;

	sigaddset(&mine.sa_mask, SIGHUP);
	cr_assert_eq(sigaction(SIGUSR1, &mine, NULL), 0);
	a = add_signal(base, SIGUSR1, EV_PERSIST, note, &seen);
	b = add_signal(base, SIGUSR1, EV_PERSIST, note, &seen);
	for (int i = 0; i < 3; i++) {
		event_del(a);
		cr_assert_eq(event_add(a, NULL), 0);
		event_del(b);
		raise(SIGUSR1);
		cr_expect_eq(handled_by_user, i);
		event_del(a);
		raise(SIGUSR1);
		cr_expect_eq(handled_by_user, i + 1);
		cr_assert_eq(event_add(b, NULL), 0);
		cr_assert_eq(event_add(a, NULL), 0);
	}
	event_free(a);
	event_free(b);
	cr_assert_eq(sigaction(SIGUSR1, NULL, &now), 0);
	cr_expect_eq(now.sa_handler, user_handler);
	cr_expect_eq(now.sa_flags & SA_NODEFER, SA_NODEFER);
	cr_expect_eq(sigismember(&now.sa_mask, SIGHUP), 1);
}

/* CORE-260 */
Test(signals, the_handler_restarts_calls_blocks_all_signals_and_keeps_errno)
{
	struct seen seen = { 0 };
	struct event *ev = add_signal(base, SIGUSR1, EV_PERSIST, note, &seen);
	struct sigaction now;

	cr_assert_eq(sigaction(SIGUSR1, NULL, &now), 0);
	cr_expect_eq(now.sa_flags & SA_RESTART, SA_RESTART);
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			cr_expect_eq(sigismember(&now.sa_mask, sig), 1, "signal %d", sig);
	errno = 4711;
	raise(SIGUSR1);
	cr_expect_eq(errno, 4711);
	/* Also when its notification cannot be written any more. */
	for (int i = 0; i < 200000; i++)
		raise(SIGUSR1);
	errno = 4712;
	raise(SIGUSR1);
	cr_expect_eq(errno, 4712);
	event_free(ev);
}

/* CORE-261 */
Test(signals, a_one_shot_event_gets_all_queued_repeats_and_is_then_not_pending)
{
	struct seen seen = { 0 };
	struct event *ev = add_signal(base, SIGUSR1, 0, note, &seen);

	raise(SIGUSR1);
	raise(SIGUSR1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.calls, calls_for(2));
	cr_expect_eq(event_pending(ev, EV_SIGNAL, NULL), 0);
	event_free(ev);
}

/* CORE-262, CORE-263, CORE-362. Ours: every base that has the signal added gets it. */
Test(signals, every_base_gets_the_signal)
{
	struct event_base *other = support_base_new();
	struct seen first = { 0 }, second = { 0 };
	struct event *a = add_signal(base, SIGUSR1, EV_PERSIST, note, &first);
	struct event *b = add_signal(other, SIGUSR1, EV_PERSIST, note, &second);

	raise(SIGUSR1);
	cr_expect_eq(event_base_loop(other, EVLOOP_ONCE), 0);
	cr_expect_eq(second.calls, 1, "the last to add it gets it");
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(first.calls, 1);
	raise(SIGUSR1);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(first.calls, 2, "and so does the last that ran");
	cr_expect_eq(event_base_loop(other, EVLOOP_ONCE), 0);
	cr_expect_eq(second.calls, 2);
	event_free(a);
	event_free(b);
	event_base_free(other);
}

/* CORE-362; C27: two bases, each with a signal of its own. */
Test(signals, two_bases_with_different_signals_both_get_theirs)
{
	struct event_base *other = support_base_new();
	struct seen first = { 0 }, second = { 0 };
	struct event *a = add_signal(base, SIGUSR1, EV_PERSIST, note, &first);
	struct event *b = add_signal(other, SIGUSR2, EV_PERSIST, note, &second);

	raise(SIGUSR1);
	raise(SIGUSR2);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(event_base_loop(other, EVLOOP_ONCE), 0);
	cr_expect_eq(first.calls, 1);
	cr_expect_eq(second.calls, 1);
	event_free(a);
	event_free(b);
	event_base_free(other);
}

/* Nonzero if signals can come by a descriptor of their own. */
static int has_signalfd(void)
{
	struct event_base *b = signalfd_base();
	int has = strcmp(event_base_get_signal_method(b), "signalfd_signal") == 0;

	event_base_free(b);
	return has;
}

/* CORE-265, CORE-050 */
Test(signals, the_method_has_a_name)
{
	int is_linux = getenv("TEST_MODEL") == NULL && !backend_is("win32") &&
		       !backend_is("wepoll");

	cr_expect_str_eq(event_base_get_signal_method(base),
			 backend_is("kqueue") ? "kqueue_signal" : "signal");
	cr_expect_eq(has_signalfd(), is_linux, "Linux has it");
}

static int handler_is(int sig, void (*handler)(int))
{
	struct sigaction now;

	cr_assert_eq(sigaction(sig, NULL, &now), 0);
	return now.sa_handler == handler;
}

/* CORE-264; also with a base whose backend catches signals in the same process. */
Test(signals, kqueue_has_signals_ignored_that_it_watches)
{
	struct event_config *cfg = event_config_new();
	struct event_base *other;
	struct seen seen = { 0 }, child_seen = { 0 }, other_seen = { 0 };
	struct event *usr, *chld, *others;

	if (!backend_is("kqueue"))
		cr_skip_test("%s has a handler", event_base_get_method(base));
	signal(SIGUSR1, user_handler);
	usr = add_signal(base, SIGUSR1, EV_PERSIST, note, &seen);
	chld = add_signal(base, SIGCHLD, EV_PERSIST, note, &child_seen);
	cr_expect(handler_is(SIGUSR1, SIG_IGN));
	cr_expect(handler_is(SIGCHLD, SIG_DFL));

	event_config_avoid_method(cfg, "kqueue");
	other = event_base_new_with_config(cfg);
	event_config_free(cfg);
	others = add_signal(other, SIGUSR1, EV_PERSIST, note, &other_seen);
	raise(SIGUSR1);
	raise(SIGCHLD);
	run_round();
	cr_expect(event_base_loop(other, EVLOOP_ONCE) == 0);
	cr_expect(seen.calls == 1 && seen.what == EV_SIGNAL && seen.fd == SIGUSR1);
	cr_expect_eq(child_seen.calls, 1);
	cr_expect_eq(other_seen.calls, 1);
	event_free(others);
	cr_expect(handler_is(SIGUSR1, SIG_IGN), "one still watches it");
	event_free(usr);
	event_free(chld);
	event_base_free(other);
	cr_expect(handler_is(SIGUSR1, user_handler));
	cr_expect_eq(handled_by_user, 0);
}

/* CORE-266, CORE-342 */
Test(signals, signalfd_blocks_coalesces_and_restores)
{
	struct event_base *b = signalfd_base();
	struct sigaction mine = { .sa_handler = user_handler };
	struct seen seen = { 0 };
	struct event *ev;
	sigset_t mask;

	if (!has_signalfd()) {
		event_base_free(b);
		cr_skip_test("there is no signalfd");
	}
	cr_assert_eq(sigaction(SIGUSR1, &mine, NULL), 0);
	ev = add_signal(b, SIGUSR1, EV_PERSIST, note, &seen);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	cr_expect_eq(sigismember(&mask, SIGUSR1), 1);
	for (int i = 0; i < 3; i++)
		raise(SIGUSR1);
	cr_expect_eq(event_base_loop(b, EVLOOP_ONCE), 0);
	cr_expect(seen.calls == 1 && seen.what == EV_SIGNAL);
	event_del(ev);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	cr_expect_eq(sigismember(&mask, SIGUSR1), 0);
	raise(SIGUSR1);
	cr_expect_eq(handled_by_user, 1);
	event_free(ev);
	event_base_free(b);
}

/* CORE-267 */
Test(signals, signalfd_refuses_what_cannot_be_caught_and_keeps_the_users_mask)
{
	struct event_base *b = signalfd_base();
	struct event *kill_event, *stop_event, *ev;
	struct seen seen = { 0 };
	sigset_t mask;
	int fds = support_open_fds();

	support_capture_log();
	kill_event = event_new(b, SIGKILL, EV_SIGNAL, never, NULL);
	stop_event = event_new(b, SIGSTOP, EV_SIGNAL, never, NULL);
	cr_expect_eq(event_add(kill_event, NULL), -1);
	cr_expect_eq(event_add(stop_event, NULL), -1);
	cr_expect_eq(support_open_fds(), fds);
	event_free(kill_event);
	event_free(stop_event);

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	ev = add_signal(b, SIGUSR1, EV_PERSIST, note, &seen);
	event_del(ev);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	cr_expect_eq(sigismember(&mask, SIGUSR1), 1, "it was the user who blocked it");
	event_free(ev);
	event_base_free(b);
}

static void note_with_break(evutil_socket_t fd, short what, void *arg)
{
	note(fd, what, arg);
	if (what & EV_TIMEOUT)
		event_base_loopbreak(base);
}

/* CORE-268, CORE-347, CORE-363; C27: a flood, of several signals, from another process. */
Test(signals, a_flood_never_loses_a_signal_entirely)
{
	static const int sigs[] = { SIGUSR1, SIGUSR2, SIGHUP };
	struct seen seen[3] = { { 0 } };
	struct event *ev[3];
	pid_t parent = getpid(), child;
	int last;

	for (int i = 0; i < 3; i++)
		ev[i] = add_signal(base, sigs[i], EV_PERSIST, note_with_break, &seen[i]);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		for (int i = 0; i < 70000; i++)
			kill(parent, sigs[i % 2]);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, NULL, 0), child);
	/* Queued behind 70000 notifications that nobody has picked up. */
	raise(SIGHUP);
	run_round();
	for (int i = 0; i < 3; i++)
		cr_expect_geq(seen[i].calls, 1, "signal %d", sigs[i]);
	last = seen[2].calls;
	raise(SIGHUP);
	run_round();
	cr_expect_gt(seen[2].calls, last, "a callback after the last one sent");
	for (int i = 0; i < 3; i++)
		event_free(ev[i]);
}

/* CORE-269 */
Test(signals, all_signals_work_the_same)
{
	static const int sigs[] = { SIGCHLD, SIGALRM, SIGUSR1, SIGPIPE, SIGHUP,  SIGTERM,
				    SIGINT,  SIGURG,  SIGQUIT, SIGCONT, SIGWINCH };

	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		struct seen seen = { 0 };
		struct event *ev = add_signal(base, sigs[i], EV_PERSIST, note, &seen);

		raise(sigs[i]);
		run_round();
		cr_expect_eq(seen.calls, 1, "signal %d", sigs[i]);
		event_free(ev);
	}
}

/* CORE-254: a signal ends the wait of a loop that has nothing else to do. */
Test(signals, a_signal_wakes_a_waiting_loop)
{
	struct itimerval soon = { { 0, 0 }, { 0, 10000 } };
	struct seen seen = { 0 };
	struct event *ev = add_signal(base, SIGALRM, 0, note, &seen);

	setitimer(ITIMER_REAL, &soon, NULL);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(seen.calls, 1);
	event_free(ev);
}

/* CORE-258, CORE-083: added, raised, and deleted before the loop could deliver. */
Test(signals, what_was_deleted_before_delivery_is_not_delivered)
{
	struct event *ev = add_signal(base, SIGUSR1, EV_PERSIST, never, NULL);

	raise(SIGUSR1);
	event_del(ev);
	run_round();
	cr_assert_eq(event_add(ev, NULL), 0);
	run_round();
	event_free(ev);
}
