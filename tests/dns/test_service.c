/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests to the DNS server: what is read of them, and what the program may do. */

#include "server.h"

TestSuite(dns_service, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static uint8_t query[4096], reply[PACKET_MAX];

static struct {
	int flags, nquestions, type, class;
	char name[300];
} read_as;

static void look(struct evdns_server_request *req, void *arg)
{
	(void)arg;
	read_as.flags = req->flags;
	read_as.nquestions = req->nquestions;
	read_as.type = req->questions[0]->type;
	read_as.class = req->questions[0]->dns_question_class;
	snprintf(read_as.name, sizeof(read_as.name), "%s", req->questions[0]->name);
	cr_assert_eq(evdns_server_request_respond(req, 0), 0);
}

/* DNS-234..237, DNS-241, DNS-256 */
Test(dns_service, the_question_is_described)
{
	struct served s;
	size_t len;

	serve(&s, look);
	len = make_query(query, "\4HoSt\7example", 13, 257);
	query[2] = 0x07; /* AA, TC, RD */
	query[3] = 0xff; /* all others and an rcode */
	query[len - 1] = 3;
	cr_assert_eq(exchange(&s, query, len, reply), (ssize_t)len);
	cr_assert_eq(read_as.nquestions, 1);
	cr_assert_eq(read_as.type, 257);
	cr_assert_eq(read_as.class, 3);
	cr_assert_str_eq(read_as.name, "HoSt.example");
	cr_assert_eq(read_as.flags, 0x0110);
	cr_assert_eq(get16(reply + 2), 0x8110);
	cr_assert(memcmp(reply + 12, query + 12, len - 12) == 0);
	len = make_query(query, "", 0, 2);
	cr_assert_eq(exchange(&s, query, len, reply), (ssize_t)len);
	cr_assert_str_eq(read_as.name, "");
	serve_end(&s);
}

/* DNS-236, DNS-237 */
Test(dns_service, several_questions_and_compression_are_read)
{
	struct served s;
	size_t len = make_query(query, HOST, 13, 1);

	serve(&s, look);
	query[5] = 2;
	memcpy(query + len, "\3two\xc0\x11\0\1\0\1", 10);
	cr_assert_gt(exchange(&s, query, len + 10, reply), 0);
	cr_assert_eq(read_as.nquestions, 2);
	cr_assert_eq(get16(reply + 4), 2);
	cr_assert(memcmp(reply + len, "\3two\xc0\x11", 6) == 0);
	serve_end(&s);
}

/* DNS-236 */
Test(dns_service, names_that_text_cannot_tell_are_refused)
{
	static const struct {
		const char *labels;
		size_t len;
	} cases[] = { { "\4ho.t", 5 }, { "\4ho\0t", 5 } };
	struct served s;

	serve(&s, answer_a);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_geq(exchange(&s, query,
				       make_query(query, cases[i].labels, cases[i].len, 1), reply),
			      12);
		cr_assert_eq(get16(reply), 0x1234);
		cr_assert_eq(get16(reply + 2) & 0x800f, 0x8001);
	}
	cr_assert_eq(s.requests, 0);
	serve_end(&s);
}

