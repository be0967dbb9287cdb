/* SPDX-License-Identifier: BSD-3-Clause */
/* References, freeing, locks, other threads, the legacy calls, own types. */

#include "bev_test.h"

#include <event2/bufferevent_compat.h>
#include <event2/component/buffer.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

TestSuite(bev_life, .init = start, .fini = finish, .timeout = 60);

static int is_open(evutil_socket_t fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* BEV-206, BEV-207, BEV-345 */
Test(bev_life, the_descriptor_is_closed_at_once)
{
	struct bufferevent *bev[2];
	evutil_socket_t fd;

	linked_new(bev, BEV_OPT_DEFER_CALLBACKS);
	fd = bufferevent_getfd(bev[0]);
	bufferevent_enable(bev[0], BOTH);
	bufferevent_write(bev[0], "x", 1);
	bufferevent_free(bev[0]);
	cr_expect_not(is_open(fd));
	bufferevent_free(bev[1]);
}

/* BEV-205 */
Test(bev_life, what_is_not_sent_is_discarded)
{
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "x", 1);
	bufferevent_free(bev[0]);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.received, 0);
	bufferevent_free(bev[1]);
}

/* BEV-208, BEV-209 */
Test(bev_life, with_a_reference_it_still_sends_but_tells_nothing)
{
	struct bufferevent *bev[2];
	struct probe a = { 0 }, b = { .drain = 1 };
	evutil_socket_t fd;

	linked_new(bev, 0);
	watch(bev[0], &a);
	watch(bev[1], &b);
	fd = bufferevent_getfd(bev[0]);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_incref(bev[0]);
	cr_expect_eq(bufferevent_decref(bev[0]), 0);
	bufferevent_incref(bev[0]);
	bufferevent_free(bev[0]);
	bufferevent_write(bev[0], "still", 5);
	run_until_received(&b, 5);
	settle();
	cr_expect_eq(a.n_order, 0);
	cr_expect(is_open(fd));
	cr_expect_eq(bufferevent_decref(bev[0]), 1);
	cr_expect_not(is_open(fd));
	bufferevent_free(bev[1]);
}

/* BEV-210 */
Test(bev_life, locking_is_recursive_and_holds_a_reference)
{
	struct bufferevent *bev[2];
	evutil_socket_t fd;

	linked_new(bev, 0);
	fd = bufferevent_getfd(bev[0]);
	bufferevent_lock(bev[0]);
	bufferevent_lock(bev[0]);
	bufferevent_free(bev[0]);
	bufferevent_unlock(bev[0]);
	cr_expect(is_open(fd));
	cr_expect_eq(bufferevent_get_enabled(bev[0]), EV_WRITE);
	bufferevent_unlock(bev[0]);
	cr_expect_not(is_open(fd));
	bufferevent_free(bev[1]);
}

/* BEV-213 */
Test(bev_life, freeing_nothing_is_nothing)
{
	bufferevent_free(NULL);
	cr_expect_not_null(base);
}

static void count_cleanup(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	++*(int *)arg;
}

/* BEV-348, B10 */
Test(bev_life, shared_content_outlives_the_bufferevent)
{
	struct bufferevent *bev = socket_new(-1, 0);
	struct evbuffer *buf = evbuffer_new();
	int cleaned = 0;

	evbuffer_add_reference(bufferevent_get_output(bev), "shared", 6, count_cleanup, &cleaned);
	cr_assert_eq(evbuffer_add_buffer_reference(buf, bufferevent_get_output(bev)), 0);
	bufferevent_free(bev);
	settle();
	cr_expect_eq(cleaned, 0);
	cr_expect_eq(memcmp(evbuffer_pullup(buf, -1), "shared", 6), 0);
	evbuffer_free(buf);
	cr_expect_eq(cleaned, 1);
}

static void count_change(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	(void)buf;
	*(size_t *)arg += info->n_added;
}

/* BEV-348 */
Test(bev_life, a_deferred_buffer_callback_keeps_it_alive)
{
	struct bufferevent *bev = socket_new(-1, 0);
	size_t added = 0;

	evbuffer_defer_callbacks(bufferevent_get_output(bev), base);
	evbuffer_add_cb(bufferevent_get_output(bev), count_change, &added);
	bufferevent_write(bev, "abc", 3);
	bufferevent_free(bev);
	settle();
	cr_expect_eq(added, 3);
}

static void free_on_change(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct bufferevent **bev = arg;

	(void)buf;
	(void)info;
	if (*bev != NULL)
		bufferevent_free(*bev);
	*bev = NULL;
}

