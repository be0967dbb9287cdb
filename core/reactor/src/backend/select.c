/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * select(2) backend.
 *
 * The sets are allocated as large as the highest descriptor needs, so FD_SETSIZE is a limit only
 * where the system makes it one; there a descriptor beyond it is refused when it is added. The
 * kernel overwrites what it is given and gets a copy, of the words in use only.
 */

#include "../backend.h"
#include "../clock.h"
#include "../os/os_select.h"
#include "scan.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

typedef evi_select_word word;
#define WORD_BITS (CHAR_BIT * sizeof(word))

enum { IN, OUT, SETS };

struct select_state {
	word *wanted[SETS];
	word *ready[SETS];
	size_t room; /* words in each */
	int limit;   /* the highest descriptor watched, plus one */
	struct evi_scan scan;
};

static const unsigned interest_of_set[SETS] = { EVI_READ, EVI_WRITE };

static int select_open(void **ret_state, int flags)
{
	struct select_state *st = evi_calloc(1, sizeof(*st));

	(void)flags;
	if (st == NULL)
		return -ENOMEM;
	evi_scan_init(&st->scan);
	*ret_state = st;
	return 0;
}

static void select_close(void *state)
{
	struct select_state *st = state;

	for (int set = 0; set < SETS; set++) {
		evi_free(st->wanted[set]);
		evi_free(st->ready[set]);
	}
	evi_free(st);
}

static int grow_set(word **set, size_t old_room, size_t room)
{
	word *bigger = evi_realloc(*set, room * sizeof(word));

	if (bigger == NULL)
		return -ENOMEM;
	memset(bigger + old_room, 0, (room - old_room) * sizeof(word));
	*set = bigger;
	return 0;
}

static int grow(struct select_state *st, int fd)
{
	size_t room = st->room != 0 ? st->room : FD_SETSIZE / WORD_BITS;

	if (fd >= EVI_SELECT_LIMIT)
		return -EMFILE;
	while (room <= (size_t)fd / WORD_BITS)
		room *= 2;
	if (room == st->room)
		return 0;
	for (int set = 0; set < SETS; set++) {
		if (grow_set(&st->wanted[set], st->room, room) < 0 ||
		    grow_set(&st->ready[set], st->room, room) < 0)
			return -ENOMEM;
	}
	st->room = room;
	return 0;
}

static word bit_of(int fd)
{
	return (word)1 << ((size_t)fd % WORD_BITS);
}

static void set_bits(struct select_state *st, int fd, unsigned interest)
{
	for (int set = 0; set < SETS; set++) {
		if (interest & interest_of_set[set])
			st->wanted[set][(size_t)fd / WORD_BITS] |= bit_of(fd);
		else
			st->wanted[set][(size_t)fd / WORD_BITS] &= ~bit_of(fd);
	}
}

static int is_watched(const struct select_state *st, int fd)
{
	size_t i = (size_t)fd / WORD_BITS;

	return ((st->wanted[IN][i] | st->wanted[OUT][i]) & bit_of(fd)) != 0;
}

static void select_apply(void *state, struct evi_change *changes, size_t n)
{
	struct select_state *st = state;

	for (size_t i = 0; i < n; i++) {
		int fd = changes[i].fd;

		changes[i].err = changes[i].after != 0 ? grow(st, fd) : 0;
		if ((size_t)fd / WORD_BITS < st->room)
			set_bits(st, fd, changes[i].err == 0 ? changes[i].after : 0);
		if (changes[i].err == 0 && changes[i].after != 0 && fd >= st->limit)
			st->limit = fd + 1;
		while (st->limit > 0 && !is_watched(st, st->limit - 1))
			st->limit--;
	}
}

static void report_word(const struct select_state *st, size_t i, evi_report_fn *report, void *ctx)
{
	word any = st->ready[IN][i] | st->ready[OUT][i];

	while (any != 0) {
		int fd = (int)(i * WORD_BITS) + __builtin_ctzl((unsigned long)any);
		unsigned what = 0;

		any &= any - 1;
		for (int set = 0; set < SETS; set++) {
			if (st->ready[set][i] & bit_of(fd))
				what |= interest_of_set[set];
		}
		report(ctx, fd, 0, what);
	}
}

/* Microseconds, rounded up. */
static struct timeval timeout_of(int64_t ns)
{
	int64_t us = (ns + (int64_t)EVI_NS_PER_US - 1) / (int64_t)EVI_NS_PER_US;

	return (struct timeval){ .tv_sec = (time_t)(us / 1000000), .tv_usec = (int)(us % 1000000) };
}

static int select_wait(void *state, int64_t timeout_ns, const struct evi_gate *gate,
		       evi_report_fn *report, void *ctx)
{
	struct select_state *st = state;
	struct timeval timeout = timeout_of(timeout_ns);
	size_t words = ((size_t)st->limit + WORD_BITS - 1) / WORD_BITS;
	int ready, err;

	for (int set = 0; set < SETS && words > 0; set++)
		memcpy(st->ready[set], st->wanted[set], words * sizeof(word));
	gate->leave(gate);
	ready = select(st->limit, (fd_set *)(void *)st->ready[IN], (fd_set *)(void *)st->ready[OUT],
		       NULL, timeout_ns < 0 ? NULL : &timeout);
	err = ready < 0 ? -errno : 0;
	gate->enter(gate);
	if (err == -EINTR)
		return 0;
	if (err < 0)
		return err;
	for (size_t i = evi_scan_start(&st->scan, words), left = words; ready > 0 && left > 0;
	     left--, i = i + 1 < words ? i + 1 : 0)
		report_word(st, i, report, ctx);
	return 0;
}

const struct evi_backend evi_backend_select = {
	.name = "select",
	.env = "EVENT_NOSELECT",
	.features = EV_FEATURE_FDS,
	.open = select_open,
	.close = select_close,
	.apply = select_apply,
	.wait = select_wait,
};
