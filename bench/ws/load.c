/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ws_load PORT CONNECTIONS MESSAGES SIZE [IN-FLIGHT]: echoes of binary messages, on bare system
 * calls. Prints messages a second. With MESSAGES 0 the sessions are opened and held until the input
 * ends.
 */

#include <arpa/inet.h>
#include <errno.h>
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

static const char request[] =
	"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

struct connection {
	int fd;
	size_t unsent; /* bytes of frames that are to go out */
	size_t unread; /* of the echo that is coming in; 0: between two */
};

static char *frames; /* several times the same frame, masked */
static size_t frame_len, echo_len, depth = 1;
static long to_send, to_receive;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static size_t put_head(char *out, size_t len, unsigned mask_bit)
{
	size_t bytes = len < 126 ? 0 : len < 65536 ? 2 : 8;

	out[0] = (char)0x82;
	out[1] = (char)(mask_bit | (bytes == 0 ? len : bytes == 2 ? 126 : 127));
	for (size_t i = 0; i < bytes; i++)
		out[2 + i] = (char)((uint64_t)len >> (8 * (bytes - 1 - i)));
	return 2 + bytes;
}

static void make_frames(size_t size)
{
	char head[16];
	size_t head_len = put_head(head, size, 0x80);

	echo_len = head_len + size;
	frame_len = head_len + 4 + size;
	frames = calloc(depth, frame_len);
	for (size_t i = 0; i < depth; i++) {
		char *frame = frames + i * frame_len;

		memcpy(frame, head, head_len);
		for (size_t k = head_len; k < frame_len; k++)
			frame[k] = (char)(k * 31);
	}
}

static int open_session(int port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	char reply[1024] = "";
	size_t len = 0;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (write(fd, request, sizeof(request) - 1) != sizeof(request) - 1)
		die("write");
	while (strstr(reply, "\r\n\r\n") == NULL) {
		ssize_t n = read(fd, reply + len, sizeof(reply) - 1 - len);

		if (n <= 0)
			die("read");
		len += (size_t)n;
	}
	if (strncmp(reply, "HTTP/1.1 101", 12) != 0) {
		fprintf(stderr, "%s", reply);
		exit(1);
	}
	return fd;
}

/* What is unsent is always the end of `frames`. */
static void send_some(struct connection *c)
{
	while (c->unsent > 0) {
		ssize_t n = send(c->fd, frames + depth * frame_len - c->unsent, c->unsent,
				 MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			die("send");
		c->unsent -= (size_t)n;
	}
}

static void start_message(struct connection *c)
{
	if (to_send-- > 0) {
		c->unsent += frame_len;
		send_some(c);
	}
}

static void receive(struct connection *c)
{
	static char data[1 << 20];
	ssize_t n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);
	size_t left;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("recv");
	left = (size_t)n;
	while (left > 0) {
		size_t part;

		if (c->unread == 0)
			c->unread = echo_len;
		part = left < c->unread ? left : c->unread;
		c->unread -= part;
		left -= part;
		if (c->unread == 0) {
			to_receive--;
			start_message(c);
		}
	}
}

static double run(struct connection *connections, int count, long messages)
{
	int ep = epoll_create1(0);
	struct timespec start, end;

	to_send = to_receive = messages;
	for (int i = 0; i < count; i++) {
		struct epoll_event event = {
			.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &connections[i],
		};

		epoll_ctl(ep, EPOLL_CTL_ADD, connections[i].fd, &event);
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (size_t k = 0; k < depth; k++) {
		for (int i = 0; i < count; i++)
			start_message(&connections[i]);
	}
	while (to_receive > 0) {
		struct epoll_event events[256];
		int n = epoll_wait(ep, events, 256, 10000);

		if (n == 0)
			die("nothing comes back");
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (events[i].events & EPOLLOUT)
				send_some(c);
			if (events[i].events & EPOLLIN)
				receive(c);
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
	int count = argc > 4 ? atoi(argv[2]) : 0;
	long messages = argc > 4 ? atol(argv[3]) : 0;
	struct connection *connections = calloc((size_t)count + 1, sizeof(*connections));
	struct rlimit files;

	if (count == 0) {
		fprintf(stderr, "usage: %s PORT CONNECTIONS MESSAGES SIZE [IN-FLIGHT]\n", argv[0]);
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	depth = argc > 5 ? strtoul(argv[5], NULL, 10) : 1;
	make_frames(strtoul(argv[4], NULL, 10));
	for (int i = 0; i < count; i++)
		connections[i].fd = open_session(atoi(argv[1]));
	if (messages > 0) {
		printf("%.0f\n", (double)messages / run(connections, count, messages));
	} else {
		printf("open\n");
		fflush(stdout);
		(void)getchar();
	}
	return 0;
}
