/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sockets that queries leave by: their ports, when they are full, and when nobody listens
 * there.
 */

#include "fake.h"

#include <errno.h>
#include <sys/syscall.h>

TestSuite(dns_sockets, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* The library's send() as the test wants it; other sockets, and the servers, use sendto(). */
static struct {
	int fails_with; /* an errno, 0: it works */
	int once;
	int tries, sent;
} sending;

ssize_t send(int fd, const void *data, size_t length, int flags)
{
	int err = sending.fails_with;

	sending.tries++;
	if (err == 0) {
		sending.sent++;
		return syscall(SYS_sendto, fd, data, length, flags, NULL, 0);
	}
	if (sending.once)
		sending.fails_with = 0;
	errno = err;
	return -1;
}

/* How often the library opened a socket, its own ones and the servers' alike. */
static int opened;

int socket(int domain, int type, int protocol)
{
	opened++;
	return (int)syscall(SYS_socket, domain, type, protocol);
}

static void some_passes(struct event_base *base, int n)
{
	while (n-- > 0)
		cr_assert_geq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
}

#define QUERIES 5

static void start_queries(struct asked *a, struct evdns_request *requests[QUERIES],
			  struct told told[QUERIES])
{
	memset(told, 0, QUERIES * sizeof(*told));
	for (int i = 0; i < QUERIES; i++) {
		requests[i] =
			evdns_base_resolve_ipv4(a->dns, host(i), DNS_NO_SEARCH, tell, &told[i]);
		cr_assert_not_null(requests[i]);
	}
}

/* DNS-110: a full socket delays a query until there is room, and no longer. */
Test(dns_sockets, a_full_socket_delays_what_is_sent)
{
	struct asked a;
	struct evdns_request *requests[QUERIES];
	struct told told[QUERIES];

	set_up(&a, answer_address);
	sending.fails_with = EAGAIN;
	start_queries(&a, requests, told);
	some_passes(a.base, 3);
	cr_assert_eq(a.fake.queries, 0);
	cr_assert_leq(sending.tries, QUERIES * 4,
		      "one more for each time that there seems to be room");
	evdns_cancel_request(a.dns, requests[1]);
	await(a.base, &told[1].calls);
	cr_assert_eq(told[1].result, DNS_ERR_CANCEL);
	sending.fails_with = 0;
	for (int i = 0; i < QUERIES; i++) {
		await(a.base, &told[i].calls);
		cr_assert_eq(told[i].result, i == 1 ? DNS_ERR_CANCEL : DNS_ERR_NONE);
	}
	cr_assert_eq(sending.sent, QUERIES - 1);
	cr_assert_eq(a.fake.queries, QUERIES - 1);
	tear_down(&a);
}

/* DNS-110, DNS-147: the query's time passes as ever, and nothing is sent for it afterwards. */
Test(dns_sockets, a_socket_that_stays_full_is_a_timeout)
{
	struct asked a;

	set_up(&a, answer_address);
	set_option(a.dns, "timeout", "0.02");
	set_option(a.dns, "attempts", "3");
	sending.fails_with = EAGAIN;
	ask_for(&a, "host", 0);
	cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
	sending.fails_with = 0;
	some_passes(a.base, 3);
	cr_assert_eq(sending.sent, 0);
	tear_down(&a);
}

/* DNS-110, DNS-156: suspended meanwhile, it is sent once, later; freed meanwhile, never. */
Test(dns_sockets, what_waits_for_room_can_be_suspended_and_freed)
{
	struct asked a;
	struct evdns_request *requests[QUERIES];
	struct told told[QUERIES];

	set_up(&a, answer_address);
	sending.fails_with = EAGAIN;
	start_queries(&a, requests, told);
	cr_assert_eq(evdns_base_clear_nameservers_and_suspend(a.dns), 0);
	sending.fails_with = 0;
	some_passes(a.base, 3);
	cr_assert_eq(sending.sent, 0);
	fake_use(&a.fake, a.dns);
	cr_assert_eq(evdns_base_resume(a.dns), 0);
	for (int i = 0; i < QUERIES; i++)
		await(a.base, &told[i].calls);
	cr_assert_eq(sending.sent, QUERIES);
	sending.fails_with = EAGAIN;
	start_queries(&a, requests, told);
	tear_down(&a);
	cr_assert_eq(sending.sent, QUERIES);
}

/* DNS-145, DNS-295: where nobody listens, another server is asked at once: no time passes here. */
Test(dns_sockets, a_closed_port_is_noticed)
{
	struct asked a;
	struct sockaddr_in addr;
	struct evdns_base *dns;
	int closed = closed_port(&addr);

	set_up(&a, answer_address);
	dns = patient_dns(a.base);
	cr_assert_eq(
		evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&addr, sizeof(addr), 0),
		0);
	fake_use(&a.fake, dns);
	for (int i = 0; i < 4; i++) {
		struct told told = { 0 };

		cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host", 0, tell, &told));
		await(a.base, &told.calls);
		cr_assert_eq(told.result, DNS_ERR_NONE);
	}
	cr_assert_eq(a.fake.queries, 4);
	cr_assert_eq(sending.sent, 5, "the closed one is not asked again");
	evdns_base_free(dns, 0);
	close(closed);
	tear_down(&a);
}

