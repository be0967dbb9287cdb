/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking by TCP: after truncation, or from the start; connections that fail. */

#include "fake.h"

TestSuite(dns_tcp, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* Cut by UDP, whole by TCP. */
static size_t cut_by_udp(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = answer_address(fake, query, len, reply);

	if (fake->conn == NULL) {
		put16(reply + 2, 0x8380u | (unsigned)(uintptr_t)fake->arg);
		return n;
	}
	for (int i = 0; i < 59; i++)
		n = add_record(reply, n, 1, 1, 1, 300, "\x0a\0\0\2", 4);
	return n;
}

/* DNS-171, DNS-172, DNS-282, D30 */
Test(dns_tcp, a_cut_reply_is_asked_for_again)
{
	static const unsigned rcodes[] = { 0, 3, 5, 2 };

	for (size_t i = 0; i < sizeof(rcodes) / sizeof(rcodes[0]); i++) {
		struct asked a;

		set_up(&a, cut_by_udp);
		a.fake.arg = (void *)(uintptr_t)rcodes[i];
		ask_for(&a, "host", 0);
		cr_assert_eq(a.told.result, DNS_ERR_NONE);
		cr_assert_eq(a.told.count, 60);
		cr_assert_eq(a.fake.queries, 1);
		cr_assert_eq(a.fake.tcp_queries, 1);
		tear_down(&a);
	}
}

/* DNS-171, DNS-172, DNS-046 */
Test(dns_tcp, unless_told_to_ignore_it)
{
	struct asked a;

	set_up(&a, cut_by_udp);
	ask_for(&a, "host", DNS_QUERY_IGNTC);
	cr_assert_eq(a.told.result, DNS_ERR_TRUNCATED);
	cr_assert_eq(a.told.count, 0);
	cr_assert_eq(a.fake.tcp_conns, 0);
	cr_assert_eq(evdns_base_set_option(a.dns, "ignore-tc", NULL), 0);
	ask_for(&a, "host", 0);
	cr_assert_eq(a.told.result, DNS_ERR_TRUNCATED);
	a.fake.fn = answer_by_name;
	ask_for(&a, "cut", DNS_QUERY_USEVC);
	cr_assert_eq(a.told.result, DNS_ERR_TRUNCATED, "cut by TCP too");
	tear_down(&a);
}

/* DNS-173, DNS-046 */
Test(dns_tcp, from_the_start_without_a_datagram)
{
	struct asked a;

	set_up(&a, answer_by_name);
	ask_for(&a, "host", DNS_QUERY_USEVC);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	cr_assert_eq(a.fake.queries, 0);
	cr_assert_eq(evdns_base_set_option(a.dns, "use-vc", NULL), 0);
	ask_for(&a, "host", 0);
	cr_assert_eq(a.fake.queries, 0);
	cr_assert_eq(a.fake.tcp_queries, 2);
	tear_down(&a);
}

static uint8_t held[3][512];
static size_t held_len[3];

/* Three come, then all are answered, the last first. */
static size_t backwards(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	int n = (fake->tcp_queries - 1) % 3;

	(void)reply;
	held_len[n] = answer_address(fake, query, len, held[n]);
	for (int i = 2; n == 2 && i >= 0; i--)
		fake_send(fake, held[i], held_len[i]);
	return 0;
}

/* DNS-174, DNS-180 */
Test(dns_tcp, one_connection_serves_several_in_any_order)
{
	struct asked a;
	struct told t[3];

	memset(t, 0, sizeof(t));
	set_up(&a, backwards);
	for (int i = 0; i < 3; i++)
		cr_assert_not_null(
			evdns_base_resolve_ipv4(a.dns, host(i), DNS_QUERY_USEVC, tell, &t[i]));
	for (int i = 0; i < 3; i++) {
		await(a.base, &t[i].calls);
		cr_assert_eq(t[i].result, DNS_ERR_NONE);
	}
	cr_assert_eq(a.fake.tcp_conns, 1);
	tear_down(&a);
}

/* The second connection answers, and has all the time for it; by how many queries it brought. */
static int on_second;

static size_t second_connection(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	struct asked *a = fake->arg;

	set_option(a->dns, "timeout", NEVER);
	if (fake->tcp_conns < 2)
		return 0;
	on_second++;
	return answer_address(fake, query, len, reply);
}

/* DNS-176 */
Test(dns_tcp, a_silent_connection_is_replaced_for_all)
{
	struct asked a;
	struct told t[3];

	memset(t, 0, sizeof(t));
	set_up(&a, second_connection);
	a.fake.arg = &a;
	set_option(a.dns, "timeout", "0.1");
	for (int i = 0; i < 3; i++)
		cr_assert_not_null(
			evdns_base_resolve_ipv4(a.dns, host(i), DNS_QUERY_USEVC, tell, &t[i]));
	for (int i = 0; i < 3; i++) {
		await(a.base, &t[i].calls);
		cr_assert_eq(t[i].result, DNS_ERR_NONE);
	}
	cr_assert_eq(a.fake.tcp_conns, 2);
	cr_assert_eq(on_second, 3);
	tear_down(&a);
}

/* DNS-176, D30 */
Test(dns_tcp, silence_is_a_timeout_after_all_attempts)
{
	struct asked a;

	set_up(&a, NULL);
	set_option(a.dns, "timeout", "0.1");
	set_option(a.dns, "initial-probe-timeout", NEVER);
	ask_for(&a, "host", DNS_QUERY_USEVC);
	cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
	while (a.fake.tcp_conns < 3)
		event_base_loop(a.base, EVLOOP_ONCE);
	run_for(a.base, 50);
	cr_assert_eq(a.fake.tcp_conns, 3);
	tear_down(&a);
}

static size_t hang_up(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	(void)fake;
	(void)query;
	(void)len;
	(void)reply;
	return HANG_UP;
}

static size_t zero_length(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	(void)query;
	(void)len;
	(void)reply;
	cr_assert_eq(send(fake->conn->fd, "\0", 2, MSG_NOSIGNAL), 2);
	return 0;
}

static size_t half_message(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	(void)query;
	(void)len;
	(void)reply;
	cr_assert_eq(send(fake->conn->fd, "\xff\xff" "abc", 5, MSG_NOSIGNAL), 5);
	return HANG_UP;
}

/* Another server is asked at once, the timeout never comes. NULL: nobody listens. */
static void check_moving_on(fake_fn *fault, const char *what)
{
	struct asked a;
	struct fake second;

	set_up(&a, fault);
	if (fault == NULL) {
		cr_assert_eq(event_del(a.fake.acceptable), 0);
		cr_assert_eq(shutdown(a.fake.listener, SHUT_RDWR), 0);
	}
	fake_start(&second, a.base, answer_by_name);
	fake_listen(&second);
	fake_use(&second, a.dns);
	ask_for(&a, "host", DNS_QUERY_USEVC);
	cr_assert_eq(a.told.result, DNS_ERR_NONE, "%s", what);
	cr_assert_eq(second.tcp_queries, 1);
	fake_stop(&second);
	tear_down(&a);
}

/* DNS-177, DNS-295, D30 */
Test(dns_tcp, a_broken_connection_moves_on_at_once)
{
	check_moving_on(hang_up, "hang up");
	check_moving_on(zero_length, "length of zero");
	check_moving_on(half_message, "half a message");
}

/* DNS-177, DNS-295, D30 */
Test(dns_tcp, a_refused_connection_moves_on_at_once)
{
	check_moving_on(NULL, "nobody listens");
}

/* DNS-177, DNS-176, D30 */
Test(dns_tcp, broken_connections_everywhere_are_a_timeout)
{
	struct asked a;

	set_up(&a, hang_up);
	set_option(a.dns, "timeout", "0.1");
	ask_for(&a, "host", DNS_QUERY_USEVC);
	cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
	while (a.fake.tcp_conns < 3)
		event_base_loop(a.base, EVLOOP_ONCE);
	tear_down(&a);
}

/* Each connection serves two queries; what comes behind them finds it closed. */
static int served;

static size_t two_each(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	static int conns;

	if (fake->tcp_conns != conns) {
		conns = fake->tcp_conns;
		served = 0;
	}
	return ++served > 2 ? HANG_UP : answer_address(fake, query, len, reply);
}

/*
 * DNS-177: a server that closes after some answers is asked for the others at once (RFC 7766,
 * 6.2.4).
 */
Test(dns_tcp, a_connection_that_served_is_followed_by_another)
{
	struct asked a;
	struct told t[20];

	memset(t, 0, sizeof(t));
	set_up(&a, two_each);
	for (int i = 0; i < 20; i++)
		cr_assert_not_null(
			evdns_base_resolve_ipv4(a.dns, host(i), DNS_QUERY_USEVC, tell, &t[i]));
	for (int i = 0; i < 20; i++) {
		await(a.base, &t[i].calls);
		cr_assert_eq(t[i].result, DNS_ERR_NONE);
	}
	cr_assert_eq(a.fake.tcp_conns, 10);
	tear_down(&a);
}

/* The first connection is closed at once, the second one serves and has all the time for it. */
static size_t second_try(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	struct asked *a = fake->arg;

	if (fake->tcp_conns == 1)
		return HANG_UP;
	set_option(a->dns, "timeout", NEVER);
	return answer_address(fake, query, len, reply);
}

/*
 * DNS-176, DNS-177: those who lost their connection share the next one, and none of them ends it.
 */
Test(dns_tcp, lost_queries_share_the_next_connection)
{
	struct asked a;
	struct told t[10];

	memset(t, 0, sizeof(t));
	set_up(&a, second_try);
	a.fake.arg = &a;
	set_option(a.dns, "timeout", "0.5");
	for (int i = 0; i < 10; i++)
		cr_assert_not_null(
			evdns_base_resolve_ipv4(a.dns, host(i), DNS_QUERY_USEVC, tell, &t[i]));
	for (int i = 0; i < 10; i++) {
		await(a.base, &t[i].calls);
		cr_assert_eq(t[i].result, DNS_ERR_NONE);
	}
	cr_assert_eq(a.fake.tcp_conns, 2);
	tear_down(&a);
}

/* A wrong reply, and goodbye. */
static size_t nonsense_then_end(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = answer_address(fake, query, len, reply);

	reply[0] ^= 1;
	fake_send(fake, reply, n);
	return HANG_UP;
}

/* DNS-177: but not one that says nothing of use, which would be asked for ever. */
Test(dns_tcp, a_connection_without_an_answer_is_not_reopened_at_once)
{
	struct asked a;

	set_up(&a, nonsense_then_end);
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", DNS_QUERY_USEVC, tell, &a.told));
	fake_await(&a.fake, 1);
	run_for(a.base, 100);
	cr_assert_eq(a.fake.tcp_conns, 1);
	cr_assert_eq(a.told.calls, 0);
	tear_down(&a);
}

static size_t slow_answer(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	return fake->tcp_queries == 2 ? 0 : answer_address(fake, query, len, reply);
}

/* DNS-178 */
Test(dns_tcp, an_idle_connection_is_closed_a_busy_one_not)
{
	struct asked a;
	struct told t = { 0 };
	double start;

	set_up(&a, slow_answer);
	set_option(a.dns, "tcp-idle-timeout", "0.2");
	ask_for(&a, "host", DNS_QUERY_USEVC);
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "slow", DNS_QUERY_USEVC, tell, &t));
	run_for(a.base, 500);
	cr_assert_not_null(a.fake.conns, "an answer is outstanding");
	ask_for(&a, "host", DNS_QUERY_USEVC);
	cr_assert_eq(a.fake.tcp_conns, 1);
	evdns_base_clear_nameservers_and_suspend(a.dns);
	fake_use(&a.fake, a.dns);
	start = support_now_ms();
	evdns_base_resume(a.dns);
	await(a.base, &t.calls);
	while (a.fake.conns != NULL)
		event_base_loop(a.base, EVLOOP_ONCE);
	cr_assert_geq(support_now_ms() - start, 200);
	ask_for(&a, "host", DNS_QUERY_USEVC);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	tear_down(&a);
}

