/* SPDX-License-Identifier: BSD-3-Clause */

#include "load.h"

#include "../bench.h"

#include <openssl/ssl.h>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	SSL *ssl;
	long messages; /* still to begin */
	size_t to_send, to_receive;
};

static char block[1 << 16];
static SSL_CTX *ctx;

/* A message may be pushed from any place of the block. */
static void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL)
		bench_die("SSL_CTX_new");
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1);
}

static SSL *dial(const struct sockaddr_in *sin)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL *ssl = SSL_new(ctx);

	if (fd < 0 || ssl == NULL || connect(fd, (const struct sockaddr *)sin, sizeof(*sin)) != 0)
		bench_die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
		bench_die("SSL_connect");
	return ssl;
}

static void hang_up(SSL *ssl)
{
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}

/* Sends what the socket takes; nonzero if something is left. */
static int push(struct client *c)
{
	while (c->to_send > 0) {
		size_t len = c->to_send < sizeof(block) ? c->to_send : sizeof(block);
		int n = SSL_write(c->ssl, block, (int)len);

		if (n <= 0)
			return 1;
		c->to_send -= (size_t)n;
	}
	return 0;
}

/* Nonzero if the message has come back whole. */
static int pull(struct client *c)
{
	while (c->to_receive > 0) {
		int n = SSL_read(c->ssl, block, sizeof(block));

		if (n <= 0)
			return 0;
		c->to_receive -= (size_t)n;
	}
	return 1;
}

static void watch(struct client *c, int epoll, int operation, int is_blocked)
{
	struct epoll_event ev = { .events = EPOLLIN | (is_blocked ? EPOLLOUT : 0), .data.ptr = c };

	if (epoll_ctl(epoll, operation, SSL_get_fd(c->ssl), &ev) != 0)
		bench_die("epoll_ctl");
}

static void begin(struct client *c, size_t size, int epoll)
{
	c->messages--;
	c->to_send = c->to_receive = size;
	if (push(c))
		watch(c, epoll, EPOLL_CTL_MOD, 1);
}

static void serve_client(struct client *c, const struct epoll_event *what, size_t size, int epoll,
			 long *left)
{
	if ((what->events & EPOLLOUT) && !push(c))
		watch(c, epoll, EPOLL_CTL_MOD, 0);
	if (!pull(c))
		return;
	if (c->messages > 0) {
		begin(c, size, epoll);
	} else {
		hang_up(c->ssl);
		--*left;
	}
}

void load_messages(const struct sockaddr_in *sin, long count, size_t size, long messages)
{
	struct client *clients = calloc((size_t)count, sizeof(*clients));
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	long left = count;

	set_up();
	if (clients == NULL || epoll < 0)
		bench_die("clients");
	for (long i = 0; i < count; i++) {
		clients[i].ssl = dial(sin);
		clients[i].messages = messages / count;
		fcntl(SSL_get_fd(clients[i].ssl), F_SETFL, O_NONBLOCK);
		watch(&clients[i], epoll, EPOLL_CTL_ADD, 0);
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

void load_handshakes(const struct sockaddr_in *sin, long count, size_t size, long messages)
{
	(void)count;
	(void)size;
	set_up();
	for (long i = 0; i < messages; i++) {
		SSL *ssl = dial(sin);

		SSL_shutdown(ssl);
		hang_up(ssl);
	}
}

void load_idle(const struct sockaddr_in *sin, long count, size_t size, long messages)
{
	SSL *ssl = NULL;

	(void)size;
	(void)messages;
	set_up();
	for (long i = 0; i < count; i++)
		ssl = dial(sin);
	hang_up(ssl);
	pause();
}
