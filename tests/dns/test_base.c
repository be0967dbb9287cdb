/* SPDX-License-Identifier: BSD-3-Clause */
/* Making a resolver, what keeps the loop running, and freeing it. */

#include "fake.h"

#include <event2/bufferevent.h>
#include <event2/dns_compat.h>
#include <event2/event_compat.h>

TestSuite(dns_base, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* DNS-001, DNS-012, DNS-013 */
Test(dns_base, a_new_one_knows_nothing)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, 0);

	cr_assert_not_null(dns);
	cr_assert_eq(evdns_base_count_nameservers(dns), 0);
	cr_assert_eq(evdns_base_get_nameserver_addr(dns, 0, NULL, 0), -1);
	cr_assert_eq(evdns_base_get_nameserver_fd(dns, 0), -1);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-002 */
Test(dns_base, without_an_event_base_the_current_one_serves)
{
	struct event_base *base;
	struct evdns_base *dns;

	cr_assert_null(evdns_base_new(NULL, 0));
	base = event_init();
	dns = evdns_base_new(NULL, 0);
	cr_assert_not_null(dns);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-004, DNS-005, DNS-007 */
Test(dns_base, the_system_is_asked_for_nameservers)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns;

	if (access("/etc/resolv.conf", R_OK) != 0) {
		cr_assert_null(evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS));
		event_base_free(base);
		cr_skip_test("no /etc/resolv.conf");
	}
	dns = evdns_base_new(base,
			     EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	cr_assert_not_null(dns);
	cr_assert_gt(evdns_base_count_nameservers(dns), 0);
	cr_assert_eq(event_base_loop(base, 0), 1);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-007, DNS-008, DNS-305 */
Test(dns_base, nameservers_keep_the_loop_running_unless_told_otherwise)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, 0);

	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "127.0.0.1:9"), 0);
	cr_assert_eq(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	cr_assert_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 1);
	evdns_base_free(dns, 0);
	dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "127.0.0.1:9"), 0);
	cr_assert_eq(event_base_loop(base, 0), 1);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/*
 * DNS-007, DNS-009, DNS-149, DNS-152: the loop ends although a probe is due and a connection is
 * open.
 */
Test(dns_base, when_inactive_nothing_keeps_the_loop_running)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	struct fake fake;
	struct told t = { 0 };

	fake_start(&fake, base, answer_by_name);
	fake_listen(&fake);
	fake_use(&fake, dns);
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host", DNS_QUERY_USEVC, tell, &t));
	await(base, &t.calls);
	cr_assert_eq(t.result, DNS_ERR_NONE);
	set_option(dns, "timeout", "0.02");
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "silent", 0, tell, &t));
	t.calls = 0;
	await(base, &t.calls);
	cr_assert_eq(t.result, DNS_ERR_TIMEOUT);
	fake_stop(&fake);
	cr_assert_eq(event_base_dispatch(base), 1); /* the suite's timeout watches */
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-009, DNS-149: while something else keeps the loop running the probe goes out. */
Test(dns_base, when_inactive_probes_go_on_while_the_loop_does)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	struct fake fake;
	struct told t = { 0 };

	fake_start(&fake, base, answer_by_name);
	fake_use(&fake, dns);
	set_option(dns, "timeout", "0.02");
	set_option(dns, "initial-probe-timeout", "0.05");
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "silent", 0, tell, &t));
	await(base, &t.calls);
	fake_await(&fake, 4); /* "silent" three times */
	cr_assert_str_eq(fake.seen[3].name, "google.com");
	fake_stop(&fake);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-011 */
