/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How often a connection goes into the kernel, on Linux with epoll.
 *
 * This program's own functions stand before the C library's, also for the libraries, and count.
 */

#include "bev_test.h"

#include <event2/listener.h>

#include <netinet/in.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	int accepts, controls, reads, sends, closes, others;
} calls;

int accept4(int fd, __SOCKADDR_ARG addr, socklen_t *restrict len, int flags)
{
	calls.accepts++;
	return (int)syscall(SYS_accept4, fd, addr.__sockaddr__, len, flags);
}

int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	calls.controls++;
	return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
}

ssize_t read(int fd, void *data, size_t length)
{
	calls.reads++;
	return syscall(SYS_read, fd, data, length);
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
	calls.sends++;
	return syscall(SYS_sendto, fd, data, length, flags, NULL, 0);
}

int close(int fd)
{
	calls.closes++;
	return (int)syscall(SYS_close, fd);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	calls.others++;
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict length)
{
	calls.others++;
	return (int)syscall(SYS_getsockopt, fd, level, name, value, length);
}

static int has_echoed, has_ended;

static void echo(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_write_buffer(bev, bufferevent_get_input(bev));
	has_echoed = 1;
}

static void end(struct bufferevent *bev, short what, void *arg)
{
	(void)arg;
	cr_assert_eq(what, BEV_EVENT_READING | BEV_EVENT_EOF);
	bufferevent_free(bev);
	has_ended = 1;
}

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len,
		     void *arg)
{
	struct event_base *base = evconnlistener_get_base(listener);
	struct bufferevent *bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)sa;
	(void)len;
	(void)arg;
	bufferevent_setcb(bev, echo, NULL, end, NULL);
	cr_assert_eq(bufferevent_enable(bev, EV_READ | EV_WRITE), 0);
}

/* Its own calls are not counted. */
static void serve_one(struct event_base *base, const struct sockaddr_in *sin)
{
	long client = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	char text[64] = { 0 };

	has_echoed = has_ended = 0;
	cr_assert_eq(syscall(SYS_connect, client, sin, sizeof(*sin)), 0);
	cr_assert_eq(syscall(SYS_sendto, client, text, sizeof(text), 0, NULL, 0), (long)sizeof(text));
	support_run_until(base, &has_echoed, 10000);
	/* The answer leaves at the end of the round. */
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_eq(syscall(SYS_recvfrom, client, text, sizeof(text), MSG_WAITALL, NULL, NULL),
		     (long)sizeof(text));
	syscall(SYS_close, client);
	support_run_until(base, &has_ended, 10000);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* With the three waits of the loop that is ten system calls for accept, echo and close. */
Test(bev_syscalls, a_short_connection_takes_seven_calls_and_its_waits)
{
	struct event_base *base = support_base_new();
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	struct evconnlistener *listener = evconnlistener_new_bind(base, accepted, NULL,
		LEV_OPT_CLOSE_ON_FREE, 16, (struct sockaddr *)&sin, sizeof(sin));

	cr_assert_eq(getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&sin, &len), 0);
	serve_one(base, &sin);
	for (int i = 0; i < 3; i++) {
		memset(&calls, 0, sizeof(calls));
		serve_one(base, &sin);
		cr_expect_eq(calls.accepts, 2, "accepts: %d", calls.accepts);
		cr_expect_eq(calls.controls, 1, "epoll_ctl: %d", calls.controls);
		cr_expect_eq(calls.reads, 2, "reads: %d", calls.reads);
		cr_expect_eq(calls.sends, 1, "sends: %d", calls.sends);
		cr_expect_eq(calls.closes, 1, "closes: %d", calls.closes);
		cr_expect_eq(calls.others, 0, "others: %d", calls.others);
	}
	evconnlistener_free(listener);
	event_base_free(base);
}
