/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queries of one round of the loop leave together, and answers are taken several at a time; what
 * becomes of each does not depend on its neighbours.
 */

#include "fake.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>

TestSuite(dns_batches, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* The library's calls for several datagrams, as the test wants them. */
static struct {
	int calls, messages; /* that were made, and that left by them */
	unsigned at_most;    /* messages a call takes, 0: all */
	int failing_call;    /* that many-th call, from 1, fails with: */
	int fails_with;
	int always; /* and so do all that follow */
} sending, receiving;

static int fails(int call, int failing_call, int always)
{
	return failing_call != 0 && (call == failing_call || (always && call > failing_call));
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	int sent;

	sending.calls++;
	if (fails(sending.calls, sending.failing_call, sending.always)) {
		errno = sending.fails_with;
		return -1;
	}
	if (sending.at_most != 0 && count > sending.at_most)
		count = sending.at_most;
	sent = (int)syscall(SYS_sendmmsg, fd, messages, count, flags);
	sending.messages += sent > 0 ? sent : 0;
	return sent;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	int received;

	receiving.calls++;
	if (fails(receiving.calls, receiving.failing_call, receiving.always)) {
		errno = receiving.fails_with;
		return -1;
	}
	received = (int)syscall(SYS_recvmmsg, fd, messages, count, flags, timeout);
	receiving.messages += received > 0 ? received : 0;
	return received;
}

/* What leaves by a call of its own. */
static int sent_singly;

ssize_t send(int fd, const void *data, size_t length, int flags)
{
	sent_singly++;
	return syscall(SYS_sendto, fd, data, length, flags, NULL, 0);
}

#define QUERIES 6

struct batch {
	struct asked a;
	struct evdns_request *requests[QUERIES];
	struct told told[QUERIES];
	int has_run;
	void (*then)(struct batch *batch);
};

/* A resolver whose queries all leave by one socket. */
static void set_up_batch(struct batch *b, fake_fn *fn)
{
	memset(b, 0, sizeof(*b));
	set_up(&b->a, fn);
	cr_assert_geq(evdns_base_get_nameserver_fd(b->a.dns, 0), 0);
}

static void ask_all(struct batch *b)
{
	for (int i = 0; i < QUERIES; i++) {
		b->requests[i] = evdns_base_resolve_ipv4(b->a.dns, host(i), DNS_NO_SEARCH, tell,
							 &b->told[i]);
		cr_assert_not_null(b->requests[i]);
	}
}

static void on_round(evutil_socket_t fd, short what, void *arg)
{
	struct batch *b = arg;

	(void)fd;
	(void)what;
	ask_all(b);
	b->has_run = 1;
	if (b->then != NULL)
		b->then(b);
}

/* Asks in a callback of the loop, which does `then` as well; returns when that round is over. */
static void ask_in_a_round(struct batch *b, void (*then)(struct batch *batch))
{
	struct timeval now = { 0, 0 };

	b->then = then;
	b->has_run = 0;
	cr_assert_eq(event_base_once(b->a.base, -1, EV_TIMEOUT, on_round, b, &now), 0);
	while (!b->has_run)
		cr_assert_geq(event_base_loop(b->a.base, EVLOOP_ONCE), 0);
}

static void await_all(struct batch *b, int result)
{
	for (int i = 0; i < QUERIES; i++) {
		await(b->a.base, &b->told[i].calls);
		cr_assert_eq(b->told[i].calls, 1);
		cr_assert_eq(b->told[i].result, result, "query %d: %d", i, b->told[i].result);
	}
}

static void nothing_has_left(struct batch *b)
{
	(void)b;
	cr_assert_eq(sending.calls + sent_singly, 0);
}

/* DNS-110, DNS-138: by one call, when the round's callbacks have run. */
Test(dns_batches, what_a_round_asks_leaves_together)
{
	struct batch b;

	set_up_batch(&b, answer_address);
	ask_in_a_round(&b, nothing_has_left);
	await_all(&b, DNS_ERR_NONE);
	cr_assert_eq(sending.calls, 1);
	cr_assert_eq(sending.messages, QUERIES);
	cr_assert_eq(b.a.fake.queries, QUERIES);
	for (int i = 0; i < QUERIES; i++)
		cr_assert_str_eq(b.a.fake.seen[i].name, host(i));
	tear_down(&b.a);
}

/* DNS-110: the loop may not run for long, so what is asked outside of it leaves at once. */
Test(dns_batches, what_is_asked_outside_of_the_loop_leaves_at_once)
{
	struct asked a;
	struct told told[QUERIES];

	memset(told, 0, sizeof(told));
	set_up(&a, answer_address);
	for (int i = 0; i < QUERIES; i++) {
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, host(i), 0, tell, &told[i]));
		cr_assert_eq(sent_singly, i + 1);
	}
	cr_assert_eq(sending.calls, 0);
	tear_down(&a);
}

