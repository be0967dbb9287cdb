/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One base used from several threads: wake-ups, and deletion while the callback runs elsewhere.
 *
 * No test depends on the loop being asleep at a given moment: that it usually is makes the test
 * worth its while, but what is asserted holds either way.
 */

#include "reactor_test.h"

#include <event2/thread.h>
#include <event2/watch.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static void threads_start(void)
{
	support_count_allocations();
	cr_assert_eq(evthread_use_pthreads(), 0);
	start();
}

TestSuite(threads, .init = threads_start, .fini = finish, .timeout = 60);

static void nap(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static pthread_t in_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, fn, arg), 0);
	return thread;
}

static void join(pthread_t thread)
{
	cr_assert_eq(pthread_join(thread, NULL), 0);
}

static void stop_loop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

/* --- wake-ups --------------------------------------------------------------------------------- */

static evutil_socket_t pair[2];
static struct event *subject, *far, *stopper, *caught, *unread;

static void add_io(void)
{
	cr_assert_eq(event_add(subject, NULL), 0);
}

static void add_timer(void)
{
	cr_assert_eq(event_add(stopper, MS(1)), 0);
}

static void activate(void)
{
	event_active(stopper, EV_READ, 1);
}

static void ask_exit(void)
{
	cr_expect_eq(event_base_loopexit(base, NULL), 0);
}

static void ask_timed_exit(void)
{
	cr_expect_eq(event_base_loopexit(base, MS(2)), 0);
}

static void ask_break(void)
{
	cr_expect_eq(event_base_loopbreak(base), 0);
}

static void raise_priority_and_exit(void)
{
	cr_expect_eq(event_base_loopcontinue(base), 0);
	cr_expect_eq(event_base_once(base, -1, EV_TIMEOUT, stop_loop, NULL, NULL), 0);
}

static void pull_timer_forward(void)
{
	cr_assert_eq(event_add(far, MS(1)), 0);
}

static void add_signal_and_raise(void)
{
	cr_assert_eq(event_add(caught, NULL), 0);
	kill(getpid(), SIGUSR2);
}

/* Ready at once, although kqueue(2) may refuse to watch it. */
static void add_pipe_that_nobody_reads(void)
{
	cr_assert_eq(event_add(unread, NULL), 0);
}

/* Set when the loop is about to wait: before that, it would forget a break that it is asked for. */
static _Atomic int has_begun;

static void note_begin(struct evwatch *watcher, const struct evwatch_prepare_cb_info *info,
		       void *arg)
{
	(void)watcher;
	(void)info;
	(void)arg;
	atomic_store(&has_begun, 1);
}

static void await_begin(void)
{
	while (!atomic_load(&has_begun))
		sched_yield();
}

static void *do_it(void *arg)
{
	await_begin();
	nap(5);
	(*(void (**)(void))arg)();
	return NULL;
}

/* CORE-129, CORE-154, CORE-220, CORE-321, CORE-324; C20, C21 */
Test(threads, a_sleeping_loop_reacts_to_every_change_at_once)
{
	static void (*const changes[])(void) = {
		add_io, add_timer, activate, ask_exit, ask_timed_exit, ask_break,
		raise_priority_and_exit, pull_timer_forward, add_signal_and_raise,
		add_pipe_that_nobody_reads,
	};
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	close(ends[0]);
	cr_assert_not_null(evwatch_prepare_new(base, note_begin, NULL));
	unread = event_new(base, ends[1], EV_WRITE, stop_loop, NULL);
	support_socketpair(pair);
	send_byte(pair[1]);
	subject = event_new(base, pair[0], EV_READ, stop_loop, NULL);
	stopper = event_new(base, -1, 0, stop_loop, NULL);
	far = event_new(base, -1, 0, stop_loop, NULL);
	caught = event_new(base, SIGUSR2, EV_SIGNAL, stop_loop, NULL);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		void (*change)(void) = changes[i];
		double begin = support_now_ms();
		pthread_t thread;

		cr_assert_eq(event_add(far, MS(50000)), 0);
		atomic_store(&has_begun, 0);
		thread = in_thread(do_it, &change);
		cr_expect_eq(event_base_dispatch(base), 0, "change %zu", i);
		cr_expect_lt(support_now_ms() - begin, 30000.0, "change %zu", i);
		join(thread);
		event_del(subject);
		event_del(stopper);
	}
	event_free(subject);
	event_free(stopper);
	event_free(far);
	event_free(caught);
	event_free(unread);
	close(ends[1]);
	close_pair(pair);
}

