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
	p->dns = patient_dns(p->base);
	fake_start(&p->first, p->base, first);
	fake_start(&p->second, p->base, second);
	fake_use(&p->first, p->dns);
	fake_use(&p->second, p->dns);
}

static void pair_ask(struct pair *p, const char *name)
{
	memset(&p->told, 0, sizeof(p->told));
	cr_assert_not_null(evdns_base_resolve_ipv4(p->dns, name, 0, tell, &p->told));
	await(p->base, &p->told.calls);
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
	struct asked *a = fake->arg;

	if (fake->seen_count == 2)
		set_option(a->dns, "timeout", NEVER);
	return fake->seen_count < 3 ? 0 : answer_address(fake, query, len, reply);
}

/* DNS-138, DNS-139, DNS-297: never early; and so many that growing intervals would take hours. */
Test(dns_retry, sendings_at_even_intervals)
{
	struct asked a;
	double start;

	set_up(&a, NULL);
	set_option(a.dns, "timeout", "0.1");
	set_option(a.dns, "initial-probe-timeout", NEVER);
	start = support_now_ms();
	ask_for(&a, "host", 0);
	cr_assert_geq(support_now_ms() - start, 300);
	cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
	fake_await(&a.fake, 3);
	cr_assert_geq(a.fake.seen[1].at - start, 100);
	cr_assert_geq(a.fake.seen[2].at - start, 200);
	set_option(a.dns, "timeout", "0.01");
	set_option(a.dns, "attempts", "20");
	ask_for(&a, "host", 0);
	cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
	fake_await(&a.fake, 3 + 20);
	tear_down(&a);
}

/* DNS-138, D31 */
Test(dns_retry, the_third_sending_may_succeed)
{
	struct asked a;

	set_up(&a, third_time);
	a.fake.arg = &a;
	set_option(a.dns, "timeout", "0.05");
	ask_for(&a, "host", 0);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	tear_down(&a);
}

/* DNS-140: the wait is three times as long as a query may take. */
Test(dns_retry, waiting_for_a_place_is_not_counted)
{
	struct asked a;
	struct told t[2];

	memset(t, 0, sizeof(t));
	set_up(&a, answer_by_name);
	set_option(a.dns, "max-inflight", "1");
	set_option(a.dns, "timeout", "0.3");
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "silent", 0, tell, &t[0]));
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &t[1]));
	await(a.base, &t[1].calls);
	cr_assert_eq(t[0].result, DNS_ERR_TIMEOUT);
	cr_assert_eq(t[1].result, DNS_ERR_NONE);
	tear_down(&a);
}

/* DNS-138, DNS-141, DNS-107 */
Test(dns_retry, each_sending_goes_to_the_next_server)
{
	struct pair p;

	pair_start(&p, NULL, NULL);
	set_option(p.dns, "attempts", "4");
	set_option(p.dns, "timeout", "0.05");
	set_option(p.dns, "initial-probe-timeout", NEVER);
	pair_ask(&p, "host");
	cr_assert_eq(p.told.result, DNS_ERR_TIMEOUT);
	fake_await(&p.first, 2);
	fake_await(&p.second, 2);
	run_for(p.base, 20);
	cr_assert_eq(p.first.queries, 2);
	cr_assert_eq(p.second.queries, 2);
	cr_assert_eq(p.first.seen[0].id, p.second.seen[0].id);
	pair_stop(&p);
}