/* DNS-179, DNS-144 */
Test(dns_tcp, results_are_those_of_udp)
{
	static const struct {
		const char *name;
		int result;
	} cases[] = { { "notimp", DNS_ERR_NOTIMPL },	{ "refused", DNS_ERR_REFUSED },
		      { "nx", DNS_ERR_NOTEXIST },	{ "none", DNS_ERR_NODATA },
		      { "fail", DNS_ERR_SERVERFAILED }, { "odd", DNS_ERR_UNKNOWN } };
	struct asked a;

	set_up(&a, answer_by_name);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ask_for(&a, cases[i].name, DNS_QUERY_USEVC);
		cr_assert_eq(a.told.result, cases[i].result);
	}
	cr_assert_eq(a.fake.tcp_conns, 1);
	tear_down(&a);
}

static size_t wrong_id_first(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = answer_address(fake, query, len, reply);

	reply[0] ^= 1;
	reply[n - 1] = 66;
	fake_send(fake, reply, n);
	reply[0] ^= 1;
	reply[14] ^= 2;
	fake_send(fake, reply, n);
	return answer_address(fake, query, len, reply);
}

/* DNS-180, D30 */
Test(dns_tcp, what_does_not_answer_the_question_is_ignored)
{
	struct asked a;

	set_up(&a, wrong_id_first);
	ask_for(&a, "host", DNS_QUERY_USEVC);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	cr_assert_eq(a.told.addresses[3], 1);
	tear_down(&a);
}

