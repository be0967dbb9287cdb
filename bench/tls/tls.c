/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS bufferevents over TCP: an echo server in this process, its clients in a child.
 *
 * The cost is the server's processor time: per message, or per handshake. `raw` cases are the same
 * server without a library, on SSL_read(), SSL_write() and epoll alone: what cannot be left out. It
 * stays with a connection for as long as that has something; the one of `raw/fair` cases lets the
 * others have their turn after 256 KiB, as a server must.
 * `mem` cases tell the bytes of one connection that is idle, OpenSSL's included; `alloc` cases how
 * often the library, without OpenSSL, asks for memory per message.
 */

#include "../bench.h"

#include "load.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <fcntl.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static SSL_CTX *ctx;

static void allow_descriptors(rlim_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		bench_die("getrlimit");
	limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		bench_die("setrlimit");
}

/* A key and a certificate that nobody checks. */
static void set_up(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	signal(SIGPIPE, SIG_IGN);
	ctx = SSL_CTX_new(TLS_server_method());
	if (key == NULL || cert == NULL || ctx == NULL)
		bench_die("OpenSSL");
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	if (X509_sign(cert, key, EVP_sha256()) == 0 || SSL_CTX_use_certificate(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, key) != 1)
		bench_die("certificate");
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* --- With the library ------------------------------------------------------------------------- */

struct server {
	struct event_base *base;
	long to_end; /* connections that still will */
};

static void echo(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_write_buffer(bev, bufferevent_get_input(bev));
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct server *server = arg;

	if (what & BEV_EVENT_CONNECTED)
		return;
	bufferevent_free(bev);
	if (--server->to_end == 0)
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
	bev = bufferevent_openssl_socket_new(server->base, fd, SSL_new(ctx),
					     BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		bench_die("bufferevent_openssl_socket_new");
	bufferevent_setcb(bev, echo, NULL, on_event, server);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void find_port(evutil_socket_t fd, struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);

	if (getsockname(fd, (struct sockaddr *)sin, &len) != 0)
		bench_die("getsockname");
}

static struct evconnlistener *listen_with(struct server *server, struct sockaddr_in *sin)
{
	struct evconnlistener *listener = evconnlistener_new_bind(
		server->base, accepted, server, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 1024,
		(struct sockaddr *)sin, sizeof(*sin));

	if (listener == NULL)
		bench_die("listen");
	find_port(evconnlistener_get_fd(listener), sin);
	return listener;
}

/* --- Without ---------------------------------------------------------------------------------- */

struct raw {
	SSL *ssl;
	size_t len, sent; /* of `data`, which is taken while something is to be sent */
	char *data;
	struct raw *next; /* of those that had their turn, but may have more */
	int is_listed;
};

#define RAW_READ_LEN 65536
#define RAW_FAIR_LEN (256 * 1024)

static size_t raw_turn = SIZE_MAX;
static struct raw *raw_unfinished;

static char raw_block[RAW_READ_LEN];

static void raw_watch(struct raw *raw, int epoll, int operation, unsigned events)
{
	struct epoll_event ev = { .events = events, .data.ptr = raw };

	if (epoll_ctl(epoll, operation, SSL_get_fd(raw->ssl), &ev) != 0)
		bench_die("epoll_ctl");
}

static void raw_accept(int listener, int epoll)
{
	struct raw *raw;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		raw = calloc(1, sizeof(*raw));
		if (raw == NULL || (raw->ssl = SSL_new(ctx)) == NULL)
			bench_die("raw");
		SSL_set_fd(raw->ssl, fd);
		SSL_set_read_ahead(raw->ssl, 1);
		SSL_set_accept_state(raw->ssl);
		raw_watch(raw, epoll, EPOLL_CTL_ADD, EPOLLIN);
	}
}

static void raw_free(struct raw *raw)
{
	close(SSL_get_fd(raw->ssl));
	SSL_free(raw->ssl);
	free(raw->data);
	free(raw);
}

/* Nonzero if something is left. */
static int raw_push(struct raw *raw, const char *data, size_t len)
{
	size_t n;

	while (raw->sent < len) {
		if (SSL_write_ex(raw->ssl, data + raw->sent, len - raw->sent, &n) != 1)
			return 1;
		raw->sent += n;
	}
	return 0;
}

/* Keeps what the socket did not take. */
static int raw_echo(struct raw *raw, size_t len)
{
	raw->sent = 0;
	if (!raw_push(raw, raw_block, len))
		return 0;
	if (raw->data == NULL)
		raw->data = malloc(RAW_READ_LEN);
	if (raw->data == NULL)
		bench_die("malloc");
	memcpy(raw->data, raw_block, len);
	raw->len = len;
	return 1;
}

/* Nonzero if the connection has ended. */
static int raw_serve(struct raw *raw, int epoll)
{
	int was_blocked = raw->len > 0;
	size_t n, left = raw_turn;

	if (raw->len > 0 && !raw_push(raw, raw->data, raw->len)) {
		raw->len = 0;
		raw_watch(raw, epoll, EPOLL_CTL_MOD, EPOLLIN);
	}
	while (raw->len == 0) {
		if (left == 0) {
			raw->is_listed = 1;
			raw->next = raw_unfinished;
			raw_unfinished = raw;
			return 0;
		}
		if (SSL_read_ex(raw->ssl, raw_block, sizeof(raw_block), &n) == 1) {
			left -= n < left ? n : left;
			if (raw_echo(raw, n) && !was_blocked)
				raw_watch(raw, epoll, EPOLL_CTL_MOD, EPOLLOUT);
			continue;
		}
		if (SSL_get_error(raw->ssl, 0) == SSL_ERROR_WANT_READ)
			return 0;
		ERR_clear_error();
		raw_free(raw);
		return 1;
	}
	raw_watch(raw, epoll, EPOLL_CTL_MOD, EPOLLOUT);
	return 0;
}

/* How many of the connections have ended. */
static long raw_serve_list(struct raw *raw, int epoll)
{
	long ended = 0;

	while (raw != NULL) {
		struct raw *next = raw->next;

		raw->is_listed = 0;
		ended += raw_serve(raw, epoll);
		raw = next;
	}
	return ended;
}

static long raw_serve_ready(const struct epoll_event *events, int n, int listener, int epoll)
{
	long ended = 0;

	for (int i = 0; i < n; i++) {
		struct raw *raw = events[i].data.ptr;

		if (raw == NULL)
			raw_accept(listener, epoll);
		else if (!raw->is_listed)
			ended += raw_serve(raw, epoll);
	}
	return ended;
}

static int raw_listen(struct sockaddr_in *sin)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)sin, sizeof(*sin)) != 0 || listen(fd, 1024) != 0)
		bench_die("listen");
	find_port(fd, sin);
	return fd;
}

