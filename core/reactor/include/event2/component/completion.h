/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_COMPONENT_COMPLETION_H_INCLUDED_
#define EVENT2_COMPONENT_COMPLETION_H_INCLUDED_

/**
 * @file event2/component/completion.h
 *
 * Overlapped operations on the completion port of a base; Windows only, for components of the same
 * release, like event2/component/reactor.h.
 *
 * A base made with EVENT_BASE_FLAG_STARTUP_IOCP while locks are set up has a port and a few threads
 * that wait on it. They do nothing but note what the system has finished; what follows from it is
 * done in the loop, where `done` runs like any other callback, at the base's middle priority.
 *
 * Life of an operation
 *
 *   evi_operation_init()                                     idle
 *   evi_operation_begin(), WSARecv() or the like with `overlapped`, evi_operation_begun()   under
 * way the system is finished, done() runs in the loop          idle again, from done() on
 *   evi_operation_abandon()                                  free() runs as soon as nobody uses it
 *
 * The memory of an operation, and all that it has the system read or write, must stay as it is
 * while it is under way: so an operation is a block of its own, which may outlive whoever began it.
 * event_base_free() cancels what is still under way, waits for the system to let go, and frees what
 * has been abandoned; done() does not run then.
 *
 * Any function here may be called from any thread, but each operation by one at a time.
 */

#include <event2/component/reactor.h>

#include <winsock2.h>
#include <windows.h>

#ifdef __cplusplus
extern "C" {
#endif

struct evi_operation;

/**
 * The operation is over and idle, and may be begun again.
 *
 * @param err  0 or a socket error; WSA_OPERATION_ABORTED if it was cancelled, by anybody
 * @param n    bytes moved, also if there was an error
 */
typedef void (*evi_operation_done_fn)(struct evi_operation *op, int err, size_t n);

/** Nobody needs the operation any more: release it, and the memory it lent to the system. */
typedef void (*evi_operation_free_fn)(struct evi_operation *op);

/** Lives at the beginning of its owner's struct. The fields belong to the reactor, but for the
 * last. */
struct evi_operation {
	OVERLAPPED overlapped; /* first: all that the system tells of it later */
	struct evi_deferred deferred;
	struct event_base *base;
	evi_operation_done_fn done;
	evi_operation_free_fn free;
	struct evi_operation *next, **prev; /* what is under way on the base */
	evutil_socket_t fd;
	unsigned flags;
	int is_immediate; /* what evi_port_attach() returned for `fd` */
};

/** Nonzero if the base has a completion port. */
EVENT2_EXPORT_SYMBOL
int evi_base_has_port(const struct event_base *base);

/**
 * Have completions of `fd` reported to the port of `base`, which has one.
 *
 * @return 1 if the port hears nothing of operations that succeed at once, 0 if it hears of all: for
 *         evi_operation.is_immediate. A negative error if `fd` is no socket, or has a port already:
 *         then its operations cannot be told, and it must be watched instead
 */
EVENT2_EXPORT_SYMBOL
int evi_port_attach(struct event_base *base, evutil_socket_t fd);

/** Prepare an operation for `base`, which has a port. */
EVENT2_EXPORT_SYMBOL
void evi_operation_init(struct evi_operation *op, struct event_base *base,
			evi_operation_done_fn done, evi_operation_free_fn free);

/** It is about to be given to the system, for the attached socket `fd`. It is idle. */
EVENT2_EXPORT_SYMBOL
void evi_operation_begin(struct evi_operation *op, evutil_socket_t fd);

/**
 * What the system said: 0, WSA_IO_PENDING, or an error, with which the operation is idle again.
 *
 * @return 0, or the error, negative
 */
EVENT2_EXPORT_SYMBOL
int evi_operation_begun(struct evi_operation *op, int err);

/** Let an operation that is under way keep the loop alive (nonzero), or no longer. */
EVENT2_EXPORT_SYMBOL
void evi_operation_hold(struct evi_operation *op, int wanted);

/** Ask the system to end it soon; done() runs all the same. */
EVENT2_EXPORT_SYMBOL
void evi_operation_cancel(struct evi_operation *op);

/**
 * Cancel it and wait until the system has let go of it; done() does not run any more. The only
 * thing that may follow is evi_operation_abandon().
 *
 * @return bytes that it has moved; 0 if it was not under way
 */
EVENT2_EXPORT_SYMBOL
size_t evi_operation_recall(struct evi_operation *op);

/** Cancel it, and have it freed: now, or as soon as possible. done() does not begin any more. */
EVENT2_EXPORT_SYMBOL
void evi_operation_abandon(struct evi_operation *op);

#ifdef __cplusplus
}
#endif

#endif
