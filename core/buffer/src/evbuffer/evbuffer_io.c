/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evbuffer: reading from and writing to descriptors.
 *
 * A read goes into the room of the last chain and into new ones behind it, with one system call;
 * nobody asks beforehand how much there is. A write hands out the chains as they are.
 */

#include "chain/chain.h"
#include "evbuffer/file_segment.h"
#include "os/os_io.h"
#include "evbuffer/store.h"

#include <assert.h>
#include <limits.h>

/* A bufferevent's reads are offered this much, times two for each step of the hint. */
#define RECEIVE_MIN ((size_t)4096)
#define RECEIVE_HINT_MAX 6
/* The last chain's room is not worth a piece of its own if it is smaller and more is wanted. */
#define ROOM_WORTH_USING 256
/* File ranges up to this size are read, to go out with what is before them in one call. */
#define TOGETHER_MAX ((size_t)16384)
/* Calls of one send at most: others want their turn. */
#define MIXED_CALLS 4
/* Chains one read fills at most: the tail, and as many of the largest as it takes. */
#define READ_PIECES (1 + (int)((RECEIVE_MIN << RECEIVE_HINT_MAX) / EVI_CHAIN_ROOM_MAX))

/* The areas of one read: first the last chain's room, if `uses_tail`, then those of new chains. */
struct read_plan {
	struct evbuffer_iovec vec[READ_PIECES];
	int n_vec;
	int uses_tail;
	struct evi_chain *chains; /* owned */
	size_t offered;           /* bytes in all areas */
};

static void plan_area(struct read_plan *plan, struct evi_chain *chain, size_t wanted)
{
	struct evbuffer_iovec *vec = &plan->vec[plan->n_vec++];

	vec->iov_base = evi_chain_tail(chain);
	vec->iov_len = chain->room < wanted - plan->offered ? chain->room : wanted - plan->offered;
	plan->offered += vec->iov_len;
}

/* Blocks of `room` bytes each; what memory allows, if it allows any. */
static int plan_read(struct evbuffer *buf, struct read_plan *plan, size_t wanted, size_t room)
{
	struct evi_chain **link = &plan->chains;

	plan->n_vec = plan->uses_tail = 0;
	plan->offered = 0;
	plan->chains = NULL;
	if (buf->last != NULL &&
	    (buf->last->room >= wanted || buf->last->room >= ROOM_WORTH_USING)) {
		plan->uses_tail = 1;
		plan_area(plan, buf->last, wanted);
	}
	while (plan->offered < wanted && plan->n_vec < READ_PIECES) {
		struct evi_chain *chain = buf->spare;

		if (chain != NULL)
			buf->spare = NULL;
		else
			chain = evi_chain_new(room);
		if (chain == NULL)
			break;
		*link = chain;
		link = &chain->next;
		plan_area(plan, chain, wanted);
	}
	return plan->n_vec > 0 ? 0 : -ENOMEM;
}

/* Makes the first `n` bytes of the areas the buffer's; what was not needed becomes the spare. */
static void plan_done(struct evbuffer *buf, struct read_plan *plan, size_t n)
{
	struct evi_chain *chain = plan->chains;

	if (plan->uses_tail) {
		size_t part = n < plan->vec[0].iov_len ? n : plan->vec[0].iov_len;

		buf->last->len += part;
		buf->last->room -= part;
		buf->len += part;
		n -= part;
	}
	while (chain != NULL && n > 0) {
		struct evi_chain *next = chain->next;
		size_t part = n < chain->room ? n : chain->room;

		chain->len = part;
		chain->room -= part;
		evi_store_link(buf, chain);
		n -= part;
		chain = next;
	}
	evi_store_retire(buf, chain);
}

static ev_ssize_t read_into(struct evbuffer *buf, evutil_socket_t fd, size_t wanted, size_t room)
{
	struct read_plan plan;
	ev_ssize_t n;

	if (wanted > SIZE_MAX - buf->len)
		return -EOVERFLOW;
	if (plan_read(buf, &plan, wanted, room) < 0)
		return -ENOMEM;
	n = evi_io_read(fd, plan.vec, plan.n_vec);
	plan_done(buf, &plan, n > 0 ? (size_t)n : 0);
	return n;
}

/*
 * A read that filled what it was offered asks for more next time; one that used little, for less.
 */
void evi_evbuffer_adapt(struct evbuffer *buf, size_t offered, size_t n)
{
	if (n >= offered)
		buf->read_hint = buf->read_hint + 2 < RECEIVE_HINT_MAX ? buf->read_hint + 2
								       : RECEIVE_HINT_MAX;
	else if (n < offered / 4 && buf->read_hint > 0)
		buf->read_hint--;
}

