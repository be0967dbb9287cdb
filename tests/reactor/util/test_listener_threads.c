/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners that other threads disable and free while their callbacks run. */

#include "listener_test.h"

#include <event2/thread.h>

#include <pthread.h>
#include <stdatomic.h>

static void init(void)
{
	support_leak_init();
	cr_assert_eq(evthread_use_pthreads(), 0);
	evthread_enable_lock_debugging();
}

TestSuite(listener_threads, .init = init, .timeout = 60);

struct world {
	struct event_base *base;
	struct evconnlistener *lev;
	atomic_int in_callback;
	atomic_int calls;
	atomic_int is_over; /* disabled or freed: no callback any more */
	int frees;
	evutil_socket_t gate[2]; /* a byte: the callback runs */
};

static void on_accept(struct evconnlistener *lev, evutil_socket_t fd, struct sockaddr *peer,
		      int len, void *arg)
{
	struct world *world = arg;

	(void)lev;
	(void)peer;
	(void)len;
	cr_expect_not(atomic_load(&world->is_over));
	atomic_store(&world->in_callback, 1);
	if (atomic_fetch_add(&world->calls, 1) == 0) {
		cr_expect_eq(write(world->gate[1], "x", 1), 1);
		/* The other thread is on its way to the lock now; let it come as far as it can. */
		for (int i = 0; i < 1000; i++)
			sched_yield();
	}
	evutil_closesocket(fd);
	atomic_store(&world->in_callback, 0);
}

static void on_error(struct evconnlistener *lev, void *arg)
{
	struct sockaddr none = { 0 };

	on_accept(lev, dup(0), &none, 0, arg);
}

static void *stop_it(void *arg)
{
	struct world *world = arg;
	char byte;

	cr_expect_eq(read(world->gate[0], &byte, 1), 1);
	if (world->frees)
		evconnlistener_free(world->lev);
	else
		cr_expect_eq(evconnlistener_disable(world->lev), 0);
	atomic_store(&world->is_over, 1);
	cr_expect_not(atomic_load(&world->in_callback));
	return NULL;
}

static void run(int frees, int fails)
{
	struct world world = { .frees = frees };
	evutil_socket_t client;
	pthread_t thread;

	world.base = support_base_new();
	cr_assert_eq(pipe(world.gate), 0);
	world.lev = listen_loopback(world.base, on_accept, &world,
				    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_THREADSAFE);
	cr_assert_not_null(world.lev);
	evconnlistener_set_error_cb(world.lev, on_error);
	client = connect_to(port_of(world.lev));
	if (fails)
		cr_assert_eq(shutdown(evconnlistener_get_fd(world.lev), SHUT_RDWR), 0);
	cr_assert_eq(pthread_create(&thread, NULL, stop_it, &world), 0);
	cr_expect_eq(event_base_dispatch(world.base), 1); /* ends when the listener is out of it */
	pthread_join(thread, NULL);
	cr_expect_geq(atomic_load(&world.calls), 1);
	evutil_closesocket(client);
	close(world.gate[0]);
	close(world.gate[1]);
	if (!frees)
		evconnlistener_free(world.lev);
	event_base_free(world.base);
}

/* UTIL-109, UTIL-128, UTIL-129, UTIL-134; C09 */
Test(listener_threads, may_be_disabled_while_the_accept_callback_runs)
{
	run(0, 0);
}

/* UTIL-128, UTIL-129; C09 */
Test(listener_threads, may_be_freed_while_the_accept_callback_runs)
{
	run(1, 0);
}

/* UTIL-125, UTIL-128, UTIL-129; C09 */
Test(listener_threads, may_be_disabled_or_freed_while_the_error_callback_runs)
{
	run(0, 1);
	run(1, 1);
}

struct racer {
	struct event_base *base;
	struct evconnlistener *lev;
	atomic_int is_done;
};

static void close_it(struct evconnlistener *lev, evutil_socket_t fd, struct sockaddr *peer, int len,
		     void *arg)
{
	(void)peer;
	(void)len;
	(void)arg;
	cr_expect_eq(evconnlistener_enable(lev), 0);
	evutil_closesocket(fd);
}

static void *toggle(void *arg)
{
	struct racer *racer = arg;

	for (int i = 0; i < 2000; i++) {
		evconnlistener_disable(racer->lev);
		evconnlistener_set_cb(racer->lev, i % 3 ? close_it : NULL, NULL);
		evconnlistener_enable(racer->lev);
	}
	evconnlistener_free(racer->lev);
	atomic_store(&racer->is_done, 1);
	event_base_loopbreak(racer->base);
	return NULL;
}

/* UTIL-109, UTIL-128 */
Test(listener_threads, survive_any_interleaving)
{
	struct racer racer = { .base = support_base_new() };
	pthread_t thread;
	ev_uint16_t port;

	racer.lev = listen_loopback(racer.base, close_it, NULL,
				    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_THREADSAFE);
	port = port_of(racer.lev);
	cr_assert_eq(pthread_create(&thread, NULL, toggle, &racer), 0);
	while (!atomic_load(&racer.is_done)) {
		struct sockaddr_in sin = loopback(port);
		evutil_socket_t fd = socket(AF_INET, SOCK_STREAM, 0);

		/* it may be gone already */
		(void)connect(fd, (struct sockaddr *)&sin, sizeof(sin));
		event_base_loop(racer.base, EVLOOP_NONBLOCK);
		evutil_closesocket(fd);
	}
	pthread_join(thread, NULL);
	event_base_free(racer.base);
}
