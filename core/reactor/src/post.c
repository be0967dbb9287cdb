/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * event_active() from threads other than the loop's. They do not compete with the loop for its
 * lock, but put a note into a small table, which whoever takes the base lock next reads before all
 * else: nobody who looks under that lock can tell the difference. An event that has a note already
 * only gets more bits, without any lock.
 *
 * The loop is woken by a new note, if it sleeps. It says that it sleeps before it looks at the
 * table a last time, and a thread fills the table before it looks whether the loop sleeps: one of
 * them sees the other.
 */

#include "base.h"

#define NOTES 128

/* In the mark of an event: it has a note, and the other bits go with it. */
#define NOTED 0x10000u

struct note {
	struct event *ev;
	unsigned what;
	int calls;
};

struct evi_posts {
	void *lock; /* never held while another one is asked for */
	int filling; /* which table is filled; the other one may be in the reader's hands */
	struct note notes[2][NOTES];
};

int evi_posts_init(struct event_base *base)
{
	struct evi_posts *posts = evi_calloc(1, sizeof(*posts));

	if (posts == NULL)
		return -1;
	base->posts = posts;
	posts->lock = evi_lock_new_type(0);
	return posts->lock != NULL ? 0 : -1;
}

void evi_posts_done(struct event_base *base)
{
	if (base->posts != NULL)
		evi_lock_free_type(base->posts->lock, 0);
	evi_free(base->posts);
}

/*
 * Adds to the note that `ev` has; 0 if it has none. Writes even if there is no news, so that what
 * the thread did before is seen by the callback.
 */
static int add_to_note(struct event *ev, unsigned what)
{
	_Atomic uint32_t *mark = evi_post_mark(ev);
	uint32_t old = mark != NULL ? atomic_load_explicit(mark, memory_order_relaxed) : 0;

	while (old & NOTED) {
		if (atomic_compare_exchange_weak(mark, &old, old | what))
			return 1;
	}
	return 0;
}

/* Has the lock. */
static int write_note(struct event_base *base, struct event *ev, unsigned what, int calls)
{
	struct evi_posts *posts = base->posts;
	unsigned used = atomic_load_explicit(&base->posted, memory_order_relaxed);

	if (used == NOTES)
		return 0;
	posts->notes[posts->filling][used] = (struct note){ ev, what, calls };
	atomic_store(&base->posted, used + 1);
	if (evi_post_mark(ev) != NULL)
		atomic_store(evi_post_mark(ev), NOTED);
	return 1;
}

int evi_post(struct event_base *base, struct event *ev, unsigned what, int calls)
{
	int is_noted, is_new = 0;

	what &= NOTED - 1;
	if (add_to_note(ev, what))
		return 1;
	evi_lock_acquire(base->posts->lock);
	is_noted = add_to_note(ev, what);
	if (!is_noted)
		is_noted = is_new = write_note(base, ev, what, calls);
	evi_lock_release(base->posts->lock);
	if (is_new)
		(void)evi_wake(base);
	return is_noted;
}

void evi_posts_collect(struct event_base *base)
{
	struct evi_posts *posts = base->posts;
	const struct note *notes;
	unsigned used;

	evi_lock_acquire(posts->lock);
	notes = posts->notes[posts->filling];
	used = atomic_load_explicit(&base->posted, memory_order_relaxed);
	posts->filling = !posts->filling;
	atomic_store_explicit(&base->posted, 0, memory_order_relaxed);
	evi_lock_release(posts->lock);
	for (unsigned i = 0; i < used; i++) {
		struct event *ev = notes[i].ev;
		_Atomic uint32_t *mark = evi_post_mark(ev);
		unsigned more = mark != NULL ? atomic_exchange(mark, 0) & ~NOTED : 0;

		evi_event_activate(ev, notes[i].what | more, notes[i].calls);
	}
}
