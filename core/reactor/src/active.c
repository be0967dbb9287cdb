/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is to be run: one first-in-first-out queue of callbacks per priority, and a bitmap of those
 * that are not empty. Queues are made of the callbacks themselves, so nothing here allocates.
 */

#include "base.h"

/* Deferred callbacks taken per iteration; more wait, so that the loop still polls. */
#define DEFERRED_MAX 32

int evi_active_init(struct event_base *base, int priorities)
{
	struct evi_queue *queues = evi_calloc((size_t)priorities, sizeof(*queues));

	if (queues == NULL)
		return -1;
	for (int i = 0; i < priorities; i++)
		queues[i].last = &queues[i].first;
	evi_free(base->active);
	base->active = queues;
	base->priorities = priorities;
	if (base->later.last == NULL)
		base->later.last = &base->later.first;
	return 0;
}

void evi_active_done(struct event_base *base)
{
	evi_free(base->active);
}

static void queue_append(struct evi_queue *queue, struct event_callback *cb)
{
	cb->evcb_active_next.tqe_next = NULL;
	cb->evcb_active_next.tqe_prev = queue->last;
	*queue->last = cb;
	queue->last = &cb->evcb_active_next.tqe_next;
}

static void queue_unlink(struct evi_queue *queue, struct event_callback *cb)
{
	struct event_callback *next = cb->evcb_active_next.tqe_next;

	if (next != NULL)
		next->evcb_active_next.tqe_prev = cb->evcb_active_next.tqe_prev;
	else
		queue->last = cb->evcb_active_next.tqe_prev;
	*cb->evcb_active_next.tqe_prev = next;
}

int evi_active_first(const struct event_base *base)
{
	for (int word = 0; word <= (base->priorities - 1) / 64; word++) {
		if (base->nonempty[word] != 0)
			return word * 64 + __builtin_ctzll(base->nonempty[word]);
	}
	return -1;
}

/* The caller sees to the largest numbers that the counters have been at. */
static void enqueue(struct event_base *base, struct event_callback *cb)
{
	struct evi_queue *queue;

	/* The base may have fewer priorities now than when the callback got its own. */
	if (EVI_UNLIKELY(cb->evcb_pri >= base->priorities))
		cb->evcb_pri = (ev_uint8_t)(base->priorities - 1);
	queue = &base->active[cb->evcb_pri];
	if (queue->first == NULL)
		base->nonempty[cb->evcb_pri / 64u] |= UINT64_C(1) << (cb->evcb_pri % 64u);
	queue_append(queue, cb);
	cb->evcb_flags |= EVLIST_ACTIVE;
	base->count_active.now++;
	base->count_added.now++;
}

void evi_active_insert(struct event_base *base, struct event_callback *cb)
{
	enqueue(base, cb);
	evi_active_note_most(base);
	/* Something more urgent than what runs: back to the poll after the present callback. */
	if (cb->evcb_pri < base->running_priority)
		base->is_pass_over = 1;
	evi_wake_if_foreign(base);
}

static void insert_later(struct event_base *base, struct event_callback *cb)
{
	queue_append(&base->later, cb);
	cb->evcb_flags |= EVLIST_ACTIVE_LATER;
	base->count_active.now++;
	base->count_added.now++;
	evi_active_note_most(base);
	evi_wake_if_foreign(base);
}

void evi_active_remove(struct event_base *base, struct event_callback *cb)
{
	if (cb->evcb_flags & EVLIST_ACTIVE_LATER) {
		queue_unlink(&base->later, cb);
	} else {
		int pri = cb->evcb_pri;

		queue_unlink(&base->active[pri], cb);
		if (base->active[pri].first == NULL)
			base->nonempty[pri / 64] &= ~(UINT64_C(1) << (pri % 64));
	}
	cb->evcb_flags = (short)(cb->evcb_flags & ~(EVLIST_ACTIVE | EVLIST_ACTIVE_LATER));
	evi_count_down(&base->count_active);
	evi_count_down(&base->count_added);
}

