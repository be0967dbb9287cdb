/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests: which are accepted, and what their callbacks may do. */

#include "fake.h"

TestSuite(dns_request, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* DNS-089: names of the reverse zones. */
Test(dns_request, addresses_are_asked_for_by_name)
{
	struct asked a;
	struct in_addr in = { .s_addr = htonl(0x01020304) };
	struct in6_addr in6;
	struct told t = { 0 };

	set_up(&a, answer_by_name);
	cr_assert_not_null(evdns_base_resolve_reverse(a.dns, &in, 0, tell, &t));
	await(a.base, &t.calls);
	cr_assert_str_eq(a.fake.seen[0].name, "4.3.2.1.in-addr.arpa");
	cr_assert_eq(a.fake.seen[0].type, 12);
	set_option(a.dns, "randomize-case", "0");
	cr_assert_eq(inet_pton(AF_INET6, "2001:db8::abcd", &in6), 1);
	t.calls = 0;
	cr_assert_not_null(evdns_base_resolve_reverse_ipv6(a.dns, &in6, 0, tell, &t));
	await(a.base, &t.calls);
	cr_assert_str_eq(
		a.fake.seen[1].name,
		"d.c.b.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
	cr_assert(memcmp(a.fake.last + 13, "d\1c\1b\1a\1", 8) == 0, "in lower case");
	cr_assert_eq(a.fake.seen[1].type, 12);
	tear_down(&a);
}

/* DNS-090, DNS-093, DNS-094, D42 */
Test(dns_request, names_that_cannot_be_asked_for_are_refused)
{
	static const char *const bad[] = { "a..b", ".a", "..", "a.." };
	struct asked a;
	char name[300];

	set_up(&a, answer_by_name);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_null(evdns_base_resolve_ipv4(a.dns, bad[i], 0, tell, &a.told), "%s",
			       bad[i]);
	memset(name, 'x', sizeof(name));
	name[64] = '\0';
	cr_assert_null(evdns_base_resolve_ipv6(a.dns, name, 0, tell, &a.told));
	memset(name, 'x', sizeof(name));
	for (int i = 50; i < 300; i += 51)
		name[i] = '.';
	name[254] = '\0';
	cr_assert_null(evdns_base_resolve_ipv4(a.dns, name, 0, tell, &a.told), "254 characters");
	cr_assert_null(evdns_base_resolve_ipv4(a.dns, NULL, 0, tell, &a.told));
	cr_assert_null(evdns_base_resolve_ipv4(a.dns, "a", 0, NULL, &a.told));
	cr_assert_null(evdns_base_resolve_reverse(a.dns, NULL, 0, tell, &a.told));
	cr_assert_null(evdns_base_resolve_reverse_ipv6(a.dns, NULL, 0, tell, &a.told));
	evdns_base_search_add(a.dns, "d");
	cr_assert_null(evdns_base_resolve_ipv4(a.dns, "", 0, tell, &a.told));
	run_for(a.base, 20);
	cr_assert_eq(a.fake.queries, 0);
	cr_assert_eq(a.told.calls, 0);
	tear_down(&a);
}

/* DNS-093..095, DNS-303 */
Test(dns_request, other_names_are_asked_for_as_they_are)
{
	static const struct {
		const char *name, *asked;
	} cases[] = { { "", "" },
		      { ".", "" },
		      { "host.", "host" },
		      { "_sip._udp.a b.c", "_sip._udp.a b.c" },
		      { "\xc3\xa4.example", "\xc3\xa4.example" },
		      { "a\\.b", "a\\.b" },
		      { "127.0.0.1", "127.0.0.1" },
		      { "::1", "::1" },
		      { "localhost", "localhost" },
		      { "printer.local", "printer.local" },
		      { "foo.onion", "foo.onion" } };
	struct asked a;
	char name[256];

	set_up(&a, answer_by_name);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask_for(&a, cases[i].name, 0);
		cr_assert_str_eq(a.fake.seen[i].name, cases[i].asked);
	}
	memset(name, 'x', sizeof(name));
	for (int i = 50; i < 253; i += 51)
		name[i] = '.';
	name[253] = '\0';
	ask_for(&a, name, 0);
	cr_assert_str_eq(a.fake.seen[sizeof(cases) / sizeof(cases[0])].name, name);
	strcat(name, ".");
	ask_for(&a, name, 0);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	tear_down(&a);
}

/* DNS-092: the name is copied. */
Test(dns_request, the_name_may_go_at_once)
{
	struct asked a;
	char name[] = "host.example";

	set_up(&a, answer_by_name);
	set_option(a.dns, "attempts", "2");
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, name, 0x40, tell, &a.told));
	memset(name, 'z', sizeof(name) - 1);
	await(a.base, &a.told.calls);
	cr_assert_str_eq(a.fake.seen[0].name, "host.example");
	tear_down(&a);
}

/* DNS-096, DNS-296: without a nameserver a request ends by itself, and can be cancelled. */
Test(dns_request, without_a_nameserver_it_times_out)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = patient_dns(base);
	struct told t = { 0 }, cancelled = { 0 };
	struct evdns_request *request;
	double start = support_now_ms();

	set_option(dns, "timeout", "0.05");
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host", 0, tell, &t));
	request = evdns_base_resolve_ipv4(dns, "host", 0, tell, &cancelled);
	evdns_cancel_request(dns, request);
	await(base, &t.calls);
	cr_assert_eq(t.result, DNS_ERR_TIMEOUT);
	cr_assert_geq(support_now_ms() - start, 150);
	cr_assert_eq(cancelled.result, DNS_ERR_CANCEL);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

