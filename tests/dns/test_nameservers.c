/* SPDX-License-Identifier: BSD-3-Clause */
/* Adding nameservers and what can be learned of them. */

#include "fake.h"

#include <fcntl.h>
#include <sys/resource.h>

TestSuite(dns_nameservers, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

struct bare {
	struct event_base *base;
	struct evdns_base *dns;
};

static struct bare start(void)
{
	struct bare b = { support_base_new(), NULL };

	b.dns = evdns_base_new(b.base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	cr_assert_not_null(b.dns);
	return b;
}

static void stop(struct bare b)
{
	evdns_base_free(b.dns, 0);
	event_base_free(b.base);
}

static int port_at(struct evdns_base *dns, int index)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr;

	memset(&addr, 0, sizeof(addr));
	cr_assert_gt(evdns_base_get_nameserver_addr(dns, index, &addr.sa, sizeof(addr)), 0);
	return ntohs(addr.sa.sa_family == AF_INET ? addr.in.sin_port : addr.in6.sin6_port);
}

/* DNS-022..024 */
Test(dns_nameservers, are_added_by_text)
{
	struct bare b = start();

	cr_assert_eq(evdns_base_nameserver_ip_add(b.dns, "127.0.0.1"), 0);
	cr_assert_eq(evdns_base_nameserver_ip_add(b.dns, "127.0.0.1:54"), 0);
	cr_assert_eq(evdns_base_nameserver_ip_add(b.dns, "[::1]:55"), 0);
	cr_assert_eq(evdns_base_nameserver_ip_add(b.dns, "fe80::1%1"), 0);
	cr_assert_eq(port_at(b.dns, 0), 53);
	cr_assert_eq(port_at(b.dns, 1), 54);
	cr_assert_eq(port_at(b.dns, 2), 55);
	cr_assert_eq(port_at(b.dns, 3), 53);
	cr_assert_eq(evdns_base_nameserver_ip_add(b.dns, "127.0.0.1:53"), 3);
	cr_assert_eq(evdns_base_nameserver_ip_add(b.dns, "example.com"), 4);
	cr_assert_eq(evdns_base_nameserver_ip_add(b.dns, ""), 4);
	cr_assert_eq(evdns_base_nameserver_ip_add(b.dns, NULL), 4);
	cr_assert_eq(evdns_base_count_nameservers(b.dns), 4);
	stop(b);
}

/* DNS-024 */
Test(dns_nameservers, on_two_links_are_two)
{
	struct bare b = start();
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_scope_id = 1 };

	cr_assert_eq(inet_pton(AF_INET6, "fe80::1", &addr.sin6_addr), 1);
	cr_assert_eq(evdns_base_nameserver_sockaddr_add(b.dns, (struct sockaddr *)&addr,
							sizeof(addr), 0),
		     0);
	addr.sin6_scope_id = 2;
	cr_assert_eq(evdns_base_nameserver_sockaddr_add(b.dns, (struct sockaddr *)&addr,
							sizeof(addr), 0),
		     0);
	cr_assert_eq(evdns_base_nameserver_sockaddr_add(b.dns, (struct sockaddr *)&addr,
							sizeof(addr), 0),
		     3);
	stop(b);
}

/* DNS-025, DNS-026, D41 */
Test(dns_nameservers, are_added_by_address_if_it_is_whole)
{
	struct bare b = start();
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_storage other = { .ss_family = AF_UNIX };

	in.sin_addr.s_addr = htonl(0x7f000003);
	cr_assert_eq(
		evdns_base_nameserver_sockaddr_add(b.dns, (struct sockaddr *)&in, sizeof(in), 77),
		0);
	cr_assert_eq(port_at(b.dns, 0), 53);
	cr_assert_neq(evdns_base_nameserver_sockaddr_add(b.dns, (struct sockaddr *)&in, 8, 0), 0);
	cr_assert_neq(
		evdns_base_nameserver_sockaddr_add(b.dns, (struct sockaddr *)&in6, sizeof(in), 0),
		0);
	cr_assert_neq(evdns_base_nameserver_sockaddr_add(b.dns, (struct sockaddr *)&in, 0, 0), 0);
	cr_assert_neq(evdns_base_nameserver_sockaddr_add(b.dns, NULL, 16, 0), 0);
	cr_assert_neq(evdns_base_nameserver_sockaddr_add(b.dns, (struct sockaddr *)&other,
							 sizeof(other), 0),
		      0);
	cr_assert_eq(evdns_base_count_nameservers(b.dns), 1);
	stop(b);
}

/* DNS-027, DNS-028 */
Test(dns_nameservers, may_be_any_ipv4_number)
{
	static const unsigned numbers[] = { 0x7f000001, 0xe0000001, 0xffffffff, 0 };
	struct bare b = start();

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sockaddr_in in;

		cr_assert_eq(evdns_base_nameserver_add(b.dns, htonl(numbers[i])), 0);
		cr_assert_eq(evdns_base_get_nameserver_addr(b.dns, (int)i, (struct sockaddr *)&in,
							    sizeof(in)),
			     (int)sizeof(in));
		cr_assert_eq(in.sin_addr.s_addr, htonl(numbers[i]));
		cr_assert_eq(ntohs(in.sin_port), 53);
	}
	stop(b);
}

