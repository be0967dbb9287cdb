/* SPDX-License-Identifier: BSD-3-Clause */
/* event_del(), event_free(), event_remove_timer(). */

#include "reactor_test.h"

#include <signal.h>

TestSuite(del, .init = start, .fini = finish, .timeout = 60);

#define EVERYTHING (EV_TIMEOUT | EV_READ | EV_WRITE | EV_SIGNAL | EV_CLOSED)

/* CORE-134 */
Test(del, makes_an_event_neither_pending_nor_active)
{
	struct event *ev = event_new(base, -1, EV_READ | EV_PERSIST, never, NULL);

	cr_expect_eq(event_del(ev), 0, "nothing to do is fine");
	cr_assert_eq(event_add(ev, MS(0)), 0);
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_del(ev), 0);
	cr_expect_eq(event_pending(ev, EVERYTHING, NULL), 0);
	cr_expect_eq(count(COUNT_ALL), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	event_free(ev);
}

static void delete_other(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	trace_letter('d');
	cr_expect_eq(event_del(arg), 0);
}

/* CORE-134, CORE-136; C23 */
Test(del, in_a_callback_cancels_another_that_was_triggered_already)
{
	struct event *victim = event_new(base, -1, 0, never, NULL);
	struct event *killer = event_new(base, -1, 0, delete_other, victim);
	struct event *self = event_new(base, -1, EV_PERSIST, delete_other, event_self_cbarg());

	event_active(killer, EV_READ, 1);
	event_active(victim, EV_READ, 1);
	cr_assert_eq(event_add(self, MS(0)), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "dd");
	event_free(victim);
	event_free(killer);
	event_free(self);
}

/* CORE-137, CORE-367 */
Test(del, forgets_the_repeat_interval)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, note_and_read, &seen);
	cr_assert_eq(event_add(ev, MS(100)), 0);
	cr_assert_eq(event_del(ev), 0);
	cr_assert_eq(event_add(ev, NULL), 0);
	send_byte(pair[1]);
	run_round();
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(event_pending(ev, EVERYTHING, NULL), EV_READ);
	event_free(ev);
	close_pair(pair);
}

static void free_itself(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	trace_letter('f');
	event_free(arg);
}

static void free_other(evutil_socket_t fd, short what, void *arg)
{
	struct event **other = arg;

	(void)fd;
	(void)what;
	trace_letter('o');
	event_free(*other);
	*other = NULL;
}

