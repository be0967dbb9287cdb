/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * select() of Windows: its sets are arrays of sockets with a count, here as large as they need to
 * be.
 *
 * A connection that failed is reported in the third set, and shows as writable like elsewhere.
 */

#include "../backend.h"
#include "scan.h"

#include <errno.h>
#include <string.h>
#include <winsock2.h>
#include <windows.h>

enum { READS, WRITES, FAILURES, SETS };

/* The layout of fd_set, with room for more. */
struct sockets {
	u_int count;
	SOCKET of[];
};

struct win32_state {
	struct sockets *wanted[2]; /* READS, WRITES */
	struct sockets *ready[SETS];      /* a wait uses them without the lock */
	struct sockets *next_ready[SETS]; /* larger ones for the next wait; NULL: no need */
	u_int room;                       /* of each in wanted[] and next_ready[] */
	u_int ready_room;                 /* of each in ready[] */
	unsigned *place[2];               /* by socket / 4: index + 1 in wanted[]; 0: none */
	size_t index_room;
	struct evi_scan scan;
};

static const unsigned interest_of_set[SETS] = { EVI_READ, EVI_WRITE, EVI_READ | EVI_WRITE };

static size_t index_of(SOCKET s)
{
	return (size_t)s / 4;
}

static int win32_open(void **ret_state, int flags)
{
	struct win32_state *st = evi_calloc(1, sizeof(*st));

	(void)flags;
	if (st == NULL)
		return -ENOMEM;
	evi_scan_init(&st->scan);
	*ret_state = st;
	return 0;
}

static void win32_close(void *state)
{
	struct win32_state *st = state;

	for (int set = 0; set < 2; set++) {
		evi_free(st->wanted[set]);
		evi_free(st->place[set]);
	}
	for (int set = 0; set < SETS; set++) {
		evi_free(st->ready[set]);
		evi_free(st->next_ready[set]);
	}
	evi_free(st);
}

static int grow_index(struct win32_state *st, size_t index)
{
	size_t room = st->index_room != 0 ? st->index_room : 64;

	if (index < st->index_room)
		return 0;
	while (room <= index)
		room *= 2;
	for (int set = 0; set < 2; set++) {
		unsigned *place = evi_realloc(st->place[set], room * sizeof(*place));

		if (place == NULL)
			return -ENOMEM;
		memset(place + st->index_room, 0, (room - st->index_room) * sizeof(*place));
		st->place[set] = place;
	}
	st->index_room = room;
	return 0;
}

static int grow_set(struct sockets **set, u_int room)
{
	int is_new = *set == NULL;
	struct sockets *bigger = evi_realloc(*set, sizeof(*bigger) + room * sizeof(SOCKET));

	if (bigger == NULL)
		return -ENOMEM;
	if (is_new)
		bigger->count = 0;
	*set = bigger;
	return 0;
}

/* Memory for waiting is had here, where its lack can be told to whom it concerns. */
static int grow_sets(struct win32_state *st)
{
	u_int used = 0, room = st->room != 0 ? st->room * 2 : FD_SETSIZE;

	for (int set = 0; set < 2 && st->wanted[set] != NULL; set++)
		used = st->wanted[set]->count > used ? st->wanted[set]->count : used;
	if (used < st->room)
		return 0;
	for (int set = 0; set < SETS; set++)
		if (grow_set(&st->next_ready[set], room) < 0)
			return -ENOMEM;
	for (int set = 0; set < 2; set++)
		if (grow_set(&st->wanted[set], room) < 0)
			return -ENOMEM;
	st->room = room;
	return 0;
}

static void put(struct win32_state *st, int set, SOCKET s)
{
	if (st->place[set][index_of(s)] != 0)
		return;
	st->wanted[set]->of[st->wanted[set]->count++] = s;
	st->place[set][index_of(s)] = st->wanted[set]->count;
}

/* The last one fills the hole. */
static void take(struct win32_state *st, int set, SOCKET s)
{
	struct sockets *wanted = st->wanted[set];
	unsigned place = st->place[set][index_of(s)];

	if (place == 0)
		return;
	st->place[set][index_of(s)] = 0;
	wanted->count--;
	if (place - 1 == wanted->count)
		return;
	wanted->of[place - 1] = wanted->of[wanted->count];
	st->place[set][index_of(wanted->of[place - 1])] = place;
}

