/* SPDX-License-Identifier: BSD-3-Clause */
/* Timeouts, other servers, servers that are down, and probes. */

#include "fake.h"

TestSuite(dns_retry, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* A base with two nameservers. */
struct pair {
	struct event_base *base;
	struct evdns_base *dns;
	struct fake first, second;
	struct told told;
};

static void pair_start(struct pair *p, fake_fn *first, fake_fn *second)
{
	memset(p, 0, sizeof(*p));
	p->base = support_base_new();
	p->dns = quick_dns(p->base);
	fake_start(&p->first, p->base, first);
	fake_start(&p->second, p->base, second);
	fake_use(&p->first, p->dns);
	fake_use(&p->second, p->dns);
}

static void pair_ask(struct pair *p, const char *name)
{
	memset(&p->told, 0, sizeof(p->told));
	cr_assert_not_null(evdns_base_resolve_ipv4(p->dns, name, 0, tell, &p->told));
	support_run_until(p->base, &p->told.calls, 10000);
}

static void pair_stop(struct pair *p)
{
	evdns_base_free(p->dns, 0);
	event_base_loop(p->base, EVLOOP_NONBLOCK);
	fake_stop(&p->first);
	fake_stop(&p->second);
	event_base_free(p->base);
}

static size_t third_time(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	return fake->seen_count < 3 ? 0 : answer_address(fake, query, len, reply);
}

/* DNS-138, DNS-139, DNS-297 */
Test(dns_retry, three_sendings_at_even_intervals)
{
	struct asked a;
	double start;

	set_up(&a, NULL);
	evdns_base_set_option(a.dns, "timeout", "0.1");
	start = support_now_ms();
	ask_for(&a, "host", 0);
	cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
	cr_assert_eq(a.fake.queries, 3);
	cr_assert_geq(support_now_ms() - start, 290);
	cr_assert_geq(a.fake.seen[1].at - a.fake.seen[0].at, 80);
	cr_assert_geq(a.fake.seen[2].at - a.fake.seen[1].at, 80);
	tear_down(&a);
	set_up(&a, third_time);
	ask_for(&a, "host", 0);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	tear_down(&a);
}

/* DNS-140 */
Test(dns_retry, waiting_for_a_place_is_not_counted)
{
	struct asked a;
	struct told t[2];

	memset(t, 0, sizeof(t));
	set_up(&a, answer_by_name);
	evdns_base_set_option(a.dns, "max-inflight", "1");
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "silent", 0, tell, &t[0]));
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &t[1]));
	support_run_until(a.base, &t[1].calls, 5000);
	cr_assert_eq(t[0].result, DNS_ERR_TIMEOUT);
	cr_assert_eq(t[1].result, DNS_ERR_NONE);
	tear_down(&a);
}

/* DNS-138, DNS-141, DNS-107 */
Test(dns_retry, each_sending_goes_to_the_next_server)
{
	struct pair p;

	pair_start(&p, NULL, NULL);
	evdns_base_set_option(p.dns, "attempts", "4");
	pair_ask(&p, "host");
	cr_assert_eq(p.told.result, DNS_ERR_TIMEOUT);
	cr_assert_eq(p.first.queries, 2);
	cr_assert_eq(p.second.queries, 2);
	cr_assert_eq(p.first.seen[0].id, p.second.seen[0].id);
	pair_stop(&p);
}

/* Answers what it was asked before, too late for that sending. */
static size_t late(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	struct pair *p = fake->arg;
	static uint8_t again[512];
	size_t n = answer_address(fake, query, len, again);

	(void)reply;
	fake_send(&p->first, again, n);
	return 0;
}

/* DNS-114 */
Test(dns_retry, a_late_reply_of_an_earlier_server_counts)
{
	struct pair p;

	pair_start(&p, NULL, late);
	p.second.arg = &p;
	evdns_base_set_option(p.dns, "timeout", "0.2");
	pair_ask(&p, "host");
	cr_assert_eq(p.told.result, DNS_ERR_NONE);
	cr_assert_eq(p.first.queries, 1);
	cr_assert_eq(p.second.queries, 1);
	pair_stop(&p);
}

/* The second server answers from its own socket a question only the first was asked. */
static size_t tell_second(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	struct pair *p = fake->arg;
	static uint8_t forged[512];
	size_t n = answer_address(fake, query, len, forged);

	(void)reply;
	forged[n - 1] = 66;
	p->second.from = fake->from;
	fake_send(&p->second, forged, n);
	return answer_address(fake, query, len, reply);
}

/* DNS-114, DNS-291 */
Test(dns_retry, a_server_that_was_not_asked_does_not_count)
{
	struct pair p;

	support_capture_log();
	pair_start(&p, tell_second, NULL);
	p.first.arg = &p;
	pair_ask(&p, "host");
	cr_assert_eq(p.told.result, DNS_ERR_NONE);
	cr_assert_eq(p.told.addresses[3], 1);
	pair_stop(&p);
}

