/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ECHO_H_INCLUDED
#define ECHO_H_INCLUDED

/* The work of the loop that is watched: an echo service on bufferevents, and timers. */

#include "probe.h"

struct echo;

struct echo *echo_new(struct event_base *base, struct probe *probe);
void echo_free(struct echo *echo);
int echo_port(const struct echo *echo);

/* Keep that many timers, each of a period of its own between 0.1 and 2 seconds. */
void echo_set_timers(struct echo *echo, int count);

/* Fills in connections, timers, bytes. */
void echo_sample(struct echo *echo, struct sample *sample, double span);

#endif
