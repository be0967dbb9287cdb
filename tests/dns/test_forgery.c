/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers by somebody who does not see the query: what must not be believed, and what is done about
 * it.
 */

#include "fake.h"

TestSuite(dns_forgery, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static const uint8_t good[4] = { 10, 0, 0, 1 }, forged[4] = { 6, 6, 6, 6 };

static size_t answer_with(const uint8_t *query, uint8_t *reply, const uint8_t address[4])
{
	return add_record(reply, begin_reply(query, reply, REPLY_OK), 1, 1, 1, 300, address, 4);
}

/* What the server does: so many forged answers to each query by UDP, then the true one or none. */
struct plan {
	int forgeries;
	int is_true_last; /* by UDP; if not, only by TCP or, after that has been tried, by UDP */
	size_t by_tcp;    /* 0: silence, HANG_UP, or 1: an answer */
};

static void forge(struct fake *fake, const uint8_t *query, uint8_t *reply, int count)
{
	size_t len = answer_with(query, reply, forged);

	for (int i = 1; i <= count; i++) {
		put16(reply, ((unsigned)query[0] << 8 | query[1]) ^ (unsigned)i);
		fake_send(fake, reply, len);
	}
}

static size_t follow_plan(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	const struct plan *plan = fake->arg;

	(void)len;
	if (fake->conn != NULL)
		return plan->by_tcp == 1 ? answer_with(query, reply, good) : plan->by_tcp;
	if (fake->tcp_queries > 0)
		return answer_with(query, reply, good);
	forge(fake, query, reply, plan->forgeries);
	return plan->is_true_last ? answer_with(query, reply, good) : 0;
}

static struct asked asked_by_plan(struct plan *plan, int flags)
{
	struct asked a;

	set_up(&a, follow_plan);
	a.fake.arg = plan;
	ask_for(&a, "host", flags);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	cr_assert_eq(a.told.count, 1);
	cr_assert_arr_eq(a.told.addresses, good, 4);
	tear_down(&a);
	return a;
}

/* D05: so many that the true one finds no room; the query is asked again by TCP, and once only. */
Test(dns_forgery, a_flood_of_guesses_moves_the_query_to_tcp)
{
	struct plan plan = { .forgeries = 3000, .is_true_last = 1, .by_tcp = 1 };
	struct asked a = asked_by_plan(&plan, 0);

	cr_assert_eq(a.fake.queries, 1);
	cr_assert_eq(a.fake.tcp_queries, 1);
}

/* D05: a few are bad luck, as late answers are: the true one behind them counts. */
Test(dns_forgery, a_few_guesses_change_nothing)
{
	struct plan plan = { .forgeries = 10, .is_true_last = 1, .by_tcp = 1 };
	struct asked a = asked_by_plan(&plan, 0);

	cr_assert_eq(a.fake.queries, 1);
	cr_assert_eq(a.fake.tcp_queries, 0);
}

/* D05: nor does a flood where the program does not want TCP. */
Test(dns_forgery, without_tcp_the_true_one_is_waited_for)
{
	struct plan plan = { .forgeries = 100, .is_true_last = 1, .by_tcp = 1 };
	struct asked a = asked_by_plan(&plan, DNS_QUERY_IGNTC);

	cr_assert_eq(a.fake.queries, 1);
	cr_assert_eq(a.fake.tcp_queries, 0);
}

/* D05: where TCP does not work, guesses must not end the lookup either. */
Test(dns_forgery, a_server_without_tcp_is_asked_by_udp_again)
{
	struct plan plan = { .forgeries = 100, .by_tcp = HANG_UP };
	struct asked a = asked_by_plan(&plan, 0);

	cr_assert_eq(a.fake.queries, 2);
	cr_assert_eq(a.fake.tcp_queries, 1);
}

/* D05: the same if it takes connections and never answers, which only time can tell. */
Test(dns_forgery, a_server_silent_by_tcp_is_asked_by_udp_again)
{
	struct plan plan = { .forgeries = 100, .by_tcp = 0 };
	struct asked a;

	set_up(&a, follow_plan);
	a.fake.arg = &plan;
	set_option(a.dns, "timeout", "0.2");
	set_option(a.dns, "attempts", "255");
	ask_for(&a, "host", 0);
	cr_assert_eq(a.told.result, DNS_ERR_NONE);
	cr_assert_arr_eq(a.told.addresses, good, 4);
	cr_assert_geq(a.fake.tcp_queries, 1);
	cr_assert_geq(a.fake.queries, 2);
	tear_down(&a);
}

#define TOGETHER 5

static size_t flood_at_last(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	(void)len;
	if (fake->conn != NULL)
		return answer_with(query, reply, good);
	if (fake->queries == TOGETHER)
		forge(fake, query, reply, 200);
	return 0;
}

/* D05: queries that share a socket, which is the only one here, go together. */
Test(dns_forgery, all_queries_of_the_socket_move)
{
	struct asked a;
	struct told told[TOGETHER];

	set_up(&a, flood_at_last);
	cr_assert_geq(evdns_base_get_nameserver_fd(a.dns, 0), 0);
	memset(told, 0, sizeof(told));
	for (int i = 0; i < TOGETHER; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, host(i), 0, tell, &told[i]));
	for (int i = 0; i < TOGETHER; i++) {
		await(a.base, &told[i].calls);
		cr_assert_eq(told[i].result, DNS_ERR_NONE);
		cr_assert_arr_eq(told[i].addresses, good, 4);
	}
	cr_assert_eq(a.fake.queries, TOGETHER);
	cr_assert_eq(a.fake.tcp_queries, TOGETHER);
	cr_assert_eq(a.fake.tcp_conns, 1);
	tear_down(&a);
}

