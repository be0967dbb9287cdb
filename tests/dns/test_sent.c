/* SPDX-License-Identifier: BSD-3-Clause */
/* What queries look like on the wire, and how hard they are to guess. */

#include "fake.h"

#include <sys/wait.h>
#include <unistd.h>

TestSuite(dns_sent, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* In a child that ends before its loop runs: what it asks is heard by the parent's server. */
static void ask_from_a_child(struct asked *a, struct told *t)
{
	pid_t child = fork();
	int status;

	cr_assert_geq(child, 0);
	if (child == 0) {
		for (int i = 0; i < 4; i++) {
			char name[] = "child0";

			name[5] = (char)(name[5] + i);
			(void)evdns_base_resolve_ipv4(a->dns, name, 0, tell, t);
		}
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

/* DNS-107, D06: what a child sends cannot be foreseen by who knows what its parent sent. */
Test(dns_sent, a_forked_child_has_ids_of_its_own)
{
	struct asked a;
	struct told t[4];
	uint16_t ids[2][4];
	int used[2] = { 0, 0 };

	memset(t, 0, sizeof(t));
	set_up(&a, NULL);
	ask_from_a_child(&a, t);
	fake_await(&a.fake, 4);
	for (int round = 0; round < 2; round++) {
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, host(round), 0, tell, &t[round]));
		fake_await(&a.fake, 5 + round);
	}
	ask_from_a_child(&a, t);
	for (int i = 0; i < 2; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, host(2 + i), 0, tell, &t[2 + i]));
	fake_await(&a.fake, 12);
	for (int i = 6; i < 12; i++) {
		int is_child = strncmp(a.fake.seen[i].name, "child", 5) == 0;

		ids[is_child][used[is_child]++] = a.fake.seen[i].id;
	}
	cr_assert_eq(used[0], 2);
	cr_assert_eq(used[1], 4);
	cr_assert(ids[0][0] != ids[1][0] || ids[0][1] != ids[1][1]);
	tear_down(&a);
}

/* DNS-106, DNS-108, DNS-111 */
Test(dns_sent, a_query_is_a_header_and_a_question)
{
	static const uint8_t expected[] = "\1\0\0\1\0\0\0\0\0\0\4host\7exAmple\0\0\1\0\1";
	struct asked a;

	set_up(&a, answer_by_name);
	set_option(a.dns, "randomize-case", "0");
	ask_for(&a, "host.exAmple", 0);
	cr_assert_eq(a.fake.last_len, 2 + sizeof(expected) - 1);
	cr_assert(memcmp(a.fake.last + 2, expected, sizeof(expected) - 1) == 0);
	tear_down(&a);
}

/*
 * DNS-107: every id differs from all others in flight, none is 0xffff; a repeat is byte for byte
 * the same.
 */
Test(dns_sent, ids_are_unique_and_repeated_only_by_retransmissions)
{
	struct asked a;
	struct told t[100];
	uint8_t first[1024];

	memset(t, 0, sizeof(t));
	set_up(&a, NULL);
	set_option(a.dns, "max-inflight", "200");
	for (int i = 0; i < 100; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, host(i), 0, tell, &t[i]));
	fake_await(&a.fake, 100);
	for (int i = 0; i < 100; i++) {
		cr_assert_neq(a.fake.seen[i].id, 0xffff);
		for (int k = 0; k < i; k++)
			cr_assert_neq(a.fake.seen[i].id, a.fake.seen[k].id);
	}
	tear_down(&a);
	set_up(&a, NULL);
	set_option(a.dns, "timeout", "0.1");
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &t[0]));
	fake_await(&a.fake, 1);
	memcpy(first, a.fake.last, sizeof(first));
	fake_await(&a.fake, 3);
	await(a.base, &t[0].calls);
	cr_assert(memcmp(first, a.fake.last, a.fake.last_len) == 0);
	tear_down(&a);
}

/* DNS-107: a later name of the request, and the repeat by TCP, are other queries. */
Test(dns_sent, other_queries_have_other_ids)
{
	struct asked a;
	int same = 0;

	set_up(&a, answer_by_name);
	evdns_base_search_add(a.dns, "d");
	for (int i = 0; i < 4; i++) {
		ask_for(&a, "nx", 0);
		same += a.fake.seen[2 * i].id == a.fake.seen[2 * i + 1].id;
	}
	evdns_base_search_clear(a.dns);
	for (int i = 4; i < 8; i++) {
		ask_for(&a, "cut", 0);
		cr_assert_eq(a.fake.seen[2 * i + 1].by_tcp, 1);
		same += a.fake.seen[2 * i].id == a.fake.seen[2 * i + 1].id;
	}
	cr_assert_leq(same, 1);
	tear_down(&a);
}

