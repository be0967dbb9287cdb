/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GET requests of a client, `a` at a time, each on a connection of its own that is kept alive. The
 * server is another process on bare system calls. get: 13 bytes of body; 10k: 10 KiB; headers: 30
 * fields in the response. `cpu` counts the client's processor time. raw: a loop that does only what
 * the case needs.
 */

#include "../bench.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARALLEL_MAX 64

enum { SMALL, LARGE, HEADERS };

static char reply[32768];
static size_t reply_len;

static void make_reply(long kind)
{
	size_t body = kind == LARGE ? 10240 : 13;
	int len = sprintf(reply, "HTTP/1.1 200 OK\r\nDate: Thu, 26 Nov 2026 10:00:00 GMT\r\n"
				 "Content-Length: %zu\r\nContent-Type: text/plain\r\n", body);

	for (int i = 0; kind == HEADERS && i < 27; i++)
		len += sprintf(reply + len,
			       "X-Header-Number-%d: the value of this header field\r\n", i);
	len += sprintf(reply + len, "\r\n");
	memset(reply + len, 'x', body);
	reply_len = (size_t)len + body;
}

/* --- Server ----------------------------------------------------------------------------------- */

static void answer(int fd)
{
	char got[4096];
	ssize_t len = read(fd, got, sizeof(got));

	/* Requests come whole, one at a time. */
	if (len < 4 || memcmp(got + len - 4, "\r\n\r\n", 4) != 0 ||
	    write(fd, reply, reply_len) != (ssize_t)reply_len)
		close(fd);
}

static void serve(int listener)
{
	int ep = epoll_create1(0), on = 1;
	struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };

	epoll_ctl(ep, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		struct epoll_event ready[PARALLEL_MAX];
		int n = epoll_wait(ep, ready, PARALLEL_MAX, -1);

		for (int i = 0; i < n; i++) {
			if (ready[i].data.fd != listener) {
				answer(ready[i].data.fd);
				continue;
			}
			event.data.fd = accept(listener, NULL, NULL);
			setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
			epoll_ctl(ep, EPOLL_CTL_ADD, event.data.fd, &event);
		}
	}
}

static pid_t start_server(struct sockaddr_in *ret_name)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t len = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	pid_t child;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0 || listen(fd, PARALLEL_MAX) != 0)
		bench_die("listen");
	getsockname(fd, (struct sockaddr *)&name, &len);
	child = fork();
	if (child == 0)
		serve(fd);
	close(fd);
	*ret_name = name;
	return child;
}

static void stop_server(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* --- Reporting -------------------------------------------------------------------------------- */

static int counts_cpu(const struct bench_case *which)
{
	return strstr(which->name, "cpu") != NULL;
}

static uint64_t start_clock(const struct bench_case *which)
{
	return counts_cpu(which) ? bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) : bench_now_ns();
}

static void report(const struct bench_case *which, uint64_t start, long n)
{
	if (counts_cpu(which))
		bench_report_ns(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start, (double)n);
	else
		bench_report_rate(bench_now_ns() - start, (double)n);
}

/* --- The library's client --------------------------------------------------------------------- */

struct load {
	struct event_base *base;
	long left; /* to start */
	long open;
};

struct line {
	struct load *load;
	struct evhttp_connection *evcon;
};

static void ask(struct line *line);

static void on_done(struct evhttp_request *req, void *arg)
{
	struct line *line = arg;

	if (req == NULL || evhttp_request_get_response_code(req) != 200 ||
	    evbuffer_get_length(evhttp_request_get_input_buffer(req)) < 13)
		bench_die("response");
	line->load->open--;
	if (line->load->left > 0)
		ask(line);
	else if (line->load->open == 0)
		event_base_loopbreak(line->load->base);
}

