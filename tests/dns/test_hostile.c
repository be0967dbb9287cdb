/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Servers that lie, and those who pretend to be one: what they send ends in an answer, an error or
 * nothing.
 */

#include "fake.h"

#include <time.h>

TestSuite(dns_hostile, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static const uint8_t ip[4] = { 10, 0, 0, 1 }, false_ip[4] = { 6, 6, 6, 6 };

/* A reply made by one function, then the true one. */
struct before {
	size_t (*make)(const uint8_t *query, size_t len, uint8_t *reply, int which);
	int which;
};

static size_t lie_first(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	const struct before *before = fake->arg;
	size_t n;

	if (fake->conn == NULL) {
		n = before->make(query, len, reply, before->which);
		fake_send(fake, reply, n);
	}
	return add_record(reply, begin_reply(query, reply, REPLY_OK), 1, 1, 1, 300, ip, 4);
}

static struct told told_after(struct before before)
{
	struct asked a;

	set_up(&a, lie_first);
	a.fake.arg = &before;
	ask_for(&a, "host.example", 0);
	cr_assert_eq(a.fake.queries, 1);
	tear_down(&a);
	return a.told;
}

static void is_true(const struct told *told, const char *what, int which)
{
	cr_assert_eq(told->result, DNS_ERR_NONE, "%s %d gave %d", what, which, told->result);
	cr_assert_eq(told->count, 1);
	cr_assert_arr_eq(told->addresses, ip, 4);
}

/* The question is that of a longer name, which begins, or ends, with the one asked for. */
static size_t longer_name(const uint8_t *query, size_t len, uint8_t *reply, int at_end)
{
	size_t end = question_end(query), at = at_end ? end - 5 : 12;

	(void)len;
	memcpy(reply, query, at);
	put16(reply + 2, REPLY_OK);
	memcpy(reply + at, "\3www", 4);
	memcpy(reply + at + 4, query + at, end - at);
	return add_record(reply, end + 4, 1, 1, 1, 300, false_ip, 4);
}

enum { GARBAGE = 13, ALL_FF, ECHO, NO_QUESTION_FORMERR, JUNK_KINDS };

static size_t junk(const uint8_t *query, size_t len, uint8_t *reply, int which)
{
	memcpy(reply, query, len);
	put16(reply + 2, REPLY_OK);
	if (which < GARBAGE)
		return (size_t)which;
	if (which == NO_QUESTION_FORMERR) {
		put16(reply + 2, REPLY_OK | 1);
		put16(reply + 4, 0);
		return 12;
	}
	if (which == ECHO)
		memcpy(reply, query, len);
	else
		memset(reply, which == ALL_FF ? 0xff : 0x55, 100);
	return which == ECHO ? len : 100;
}

/* D01: a question that only contains the one asked. */
Test(dns_hostile, a_longer_name_is_another)
{
	for (int at_end = 0; at_end < 2; at_end++) {
		struct told told = told_after((struct before){ longer_name, at_end });

		is_true(&told, "longer", at_end);
	}
}

/* D04: 0 to 12 bytes, garbage, the query itself, and FORMERR without its question. */
Test(dns_hostile, junk_ends_nothing)
{
	for (int which = 0; which < JUNK_KINDS; which++) {
		struct told told = told_after((struct before){ junk, which });

		is_true(&told, "junk", which);
	}
}

/* -1 if somebody has that port. */
static int sender(const char *address, unsigned port)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	cr_assert_eq(inet_pton(AF_INET, address, &from.sin_addr), 1);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* All but perfect: from another address with the same port, and from another port. */
static size_t from_others(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n =
		add_record(reply, begin_reply(query, reply, REPLY_OK), 1, 1, 1, 300, false_ip, 4);
	const int *fds = fake->arg;

	for (int i = 0; i < 2; i++)
		(void)sendto(fds[i], reply, n, 0, (struct sockaddr *)&fake->from,
			     sizeof(fake->from));
	return answer_address(fake, query, len, reply);
}

/* D03: by sockets that are connected, and by the one that is not. */
Test(dns_hostile, who_was_not_asked_is_not_heard)
{
	for (int is_main = 0; is_main < 2; is_main++) {
		struct asked a;
		int fds[2];

		set_up(&a, from_others);
		while ((fds[0] = sender("127.0.0.2", ntohs(a.fake.addr.sin_port))) < 0) {
			tear_down(&a);
			set_up(&a, from_others);
		}
		fds[1] = sender("127.0.0.1", 0);
		cr_assert_geq(fds[1], 0);
		a.fake.arg = fds;
		if (is_main)
			cr_assert_geq(evdns_base_get_nameserver_fd(a.dns, 0), 0);
		ask_for(&a, "host", 0);
		is_true(&a.told, "main socket", is_main);
		tear_down(&a);
		close(fds[0]);
		close(fds[1]);
	}
}

/* --- Answers to the question ------------------------------------------------------------------ */

static size_t elsewhere(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	(void)len;
	return add_record(reply, begin_reply(query, reply, REPLY_OK), (int)(intptr_t)fake->arg, 1,
			  1, 300, false_ip, 4);
}

/* D11: an address in the authority or additional section is no answer. */
Test(dns_hostile, other_sections_do_not_answer)
{
	for (intptr_t section = 1; section <= 3; section++) {
		struct asked a;

		set_up(&a, elsewhere);
		a.fake.arg = (void *)section;
		ask_for(&a, "host", 0);
		cr_assert_eq(a.told.result, section == 1 ? DNS_ERR_NONE : DNS_ERR_NODATA);
		tear_down(&a);
	}
}

/* Aliases "a0" to "aN" and back to "a0", or on to an address. */
static size_t long_chain(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);
	int links = *(int *)fake->arg, is_loop = links < 0;
	char owner[6] = "\4a000", target[6] = "\4a000";

	(void)len;
	links = is_loop ? -links : links;
	n = add_record(reply, n, 1, 5, 1, 60, target, 6);
	for (int i = 0; i < links; i++) {
		int next = is_loop ? (i + 1) % links : i + 1;

		snprintf(owner + 1, 5, "a%03u", (unsigned)i % 1000u);
		snprintf(target + 1, 5, "a%03u", (unsigned)next % 1000u);
		n = add_record_of(reply, n, owner, 6, 5, 60, target, 6);
	}
	snprintf(owner + 1, 5, "a%03u", (unsigned)links % 1000u);
	return add_record_of(reply, n, owner, 6, 1, 60, ip, 4);
}

