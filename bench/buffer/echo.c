/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bufferevents over TCP: an echo server in this process, its clients on bare system calls in a
 * child.
 *
 * The cost is the server's processor time per message, so that neither the clients nor the number
 * of processors show. `mem` cases tell the bytes that one connection's bufferevent takes.
 */

#include "../bench.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void allow_descriptors(rlim_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		bench_die("getrlimit");
	if (limit.rlim_cur >= count)
		return;
	limit.rlim_cur = count;
	if (limit.rlim_max < count)
		limit.rlim_max = count;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		bench_die("setrlimit");
}

/* --- The clients ------------------------------------------------------------------------------ */

struct client {
	int fd;
	long messages; /* still to begin */
	size_t to_send, to_receive;
};

static char block[1 << 18];

static int dial(const struct sockaddr_in *sin)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)sin, sizeof(*sin)) != 0)
		bench_die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Sends what the socket takes; nonzero if something is left. */
static int push(struct client *c)
{
	while (c->to_send > 0) {
		size_t len = c->to_send < sizeof(block) ? c->to_send : sizeof(block);
		ssize_t n = send(c->fd, block, len, MSG_NOSIGNAL);

		if (n < 0)
			return 1;
		c->to_send -= (size_t)n;
	}
	return 0;
}

/* Nonzero if the message has come back whole. */
static int pull(struct client *c)
{
	while (c->to_receive > 0) {
		ssize_t n = recv(c->fd, block, sizeof(block), 0);

		if (n <= 0)
			return 0;
		c->to_receive -= (size_t)n;
	}
	return 1;
}

static void begin(struct client *c, size_t size, int epoll)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	c->messages--;
	c->to_send = c->to_receive = size;
	if (push(c))
		ev.events |= EPOLLOUT;
	if (size > sizeof(block) / 4)
		epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &ev);
}

static void serve_client(struct client *c, const struct epoll_event *what, size_t size, int epoll,
			 long *left)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	if ((what->events & EPOLLOUT) && !push(c))
		epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &ev);
	if (!pull(c))
		return;
	if (c->messages > 0) {
		begin(c, size, epoll);
	} else {
		close(c->fd);
		--*left;
	}
}

static void run_clients(const struct sockaddr_in *sin, long count, size_t size, long messages)
{
	struct client *clients = calloc((size_t)count, sizeof(*clients));
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	long left = count;

	if (clients == NULL || epoll < 0)
		bench_die("clients");
	for (long i = 0; i < count; i++) {
		struct client *c = &clients[i];
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

		c->fd = dial(sin);
		c->messages = messages / count;
		fcntl(c->fd, F_SETFL, O_NONBLOCK);
		epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &ev);
	}
	for (long i = 0; i < count; i++)
		begin(&clients[i], size, epoll);
	while (left > 0) {
		struct epoll_event events[256];
		int n = epoll_wait(epoll, events, 256, -1);

		for (int i = 0; i < n; i++)
			serve_client(events[i].data.ptr, &events[i], size, epoll, &left);
	}
}

static void run_churn(const struct sockaddr_in *sin, long count, size_t size, long messages)
{
	(void)count;
	for (long i = 0; i < messages; i++) {
		int fd = dial(sin);

		if (send(fd, block, size, 0) != (ssize_t)size ||
		    recv(fd, block, size, MSG_WAITALL) != (ssize_t)size)
			bench_die("churn");
		close(fd);
	}
}

/* --- The server ------------------------------------------------------------------------------- */

struct server {
	struct event_base *base;
	long left; /* connections that will still end */
};

static void echo(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_write_buffer(bev, bufferevent_get_input(bev));
}

static void end(struct bufferevent *bev, short what, void *arg)
{
	struct server *server = arg;

	(void)what;
	bufferevent_free(bev);
	if (--server->left == 0)
		event_base_loopbreak(server->base);
}

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		     int len, void *arg)
{
	struct server *server = arg;
	struct bufferevent *bev;

	(void)listener;
	(void)sa;
	(void)len;
	bev = bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		bench_die("bufferevent_socket_new");
	bufferevent_setcb(bev, echo, NULL, end, server);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static struct evconnlistener *listen_on(struct server *server, struct sockaddr_in *sin)
{
	struct evconnlistener *listener;
	socklen_t len = sizeof(*sin);

	*sin = (struct sockaddr_in){ .sin_family = AF_INET };
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = evconnlistener_new_bind(server->base, accepted, server,
					   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 1024,
					   (struct sockaddr *)sin, sizeof(*sin));
	if (listener == NULL ||
	    getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)sin, &len) != 0)
		bench_die("listen");
	return listener;
}

typedef void (*clients_fn)(const struct sockaddr_in *sin, long count, size_t size, long messages);

static void measure(clients_fn clients, long count, size_t size, long messages, long connections)
{
	struct server server = { event_base_new(), connections };
	struct sockaddr_in sin;
	struct evconnlistener *listener = listen_on(&server, &sin);
	uint64_t start;
	pid_t child;

	allow_descriptors((rlim_t)count + 100);
	child = fork();
	if (child < 0)
		bench_die("fork");
	if (child == 0) {
		clients(&sin, count, size, messages);
		_exit(0);
	}
	start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	event_base_dispatch(server.base);
	bench_report_ns(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start, (double)messages);
	waitpid(child, NULL, 0);
	evconnlistener_free(listener);
	event_base_free(server.base);
}

static void run_echo(long n, const struct bench_case *which)
{
	n = n / which->a * which->a;
	measure(run_clients, which->a, (size_t)which->b, n > 0 ? n : which->a, which->a);
}

static void run_connections(long n, const struct bench_case *which)
{
	measure(run_churn, 1, (size_t)which->b, n, n);
}

/* --- Memory ----------------------------------------------------------------------------------- */

static void exchange(struct event_base *base, int (*fd)[2], long n)
{
	for (long i = 0; i < n; i++)
		if (write(fd[i][1], block, 64) != 64)
			bench_die("write");
	for (long i = 0; i < n; i++)
		while (read(fd[i][1], block, 64) != 64)
			event_base_loop(base, EVLOOP_NONBLOCK);
}

static void memory(long n, const struct bench_case *which)
{
	struct server server = { event_base_new(), 0 };
	int(*fd)[2] = calloc((size_t)n, sizeof(*fd));
	size_t before;

	allow_descriptors(2 * (rlim_t)n + 100);
	for (long i = 0; i < n; i++)
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd[i]) != 0)
			bench_die("socketpair");
	before = mallinfo2().uordblks;
	for (long i = 0; i < n; i++)
		accepted(NULL, fd[i][0], NULL, 0, &server);
	event_base_loop(server.base, EVLOOP_NONBLOCK);
	if (which->a)
		exchange(server.base, fd, n);
	printf("%.0f B\n", (double)(mallinfo2().uordblks - before) / (double)n);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		{ "64/1", run_echo, 1, 64, 30000 },
		{ "64/100", run_echo, 100, 64, 300000 },
		{ "64/1000", run_echo, 1000, 64, 300000 },
		{ "4k/100", run_echo, 100, 4096, 200000 },
		{ "4k/1000", run_echo, 1000, 4096, 200000 },
		{ "1m/1", run_echo, 1, 1 << 20, 500 },
		{ "1m/16", run_echo, 16, 1 << 20, 500 },
		{ "accept_echo_close", run_connections, 0, 64, 10000 },
		{ "mem/bufferevent", memory, 0, 0, 4000 },
		{ "mem/bufferevent-used", memory, 1, 0, 4000 },
		{ NULL, NULL, 0, 0, 0 },
	};

	return bench_main(argc, argv, cases);
}
