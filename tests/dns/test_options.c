/* SPDX-License-Identifier: BSD-3-Clause */
/* Options: which values are acceptable, and what they do. */

#include "fake.h"

TestSuite(dns_options, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static struct event_base *event_base;

static struct evdns_base *start(void)
{
	event_base = support_base_new();
	return evdns_base_new(event_base, 0);
}

static void stop(struct evdns_base *dns)
{
	evdns_base_free(dns, 0);
	event_base_free(event_base);
}

static const char *const numbers[] = {
	"ndots", "max-timeouts", "max-inflight", "attempts", "randomize-case", "so-rcvbuf",
	"so-sndbuf", "max-probe-timeout", "probe-backoff-factor", "edns-udp-size",
};

/* DNS-037, DNS-038, DNS-040, DNS-041, DNS-043 */
Test(dns_options, numbers_are_decimal)
{
	static const char *const good[] = { "0", "1", "10000", "+7", " 7", "99999999999999999999" };
	static const char *const bad[] = {
		"foo", "3.14", "", "-1", "-5", "7x", "7 ", "0x10", NULL,
	};
	struct evdns_base *dns = start();

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char with_colon[64];

		for (size_t k = 0; k < sizeof(good) / sizeof(good[0]); k++)
			cr_assert_eq(evdns_base_set_option(dns, numbers[i], good[k]), 0, "%s %s",
				     numbers[i], good[k]);
		for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++)
			cr_assert_eq(evdns_base_set_option(dns, numbers[i], bad[k]), -1, "%s %s",
				     numbers[i], bad[k] != NULL ? bad[k] : "NULL");
		snprintf(with_colon, sizeof(with_colon), "%s:more", numbers[i]);
		cr_assert_eq(evdns_base_set_option(dns, with_colon, "1"), 0);
		cr_assert_eq(evdns_base_set_option(dns, with_colon, "foo"), -1);
	}
	stop(dns);
}

/* DNS-042..044 */
Test(dns_options, times_are_seconds)
{
	static const char *const times[] = {
		"timeout", "initial-probe-timeout", "getaddrinfo-allow-skew", "tcp-idle-timeout",
	};
	static const char *const good[] = { "10000", "0.001", "1.5", "3", "99999999999999" };
	static const char *const bad[] = {
		"0", "foo", "0.0001", "-1", "inf", "nan", "infinity", "", NULL,
	};
	struct evdns_base *dns = start();

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		for (size_t k = 0; k < sizeof(good) / sizeof(good[0]); k++)
			cr_assert_eq(evdns_base_set_option(dns, times[i], good[k]), 0);
		for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++)
			cr_assert_eq(evdns_base_set_option(dns, times[i], bad[k]), -1, "%s %s",
				     times[i], bad[k] != NULL ? bad[k] : "NULL");
	}
	stop(dns);
}

/* DNS-039, DNS-043 */
Test(dns_options, flags_take_no_value_and_unknown_names_anything)
{
	struct evdns_base *dns = start();

	cr_assert_eq(evdns_base_set_option(dns, "use-vc", NULL), 0);
	cr_assert_eq(evdns_base_set_option(dns, "use-vc", ""), 0);
	cr_assert_eq(evdns_base_set_option(dns, "use-vc", "1"), -1);
	cr_assert_eq(evdns_base_set_option(dns, "ignore-tc", NULL), 0);
	cr_assert_eq(evdns_base_set_option(dns, "ignore-tc", "x"), -1);
	cr_assert_eq(evdns_base_set_option(dns, "no-such-option", "x"), 0);
	cr_assert_eq(evdns_base_set_option(dns, "NDOTS", "x"), 0);
	cr_assert_eq(evdns_base_set_option(dns, "time", "x"), 0);
	cr_assert_eq(evdns_base_set_option(dns, NULL, "x"), -1);
	stop(dns);
}

/* DNS-048 */
Test(dns_options, bind_to_is_an_address)
{
	static const char *const good[] = { "8.8.8.8:80", "1.2.3.4", "::1:82", "3::4" };
	static const char *const bad[] = { "3.14", "foo", "", NULL };
	struct evdns_base *dns = start();

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_assert_eq(evdns_base_set_option(dns, "bind-to", good[i]), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(evdns_base_set_option(dns, "bind-to", bad[i]), -1);
	stop(dns);
}

/* As far as it fits; of a socket without one, which is an error to some systems, all zero. */
static struct sockaddr_in local_address(int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	struct sockaddr_in in;

	memset(&name, 0, sizeof(name));
	(void)getsockname(fd, (struct sockaddr *)&name, &len);
	memcpy(&in, &name, sizeof(in));
	return in;
}

/* DNS-047..049 */
Test(dns_options, bind_to_sets_the_local_address_of_later_sockets)
{
	struct evdns_base *dns = start();
	struct sockaddr_in in;

	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "192.0.2.1"), 0);
	cr_assert_eq(evdns_base_set_option(dns, "bind-to", "127.0.0.1"), 0);
	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "192.0.2.2"), 0);
	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "127.0.0.3"), 0);
	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "2001:db8::1"), 0);
	in = local_address(evdns_base_get_nameserver_fd(dns, 0));
	cr_assert_eq(in.sin_addr.s_addr, 0);
	in = local_address(evdns_base_get_nameserver_fd(dns, 1));
	cr_assert_eq(in.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	in = local_address(evdns_base_get_nameserver_fd(dns, 2));
	cr_assert_eq(in.sin_addr.s_addr, 0, "not for a server on loopback");
	stop(dns);
}