/*
 * After some lookups with the letters as they were, an answer in other letters; what follows is
 * true.
 */
static size_t change_case_later(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	(void)len;
	if (fake->conn != NULL || fake->queries <= 4 || fake->tcp_queries > 0)
		return answer_with(query, reply, good);
	len = answer_with(query, reply, forged);
	reply[13] ^= 0x20;
	return len;
}

/* D02: from a server that repeats letters as they are, others are not believed: TCP tells. */
Test(dns_forgery, letters_in_other_case_move_the_query_to_tcp)
{
	struct asked a;

	set_up(&a, change_case_later);
	for (int i = 1; i <= 5; i++) {
		ask_for(&a, "host.example.com", 0);
		cr_assert_eq(a.told.result, DNS_ERR_NONE);
		cr_assert_arr_eq(a.told.addresses, good, 4);
		cr_assert_eq(a.fake.queries, i);
		cr_assert_eq(a.fake.tcp_queries, i == 5);
	}
	tear_down(&a);
}

/* D02: the letters as they are, and small ones where TCP has been tried in vain. */
static size_t change_case_without_tcp(struct fake *fake, const uint8_t *query, size_t len,
				      uint8_t *reply)
{
	if (fake->conn != NULL)
		return HANG_UP;
	if (fake->queries <= 4)
		return answer_with(query, reply, good);
	len = answer_with(query, reply, fake->tcp_queries > 0 ? good : forged);
	reply[13] ^= 0x20;
	return len;
}

/*
 * D02: a name that several servers answer in turn, one of them changing letters, must go on to
 * work.
 */
Test(dns_forgery, without_tcp_other_letters_must_do)
{
	struct asked a;

	set_up(&a, change_case_without_tcp);
	for (int i = 0; i < 5; i++) {
		ask_for(&a, "host.example.com", 0);
		cr_assert_eq(a.told.result, DNS_ERR_NONE);
		cr_assert_arr_eq(a.told.addresses, good, 4);
	}
	cr_assert_eq(a.fake.queries, 6);
	cr_assert_eq(a.fake.tcp_queries, 1);
	tear_down(&a);
}
