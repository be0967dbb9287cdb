/* SPDX-License-Identifier: BSD-3-Clause */
/* Interfaces by the IP helper library. */

#include "os_net.h"

#include <event2/component/reactor.h>

#include <errno.h>
#include <iphlpapi.h>
#include <netioapi.h>

unsigned evi_os_interface_index(const char *name)
{
	return if_nametoindex(name);
}

int evi_os_each_address(void (*fn)(const struct sockaddr *sa, void *ctx), void *ctx)
{
	ULONG size = 16384, result = ERROR_BUFFER_OVERFLOW;
	IP_ADAPTER_ADDRESSES *all = NULL;

	for (int attempt = 0; attempt < 3 && result == ERROR_BUFFER_OVERFLOW; attempt++) {
		evi_free(all);
		all = evi_malloc(size);
		if (all == NULL)
			return -ENOMEM;
		result = GetAdaptersAddresses(AF_UNSPEC, 0, NULL, all, &size);
	}
	if (result == ERROR_SUCCESS) {
		for (IP_ADAPTER_ADDRESSES *one = all; one != NULL; one = one->Next) {
			for (IP_ADAPTER_UNICAST_ADDRESS *a = one->FirstUnicastAddress; a != NULL;
			     a = a->Next)
				fn(a->Address.lpSockaddr, ctx);
		}
	}
	evi_free(all);
	return result == ERROR_SUCCESS ? 0 : -EIO;
}

/*
 * Windows repeats the kind and the protocol of the hints, 0 where they say nothing, in one entry
 * for each address. Elsewhere 0 stands for every kind that fits.
 */
size_t evi_os_socket_kinds(const struct addrinfo *ai, const struct addrinfo *hints,
			   struct evi_socket_kind kinds[EVI_SOCKET_KINDS])
{
	static const struct evi_socket_kind all[EVI_SOCKET_KINDS] = {
		{ SOCK_STREAM, IPPROTO_TCP },
		{ SOCK_DGRAM, IPPROTO_UDP },
		{ SOCK_RAW, 0 },
	};
	int type = ai->ai_socktype != 0 ? ai->ai_socktype : hints->ai_socktype;
	int protocol = ai->ai_protocol != 0 ? ai->ai_protocol : hints->ai_protocol;
	size_t n = 0;

	for (size_t i = 0; i < EVI_SOCKET_KINDS; i++) {
		const struct evi_socket_kind *kind = &all[i];

		if (type != 0 ? type != kind->type : protocol != 0 && protocol != kind->protocol)
			continue;
		kinds[n].type = kind->type;
		kinds[n++].protocol = protocol != 0 ? protocol : kind->protocol;
	}
	if (n == 0)
		kinds[n++] = (struct evi_socket_kind){ type, protocol };
	return n;
}
