/* SPDX-License-Identifier: BSD-3-Clause */
/* Lock, condition and thread-number callbacks; lock debugging. */

#include "reactor_test.h"

#include <event2/component/reactor.h>
#include <event2/thread.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

TestSuite(thread_setup, .timeout = 60);

/* --- callbacks of the test's own, which count ------------------------------------------------- */

struct own_lock {
	pthread_mutex_t mutex;
	unsigned type;
	int depth;
};

static _Atomic int locks_made, locks_freed, lock_calls, wrong_types, wrong_modes, conditions_made;

static void *own_alloc(unsigned type)
{
	struct own_lock *lock = calloc(1, sizeof(*lock));
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&lock->mutex, &attr);
	lock->type = type;
	locks_made++;
	wrong_types += type != 0 && type != EVTHREAD_LOCKTYPE_RECURSIVE;
	return lock;
}

static void own_free(void *arg, unsigned type)
{
	struct own_lock *lock = arg;

	wrong_types += lock->type != type;
	locks_freed++;
	pthread_mutex_destroy(&lock->mutex);
	free(lock);
}

static int own_lock(unsigned mode, void *arg)
{
	struct own_lock *lock = arg;

	lock_calls++;
	wrong_modes += mode != 0 && mode != EVTHREAD_TRY;
	if (mode & EVTHREAD_TRY)
		return pthread_mutex_trylock(&lock->mutex);
	return pthread_mutex_lock(&lock->mutex);
}

static int own_unlock(unsigned mode, void *arg)
{
	(void)mode;
	return pthread_mutex_unlock(&((struct own_lock *)arg)->mutex);
}

static void *own_alloc_condition(unsigned type)
{
	pthread_cond_t *cond = calloc(1, sizeof(*cond));

	wrong_types += type != 0;
	conditions_made++;
	pthread_cond_init(cond, NULL);
	return cond;
}

static void own_free_condition(void *cond)
{
	conditions_made--;
	pthread_cond_destroy(cond);
	free(cond);
}

static int own_signal(void *cond, int broadcast)
{
	return broadcast ? pthread_cond_broadcast(cond) : pthread_cond_signal(cond);
}

static int own_wait(void *cond, void *lock, const struct timeval *timeout)
{
	(void)timeout;
	return pthread_cond_wait(cond, &((struct own_lock *)lock)->mutex) == 0 ? 0 : -1;
}

static unsigned long own_id(void)
{
	return (unsigned long)pthread_self();
}

static const struct evthread_lock_callbacks own_locks = {
	EVTHREAD_LOCK_API_VERSION, EVTHREAD_LOCKTYPE_RECURSIVE, own_alloc, own_free, own_lock,
	own_unlock,
};

static const struct evthread_condition_callbacks own_conditions = {
	EVTHREAD_CONDITION_API_VERSION, own_alloc_condition, own_free_condition, own_signal,
	own_wait,
};

/* CORE-310, CORE-316, CORE-041 */
Test(thread_setup, the_structs_are_copied_and_every_lock_is_given_back)
{
	struct evthread_lock_callbacks locks = own_locks;
	struct evthread_condition_callbacks conditions = own_conditions;
	struct event_base *b;

	cr_assert_eq(evthread_set_lock_callbacks(&locks), 0);
	cr_assert_eq(evthread_set_condition_callbacks(&conditions), 0);
	evthread_set_id_callback(own_id);
	memset(&locks, 0, sizeof(locks));
	memset(&conditions, 0, sizeof(conditions));
	b = event_base_new();
	cr_assert_gt(locks_made, 0);
	cr_expect_eq(event_base_once(b, -1, EV_TIMEOUT, trace, (void *)"x", NULL), 0);
	cr_expect_eq(event_base_dispatch(b), 1);
	cr_expect_str_eq(traced, "x");
	cr_expect_gt(lock_calls, 0);
	event_base_free(b);
	libevent_global_shutdown();
	cr_expect_eq(locks_freed, locks_made);
	cr_expect_eq(conditions_made, 0);
	cr_expect_eq(wrong_types, 0);
	cr_expect_eq(wrong_modes, 0);
}