static void delete_far(void)
{
	cr_expect_eq(event_del(far), 0);
}

static void remove_far_timer(void)
{
	cr_expect_eq(event_remove_timer(far), 0);
}

/* CORE-324, CORE-325, CORE-344; C20 */
Test(threads, deleting_the_last_event_ends_a_sleeping_loop)
{
	static const struct {
		void (*way)(void);
		short what;
	} cases[] = { { delete_far, 0 }, { remove_far_timer, 0 }, { delete_far, EV_READ } };

	cr_assert_not_null(evwatch_prepare_new(base, note_begin, NULL));
	support_socketpair(pair);
	for (int i = 0; i < 3; i++) {
		void (*way)(void) = cases[i].way;
		double begin = support_now_ms();
		pthread_t thread;

		far = event_new(base, pair[0], cases[i].what, never, NULL);
		cr_assert_eq(event_add(far, cases[i].what == 0 ? MS(50000) : NULL), 0);
		atomic_store(&has_begun, 0);
		thread = in_thread(do_it, &way);
		cr_expect_eq(event_base_dispatch(base), 1);
		cr_expect_lt(support_now_ms() - begin, 30000.0);
		join(thread);
		event_free(far);
	}
	close_pair(pair);
}

#define PINGS 3000

static struct event *ping_event;
static _Atomic int pings_received;

static void on_ping(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (atomic_fetch_add(&pings_received, 1) + 1 == PINGS)
		event_base_loopbreak(base);
}

static void *send_pings(void *arg)
{
	(void)arg;
	for (int i = 0; i < PINGS; i++) {
		event_active(ping_event, EV_READ, 1);
		while (atomic_load(&pings_received) <= i)
			sched_yield();
	}
	return NULL;
}

/* CORE-154, CORE-324; C21: each activation from another thread is seen, three thousand times. */
Test(threads, no_wake_up_is_ever_lost)
{
	pthread_t thread;

	ping_event = event_new(base, -1, 0, on_ping, NULL);
	thread = in_thread(send_pings, NULL);
	cr_expect_eq(event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY), 0);
	join(thread);
	cr_expect_eq(pings_received, PINGS);
	event_free(ping_event);
}

/* --- the second thread ------------------------------------------------------------------------ */

static int second_result;
static struct event *second_running;

static void *enter_loop_too(void *arg)
{
	(void)arg;
	second_result = event_base_loop(base, 0);
	second_running = event_base_get_running_event(base);
	return NULL;
}

static void let_second_enter(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	join(in_thread(enter_loop_too, NULL));
}

/* CORE-186, CORE-247, CORE-323 */
Test(threads, a_second_thread_cannot_enter_the_loop_nor_see_the_running_event)
{
	struct event *ev = event_new(base, -1, 0, let_second_enter, NULL);

	support_capture_log();
	second_running = ev;
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(second_result, -1);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
	cr_expect_null(second_running);
	event_free(ev);
}

static void *run_once_more(void *arg)
{
	*(int *)arg = event_base_dispatch(base);
	return NULL;
}

/* CORE-196, CORE-323 */
Test(threads, the_loop_may_be_run_again_by_another_thread)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, 0, note, &seen);
	int result = -5;

	cr_assert_eq(event_add(ev, MS(1)), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_assert_eq(event_add(ev, MS(1)), 0);
	join(in_thread(run_once_more, &result));
	cr_expect_eq(result, 1);
	cr_expect_eq(seen.calls, 2);
	event_free(ev);
}

/* --- deletion while the callback runs --------------------------------------------------------- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static int has_entered, may_leave;
static _Atomic int has_left;

static void pass_gate(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	pthread_mutex_lock(&gate);
	has_entered = 1;
	pthread_cond_broadcast(&gate_moved);
	while (!may_leave)
		pthread_cond_wait(&gate_moved, &gate);
	pthread_mutex_unlock(&gate);
	nap(20);
	atomic_store(&has_left, 1);
}

static void *run_loop(void *arg)
{
	(void)arg;
	event_base_dispatch(base);
	return NULL;
}

static void open_gate(void)
{
	pthread_mutex_lock(&gate);
	may_leave = 1;
	pthread_cond_broadcast(&gate_moved);
	pthread_mutex_unlock(&gate);
}

/* An event with the flags `what` whose callback runs in *ret_thread, behind the gate. */
static struct event *running_event(short what, pthread_t *ret_thread)
{
	int fd = what & EV_SIGNAL ? SIGUSR1 : -1;
	struct event *ev = event_new(base, fd, what | EV_PERSIST, pass_gate, NULL);

