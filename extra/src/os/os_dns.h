/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXTRA_OS_DNS_H_INCLUDED
#define EXTRA_OS_DNS_H_INCLUDED

/* Where the system keeps what a resolver has to know, one implementation each: os_dns_*.c. */

#include <event2/dns.h>

#include <stddef.h>

/* The path of the hosts table; `buf` may serve to hold it. NULL if there is none. */
const char *evi_dns_hosts_path(char *buf, size_t len);

/* Sets up a resolver as the system's own; `options` are DNS_OPTION_ bits. 0 or an EVDNS_ERROR_. */
int evi_dns_configure(struct evdns_base *base, int options);

#endif
