/* SPDX-License-Identifier: BSD-3-Clause */
/* There are no completion ports: the flag must not matter. */

#include "support.h"

void support_want_completions(struct event_config *cfg)
{
	cr_assert(event_config_set_flag(cfg, EVENT_BASE_FLAG_STARTUP_IOCP) == 0);
}
