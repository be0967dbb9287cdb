/* SPDX-License-Identifier: BSD-3-Clause */
/* Locking. */

#include "evbuffer_test.h"

#include <event2/bufferevent.h>
#include <event2/thread.h>
#include <pthread.h>

/* BUF-010, BUF-013 */
Test(evbuffer_lock, without_threads_there_is_no_lock)
{
	struct evbuffer *buf = evbuffer_new();

	cr_assert_eq(evbuffer_enable_locking(buf, NULL), -1);
	evbuffer_lock(buf);
	evbuffer_unlock(buf);
	cr_assert_eq(evbuffer_add(buf, "x", 1), 0);
	evbuffer_free(buf);
}

/* BUF-010, BUF-011, BUF-013, BUF-015 */
Test(evbuffer_lock, the_lock_nests_and_comes_once)
{
	struct evbuffer *buf;

	cr_assert_eq(evthread_use_pthreads(), 0);
	buf = evbuffer_new();
	cr_assert_eq(evbuffer_enable_locking(buf, NULL), 0);
	cr_assert_eq(evbuffer_enable_locking(buf, NULL), -1);
	evbuffer_lock(buf);
	evbuffer_lock(buf);
	cr_assert_eq(evbuffer_add(buf, "x", 1), 0);
	expect_text(buf, "x");
	evbuffer_unlock(buf);
	evbuffer_unlock(buf);
	evbuffer_free(buf);
}

struct shared {
	struct evbuffer *a, *b;
};

static void *move_forth(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; i < 20000; i++)
		evbuffer_add_buffer(s->b, s->a);
	return NULL;
}

static void *move_back(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; i < 20000; i++)
		evbuffer_add_buffer(s->a, s->b);
	return NULL;
}

/* BUF-014, BUF-016 */
Test(evbuffer_lock, two_threads_moving_both_ways_do_not_stop_each_other, .timeout = 60)
{
	struct shared s;
	pthread_t threads[2];

	cr_assert_eq(evthread_use_pthreads(), 0);
	s.a = buffer_of("aaaa");
	s.b = buffer_of("bbbb");
	cr_assert_eq(evbuffer_enable_locking(s.a, NULL), 0);
	cr_assert_eq(evbuffer_enable_locking(s.b, NULL), 0);
	cr_assert_eq(pthread_create(&threads[0], NULL, move_forth, &s), 0);
	cr_assert_eq(pthread_create(&threads[1], NULL, move_back, &s), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	cr_assert_eq(evbuffer_get_length(s.a) + evbuffer_get_length(s.b), 8);
	evbuffer_free(s.a);
	evbuffer_free(s.b);
}

static void *append(void *arg)
{
	for (int i = 0; i < 10000; i++)
		evbuffer_add(arg, "12345678", 8);
	return NULL;
}

/* BUF-014, BUF-117 */
Test(evbuffer_lock, appends_from_many_threads_stay_whole, .timeout = 60)
{
	struct evbuffer *buf;
	pthread_t threads[4];
	char piece[8];

	cr_assert_eq(evthread_use_pthreads(), 0);
	buf = evbuffer_new();
	cr_assert_eq(evbuffer_enable_locking(buf, NULL), 0);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, append, buf), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(evbuffer_get_length(buf), 320000);
	while (evbuffer_remove(buf, piece, 8) == 8)
		cr_assert(memcmp(piece, "12345678", 8) == 0);
	evbuffer_free(buf);
}

static void *fill_and_free(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		struct evbuffer *buf = buffer_of("12345678");

		cr_assert_eq(evbuffer_expand(buf, (size_t)i * 4), 0);
		evbuffer_add(buf, "9", 1);
		expect_text(buf, "123456789");
		evbuffer_free(buf);
	}
	return arg;
}

/* Memory that a thread alone has used goes on to the threads that it makes. */
Test(evbuffer_lock, threads_with_buffers_of_their_own_need_no_lock, .timeout = 60)
{
	struct evbuffer *buf = buffer_of("kept");
	pthread_t threads[4];

	fill_and_free(NULL);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, fill_and_free, NULL), 0);
	fill_and_free(NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	fill_and_free(NULL);
	expect_text(buf, "kept");
	evbuffer_free(buf);
}

/* BUF-012 */
Test(evbuffer_lock, a_lock_of_the_callers_is_used_and_not_freed)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t mutex;
	struct evbuffer *buf;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&mutex, &attr);
	cr_assert_eq(evthread_use_pthreads(), 0);
	buf = evbuffer_new();
	cr_assert_eq(evbuffer_enable_locking(buf, &mutex), 0);
	evbuffer_lock(buf);
	cr_assert_eq(evbuffer_add(buf, "x", 1), 0);
	evbuffer_unlock(buf);
	evbuffer_free(buf);
	cr_assert_eq(pthread_mutex_trylock(&mutex), 0);
	pthread_mutex_unlock(&mutex);
	pthread_mutex_destroy(&mutex);
}

static void *try_input(void *arg)
{
	struct bufferevent *bev = arg;

	evbuffer_lock(bufferevent_get_input(bev));
	evbuffer_unlock(bufferevent_get_input(bev));
	return NULL;
}

/* BUF-017, BUF-079, BUF-345 */
Test(evbuffer_lock, the_buffers_of_a_bufferevent_share_its_lock, .timeout = 60)
{
	struct event_base *base;
	struct bufferevent *bev;
	struct evbuffer *kept;
	pthread_t thread;

	cr_assert_eq(evthread_use_pthreads(), 0);
	base = event_base_new();
	bev = bufferevent_socket_new(base, -1, BEV_OPT_THREADSAFE);
	kept = evbuffer_new();
	cr_assert_eq(evbuffer_add(bufferevent_get_input(bev), "x", 1), -1);
	cr_assert_eq(bufferevent_write(bev, "output", 6), 0);
	cr_assert_eq(evbuffer_drain(bufferevent_get_output(bev), 1), -1);
	bufferevent_lock(bev);
	cr_assert_eq(pthread_create(&thread, NULL, try_input, bev), 0);
	cr_assert_neq(pthread_tryjoin_np(thread, NULL), 0);
	bufferevent_unlock(bev);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert_eq(evbuffer_add_buffer_reference(kept, bufferevent_get_output(bev)), 0);
	bufferevent_free(bev);
	event_base_loop(base, EVLOOP_NONBLOCK);
	expect_text(kept, "output");
	evbuffer_free(kept);
	event_base_free(base);
}
