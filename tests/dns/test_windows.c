/* SPDX-License-Identifier: BSD-3-Clause */
/* What Windows tells a resolver: the nameservers of its interfaces, and its hosts. */

#include "fake.h"

#include <event2/dns_compat.h>
#include <event2/event_compat.h>

#include <iphlpapi.h>

TestSuite(dns_windows, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* Whether the resolver has a nameserver of that address, as text. */
static int has_server(struct evdns_base *dns, const char *address)
{
	for (int i = 0; i < evdns_base_count_nameservers(dns); i++) {
		struct sockaddr_storage name;
		char text[64] = "";

		cr_assert_gt(evdns_base_get_nameserver_addr(dns, i, (struct sockaddr *)&name,
							    sizeof(name)), 0);
		if (name.ss_family == AF_INET)
			evutil_inet_ntop(AF_INET, &((struct sockaddr_in *)&name)->sin_addr, text,
					 sizeof(text));
		if (strcmp(text, address) == 0)
			return 1;
	}
	return 0;
}

/* Those of IPv4, by an older call of the system than the library's; one at least is in use. */
static FIXED_INFO *system_servers(void)
{
	ULONG size = 0;
	FIXED_INFO *info;

	cr_assert_eq(GetNetworkParams(NULL, &size), ERROR_BUFFER_OVERFLOW);
	info = malloc(size);
	cr_assert_eq(GetNetworkParams(info, &size), ERROR_SUCCESS);
	if (info->DnsServerList.IpAddress.String[0] == '\0')
		cr_skip_test("this system has no nameserver");
	return info;
}

static void check_servers(struct evdns_base *dns)
{
	FIXED_INFO *info = system_servers();

	for (IP_ADDR_STRING *one = &info->DnsServerList; one != NULL; one = one->Next)
		cr_expect(has_server(dns, one->IpAddress.String), "%s", one->IpAddress.String);
	free(info);
}

/* DNS-067, DNS-290 */
Test(dns_windows, nameservers_are_those_of_the_interfaces)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, 0);

	cr_assert_eq(evdns_base_config_windows_nameservers(dns), 0);
	check_servers(dns);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-004 */
Test(dns_windows, a_resolver_may_start_with_them)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS);

	cr_assert_not_null(dns);
	check_servers(dns);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-067: and once only, if the table names it. */
Test(dns_windows, localhost_needs_no_nameserver)
{
	const struct evutil_addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, 0);
	struct found found = { 0 };

	(void)evdns_base_config_windows_nameservers(dns);
	(void)evdns_getaddrinfo(dns, "localhost", "80", &hints, find, &found);
	cr_assert_eq(found.calls, 1, "answered at once, from the table");
	cr_assert_eq(found.result, 0);
	cr_assert_not_null(found.list);
	cr_assert_null(found.list->ai_next);
	cr_assert_eq(((struct sockaddr_in *)found.list->ai_addr)->sin_addr.s_addr,
		     htonl(INADDR_LOOPBACK));
	forget(&found);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-067, DNS-275 */
Test(dns_windows, the_global_resolver_is_made_on_demand)
{
	struct event_base *base = event_init();

	cr_assert_eq(evdns_base_config_windows_nameservers(NULL), -1);
	free(system_servers());
	cr_assert_eq(evdns_config_windows_nameservers(), 0);
	cr_assert_not_null(evdns_get_global_base());
	check_servers(evdns_get_global_base());
	evdns_shutdown(0);
	event_base_free(base);
}
