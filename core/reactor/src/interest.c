/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of descriptors, and its reconciliation with the kernel: see interest.h. */

#include "base.h"

#include <errno.h>

static const uint8_t kinds[EVI_KINDS] = { EVI_READ, EVI_WRITE, EVI_CLOSED, EVI_EDGE };

static int grow_directory(struct evi_interest *in, size_t page)
{
	size_t count = in->page_count != 0 ? in->page_count : 4;
	struct evi_slot **pages;

	while (count <= page)
		count *= 2;
	pages = evi_realloc(in->pages, count * sizeof(struct evi_slot *));
	if (pages == NULL)
		return -ENOMEM;
	memset(pages + in->page_count, 0, (count - in->page_count) * sizeof(struct evi_slot *));
	in->pages = pages;
	in->page_count = count;
	return 0;
}

static evi_noinline int make_page(struct evi_interest *in, size_t page)
{
	struct evi_slot *slots;

	if (page >= in->page_count && grow_directory(in, page) < 0)
		return -ENOMEM;
	slots = evi_calloc(EVI_SLOTS_PER_PAGE, sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < EVI_SLOTS_PER_PAGE; i++)
		slots[i].fd = (evutil_socket_t)(page * EVI_SLOTS_PER_PAGE + i);
	in->pages[page] = slots;
	return 0;
}

/* The slot of `fd`, made if need be. 0 or -errno. */
static int slot_get(struct evi_interest *in, evutil_socket_t fd, struct evi_slot **ret_slot)
{
	if (fd >= EVI_FD_LIMIT)
		return -EMFILE;
	*ret_slot = evi_interest_find(in, fd);
	if (*ret_slot == NULL) {
		if (make_page(in, (size_t)fd / EVI_SLOTS_PER_PAGE) < 0)
			return -ENOMEM;
		*ret_slot = evi_interest_find(in, fd);
	}
	return 0;
}

static evi_noinline int grow_changed(struct evi_interest *in)
{
	size_t room = in->changed_room != 0 ? in->changed_room * 2 : 32;
	evutil_socket_t *changed;
	struct evi_change *batch;

	changed = evi_realloc(in->changed, room * sizeof(*changed));
	if (changed == NULL)
		return -ENOMEM;
	in->changed = changed;
	batch = evi_realloc(in->batch, room * sizeof(*batch));
	if (batch == NULL)
		return -ENOMEM;
	in->batch = batch;
	in->changed_room = room;
	return 0;
}

/* Room in the list of changes for one more descriptor, so that noting a change cannot fail. */
static int changed_reserve(struct evi_interest *in)
{
	return in->changed_used < in->changed_room ? 0 : grow_changed(in);
}

static struct evi_change change_of(struct evi_interest *in, struct evi_slot *slot)
{
	if (slot->kernel == 0 || slot->is_unsure)
		slot->tag = ++in->tags;
	return (struct evi_change) { .fd = slot->fd,
				     .before = slot->kernel,
				     .after = slot->wanted,
				     .is_unsure = slot->is_unsure,
				     .tag = slot->tag };
}

static void change_done(struct evi_slot *slot, const struct evi_change *change)
{
	slot->kernel = change->err == 0 ? change->after : 0;
	slot->is_unsure = 0;
}

static int apply_now(struct event_base *base, struct evi_slot *slot)
{
	struct evi_change change = change_of(&base->interest, slot);

	if (evi_base_is_copy(base))
		return 0; /* event_reinit() will register it */
	base->backend->apply(base->backend_state, &change, 1);
	change_done(slot, &change);
	if (change.is_ready)
		evi_wake_if_foreign(base);
	return change.err;
}

/* Without memory to note the change everything is told to the kernel anew, which is only slower. */
static void note_change(struct event_base *base, struct evi_slot *slot)
{
	struct evi_interest *in = &base->interest;

	if (slot->is_queued || (slot->wanted == slot->kernel && !slot->is_unsure))
		return;
	if (changed_reserve(in) < 0) {
		in->must_rebuild = 1;
		evi_wake_if_foreign(base);
		return;
	}
	slot->is_queued = 1;
	in->changed[in->changed_used++] = slot->fd;
	evi_wake_if_foreign(base);
}