/* CORE-041, CORE-043 */
Test(thread_setup, a_base_with_nolock_takes_no_lock)
{
	struct event_config *cfg = event_config_new();
	struct event_base *b;

	cr_assert_eq(evthread_set_lock_callbacks(&own_locks), 0);
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	b = event_base_new_with_config(cfg);
	event_config_free(cfg);
	lock_calls = 0;
	cr_expect_eq(event_base_once(b, -1, EV_TIMEOUT, trace, (void *)"x", NULL), 0);
	cr_expect_eq(event_base_dispatch(b), 1);
	cr_expect_eq(lock_calls, 0);
	event_base_free(b);
}

/* CORE-041, CORE-288 */
Test(thread_setup, a_base_made_before_the_set_up_stays_unlocked_and_works)
{
	struct event_base *b = event_base_new();

	cr_assert_eq(evthread_set_lock_callbacks(&own_locks), 0);
	evthread_set_id_callback(own_id);
	lock_calls = 0;
	cr_expect_eq(event_base_once(b, -1, EV_TIMEOUT, trace, (void *)"x", NULL), 0);
	cr_expect_eq(event_base_dispatch(b), 1);
	cr_expect_str_eq(traced, "x");
	cr_expect_eq(lock_calls, 0);
	event_base_free(b);
}

/* CORE-313 */
Test(thread_setup, lock_callbacks_are_all_or_nothing_and_set_once)
{
	struct evthread_lock_callbacks cbs;

	support_capture_log();
	for (int missing = 0; missing < 4; missing++) {
		cbs = own_locks;
		cbs.alloc = missing == 0 ? NULL : cbs.alloc;
		cbs.free = missing == 1 ? NULL : cbs.free;
		cbs.lock = missing == 2 ? NULL : cbs.lock;
		cbs.unlock = missing == 3 ? NULL : cbs.unlock;
		cr_expect_eq(evthread_set_lock_callbacks(&cbs), -1, "callback %d", missing);
	}
	cr_expect_eq(evthread_set_lock_callbacks(NULL), 0);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 0, "nothing was on");
	cr_expect_eq(evthread_set_lock_callbacks(&own_locks), 0);
	cr_expect_eq(evthread_set_lock_callbacks(&own_locks), 0);
	cbs = own_locks;
	cbs.unlock = own_lock;
	cr_expect_eq(evthread_set_lock_callbacks(&cbs), -1);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
	cr_expect_eq(evthread_set_lock_callbacks(NULL), 0);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 2);
}

/* CORE-314 */
Test(thread_setup, unknown_versions_and_locks_without_recursion_are_refused)
{
	struct evthread_lock_callbacks cbs = own_locks;
	struct evthread_condition_callbacks conditions = own_conditions;

	cbs.lock_api_version = EVTHREAD_LOCK_API_VERSION + 1;
	cr_expect_eq(evthread_set_lock_callbacks(&cbs), -1);
	cbs = own_locks;
	cbs.supported_locktypes = 0;
	cr_expect_eq(evthread_set_lock_callbacks(&cbs), -1);
	conditions.condition_api_version = 77;
	cr_expect_eq(evthread_set_condition_callbacks(&conditions), -1);
}

/* CORE-315 */
Test(thread_setup, condition_callbacks_are_all_or_nothing_and_set_once)
{
	struct evthread_condition_callbacks cbs;

	support_capture_log();
	for (int missing = 0; missing < 4; missing++) {
		cbs = own_conditions;
		cbs.alloc_condition = missing == 0 ? NULL : cbs.alloc_condition;
		cbs.free_condition = missing == 1 ? NULL : cbs.free_condition;
		cbs.signal_condition = missing == 2 ? NULL : cbs.signal_condition;
		cbs.wait_condition = missing == 3 ? NULL : cbs.wait_condition;
		cr_expect_eq(evthread_set_condition_callbacks(&cbs), -1, "callback %d", missing);
	}
	cr_expect_eq(evthread_set_condition_callbacks(&own_conditions), 0);
	cr_expect_eq(evthread_set_condition_callbacks(&own_conditions), 0);
	cbs = own_conditions;
	cbs.free_condition = own_free_condition;
	cbs.signal_condition = (int (*)(void *, int))own_signal;
	cr_expect_eq(evthread_set_condition_callbacks(&cbs), 0, "still the same");
	cbs.wait_condition = NULL;
	cr_expect_eq(evthread_set_condition_callbacks(&cbs), -1);
	cr_expect_eq(evthread_set_condition_callbacks(NULL), 0);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
}

