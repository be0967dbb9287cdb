/* SPDX-License-Identifier: BSD-3-Clause */
/* What evdns_getaddrinfo() remembers. */

#include "fake.h"

TestSuite(dns_cache, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static const struct evutil_addrinfo any = { .ai_socktype = SOCK_STREAM };
static const struct evutil_addrinfo v4 = { .ai_family = PF_INET, .ai_socktype = SOCK_STREAM };
static const struct evutil_addrinfo v6 = { .ai_family = PF_INET6, .ai_socktype = SOCK_STREAM };

static uint32_t ttl = 300, ttl6 = 300;

/* As answer_by_name(), with those times to live; "only6..." has no IPv4. */
static size_t with_ttl(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n;
	char name[256];

	question_name(query, name);
	if (strncmp(name, "only6", 5) == 0 && question_type(query) == 1)
		return begin_reply(query, reply, REPLY_OK);
	n = answer_by_name(fake, query, len, reply);
	if (n > question_end(query)) {
		uint32_t t = question_type(query) == 1 ? ttl : ttl6;

		put16(reply + question_end(query) + 6, t >> 16);
		put16(reply + question_end(query) + 8, t & 0xffff);
	}
	return n;
}

static void start(struct asked *a)
{
	set_up(a, with_ttl);
	ttl = ttl6 = 300;
}

/* The result as text, and whether it was known: `*ret_queries` is how many queries it took. */
static const char *lookup(struct asked *a, const char *node, const char *service,
			  const struct evutil_addrinfo *hints, int *ret_queries)
{
	static char text[4096];
	struct found found = { 0 };
	int before = a->fake.seen_count;
	struct evdns_getaddrinfo_request *request =
		evdns_getaddrinfo(a->dns, node, service, hints, find, &found);

	cr_assert_eq(found.calls, request == NULL);
	await(a->base, &found.calls);
	snprintf(text, sizeof(text), "%s%s%s",
		 found.result != 0 ? evutil_gai_strerror(found.result) : list_text(found.list),
		 found.list != NULL && found.list->ai_canonname != NULL ? " " : "",
		 found.list != NULL && found.list->ai_canonname != NULL ? found.list->ai_canonname
									: "");
	forget(&found);
	*ret_queries = a->fake.seen_count - before;
	return text;
}

/* DNS-211, DNS-217 */
Test(dns_cache, a_name_found_is_remembered)
{
	struct asked a;
	struct evutil_addrinfo dgram = { .ai_socktype = SOCK_DGRAM };
	int n;

	start(&a);
	evdns_base_search_add(a.dns, "d");
	cr_assert_str_eq(lookup(&a, "host", "80", &any, &n), "10.0.0.1:80/1 2001:db8::7:80/1");
	cr_assert_eq(n, 2);
	cr_assert_str_eq(lookup(&a, "HOST", "99", &dgram, &n), "10.0.0.1:99/2 2001:db8::7:99/2");
	cr_assert_eq(n, 0);
	cr_assert_str_eq(lookup(&a, "host", "80", &v4, &n), "10.0.0.1:80/1");
	cr_assert_eq(n, 0);
	for (int i = 0; i < 3; i++) {
		cr_assert_str_eq(lookup(&a, "host", "80", NULL, &n),
				 "10.0.0.1:80/1 10.0.0.1:80/2 2001:db8::7:80/1 2001:db8::7:80/2");
		cr_assert_eq(n, 0);
	}
	lookup(&a, "host.d", "80", &any, &n);
	cr_assert_eq(n, 2, "under the name as given");
	tear_down(&a);
}

/* DNS-212, D13 */
Test(dns_cache, failures_and_halves_are_not)
{
	static const char *const names[] = { "nx", "none", "fail", "silent" };
	struct asked a;
	int n;

	start(&a);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], "silent") == 0)
			set_option(a.dns, "timeout", "0.02");
		lookup(&a, names[i], "80", &any, &n);
		lookup(&a, names[i], "80", &any, &n);
		cr_assert_geq(n, 2, "%s", names[i]);
	}
	tear_down(&a);
}

/* IPv4 answers at once, IPv6 not at all, or says SERVFAIL. */
static size_t v6_trouble(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	if (question_type(query) == 1)
		return answer_address(fake, query, len, reply);
	return fake->arg != NULL ? begin_reply(query, reply, (unsigned)(uintptr_t)fake->arg) : 0;
}

