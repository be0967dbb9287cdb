/* SPDX-License-Identifier: BSD-3-Clause */
/* The search list, and which names are asked for when. */

#include "fake.h"

TestSuite(dns_search, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static const char *names_from(struct asked *a, int from)
{
	static char names[2048];

	names[0] = '\0';
	for (int i = from; i < a->fake.seen_count; i++) {
		strcat(names, i > from ? " " : "");
		strcat(names, a->fake.seen[i].name);
	}
	return names;
}

static const char *searched(struct asked *a, const char *name)
{
	int from = a->fake.seen_count;

	ask_for(a, name, 0);
	return names_from(a, from);
}

/* DNS-068..070, DNS-073, DNS-170 */
Test(dns_search, the_newest_domain_is_tried_first)
{
	struct asked a;

	set_up(&a, answer_by_name);
	evdns_base_search_add(a.dns, "one");
	evdns_base_search_add(a.dns, ".two");
	evdns_base_search_add(a.dns, "..three.com.");
	cr_assert_str_eq(searched(&a, "nx"), "nx.three.com nx.two nx.one nx");
	evdns_base_search_add(a.dns, NULL);
	cr_assert_str_eq(searched(&a, "nx"), "nx.three.com nx.two nx.one nx");
	evdns_base_search_clear(a.dns);
	cr_assert_str_eq(searched(&a, "nx"), "nx");
	tear_down(&a);
}

/* DNS-071, DNS-070, DNS-163 */
Test(dns_search, dots_decide_what_is_tried_first)
{
	struct asked a;

	set_up(&a, answer_by_name);
	evdns_base_search_add(a.dns, "d");
	cr_assert_str_eq(searched(&a, "nx"), "nx.d nx");
	cr_assert_str_eq(searched(&a, "nx.y"), "nx.y nx.y.d");
	evdns_base_search_ndots_set(a.dns, 2);
	cr_assert_str_eq(searched(&a, "nx.y"), "nx.y.d nx.y");
	cr_assert_str_eq(searched(&a, "nx.y.z"), "nx.y.z nx.y.z.d");
	evdns_base_search_ndots_set(a.dns, 0);
	cr_assert_str_eq(searched(&a, "nx"), "nx nx.d");
	evdns_base_search_ndots_set(a.dns, -3);
	cr_assert_str_eq(searched(&a, "nx"), "nx nx.d");
	evdns_base_search_clear(a.dns);
	evdns_base_search_add(a.dns, "d");
	cr_assert_str_eq(searched(&a, "nx"), "nx.d nx");
	tear_down(&a);
}

/* Only hosts under c exist. */
static size_t only_in_c(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	char name[256];

	question_name(query, name);
	if (strcmp(name, "host.c") != 0)
		return begin_reply(query, reply, 0x8183);
	return answer_address(fake, query, len, reply);
}

/* DNS-164 */
Test(dns_search, looks_like_one_lookup)
{
	struct asked a;

	set_up(&a, only_in_c);
	evdns_base_search_add(a.dns, "c");
	evdns_base_search_add(a.dns, "b");
	evdns_base_search_add(a.dns, "a");
	cr_assert_str_eq(searched(&a, "host"), "host.a host.b host.c");
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	cr_assert_eq(a.told.calls, 1);
	searched(&a, "other");
	cr_assert_eq(a.told.result, DNS_ERR_NOTEXIST);
	cr_assert_eq(a.told.calls, 1);
	a.fake.seen_count = 0;
	ask_for(&a, "host", DNS_QUERY_NO_SEARCH);
	cr_assert_str_eq(names_from(&a, 0), "host");
	cr_assert_eq(a.told.result, DNS_ERR_NOTEXIST);
	tear_down(&a);
}

/* Names under "found" are found, others fare as they are called. */
static size_t found_at_last(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	char name[256];

	question_name(query, name);
	if (strstr(name, ".found") != NULL)
		return answer_address(fake, query, len, reply);
	return answer_by_name(fake, query, len, reply);
}

/* DNS-165 */
Test(dns_search, goes_on_after_some_failures_and_ends_after_others)
{
	static const struct {
		const char *first;
		int result;
		int names;
	} cases[] = { { "nx", DNS_ERR_NONE, 2 },	  { "none", DNS_ERR_NONE, 2 },
		      { "format", DNS_ERR_NONE, 2 },	  { "notimp", DNS_ERR_NONE, 2 },
		      { "refused", DNS_ERR_NONE, 2 },	  { "odd", DNS_ERR_NONE, 2 },
		      { "cut", DNS_ERR_NONE, 2 },	  { "silent", DNS_ERR_TIMEOUT, 3 },
		      { "fail", DNS_ERR_SERVERFAILED, 1 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asked a;
		char name[64];

		set_up(&a, found_at_last);
		set_option(a.dns, "ignore-tc", NULL);
		if (cases[i].result == DNS_ERR_TIMEOUT)
			set_option(a.dns, "timeout", "0.02");
		evdns_base_search_add(a.dns, "found");
		snprintf(name, sizeof(name), "%s.host", cases[i].first);
		ask_for(&a, name, 0);
		fake_await(&a.fake, cases[i].names);
		cr_assert_eq(a.fake.seen_count, cases[i].names, "%s", cases[i].first);
		cr_assert_eq(a.told.result, cases[i].result, "%s", cases[i].first);
		tear_down(&a);
	}
}

static size_t nodata_in_a(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	static const uint8_t soa[] = {
		0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 60,
	};
	char name[256];
	size_t n;

	(void)fake;
	(void)len;
	question_name(query, name);
	if (strcmp(name, "host.a") != 0)
		return begin_reply(query, reply, 0x8183);
	n = begin_reply(query, reply, REPLY_OK);
	return add_record(reply, n, 2, 6, 1, 3600, soa, sizeof(soa));
}

/* DNS-166, DNS-301 */
Test(dns_search, no_data_outweighs_no_name)
{
	struct asked a;

	set_up(&a, nodata_in_a);
	evdns_base_search_add(a.dns, "b");
	evdns_base_search_add(a.dns, "a");
	cr_assert_str_eq(searched(&a, "host"), "host.a host.b host");
	cr_assert_eq(a.told.result, DNS_ERR_NODATA);
	cr_assert_eq(a.told.ttl, 60);
	tear_down(&a);
}

/* DNS-167, DNS-094 */
Test(dns_search, a_final_dot_makes_a_name_absolute)
{
	struct asked a;

	set_up(&a, answer_by_name);
	evdns_base_search_add(a.dns, "a");
	cr_assert_str_eq(searched(&a, "nx."), "nx");
	cr_assert_str_eq(searched(&a, "."), "");
	cr_assert_eq(a.fake.seen_count, 2);
	tear_down(&a);
}

/* DNS-168, D42 */
Test(dns_search, names_that_become_too_long_are_skipped)
{
	struct asked a;
	char domain[256], host[64];

	set_up(&a, answer_by_name);
	memset(domain, 'd', 250);
	for (int i = 60; i < 250; i += 61)
		domain[i] = '.';
	domain[240] = '\0';
	memset(host, 'n', 40);
	host[1] = 'x';
	host[40] = '\0';
	evdns_base_search_add(a.dns, "b");
	evdns_base_search_add(a.dns, domain);
	ask_for(&a, host, 0);
	cr_assert_eq(a.told.result, DNS_ERR_NOTEXIST);
	cr_assert_eq(a.fake.seen_count, 2);
	cr_assert_str_eq(a.fake.seen[0].name + 40, ".b");
	cr_assert_str_eq(a.fake.seen[1].name, host);
	tear_down(&a);
}

/* Twice silent for each name; the third sending is patient, so that the answer is never late. */
static size_t slow_nx(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	struct asked *a = fake->arg;

	(void)len;
	switch (fake->seen_count % 3) {
	case 2:
		set_option(a->dns, "timeout", NEVER);
		return 0;
	case 0:
		set_option(a->dns, "timeout", "0.05");
		return begin_reply(query, reply, 0x8183);
	default:
		return 0;
	}
}

static size_t cut_then_nx(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	(void)len;
	return begin_reply(query, reply, fake->conn == NULL ? 0x8380 : 0x8183);
}

/* DNS-169: each name has its own sendings; once by TCP, always by TCP. */

Test(dns_search, each_name_has_its_own_attempts)
{
	struct asked a;

	set_up(&a, slow_nx);
	a.fake.arg = &a;
	set_option(a.dns, "timeout", "0.05");
	evdns_base_search_add(a.dns, "d");
	cr_assert_str_eq(searched(&a, "nx"), "nx.d nx.d nx.d nx nx nx");
	cr_assert_eq(a.told.result, DNS_ERR_NOTEXIST);
	set_option(a.dns, "timeout", NEVER);
	a.fake.fn = cut_then_nx;
	a.fake.queries = a.fake.tcp_queries = 0;
	cr_assert_str_eq(searched(&a, "nx"), "nx.d nx.d nx");
	cr_assert_eq(a.fake.queries, 1);
	cr_assert_eq(a.fake.tcp_queries, 2);
	tear_down(&a);
}

/* DNS-072 */
Test(dns_search, a_request_keeps_its_list)
{
	struct asked a;

	set_up(&a, answer_by_name);
	evdns_base_search_add(a.dns, "b");
	evdns_base_search_add(a.dns, "a");
	memset(&a.told, 0, sizeof(a.told));
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "nx", 0, tell, &a.told));
	evdns_base_search_clear(a.dns);
	evdns_base_search_add(a.dns, "c");
	evdns_base_search_ndots_set(a.dns, 0);
	await(a.base, &a.told.calls);
	cr_assert_str_eq(names_from(&a, 0), "nx.a nx.b nx");
	cr_assert_str_eq(searched(&a, "nx"), "nx nx.c");
	tear_down(&a);
}

/* DNS-092, DNS-163: reverse lookups never search. */
Test(dns_search, addresses_are_not_searched)
{
	struct asked a;
	struct in_addr in = { .s_addr = htonl(0x01020304) };
	struct told t = { 0 };

	set_up(&a, answer_by_name);
	evdns_base_search_add(a.dns, "a");
	cr_assert_not_null(evdns_base_resolve_reverse(a.dns, &in, 0, tell, &t));
	await(a.base, &t.calls);
	cr_assert_str_eq(names_from(&a, 0), "4.3.2.1.in-addr.arpa");
	cr_assert_eq(t.result, DNS_ERR_NODATA);
	tear_down(&a);
}