/* DNS-029 */
Test(dns_nameservers, have_a_socket_at_once_and_send_nothing)
{
	struct asked a;
	int fd;

	set_up(&a, answer_by_name);
	fd = evdns_base_get_nameserver_fd(a.dns, 0);
	cr_assert_geq(fd, 0);
	cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(evdns_base_get_nameserver_fd(a.dns, 1), -1);
	cr_assert_eq(evdns_base_get_nameserver_fd(a.dns, -1), -1);
	event_base_loop(a.base, EVLOOP_NONBLOCK);
	cr_assert_eq(a.fake.queries, 0);
	tear_down(&a);
}

static int local_port(int fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	return ntohs(in.sin_port);
}

/* DNS-030 */
Test(dns_nameservers, once_fetched_the_socket_is_the_only_one)
{
	struct asked a;
	int fd;

	set_up(&a, answer_by_name);
	fd = evdns_base_get_nameserver_fd(a.dns, 0);
	for (int i = 0; i < 20; i++) {
		ask_for(&a, "host", 0);
		cr_assert_eq(a.told.result, DNS_ERR_NONE);
		cr_assert_eq((int)a.fake.seen[i].port, local_port(fd));
	}
	tear_down(&a);
}

/* DNS-031 */
Test(dns_nameservers, suffice_when_no_descriptor_is_left)
{
	struct asked a;
	struct rlimit old, none;

	support_needs_descriptor_limit();
	set_up(&a, answer_by_name);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 3;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	cr_assert_eq(socket(AF_INET, SOCK_DGRAM, 0), -1);
	for (int i = 0; i < 10; i++) {
		ask_for(&a, "host", 0);
		cr_assert_eq(a.told.result, DNS_ERR_NONE);
	}
	cr_assert_eq(evdns_base_nameserver_ip_add(a.dns, "127.0.0.1:9"), 1);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	tear_down(&a);
}

/* DNS-032, DNS-035, DNS-142, DNS-155 */
Test(dns_nameservers, are_counted_also_when_down)
{
	struct asked a;

	set_up(&a, NULL);
	set_option(a.dns, "timeout", "0.01");
	ask_for(&a, "host", 0);
	cr_assert_eq(a.told.result, DNS_ERR_TIMEOUT);
	cr_assert_eq(evdns_base_count_nameservers(a.dns), 1);
	cr_assert_eq(evdns_base_clear_nameservers_and_suspend(a.dns), 0);
	cr_assert_eq(evdns_base_count_nameservers(a.dns), 0);
	tear_down(&a);
}

/* DNS-033, DNS-034 */
Test(dns_nameservers, stay_in_the_order_of_adding)
{
	struct asked a;
	struct sockaddr_in in;

	set_up(&a, answer_by_name);
	set_option(a.dns, "timeout", "0.1");
	set_option(a.dns, "attempts", "200");
	cr_assert_eq(evdns_base_nameserver_ip_add(a.dns, "[::1]:9"), 0);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(evdns_base_get_nameserver_addr(a.dns, 0, (struct sockaddr *)&in,
							    sizeof(in)),
			     16);
		cr_assert_eq(in.sin_port, a.fake.addr.sin_port);
		cr_assert_eq(evdns_base_get_nameserver_addr(a.dns, 1, NULL, 0), 28);
		cr_assert_eq(evdns_base_get_nameserver_addr(a.dns, 0, NULL, 0), 16);
		memset(&in, 0x55, sizeof(in));
		cr_assert_eq(evdns_base_get_nameserver_addr(a.dns, 1, (struct sockaddr *)&in,
							    sizeof(in)),
			     28);
		cr_assert_eq(in.sin_port, 0x5555);
		cr_assert_eq(evdns_base_get_nameserver_addr(a.dns, 2, NULL, 0), -1);
		cr_assert_eq(evdns_base_get_nameserver_addr(a.dns, -1, NULL, 0), -1);
		ask_for(&a, "host", 0);
	}
	tear_down(&a);
}

/* DNS-036, DNS-141 */
Test(dns_nameservers, take_turns_and_so_do_later_ones)
{
	struct asked a;
	struct fake second;
	int first_before;

	set_up(&a, answer_by_name);
	ask_for(&a, "host", 0);
	cr_assert_eq(a.fake.queries, 1);
	fake_start(&second, a.base, answer_by_name);
	fake_use(&second, a.dns);
	first_before = a.fake.queries;
	for (int i = 0; i < 6; i++)
		ask_for(&a, "host", 0);
	cr_assert_eq(a.fake.queries, first_before + 3);
	cr_assert_eq(second.queries, 3);
	fake_stop(&second);
	tear_down(&a);
}

/* DNS-096 */
Test(dns_nameservers, added_late_serve_those_who_wait)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = patient_dns(base);
	struct told waits = { 0 }, gives_up = { 0 };
	struct fake fake;

	fake_start(&fake, base, answer_by_name);
	set_option(dns, "timeout", "0.02");
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host", 0, tell, &gives_up));
	await(base, &gives_up.calls);
	cr_assert_eq(gives_up.result, DNS_ERR_TIMEOUT);
	set_option(dns, "timeout", NEVER);
	cr_assert_not_null(evdns_base_resolve_ipv4(dns, "host", 0, tell, &waits));
	fake_use(&fake, dns);
	await(base, &waits.calls);
	cr_assert_eq(waits.result, DNS_ERR_NONE);
	evdns_base_free(dns, 0);
	fake_stop(&fake);
	event_base_free(base);
}
