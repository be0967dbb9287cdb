/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The completion port of a base, its threads, and the operations under way.
 *
 * The threads of the port only mark an operation as completed and schedule its deferred callback,
 * which the loop runs. So nothing of an operation's owner is touched by any thread but the loop's,
 * and an operation whose deferred callback is scheduled is freed by that callback only: whoever
 * takes it out of the queue at this moment needs it. At the end of the base no loop runs, and it is
 * taken back there.
 *
 * Lock: that of the base guards the list, the counters and the flags.
 */

#include "os_port.h"

#include "../base.h"

#include <event2/component/completion.h>

#include <errno.h>
#include <process.h>

/*
 * Threads: as many as asked for, at most; the processors, without being asked, but no more than
 * this.
 */
#define THREADS_MAX 64
#define THREADS_DEFAULT 4
/* Completions taken from the system at once. */
#define BATCH 32
/* A cancelled operation ends within microseconds; if something keeps it, do not hang. */
#define CANCEL_WAIT_S 10

/* What succeeds at once is not heard of again. */
#define IMMEDIATE_MODES (FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE)

/* Bits of evi_operation.flags. */
enum {
	IN_SYSTEM = 1 << 0,  /* begun and not completed */
	COMPLETED = 1 << 1,  /* the deferred callback is scheduled */
	DELIVERING = 1 << 2, /* that callback runs */
	RECALLED = 1 << 3,   /* who recalled it knows the result: done() must not run */
	ABANDONED = 1 << 4,  /* to be freed */
	HELD = 1 << 5,       /* keeps the loop alive */
};

struct evi_port {
	HANDLE handle;
	void *changed; /* condition: `in_system` went down */
	struct evi_operation *under_way;
	int in_system; /* of those under way */
	int n_threads;
	HANDLE threads[THREADS_MAX];
};

/* --- Completion ------------------------------------------------------------------------------- */

static void release_hold(struct evi_operation *op)
{
	if (op->flags & HELD)
		evi_count_down(&op->base->count_virtual);
	op->flags &= ~(unsigned)HELD;
}

static void link_operation(struct evi_port *port, struct evi_operation *op)
{
	op->next = port->under_way;
	op->prev = &port->under_way;
	if (op->next != NULL)
		op->next->prev = &op->next;
	port->under_way = op;
}

static void unlink_operation(struct evi_operation *op)
{
	if (op->next != NULL)
		op->next->prev = op->prev;
	*op->prev = op->next;
}

static void leave_system(struct evi_operation *op)
{
	op->flags &= ~(unsigned)IN_SYSTEM;
	op->base->port->in_system--;
	(void)evi_cond_broadcast(op->base->port->changed);
}

static void complete(struct evi_operation *op)
{
	struct event_base *base = op->base;

	evi_base_lock(base);
	leave_system(op);
	op->flags |= COMPLETED;
	(void)evi_deferred_schedule(base, &op->deferred); /* it cannot be there already */
	release_hold(op); /* scheduled, it keeps the loop alive by itself */
	evi_base_unlock(base);
}

/* A thread of the port. Who finds the order to end passes it on to the next. */
static unsigned __stdcall serve(void *arg)
{
	struct evi_port *port = arg;
	OVERLAPPED_ENTRY entries[BATCH];
	int must_end = 0;
	ULONG n;

	while (!must_end) {
		if (!GetQueuedCompletionStatusEx(port->handle, entries, BATCH, &n, INFINITE, FALSE))
			n = 0; /* woken for nothing */
		for (ULONG i = 0; i < n; i++) {
			if (entries[i].lpOverlapped != NULL)
				complete((struct evi_operation *)entries[i].lpOverlapped);
			else
				must_end = 1;
		}
	}
	(void)PostQueuedCompletionStatus(port->handle, 0, 0, NULL);
	return 0;
}

/* The system's status, as an error of sockets. */
static int error_of(struct evi_operation *op)
{
	DWORD n = 0, flags = 0;

	if (op->overlapped.Internal == 0 ||
	    WSAGetOverlappedResult((SOCKET)op->fd, &op->overlapped, &n, FALSE, &flags))
		return 0;
	return WSAGetLastError();
}