/* DNS-048, DNS-049 */
Test(dns_options, bind_to_with_a_port_serves_one_nameserver)
{
	struct evdns_base *dns = start();
	struct sockaddr_in free_port = { 0 };
	char text[64];

	do { /* until the port is still free when it is used */
		memset(&free_port, 0, sizeof(free_port));
		close(loopback_socket(SOCK_DGRAM, &free_port));
		snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(free_port.sin_port));
		set_option(dns, "bind-to", text);
	} while (evdns_base_nameserver_ip_add(dns, "192.0.2.1") != 0);
	cr_assert_eq(local_address(evdns_base_get_nameserver_fd(dns, 0)).sin_port,
		     free_port.sin_port);
	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "192.0.2.2"), 2);
	cr_assert_eq(evdns_base_count_nameservers(dns), 1);
	stop(dns);
}

/* DNS-044, DNS-047 */
Test(dns_options, buffer_sizes_reach_later_sockets)
{
	struct evdns_base *dns = start();
	int size = 0;
	socklen_t len = sizeof(size);

	cr_assert_eq(evdns_base_set_option(dns, "so-rcvbuf", "10240"), 0);
	cr_assert_eq(evdns_base_set_option(dns, "so-sndbuf", "10240"), 0);
	cr_assert_eq(evdns_base_nameserver_ip_add(dns, "127.0.0.1"), 0);
	cr_assert_eq(getsockopt(evdns_base_get_nameserver_fd(dns, 0), SOL_SOCKET, SO_RCVBUF, &size,
				&len),
		     0);
	cr_assert_geq(size, 10240);
	cr_assert_leq(size, 2 * 10240);
	stop(dns);
}

/* DNS-044, DNS-046, DNS-138, DNS-139 */
Test(dns_options, attempts_count_sendings)
{
	static const struct {
		const char *value;
		int sendings;
	} cases[] = { { "1", 1 }, { "0", 1 }, { "4", 4 } };
	struct asked a;
	int total = 3;

	set_up(&a, NULL);
	set_option(a.dns, "timeout", "0.01");
	set_option(a.dns, "initial-probe-timeout", NEVER);
	ask_for(&a, "host", 0);
	fake_await(&a.fake, total);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_option(a.dns, "attempts", cases[i].value);
		ask_for(&a, "host", 0);
		total += cases[i].sendings;
		fake_await(&a.fake, total);
	}
	run_for(a.base, 50);
	cr_assert_eq(a.fake.queries, total, "and no more");
	tear_down(&a);
}

/* DNS-045 */
Test(dns_options, the_smaller_probe_time_rules)
{
	for (int order = 0; order < 2; order++) {
		struct asked a;
		double start;

		set_up(&a, NULL);
		set_option(a.dns, "timeout", "0.01");
		set_option(a.dns, "attempts", "1");
		evdns_base_set_option(a.dns,
				      order == 0 ? "initial-probe-timeout" : "max-probe-timeout",
				      order == 0 ? "3600" : "1");
		evdns_base_set_option(a.dns,
				      order == 0 ? "max-probe-timeout" : "initial-probe-timeout",
				      order == 0 ? "1" : "3600");
		start = support_now_ms();
		ask_for(&a, "host", 0);
		fake_await(&a.fake, 2);
		cr_assert_geq(a.fake.seen[1].at - start, 1000);
		tear_down(&a);
	}
}

/* DNS-044, DNS-154 */
Test(dns_options, max_inflight_is_at_least_one)
{
	struct asked a;
	struct told t[3];

	memset(t, 0, sizeof(t));
	set_up(&a, NULL);
	set_option(a.dns, "max-inflight", "0");
	for (int i = 0; i < 3; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, host(i), 0, tell, &t[i]));
	fake_await(&a.fake, 1);
	run_for(a.base, 30);
	cr_assert_eq(a.fake.queries, 1);
	tear_down(&a);
}

/* DNS-046: lowering it leaves alone what is in flight. */
Test(dns_options, a_lower_max_inflight_waits_for_its_time)
{
	struct asked a;
	struct told t[4];

	memset(t, 0, sizeof(t));
	set_up(&a, NULL);
	for (int i = 0; i < 3; i++)
		cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, host(i), 0, tell, &t[i]));
	set_option(a.dns, "max-inflight", "2");
	cr_assert_not_null(evdns_base_resolve_ipv4(a.dns, "late", 0, tell, &t[3]));
	fake_await(&a.fake, 3);
	run_for(a.base, 30);
	cr_assert_eq(a.fake.queries, 3);
	cr_assert_eq(t[0].calls + t[1].calls + t[2].calls, 0);
	tear_down(&a);
}
