/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is special about socket bufferevents on a completion port (Windows). That they behave like
 * all others is what the other suites show, which run on such a base as well.
 */

#include "bev_test.h"

#include <event2/listener.h>

#include <pthread.h>
#include <stdatomic.h>

#define MANY 150

static int virtual_events(void)
{
	return event_base_get_num_events(base, EVENT_BASE_COUNT_VIRTUAL);
}

static struct sockaddr_in loopback(ev_uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sin;
}

/* --- What asks for a port, and what does not get one ------------------------------------------ */

static struct event_base *base_with(int flags, int cpus)
{
	struct event_config *cfg = event_config_new();
	struct event_base *made;

	cr_assert_not_null(cfg);
	cr_assert_eq(event_config_set_flag(cfg, EVENT_BASE_FLAG_STARTUP_IOCP | flags), 0);
	cr_assert_eq(event_config_set_num_cpus_hint(cfg, cpus), 0);
	made = event_base_new_with_config(cfg);
	cr_assert_not_null(made);
	event_config_free(cfg);
	return made;
}

/* Whether a reading bufferevent of `made` is served by completions, and works. */
static int completes(struct event_base *made)
{
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };
	int result;

	base = made;
	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_enable(bev[0], EV_READ);
	result = virtual_events() == 1 && !event_pending(&bev[0]->ev_read, EV_READ, NULL);
	bufferevent_write(bev[1], "hello", 5);
	run_until_received(&probe, 5);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
	event_base_free(made);
	return result;
}

/* CORE-045 */
Test(bev_completions, need_locks, .init = support_leak_init, .fini = support_leak_fini)
{
	cr_expect_not(completes(base_with(0, 0)));
	cr_assert_eq(evthread_use_pthreads(), 0);
	cr_expect(completes(base_with(0, 0)));
	cr_expect_not(completes(base_with(EVENT_BASE_FLAG_NOLOCK, 0)));
}

/* CORE-034, CORE-045 */
Test(bev_completions, any_number_of_threads_will_do, .init = support_leak_init,
     .fini = support_leak_fini)
{
	static const int cpus[] = { 1, 3, 100000, -7 };

	cr_assert_eq(evthread_use_pthreads(), 0);
	for (int i = 0; i < 4; i++)
		cr_expect(completes(base_with(0, cpus[i])), "with a hint of %d", cpus[i]);
}

/* --- The loop --------------------------------------------------------------------------------- */

/* CORE-241, BEV-040 */
Test(bev_completions, operations_that_are_wanted_keep_the_loop_alive, .init = start, .fini = finish)
{
	struct bufferevent *bev[2];

	linked_new(bev, 0);
	cr_expect_eq(virtual_events(), 0);
	bufferevent_enable(bev[0], EV_READ);
	bufferevent_enable(bev[1], EV_READ);
	cr_expect_eq(virtual_events(), 2);
	bufferevent_disable(bev[0], EV_READ);
	cr_expect_eq(virtual_events(), 1);
	bufferevent_enable(bev[0], EV_READ);
	cr_expect_eq(virtual_events(), 2);
	bufferevent_disable(bev[0], EV_READ);
	bufferevent_free(bev[1]);
	cr_expect_eq(virtual_events(), 0);
	support_run(base, WATCHDOG_MS);
	bufferevent_free(bev[0]);
}

static void note_thread(struct bufferevent *bev, void *arg)
{
	(void)bev;
	*(pthread_t *)arg = pthread_self();
}

