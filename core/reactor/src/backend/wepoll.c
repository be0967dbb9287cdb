/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Windows: each socket has one poll with the driver behind Winsock, and all of them end on one
 * completion port (os_afd.h). Costs go by the sockets that are ready, not by those that are
 * watched.
 *
 * A poll is over when it has told something. It is started anew before the next wait if the socket
 * is still watched, and tells at once what still holds, which gives the level-triggered meaning.
 * The kernel owns a poll from its start until its packet is taken from the port. So a socket that
 * is watched no more, or for more than its poll asks, gives up its poll, which is freed when its
 * packet comes.
 */

#include "../backend.h"
#include "../os/os_afd.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define PACKETS_MIN 32
#define PACKETS_MAX 4096

/*
 * To cancel a poll the kernel goes through all that its device has; more devices make that shorter.
 */
#define POLLS_PER_DEVICE 32

/* Packets of cancelled polls come at once; if they do not, something else is broken. */
#define CLOSE_WAIT_MS 10000

struct device {
	HANDLE handle;
	unsigned users;
	struct device *next;
	struct device *next_free; /* of those with room */
};

struct poll {
	struct evi_afd_poll afd; /* first: packets lead here */
	SOCKET s;
	unsigned asked;
	int is_pending; /* the kernel has it */
};

struct watched {
	SOCKET base;
	struct device *device;
	struct poll *poll; /* owned; NULL: not watched */
	uint32_t tag;
	uint8_t interest;
	uint8_t is_queued; /* stands in `to_start` */
};

struct wepoll_state {
	HANDLE port;
	struct device *devices;      /* owned */
	struct device *free_devices; /* those with room for another socket */
	struct watched *of;          /* owned; by socket / 4 */
	SOCKET *to_start;            /* owned; sockets whose poll is over; room for all in `of` */
	size_t to_start_used;
	size_t of_room;
	size_t pending; /* polls that the kernel has */
	OVERLAPPED_ENTRY *packets; /* owned */
	ULONG packets_room;        /* doubles when a wait fills it */
};

static const struct {
	unsigned afd;
	unsigned asked_by; /* interest that needs it */
	unsigned means;    /* a reset and a refusal are for everybody */
} meanings[] = {
	{ EVI_AFD_RECEIVE | EVI_AFD_ACCEPT, EVI_READ, EVI_READ },
	{ EVI_AFD_SEND, EVI_WRITE, EVI_WRITE },
	{ EVI_AFD_DISCONNECT, EVI_READ | EVI_CLOSED, EVI_READ | EVI_CLOSED },
	{ EVI_AFD_ABORT | EVI_AFD_CONNECT_FAIL, EVI_READ | EVI_WRITE | EVI_CLOSED,
	  EVI_READ | EVI_WRITE | EVI_CLOSED },
};

#define MEANINGS (sizeof(meanings) / sizeof(meanings[0]))

static unsigned afd_mask(unsigned interest)
{
	unsigned mask = EVI_AFD_LOCAL_CLOSE;

	for (size_t i = 0; i < MEANINGS; i++)
		if (interest & meanings[i].asked_by)
			mask |= meanings[i].afd;
	return mask;
}

static unsigned interest_of(unsigned mask)
{
	unsigned what = 0;

	for (size_t i = 0; i < MEANINGS; i++)
		if (mask & meanings[i].afd)
			what |= meanings[i].means;
	return what;
}

static size_t index_of(SOCKET s)
{
	return (size_t)s / 4;
}

static struct watched *find(struct wepoll_state *st, SOCKET s)
{
	struct watched *w = index_of(s) < st->of_room ? &st->of[index_of(s)] : NULL;

	return w != NULL && w->poll != NULL ? w : NULL;
}

static struct device *device_new(struct wepoll_state *st)
{
	struct device *device = evi_calloc(1, sizeof(*device));

	if (device == NULL)
		return NULL;
	if (evi_afd_open(st->port, &device->handle) < 0) {
		evi_free(device);
		return NULL;
	}
	device->next = st->devices;
	st->devices = device;
	device->next_free = st->free_devices;
	st->free_devices = device;
	return device;
}

static struct device *device_take(struct wepoll_state *st)
{
	struct device *device = st->free_devices != NULL ? st->free_devices : device_new(st);

	if (device != NULL && ++device->users == POLLS_PER_DEVICE)
		st->free_devices = device->next_free;
	return device;
}

static void device_give_back(struct wepoll_state *st, struct device *device)
{
	if (device->users-- != POLLS_PER_DEVICE)
		return;
	device->next_free = st->free_devices;
	st->free_devices = device;
}

/* Takes a poll away from its socket. The kernel may have it still; then its packet frees it. */
static void poll_leave(struct watched *w)
{
	if (w->poll->is_pending)
		evi_afd_poll_cancel(w->device->handle, &w->poll->afd);
	else
		evi_free(w->poll);
	w->poll = NULL;
}