/* B10, B19 */
Test(bev_life, may_be_freed_by_a_change_callback_of_its_own)
{
	struct bufferevent *bev[2];

	linked_new(bev, 0);
	evbuffer_add_cb(bufferevent_get_input(bev[1]), free_on_change, &bev[1]);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "x", 1);
	settle();
	cr_expect_null(bev[1]);
	evbuffer_add_cb(bufferevent_get_output(bev[0]), free_on_change, &bev[0]);
	bufferevent_write(bev[0], "x", 1);
	cr_expect_null(bev[0]);
}

/* --- Other threads ---------------------------------------------------------------------------- */

static void *run_loop(void *arg)
{
	event_base_loop(arg, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

struct loop {
	struct event_base *base;
	pthread_t thread;
};

static void loop_start(struct loop *loop)
{
	loop->base = support_base_new();
	cr_assert_eq(evthread_make_base_notifiable(loop->base), 0);
	cr_assert_eq(pthread_create(&loop->thread, NULL, run_loop, loop->base), 0);
}

static void loop_stop(struct loop *loop)
{
	event_base_loopexit(loop->base, NULL);
	pthread_join(loop->thread, NULL);
	event_base_free(loop->base);
}

/* BEV-170, BEV-207 */
Test(bev_life, output_is_sent_whichever_thread_adds_it)
{
	struct loop loop;
	struct bufferevent *bev;
	evutil_socket_t fds[2];
	char byte;

	if (thread_option == 0)
		cr_skip_test("without locks");
	loop_start(&loop);
	support_socketpair(fds);
	evutil_make_socket_closeonexec(fds[1]);
	cr_assert_eq(fcntl(fds[1], F_SETFL, 0), 0);
	bev = bufferevent_socket_new(loop.base, fds[0], BEV_OPT_THREADSAFE | BEV_OPT_CLOSE_ON_FREE);
	for (int i = 0; i < 1000; i++) {
		cr_assert_eq(bufferevent_write(bev, "x", 1), 0);
		cr_assert_eq(recv(fds[1], &byte, 1, 0), 1);
	}
	bufferevent_free(bev);
	cr_expect_eq(recv(fds[1], &byte, 1, 0), 0);
	close(fds[1]);
	loop_stop(&loop);
}

/* What callbacks that run in another thread count. */
struct churn {
	_Atomic int calls;
	_Atomic int is_freed;
	_Atomic int late; /* calls that began after free returned */
};

static void churn_read(struct bufferevent *bev, void *arg)
{
	struct churn *churn = arg;

	if (atomic_load(&churn->is_freed))
		atomic_fetch_add(&churn->late, 1);
	atomic_fetch_add(&churn->calls, 1);
	evbuffer_drain(bufferevent_get_input(bev), 1);
	bufferevent_write(bev, "y", 1);
}

static void churn_event(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	churn_read(bev, arg);
}

/* BEV-211, C25 */
Test(bev_life, freeing_in_one_thread_while_another_calls_back)
{
	static const int options[] = { 0, BEV_OPT_DEFER_CALLBACKS,
				       BEV_OPT_DEFER_CALLBACKS | BEV_OPT_UNLOCK_CALLBACKS };
	/* an unlocked callback may still be at it after the free */
	static struct churn churns[300];
	const struct timeval soon = { 0, 500 };
	struct loop loop;

	if (thread_option == 0)
		cr_skip_test("without locks");
	loop_start(&loop);
	for (int i = 0; i < 300; i++) {
		struct churn *churn = &churns[i];
		struct bufferevent *bev;
		evutil_socket_t fds[2];
		int option = options[i % 3];

		support_socketpair(fds);
		bev = bufferevent_socket_new(loop.base, fds[0],
					     BEV_OPT_THREADSAFE | BEV_OPT_CLOSE_ON_FREE | option);
		bufferevent_setcb(bev, churn_read, NULL, churn_event, churn);
		bufferevent_set_timeouts(bev, &soon, NULL);
		bufferevent_enable(bev, BOTH);
		for (int j = 0; j < i % 7; j++)
			(void)send(fds[1], "xxxx", 4, MSG_NOSIGNAL);
		if (i % 2)
			close(fds[1]);
		bufferevent_lock(bev);
		bufferevent_free(bev);
		atomic_store(&churn->is_freed, 1);
		bufferevent_unlock(bev);
		if (!(i % 2))
			close(fds[1]);
		usleep(i % 5 * 20); /* only to vary where the other thread is */
	}
	loop_stop(&loop);
	for (int i = 0; i < 300; i++) {
		/* one that needs no lock may have been called before and count itself after */
		int most = options[i % 3] & BEV_OPT_UNLOCK_CALLBACKS ? 1 : 0;

		cr_expect_leq(atomic_load(&churns[i].late), most, "round %d", i);
	}
}

struct partner {
	struct bufferevent *other;
	_Atomic int calls;
};

static void write_to_other(struct bufferevent *bev, void *arg)
{
	struct partner *partner = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	evbuffer_drain(in, evbuffer_get_length(in));
	bufferevent_write(partner->other, "z", 1);
	atomic_fetch_add(&partner->calls, 1);
}

/* BEV-212, C24 */
Test(bev_life, two_threads_that_write_to_each_other_do_not_deadlock)
{
	const int options = BEV_OPT_THREADSAFE | BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS |
			    BEV_OPT_UNLOCK_CALLBACKS;
	struct loop loop[2];
	struct bufferevent *bev[2];
	struct partner partner[2] = { 0 };
	evutil_socket_t fds[2][2];

	if (thread_option == 0)
		cr_skip_test("without locks");
	for (int i = 0; i < 2; i++) {
		loop_start(&loop[i]);
		support_socketpair(fds[i]);
		bev[i] = bufferevent_socket_new(loop[i].base, fds[i][0], options);
	}
	for (int i = 0; i < 2; i++) {
		partner[i].other = bev[!i];
		bufferevent_setcb(bev[i], write_to_other, NULL, NULL, &partner[i]);
		bufferevent_enable(bev[i], EV_READ);
	}
	for (int i = 0; i < 2000; i++)
		for (int j = 0; j < 2; j++) {
			char drop[64];

			(void)send(fds[j][1], "x", 1, 0);
			(void)recv(fds[j][1], drop, sizeof(drop), MSG_DONTWAIT);
		}
	while (partner[0].calls == 0 || partner[1].calls == 0)
		sched_yield(); /* a deadlock ends it by the suite's limit */
	cr_expect_gt(partner[0].calls, 0);
	cr_expect_gt(partner[1].calls, 0);
	for (int i = 0; i < 2; i++) {
		event_base_loopexit(loop[i].base, NULL);
		pthread_join(loop[i].thread, NULL);
	}
	for (int i = 0; i < 2; i++) {
		bufferevent_free(bev[i]);
		event_base_free(loop[i].base);
		close(fds[i][1]);
	}
}

/* --- The legacy calls ------------------------------------------------------------------------- */

/* BEV-325, BEV-326 */
Test(bev_life, the_legacy_calls_make_the_same)
{
	struct event_base *mine = event_init();
	struct probe probe = { 0 };
	struct bufferevent *bev = bufferevent_new(-1, on_read, on_write, on_event, &probe);
	bufferevent_data_cb readcb;

	cr_assert_not_null(bev);
	cr_expect_eq(bufferevent_get_base(bev), mine);
	bufferevent_getcb(bev, &readcb, NULL, NULL, NULL);
	cr_expect(readcb == on_read);
	cr_expect_eq(EVBUFFER_INPUT(bev), bufferevent_get_input(bev));
	cr_expect_eq(EVBUFFER_OUTPUT(bev), bufferevent_get_output(bev));
	cr_expect(EVBUFFER_READ == BEV_EVENT_READING && EVBUFFER_WRITE == BEV_EVENT_WRITING);
	cr_expect(EVBUFFER_EOF == BEV_EVENT_EOF && EVBUFFER_ERROR == BEV_EVENT_ERROR);
	cr_expect(EVBUFFER_TIMEOUT == BEV_EVENT_TIMEOUT);
	bufferevent_settimeout(bev, 3, 0);
	cr_expect_eq(bev->timeout_read.tv_sec, 3);
	cr_expect_eq(bev->timeout_write.tv_sec, 0);
	bufferevent_settimeout(bev, 0, 4);
	cr_expect_eq(bev->timeout_read.tv_sec, 0);
	cr_expect_eq(bev->timeout_write.tv_sec, 4);
	bufferevent_free(bev);
	event_base_free(mine);
}

/* BEV-327 */
Test(bev_life, the_public_fields_are_current)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };
	char *bytes = pattern(4000000);

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_setwatermark(bev[0], EV_READ, 1, 2);
	bufferevent_setwatermark(bev[0], EV_WRITE, 3, 4);
	cr_expect(bev[0]->wm_read.low == 1 && bev[0]->wm_read.high == 2);
	cr_expect(bev[0]->wm_write.low == 3 && bev[0]->wm_write.high == 4);
	cr_expect(bev[0]->ev_base == base && bev[0]->cbarg == &probe);
	cr_expect(bev[0]->readcb == on_read && bev[0]->writecb == on_write);
	cr_expect(bev[0]->errorcb == on_event);
	cr_expect_eq(bev[0]->input, bufferevent_get_input(bev[0]));
	cr_expect_eq(bev[0]->output, bufferevent_get_output(bev[0]));
	cr_expect_eq(bev[0]->enabled, EV_WRITE);
	cr_expect_not(event_pending(&bev[0]->ev_read, EV_READ, NULL));
	bufferevent_enable(bev[0], EV_READ);
	cr_expect_eq(event_pending(&bev[0]->ev_read, EV_READ, NULL), watched(EV_READ));
	cr_expect_not(event_pending(&bev[0]->ev_write, EV_WRITE, NULL));
	bufferevent_write(bev[0], bytes, 4000000);
	settle();
	cr_expect_eq(event_pending(&bev[0]->ev_write, EV_WRITE, NULL), watched(EV_WRITE));
	bufferevent_disable(bev[0], BOTH);
	cr_expect_not(event_pending(&bev[0]->ev_read, EV_READ, NULL));
	cr_expect_not(event_pending(&bev[0]->ev_write, EV_WRITE, NULL));
	free(bytes);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* --- Own types -------------------------------------------------------------------------------- */

/* Gives back what is written, at the end of the round. */
struct echo {
	int starts, stops, ends;
	int *destroyed;
};

static int echo_start(struct bufferevent *bev, short directions, enum evi_bev_cause cause)
{
	struct echo *echo = evi_bev_data(bev);

	(void)directions;
	(void)cause;
	echo->starts++;
	evi_bev_at_round_end(bev);
	return 0;
}

static void echo_stop(struct bufferevent *bev, short directions)
{
	struct echo *echo = evi_bev_data(bev);

	(void)directions;
	echo->stops++;
}

static void echo_round_end(struct bufferevent *bev)
{
	struct echo *echo = evi_bev_data(bev);
	size_t n = output_len(bev), room = evi_bev_room(bev, EV_READ);

	echo->ends++;
	if (evi_bev_active(bev, BOTH) != BOTH || n == 0)
		return;
	evbuffer_unfreeze(bev->input, 0);
	evbuffer_unfreeze(bev->output, 1);
	evbuffer_remove_buffer(bev->output, bev->input, n < room ? n : room);
	evi_bev_moved(bev, EV_READ, n);
	evi_bev_moved(bev, EV_WRITE, n);
	evi_bev_notify(bev, BOTH, 0);
}

static void echo_destroy(struct bufferevent *bev)
{
	struct echo *echo = evi_bev_data(bev);

	++*echo->destroyed;
}

static const struct bufferevent_ops echo_ops = {
	.name = "echo",
	.start = echo_start,
	.stop = echo_stop,
	.output_grew = evi_bev_at_round_end,
	.round_end = echo_round_end,
	.destroy = echo_destroy,
};

/* BEV-200, BEV-242 */
Test(bev_life, others_can_make_types)
{
	struct bufferevent *bev = evi_bev_new(&echo_ops, base, thread_option, sizeof(struct echo));
	struct echo *echo;
	struct probe probe = { .drain = 1 };
	int destroyed = 0;

	cr_assert_not_null(bev);
	echo = evi_bev_data(bev);
	echo->destroyed = &destroyed;
	watch(bev, &probe);
	cr_expect(evi_bev_is(bev, &echo_ops));
	bufferevent_enable(bev, EV_READ);
	cr_expect_eq(echo->starts, 1);
	bufferevent_write(bev, "hallo", 5);
	settle();
	cr_expect_arr_eq(probe.data, "hallo", 5);
	cr_expect_str_eq(probe.order, "rw");
	bufferevent_disable(bev, EV_READ);
	cr_expect_eq(echo->stops, 1);
	cr_expect_eq(bufferevent_flush(bev, BOTH, BEV_FLUSH), -1);
	cr_expect_eq(bufferevent_setfd(bev, 0), -1);
	bufferevent_free(bev);
	settle();
	cr_expect_eq(destroyed, 1);
}
