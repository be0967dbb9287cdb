/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket type on a base with a completion port: one overlapped receive and one overlapped send,
 * or connect, are under way at a time.
 *
 * Operations complete in the loop (event2/component/completion.h), so that callbacks come from
 * where those of a watched socket come from. The events of the bufferevent only keep its timeouts
 * then. What an operation lends to the system is in memory that outlives the bufferevent: see
 * overlapped.h.
 *
 * A receive asks before it is known whether its bytes will still be wanted: what arrives after
 * reading was stopped, or is more than marks and limits allow by now, waits in `early`, as an end
 * or an error does in `ended`. The user sees the same as if it had stayed in the socket.
 *
 * A socket that cannot be told by completions - it belongs to another port, or was not connected by
 * us and is not connected yet - is watched, by the operations of the socket type.
 */

#include "bufferevent.h"

#include "bufferevent/type_socket.h"
#include "chain/chain.h"
#include "chain/chain_pool.h"
#include "evbuffer/overlapped.h"

#include <event2/component/completion.h>

#include <mswsock.h>

#define BOTH (EV_READ | EV_WRITE)

/* What one send takes at most: a timeout looks at progress, which is told when all has gone. */
#define SEND_MAX ((size_t)65536)

/* overlapped_data.ended: the peer has closed its side. */
#define END_OF_FILE (-1)

struct receive {
	struct evi_operation op; /* first */
	struct bufferevent *bev; /* there as long as this is not abandoned */
	struct evi_chain *chain; /* owned; lent to the system while busy; NULL: none yet */
	size_t offered;          /* of its room */
	int is_busy;             /* from the beginning to on_received(); the bufferevent's lock */
};

struct transmit {
	struct evi_operation op; /* first */
	struct bufferevent *bev; /* likewise */
	struct evi_pins pins;
	size_t charged; /* to the rate limits when it began: what it would move */
	int is_busy;
	int is_connect; /* ConnectEx(), not WSASend() */
};

struct overlapped_data {
	struct evi_socket_data socket; /* first: for the operations of that type */
	struct receive *receive;       /* owned, until abandoned; NULL: none yet */
	struct transmit *transmit;     /* likewise */
	struct evi_chain *early;       /* owned; received, and not in the input yet */
	int ended;                     /* END_OF_FILE, a socket error, or 0 */
	int has_refused;               /* this descriptor has to be watched: */
	evutil_socket_t refused;
};

/* --- Operations ------------------------------------------------------------------------------- */

/* Either may outlive all buffers, and then is the last to use the pool that their chains go to. */
static void receive_free(struct evi_operation *op)
{
	struct receive *receive = (struct receive *)op;

	if (receive->chain != NULL)
		evi_chain_unref(receive->chain);
	evi_free(receive);
	evi_pool_leave();
}

static void transmit_free(struct evi_operation *op)
{
	struct transmit *transmit = (struct transmit *)op;

	evi_pins_release(&transmit->pins);
	evi_free(transmit);
	evi_pool_leave();
}

static void abandon(struct overlapped_data *data)
{
	if (data->receive != NULL)
		evi_operation_abandon(&data->receive->op);
	if (data->transmit != NULL)
		evi_operation_abandon(&data->transmit->op);
	data->receive = NULL;
	data->transmit = NULL;
}

static void on_received(struct evi_operation *op, int err, size_t n);
static void on_transmitted(struct evi_operation *op, int err, size_t n);

static struct receive *receive_new(struct bufferevent *bev)
{
	struct receive *receive = evi_calloc(1, sizeof(*receive));

	if (receive == NULL)
		return NULL;
	evi_pool_enter();
	receive->bev = bev;
	evi_operation_init(&receive->op, bev->ev_base, on_received, receive_free);
	return receive;
}

static struct transmit *transmit_new(struct bufferevent *bev)
{
	struct transmit *transmit = evi_calloc(1, sizeof(*transmit));

	if (transmit == NULL)
		return NULL;
	evi_pool_enter();
	transmit->bev = bev;
	evi_operation_init(&transmit->op, bev->ev_base, on_transmitted, transmit_free);
	return transmit;
}