/*
 * DNS-145: the system may say so of an earlier query when the next one is sent: both go elsewhere.
 */
Test(dns_sockets, a_refusal_may_be_told_late)
{
	struct asked a;
	struct fake silent;
	struct evdns_base *dns;
	struct told told = { 0 };

	set_up(&a, answer_address);
	fake_start(&silent, a.base, NULL);
	dns = patient_dns(a.base);
	fake_use(&silent, dns);
	fake_use(&a.fake, dns);
	sending.fails_with = ECONNREFUSED;
	sending.once = 1;
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host", 0, tell, &told));
	await(a.base, &told.calls);
	cr_assert_eq(told.result, DNS_ERR_NONE);
	cr_assert_eq(silent.queries, 0);
	cr_assert_eq(a.fake.queries, 1);
	evdns_base_free(dns, 0);
	fake_stop(&silent);
	tear_down(&a);
}

static uint8_t port_seen[65536];
static int ports_seen;

static size_t note_port(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	uint16_t port = ntohs(fake->from.sin_port);

	ports_seen += !port_seen[port];
	port_seen[port] = 1;
	return answer_address(fake, query, len, reply);
}

/*
 * DNS-109, DNS-291, D06: a random port for each query; a few of a thousand are the same by chance.
 */
Test(dns_sockets, each_query_has_its_own_port)
{
	struct asked a;

	set_up(&a, note_port);
	for (int i = 0; i < 1000; i++)
		ask_for(&a, "host", 0);
	cr_assert_gt(ports_seen, 900);
	tear_down(&a);
}

/* Socket and watch cost more than a query: one that is done with gets another port instead. */
Test(dns_sockets, a_socket_is_used_again_with_another_port)
{
	struct asked a;
	int fds;

	set_up(&a, note_port);
	fds = support_open_fds();
	opened = 0;
	for (int i = 0; i < 100; i++)
		ask_for(&a, "host", 0);
	cr_assert_gt(ports_seen, 90);
	cr_assert_eq(opened, 1);
	cr_assert_eq(support_open_fds(), fds + 1);
	tear_down(&a);
}

/* The same for both queries of a lookup of both families, which are in flight together. */
Test(dns_sockets, two_at_a_time_take_two_sockets)
{
	static const struct evutil_addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
	};
	struct asked a;

	set_up(&a, note_port);
	opened = 0;
	for (int i = 0; i < 50; i++) {
		struct found found = { 0 };
		char name[16];

		snprintf(name, sizeof(name), "host%d", i);
		cr_assert_not_null(evdns_getaddrinfo(a.dns, name, NULL, &hints, find, &found));
		await(a.base, &found.calls);
		cr_assert_eq(found.result, 0);
		forget(&found);
	}
	cr_assert_eq(a.fake.queries, 100);
	cr_assert_gt(ports_seen, 90);
	cr_assert_eq(opened, 2);
	tear_down(&a);
}

