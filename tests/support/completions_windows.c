/* SPDX-License-Identifier: BSD-3-Clause */
/* A base whose sockets work by completions needs locks. */

#include "support.h"

#include <event2/thread.h>

void support_want_completions(struct event_config *cfg)
{
	cr_assert(evthread_use_windows_threads() == 0);
	cr_assert(event_config_set_flag(cfg, EVENT_BASE_FLAG_STARTUP_IOCP) == 0);
	cr_assert(event_config_set_num_cpus_hint(cfg, 2) == 0);
}