/*
 * D12: loops of all sizes and a chain of 60 end; a chain as long as real ones leads to its address.
 */
Test(dns_hostile, chains_of_aliases_are_bounded)
{
	static const struct {
		int links, result;
	} cases[] = { { 5, DNS_ERR_NONE },    { 60, DNS_ERR_NODATA },  { -1, DNS_ERR_NODATA },
		      { -2, DNS_ERR_NODATA }, { -20, DNS_ERR_NODATA }, { -60, DNS_ERR_NODATA } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asked a;
		int links = cases[i].links;

		set_up(&a, long_chain);
		a.fake.arg = &links;
		ask_for(&a, "host", 0);
		cr_assert_eq(a.told.result, cases[i].result, "%d links gave %d", links,
			     a.told.result);
		tear_down(&a);
	}
}

static size_t with_ttl(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	(void)len;
	return add_record(reply, begin_reply(query, reply, REPLY_OK), 1, 1, 1,
			  *(uint32_t *)fake->arg, ip, 4);
}

/* D13 */
Test(dns_hostile, times_are_clamped)
{
	static const struct {
		uint32_t sent;
		int told;
	} cases[] = { { 0, 0 },
		      { 1, 1 },
		      { 0x7fffffff, 0x7fffffff },
		      { 0x80000000u, 0 },
		      { 0xffffffffu, 0 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asked a;
		uint32_t ttl = cases[i].sent;

		set_up(&a, with_ttl);
		a.fake.arg = &ttl;
		ask_for(&a, "host", 0);
		cr_assert_eq(a.told.ttl, cases[i].told);
		tear_down(&a);
	}
}

/* --- Bytes that lie --------------------------------------------------------------------------- */

/* Whatever stands behind the question, in the answer section: `count` records. */
struct bytes {
	unsigned count;
	size_t len;
	uint8_t bytes[20000];
};

static size_t say(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	const struct bytes *b = fake->arg;
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)len;
	put16(reply + 6, b->count);
	memcpy(reply + n, b->bytes, b->len);
	return n + b->len;
}

