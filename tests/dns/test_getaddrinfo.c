/* SPDX-License-Identifier: BSD-3-Clause */
/* evdns_getaddrinfo(): what is answered at once, what is asked, and how answers are combined. */

#include "fake.h"

TestSuite(dns_getaddrinfo, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static const struct evutil_addrinfo stream = { .ai_socktype = SOCK_STREAM };
static const struct evutil_addrinfo stream4 = { .ai_family = PF_INET, .ai_socktype = SOCK_STREAM };
static const struct evutil_addrinfo stream6 = { .ai_family = PF_INET6, .ai_socktype = SOCK_STREAM };

/* The result of a call that must be answered inside it: a list, or the name of the error. */
static const char *at_once(struct evdns_base *dns, const char *node, const char *service,
			   const struct evutil_addrinfo *hints)
{
	struct found found = { 0 };
	static char text[4096];

	cr_assert_null(evdns_getaddrinfo(dns, node, service, hints, find, &found));
	cr_assert_eq(found.calls, 1);
	if (found.result != 0)
		cr_assert_null(found.list);
	snprintf(text, sizeof(text), "%s", found.result != 0 ? evutil_gai_strerror(found.result) :
							       list_text(found.list));
	forget(&found);
	return text;
}

/* The same for one that must ask. */
static const char *asking(struct asked *a, const char *node, const struct evutil_addrinfo *hints)
{
	struct found found = { 0 };
	static char text[4096];

	cr_assert_not_null(evdns_getaddrinfo(a->dns, node, "80", hints, find, &found));
	cr_assert_eq(found.calls, 0);
	await(a->base, &found.calls);
	if (found.result != 0)
		cr_assert_null(found.list);
	snprintf(text, sizeof(text), "%s", found.result != 0 ? evutil_gai_strerror(found.result) :
							       list_text(found.list));
	forget(&found);
	return text;
}

static const char *error(int code)
{
	return evutil_gai_strerror(code);
}

/* DNS-182..184, DNS-187, DNS-189..191 */
Test(dns_getaddrinfo, what_is_known_is_answered_at_once)
{
	struct asked a;
	struct evutil_addrinfo hints = stream, odd = { .ai_family = 99 };

	set_up(&a, answer_by_name);
	cr_assert_str_eq(at_once(a.dns, NULL, NULL, NULL), error(EVUTIL_EAI_NONAME));
	cr_assert_str_eq(at_once(a.dns, "host", "80", &odd), error(EVUTIL_EAI_FAMILY));
	cr_assert_str_eq(at_once(a.dns, "host", "no-such-service", &stream),
			 error(EVUTIL_EAI_NONAME));
	hints.ai_flags = EVUTIL_AI_NUMERICHOST;
	cr_assert_str_eq(at_once(a.dns, "host", "80", &hints), error(EVUTIL_EAI_NONAME));
	cr_assert_str_eq(at_once(a.dns, "1.2.3.4", "80", &hints), "1.2.3.4:80/1");
	cr_assert_str_eq(at_once(a.dns, NULL, "80", &stream), "127.0.0.1:80/1 ::1:80/1");
	hints.ai_flags = EVUTIL_AI_PASSIVE;
	cr_assert_str_eq(at_once(a.dns, NULL, "80", &hints), "0.0.0.0:80/1 :::80/1");
	cr_assert_str_eq(at_once(a.dns, NULL, "80", &stream4), "127.0.0.1:80/1");
	cr_assert_str_eq(at_once(a.dns, NULL, "80", &stream6), "::1:80/1");
	cr_assert_str_eq(at_once(a.dns, "1.2.3.4", "80", &stream), "1.2.3.4:80/1");
	cr_assert_str_eq(at_once(a.dns, "2001:db8::1", NULL, &stream), "2001:db8::1:0/1");
	cr_assert_str_eq(at_once(a.dns, "1.2.3.4", "80", &stream6), error(EVUTIL_EAI_ADDRFAMILY));
	cr_assert_str_eq(at_once(a.dns, "::1", "80", &stream4), error(EVUTIL_EAI_ADDRFAMILY));
	hints.ai_flags = EVUTIL_AI_ADDRCONFIG;
	cr_assert_str_eq(at_once(a.dns, "::1", "80", &hints), "::1:80/1");
	cr_assert_eq(a.fake.queries, 0);
	tear_down(&a);
}

/* DNS-190: the zone is kept. */
Test(dns_getaddrinfo, a_literal_may_have_a_zone)
{
	struct asked a;
	struct found found = { 0 };
	struct evutil_addrinfo hints = stream;

	set_up(&a, answer_by_name);
	hints.ai_flags = EVUTIL_AI_CANONNAME;
	cr_assert_null(evdns_getaddrinfo(a.dns, "fe80::1%1", "80", &hints, find, &found));
	cr_assert_eq(found.result, 0);
	cr_assert_neq(((struct sockaddr_in6 *)found.list->ai_addr)->sin6_scope_id, 0);
	cr_assert_null(found.list->ai_canonname);
	forget(&found);
	tear_down(&a);
}

/* DNS-185 */
Test(dns_getaddrinfo, without_a_base_it_fails)
{
	cr_assert_str_eq(at_once(NULL, "1.2.3.4", "80", &stream), error(EVUTIL_EAI_FAIL));
}

/* DNS-188 */
Test(dns_getaddrinfo, services_are_numbers_or_names)
{
	static const char *const bad[] = { "", "-1", "65536", "99999", "http x", "80x", "+80" };
	struct asked a;
	struct evutil_addrinfo numeric = stream;

	set_up(&a, answer_by_name);
	numeric.ai_flags = EVUTIL_AI_NUMERICSERV;
	cr_assert_str_eq(at_once(a.dns, "1.2.3.4", "0", &stream), "1.2.3.4:0/1");
	cr_assert_str_eq(at_once(a.dns, "1.2.3.4", "65535", &numeric), "1.2.3.4:65535/1");
	cr_assert_str_eq(at_once(a.dns, "1.2.3.4", NULL, &stream), "1.2.3.4:0/1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_str_eq(at_once(a.dns, "1.2.3.4", bad[i], &stream),
				 error(EVUTIL_EAI_NONAME), "%s", bad[i]);
		cr_assert_str_eq(at_once(a.dns, "1.2.3.4", bad[i], &numeric),
				 error(EVUTIL_EAI_NONAME));
	}
	cr_assert_str_eq(at_once(a.dns, "1.2.3.4", "http", &numeric), error(EVUTIL_EAI_NONAME));
	if (access("/etc/services", R_OK) == 0)
		cr_assert_str_eq(at_once(a.dns, "1.2.3.4", "http", &stream), "1.2.3.4:80/1");
	tear_down(&a);
}