static void lower(struct evdns_server_request *req, void *arg)
{
	(void)arg;
	for (char *p = req->questions[0]->name; *p != '\0'; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
	answer_a(req, NULL);
}

/* DNS-238 */
Test(dns_service, names_may_be_changed_in_place)
{
	struct served s;
	size_t len = make_query(query, "\4HoSt\7eXample", 13, 1);

	serve(&s, lower);
	cr_assert_gt(exchange(&s, query, len, reply), 0);
	cr_assert(memcmp(reply + 12, "\4host\7example", 14) == 0);
	serve_end(&s);
}

/* Sends what is in `query`, and a good query behind it; how many replies come before that one's. */
static int replies_to(struct served *s, size_t len)
{
	uint8_t good[64];
	size_t good_len = make_query(good, HOST, 13, 1);
	int fd = client_socket(s, SOCK_DGRAM), replies = 0;

	good[0] = 0x99;
	cr_assert_eq(send(fd, query, len, 0), (ssize_t)len);
	cr_assert_eq(send(fd, good, good_len, 0), (ssize_t)good_len);
	for (;;) {
		cr_assert_geq(receive(s, fd, reply), 12);
		if (reply[0] == 0x99)
			break;
		cr_assert_neq(get16(reply + 2) & 0x000f, 0, "an error, if anything");
		replies++;
	}
	s->requests--;
	close(fd);
	return replies;
}

/* DNS-239, DNS-289, DNS-292, D50: the callback never sees them, and the server goes on. */
Test(dns_service, what_is_no_query_is_dropped)
{
	struct served s;
	size_t len;

	serve(&s, answer_a);
	for (len = 0; len < 12; len++) {
		make_query(query, HOST, 13, 1);
		cr_assert_eq(replies_to(&s, len), 0);
	}
	len = make_query(query, HOST, 13, 1);
	query[2] |= 0x80;
	cr_assert_eq(replies_to(&s, len), 0, "a reply");
	make_query(query, HOST, 13, 1);
	query[5] = 0;
	replies_to(&s, len);
	make_query(query, HOST, 13, 1);
	query[5] = 2;
	replies_to(&s, len);
	make_query(query, HOST, 13, 1);
	query[4] = 0xff;
	replies_to(&s, len);
	make_query(query, "\300\014", 2, 1);
	replies_to(&s, 18);
	make_query(query, HOST, 13, 1);
	query[7] = 1;
	replies_to(&s, len);
	cr_assert_eq(s.requests, 0);
	for (size_t cut = 12; cut < len; cut++) {
		make_query(query, HOST, 13, 1);
		replies_to(&s, cut);
	}
	cr_assert_eq(s.requests, 0);
	make_query(query, HOST, 13, 1);
	cr_assert_gt(exchange(&s, query, len + 40, reply), 0, "trailing bytes do no harm");
	cr_assert_eq(s.requests, 1);
	serve_end(&s);
}

/*
 * DNS-239, DNS-292, D50: 20,000 mutations. The replies are read off, and none is larger than
 * allowed.
 */
Test(dns_service, mutated_queries_do_no_harm)
{
	struct served s;
	int fd;
	unsigned seed = 1;

	serve(&s, answer_a);
	fd = client_socket(&s, SOCK_DGRAM);
	for (int i = 0; i < 20000; i++) {
		size_t len = add_opt(query, make_query(query, HOST, 13, 1), 512, 0);

		for (int k = 0; k < 3; k++) {
			seed = seed * 1103515245u + 12345u;
			query[(seed >> 16) % len] = (uint8_t)(seed >> 8);
		}
		(void)send(fd, query, len - (seed >> 5) % 3 * 4, 0);
		if (i % 32 == 31) {
			event_base_loop(s.base, EVLOOP_NONBLOCK);
			while (recv(fd, reply, sizeof(reply), 0) > 0)
				continue;
		}
	}
	close(fd);
	cr_assert_gt(exchange(&s, query, make_query(query, HOST, 13, 1), reply), 0, "still alive");
	serve_end(&s);
}

/* DNS-240 */
Test(dns_service, other_opcodes_are_not_implemented)
{
	struct served s;
	size_t len = make_query(query, HOST, 13, 1);

	serve(&s, answer_a);
	query[2] |= 0x10;
	cr_assert_geq(exchange(&s, query, len, reply), 12);
	cr_assert_eq(get16(reply), 0x1234);
	cr_assert_eq(get16(reply + 2) & 0xf80f, 0x9004);
	cr_assert_eq(s.requests, 0);
	serve_end(&s);
}

/* DNS-241 */
Test(dns_service, large_queries_are_read_whole)
{
	struct served s;
	size_t len = make_query(query, HOST, 13, 1);

	serve(&s, look);
	query[7] = 1;
	memcpy(query + len, "\0\0\20\0\1\0\0\0\0", 9);
	put16(query + len + 9, 3900);
	memset(query + len + 11, 'x', 3900);
	cr_assert_gt(exchange(&s, query, len + 11 + 3900, reply), 0);
	cr_assert_eq(s.requests, 1);
	serve_end(&s);
}

static int address_count;

static void many(struct evdns_server_request *req, void *arg)
{
	(void)arg;
	for (int i = 0; i < address_count; i++) {
		uint8_t ip[4] = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i };

		cr_assert_eq(
			evdns_server_request_add_a_reply(req, req->questions[0]->name, 1, ip, 60),
			0);
	}
	cr_assert_eq(evdns_server_request_respond(req, 0), 0);
}