static void append(struct bytes *b, const char *owner, size_t owner_len, unsigned type,
		   unsigned stated, const void *data, size_t len)
{
	uint8_t *at = b->bytes + b->len;

	memcpy(at, owner, owner_len);
	at += owner_len;
	at += put16(at, type);
	at += put16(at, 1);
	at += put16(at, 0);
	at += put16(at, 60);
	at += put16(at, stated);
	memcpy(at, data, len);
	b->len = (size_t)(at + len - b->bytes);
	b->count++;
}

static struct told told_by(struct bytes *b, unsigned type)
{
	struct asked a;
	struct in_addr in = { .s_addr = htonl(0x01020304) };

	set_up(&a, say);
	a.fake.arg = b;
	if (type == 1)
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &a.told));
	else if (type == 28)
		cr_assert_not_null(evdns_base_resolve_ipv6(a.dns, "host", 0, tell, &a.told));
	else
		cr_assert_not_null(evdns_base_resolve_reverse(a.dns, &in, 0, tell, &a.told));
	await(a.base, &a.told.calls);
	cr_assert_eq(a.fake.queries, 1);
	tear_down(&a);
	return a.told;
}

#define OWNER "\300\014", 2

/*
 * D20: each length that is no multiple of an address's, none at all, and those beyond the packet.
 */
Test(dns_hostile, lengths_of_addresses_are_checked)
{
	static const uint8_t zeros[64];
	static struct bytes b;
	struct told told;

	for (unsigned type = 1; type <= 28; type += 27) {
		unsigned unit = type == 1 ? 4 : 16;

		for (unsigned len = 0; len <= 2 * unit + 1; len++) {
			b.count = 0;
			b.len = 0;
			append(&b, OWNER, type, len, zeros, len);
			told = told_by(&b, type);
			cr_assert_eq(told.result,
				     len > 0 && len % unit == 0 ? DNS_ERR_NONE : DNS_ERR_UNKNOWN);
			cr_assert_eq(told.count,
				     told.result == DNS_ERR_NONE ? (int)(len / unit) : 0);
		}
		for (int i = 0; i < 2; i++) {
			b.count = 0;
			b.len = 0;
			append(&b, OWNER, type, i == 0 ? 2 * unit : 0xffff, zeros, unit);
			told = told_by(&b, type);
			cr_assert_eq(told.result, DNS_ERR_UNKNOWN);
			cr_assert_eq(told.count, 0);
		}
	}
}

static size_t cut(const uint8_t *query, size_t len, uint8_t *reply, int at)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)len;
	for (int i = 0; i < 3; i++)
		n = add_record(reply, n, 1, 1, 1, 300, ip, 4);
	return at < (int)n ? (size_t)at : n;
}

/* D21: cut before the end of the question it is no reply; behind it the reply is broken. */
Test(dns_hostile, replies_cut_anywhere)
{
	int question = 12 + 14 + 4, whole = question + 3 * 16;

	for (int at = 12; at <= whole; at++) {
		struct told told = told_after((struct before){ cut, at });

		if (at < question)
			is_true(&told, "cut at", at);
		else
			cr_assert_eq(told.result, at == whole ? DNS_ERR_NONE : DNS_ERR_UNKNOWN,
				     "cut at %d", at);
	}
}

/* D21: more records announced than there are, by one and by as many as can be. */
Test(dns_hostile, counts_that_lie)
{
	static struct bytes b;

	for (unsigned more = 1; more <= 0xfffe; more += 0xfffd) {
		b.count = 0;
		b.len = 0;
		append(&b, OWNER, 1, 4, ip, 4);
		b.count += more;
		cr_assert_eq(told_by(&b, 1).result, DNS_ERR_UNKNOWN);
	}
}