/* Silent once; whatever is sent next has all the time. */
static size_t silent_then_patient(struct fake *fake, const uint8_t *query, size_t len,
				  uint8_t *reply)
{
	struct pair *p = fake->arg;

	(void)query;
	(void)len;
	(void)reply;
	set_option(p->dns, "timeout", NEVER);
	return 0;
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

/* DNS-114, D31 */
Test(dns_retry, a_late_reply_of_an_earlier_server_counts)
{
	struct pair p;

	pair_start(&p, silent_then_patient, late);
	p.first.arg = p.second.arg = &p;
	set_option(p.dns, "timeout", "0.05");
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

/* DNS-143, DNS-122, DNS-295, DNS-301, D31 */
Test(dns_retry, servfail_goes_to_each_server_once)
{
	struct pair p;

	pair_start(&p, answer_by_name, answer_by_name);
	pair_ask(&p, "fail");
	cr_assert_eq(p.told.result, DNS_ERR_SERVERFAILED);
	cr_assert_eq(p.first.queries, 1);
	cr_assert_eq(p.second.queries, 1);
	p.second.fn = answer_address;
	for (int i = 0; i < 2; i++) {
		pair_ask(&p, "fail");
		cr_assert_eq(p.told.result, DNS_ERR_NONE);
	}
	pair_ask(&p, "host");
	pair_ask(&p, "host");
	cr_assert_gt(p.first.queries, 2, "it was not taken down");
	pair_stop(&p);
}

/* DNS-144, DNS-295, D31 */
Test(dns_retry, refusals_go_to_another_server_once)
{
	static const struct {
		const char *name;
		int result;
	} cases[] = { { "refused", DNS_ERR_REFUSED }, { "notimp", DNS_ERR_NOTIMPL } };

	for (int i = 0; i < 2; i++) {
		struct pair p;

		pair_start(&p, answer_by_name, answer_by_name);
		pair_ask(&p, cases[i].name);
		cr_assert_eq(p.told.result, cases[i].result);
		cr_assert_eq(p.first.queries, 1);
		cr_assert_eq(p.second.queries, 1);
		p.second.fn = answer_address;
		pair_ask(&p, cases[i].name);
		cr_assert_eq(p.told.result, DNS_ERR_NONE);
		pair_stop(&p);
	}
}

/* DNS-144: with one server the refusal is the result, at once. */
Test(dns_retry, a_refusal_of_the_only_server_is_the_result)
{
	struct asked a;

	set_up(&a, answer_by_name);
	ask_for(&a, "notimp", 0);
	cr_assert_eq(a.told.result, DNS_ERR_NOTIMPL);
	ask_for(&a, "refused", 0);
	cr_assert_eq(a.told.result, DNS_ERR_REFUSED);
	cr_assert_eq(a.fake.queries, 2);
	tear_down(&a);
}

/* DNS-145 */
Test(dns_retry, a_closed_port_leaves_the_lookup_pending)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = patient_dns(base);
	struct sockaddr_in addr;
	struct told t = { 0 };
	struct evdns_request *request;
	int closed = closed_port(&addr);

	cr_assert_eq(
		evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&addr, sizeof(addr), 0),
		0);
	request = evdns_base_resolve_ipv4(dns, "host", 0, tell, &t);
	run_for(base, 100);
	cr_assert_eq(t.calls, 0);
	evdns_cancel_request(dns, request);
	await(base, &t.calls);
	cr_assert_eq(t.result, DNS_ERR_CANCEL);
	close(closed);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-142, DNS-146, DNS-151, D31 */
Test(dns_retry, all_down_is_no_reason_to_fail)
{
	struct pair p;

	pair_start(&p, NULL, NULL);
	set_option(p.dns, "timeout", "0.02");
	set_option(p.dns, "initial-probe-timeout", NEVER);
	pair_ask(&p, "host");
	pair_ask(&p, "host");
	fake_await(&p.first, 2); /* which took the first one down */
	fake_await(&p.second, 4);
	pair_ask(&p, "host");
	cr_assert_eq(p.told.result, DNS_ERR_TIMEOUT);
	fake_await(&p.first, 2 + 1);
	fake_await(&p.second, 4 + 1);
	set_option(p.dns, "timeout", NEVER);
	p.first.fn = p.second.fn = answer_by_name;
	pair_ask(&p, "host");
	cr_assert_eq(p.told.result, DNS_ERR_NONE);
	pair_stop(&p);
}

/*
 * DNS-146, DNS-147, DNS-118, DNS-295: the silent one is found out and left alone, the other never
 * blamed.
 */
Test(dns_retry, a_dead_server_is_avoided)
{
	struct pair p;

	pair_start(&p, silent_then_patient, answer_by_name);
	p.first.arg = &p;
	set_option(p.dns, "max-timeouts", "2");
	for (int i = 0; i < 3; i++) {
		set_option(p.dns, "timeout", "0.05");
		pair_ask(&p, "host");
		cr_assert_eq(p.told.result, DNS_ERR_NONE);
	}
	cr_assert_eq(p.first.queries, 3, "two timeouts are forgiven, the third one too many");
	for (int i = 0; i < 9; i++) { /* with no timeouts any more */
		pair_ask(&p, "host");
		cr_assert_eq(p.told.result, DNS_ERR_NONE);
	}
	cr_assert_eq(p.first.queries, 3);
	cr_assert_eq(p.second.queries, 12);
	pair_stop(&p);
}

/* Answers every other one; after a silence the next sending is patient. */
static size_t every_other(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	if (fake->seen_count % 2 == 0)
		return answer_address(fake, query, len, reply);
	return silent_then_patient(fake, query, len, reply);
}

/* DNS-118: any packet makes the count start afresh. */
Test(dns_retry, a_packet_proves_life)
{
	struct pair p;
	int silences = 0;

	pair_start(&p, every_other, answer_by_name);
	p.first.arg = &p;
	set_option(p.dns, "max-timeouts", "1");
	for (int i = 0; i < 12; i++) {
		/*
		 * in turn: the first server is next after every second sending, and silent every
		 * second time
		 */
		int is_silent =
			(p.first.queries + p.second.queries) % 2 == 0 && p.first.queries % 2 == 0;

		set_option(p.dns, "timeout", is_silent ? "0.05" : NEVER);
		pair_ask(&p, "host");
		cr_assert_eq(p.told.result, DNS_ERR_NONE);
		silences += is_silent;
	}
	cr_assert_eq(silences, 4);
	cr_assert_eq(p.first.queries, 8, "never down");
	pair_stop(&p);
}

/* DNS-148 */
Test(dns_retry, what_was_not_sent_goes_elsewhere)
{
	struct pair p;
	struct told t[4];

	memset(t, 0, sizeof(t));
	pair_start(&p, NULL, answer_by_name);
	set_option(p.dns, "max-inflight", "1");
	set_option(p.dns, "max-timeouts", "1");
	set_option(p.dns, "timeout", "0.1");
	set_option(p.dns, "attempts", "200");
	for (int i = 0; i < 4; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(p.dns, "host", 0, tell, &t[i]));
	for (int i = 0; i < 4; i++) {
		await(p.base, &t[i].calls);
		cr_assert_eq(t[i].result, DNS_ERR_NONE);
	}
	pair_stop(&p);
}

/* DNS-149..151, DNS-153, DNS-298, D32 */
Test(dns_retry, a_server_that_is_down_is_probed_until_it_answers)
{
	struct asked a;
	double start;

	set_up(&a, NULL);
	set_option(a.dns, "timeout", "0.01");
	set_option(a.dns, "attempts", "1");
	set_option(a.dns, "initial-probe-timeout", "0.1");
	set_option(a.dns, "probe-backoff-factor", "3");
	evdns_base_search_add(a.dns, "example.com");
	start = support_now_ms();
	ask_for(&a, "host.", 0);
	cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
	fake_await(&a.fake, 3);
	set_option(a.dns, "timeout", NEVER);
	for (int i = 1; i <= 2; i++) {
		cr_assert_str_eq(a.fake.seen[i].name, "google.com");
		cr_assert_eq(a.fake.seen[i].type, 1);
	}
	cr_assert_geq(a.fake.seen[1].at - start, 110);
	cr_assert_geq(a.fake.seen[2].at - start, 110 + 310);
	a.fake.fn = answer_by_name;
	fake_await(&a.fake, 4);
	cr_assert_geq(a.fake.seen[3].at - start, 110 + 310 + 910);
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
	int before;

	set_up(&a, NULL);
	set_option(a.dns, "timeout", "0.01");
	set_option(a.dns, "attempts", "1");
	set_option(a.dns, "initial-probe-timeout", "0.1");
	set_option(a.dns, "probe-backoff-factor", "1");
	ask_for(&a, "host", 0);
	set_option(a.dns, "timeout", NEVER);
	a.fake.fn = answer_by_name;
	ask_for(&a, "fail", 0);
	cr_assert_eq(a.told.result, DNS_ERR_SERVERFAILED);
	fake_await(&a.fake, 3);
	cr_assert_str_eq(a.fake.seen[2].name, "google.com", "still down");
	ask_for(&a, "host", 0); /* up again, and probed no more */
	set_option(a.dns, "timeout", "0.01");
	a.fake.fn = NULL;
	ask_for(&a, "host", 0);
	cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
	set_option(a.dns, "timeout", NEVER);
	a.fake.fn = answer_by_name;
	ask_for(&a, "nx", 0);
	cr_assert_eq(a.told.result, DNS_ERR_NOTEXIST);
	before = a.fake.queries;
	run_for(a.base, 300);
	cr_assert_eq(a.fake.queries, before);
	tear_down(&a);
}

static int came_back;

static void watch_log(int is_warning, const char *text)
{
	(void)is_warning;
	came_back += strncmp(text, "Nameserver ", 11) == 0 && strstr(text, " is back up") != NULL;
}

/* DNS-137: everything a server says shows that it works, but that it failed or will not. */
Test(dns_retry, which_replies_bring_a_server_up)
{
	static const struct {
		const char *name;
		int is_proof;
	} cases[] = { { "host", 1 }, { "nx", 1 },   { "none", 1 },    { "format", 1 }, { "odd", 1 },
		      { "cut", 1 },  { "fail", 0 }, { "refused", 0 }, { "notimp", 0 } };

	evdns_set_log_fn(watch_log);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asked a;

		set_up(&a, NULL);
		set_option(a.dns, "timeout", "0.01");
		set_option(a.dns, "attempts", "1");
		set_option(a.dns, "initial-probe-timeout", NEVER);
		ask_for(&a, "silent", 0);
		cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
		set_option(a.dns, "timeout", NEVER);
		a.fake.fn = answer_by_name;
		came_back = 0;
		ask_for(&a, cases[i].name, DNS_QUERY_IGNTC);
		cr_assert_eq(came_back, cases[i].is_proof, "%s", cases[i].name);
		tear_down(&a);
	}
	evdns_set_log_fn(NULL);
}

/* DNS-149: a probe needs no place in flight. DNS-154 */
Test(dns_retry, probes_are_exempt_from_the_limit)
{
	struct pair p;
	struct told t = { 0 };

	pair_start(&p, NULL, NULL);
	set_option(p.dns, "max-inflight", "1");
	set_option(p.dns, "attempts", "1");
	set_option(p.dns, "timeout", "0.02");
	set_option(p.dns, "initial-probe-timeout", "0.1");
	pair_ask(&p, "host");
	set_option(p.dns, "timeout", NEVER);
	cr_assert_not_null(evdns_base_resolve_ipv4(p.dns, "other", 0, tell, &t));
	fake_await(&p.first, 2);
	cr_assert_str_eq(p.first.seen[1].name, "google.com");
	cr_assert_eq(t.calls, 0);
	pair_stop(&p);
}
