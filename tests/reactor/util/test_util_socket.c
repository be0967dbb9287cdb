/* SPDX-License-Identifier: BSD-3-Clause */
/* Socket helpers: options, pairs, errors. */

#include "support.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

TestSuite(util_socket, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static int option(evutil_socket_t fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	cr_assert_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static evutil_socket_t open_socket(int family)
{
	evutil_socket_t fd = socket(family, SOCK_STREAM, 0);

	cr_assert_geq(fd, 0);
	return fd;
}

/* UTIL-011, UTIL-012, UTIL-013 */
Test(util_socket, modes_are_set_and_other_flags_kept)
{
	evutil_socket_t fd = open_socket(AF_INET);

	for (int round = 0; round < 2; round++) {
		cr_expect_eq(evutil_make_socket_nonblocking(fd), 0);
		cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
		cr_expect_eq(evutil_make_socket_closeonexec(fd), 0);
		cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
	cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC), 0);
	cr_expect_eq(evutil_make_socket_nonblocking(fd), 0);
	cr_expect(fcntl(fd, F_GETFL) & O_ASYNC);
	cr_expect_eq(evutil_closesocket(fd), 0);
}

/* UTIL-011, UTIL-012, UTIL-013, UTIL-022; U06 */
Test(util_socket, a_bad_descriptor_is_an_error_and_two_functions_warn)
{
	evutil_socket_t fd = open_socket(AF_INET);

	evutil_closesocket(fd);
	support_capture_log();
	cr_expect_eq(evutil_make_socket_nonblocking(fd), -1);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
	cr_expect_eq(evutil_make_socket_closeonexec(fd), -1);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 2);
	errno = 0;
	cr_expect_eq(evutil_closesocket(fd), -1);
	cr_expect_eq(EVUTIL_SOCKET_ERROR(), EBADF);
	cr_expect_eq(evutil_make_listen_socket_reuseable(fd), -1);
	cr_expect_eq(evutil_make_listen_socket_reuseable_port(fd), -1);
	cr_expect_eq(evutil_make_listen_socket_ipv6only(fd), -1);
	cr_expect_eq(evutil_make_listen_socket_not_ipv6only(fd), -1);
	cr_expect_eq(evutil_make_tcp_listen_socket_deferred(fd), -1);
	cr_expect_eq(evutil_set_tcp_keepalive(fd, 1, 10), -1);
	cr_expect_eq(EVUTIL_SOCKET_ERROR(), EBADF);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 2);
}

/* UTIL-014, UTIL-015 */
Test(util_socket, reuse_options)
{
	evutil_socket_t fd = open_socket(AF_INET), local = open_socket(AF_UNIX);

	cr_expect_eq(evutil_make_listen_socket_reuseable(fd), 0);
	cr_expect_neq(option(fd, SOL_SOCKET, SO_REUSEADDR), 0);
	cr_expect_eq(evutil_make_listen_socket_reuseable(local), 0);
	cr_expect_eq(evutil_make_listen_socket_reuseable_port(fd), 0);
	cr_expect_neq(option(fd, SOL_SOCKET, SO_REUSEPORT), 0);
	evutil_closesocket(fd);
	evutil_closesocket(local);
}

/* UTIL-017 */
Test(util_socket, ipv6_options)
{
	evutil_socket_t v4 = open_socket(AF_INET), v6 = socket(AF_INET6, SOCK_STREAM, 0);

	cr_expect_eq(evutil_make_listen_socket_ipv6only(v4), -1);
	cr_expect_eq(evutil_make_listen_socket_not_ipv6only(v4), -1);
	if (v6 >= 0) {
		cr_expect_eq(evutil_make_listen_socket_ipv6only(v6), 0);
		cr_expect_eq(option(v6, IPPROTO_IPV6, IPV6_V6ONLY), 1);
		cr_expect_eq(evutil_make_listen_socket_not_ipv6only(v6), 0);
		cr_expect_eq(option(v6, IPPROTO_IPV6, IPV6_V6ONLY), 0);
		evutil_closesocket(v6);
	}
	evutil_closesocket(v4);
}

/* UTIL-018 */
Test(util_socket, deferred_accept)
{
	evutil_socket_t fd = open_socket(AF_INET), local = open_socket(AF_UNIX);

	cr_expect_eq(evutil_make_tcp_listen_socket_deferred(fd), 0);
	cr_expect_geq(option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 1);
	cr_expect_eq(evutil_make_tcp_listen_socket_deferred(local), -1);
	evutil_closesocket(fd);
	evutil_closesocket(local);
}