void evi_active_next_iteration(struct event_base *base)
{
	base->deferred_taken = 0;
	while (base->later.first != NULL && base->deferred_taken < DEFERRED_MAX) {
		struct event_callback *cb = base->later.first;

		evi_active_remove(base, cb);
		evi_active_insert(base, cb);
		base->deferred_taken++;
	}
}

static short clamp_calls(int calls)
{
	if (calls < 1)
		return 1;
	return (short)(calls < SHRT_MAX ? calls : SHRT_MAX);
}

void evi_event_activate(struct event *ev, unsigned what, int calls)
{
	struct event_base *base = ev->ev_base;
	unsigned flags = evi_flags(ev);

	if (flags & EVLIST_FINALIZING)
		return;
	if (flags & EVLIST_ACTIVE) {
		ev->ev_res = (short)((unsigned)ev->ev_res | what);
		return;
	}
	ev->ev_res = (short)what;
	if (ev->ev_events & EV_SIGNAL)
		ev->ev_.ev_signal.ev_ncalls = clamp_calls(calls);
	evi_active_insert(base, &ev->ev_evcallback);
}

/* An internal event's callback is the library's own, short, and run on the spot. */
static void report_to(struct event *ev, unsigned what)
{
	if (evi_flags(ev) & EVLIST_INTERNAL)
		ev->ev_evcallback.evcb_cb_union.evcb_callback(ev->ev_fd, (short)what,
							      ev->ev_evcallback.evcb_arg);
	else
		evi_event_activate(ev, what, 1);
}

static evi_noinline void report_to_all(struct event_base *base, struct event *first, unsigned what)
{
	unsigned edge = base->backend->features & EV_FEATURE_ET ? EV_ET : 0;
	struct event *next;

	for (struct event *ev = first; ev != NULL; ev = next) {
		next = ev->ev_.ev_io.ev_io_next.le_next;
		if (what & (unsigned)ev->ev_events)
			report_to(ev, (what | edge) & (unsigned)ev->ev_events);
	}
}

/*
 * A signal, or a descriptor that the base does not have under this tag: then the kernel has an
 * entry that is not ours any more and cannot be named, and everything is made anew.
 */
static void report_other(struct event_base *base, evutil_socket_t fd, unsigned what)
{
	if (what == EVI_SIGNAL)
		evi_signal_activate(base, -(int)fd, 1);
	else
		base->interest.must_rebuild = 1;
}

/* Most descriptors have one event, about which there is nothing to be asked. */
static int is_plain(const struct event *ev, unsigned what)
{
	return ev != NULL && ev->ev_.ev_io.ev_io_next.le_next == NULL &&
	       !(evi_flags(ev) & (EVLIST_INTERNAL | EVLIST_FINALIZING | EVLIST_ACTIVE)) &&
	       (what & (unsigned)ev->ev_events) && !(ev->ev_events & EV_ET);
}

/* Whether a slot that has changed, or another tag, is meant all the same. */
static int is_meant(struct event_base *base, const struct evi_slot *slot, evutil_socket_t fd,
		    uint32_t tag, unsigned what)
{
	int is_tagged = (base->backend->traits & EVI_BACKEND_TAGGED) != 0;

	/*
	 * Changed during the wait: this may be about another file, and the next wait tells again.
	 */
	if (!is_tagged && slot != NULL && slot->is_queued)
		return 0;
	if (slot == NULL || slot->kernel == 0 || (is_tagged && slot->tag != tag)) {
		report_other(base, fd, what);
		return 0;
	}
	return 1;
}

void evi_active_report(void *ctx, evutil_socket_t fd, uint32_t tag, unsigned what)
{
	struct event_base *base = ctx;
	struct evi_slot *slot = evi_interest_find(&base->interest, fd);

	if (EVI_UNLIKELY(slot == NULL || slot->kernel == 0 || slot->tag != tag ||
			 slot->is_queued) &&
	    !is_meant(base, slot, fd, tag, what))
		return;
	what &= EVI_IO_EVENTS;
	if (is_plain(slot->first, what)) {
		slot->first->ev_res = (short)(what & (unsigned)slot->first->ev_events);
		enqueue(base, &slot->first->ev_evcallback);
	} else {
		report_to_all(base, slot->first, what);
	}
}