static void ask(struct line *line)
{
	struct evhttp_request *req = evhttp_request_new(on_done, line);

	line->load->left--;
	line->load->open++;
	evhttp_add_header(evhttp_request_get_output_headers(req), "Host", "localhost");
	if (evhttp_make_request(line->evcon, req, EVHTTP_REQ_GET, "/path/to/it") != 0)
		bench_die("request");
}

static void run_client(long n, const struct bench_case *which)
{
	struct load load = { .base = event_base_new() };
	struct line lines[PARALLEL_MAX];
	struct sockaddr_in name;
	pid_t server;
	uint64_t start;

	make_reply(which->b);
	server = start_server(&name);
	for (long i = 0; i < which->a; i++)
		lines[i] = (struct line) { &load,
					   evhttp_connection_base_new(load.base, NULL, "127.0.0.1",
								      ntohs(name.sin_port)) };
	/* Connected and warm before the clock starts. */
	for (int round = 0; round < 2; round++) {
		load.left = round == 0 ? which->a * 4 : n;
		start = start_clock(which);
		for (long i = 0; i < which->a && load.left > 0; i++)
			ask(&lines[i]);
		event_base_dispatch(load.base);
	}
	report(which, start, n);
	for (long i = 0; i < which->a; i++)
		evhttp_connection_free(lines[i].evcon);
	event_base_free(load.base);
	stop_server(server);
}

/* --- By hand ---------------------------------------------------------------------------------- */

static const char request[] = "GET /path/to/it HTTP/1.1\r\nHost: localhost\r\n\r\n";

static int raw_connect(const struct sockaddr_in *name)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (connect(fd, (const struct sockaddr *)name, sizeof(*name)) != 0)
		bench_die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void raw_ask(int fd)
{
	if (write(fd, request, sizeof(request) - 1) != (ssize_t)sizeof(request) - 1)
		bench_die("write");
}

static void run_raw(long n, const struct bench_case *which)
{
	size_t have[PARALLEL_MAX] = { 0 };
	int fds[PARALLEL_MAX];
	struct sockaddr_in name;
	struct epoll_event ready[PARALLEL_MAX];
	static char got[65536];
	pid_t server;
	uint64_t start;
	long left = n, done = 0;
	int ep = epoll_create1(0);

	make_reply(which->b);
	server = start_server(&name);
	for (long i = 0; i < which->a; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = (uint32_t)i };

		fds[i] = raw_connect(&name);
		epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &event);
	}
	start = start_clock(which);
	for (long i = 0; i < which->a && left > 0; i++, left--)
		raw_ask(fds[i]);
	while (done < n) {
		int count = epoll_wait(ep, ready, PARALLEL_MAX, -1);

		for (int i = 0; i < count; i++) {
			uint32_t at = ready[i].data.u32;
			ssize_t len = read(fds[at], got, sizeof(got));

			if (len <= 0 || memcmp(got, have[at] == 0 ? "HTTP/1.1 200" : got, 12) != 0)
				bench_die("read");
			have[at] += (size_t)len;
			if (have[at] < reply_len)
				continue;
			have[at] = 0;
			done++;
			if (left > 0) {
				left--;
				raw_ask(fds[at]);
			}
		}
	}
	report(which, start, n);
	for (long i = 0; i < which->a; i++)
		close(fds[i]);
	close(ep);
	stop_server(server);
}

static const struct bench_case cases[] = {
	{ "get/1", run_client, 1, SMALL, 20000 },
	{ "get/16", run_client, 16, SMALL, 60000 },
	{ "get/16:cpu", run_client, 16, SMALL, 60000 },
	{ "10k/16", run_client, 16, LARGE, 40000 },
	{ "10k/16:cpu", run_client, 16, LARGE, 40000 },
	{ "headers/16", run_client, 16, HEADERS, 40000 },
	{ "headers/16:cpu", run_client, 16, HEADERS, 40000 },
	{ "raw/16", run_raw, 16, SMALL, 60000 },
	{ "raw/16:cpu", run_raw, 16, SMALL, 60000 },
	{ NULL, NULL, 0, 0, 0 },
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, cases);
}
