/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_H_INCLUDED
#define LOAD_H_INCLUDED

/*
 * The clients of the echo service: a thread with a loop of its own, so that what is watched is only
 * the service. Each sends a message, waits for it to come back, thinks, and sends the next; now and
 * then it comes anew. How long they think swings slowly, so that there is something to see.
 */

#include "probe.h"

struct load;

struct load *load_new(int port);
void load_free(struct load *load);

/* How many clients there shall be. Any thread. */
void load_set_clients(struct load *load, int count);

/* Fills in messages and round trips. */
void load_sample(struct load *load, struct sample *sample, double span);

#endif
