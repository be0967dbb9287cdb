/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT1_EVDNS_H_INCLUDED_
#define EVENT1_EVDNS_H_INCLUDED_

/**
 * @file evdns.h
 *
 * The 1.x header of the DNS resolver and server. New programs include event2/dns.h.
 */

#include <event.h>
#include <event2/dns.h>
#include <event2/dns_compat.h>
#include <event2/dns_struct.h>

#endif