/* DNS-195 */
Test(dns_getaddrinfo, one_family_is_one_query_both_are_two)
{
	struct asked a;

	set_up(&a, answer_by_name);
	cr_assert_str_eq(asking(&a, "v4.host", &stream4), "10.0.0.1:80/1");
	cr_assert_eq(a.fake.seen_count, 1);
	cr_assert_eq(a.fake.seen[0].type, 1);
	cr_assert_str_eq(asking(&a, "v6.host", &stream6), "2001:db8::7:80/1");
	cr_assert_eq(a.fake.seen_count, 2);
	cr_assert_eq(a.fake.seen[1].type, 28);
	cr_assert_str_eq(asking(&a, "any.host", &stream), "10.0.0.1:80/1 2001:db8::7:80/1");
	cr_assert_eq(a.fake.seen_count, 4);
	cr_assert_eq(a.fake.seen[2].type, 1);
	cr_assert_eq(a.fake.seen[3].type, 28);
	tear_down(&a);
}

/* DNS-195: searching, and TCP by option. */
Test(dns_getaddrinfo, both_families_search)
{
	struct asked a;

	set_up(&a, answer_by_name);
	evdns_base_search_add(a.dns, "d");
	cr_assert_str_eq(asking(&a, "nx", &stream), error(EVUTIL_EAI_NONAME));
	cr_assert_eq(a.fake.seen_count, 4);
	set_option(a.dns, "use-vc", NULL);
	cr_assert_str_eq(asking(&a, "host", &stream4), "10.0.0.1:80/1");
	cr_assert_eq(a.fake.tcp_queries, 1);
	tear_down(&a);
}