/* D22: kinds of labels that there are not, loops of two, and chains of 200 pointers. */
Test(dns_hostile, names_that_lead_nowhere)
{
	static struct bytes b;
	size_t start = 12 + 6 + 4; /* of the bytes, in the message: "host" is asked for */
	char owner[2];

	for (int label = 64; label < 192; label++) {
		b.count = 0;
		b.len = 0;
		owner[0] = (char)label;
		append(&b, owner, 1, 1, 4, ip, 4);
		cr_assert_eq(told_by(&b, 1).result, DNS_ERR_UNKNOWN, "label %d", label);
	}
	for (int pointers = 2; pointers <= 200; pointers += 198) {
		uint8_t data[400];

		b.count = 0;
		b.len = 0;
		for (int i = 0; i < pointers; i++)
			put16(data + 2 * i,
			      0xc000u | (unsigned)(start + 12 + 2 * (size_t)((i + 1) % pointers)));
		put16((uint8_t *)owner, 0xc000u | (unsigned)(start + 12));
		append(&b, OWNER, 16, 2 * (unsigned)pointers, data, 2 * (size_t)pointers);
		append(&b, owner, 2, 1, 4, ip, 4);
		cr_assert_eq(told_by(&b, 1).result, DNS_ERR_UNKNOWN, "%d pointers", pointers);
	}
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/*
 * D23: 1,000 records whose owners walk 100 labels by as many pointers, and 3,000 empty ones, take
 * about as long as any reply of that size; the limit is what only a work that grows with the square
 * could reach.
 */
Test(dns_hostile, work_is_bounded)
{
	static struct bytes b;
	uint8_t data[400];
	size_t at = 12 + 6 + 4 + 12;
	char owner[2];
	double start;

	for (int i = 0; i < 100; i++) {
		data[4 * i] = 1;
		data[4 * i + 1] = 'x';
		put16(data + 4 * i + 2,
		      i < 99 ? 0xc000u | (unsigned)(at + 4 * (size_t)(i + 1)) : 0);
	}
	b.count = 0;
	b.len = 0;
	append(&b, OWNER, 16, 400, data, 400);
	put16((uint8_t *)owner, 0xc000u | (unsigned)at);
	for (int i = 0; i < 1000; i++)
		append(&b, owner, 2, 1, 4, ip, 4);
	start = cpu_ms();
	cr_assert_eq(told_by(&b, 1).result, DNS_ERR_NODATA);
	cr_assert_lt(cpu_ms() - start, 2000);
	b.count = 0;
	b.len = 0;
	for (int i = 0; i < 1500; i++)
		append(&b, "", 1, 16, 0, "", 0);
	start = cpu_ms();
	cr_assert_eq(told_by(&b, 1).result, DNS_ERR_NODATA);
	cr_assert_lt(cpu_ms() - start, 2000);
}

/* D24: what would end a line, an argument or a string where it is written is refused, never cut. */
Test(dns_hostile, names_have_no_unsafe_bytes)
{
	static const char unsafe[] = { '\0', '\t', '\n', '\r', ' ', '"', '.', '\x1b', '\x7f' };
	static struct bytes b;

	for (size_t i = 0; i < sizeof(unsafe); i++) {
		char name[] = "\3a?b\3org";

		name[2] = unsafe[i];
		for (int is_ptr = 0; is_ptr < 2; is_ptr++) {
			b.count = 0;
			b.len = 0;
			append(&b, OWNER, is_ptr ? 12 : 5, sizeof(name), name, sizeof(name));
			cr_assert_eq(told_by(&b, is_ptr ? 12 : 1).result, DNS_ERR_UNKNOWN,
				     "byte %d", unsafe[i]);
		}
	}
}

/* --- By TCP ----------------------------------------------------------------------------------- */

static struct {
	uint8_t bytes[512];
	size_t len, at;
	struct event *writable;
} dripping;

/* One byte for each pass of the loop. */
static void drip_one(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	cr_assert_eq(send(fd, dripping.bytes + dripping.at, 1, MSG_NOSIGNAL), 1);
	if (++dripping.at == dripping.len)
		event_free(dripping.writable);
}

static size_t drip(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = answer_address(fake, query, len, reply);

	put16(dripping.bytes, (unsigned)n);
	memcpy(dripping.bytes + 2, reply, n);
	dripping.len = n + 2;
	dripping.writable =
		event_new(fake->base, fake->conn->fd, EV_WRITE | EV_PERSIST, drip_one, NULL);
	cr_assert_eq(event_add(dripping.writable, NULL), 0);
	return 0;
}

/* A length of 3, which leaves the rest of the reply to be taken for lengths and messages. */
static size_t short_length(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = answer_address(fake, query, len, reply);

	cr_assert_eq(send(fake->conn->fd, "\0\3", 2, MSG_NOSIGNAL), 2);
	cr_assert_eq(send(fake->conn->fd, reply, n, MSG_NOSIGNAL), (ssize_t)n);
	return HANG_UP;
}

/*
 * D30: a message that comes byte by byte is whole in the end; a length that lies ends with the
 * connection.
 */
Test(dns_hostile, messages_in_pieces)
{
	struct asked a;

	set_up(&a, drip);
	ask_for(&a, "host", DNS_QUERY_USEVC);
	is_true(&a.told, "dripping", 0);
	cr_assert_eq(dripping.at, dripping.len);
	cr_assert_eq(a.fake.tcp_queries, 1);
	tear_down(&a);
	set_up(&a, short_length);
	set_option(a.dns, "timeout", "0.1");
	ask_for(&a, "host", DNS_QUERY_USEVC);
	cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
	cr_assert_eq(a.told.calls, 1);
	tear_down(&a);
}

/* --- Configuration ---------------------------------------------------------------------------- */

/* D40: as many nameservers as a file may name are not all opened. */
Test(dns_hostile, nameservers_are_capped)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, 0);
	size_t room = 3000 * 32, len = 0;
	char *text = malloc(room);
	struct text_file file;

	for (int i = 0; i < 3000; i++)
		len += (size_t)snprintf(text + len, room - len, "nameserver 127.1.%d.%d\n", i / 250,
					i % 250 + 1);
	file = file_with(text, len);
	support_capture_log();
	cr_assert_eq(evdns_base_resolv_conf_parse(dns, DNS_OPTION_NAMESERVERS, file.name), 0);
	cr_assert_gt(evdns_base_count_nameservers(dns), 0);
	cr_assert_leq(evdns_base_count_nameservers(dns), 1024);
	file_done(&file);
	free(text);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/*
 * D43: short, hexadecimal and octal forms of addresses are names, and too long names are never cut.
 */
Test(dns_hostile, only_whole_addresses_are_addresses)
{
	static const char *const names[] = {
		"0x7f.1", "127.1", "0177.0.0.1", "0x7f000001", "2130706433",
	};
	static const struct evutil_addrinfo hints = {
		.ai_family = AF_INET, .ai_socktype = SOCK_STREAM,
	};
	struct found found = { 0 };
	struct asked a;
	char name[300];

	set_up(&a, answer_address);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cr_assert_not_null(evdns_getaddrinfo(a.dns, names[i], "80", &hints, find, &found));
		await(a.base, &found.calls);
		cr_assert_str_eq(list_text(found.list), "10.0.0.1:80/1");
		forget(&found);
		cr_assert_str_eq(a.fake.seen[i].name, names[i]);
	}
	memset(name, 'x', sizeof(name));
	for (int i = 50; i < 300; i += 51)
		name[i] = '.';
	name[299] = '\0';
	cr_assert_null(evdns_getaddrinfo(a.dns, name, "80", &hints, find, &found));
	cr_assert_eq(found.calls, 1);
	cr_assert_neq(found.result, 0);
	cr_assert_null(found.list);
	cr_assert_eq(a.fake.seen_count, 5);
	tear_down(&a);
}
