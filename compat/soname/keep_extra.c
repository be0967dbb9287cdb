/* SPDX-License-Identifier: BSD-3-Clause */
/* One symbol of each dependency, so that no linker drops it as unneeded. */

#include <event2/dns.h>

__attribute__((used, visibility("hidden"))) void (*const evi_keep_extra_[])(void) = {
	(void (*)(void))evdns_base_new,
};
