/* SPDX-License-Identifier: BSD-3-Clause */
/* event_active() from other threads than the loop's. */

#include "reactor_test.h"

#include <event2/thread.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static void post_start(void)
{
	support_count_allocations();
	cr_assert_eq(evthread_use_pthreads(), 0);
	start();
}

TestSuite(post, .init = post_start, .fini = finish, .timeout = 60);

static void in_another_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, fn, arg), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
}

static void run_what_is_active(void)
{
	cr_assert_geq(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

/* --- without a loop that runs ----------------------------------------------------------------- */

#define CROWD 1000

struct crowd {
	struct event *ev[CROWD];
	struct seen seen[CROWD];
};

static void *activate_all(void *arg)
{
	struct crowd *crowd = arg;

	for (int i = 0; i < CROWD; i++)
		event_active(crowd->ev[i], EV_READ, 1);
	for (int i = CROWD - 1; i >= 0; i--)
		event_active(crowd->ev[i], EV_WRITE, 1);
	return NULL;
}

static struct crowd *new_crowd(void)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	for (int i = 0; i < CROWD; i++)
		crowd->ev[i] = event_new(base, -1, 0, note, &crowd->seen[i]);
	return crowd;
}

static void free_crowd(struct crowd *crowd)
{
	for (int i = 0; i < CROWD; i++)
		event_free(crowd->ev[i]);
	free(crowd);
}

/*
 * CORE-144, CORE-154, CORE-321: however many there are, each runs once, with the bits of all
 * activations.
 */
Test(post, a_thousand_events_run_once_with_all_their_bits)
{
	struct crowd *crowd = new_crowd();

	in_another_thread(activate_all, crowd);
	cr_expect_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE), CROWD);
	run_what_is_active();
	for (int i = 0; i < CROWD; i++) {
		cr_assert_eq(crowd->seen[i].calls, 1);
		cr_assert_eq(crowd->seen[i].what, EV_READ | EV_WRITE);
	}
	free_crowd(crowd);
}

struct order {
	int next, errors;
};

static struct order order;

static void in_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	order.errors += order.next++ != (int)(intptr_t)arg;
}

/* CORE-181, CORE-321 */
Test(post, events_run_in_the_order_in_which_they_were_activated)
{
	struct crowd *crowd = new_crowd();

	order = (struct order){ 0, 0 };
	for (int i = 0; i < CROWD; i++)
		cr_assert_eq(event_assign(crowd->ev[i], base, -1, 0, in_turn, (void *)(intptr_t)i),
			     0);
	in_another_thread(activate_all, crowd);
	run_what_is_active();
	cr_expect_eq(order.next, CROWD);
	cr_expect_eq(order.errors, 0);
	free_crowd(crowd);
}

static void *activate_and_look(void *arg)
{
	event_active(arg, EV_READ, 1);
	cr_expect_eq(event_pending(arg, EV_READ | EV_WRITE, NULL), EV_READ);
	event_active(arg, EV_WRITE, 1);
	cr_expect_eq(event_pending(arg, EV_READ | EV_WRITE, NULL), EV_READ | EV_WRITE);
	return NULL;
}

/* CORE-144, CORE-220, CORE-321 */
Test(post, the_thread_sees_at_once_what_it_activated)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, 0, note, &seen);

	in_another_thread(activate_and_look, ev);
	run_what_is_active();
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(seen.what, EV_READ | EV_WRITE);
	event_free(ev);
}

static void *activate_and_delete(void *arg)
{
	event_active(arg, EV_READ, 1);
	cr_expect_eq(event_del(arg), 0);
	return NULL;
}

static void *activate_and_free(void *arg)
{
	event_active(arg, EV_READ, 1);
	event_free(arg);
	return NULL;
}

/* CORE-134, CORE-138, CORE-321 */
Test(post, deleting_takes_an_activation_back)
{
	struct event *kept = event_new(base, -1, 0, never, NULL);
	struct event *freed = event_new(base, -1, 0, never, NULL);

	in_another_thread(activate_and_delete, kept);
	in_another_thread(activate_and_free, freed);
	run_what_is_active();
	cr_expect_eq(event_base_get_num_events(base, COUNT_ALL), 0);
	event_free(kept);
}

/* CORE-082, CORE-088: nobody has looked at them yet, and the events may go after it. */
Test(post, freeing_the_base_forgets_activations)
{
	struct crowd *crowd = new_crowd();

	in_another_thread(activate_all, crowd);
	event_base_free(base);
	base = NULL;
	free_crowd(crowd);
}

/* --- beside a loop that runs ------------------------------------------------------------------ */

#define THREADS 4
#define EACH    20000

/* As a program with queues does it: put something in, then activate who takes it out. */
struct queue {
	struct event *ev;
	_Atomic int put;
	int taken;
};

static struct queue shared, own[THREADS];
static int calls;

static int is_all_taken(void)
{
	for (int i = 0; i < THREADS; i++) {
		if (own[i].taken != EACH)
			return 0;
	}
	return shared.taken == THREADS * EACH;
}

static void take(evutil_socket_t fd, short what, void *arg)
{
	struct queue *queue = arg;

	(void)fd;
	cr_assert_eq(what, EV_READ);
	queue->taken = atomic_load_explicit(&queue->put, memory_order_relaxed);
	calls++;
	if (is_all_taken())
		event_base_loopbreak(base);
}

static void *put_many(void *arg)
{
	struct queue *mine = arg;

	for (int i = 0; i < EACH; i++) {
		atomic_fetch_add_explicit(&shared.put, 1, memory_order_relaxed);
		event_active(shared.ev, EV_READ, 1);
		atomic_fetch_add_explicit(&mine->put, 1, memory_order_relaxed);
		event_active(mine->ev, EV_READ, 1);
	}
	return NULL;
}

static void set_up(struct queue *queue)
{
	*queue = (struct queue){ .ev = event_new(base, -1, 0, take, queue) };
}

/*
 * CORE-154, CORE-321, CORE-324; C21: the callback runs after the last activation, and sees all
 * before it.
 */
Test(post, nothing_that_was_put_in_is_left_behind)
{
	pthread_t threads[THREADS];

	set_up(&shared);
	for (int i = 0; i < THREADS; i++)
		set_up(&own[i]);
	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, put_many, &own[i]), 0);
	cr_assert_eq(event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY), 0);
	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
	cr_expect(is_all_taken());
	cr_expect_leq(calls, 2 * THREADS * EACH);
	for (int i = 0; i < THREADS; i++)
		event_free(own[i].ev);
	event_free(shared.ev);
}
