/* SPDX-License-Identifier: BSD-3-Clause */
/* What the resolver makes of replies, bytes as the test says. */

#include "fake.h"

TestSuite(dns_reply, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static const uint8_t ip1[4] = { 10, 0, 0, 1 }, ip2[4] = { 10, 0, 0, 2 };
static const uint8_t ip6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 7 };

static void ask(struct asked *a, unsigned type)
{
	struct in_addr in = { .s_addr = htonl(0x01020304) };
	struct evdns_request *request;

	memset(&a->told, 0, sizeof(a->told));
	if (type == 1)
		request = evdns_base_resolve_ipv4(a->dns, "host.example.com", DNS_CNAME_CALLBACK,
						  tell, &a->told);
	else if (type == 28)
		request = evdns_base_resolve_ipv6(a->dns, "host.example.com", DNS_CNAME_CALLBACK,
						  tell, &a->told);
	else
		request = evdns_base_resolve_reverse(a->dns, &in, 0, tell, &a->told);
	cr_assert_not_null(request);
	cr_assert_eq(a->told.calls, 0);
	await(a->base, &a->told.calls);
}

/* One question, one kind of reply. */
static struct told outcome(fake_fn *fn, unsigned type)
{
	struct asked a;

	set_up(&a, fn);
	ask(&a, type);
	tear_down(&a);
	cr_assert_eq(a.told.calls, 1);
	return a.told;
}

static size_t one_a(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	return add_record(reply, n, 1, 1, 1, 300, ip1, 4);
}

static size_t one_aaaa(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	return add_record(reply, n, 1, 28, 1, 77, ip6, 16);
}

/* DNS-089..092, DNS-097, DNS-098, DNS-100, DNS-106, DNS-109 */
Test(dns_reply, addresses_arrive)
{
	struct told t = outcome(one_a, 1);

	cr_assert_eq(t.result, DNS_ERR_NONE);
	cr_assert_eq(t.type, DNS_IPv4_A);
	cr_assert_eq(t.count, 1);
	cr_assert_eq(t.ttl, 300);
	cr_assert(memcmp(t.addresses, ip1, 4) == 0);
	t = outcome(one_aaaa, 28);
	cr_assert_eq(t.type, DNS_IPv6_AAAA);
	cr_assert_eq(t.count, 1);
	cr_assert(memcmp(t.addresses, ip6, 16) == 0);
}

static size_t nothing_with(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	(void)len;
	return begin_reply(query, reply, 0x8180u | (unsigned)(uintptr_t)fake->arg);
}

static struct told outcome_of_rcode(unsigned rcode)
{
	struct asked a;

	set_up(&a, nothing_with);
	a.fake.arg = (void *)(uintptr_t)rcode;
	ask(&a, 1);
	tear_down(&a);
	return a.told;
}

/* DNS-099, DNS-122, DNS-143, DNS-144 */
Test(dns_reply, each_rcode_has_its_result)
{
	static const int results[16] = {
		DNS_ERR_NODATA, DNS_ERR_FORMAT, DNS_ERR_SERVERFAILED, DNS_ERR_NOTEXIST,
		DNS_ERR_NOTIMPL, DNS_ERR_REFUSED, DNS_ERR_UNKNOWN, DNS_ERR_UNKNOWN, DNS_ERR_UNKNOWN,
		DNS_ERR_UNKNOWN, DNS_ERR_UNKNOWN, DNS_ERR_UNKNOWN, DNS_ERR_UNKNOWN, DNS_ERR_UNKNOWN,
		DNS_ERR_UNKNOWN, DNS_ERR_UNKNOWN,
	};

	for (unsigned rcode = 0; rcode < 16; rcode++) {
		struct told t = outcome_of_rcode(rcode);

		cr_assert_eq(t.result, results[rcode], "rcode %u gave %d", rcode, t.result);
		cr_assert_eq(t.count, 0);
		cr_assert_eq(t.type, DNS_IPv4_A);
		cr_assert_eq(t.ttl, 0);
	}
}

static size_t nxdomain_with_soa(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	static const uint8_t soa[] = {
		0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 60,
	};
	size_t n = begin_reply(query, reply, 0x8183);

	(void)fake;
	(void)len;
	n = add_record(reply, n, 1, 1, 1, 999, ip1, 4);
	return add_record(reply, n, 2, 6, 1, 3600, soa, sizeof(soa));
}

static size_t broken_soa(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	static const uint8_t soa[] = { 0, 0, 1 };
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	return add_record(reply, n, 2, 6, 1, 3600, soa, sizeof(soa));
}

