/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a resolver has to know, from Windows: the nameservers of all interfaces that are up, or,
 * where the system names none, those in the registry.
 */

#include "os/os_dns.h"

#include "dns/base.h"

#include <iphlpapi.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#define PARAMETERS "SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters"
/* GetAdaptersAddresses() may find that the list has grown since it was asked how long it is. */
#define ATTEMPTS 3

/* NULL if the system does not tell. */
static const char *hosts_path(char *buf, size_t len)
{
	static const char file[] = "\\drivers\\etc\\hosts";
	UINT used = GetSystemDirectoryA(buf, (UINT)len);

	if (used == 0 || used + sizeof(file) > len)
		return NULL;
	memcpy(buf + used, file, sizeof(file));
	return buf;
}

/*
 * fec0::/10 are what Windows makes up for an interface without nameservers (RFC 3879 withdrew
 * them).
 */
static int is_made_up(const struct sockaddr *sa)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;

	return sa->sa_family == AF_INET6 && IN6_IS_ADDR_SITELOCAL(&in6->sin6_addr);
}

/* Two interfaces may name the same server. */
static int add_address(struct evdns_base *base, const SOCKET_ADDRESS *address)
{
	union evi_dns_sockaddr addr;

	if (address->iSockaddrLength > (int)sizeof(addr) || is_made_up(address->lpSockaddr))
		return 0;
	memset(&addr, 0, sizeof(addr));
	memcpy(&addr, address->lpSockaddr, (size_t)address->iSockaddrLength);
	if (addr.sa.sa_family == AF_INET)
		addr.in.sin_port = htons(53);
	else if (addr.sa.sa_family == AF_INET6)
		addr.in6.sin6_port = htons(53);
	else
		return 0;
	return evdns_base_nameserver_sockaddr_add(base, &addr.sa, address->iSockaddrLength, 0) == 0;
}

static IP_ADAPTER_ADDRESSES *list_interfaces(void)
{
	const ULONG flags = GAA_FLAG_SKIP_UNICAST | GAA_FLAG_SKIP_ANYCAST |
			    GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_FRIENDLY_NAME;
	ULONG size = 16384, result = ERROR_BUFFER_OVERFLOW;
	IP_ADAPTER_ADDRESSES *all = NULL;

	for (int i = 0; i < ATTEMPTS && result == ERROR_BUFFER_OVERFLOW; i++) {
		evi_free(all);
		all = evi_malloc(size);
		if (all == NULL)
			return NULL;
		result = GetAdaptersAddresses(AF_UNSPEC, flags, NULL, all, &size);
	}
	if (result == ERROR_SUCCESS)
		return all;
	evi_free(all);
	return NULL;
}

static int add_of_interfaces(struct evdns_base *base)
{
	IP_ADAPTER_ADDRESSES *all = list_interfaces();
	int added = 0;

	for (IP_ADAPTER_ADDRESSES *one = all; one != NULL; one = one->Next) {
		if (one->OperStatus != IfOperStatusUp)
			continue;
		for (IP_ADAPTER_DNS_SERVER_ADDRESS *a = one->FirstDnsServerAddress; a != NULL;
		     a = a->Next)
			added += add_address(base, &a->Address);
	}
	evi_free(all);
	return added;
}

/* Addresses between blanks or commas, as the control panel writes them. */
static int add_listed(struct evdns_base *base, char *list)
{
	int added = 0;

	while (*(list += strspn(list, " ,\t")) != '\0') {
		size_t len = strcspn(list, " ,\t");
		char end = list[len];

		list[len] = '\0';
		added += evdns_base_nameserver_ip_add(base, list) == 0;
		list[len] = end;
		list += len;
	}
	return added;
}

static int add_of_registry(struct evdns_base *base)
{
	static const char *const values[] = { "NameServer", "DhcpNameServer" };
	char list[1024];
	int added = 0;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]) && added == 0; i++) {
		DWORD len = sizeof(list);

		if (RegGetValueA(HKEY_LOCAL_MACHINE, PARAMETERS, values[i], RRF_RT_REG_SZ, NULL,
				 list, &len) == ERROR_SUCCESS)
			added = add_listed(base, list);
	}
	return added;
}

static int add_nameservers(struct evdns_base *base)
{
	int added = add_of_interfaces(base);

	return added > 0 ? added : add_of_registry(base);
}

/* Windows leaves localhost, which is only a comment in its table, to the resolver. */
void evi_dns_load_system_hosts(struct evdns_base *base)
{
	char buf[MAX_PATH];

	(void)evdns_base_load_hosts(base, hosts_path(buf, sizeof(buf)));
	evi_dns_hosts_need_localhost(base);
}

int evdns_base_config_windows_nameservers(struct evdns_base *base)
{
	if (base == NULL)
		base = evdns_get_global_base();
	if (base == NULL)
		return -1;
	evi_dns_load_system_hosts(base);
	return add_nameservers(base) > 0 ? 0 : -1;
}

int evdns_config_windows_nameservers(void)
{
	return evdns_base_config_windows_nameservers(evi_dns_global_need());
}

int evi_dns_configure(struct evdns_base *base, int options)
{
	if (evdns_base_config_windows_nameservers(base) == 0)
		return 0;
	if (!(options & DNS_OPTION_NAMESERVERS_NO_DEFAULT))
		(void)evdns_base_nameserver_ip_add(base, "127.0.0.1");
	return EVDNS_ERROR_NO_NAMESERVERS_CONFIGURED;
}