static void list_insert(struct event **first, struct event *ev)
{
	ev->ev_.ev_io.ev_io_next.le_next = *first;
	if (*first != NULL)
		(*first)->ev_.ev_io.ev_io_next.le_prev = &ev->ev_.ev_io.ev_io_next.le_next;
	*first = ev;
	ev->ev_.ev_io.ev_io_next.le_prev = first;
}

static void list_remove(struct event *ev)
{
	struct event *next = ev->ev_.ev_io.ev_io_next.le_next;

	if (next != NULL)
		next->ev_.ev_io.ev_io_next.le_prev = ev->ev_.ev_io.ev_io_next.le_prev;
	*ev->ev_.ev_io.ev_io_next.le_prev = next;
}

static void count_up(struct evi_slot *slot, const struct event *ev)
{
	for (size_t i = 0; i < EVI_KINDS; i++) {
		if (ev->ev_events & kinds[i]) {
			slot->counts[i]++;
			slot->wanted |= kinds[i];
		}
	}
}

static void count_down(struct evi_slot *slot, const struct event *ev)
{
	for (size_t i = 0; i < EVI_KINDS; i++) {
		if ((ev->ev_events & kinds[i]) && --slot->counts[i] == 0)
			slot->wanted &= (uint8_t)~kinds[i];
	}
}

static int has_room(const struct evi_slot *slot, const struct event *ev)
{
	for (size_t i = 0; i < EVI_KINDS; i++) {
		if ((ev->ev_events & kinds[i]) && slot->counts[i] == UINT16_MAX)
			return 0;
	}
	return 1;
}

/* Edge- and level-triggered events on one descriptor cannot both be served. */
static int mixes_edges(const struct evi_slot *slot, const struct event *ev)
{
	return !(slot->first->ev_events & EV_ET) != !(ev->ev_events & EV_ET);
}

/* The kernel must know before event_add() returns: there is nothing yet, or nothing sure. */
static int must_apply_now(const struct event_base *base, const struct evi_slot *slot)
{
	if (slot->kernel != 0 && !slot->is_unsure)
		return 0;
	if (base->flags & EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST)
		return 0;
	/* The loop is woken, and makes the change. */
	return !base->is_sleeping || (base->backend->traits & EVI_BACKEND_LIVE);
}

int evi_interest_add(struct event_base *base, struct event *ev)
{
	struct evi_slot *slot;
	int err;

	if (ev->ev_fd < 0) {
		list_insert(&base->unwatched, ev);
		return 0;
	}
	err = slot_get(&base->interest, ev->ev_fd, &slot);
	if (err == 0)
		err = changed_reserve(&base->interest);
	if (err < 0)
		return err;
	if (slot->first != NULL &&
	    (!has_room(slot, ev) || (evi_debug_mode && mixes_edges(slot, ev))))
		return -EINVAL;
	if (slot->first == NULL && slot->kernel != 0 && !(evi_flags(ev) & EVI_TAKEN))
		slot->is_unsure = 1;

	count_up(slot, ev);
	if (must_apply_now(base, slot)) {
		err = apply_now(base, slot);
		if (err < 0) {
			count_down(slot, ev);
			return err;
		}
	} else {
		note_change(base, slot);
	}
	list_insert(&slot->first, ev);
	return 0;
}

/*
 * The kernel must know before event_del() returns: it would keep the file open, or the loop, in its
 * own thread, would later name a descriptor that this thread has closed and another one opened.
 */
static int must_leave_now(struct event_base *base)
{
	unsigned traits = base->backend->traits;

	if (traits & EVI_BACKEND_LIVE)
		return base->is_running && !evi_base_in_loop_thread(base);
	return (traits & EVI_BACKEND_EAGER_LEAVE) && !base->is_sleeping;
}

void evi_interest_remove(struct event_base *base, struct event *ev, int by_running)
{
	struct evi_slot *slot;

	list_remove(ev);
	if (ev->ev_fd < 0)
		return;
	slot = evi_interest_find(&base->interest, ev->ev_fd);
	count_down(slot, ev);
	if (slot->first == NULL && !by_running)
		slot->is_unsure = slot->kernel != 0;
	if (slot->first == NULL && slot->kernel != 0 && !by_running && must_leave_now(base))
		(void)apply_now(base, slot);
	else
		note_change(base, slot);
}

/*
 * If another process or a duplicate keeps the file open, the kernel goes on watching it; but then
 * it could not be told by number after the close either.
 */