/* DNS-105, DNS-123, DNS-135, D13 */
Test(dns_reply, how_long_nothing_holds)
{
	struct told t = outcome(nxdomain_with_soa, 1);

	cr_assert_eq(t.result, DNS_ERR_NOTEXIST);
	cr_assert_eq(t.count, 0);
	cr_assert_eq(t.ttl, 60);
	t = outcome(broken_soa, 1);
	cr_assert_eq(t.result, DNS_ERR_UNKNOWN);
	cr_assert_eq(t.ttl, 0);
}

static size_t mixed(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	n = add_record(reply, n, 1, 16, 1, 1, "\3abc", 4);
	n = add_record(reply, n, 1, 28, 1, 1, ip6, 16);
	n = add_record(reply, n, 1, 1, 3, 1, ip2, 4);
	n = add_record(reply, n, 1, 1, 1, 500, ip1, 4);
	n = add_record(reply, n, 1, 1, 1, 100, ip2, 4);
	n = add_record(reply, n, 1, 1, 1, 300, ip1, 4);
	memcpy(reply + n, "trailing bytes", 14);
	return n + 14;
}

/* DNS-104, DNS-119, DNS-124, DNS-129, D11 */
Test(dns_reply, what_was_not_asked_for_is_skipped)
{
	struct told t = outcome(mixed, 1);

	cr_assert_eq(t.result, DNS_ERR_NONE);
	cr_assert_eq(t.count, 3);
	cr_assert_eq(t.ttl, 100);
	cr_assert(memcmp(t.addresses, ip1, 4) == 0 && memcmp(t.addresses + 4, ip2, 4) == 0);
	t = outcome(one_aaaa, 1);
	cr_assert_eq(t.result, DNS_ERR_NODATA);
}

static size_t huge_ttl(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	return add_record(reply, n, 1, 1, 1, 0x80000000u, ip1, 4);
}

/* DNS-104, D13 */
Test(dns_reply, a_ttl_with_its_top_bit_set_is_zero)
{
	cr_assert_eq(outcome(huge_ttl, 1).ttl, 0);
}

#define REAL "\4real\7example\3com"

static size_t chain_backwards(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	n = add_record_of(reply, n, REAL, sizeof(REAL), 1, 300, ip1, 4);
	n = add_record_of(reply, n, "\3mid", 5, 5, 50, REAL, sizeof(REAL));
	n = add_record(reply, n, 1, 5, 1, 200, "\3mid", 5);
	return add_record_of(reply, n, "\5other", 7, 1, 1, ip2, 4);
}

/* DNS-101..104, DNS-125, DNS-126, D10 */
Test(dns_reply, aliases_lead_to_the_address_in_any_order)
{
	struct told t = outcome(chain_backwards, 1);

	cr_assert_eq(t.result, DNS_ERR_NONE);
	cr_assert_eq(t.count, 1);
	cr_assert(memcmp(t.addresses, ip1, 4) == 0);
	cr_assert_eq(t.ttl, 50);
	cr_assert_eq(t.aliases, 1);
	cr_assert_str_eq(t.alias, "real.example.com");
}

static size_t self_alias(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	return add_record(reply, n, 1, 5, 1, 1, "\xc0\x0c", 2);
}

static size_t unrelated(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	return add_record_of(reply, n, REAL, sizeof(REAL), 1, 300, ip1, 4);
}

/* DNS-125, DNS-126, D10, D12 */
Test(dns_reply, records_of_others_and_loops_give_no_data)
{
	cr_assert_eq(outcome(unrelated, 1).result, DNS_ERR_NODATA);
	cr_assert_eq(outcome(self_alias, 1).result, DNS_ERR_NODATA);
}

static size_t packed(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	uint8_t two[8];
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	memcpy(two, ip1, 4);
	memcpy(two + 4, ip2, 4);
	return add_record(reply, n, 1, 1, 1, 9, two, (size_t)(uintptr_t)fake->arg);
}

