/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * poll(2) backend.
 *
 * A dense array of pollfds, and an index from descriptor to place in it, so a change is O(1) and
 * the kernel is never shown a hole. Changes are made while no wait is in progress only (the trait
 * EVI_BACKEND_LIVE is absent), so the kernel may read the array itself.
 *
 * Invariant: place_of[fd] == i + 1  <=>  i < used && places[i].fd == fd.
 */

#include "../os/os_poll.h"
#include "poll_mask.h"
#include "scan.h"

#include <errno.h>
#include <string.h>

struct poll_state {
	struct pollfd *places;
	unsigned *place_of; /* by descriptor; 0: none */
	size_t used;
	size_t room;
	size_t index_room;
	struct evi_scan scan;
};

/* POLLRDHUP is Linux's; elsewhere a peer that shut down shows as readable. */
#ifdef POLLRDHUP
#define PEER_CLOSED POLLRDHUP
#else
#define PEER_CLOSED 0
#endif

static int poll_open(void **ret_state, int flags)
{
	struct poll_state *st = evi_calloc(1, sizeof(*st));

	(void)flags;
	if (st == NULL)
		return -ENOMEM;
	evi_scan_init(&st->scan);
	*ret_state = st;
	return 0;
}

static void poll_close(void *state)
{
	struct poll_state *st = state;

	evi_free(st->places);
	evi_free(st->place_of);
	evi_free(st);
}

static int grow_index(struct poll_state *st, size_t fd)
{
	size_t room = st->index_room != 0 ? st->index_room : 64;
	unsigned *index;

	if (fd < st->index_room)
		return 0;
	while (room <= fd)
		room *= 2;
	index = evi_realloc(st->place_of, room * sizeof(*index));
	if (index == NULL)
		return -ENOMEM;
	memset(index + st->index_room, 0, (room - st->index_room) * sizeof(*index));
	st->place_of = index;
	st->index_room = room;
	return 0;
}

static int grow_places(struct poll_state *st)
{
	size_t room = st->room != 0 ? st->room * 2 : 32;
	struct pollfd *places;

	if (st->used < st->room)
		return 0;
	places = evi_realloc(st->places, room * sizeof(*places));
	if (places == NULL)
		return -ENOMEM;
	st->places = places;
	st->room = room;
	return 0;
}

static int set(struct poll_state *st, int fd, short mask)
{
	if (grow_index(st, (size_t)fd) < 0)
		return -ENOMEM;
	if (st->place_of[fd] == 0) {
		if (grow_places(st) < 0)
			return -ENOMEM;
		st->places[st->used].fd = fd;
		st->place_of[fd] = (unsigned)++st->used;
	}
	st->places[st->place_of[fd] - 1].events = mask;
	return 0;
}

/* The last one fills the hole. */
static void clear(struct poll_state *st, int fd)
{
	size_t hole;

	if ((size_t)fd >= st->index_room || st->place_of[fd] == 0)
		return;
	hole = st->place_of[fd] - 1;
	st->place_of[fd] = 0;
	st->used--;
	if (hole == st->used)
		return;
	st->places[hole] = st->places[st->used];
	st->place_of[st->places[hole].fd] = (unsigned)hole + 1;
}

static void poll_apply(void *state, struct evi_change *changes, size_t n)
{
	struct poll_state *st = state;

	for (size_t i = 0; i < n; i++) {
		changes[i].err = 0;
		if (changes[i].after == 0)
			clear(st, changes[i].fd);
		else
			changes[i].err = set(st, changes[i].fd,
					     evi_poll_mask(changes[i].after, PEER_CLOSED));
		if (changes[i].err < 0)
			clear(st, changes[i].fd);
	}
}

static int poll_wait(void *state, int64_t timeout_ns, const struct evi_gate *gate,
		     evi_report_fn *report, void *ctx)
{
	struct poll_state *st = state;
	int ready, err;

	gate->leave(gate);
	ready = evi_os_poll(st->places, (nfds_t)st->used, timeout_ns);
	err = ready < 0 ? -errno : 0;
	gate->enter(gate);
	if (err == -EINTR)
		return 0;
	if (err < 0)
		return err;
	for (size_t i = evi_scan_start(&st->scan, st->used), left = st->used; left > 0 && ready > 0;
	     left--, i = i + 1 < st->used ? i + 1 : 0) {
		if (st->places[i].revents == 0)
			continue;
		ready--;
		report(ctx, st->places[i].fd, 0,
		       evi_poll_interest(st->places[i].revents, PEER_CLOSED));
	}
	return 0;
}

const struct evi_backend evi_backend_poll = {
	.name = "poll",
	.env = "EVENT_NOPOLL",
	.features = EV_FEATURE_FDS | (PEER_CLOSED != 0 ? EV_FEATURE_EARLY_CLOSE : 0),
	.open = poll_open,
	.close = poll_close,
	.apply = poll_apply,
	.wait = poll_wait,
};