int evi_base_close_socket(struct event_base *base, evutil_socket_t fd)
{
	if (base != NULL && (base->backend->traits & EVI_BACKEND_LEAVES_CLOSED)) {
		struct evi_slot *slot;

		evi_base_lock(base);
		slot = evi_interest_find(&base->interest, fd);
		if (slot != NULL && slot->first == NULL)
			slot->kernel = slot->is_unsure = 0;
		evi_base_unlock(base);
	}
	return evutil_closesocket(fd);
}

/* The kernel will not watch what was accepted: whoever waits for it learns it by trying. */
static void report_failure(struct evi_slot *slot, int err)
{
	evi_log_socket_error(-err, "watching descriptor %d", (int)slot->fd);
	for (struct event *ev = slot->first; ev != NULL; ev = ev->ev_.ev_io.ev_io_next.le_next)
		evi_event_activate(ev, (unsigned)ev->ev_events & EVI_IO_EVENTS, 1);
}

static evi_noinline void rebuild(struct event_base *base)
{
	const struct evi_backend *backend = base->backend;
	void *state;
	int err = backend->open(&state, base->flags);

	base->interest.must_rebuild = 0;
	if (err < 0) {
		evi_log_socket_error(-err, "making %s anew", backend->name);
		return;
	}
	backend->close(evi_base_replace_state(base, state));
	(void)evi_interest_register_all(base);
}

static evi_noinline void apply_changes(struct event_base *base)
{
	struct evi_interest *in = &base->interest;
	size_t n = 0;

	for (size_t i = 0; i < in->changed_used; i++) {
		struct evi_slot *slot = evi_interest_find(in, in->changed[i]);

		slot->is_queued = 0;
		if (slot->wanted != slot->kernel || slot->is_unsure)
			in->batch[n++] = change_of(in, slot);
	}
	in->changed_used = 0;
	if (n == 0)
		return;
	base->backend->apply(base->backend_state, in->batch, n);
	for (size_t i = 0; i < n; i++) {
		struct evi_slot *slot = evi_interest_find(in, in->batch[i].fd);

		change_done(slot, &in->batch[i]);
		if (in->batch[i].err < 0 && in->batch[i].after != 0)
			report_failure(slot, in->batch[i].err);
	}
}

void evi_interest_apply(struct event_base *base)
{
	if (EVI_UNLIKELY(base->interest.must_rebuild))
		rebuild(base);
	if (base->interest.changed_used != 0)
		apply_changes(base);
}

struct registration {
	struct event_base *base;
	int err;
};

static int register_slot(struct evi_slot *slot, void *ctx)
{
	struct registration *r = ctx;
	int err;

	slot->kernel = 0;
	slot->is_unsure = 0;
	if (slot->wanted == 0)
		return 0;
	err = apply_now(r->base, slot);
	if (err < 0 && r->err == 0)
		r->err = err;
	if (err < 0)
		report_failure(slot, err);
	return 0;
}

static int each_slot(struct evi_interest *in, int (*fn)(struct evi_slot *, void *), void *ctx,
		     int (*is_meant)(const struct evi_slot *))
{
	for (size_t page = 0; page < in->page_count; page++) {
		if (in->pages[page] == NULL)
			continue;
		for (size_t i = 0; i < EVI_SLOTS_PER_PAGE; i++) {
			struct evi_slot *slot = &in->pages[page][i];
			int result = is_meant(slot) ? fn(slot, ctx) : 0;

			if (result != 0)
				return result;
		}
	}
	return 0;
}

static int is_in_use(const struct evi_slot *slot)
{
	return slot->first != NULL;
}

static int is_known(const struct evi_slot *slot)
{
	return slot->first != NULL || slot->kernel != 0;
}

int evi_interest_register_all(struct event_base *base)
{
	struct registration r = { .base = base };

	(void)each_slot(&base->interest, register_slot, &r, is_known);
	return r.err;
}

int evi_interest_each(struct evi_interest *in, int (*fn)(struct evi_slot *, void *), void *ctx)
{
	return each_slot(in, fn, ctx, is_in_use);
}

void evi_interest_done(struct evi_interest *in)
{
	for (size_t page = 0; page < in->page_count; page++)
		evi_free(in->pages[page]);
	evi_free(in->pages);
	evi_free(in->changed);
	evi_free(in->batch);
	memset(in, 0, sizeof(*in));
}