/* CORE-311, CORE-312, CORE-342, CORE-348 */
Test(thread_setup, pthreads_may_be_asked_for_again)
{
	cr_expect_eq(evthread_use_pthreads_with_flags(EVTHREAD_PTHREAD_PRIO_INHERIT), 0);
	cr_expect_eq(evthread_use_pthreads(), 0);
	cr_expect_eq(evthread_use_pthreads(), 0);
	cr_expect_eq(evthread_use_pthreads_with_flags(0), 0);
	cr_expect_eq(evi_threading_enabled(), 1);
}

static void *use_pthreads(void *arg)
{
	*(int *)arg = evthread_use_pthreads();
	return NULL;
}

/* CORE-348 */
Test(thread_setup, pthreads_may_be_asked_for_by_many_threads_at_once)
{
	pthread_t threads[8];
	int result[8];

	for (int i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, use_pthreads, &result[i]), 0);
	for (int i = 0; i < 8; i++) {
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
		cr_expect_eq(result[i], 0);
	}
}

/* --- event_del() and a callback that runs in another thread ----------------------------------- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static int entered, may_leave, has_left;

static void pass_gate(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	pthread_mutex_lock(&gate);
	entered = 1;
	pthread_cond_broadcast(&gate_moved);
	while (!may_leave)
		pthread_cond_wait(&gate_moved, &gate);
	has_left = 1;
	pthread_mutex_unlock(&gate);
}

static void open_gate(void)
{
	pthread_mutex_lock(&gate);
	may_leave = 1;
	pthread_cond_broadcast(&gate_moved);
	pthread_mutex_unlock(&gate);
}

static void *run_loop(void *b)
{
	event_base_dispatch(b);
	return NULL;
}

/* An event whose callback is running in the thread *ret_thread. */
static struct event *start_running_event(struct event_base *b, pthread_t *ret_thread)
{
	struct event *ev = event_new(b, -1, EV_PERSIST, pass_gate, NULL);

	event_active(ev, EV_READ, 1);
	cr_assert_eq(pthread_create(ret_thread, NULL, run_loop, b), 0);
	pthread_mutex_lock(&gate);
	while (!entered)
		pthread_cond_wait(&gate_moved, &gate);
	pthread_mutex_unlock(&gate);
	return ev;
}

/* CORE-318 */
Test(thread_setup, without_conditions_event_del_cannot_wait)
{
	struct event_base *b;
	struct event *ev;
	pthread_t thread;

	cr_assert_eq(evthread_set_lock_callbacks(&own_locks), 0);
	evthread_set_id_callback(own_id);
	b = event_base_new();
	ev = start_running_event(b, &thread);
	cr_expect_eq(event_del(ev), 0);
	cr_expect_eq(has_left, 0);
	open_gate();
	pthread_join(thread, NULL);
	event_free(ev);
	event_base_free(b);
}

static int spurious_returns;

/* Comes back without having been signalled, ten times; then opens the gate. */
static int spurious_wait(void *cond, void *lock, const struct timeval *timeout)
{
	(void)cond;
	(void)timeout;
	if (++spurious_returns == 10)
		open_gate();
	own_unlock(0, lock);
	sched_yield();
	own_lock(0, lock);
	return 0;
}

/* CORE-364 */
Test(thread_setup, event_del_is_not_fooled_by_spurious_wake_ups)
{
	struct evthread_condition_callbacks spurious = own_conditions;
	struct event_base *b;
	struct event *ev;
	pthread_t thread;

	spurious.wait_condition = spurious_wait;
	cr_assert_eq(evthread_set_lock_callbacks(&own_locks), 0);
	cr_assert_eq(evthread_set_condition_callbacks(&spurious), 0);
	evthread_set_id_callback(own_id);
	b = event_base_new();
	ev = start_running_event(b, &thread);
	cr_expect_eq(event_del(ev), 0);
	cr_expect_eq(has_left, 1);
	cr_expect_geq(spurious_returns, 10);
	pthread_join(thread, NULL);
	event_free(ev);
	event_base_free(b);
}