/* DNS-242, DNS-243, DNS-262, DNS-289, D52 */
Test(dns_service, edns_allows_larger_replies)
{
	struct served s;
	size_t len;
	ssize_t n;

	serve(&s, many);
	address_count = 60;
	len = add_opt(query, make_query(query, HOST, 13, 1), 1232, 0);
	n = exchange(&s, query, len, reply);
	cr_assert_eq(n, (ssize_t)len - 11 + 60 * 16 + 11);
	cr_assert_eq(get16(reply + 2) & 0x0200, 0);
	cr_assert_eq(get16(reply + 10), 1);
	cr_assert(memcmp(reply + n - 11, "\0\0\51", 3) == 0, "its owner is one zero byte");
	cr_assert_geq(get16(reply + n - 8), 512);
	cr_assert(memcmp(reply + n - 6, "\0\0\0\0\0\0", 6) == 0);
	len = add_opt(query, make_query(query, HOST, 13, 1), 100, 0);
	n = exchange(&s, query, len, reply);
	cr_assert_leq(n, 512);
	cr_assert_neq(get16(reply + 2) & 0x0200, 0, "less than 512 is 512");
	cr_assert_eq(get16(reply + 10), 1, "the OPT record is not lost");
	address_count = 0;
	len = add_opt(query, make_query(query, "", 0, 1), 1232, 0);
	n = exchange(&s, query, len, reply);
	cr_assert(memcmp(reply + n - 11, "\0\0\51", 3) == 0);
	serve_end(&s);
}

/* DNS-242 */
Test(dns_service, other_versions_of_edns_are_refused)
{
	struct served s;
	size_t len = add_opt(query, make_query(query, HOST, 13, 1), 1232, 1);
	ssize_t n;

	serve(&s, answer_a);
	n = exchange(&s, query, len, reply);
	cr_assert_geq(n, 12 + 11);
	cr_assert_eq(get16(reply + 2) & 0xf, 0);
	cr_assert_eq(reply[n - 6], 1, "BADVERS is 16: its upper bits are here");
	cr_assert_eq(s.requests, 0);
	serve_end(&s);
}

static void misuse(struct evdns_server_request *req, void *arg)
{
	(void)arg;
	cr_assert_eq(evdns_server_request_respond(req, 16), -1);
	cr_assert_eq(evdns_server_request_respond(req, -1), -1);
	cr_assert_eq(evdns_server_request_respond(req, 15), 0);
}

/* DNS-255, DNS-260, D52 */
Test(dns_service, respond_or_drop_ends_it)
{
	struct served s;
	size_t len = make_query(query, HOST, 13, 1);

	serve(&s, misuse);
	cr_assert_eq(exchange(&s, query, len, reply), (ssize_t)len);
	cr_assert_eq(get16(reply + 2), 0x810f);
	s.fn = hold;
	exchange_nothing(&s, query, len);
	cr_assert_eq(s.held_count, 1);
	cr_assert_eq(evdns_server_request_drop(s.held[0]), 0);
	run_for(s.base, 20);
	serve_end(&s);
}

static void flags(struct evdns_server_request *req, void *arg)
{
	static int n;

	(void)arg;
	if (n == 0) {
		req->flags = 0x0480;
		evdns_server_request_set_flags(req, 0x0020);
		cr_assert_eq(req->flags, 0x0020);
	} else {
		evdns_server_request_set_flags(req, EVDNS_FLAGS_AA | EVDNS_FLAGS_RD);
	}
	n++;
	cr_assert_eq(evdns_server_request_respond(req, 3), 0);
}

/* DNS-254, DNS-256 */
Test(dns_service, flags_are_the_programs)
{
	struct served s;
	size_t len = make_query(query, HOST, 13, 1);

	serve(&s, flags);
	cr_assert_eq(exchange(&s, query, len, reply), (ssize_t)len);
	cr_assert_eq(get16(reply + 2), 0x8023);
	cr_assert_eq(exchange(&s, query, len, reply), (ssize_t)len);
	cr_assert_eq(get16(reply + 2), 0x8583);
	serve_end(&s);
}

/* DNS-261, DNS-266 */
Test(dns_service, a_reply_that_cannot_be_sent_is_lost)
{
	struct served s;
	int fd;

	serve(&s, hold);
	fd = client_socket(&s, SOCK_DGRAM);
	cr_assert_gt(send(fd, query, make_query(query, HOST, 13, 1), 0), 0);
	while (s.held_count < 1)
		event_base_loop(s.base, EVLOOP_ONCE);
	close(fd);
	answer_a(s.held[0], NULL);
	serve_end(&s);
}