	has_entered = may_leave = 0;
	atomic_store(&has_left, 0);
	event_active(ev, what & EV_SIGNAL ? EV_SIGNAL : EV_READ, 1);
	*ret_thread = in_thread(run_loop, NULL);
	pthread_mutex_lock(&gate);
	while (!has_entered)
		pthread_cond_wait(&gate_moved, &gate);
	pthread_mutex_unlock(&gate);
	return ev;
}

/* CORE-326, CORE-327, CORE-328; C22 */
Test(threads, deletion_waits_for_the_callback_or_not_as_asked)
{
	static const struct {
		int (*del)(struct event *);
		short flags;
		int waits;
	} cases[] = {
		{ event_del, 0, 1 },         { event_del, EV_FINALIZE, 0 },
		{ event_del, EV_SIGNAL, 1 }, { event_del_block, 0, 1 },
		{ event_del_noblock, 0, 0 }, { event_del_block, EV_FINALIZE, 1 },
		{ event_del_noblock, EV_FINALIZE, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pthread_t thread;
		struct event *ev = running_event(cases[i].flags, &thread);

		if (cases[i].waits)
			open_gate(); /* the callback still takes a while */
		cr_expect_eq(cases[i].del(ev), 0);
		cr_expect_eq(atomic_load(&has_left), cases[i].waits, "case %zu", i);
		open_gate();
		join(thread);
		cr_expect_eq(atomic_load(&has_left), 1, "it was not interrupted");
		event_free(ev);
	}
}

/* CORE-329: and afterwards everything of the event may be freed. */
Test(threads, free_waits_for_the_callback)
{
	pthread_t thread;
	struct event *ev = running_event(0, &thread);

	open_gate();
	event_free(ev);
	cr_expect_eq(atomic_load(&has_left), 1);
	join(thread);
}

static pthread_mutex_t user_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int wants_lock;

static void take_user_lock(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	atomic_store(&wants_lock, 1);
	pthread_mutex_lock(&user_lock);
	pthread_mutex_unlock(&user_lock);
}

static _Atomic int finalized;

static void on_finalize(struct event *ev, void *arg)
{
	(void)ev;
	(void)arg;
	atomic_fetch_add(&finalized, 1);
}

/* CORE-281, CORE-327, CORE-329, CORE-331: the lock that the callback wants is held meanwhile. */
Test(threads, a_finalize_event_is_deleted_and_freed_under_a_lock_that_its_callback_takes)
{
	struct event *ev = event_new(base, -1, EV_FINALIZE, take_user_lock, NULL);
	pthread_t thread;

	event_active(ev, EV_READ, 1);
	pthread_mutex_lock(&user_lock);
	thread = in_thread(run_loop, NULL);
	while (!atomic_load(&wants_lock))
		sched_yield();
	cr_expect_eq(event_del(ev), 0);
	cr_expect_eq(event_free_finalize(0, ev, on_finalize), 0);
	cr_expect_eq(atomic_load(&finalized), 0);
	pthread_mutex_unlock(&user_lock);
	join(thread);
	cr_expect_eq(atomic_load(&finalized), 1);
}

/*
 * CORE-330. Ours: adding and activating do not wait for a running callback, of any kind of event.
 */
Test(threads, adding_and_activating_do_not_wait)
{
	static const short kinds[] = { 0, EV_SIGNAL };

	for (int i = 0; i < 2; i++) {
		pthread_t thread;
		struct event *ev = running_event(kinds[i], &thread);

		cr_expect_eq(event_add(ev, MS(60000)), 0);
		event_active(ev, EV_READ, 1);
		cr_expect_eq(atomic_load(&has_left), 0);
		cr_expect_eq(event_del_noblock(ev), 0);
		open_gate();
		join(thread);
		event_free(ev);
	}
}

static void delete_itself(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	cr_expect_eq(event_del(arg), 0);
	cr_expect_eq(event_del_block(arg), 0);
	event_free(arg);
}

/* CORE-326; C23 */
Test(threads, the_loops_own_thread_never_waits_for_itself)
{
	struct event *ev = event_new(base, -1, EV_PERSIST, delete_itself, event_self_cbarg());

	cr_assert_eq(event_add(ev, MS(0)), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
}

/* --- many at once ----------------------------------------------------------------------------- */

static _Atomic int fired;

static void count_fired(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (atomic_fetch_add(&fired, 1) + 1 == *(int *)arg)
		event_base_loopexit(base, NULL);
}

static int expected_fired;

static void *add_many_timers(void *arg)
{
	int n = *(int *)arg;

	for (int i = 0; i < n; i++)
		cr_assert_eq(
			event_base_once(base, -1, EV_TIMEOUT, count_fired, &expected_fired, MS(3)),
			0);
	return NULL;
}

/* CORE-321, CORE-333 */
Test(threads, a_hundred_threads_add_a_hundred_timers_each)
{
	pthread_t threads[100];
	int each = 100;

	expected_fired = 100 * each;
	for (int i = 0; i < 100; i++)
		threads[i] = in_thread(add_many_timers, &each);
	cr_expect_eq(event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY), 0);
	for (int i = 0; i < 100; i++)
		join(threads[i]);
	cr_expect_eq(fired, expected_fired);
}

/* When the callback for a step came, and when it should have. */
static double step_due[4], step_came[4];
static int steps;

static void note_step(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	step_came[(double *)arg - step_due] = support_now_ms();
	if (++steps == 4)
		event_base_loopbreak(base); /* from inside, so that it is heard */
}

static void *follow_schedule(void *arg)
{
	struct event **ev = arg;

	nap(100);
	step_due[0] = support_now_ms();
	event_active(ev[0], EV_READ, 1);
	nap(100);
	step_due[1] = support_now_ms();
	event_active(ev[1], EV_READ, 1);
	nap(100);
	step_due[2] = support_now_ms() + 100;
	cr_assert_eq(event_add(ev[2], MS(100)), 0);
	step_due[3] = support_now_ms() + 150;
	cr_assert_eq(event_add(ev[3], MS(150)), 0);
	return NULL;
}

/* CORE-192, CORE-334 */
Test(threads, an_empty_loop_serves_what_another_thread_brings)
{
	struct event *ev[4];
	pthread_t thread;

	for (int i = 0; i < 4; i++)
		ev[i] = event_new(base, -1, 0, note_step, &step_due[i]);
	thread = in_thread(follow_schedule, ev);
	cr_expect_eq(event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY), 0);
	join(thread);
	for (int i = 0; i < 4; i++) {
		cr_expect_geq(step_came[i] - step_due[i], -0.1, "step %d", i);
		cr_expect_lt(step_came[i] - step_due[i], 30000.0, "step %d", i);
		event_free(ev[i]);
	}
}