static void leave_the_loop(struct batch *b)
{
	cr_assert_eq(event_base_loopbreak(b->a.base), 0);
}

/* DNS-110: nor may it run again. */
Test(dns_batches, a_round_that_is_the_last_sends_as_well)
{
	struct batch b;

	set_up_batch(&b, answer_address);
	ask_in_a_round(&b, leave_the_loop);
	cr_assert_eq(sending.messages, QUERIES);
	tear_down(&b.a);
}

/* DNS-110: what the system did not take of a batch is given to it again. */
Test(dns_batches, a_batch_may_be_taken_in_parts)
{
	struct batch b;

	set_up_batch(&b, answer_address);
	sending.at_most = 2;
	ask_in_a_round(&b, NULL);
	cr_assert_eq(sending.calls, 3);
	await_all(&b, DNS_ERR_NONE);
	cr_assert_eq(b.a.fake.queries, QUERIES);
	tear_down(&b.a);
}

/* DNS-110: a socket that becomes full within a batch delays the rest. */
Test(dns_batches, a_socket_may_become_full_in_the_middle)
{
	struct batch b;

	set_up_batch(&b, answer_address);
	sending.at_most = 2;
	sending.failing_call = 2;
	sending.fails_with = EAGAIN;
	ask_in_a_round(&b, NULL);
	cr_assert_eq(sending.messages, 2);
	await_all(&b, DNS_ERR_NONE);
	cr_assert_eq(sending.calls, 2, "the rest leaves as there is room, one by one");
	cr_assert_eq(b.a.fake.queries, QUERIES);
	tear_down(&b.a);
}

/* DNS-145: the system says in the middle of a batch that an earlier query was refused. */
Test(dns_batches, a_refusal_in_the_middle_moves_all_to_another_server)
{
	struct batch b;
	struct fake other;

	set_up_batch(&b, NULL);
	sending.at_most = 2;
	sending.failing_call = 2;
	sending.fails_with = ECONNREFUSED;
	ask_in_a_round(&b, NULL);
	cr_assert_eq(sending.calls, 3);
	cr_assert_eq(sending.messages, QUERIES - 2, "one was refused, and the last left alone");
	fake_start(&other, b.a.base, answer_address);
	fake_use(&other, b.a.dns);
	await_all(&b, DNS_ERR_NONE);
	cr_assert_eq(other.queries, QUERIES);
	fake_stop(&other);
	tear_down(&b.a);
}

static void use_two_servers(struct batch *b, struct fake *other)
{
	set_up_batch(b, NULL);
	fake_start(other, b->a.base, answer_address);
	fake_use(other, b->a.dns);
	set_option(b->a.dns, "attempts", "2");
}

/*
 * DNS-110, DNS-148: any other failure makes the server down. What had left keeps its time, and so
 * does the one that failed; what had not left yet goes to another server at once.
 */
Test(dns_batches, a_failure_in_the_middle_moves_the_rest)
{
	struct batch b;
	struct fake other;

	use_two_servers(&b, &other);
	set_option(b.a.dns, "timeout", "0.5");
	sending.at_most = 1;
	sending.failing_call = 2;
	sending.fails_with = ENETUNREACH;
	ask_in_a_round(&b, NULL);
	cr_assert_eq(sending.messages, 1);
	for (int i = 0; i < QUERIES; i++) {
		if (i != 0 && i != 2)
			await(b.a.base, &b.told[i].calls);
	}
	await_all(&b, DNS_ERR_NONE);
	cr_assert_eq(b.a.fake.queries, 1);
	cr_assert_eq(other.queries, QUERIES);
	for (int i = 0; i < 4; i++)
		cr_assert(strcmp(other.seen[i].name, host(0)) != 0 &&
				  strcmp(other.seen[i].name, host(2)) != 0,
			  "%s", other.seen[i].name);
	evdns_base_free(b.a.dns, 0);
	b.a.dns = NULL;
	fake_stop(&other);
	tear_down(&b.a);
}

/* DNS-110: with no other server they are tried again at their timeouts. */
Test(dns_batches, a_failure_without_another_server_is_a_loss)
{
	struct batch b;

	set_up_batch(&b, answer_address);
	set_option(b.a.dns, "timeout", "0.05");
	sending.failing_call = 1;
	sending.fails_with = ENETUNREACH;
	ask_in_a_round(&b, NULL);
	cr_assert_eq(sending.messages, 0);
	await_all(&b, DNS_ERR_NONE);
	tear_down(&b.a);
}