/* DNS-128, D20 */
Test(dns_reply, the_size_of_addresses_is_checked)
{
	static const struct {
		size_t len;
		int result, count;
	} cases[] = { { 8, DNS_ERR_NONE, 2 }, { 4, DNS_ERR_NONE, 1 }, { 0, DNS_ERR_UNKNOWN, 0 },
		{ 3, DNS_ERR_UNKNOWN, 0 }, { 5, DNS_ERR_UNKNOWN, 0 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asked a;

		set_up(&a, packed);
		a.fake.arg = (void *)cases[i].len;
		ask(&a, 1);
		cr_assert_eq(a.told.result, cases[i].result);
		cr_assert_eq(a.told.count, cases[i].count);
		tear_down(&a);
	}
}

/* Breaks a good reply in one of many ways. */
enum damage {
	CUT_RECORD,
	COUNT_TOO_LARGE,
	LEN_PAST_END,
	POINTER_LOOP,
	POINTER_OUT,
	LABEL_40,
	LABEL_80,
	LATER_PAST_END,
	ALIAS_TOO_LONG,
	ALIAS_BAD_POINTER,
	DAMAGES
};

static size_t damaged(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK), record = n;

	(void)len;
	n = add_record(reply, n, 1, 1, 1, 5, ip1, 4);
	switch ((enum damage)(uintptr_t)fake->arg) {
	case CUT_RECORD:
		return n - 1;
	case COUNT_TOO_LARGE:
		put16(reply + 6, 2);
		return n;
	case LEN_PAST_END:
		put16(reply + n - 6, 5);
		return n;
	case POINTER_LOOP:
		put16(reply + record, 0xc000u | (unsigned)record);
		return n;
	case POINTER_OUT:
		put16(reply + record, 0xffff);
		return n;
	case LABEL_40:
		reply[record] = 0x40;
		return n;
	case LABEL_80:
		reply[record] = 0x80;
		return n;
	case LATER_PAST_END:
		n = add_record(reply, n, 1, 16, 1, 5, "\2ab", 3);
		put16(reply + n - 5, 100);
		return n;
	case ALIAS_TOO_LONG:
		return add_record(reply, n, 1, 5, 1, 5, "\1a\0x", 4);
	case ALIAS_BAD_POINTER:
		return add_record(reply, n, 1, 5, 1, 5, "\xff\xff", 2);
	case DAMAGES:
		break;
	}
	return 0;
}

/* DNS-127, DNS-133..136, DNS-288, D20, D22 */
Test(dns_reply, damaged_replies_end_the_lookup)
{
	for (uintptr_t damage = 0; damage < DAMAGES; damage++) {
		struct asked a;

		set_up(&a, damaged);
		a.fake.arg = (void *)damage;
		ask(&a, 1);
		cr_assert_eq(a.told.result, DNS_ERR_UNKNOWN, "damage %d gave %d", (int)damage,
			     a.told.result);
		cr_assert_eq(a.told.ttl, 0);
		cr_assert_eq(a.fake.queries, 1);
		tear_down(&a);
	}
}

static size_t forward_pointer(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK), record = n;

	(void)fake;
	(void)len;
	n = add_record(reply, n, 1, 1, 1, 5, ip1, 4);
	put16(reply + record, 0xc000u | (unsigned)n);
	memcpy(reply + n, reply + 12, question_end(reply) - 16);
	return n + question_end(reply) - 16;
}

/* DNS-133 */
Test(dns_reply, pointers_may_point_forwards)
{
	cr_assert_eq(outcome(forward_pointer, 1).result, DNS_ERR_NONE);
}

static size_t ptr_name(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	static const struct {
		const char *bytes;
		size_t len;
	} names[] = { { "\4Name\3org", 10 }, { "", 1 }, { "\3a\0b\3org", 9 }, { "\3a.b\3org", 9 } };
	size_t n = begin_reply(query, reply, REPLY_OK), which = (size_t)(uintptr_t)fake->arg;

	(void)len;
	n = add_record(reply, n, 1, 12, 1, 33, names[which].bytes, names[which].len);
	return add_record(reply, n, 1, 12, 1, 44, "\6second", 8);
}

/* DNS-089, DNS-098, DNS-130, DNS-131, D24 */
Test(dns_reply, names_of_addresses)
{
	static const char *const expected[] = { "Name.org", "", NULL, NULL };

	for (uintptr_t i = 0; i < 4; i++) {
		struct asked a;

		set_up(&a, ptr_name);
		a.fake.arg = (void *)i;
		ask(&a, 12);
		if (expected[i] == NULL) {
			cr_assert_eq(a.told.result, DNS_ERR_UNKNOWN);
		} else {
			cr_assert_eq(a.told.result, DNS_ERR_NONE);
			cr_assert_eq(a.told.count, 1);
			cr_assert_str_eq(a.told.name, expected[i]);
		}
		tear_down(&a);
	}
}

static size_t name_of(unsigned labels, uint8_t *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < labels; i++) {
		out[n++] = 62;
		memset(out + n, 'a', 62);
		n += 62;
	}
	out[n++] = 0;
	return n;
}

