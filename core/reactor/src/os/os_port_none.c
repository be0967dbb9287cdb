/* SPDX-License-Identifier: BSD-3-Clause */
/* No completion ports: descriptors are watched. */

#include "os_port.h"

int evi_port_open(struct event_base *base, int cpus)
{
	(void)base;
	(void)cpus;
	return 0;
}

void evi_port_close(struct event_base *base)
{
	(void)base;
}
