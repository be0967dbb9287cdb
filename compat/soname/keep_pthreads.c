/* SPDX-License-Identifier: BSD-3-Clause */
/* One symbol of each dependency, so that no linker drops it as unneeded. */

#include <event2/thread.h>

__attribute__((used, visibility("hidden"))) void (*const evi_keep_pthreads_[])(void) = {
	(void (*)(void))evthread_use_pthreads,
};
