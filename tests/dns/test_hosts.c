/* SPDX-License-Identifier: BSD-3-Clause */
/* The hosts table. */

#include "fake.h"

TestSuite(dns_hosts, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/*
 * The addresses of `name` if they are known at once, joined by blanks; NULL if a server would be
 * asked.
 */
static const char *known(struct evdns_base *dns, const char *name, int family)
{
	static char text[1024];
	/* outlives the call: a cancelled lookup still tells of its end */
	static struct found found;
	struct evutil_addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM }, *ai;
	struct evdns_getaddrinfo_request *lookup =
		evdns_getaddrinfo(dns, name, "80", &hints, find, &found);

	if (lookup != NULL) {
		evdns_getaddrinfo_cancel(lookup);
		return NULL;
	}
	text[0] = '\0';
	snprintf(text, sizeof(text), "%s",
		 found.result != 0 ? evutil_gai_strerror(found.result) : "");
	for (ai = found.list; ai != NULL; ai = ai->ai_next) {
		const void *addr = ai->ai_family == AF_INET ?
			(const void *)&((struct sockaddr_in *)ai->ai_addr)->sin_addr :
			(const void *)&((struct sockaddr_in6 *)ai->ai_addr)->sin6_addr;

		cr_assert_eq(ntohs(((struct sockaddr_in *)ai->ai_addr)->sin_port), 80);
		strcat(text, text[0] != '\0' ? " " : "");
		inet_ntop(ai->ai_family, addr, text + strlen(text), 64);
	}
	evutil_freeaddrinfo(found.list);
	return text;
}

struct table {
	struct event_base *base;
	struct evdns_base *dns;
};

static struct table start(void)
{
	struct table t = { support_base_new(), NULL };

	t.dns = evdns_base_new(t.base, 0);
	cr_assert_eq(evdns_base_nameserver_ip_add(t.dns, "127.0.0.1:9"), 0);
	return t;
}

static int load(struct table *t, const char *text, size_t len)
{
	struct text_file file = file_with(text, len);
	int result = evdns_base_load_hosts(t->dns, file.name);

	file_done(&file);
	return result;
}

static void stop(struct table *t)
{
	evdns_base_free(t->dns, 0);
	event_base_loop(t->base, EVLOOP_NONBLOCK);
	event_base_loop(t->base, EVLOOP_NONBLOCK);
	event_base_free(t->base);
}

/* DNS-074, DNS-075, DNS-083 */
Test(dns_hosts, without_a_file_there_is_localhost)
{
	struct table t = start();

	cr_assert_eq(evdns_base_load_hosts(t.dns, NULL), 0);
	cr_assert_str_eq(known(t.dns, "localhost", PF_UNSPEC), "127.0.0.1 ::1");
	evdns_base_clear_host_addresses(t.dns);
	cr_assert_null(known(t.dns, "localhost", PF_UNSPEC));
	cr_assert_lt(evdns_base_load_hosts(t.dns, "/nonexistent/file"), 0);
	cr_assert_str_eq(known(t.dns, "localhost", PF_INET6), "::1");
	evdns_base_clear_host_addresses(t.dns);
	cr_assert_eq(load(&t, "10.0.0.1 one\n", 13), 0);
	cr_assert_null(known(t.dns, "localhost", PF_UNSPEC));
	cr_assert_str_eq(known(t.dns, "one", PF_UNSPEC), "10.0.0.1");
	cr_assert_eq(load(&t, "10.0.0.1 one\n10.0.0.2 one\n", 26), 0);
	cr_assert_str_eq(known(t.dns, "one", PF_UNSPEC), "10.0.0.1 10.0.0.1 10.0.0.2");
	stop(&t);
}

/* DNS-076 */
Test(dns_hosts, no_base_no_table)
{
	cr_assert_eq(evdns_base_load_hosts(NULL, NULL), -1);
}

