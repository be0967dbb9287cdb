/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket type: bytes over a stream descriptor.
 *
 * Output is written at the end of the round in which it was added, so that what many callbacks
 * produce goes in one call; a large answer sooner. The descriptor is watched for writability only
 * after it refused some. So, other than with reading, "waits for writing" means that something is
 * in the way.
 */

#include "bufferevent/type_socket.h"

#include "evbuffer.h"

/* From so many bytes on an answer does not wait for the end of the round. */
#define LARGE_ANSWER 16384

/* --- Writing ---------------------------------------------------------------------------------- */

static void fail_write(struct bufferevent *bev, int err)
{
	evi_bev_fail(bev, BEV_EVENT_WRITING | BEV_EVENT_ERROR, err);
}

/* The rest waits for the descriptor; the timeout starts with this progress, or lack of any. */
static void block(struct bufferevent *bev)
{
	struct evi_socket_data *data = evi_bev_data(bev);
	int err;

	data->is_blocked = 1;
	err = evi_bev_wait(bev, EV_WRITE);
	if (err < 0)
		fail_write(bev, -err);
}

static void unblock(struct bufferevent *bev)
{
	struct evi_socket_data *data = evi_bev_data(bev);

	data->is_blocked = 0;
	if (evi_bev_waits(bev, EV_WRITE))
		evi_bev_unwait(bev, EV_WRITE);
}

/* An allowance of 0 is not an answer of the descriptor: start() or nothing will follow. */
static void write_some(struct bufferevent *bev)
{
	struct evi_socket_data *data = evi_bev_data(bev);
	size_t room;
	ev_ssize_t n;

	if (!evi_bev_active(bev, EV_WRITE))
		return;
	room = evi_bev_room(bev, EV_WRITE);
	if (room == 0)
		return;
	n = evi_evbuffer_send(bev->output, evi_bev_fd(bev), room);
	if (n < 0 && !evi_error_is_retriable_rw((int)-n)) {
		fail_write(bev, (int)-n);
		return;
	}
	if (n > 0) {
		data->is_announced = 0;
		evi_bev_moved(bev, EV_WRITE, (size_t)n);
	}
	if (evi_evbuffer_len(bev->output) == 0) {
		evi_evbuffer_trim(bev->output);
		unblock(bev);
	} else if (evi_bev_active(bev, EV_WRITE)) {
		block(bev);
	}
	if (n > 0)
		evi_bev_notify(bev, EV_WRITE, 0);
}

static void writable(struct bufferevent *bev)
{
	struct evi_socket_data *data = evi_bev_data(bev);

	data->is_announced = 0;
	if (evi_evbuffer_len(bev->output) > 0) {
		write_some(bev);
		return;
	}
	unblock(bev);
	if (evi_bev_active(bev, EV_WRITE))
		evi_bev_notify(bev, EV_WRITE, 0);
}

/* --- Reading ---------------------------------------------------------------------------------- */

static int may_write(const struct bufferevent *bev)
{
	const struct evi_socket_data *data = evi_bev_data(bev);

	return !data->is_blocked && evi_bev_fd(bev) >= 0;
}

/*
 * A large answer leaves as soon as the callback has returned, not at the end of the round: its
 * bytes are still in the caches, and the memory they took serves the next connection.
 */
static void tell_read(struct bufferevent *bev)
{
	struct evi_socket_data *data = evi_bev_data(bev);
	size_t len;

	data->is_answering = 1;
	evi_bev_notify(bev, EV_READ, 0);
	data->is_answering = 0;
	len = evi_evbuffer_len(bev->output);
	if (len == 0 || !evi_bev_active(bev, EV_WRITE) || !may_write(bev))
		return;
	if (len >= LARGE_ANSWER)
		write_some(bev);
	else
		evi_bev_at_round_end(bev);
}

