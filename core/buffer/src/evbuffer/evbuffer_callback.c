/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evbuffer: change callbacks, at once or deferred to the loop.
 *
 * A round calls every enabled callback with one and the same info, the most recently added first.
 * While any round runs, entries that are removed are only marked and stay linked; new ones are
 * linked before the first, where a running round does not come by. The last round to end sweeps.
 *
 * Lock: held during rounds, as the public header promises.
 */

#include "evbuffer.h"

#include "chain/chain.h"

#include <event2/buffer_compat.h>

#include <assert.h>
#include <stddef.h>

#define ENTRY_USER_BITS 0xffffU /* of the flags, what users may change */
#define ENTRY_LEGACY (1U << 16) /* `fn.legacy` is the one set */
#define ENTRY_DEAD (1U << 17)   /* removed while a round runs */

struct evbuffer_cb_entry {
	struct evbuffer_cb_entry *next;
	union {
		evbuffer_cb_func func;
		evbuffer_cb legacy;
	} fn;
	void *arg;
	uint32_t flags; /* EVBUFFER_CB_ENABLED, ENTRY_* */
};

/* Rounds run from the loop: what has changed since the last one. */
struct evi_deferral {
	struct evi_deferred deferred;
	struct evbuffer *buf;
	struct event_base *base; /* where the next round will be queued */
	size_t orig_len;         /* the length when `is_pending` was set */
	size_t added, deleted;
	int is_pending;
};

static int entry_is_on(const struct evbuffer_cb_entry *entry)
{
	return (entry->flags & (EVBUFFER_CB_ENABLED | ENTRY_DEAD)) == EVBUFFER_CB_ENABLED;
}

static int any_is_on(const struct evbuffer *buf)
{
	for (const struct evbuffer_cb_entry *e = buf->callbacks; e != NULL; e = e->next)
		if (entry_is_on(e))
			return 1;
	return 0;
}

/* Keeps the flag that fast paths look at in step with the list. */
static void update_watched(struct evbuffer *buf)
{
	if (any_is_on(buf))
		buf->flags |= EVI_BUF_WATCHED;
	else
		buf->flags &= (uint16_t)~EVI_BUF_WATCHED;
}

static void sweep(struct evbuffer *buf)
{
	struct evbuffer_cb_entry **link = &buf->callbacks;

	buf->has_dead = 0;
	while (*link != NULL) {
		struct evbuffer_cb_entry *entry = *link;

		if (entry->flags & ENTRY_DEAD) {
			*link = entry->next;
			evi_free(entry);
		} else {
			link = &entry->next;
		}
	}
}

static void entry_call(struct evbuffer_cb_entry *entry, struct evbuffer *buf,
		       const struct evbuffer_cb_info *info)
{
	if (entry->flags & ENTRY_LEGACY)
		entry->fn.legacy(buf, info->orig_size,
				 info->orig_size + info->n_added - info->n_deleted, entry->arg);
	else
		entry->fn.func(buf, info, entry->arg);
}

/*
 * The caller holds a reference. A callback that frees the buffer ends the round; a buffer that was
 * freed while a deferred round was pending still gets it whole.
 */
static void run_round(struct evbuffer *buf, const struct evbuffer_cb_info *info)
{
	unsigned freed = buf->flags & EVI_BUF_FREED;

	buf->rounds++;
	for (struct evbuffer_cb_entry *e = buf->callbacks; e != NULL; e = e->next)
		if (entry_is_on(e) && (buf->flags & EVI_BUF_FREED) == freed)
			entry_call(e, buf, info);
	buf->rounds--;
	if (buf->has_dead && buf->rounds == 0)
		sweep(buf);
}

/* The buffer's reference is what keeps a freed buffer readable until the round has run. */
static void schedule(struct evbuffer *buf, size_t added, size_t deleted)
{
	struct evi_deferral *d = buf->deferral;

	if (!d->is_pending) {
		d->is_pending = 1;
		d->orig_len = buf->len + deleted - added;
		d->added = d->deleted = 0;
		buf->refs++;
		if (buf->owner_ops != NULL)
			buf->owner_ops->ref(buf->owner);
		evi_deferred_schedule(d->base, &d->deferred);
	}
	d->added += added;
	d->deleted += deleted;
}

static void run_deferred(struct evi_deferred *deferred, void *arg)
{
	struct evbuffer *buf = arg;
	struct evi_deferral *d = buf->deferral;
	const struct evi_evbuffer_owner_ops *ops = buf->owner_ops;
	void *owner = buf->owner;
	struct evbuffer_cb_info info;

	(void)deferred;
	evi_evbuffer_lock(buf);
	info = (struct evbuffer_cb_info){ .orig_size = d->orig_len,
					  .n_added = d->added,
					  .n_deleted = d->deleted };
	d->is_pending = 0;
	run_round(buf, &info);
	evi_evbuffer_unref_unlock(buf);
	if (ops != NULL)
		ops->unref(owner);
}

static int concerns_owner(const struct evbuffer *buf, size_t added, size_t deleted)
{
	return (added > 0 && (buf->flags & EVI_BUF_OWNER_GROWTH)) ||
	       (deleted > 0 && (buf->flags & EVI_BUF_OWNER_LOSS));
}

