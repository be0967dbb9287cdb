/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls without a base: they work on one global resolver. Not for threads. */

#include "dns/base.h"


static struct evdns_base *global_base;

struct evdns_base *evdns_get_global_base(void)
{
	return global_base;
}

int evdns_init(void)
{
	struct evdns_base *base = evdns_base_new(NULL, EVDNS_BASE_INITIALIZE_NAMESERVERS);

	if (base == NULL)
		return -1;
	global_base = base;
	return 0;
}

/* Made empty when it is first needed. */
struct evdns_base *evi_dns_global_need(void)
{
	if (global_base == NULL)
		global_base = evdns_base_new(NULL, 0);
	return global_base;
}

void evdns_shutdown(int fail_requests)
{
	struct evdns_base *base = global_base;

	global_base = NULL;
	evdns_base_free(base, fail_requests);
	evdns_set_log_fn(NULL);
}

int evdns_nameserver_add(unsigned long int address)
{
	return evdns_base_nameserver_add(evi_dns_global_need(), address);
}

int evdns_nameserver_ip_add(const char *ip_as_string)
{
	return evdns_base_nameserver_ip_add(evi_dns_global_need(), ip_as_string);
}

int evdns_set_option(const char *option, const char *val, int flags)
{
	(void)flags;
	return evdns_base_set_option(evi_dns_global_need(), option, val);
}

int evdns_resolv_conf_parse(int flags, const char *const filename)
{
	return evdns_base_resolv_conf_parse(evi_dns_global_need(), flags, filename);
}

int evdns_count_nameservers(void)
{
	return evdns_base_count_nameservers(global_base);
}

int evdns_clear_nameservers_and_suspend(void)
{
	return evdns_base_clear_nameservers_and_suspend(global_base);
}

int evdns_resume(void)
{
	return evdns_base_resume(global_base);
}

void evdns_search_clear(void)
{
	evdns_base_search_clear(global_base);
}

void evdns_search_add(const char *domain)
{
	evdns_base_search_add(global_base, domain);
}

void evdns_search_ndots_set(const int ndots)
{
	evdns_base_search_ndots_set(global_base, ndots);
}

int evdns_resolve_ipv4(const char *name, int flags, evdns_callback_type callback, void *ptr)
{
	return evdns_base_resolve_ipv4(global_base, name, flags, callback, ptr) != NULL ? 0 : -1;
}

int evdns_resolve_ipv6(const char *name, int flags, evdns_callback_type callback, void *ptr)
{
	return evdns_base_resolve_ipv6(global_base, name, flags, callback, ptr) != NULL ? 0 : -1;
}

int evdns_resolve_reverse(const struct in_addr *in, int flags, evdns_callback_type callback,
			  void *ptr)
{
	return evdns_base_resolve_reverse(global_base, in, flags, callback, ptr) != NULL ? 0 : -1;
}

int evdns_resolve_reverse_ipv6(const struct in6_addr *in, int flags, evdns_callback_type callback,
			       void *ptr)
{
	return evdns_base_resolve_reverse_ipv6(global_base, in, flags, callback, ptr) != NULL ? 0
											      : -1;
}

struct evdns_server_port *evdns_add_server_port(evutil_socket_t socket, int flags,
						evdns_request_callback_fn_type callback,
						void *user_data)
{
	return evdns_add_server_port_with_base(NULL, socket, flags, callback, user_data);
}
