/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for a place, suspending and resuming, cancelling. */

#include "fake.h"

TestSuite(dns_queue, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* DNS-154 */
Test(dns_queue, first_come_first_served)
{
	struct asked a;
	struct told t[20];
	char names[20][8];

	memset(t, 0, sizeof(t));
	set_up(&a, answer_by_name);
	set_option(a.dns, "max-inflight", "3");
	for (int i = 0; i < 20; i++) {
		snprintf(names[i], sizeof(names[i]), "h%02d", i);
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, names[i], 0, tell, &t[i]));
	}
	for (int i = 0; i < 20; i++) {
		await(a.base, &t[i].calls);
		cr_assert_eq(t[i].result, DNS_ERR_NONE);
	}
	for (int i = 3; i < 20; i++) {
		int k = 0;

		while (strcmp(a.fake.seen[k].name, names[i]) != 0)
			k++;
		cr_assert(k >= i - 2, "%s was sent as number %d", names[i], k);
	}
	tear_down(&a);
}

/* Answers one of those that wait, by and by; remembers how many ever waited. */
struct slow_server {
	struct fake fake;
	struct event *ready;
	uint8_t replies[9][512];
	size_t lens[9];
	struct sockaddr_in from[9];
	int taken, answered, most;
};

static size_t take_one(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	struct slow_server *s = fake->arg;
	struct timeval soon = { 0, 5000 };

	(void)reply;
	cr_assert_lt(s->taken, 9);
	s->from[s->taken] = fake->from;
	s->lens[s->taken] = answer_address(fake, query, len, s->replies[s->taken]);
	s->taken++;
	if (s->taken - s->answered > s->most)
		s->most = s->taken - s->answered;
	event_add(s->ready, &soon);
	return 0;
}

static void answer_one(evutil_socket_t fd, short what, void *arg)
{
	struct slow_server *s = arg;
	struct timeval soon = { 0, 5000 };

	(void)fd;
	(void)what;
	s->fake.from = s->from[s->answered];
	fake_send(&s->fake, s->replies[s->answered], s->lens[s->answered]);
	if (++s->answered < s->taken)
		event_add(s->ready, &soon);
}

/* DNS-154: never more than the limit at once. */
Test(dns_queue, the_limit_holds)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = patient_dns(base);
	static struct slow_server s;
	struct told t[9];

	memset(t, 0, sizeof(t));
	fake_start(&s.fake, base, take_one);
	s.fake.arg = &s;
	s.ready = event_new(base, -1, 0, answer_one, &s);
	fake_use(&s.fake, dns);
	set_option(dns, "max-inflight", "3");
	for (int i = 0; i < 9; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(dns, host(i), 0, tell, &t[i]));
	fake_await(&s.fake, 3);
	for (int i = 0; i < 9; i++) {
		await(base, &t[i].calls);
		cr_assert_eq(t[i].result, DNS_ERR_NONE);
	}
	cr_assert_eq(s.taken, 9);
	cr_assert_eq(s.most, 3);
	event_free(s.ready);
	evdns_base_free(dns, 0);
	fake_stop(&s.fake);
	event_base_free(base);
}

/* DNS-155, DNS-157, D34 */
Test(dns_queue, suspended_queries_go_ahead_in_their_order)
{
	struct asked a;
	struct told t[6];
	static const char *const names[] = { "a", "b", "c", "d", "e", "f" };

	memset(t, 0, sizeof(t));
	set_up(&a, NULL);
	set_option(a.dns, "max-inflight", "4");
	for (int i = 0; i < 6; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, names[i], 0, tell, &t[i]));
	fake_await(&a.fake, 4);
	run_for(a.base, 20);
	cr_assert_eq(a.fake.queries, 4);
	cr_assert_eq(evdns_base_clear_nameservers_and_suspend(a.dns), 0);
	cr_assert_eq(evdns_base_count_nameservers(a.dns), 0);
	a.fake.fn = answer_by_name;
	a.fake.seen_count = 0;
	fake_use(&a.fake, a.dns);
	run_for(a.base, 30);
	cr_assert_eq(a.fake.seen_count, 0, "adding alone restarts nothing");
	set_option(a.dns, "max-inflight", "1");
	cr_assert_eq(evdns_base_resume(a.dns), 0);
	for (int i = 0; i < 6; i++) {
		await(a.base, &t[i].calls);
		cr_assert_eq(t[i].result, DNS_ERR_NONE);
		cr_assert_str_eq(a.fake.seen[i].name, names[i]);
	}
	tear_down(&a);
}

