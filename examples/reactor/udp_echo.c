/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * udp_echo [PORT]: sends datagrams back to where they came from.
 *
 *     udp_echo 7777 &
 *     echo hello | nc -u -w1 localhost 7777
 *
 * Takes up to 32 datagrams with one system call and answers them with another: recvmmsg(2) and
 * sendmmsg(2). What the socket does not take is dropped, as datagrams are.
 */

#define _GNU_SOURCE /* recvmmsg(2) */

#include <event2/event.h>

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH        32
#define DATAGRAM_MAX 65536

struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec pieces[BATCH];
	struct sockaddr_storage peers[BATCH];
	char data[BATCH][DATAGRAM_MAX];
};

static void prepare(struct batch *b)
{
	for (int i = 0; i < BATCH; i++) {
		b->pieces[i] = (struct iovec){ b->data[i], sizeof(b->data[i]) };
		b->messages[i].msg_hdr = (struct msghdr) { .msg_name = &b->peers[i],
							   .msg_namelen = sizeof(b->peers[i]),
							   .msg_iov = &b->pieces[i],
							   .msg_iovlen = 1 };
	}
}

/* One batch a turn, so that a flood leaves time for the loop's other events. */
static void on_datagrams(evutil_socket_t fd, short what, void *arg)
{
	struct batch *b = arg;
	int n;

	(void)what;
	prepare(b);
	n = recvmmsg(fd, b->messages, BATCH, 0, NULL);
	for (int i = 0; i < n; i++)
		b->pieces[i].iov_len = b->messages[i].msg_len;
	if (n > 0)
		(void)sendmmsg(fd, b->messages, (unsigned)n, 0);
}

static void on_end(evutil_socket_t signal_number, short what, void *arg)
{
	(void)signal_number;
	(void)what;
	event_base_loopbreak(arg);
}

static evutil_socket_t open_socket(unsigned short port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	socklen_t len = sizeof(address);
	evutil_socket_t fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
		perror("udp_echo");
		exit(1);
	}
	printf("listening on port %d\n", ntohs(address.sin6_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	evutil_socket_t fd = open_socket((unsigned short)(argc > 1 ? atoi(argv[1]) : 0));
	struct event_base *base = event_base_new();
	struct batch *batch = malloc(sizeof(*batch));
	struct event *datagrams = event_new(base, fd, EV_READ | EV_PERSIST, on_datagrams, batch);
	struct event *end = evsignal_new(base, SIGTERM, on_end, base);

	if (batch == NULL || datagrams == NULL || end == NULL || event_add(datagrams, NULL) < 0 ||
	    event_add(end, NULL) < 0) {
		perror("udp_echo");
		return 1;
	}
	event_base_dispatch(base);
	event_free(datagrams);
	event_free(end);
	event_base_free(base);
	evutil_closesocket(fd);
	free(batch);
	return 0;
}
