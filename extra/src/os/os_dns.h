/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXTRA_OS_DNS_H_INCLUDED
#define EXTRA_OS_DNS_H_INCLUDED

/* Where the system keeps what a resolver has to know, one implementation each: os_dns_*.c. */

#include <event2/dns.h>

/* Takes in the system's table of hosts. */
void evi_dns_load_system_hosts(struct evdns_base *base);

/* Sets up a resolver as the system's own; `options` are DNS_OPTION_ bits. 0 or an EVDNS_ERROR_. */
int evi_dns_configure(struct evdns_base *base, int options);

#endif