/* DNS-196, DNS-197 */
Test(dns_getaddrinfo, flags_that_change_little)
{
	struct asked a;
	struct evutil_addrinfo hints = stream6;

	set_up(&a, answer_by_name);
	hints.ai_flags = EVUTIL_AI_V4MAPPED | EVUTIL_AI_ALL;
	cr_assert_str_eq(asking(&a, "host", &hints), "2001:db8::7:80/1");
	cr_assert_eq(a.fake.queries, 1);
	cr_assert_str_eq(asking(&a, "nx", &hints), error(EVUTIL_EAI_NONAME));
	hints = stream;
	hints.ai_flags = EVUTIL_AI_ADDRCONFIG;
	a.fake.queries = 0;
	asking(&a, "config.host", &hints);
	cr_assert(a.fake.queries == 1 || a.fake.queries == 2);
	hints.ai_family = PF_INET6;
	a.fake.queries = 0;
	asking(&a, "config6.host", &hints);
	cr_assert_eq(a.fake.queries, 1, "one family asked for is asked for");
	tear_down(&a);
}

/* What each family gets is in the name: "<A>-<AAAA>", each a kind of answer_by_name(). */
static size_t per_family(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	static uint8_t other[512];
	char name[256];
	const char *kind;
	uint8_t head[12];
	size_t n = question_end(query), kind_len;

	question_name(query, name);
	kind = question_type(query) == 1 ? name : strchr(name, '-') + 1;
	/*
	 * a query for that kind alone, answered; then its flags and records under the true question
	 */
	memcpy(other, query, 12);
	kind_len = strcspn(kind, "-");
	other[12] = (uint8_t)kind_len;
	memcpy(other + 13, kind, kind_len);
	other[13 + kind_len] = 0;
	memcpy(other + 14 + kind_len, query + n - 4, 4);
	if (strncmp(kind, "broken", 6) == 0) {
		n = answer_address(fake, query, len, reply);
		return n - 1;
	}
	len = answer_by_name(fake, other, 18 + kind_len, reply);
	if (len == 0)
		return 0;
	memcpy(head, reply, 12);
	memmove(reply + n, reply + 18 + kind_len, len - 18 - kind_len);
	memcpy(reply, query, n);
	memcpy(reply, head, 12);
	return len - 18 - kind_len + n;
}

