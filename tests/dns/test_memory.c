/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that is refused: every allocation once, in the resolver and in the server that answers it.
 * Each request still ends once, nothing is left, and afterwards all works.
 */

#include "server.h"

TestSuite(dns_memory, .init = support_leak_init, .fini = support_leak_fini, .timeout = 300);

/* Answers as far as memory lasts. */
static void answer_or_drop(struct evdns_server_request *req, void *arg)
{
	static const uint8_t ip[4] = { 10, 0, 0, 1 };
	const char *name = req->questions[0]->name;

	(void)arg;
	if (evdns_server_request_add_a_reply(req, name, 1, ip, 60) < 0 ||
	    evdns_server_request_add_cname_reply(req, name, "other.example", 60) < 0 ||
	    evdns_server_request_add_ptr_reply(req, NULL, name, "name.example", 60) < 0 ||
	    evdns_server_request_respond(req, 0) < 0)
		(void)evdns_server_request_drop(req);
}

struct scene {
	struct served s;
	struct evdns_base *dns;
};

typedef void scene_fn(struct scene *scene);

static void try_all(scene_fn *fn)
{
	for (long n = 0; n < 2000; n++) {
		struct scene scene;

		memset(&scene, 0, sizeof(scene));
		serve(&scene.s, answer_or_drop);
		serve_tcp(&scene.s);
		scene.dns = evdns_base_new(scene.s.base, 0);
		cr_assert_not_null(scene.dns);
		set_option(scene.dns, "timeout", "0.03");
		set_option(scene.dns, "initial-probe-timeout", NEVER);
		cr_assert_eq(evdns_base_nameserver_sockaddr_add(scene.dns,
								(struct sockaddr *)&scene.s.addr,
								sizeof(scene.s.addr), 0),
			     0);
		support_fail_once_after(n);
		fn(&scene);
		if (!support_has_refused()) {
			cr_assert_gt(n, 0, "something was refused at all");
			n = 2000;
		}
		support_fail_once_after(-1);
		evdns_base_free(scene.dns, 0);
		serve_end(&scene.s);
	}
}

static void await_told(struct scene *scene, struct told *t)
{
	while (t->calls == 0)
		event_base_loop(scene->s.base, EVLOOP_ONCE);
	cr_assert_eq(t->calls, 1);
}

static void ask(struct scene *scene, const char *name, int flags)
{
	struct told t = { 0 };

	if (evdns_base_resolve_ipv4(scene->dns, name, flags, tell, &t) != NULL)
		await_told(scene, &t);
	else
		cr_assert_eq(t.calls, 0);
}

static void by_udp(struct scene *scene)
{
	evdns_base_search_add(scene->dns, "example");
	ask(scene, "host", 0);
	ask(scene, "host.example", DNS_CNAME_CALLBACK);
}

static void by_tcp(struct scene *scene)
{
	ask(scene, "host", DNS_QUERY_USEVC);
	ask(scene, "host", DNS_QUERY_USEVC);
}

static void reverse(struct scene *scene)
{
	struct in_addr in = { .s_addr = htonl(0x7f000001) };
	struct told t = { 0 };

	if (evdns_base_resolve_reverse(scene->dns, &in, 0, tell, &t) != NULL)
		await_told(scene, &t);
}

static void lists(struct scene *scene)
{
	for (int i = 0; i < 2; i++) {
		struct found found = { 0 };

		(void)evdns_getaddrinfo(scene->dns, "host.example", "80", NULL, find, &found);
		while (found.calls == 0)
			event_base_loop(scene->s.base, EVLOOP_ONCE);
		cr_assert_eq(found.calls, 1);
		cr_assert_eq(found.result != 0, found.list == NULL);
		forget(&found);
	}
}

static void configuring(struct scene *scene)
{
	static const char text[] =
		"nameserver 127.0.0.9\nsearch a b c\noptions ndots:2 attempts:2\n";
	static const char hosts_text[] = "10.0.0.1 one two\n::1 three\n";
	struct text_file conf = file_with(text, sizeof(text) - 1),
			 hosts = file_with(hosts_text, sizeof(hosts_text) - 1);
	struct evdns_base *dns = evdns_base_new(scene->s.base, 0);
	int result;

	if (dns != NULL) {
		result = evdns_base_resolv_conf_parse(dns, DNS_OPTIONS_ALL, conf.name);
		cr_assert(result == 0 || support_has_refused(), "%d", result);
		result = evdns_base_load_hosts(dns, hosts.name);
		cr_assert(result == 0 || support_has_refused(), "%d", result);
		(void)evdns_base_nameserver_ip_add(dns, "127.0.0.10");
		evdns_base_search_add(dns, "d");
		evdns_base_free(dns, 1);
	} else {
		cr_assert(support_has_refused());
	}
	file_done(&conf);
	file_done(&hosts);
}

static void serving(struct scene *scene)
{
	struct sockaddr_in addr = { 0 };
	int fd = loopback_socket(SOCK_DGRAM, &addr);
	struct evdns_server_port *port =
		evdns_add_server_port_with_base(scene->s.base, fd, 0, on_request, &scene->s);

	if (port == NULL)
		close(fd);
	evdns_close_server_port(port);
}

/* DNS-013, DNS-207 */
Test(dns_memory, lookups_by_udp)
{
	try_all(by_udp);
	try_all(reverse);
}

/* DNS-013 */
Test(dns_memory, lookups_by_tcp)
{
	try_all(by_tcp);
}

/* DNS-013, DNS-207 */
Test(dns_memory, lists_of_addresses)
{
	try_all(lists);
}

/* DNS-013, DNS-050 */
Test(dns_memory, configuration)
{
	try_all(configuring);
}

/* DNS-013, DNS-222 */
Test(dns_memory, server_ports)
{
	try_all(serving);
}

/* DNS-207 */
Test(dns_memory, its_lack_is_told_inside_the_call)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, 0);
	struct found found = { 0 };

	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "127.0.0.1:9"), 0);
	support_fail_all_after(0);
	cr_assert_null(evdns_getaddrinfo(dns, "host", "80", NULL, find, &found));
	cr_assert_eq(found.calls, 1);
	cr_assert_eq(found.result, EVUTIL_EAI_MEMORY);
	cr_assert_null(evdns_getaddrinfo(dns, "127.0.0.1", "80", NULL, find, &found));
	cr_assert_eq(found.calls, 2);
	cr_assert_eq(found.result, EVUTIL_EAI_MEMORY);
	cr_assert_null(found.list);
	cr_assert_null(evdns_base_resolve_ipv4(dns, "host", 0, tell, NULL));
	support_fail_all_after(-1);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* One block for a lookup, its messages and an answer of a few addresses. */
Test(dns_memory, a_lookup_takes_one_block)
{
	struct asked a;
	long before;

	set_up(&a, answer_address);
	ask_for(&a, "host", 0);
	before = support_allocations();
	for (int i = 0; i < 50; i++) {
		a.told.calls = 0;
		(void)evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &a.told);
		while (a.told.calls == 0)
			cr_assert_eq(event_base_loop(a.base, EVLOOP_ONCE), 0);
	}
	cr_assert_eq(support_allocations() - before, 50);
	tear_down(&a);
}
