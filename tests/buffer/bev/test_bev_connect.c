/* SPDX-License-Identifier: BSD-3-Clause */
/* Connecting to addresses. */

#include "bev_test.h"

#include <fcntl.h>
#include <sys/resource.h>

TestSuite(bev_connect, .init = start, .fini = finish, .timeout = 60);

#define MS(n) (&(const struct timeval){ .tv_sec = (n) / 1000, .tv_usec = (n) % 1000 * 1000 })

static struct sockaddr_in loopback(ev_uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(port);
	return sin;
}

/* A port that nobody listens on. */
static ev_uint16_t dead_port(void)
{
	ev_uint16_t port;

	close(support_listen(&port));
	return port;
}

static int connect_to(struct bufferevent *bev, ev_uint16_t port)
{
	struct sockaddr_in sin = loopback(port);

	return bufferevent_socket_connect(bev, (struct sockaddr *)&sin, sizeof(sin));
}

static evutil_socket_t accept_one(evutil_socket_t listener)
{
	evutil_socket_t fd = -1;

	for (int i = 0; i < 1000 && fd < 0; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		fd = accept(listener, NULL, NULL);
	}
	cr_assert_geq(fd, 0);
	return fd;
}

/* The address of a local socket in a folder of its own; `listener` may be NULL. */
static struct sockaddr_un local_address(char *dir, evutil_socket_t *listener)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strcpy(dir, "/tmp/bev_connect_XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	if (listener != NULL) {
		*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		cr_assert_eq(bind(*listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
		cr_assert_eq(listen(*listener, 5), 0);
	}
	return sun;
}

static void remove_local(const char *dir, const struct sockaddr_un *sun)
{
	unlink(sun->sun_path);
	rmdir(dir);
}

/* BEV-120, BEV-122, BEV-123, BEV-124, BEV-130, BEV-048 */
Test(bev_connect, success_is_one_event_then_data)
{
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port), peer;
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { .drain = 1 };
	char data[8];

	watch(bev, &probe);
	bufferevent_enable(bev, BOTH);
	bufferevent_write(bev, "hello", 5);
	cr_assert_eq(connect_to(bev, port), 0);
	cr_expect_eq(probe.n_order, 0);
	cr_expect_geq(bufferevent_getfd(bev), 0);
	cr_expect_eq(fcntl(bufferevent_getfd(bev), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	peer = accept_one(listener);
	run_until(&probe.writes, 1);
	cr_expect_str_eq(probe.order, "ew");
	cr_expect_eq(probe.what[0], BEV_EVENT_CONNECTED);
	cr_expect_eq(recv(peer, data, sizeof(data), 0), 5);
	cr_assert_eq(send(peer, "back", 4, 0), 4);
	run_until_received(&probe, 4);
	cr_expect_eq(probe.events, 1);
	close(peer);
	close(listener);
	bufferevent_free(bev);
}

/* BEV-123, BEV-131, BEV-341 */
Test(bev_connect, an_empty_output_gets_no_write_callback)
{
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port);

	for (int writes = 0; writes < 2; writes++) {
		struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
		struct probe probe = { 0 };

		watch(bev, &probe);
		if (writes)
			bufferevent_enable(bev, BOTH);
		else
			bufferevent_disable(bev, EV_WRITE);
		connect_to(bev, port);
		run_until(&probe.events, 1);
		run_for(20);
		cr_expect_str_eq(probe.order, "e");
		bufferevent_free(bev);
	}
	close(listener);
}

/* BEV-121, BEV-132 */
Test(bev_connect, an_attempt_of_the_users_can_be_declared)
{
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port);
	struct sockaddr_in sin = loopback(port);

	for (int declared = 0; declared < 2; declared++) {
		evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		struct bufferevent *bev;
		struct probe probe = { 0 };

		(void)connect(fd, (struct sockaddr *)&sin, sizeof(sin));
		bev = socket_new(fd, BEV_OPT_CLOSE_ON_FREE);
		watch(bev, &probe);
		if (declared)
			cr_expect_eq(bufferevent_socket_connect(bev, NULL, 0), 0);
		else
			bufferevent_enable(bev, EV_WRITE);
		run_until(&probe.n_order, 1);
		cr_expect_str_eq(probe.order, declared ? "e" : "w");
		bufferevent_free(bev);
	}
	close(listener);
}

