/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners in trouble: no descriptors left, and other failures of accept(). */

#include "listener_test.h"

#include <sys/resource.h>
#include <time.h>

TestSuite(listener_error, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

struct seen {
	int accepted;
	int errors;
	int error; /* the last */
	int disables;
	int enables; /* in the error callback */
	int frees;
};

static void on_accept(struct evconnlistener *lev, evutil_socket_t fd, struct sockaddr *peer,
		      int len, void *arg)
{
	struct seen *seen = arg;

	(void)lev;
	(void)peer;
	(void)len;
	seen->accepted++;
	evutil_closesocket(fd);
}

static void on_error(struct evconnlistener *lev, void *arg)
{
	struct seen *seen = arg;

	seen->error = EVUTIL_SOCKET_ERROR();
	seen->errors++;
	if (seen->disables)
		evconnlistener_disable(lev);
	if (seen->enables)
		evconnlistener_enable(lev);
	if (seen->frees)
		evconnlistener_free(lev);
}

static struct rlimit old_limit;
static int fillers[128];
static int filler_count;

/* No descriptor can be opened any more. poll(2) minds the limit, so it is not just set to 0. */
static void exhaust_descriptors(void)
{
	struct rlimit limit;
	int fd;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old_limit), 0);
	limit = old_limit;
	limit.rlim_cur = 100;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while ((fd = dup(0)) >= 0)
		fillers[filler_count++] = fd;
	cr_assert_eq(errno, EMFILE);
}

static void restore_descriptors(void)
{
	while (filler_count > 0)
		close(fillers[--filler_count]);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old_limit), 0);
}

static void break_loop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

static void run_ms(struct event_base *base, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
	struct event *stop = evtimer_new(base, break_loop, base);

	event_add(stop, &tv);
	event_base_dispatch(base);
	event_free(stop);
}

static double cpu_ms(void)
{
	return (double)clock() * 1000 / CLOCKS_PER_SEC;
}

/*
 * A base that can loop without opening descriptors, a listener, and a connection that waits for it.
 */
struct world {
	struct event_base *base;
	struct evconnlistener *lev;
	evutil_socket_t client;
	struct seen seen;
};

static void world_init(struct world *world, unsigned flags)
{
	memset(world, 0, sizeof(*world));
	world->base = support_base_new();
	world->lev = listen_loopback(world->base, on_accept, &world->seen,
				     LEV_OPT_CLOSE_ON_FREE | flags);
	cr_assert_not_null(world->lev);
	event_base_loop(world->base, EVLOOP_NONBLOCK);
	world->client = connect_to(port_of(world->lev));
	support_capture_log();
	exhaust_descriptors();
}

static void world_done(struct world *world)
{
	restore_descriptors();
	evutil_closesocket(world->client);
	evconnlistener_free(world->lev);
	event_base_free(world->base);
}

/* UTIL-124, UTIL-127, UTIL-137; C06 */
Test(listener_error, without_descriptors_it_pauses_reports_and_recovers)
{
	struct world world;
	double cpu;

	support_needs_descriptor_limit();
	world_init(&world, 0);
	evconnlistener_set_error_cb(world.lev, on_error);
	cpu = cpu_ms();
	run_ms(world.base, 1000);
	cr_expect_lt(cpu_ms() - cpu, 100, "%g ms of processor time in a second", cpu_ms() - cpu);
	while (world.seen.errors < 2)
		cr_assert_eq(event_base_loop(world.base, EVLOOP_ONCE), 0);
	cr_expect_leq(world.seen.errors, 50);
	cr_expect_eq(world.seen.error, EMFILE);
	cr_expect_eq(world.seen.accepted, 0);
	restore_descriptors();
	support_run_until(world.base, &world.seen.accepted, WAIT_MS);
	cr_expect_eq(world.seen.accepted, 1);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 0);
	world_done(&world);
}

/* UTIL-124, UTIL-125, UTIL-126, UTIL-137; C06, U07 */
Test(listener_error, without_error_callback_it_logs_once_per_episode)
{
	struct world world;

	support_needs_descriptor_limit();
	world_init(&world, LEV_OPT_THREADSAFE);
	evconnlistener_set_error_cb(world.lev, on_error);
	evconnlistener_set_error_cb(world.lev, NULL);
	run_ms(world.base, 500);
	cr_expect_eq(world.seen.errors, 0);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1, "%d warnings",
		     support_messages(EVENT_LOG_WARN));
	restore_descriptors();
	support_run_until(world.base, &world.seen.accepted, WAIT_MS);
	world_done(&world);
}

/* UTIL-124 */
Test(listener_error, disabling_in_the_error_callback_ends_an_empty_loop)
{
	struct world world;

	support_needs_descriptor_limit();
	world_init(&world, 0);
	evconnlistener_set_error_cb(world.lev, on_error);
	world.seen.disables = 1;
	event_base_dispatch(world.base);
	cr_expect_eq(world.seen.errors, 1);
	restore_descriptors();
	evconnlistener_enable(world.lev);
	support_run_until(world.base, &world.seen.accepted, WAIT_MS);
	world_done(&world);
}

/* UTIL-137; C06, C08 */
Test(listener_error, enabling_in_the_error_callback_does_not_spin)
{
	struct world world;

	world_init(&world, 0);
	evconnlistener_set_error_cb(world.lev, on_error);
	world.seen.enables = 1;
	run_ms(world.base, 500);
	cr_expect_leq(world.seen.errors, 25, "%d errors", world.seen.errors);
	cr_expect_geq(world.seen.errors, 1);
	world_done(&world);
}

/* UTIL-124; C08 */
Test(listener_error, freeing_in_the_error_callback_is_allowed)
{
	struct world world;

	world_init(&world, 0);
	evconnlistener_set_error_cb(world.lev, on_error);
	world.seen.frees = 1;
	event_base_dispatch(world.base);
	cr_expect_eq(world.seen.errors, 1);
	world.lev = NULL;
	world_done(&world);
}

/* UTIL-123; C07: a connection that was reset while it waited is no error. */
Test(listener_error, an_aborted_connection_is_passed_over)
{
	const struct linger reset = { 1, 0 };
	struct event_base *base = support_base_new();
	struct seen seen = { 0 };
	struct evconnlistener *lev = listen_loopback(base, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE);
	evutil_socket_t gone = connect_to(port_of(lev)), stays = connect_to(port_of(lev));

	support_capture_log();
	evconnlistener_set_error_cb(lev, on_error);
	setsockopt(gone, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	evutil_closesocket(gone);
	support_run_until(base, &seen.accepted, WAIT_MS);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_expect_geq(seen.accepted, 1);
	cr_expect_eq(seen.errors, 0);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 0);
	evutil_closesocket(stays);
	evconnlistener_free(lev);
	event_base_free(base);
}

/* UTIL-124: a socket that does not listen any more. */
Test(listener_error, another_failure_of_accept_is_reported_with_its_code)
{
	struct event_base *base = support_base_new();
	struct seen seen = { .disables = 1 };
	struct evconnlistener *lev = listen_loopback(base, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE);

	evconnlistener_set_error_cb(lev, on_error);
	cr_assert_eq(shutdown(evconnlistener_get_fd(lev), SHUT_RDWR), 0);
	support_run(base, WAIT_MS);
	cr_expect_eq(seen.errors, 1);
	cr_expect_eq(seen.error, EINVAL);
	evconnlistener_free(lev);
	event_base_free(base);
}