/* DNS-143, DNS-122, DNS-295, DNS-301 */
Test(dns_retry, servfail_goes_to_each_server_once)
{
	struct pair p;
	double start;

	pair_start(&p, answer_by_name, answer_by_name);
	evdns_base_set_option(p.dns, "timeout", "3");
	start = support_now_ms();
	pair_ask(&p, "fail");
	cr_assert_eq(p.told.result, DNS_ERR_SERVERFAILED);
	cr_assert_eq(p.first.queries, 1);
	cr_assert_eq(p.second.queries, 1);
	p.second.fn = answer_address;
	for (int i = 0; i < 2; i++) {
		pair_ask(&p, "fail");
		cr_assert_eq(p.told.result, DNS_ERR_NONE);
	}
	cr_assert_lt(support_now_ms() - start, 2500);
	pair_ask(&p, "host");
	pair_ask(&p, "host");
	cr_assert_gt(p.first.queries, 2, "it was not taken down");
	pair_stop(&p);
}

/* DNS-144, DNS-295 */
Test(dns_retry, refusals_go_to_another_server_once)
{
	static const struct {
		const char *name;
		int result;
	} cases[] = { { "refused", DNS_ERR_REFUSED }, { "notimp", DNS_ERR_NOTIMPL } };

	for (int i = 0; i < 2; i++) {
		struct pair p;
		double start;

		pair_start(&p, answer_by_name, answer_by_name);
		evdns_base_set_option(p.dns, "timeout", "3");
		start = support_now_ms();
		pair_ask(&p, cases[i].name);
		cr_assert_eq(p.told.result, cases[i].result);
		cr_assert_eq(p.first.queries, 1);
		cr_assert_eq(p.second.queries, 1);
		p.second.fn = answer_address;
		pair_ask(&p, cases[i].name);
		cr_assert_eq(p.told.result, DNS_ERR_NONE);
		cr_assert_lt(support_now_ms() - start, 2500);
		pair_stop(&p);
	}
}

/* DNS-144: with one server the refusal is the result, at once. */
Test(dns_retry, a_refusal_of_the_only_server_is_the_result)
{
	struct asked a;
	double start;

	set_up(&a, answer_by_name);
	evdns_base_set_option(a.dns, "timeout", "3");
	start = support_now_ms();
	ask_for(&a, "notimp", 0);
	cr_assert_eq(a.told.result, DNS_ERR_NOTIMPL);
	ask_for(&a, "refused", 0);
	cr_assert_eq(a.told.result, DNS_ERR_REFUSED);
	cr_assert_lt(support_now_ms() - start, 2500);
	cr_assert_eq(a.fake.queries, 2);
	tear_down(&a);
}

/* DNS-145 */
Test(dns_retry, a_closed_port_leaves_the_lookup_pending)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, 0);
	struct sockaddr_in addr = { 0 };
	struct told t = { 0 };
	struct evdns_request *request;

	close(loopback_socket(SOCK_DGRAM, &addr));
	evdns_base_set_option(dns, "timeout", "2");
	cr_assert_eq(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&addr, sizeof(addr), 0), 0);
	request = evdns_base_resolve_ipv4(dns, "host", 0, tell, &t);
	run_for(base, 100);
	cr_assert_eq(t.calls, 0);
	evdns_cancel_request(dns, request);
	support_run_until(base, &t.calls, 5000);
	cr_assert_eq(t.result, DNS_ERR_CANCEL);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-142, DNS-146, DNS-151 */
Test(dns_retry, all_down_is_no_reason_to_fail)
{
	struct pair p;

	pair_start(&p, NULL, NULL);
	evdns_base_set_option(p.dns, "timeout", "0.02");
	evdns_base_set_option(p.dns, "initial-probe-timeout", "60");
	pair_ask(&p, "host");
	pair_ask(&p, "host");
	p.first.queries = p.second.queries = 0;
	pair_ask(&p, "host");
	cr_assert_eq(p.told.result, DNS_ERR_TIMEOUT);
	cr_assert_geq(p.first.queries, 1);
	cr_assert_geq(p.second.queries, 1);
	p.first.fn = p.second.fn = answer_by_name;
	pair_ask(&p, "host");
	cr_assert_eq(p.told.result, DNS_ERR_NONE);
	pair_stop(&p);
}

/* DNS-146, DNS-147, DNS-118, DNS-295: the silent one is found out and left alone, the other never blamed. */
Test(dns_retry, a_dead_server_is_avoided)
{
	struct pair p;
	int slow = 0;

	pair_start(&p, NULL, answer_by_name);
	evdns_base_set_option(p.dns, "timeout", "0.1");
	evdns_base_set_option(p.dns, "max-timeouts", "2");
	for (int i = 0; i < 12; i++) {
		double start = support_now_ms();

		pair_ask(&p, "host");
		cr_assert_eq(p.told.result, DNS_ERR_NONE);
		slow += support_now_ms() - start >= 90;
	}
	cr_assert_eq(slow, 3, "two timeouts are forgiven, the third one too many");
	cr_assert_eq(p.first.queries, 3);
	pair_stop(&p);
}