static void readable(struct bufferevent *bev)
{
	size_t room = evi_bev_room(bev, EV_READ);
	ev_ssize_t n;

	if (room == 0 || !evi_bev_active(bev, EV_READ))
		return;
	n = evi_evbuffer_receive(bev->input, evi_bev_fd(bev), room, NULL);
	if (n > 0) {
		evi_bev_moved(bev, EV_READ, (size_t)n);
		tell_read(bev);
	} else if (n == 0) {
		evi_bev_fail(bev, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
	} else if (!evi_error_is_retriable_rw((int)-n)) {
		evi_bev_fail(bev, BEV_EVENT_READING | BEV_EVENT_ERROR, (int)-n);
	}
}

/* --- At the end of the round ------------------------------------------------------------------ */

static void output_grew(struct bufferevent *bev)
{
	const struct evi_socket_data *data = evi_bev_data(bev);

	if (!data->is_answering && may_write(bev))
		evi_bev_at_round_end(bev);
}

int evi_socket_is_news(const struct bufferevent *bev)
{
	return bev->writecb != NULL || evutil_timerisset(&bev->timeout_write);
}

static void announce(struct bufferevent *bev)
{
	struct evi_socket_data *data = evi_bev_data(bev);
	int err = 0;

	if (!evi_socket_is_news(bev))
		data->is_announced = 0;
	else if (evi_bev_active(bev, EV_WRITE))
		err = evi_bev_wait(bev, EV_WRITE);
	if (err < 0)
		fail_write(bev, -err);
}

static void round_end(struct bufferevent *bev)
{
	struct evi_socket_data *data = evi_bev_data(bev);

	if (data->is_blocked || evi_bev_fd(bev) < 0)
		return;
	if (evi_evbuffer_len(bev->output) > 0)
		write_some(bev);
	else if (data->is_announced && !evi_bev_waits(bev, EV_WRITE))
		announce(bev);
}

/* --- Directions ------------------------------------------------------------------------------- */

/*
 * Without a descriptor the timeout runs all the same. With an empty output there is nothing to wait
 * for, unless the user has just enabled writing; whether that is news is seen at the end of the
 * round.
 */
static int start_writing(struct bufferevent *bev, enum evi_bev_cause cause)
{
	struct evi_socket_data *data = evi_bev_data(bev);
	int has_output = evi_evbuffer_len(bev->output) > 0;

	if (cause == EVI_BEV_ENABLED)
		data->is_announced = 1;
	if (evi_bev_fd(bev) < 0)
		return has_output || data->is_announced ? evi_bev_wait(bev, EV_WRITE) : 0;
	if (cause == EVI_BEV_CONNECTED)
		data->is_announced = 0;
	if (!data->is_blocked && (has_output || data->is_announced))
		evi_bev_at_round_end(bev);
	return data->is_blocked || (data->is_announced && evi_socket_is_news(bev))
		       ? evi_bev_wait(bev, EV_WRITE)
		       : 0;
}

static int start(struct bufferevent *bev, short directions, enum evi_bev_cause cause)
{
	int err = 0;

	if (directions & EV_READ)
		err = evi_bev_wait(bev, EV_READ);
	if (err == 0 && (directions & EV_WRITE))
		err = start_writing(bev, cause);
	return err;
}

static void stop(struct bufferevent *bev, short directions)
{
	struct evi_socket_data *data = evi_bev_data(bev);

	if (directions & EV_WRITE)
		data->is_blocked = 0;
	evi_bev_unwait(bev, directions);
}

static int set_fd(struct bufferevent *bev, evutil_socket_t fd)
{
	struct evi_socket_data *data = evi_bev_data(bev);

	data->is_blocked = 0;
	return evi_bev_set_fd(bev, fd);
}

/* Whatever the mode, the loop writes as soon as it can. */
static int flush(struct bufferevent *bev, short directions, enum bufferevent_flush_mode mode)
{
	(void)bev;
	(void)directions;
	(void)mode;
	return 0;
}

const struct bufferevent_ops evi_socket_ops = {
	.name = "bufferevent_socket",
	.traits = EVI_BEV_DESCRIPTOR | EVI_BEV_CHANGES_BASE,
	.start = start,
	.stop = stop,
	.output_grew = output_grew,
	.round_end = round_end,
	.readable = readable,
	.writable = writable,
	.set_fd = set_fd,
	.flush = flush,
};

/* --- The API ---------------------------------------------------------------------------------- */

struct bufferevent *bufferevent_socket_new(struct event_base *base, evutil_socket_t fd, int options)
{
	const struct bufferevent_ops *ops;
	struct bufferevent *bev;
	size_t data_size;

	if (base == NULL)
		base = evi_current_base();
	ops = evi_socket_type_of(base, &data_size);
	bev = evi_bev_new(ops, base, options, data_size);
	if (bev != NULL && fd >= 0)
		evi_bev_adopt_fd(bev, fd);
	return bev;
}