/* DNS-212 */
Test(dns_cache, an_answer_cut_short_is_not)
{
	static const struct {
		uintptr_t flags;
		int queries;
	} cases[] = { { 0, 2 }, { 0x8182, 2 }, { 0x8183, 0 }, { 0x8180, 0 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asked a;
		int n;

		set_up(&a, v6_trouble);
		a.fake.arg = (void *)cases[i].flags;
		if (cases[i].flags == 0)
			set_option(a.dns, "getaddrinfo-allow-skew", "0.05");
		cr_assert_str_eq(lookup(&a, "host", "80", &any, &n), "10.0.0.1:80/1");
		cr_assert_str_eq(lookup(&a, "host", "80", &any, &n), "10.0.0.1:80/1");
		cr_assert_eq(n, cases[i].queries, "case %zu", i);
		tear_down(&a);
	}
}

/* DNS-213, DNS-293, D13 */
Test(dns_cache, the_smaller_time_counts_and_zero_is_none)
{
	struct asked a;
	int n;

	start(&a);
	for (int which = 0; which < 2; which++) {
		ttl = which == 0 ? 1 : 300;
		ttl6 = which == 0 ? 300 : 1;
		lookup(&a, which == 0 ? "short4" : "short6", "80", &any, &n);
		cr_assert_eq(n, 2);
		run_for(a.base, 1100);
		lookup(&a, which == 0 ? "short4" : "short6", "80", &any, &n);
		cr_assert_eq(n, 2, "forgotten");
	}
	ttl6 = 0;
	lookup(&a, "zero", "80", &any, &n);
	lookup(&a, "zero", "80", &any, &n);
	cr_assert_eq(n, 2);
	ttl = 0x80000000u;
	lookup(&a, "huge", "80", &v4, &n);
	lookup(&a, "huge", "80", &v4, &n);
	cr_assert_eq(n, 1);
	tear_down(&a);
}

/* DNS-214, DNS-215 */
Test(dns_cache, only_what_was_asked_is_known)
{
	struct asked a;
	int n;

	start(&a);
	cr_assert_str_eq(lookup(&a, "only6", "80", &any, &n), "2001:db8::7:80/1");
	cr_assert_str_eq(lookup(&a, "only6", "80", &v4, &n),
			 evutil_gai_strerror(EVUTIL_EAI_ADDRFAMILY));
	cr_assert_eq(n, 0);
	lookup(&a, "other", "80", &v4, &n);
	cr_assert_str_eq(lookup(&a, "other", "80", &v6, &n), "2001:db8::7:80/1");
	cr_assert_eq(n, 1, "never asked before");
	cr_assert_str_eq(lookup(&a, "other", "80", &any, &n), "10.0.0.1:80/1 2001:db8::7:80/1");
	cr_assert_eq(n, 2, "one family does not answer for both");
	lookup(&a, "other", "80", &v4, &n);
	cr_assert_eq(n, 0);
	tear_down(&a);
}

#define REAL "\4real\3org"

static size_t alias(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	n = add_record(reply, n, 1, 5, 1, 300, REAL, sizeof(REAL));
	n = add_record_of(reply, n, REAL, sizeof(REAL), 1, 300, "\x0a\0\0\1", 4);
	return add_record_of(reply, n, REAL, sizeof(REAL), 1, 300, "\x0a\0\0\2", 4);
}

/* DNS-216, DNS-214 */
Test(dns_cache, canonical_names_are_remembered)
{
	struct asked a;
	struct evutil_addrinfo canon = { .ai_family = PF_INET, .ai_socktype = SOCK_STREAM,
		.ai_flags = EVUTIL_AI_CANONNAME };
	int n;

	set_up(&a, alias);
	lookup(&a, "alias", "80", &v4, &n);
	cr_assert_str_eq(lookup(&a, "alias", "80", &canon, &n),
			 "10.0.0.1:80/1 10.0.0.2:80/1 real.org");
	cr_assert_eq(n, 0);
	cr_assert_str_eq(lookup(&a, "alias", "80", &v4, &n), "10.0.0.1:80/1 10.0.0.2:80/1");
	a.fake.fn = answer_by_name;
	lookup(&a, "plain", "80", &v4, &n);
	cr_assert_str_eq(lookup(&a, "plain", "80", &canon, &n), "10.0.0.1:80/1");
	cr_assert_eq(n, 1, "no canonical name is known");
	tear_down(&a);
}

/* DNS-218, DNS-221 */
Test(dns_cache, plain_requests_do_not_use_it_and_clearing_keeps_it)
{
	struct asked a;
	int n;

	start(&a);
	lookup(&a, "host", "80", &v4, &n);
	ask_for(&a, "host", 0);
	cr_assert_eq(a.fake.queries, 2);
	evdns_base_clear_host_addresses(a.dns);
	evdns_base_clear_nameservers_and_suspend(a.dns);
	cr_assert_str_eq(lookup(&a, "host", "80", &v4, &n), "10.0.0.1:80/1");
	cr_assert_eq(n, 0);
	tear_down(&a);
}

static struct evutil_addrinfo *one_address(struct sockaddr_in *in, unsigned address)
{
	static struct evutil_addrinfo ai;

	memset(in, 0, sizeof(*in));
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(address);
	memset(&ai, 0, sizeof(ai));
	ai.ai_family = AF_INET;
	ai.ai_addr = (struct sockaddr *)in;
	ai.ai_addrlen = sizeof(*in);
	return &ai;
}

/* 0 if that address is known, or the error. */
static int known(struct evdns_base *dns, const char *name, unsigned address)
{
	struct evutil_addrinfo hints = v4, *list = NULL;
	int result = evdns_cache_lookup(dns, name, &hints, 80, &list);

	if (result != 0) {
		cr_assert_null(list);
		return result;
	}
	cr_assert_eq(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr, htonl(address));
	cr_assert_eq(ntohs(((struct sockaddr_in *)list->ai_addr)->sin_port), 80);
	cr_assert_null(list->ai_next);
	evutil_freeaddrinfo(list);
	return 0;
}

/* DNS-219, DNS-220 */
Test(dns_cache, programs_write_and_read_it)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_NO_CACHE);
	struct evutil_addrinfo hints = v6, *list = NULL;
	struct sockaddr_in in;

	cr_assert_eq(known(dns, "host", 1), -1);
	evdns_cache_write(dns, (char *)"host", one_address(&in, 1), 60);
	memset(&in, 0, sizeof(in));
	cr_assert_eq(known(dns, "HOST", 1), 0);
	cr_assert_eq(evdns_cache_lookup(dns, "host", &hints, 80, &list), EVUTIL_EAI_ADDRFAMILY);
	cr_assert_null(list);
	cr_assert_eq(evdns_cache_lookup(dns, "host", NULL, 80, &list), -1);
	evdns_cache_write(dns, (char *)"host", one_address(&in, 2), 60);
	cr_assert_eq(known(dns, "host", 2), 0);
	evdns_cache_write(dns, (char *)"host", one_address(&in, 2), 0);
	cr_assert_eq(known(dns, "host", 2), -1);
	evdns_cache_write(dns, (char *)"host", one_address(&in, 2), 60);
	evdns_cache_write(dns, (char *)"host", NULL, 60);
	cr_assert_eq(known(dns, "host", 2), -1);
	evdns_cache_write(NULL, (char *)"host", NULL, 60);
	evdns_cache_write(dns, NULL, NULL, 60);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-218, DNS-293 */