/* Answers every other one. */
static size_t every_other(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	return fake->seen_count % 2 ? 0 : answer_address(fake, query, len, reply);
}

/* DNS-118: any packet makes the count start afresh. */
Test(dns_retry, a_packet_proves_life)
{
	struct pair p;

	pair_start(&p, every_other, answer_by_name);
	evdns_base_set_option(p.dns, "timeout", "0.02");
	evdns_base_set_option(p.dns, "max-timeouts", "1");
	for (int i = 0; i < 12; i++)
		pair_ask(&p, "host");
	cr_assert_geq(p.first.queries, 4, "never down");
	pair_stop(&p);
}

/* DNS-148 */
Test(dns_retry, what_was_not_sent_goes_elsewhere)
{
	struct pair p;
	struct told t[4];

	memset(t, 0, sizeof(t));
	pair_start(&p, NULL, answer_by_name);
	evdns_base_set_option(p.dns, "max-inflight", "1");
	evdns_base_set_option(p.dns, "max-timeouts", "1");
	evdns_base_set_option(p.dns, "timeout", "0.05");
	for (int i = 0; i < 4; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(p.dns, "host", 0, tell, &t[i]));
	for (int i = 0; i < 4; i++) {
		support_run_until(p.base, &t[i].calls, 5000);
		cr_assert_eq(t[i].result, DNS_ERR_NONE);
	}
	pair_stop(&p);
}

static void wait_for_queries(struct asked *a, int n, int ms)
{
	for (int i = 0; i < ms / 10 && a->fake.queries < n; i++)
		run_for(a->base, 10);
	cr_assert_geq(a->fake.queries, n);
}

/* DNS-149..151, DNS-153, DNS-298 */
Test(dns_retry, a_server_that_is_down_is_probed_until_it_answers)
{
	struct asked a;

	set_up(&a, NULL);
	evdns_base_set_option(a.dns, "timeout", "0.01");
	evdns_base_set_option(a.dns, "attempts", "1");
	evdns_base_set_option(a.dns, "initial-probe-timeout", "0.1");
	evdns_base_set_option(a.dns, "probe-backoff-factor", "3");
	evdns_base_search_add(a.dns, "example.com");
	ask_for(&a, "host.", 0);
	cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
	wait_for_queries(&a, 3, 5000);
	for (int i = 1; i <= 2; i++) {
		cr_assert_str_eq(a.fake.seen[i].name, "google.com");
		cr_assert_eq(a.fake.seen[i].type, 1);
	}
	cr_assert_geq(a.fake.seen[1].at - a.fake.seen[0].at, 100);
	cr_assert_geq(a.fake.seen[2].at - a.fake.seen[1].at, 300);
	a.fake.fn = answer_by_name;
	wait_for_queries(&a, 4, 5000);
	cr_assert_geq(a.fake.seen[3].at - a.fake.seen[2].at, 900);
	run_for(a.base, 50);
	ask_for(&a, "host.", 0);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	run_for(a.base, 300);
	cr_assert_eq(a.fake.queries, 5, "no more probes");
	tear_down(&a);
}

/* DNS-151: SERVFAIL is no proof; a reply to another query is. */
Test(dns_retry, only_usable_replies_bring_a_server_up)
{
	struct asked a;

	set_up(&a, NULL);
	evdns_base_set_option(a.dns, "timeout", "0.01");
	evdns_base_set_option(a.dns, "attempts", "1");
	evdns_base_set_option(a.dns, "initial-probe-timeout", "0.05");
	evdns_base_set_option(a.dns, "probe-backoff-factor", "1");
	ask_for(&a, "host", 0);
	a.fake.fn = answer_by_name;
	ask_for(&a, "fail", 0);
	wait_for_queries(&a, 3, 5000);
	cr_assert_str_eq(a.fake.seen[2].name, "google.com");
	a.fake.fn = NULL;
	ask_for(&a, "host", 0);
	a.fake.fn = answer_by_name;
	ask_for(&a, "nx", 0);
	a.fake.queries = 0;
	run_for(a.base, 200);
	cr_assert_eq(a.fake.queries, 0);
	tear_down(&a);
}

/* DNS-149: a probe needs no place in flight. DNS-154 */
Test(dns_retry, probes_are_exempt_from_the_limit)
{
	struct pair p;
	struct told t = { 0 };

	pair_start(&p, NULL, NULL);
	evdns_base_set_option(p.dns, "max-inflight", "1");
	evdns_base_set_option(p.dns, "attempts", "1");
	evdns_base_set_option(p.dns, "timeout", "0.02");
	evdns_base_set_option(p.dns, "initial-probe-timeout", "0.1");
	pair_ask(&p, "host");
	evdns_base_set_option(p.dns, "timeout", "3");
	cr_assert_not_null(evdns_base_resolve_ipv4(p.dns, "other", 0, tell, &t));
	for (int i = 0; i < 100 && p.first.queries < 2; i++)
		run_for(p.base, 10);
	cr_assert_str_eq(p.first.seen[1].name, "google.com");
	cr_assert_eq(t.calls, 0);
	pair_stop(&p);
}
