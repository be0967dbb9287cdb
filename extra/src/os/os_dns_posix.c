/* SPDX-License-Identifier: BSD-3-Clause */
/* What a resolver has to know, from the files that POSIX systems keep it in. */

#include "os/os_dns.h"

const char *evi_dns_hosts_path(char *buf, size_t len)
{
	(void)buf;
	(void)len;
	return "/etc/hosts";
}

int evi_dns_configure(struct evdns_base *base, int options)
{
	return evdns_base_resolv_conf_parse(base, options, "/etc/resolv.conf");
}
