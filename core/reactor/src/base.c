/* SPDX-License-Identifier: BSD-3-Clause */
/* Making a base, taking it apart, and making it a base of its own after a fork. */

#include "base.h"
#include "env.h"
#include "os/os_port.h"

#include <errno.h>

struct event_base *event_global_current_base_;

struct event_base *evi_current_base(void)
{
	return event_global_current_base_;
}

static int is_eligible(const struct evi_backend *backend, const struct event_config *cfg, int flags)
{
	if (evi_config_avoids(cfg, backend->name))
		return 0;
	if (cfg != NULL && (backend->features & cfg->features) != cfg->features)
		return 0;
	return (flags & EVENT_BASE_FLAG_IGNORE_ENV) || evi_getenv(backend->env) == NULL;
}

/* The first backend that qualifies and works here. */
static int choose_backend(struct event_base *base, const struct event_config *cfg)
{
	for (size_t i = 0; evi_backends[i] != NULL; i++) {
		const struct evi_backend *backend = evi_backends[i];

		if (is_eligible(backend, cfg, base->flags) &&
		    backend->open(&base->backend_state, base->flags) == 0) {
			base->backend = backend;
			return 0;
		}
	}
	event_warnx("event_base_new: no backend is available");
	return -1;
}

static int set_up_threads(struct event_base *base, const struct event_config *cfg)
{
	if (!evi_threading_enabled() || (base->flags & EVENT_BASE_FLAG_NOLOCK))
		return 0;
	base->lock = evi_lock_new();
	if (base->lock == NULL || evi_posts_init(base) < 0)
		return -1;
	base->callback_done = evi_cond_new();
	if (evi_wake_open(base) < 0)
		return -1;
	if (base->flags & EVENT_BASE_FLAG_STARTUP_IOCP)
		return evi_port_open(base, cfg != NULL ? cfg->cpus : 0);
	return 0;
}

static void init_fields(struct event_base *base, const struct event_config *cfg)
{
	base->flags = evi_config_flags(cfg);
	base->max_interval_ns = cfg != NULL ? cfg->max_interval_ns : -1;
	base->max_callbacks = cfg != NULL ? cfg->max_callbacks : INT_MAX;
	base->min_priority = cfg != NULL ? cfg->min_priority : 0;
	base->running_priority = -1;
	base->wake_write = -1;
	base->round_end_last = &base->round_end;
	base->fork_count = evi_fork_count();
	evi_timers_init(&base->timers);
}

struct event_base *event_base_new_with_config(const struct event_config *cfg)
{
	struct event_base *base = evi_calloc(1, sizeof(*base));

	if (base == NULL)
		return NULL;
	init_fields(base, cfg);
	evi_thread_note_base();
	evi_debug_note_object();
	EVI_CHECK(evi_debug_prepare());
	if (evi_active_init(base, 1) < 0 || choose_backend(base, cfg) < 0 ||
	    set_up_threads(base, cfg) < 0) {
		event_base_free_nofinalize(base);
		return NULL;
	}
	if (evi_getenv("EVENT_SHOW_METHOD") != NULL)
		evi_log_msg("libevent using: %s", event_base_get_method(base));
	return base;
}

struct event_base *event_base_new(void)
{
	return event_base_new_with_config(NULL);
}

static struct event_callback *first_finalizer(const struct event_base *base)
{
	for (int pri = 0; pri < base->priorities; pri++) {
		struct event_callback *cb = base->active[pri].first;

		for (; cb != NULL; cb = cb->evcb_active_next.tqe_next) {
			if (cb->evcb_closure == EVI_CLOSURE_FINALIZE)
				return cb;
		}
	}
	return NULL;
}

/* A finalizer may queue another. */
static void run_finalizers(struct event_base *base)
{
	struct event_callback *cb;

	while ((cb = first_finalizer(base)) != NULL) {
		evi_active_remove(base, cb);
		evi_finalizer_run(base, evi_event_of(cb));
	}
}

static int orphan_slot(struct evi_slot *slot, void *ctx)
{
	struct event *next;

	(void)ctx;
	for (struct event *ev = slot->first; ev != NULL; ev = next) {
		next = ev->ev_.ev_io.ev_io_next.le_next;
		if (!(evi_flags(ev) & EVLIST_INTERNAL))
			evi_event_orphan(ev);
	}
	return 0;
}