Test(dns_base, unknown_flags_are_replaced)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns;

	support_capture_log();
	dns = evdns_base_new(base, 0x4000);
	cr_assert_eq(support_messages(EVENT_LOG_WARN), 1);
	if (access("/etc/resolv.conf", R_OK) == 0) {
		cr_assert_not_null(dns);
		cr_assert_gt(evdns_base_count_nameservers(dns), 0);
	}
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-020 */
Test(dns_base, no_base_is_no_crash)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	evdns_base_free(NULL, 1);
	cr_assert_eq(evdns_base_count_nameservers(NULL), 0);
	cr_assert_neq(evdns_base_nameserver_ip_add(NULL, "1.2.3.4"), 0);
	cr_assert_neq(evdns_base_nameserver_add(NULL, 1), 0);
	cr_assert_neq(
		evdns_base_nameserver_sockaddr_add(NULL, (struct sockaddr *)&in, sizeof(in), 0), 0);
	cr_assert_eq(evdns_base_get_nameserver_addr(NULL, 0, NULL, 0), -1);
	cr_assert_eq(evdns_base_get_nameserver_fd(NULL, 0), -1);
	cr_assert_eq(evdns_base_set_option(NULL, "ndots", "1"), -1);
	cr_assert_neq(evdns_base_resolv_conf_parse(NULL, DNS_OPTIONS_ALL, "/dev/null"), 0);
	cr_assert_eq(evdns_base_load_hosts(NULL, NULL), -1);
	cr_assert_eq(evdns_base_clear_nameservers_and_suspend(NULL), -1);
	cr_assert_eq(evdns_base_resume(NULL), -1);
	cr_assert_null(evdns_base_resolve_ipv4(NULL, "a", 0, tell, NULL));
	cr_assert_eq(evdns_cache_lookup(NULL, "a", NULL, 0, NULL), -1);
	evdns_base_search_add(NULL, "a");
	evdns_base_search_clear(NULL);
	evdns_base_search_ndots_set(NULL, 1);
	evdns_base_clear_host_addresses(NULL);
	evdns_cancel_request(NULL, NULL);
	evdns_getaddrinfo_cancel(NULL);
	evdns_close_server_port(NULL);
}

/* DNS-014, DNS-015, DNS-158, D34 */
Test(dns_base, freeing_fails_what_is_unfinished)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = patient_dns(base);
	struct told in_flight = { 0 }, waiting = { 0 };
	struct found found = { 0 };
	struct fake fake;

	fake_start(&fake, base, NULL);
	fake_use(&fake, dns);
	set_option(dns, "max-inflight", "1");
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "a", 0, tell, &in_flight));
	cr_assert_not_null(evdns_base_resolve_ipv6(dns, "b", 0, tell, &waiting));
	cr_assert_not_null(evdns_getaddrinfo(dns, "c", NULL, NULL, find, &found));
	event_base_loop(base, EVLOOP_NONBLOCK);
	evdns_base_free(dns, 1);
	cr_assert_eq(in_flight.calls + waiting.calls + found.calls, 0);
	await(base, &found.calls);
	cr_assert_eq(in_flight.calls, 1);
	cr_assert_eq(in_flight.result, DNS_ERR_SHUTDOWN);
	cr_assert_eq(waiting.calls, 1);
	cr_assert_eq(waiting.result, DNS_ERR_SHUTDOWN);
	cr_assert_eq(waiting.type, DNS_IPv6_AAAA);
	cr_assert_eq(found.calls, 1);
	cr_assert_eq(found.result, EVUTIL_EAI_FAIL);
	fake_stop(&fake);
	event_base_free(base);
}

/* DNS-015: one pass that does not block is enough. */
Test(dns_base, one_pass_tells_of_the_end)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = patient_dns(base);
	struct told t = { 0 };
	struct found found = { 0 };

	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "127.0.0.1:9"), 0);
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "a", 0, tell, &t));
	cr_assert_not_null(evdns_getaddrinfo(dns, "c", NULL, NULL, find, &found));
	evdns_base_free(dns, 1);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_eq(t.calls, 1);
	cr_assert_eq(found.calls, 1);
	event_base_free(base);
}

/* DNS-013, DNS-016, DNS-019, D34 */
Test(dns_base, freeing_silently_leaves_nothing)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = patient_dns(base);
	struct told t = { 0 };
	struct found found = { 0 };

	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "127.0.0.1:9"), 0);
	set_option(dns, "max-inflight", "1");
	evdns_base_search_add(dns, "example.com");
	cr_assert_eq(evdns_base_load_hosts(dns, NULL), 0);
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "a", 0, tell, &t));
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "b", 0, tell, &t));
	cr_assert_not_null(evdns_getaddrinfo(dns, "c", NULL, NULL, find, &found));
	evdns_base_free(dns, 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_eq(t.calls + found.calls, 0);
	event_base_free(base);
}

/*
 * DNS-017: answered or cancelled, the result is on its way and arrives with either kind of freeing.
 */