#define WORKERS 4
static _Atomic int workers_left;

static void do_nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static int look(const struct event_base *b, const struct event *ev, void *arg)
{
	(void)b;
	(void)arg;
	/* CORE-244: a query that locks. */
	(void)event_pending(ev, EV_READ | EV_TIMEOUT, NULL);
	return 0;
}

static void on_watch(struct evwatch *w, const struct evwatch_check_cb_info *info, void *arg)
{
	(void)w;
	(void)info;
	(void)arg;
}

/* Everything that CORE-321 lists, on the base that another thread runs. */
static void use_everything(evutil_socket_t own[2], struct event *io, struct event *timer,
			   struct event *sig)
{
	struct timeval tv;
	struct evwatch *w;
	const struct timeval *common = event_base_init_common_timeout(base, MS(7));

	cr_assert_eq(event_add(io, MS(2)), 0);
	cr_assert_eq(event_add(timer, common), 0);
	cr_assert_eq(event_add(sig, NULL), 0);
	event_active(timer, EV_READ, 1);
	(void)event_pending(io, EV_READ | EV_TIMEOUT, &tv);
	(void)event_remove_timer(io);
	cr_expect_eq(event_base_once(base, -1, EV_TIMEOUT, do_nothing, NULL, MS(1)), 0);
	event_base_active_by_fd(base, own[0], EV_READ);
	event_base_active_by_signal(base, SIGUSR1);
	(void)event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED);
	(void)event_base_get_max_events(base, EVENT_BASE_COUNT_ADDED, 0);
	(void)event_base_foreach_event(base, look, NULL);
	(void)event_base_gettimeofday_cached(base, &tv);
	(void)event_base_update_cache_time(base);
	(void)event_base_get_npriorities(base);
	(void)event_base_got_exit(base);
	(void)event_base_got_break(base);
	(void)event_base_loopcontinue(base);
	w = evwatch_check_new(base, on_watch, NULL);
	cr_assert_not_null(w);
	(void)event_del(io);
	(void)event_del_noblock(timer);
	(void)event_del_block(sig);
}

