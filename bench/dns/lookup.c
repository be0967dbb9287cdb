/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lookups, `a` at a time; the server is another process on bare system calls. a: addresses of one
 * kind; getaddrinfo: both kinds, and a new name each time, so that nothing comes from a cache.
 * `cpu` counts the resolver's processor time. memory: bytes that one of `a` outstanding queries
 * takes.
 */

#include "load.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

#include <malloc.h>

struct load {
	struct event_base *base;
	struct evdns_base *dns;
	long left, open, next;
	int is_list;
};

static void ask(struct load *load);

static void ended(struct load *load)
{
	load->open--;
	if (load->left > 0)
		ask(load);
	else if (load->open == 0)
		event_base_loopbreak(load->base);
}

static void on_answer(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	(void)type;
	(void)ttl;
	(void)addresses;
	if (result != DNS_ERR_NONE || count != 1)
		bench_die("answer");
	ended(arg);
}

static void on_list(int result, struct evutil_addrinfo *list, void *arg)
{
	if (result != 0 || list == NULL)
		bench_die("list");
	evutil_freeaddrinfo(list);
	ended(arg);
}

static void ask(struct load *load)
{
	static const struct evutil_addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const char *name = name_of(load->next++);

	load->left--;
	load->open++;
	if (load->is_list)
		(void)evdns_getaddrinfo(load->dns, name, NULL, &hints, on_list, load);
	else if (evdns_base_resolve_ipv4(load->dns, name, DNS_QUERY_NO_SEARCH, on_answer, load) ==
		 NULL)
		bench_die("resolve");
}

static void begin(struct load *load, const struct sockaddr_in *name, long parallel)
{
	char text[32];

	load->base = event_base_new();
	load->dns = evdns_base_new(load->base, 0);
	snprintf(text, sizeof(text), "%ld", 2 * parallel);
	evdns_base_set_option(load->dns, "max-inflight", text);
	if (evdns_base_nameserver_sockaddr_add(load->dns, (const struct sockaddr *)name,
					       sizeof(*name), 0) != 0)
		bench_die("nameserver");
}

static void end(struct load *load)
{
	evdns_base_free(load->dns, 0);
	event_base_free(load->base);
}

static void run(long n, const struct bench_case *which)
{
	struct load load = { .left = n, .is_list = which->b != 0 };
	struct sockaddr_in name;
	pid_t server = start_server(&name, 0);
	uint64_t start;

	begin(&load, &name, which->a);
	start = start_clock(which);
	for (long i = 0; i < which->a && load.left > 0; i++)
		ask(&load);
	event_base_dispatch(load.base);
	report(which, start, n);
	end(&load);
	stop_server(server);
}

static void ignore(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	(void)result;
	(void)type;
	(void)count;
	(void)ttl;
	(void)addresses;
	(void)arg;
}

static void run_memory(long n, const struct bench_case *which)
{
	struct load load = { .left = 0 };
	struct sockaddr_in name;
	pid_t server = start_server(&name, 1);
	size_t before;

	(void)n;
	begin(&load, &name, which->a);
	before = mallinfo2().uordblks;
	for (long i = 0; i < which->a; i++) {
		if (evdns_base_resolve_ipv4(load.dns, name_of(i), 0, ignore, NULL) == NULL)
			bench_die("resolve");
	}
	printf("%.0f B\n", (double)(mallinfo2().uordblks - before) / (double)which->a);
	end(&load);
	stop_server(server);
}

int main(int argc, char **argv)
{
	return dns_main(argc, argv, run, run_memory);
}
