/* SPDX-License-Identifier: BSD-3-Clause */
/* TLS bufferevents used by several threads. */

#include "tls_test.h"

#include <event2/thread.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static struct tls_pair pair;

static void init(void)
{
	cr_assert_eq(evthread_use_pthreads(), 0);
}

TestSuite(tls_thread, .init = init, .timeout = 120);

#define WRITERS 4
#define PIECES  200

static void *write_pieces(void *arg)
{
	struct bufferevent *bev = arg;

	for (int i = 0; i < PIECES; i++)
		if (bufferevent_write(bev, "0123456789", 10) != 0)
			return bev;
	return NULL;
}

static void run_writers(struct bufferevent *bev, pthread_t threads[WRITERS])
{
	for (int i = 0; i < WRITERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, write_pieces, bev), 0);
}

/* TLS-164 */
Test(tls_thread, any_thread_may_write)
{
	for (int i = 0; i < 4; i++) {
		int options = BEV_OPT_THREADSAFE | BEV_OPT_CLOSE_ON_FREE;
		pthread_t threads[WRITERS];

		if (i & 2)
			options |= BEV_OPT_DEFER_CALLBACKS | BEV_OPT_UNLOCK_CALLBACKS;
		tls_pair_init(&pair, i & 1, options);
		run_writers(pair.client.bev, threads); /* before and during the handshake */
		tls_pair_receive(&pair, &pair.server, WRITERS * PIECES * 10);
		for (int j = 0; j < WRITERS; j++) {
			void *failed;

			pthread_join(threads[j], &failed);
			cr_assert_null(failed);
		}
		cr_assert_eq(evbuffer_get_length(bufferevent_get_input(pair.server.bev)),
			     WRITERS * PIECES * 10);
		tls_pair_fini(&pair);
	}
}

struct visitor {
	struct bufferevent *bev;
	atomic_int is_trying, is_inside;
};

static void *visit(void *arg)
{
	struct visitor *visitor = arg;

	visitor->is_trying = 1;
	bufferevent_lock(visitor->bev);
	visitor->is_inside = 1;
	bufferevent_unlock(visitor->bev);
	return NULL;
}

/* TLS-164: the lock of one is the other's. */
Test(tls_thread, a_filter_shares_the_lock_below)
{
	struct visitor visitor = { 0 };
	pthread_t thread;

	tls_pair_init(&pair, 1, BEV_OPT_THREADSAFE | BEV_OPT_CLOSE_ON_FREE);
	visitor.bev = pair.client.bev;
	bufferevent_lock(pair.client.below);
	cr_assert_eq(pthread_create(&thread, NULL, visit, &visitor), 0);
	while (!visitor.is_trying)
		;
	usleep(20000); /* it would be inside by now; if this is too short, the test finds less */
	cr_assert_eq(visitor.is_inside, 0);
	bufferevent_unlock(pair.client.below);
	pthread_join(thread, NULL);
	cr_assert_eq(visitor.is_inside, 1);
	tls_pair_fini(&pair);
}

static void *free_it(void *arg)
{
	bufferevent_free(arg);
	return NULL;
}

/* TLS-007, TLS-164: freeing while the loop shakes hands. */
Test(tls_thread, any_thread_may_free)
{
	for (int i = 0; i < 40; i++) {
		pthread_t thread;

		tls_pair_init(&pair, i & 1, BEV_OPT_THREADSAFE | BEV_OPT_CLOSE_ON_FREE);
		cr_assert_eq(pthread_create(&thread, NULL, free_it, pair.client.bev), 0);
		pair.client.bev = NULL;
		for (int j = 0; j < i; j++)
			event_base_loop(pair.base, EVLOOP_NONBLOCK);
		pthread_join(thread, NULL);
		support_run_until(pair.base, &pair.server.is_ended, TLS_TEST_WAIT_MS);
		tls_pair_fini(&pair);
	}
}