/* Nonzero if done() is to run. */
static int begin_delivery(struct evi_operation *op)
{
	int is_wanted;

	evi_base_lock(op->base);
	unlink_operation(op);
	is_wanted = !(op->flags & (RECALLED | ABANDONED));
	op->flags = (op->flags & ~(unsigned)COMPLETED) | DELIVERING;
	evi_base_unlock(op->base);
	return is_wanted;
}

static int is_unused(const struct evi_operation *op)
{
	return !(op->flags & (IN_SYSTEM | COMPLETED | DELIVERING));
}

static void end_delivery(struct evi_operation *op)
{
	int must_free;

	evi_base_lock(op->base);
	op->flags &= ~(unsigned)DELIVERING;
	must_free = (op->flags & ABANDONED) && is_unused(op);
	evi_base_unlock(op->base);
	if (must_free)
		op->free(op);
}

static void deliver(struct evi_deferred *deferred, void *arg)
{
	struct evi_operation *op = arg;

	(void)deferred;
	if (begin_delivery(op))
		op->done(op, error_of(op), op->overlapped.InternalHigh);
	end_delivery(op);
}

/* --- Opening and closing ---------------------------------------------------------------------- */

static int count_threads(int cpus)
{
	SYSTEM_INFO info;

	if (cpus > 0)
		return cpus < THREADS_MAX ? cpus : THREADS_MAX;
	GetSystemInfo(&info);
	return info.dwNumberOfProcessors < THREADS_DEFAULT ? (int)info.dwNumberOfProcessors
							   : THREADS_DEFAULT;
}

static void start_threads(struct evi_port *port, int wanted)
{
	while (port->n_threads < wanted) {
		uintptr_t thread = _beginthreadex(NULL, 0, serve, port, 0, NULL);

		if (thread == 0)
			return;
		port->threads[port->n_threads++] = (HANDLE)thread;
	}
}

static void stop_threads(struct evi_port *port)
{
	if (port->n_threads > 0)
		(void)PostQueuedCompletionStatus(port->handle, 0, 0, NULL);
	for (int i = 0; i < port->n_threads; i++) {
		(void)WaitForSingleObject(port->threads[i], INFINITE);
		(void)CloseHandle(port->threads[i]);
	}
}

static void port_free(struct evi_port *port)
{
	stop_threads(port);
	if (port->handle != NULL && port->in_system == 0)
		(void)CloseHandle(port->handle);
	evi_cond_free(port->changed);
	evi_free(port);
}

/* One thread is enough; more are welcome. */
int evi_port_open(struct event_base *base, int cpus)
{
	int wanted = count_threads(cpus);
	struct evi_port *port;

	if (base->lock == NULL)
		return 0;
	port = evi_calloc(1, sizeof(*port));
	if (port == NULL)
		return -ENOMEM;
	port->changed = evi_cond_new();
	port->handle = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, (DWORD)wanted);
	if (port->changed != NULL && port->handle != NULL)
		start_threads(port, wanted);
	if (port->n_threads == 0) {
		port_free(port);
		return -ENOMEM;
	}
	base->port = port;
	return 0;
}

/* Waits until the system has let go of `op`, or of all if it is NULL. With the lock held once. */
static void await_system(struct event_base *base, const struct evi_operation *op)
{
	static const struct timeval limit = { CANCEL_WAIT_S, 0 };

	while (op != NULL ? (op->flags & IN_SYSTEM) != 0 : base->port->in_system > 0) {
		if (evi_cond_wait(base->port->changed, base->lock, &limit) != 0) {
			event_warnx("a cancelled operation does not end; its memory is lost");
			return;
		}
	}
}

/* With the lock held, which keeps it from completing unnoticed and being begun once more. */
static void cancel(struct evi_operation *op)
{
	if (op->flags & IN_SYSTEM)
		(void)CancelIoEx((HANDLE)op->fd, &op->overlapped); /* fails if it has just ended */
}

/* The list of those that are to be freed; the owners of the others may use them as idle. */
static struct evi_operation *take_back_all(struct event_base *base)
{
	struct evi_operation *unwanted = NULL, *op, *next;

