/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners: creation, flags, accepting, and what the callback may do. */

#include "listener_test.h"

#include <event2/watch.h>

TestSuite(listener, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* What the accept callback saw, and what it is to do. */
struct seen {
	int calls;
	evutil_socket_t fd; /* of the last; open if `keeps` */
	struct sockaddr_storage peer;
	int peer_len;
	int keeps;
	int stop_after; /* 0: never */
	enum { NOTHING, DISABLE, FREE, REENABLE, CLEAR_CB } action;
	int is_stopped;
};

static void on_accept(struct evconnlistener *lev, evutil_socket_t fd, struct sockaddr *peer,
		      int len, void *arg)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->fd = fd;
	seen->peer_len = len;
	memcpy(&seen->peer, peer, (size_t)len);
	if (!seen->keeps)
		evutil_closesocket(fd);
	cr_expect_not(seen->is_stopped);
	if (seen->stop_after == 0 || seen->calls < seen->stop_after)
		return;
	switch (seen->action) {
	case DISABLE:
		cr_expect_eq(evconnlistener_disable(lev), 0);
		break;
	case FREE:
		evconnlistener_free(lev);
		break;
	case REENABLE:
		cr_expect_eq(evconnlistener_disable(lev), 0);
		cr_expect_eq(evconnlistener_enable(lev), 0);
		return;
	case CLEAR_CB:
		evconnlistener_set_cb(lev, NULL, NULL);
		break;
	default:
		return;
	}
	seen->is_stopped = 1;
}

static void pass(struct event_base *base)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	if (!support_uses_completions())
		return;
	usleep((unsigned)support_limit_ms(20) * 1000); /* they come when they come */
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Loop passes until nothing more comes: what was connected before is there at once. */
static void passes(struct event_base *base)
{
	for (int i = 0; i < 5; i++)
		pass(base);
}

/* UTIL-097, UTIL-111, UTIL-112, UTIL-113, UTIL-121 */
Test(listener, all_waiting_connections_are_handed_over)
{
	struct event_base *base = support_base_new();
	struct seen seen = { .keeps = 1 };
	struct evconnlistener *lev = listen_loopback(base, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE);
	evutil_socket_t first, second;
	struct sockaddr_in ours;
	socklen_t len = sizeof(ours);

	cr_assert_not_null(lev);
	cr_expect_eq(evconnlistener_get_base(lev), base);
	cr_expect(fcntl(evconnlistener_get_fd(lev), F_GETFL) & O_NONBLOCK);
	first = connect_to(port_of(lev));
	pass(base);
	cr_assert_eq(seen.calls, 1);
	cr_expect_eq(seen.peer_len, sizeof(struct sockaddr_in));
	cr_assert_eq(getsockname(first, (struct sockaddr *)&ours, &len), 0);
	cr_expect_eq(((struct sockaddr_in *)&seen.peer)->sin_port, ours.sin_port);
	evutil_closesocket(seen.fd);

	evutil_closesocket(first);
	first = connect_to(port_of(lev));
	second = connect_to(port_of(lev));
	seen.keeps = 0;
	pass(base);
	cr_expect_eq(seen.calls, 3);
	evutil_closesocket(first);
	evutil_closesocket(second);
	evconnlistener_free(lev);
	event_base_free(base);
}

/* UTIL-097 */
Test(listener, port_0_lets_the_system_choose)
{
	struct event_base *base = support_base_new();
	struct seen seen = { 0 };
	struct evconnlistener *one, *two;

	one = listen_loopback(base, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE);
	two = listen_loopback(base, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE);
	cr_expect_neq(port_of(one), port_of(two));
	evconnlistener_free(one);
	evconnlistener_free(two);
	event_base_free(base);
}