/* DNS-155, D32: counts restart, probes and connections go. */
Test(dns_queue, suspending_forgets_what_was_sent)
{
	struct asked a;
	struct told t = { 0 };
	int before;

	set_up(&a, NULL);
	set_option(a.dns, "timeout", "0.02");
	set_option(a.dns, "attempts", "255");
	set_option(a.dns, "initial-probe-timeout", NEVER);
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &t));
	fake_await(&a.fake, 4);
	evdns_base_clear_nameservers_and_suspend(a.dns);
	run_for(a.base, 50);
	before = a.fake.queries;
	fake_use(&a.fake, a.dns);
	set_option(a.dns, "attempts", "3");
	evdns_base_resume(a.dns);
	await(a.base, &t.calls);
	cr_assert_eq(t.result, DNS_ERR_TIMEOUT);
	fake_await(&a.fake, before + 3);
	run_for(a.base, 50);
	cr_assert_eq(a.fake.queries, before + 3);
	set_option(a.dns, "timeout", NEVER);
	t.calls = 0;
	a.fake.fn = answer_by_name;
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", DNS_QUERY_USEVC, tell, &t));
	await(a.base, &t.calls);
	cr_assert_not_null(a.fake.conns);
	evdns_base_clear_nameservers_and_suspend(a.dns);
	while (a.fake.conns != NULL)
		event_base_loop(a.base, EVLOOP_ONCE);
	tear_down(&a);
}

/* DNS-156 */
Test(dns_queue, resuming_without_nameservers_sends_nothing)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = patient_dns(base);
	struct told t = { 0 };

	set_option(dns, "timeout", "0.05");
	cr_assert_eq(evdns_base_resume(dns), 0);
	cr_assert_eq(evdns_base_clear_nameservers_and_suspend(dns), 0);
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host", 0, tell, &t));
	run_for(base, 200);
	cr_assert_eq(t.calls, 0, "suspended, it waits");
	cr_assert_eq(evdns_base_resume(dns), 0);
	cr_assert_eq(t.calls, 0);
	await(base, &t.calls);
	cr_assert_eq(t.result, DNS_ERR_TIMEOUT);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-158 */
Test(dns_queue, suspended_and_waiting_requests_can_be_cancelled)
{
	struct asked a;
	struct told t[3];
	struct evdns_request *requests[3];

	memset(t, 0, sizeof(t));
	set_up(&a, NULL);
	set_option(a.dns, "max-inflight", "1");
	for (int i = 0; i < 3; i++)
		requests[i] = evdns_base_resolve_ipv4(a.dns, host(i), 0, tell, &t[i]);
	evdns_cancel_request(a.dns, requests[1]);
	await(a.base, &t[1].calls);
	cr_assert_eq(t[1].result, DNS_ERR_CANCEL);
	evdns_base_clear_nameservers_and_suspend(a.dns);
	evdns_cancel_request(a.dns, requests[0]);
	await(a.base, &t[0].calls);
	cr_assert_eq(t[0].result, DNS_ERR_CANCEL);
	evdns_base_free(a.dns, 1);
	await(a.base, &t[2].calls);
	cr_assert_eq(t[2].result, DNS_ERR_SHUTDOWN);
	a.dns = NULL;
	tear_down(&a);
}