static struct poll *poll_new(SOCKET s)
{
	struct poll *poll = evi_calloc(1, sizeof(*poll));

	if (poll != NULL)
		poll->s = s;
	return poll;
}

static int poll_start(struct wepoll_state *st, struct watched *w)
{
	unsigned mask = afd_mask(w->interest);
	int err = evi_afd_poll_start(w->device->handle, &w->poll->afd, w->base, mask);

	if (err < 0)
		return err;
	w->poll->asked = mask;
	w->poll->is_pending = 1;
	st->pending++;
	return 0;
}

static void leave(struct wepoll_state *st, struct watched *w)
{
	poll_leave(w);
	device_give_back(st, w->device);
	w->interest = 0;
}

static int grow_index(struct wepoll_state *st, size_t index)
{
	size_t room = st->of_room != 0 ? st->of_room : 64;
	struct watched *of;
	SOCKET *to_start;

	if (index < st->of_room)
		return 0;
	while (room <= index)
		room *= 2;
	to_start = evi_realloc(st->to_start, room * sizeof(*to_start));
	if (to_start == NULL)
		return -ENOMEM;
	st->to_start = to_start;
	of = evi_realloc(st->of, room * sizeof(*of));
	if (of == NULL)
		return -ENOMEM;
	memset(of + st->of_room, 0, (room - st->of_room) * sizeof(*of));
	st->of = of;
	st->of_room = room;
	return 0;
}

static int enter(struct wepoll_state *st, SOCKET s)
{
	struct watched *w;
	SOCKET base;
	int err = evi_afd_base_socket(s, &base);

	if (err == 0)
		err = grow_index(st, index_of(s));
	if (err < 0)
		return err;
	w = &st->of[index_of(s)];
	w->poll = poll_new(s);
	w->device = w->poll != NULL ? device_take(st) : NULL;
	w->base = base;
	if (w->device != NULL)
		return 0;
	evi_free(w->poll);
	w->poll = NULL;
	return -ENOMEM;
}

/* The poll under way asks for less than is wanted now: another takes its place. */
static int widen(struct watched *w)
{
	struct poll *poll = poll_new(w->poll->s);

	if (poll == NULL)
		return -ENOMEM;
	poll_leave(w);
	w->poll = poll;
	return 0;
}

static int set_interest(struct wepoll_state *st, struct watched *w, const struct evi_change *c)
{
	w->interest = c->after;
	w->tag = c->tag;
	if (w->poll->is_pending && (afd_mask(c->after) & ~w->poll->asked) == 0)
		return 0; /* what was asked too much is passed over */
	if (w->poll->is_pending && widen(w) < 0)
		return -ENOMEM;
	return poll_start(st, w);
}

static int change(struct wepoll_state *st, const struct evi_change *c)
{
	SOCKET s = (SOCKET)c->fd;
	struct watched *w = find(st, s);
	int err = 0;

	/* What was not registered a moment ago, or may not be what it was, begins anew. */
	if (w != NULL && (c->after == 0 || c->before == 0 || c->is_unsure)) {
		leave(st, w);
		w = NULL;
	}
	if (c->after == 0)
		return 0;
	if (w == NULL)
		err = enter(st, s);
	if (err < 0)
		return err;
	w = find(st, s);
	err = set_interest(st, w, c);
	if (err < 0)
		leave(st, w);
	return err;
}

static void wepoll_apply(void *state, struct evi_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		changes[i].err = change(state, &changes[i]);
}

/*
 * Polls again those sockets that have told something. A closed one is dropped. If the kernel
 * refuses for another reason, whoever waits learns the state by trying; how many of them there are
 * is returned, they stay in the list.
 */
static size_t start_all(struct wepoll_state *st, evi_report_fn *report, void *ctx)
{
	size_t refused = 0;

	for (size_t i = 0; i < st->to_start_used; i++) {
		SOCKET s = st->to_start[i];
		struct watched *w = &st->of[index_of(s)];
		int err = 0;

		w->is_queued = 0;
		if (w->poll == NULL || w->poll->is_pending)
			continue;
		err = poll_start(st, w);
		if (err == -EBADF)
			leave(st, w);
		if (err == 0 || err == -EBADF)
			continue;
		report(ctx, (evutil_socket_t)s, w->tag, EVI_READ | EVI_WRITE);
		w->is_queued = 1;
		st->to_start[refused++] = s;
	}
	st->to_start_used = refused;
	return refused;
}

static void queue(struct wepoll_state *st, struct watched *w, SOCKET s)
{
	if (w->is_queued)
		return;
	w->is_queued = 1;
	st->to_start[st->to_start_used++] = s;
}

/*
 * Takes one packet. Nothing is told by a poll that ended for another reason, such as the end of the
 * thread that started it, but it has to be started again.
 */