static size_t long_ptr(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	uint8_t name[400];
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)len;
	return add_record(reply, n, 1, 12, 1, 33, name,
			  name_of((unsigned)(uintptr_t)fake->arg, name));
}

/* DNS-132, D22 */
Test(dns_reply, long_names_are_delivered_and_too_long_ones_refused)
{
	for (uintptr_t labels = 4; labels <= 5; labels++) {
		struct asked a;

		set_up(&a, long_ptr);
		a.fake.arg = (void *)labels;
		ask(&a, 12);
		cr_assert_eq(a.told.result, labels == 4 ? DNS_ERR_NONE : DNS_ERR_UNKNOWN);
		if (labels == 4)
			cr_assert_eq(strlen(a.told.name), 4 * 62 + 3);
		tear_down(&a);
	}
}

/* Wrong first, then right: only the second may count. */
enum wrong {
	WRONG_ID,
	WRONG_NAME,
	WRONG_TYPE,
	WRONG_CLASS,
	NO_QUESTION,
	TWO_QUESTIONS,
	NOT_A_REPLY,
	OPCODE,
	SEVEN_BYTES,
	HEADER_ONLY,
	WRONG_NXDOMAIN,
	WRONGS
};

static size_t wrong_then_right(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = one_a(fake, query, len, reply), end = question_end(query);

	switch ((enum wrong)(uintptr_t)fake->arg) {
	case WRONG_ID:
		reply[0] ^= 1;
		break;
	case WRONG_NAME:
		reply[14] ^= 2;
		break;
	case WRONG_TYPE:
		reply[end - 3] = 28;
		break;
	case WRONG_CLASS:
		reply[end - 1] = 3;
		break;
	case NO_QUESTION:
		put16(reply + 4, 0);
		break;
	case TWO_QUESTIONS:
		put16(reply + 4, 2);
		break;
	case NOT_A_REPLY:
		reply[2] &= 0x7f;
		break;
	case OPCODE:
		reply[2] |= 0x10;
		break;
	case SEVEN_BYTES:
		n = 7;
		break;
	case HEADER_ONLY:
		n = 12;
		break;
	case WRONG_NXDOMAIN:
		reply[3] |= 3;
		reply[14] ^= 2;
		break;
	case WRONGS:
		break;
	}
	fake_send(fake, reply, n);
	return one_a(fake, query, len, reply);
}

/* DNS-112, DNS-114..116, DNS-120, DNS-291, D01 */
Test(dns_reply, what_does_not_answer_the_question_is_ignored)
{
	for (uintptr_t wrong = 0; wrong < WRONGS; wrong++) {
		struct asked a;

		set_up(&a, wrong_then_right);
		a.fake.arg = (void *)wrong;
		ask(&a, 1);
		cr_assert_eq(a.told.result, DNS_ERR_NONE, "case %d gave %d", (int)wrong,
			     a.told.result);
		cr_assert_eq(a.fake.queries, 1);
		tear_down(&a);
	}
}

static size_t lower_case(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = one_a(fake, query, len, reply);

	for (size_t i = 12; i < question_end(query) - 5; i++)
		reply[i] |= reply[i] >= 'A' && reply[i] <= 'Z' ? 0x20 : 0;
	return n;
}

/* DNS-108, DNS-117 */
Test(dns_reply, the_case_of_letters_is_sent_at_random_and_not_required)
{
	struct asked a;
	int mixed_case = 0;

	set_up(&a, lower_case);
	for (int i = 0; i < 8; i++) {
		ask(&a, 1);
		cr_assert_eq(a.told.result, DNS_ERR_NONE);
		for (size_t k = 12; k < a.fake.last_len; k++)
			mixed_case |= a.fake.last[k] >= 'A' && a.fake.last[k] <= 'Z';
	}
	cr_assert(mixed_case);
	cr_assert_eq(evdns_base_set_option(a.dns, "randomize-case", "0"), 0);
	ask(&a, 1);
	cr_assert(memcmp(a.fake.last + 12, "\4host\7example\3com", 18) == 0);
	tear_down(&a);
}

static size_t from_elsewhere(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = one_a(fake, query, len, reply);
	int other = socket(AF_INET, SOCK_DGRAM, 0);

	cr_assert_eq(sendto(other, reply, n, 0, (struct sockaddr *)&fake->from, sizeof(fake->from)),
		     (ssize_t)n);
	close(other);
	return 0;
}

static int mismatches;