struct again {
	struct asked a;
	int left, open, done;
};

static void ask_again(struct again *g);

static void on_again(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct again *g = arg;

	(void)type;
	(void)count;
	(void)ttl;
	(void)addresses;
	cr_assert_eq(result, DNS_ERR_NONE);
	g->open--;
	if (g->left > 0)
		ask_again(g);
	g->done = g->open == 0;
}

static void ask_again(struct again *g)
{
	g->left--;
	g->open++;
	cr_assert_not_null(evdns_base_resolve_ipv4(g->a.dns, host(g->left), 0, on_again, g));
}

/* The same for many at a time; when nothing is asked any more all but two are closed. */
Test(dns_sockets, many_at_a_time_use_their_sockets_again)
{
	struct again g = { .left = 400 };
	int fds;

	set_up(&g.a, note_port);
	fds = support_open_fds();
	opened = 0;
	for (int i = 0; i < 20; i++)
		ask_again(&g);
	await(g.a.base, &g.done);
	cr_assert_eq(g.a.fake.queries, 400);
	cr_assert_gt(ports_seen, 360);
	cr_assert_leq(opened, 40);
	cr_assert_leq(support_open_fds(), fds + 2);
	tear_down(&g.a);
}

/*
 * Answers with each address of 10.0.0.1 to .`n` in a datagram of its own; the first is the true
 * one.
 */
static size_t answer_often(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply)
{
	uint8_t address[4] = { 10, 0, 0, 1 };

	note_port(fake, query, len, reply);
	for (int i = 1; i <= *(int *)fake->arg; i++) {
		size_t n = begin_reply(query, reply, REPLY_OK);

		address[3] = (uint8_t)i;
		fake_send(fake, reply, add_record(reply, n, 1, 1, 1, 300, address, 4));
	}
	return 0;
}

/*
 * DNS-120: what still comes to the old port is nothing to the next query, be it little, which is
 * thrown away, or much, which costs the socket.
 */
Test(dns_sockets, nothing_is_left_of_the_old_port)
{
	for (int n = 2; n <= 40; n += 38) {
		struct asked a;
		int fds;

		set_up(&a, answer_often);
		a.fake.arg = &n;
		fds = support_open_fds();
		for (int i = 0; i < 20; i++) {
			ask_for(&a, "host", 0);
			cr_assert_eq(a.told.result, DNS_ERR_NONE);
			cr_assert_eq(a.told.addresses[3], 1);
		}
		cr_assert_eq(a.fake.queries, 20);
		cr_assert_leq(support_open_fds(), fds + 2);
		tear_down(&a);
	}
}

/* DNS-030: once the program has the server's descriptor, those sockets are closed. */
Test(dns_sockets, a_server_with_a_fixed_socket_has_no_other)
{
	struct asked a;
	int fds;

	set_up(&a, note_port);
	fds = support_open_fds();
	for (int i = 0; i < 3; i++)
		ask_for(&a, "host", 0);
	cr_assert_geq(evdns_base_get_nameserver_fd(a.dns, 0), 0);
	cr_assert_eq(support_open_fds(), fds);
	opened = ports_seen = 0;
	memset(port_seen, 0, sizeof(port_seen));
	for (int i = 0; i < 3; i++)
		ask_for(&a, "host", 0);
	cr_assert_eq(ports_seen, 1);
	cr_assert_eq(opened, 0);
	tear_down(&a);
}

/* DNS-291: of many at a time some share a port, or there would be no descriptors left. */
Test(dns_sockets, many_at_a_time_share_ports)
{
	static struct told told[1000];
	struct asked a;
	int fds;

	set_up(&a, NULL);
	set_option(a.dns, "max-inflight", "1000");
	fds = support_open_fds();
	for (int i = 0; i < 1000; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, host(i), 0, tell, &told[i]));
	cr_assert_leq(support_open_fds(), fds + 64);
	cr_assert_eq(sending.sent, 1000);
	tear_down(&a);
}
