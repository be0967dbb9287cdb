/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Accepting by completions: AcceptEx().
 *
 * Each operation has a socket made beforehand, which becomes the connection. When that has come the
 * operation waits in a queue until it is taken, and then is begun again.
 *
 * Lock: the acceptor's own, since an operation may complete while the listener goes in another
 * thread. It comes after the listener's and before the base's. The acceptor lives as long as an
 * operation of it.
 */

#include "os_accept.h"

#include "../base.h"

#include <event2/component/completion.h>

#include <mswsock.h>

/* Accepts outstanding. */
#define ACCEPTS 4

/* AcceptEx() wants so much room for an address. */
#define ADDRESS_SIZE (sizeof(struct sockaddr_storage) + 16)

struct accept_op {
	struct evi_operation op;       /* first */
	struct evi_acceptor *acceptor; /* a reference of ours */
	evutil_socket_t fd;            /* owned; to become, or become, the connection; or -1 */
	int is_busy;                   /* begun and not completed */
	int is_queued;                 /* has a connection that nobody has taken */
	unsigned char addresses[2 * ADDRESS_SIZE];
};

struct evi_acceptor {
	void *lock;
	struct event_base *base;
	struct event *ready; /* borrowed; NULL once the listener is gone */
	LPFN_ACCEPTEX accept_ex;
	evutil_socket_t listener;
	int family;
	unsigned flags; /* EVI_SOCKET_* */
	int is_started;
	int err; /* to be told; nothing is begun until then */
	unsigned refs;
	struct accept_op *ops[ACCEPTS]; /* owned, until abandoned */
	struct accept_op *queue[ACCEPTS];
	unsigned queued;
};

static void close_connection(struct accept_op *accept)
{
	if (accept->fd >= 0)
		(void)evutil_closesocket(accept->fd); /* nobody has seen it */
	accept->fd = EVUTIL_INVALID_SOCKET;
}

static void acceptor_unref(struct evi_acceptor *acceptor)
{
	int is_last;

	evi_lock(acceptor->lock);
	is_last = --acceptor->refs == 0;
	evi_unlock(acceptor->lock);
	if (!is_last)
		return;
	evi_lock_free(acceptor->lock);
	evi_free(acceptor);
}

static void accept_free(struct evi_operation *op)
{
	struct accept_op *accept = (struct accept_op *)op;

	close_connection(accept);
	acceptor_unref(accept->acceptor);
	evi_free(accept);
}

/* --- With the acceptor's lock held ------------------------------------------------------------ */

static void tell(struct evi_acceptor *acceptor)
{
	if (acceptor->ready != NULL && acceptor->is_started)
		event_active(acceptor->ready, EV_READ, 0);
}

static void fail(struct evi_acceptor *acceptor, int err)
{
	acceptor->err = err;
	tell(acceptor);
}

static int begin(struct accept_op *accept)
{
	struct evi_acceptor *acceptor = accept->acceptor;
	DWORD n = 0;
	int err = 0;

	if (accept->fd < 0)
		accept->fd =
			evi_socket_open_flags(acceptor->family, SOCK_STREAM, 0, acceptor->flags);
	if (accept->fd < 0)
		return -WSAGetLastError();
	accept->is_busy = 1;
	evi_operation_begin(&accept->op, acceptor->listener);
	if (!acceptor->accept_ex((SOCKET)acceptor->listener, (SOCKET)accept->fd, accept->addresses,
				 0, ADDRESS_SIZE, ADDRESS_SIZE, &n, &accept->op.overlapped))
		err = WSAGetLastError();
	err = evi_operation_begun(&accept->op, err);
	if (err < 0) {
		accept->is_busy = 0;
		close_connection(accept);
	} else {
		evi_operation_hold(&accept->op, 1);
	}
	return err;
}

/* Begins what is idle; what is being cancelled begins again by itself. */
static void begin_all(struct evi_acceptor *acceptor)
{
	for (int i = 0; i < ACCEPTS && acceptor->err == 0; i++) {
		struct accept_op *accept = acceptor->ops[i];
		int err = 0;

		if (accept->is_busy)
			evi_operation_hold(&accept->op, 1);
		else if (!accept->is_queued)
			err = begin(accept);
		if (err < 0)
			fail(acceptor, -err);
	}
}

static void enqueue(struct accept_op *accept)
{
	struct evi_acceptor *acceptor = accept->acceptor;

	accept->is_queued = 1;
	acceptor->queue[acceptor->queued++] = accept;
	tell(acceptor);
}

static struct accept_op *dequeue(struct evi_acceptor *acceptor)
{
	struct accept_op *accept = acceptor->queue[0];

	acceptor->queued--;
	for (unsigned i = 0; i < acceptor->queued; i++)
		acceptor->queue[i] = acceptor->queue[i + 1];
	accept->is_queued = 0;
	return accept;
}

static int is_connection_gone(int err)
{
	return err == WSA_OPERATION_ABORTED || evi_error_is_retriable_accept(err);
}

/* Only now the socket knows that it is connected. */
static int finish_accept(struct accept_op *accept)
{
	SOCKET listener = (SOCKET)accept->acceptor->listener;

	return setsockopt((SOCKET)accept->fd, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
			  (char *)&listener, sizeof(listener));
}

static void completed(struct accept_op *accept, int err)
{
	struct evi_acceptor *acceptor = accept->acceptor;

	accept->is_busy = 0;
	if (acceptor->ready == NULL)
		return; /* being abandoned */
	if (err == 0 && finish_accept(accept) == 0) {
		enqueue(accept);
		return;
	}
	close_connection(accept);
	if (err != 0 && !is_connection_gone(err))
		fail(acceptor, err);
	else if (acceptor->is_started)
		begin_all(acceptor);
}