/* UTIL-019, UTIL-020, UTIL-021; U08 */
Test(util_socket, keepalive)
{
	evutil_socket_t fd = open_socket(AF_INET), local = open_socket(AF_UNIX);

	cr_expect_eq(evutil_set_tcp_keepalive(fd, 1, 300), 0);
	cr_expect_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	cr_expect_eq(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 300);
	cr_expect_eq(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 100);
	cr_expect_eq(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
	cr_expect_eq(evutil_set_tcp_keepalive(fd, 1, 2), 0);
	cr_expect_eq(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 1);
	cr_expect_eq(evutil_set_tcp_keepalive(fd, 1, 32768), -1);
	cr_expect_eq(evutil_set_tcp_keepalive(fd, 1, INT_MAX), -1);
	cr_expect_eq(evutil_set_tcp_keepalive(fd, 0, 0), 0);
	cr_expect_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	cr_expect_eq(evutil_set_tcp_keepalive(fd, 1, 0), 0);
	cr_expect_eq(evutil_set_tcp_keepalive(fd, 1, -1), 0);
	cr_expect_eq(evutil_set_tcp_keepalive(local, 1, 300), -1);
	evutil_closesocket(fd);
	evutil_closesocket(local);
}

static void expect_talking(evutil_socket_t pair[2], int type)
{
	char buf[16];

	for (int side = 0; side < 2; side++) {
		cr_expect_eq(send(pair[side], "hello", 5, 0), 5);
		cr_expect_eq(recv(pair[!side], buf, sizeof(buf), 0), 5);
	}
	if (type == SOCK_STREAM) {
		cr_expect_eq(shutdown(pair[0], SHUT_WR), 0);
		cr_expect_eq(recv(pair[1], buf, sizeof(buf), 0), 0);
		cr_expect_eq(send(pair[1], "x", 1, 0), 1);
		cr_expect_eq(recv(pair[0], buf, sizeof(buf), 0), 1);
	}
}

/* UTIL-023, UTIL-024, UTIL-027 */
Test(util_socket, pairs_are_connected)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

	for (int i = 0; i < 2; i++) {
		evutil_socket_t pair[2] = { -1, -1 };

		cr_assert_eq(evutil_socketpair(AF_UNIX, types[i], 0, pair), 0);
		cr_expect_gt(pair[0], 0);
		cr_expect_gt(pair[1], 0);
		expect_talking(pair, types[i]);
		evutil_closesocket(pair[0]);
		evutil_closesocket(pair[1]);
	}
}

/* UTIL-025 */
Test(util_socket, pairs_take_the_type_bits_of_the_system)
{
	evutil_socket_t pair[2];

	cr_assert_eq(
		evutil_socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	for (int side = 0; side < 2; side++) {
		cr_expect(fcntl(pair[side], F_GETFL) & O_NONBLOCK);
		cr_expect(fcntl(pair[side], F_GETFD) & FD_CLOEXEC);
		evutil_closesocket(pair[side]);
	}
}

/* UTIL-024, UTIL-028 */
Test(util_socket, impossible_pairs_fail_and_leave_nothing_open)
{
	static const struct {
		int domain, type, protocol;
	} bad[] = {
		{ AF_INET, SOCK_STREAM, 0 },
		{ AF_INET, SOCK_DGRAM, 0 },
		{ AF_INET6, SOCK_STREAM, 0 },
		{ AF_UNSPEC, SOCK_STREAM, 0 },
		{ AF_UNIX, SOCK_RDM, 0 },
		{ AF_UNIX, SOCK_STREAM, IPPROTO_TCP },
		{ AF_UNIX, 1000, 0 },
	};
	int before = support_open_fds();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		evutil_socket_t pair[2] = { -1, -1 };

		errno = 0;
		cr_expect_eq(evutil_socketpair(bad[i].domain, bad[i].type, bad[i].protocol, pair),
			     -1);
		cr_expect_neq(EVUTIL_SOCKET_ERROR(), 0);
	}
	cr_expect_eq(support_open_fds(), before);
}

/* UTIL-028; U06 */
Test(util_socket, a_pair_fails_cleanly_without_descriptors)
{
	const struct rlimit none = { 3, 3 };
	evutil_socket_t pair[2];
	struct rlimit old;

	support_needs_descriptor_limit();
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ none.rlim_cur, old.rlim_max }), 0);
	errno = 0;
	cr_expect_eq(evutil_socketpair(AF_UNIX, SOCK_STREAM, 0, pair), -1);
	cr_expect_eq(EVUTIL_SOCKET_ERROR(), EMFILE);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
}

/* UTIL-029 */
Test(util_socket, errors_are_those_of_the_system)
{
	EVUTIL_SET_SOCKET_ERROR(ENOENT);
	cr_expect_eq(errno, ENOENT);
	cr_expect_eq(EVUTIL_SOCKET_ERROR(), ENOENT);
	cr_expect_eq(evutil_socket_geterror(0), ENOENT);
	cr_expect_str_eq(evutil_socket_error_to_string(ENOENT), strerror(ENOENT));
}
