/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A load for memcached: many connections, each with one request under way at a time. Written on
 * bare epoll, so that the client costs the same whatever library the server runs on.
 *
 *   memcached_load PORT CONNECTIONS REQUESTS     prints requests per second
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define VALUE_LEN 100

struct connection {
	int fd;
	long requests;
	size_t expected, got; /* bytes of the reply under way */
};

static long left;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static int connect_to(int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* One set, then nine gets, and again. */
static void send_request(struct connection *c)
{
	char text[VALUE_LEN + 64], value[VALUE_LEN + 1];
	int len;

	if (c->requests++ % 10 == 0) {
		memset(value, 'v', VALUE_LEN);
		value[VALUE_LEN] = '\0';
		len = snprintf(text, sizeof(text), "set key%d 0 0 %d\r\n%s\r\n", c->fd, VALUE_LEN,
			       value);
		c->expected = strlen("STORED\r\n");
	} else {
		char head[64];

		len = snprintf(text, sizeof(text), "get key%d\r\n", c->fd);
		c->expected = (size_t)snprintf(head, sizeof(head), "VALUE key%d 0 %d\r\n", c->fd,
			VALUE_LEN) + VALUE_LEN + strlen("\r\nEND\r\n");
	}
	c->got = 0;
	if (write(c->fd, text, (size_t)len) != len)
		die("write");
}

static void read_reply(struct connection *c)
{
	char text[4096];
	ssize_t n = read(c->fd, text, sizeof(text));

	if (n <= 0)
		die("the server closed");
	c->got += (size_t)n;
	if (c->got < c->expected)
		return;
	left--;
	send_request(c);
}

int main(int argc, char **argv)
{
	long count = argc > 3 ? atol(argv[2]) : 0, total;
	struct connection *connections = calloc((size_t)count, sizeof(*connections));
	struct rlimit limit = { (rlim_t)count + 50, (rlim_t)count + 50 };
	struct epoll_event events[256];
	struct timespec start, end;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (count <= 0 || connections == NULL || epoll < 0) {
		fprintf(stderr, "usage: memcached_load PORT CONNECTIONS REQUESTS\n");
		return 2;
	}
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* a lower limit shows in connect() */
	total = left = atol(argv[3]);
	for (long i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };

		connections[i].fd = connect_to(atoi(argv[1]));
		epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (long i = 0; i < count; i++)
		send_request(&connections[i]);
	while (left > 0) {
		int n = epoll_wait(epoll, events, 256, -1);

		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++)
			read_reply(events[i].data.ptr);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.0f\n", (double)total / ((double)(end.tv_sec - start.tv_sec) +
		(double)(end.tv_nsec - start.tv_nsec) / 1e9));
	return 0;
}