void event_active(struct event *ev, int res, short ncalls)
{
	struct event_base *base = ev->ev_base;

	EVI_CHECK(evi_debug_check_assigned(ev, "event_active"));
	if (base == NULL) {
		event_warnx("event_active: the event has no base");
		return;
	}
	if (EVI_UNLIKELY(base->lock != NULL) && !evi_base_in_loop_thread(base) &&
	    evi_post(base, ev, (unsigned)res, ncalls))
		return;
	evi_base_lock(base);
	evi_event_activate(ev, (unsigned)res, ncalls);
	evi_base_unlock(base);
}

static void activate_slot(struct evi_slot *slot, unsigned what)
{
	for (struct event *ev = slot->first; ev != NULL; ev = ev->ev_.ev_io.ev_io_next.le_next) {
		unsigned mine = what & (unsigned)ev->ev_events & EVI_IO_EVENTS;

		if ((what & EV_TIMEOUT) && (evi_flags(ev) & EVLIST_TIMEOUT))
			mine |= EV_TIMEOUT;
		if (mine != 0 && !(evi_flags(ev) & EVLIST_INTERNAL))
			evi_event_activate(ev, mine, 1);
	}
}

void event_base_active_by_fd(struct event_base *base, evutil_socket_t fd, short events)
{
	struct evi_slot *slot;

	if (base == NULL)
		return;
	evi_base_lock(base);
	slot = evi_interest_find(&base->interest, fd);
	if (slot != NULL)
		activate_slot(slot, (unsigned short)events);
	evi_base_unlock(base);
}

void event_base_active_by_signal(struct event_base *base, int sig)
{
	if (base == NULL)
		return;
	evi_base_lock(base);
	evi_signal_activate(base, sig, 1);
	evi_base_unlock(base);
}

void evi_deferred_init(struct evi_deferred *deferred, int priority, evi_deferred_fn fn, void *arg)
{
	memset(deferred, 0, sizeof(*deferred));
	deferred->callback.evcb_flags = EVLIST_INIT;
	deferred->callback.evcb_closure = EVI_CLOSURE_DEFERRED;
	deferred->callback.evcb_cb_union.evcb_selfcb =
		(void (*)(struct event_callback *, void *))(void (*)(void))fn;
	deferred->callback.evcb_arg = arg;
	evi_deferred_set_priority(deferred, priority);
}

void evi_deferred_set_priority(struct evi_deferred *deferred, int priority)
{
	if (priority < 0)
		priority = 0;
	if (priority >= EVENT_MAX_PRIORITIES)
		priority = EVENT_MAX_PRIORITIES - 1;
	deferred->callback.evcb_pri = (ev_uint8_t)priority;
}

int evi_deferred_schedule(struct event_base *base, struct evi_deferred *deferred)
{
	struct event_callback *cb = &deferred->callback;
	int is_new;

	evi_base_lock(base);
	is_new = !(cb->evcb_flags & (EVLIST_ACTIVE | EVLIST_ACTIVE_LATER));
	if (is_new && base->deferred_taken < DEFERRED_MAX) {
		base->deferred_taken++;
		evi_active_insert(base, cb);
	} else if (is_new) {
		insert_later(base, cb);
	}
	evi_base_unlock(base);
	return is_new;
}

void evi_deferred_cancel(struct event_base *base, struct evi_deferred *deferred)
{
	evi_base_lock(base);
	if (deferred->callback.evcb_flags & (EVLIST_ACTIVE | EVLIST_ACTIVE_LATER))
		evi_active_remove(base, &deferred->callback);
	evi_base_unlock(base);
}