size_t evi_evbuffer_read_size(const struct evbuffer *buf)
{
	return RECEIVE_MIN << buf->read_hint;
}

ev_ssize_t evi_evbuffer_receive(struct evbuffer *buf, evutil_socket_t fd, size_t max, int *ret_full)
{
	size_t wanted = evi_evbuffer_read_size(buf);
	size_t room = wanted < EVI_CHAIN_ROOM_MAX ? wanted : EVI_CHAIN_ROOM_MAX;
	ev_ssize_t n;

	assert(max > 0);
	if (wanted > max)
		wanted = max;
	n = read_into(buf, fd, wanted, room < max ? room : max);
	if (n <= 0)
		return n;
	if (wanted < max)
		evi_evbuffer_adapt(buf, wanted, (size_t)n);
	if (ret_full != NULL)
		*ret_full = (size_t)n == wanted;
	evi_evbuffer_notify(buf, (size_t)n, 0);
	return n;
}

/* --- Writing ---------------------------------------------------------------------------------- */

/* Pieces from the front, in memory, `max` bytes at most. */
static int collect(const struct evbuffer *buf, size_t max, struct evbuffer_iovec *vec)
{
	const struct evi_chain *chain = buf->first;
	int n = 0;

	for (; chain != NULL && chain->kind != EVI_CHAIN_FILE && max > 0 && n < EVI_IO_PIECES_MAX;
	     chain = chain->next, n++) {
		vec[n].iov_base = chain->data;
		vec[n].iov_len = chain->len < max ? chain->len : max;
		max -= vec[n].iov_len;
	}
	return n;
}

static ev_ssize_t send_file(const struct evi_chain *chain, evutil_socket_t fd, size_t max)
{
	const struct evi_chain_file *file = (const struct evi_chain_file *)chain;
	ev_ssize_t n;

	n = evi_segment_send(file->segment, fd, file->end - (ev_off_t)chain->len,
			     chain->len < max ? chain->len : max);
	return n == 0 ? -EIO : n; /* somebody has shortened the file */
}

/* One system call. `has_more`: see evi_io_write(). */
static ev_ssize_t write_front(struct evbuffer *buf, evutil_socket_t fd, size_t max, int has_more)
{
	struct evbuffer_iovec vec[EVI_IO_PIECES_MAX];
	ev_ssize_t n;
	int err;

	if (max > buf->len)
		max = buf->len;
	if (max > INT_MAX)
		max = INT_MAX;
	if (max == 0)
		return -EVI_IO_WOULD_BLOCK;
	if (buf->first->kind == EVI_CHAIN_FILE) {
		n = send_file(buf->first, fd, max);
		if (n != -ENOSYS)
			return n;
		err = evi_evbuffer_load(buf, 0, 1);
		if (err < 0)
			return err;
	}
	return evi_io_write(fd, vec, collect(buf, max, vec), has_more, &buf->plain_fd);
}

/* Releases what was sent: all of it, to the pool, where the next read finds it. */
static void drop_sent(struct evbuffer *buf, size_t n)
{
	if (n < buf->len)
		evi_store_drop(buf, n);
	else
		evi_chain_unref_list(evi_store_unlink_all(buf));
}

/* Writes and drops. */
static ev_ssize_t take_front(struct evbuffer *buf, evutil_socket_t fd, size_t max, int has_more)
{
	ev_ssize_t n = write_front(buf, fd, max, has_more);

	if (n > 0)
		evi_store_drop(buf, (size_t)n);
	return n;
}

/* Reads small file ranges behind bytes in memory. One that cannot be read fails in its turn. */
static void load_small_files(struct evbuffer *buf)
{
	struct evi_chain **link = &buf->first;
	size_t at = 0;

	while (*link != NULL && at < TOGETHER_MAX) {
		if ((*link)->kind == EVI_CHAIN_FILE &&
		    (at == 0 || (*link)->len > TOGETHER_MAX ||
		     evi_evbuffer_load(buf, at, (*link)->len) < 0))
			return;
		at += (*link)->len;
		link = &(*link)->next;
	}
}

/* How much one call can write: a file range, or what is in memory before the next. */
static size_t run_length(const struct evbuffer *buf, int *ret_file_follows)
{
	const struct evi_chain *chain = buf->first;
	size_t len = 0;

	*ret_file_follows = 0;
	if (chain->kind == EVI_CHAIN_FILE)
		return chain->len;
	for (int n = 0; chain != NULL && chain->kind != EVI_CHAIN_FILE; chain = chain->next) {
		if (n++ == EVI_IO_PIECES_MAX)
			return len;
		len += chain->len;
	}
	*ret_file_follows = chain != NULL;
	return len;
}