static void watch_log(int is_warning, const char *text)
{
	if (is_warning && strncmp(text, "Address mismatch on received DNS", 32) == 0 &&
	    strstr(text, "Apparent source was 127.0.0.1:") != NULL)
		mismatches++;
}

/*
 * DNS-084..086, DNS-113: on the one socket that is not connected, which is used once it has been
 * asked for.
 */
Test(dns_reply, another_port_is_another_sender)
{
	struct asked a;

	evdns_set_log_fn(watch_log);
	set_up(&a, from_elsewhere);
	cr_assert_geq(evdns_base_get_nameserver_fd(a.dns, 0), 0);
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host.example.com", 0, tell, &a.told));
	await(a.base, &mismatches);
	run_for(a.base, 20);
	cr_assert_eq(a.told.calls, 0, "the lookup goes on");
	cr_assert_eq(mismatches, 1);
	tear_down(&a);
	evdns_set_log_fn(NULL);
}

static size_t big(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	for (int i = 0; i < 500; i++)
		n = add_record(reply, n, 1, 1, 1, 5, ip1, 4);
	return n;
}

/* DNS-121, DNS-129, DNS-287, D33 */
Test(dns_reply, a_datagram_of_any_size_is_taken_whole)
{
	struct told t = outcome(big, 1);

	cr_assert_eq(t.result, DNS_ERR_NONE);
	cr_assert_eq(t.count, 500);
}

static size_t dislikes_edns(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	if (query[11] == 1)
		return begin_reply(query, reply, 0x8181);
	return one_a(fake, query, len, reply);
}

/* DNS-111 */
Test(dns_reply, a_server_that_cannot_read_edns_is_asked_without)
{
	static const uint8_t opt[11] = { 0, 0, 41, 4, 208 };
	struct asked a;

	set_up(&a, one_a);
	ask(&a, 1);
	cr_assert_eq(a.fake.last[11], 0);
	cr_assert_eq(evdns_base_set_option(a.dns, "edns-udp-size", "1232"), 0);
	ask(&a, 1);
	cr_assert_eq(a.fake.last[11], 1);
	cr_assert(memcmp(a.fake.last + a.fake.last_len - 11, opt, 11) == 0);
	a.fake.fn = dislikes_edns;
	a.fake.queries = 0;
	ask(&a, 1);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	cr_assert_eq(a.fake.queries, 2);
	ask(&a, 1);
	cr_assert_eq(a.fake.queries, 3);
	tear_down(&a);
}

/* The first letter of the name is how many addresses there are; "t": and a text at the end. */
static size_t as_many_as_asked(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK), size = question_type(query) == 1 ? 4 : 16;
	uint8_t address[16] = { 10 };

	(void)fake;
	(void)len;
	for (int i = 0; i < (query[13] | 0x20) - 'a'; i++) {
		address[size - 1] = (uint8_t)i;
		n = add_record(reply, n, 1, question_type(query), 1, 300, address, size);
	}
	return (query[14] | 0x20) == 't' ? add_record(reply, n, 1, 16, 1, 300, "\1x", 2) : n;
}

static int misaligned;

static void tell_aligned(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	misaligned += (uintptr_t)addresses % 4 != 0;
	tell(result, type, count, ttl, addresses, arg);
}

/* DNS-098, DNS-100, DNS-129: however much room a name has left for its addresses. */
Test(dns_reply, any_number_of_addresses_of_names_of_any_length)
{
	struct asked a;

	set_up(&a, as_many_as_asked);
	for (int i = 0; i < 2 * 20 * 20; i++) {
		int length = i / 20 % 20 + 2, count = i % 20 + 1, size = i % 2 ? 4 : 16;
		char name[] = "atcdefghijklmnopqrstuvwxyz";

		memset(&a.told, 0, sizeof(a.told));
		name[0] = (char)('a' + count);
		name[1] = i < 20 * 20 ? 't' : 'b';
		name[length] = '\0';
		if (size == 4)
			(void)evdns_base_resolve_ipv4(a.dns, name, 0, tell_aligned, &a.told);
		else
			(void)evdns_base_resolve_ipv6(a.dns, name, 0, tell_aligned, &a.told);
		await(a.base, &a.told.calls);
		cr_assert_eq(a.told.count, count, "%s", name);
		for (int k = 0; k < count; k++) {
			cr_assert_eq(a.told.addresses[k * size], 10);
			cr_assert_eq(a.told.addresses[(k + 1) * size - 1], k);
		}
	}
	cr_assert_eq(misaligned, 0);
	tear_down(&a);
}