/* CORE-138, CORE-177; C23 */
Test(del, free_is_legal_in_every_state)
{
	evutil_socket_t pair[2];
	struct event *pending, *active, *running, *other;

	support_socketpair(pair);
	event_free(NULL);
	event_free(event_new(base, pair[0], EV_READ, never, NULL));
	pending = event_new(base, pair[0], EV_READ | EV_PERSIST, never, NULL);
	cr_assert_eq(event_add(pending, MS(60000)), 0);
	event_free(pending);
	active = event_new(base, -1, 0, never, NULL);
	event_active(active, EV_READ, 1);
	event_free(active);
	running = event_new(base, -1, EV_PERSIST, free_itself, event_self_cbarg());
	cr_assert_eq(event_add(running, MS(0)), 0);
	other = event_new(base, -1, 0, never, NULL);
	pending = event_new(base, -1, 0, free_other, &other);
	event_active(pending, EV_READ, 1);
	event_active(other, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_str_eq(traced, "of");
	event_free(pending);
	close_pair(pair);
}

#define VICTIMS 20
static struct event *victims[VICTIMS];

static void free_all_others(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	trace_letter('k');
	for (int i = 0; i < VICTIMS; i++)
		if (victims[i] != arg) {
			event_free(victims[i]);
			victims[i] = NULL;
		}
}

/* CORE-138, CORE-177; C13: whoever runs first frees the rest, of which none runs. */
Test(del, the_first_of_many_active_events_frees_the_rest)
{
	evutil_socket_t pair[2];

	support_socketpair(pair);
	send_byte(pair[1]);
	for (int i = 0; i < VICTIMS; i++) {
		victims[i] = event_new(base, i % 2 ? pair[0] : -1, EV_READ, free_all_others,
				       event_self_cbarg());
		cr_assert_eq(event_add(victims[i], MS(0)), 0);
	}
	while (traced[0] == '\0')
		run_round();
	run_round();
	cr_expect_str_eq(traced, "k");
	for (int i = 0; i < VICTIMS; i++)
		event_free(victims[i]);
	close_pair(pair);
}

/* CORE-139, CORE-258 */
Test(del, freeing_a_signal_event_in_its_callback_cancels_the_repeats)
{
	static const short kinds[] = { EV_SIGNAL | EV_PERSIST, EV_SIGNAL };

	for (int i = 0; i < 2; i++) {
		struct event *ev =
			event_new(base, SIGUSR1, kinds[i], free_itself, event_self_cbarg());

		cr_assert_eq(event_add(ev, NULL), 0);
		raise(SIGUSR1);
		raise(SIGUSR1);
		cr_expect_eq(event_base_dispatch(base), 1);
		cr_expect_eq(strlen(traced), (size_t)i + 1);
	}
}

/* CORE-140 */
Test(del, remove_timer_leaves_the_rest)
{
	struct event *io = event_new(base, -1, EV_READ, never, NULL);
	struct event *sig = event_new(base, SIGUSR1, EV_SIGNAL, never, NULL);
	struct event *timer = event_new(base, -1, 0, never, NULL);

	cr_assert_eq(event_add(io, MS(0)), 0);
	cr_assert_eq(event_add(sig, MS(0)), 0);
	cr_assert_eq(event_add(timer, MS(0)), 0);
	cr_expect_eq(event_remove_timer(io), 0);
	cr_expect_eq(event_remove_timer(io), 0, "also when there is none");
	cr_expect_eq(event_remove_timer(sig), 0);
	cr_expect_eq(event_remove_timer(timer), 0);
	cr_expect_eq(event_pending(io, EVERYTHING, NULL), EV_READ);
	cr_expect_eq(event_pending(sig, EVERYTHING, NULL), EV_SIGNAL);
	cr_expect_eq(event_pending(timer, EVERYTHING, NULL), 0);
	cr_expect_eq(count(EVENT_BASE_COUNT_ADDED), 2);
	run_round();
	event_free(io);
	event_free(sig);
	event_free(timer);
}

/* CORE-141 */
Test(del, io_does_not_bring_a_removed_timeout_back)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 };
	struct event *ev;

	support_socketpair(pair);
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, note_and_read, &seen);
	cr_assert_eq(event_add(ev, MS(5000)), 0);
	cr_assert_eq(event_remove_timer(ev), 0);
	cr_expect_eq(event_pending(ev, EVERYTHING, NULL), EV_READ);
	send_byte(pair[1]);
	run_round();
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(event_pending(ev, EVERYTHING, NULL), EV_READ);
	event_free(ev);
	close_pair(pair);
}

static void remove_timer_of(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	trace_letter('r');
	cr_expect_eq(event_remove_timer(arg), 0);
}

/* CORE-142 */
Test(del, remove_timer_on_an_expired_event_that_has_not_run_clears_the_interval)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, EV_PERSIST, note, &seen);
	struct event *first = event_new(base, -1, 0, remove_timer_of, ev);
	double until = support_now_ms() + 10;

	cr_assert_eq(event_add(first, MS(1)), 0);
	cr_assert_eq(event_add(ev, MS(2)), 0);
	while (support_now_ms() < until)
		;
	run_round();
	cr_expect_str_eq(traced, "r");
	cr_expect_eq(event_pending(ev, EV_TIMEOUT, NULL), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_leq(seen.calls, 1);
	event_free(ev);
	event_free(first);
}

/* CORE-143, CORE-327: in one thread the variants do the same. */
Test(del, all_variants_delete)
{
	int (*const variants[])(struct event *) = { event_del, event_del_block, event_del_noblock };
	static const short flags[] = { 0, EV_FINALIZE };

	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 2; j++) {
			struct event *ev = event_new(base, -1, EV_PERSIST | flags[j], never, NULL);

			cr_assert_eq(event_add(ev, MS(0)), 0);
			event_active(ev, EV_READ, 1);
			cr_expect_eq(variants[i](ev), 0);
			cr_expect_eq(event_pending(ev, EVERYTHING, NULL), 0);
			cr_expect_eq(event_base_dispatch(base), 1);
			event_free(ev);
		}
}