static void *work(void *arg)
{
	evutil_socket_t own[2];
	struct event *io, *timer, *sig;
	FILE *null = fopen("/dev/null", "w");

	(void)arg;
	support_socketpair(own);
	send_byte(own[1]);
	io = event_new(base, own[0], EV_READ | EV_PERSIST, do_nothing, NULL);
	timer = event_new(base, -1, EV_PERSIST, do_nothing, NULL);
	sig = event_new(base, SIGUSR1, EV_SIGNAL | EV_PERSIST, do_nothing, NULL);
	for (int i = 0; i < 200; i++) {
		use_everything(own, io, timer, sig);
		if (i % 50 == 0)
			event_base_dump_events(base, null);
		(void)event_priority_set(timer, i % 2);
		if (i % 10 == 0)
			support_raise_beside_others(SIGUSR1);
	}
	event_free(io);
	event_free(timer);
	cr_expect_eq(event_free_finalize(0, sig, on_finalize), 0);
	close_pair(own);
	fclose(null);
	if (atomic_fetch_sub(&workers_left, 1) == 1)
		event_base_loopexit(base, NULL);
	return NULL;
}

static void ignore_signal(int sig)
{
	(void)sig;
}

/* CORE-321, CORE-365; C26: under ThreadSanitizer this must be silent. */
Test(threads, everything_that_is_safe_from_any_thread_at_once)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	pthread_t threads[WORKERS];

	sigaction(SIGUSR1, &action, NULL);
	cr_assert_eq(event_base_priority_init(base, 2), 0);
	workers_left = WORKERS;
	for (int i = 0; i < WORKERS; i++)
		threads[i] = in_thread(work, NULL);
	cr_expect_eq(event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY), 0);
	for (int i = 0; i < WORKERS; i++)
		join(threads[i]);
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0, 1);
	cr_expect_eq(finalized, WORKERS);
}

static void *come_and_go(void *arg)
{
	evutil_socket_t own[2];

	(void)arg;
	await_begin();
	for (int i = 0; i < 3000; i++) {
		struct event *ev;

		support_socketpair(own);
		ev = event_new(base, own[0], EV_READ | EV_PERSIST, never, NULL);
		cr_assert_eq(event_add(ev, NULL), 0);
		cr_assert_eq(event_del(ev), 0);
		close_pair(own);
		event_free(ev);
	}
	event_base_loopbreak(base);
	return NULL;
}

/* CORE-078, CORE-321; C10: the wait may have begun with a descriptor that is closed by now. */
Test(threads, deleting_and_closing_while_the_loop_is_about_to_wait)
{
	pthread_t thread;

	cr_assert_not_null(evwatch_prepare_new(base, note_begin, NULL));
	thread = in_thread(come_and_go, NULL);
	cr_expect_eq(event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY), 0);
	join(thread);
	cr_expect_eq(event_base_got_break(base), 1);
}

/* --- NOLOCK ----------------------------------------------------------------------------------- */

static struct event_base *unlocked;
static int break_result, continue_result;

static void *break_unlocked(void *arg)
{
	(void)arg;
	break_result = event_base_loopbreak(unlocked);
	continue_result = event_base_loopcontinue(unlocked);
	return NULL;
}

static void let_other_break(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	join(in_thread(break_unlocked, NULL));
}

/* CORE-043 */
Test(threads, without_lock_a_break_from_another_thread_is_recorded_and_says_that_it_woke_nobody)
{
	struct event_config *cfg = event_config_new();
	struct event *ev, *after;

	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	unlocked = event_base_new_with_config(cfg);
	event_config_free(cfg);
	ev = event_new(unlocked, -1, 0, let_other_break, NULL);
	after = event_new(unlocked, -1, 0, never, NULL);
	event_active(ev, EV_READ, 1);
	event_active(after, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(unlocked), 0);
	cr_expect_eq(break_result, -1);
	cr_expect_eq(continue_result, -1);
	cr_expect_eq(event_base_got_break(unlocked), 1);
	event_free(ev);
	event_free(after);
	event_base_free(unlocked);
}