/* DNS-198, DNS-199, DNS-204, DNS-205, DNS-301 */
Test(dns_getaddrinfo, two_answers_make_one_result)
{
	static const struct {
		const char *name;
		int error; /* 0: both; 4, 6: that family */
	} cases[] = {
		{ "ok-ok", 0 },
		{ "ok-none", 4 },
		{ "ok-nx", 4 },
		{ "ok-fail", 4 },
		{ "ok-silent", 4 },
		{ "ok-broken", 4 },
		{ "none-ok", 6 },
		{ "nx-ok", 6 },
		{ "fail-ok", 6 },
		{ "silent-ok", 6 },
		{ "refused-ok", 6 },
		{ "nx-nx", EVUTIL_EAI_NONAME },
		{ "none-none", EVUTIL_EAI_NODATA },
		{ "nx-none", EVUTIL_EAI_NODATA },
		{ "none-nx", EVUTIL_EAI_NODATA },
		{ "silent-silent", EVUTIL_EAI_AGAIN },
		{ "fail-fail", EVUTIL_EAI_AGAIN },
		{ "broken-broken", EVUTIL_EAI_FAIL },
		{ "refused-refused", EVUTIL_EAI_FAIL },
		{ "nx-silent", EVUTIL_EAI_NONAME },
		{ "nx-fail", EVUTIL_EAI_NONAME },
		{ "broken-fail", EVUTIL_EAI_AGAIN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asked a;
		const char *expected = cases[i].error == 0   ? "10.0.0.1:80/1 2001:db8::7:80/1"
				       : cases[i].error == 4 ? "10.0.0.1:80/1"
				       : cases[i].error == 6 ? "2001:db8::7:80/1"
							     : error(cases[i].error);

		set_up(&a, per_family);
		if (strcmp(cases[i].name, "silent-silent") == 0)
			set_option(a.dns, "timeout", "0.03");
		else if (strstr(cases[i].name, "silent") != NULL)
			set_option(a.dns, "getaddrinfo-allow-skew", "0.03");
		cr_assert_str_eq(asking(&a, cases[i].name, &stream), expected, "%s", cases[i].name);
		tear_down(&a);
	}
}

/* DNS-198 */
Test(dns_getaddrinfo, the_second_answer_has_the_skew_to_come)
{
	static const char *const names[] = { "ok-silent", "silent-ok", "nx-silent" };

	for (size_t i = 0; i < 3; i++) {
		struct asked a;
		double start;

		set_up(&a, per_family);
		set_option(a.dns, "getaddrinfo-allow-skew", "0.1");
		start = support_now_ms();
		asking(&a, names[i], &stream);
		cr_assert_geq(support_now_ms() - start, 100);
		tear_down(&a);
	}
}

static size_t v6_first(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	static uint8_t held[512];
	static size_t held_len;
	static struct sockaddr_in held_for;
	size_t n;

	if (question_type(query) == 1) {
		held_for = fake->from;
		n = begin_reply(query, held, REPLY_OK);
		n = add_record(held, n, 1, 1, 1, 300, "\x0a\0\0\2", 4);
		held_len = add_record(held, n, 1, 1, 1, 300, "\x0a\0\0\1", 4);
		return 0;
	}
	n = answer_address(fake, query, len, reply);
	fake_send(fake, reply, n);
	fake->from = held_for;
	fake_send(fake, held, held_len);
	return 0;
}

/* DNS-200, DNS-302 */
Test(dns_getaddrinfo, ipv4_comes_first_whatever_came_first)
{
	struct asked a;

	set_up(&a, v6_first);
	cr_assert_str_eq(asking(&a, "host", &stream),
			 "10.0.0.2:80/1 10.0.0.1:80/1 2001:db8::7:80/1");
	tear_down(&a);
}

/* DNS-186, DNS-201, DNS-202 */
Test(dns_getaddrinfo, kinds_of_sockets_are_completed)
{
	static const struct {
		int socktype, protocol;
		const char *list;
		int first_protocol;
	} cases[] = { { 0, 0, "1.2.3.4:80/1 1.2.3.4:80/2", IPPROTO_TCP },
		      { SOCK_STREAM, 0, "1.2.3.4:80/1", IPPROTO_TCP },
		      { SOCK_DGRAM, 0, "1.2.3.4:80/2", IPPROTO_UDP },
		      { 0, IPPROTO_UDP, "1.2.3.4:80/2", IPPROTO_UDP },
		      { 0, IPPROTO_TCP, "1.2.3.4:80/1", IPPROTO_TCP },
		      { 0, IPPROTO_SCTP, "1.2.3.4:80/1", IPPROTO_SCTP },
		      { SOCK_RAW, 99, "1.2.3.4:80/3", 99 } };
	struct asked a;

	set_up(&a, answer_by_name);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evutil_addrinfo hints = {
			.ai_flags = EVUTIL_AI_PASSIVE, .ai_socktype = cases[i].socktype,
			.ai_protocol = cases[i].protocol,
		};
		struct found found = { 0 };

		cr_assert_null(evdns_getaddrinfo(a.dns, "1.2.3.4", "80", &hints, find, &found));
		cr_assert_str_eq(list_text(found.list), cases[i].list, "case %zu", i);
		cr_assert_eq(found.list->ai_protocol, cases[i].first_protocol);
		cr_assert_eq(found.list->ai_flags & EVUTIL_AI_PASSIVE, 0);
		forget(&found);
	}
	cr_assert_str_eq(at_once(a.dns, "1.2.3.4", "80", NULL), "1.2.3.4:80/1 1.2.3.4:80/2");
	cr_assert_str_eq(asking(&a, "host", NULL),
			 "10.0.0.1:80/1 10.0.0.1:80/2 2001:db8::7:80/1 2001:db8::7:80/2");
	tear_down(&a);
}

#define MID  "\3mid\3org"
#define REAL "\4real\3org"

static size_t chain(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);
	char name[256];

	(void)fake;
	(void)len;
	question_name(query, name);
	if (strstr(name, ".bad") != NULL)
		return begin_reply(query, reply, 0x8183);
	n = add_record(reply, n, 1, 5, 1, 300, MID, sizeof(MID));
	n = add_record_of(reply, n, MID, sizeof(MID), 5, 300, REAL, sizeof(REAL));
	return add_record_of(reply, n, REAL, sizeof(REAL), 1, 300, "\x0a\0\0\1", 4);
}

/* DNS-203 */
Test(dns_getaddrinfo, the_canonical_name_is_the_end_of_the_chain)
{
	struct asked a;
	struct evutil_addrinfo hints = { .ai_family = PF_INET, .ai_flags = EVUTIL_AI_CANONNAME };
	struct found found = { 0 };

	set_up(&a, chain);
	evdns_base_search_add(a.dns, "good");
	evdns_base_search_add(a.dns, "bad");
	cr_assert_not_null(evdns_getaddrinfo(a.dns, "host", "80", &hints, find, &found));
	await(a.base, &found.calls);
	cr_assert_eq(a.fake.queries, 2, "found by the second name");
	cr_assert_str_eq(found.list->ai_canonname, "real.org");
	cr_assert_null(found.list->ai_next->ai_canonname);
	forget(&found);
	a.fake.fn = answer_by_name;
	cr_assert_not_null(evdns_getaddrinfo(a.dns, "plain", "80", &hints, find, &found));
	await(a.base, &found.calls);
	cr_assert_null(found.list->ai_canonname);
	forget(&found);
	tear_down(&a);
}

