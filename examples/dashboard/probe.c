/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe.h"

#include "histogram.h"

#include <event2/watch.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct probe {
	struct event_base *base;
	struct evwatch *before, *after; /* each wait */
	struct histogram delay, late;
	double start, last_sample;
	double woken; /* when the last wait ended */
	double busy, cpu;
	uint64_t rounds, events;
	int active_left; /* when the last wait began */
};

double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double cpu_us(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

/* Resident; 0 where the system has no such file. */
static double memory_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size = 0, resident = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%ld %ld", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* The callbacks of a round have run. */
static void before_wait(struct evwatch *watcher, const struct evwatch_prepare_cb_info *info,
			void *arg)
{
	struct probe *probe = arg;

	(void)watcher;
	(void)info;
	if (probe->woken > 0)
		probe->busy += now_us() - probe->woken;
	probe->active_left = event_base_get_num_events(probe->base, EVENT_BASE_COUNT_ACTIVE);
}

/* The wait is over, the descriptors that are ready are active now; timers will be. */
static void after_wait(struct evwatch *watcher, const struct evwatch_check_cb_info *info, void *arg)
{
	struct probe *probe = arg;
	int active = event_base_get_num_events(probe->base, EVENT_BASE_COUNT_ACTIVE);

	(void)watcher;
	(void)info;
	probe->woken = now_us();
	probe->rounds++;
	probe->events += (uint64_t)(active > probe->active_left ? active - probe->active_left : 0);
}

struct probe *probe_new(struct event_base *base)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (probe == NULL)
		return NULL;
	probe->base = base;
	probe->before = evwatch_prepare_new(base, before_wait, probe);
	probe->after = evwatch_check_new(base, after_wait, probe);
	probe->start = probe->last_sample = now_us();
	probe->cpu = cpu_us();
	if (probe->before != NULL && probe->after != NULL)
		return probe;
	probe_free(probe);
	return NULL;
}

void probe_free(struct probe *probe)
{
	if (probe->before != NULL)
		evwatch_free(probe->before);
	if (probe->after != NULL)
		evwatch_free(probe->after);
	free(probe);
}

void probe_note_callback(struct probe *probe)
{
	histogram_add(&probe->delay, now_us() - probe->woken);
}

void probe_note_late(struct probe *probe, double us)
{
	histogram_add(&probe->late, us);
}

void probe_sample(struct probe *probe, struct sample *sample)
{
	double now = now_us(), cpu = cpu_us(), span = (now - probe->last_sample) / 1e6;
	struct quantiles delay = histogram_take(&probe->delay), late = histogram_take(&probe->late);

	sample->time = (now - probe->start) / 1e6;
	sample->rounds = (double)probe->rounds / span;
	sample->events = (double)(probe->events + late.count) / span;
	sample->active_max = event_base_get_max_events(probe->base, EVENT_BASE_COUNT_ACTIVE, 1);
	sample->busy = probe->busy / 1e6 / span;
	sample->delay_p50 = delay.p50;
	sample->delay_p99 = delay.p99;
	sample->delay_max = delay.max;
	sample->late_p50 = late.p50;
	sample->late_p99 = late.p99;
	sample->late_max = late.max;
	sample->added = event_base_get_num_events(probe->base, EVENT_BASE_COUNT_ADDED);
	sample->cpu = (cpu - probe->cpu) / 1e6 / span;
	sample->memory = memory_bytes();
	if (sample->busy > 1)
		sample->busy = 1;
	probe->last_sample = now;
	probe->cpu = cpu;
	probe->busy = 0;
	probe->rounds = probe->events = 0;
}