static void orphan_active(struct event_base *base)
{
	int pri;

	while ((pri = evi_active_first(base)) >= 0 || base->later.first != NULL) {
		struct event_callback *cb = pri >= 0 ? base->active[pri].first : base->later.first;

		if (cb->evcb_closure == EVI_CLOSURE_DEFERRED)
			evi_active_remove(base, cb);
		else
			evi_event_orphan(evi_event_of(cb));
	}
}

static int orphan_timer(struct event *ev, void *ctx)
{
	(void)ctx;
	evi_event_orphan(ev);
	return 0;
}

static void orphan_events(struct event_base *base)
{
	(void)evi_interest_each(&base->interest, orphan_slot, NULL);
	while (base->unwatched != NULL)
		evi_event_orphan(base->unwatched);
	evi_signal_done(base);
	evi_common_done(base);
	(void)evi_timers_each(&base->timers, orphan_timer, NULL);
	if (base->active != NULL)
		orphan_active(base);
	while (base->round_end != NULL)
		(void)evi_round_end_cancel(base, base->round_end);
}

static void base_free(struct event_base *base, int with_finalizers)
{
	if (base == NULL)
		base = event_global_current_base_;
	if (base == NULL) {
		event_warnx("event_base_free: no base to free");
		return;
	}
	if (base == event_global_current_base_)
		event_global_current_base_ = NULL;
	evi_base_lock(base);
	if (with_finalizers)
		run_finalizers(base); /* which lets go of the lock meanwhile */
	evi_base_unlock(base);
	evi_port_close(base);
	evi_once_done(base);
	orphan_events(base);
	evi_watch_done(base);
	evi_wake_close(base);
	if (base->backend != NULL)
		base->backend->close(base->backend_state);
	evi_interest_done(&base->interest);
	evi_active_done(base);
	evi_posts_done(base);
	evi_cond_free(base->callback_done);
	evi_lock_free(base->lock);
	evi_free(base);
}

void event_base_free(struct event_base *base)
{
	base_free(base, 1);
}

void event_base_free_nofinalize(struct event_base *base)
{
	base_free(base, 0);
}

/* The old state is closed last: a signal that nobody watches could end the process. */
void *evi_base_replace_state(struct event_base *base, void *state)
{
	void *old = base->backend_state;

	base->backend_state = state;
	if (evi_signal_watch_all(base) < 0)
		event_warnx("%s: a signal is not watched any more", base->backend->name);
	return old;
}

/* The child shares the parent's kernel objects: it lets go of them and makes its own. */
static int reinit(struct event_base *base)
{
	int had_wake = base->wake_write >= 0, err;
	void *state;

	err = base->backend->open(&state, base->flags);
	if (err < 0)
		return err;
	base->backend->close(evi_base_replace_state(base, state));
	base->fork_count = evi_fork_count();
	base->loop_thread = evi_thread_id();
	base->is_sleeping = 0;
	base->interest.must_rebuild = 0;
	err = evi_interest_register_all(base);
	evi_wake_close(base);
	if (had_wake && evi_wake_open(base) < 0 && err == 0)
		err = -EMFILE;
	if (evi_signal_reinit(base) < 0 && err == 0)
		err = -EMFILE;
	return err;
}

int event_reinit(struct event_base *base)
{
	int err;

	if (base == NULL)
		return -1;
	evi_base_lock(base);
	err = reinit(base);
	evi_base_unlock(base);
	return err < 0 ? -1 : 0;
}

const char **event_get_supported_methods(void)
{
	return evi_backend_names;
}

const char *event_base_get_method(const struct event_base *base)
{
	EVI_ASSERT(base != NULL);
	if (base->backend->changelist_name != NULL &&
	    (base->flags & EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST))
		return base->backend->changelist_name;
	return base->backend->name;
}

int event_base_get_features(const struct event_base *base)
{
	return base->backend->features;
}

int event_base_get_npriorities(struct event_base *base)
{
	int n;

	if (base == NULL)
		base = event_global_current_base_;
	if (base == NULL)
		return -1;
	evi_base_lock(base);
	n = base->priorities;
	evi_base_unlock(base);
	return n;
}

int event_base_priority_init(struct event_base *base, int npriorities)
{
	int result = -1;

	if (base == NULL || npriorities < 1 || npriorities > EVENT_MAX_PRIORITIES)
		return -1;
	evi_base_lock(base);
	if (base->count_active.now == 0) {
		result = npriorities == base->priorities ? 0 : evi_active_init(base, npriorities);
		base->is_pass_over = 1; /* the queue that runs may be gone */
	}
	evi_base_unlock(base);
	return result;
}
