/* SPDX-License-Identifier: BSD-3-Clause */
/* Watchers: callbacks right before and right after each wait. */

#include "base.h"

struct evwatch {
	struct evwatch *next, **prev;
	struct event_base *base;
	enum evi_watch_kind kind;
	unsigned born; /* the walk during which it was added, which does not call it */
	union evi_watch_fn {
		evwatch_prepare_cb prepare;
		evwatch_check_cb check;
	} fn;
	void *arg;
};

struct evwatch_prepare_cb_info {
	int64_t wait_ns; /* -1: no limit */
};

struct evwatch_check_cb_info {
	int unused;
};

static struct evwatch *add(struct event_base *base, enum evi_watch_kind kind, union evi_watch_fn fn,
			   void *arg)
{
	struct evwatch *w;

	if (base == NULL)
		return NULL;
	w = evi_calloc(1, sizeof(*w));
	if (w == NULL)
		return NULL;
	w->base = base;
	w->kind = kind;
	w->fn = fn;
	w->arg = arg;
	evi_base_lock(base);
	if (base->watchers_last[kind] == NULL)
		base->watchers_last[kind] = &base->watchers[kind];
	w->born = base->watch_walk;
	w->prev = base->watchers_last[kind];
	*w->prev = w;
	base->watchers_last[kind] = &w->next;
	evi_base_unlock(base);
	return w;
}

struct evwatch *evwatch_prepare_new(struct event_base *base, evwatch_prepare_cb callback, void *arg)
{
	return add(base, EVI_WATCH_PREPARE, (union evi_watch_fn){ .prepare = callback }, arg);
}

struct evwatch *evwatch_check_new(struct event_base *base, evwatch_check_cb callback, void *arg)
{
	return add(base, EVI_WATCH_CHECK, (union evi_watch_fn){ .check = callback }, arg);
}

void evwatch_free(struct evwatch *w)
{
	struct event_base *base;

	if (w == NULL)
		return;
	base = w->base;
	evi_base_lock(base);
	if (base->watch_next == w)
		base->watch_next = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	else
		base->watchers_last[w->kind] = w->prev;
	*w->prev = w->next;
	evi_base_unlock(base);
	evi_free(w);
}

struct event_base *evwatch_base(struct evwatch *w)
{
	return w->base;
}

static void call(struct evwatch *w, int64_t wait_ns)
{
	struct evwatch_prepare_cb_info prepare = { .wait_ns = wait_ns };
	struct evwatch_check_cb_info check = { 0 };

	if (w->kind == EVI_WATCH_PREPARE)
		w->fn.prepare(w, &prepare, w->arg);
	else
		w->fn.check(w, &check, w->arg);
}

/* `watch_next` is kept right by evwatch_free(), so callbacks may free any watcher. */
void evi_watch_run(struct event_base *base, enum evi_watch_kind kind, int64_t wait_ns)
{
	base->watch_walk++;
	base->watch_next = base->watchers[kind];
	while (base->watch_next != NULL) {
		struct evwatch *w = base->watch_next;

		base->watch_next = w->next;
		if (w->born == base->watch_walk)
			continue;
		evi_base_unlock(base);
		call(w, wait_ns);
		evi_base_lock(base);
	}
}

int evwatch_prepare_get_timeout(const struct evwatch_prepare_cb_info *info, struct timeval *timeout)
{
	if (info->wait_ns < 0)
		return 0;
	timeout->tv_sec = (time_t)(info->wait_ns / (int64_t)EVI_NS_PER_S);
	timeout->tv_usec = (int)(info->wait_ns % (int64_t)EVI_NS_PER_S / (int64_t)EVI_NS_PER_US);
	return 1;
}

void evi_watch_done(struct event_base *base)
{
	for (int kind = 0; kind < 2; kind++) {
		while (base->watchers[kind] != NULL)
			evwatch_free(base->watchers[kind]);
	}
}
