/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROBE_H_INCLUDED
#define PROBE_H_INCLUDED

/*
 * Measures a loop from inside, by the public interface: watchers before and after each wait,
 * counters of events, and the time from the end of a wait to a callback.
 */

#include <event2/event.h>

#include <stdint.h>

struct sample {
	double time;         /* seconds since the start */
	double rounds;       /* a second */
	/* made active, a second: descriptors, and timers by probe_note_late() */
	double events;
	double active_max;   /* active at once */
	double busy;         /* share of the time that callbacks ran, 0 to 1 */
	double delay_p50, delay_p99, delay_max; /* from the end of the wait to the callback, us */
	double late_p50, late_p99, late_max;    /* timers behind their time, us */
	double trip_p50, trip_p99, trip_max;    /* of a message to the echo service and back, us */
	double added;        /* registrations: descriptors, signals, timeouts */
	double timers, connections, viewers;
	double in, out;      /* bytes a second */
	double messages;     /* a second */
	double cpu;          /* of this thread, 0 to 1 */
	double memory;       /* of the process, bytes */
};

struct probe;

struct probe *probe_new(struct event_base *base);
void probe_free(struct probe *probe);

/* To be called first thing in the callback of a descriptor: notes how long it had to wait. */
void probe_note_callback(struct probe *probe);

/* A timer has fired that long after its time. */
void probe_note_late(struct probe *probe, double us);

/* Fills in what the loop itself has done since the last call. */
void probe_sample(struct probe *probe, struct sample *sample);

/* Microseconds on the monotonic clock. */
double now_us(void);

#endif