void evi_evbuffer_tell(struct evbuffer *buf, size_t added, size_t deleted)
{
	struct evbuffer_cb_info info = { .orig_size = buf->len + deleted - added,
					 .n_added = added,
					 .n_deleted = deleted };

	buf->refs++;
	if (buf->callbacks == NULL)
		; /* only the owner hears of it */
	else if (buf->deferral == NULL)
		run_round(buf, &info);
	else if (any_is_on(buf))
		schedule(buf, added, deleted);
	if (concerns_owner(buf, added, deleted))
		buf->owner_ops->changed(buf->owner, buf);
	buf->refs--;
}

/* A pending round would hold a reference, so there is none left to cancel. */
void evi_evbuffer_callbacks_done(struct evbuffer *buf)
{
	struct evbuffer_cb_entry *entry = buf->callbacks;

	buf->callbacks = NULL;
	while (entry != NULL) {
		struct evbuffer_cb_entry *next = entry->next;

		evi_free(entry);
		entry = next;
	}
	assert(buf->deferral == NULL || !buf->deferral->is_pending);
	evi_free(buf->deferral);
	buf->deferral = NULL;
}

/* --- The API ---------------------------------------------------------------------------------- */

static struct evbuffer_cb_entry *add_locked(struct evbuffer *buf, void *arg, uint32_t flags)
{
	struct evbuffer_cb_entry *entry = evi_calloc(1, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->arg = arg;
	entry->flags = EVBUFFER_CB_ENABLED | flags;
	entry->next = buf->callbacks;
	buf->callbacks = entry;
	buf->flags |= EVI_BUF_WATCHED;
	return entry;
}

static void remove_locked(struct evbuffer *buf, struct evbuffer_cb_entry *entry)
{
	entry->flags |= ENTRY_DEAD;
	buf->has_dead = 1;
	if (buf->rounds == 0)
		sweep(buf);
	update_watched(buf);
}

struct evbuffer_cb_entry *evbuffer_add_cb(struct evbuffer *buf, evbuffer_cb_func fn, void *arg)
{
	struct evbuffer_cb_entry *entry;

	if (fn == NULL)
		return NULL;
	evi_evbuffer_lock(buf);
	entry = add_locked(buf, arg, 0);
	if (entry != NULL)
		entry->fn.func = fn;
	evi_evbuffer_unlock(buf);
	return entry;
}

int evbuffer_remove_cb_entry(struct evbuffer *buf, struct evbuffer_cb_entry *entry)
{
	evi_evbuffer_lock(buf);
	remove_locked(buf, entry);
	evi_evbuffer_unlock(buf);
	return 0;
}

int evbuffer_remove_cb(struct evbuffer *buf, evbuffer_cb_func fn, void *arg)
{
	struct evbuffer_cb_entry *entry;

	evi_evbuffer_lock(buf);
	for (entry = buf->callbacks; entry != NULL; entry = entry->next)
		if (!(entry->flags & (ENTRY_DEAD | ENTRY_LEGACY)) && entry->fn.func == fn &&
		    entry->arg == arg)
			break;
	if (entry != NULL)
		remove_locked(buf, entry);
	evi_evbuffer_unlock(buf);
	return entry != NULL ? 0 : -1;
}

int evbuffer_cb_set_flags(struct evbuffer *buf, struct evbuffer_cb_entry *entry, ev_uint32_t flags)
{
	evi_evbuffer_lock(buf);
	entry->flags |= flags & ENTRY_USER_BITS;
	update_watched(buf);
	evi_evbuffer_unlock(buf);
	return 0;
}

int evbuffer_cb_clear_flags(struct evbuffer *buf, struct evbuffer_cb_entry *entry,
			    ev_uint32_t flags)
{
	evi_evbuffer_lock(buf);
	entry->flags &= ~(flags & ENTRY_USER_BITS);
	update_watched(buf);
	evi_evbuffer_unlock(buf);
	return 0;
}

/* Makes room for the new callback last: whatever happens, the old ones are gone. */
int evbuffer_setcb(struct evbuffer *buf, evbuffer_cb fn, void *arg)
{
	struct evbuffer_cb_entry *entry = NULL;

	evi_evbuffer_lock(buf);
	for (entry = buf->callbacks; entry != NULL; entry = entry->next)
		entry->flags |= ENTRY_DEAD;
	buf->has_dead = 1;
	if (buf->rounds == 0)
		sweep(buf);
	update_watched(buf);
	if (fn != NULL) {
		entry = add_locked(buf, arg, ENTRY_LEGACY);
		if (entry != NULL)
			entry->fn.legacy = fn;
	}
	evi_evbuffer_unlock(buf);
	return fn == NULL || entry != NULL ? 0 : -1;
}

static struct evi_deferral *deferral_new(struct evbuffer *buf, struct event_base *base)
{
	struct evi_deferral *d = evi_calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->buf = buf;
	evi_deferred_init(&d->deferred, event_base_get_npriorities(base) / 2, run_deferred, buf);
	return d;
}

int evbuffer_defer_callbacks(struct evbuffer *buf, struct event_base *base)
{
	evi_evbuffer_lock(buf);
	if (buf->deferral == NULL)
		buf->deferral = deferral_new(buf, base);
	if (buf->deferral != NULL)
		buf->deferral->base = base;
	evi_evbuffer_unlock(buf);
	return buf->deferral != NULL ? 0 : -1;
}
