/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls without a base. */

#include "server.h"

#include <event2/dns_compat.h>
#include <event2/event_compat.h>

TestSuite(dns_legacy, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* DNS-268, DNS-269, DNS-271, DNS-273 */
Test(dns_legacy, without_a_global_base_nothing_happens)
{
	struct in_addr in = { 0 };
	struct in6_addr in6 = IN6ADDR_LOOPBACK_INIT;

	cr_assert_null(evdns_get_global_base());
	evdns_shutdown(1);
	evdns_shutdown(0);
	cr_assert_eq(evdns_resolve_ipv4("a", 0, tell, NULL), -1);
	cr_assert_eq(evdns_resolve_ipv6("a", 0, tell, NULL), -1);
	cr_assert_eq(evdns_resolve_reverse(&in, 0, tell, NULL), -1);
	cr_assert_eq(evdns_resolve_reverse_ipv6(&in6, 0, tell, NULL), -1);
	cr_assert_eq(evdns_count_nameservers(), 0);
	cr_assert_eq(evdns_clear_nameservers_and_suspend(), -1);
	cr_assert_eq(evdns_resume(), -1);
	evdns_search_add("a");
	evdns_search_clear();
	evdns_search_ndots_set(1);
	cr_assert_eq(evdns_init(), -1, "no event base");
	cr_assert_null(evdns_get_global_base());
}

/* DNS-268, DNS-269, DNS-273 */
Test(dns_legacy, init_makes_the_global_base)
{
	struct event_base *base = event_init();
	struct evdns_base *first;

	if (access("/etc/resolv.conf", R_OK) != 0)
		cr_skip_test("no /etc/resolv.conf");
	cr_assert_eq(evdns_init(), 0);
	first = evdns_get_global_base();
	cr_assert_not_null(first);
	cr_assert_gt(evdns_count_nameservers(), 0);
	cr_assert_eq(evdns_init(), 0);
	cr_assert_neq(evdns_get_global_base(), first);
	evdns_base_free(first, 0);
	evdns_shutdown(0);
	cr_assert_null(evdns_get_global_base());
	evdns_shutdown(0);
	event_base_free(base);
}

/* DNS-270 */
Test(dns_legacy, configuring_makes_an_empty_one)
{
	for (int i = 0; i < 4; i++) {
		struct event_base *base = event_init();

		if (i == 0)
			cr_assert_eq(evdns_nameserver_add(htonl(0x7f000001)), 0);
		else if (i == 1)
			cr_assert_eq(evdns_nameserver_ip_add("127.0.0.1:5353"), 0);
		else if (i == 2)
			cr_assert_eq(evdns_set_option("timeout:", "3", 12345), 0);
		else
			cr_assert_eq(evdns_resolv_conf_parse(DNS_OPTIONS_ALL, "/nonexistent/file"),
				     1);
		cr_assert_not_null(evdns_get_global_base());
		cr_assert_eq(evdns_count_nameservers(), i == 2 ? 0 : 1);
		cr_assert_eq(evdns_nameserver_ip_add("rubbish"), 4);
		cr_assert_eq(evdns_set_option("timeout", "foo", 0), -1);
		evdns_shutdown(0);
		event_base_free(base);
	}
}

/* DNS-272, DNS-274, DNS-224 */
Test(dns_legacy, they_resolve_and_serve)
{
	struct event_base *base = event_init();
	struct served s = { .base = base, .fn = answer_a };
	struct in_addr in = { 0 };
	struct in6_addr in6 = IN6ADDR_LOOPBACK_INIT;
	struct told t[4];
	char text[64];

	memset(t, 0, sizeof(t));
	s.udp = evdns_add_server_port(loopback_socket(SOCK_DGRAM, &s.addr), 0, on_request, &s);
	cr_assert_not_null(s.udp);
	snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(s.addr.sin_port));
	cr_assert_eq(evdns_nameserver_ip_add(text), 0);
	evdns_search_add("d");
	evdns_search_ndots_set(0);
	cr_assert_eq(evdns_resolve_ipv4("host", 0, tell, &t[0]), 0);
	cr_assert_eq(evdns_resolve_ipv6("host", DNS_NO_SEARCH, tell, &t[1]), 0);
	cr_assert_eq(evdns_resolve_reverse(&in, 0, tell, &t[2]), 0);
	cr_assert_eq(evdns_resolve_reverse_ipv6(&in6, 0, tell, &t[3]), 0);
	cr_assert_eq(evdns_resolve_ipv4("a..b", 0, tell, &t[0]), -1);
	for (int i = 0; i < 4; i++)
		await(base, &t[i].calls);
	cr_assert_eq(t[0].result, DNS_ERR_NONE);
	cr_assert_eq(t[1].result, DNS_ERR_NODATA);
	cr_assert_eq(t[2].result, DNS_ERR_NODATA);
	evdns_search_clear();
	cr_assert_eq(evdns_clear_nameservers_and_suspend(), 0);
	cr_assert_eq(evdns_count_nameservers(), 0);
	cr_assert_eq(evdns_nameserver_ip_add(text), 0);
	cr_assert_eq(evdns_resolve_ipv4("host", 0, tell, &t[0]), 0);
	t[0].calls = 0;
	cr_assert_eq(evdns_resume(), 0);
	await(base, &t[0].calls);
	cr_assert_eq(t[0].result, DNS_ERR_NONE);
	evdns_shutdown(1);
	serve_end(&s);
}

/* DNS-273, DNS-014 */
Test(dns_legacy, shutdown_fails_what_is_unfinished)
{
	struct event_base *base = event_init();
	struct told t = { 0 };

	cr_assert_eq(evdns_nameserver_ip_add("127.0.0.1:9"), 0);
	cr_assert_eq(evdns_resolve_ipv4("host", 0, tell, &t), 0);
	evdns_shutdown(1);
	cr_assert_eq(t.calls, 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_eq(t.result, DNS_ERR_SHUTDOWN);
	event_base_free(base);
}

/* DNS-185, DNS-076: a NULL base is the global one. */
Test(dns_legacy, null_means_the_global_base)
{
	struct event_base *base = event_init();
	struct found found = { 0 };

	cr_assert_eq(evdns_nameserver_ip_add("127.0.0.1:9"), 0);
	cr_assert_eq(evdns_base_load_hosts(NULL, NULL), 0);
	cr_assert_null(evdns_getaddrinfo(NULL, "localhost", "80", NULL, find, &found));
	cr_assert_eq(found.result, 0);
	forget(&found);
	evdns_shutdown(0);
	event_base_free(base);
}
