/* SPDX-License-Identifier: BSD-3-Clause */
/* Lookups for the same at the same time: one query, an answer for each. */

#include "fake.h"

TestSuite(dns_share, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

#define LOOKUPS 4

struct together {
	struct asked a;
	struct evdns_request *requests[LOOKUPS];
	struct told told[LOOKUPS];
};

/* All for one name, before the loop runs. */
static void ask_together(struct together *t, const char *name)
{
	for (int i = 0; i < LOOKUPS; i++) {
		t->requests[i] = evdns_base_resolve_ipv4(t->a.dns, name, 0, tell, &t->told[i]);
		cr_assert_not_null(t->requests[i]);
	}
}

static void set_up_together(struct together *t, fake_fn *fn)
{
	memset(t, 0, sizeof(*t));
	set_up(&t->a, fn);
}

/* Each is told once, in the order in which they asked, that result. */
static void await_all(struct together *t, int result)
{
	for (int i = 0; i < LOOKUPS; i++) {
		await(t->a.base, &t->told[i].calls);
		cr_assert_eq(t->told[i].calls, 1);
		cr_assert_eq(t->told[i].result, result);
		if (result == DNS_ERR_NONE)
			cr_assert_arr_eq(t->told[i].addresses, "\n\0\0\1", 4);
	}
}

/* D07, DNS-097: four lookups, one query; and another once that is answered. */
Test(dns_share, one_query_and_an_answer_for_each)
{
	struct together t;

	set_up_together(&t, answer_by_name);
	ask_together(&t, "host");
	await_all(&t, DNS_ERR_NONE);
	cr_assert_eq(t.a.fake.queries, 1);
	ask_for(&t.a, "host", 0);
	cr_assert_eq(t.a.fake.queries, 2);
	memset(t.told, 0, sizeof(t.told));
	ask_together(&t, "nx");
	await_all(&t, DNS_ERR_NOTEXIST);
	cr_assert_eq(t.a.fake.queries, 3);
	tear_down(&t.a);
}

static size_t answer_with_alias(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	static const uint8_t address[4] = { 10, 0, 0, 1 };
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	n = add_record(reply, n, 1, 5, 1, 60, "\4real", 6);
	return add_record_of(reply, n, "\4real", 6, 1, 60, address, 4);
}

/* D07, DNS-101: what only concerns what is told may differ. */
Test(dns_share, each_is_told_as_it_wants)
{
	struct asked a;
	struct told told[2];

	memset(told, 0, sizeof(told));
	set_up(&a, answer_with_alias);
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &told[0]));
	cr_assert_not_null(
		evdns_base_resolve_ipv4(a.dns, "host", DNS_CNAME_CALLBACK, tell, &told[1]));
	for (int i = 0; i < 2; i++) {
		await(a.base, &told[i].calls);
		cr_assert_eq(told[i].aliases, i);
		cr_assert_arr_eq(told[i].addresses, "\n\0\0\1", 4);
	}
	cr_assert_str_eq(told[1].alias, "real");
	cr_assert_eq(a.fake.queries, 1);
	tear_down(&a);
}

/* D07: another name, other letters, another type or another transport is another question. */
Test(dns_share, what_differs_is_kept_apart)
{
	struct asked a;
	struct told told[6];

	memset(told, 0, sizeof(told));
	set_up(&a, answer_by_name);
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &told[0]));
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "hosts", 0, tell, &told[1]));
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "Host", 0, tell, &told[2]));
	cr_assert_not_null(evdns_base_resolve_ipv6(a.dns, "host", 0, tell, &told[3]));
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", DNS_QUERY_IGNTC, tell, &told[4]));
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", DNS_QUERY_USEVC, tell, &told[5]));
	for (int i = 0; i < 6; i++) {
		await(a.base, &told[i].calls);
		cr_assert_eq(told[i].result, DNS_ERR_NONE);
		cr_assert_eq(told[i].type, i == 3 ? DNS_IPv6_AAAA : DNS_IPv4_A);
	}
	cr_assert_eq(a.fake.queries, 5);
	cr_assert_eq(a.fake.tcp_queries, 1);
	tear_down(&a);
}