/* DNS-077..080, DNS-293 */
Test(dns_hosts, lines_are_an_address_and_names)
{
	static const char text[] =
		"# comment\n"
		"10.0.0.1 a b\tc\r\n"
		"  \t10.0.0.2 d#e\n"
		"10.0.0.3\n"
		"10.0.0.4:80 port\n"
		"[::1] bracket\n"
		"rubbish name\n"
		"fe80::5%1 zone\n"
		"::6 dotted.\n"
		"10.0.0.7 last";
	struct table t = start();

	cr_assert_eq(load(&t, text, sizeof(text) - 1), 0);
	cr_assert_str_eq(known(t.dns, "a", PF_UNSPEC), "10.0.0.1");
	cr_assert_str_eq(known(t.dns, "B", PF_UNSPEC), "10.0.0.1");
	cr_assert_str_eq(known(t.dns, "c", PF_UNSPEC), "10.0.0.1");
	cr_assert_str_eq(known(t.dns, "C.", PF_UNSPEC), "10.0.0.1");
	cr_assert_str_eq(known(t.dns, "d", PF_UNSPEC), "10.0.0.2");
	cr_assert_null(known(t.dns, "d#e", PF_UNSPEC));
	cr_assert_null(known(t.dns, "e", PF_UNSPEC));
	cr_assert_null(known(t.dns, "port", PF_UNSPEC));
	cr_assert_null(known(t.dns, "bracket", PF_UNSPEC));
	cr_assert_null(known(t.dns, "name", PF_UNSPEC));
	cr_assert_str_eq(known(t.dns, "zone", PF_UNSPEC), "fe80::5");
	cr_assert_str_eq(known(t.dns, "dotted", PF_UNSPEC), "::6");
	cr_assert_str_eq(known(t.dns, "dotted.", PF_UNSPEC), "::6");
	cr_assert_str_eq(known(t.dns, "last", PF_UNSPEC), "10.0.0.7");
	stop(&t);
}

/* DNS-074, D40: hostile files. */
Test(dns_hosts, rubbish_is_survived)
{
	static const char nul[] = "10.0.0.1 a\n\0 10.0.0.2 b\n";
	size_t size = 150000;
	char *big = malloc(size);
	struct table t = start();

	cr_assert_eq(load(&t, nul, sizeof(nul) - 1), 0);
	cr_assert_str_eq(known(t.dns, "a", PF_UNSPEC), "10.0.0.1");
	cr_assert_null(known(t.dns, "b", PF_UNSPEC));
	memset(big, 'x', size);
	memcpy(big, "10.0.0.1 ", 9);
	cr_assert_eq(load(&t, big, size), 0);
	free(big);
	cr_assert_lt(evdns_base_load_hosts(t.dns, "/tmp"), 0);
	stop(&t);
}

/* DNS-081, DNS-082 */
Test(dns_hosts, plain_requests_always_ask)
{
	struct asked a;
	struct found found = { 0 };

	set_up(&a, answer_by_name);
	cr_assert_eq(evdns_base_load_hosts(a.dns, NULL), 0);
	ask_for(&a, "localhost", 0);
	cr_assert_eq(a.fake.queries, 1);
	cr_assert_str_eq(a.fake.seen[0].name, "localhost");
	cr_assert(memcmp(a.told.addresses, "\x0a\0\0\1", 4) == 0);
	evdns_base_clear_host_addresses(a.dns);
	cr_assert_not_null(evdns_getaddrinfo(a.dns, "localhost", NULL, NULL, find, &found));
	await(a.base, &found.calls);
	cr_assert_eq(a.fake.queries, 3);
	forget(&found);
	tear_down(&a);
}

/* DNS-192..194, DNS-191, DNS-286 */
Test(dns_hosts, the_family_is_heeded)
{
	struct table t = start();
	struct found found = { 0 };

	cr_assert_eq(load(&t, "10.0.0.1 v4\n10.0.0.1 both\n::2 both\n10.0.0.3 both\n", 50), 0);
	cr_assert_str_eq(known(t.dns, "both", PF_UNSPEC), "10.0.0.1 ::2 10.0.0.3");
	cr_assert_str_eq(known(t.dns, "both", PF_INET), "10.0.0.1 10.0.0.3");
	cr_assert_str_eq(known(t.dns, "BOTH", PF_INET6), "::2");
	cr_assert_str_eq(known(t.dns, "v4", PF_INET6), evutil_gai_strerror(EVUTIL_EAI_ADDRFAMILY));
	cr_assert_null(evdns_getaddrinfo(t.dns, "v4", "99", NULL, find, &found));
	cr_assert_eq(found.entries, 2);
	cr_assert_null(found.list->ai_canonname);
	for (struct evutil_addrinfo *ai = found.list; ai != NULL; ai = ai->ai_next)
		cr_assert_eq(ntohs(((struct sockaddr_in *)ai->ai_addr)->sin_port), 99);
	forget(&found);
	stop(&t);
}

/* DNS-192: search domains are not applied to the table. */
Test(dns_hosts, names_are_not_searched)
{
	struct table t = start();

	cr_assert_eq(load(&t, "10.0.0.1 host.example\n", 22), 0);
	evdns_base_search_add(t.dns, "example");
	cr_assert_null(known(t.dns, "host", PF_UNSPEC));
	cr_assert_not_null(known(t.dns, "host.example", PF_UNSPEC));
	stop(&t);
}
