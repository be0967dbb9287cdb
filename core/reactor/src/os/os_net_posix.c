/* SPDX-License-Identifier: BSD-3-Clause */
/* Interfaces by if_nametoindex(3) and getifaddrs(3). */

#include "os_net.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stddef.h>

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
