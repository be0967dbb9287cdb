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