/* Files, pipes and consoles cannot be watched, nor what is closed. */
static int is_socket(SOCKET s)
{
	int type, len = sizeof(type);

	return getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&type, &len) == 0;
}

static int change(struct win32_state *st, const struct evi_change *c)
{
	SOCKET s = (SOCKET)c->fd;
	int err = 0;

	if ((c->before == 0 || c->is_unsure) && c->after != 0 && !is_socket(s))
		err = -EBADF;
	else if (c->after != 0 && (grow_index(st, index_of(s)) < 0 || grow_sets(st) < 0))
		err = -ENOMEM;
	if (index_of(s) >= st->index_room || st->wanted[WRITES] == NULL)
		return err;
	for (int set = 0; set < 2; set++) {
		if (err == 0 && (c->after & interest_of_set[set]))
			put(st, set, s);
		else
			take(st, set, s);
	}
	return err;
}

static void win32_apply(void *state, struct evi_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		changes[i].err = change(state, &changes[i]);
}

/* What select() is to see: another thread may change the wanted ones while it waits. */
static void copy_sets(struct win32_state *st)
{
	static const int from[SETS] = { READS, WRITES, WRITES };

	for (int set = 0; set < SETS && st->ready_room < st->room; set++) {
		evi_free(st->ready[set]);
		st->ready[set] = st->next_ready[set];
		st->next_ready[set] = NULL;
	}
	st->ready_room = st->room;
	for (int set = 0; set < SETS && st->room != 0; set++)
		memcpy(st->ready[set], st->wanted[from[set]],
		       sizeof(struct sockets) + st->wanted[from[set]]->count * sizeof(SOCKET));
}

/* Stops watching sockets that were closed, against the rules: select() would refuse all. */
static void drop_closed(struct win32_state *st)
{
	for (int set = 0; set < 2; set++)
		for (u_int i = st->wanted[set]->count; i-- > 0;)
			if (!is_socket(st->wanted[set]->of[i]))
				take(st, set, st->wanted[set]->of[i]);
}

static fd_set *ready_set(struct win32_state *st, int set)
{
	return st->ready[set]->count != 0 ? (fd_set *)(void *)st->ready[set] : NULL;
}

/* select() refuses to wait for nothing. */
static int wait_for_nothing(int64_t timeout_ns)
{
	Sleep(timeout_ns < 0 ? INFINITE : (DWORD)((timeout_ns + 999999) / 1000000));
	return 0;
}

static int wait_for_ready(struct win32_state *st, int64_t timeout_ns)
{
	int64_t us = (timeout_ns + 999) / 1000;
	struct timeval timeout = { .tv_sec = (long)(us / 1000000),
				   .tv_usec = (long)(us % 1000000) };

	if (st->ready_room == 0 || st->ready[READS]->count + st->ready[WRITES]->count == 0)
		return wait_for_nothing(timeout_ns);
	return select(0, ready_set(st, READS), ready_set(st, WRITES), ready_set(st, FAILURES),
		      timeout_ns < 0 ? NULL : &timeout);
}

static void report_set(struct win32_state *st, int set, evi_report_fn *report, void *ctx)
{
	u_int n = st->ready[set]->count;
	size_t i = evi_scan_start(&st->scan, n);

	for (u_int left = n; left > 0; left--, i = i + 1 < n ? i + 1 : 0)
		report(ctx, (evutil_socket_t)st->ready[set]->of[i], 0, interest_of_set[set]);
}

static int win32_wait(void *state, int64_t timeout_ns, const struct evi_gate *gate,
		      evi_report_fn *report, void *ctx)
{
	struct win32_state *st = state;
	int n, err;

	copy_sets(st);
	gate->leave(gate);
	n = wait_for_ready(st, timeout_ns);
	err = n == SOCKET_ERROR ? WSAGetLastError() : 0;
	gate->enter(gate);
	if (err == WSAENOTSOCK)
		drop_closed(st);
	if (err == WSAEINTR || err == WSAENOTSOCK)
		return 0;
	if (err != 0)
		return -err;
	for (int set = 0; set < SETS && n > 0; set++)
		report_set(st, set, report, ctx);
	return 0;
}

const struct evi_backend evi_backend_win32 = {
	.name = "win32",
	.env = "EVENT_NOWIN32",
	.open = win32_open,
	.close = win32_close,
	.apply = win32_apply,
	.wait = win32_wait,
};
