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
#include <signal.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef SYS_sendfile64
#define SENDFILE SYS_sendfile64
#else
#define SENDFILE SYS_sendfile
#endif

static struct {
	int accepts, controls, reads, sends, closes, others;
	int waiting_sends; /* of `sends`, with MSG_MORE */
	int file_reads, file_sends, masks;
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
	calls.waiting_sends += (flags & MSG_MORE) != 0;
	return syscall(SYS_sendto, fd, data, length, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	calls.sends++;
	calls.waiting_sends += (flags & MSG_MORE) != 0;
	return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t pread64(int fd, void *data, size_t length, __off64_t offset)
{
	struct iovec piece = { .iov_base = data, .iov_len = length };

	calls.file_reads++;
	return preadv64(fd, &piece, 1, offset);
}

ssize_t sendfile64(int to, int from, __off64_t *offset, size_t length)
{
	calls.file_sends++;
	return syscall(SENDFILE, to, from, offset, length);
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	calls.masks++;
	return sigprocmask(how, set, old);
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

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		     int len, void *arg)
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
	cr_assert_eq(syscall(SYS_sendto, client, text, sizeof(text), 0, NULL, 0),
		     (long)sizeof(text));
	support_run_until(base, &has_echoed, 10000);
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
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);
	struct evconnlistener *listener = evconnlistener_new_bind(base, accepted, NULL,
		LEV_OPT_CLOSE_ON_FREE, 16, (struct sockaddr *)&sin, sizeof(sin));

	cr_assert_eq(getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&sin, &len),
		     0);
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

Test(bev_syscalls, a_first_message_of_4_kib_is_read_and_answered_at_once)
{
	struct event_base *base = support_base_new();
	char message[4096] = { 0 };
	struct bufferevent *bev;
	evutil_socket_t ends[2];

	support_socketpair(ends);
	bev = bufferevent_socket_new(base, ends[0], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(bev, echo, NULL, NULL, NULL);
	cr_assert_eq(bufferevent_enable(bev, EV_READ), 0);
	cr_assert_eq(syscall(SYS_sendto, ends[1], message, sizeof(message), 0, NULL, 0),
		     (long)sizeof(message));
	memset(&calls, 0, sizeof(calls));
	has_echoed = 0;
	support_run_until(base, &has_echoed, 10000);
	cr_expect_eq(syscall(SYS_recvfrom, ends[1], message, sizeof(message), MSG_DONTWAIT, NULL,
			     NULL),
		     (long)sizeof(message));
	cr_expect_eq(calls.reads, 1, "reads: %d", calls.reads);
	cr_expect_eq(calls.sends, 1, "sends: %d", calls.sends);
	bufferevent_free(bev);
	syscall(SYS_close, ends[1]);
	event_base_free(base);
}

static void answer_in_pieces(struct bufferevent *bev, void *arg)
{
	(void)arg;
	for (int i = 0; i < 5; i++)
		bufferevent_write(bev, "piece", 5);
	has_echoed = 1;
}

Test(bev_syscalls, what_a_read_callback_writes_leaves_in_one_call)
{
	struct event_base *base = support_base_new();
	struct bufferevent *bev;
	evutil_socket_t ends[2];
	char text[32] = "?";

	support_socketpair(ends);
	bev = bufferevent_socket_new(base, ends[0], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(bev, answer_in_pieces, NULL, NULL, NULL);
	cr_assert_eq(bufferevent_enable(bev, EV_READ), 0);
	cr_assert_eq(syscall(SYS_sendto, ends[1], text, 1, 0, NULL, 0), 1);
	memset(&calls, 0, sizeof(calls));
	has_echoed = 0;
	support_run_until(base, &has_echoed, 10000);
	cr_expect_eq(syscall(SYS_recvfrom, ends[1], text, sizeof(text), 0, NULL, NULL), 25);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_expect_eq(calls.sends, 1, "sends: %d", calls.sends);
	bufferevent_free(bev);
	syscall(SYS_close, ends[1]);
	event_base_free(base);
}

/* Sends a head and a file, whose calls are counted. */
static void send_file(size_t size)
{
	struct event_base *base = support_base_new();
	char name[] = "/tmp/bev-calls-XXXXXX", *bytes = pattern(size);
	int file = mkstemp(name);
	struct bufferevent *bev;
	evutil_socket_t ends[2];

	cr_assert_geq(file, 0);
	unlink(name);
	cr_assert_eq(write(file, bytes, size), (ssize_t)size);
	support_socketpair(ends);
	bev = bufferevent_socket_new(base, ends[0], BEV_OPT_CLOSE_ON_FREE);
	memset(&calls, 0, sizeof(calls));
	cr_assert_eq(bufferevent_write(bev, "head", 4), 0);
	cr_assert_eq(evbuffer_add_file(bufferevent_get_output(bev), file, 0, -1), 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_expect_eq(evbuffer_get_length(bufferevent_get_output(bev)), 0);
	cr_expect_eq(calls.controls, 0, "epoll_ctl: %d", calls.controls);
	cr_expect_eq(calls.sends, 1, "sends: %d", calls.sends);
	bufferevent_free(bev);
	syscall(SYS_close, ends[1]);
	event_base_free(base);
	free(bytes);
}

/* It goes together with what is before it. */
Test(bev_syscalls, a_small_file_takes_a_read_and_a_send)
{
	send_file(4000);
	cr_expect_eq(calls.file_reads, 1, "file reads: %d", calls.file_reads);
	cr_expect_eq(calls.file_sends, 0, "file sends: %d", calls.file_sends);
	cr_expect_eq(calls.waiting_sends, 0);
}

/* The head waits for the file, so that they share packets. Nobody waits for the descriptor. */
Test(bev_syscalls, a_large_file_takes_two_sends)
{
	send_file(50000);
	cr_expect_eq(calls.file_reads, 0, "file reads: %d", calls.file_reads);
	cr_expect_eq(calls.file_sends, 1, "file sends: %d", calls.file_sends);
	cr_expect_eq(calls.waiting_sends, 1);
	cr_expect_eq(calls.masks, 2, "masks: %d", calls.masks);
}
