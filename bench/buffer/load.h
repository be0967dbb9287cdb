/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_H_INCLUDED
#define LOAD_H_INCLUDED

/*
 * The load of the echo servers: clients on bare system calls in a child, and how results are
 * reported. Each program is one server.
 *
 * The cost is the server's processor time per message, so that neither the clients nor the number
 * of processors show.
 */

#include "../bench.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The server: echoes on what `listener` accepts until so many connections have ended. */
static void serve(int listener, long connections);

static inline void allow_descriptors(rlim_t count)
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

static inline int dial(const struct sockaddr_in *sin)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)sin, sizeof(*sin)) != 0)
		bench_die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Sends what the socket takes; nonzero if something is left. */
static inline int push(struct client *c)
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
static inline int pull(struct client *c)
{
	while (c->to_receive > 0) {
		ssize_t n = recv(c->fd, block, sizeof(block), 0);

		if (n <= 0)
			return 0;
		c->to_receive -= (size_t)n;
	}
	return 1;
}

static inline void begin(struct client *c, size_t size, int epoll)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	c->messages--;
	c->to_send = c->to_receive = size;
	if (push(c))
		ev.events |= EPOLLOUT;
	if (size > sizeof(block) / 4)
		epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &ev);
}

static inline void serve_client(struct client *c, const struct epoll_event *what, size_t size,
				int epoll, long *left)
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

static inline void run_clients(const struct sockaddr_in *sin, long count, size_t size,
			       long messages)
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

static inline void run_churn(const struct sockaddr_in *sin, long count, size_t size, long messages)
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

/* --- The cases -------------------------------------------------------------------------------- */

static inline int listen_here(struct sockaddr_in *sin)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	socklen_t len = sizeof(*sin);

	*sin = (struct sockaddr_in){ .sin_family = AF_INET };
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)sin, sizeof(*sin)) != 0 || listen(fd, 1024) != 0 ||
	    getsockname(fd, (struct sockaddr *)sin, &len) != 0)
		bench_die("listen");
	return fd;
}

typedef void (*clients_fn)(const struct sockaddr_in *sin, long count, size_t size, long messages);

static inline void measure(clients_fn clients, long count, size_t size, long messages,
			   long connections)
{
	struct sockaddr_in sin;
	int listener = listen_here(&sin);
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
	start = bench_cpu_ns();
	serve(listener, connections);
	bench_report_ns(bench_cpu_ns() - start, (double)messages);
	waitpid(child, NULL, 0);
}

static inline void run_echo(long n, const struct bench_case *which)
{
	n = n / which->a * which->a;
	measure(run_clients, which->a, (size_t)which->b, n > 0 ? n : which->a, which->a);
}

static inline void run_connections(long n, const struct bench_case *which)
{
	measure(run_churn, 1, (size_t)which->b, n, n);
}

/* `run_memory`: the bytes that one connection takes; NULL if a peer has nothing to compare. */
static inline int echo_main(int argc, char **argv,
			    void (*run_memory)(long n, const struct bench_case *which))
{
	const struct bench_case cases[] = {
		{ "64/1", run_echo, 1, 64, 30000 },
		{ "64/100", run_echo, 100, 64, 300000 },
		{ "64/1000", run_echo, 1000, 64, 300000 },
		{ "4k/100", run_echo, 100, 4096, 200000 },
		{ "4k/1000", run_echo, 1000, 4096, 200000 },
		{ "1m/1", run_echo, 1, 1 << 20, 500 },
		{ "1m/16", run_echo, 16, 1 << 20, 500 },
		{ "accept_echo_close", run_connections, 0, 64, 10000 },
		{ run_memory != NULL ? "mem/bufferevent" : NULL, run_memory, 0, 0, 4000 },
		{ "mem/bufferevent-used", run_memory, 1, 0, 4000 },
		{ NULL, NULL, 0, 0, 0 },
	};

	return bench_main(argc, argv, cases);
}

#endif