/* A sandbox that knows only the calls for one datagram. */
Test(dns_batches, the_calls_for_several_may_be_forbidden)
{
	static const int errors[] = { EPERM, ENOSYS };

	for (int i = 0; i < 2; i++) {
		struct batch b;

		memset(&sending, 0, sizeof(sending));
		sending.failing_call = receiving.failing_call = 1;
		sending.always = receiving.always = 1;
		sending.fails_with = receiving.fails_with = errors[i];
		set_up_batch(&b, answer_address);
		ask_in_a_round(&b, NULL);
		await_all(&b, DNS_ERR_NONE);
		cr_assert_eq(b.a.fake.queries, QUERIES);
		tear_down(&b.a);
	}
	cr_assert_gt(sending.calls, 0);
	cr_assert_gt(receiving.calls, 0);
}

static void cancel_two(struct batch *b)
{
	evdns_cancel_request(b->a.dns, b->requests[0]);
	evdns_cancel_request(b->a.dns, b->requests[3]);
}

/* DNS-159: cancelled before the round is over, a query never leaves. */
Test(dns_batches, what_is_cancelled_in_its_round_is_not_sent)
{
	struct batch b;

	set_up_batch(&b, answer_address);
	ask_in_a_round(&b, cancel_two);
	for (int i = 0; i < QUERIES; i++) {
		await(b.a.base, &b.told[i].calls);
		cr_assert_eq(b.told[i].result, i == 0 || i == 3 ? DNS_ERR_CANCEL : DNS_ERR_NONE);
	}
	cr_assert_eq(b.a.fake.queries, QUERIES - 2);
	tear_down(&b.a);
}

static void suspend(struct batch *b)
{
	cr_assert_eq(evdns_base_clear_nameservers_and_suspend(b->a.dns), 0);
}

/* DNS-155, DNS-156: suspended before the round is over, they wait, and are sent once. */
Test(dns_batches, what_is_suspended_in_its_round_waits)
{
	struct batch b;

	set_up_batch(&b, answer_address);
	ask_in_a_round(&b, suspend);
	cr_assert_eq(sending.calls + sent_singly, 0);
	fake_use(&b.a.fake, b.a.dns);
	cr_assert_eq(evdns_base_resume(b.a.dns), 0);
	await_all(&b, DNS_ERR_NONE);
	cr_assert_eq(b.a.fake.queries, QUERIES);
	tear_down(&b.a);
}

static void free_resolver(struct batch *b)
{
	evdns_base_free(b->a.dns, 0);
	b->a.dns = NULL;
}

/* DNS-016, DNS-018: freed before the round is over, nothing is sent, and nothing left behind. */
Test(dns_batches, a_resolver_freed_in_the_round_sends_nothing)
{
	struct batch b;

	set_up_batch(&b, answer_address);
	ask_in_a_round(&b, free_resolver);
	cr_assert_eq(sending.calls + sent_singly, 0);
	tear_down(&b.a);
}

/* --- Answers ---------------------------------------------------------------------------------- */

/* Answers when all have been asked: `answer` sends what it likes for each. */
struct answers {
	uint8_t queries[QUERIES][512];
	size_t lens[QUERIES];
	struct sockaddr_in from;
	void (*answer)(struct fake *fake, int which, const uint8_t *query, size_t len);
};

static size_t answer_together(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	struct answers *answers = fake->arg;
	int which = fake->queries - 1;

	(void)reply;
	memcpy(answers->queries[which], query, len);
	answers->lens[which] = len;
	for (int i = 0; fake->queries == QUERIES && i < QUERIES; i++)
		answers->answer(fake, i, answers->queries[i], answers->lens[i]);
	return 0;
}

static void set_up_answers(struct batch *b, struct answers *answers,
			   void (*answer)(struct fake *, int, const uint8_t *, size_t))
{
	memset(answers, 0, sizeof(*answers));
	answers->answer = answer;
	set_up_batch(b, answer_together);
	b->a.fake.arg = answers;
}

static void answer_truly(struct fake *fake, int which, const uint8_t *query, size_t len)
{
	uint8_t reply[512];

	(void)which;
	fake_send(fake, reply, answer_address(fake, query, len, reply));
}

/* Answers that lie there together are taken by one call. */
Test(dns_batches, answers_are_taken_together)
{
	static struct answers answers;
	struct batch b;

	set_up_answers(&b, &answers, answer_truly);
	ask_in_a_round(&b, NULL);
	await_all(&b, DNS_ERR_NONE);
	cr_assert_eq(receiving.calls, 1);
	cr_assert_eq(receiving.messages, QUERIES);
	tear_down(&b.a);
}

static void send_from_elsewhere(const struct fake *fake, const uint8_t *reply, size_t len)
{
	struct sockaddr_in addr = { 0 };
	int fd = loopback_socket(SOCK_DGRAM, &addr);

	cr_assert_eq(
		sendto(fd, reply, len, 0, (const struct sockaddr *)&fake->from, sizeof(fake->from)),
		(ssize_t)len);
	close(fd);
}

