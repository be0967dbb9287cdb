/* SPDX-License-Identifier: BSD-3-Clause */
/* What a resolver has to know, from the files that POSIX systems keep it in. */

#include "os/os_dns.h"

void evi_dns_load_system_hosts(struct evdns_base *base)
{
	(void)evdns_base_load_hosts(base, "/etc/hosts");
}

int evi_dns_configure(struct evdns_base *base, int options)
{
	return evdns_base_resolv_conf_parse(base, options, "/etc/resolv.conf");
}