/* BEV-121, BEV-128, BEV-180 */
Test(bev_connect, what_fails_at_once_is_an_error_without_event)
{
	struct bufferevent *bev = socket_new(-1, 0);
	struct probe probe = { 0 };
	struct sockaddr bad = { .sa_family = AF_UNSPEC };
	char dir[64];
	struct sockaddr_un nowhere = local_address(dir, NULL);
	int fds = support_open_fds();

	watch(bev, &probe);
	cr_expect_eq(bufferevent_socket_connect(bev, NULL, 0), -1);
	cr_expect_eq(bufferevent_socket_connect(bev, &bad, sizeof(bad)), -1);
	cr_expect_eq(bufferevent_getfd(bev), -1);
	cr_expect_eq(bufferevent_socket_connect(bev, (struct sockaddr *)&nowhere, sizeof(nowhere)),
		     -1);
	cr_expect_eq(bufferevent_getfd(bev), -1);
	cr_expect_eq(bufferevent_socket_connect(bev, (struct sockaddr *)&nowhere, -1), -1);
	settle();
	cr_expect_eq(probe.n_order, 0);
	cr_expect_eq(support_open_fds(), fds);
	bufferevent_free(bev);
	remove_local(dir, &nowhere);
}

/* BEV-128 */
Test(bev_connect, without_descriptors_left_it_fails_at_once)
{
	struct bufferevent *bev = socket_new(-1, 0);
	struct rlimit limit, none;
	int result;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	settle();
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	result = connect_to(bev, 1);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(result, -1);
	cr_expect_eq(bufferevent_getfd(bev), -1);
	bufferevent_free(bev);
}

/* BEV-125, BEV-126, BEV-100, B15 */
Test(bev_connect, a_refusal_is_one_error_alone)
{
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };

	watch(bev, &probe);
	bufferevent_enable(bev, BOTH);
	bufferevent_write(bev, "x", 1);
	cr_assert_eq(connect_to(bev, dead_port()), 0);
	run_until(&probe.events, 1);
	run_for(20);
	cr_expect_str_eq(probe.order, "e");
	cr_expect_eq(probe.what[0], BEV_EVENT_ERROR);
	cr_expect_eq(probe.err[0], ECONNREFUSED);
	cr_expect_eq(bufferevent_get_enabled(bev), BOTH);
	cr_expect_geq(bufferevent_getfd(bev), 0);
	cr_expect_eq(output_len(bev), 1);
	bufferevent_free(bev);
}

/* BEV-127, BEV-187 */
Test(bev_connect, retrying_takes_a_fresh_socket)
{
	ev_uint16_t port, dead = dead_port();
	evutil_socket_t listener = support_listen(&port);
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };

	watch(bev, &probe);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(connect_to(bev, dead), 0);
		run_until(&probe.events, i + 1);
		cr_expect_eq(probe.what[i], BEV_EVENT_ERROR);
		if (i % 2) {
			bufferevent_replacefd(bev, -1);
		} else {
			close(bufferevent_getfd(bev));
			bufferevent_setfd(bev, -1);
		}
	}
	cr_assert_eq(connect_to(bev, port), 0);
	run_until(&probe.events, 5);
	cr_expect_eq(probe.what[4], BEV_EVENT_CONNECTED);
	bufferevent_free(bev);
	close(listener);
}

/* BEV-129 */
Test(bev_connect, a_local_refusal_is_deferred)
{
	char dir[64];
	evutil_socket_t listener;
	struct sockaddr_un sun = local_address(dir, &listener);
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };

	close(listener);
	watch(bev, &probe);
	bufferevent_enable(bev, BOTH);
	cr_expect_eq(bufferevent_socket_connect(bev, (struct sockaddr *)&sun, sizeof(sun)), 0);
	cr_expect_eq(probe.n_order, 0);
	cr_expect_eq(bufferevent_get_enabled(bev), 0);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_ERROR);
	cr_expect_eq(probe.err[0], ECONNREFUSED);
	bufferevent_free(bev);
	remove_local(dir, &sun);
}

/* BEV-135, BEV-130, BEV-028 */
Test(bev_connect, a_local_connection_that_stands_at_once_is_told_first)
{
	char dir[64];
	evutil_socket_t listener;
	struct sockaddr_un sun = local_address(dir, &listener);

	for (int writes = 0; writes < 2; writes++) {
		struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
		struct probe probe = { 0 };

		watch(bev, &probe);
		if (writes)
			bufferevent_write(bev, "x", 1);
		else
			bufferevent_disable(bev, EV_WRITE);
		cr_expect_eq(
			bufferevent_socket_connect(bev, (struct sockaddr *)&sun, sizeof(sun)), 0);
		cr_expect_eq(probe.n_order, 0);
		settle();
		cr_expect_str_eq(probe.order, writes ? "ew" : "e");
		cr_expect_eq(probe.what[0], BEV_EVENT_CONNECTED);
		bufferevent_free(bev);
	}
	close(listener);
	remove_local(dir, &sun);
}