/* DNS-159, DNS-161 */
Test(dns_queue, cancelling_is_told_once_and_later)
{
	struct asked a;
	struct told t = { 0 };
	struct evdns_request *request;

	set_up(&a, answer_by_name);
	request = evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &t);
	evdns_cancel_request(NULL, request);
	evdns_cancel_request(a.dns, request);
	evdns_cancel_request(a.dns, NULL);
	cr_assert_eq(t.calls, 0);
	await(a.base, &t.calls);
	run_for(a.base, 50);
	cr_assert_eq(t.calls, 1);
	cr_assert_eq(t.result, DNS_ERR_CANCEL);
	cr_assert_leq(a.fake.queries, 1);
	tear_down(&a);
}

struct canceller {
	struct asked a;
	struct evdns_request *request;
	int at;
};

/* Cancels when the query number `at` comes, then answers it. */
static size_t cancel_now(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	struct canceller *c = fake->arg;

	if (fake->seen_count == c->at)
		evdns_cancel_request(c->a.dns, c->request);
	return answer_by_name(fake, query, len, reply);
}

/* DNS-160 */
Test(dns_queue, a_search_can_be_cancelled_at_any_step)
{
	for (int at = 1; at <= 3; at++) {
		struct canceller c;

		memset(&c, 0, sizeof(c));
		set_up(&c.a, cancel_now);
		c.a.fake.arg = &c;
		c.at = at;
		evdns_base_search_add(c.a.dns, "a");
		evdns_base_search_add(c.a.dns, "b");
		c.request = evdns_base_resolve_ipv4(c.a.dns, "nx", 0, tell, &c.a.told);
		await(c.a.base, &c.a.told.calls);
		run_for(c.a.base, 20);
		cr_assert_eq(c.a.told.result, DNS_ERR_CANCEL);
		cr_assert_eq(c.a.told.calls, 1);
		cr_assert_eq(c.a.fake.seen_count, at);
		tear_down(&c.a);
	}
}

struct two {
	struct asked *a;
	struct evdns_request *other;
	struct told mine, others;
};

static void cancel_other(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct two *two = arg;

	evdns_cancel_request(two->a->dns, two->other);
	tell(result, type, count, ttl, addresses, &two->mine);
}

/* Answers both when the second comes. */
static size_t both_at_once(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	static uint8_t first[512];
	static size_t first_len;

	if (fake->queries == 1) {
		first_len = answer_address(fake, query, len, first);
		return 0;
	}
	fake_send(fake, first, first_len);
	return answer_address(fake, query, len, reply);
}

/* DNS-161: both answers are in when the first is told. */
Test(dns_queue, a_result_on_its_way_is_delivered)
{
	struct asked a;
	struct two two = { .a = &a };

	set_up(&a, both_at_once);
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", 0, cancel_other, &two));
	two.other = evdns_base_resolve_ipv4(a.dns, "other", 0, tell, &two.others);
	await(a.base, &two.others.calls);
	cr_assert_eq(two.mine.result, DNS_ERR_NONE);
	cr_assert_eq(two.others.result, DNS_ERR_NONE);
	run_for(a.base, 10);
	cr_assert_eq(two.others.calls, 1);
	tear_down(&a);
}

/* DNS-162 */
Test(dns_queue, cancelling_makes_room)
{
	struct asked a;
	struct told t[2];
	struct evdns_request *first;

	memset(t, 0, sizeof(t));
	set_up(&a, answer_by_name);
	set_option(a.dns, "max-inflight", "1");
	first = evdns_base_resolve_ipv4(a.dns, "silent", 0, tell, &t[0]);
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &t[1]));
	evdns_cancel_request(a.dns, first);
	await(a.base, &t[1].calls);
	cr_assert_eq(t[1].result, DNS_ERR_NONE);
	tear_down(&a);
}

static size_t twice(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	fake_send(fake, reply, answer_by_name(fake, query, len, reply));
	return answer_by_name(fake, query, len, reply);
}

/* DNS-120 */
Test(dns_queue, duplicates_are_ignored)
{
	struct asked a;

	set_up(&a, twice);
	for (int i = 0; i < 5; i++) {
		ask_for(&a, "host", 0);
		run_for(a.base, 5);
		cr_assert_eq(a.told.calls, 1);
	}
	tear_down(&a);
}