/* --- Watched or not --------------------------------------------------------------------------- */

static int is_connected(evutil_socket_t fd)
{
	struct sockaddr_storage peer;
	int len = sizeof(peer);

	return getpeername((SOCKET)fd, (struct sockaddr *)&peer, &len) == 0;
}

static int refuse(struct overlapped_data *data, evutil_socket_t fd)
{
	data->has_refused = 1;
	data->refused = fd;
	return 0;
}

/*
 * From now on the descriptor is told by completions: both operations are there. Else nothing
 * changes.
 */
static int go_over(struct bufferevent *bev, evutil_socket_t fd)
{
	struct overlapped_data *data = evi_bev_data(bev);
	int err = -ENOMEM;

	abandon(data); /* they may be of another descriptor, or base */
	data->receive = receive_new(bev);
	data->transmit = transmit_new(bev);
	if (data->receive != NULL && data->transmit != NULL)
		err = evi_port_attach(bev->ev_base, fd);
	if (err < 0) {
		abandon(data);
		return err;
	}
	data->receive->op.is_immediate = data->transmit->op.is_immediate = err;
	evi_bev_unwatch(evi_bev_of(bev));
	return 0;
}

/* Whether the descriptor works by completions; decided when it is first used. */
static int is_overlapped(struct bufferevent *bev)
{
	struct overlapped_data *data = evi_bev_data(bev);
	struct evi_bev *b = evi_bev_of(bev);
	evutil_socket_t fd = evi_bev_fd(bev);

	if (b->flags & EVI_BEV_IS_UNWATCHED)
		return 1;
	if (fd < 0 || (b->flags & EVI_BEV_IS_CONNECTING) ||
	    (data->has_refused && data->refused == fd))
		return 0;
	if (!evi_base_has_port(bev->ev_base) || !is_connected(fd) || go_over(bev, fd) < 0)
		return refuse(data, fd);
	return 1;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static void end_reading(struct bufferevent *bev)
{
	struct overlapped_data *data = evi_bev_data(bev);
	int ended = data->ended;

	data->ended = 0;
	if (ended == END_OF_FILE)
		evi_bev_fail(bev, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
	else
		evi_bev_fail(bev, BEV_EVENT_READING | BEV_EVENT_ERROR, ended);
}

static int receive_begin(struct receive *receive, evutil_socket_t fd, size_t max)
{
	WSABUF area;
	DWORD flags = 0;
	int err = 0;

	receive->offered = receive->chain->room < max ? receive->chain->room : max;
	area.buf = (char *)evi_chain_tail(receive->chain);
	area.len = (ULONG)receive->offered;
	receive->is_busy = 1;
	evi_operation_begin(&receive->op, fd);
	if (WSARecv((SOCKET)fd, &area, 1, NULL, &flags, &receive->op.overlapped, NULL) != 0)
		err = WSAGetLastError();
	err = evi_operation_begun(&receive->op, err);
	if (err < 0)
		receive->is_busy = 0;
	else
		evi_operation_hold(&receive->op, 1);
	return err;
}

/* More than this would have to wait outside the input. */
static size_t room_below_mark(const struct bufferevent *bev)
{
	size_t high = bev->wm_read.high, len = evi_evbuffer_len(bev->input);

	return high > len ? high - len : EVI_BEV_ANY;
}

/*
 * Reads on; what is there already, or an error, is for the end of the round. Rate limits do not
 * count before bytes go to the input: a turn in a group cannot be kept until then.
 */
static int receive_some(struct bufferevent *bev)
{
	struct overlapped_data *data = evi_bev_data(bev);
	struct receive *receive = data->receive;
	int err;

	if (receive->is_busy) {
		evi_operation_hold(&receive->op, 1);
		return 0;
	}
	if (data->early == NULL && data->ended == 0) {
		err = evi_evbuffer_prepare(bev->input, &receive->chain);
		if (err < 0)
			return err;
		data->ended = -receive_begin(receive, evi_bev_fd(bev), room_below_mark(bev));
	}
	if (data->early != NULL || data->ended != 0)
		evi_bev_at_round_end(bev);
	return 0;
}

/* An emptied chain serves again. */
static void keep_chain(struct bufferevent *bev, struct evi_chain *chain)
{
	struct overlapped_data *data = evi_bev_data(bev);

	if (chain->len > 0)
		data->early = chain;
	else if (data->receive != NULL && data->receive->chain == NULL)
		data->receive->chain = chain;
	else
		evi_chain_unref(chain);
}

/* Gives the input what marks and limits allow. */
static void take_early(struct bufferevent *bev)
{
	struct overlapped_data *data = evi_bev_data(bev);
	struct evi_chain *chain = data->early;
	size_t room = evi_bev_room(bev, EV_READ), n;

	if (room == 0)
		return;
	data->early = NULL;
	n = evi_evbuffer_adopt(bev->input, room, &chain);
	if (chain != NULL)
		keep_chain(bev, chain);
	evi_evbuffer_notify(bev->input, n, 0);
	evi_bev_moved(bev, EV_READ, n);
	evi_bev_progress(bev, EV_READ);
	evi_bev_notify(bev, EV_READ, 0);
}

static void read_on(struct bufferevent *bev)
{
	struct overlapped_data *data = evi_bev_data(bev);
	int err = 0;

	if (!evi_bev_active(bev, EV_READ))
		return;
	if (data->early != NULL) {
		take_early(bev);
	} else if (data->ended != 0) {
		end_reading(bev);
		return;
	}
	if (evi_bev_active(bev, EV_READ) && is_overlapped(bev))
		err = receive_some(bev);
	if (err < 0)
		evi_bev_fail(bev, BEV_EVENT_READING | BEV_EVENT_ERROR, -err);
}

/* Bytes that the system has put into the chain. */
static void receive_filled(struct bufferevent *bev, struct receive *receive, size_t n)
{
	struct overlapped_data *data = evi_bev_data(bev);

	receive->chain->len = n;
	receive->chain->room -= n;
	data->early = receive->chain;
	receive->chain = NULL;
}

/*
 * A cancelled one is begun again if reading is active: a thread that ends takes what it began
 * along.
 */
static void on_received(struct evi_operation *op, int err, size_t n)
{
	struct receive *receive = (struct receive *)op;
	struct bufferevent *bev = receive->bev;
	struct overlapped_data *data = evi_bev_data(bev);

	if (!evi_bev_try_enter(evi_bev_of(bev)))
		return;
	receive->is_busy = 0;
	if (n > 0) {
		evi_evbuffer_adapt(bev->input, receive->offered, n);
		receive_filled(bev, receive, n);
	} else if (err == 0 || err == WSAEDISCON) {
		data->ended = END_OF_FILE;
	} else if (err != WSA_OPERATION_ABORTED) {
		data->ended = err;
	}
	read_on(bev);
	evi_bev_leave(bev);
}

/* --- Writing ---------------------------------------------------------------------------------- */

static void fail_write(struct bufferevent *bev, int err)
{
	evi_bev_fail(bev, BEV_EVENT_WRITING | BEV_EVENT_ERROR, err);
}

static int send_begin(struct transmit *transmit, evutil_socket_t fd)
{
	WSABUF areas[EVI_PINS_MAX];
	const struct evi_pins *pins = &transmit->pins;
	int err = 0;

	transmit->charged = 0;
	for (int i = 0; i < pins->n; i++) {
		areas[i].buf = pins->vec[i].iov_base;
		areas[i].len = (ULONG)pins->vec[i].iov_len;
		transmit->charged += pins->vec[i].iov_len;
	}
	transmit->is_busy = 1;
	transmit->is_connect = 0;
	evi_operation_begin(&transmit->op, fd);
	if (WSASend((SOCKET)fd, areas, (DWORD)pins->n, NULL, 0, &transmit->op.overlapped, NULL))
		err = WSAGetLastError();
	err = evi_operation_begun(&transmit->op, err);
	if (err < 0) {
		transmit->is_busy = 0;
		evi_pins_release(&transmit->pins);
	} else {
		evi_operation_hold(&transmit->op, 1);
	}
	return err;
}

static int send_front(struct bufferevent *bev, size_t room)
{
	struct overlapped_data *data = evi_bev_data(bev);
	struct transmit *transmit = data->transmit;
	int err;

	if (transmit->is_busy)
		return 0;
	err = evi_evbuffer_pin(bev->output, room < SEND_MAX ? room : SEND_MAX, &transmit->pins);
	if (err < 0)
		return err;
	err = send_begin(transmit, evi_bev_fd(bev));
	if (err < 0)
		return err;
	err = evi_bev_wait(bev, EV_WRITE);
	evi_bev_moved(bev, EV_WRITE, transmit->charged); /* which may hold it from now on */
	return err;
}

static void send_some(struct bufferevent *bev)
{
	size_t room = evi_bev_room(bev, EV_WRITE);
	int err;

	if (room == 0 || !evi_bev_active(bev, EV_WRITE))
		return;
	err = send_front(bev, room);
	if (err < 0)
		fail_write(bev, -err);
}

/* What was sent although writing has been disabled meanwhile is told when it is enabled again. */
static void sent(struct bufferevent *bev, int err, size_t n, size_t charged)
{
	struct overlapped_data *data = evi_bev_data(bev);

	if (n > 0) {
		data->socket.is_announced = 0;
		evi_evbuffer_sent(bev->output, n);
	}
	if (n < charged && evi_bev_of(bev)->limits != NULL)
		evi_limits_charge(evi_bev_of(bev), EV_WRITE, -(ev_ssize_t)(charged - n));
	if (err != 0 && err != WSA_OPERATION_ABORTED) {
		if (bev->enabled & EV_WRITE)
			fail_write(bev, err);
		return;
	}
	if (evi_evbuffer_len(bev->output) == 0) {
		evi_evbuffer_trim(bev->output);
		evi_bev_unwait(bev, EV_WRITE);
	} else {
		send_some(bev);
	}
	if (n > 0 && (bev->enabled & EV_WRITE))
		evi_bev_notify(bev, EV_WRITE, 0);
}

/* Only with this the socket knows its peer. */
static int finish_connect(evutil_socket_t fd)
{
	if (setsockopt((SOCKET)fd, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) == 0)
		return 0;
	return WSAGetLastError();
}

static void connected(struct bufferevent *bev, int err)
{
	struct evi_bev *b = evi_bev_of(bev);

	if (!(b->flags & EVI_BEV_IS_CONNECTING))
		return; /* given up meanwhile */
	evi_bev_connect_end(b, err != 0 ? err : finish_connect(evi_bev_fd(bev)));
}

static void on_transmitted(struct evi_operation *op, int err, size_t n)
{
	struct transmit *transmit = (struct transmit *)op;
	struct bufferevent *bev = transmit->bev;

	if (!evi_bev_try_enter(evi_bev_of(bev)))
		return;
	transmit->is_busy = 0;
	evi_pins_release(&transmit->pins);
	if (transmit->is_connect)
		connected(bev, err);
	else
		sent(bev, err, n, transmit->charged);
	evi_bev_leave(bev);
}

/* --- Connecting ------------------------------------------------------------------------------- */

static LPFN_CONNECTEX connect_ex_of(evutil_socket_t fd)
{
	GUID id = WSAID_CONNECTEX;
	LPFN_CONNECTEX fn = NULL;
	DWORD n = 0;

	if (WSAIoctl((SOCKET)fd, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id), &fn,
		     sizeof(fn), &n, NULL, NULL) != 0)
		return NULL;
	return fn;
}

/* ConnectEx() wants a bound socket; fails, as it should, if the user has bound it. */
static void bind_to_any(evutil_socket_t fd, int family)
{
	struct sockaddr_storage any = { .ss_family = (short)family };

	(void)bind((SOCKET)fd, (struct sockaddr *)&any,
		   family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
}

static int connect_begin(struct transmit *transmit, LPFN_CONNECTEX connect_ex, evutil_socket_t fd,
			 const struct sockaddr *sa, int len)
{
	int err = 0;

	transmit->is_busy = transmit->is_connect = 1;
	evi_operation_begin(&transmit->op, fd);
	if (!connect_ex((SOCKET)fd, sa, len, NULL, 0, NULL, &transmit->op.overlapped))
		err = WSAGetLastError();
	err = evi_operation_begun(&transmit->op, err);
	if (err < 0)
		transmit->is_busy = 0;
	else
		evi_operation_hold(&transmit->op, 1);
	return err;
}

static int is_internet(const struct sockaddr *sa, int len)
{
	return (sa->sa_family == AF_INET && len >= (int)sizeof(struct sockaddr_in)) ||
	       (sa->sa_family == AF_INET6 && len >= (int)sizeof(struct sockaddr_in6));
}

static int connect_overlapped(struct bufferevent *bev, const struct sockaddr *sa, int len)
{
	struct overlapped_data *data = evi_bev_data(bev);
	evutil_socket_t fd = evi_bev_fd(bev);
	LPFN_CONNECTEX connect_ex = is_internet(sa, len) ? connect_ex_of(fd) : NULL;

	if (!(evi_bev_of(bev)->flags & EVI_BEV_IS_UNWATCHED) &&
	    (connect_ex == NULL || !evi_base_has_port(bev->ev_base) || go_over(bev, fd) < 0))
		return evi_bev_connect_begin(fd, sa, len);
	if (data->transmit->is_busy)
		return -WSAEALREADY;
	if (connect_ex == NULL)
		return -WSAEAFNOSUPPORT;
	bind_to_any(fd, sa->sa_family);
	return connect_begin(data->transmit, connect_ex, fd, sa, len);
}

/* --- Directions ------------------------------------------------------------------------------- */

static void output_grew(struct bufferevent *bev)
{
	struct overlapped_data *data = evi_bev_data(bev);

	if (data->transmit == NULL || !data->transmit->is_busy)
		evi_socket_ops.output_grew(bev); /* else it goes on when that is done */
}

static void announce(struct bufferevent *bev)
{
	struct overlapped_data *data = evi_bev_data(bev);

	if (!data->socket.is_announced || !evi_bev_active(bev, EV_WRITE))
		return;
	data->socket.is_announced = 0;
	evi_bev_unwait(bev, EV_WRITE);
	evi_bev_notify(bev, EV_WRITE, 0);
}

static void round_end(struct bufferevent *bev)
{
	struct overlapped_data *data = evi_bev_data(bev);

	if (!is_overlapped(bev)) {
		evi_socket_ops.round_end(bev);
		return;
	}
	if (data->early != NULL || data->ended != 0)
		read_on(bev);
	if (!(evi_bev_of(bev)->flags & EVI_BEV_IS_UNWATCHED) || !evi_bev_active(bev, EV_WRITE))
		return;
	if (evi_evbuffer_len(bev->output) > 0)
		send_some(bev);
	else
		announce(bev);
}

static int start_writing(struct bufferevent *bev, enum evi_bev_cause cause)
{
	struct overlapped_data *data = evi_bev_data(bev);

	if (cause == EVI_BEV_ENABLED)
		data->socket.is_announced = 1;
	else if (cause == EVI_BEV_CONNECTED)
		data->socket.is_announced = 0;
	if (data->transmit != NULL && data->transmit->is_busy) {
		evi_operation_hold(&data->transmit->op, 1);
		return evi_bev_wait(bev, EV_WRITE);
	}
	if (evi_evbuffer_len(bev->output) > 0 || data->socket.is_announced)
		evi_bev_at_round_end(bev);
	if (data->socket.is_announced && evi_socket_is_news(bev))
		return evi_bev_wait(bev, EV_WRITE);
	return 0;
}

static int start(struct bufferevent *bev, short directions, enum evi_bev_cause cause)
{
	int err = 0;

	if (!is_overlapped(bev))
		return evi_socket_ops.start(bev, directions, cause);
	if (directions & EV_READ)
		err = evi_bev_wait(bev, EV_READ);
	if (err == 0 && (directions & EV_READ))
		err = receive_some(bev);
	if (err == 0 && (directions & EV_WRITE))
		err = start_writing(bev, cause);
	return err;
}

/*
 * A receive is cancelled if the user wants no more of it, and may read by himself; if it is only
 * held back it stays. A send that was begun is finished: nobody could tell how much of a cancelled
 * one went.
 */
static void stop(struct bufferevent *bev, short directions)
{
	struct overlapped_data *data = evi_bev_data(bev);

	evi_socket_ops.stop(bev, directions);
	if ((directions & EV_READ) && data->receive != NULL && data->receive->is_busy) {
		evi_operation_hold(&data->receive->op, 0);
		if (!(bev->enabled & EV_READ))
			evi_operation_cancel(&data->receive->op);
	}
	if ((directions & EV_WRITE) && data->transmit != NULL && data->transmit->is_busy &&
	    !data->transmit->is_connect)
		evi_operation_hold(&data->transmit->op, 0);
}

/* --- The descriptor --------------------------------------------------------------------------- */

/* What has come over the old descriptor belongs to the user, what has gone does not any more. */
static void settle(struct bufferevent *bev)
{
	struct overlapped_data *data = evi_bev_data(bev);
	size_t n = 0;

	if (data->receive != NULL && data->receive->is_busy)
		n = evi_operation_recall(&data->receive->op);
	if (n > 0)
		receive_filled(bev, data->receive, n);
	n = 0;
	if (data->transmit != NULL && data->transmit->is_busy)
		n = evi_operation_recall(&data->transmit->op);
	abandon(data);
	data->ended = 0;
	data->has_refused = 0;
	evi_evbuffer_sent(bev->output, n);
	if (data->early != NULL) {
		struct evi_chain *chain = data->early;

		data->early = NULL;
		n = evi_evbuffer_adopt(bev->input, chain->len, &chain);
		if (chain != NULL)
			evi_chain_unref(chain);
		evi_evbuffer_notify(bev->input, n, 0);
	}
}

static int set_fd(struct bufferevent *bev, evutil_socket_t fd)
{
	settle(bev);
	return evi_socket_ops.set_fd(bev, fd);
}

static void detach(struct bufferevent *bev)
{
	abandon(evi_bev_data(bev));
}

static void destroy(struct bufferevent *bev)
{
	struct overlapped_data *data = evi_bev_data(bev);

	if (data->early != NULL)
		evi_chain_unref(data->early);
}

/* --- What is as with a watched socket --------------------------------------------------------- */

static void readable(struct bufferevent *bev)
{
	evi_socket_ops.readable(bev);
}

static void writable(struct bufferevent *bev)
{
	evi_socket_ops.writable(bev);
}

static int flush(struct bufferevent *bev, short directions, enum bufferevent_flush_mode mode)
{
	return evi_socket_ops.flush(bev, directions, mode);
}

static const struct bufferevent_ops overlapped_ops = {
	.name = "bufferevent_socket by completions",
	.traits = EVI_BEV_DESCRIPTOR | EVI_BEV_CHANGES_BASE | EVI_BEV_FIXED_PRIORITY,
	.start = start,
	.stop = stop,
	.output_grew = output_grew,
	.round_end = round_end,
	.readable = readable,
	.writable = writable,
	.connect = connect_overlapped,
	.set_fd = set_fd,
	.flush = flush,
	.detach = detach,
	.destroy = destroy,
};

const struct bufferevent_ops *evi_socket_type_of(struct event_base *base, size_t *ret_data_size)
{
	if (base == NULL || !evi_base_has_port(base)) {
		*ret_data_size = sizeof(struct evi_socket_data);
		return &evi_socket_ops;
	}
	*ret_data_size = sizeof(struct overlapped_data);
	return &overlapped_ops;
}
