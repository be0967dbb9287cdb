/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VIEWERS_H_INCLUDED
#define VIEWERS_H_INCLUDED

/* Those who have the page open: each gets the past at once, then every new sample. */

#include "probe.h"

struct evhttp_request;
struct viewers;

/* What a viewer may ask for: "clients 200", "timers 1000", "stall 50". */
typedef void (*viewers_command_cb)(const char *what, int value, void *arg);

struct viewers *viewers_new(struct event_base *base, viewers_command_cb command, void *arg);
void viewers_free(struct viewers *viewers);

/* A request for the stream. */
void viewers_take(struct viewers *viewers, struct evhttp_request *req);

/* Keep a sample, and send it to all. */
void viewers_tell(struct viewers *viewers, struct sample *sample);

#endif