/* BEV-047, BEV-133 */
Test(bev_connect, disabling_writing_does_not_stop_the_attempt)
{
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port), peer;
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };
	char data[4];

	watch(bev, &probe);
	bufferevent_write(bev, "abc", 3);
	connect_to(bev, port);
	bufferevent_disable(bev, EV_WRITE);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_CONNECTED);
	settle();
	cr_expect_eq(output_len(bev), 3);
	bufferevent_enable(bev, EV_WRITE);
	run_until(&probe.writes, 1);
	peer = accept_one(listener);
	cr_expect_eq(recv(peer, data, sizeof(data), 0), 3);
	close(peer);
	close(listener);
	bufferevent_free(bev);
}

/* A listener whose queue is full: further attempts stay unanswered. */
static void fill_queue(evutil_socket_t listener, ev_uint16_t port, evutil_socket_t fds[8])
{
	struct sockaddr_in sin = loopback(port);

	cr_assert_eq(listen(listener, 0), 0);
	for (int i = 0; i < 8; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fds[i], (struct sockaddr *)&sin, sizeof(sin));
	}
}

/* BEV-095, B18 */
Test(bev_connect, the_write_timeout_watches_the_attempt_once)
{
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port), fds[8];
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };

	fill_queue(listener, port, fds);
	watch(bev, &probe);
	bufferevent_set_timeouts(bev, MS(10), MS(30));
	bufferevent_enable(bev, BOTH);
	connect_to(bev, port);
	run_until(&probe.events, 1);
	run_for(100);
	cr_expect_eq(probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_TIMEOUT | BEV_EVENT_WRITING);
	cr_expect_eq(bufferevent_get_enabled(bev), EV_READ);
	bufferevent_enable(bev, EV_WRITE);
	run_until(&probe.events, 2);
	cr_expect_eq(probe.what[1], BEV_EVENT_TIMEOUT | BEV_EVENT_WRITING);
	bufferevent_free(bev);
	for (int i = 0; i < 8; i++)
		close(fds[i]);
	close(listener);
}

/* BEV-134, B24 */
Test(bev_connect, freeing_cancels_the_attempt_silently)
{
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port), fd;
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };

	watch(bev, &probe);
	connect_to(bev, port);
	fd = bufferevent_getfd(bev);
	bufferevent_free(bev);
	settle();
	cr_expect_eq(probe.n_order, 0);
	cr_expect_lt(fcntl(fd, F_GETFD), 0);
	close(listener);
}

/* BEV-136, BEV-345 */
Test(bev_connect, freed_when_connected_it_sends_nothing)
{
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port), peer;
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { .free_at = 'e' };
	char data[4];

	watch(bev, &probe);
	bufferevent_write(bev, "x", 1);
	connect_to(bev, port);
	run_until(&probe.events, 1);
	settle();
	peer = accept_one(listener);
	cr_expect_eq(recv(peer, data, sizeof(data), 0), 0, "closed without a byte");
	close(peer);
	close(listener);
}

/* BEV-186 */
Test(bev_connect, setfd_abandons_the_attempt)
{
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port), fds[2], old;
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { .drain = 1 };

	support_socketpair(fds);
	watch(bev, &probe);
	bufferevent_enable(bev, EV_READ);
	connect_to(bev, port);
	old = bufferevent_getfd(bev);
	bufferevent_setfd(bev, fds[0]);
	cr_assert_eq(send(fds[1], "x", 1, 0), 1);
	run_until_received(&probe, 1);
	cr_expect_eq(probe.events, 0);
	close(old);
	close(fds[1]);
	close(listener);
	bufferevent_free(bev);
}

static void enable_writing(struct bufferevent *bev, short what, void *arg)
{
	on_event(bev, what, arg);
	bufferevent_enable(bev, EV_WRITE);
}

/* BEV-043 */
Test(bev_connect, enabling_writing_when_connected_gives_its_callback)
{
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port);
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };

	bufferevent_setcb(bev, on_read, on_write, enable_writing, &probe);
	connect_to(bev, port);
	run_until(&probe.writes, 1);
	run_for(10);
	cr_expect_str_eq(probe.order, "ew");
	bufferevent_free(bev);
	close(listener);
}

/* BEV-137 */
Test(bev_connect, through_a_filter_it_is_reported_either_way)
{
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port);

	for (int direct = 0; direct < 2; direct++) {
		struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE), *filter;
		struct probe probe = { 0 };

		filter = bufferevent_filter_new(bev, NULL, NULL,
						BEV_OPT_CLOSE_ON_FREE | thread_option, NULL, NULL);
		cr_assert_not_null(filter);
		watch(filter, &probe);
		cr_assert_eq(connect_to(direct ? bev : filter, port), 0);
		run_until(&probe.events, 1);
		cr_expect_str_eq(probe.order, "e");
		cr_expect_eq(probe.what[0], BEV_EVENT_CONNECTED);
		bufferevent_free(filter);
	}
	close(listener);
}