/* Before each true answer: a stump, another id, an answer from elsewhere, or another question. */
static void answer_among_others(struct fake *fake, int which, const uint8_t *query, size_t len)
{
	uint8_t reply[512];
	size_t n = answer_address(fake, query, len, reply);

	reply[n - 1] = 66;
	if (which % 4 == 0) {
		fake_send(fake, reply, 7);
	} else if (which % 4 == 1) {
		reply[0] ^= 0x55;
		fake_send(fake, reply, n);
	} else if (which % 4 == 2) {
		send_from_elsewhere(fake, reply, n);
	} else {
		reply[13] ^= 1;
		fake_send(fake, reply, n);
	}
	answer_truly(fake, which, query, len);
}

static void ignore_log(int is_warning, const char *text)
{
	(void)is_warning;
	(void)text;
}

/* DNS-112, DNS-113, DNS-116: each datagram of a batch is judged for itself. */
Test(dns_batches, what_is_no_answer_does_no_harm_to_those_beside_it)
{
	static struct answers answers;
	struct batch b;

	evdns_set_log_fn(ignore_log);
	set_up_answers(&b, &answers, answer_among_others);
	ask_in_a_round(&b, NULL);
	await_all(&b, DNS_ERR_NONE);
	cr_assert_gt(receiving.messages, QUERIES, "they came together");
	for (int i = 0; i < QUERIES; i++)
		cr_assert_eq(b.told[i].addresses[3], 1);
	tear_down(&b.a);
	evdns_set_log_fn(NULL);
}

#define LARGE 1000

static void answer_at_length(struct fake *fake, int which, const uint8_t *query, size_t len)
{
	static uint8_t reply[PACKET_MAX];
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)len;
	for (int i = 0; i < LARGE; i++) {
		uint8_t address[4] = { 10, (uint8_t)which, (uint8_t)(i >> 8), (uint8_t)i };

		n = add_record(reply, n, 1, 1, 1, 300, address, 4);
	}
	fake_send(fake, reply, n);
}

/* DNS-121, DNS-129: large ones are whole, and do not run into each other. */
Test(dns_batches, each_answer_of_several_may_be_large)
{
	static struct answers answers;
	struct batch b;

	set_up_answers(&b, &answers, answer_at_length);
	ask_in_a_round(&b, NULL);
	await_all(&b, DNS_ERR_NONE);
	cr_assert_eq(receiving.messages, QUERIES);
	for (int i = 0; i < QUERIES; i++) {
		cr_assert_eq(b.told[i].count, LARGE);
		for (int k = 0; k < 512; k++) {
			cr_assert_eq(b.told[i].addresses[4 * k + 1], b.told[i].addresses[1],
				     "of one reply");
			cr_assert_eq(b.told[i].addresses[4 * k + 3], (uint8_t)k);
		}
	}
	tear_down(&b.a);
}

static struct batch *freeing;

static void free_and_tell(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	if (freeing->a.dns != NULL) {
		evdns_base_free(freeing->a.dns, 1);
		freeing->a.dns = NULL;
	}
	tell(result, type, count, ttl, addresses, arg);
}

static void on_freeing_round(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	for (int i = 0; i < QUERIES; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(freeing->a.dns, host(i), DNS_NO_SEARCH,
							   free_and_tell, &freeing->told[i]));
}

/* DNS-017, DNS-018: the first of them frees the resolver: the others have their answers. */
Test(dns_batches, the_resolver_may_be_freed_with_the_first_answer)
{
	static struct answers answers;
	struct timeval now = { 0, 0 };
	struct batch b;

	set_up_answers(&b, &answers, answer_truly);
	freeing = &b;
	cr_assert_eq(event_base_once(b.a.base, -1, EV_TIMEOUT, on_freeing_round, NULL, &now), 0);
	await_all(&b, DNS_ERR_NONE);
	cr_assert_eq(receiving.calls, 1);
	cr_assert_null(b.a.dns);
	tear_down(&b.a);
}

/* DNS-154: more than one batch, in order; those that waited for a place in flight as well. */
Test(dns_batches, many_in_a_round_take_several_calls)
{
	static struct told told[100];
	struct asked a;

	set_up(&a, answer_address);
	cr_assert_geq(evdns_base_get_nameserver_fd(a.dns, 0), 0);
	set_option(a.dns, "max-inflight", "40");
	for (int i = 0; i < 100; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, host(i), 0, tell, &told[i]));
	for (int i = 0; i < 100; i++)
		await(a.base, &told[i].calls);
	cr_assert_eq(a.fake.queries, 100);
	for (int i = 0; i < 100; i++) {
		cr_assert_eq(told[i].result, DNS_ERR_NONE);
		cr_assert_str_eq(a.fake.seen[i].name, host(i));
	}
	cr_assert_lt(sending.calls, 60);
	tear_down(&a);
}