static void take(struct wepoll_state *st, struct poll *poll, evi_report_fn *report, void *ctx)
{
	unsigned result = evi_afd_poll_result(&poll->afd), what;
	struct watched *w = find(st, poll->s);

	st->pending--;
	poll->is_pending = 0;
	if (w == NULL || w->poll != poll) {
		evi_free(poll);
		return;
	}
	if (result & EVI_AFD_LOCAL_CLOSE) {
		leave(st, w);
		return;
	}
	queue(st, w, poll->s);
	what = interest_of(result) & w->interest;
	if (what != 0)
		report(ctx, (evutil_socket_t)poll->s, w->tag, what);
}

static void take_all(struct wepoll_state *st, ULONG n, evi_report_fn *report, void *ctx)
{
	for (ULONG i = 0; i < n; i++)
		take(st, (struct poll *)(void *)evi_afd_poll_of(st->packets[i].lpOverlapped),
		     report, ctx);
}

/* Nonzero if there is more room now; without memory what is left comes with the next wait. */
static int grow(struct wepoll_state *st)
{
	OVERLAPPED_ENTRY *packets;

	if (st->packets_room >= PACKETS_MAX)
		return 0;
	packets = evi_realloc(st->packets, (size_t)st->packets_room * 2 * sizeof(*packets));
	if (packets == NULL)
		return 0;
	st->packets = packets;
	st->packets_room *= 2;
	return 1;
}

static DWORD milliseconds(int64_t ns)
{
	int64_t ms = ns / 1000000 + (ns % 1000000 != 0);

	return ns < 0 ? INFINITE : ms < INT_MAX ? (DWORD)ms : INT_MAX;
}

/* How many packets there are; -WSA error. */
static int get_packets(struct wepoll_state *st, DWORD ms, ULONG *ret_n)
{
	DWORD err;

	*ret_n = 0;
	if (GetQueuedCompletionStatusEx(st->port, st->packets, st->packets_room, ret_n, ms, FALSE))
		return 0;
	err = GetLastError();
	*ret_n = 0;
	return err == WAIT_TIMEOUT || err == WAIT_IO_COMPLETION ? 0 : -(int)err;
}

static int wepoll_wait(void *state, int64_t timeout_ns, const struct evi_gate *gate,
		       evi_report_fn *report, void *ctx)
{
	struct wepoll_state *st = state;
	ULONG n;
	int err;

	if (start_all(st, report, ctx) != 0)
		timeout_ns = 0;
	gate->leave(gate);
	err = get_packets(st, milliseconds(timeout_ns), &n);
	gate->enter(gate);
	if (err < 0)
		return err;
	take_all(st, n, report, ctx);
	/* A full array means there may be more, and all that is ready belongs to one round. */
	while (n == st->packets_room && grow(st)) {
		(void)get_packets(st, 0, &n);
		take_all(st, n, report, ctx);
	}
	return 0;
}

/* Nobody is there to be told. */
static void tell_nobody(void *ctx, evutil_socket_t fd, uint32_t tag, unsigned what)
{
	(void)ctx;
	(void)fd;
	(void)tag;
	(void)what;
}

/* Ends what the kernel still has: its memory cannot be freed before. */
static void end_polls(struct wepoll_state *st)
{
	ULONG n = 1;

	for (size_t i = 0; i < st->of_room; i++)
		if (st->of[i].poll != NULL)
			leave(st, &st->of[i]);
	while (st->pending > 0 && n > 0) {
		if (get_packets(st, CLOSE_WAIT_MS, &n) == 0)
			take_all(st, n, tell_nobody, NULL);
	}
}

static void wepoll_close(void *state)
{
	struct wepoll_state *st = state;

	end_polls(st);
	while (st->devices != NULL) {
		struct device *device = st->devices;

		st->devices = device->next;
		(void)CloseHandle(device->handle);
		evi_free(device);
	}
	if (st->port != NULL)
		(void)CloseHandle(st->port);
	evi_free(st->packets);
	evi_free(st->of);
	evi_free(st->to_start);
	evi_free(st);
}

static int wepoll_open(void **ret_state, int flags)
{
	struct wepoll_state *st = evi_calloc(1, sizeof(*st));
	int err = 0;

	(void)flags;
	if (st == NULL)
		return -ENOMEM;
	st->packets_room = PACKETS_MIN;
	st->packets = evi_calloc(PACKETS_MIN, sizeof(*st->packets));
	/* The loop alone takes packets. */
	st->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
	if (st->packets == NULL)
		err = -ENOMEM;
	else if (st->port == NULL)
		err = -EMFILE;
	else if (device_new(st) == NULL)
		err = -ENOSYS;
	if (err < 0)
		wepoll_close(st);
	else
		*ret_state = st;
	return err;
}

const struct evi_backend evi_backend_wepoll = {
	.name = "wepoll",
	.env = "EVENT_NOWEPOLL",
	.features = EV_FEATURE_O1 | EV_FEATURE_EARLY_CLOSE,
	.traits = EVI_BACKEND_TAGGED | EVI_BACKEND_LIVE,
	.open = wepoll_open,
	.close = wepoll_close,
	.apply = wepoll_apply,
	.wait = wepoll_wait,
};
