/* SPDX-License-Identifier: BSD-3-Clause */
/* The sockets that queries leave by: their ports, when they are full, and when nobody listens there. */

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

static void some_passes(struct event_base *base, int n)
{
	while (n-- > 0)
		cr_assert_geq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
}

#define QUERIES 5

static void start_queries(struct asked *a, struct evdns_request *requests[QUERIES], struct told told[QUERIES])
{
	memset(told, 0, QUERIES * sizeof(*told));
	for (int i = 0; i < QUERIES; i++) {
		requests[i] = evdns_base_resolve_ipv4(a->dns, "host", DNS_NO_SEARCH, tell, &told[i]);
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
	cr_assert_leq(sending.tries, QUERIES * 4, "one more for each time that there seems to be room");
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
	cr_assert_eq(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&addr, sizeof(addr), 0), 0);
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

/* DNS-145: the system may say so of an earlier query when the next one is sent: both go elsewhere. */
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

/* DNS-109, DNS-291: a random port for each query; a few of a thousand are the same by chance. */
Test(dns_sockets, each_query_has_its_own_port)
{
	struct asked a;

	set_up(&a, note_port);
	for (int i = 0; i < 1000; i++)
		ask_for(&a, "host", 0);
	cr_assert_gt(ports_seen, 900);
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
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "host", 0, tell, &told[i]));
	cr_assert_leq(support_open_fds(), fds + 64);
	cr_assert_eq(sending.sent, 1000);
	tear_down(&a);
}
