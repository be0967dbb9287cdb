/* SPDX-License-Identifier: BSD-3-Clause */
/* One symbol of each dependency, so that no linker drops it as unneeded. */

#include <event2/buffer.h>
#include <event2/event.h>

__attribute__((used, visibility("hidden"))) void (*const evi_keep_core_[])(void) = {
	(void (*)(void))event_base_new,
	(void (*)(void))evbuffer_new,
};
