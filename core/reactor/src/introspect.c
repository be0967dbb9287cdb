/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in a base: counters, a walk over its events, and a listing for humans. */

#include "base.h"

struct walk {
	struct event_base *base;
	event_base_foreach_event_cb fn;
	void *arg;
	unsigned visited; /* events that were met earlier in the walk have one of these flags */
};

static int visit(struct walk *walk, struct event *ev)
{
	if (evi_flags(ev) & walk->visited)
		return 0;
	return walk->fn(walk->base, ev, walk->arg);
}

static int visit_event(struct event *ev, void *ctx)
{
	return visit(ctx, ev);
}

static int visit_list(struct walk *walk, struct event *ev)
{
	struct event *next;
	int result = 0;

	for (; ev != NULL && result == 0; ev = next) {
		next = ev->ev_.ev_io.ev_io_next.le_next;
		result = visit(walk, ev);
	}
	return result;
}

static int visit_slot(struct evi_slot *slot, void *ctx)
{
	return visit_list(ctx, slot->first);
}

static int visit_inserted(struct walk *walk)
{
	struct event_base *base = walk->base;
	int result = evi_interest_each(&base->interest, visit_slot, walk);

	if (result == 0)
		result = visit_list(walk, base->unwatched);
	if (result == 0)
		result = evi_signal_each(base, visit_event, walk);
	return result;
}

static int visit_timers(struct walk *walk)
{
	struct event_base *base = walk->base;
	int result = evi_timers_each(&base->timers, visit_event, walk);

	for (int i = 0; i < base->common_count && result == 0; i++) {
		struct event *ends = &base->commons[i]->ends, *ev = ends;

		while (result == 0 &&
		       (ev = ev->ev_timeout_pos.ev_next_with_common_timeout.tqe_next) != ends)
			result = visit(walk, ev);
	}
	return result;
}

static int is_event(const struct event_callback *cb)
{
	return cb->evcb_closure != EVI_CLOSURE_DEFERRED;
}

static int visit_active(struct walk *walk)
{
	struct event_base *base = walk->base;
	int result = 0;

	for (int i = 0; i < base->priorities; i++) {
		struct event_callback *cb = base->active[i].first;

		for (; cb != NULL && result == 0; cb = cb->evcb_active_next.tqe_next) {
			if (is_event(cb))
				result = visit(walk, evi_event_of(cb));
		}
	}
	return result;
}

static int walk_all(struct event_base *base, event_base_foreach_event_cb fn, void *arg)
{
	struct walk walk = { .base = base, .fn = fn, .arg = arg };
	int result = visit_inserted(&walk);

	walk.visited = EVLIST_INSERTED;
	if (result == 0)
		result = visit_timers(&walk);
	walk.visited |= EVLIST_TIMEOUT;
	if (result == 0)
		result = visit_active(&walk);
	return result;
}

int event_base_foreach_event(struct event_base *base, event_base_foreach_event_cb fn, void *arg)
{
	int result;

	if (base == NULL || fn == NULL)
		return -1;
	evi_base_lock(base);
	result = walk_all(base, fn, arg);
	evi_base_unlock(base);
	return result;
}

struct bit {
	unsigned value;
	const char *name;
};

static const struct bit assigned_bits[] = {
	{ EV_READ, "Read" }, { EV_WRITE, "Write" }, { EV_CLOSED, "EOF" }, { EV_SIGNAL, "Signal" },
	{ EV_PERSIST, "Persist" }, { EV_ET, "ET" }, { 0, NULL },
};

static const struct bit active_bits[] = {
	{ EV_READ, "Read" }, { EV_WRITE, "Write" }, { EV_CLOSED, "EOF" }, { EV_SIGNAL, "Signal" },
	{ EV_TIMEOUT, "Timeout" }, { 0, NULL },
};

static void print_bits(FILE *output, unsigned bits, const struct bit *bit)
{
	for (; bit->name != NULL; bit++) {
		if (bits & bit->value)
			(void)fprintf(output, " %s", bit->name);
	}
}