/* CORE-317 */
Test(thread_setup, without_an_id_callback_every_thread_is_the_loops)
{
	struct event_base *b;
	struct event *ev;
	pthread_t thread;

	cr_assert_eq(evthread_set_lock_callbacks(&own_locks), 0);
	cr_assert_eq(evthread_set_condition_callbacks(&own_conditions), 0);
	b = event_base_new();
	ev = start_running_event(b, &thread);
	cr_expect_eq(event_del(ev), 0, "it would wait for itself");
	cr_expect_eq(has_left, 0);
	open_gate();
	pthread_join(thread, NULL);
	event_free(ev);
	event_base_free(b);
}

/* --- lock debugging --------------------------------------------------------------------------- */

static void debug_locks(void)
{
	support_capture_log();
	evthread_enable_lock_debugging();
	cr_assert_eq(evthread_use_pthreads(), 0);
	evthread_enable_lock_debuging();
}

/* CORE-319, CORE-178 */
Test(thread_setup, a_loop_runs_under_lock_debugging)
{
	struct event_base *b;
	struct event *ev;

	debug_locks();
	b = event_base_new();
	ev = event_new(b, SIGUSR1, EV_SIGNAL, trace, (void *)"s");
	cr_assert_eq(event_add(ev, MS(60000)), 0);
	raise(SIGUSR1);
	cr_expect_eq(event_base_once(b, -1, EV_TIMEOUT, trace, (void *)"o", NULL), 0);
	cr_expect_eq(event_base_dispatch(b), 1);
	cr_expect_eq(strlen(traced), 2u);
	event_free(ev);
	event_base_free(b);
}

/* CORE-319: after the set-up as well as before it. */
Test(thread_setup, unlocking_what_is_not_held_aborts, .signal = SIGABRT)
{
	support_capture_log();
	cr_assert_eq(evthread_use_pthreads(), 0);
	evthread_enable_lock_debugging();
	evi_lock_release(evi_lock_new());
	_exit(0);
}

/* CORE-319 */
Test(thread_setup, freeing_a_held_lock_aborts, .signal = SIGABRT)
{
	void *lock;

	debug_locks();
	lock = evi_lock_new();
	evi_lock_acquire(lock);
	evi_lock_free(lock);
	_exit(0);
}

/* CORE-319 */
Test(thread_setup, waiting_without_the_lock_aborts, .signal = SIGABRT)
{
	debug_locks();
	(void)evi_cond_wait(evi_cond_new(), evi_lock_new(), MS(1));
	_exit(0);
}

static void *release_it(void *lock)
{
	evi_lock_release(lock);
	_exit(0);
}

/* CORE-319 */
Test(thread_setup, unlocking_what_another_thread_holds_aborts, .signal = SIGABRT)
{
	pthread_t thread;
	void *lock;

	debug_locks();
	lock = evi_lock_new();
	evi_lock_acquire(lock);
	cr_assert_eq(pthread_create(&thread, NULL, release_it, lock), 0);
	pthread_join(thread, NULL);
}

/* CORE-319: a recursive lock may be taken again by its holder. */
Test(thread_setup, a_recursive_lock_may_be_taken_again)
{
	void *lock;

	debug_locks();
	lock = evi_lock_new();
	evi_lock_acquire(lock);
	evi_lock_acquire(lock);
	cr_expect_eq(evi_lock_try(lock), 1);
	for (int i = 0; i < 3; i++)
		evi_lock_release(lock);
	evi_lock_free(lock);
}

/* CORE-316: a wait that nobody ends takes its time and says so. */
Test(thread_setup, a_wait_times_out)
{
	double begin = support_now_ms();
	void *lock, *cond;

	debug_locks();
	lock = evi_lock_new();
	cond = evi_cond_new();
	evi_lock_acquire(lock);
	cr_expect_eq(evi_cond_wait(cond, lock, MS(20)), 1);
	cr_expect_geq(support_now_ms() - begin, 19.0);
	evi_lock_release(lock);
	evi_cond_free(cond);
	evi_lock_free(lock);
}

/* CORE-320 */
Test(thread_setup, make_base_notifiable_is_harmless_when_done_already)
{
	struct event_base *late, *b = event_base_new();

	cr_expect_eq(evthread_make_base_notifiable(NULL), -1);
	cr_expect_eq(evthread_make_base_notifiable(b), 0, "also without locks");
	cr_assert_eq(evthread_use_pthreads(), 0);
	late = event_base_new();
	cr_expect_eq(evthread_make_base_notifiable(late), 0);
	cr_expect_eq(evthread_make_base_notifiable(late), 0);
	event_base_free(b);
	event_base_free(late);
}
