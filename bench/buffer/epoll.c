/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The echo server that no library can beat by much: epoll, and nothing but what echoing needs.
 * What a read delivered is written at once; only what the socket does not take is kept.
 */

#include "load.h"

#define READ_SIZE (1 << 18)

struct connection {
	int fd;
	char *rest; /* owned; what waits for the socket, or NULL */
	size_t sent, rest_len;
};

static struct connection listening;

static void watch(int epoll, struct connection *c, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };

	if (epoll_ctl(epoll, operation, c->fd, &event) != 0)
		bench_die("epoll_ctl");
}

static void accept_one(int epoll)
{
	int fd = accept4(listening.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *c = fd < 0 ? NULL : calloc(1, sizeof(*c));

	if (c == NULL)
		return;
	c->fd = fd;
	watch(epoll, c, EPOLL_CTL_ADD, EPOLLIN);
}

static void keep(int epoll, struct connection *c, const char *rest, size_t len)
{
	c->rest = malloc(len);
	if (c->rest == NULL)
		bench_die("malloc");
	memcpy(c->rest, rest, len);
	c->sent = 0;
	c->rest_len = len;
	watch(epoll, c, EPOLL_CTL_MOD, EPOLLOUT);
}

/* Nonzero if the connection has ended. */
static int echo(int epoll, struct connection *c)
{
	static char bytes[READ_SIZE];
	ssize_t n = read(c->fd, bytes, sizeof(bytes)), sent;

	if (n <= 0)
		return 1;
	sent = send(c->fd, bytes, (size_t)n, MSG_NOSIGNAL);
	if (sent < n)
		keep(epoll, c, bytes + (sent > 0 ? sent : 0), (size_t)(n - (sent > 0 ? sent : 0)));
	return 0;
}

static void write_on(int epoll, struct connection *c)
{
	ssize_t n = send(c->fd, c->rest + c->sent, c->rest_len - c->sent, MSG_NOSIGNAL);

	if (n > 0)
		c->sent += (size_t)n;
	if (c->sent < c->rest_len)
		return;
	free(c->rest);
	c->rest = NULL;
	watch(epoll, c, EPOLL_CTL_MOD, EPOLLIN);
}

static void serve(int listener, long connections)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	listening.fd = listener;
	watch(epoll, &listening, EPOLL_CTL_ADD, EPOLLIN);
	while (connections > 0) {
		struct epoll_event events[256];
		int n = epoll_wait(epoll, events, 256, -1);

		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (c == &listening) {
				accept_one(epoll);
			} else if (c->rest != NULL) {
				write_on(epoll, c);
			} else if (echo(epoll, c)) {
				close(c->fd);
				free(c);
				connections--;
			}
		}
	}
	close(epoll);
	close(listener);
}

int main(int argc, char **argv)
{
	return echo_main(argc, argv, NULL);
}