static void check_alignment(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	cr_assert_eq((uintptr_t)addresses % sizeof(void *), 0);
	tell(result, type, count, ttl, addresses, arg);
}

/* DNS-100 */
Test(dns_request, addresses_are_aligned)
{
	struct asked a;

	set_up(&a, answer_by_name);
	cr_assert_not_null(evdns_base_resolve_ipv6(a.dns, "host", 0, check_alignment, &a.told));
	await(a.base, &a.told.calls);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	tear_down(&a);
}

static size_t alias(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	n = add_record(reply, n, 1, 5, 1, 200, "\4real\3org", 10);
	if (question_type(query) == 12)
		return add_record_of(reply, n, "\4real\3org", 10, 12, 300, "\4name", 6);
	return add_record_of(reply, n, "\4real\3org", 10, 1, 300, "\x0a\0\0\1", 4);
}

/* DNS-097, DNS-101, DNS-102, DNS-130 */
Test(dns_request, aliases_are_told_when_asked_for)
{
	struct asked a;
	struct in_addr in = { 0 };

	set_up(&a, alias);
	ask_for(&a, "host", DNS_CNAME_CALLBACK);
	cr_assert_eq(a.told.calls, 1);
	cr_assert_eq(a.told.aliases, 1);
	cr_assert_str_eq(a.told.alias, "real.org");
	ask_for(&a, "host", 0);
	cr_assert_eq(a.told.aliases, 0);
	a.fake.fn = answer_by_name;
	ask_for(&a, "host", DNS_CNAME_CALLBACK);
	cr_assert_eq(a.told.aliases, 0);
	ask_for(&a, "nx", DNS_CNAME_CALLBACK);
	cr_assert_eq(a.told.aliases, 0);
	a.fake.fn = alias;
	memset(&a.told, 0, sizeof(a.told));
	cr_assert_not_null(
		evdns_base_resolve_reverse(a.dns, &in, DNS_CNAME_CALLBACK, tell, &a.told));
	await(a.base, &a.told.calls);
	cr_assert_str_eq(a.told.name, "name");
	cr_assert_eq(a.told.aliases, 0);
	tear_down(&a);
}

struct chain {
	struct asked a;
	struct evdns_request *victim;
	struct told victim_told, next_told;
};

static void do_everything(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct chain *c = arg;

	evdns_cancel_request(c->a.dns, c->victim);
	set_option(c->a.dns, "attempts", "2");
	evdns_base_search_add(c->a.dns, "d");
	cr_assert_eq(evdns_base_nameserver_ip_add(c->a.dns, "127.0.0.1:9"), 0);
	cr_assert_eq(evdns_base_clear_nameservers_and_suspend(c->a.dns), 0);
	fake_use(&c->a.fake, c->a.dns);
	cr_assert_eq(evdns_base_resume(c->a.dns), 0);
	cr_assert_not_null(
		evdns_base_resolve_ipv4(c->a.dns, "host", DNS_NO_SEARCH, tell, &c->next_told));
	cr_assert_eq(c->next_told.calls + c->victim_told.calls, 0);
	tell(result, type, count, ttl, addresses, &c->a.told);
}

/* DNS-091, DNS-103, D35 */
Test(dns_request, a_callback_may_do_anything)
{
	struct chain c;

	memset(&c, 0, sizeof(c));
	set_up(&c.a, answer_by_name);
	c.victim = evdns_base_resolve_ipv4(c.a.dns, "silent", 0, tell, &c.victim_told);
	cr_assert_not_null(evdns_base_resolve_ipv4(c.a.dns, "host", 0, do_everything, &c));
	await(c.a.base, &c.next_told.calls);
	cr_assert_eq(c.a.told.result, DNS_ERR_NONE);
	cr_assert_eq(c.next_told.result, DNS_ERR_NONE);
	cr_assert_eq(c.victim_told.result, DNS_ERR_CANCEL);
	tear_down(&c.a);
}

static void on_high(evutil_socket_t fd, short what, void *arg)
{
	struct asked *a = arg;

	(void)fd;
	(void)what;
	cr_assert_eq(a->told.calls, 0, "the middle priority comes after the highest");
}

/* DNS-091: callbacks run at the default priority, the middle one. */
Test(dns_request, callbacks_have_the_default_priority)
{
	struct asked a;
	struct event *high;
	struct evdns_request *request;

	set_up(&a, NULL);
	evdns_base_free(a.dns, 0);
	fake_stop(&a.fake);
	event_base_free(a.base);
	a.base = support_base_new();
	cr_assert_eq(event_base_priority_init(a.base, 3), 0);
	fake_start(&a.fake, a.base, NULL);
	a.dns = patient_dns(a.base);
	fake_use(&a.fake, a.dns);
	high = event_new(a.base, -1, 0, on_high, &a);
	event_priority_set(high, 0);
	request = evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &a.told);
	evdns_cancel_request(a.dns, request);
	event_active(high, EV_TIMEOUT, 0);
	await(a.base, &a.told.calls);
	event_free(high);
	tear_down(&a);
}

/* DNS-099, DNS-104, DNS-105, DNS-284 */
Test(dns_request, failures_carry_the_type_and_no_time)
{
	struct asked a;

	set_up(&a, answer_by_name);
	cr_assert_not_null(evdns_base_resolve_ipv6(a.dns, "refused", 0, tell, &a.told));
	await(a.base, &a.told.calls);
	cr_assert_eq(a.told.result, DNS_ERR_REFUSED);
	cr_assert_eq(a.told.type, DNS_IPv6_AAAA);
	cr_assert_eq(a.told.count, 0);
	cr_assert_eq(a.told.ttl, 0);
	tear_down(&a);
}