/* BEV-024 */
Test(bev_completions, callbacks_run_in_the_thread_of_the_loop, .init = start, .fini = finish)
{
	struct bufferevent *bev[2];
	pthread_t read_in = 0, written_in = 0;

	linked_new(bev, 0);
	bufferevent_setcb(bev[0], note_thread, NULL, NULL, &read_in);
	bufferevent_setcb(bev[1], NULL, note_thread, NULL, &written_in);
	bufferevent_enable(bev[0], EV_READ);
	bufferevent_write(bev[1], "x", 1);
	while (read_in == 0 || written_in == 0)
		cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect(pthread_equal(read_in, pthread_self()));
	cr_expect(pthread_equal(written_in, pthread_self()));
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* --- Ends while operations are outstanding ---------------------------------------------------- */

static void count_cleanup(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	++*(int *)arg;
}

/* Both directions of both ends have something under way; `cleanups` counts what is let go. */
static void busy_new(struct bufferevent *bev[2], char *bytes, size_t n, int *cleanups)
{
	linked_new(bev, 0);
	for (int i = 0; i < 2; i++) {
		bufferevent_enable(bev[i], EV_READ);
		bufferevent_setwatermark(bev[i], EV_READ, 0, 1);
		cr_assert_eq(evbuffer_add_reference(bufferevent_get_output(bev[i]), bytes, n,
						    count_cleanup, cleanups),
			     0);
	}
}

/* BEV-205..207 */
Test(bev_completions, a_base_may_go_with_operations_outstanding, .init = start, .fini = finish)
{
	const size_t n = 8000000;
	struct bufferevent *bev[20][2];
	char *bytes = pattern(n);
	int cleanups = 0;

	for (int i = 0; i < 20; i++)
		busy_new(bev[i], bytes, n, &cleanups);
	settle(); /* the sends are under way, and stuck */
	for (int i = 0; i < 20; i++) {
		bufferevent_free(bev[i][0]);
		bufferevent_free(bev[i][1]);
	}
	event_base_free(base);
	cr_expect_eq(cleanups, 40, "%d references were let go", cleanups);
	free(bytes);
	base = support_base_new();
}

/* BEV-205..207 */
Test(bev_completions, what_is_freed_is_let_go_by_the_loop, .init = start, .fini = finish)
{
	const size_t n = 8000000;
	struct bufferevent *bev[2];
	char *bytes = pattern(n);
	int cleanups = 0;

	busy_new(bev, bytes, n, &cleanups);
	settle();
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
	run_until(&cleanups, 2);
	settle();
	cr_expect_eq(cleanups, 2);
	cr_expect_eq(virtual_events(), 0);
	free(bytes);
}

static void free_other(struct bufferevent *bev, void *arg)
{
	struct bufferevent **other = arg;

	(void)bev;
	if (*other != NULL)
		bufferevent_free(*other);
	*other = NULL;
}

/* BEV-032, BEV-033: the other's completion may be waiting for its turn already. */
Test(bev_completions, one_may_free_another_whose_bytes_have_come, .init = start, .fini = finish)
{
	for (int i = 0; i < 20; i++) {
		struct bufferevent *a[2], *b[2];

		linked_new(a, 0);
		linked_new(b, 0);
		bufferevent_setcb(a[0], free_other, NULL, NULL, &b[0]);
		bufferevent_setcb(b[0], free_other, NULL, NULL, &a[0]);
		bufferevent_enable(a[0], EV_READ);
		bufferevent_enable(b[0], EV_READ);
		bufferevent_write(a[1], "x", 1);
		bufferevent_write(b[1], "x", 1);
		while (a[0] != NULL && b[0] != NULL)
			cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
		settle();
		cr_expect(a[0] != NULL || b[0] != NULL, "both are gone");
		bufferevent_free(a[0]);
		bufferevent_free(b[0]);
		bufferevent_free(a[1]);
		bufferevent_free(b[1]);
	}
}

/* --- Bytes ------------------------------------------------------------------------------------ */

/* BEV-169, BEV-172: what is being sent is moved in the buffer, and added to. */
Test(bev_completions, output_may_be_linearised_while_it_is_sent, .init = start, .fini = finish)
{
	const size_t n = 4000000;
	struct bufferevent *bev[2];
	struct probe probe = { 0 };
	char *bytes = pattern(n);
	struct evbuffer *output, *input;

	linked_new(bev, 0);
	watch(bev[1], &probe);
	output = bufferevent_get_output(bev[0]);
	input = bufferevent_get_input(bev[1]);
	for (size_t at = 0; at < n; at += 1000)
		cr_assert_eq(bufferevent_write(bev[0], bytes + at, 1000), 0);
	settle();
	cr_assert_gt(evbuffer_get_length(output), 0, "everything has gone at once");
	cr_assert_not_null(evbuffer_pullup(output, -1));
	cr_assert_eq(bufferevent_write(bev[0], "the end", 7), 0);
	bufferevent_enable(bev[1], EV_READ);
	while (evbuffer_get_length(input) < n + 7)
		cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect(memcmp(evbuffer_pullup(input, -1), bytes, n) == 0);
	cr_expect(memcmp(evbuffer_pullup(input, -1) + n, "the end", 7) == 0);
	free(bytes);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* How many bytes can be read from a nonblocking socket once its peer has closed. */
static size_t read_to_the_end(evutil_socket_t fd)
{
	size_t n = 0;

	for (;;) {
		char bytes[64];
		ev_ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

		if (got == 0)
			return n;
		if (got > 0)
			n += (size_t)got;
		else
			usleep(1000);
	}
}

/* BEV-181, BEV-183: whether they came before or after, they are in one of the two places. */
Test(bev_completions, no_byte_is_lost_when_the_descriptor_is_taken_away, .init = start,
     .fini = finish)
{
	for (int i = 0; i < 50; i++) {
		evutil_socket_t fds[2];
		struct bufferevent *bev;
		size_t n;

		support_socketpair(fds);
		bev = socket_new(fds[0], BEV_OPT_CLOSE_ON_FREE);
		bufferevent_enable(bev, EV_READ);
		if (i % 2 != 0)
			cr_assert_eq(send(fds[1], "before", 6, 0), 6);
		cr_assert_eq(bufferevent_setfd(bev, -1), 0);
		if (i % 2 == 0)
			cr_assert_eq(send(fds[1], "after.", 6, 0), 6);
		close(fds[1]);
		n = read_to_the_end(fds[0]);
		cr_expect_eq(input_len(bev) + n, 6, "%zu and %zu", input_len(bev), n);
		bufferevent_free(bev);
		close(fds[0]);
	}
}

/* BEV-045, BEV-046: bytes that come when reading has just been disabled wait. */
Test(bev_completions, what_comes_while_reading_is_disabled_waits, .init = start, .fini = finish)
{
	for (int i = 0; i < 20; i++) {
		struct bufferevent *bev[2];
		struct probe probe = { .drain = 1 };

		linked_new(bev, 0);
		watch(bev[0], &probe);
		bufferevent_enable(bev[0], EV_READ);
		cr_assert_eq(send(bufferevent_getfd(bev[1]), "hello", 5, 0), 5);
		bufferevent_disable(bev[0], EV_READ);
		for (int k = 0; k < 3; k++)
			cr_assert_geq(event_base_loop(base, EVLOOP_NONBLOCK), 0);
		cr_expect_eq(probe.reads, 0);
		cr_expect_eq(input_len(bev[0]), 0);
		bufferevent_enable(bev[0], EV_READ);
		run_until_received(&probe, 5);
		cr_expect_eq(probe.received, 5);
		bufferevent_free(bev[0]);
		bufferevent_free(bev[1]);
	}
}

/* BEV-006: the system lets a socket belong to one port for life. */
Test(bev_completions, a_socket_that_had_a_port_is_watched, .init = start, .fini = finish)
{
	struct event_base *other = base_with(0, 1), *first = base;
	struct probe probe = { .drain = 1 };
	struct bufferevent *bev;
	evutil_socket_t fds[2];

	support_socketpair(fds);
	for (int i = 0; i < 2; i++) {
		base = i == 0 ? other : first;
		bev = socket_new(fds[0], 0);
		watch(bev, &probe);
		bufferevent_enable(bev, EV_READ);
		cr_assert_eq(send(fds[1], "hello", 5, 0), 5);
		run_until_received(&probe, (size_t)(i + 1) * 5);
		bufferevent_write(bev, "there", 5);
		run_until(&probe.writes, i + 1);
		cr_expect_eq(event_pending(&bev->ev_read, EV_READ, NULL) != 0, i == 1);
		bufferevent_free(bev);
	}
	close(fds[0]);
	cr_expect_eq(read_to_the_end(fds[1]), 10);
	close(fds[1]);
	event_base_free(other);
}

/* --- Connecting ------------------------------------------------------------------------------- */

struct server {
	struct evconnlistener *listener;
	ev_uint16_t port;
	int accepted, ended;
};

static void echo(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_read_buffer(bev, bufferevent_get_output(bev));
}

static void end(struct bufferevent *bev, short what, void *arg)
{
	struct server *server = arg;

	(void)what;
	server->ended++;
	bufferevent_free(bev);
}

static void serve(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len,
		  void *arg)
{
	struct server *server = arg;
	struct bufferevent *bev = socket_new(fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)sa;
	(void)len;
	server->accepted++;
	bufferevent_setcb(bev, echo, NULL, end, server);
	bufferevent_enable(bev, BOTH);
}

static void server_start(struct server *server)
{
	struct sockaddr_in sin = loopback(0);
	socklen_t len = sizeof(sin);
	evutil_socket_t fd;

	server->listener = evconnlistener_new_bind(base, serve, server, LEV_OPT_CLOSE_ON_FREE, MANY,
						   (struct sockaddr *)&sin, sizeof(sin));
	cr_assert_not_null(server->listener);
	fd = evconnlistener_get_fd(server->listener);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	server->port = ntohs(sin.sin_port);
}

static struct bufferevent *client_new(ev_uint16_t port, struct probe *probe)
{
	struct sockaddr_in sin = loopback(port);
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);

	watch(bev, probe);
	bufferevent_enable(bev, EV_READ);
	cr_assert_eq(bufferevent_socket_connect(bev, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return bev;
}

/* UTIL-131; BEV-120, BEV-122, BEV-123 */
Test(bev_completions, many_connections, .init = start, .fini = finish)
{
	static struct probe probes[MANY];
	struct bufferevent *bev[MANY];
	struct server server = { 0 };

	server_start(&server);
	cr_expect_eq(virtual_events(), 4, "the accepts outstanding");
	for (int i = 0; i < MANY; i++) {
		probes[i].drain = 1;
		bev[i] = client_new(server.port, &probes[i]);
		bufferevent_write(bev[i], &i, sizeof(i));
	}
	for (int i = 0; i < MANY; i++) {
		run_until_received(&probes[i], sizeof(i));
		cr_expect_eq(probes[i].what[0], BEV_EVENT_CONNECTED);
		cr_expect(memcmp(probes[i].data, &i, sizeof(i)) == 0);
		cr_expect_eq(probes[i].order[0], 'e');
	}
	cr_expect_eq(server.accepted, MANY);
	for (int i = 0; i < MANY; i++)
		bufferevent_free(bev[i]);
	run_until(&server.ended, MANY);
	evconnlistener_free(server.listener);
	settle();
	cr_expect_eq(virtual_events(), 0);
}

/* BEV-125, BEV-126 */
Test(bev_completions, a_refused_connection_is_an_error_once, .init = start, .fini = finish)
{
	struct probe probe = { 0 };
	struct bufferevent *bev;
	ev_uint16_t port;

	close(support_listen(&port));
	bev = client_new(port, &probe);
	cr_expect_geq(virtual_events(), 1);
	run_until(&probe.events, 1);
	settle();
	cr_expect_eq(probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_ERROR);
	cr_expect_eq(probe.err[0], WSAECONNREFUSED);
	cr_expect_eq(bufferevent_get_enabled(bev), BOTH);
	cr_expect_geq(bufferevent_getfd(bev), 0);
	cr_expect_eq(virtual_events(), 0);
	bufferevent_free(bev);
}

/* BEV-134, BEV-186 */
Test(bev_completions, an_attempt_may_be_given_up, .init = start, .fini = finish)
{
	struct server server = { 0 };
	struct probe probe = { 0 };

	server_start(&server);
	for (int i = 0; i < 10; i++) {
		struct bufferevent *bev = client_new(server.port, &probe);

		if (i % 2 != 0)
			cr_assert_eq(bufferevent_replacefd(bev, -1), 0);
		bufferevent_free(bev);
	}
	settle();
	cr_expect_eq(probe.events, 0);
	evconnlistener_free(server.listener);
	settle(); /* ends what the server has of them */
}

/* --- Threads ---------------------------------------------------------------------------------- */

static void *enable_and_end(void *arg)
{
	bufferevent_enable(arg, EV_READ);
	return NULL;
}

/* BEV-040: the system may cancel what a thread has begun when it ends. */
Test(bev_completions, a_read_outlives_the_thread_that_began_it, .init = start, .fini = finish)
{
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };
	pthread_t thread;

	linked_new(bev, 0);
	watch(bev[0], &probe);
	cr_assert_eq(pthread_create(&thread, NULL, enable_and_end, bev[0]), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	settle();
	cr_expect_eq(probe.events, 0);
	bufferevent_write(bev[1], "hello", 5);
	run_until_received(&probe, 5);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

struct churn {
	struct event_base *base;
	_Atomic int received;
	_Atomic int is_over;
};

static void count_bytes(struct bufferevent *bev, void *arg)
{
	struct churn *churn = arg;
	struct evbuffer *input = bufferevent_get_input(bev);

	atomic_fetch_add(&churn->received, (int)evbuffer_get_length(input));
	evbuffer_drain(input, evbuffer_get_length(input));
}

/* Makes pairs, uses and frees them while the loop delivers in another thread. */
static void *make_and_free(void *arg)
{
	struct churn *churn = arg;

	for (int i = 0; i < 100; i++) {
		const int options = BEV_OPT_THREADSAFE | BEV_OPT_CLOSE_ON_FREE;
		struct bufferevent *bev[2];
		evutil_socket_t fds[2];

		support_socketpair(fds);
		for (int k = 0; k < 2; k++) {
			bev[k] = bufferevent_socket_new(churn->base, fds[k], options);
			cr_assert_not_null(bev[k]);
			bufferevent_setcb(bev[k], count_bytes, NULL, NULL, churn);
			bufferevent_enable(bev[k], EV_READ);
			bufferevent_write(bev[k], "some bytes", 10);
		}
		if (i % 3 == 0)
			usleep(500);
		bufferevent_free(bev[0]);
		bufferevent_free(bev[1]);
	}
	atomic_store(&churn->is_over, 1);
	event_base_loopexit(churn->base, NULL);
	return NULL;
}

/* BEV-207, BEV-211 */
Test(bev_completions, freeing_from_another_thread_while_they_complete, .init = start,
     .fini = finish)
{
	struct churn churn = { .base = base };
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, make_and_free, &churn), 0);
	while (!atomic_load(&churn.is_over))
		cr_assert_geq(event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	settle();
	cr_expect_leq(atomic_load(&churn.received), 2000);
	cr_expect_eq(virtual_events(), 0);
}
