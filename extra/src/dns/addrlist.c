/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of addresses as getaddrinfo gives them. */

#include "dns/base.h"

#include <string.h>

/* Marks lists of this library's in ai_flags. */
#define OWN_LIST ((int)0x80000000)

int evi_dns_wants_family(const struct evutil_addrinfo *hints, int family)
{
	return hints->ai_family == PF_UNSPEC || hints->ai_family == family;
}

static int add_one(struct evutil_addrinfo ***last, const union evi_dns_sockaddr *addr, int len,
		   int socktype, int protocol)
{
	struct evutil_addrinfo *ai = evi_addrinfo_new(&addr->sa, (ev_socklen_t)len);

	if (ai == NULL)
		return -1;
	ai->ai_flags = OWN_LIST;
	ai->ai_socktype = socktype;
	ai->ai_protocol = protocol;
	**last = ai;
	*last = &ai->ai_next;
	return 0;
}

/* What the one does not say the other does. */
static void complete_kind(int *socktype, int *protocol)
{
	if (*socktype == 0 && *protocol == IPPROTO_UDP)
		*socktype = SOCK_DGRAM;
	else if (*socktype == 0 && (*protocol == IPPROTO_TCP || *protocol == IPPROTO_SCTP))
		*socktype = SOCK_STREAM;
	else if (*protocol == 0 && *socktype == SOCK_STREAM)
		*protocol = IPPROTO_TCP;
	else if (*protocol == 0 && *socktype == SOCK_DGRAM)
		*protocol = IPPROTO_UDP;
}

struct evutil_addrinfo **evi_dns_list_add(struct evutil_addrinfo **last, const struct sockaddr *sa,
					  int len, uint16_t port,
					  const struct evutil_addrinfo *hints)
{
	struct evutil_addrinfo **start = last;
	int socktype = hints->ai_socktype, protocol = hints->ai_protocol, err;
	union evi_dns_sockaddr addr;

	memset(&addr, 0, sizeof(addr));
	memcpy(&addr, sa, (size_t)len);
	if (sa->sa_family == AF_INET)
		addr.in.sin_port = htons(port);
	else
		addr.in6.sin6_port = htons(port);
	complete_kind(&socktype, &protocol);
	if (socktype != 0 || protocol != 0) {
		err = add_one(&last, &addr, len, socktype, protocol);
	} else {
		err = add_one(&last, &addr, len, SOCK_STREAM, IPPROTO_TCP);
		if (err == 0)
			err = add_one(&last, &addr, len, SOCK_DGRAM, IPPROTO_UDP);
	}
	if (err == 0)
		return last;
	evutil_freeaddrinfo(*start);
	*start = NULL;
	return NULL;
}