static size_t as_large_as_can_be(struct fake *fake, const uint8_t *query, size_t len,
				 uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	while (n + 16 <= PACKET_MAX - 16)
		n = add_record(reply, n, 1, 1, 1, 300, "\x0a\0\0\2", 4);
	return n;
}

/* DNS-129, DNS-180, DNS-293 */
Test(dns_tcp, messages_of_64_kilobytes_are_taken)
{
	struct asked a;

	set_up(&a, as_large_as_can_be);
	ask_for(&a, "host", DNS_QUERY_USEVC);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	cr_assert_gt(a.told.count, 4000);
	tear_down(&a);
}

/* As many addresses as the test says, cut where the query allows no more. */
static size_t as_many_as_asked(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	size_t n = begin_reply(query, reply, REPLY_OK), limit = 512;

	if (query[11] == 1)
		limit = (size_t)query[len - 8] << 8 | query[len - 7];
	for (uintptr_t i = 0; i < (uintptr_t)fake->arg; i++)
		n = add_record(reply, n, 1, 1, 1, 300, "\x0a\0\0\2", 4);
	if (fake->conn != NULL || n <= limit)
		return n;
	return begin_reply(query, reply, 0x8380);
}

/* DNS-181, DNS-111, DNS-121, DNS-129 */
Test(dns_tcp, large_replies_need_no_tcp_where_edns_allows_them)
{
	static const struct {
		const char *size;
		uintptr_t addresses;
		int by_tcp;
	} cases[] = {
		{ "512", 128, 1 }, { "4096", 128, 0 }, { "4096", 1024, 1 }, { "65535", 1024, 0 }
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asked a;

		set_up(&a, as_many_as_asked);
		a.fake.arg = (void *)cases[i].addresses;
		evdns_base_set_option(a.dns, "edns-udp-size", cases[i].size);
		ask_for(&a, "host", 0);
		cr_assert_eq(a.told.result, DNS_ERR_NONE);
		cr_assert_eq(a.told.count, (int)cases[i].addresses);
		cr_assert_eq(a.fake.tcp_queries, cases[i].by_tcp);
		tear_down(&a);
	}
}

/* DNS-175: the address part of bind-to, and no port. */
Test(dns_tcp, bind_to_sets_the_local_address)
{
	struct asked a;
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	set_up(&a, answer_by_name);
	cr_assert_eq(evdns_base_set_option(a.dns, "bind-to", "127.0.0.5:99"), 0);
	ask_for(&a, "host", DNS_QUERY_USEVC);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	cr_assert_eq(getpeername(a.fake.conns->fd, (struct sockaddr *)&peer, &len), 0);
	cr_assert_eq(peer.sin_addr.s_addr, htonl(0x7f000005));
	cr_assert_neq(ntohs(peer.sin_port), 99);
	tear_down(&a);
}