/* D07: whichever is cancelled, the others are answered; after the first, by a new query. */
Test(dns_share, cancelling_one_leaves_the_others)
{
	for (int cancelled = 0; cancelled < LOOKUPS; cancelled++) {
		struct together t;
		uint8_t reply[512];

		set_up_together(&t, NULL);
		ask_together(&t, "host");
		fake_await(&t.a.fake, 1);
		evdns_cancel_request(t.a.dns, t.requests[cancelled]);
		t.a.fake.fn = answer_by_name;
		if (cancelled != 0) /* the query that the server has is still the one */
			fake_send(
				&t.a.fake, reply,
				answer_by_name(&t.a.fake, t.a.fake.last, t.a.fake.last_len, reply));
		for (int i = 0; i < LOOKUPS; i++) {
			await(t.a.base, &t.told[i].calls);
			cr_assert_eq(t.told[i].result,
				     i == cancelled ? DNS_ERR_CANCEL : DNS_ERR_NONE);
		}
		cr_assert_eq(t.a.fake.queries, cancelled == 0 ? 2 : 1);
		tear_down(&t.a);
	}
}

/* D07: all of them, one after the other, the first that asks first. */
Test(dns_share, all_can_be_cancelled)
{
	struct together t;

	set_up_together(&t, NULL);
	ask_together(&t, "host");
	for (int i = 0; i < LOOKUPS; i++)
		evdns_cancel_request(t.a.dns, t.requests[i]);
	await_all(&t, DNS_ERR_CANCEL);
	tear_down(&t.a);
}

/* D07: those that wait for a place in flight share, too, and do so while suspended. */
Test(dns_share, waiting_and_suspended_ones_share)
{
	struct together t;
	struct told other = { 0 };

	set_up_together(&t, NULL);
	set_option(t.a.dns, "max-inflight", "1");
	cr_assert_not_null(evdns_base_resolve_ipv4(t.a.dns, "other", 0, tell, &other));
	ask_together(&t, "host");
	fake_await(&t.a.fake, 1);
	cr_assert_eq(evdns_base_clear_nameservers_and_suspend(t.a.dns), 0);
	t.a.fake.fn = answer_by_name;
	fake_use(&t.a.fake, t.a.dns);
	cr_assert_eq(evdns_base_resume(t.a.dns), 0);
	await_all(&t, DNS_ERR_NONE);
	cr_assert_eq(other.calls, 1);
	cr_assert_eq(t.a.fake.queries, 3);
	tear_down(&t.a);
}

/* D07, DNS-014, DNS-016: freeing tells all of them, or none. */
Test(dns_share, freeing_ends_all)
{
	for (int fail = 0; fail < 2; fail++) {
		struct together t;

		set_up_together(&t, NULL);
		ask_together(&t, "host");
		fake_await(&t.a.fake, 1);
		evdns_base_free(t.a.dns, fail);
		event_base_loop(t.a.base, EVLOOP_NONBLOCK);
		for (int i = 0; i < LOOKUPS; i++) {
			cr_assert_eq(t.told[i].calls, fail);
			cr_assert_eq(t.told[i].result, fail ? DNS_ERR_SHUTDOWN : 0);
		}
		cr_assert_eq(t.a.fake.queries, 1);
		fake_stop(&t.a.fake);
		event_base_free(t.a.base);
	}
}

/* D07: with a search list each name is asked for once for all of them. */
Test(dns_share, searches_share_each_step)
{
	struct together t;

	set_up_together(&t, answer_by_name);
	evdns_base_search_add(t.a.dns, "two");
	evdns_base_search_add(t.a.dns, "one");
	ask_together(&t, "nx");
	await_all(&t, DNS_ERR_NOTEXIST);
	cr_assert_eq(t.a.fake.queries, 3);
	cr_assert_str_eq(t.a.fake.seen[0].name, "nx.one");
	cr_assert_str_eq(t.a.fake.seen[1].name, "nx.two");
	cr_assert_str_eq(t.a.fake.seen[2].name, "nx");
	tear_down(&t.a);
}