	for (op = base->port->under_way; op != NULL; op = next) {
		next = op->next;
		release_hold(op);
		if (op->flags & IN_SYSTEM)
			continue; /* the system may write to it for ever */
		evi_deferred_cancel(base, &op->deferred);
		op->flags &= ~(unsigned)COMPLETED;
		if (op->flags & ABANDONED) {
			op->next = unwanted;
			unwanted = op;
		}
	}
	return unwanted;
}

void evi_port_close(struct event_base *base)
{
	struct evi_operation *unwanted;

	if (base->port == NULL)
		return;
	evi_base_lock(base);
	for (struct evi_operation *op = base->port->under_way; op != NULL; op = op->next)
		cancel(op);
	await_system(base, NULL);
	unwanted = take_back_all(base);
	evi_base_unlock(base);
	port_free(base->port);
	base->port = NULL;
	while (unwanted != NULL) {
		struct evi_operation *op = unwanted;

		unwanted = op->next;
		op->free(op);
	}
}

/* --- The component interface ------------------------------------------------------------------ */

int evi_base_has_port(const struct event_base *base)
{
	return base->port != NULL;
}

/* Whether the socket is a handle of the system's, with nobody in between. */
static int is_plain(evutil_socket_t fd)
{
	WSAPROTOCOL_INFOW info;
	int len = sizeof(info);

	return getsockopt((SOCKET)fd, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &len) == 0 &&
	       (info.dwServiceFlags1 & XP1_IFS_HANDLES);
}

int evi_port_attach(struct event_base *base, evutil_socket_t fd)
{
	if (CreateIoCompletionPort((HANDLE)fd, base->port->handle, 0, 0) == NULL)
		return GetLastError() == ERROR_INVALID_PARAMETER ? -EINVAL : -EBADF;
	return is_plain(fd) && SetFileCompletionNotificationModes((HANDLE)fd, IMMEDIATE_MODES);
}

void evi_operation_init(struct evi_operation *op, struct event_base *base,
			evi_operation_done_fn done, evi_operation_free_fn free)
{
	*op = (struct evi_operation){ .base = base, .done = done, .free = free, .fd = -1 };
	evi_deferred_init(&op->deferred, event_base_get_npriorities(base) / 2, deliver, op);
}

void evi_operation_begin(struct evi_operation *op, evutil_socket_t fd)
{
	evi_base_lock(op->base);
	EVI_ASSERT(!(op->flags & ~(unsigned)DELIVERING));
	op->overlapped = (OVERLAPPED){ 0 };
	op->fd = fd;
	op->flags |= IN_SYSTEM;
	op->base->port->in_system++;
	link_operation(op->base->port, op);
	evi_base_unlock(op->base);
}

int evi_operation_begun(struct evi_operation *op, int err)
{
	if (err == 0 && op->is_immediate)
		complete(op);
	if (err == 0 || err == WSA_IO_PENDING)
		return 0;
	evi_base_lock(op->base);
	unlink_operation(op);
	leave_system(op);
	evi_base_unlock(op->base);
	return -err;
}

void evi_operation_hold(struct evi_operation *op, int wanted)
{
	evi_base_lock(op->base);
	if (!wanted) {
		release_hold(op);
	} else if ((op->flags & IN_SYSTEM) && !(op->flags & HELD)) {
		op->flags |= HELD;
		evi_count_up(&op->base->count_virtual);
	}
	evi_base_unlock(op->base);
}

void evi_operation_cancel(struct evi_operation *op)
{
	evi_base_lock(op->base);
	cancel(op);
	evi_base_unlock(op->base);
}

size_t evi_operation_recall(struct evi_operation *op)
{
	size_t n = 0;

	evi_base_lock(op->base);
	cancel(op);
	await_system(op->base, op);
	if (op->flags & COMPLETED) {
		op->flags |= RECALLED;
		n = op->overlapped.InternalHigh;
	}
	evi_base_unlock(op->base);
	return n;
}

void evi_operation_abandon(struct evi_operation *op)
{
	int must_free;

	evi_base_lock(op->base);
	op->flags |= ABANDONED;
	release_hold(op);
	cancel(op);
	must_free = is_unused(op);
	evi_base_unlock(op->base);
	if (must_free)
		op->free(op);
}
