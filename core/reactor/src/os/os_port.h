/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_PORT_H_INCLUDED
#define EVI_OS_PORT_H_INCLUDED

/* The completion port of a base; systems without one have none. */

struct event_base;

/*
 * Open the port and start `cpus` threads; 0: as many as there are processors, within reason. 0 or
 * -errno.
 */
int evi_port_open(struct event_base *base, int cpus);

/* Take back what is under way and close the port, if there is one. No loop runs; no lock held. */
void evi_port_close(struct event_base *base);

#endif
