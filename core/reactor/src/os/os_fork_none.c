/* SPDX-License-Identifier: BSD-3-Clause */
/* Where processes are not copied no base is a copy. */

#include <event2/component/reactor.h>

unsigned evi_fork_count(void)
{
	return 0;
}