static void raw_run(int listener, long to_end)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = { .events = EPOLLIN }, events[256];

	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev);
	while (to_end > 0) {
		struct raw *unfinished = raw_unfinished;
		int n = epoll_wait(epoll, events, 256, unfinished != NULL ? 0 : -1);

		raw_unfinished = NULL; /* some are added to it now */
		to_end -= raw_serve_ready(events, n, listener, epoll);
		to_end -= raw_serve_list(unfinished, epoll);
	}
	close(epoll);
}

/* --- Measuring -------------------------------------------------------------------------------- */

typedef void (*load_fn)(const struct sockaddr_in *sin, long count, size_t size, long messages);

struct plan {
	load_fn load;
	long count;
	size_t size;
	long messages, connections;
};

static pid_t start_load(const struct plan *plan, const struct sockaddr_in *sin)
{
	pid_t child = fork();

	if (child < 0)
		bench_die("fork");
	if (child == 0) {
		plan->load(sin, plan->count, plan->size, plan->messages);
		_exit(0);
	}
	return child;
}

static uint64_t measure_library(const struct plan *plan)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct server server = { event_base_new(), plan->connections };
	struct evconnlistener *listener = listen_with(&server, &sin);
	pid_t child = start_load(plan, &sin);
	uint64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID), spent;

	event_base_dispatch(server.base);
	spent = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
	waitpid(child, NULL, 0);
	evconnlistener_free(listener);
	event_base_free(server.base);
	return spent;
}