/* UTIL-094, UTIL-140 */
Test(listener, sockets_of_the_programs_own)
{
	static const int backlogs[] = { 0, 5, -1 };
	struct event_base *base = support_base_new();

	for (int i = 0; i < 3; i++) {
		struct sockaddr_in sin = loopback(0);
		evutil_socket_t fd = socket(AF_INET, SOCK_STREAM, 0), client; /* blocking */
		struct seen seen = { 0 };
		struct evconnlistener *lev;

		cr_assert_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
		if (backlogs[i] == 0)
			cr_assert_eq(listen(fd, 5), 0);
		lev = evconnlistener_new(base, on_accept, &seen, 0, backlogs[i], fd);
		cr_assert_not_null(lev);
		cr_expect_eq(evconnlistener_get_fd(lev), fd);
		client = connect_to(port_of(lev));
		pass(base); /* would hang, if the socket were still blocking */
		cr_expect_eq(seen.calls, 1);
		evutil_closesocket(client);
		evconnlistener_free(lev);
		cr_expect_geq(fcntl(fd, F_GETFD), 0, "it is not ours to close");
		evutil_closesocket(fd);
	}
	event_base_free(base);
}

/* UTIL-095, UTIL-096 */
Test(listener, a_failed_creation_leaves_the_socket_to_the_caller)
{
	struct event_base *base = support_base_new();
	char path[] = "/tmp/listener-XXXXXX";
	evutil_socket_t pair[2];
	int file = mkstemp(path);

	support_socketpair(pair);
	cr_expect_null(
		evconnlistener_new(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, -1, pair[0]));
	cr_expect_geq(fcntl(pair[0], F_GETFD), 0);
	cr_expect_null(evconnlistener_new(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, -1, file));
	cr_expect_geq(fcntl(file, F_GETFD), 0);
	if (strcmp(event_base_get_method(base), "epoll") == 0) { /* which refuses plain files */
		cr_expect_null(
			evconnlistener_new(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 0, file));
		cr_expect_geq(fcntl(file, F_GETFD), 0);
	}
	close(file);
	unlink(path);
	evutil_closesocket(pair[0]);
	evutil_closesocket(pair[1]);
	event_base_free(base);
}

/* UTIL-098, UTIL-099, UTIL-108, UTIL-134 */
Test(listener, creation_with_an_address_fails_cleanly)
{
	struct event_base *base = support_base_new();
	struct sockaddr_in sin = loopback(0), taken;
	struct evconnlistener *lev = listen_loopback(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE);
	int before = support_open_fds();

	cr_expect_null(evconnlistener_new_bind(base, on_accept, NULL, 0, 0, (struct sockaddr *)&sin,
					       sizeof(sin)));
	cr_expect_null(evconnlistener_new_bind(base, on_accept, NULL, 0, -1, NULL, 0));
	taken = loopback(port_of(lev));
	cr_expect_null(evconnlistener_new_bind(base, on_accept, NULL, 0, -1,
					       (struct sockaddr *)&taken, sizeof(taken)));
	cr_expect_eq(EVUTIL_SOCKET_ERROR(), EADDRINUSE);
	cr_expect_null(listen_loopback(base, on_accept, NULL, LEV_OPT_BIND_IPV6ONLY));
	cr_expect_null(listen_loopback(base, on_accept, NULL, LEV_OPT_BIND_IPV4_AND_IPV6));
	cr_expect_eq(support_open_fds(), before);
	evconnlistener_free(lev);
	event_base_free(base);
}

