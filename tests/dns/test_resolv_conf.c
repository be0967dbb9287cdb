/* SPDX-License-Identifier: BSD-3-Clause */
/* What configuration files say. */

#include "fake.h"

TestSuite(dns_resolv_conf, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

struct read {
	struct asked a; /* its nameserver tells which names were searched */
};

static void start(struct read *r)
{
	set_up(&r->a, answer_by_name);
}

static void stop(struct read *r)
{
	tear_down(&r->a);
}

static int parse(struct read *r, int flags, const char *text)
{
	struct text_file file = file_with(text, strlen(text));
	int result = evdns_base_resolv_conf_parse(r->a.dns, flags, file.name);

	file_done(&file);
	return result;
}

/* The names asked for when `name` is searched, joined by blanks. */
static const char *searched(struct read *r, const char *name)
{
	static char names[1024];
	int from = r->a.fake.seen_count;

	names[0] = '\0';
	ask_for(&r->a, name, 0);
	for (int i = from; i < r->a.fake.seen_count; i++) {
		strcat(names, i > from ? " " : "");
		strcat(names, r->a.fake.seen[i].name);
	}
	return names;
}

/* A base that nothing is known of, for what files say about nameservers. */
static struct evdns_base *empty_dns(struct event_base *base)
{
	return evdns_base_new(base, 0);
}

static int result_of(int flags, const char *text, size_t len, int *ret_servers)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = empty_dns(base);
	struct text_file file = file_with(text, len);
	int result = evdns_base_resolv_conf_parse(dns, flags, file.name);

	*ret_servers = evdns_base_count_nameservers(dns);
	file_done(&file);
	evdns_base_free(dns, 0);
	event_base_free(base);
	return result;
}