/*
 * Memory and file ranges in turn, as long as all goes out: waiting for the descriptor at each
 * border would cost more than the file, and the head of a reply would be a packet of its own.
 */
static evi_noinline ev_ssize_t send_mixed(struct evbuffer *buf, evutil_socket_t fd, size_t max)
{
	size_t sent = 0;

	load_small_files(buf);
	for (int i = 0; i < MIXED_CALLS && sent < max && buf->len > 0; i++) {
		int file_follows;
		size_t run = run_length(buf, &file_follows), part = max - sent;
		int has_more = file_follows && run < part && i + 1 < MIXED_CALLS;
		ev_ssize_t n = take_front(buf, fd, run < part ? run : part, has_more);

		if (n < 0 && sent == 0)
			return n;
		if (n > 0)
			sent += (size_t)n;
		if (n < 0 || (size_t)n < run)
			break;
	}
	return sent > 0 ? (ev_ssize_t)sent : -EVI_IO_WOULD_BLOCK;
}

ev_ssize_t evi_evbuffer_send(struct evbuffer *buf, evutil_socket_t fd, size_t max)
{
	ev_ssize_t n;

	if (evi_unlikely(buf->flags & EVI_BUF_UNLOADED)) {
		n = send_mixed(buf, fd, max);
	} else {
		n = write_front(buf, fd, max, 0);
		if (n > 0)
			drop_sent(buf, (size_t)n);
	}
	if (n > 0)
		evi_evbuffer_notify(buf, 0, (size_t)n);
	return n;
}

int evi_evbuffer_front_file(const struct evbuffer *buf, struct evi_file_range *ret_range)
{
	const struct evi_chain_file *file = (const struct evi_chain_file *)buf->first;

	if (!(buf->flags & EVI_BUF_UNLOADED) || file == NULL ||
	    file->chain.kind != EVI_CHAIN_FILE ||
	    !evi_segment_place(file->segment, file->end - (ev_off_t)file->chain.len, &ret_range->fd,
			       &ret_range->offset))
		return 0;
	ret_range->len = file->chain.len;
	return 1;
}

/* --- The API ---------------------------------------------------------------------------------- */

/* What internal calls return, as the API does. */
static int api_result(ev_ssize_t n)
{
	if (n >= 0)
		return (int)n;
	EVUTIL_SET_SOCKET_ERROR((int)-n);
	return -1;
}

/* How much to offer: not a block of megabytes, because the limit allows it, for a few bytes. */
static size_t read_size(const struct evbuffer *buf, evutil_socket_t fd, int howmuch)
{
	size_t wanted = howmuch < 0 || (size_t)howmuch > buf->max_read ? buf->max_read
								       : (size_t)howmuch;
	size_t readable;

	if (wanted <= EVI_CHAIN_ROOM_MAX)
		return wanted;
	readable = evi_io_readable(fd);
	if (readable < EVI_CHAIN_ROOM_MAX)
		readable = EVI_CHAIN_ROOM_MAX;
	return readable < wanted ? readable : wanted;
}

int evbuffer_read(struct evbuffer *buf, evutil_socket_t fd, int howmuch)
{
	ev_ssize_t n = -EPERM;
	size_t wanted;

	evi_evbuffer_lock(buf);
	if (!(buf->flags & EVI_BUF_FROZEN_END)) {
		wanted = read_size(buf, fd, howmuch);
		n = wanted > 0 ? read_into(buf, fd, wanted, wanted) : 0;
	}
	evi_evbuffer_finish(buf, n > 0 ? (size_t)n : 0, 0);
	return api_result(n);
}

int evbuffer_write_atmost(struct evbuffer *buf, evutil_socket_t fd, ev_ssize_t howmuch)
{
	ev_ssize_t n = -EPERM;

	evi_evbuffer_lock(buf);
	if (!(buf->flags & EVI_BUF_FROZEN_FRONT))
		n = take_front(buf, fd, howmuch < 0 ? SIZE_MAX : (size_t)howmuch, 0);
	evi_evbuffer_finish(buf, 0, n > 0 ? (size_t)n : 0);
	return api_result(n);
}

int evbuffer_write(struct evbuffer *buf, evutil_socket_t fd)
{
	return evbuffer_write_atmost(buf, fd, -1);
}
