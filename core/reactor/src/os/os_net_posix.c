/* SPDX-License-Identifier: BSD-3-Clause */
/* Interfaces by if_nametoindex(3) and getifaddrs(3). */

#include "os_net.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>

unsigned evi_os_interface_index(const char *name)
{
	return if_nametoindex(name);
}

int evi_os_each_address(void (*fn)(const struct sockaddr *sa, void *ctx), void *ctx)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return -errno;
	for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
		if (one->ifa_addr != NULL)
			fn(one->ifa_addr, ctx);
	}
	freeifaddrs(all);
	return 0;
}

size_t evi_os_socket_kinds(const struct addrinfo *ai, const struct addrinfo *hints,
			   struct evi_socket_kind kinds[EVI_SOCKET_KINDS])
{
	(void)hints;
	kinds[0] = (struct evi_socket_kind){ ai->ai_socktype, ai->ai_protocol };
	return 1;
}