Test(dns_base, what_was_due_is_still_told)
{
	for (int fail = 0; fail < 2; fail++) {
		struct event_base *base = support_base_new();
		struct evdns_base *dns = patient_dns(base);
		struct told cancelled = { 0 };
		struct found found = { 0 };
		struct evdns_request *request;
		struct evdns_getaddrinfo_request *lookup;

		cr_assert_eq(evdns_base_nameserver_ip_add(dns, "127.0.0.1:9"), 0);
		request = evdns_base_resolve_ipv4(dns, "a", 0, tell, &cancelled);
		lookup = evdns_getaddrinfo(dns, "c", NULL, NULL, find, &found);
		evdns_cancel_request(dns, request);
		evdns_getaddrinfo_cancel(lookup);
		evdns_base_free(dns, fail);
		event_base_loop(base, EVLOOP_NONBLOCK);
		event_base_loop(base, EVLOOP_NONBLOCK);
		cr_assert_eq(cancelled.calls, 1);
		cr_assert_eq(cancelled.result, DNS_ERR_CANCEL);
		cr_assert_eq(found.calls, 1);
		cr_assert_eq(found.result, EVUTIL_EAI_CANCEL);
		event_base_free(base);
	}
}

static void free_base(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct asked *a = arg;

	tell(result, type, count, ttl, addresses, &a->told);
	evdns_base_free(a->dns, 1);
	a->dns = NULL;
}

/* DNS-018, DNS-103, D34, D35 */
Test(dns_base, a_callback_may_free_the_base)
{
	struct asked a;
	struct told other = { 0 };

	set_up(&a, answer_by_name);
	cr_assert_not_null(
		evdns_base_resolve_ipv4(a.dns, "host", DNS_CNAME_CALLBACK, free_base, &a));
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "silent", 0, tell, &other));
	await(a.base, &other.calls);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	cr_assert_eq(other.result, DNS_ERR_SHUTDOWN);
	tear_down(&a);
}

/* DNS-019 */
Test(dns_base, freeing_closes_sockets_and_connections)
{
	struct event_base *base = support_base_new();
	struct fake fake;
	struct evdns_base *dns;
	struct told t = { 0 };
	int before;

	fake_start(&fake, base, answer_by_name);
	fake_listen(&fake);
	before = support_open_fds();
	dns = patient_dns(base);
	fake_use(&fake, dns);
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host", DNS_QUERY_USEVC, tell, &t));
	await(base, &t.calls);
	cr_assert_eq(fake.tcp_conns, 1);
	evdns_base_free(dns, 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	while (fake.conns != NULL)
		event_base_loop(base, EVLOOP_ONCE);
	cr_assert_eq(support_open_fds(), before);
	fake_stop(&fake);
	event_base_free(base);
}

/* DNS-010: each lookup is a query of its own. */
Test(dns_base, without_a_cache_every_lookup_asks)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_NO_CACHE);
	struct evutil_addrinfo hints = { .ai_family = PF_INET, .ai_socktype = SOCK_STREAM };
	struct fake fake;
	struct found found = { 0 };

	fake_start(&fake, base, answer_by_name);
	fake_use(&fake, dns);
	for (int i = 1; i <= 2; i++) {
		cr_assert_not_null(evdns_getaddrinfo(dns, "host", NULL, &hints, find, &found));
		await(base, &found.calls);
		cr_assert_eq(found.result, 0);
		forget(&found);
		cr_assert_eq(fake.queries, i);
	}
	evdns_base_free(dns, 0);
	fake_stop(&fake);
	event_base_free(base);
}

static void on_connect_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	*(int *)arg = what;
}

/* DNS-012: a bufferevent finds the resolver without further ado. */
Test(dns_base, bufferevents_connect_by_name)
{
	struct asked a;
	struct bufferevent *bev;
	int what = 0;

	set_up(&a, answer_by_name);
	bev = bufferevent_socket_new(a.base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(bev, NULL, NULL, on_connect_event, &what);
	cr_assert_eq(
		bufferevent_socket_connect_hostname(bev, a.dns, AF_UNSPEC, "nx.example.com", 80),
		0);
	await(a.base, &what);
	cr_assert(what & BEV_EVENT_ERROR);
	cr_assert_eq(bufferevent_socket_get_dns_error(bev), EVUTIL_EAI_NONAME);
	cr_assert_eq(a.fake.queries, 2);
	bufferevent_free(bev);
	tear_down(&a);
}