/* DNS-107, D06: spread over the whole range. */
Test(dns_sent, ids_cannot_be_foreseen)
{
	struct asked a;
	int low = 0;

	set_up(&a, answer_by_name);
	for (int i = 0; i < 200; i++) {
		ask_for(&a, "host", 0);
		low += a.fake.seen[i].id < 0x8000;
	}
	cr_assert(low > 50 && low < 150);
	tear_down(&a);
}

#define MANY 40

static uint8_t replies[MANY][512];
static size_t reply_lens[MANY];
static struct sockaddr_in askers[MANY];

static size_t keep(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	int i = fake->queries - 1;

	(void)reply;
	askers[i] = fake->from;
	reply_lens[i] = answer_address(fake, query, len, replies[i]);
	return 0;
}

/*
 * DNS-291: a socket that is used no more is heard until its last answer, in whatever order they
 * come.
 */
Test(dns_sent, retired_sockets_are_still_heard)
{
	for (int order = 0; order < 3; order++) {
		struct asked a;
		struct told t[MANY];
		int told = 0;

		memset(t, 0, sizeof(t));
		set_up(&a, keep);
		for (int i = 0; i < MANY; i++)
			cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, host(i), 0, tell, &t[i]));
		fake_await(&a.fake, MANY);
		for (int i = 0; i < MANY; i++) {
			int k = order == 0 ? i : order == 1 ? MANY - 1 - i : i * 7 % MANY;

			a.fake.from = askers[k];
			fake_send(&a.fake, replies[k], reply_lens[k]);
			for (told = 0; told <= i;) {
				event_base_loop(a.base, EVLOOP_ONCE);
				told = 0;
				for (int n = 0; n < MANY; n++)
					told += t[n].calls;
			}
		}
		cr_assert_eq(told, MANY);
		tear_down(&a);
	}
}

/* DNS-108 */
Test(dns_sent, case_is_random_for_addresses_and_probes_too)
{
	struct asked a;
	struct in_addr in = { 0 };
	int upper = 0;

	set_up(&a, answer_by_name);
	for (int i = 0; i < 8; i++) {
		memset(&a.told, 0, sizeof(a.told));
		cr_assert_not_null(evdns_base_resolve_reverse(a.dns, &in, 0, tell, &a.told));
		await(a.base, &a.told.calls);
		for (size_t k = 12; k < a.fake.last_len; k++)
			upper |= a.fake.last[k] >= 'A' && a.fake.last[k] <= 'Z';
	}
	cr_assert(upper);
	tear_down(&a);
}

/* DNS-110: a failure to send is noticed, and the query is sent again at its timeout. */
Test(dns_sent, a_failed_sending_is_repeated)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = patient_dns(base);
	struct told t = { 0 };
	struct fake fake;

	fake_start(&fake, base, answer_by_name);
	set_option(dns, "timeout", "0.5");
	set_option(dns, "attempts", "50");
	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "255.255.255.255"), 0); /* EACCES */
	fake_use(&fake, dns);
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host", 0, tell, &t));
	await(base, &t.calls);
	cr_assert_eq(t.result, DNS_ERR_NONE);
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host", 0, tell, &t));
	t.calls = 0;
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, host(2), 0, tell, &t));
	await(base, &t.calls);
	evdns_base_free(dns, 0);
	fake_stop(&fake);
	event_base_free(base);
}

/* DNS-111: two queries in flight when the server proves to lack EDNS are both repeated without. */
static size_t no_edns(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	if (query[11] == 1)
		return begin_reply(query, reply, 0x8181);
	return answer_address(fake, query, len, reply);
}

Test(dns_sent, lacking_edns_is_learnt_once_for_all)
{
	struct asked a;
	struct told t[2];

	memset(t, 0, sizeof(t));
	set_up(&a, no_edns);
	set_option(a.dns, "edns-udp-size", "4096");
	for (int i = 0; i < 2; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, host(i), 0, tell, &t[i]));
	for (int i = 0; i < 2; i++) {
		await(a.base, &t[i].calls);
		cr_assert_eq(t[i].result, DNS_ERR_NONE);
	}
	cr_assert_eq(a.fake.queries, 4);
	tear_down(&a);
}