Test(dns_cache, the_oldest_makes_room)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, 0);
	struct sockaddr_in in;
	char name[32];
	int total = 5000, kept = 0;

	for (int i = 0; i < total; i++) {
		snprintf(name, sizeof(name), "host-%d", i);
		evdns_cache_write(dns, name, one_address(&in, (unsigned)i), 600);
	}
	cr_assert_eq(known(dns, "host-0", 0), -1);
	for (int i = 0; i < total; i++) {
		snprintf(name, sizeof(name), "host-%d", i);
		if (known(dns, name, (unsigned)i) == 0)
			kept++;
		else
			cr_assert_eq(kept, 0, "only the oldest are gone");
	}
	cr_assert(kept >= 1000 && kept < total, "%d kept", kept);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/*
 * DNS-218, DNS-219: names are found again in whatever case, those of one letter and those of many,
 * while the table grows and also where there is no memory for that.
 */
Test(dns_cache, it_grows_or_does_without)
{
	for (int refused = 0; refused < 2; refused++) {
		struct event_base *base = support_base_new();
		struct evdns_base *dns = evdns_base_new(base, 0);
		struct sockaddr_in in;
		char name[64];
		int total = 600;

		for (int i = 0; i < total; i++) {
			snprintf(name, sizeof(name), "Host%.*d", 1 + i % 40, i);
			support_fail_once_after(refused && (i == 64 || i == 256) ? 0 : -1);
			evdns_cache_write(dns, name, one_address(&in, (unsigned)i), 600);
			cr_assert_eq(support_has_refused(), refused && (i == 64 || i == 256));
		}
		for (int i = 0; i < total; i++) {
			snprintf(name, sizeof(name), "hOST%.*d", 1 + i % 40, i);
			cr_assert_eq(known(dns, name, (unsigned)i), 0, "%s", name);
		}
		evdns_base_free(dns, 0);
		event_base_free(base);
	}
}

static size_t thousands(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	static uint8_t addresses[60000];
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	for (size_t i = 0; i < sizeof(addresses); i++)
		addresses[i] = (uint8_t)(i / 4 >> (i % 4 * 8));
	return add_record(reply, n, 1, 1, 1, 300, addresses, sizeof(addresses));
}

/* DNS-293: the 15000 addresses of a reply do not stay. */
Test(dns_cache, huge_answers_are_delivered_and_not_kept)
{
	struct asked a;
	struct found found = { 0 };
	int n;

	set_up(&a, thousands);
	cr_assert_not_null(evdns_getaddrinfo(a.dns, "host", "80", &v4, find, &found));
	await(a.base, &found.calls);
	cr_assert_eq(found.entries, 15000);
	forget(&found);
	lookup(&a, "host", "80", &v4, &n);
	cr_assert_eq(n, 1);
	tear_down(&a);
}