/* DNS-050, DNS-052, DNS-053 */
Test(dns_resolv_conf, a_missing_file_means_this_host)
{
	static const char *const files[] = { "/nonexistent/resolv.conf", NULL };

	for (size_t i = 0; i < 2; i++) {
		struct event_base *base = support_base_new();
		struct evdns_base *dns = empty_dns(base);
		struct sockaddr_in in;

		cr_assert_eq(evdns_base_resolv_conf_parse(dns, DNS_OPTION_SEARCH, files[i]), 1);
		cr_assert_eq(evdns_base_count_nameservers(dns), 0);
		cr_assert_eq(
			evdns_base_resolv_conf_parse(
				dns, DNS_OPTIONS_ALL | DNS_OPTION_NAMESERVERS_NO_DEFAULT, files[i]),
			1);
		cr_assert_eq(evdns_base_count_nameservers(dns), 0);
		cr_assert_eq(evdns_base_nameserver_ip_add(dns, "127.0.0.2"), 0);
		cr_assert_eq(evdns_base_resolv_conf_parse(dns, DNS_OPTIONS_ALL, files[i]), 1);
		cr_assert_eq(evdns_base_count_nameservers(dns), 2);
		cr_assert_eq(
			evdns_base_get_nameserver_addr(dns, 1, (struct sockaddr *)&in, sizeof(in)),
			16);
		cr_assert_eq(in.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
		cr_assert_eq(ntohs(in.sin_port), 53);
		cr_assert_geq(evdns_base_get_nameserver_fd(dns, 1), 0);
		evdns_base_free(dns, 0);
		event_base_free(base);
	}
}

/* DNS-050, DNS-054, D40 */
Test(dns_resolv_conf, a_directory_cannot_be_read)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = empty_dns(base);

	cr_assert_eq(evdns_base_resolv_conf_parse(dns, DNS_OPTIONS_ALL, "/tmp"), 2);
	cr_assert_eq(evdns_base_count_nameservers(dns), 0);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-005, DNS-006, DNS-050, DNS-055, DNS-056 */
Test(dns_resolv_conf, a_file_without_nameservers_means_this_host)
{
	static const char nul[] = "# nothing here\n\0nameserver 1.2.3.4\n";
	int servers;

	cr_assert_eq(result_of(DNS_OPTIONS_ALL, "# nothing", 9, &servers), 6);
	cr_assert_eq(servers, 1);
	cr_assert_eq(result_of(DNS_OPTIONS_ALL, nul, sizeof(nul) - 1, &servers), 6);
	cr_assert_eq(servers, 1);
	cr_assert_eq(
		result_of(DNS_OPTIONS_ALL | DNS_OPTION_NAMESERVERS_NO_DEFAULT, "", 0, &servers), 0);
	cr_assert_eq(servers, 0);
	cr_assert_eq(result_of(DNS_OPTION_SEARCH | DNS_OPTION_MISC, "nameserver 1.2.3.4\n", 19,
			       &servers),
		     0);
	cr_assert_eq(servers, 0);
}

/* DNS-055 */
Test(dns_resolv_conf, nameservers_known_before_count)
{
	struct read r;

	start(&r);
	cr_assert_eq(parse(&r, DNS_OPTIONS_ALL, "search example.com\n"), 0);
	cr_assert_eq(evdns_base_count_nameservers(r.a.dns), 1);
	stop(&r);
}

/* DNS-056..059, DNS-061 */
Test(dns_resolv_conf, nameservers_are_one_a_line)
{
	static const char text[] =
		"nameserver 127.0.0.2\n"
		" \t nameserver\t127.0.0.3:54 127.0.0.9\r\n"
		"nameserver [::1]:55\n"
		"nameserver 127.0.0.2\n"
		"nameserver rubbish\n"
		"nameserver\n"
		"nameserver # 127.0.0.8\n"
		"NAMESERVER 127.0.0.4\n"
		"nameservers 127.0.0.5\n"
		"; nameserver 127.0.0.6\n"
		"nameserver fe80::1%1\n"
		"nameserver 127.0.0.7";
	int servers;

	support_capture_log();
	cr_assert_eq(result_of(DNS_OPTIONS_ALL, text, strlen(text), &servers), 0);
	cr_assert_eq(servers, 5);
	cr_assert_geq(support_messages(EVENT_LOG_WARN), 1);
}

/* DNS-058 */
Test(dns_resolv_conf, there_may_be_many_nameservers)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = empty_dns(base);
	char text[20 * 32] = "";
	struct text_file file;

	for (int i = 0; i < 20; i++)
		snprintf(text + strlen(text), 32, "nameserver 127.0.1.%d\n", i);
	file = file_with(text, strlen(text));
	cr_assert_eq(evdns_base_resolv_conf_parse(dns, DNS_OPTION_NAMESERVERS, file.name), 0);
	cr_assert_eq(evdns_base_count_nameservers(dns), 20);
	file_done(&file);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-060, DNS-061 */
Test(dns_resolv_conf, the_last_search_or_domain_wins)
{
	struct read r;

	start(&r);
	cr_assert_eq(parse(&r, DNS_OPTION_SEARCH, "domain lost\nsearch nx1 nx2 ok\n"), 0);
	cr_assert_str_eq(searched(&r, "nx"), "nx.nx1 nx.nx2 nx.ok nx");
	cr_assert_eq(parse(&r, DNS_OPTION_SEARCH, "search lost\ndomain only these\n"), 0);
	cr_assert_str_eq(searched(&r, "nx"), "nx.only nx");
	cr_assert_eq(parse(&r, DNS_OPTION_SEARCH, "search a # b\n"), 0);
	cr_assert_str_eq(searched(&r, "nx"), "nx.a nx");
	cr_assert_eq(parse(&r, DNS_OPTION_SEARCH, "search a;b ;c\r\n"), 0);
	cr_assert_str_eq(searched(&r, "nx"), "nx.a;b nx");
	stop(&r);
}

/* What the list is when the file leaves it empty. */
static const char *own_domain(void)
{
	static char name[256];
	const char *dot;

	cr_assert_eq(gethostname(name, sizeof(name)), 0);
	dot = strchr(name, '.');
	return dot != NULL ? dot + 1 : "";
}

/* DNS-052, DNS-060, DNS-065 */
Test(dns_resolv_conf, an_empty_search_list_becomes_the_hosts_domain)
{
	struct read r;
	char expected[600];

	start(&r);
	if (*own_domain() != '\0')
		snprintf(expected, sizeof(expected), "nx.%s nx", own_domain());
	else
		snprintf(expected, sizeof(expected), "nx");
	cr_assert_eq(parse(&r, DNS_OPTION_SEARCH, "search\n"), 0);
	cr_assert_str_eq(searched(&r, "nx"), expected);
	cr_assert_eq(parse(&r, DNS_OPTION_SEARCH, "search a\n"), 0);
	cr_assert_eq(parse(&r, DNS_OPTION_MISC, "search b\n"), 0);
	cr_assert_str_eq(searched(&r, "nx"), "nx.a nx");
	cr_assert_eq(evdns_base_resolv_conf_parse(r.a.dns, DNS_OPTION_SEARCH, "/nonexistent/file"),
		     1);
	cr_assert_str_eq(searched(&r, "nx"), expected);
	stop(&r);
}

/* DNS-062, DNS-063 */
Test(dns_resolv_conf, ndots_survives_a_search_line)
{
	struct read r;

	start(&r);
	cr_assert_eq(parse(&r, DNS_OPTION_SEARCH, "options ndots:2\nsearch a\n"), 0);
	cr_assert_str_eq(searched(&r, "nx.b"), "nx.b.a nx.b");
	stop(&r);
}

/* DNS-057, DNS-063, DNS-064 */
Test(dns_resolv_conf, options_count_in_their_class)
{
	struct read r;

	start(&r);
	cr_assert_eq(parse(&r, DNS_OPTION_SEARCH,
			   "options rotate attempts:1 timeout:bad inet6 debug no-check-names\n"
			   "sortlist 1.2.3.4\noptions randomize-case:0 # attempts:1\n"), 0);
	set_option(r.a.dns, "timeout", "0.01");
	set_option(r.a.dns, "initial-probe-timeout", NEVER);
	ask_for(&r.a, "silent", DNS_QUERY_NO_SEARCH);
	fake_await(&r.a.fake, 3);
	cr_assert_eq(
		parse(&r, DNS_OPTION_MISC, "options attempts:1 timeout:0.01 foo:bar ndots:9\n"), 0);
	ask_for(&r.a, "silent", DNS_QUERY_NO_SEARCH);
	fake_await(&r.a.fake, 3 + 1);
	run_for(r.a.base, 50);
	cr_assert_eq(r.a.fake.queries, 3 + 1);
	cr_assert_eq(parse(&r, DNS_OPTION_MISC, "options use-vc timeout:3600\n"), 0);
	ask_for(&r.a, "host", DNS_QUERY_NO_SEARCH);
	cr_assert_eq(r.a.fake.tcp_queries, 1);
	stop(&r);
}

/* DNS-051, DNS-004 */
Test(dns_resolv_conf, the_hosts_file_is_read_first_of_all)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = empty_dns(base);
	struct found found = { 0 };

	if (access("/etc/hosts", R_OK) != 0)
		cr_skip_test("no /etc/hosts");
	cr_assert_eq(evdns_base_resolv_conf_parse(dns, DNS_OPTION_HOSTSFILE, NULL), 1);
	(void)evdns_getaddrinfo(dns, "localhost", NULL, NULL, find, &found);
	cr_assert_eq(found.calls, 1, "answered at once, from the table");
	forget(&found);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-066 */
Test(dns_resolv_conf, reading_again_adds_nameservers_and_replaces_the_rest)
{
	struct read r;

	setenv("LOCALDOMAIN", "environment", 1);
	setenv("RES_OPTIONS", "ndots:9", 1);
	start(&r);
	cr_assert_eq(parse(&r, DNS_OPTIONS_ALL, "search a\noptions ndots:3\n"), 0);
	cr_assert_eq(parse(&r, DNS_OPTION_SEARCH, "search b\noptions ndots:1\n"), 0);
	cr_assert_str_eq(searched(&r, "nx.c"), "nx.c nx.c.b");
	cr_assert_eq(parse(&r, DNS_OPTION_NAMESERVERS, "nameserver 127.0.0.2\n"), 0);
	cr_assert_eq(evdns_base_count_nameservers(r.a.dns), 2);
	stop(&r);
	unsetenv("LOCALDOMAIN");
	unsetenv("RES_OPTIONS");
}

/*
 * DNS-293, D40: hostile files are skipped over. Values missing, brackets open, lines and files too
 * long.
 */
Test(dns_resolv_conf, rubbish_is_survived)
{
	static const char *const lines[] = {
		"options\n", "options :\n", "options ndots:\n", "nameserver [::1\n",
		"nameserver [::1]:99999\n", "nameserver ]\n", "nameserver 1.2.3.4:\n",
		"search ....\n", "domain .\n",
		"options timeout:1e999 attempts:99999999999999999999 edns-udp-size:-1\n", "\t\r\n",
		"\xff\xfe\n",
	};
	size_t size = 200000;
	char *big = malloc(size);
	int servers;

	support_capture_log();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_assert_eq(result_of(DNS_OPTIONS_ALL, lines[i], strlen(lines[i]), &servers), 6,
			     "%s", lines[i]);
	memset(big, 'x', size);
	memcpy(big, "nameserver ", 11);
	cr_assert_eq(result_of(DNS_OPTIONS_ALL, big, size, &servers), 6);
	free(big);
}
