/* SPDX-License-Identifier: BSD-3-Clause */
/* The 2.1 libraries besides the core one need the core one; programs rely on finding both. */

#include <event2/event.h>

__attribute__((used, visibility("hidden"))) ev_uint32_t (*const evi_keep_version_)(void) =
	event_get_version_number;