/* UTIL-100 */
Test(listener, keepalive_is_on_for_the_listener_and_what_it_accepts)
{
	struct event_base *base = support_base_new();
	struct seen seen = { .keeps = 1 };
	struct evconnlistener *lev = listen_loopback(base, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE);
	evutil_socket_t client = connect_to(port_of(lev));

	pass(base);
	cr_assert_eq(seen.calls, 1);
	for (int i = 0; i < 2; i++) {
		evutil_socket_t fd = i == 0 ? evconnlistener_get_fd(lev) : seen.fd;

		cr_expect_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
		cr_expect_eq(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 300);
		cr_expect_eq(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 100);
		cr_expect_eq(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
	}
	evutil_closesocket(seen.fd);
	evutil_closesocket(client);
	evconnlistener_free(lev);
	event_base_free(base);
}

/* UTIL-101, UTIL-102, UTIL-116, UTIL-132, UTIL-133 */
Test(listener, unix_domain_sockets)
{
	struct event_base *base = support_base_new();
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct seen seen = { 0 };
	struct evconnlistener *lev;
	evutil_socket_t client;
	char folder[] = "/tmp/listener-XXXXXX";

	cr_assert_not_null(mkdtemp(folder));
	evutil_snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", folder);
	cr_expect_null(evconnlistener_new_bind(base, on_accept, &seen, LEV_OPT_REUSEABLE, -1,
					       (struct sockaddr *)&un, sizeof(un)));
	cr_expect_null(evconnlistener_new_bind(base, on_accept, &seen, LEV_OPT_REUSEABLE_PORT, -1,
					       (struct sockaddr *)&un, sizeof(un)));
	lev = evconnlistener_new_bind(base, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE, -1,
				      (struct sockaddr *)&un, sizeof(un));
	cr_assert_not_null(lev);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(connect(client, (struct sockaddr *)&un, sizeof(un)), 0);
	pass(base);
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(seen.peer_len, sizeof(sa_family_t));
	evutil_closesocket(client);
	evconnlistener_free(lev);
	cr_expect_eq(access(un.sun_path, F_OK), 0, "the file stays");
	unlink(un.sun_path);
	memset(un.sun_path, 'x', sizeof(un.sun_path));
	cr_expect_null(evconnlistener_new_bind(base, on_accept, &seen, 0, -1,
					       (struct sockaddr *)&un, (int)sizeof(un) + 40));
	rmdir(folder);
	event_base_free(base);
}

/* UTIL-104, UTIL-106, UTIL-107, UTIL-109 */
Test(listener, flags_of_accepted_sockets)
{
	struct event_base *base = support_base_new();

	for (unsigned i = 0; i < 8; i++) {
		unsigned flags =
			LEV_OPT_CLOSE_ON_FREE | (i & 1 ? LEV_OPT_LEAVE_SOCKETS_BLOCKING : 0) |
			(i & 2 ? LEV_OPT_CLOSE_ON_EXEC : 0) | (i & 4 ? LEV_OPT_THREADSAFE : 0);
		struct seen seen = { .keeps = 1 };
		struct evconnlistener *lev = listen_loopback(base, on_accept, &seen, flags);
		evutil_socket_t client = connect_to(port_of(lev));

		pass(base);
		cr_assert_eq(seen.calls, 1);
		cr_expect_eq(!!(fcntl(seen.fd, F_GETFL) & O_NONBLOCK), !(i & 1));
		cr_expect_eq(!!(fcntl(seen.fd, F_GETFD) & FD_CLOEXEC), !!(i & 2));
		cr_expect_eq(!!(fcntl(evconnlistener_get_fd(lev), F_GETFD) & FD_CLOEXEC),
			     !!(i & 2));
		evutil_closesocket(seen.fd);
		evutil_closesocket(client);
		evconnlistener_free(lev);
	}
	event_base_free(base);
}

/* UTIL-105 */
Test(listener, close_on_free)
{
	struct event_base *base = support_base_new();

	for (int closes = 0; closes < 2; closes++) {
		struct evconnlistener *lev =
			listen_loopback(base, on_accept, NULL, closes ? LEV_OPT_CLOSE_ON_FREE : 0);
		evutil_socket_t fd = evconnlistener_get_fd(lev);

		evconnlistener_free(lev);
		cr_expect_eq(fcntl(fd, F_GETFD) < 0, closes);
		if (!closes)
			evutil_closesocket(fd);
	}
	event_base_free(base);
}

/* UTIL-108 */
Test(listener, flags_of_the_listening_socket)
{
	struct event_base *base = support_base_new();
	struct evconnlistener *lev, *twin;
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };

	lev = listen_loopback(base, on_accept, NULL,
			      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_REUSEABLE_PORT |
				      LEV_OPT_DEFERRED_ACCEPT);
	cr_assert_not_null(lev);
	cr_expect_neq(option(evconnlistener_get_fd(lev), SOL_SOCKET, SO_REUSEADDR), 0);
	cr_expect_neq(option(evconnlistener_get_fd(lev), SOL_SOCKET, SO_REUSEPORT), 0);
	cr_expect_neq(option(evconnlistener_get_fd(lev), IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
	sin = loopback(port_of(lev));
	twin = evconnlistener_new_bind(base, on_accept, NULL,
				       LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE_PORT, -1,
				       (struct sockaddr *)&sin, sizeof(sin));
	cr_expect_not_null(twin);
	evconnlistener_free(twin);
	evconnlistener_free(lev);

	for (int both = 0; both < 2; both++) {
		lev = evconnlistener_new_bind(
			base, on_accept, NULL,
			LEV_OPT_CLOSE_ON_FREE |
				(both ? LEV_OPT_BIND_IPV4_AND_IPV6 : LEV_OPT_BIND_IPV6ONLY),
			-1, (struct sockaddr *)&sin6, sizeof(sin6));
		if (lev == NULL)
			break; /* a system without IPv6 */
		cr_expect_eq(option(evconnlistener_get_fd(lev), IPPROTO_IPV6, IPV6_V6ONLY), !both);
		evconnlistener_free(lev);
	}
	event_base_free(base);
}

/* UTIL-110, UTIL-120 */
Test(listener, a_disabled_listener_waits_and_does_not_hold_the_loop)
{
	struct event_base *base = support_base_new();
	struct seen seen = { .stop_after = 1, .action = DISABLE };
	struct evconnlistener *lev =
		listen_loopback(base, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_DISABLED);
	evutil_socket_t client = connect_to(port_of(lev));

	cr_expect_eq(event_base_dispatch(base), 1); /* nothing to wait for */
	cr_expect_eq(seen.calls, 0);
	for (int i = 0; i < 2; i++)
		cr_expect_eq(evconnlistener_enable(lev), 0);
	support_run(base, WAIT_MS); /* until it is disabled again */
	cr_expect_eq(seen.calls, 1);
	for (int i = 0; i < 2; i++)
		cr_expect_eq(evconnlistener_disable(lev), 0);
	evutil_closesocket(client);
	evconnlistener_free(lev);
	event_base_free(base);
}

/* UTIL-114, UTIL-120; C08 */
Test(listener, disabling_in_the_callback_leaves_the_rest_in_the_queue)
{
	struct event_base *base = support_base_new();
	struct seen seen = { .stop_after = 2, .action = DISABLE };
	struct evconnlistener *lev = listen_loopback(base, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE);
	evutil_socket_t clients[5];

	for (int i = 0; i < 5; i++)
		clients[i] = connect_to(port_of(lev));
	support_run(base, WAIT_MS);
	cr_expect_eq(seen.calls, 2);
	seen.is_stopped = 0;
	seen.stop_after = 5;
	evconnlistener_enable(lev);
	support_run(base, WAIT_MS);
	cr_expect_eq(seen.calls, 5);
	for (int i = 0; i < 5; i++)
		evutil_closesocket(clients[i]);
	evconnlistener_free(lev);
	event_base_free(base);
}

/* UTIL-115, UTIL-122; C08 */
Test(listener, freeing_in_the_callback_closes_the_port_at_once)
{
	for (unsigned flags = 0; flags < 2; flags++) {
		struct event_base *base = support_base_new();
		struct seen seen = { .stop_after = 1, .action = FREE };
		struct evconnlistener *lev =
			listen_loopback(base, on_accept, &seen,
					LEV_OPT_CLOSE_ON_FREE | (flags ? LEV_OPT_THREADSAFE : 0));
		ev_uint16_t port = port_of(lev);
		struct sockaddr_in sin = loopback(port);
		evutil_socket_t clients[3], late = socket(AF_INET, SOCK_STREAM, 0);
		char byte;

		for (int i = 0; i < 3; i++)
			clients[i] = connect_to(port);
		support_run(base, WAIT_MS);
		cr_expect_eq(seen.calls, 1);
		cr_expect_neq(connect(late, (struct sockaddr *)&sin, sizeof(sin)), 0);
		cr_expect_leq(recv(clients[2], &byte, 1, 0), 0); /* reset by the kernel */
		for (int i = 0; i < 3; i++)
			evutil_closesocket(clients[i]);
		evutil_closesocket(late);
		event_base_free(base);
	}
}

/* C08 */
Test(listener, enabling_again_in_the_callback_goes_on)
{
	struct event_base *base = support_base_new();
	struct seen seen = { .stop_after = 1, .action = REENABLE };
	struct evconnlistener *lev = listen_loopback(base, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE);
	evutil_socket_t clients[3];

	for (int i = 0; i < 3; i++)
		clients[i] = connect_to(port_of(lev));
	passes(base);
	cr_expect_eq(seen.calls, 3);
	for (int i = 0; i < 3; i++)
		evutil_closesocket(clients[i]);
	evconnlistener_free(lev);
	event_base_free(base);
}

/* UTIL-117, UTIL-118, UTIL-119, UTIL-120 */
Test(listener, without_callback_connections_wait)
{
	struct event_base *base = support_base_new();
	struct seen first = { .stop_after = 1, .action = CLEAR_CB }, second = { 0 };
	struct evconnlistener *lev = listen_loopback(base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE);
	evutil_socket_t clients[2];
	char byte;

	clients[0] = connect_to(port_of(lev));
	clients[1] = connect_to(port_of(lev));
	cr_expect_eq(evconnlistener_enable(lev), 0);
	passes(base);
	cr_expect_eq(recv(clients[0], &byte, 1, MSG_DONTWAIT), -1);
	cr_expect_eq(errno, EAGAIN);

	evconnlistener_set_cb(lev, on_accept, &first);
	passes(base);
	cr_expect_eq(first.calls, 1); /* it took itself away then */
	cr_expect_eq(recv(clients[1], &byte, 1, MSG_DONTWAIT), -1);
	cr_expect_eq(errno, EAGAIN);
	evconnlistener_set_cb(lev, on_accept, &second);
	passes(base);
	cr_expect_eq(first.calls, 1);
	cr_expect_eq(second.calls, 1);
	evutil_closesocket(clients[0]);
	evutil_closesocket(clients[1]);
	evconnlistener_free(lev);
	event_base_free(base);
}

/* UTIL-103 */
Test(listener, no_base_means_the_current_one)
{
	struct seen seen = { 0 };

	cr_expect_null(listen_loopback(NULL, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE));
}

static void count_run(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	++*(int *)arg;
}

static void count_poll(struct evwatch *watch, const struct evwatch_prepare_cb_info *info, void *arg)
{
	(void)watch;
	(void)info;
	++*(int *)arg;
}

/* UTIL-113, UTIL-138, UTIL-139 */
Test(listener, a_flood_does_not_starve_other_events)
{
	enum { FLOOD = 120, FLOOD_BATCH = 64 };
	struct event_base *base = support_base_new();
	struct seen seen = { 0 };
	struct evconnlistener *lev = listen_loopback(base, on_accept, &seen, LEV_OPT_CLOSE_ON_FREE);
	struct timeval soon = { 0, 0 };
	struct event *other;
	evutil_socket_t clients[FLOOD];
	int runs = 0, polls = 0;

	evwatch_prepare_new(base, count_poll, &polls);
	other = event_new(base, -1, EV_PERSIST, count_run, &runs);
	for (int i = 0; i < FLOOD; i++)
		clients[i] = connect_to(port_of(lev));
	event_add(other, &soon);
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	/* By completions the rounds are smaller, and this call runs more of them. */
	if (support_uses_completions())
		cr_expect_gt(polls, seen.calls / FLOOD_BATCH);
	else
		cr_expect_lt(seen.calls, FLOOD);
	cr_expect_geq(runs, 1);
	while (seen.calls < FLOOD)
		pass(base);
	for (int i = 0; i < FLOOD; i++)
		evutil_closesocket(clients[i]);
	event_free(other);
	evconnlistener_free(lev);
	event_base_free(base);
}

/* UTIL-094; C01 */
Test(listener, a_refused_allocation_fails_the_creation)
{
	struct event_base *base = support_base_new();
	int refused = 1;

	for (long n = 0; refused; n++) {
		struct evconnlistener *lev;

		cr_assert_lt(n, 30);
		support_fail_once_after(n);
		lev = listen_loopback(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE);
		refused = support_has_refused();
		support_fail_once_after(-1);
		if (!refused)
			cr_expect_not_null(lev);
		evconnlistener_free(lev);
	}
	event_base_free(base);
}