static const char *kind_of(const struct event *ev)
{
	return ev->ev_events & EV_SIGNAL ? "sig" : "fd ";
}

static int print_inserted(const struct event_base *base, const struct event *ev, void *arg)
{
	FILE *output = arg;
	struct timeval at;

	if (!(evi_flags(ev) & (EVLIST_INSERTED | EVLIST_TIMEOUT)))
		return 0;
	(void)fprintf(output, "  %p [%s %ld]", (const void *)ev, kind_of(ev), (long)ev->ev_fd);
	print_bits(output, (unsigned)ev->ev_events, assigned_bits);
	if (evi_flags(ev) & EVLIST_INTERNAL)
		(void)fputs(" Internal", output);
	if (evi_flags(ev) & EVLIST_TIMEOUT) {
		evi_time_wall_of(base, evi_deadline(ev), &at);
		(void)fprintf(output, " Timeout=%ld.%06d", (long)at.tv_sec, (int)at.tv_usec);
	}
	(void)fputc('\n', output);
	return 0;
}

static int print_active(const struct event_base *base, const struct event *ev, void *arg)
{
	FILE *output = arg;

	(void)base;
	if (!(evi_flags(ev) & (EVLIST_ACTIVE | EVLIST_ACTIVE_LATER)))
		return 0;
	(void)fprintf(output, "  %p [%s %ld, priority=%d]", (const void *)ev, kind_of(ev),
		      (long)ev->ev_fd, ev->ev_evcallback.evcb_pri);
	print_bits(output, (unsigned)ev->ev_res, active_bits);
	(void)fputs(" active", output);
	if (evi_flags(ev) & EVLIST_INTERNAL)
		(void)fputs(" [Internal]", output);
	if (evi_flags(ev) & EVLIST_ACTIVE_LATER)
		(void)fputs(" [NextTime]", output);
	(void)fputc('\n', output);
	return 0;
}

void event_base_dump_events(struct event_base *base, FILE *output)
{
	if (base == NULL || output == NULL)
		return;
	evi_base_lock(base);
	(void)fputs("Inserted events:\n", output);
	(void)walk_all(base, print_inserted, output);
	(void)fputs("Active events:\n", output);
	(void)walk_all(base, print_active, output);
	evi_base_unlock(base);
}

static struct evi_counter *counter_of(struct event_base *base, unsigned flag)
{
	if (flag == EVENT_BASE_COUNT_ACTIVE)
		return &base->count_active;
	return flag == EVENT_BASE_COUNT_VIRTUAL ? &base->count_virtual : &base->count_added;
}

static const unsigned counter_flags[] = { EVENT_BASE_COUNT_ACTIVE, EVENT_BASE_COUNT_VIRTUAL,
	EVENT_BASE_COUNT_ADDED };

int event_base_get_num_events(struct event_base *base, unsigned int flags)
{
	int sum = 0;

	if (base == NULL)
		return -1;
	evi_base_lock(base);
	for (size_t i = 0; i < 3; i++)
		sum += flags & counter_flags[i] ? counter_of(base, counter_flags[i])->now : 0;
	evi_base_unlock(base);
	return sum;
}

int event_base_get_max_events(struct event_base *base, unsigned int flags, int clear)
{
	int sum = 0;

	if (base == NULL)
		return -1;
	evi_base_lock(base);
	for (size_t i = 0; i < 3; i++) {
		struct evi_counter *counter = counter_of(base, counter_flags[i]);

		if (!(flags & counter_flags[i]))
			continue;
		sum += counter->max;
		if (clear)
			counter->max = 0;
	}
	evi_base_unlock(base);
	return sum;
}

struct event *event_base_get_running_event(struct event_base *base)
{
	struct event *ev = NULL;

	if (base == NULL)
		return NULL;
	evi_base_lock(base);
	if (base->is_running && evi_base_in_loop_thread(base))
		ev = base->running;
	evi_base_unlock(base);
	return ev;
}
