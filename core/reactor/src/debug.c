/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Debug mode: every event that is assigned is remembered, and calls on others are fatal.
 *
 * The memory is a hash set of addresses with a lock of its own, so that bases in many threads can
 * be used at once. Without debug mode all of it costs one test of a variable.
 */

#include "base.h"
#include "socket.h"

#include <stdatomic.h>

int evi_debug_mode;

static struct {
	void *lock;
	const struct event **slots; /* open addressing; NULL is free */
	size_t room;                /* a power of two, or 0 */
	size_t used;
	int was_enabled;
} known;

/* The lock of the table is made by the first thread that needs it. */
enum { LOCK_NONE, LOCK_COMING, LOCK_READY };
static _Atomic int lock_state;

static _Atomic int has_objects; /* an event or a base was made */

void evi_debug_note_object(void)
{
	if (!has_objects)
		has_objects = 1;
}

void event_enable_debug_mode(void)
{
	if (known.was_enabled)
		evi_fatal_misuse("event_enable_debug_mode was called twice");
	if (has_objects || evi_thread_is_late())
		evi_fatal_misuse(
			"event_enable_debug_mode must be called before any event or base is made");
	known.was_enabled = 1;
	evi_debug_mode = 1;
	evi_thread_set_strict();
}

/* Threads may be set up before or after debug mode; the first event or base comes after both. */
static void lock_known(void)
{
	int none = LOCK_NONE;

	while (lock_state != LOCK_READY) {
		if (atomic_compare_exchange_strong(&lock_state, &none, LOCK_COMING)) {
			known.lock = evi_lock_new();
			lock_state = LOCK_READY;
		}
		none = LOCK_NONE;
	}
	evi_lock(known.lock);
}

void evi_debug_prepare(void)
{
	lock_known();
	evi_unlock(known.lock);
}

static size_t home_of(const struct event *ev)
{
	return (size_t)(((uintptr_t)ev >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
	       (known.room - 1);
}

/* The slot that holds `ev`, or the free one where it would go. */
static size_t find(const struct event *ev)
{
	size_t i = home_of(ev);

	while (known.slots[i] != NULL && known.slots[i] != ev)
		i = (i + 1) & (known.room - 1);
	return i;
}

static int is_known(const struct event *ev)
{
	return known.room != 0 && known.slots[find(ev)] == ev;
}

static int grow(void)
{
	size_t old_room = known.room, room = old_room != 0 ? old_room * 2 : 64;
	const struct event **old = known.slots;
	const struct event **slots = evi_calloc(room, sizeof(*slots));

	if (slots == NULL)
		return -1;
	known.slots = slots;
	known.room = room;
	for (size_t i = 0; i < old_room; i++) {
		if (old[i] != NULL)
			slots[find(old[i])] = old[i];
	}
	evi_free(old);
	return 0;
}

static int insert(const struct event *ev)
{
	if (is_known(ev))
		return 0;
	if (known.used * 2 >= known.room && grow() < 0)
		return -1;
	known.slots[find(ev)] = ev;
	known.used++;
	return 0;
}

/* Closes the gap, so that no later entry is cut off from its home. */
static void take_out(const struct event *ev)
{
	size_t gap, i;

	if (!is_known(ev))
		return;
	gap = i = find(ev);
	known.slots[gap] = NULL;
	known.used--;
	while (known.slots[i = (i + 1) & (known.room - 1)] != NULL) {
		size_t home = home_of(known.slots[i]);

		if (((i - home) & (known.room - 1)) >= ((i - gap) & (known.room - 1))) {
			known.slots[gap] = known.slots[i];
			known.slots[i] = NULL;
			gap = i;
		}
	}
}

static int is_known_locked(const struct event *ev)
{
	int result;

	lock_known();
	result = is_known(ev);
	evi_unlock(known.lock);
	return result;
}

static void misuse(const struct event *ev, const char *call, const char *problem)
{
	event_warnx("%s: event %p (descriptor %ld, flags 0x%x) %s", call, (const void *)ev,
		    (long)ev->ev_fd, evi_flags(ev), problem);
	evi_assert_failed(problem, call, __FILE__, __LINE__);
}

void evi_debug_check_assigned(const struct event *ev, const char *call)
{
	if (!is_known_locked(ev))
		misuse(ev, call, "is not initialized");
}

void evi_debug_check_idle(const struct event *ev, const char *call)
{
	unsigned busy = EVLIST_INSERTED | EVLIST_TIMEOUT | EVLIST_ACTIVE | EVLIST_ACTIVE_LATER;

	if (is_known_locked(ev) && (evi_flags(ev) & busy))
		misuse(ev, call, "is pending or active");
}

int evi_debug_note_assigned(const struct event *ev, evutil_socket_t fd, short events)
{
	int result;

	if (!(events & EV_SIGNAL) && fd >= 0 && !evi_socket_is_nonblocking(fd))
		misuse(ev, "event_assign", "is for a descriptor that blocks");
	lock_known();
	result = insert(ev);
	evi_unlock(known.lock);
	return result;
}

void evi_debug_note_gone(const struct event *ev)
{
	lock_known();
	take_out(ev);
	evi_unlock(known.lock);
}

void libevent_global_shutdown(void)
{
	evi_debug_mode = 0;
	evi_free(known.slots);
	known.slots = NULL;
	known.room = known.used = 0;
	evi_lock_free(known.lock);
	known.lock = NULL;
	lock_state = LOCK_NONE;
}
