/* SPDX-License-Identifier: BSD-3-Clause */
/* The same lookups as lookup.c by c-ares, with a loop of its own around it. */

#include "load.h"

#include <ares.h>
#include <malloc.h>
#include <netdb.h>
#include <sys/epoll.h>

struct load {
	ares_channel channel;
	int ep;
	long left, open, next;
	int is_list;
};

static void ask(struct load *load);

static void ended(struct load *load)
{
	load->open--;
	if (load->left > 0)
		ask(load);
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct ares_addrttl address;
	int count = 1;

	(void)timeouts;
	if (status != ARES_SUCCESS ||
	    ares_parse_a_reply(bytes, len, NULL, &address, &count) != ARES_SUCCESS || count != 1)
		bench_die("answer");
	ended(arg);
}

static void on_list(void *arg, int status, int timeouts, struct ares_addrinfo *list)
{
	(void)timeouts;
	if (status != ARES_SUCCESS)
		bench_die("list");
	ares_freeaddrinfo(list);
	ended(arg);
}

static void ask(struct load *load)
{
	static const struct ares_addrinfo_hints hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NOSORT,
	};
	const char *name = name_of(load->next++);

	load->left--;
	load->open++;
	if (load->is_list)
		ares_getaddrinfo(load->channel, name, NULL, &hints, on_list, load);
	else
		ares_query(load->channel, name, 1, 1, on_answer, load);
}

/* The sockets c-ares waits for. */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct load *load = arg;
	struct epoll_event event = {
		.events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u), .data.fd = fd,
	};

	if (!readable && !writable)
		(void)epoll_ctl(load->ep, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(load->ep, EPOLL_CTL_MOD, fd, &event) != 0)
		(void)epoll_ctl(load->ep, EPOLL_CTL_ADD, fd, &event);
}

static void loop(struct load *load)
{
	while (load->open > 0) {
		struct epoll_event ready[16];
		struct timeval most = { 1, 0 }, *wait = ares_timeout(load->channel, &most, &most);
		int n = epoll_wait(load->ep, ready, 16,
				   (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000));

		for (int i = 0; i < n; i++)
			ares_process_fd(
				load->channel,
				ready[i].events & EPOLLIN ? ready[i].data.fd : ARES_SOCKET_BAD,
				ready[i].events & EPOLLOUT ? ready[i].data.fd : ARES_SOCKET_BAD);
		if (n == 0)
			ares_process_fd(load->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	}
}

static void begin(struct load *load, const struct sockaddr_in *name)
{
	struct ares_options options = { .lookups = (char[]){ "b" }, .sock_state_cb = on_socket,
		.sock_state_cb_data = load, .timeout = 5000 };
	char servers[32];

	load->ep = epoll_create1(0);
	snprintf(servers, sizeof(servers), "127.0.0.1:%d", ntohs(name->sin_port));
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
	    ares_init_options(&load->channel, &options, ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB |
			      ARES_OPT_TIMEOUTMS) != ARES_SUCCESS ||
	    ares_set_servers_ports_csv(load->channel, servers) != ARES_SUCCESS)
		bench_die("c-ares");
}

static void run(long n, const struct bench_case *which)
{
	struct load load = { .left = n, .is_list = which->b != 0 };
	struct sockaddr_in name;
	pid_t server = start_server(&name, 0);
	uint64_t start;

	begin(&load, &name);
	start = start_clock(which);
	for (long i = 0; i < which->a && load.left > 0; i++)
		ask(&load);
	loop(&load);
	report(which, start, n);
	ares_destroy(load.channel);
	close(load.ep);
	stop_server(server);
}

static void ignore(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	(void)arg;
	(void)status;
	(void)timeouts;
	(void)bytes;
	(void)len;
}

static void run_memory(long n, const struct bench_case *which)
{
	struct load load = { .left = 0 };
	struct sockaddr_in name;
	pid_t server = start_server(&name, 1);
	size_t before;

	(void)n;
	begin(&load, &name);
	before = mallinfo2().uordblks;
	for (long i = 0; i < which->a; i++)
		ares_query(load.channel, name_of(i), 1, 1, ignore, NULL);
	printf("%.0f B\n", (double)(mallinfo2().uordblks - before) / (double)which->a);
	ares_destroy(load.channel);
	close(load.ep);
	stop_server(server);
}

int main(int argc, char **argv)
{
	return dns_main(argc, argv, run, run_memory);
}
