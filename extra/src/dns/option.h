/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_OPTION_H_INCLUDED
#define DNS_OPTION_H_INCLUDED

struct evdns_base;

/*
 * Set an option if its class is among `classes`; unknown names and other classes are skipped. 0, or
 * -1 if the value is not acceptable: then nothing has changed.
 */
int evi_dns_option_set(struct evdns_base *base, const char *name, const char *value, int classes);

#endif
