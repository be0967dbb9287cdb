/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_DNS_STRUCT_H_INCLUDED_
#define EVENT2_DNS_STRUCT_H_INCLUDED_

/**
 * @file event2/dns_struct.h
 *
 * What the callback of a DNS server may look at.
 */

#include <event2/event-config.h>
#include <event2/util.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One question. The name may be changed in place, but not lengthened; the answer repeats it as it
 * is then.
 */
struct evdns_server_question {
	int type;
#ifdef __cplusplus
	int dns_question_class;
#else
	int class;
#define dns_question_class class
#endif
	char name[1]; /**< text, no final dot, case as received; longer than it looks */
};

/** A query; more belongs to it than what is here, so it cannot be copied. */
struct evdns_server_request {
	int flags; /**< RD and CD as received; sent with the answer, may be changed */
	int nquestions;
	struct evdns_server_question **questions;
};

#ifdef __cplusplus
}
#endif

#endif