/* DNS-206, D43 */
Test(dns_getaddrinfo, names_that_cannot_be_asked_for_fail_at_once)
{
	struct asked a;
	char name[300];

	set_up(&a, answer_by_name);
	memset(name, 'x', sizeof(name));
	name[299] = '\0';
	cr_assert_str_eq(at_once(a.dns, name, "80", &stream), error(EVUTIL_EAI_FAIL));
	cr_assert_str_eq(at_once(a.dns, "a..b", "80", &stream), error(EVUTIL_EAI_FAIL));
	tear_down(&a);
}

/* DNS-208, DNS-209 */
Test(dns_getaddrinfo, cancelling_is_told_once_and_later)
{
	struct asked a;
	struct found found = { 0 };
	struct evdns_getaddrinfo_request *lookup;

	set_up(&a, answer_by_name);
	lookup = evdns_getaddrinfo(a.dns, "silent", "80", &stream, find, &found);
	evdns_getaddrinfo_cancel(lookup);
	evdns_getaddrinfo_cancel(lookup);
	evdns_getaddrinfo_cancel(NULL);
	cr_assert_eq(found.calls, 0);
	await(a.base, &found.calls);
	cr_assert_eq(found.result, EVUTIL_EAI_CANCEL);
	cr_assert_null(found.list);
	run_for(a.base, 20);
	cr_assert_eq(found.calls, 1);
	tear_down(&a);
}

/* DNS-208: one of the two answers is in. */
Test(dns_getaddrinfo, cancelling_after_half_the_answer)
{
	struct asked a;
	struct found found = { 0 };
	struct evdns_getaddrinfo_request *lookup;

	set_up(&a, per_family);
	lookup = evdns_getaddrinfo(a.dns, "ok-silent", "80", &stream, find, &found);
	run_for(a.base, 50);
	cr_assert_eq(found.calls, 0);
	evdns_getaddrinfo_cancel(lookup);
	await(a.base, &found.calls);
	cr_assert_eq(found.result, EVUTIL_EAI_CANCEL);
	tear_down(&a);
}

#define MANY 1000

static struct found many[MANY];
static struct evdns_getaddrinfo_request *lookups[MANY];
static int told;

static void find_one(int result, struct evutil_addrinfo *list, void *arg)
{
	struct found *f = arg;

	find(result, list, f);
	lookups[f - many] = NULL;
	told++;
}

static size_t cancel_some(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	int i = fake->seen_count * 7 % MANY;

	if (i % 2 == 0 && lookups[i] != NULL) {
		evdns_getaddrinfo_cancel(lookups[i]);
		lookups[i] = NULL;
	}
	return answer_by_name(fake, query, len, reply);
}

/* DNS-210, DNS-209 */
Test(dns_getaddrinfo, a_thousand_at_once_half_of_them_cancelled)
{
	struct asked a;
	int cancelled = 0, found = 0;

	set_up(&a, cancel_some);
	for (int i = 0; i < MANY; i++) {
		char name[32];

		snprintf(name, sizeof(name), "host-%d", i);
		lookups[i] = evdns_getaddrinfo(a.dns, name, "80", &stream, find_one, &many[i]);
		cr_assert_not_null(lookups[i]);
		if (i % 4 == 0) {
			evdns_getaddrinfo_cancel(lookups[i]);
			lookups[i] = NULL;
		}
	}
	while (told < MANY)
		event_base_loop(a.base, EVLOOP_ONCE);
	for (int i = 0; i < MANY; i++) {
		cr_assert_eq(many[i].calls, 1);
		cr_assert(many[i].result == 0 || many[i].result == EVUTIL_EAI_CANCEL);
		if (i % 2 == 1)
			cr_assert_eq(many[i].result, 0, "this one was not cancelled");
		cancelled += many[i].result != 0;
		found += many[i].result == 0;
		forget(&many[i]);
	}
	cr_assert_geq(cancelled, MANY / 4);
	cr_assert_geq(found, MANY / 2);
	tear_down(&a);
}