static void on_completed(struct evi_operation *op, int err, size_t n)
{
	struct accept_op *accept = (struct accept_op *)op;

	(void)n;
	evi_lock(accept->acceptor->lock);
	completed(accept, err);
	evi_unlock(accept->acceptor->lock);
}

/* --- For listeners ---------------------------------------------------------------------------- */

static int family_of(evutil_socket_t fd)
{
	struct sockaddr_storage address;
	int len = sizeof(address);

	if (getsockname((SOCKET)fd, (struct sockaddr *)&address, &len) != 0)
		return AF_UNSPEC;
	return address.ss_family;
}

static LPFN_ACCEPTEX accept_ex_of(evutil_socket_t fd)
{
	GUID id = WSAID_ACCEPTEX;
	LPFN_ACCEPTEX fn = NULL;
	DWORD n = 0;

	if (WSAIoctl((SOCKET)fd, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id), &fn,
		     sizeof(fn), &n, NULL, NULL) != 0)
		return NULL;
	return fn;
}

static struct accept_op *accept_new(struct evi_acceptor *acceptor)
{
	struct accept_op *accept = evi_calloc(1, sizeof(*accept));

	if (accept == NULL)
		return NULL;
	accept->fd = EVUTIL_INVALID_SOCKET;
	accept->acceptor = acceptor;
	acceptor->refs++;
	evi_operation_init(&accept->op, acceptor->base, on_completed, accept_free);
	return accept;
}

/* 0, or an error; what is there already stays, for evi_acceptor_free(). */
static int fill(struct evi_acceptor *acceptor)
{
	int immediate;

	acceptor->lock = evi_lock_new();
	acceptor->accept_ex = accept_ex_of(acceptor->listener);
	acceptor->family = family_of(acceptor->listener);
	if (acceptor->lock == NULL || acceptor->accept_ex == NULL ||
	    (acceptor->family != AF_INET && acceptor->family != AF_INET6))
		return -1;
	for (int i = 0; i < ACCEPTS; i++) {
		acceptor->ops[i] = accept_new(acceptor);
		if (acceptor->ops[i] == NULL)
			return -1;
	}
	immediate = evi_port_attach(acceptor->base, acceptor->listener);
	if (immediate < 0)
		return -1;
	for (int i = 0; i < ACCEPTS; i++)
		acceptor->ops[i]->op.is_immediate = immediate;
	return 0;
}

struct evi_acceptor *evi_acceptor_new(struct event_base *base, evutil_socket_t fd, unsigned flags,
				      struct event *ready)
{
	struct evi_acceptor *acceptor;

	if (!evi_base_has_port(base))
		return NULL;
	acceptor = evi_calloc(1, sizeof(*acceptor));
	if (acceptor == NULL)
		return NULL;
	acceptor->base = base;
	acceptor->ready = ready;
	acceptor->listener = fd;
	acceptor->flags = flags;
	acceptor->refs = 1;
	if (fill(acceptor) < 0) {
		evi_acceptor_free(acceptor);
		return NULL;
	}
	return acceptor;
}

void evi_acceptor_start(struct evi_acceptor *acceptor)
{
	evi_lock(acceptor->lock);
	acceptor->is_started = 1;
	if (acceptor->queued > 0 || acceptor->err != 0)
		tell(acceptor);
	begin_all(acceptor);
	evi_unlock(acceptor->lock);
}

void evi_acceptor_stop(struct evi_acceptor *acceptor)
{
	evi_lock(acceptor->lock);
	acceptor->is_started = 0;
	for (int i = 0; i < ACCEPTS; i++) {
		evi_operation_hold(&acceptor->ops[i]->op, 0);
		evi_operation_cancel(&acceptor->ops[i]->op);
	}
	evi_unlock(acceptor->lock);
}

/* The next connection, which is the caller's now, or -1 with what there is to tell. */
static evutil_socket_t take(struct evi_acceptor *acceptor, int *ret_err)
{
	struct accept_op *accept;
	evutil_socket_t fd;

	if (acceptor->queued == 0) {
		*ret_err = acceptor->err != 0 ? acceptor->err : WSAEWOULDBLOCK;
		acceptor->err = 0;
		return EVUTIL_INVALID_SOCKET;
	}
	accept = dequeue(acceptor);
	fd = accept->fd;
	accept->fd = EVUTIL_INVALID_SOCKET;
	if (acceptor->is_started)
		begin_all(acceptor);
	return fd;
}

evutil_socket_t evi_acceptor_take(struct evi_acceptor *acceptor, struct sockaddr *addr,
				  ev_socklen_t *addrlen)
{
	evutil_socket_t fd;
	int err = WSAECONNRESET;

	evi_lock(acceptor->lock);
	fd = take(acceptor, &err);
	evi_unlock(acceptor->lock);
	if (fd >= 0 && getpeername((SOCKET)fd, addr, addrlen) != 0) {
		(void)evutil_closesocket(fd); /* it was gone before it was seen */
		fd = EVUTIL_INVALID_SOCKET;
	}
	if (fd < 0)
		WSASetLastError(err);
	return fd;
}

void evi_acceptor_free(struct evi_acceptor *acceptor)
{
	evi_lock(acceptor->lock);
	acceptor->ready = NULL;
	acceptor->is_started = 0;
	evi_unlock(acceptor->lock);
	for (int i = 0; i < ACCEPTS; i++) {
		if (acceptor->ops[i] != NULL)
			evi_operation_abandon(&acceptor->ops[i]->op);
	}
	acceptor_unref(acceptor);
}
