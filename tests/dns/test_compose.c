/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies of the DNS server: what is put into them, compression, and what happens when they are
 * full.
 */

#include "server.h"

TestSuite(dns_compose, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static uint8_t query[1024], reply[2 * PACKET_MAX];

typedef void build_fn(struct evdns_server_request *req);

static build_fn *building;

static void run_build(struct evdns_server_request *req, void *arg)
{
	(void)arg;
	building(req);
	cr_assert_eq(evdns_server_request_respond(req, 0), 0);
}

/* The reply that `build` makes for host.example, of that type, by UDP; *ret_len its length. */
static const uint8_t *built_for(build_fn *build, size_t query_len)
{
	struct served s;

	serve(&s, run_build);
	building = build;
	memset(reply, 0, 700);
	cr_assert_gt(exchange(&s, query, query_len, reply), 0);
	serve_end(&s);
	return reply;
}

static const uint8_t *built(build_fn *build)
{
	return built_for(build, make_query(query, HOST, 13, 1));
}

#define AT 30 /* where the question ends */

static int add(struct evdns_server_request *req, int section, const char *name, int type, int len,
	       int is_name, const char *data)
{
	return evdns_server_request_add_reply(req, section, name, type, 1, 60, len, is_name, data);
}

static void sections(struct evdns_server_request *req)
{
	char data[4] = "one";

	cr_assert_eq(add(req, EVDNS_ADDITIONAL_SECTION, "d", 16, 3, 0, data), 0);
	cr_assert_eq(add(req, EVDNS_ANSWER_SECTION, "a", 16, 3, 0, data), 0);
	memcpy(data, "two", 3);
	cr_assert_eq(add(req, EVDNS_ANSWER_SECTION, "b", 16, 3, 0, data), 0);
	cr_assert_eq(add(req, EVDNS_AUTHORITY_SECTION, "c", 16, 3, 0, data), 0);
	memcpy(data, "xxx", 3);
	cr_assert_eq(add(req, 3, "e", 16, 3, 0, data), -1);
	cr_assert_eq(add(req, -1, "e", 16, 3, 0, data), -1);
}

/* DNS-245, DNS-256 */
Test(dns_compose, sections_keep_the_order_of_adding)
{
	static const uint8_t expected[] =
		"\1a\0\0\20\0\1\0\0\0\x3c\0\3one"
		"\1b\0\0\20\0\1\0\0\0\x3c\0\3two"
		"\1c\0\0\20\0\1\0\0\0\x3c\0\3two"
		"\1d\0\0\20\0\1\0\0\0\x3c\0\3one";

	cr_assert(memcmp(built(sections) + AT, expected, sizeof(expected) - 1) == 0);
	cr_assert_eq(get16(reply + 6), 2);
	cr_assert_eq(get16(reply + 8), 1);
	cr_assert_eq(get16(reply + 10), 1);
}

static void names(struct evdns_server_request *req)
{
	cr_assert_eq(add(req, 0, "host.example.", 5, -1, 1, "other.example"), 0);
	cr_assert_eq(add(req, 0, "other.example", 5, 77, 1, "."), 0);
	cr_assert_eq(add(req, 0, ".", 5, 0, 1, ""), 0);
	cr_assert_eq(add(req, 0, "Other.EXAMPLE", 5, 0, 1, "host.example"), 0);
}

/* DNS-246, DNS-248, DNS-257 */
Test(dns_compose, names_are_compressed_case_sensitively)
{
	static const uint8_t expected[] =
		"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\x08\5other\xc0\x11"
		"\xc0\x2a\0\5\0\1\0\0\0\x3c\0\1\0"
		"\0\0\5\0\1\0\0\0\x3c\0\1\0"
		"\5Other\7EXAMPLE\0\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c";

	cr_assert(memcmp(built(names) + AT, expected, sizeof(expected) - 1) == 0);
}

static void odd_data(struct evdns_server_request *req)
{
	static char large[70000];

	cr_assert_eq(add(req, 0, "a", 16, 99, 0, NULL), 0);
	cr_assert_eq(add(req, 0, "a", 16, -5, 0, NULL), 0);
	cr_assert_eq(add(req, 0, "a", 16, 0, 1, NULL), -1);
	cr_assert_eq(add(req, 0, "a", 16, -1, 0, "x"), -1);
	cr_assert_eq(add(req, 0, "a", 16, 65536, 0, large), -1);
	cr_assert_eq(add(req, 0, NULL, 16, 1, 0, "x"), -1);
	cr_assert_eq(evdns_server_request_add_reply(req, 0, "a", 0x50010, 0x30001, -1, 1, 0, "x"),
		     0);
}

/* DNS-247 */
Test(dns_compose, lengths_are_checked)
{
	static const uint8_t expected[] =
		"\1a\0\0\20\0\1\0\0\0\x3c\0\0"
		"\xc0\x1e\0\20\0\1\0\0\0\x3c\0\0"
		"\xc0\x1e\0\20\0\1\xff\xff\xff\xff\0\1x";

	cr_assert(memcmp(built(odd_data) + AT, expected, sizeof(expected) - 1) == 0);
	cr_assert_eq(get16(reply + 6), 3);
}

static void addresses(struct evdns_server_request *req)
{
	static const uint8_t v6[16] = { 0x20, 1 }, two[8] = { 10, 0, 0, 1, 10, 0, 0, 2 };

	cr_assert_eq(evdns_server_request_add_a_reply(req, "host.example", 2, two, 60), 0);
	cr_assert_eq(evdns_server_request_add_aaaa_reply(req, "host.example", 1, v6, 60), 0);
	cr_assert_eq(evdns_server_request_add_a_reply(req, "host.example", 0, two, 60), -1);
	cr_assert_eq(evdns_server_request_add_a_reply(req, "host.example", -2, two, 60), -1);
	cr_assert_eq(evdns_server_request_add_aaaa_reply(req, "host.example", 0, v6, 60), -1);
	cr_assert_eq(evdns_server_request_add_cname_reply(req, "host.example", "x.example", 60), 0);
}

/* DNS-249, DNS-250, DNS-252 */
Test(dns_compose, each_address_has_its_record)
{
	static const uint8_t expected[] =
		"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1"
		"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\2"
		"\xc0\x0c\0\34\0\1\0\0\0\x3c\0\20 \1\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1x\xc0\x11";

	cr_assert(memcmp(built(addresses) + AT, expected, sizeof(expected) - 1) == 0);
	cr_assert_eq(get16(reply + 6), 4);
}

static void sixty_four(struct evdns_server_request *req)
{
	static uint8_t many[64 * 4];

	cr_assert_eq(evdns_server_request_add_a_reply(req, req->questions[0]->name, 64, many, 60),
		     0);
}

/* DNS-250, DNS-304 */
Test(dns_compose, addresses_are_packed_when_only_that_fits)
{
	size_t len = make_query(query, "\10nineteen\12characters", 20, 1);

	built_for(sixty_four, len);
	cr_assert_eq(get16(reply + 2) & 0x0200, 0);
	cr_assert_eq(get16(reply + 6), 1);
	cr_assert_eq(get16(reply + len + 10), 256);
	len = add_opt(query, make_query(query, HOST, 13, 1), 4096, 0);
	built_for(sixty_four, len);
	cr_assert_eq(get16(reply + 6), 64, "with more room each has its own");
}

static void pointers(struct evdns_server_request *req)
{
	struct in_addr in = { .s_addr = htonl(0x01020304) };

	cr_assert_eq(evdns_server_request_add_ptr_reply(req, &in, NULL, "a.b", 60), 0);
	cr_assert_eq(evdns_server_request_add_ptr_reply(req, NULL, "x.y", "a.b", 60), 0);
	cr_assert_eq(evdns_server_request_add_ptr_reply(req, &in, "x.y", "a.b", 60), -1);
	cr_assert_eq(evdns_server_request_add_ptr_reply(req, NULL, NULL, "a.b", 60), -1);
}

/* DNS-251 */
Test(dns_compose, ptr_records_by_address_or_name)
{
	static const uint8_t expected[] =
		"\0014\0013\0012\0011\7in-addr\4arpa\0\0\14\0\1\0\0\0\x3c\0\5\1a\1b\0"
		"\1x\1y\0\0\14\0\1\0\0\0\x3c\0\2";

	cr_assert(memcmp(built(pointers) + AT, expected, sizeof(expected) - 1) == 0);
	cr_assert_eq(get16(reply + 6), 2);
}

static void bad_names(struct evdns_server_request *req)
{
	char name[400];

	memset(name, 'x', sizeof(name));
	name[64] = '\0';
	cr_assert_eq(add(req, 0, name, 5, 0, 1, "a"), -1);
	cr_assert_eq(add(req, 0, "a", 5, 0, 1, name), -1);
	cr_assert_eq(add(req, 0, "a..b", 5, 0, 1, "a"), -1);
	memset(name, 'x', sizeof(name));
	for (int i = 60; i < 400; i += 61)
		name[i] = '.';
	name[260] = '\0';
	cr_assert_eq(add(req, 0, name, 5, 0, 1, "a"), -1);
	name[253] = '\0';
	cr_assert_eq(add(req, 0, name, 5, 0, 1, "a"), 0);
}

/* DNS-253, DNS-258, DNS-259, DNS-292 */
Test(dns_compose, names_that_cannot_be_written_are_refused_at_once)
{
	built(bad_names);
	cr_assert_eq(get16(reply + 6), 1);
	cr_assert_eq(reply[AT], 60);
	cr_assert_eq(reply[AT + 253 + 1], 0, "written in full");
}

static void spoil_question(struct evdns_server_request *req, void *arg)
{
	struct served *s = arg;

	req->questions[0]->name[0] = '.';
	cr_assert_eq(evdns_server_request_respond(req, 0), -1);
	req->questions[0]->name[0] = 'h';
	cr_assert_eq(evdns_server_request_respond(req, 0), 0);
	s->held_count++;
}

/* DNS-259: the request stays usable. */
Test(dns_compose, a_question_made_unusable_fails_the_answer_only)
{
	struct served s;

	serve(&s, spoil_question);
	cr_assert_gt(exchange(&s, query, make_query(query, HOST, 13, 1), reply), 0);
	serve_end(&s);
}

static int text_size, record_count;

static void texts(struct evdns_server_request *req, void *arg)
{
	static char data[66000];

	(void)arg;
	for (int i = 0; i < record_count; i++)
		cr_assert_eq(add(req, i % 3, "host.example", 16, text_size, 0, data), 0);
	cr_assert_eq(evdns_server_request_respond(req, 0), 0);
}

/* Walks over all records; the length that they fill. */
static size_t walk(const uint8_t *message)
{
	size_t at = AT;
	unsigned records = get16(message + 6) + get16(message + 8) + get16(message + 10);

	for (; records > 0; records--) {
		at += message[at] == 0 ? 1 : 2;
		at += 10 + get16(message + at + 8);
	}
	return at;
}

/* DNS-262, DNS-263, DNS-304, D51 */
Test(dns_compose, a_full_reply_is_cut_between_records)
{
	struct served s;
	size_t len;

	serve(&s, texts);
	record_count = 1;
	for (text_size = 512 - AT - 12 - 20; text_size <= 512 - AT - 12 + 20; text_size++) {
		ssize_t n;

		len = make_query(query, HOST, 13, 1);
		n = exchange(&s, query, len, reply);
		cr_assert_leq(n, 512);
		cr_assert_eq((size_t)n, walk(reply));
		cr_assert_eq((get16(reply + 2) & 0x0200) != 0, text_size > 512 - AT - 12, "%d",
			     text_size);
	}
	text_size = 20;
	for (record_count = 1; record_count < 40; record_count += 7) {
		for (unsigned limit = 512; limit < 560; limit += 9) {
			ssize_t n;

			len = add_opt(query, make_query(query, HOST, 13, 1), limit, 0);
			n = exchange(&s, query, len, reply);
			cr_assert_leq(n, (ssize_t)limit);
			cr_assert_eq((size_t)n, walk(reply));
			cr_assert_geq(get16(reply + 10), 1, "the OPT record stays");
		}
	}
	serve_end(&s);
}

/* DNS-264, DNS-257, D51 */
Test(dns_compose, by_tcp_64_kilobytes_are_the_limit)
{
	static const int sizes[] = { 65535 - AT - 12, 65535 - AT - 11 };

	for (int i = 0; i < 2; i++) {
		struct served s;
		uint8_t head[2];
		int fd;
		size_t len = make_query(query, HOST, 13, 1), got = 0;

		serve(&s, texts);
		serve_tcp(&s);
		record_count = 1;
		text_size = sizes[i];
		fd = client_socket(&s, SOCK_STREAM);
		put16(head, (unsigned)len);
		cr_assert_eq(send(fd, head, 2, 0), 2);
		cr_assert_eq(send(fd, query, len, 0), (ssize_t)len);
		while (got < 2 || got < 2 + get16(reply)) {
			ssize_t n = receive(&s, fd, reply + got);

			cr_assert_gt(n, 0);
			got += (size_t)n;
		}
		cr_assert_eq(get16(reply), i == 0 ? 65535 : AT);
		cr_assert_eq((get16(reply + 4) & 0x0200) != 0, i == 1);
		close(fd);
		serve_end(&s);
	}
}

/* Names far behind: no pointer can reach them, so they are written out. DNS-257 */
static void far_names(struct evdns_server_request *req)
{
	static char data[17000];

	cr_assert_eq(add(req, 0, "host.example", 16, sizeof(data), 0, data), 0);
	for (int i = 0; i < 300; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.far", i / 2);
		cr_assert_eq(add(req, 0, name, 5, 0, 1, "host.example"), 0);
	}
}

Test(dns_compose, pointers_reach_no_further_than_they_can)
{
	size_t len = add_opt(query, make_query(query, HOST, 13, 1), 65535, 0);
	size_t at = AT;

	built_for(far_names, len);
	cr_assert_eq(get16(reply + 6), 301);
	at += 12 + 17000;
	for (int i = 0; i < 300; i++) {
		char expected[32];
		size_t name_len = (size_t)snprintf(expected, sizeof(expected), "n%d", i / 2);

		cr_assert_eq(reply[at], name_len);
		cr_assert(memcmp(reply + at + 1, expected, name_len) == 0);
		at += 1 + name_len;
		cr_assert(memcmp(reply + at, "\3far", 5) == 0);
		at += 5 + 10;
		cr_assert_eq(get16(reply + at), 0xc00c);
		at += 2;
	}
}

/* What this resolver makes of this server's replies. DNS-250, DNS-128, DNS-258, DNS-132 */
static void long_ptr(struct evdns_server_request *req, void *arg)
{
	char name[254];

	(void)arg;
	memset(name, 'y', sizeof(name));
	for (int i = 60; i < 253; i += 61)
		name[i] = '.';
	name[253] = '\0';
	cr_assert_eq(
		evdns_server_request_add_ptr_reply(req, NULL, req->questions[0]->name, name, 60),
		0);
	cr_assert_eq(evdns_server_request_respond(req, 0), 0);
}

Test(dns_compose, the_resolver_understands_the_server)
{
	struct served s;
	struct evdns_base *dns;
	struct told t = { 0 };
	struct in_addr in = { 0 };

	serve(&s, long_ptr);
	dns = patient_dns(s.base);
	cr_assert_eq(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&s.addr,
							sizeof(s.addr), 0),
		     0);
	cr_assert_not_null(evdns_base_resolve_reverse(dns, &in, 0, tell, &t));
	await(s.base, &t.calls);
	cr_assert_eq(t.result, DNS_ERR_NONE);
	cr_assert_eq(strlen(t.name), 253);
	evdns_base_free(dns, 0);
	serve_end(&s);
}