static uint64_t measure_raw(const struct plan *plan)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = raw_listen(&sin);
	pid_t child = start_load(plan, &sin);
	uint64_t start = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID), spent;

	raw_run(listener, plan->connections);
	spent = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
	waitpid(child, NULL, 0);
	close(listener);
	return spent;
}

static struct plan plan_of(long n, const struct bench_case *which)
{
	long messages = n / which->a * which->a;

	if (which->b == 0)
		return (struct plan){ load_handshakes, 1, 0, n, n };
	return (struct plan) { load_messages, which->a, (size_t)which->b,
			       messages > 0 ? messages : which->a, which->a };
}

static void run_library(long n, const struct bench_case *which)
{
	struct plan plan = plan_of(n, which);

	set_up();
	bench_report_ns(measure_library(&plan), (double)plan.messages);
}

static void run_raw(long n, const struct bench_case *which)
{
	struct plan plan = plan_of(n, which);

	set_up();
	bench_report_ns(measure_raw(&plan), (double)plan.messages);
}

static void run_raw_fair(long n, const struct bench_case *which)
{
	raw_turn = RAW_FAIR_LEN;
	run_raw(n, which);
}

/* --- Memory ----------------------------------------------------------------------------------- */

static long allocations;

static void *count_malloc(size_t size)
{
	allocations++;
	return malloc(size);
}

static void *count_realloc(void *block, size_t size)
{
	allocations++;
	return realloc(block, size);
}

static void run_allocations(long n, const struct bench_case *which)
{
	struct plan plan = plan_of(n, which);

	set_up();
	event_set_mem_functions(count_malloc, count_realloc, free);
	measure_library(&plan);
	printf("%.3f allocs\n", (double)allocations / (double)plan.messages);
}

static void end_idle(pid_t child, size_t before, long n)
{
	printf("%.0f B\n", (double)(mallinfo2().uordblks - before) / (double)n);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void run_memory(long n, const struct bench_case *which)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct server server = { event_base_new(), 1 };
	struct evconnlistener *listener = listen_with(&server, &sin);
	struct plan plan = { load_idle, n + 1, 0, 0, 1 };
	size_t before;
	pid_t child;

	(void)which;
	set_up();
	allow_descriptors((rlim_t)n + 100);
	child = start_load(&plan, &sin);
	before = mallinfo2().uordblks;
	event_base_dispatch(server.base);
	end_idle(child, before, n);
	evconnlistener_free(listener);
}

static void run_memory_raw(long n, const struct bench_case *which)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = raw_listen(&sin);
	struct plan plan = { load_idle, n + 1, 0, 0, 1 };
	size_t before;
	pid_t child;

	(void)which;
	set_up();
	allow_descriptors((rlim_t)n + 100);
	child = start_load(&plan, &sin);
	before = mallinfo2().uordblks;
	raw_run(listener, plan.connections);
	end_idle(child, before, n);
	close(listener);
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		{ "64/1", run_library, 1, 64, 30000 },
		{ "64/100", run_library, 100, 64, 200000 },
		{ "4k/100", run_library, 100, 4096, 100000 },
		{ "1m/1", run_library, 1, 1 << 20, 300 },
		{ "1m/16", run_library, 16, 1 << 20, 320 },
		{ "handshake", run_library, 1, 0, 2000 },
		{ "raw/64/1", run_raw, 1, 64, 30000 },
		{ "raw/64/100", run_raw, 100, 64, 200000 },
		{ "raw/4k/100", run_raw, 100, 4096, 100000 },
		{ "raw/1m/1", run_raw, 1, 1 << 20, 300 },
		{ "raw/1m/16", run_raw, 16, 1 << 20, 320 },
		{ "raw/fair/1m/16", run_raw_fair, 16, 1 << 20, 320 },
		{ "raw/handshake", run_raw, 1, 0, 2000 },
		{ "alloc/64/100", run_allocations, 100, 64, 50000 },
		{ "alloc/4k/100", run_allocations, 100, 4096, 50000 },
		{ "alloc/1m/1", run_allocations, 1, 1 << 20, 50 },
		{ "mem/idle", run_memory, 0, 0, 1000 },
		{ "raw/mem/idle", run_memory_raw, 0, 0, 1000 },
		{ NULL, NULL, 0, 0, 0 },
	};

	return bench_main(argc, argv, cases);
}
