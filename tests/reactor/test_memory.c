/* SPDX-License-Identifier: BSD-3-Clause */
/* Replaced memory functions, and every allocation of the reactor refused once. */

#include "reactor_test.h"

#include <event2/component/reactor.h>
#include <event2/watch.h>

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

TestSuite(memory, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static void check_watch(struct evwatch *watcher, const struct evwatch_check_cb_info *info,
			void *arg)
{
	(void)watcher;
	(void)info;
	(void)arg;
}

static void prepare_watch(struct evwatch *watcher, const struct evwatch_prepare_cb_info *info,
			  void *arg)
{
	(void)watcher;
	(void)info;
	(void)arg;
}

/* CORE-001: objects handed to the caller come from the replacement, and go back to it. */
Test(memory, every_kind_of_object_comes_from_the_replacement)
{
	long before = support_live_blocks();
	struct event_config *cfg = event_config_new();
	struct event_base *b;
	struct event *ev;
	struct evwatch *watcher;

	cr_expect_gt(support_live_blocks(), before, "config");
	before = support_live_blocks();
	b = event_base_new_with_config(cfg);
	cr_expect_gt(support_live_blocks(), before, "base");
	before = support_live_blocks();
	ev = event_new(b, -1, 0, note, NULL);
	cr_expect_gt(support_live_blocks(), before, "event");
	before = support_live_blocks();
	watcher = evwatch_check_new(b, check_watch, NULL);
	cr_expect_gt(support_live_blocks(), before, "watcher");
	before = support_live_blocks();
	cr_assert_eq(event_base_once(b, -1, EV_TIMEOUT, note, NULL, MS(60000)), 0);
	cr_expect_gt(support_live_blocks(), before, "once");

	evwatch_free(watcher);
	event_free(ev);
	event_base_free(b);
	event_config_free(cfg);
}

static int other_calls;

static void *other_malloc(size_t size)
{
	other_calls++;
	return malloc(size);
}

/* CORE-002, CORE-003 */
Test(memory, functions_are_looked_up_at_every_call_and_null_restores_the_default)
{
	struct event_base *b = event_base_new();
	struct event *first, *second;
	long requests;

	event_set_mem_functions(other_malloc, realloc, free);
	first = event_new(b, -1, 0, never, NULL);
	cr_expect_eq(other_calls, 1);
	requests = support_allocations();
	event_set_mem_functions(NULL, NULL, NULL);
	second = event_new(b, -1, 0, never, NULL);
	cr_expect_eq(other_calls, 1);
	cr_expect_eq(support_allocations(), requests);
	cr_assert(first != NULL && second != NULL);
	event_free(second);
	event_free(first);
	/* Back to where it came from: the counting allocator's free. */
	support_count_allocations();
	event_set_mem_functions(NULL, NULL, NULL);
	event_base_free(b);
}

static void *no_malloc(size_t size)
{
	(void)size;
	cr_assert_fail("this request must not reach the replacement");
	return NULL;
}

static void *no_realloc(void *block, size_t size)
{
	(void)block;
	(void)size;
	cr_assert_fail("this request must not reach the replacement");
	return NULL;
}

static void no_free(void *block)
{
	(void)block;
	cr_assert_fail("this request must not reach the replacement");
}

/* CORE-004, CORE-005 */
Test(memory, zero_bytes_and_null_never_reach_the_replacement)
{
	event_set_mem_functions(no_malloc, no_realloc, no_free);
	errno = 4321;
	cr_expect_null(evi_malloc(0));
	cr_expect_null(evi_calloc(0, 8));
	cr_expect_null(evi_calloc(8, 0));
	evi_free(NULL);
	event_config_free(NULL);
	event_free(NULL);
	cr_expect_eq(errno, 4321);
	support_count_allocations();
}

static void *dirty_malloc(size_t size)
{
	void *block = malloc(size);

	if (block != NULL)
		memset(block, 0xa5, size);
	return block;
}

/* CORE-007 */
Test(memory, zeroed_requests_are_cleared_and_an_overflow_fails_with_enomem)
{
	unsigned char *block;

	event_set_mem_functions(dirty_malloc, realloc, free);
	block = evi_calloc(3, 7);
	cr_assert_not_null(block);
	for (int i = 0; i < 21; i++)
		cr_expect_eq(block[i], 0);
	evi_free(block);

	event_set_mem_functions(no_malloc, no_realloc, no_free);
	errno = 0;
	cr_expect_null(evi_calloc(SIZE_MAX / 2, 3));
	cr_expect_eq(errno, ENOMEM);
	support_count_allocations();
}

/* CORE-006 */
Test(memory, realloc_of_null_allocates_and_of_size_zero_frees)
{
	char *block = evi_realloc(NULL, 10);

	cr_assert_not_null(block);
	memcpy(block, "123456789", 10);
	block = evi_realloc(block, 1000);
	cr_assert_not_null(block);
	cr_expect_str_eq(block, "123456789");
	cr_expect_null(evi_realloc(block, 0));
	cr_expect_eq(support_live_blocks(), 0);
}

/* --- a workload that touches every part of the reactor ---------------------------------------- */

struct workload {
	struct event_base *base;
	struct event *ev[8];
	struct evwatch *watch[2];
	evutil_socket_t pair[2];
	struct seen seen;
};

static void finalized(struct event *ev, void *arg)
{
	(void)ev;
	(void)arg;
}

/* A loop that nothing can stop is not entered. */
static void run_for_a_while(struct event_base *b)
{
	if (event_base_loopexit(b, MS(2)) == 0)
		(void)event_base_loop(b, 0);
}

static void workload_events(struct workload *w)
{
	const struct timeval *common = event_base_init_common_timeout(w->base, MS(3));

	w->ev[0] = event_new(w->base, w->pair[0], EV_READ | EV_PERSIST, note_and_read, &w->seen);
	w->ev[1] = event_new(w->base, w->pair[1], EV_WRITE, note, &w->seen);
	w->ev[2] = event_new(w->base, SIGUSR1, EV_SIGNAL | EV_PERSIST, note, &w->seen);
	w->ev[3] = event_new(w->base, -1, EV_PERSIST, note, &w->seen);
	w->ev[4] = event_new(w->base, -1, 0, note, &w->seen);
	for (int i = 0; i < 5; i++)
		if (w->ev[i] != NULL && event_add(w->ev[i], i == 3   ? MS(1)
							    : i == 4 ? common
								     : NULL) != 0)
			cr_expect_eq(event_pending(w->ev[i], ~0, NULL), 0, "event %d", i);
	for (int i = 5; i < 8; i++) {
		w->ev[i] = event_new(w->base, -1, 0, note, &w->seen);
		if (w->ev[i] != NULL)
			(void)event_add(w->ev[i], MS(i));
	}
}

static void run_workload(void)
{
	struct workload w = { 0 };
	struct event_config *cfg = event_config_new();

	if (cfg != NULL)
		(void)event_config_avoid_method(cfg, "nothing of that name");
	support_socketpair(w.pair);
	w.base = event_base_new_with_config(cfg);
	if (w.base != NULL) {
		(void)event_base_priority_init(w.base, 3);
		workload_events(&w);
		w.watch[0] = evwatch_prepare_new(w.base, prepare_watch, NULL);
		w.watch[1] = evwatch_check_new(w.base, check_watch, NULL);
		(void)event_base_once(w.base, w.pair[0], EV_WRITE, note, &w.seen, NULL);
		if (w.ev[2] != NULL && event_pending(w.ev[2], EV_SIGNAL, NULL))
			raise(SIGUSR1);
		send_byte(w.pair[1]);
		(void)event_base_loop(w.base, EVLOOP_ONCE);
		run_for_a_while(w.base);
		if (w.ev[7] != NULL && event_free_finalize(0, w.ev[7], finalized) == 0)
			w.ev[7] = NULL;
		(void)event_base_loop(w.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		(void)event_reinit(w.base);
		for (int i = 0; i < 8; i++)
			event_free(w.ev[i]);
		if (w.watch[0] != NULL)
			evwatch_free(w.watch[0]);
		event_base_free(w.base);
	}
	event_config_free(cfg);
	close_pair(w.pair);
}

/* The n-th request fails, for every n the workload reaches. */
static long sweep(void (*refuse)(long))
{
	int fds = support_open_fds();
	long n;

	support_capture_log();
	for (n = 0;; n++) {
		refuse(n);
		run_workload();
		if (!support_has_refused())
			break;
		refuse(-1);
		cr_expect_eq(support_live_blocks(), 0, "request %ld leaks", n);
		cr_expect_eq(support_open_fds(), fds, "request %ld leaks a descriptor", n);
	}
	refuse(-1);
	return n;
}

/* CORE-009; C01 */
Test(memory, one_refused_request_never_crashes_or_leaks)
{
	cr_expect_gt(sweep(support_fail_once_after), 5);
}

/* CORE-009; C02 */
Test(memory, refusing_everything_from_some_point_on_never_crashes_or_leaks)
{
	cr_expect_gt(sweep(support_fail_all_after), 5);
}

/* CORE-009 */
Test(memory, constructors_return_null_without_memory)
{
	struct event_base *b = support_base_new();

	support_capture_log();
	support_fail_all_after(0);
	cr_expect_null(event_base_new());
	cr_expect_null(event_config_new());
	cr_expect_null(event_new(b, -1, 0, never, NULL));
	cr_expect_null(evwatch_prepare_new(b, prepare_watch, NULL));
	cr_expect_null(evwatch_check_new(b, check_watch, NULL));
	cr_expect_eq(event_base_once(b, -1, EV_TIMEOUT, never, NULL, MS(0)), -1);
	cr_expect_null(event_base_init_common_timeout(b, MS(1)));
	support_fail_all_after(-1);
	event_base_free(b);
}

/* CORE-009, CORE-115: adding either works or leaves no trace. */
Test(memory, event_add_without_memory_changes_nothing)
{
	int failures = 0;

	support_capture_log();
	for (long n = 0;; n++) {
		struct event_base *b = support_base_new();
		struct event *io, *timer, *sig;
		evutil_socket_t pair[2];
		struct event *all[3];

		support_socketpair(pair);
		all[0] = io = event_new(b, pair[0], EV_READ, never, NULL);
		all[1] = timer = event_new(b, -1, 0, never, NULL);
		all[2] = sig = event_new(b, SIGUSR1, EV_SIGNAL, never, NULL);
		cr_assert(io != NULL && timer != NULL && sig != NULL);
		support_fail_once_after(n);
		for (int i = 0; i < 3; i++) {
			int before = event_base_get_num_events(b, EVENT_BASE_COUNT_ADDED);

			if (event_add(all[i], MS(60000)) == 0)
				continue;
			failures++;
			cr_expect_eq(event_pending(all[i], EV_READ | EV_SIGNAL | EV_TIMEOUT, NULL),
				     0);
			cr_expect_eq(event_base_get_num_events(b, EVENT_BASE_COUNT_ADDED), before);
			cr_expect_eq(event_add(all[i], MS(60000)), 0, "usable afterwards");
		}
		for (int i = 0; i < 3; i++)
			event_free(all[i]);
		event_base_free(b);
		close_pair(pair);
		if (!support_has_refused())
			break;
	}
	support_fail_once_after(-1);
	cr_expect_gt(failures, 0, "no add allocated: the sweep tests nothing");
}

/* CORE-009: also when the table of timers has to grow. */
Test(memory, timers_survive_a_refused_growth)
{
	struct event_base *b = support_base_new();
	struct event *ev[600];
	int added = 0;

	for (int i = 0; i < 600; i++) {
		ev[i] = event_new(b, -1, 0, never, NULL);
		cr_assert_not_null(ev[i]);
	}
	for (int i = 0; i < 600; i++) {
		support_fail_all_after(0);
		if (event_add(ev[i], MS(60000 + i)) != 0) {
			cr_expect_eq(event_pending(ev[i], EV_TIMEOUT, NULL), 0);
			support_fail_all_after(-1);
			cr_expect_eq(event_add(ev[i], MS(60000 + i)), 0);
		}
		added++;
		cr_assert_eq(event_base_get_num_events(b, EVENT_BASE_COUNT_ADDED), added);
	}
	support_fail_all_after(-1);
	for (int i = 0; i < 600; i++)
		event_free(ev[i]);
	event_base_free(b);
}

static void count_one(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	++*(int *)arg;
}

#define PAIRS  60
#define TIMERS 3000

/*
 * C01: many are ready at once, many are due at once, and nothing is to be had for gathering them.
 */
Test(memory, a_round_of_many_needs_no_memory)
{
	struct event_base *b = support_base_new();
	struct event *io[PAIRS], *timer[TIMERS];
	evutil_socket_t pair[PAIRS][2];
	int ready = 0, due = 0;
	double end;

	for (int i = 0; i < PAIRS; i++) {
		support_socketpair(pair[i]);
		io[i] = event_new(b, pair[i][0], EV_WRITE, count_one, &ready);
		cr_assert_eq(event_add(io[i], NULL), 0);
	}
	for (int i = 0; i < TIMERS; i++) {
		timer[i] = event_new(b, -1, 0, count_one, &due);
		cr_assert_eq(event_add(timer[i], &(const struct timeval){ 0, 1 + i % 700 }), 0);
	}
	for (end = support_now_ms() + 5; support_now_ms() < end;)
		continue; /* the time of all of them */
	support_fail_all_after(0);
	cr_expect_eq(event_base_dispatch(b), 1);
	support_fail_all_after(-1);
	cr_expect_eq(ready, PAIRS);
	cr_expect_eq(due, TIMERS);
	for (int i = 0; i < PAIRS; i++) {
		event_free(io[i]);
		close_pair(pair[i]);
	}
	for (int i = 0; i < TIMERS; i++)
		event_free(timer[i]);
	event_base_free(b);
}

/* --- alignment -------------------------------------------------------------------------------- */

/* Aligned as malloc() promises, and no better. */
static void *least_aligned_malloc(size_t size)
{
	const size_t least = _Alignof(max_align_t);
	char *block = aligned_alloc(4096, (size + least + 4095) / 4096 * 4096);

	return block == NULL ? NULL : block + least;
}

static void least_aligned_free(void *block)
{
	free((char *)block - _Alignof(max_align_t));
}

/* Grows by copying: the size of the old block is not known, but it ends with its page. */
static void *least_aligned_realloc(void *block, size_t size)
{
	char *grown = least_aligned_malloc(size);

	if (grown != NULL && block != NULL) {
		size_t page = 4096 - _Alignof(max_align_t);

		memcpy(grown, block, size < page ? size : page);
		least_aligned_free(block);
	}
	return grown;
}

/* CORE-008 */
Test(memory, the_least_alignment_that_malloc_promises_is_enough)
{
	event_set_mem_functions(least_aligned_malloc, least_aligned_realloc, least_aligned_free);
	run_workload();
	support_count_allocations();
}

/* CORE-010 */
Test(memory, the_header_says_that_the_call_exists)
{
#ifdef EVENT_SET_MEM_FUNCTIONS_IMPLEMENTED
	int implemented = 1;
#else
	int implemented = 0;
#endif
	cr_expect(implemented);
}
