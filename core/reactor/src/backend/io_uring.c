/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * io_uring(7) backend, by liburing: poll requests that go to the kernel with the wait, in one call.
 *
 * A poll request is over when it has reported; it is made again with the next wait as long as its
 * descriptor is watched, which gives the level-triggered meaning. A request keeps its file open, so
 * a descriptor that is not watched any more is let go at once (EVI_BACKEND_EAGER_LEAVE), or closing
 * it would not reach the peer.
 *
 * The number of a request (its user data) is the descriptor and a serial, so that reports of
 * requests that were taken back in the meantime are told apart.
 */

#include "poll_mask.h"

#include <errno.h>
#include <liburing.h>
#include <string.h>

#define ENTRIES 256

/* User data of requests whose own completion says nothing. */
#define NO_REPORT UINT64_MAX

struct watched {
	uint8_t interest;
	uint8_t is_armed;  /* a request is with the kernel, or on its way */
	uint8_t is_queued; /* stands in `to_arm` */
	uint32_t serial;
	uint32_t tag;
};

struct uring_state {
	struct io_uring ring;
	struct watched *of; /* by descriptor */
	size_t room;
	int *to_arm; /* descriptors that need a request before the next wait; room for all */
	size_t to_arm_used;
	uint32_t serials;
};

static uint64_t number_of(int fd, const struct watched *w)
{
	return (uint64_t)w->serial << 32 | (uint32_t)fd;
}

static void uring_close(void *state)
{
	struct uring_state *st = state;

	io_uring_queue_exit(&st->ring);
	evi_free(st->of);
	evi_free(st->to_arm);
	evi_free(st);
}

static int uring_open(void **ret_state, int flags)
{
	struct uring_state *st = evi_calloc(1, sizeof(*st));
	int err;

	(void)flags;
	if (st == NULL)
		return -ENOMEM;
	err = io_uring_queue_init(ENTRIES, &st->ring, 0);
	if (err < 0) {
		evi_free(st);
		return err;
	}
	/* Without this a wait with a limit would need requests of its own. */
	if (!(st->ring.features & IORING_FEAT_EXT_ARG) ||
	    !(st->ring.features & IORING_FEAT_NODROP)) {
		uring_close(st);
		return -ENOSYS;
	}
	*ret_state = st;
	return 0;
}

/* A free entry; a full queue is handed over to make room. */
static struct io_uring_sqe *get_sqe(struct uring_state *st)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&st->ring);

	if (sqe == NULL && io_uring_submit(&st->ring) >= 0)
		sqe = io_uring_get_sqe(&st->ring);
	return sqe;
}

static int grow(struct uring_state *st, int fd)
{
	size_t room = st->room != 0 ? st->room : 64;
	struct watched *of;
	int *to_arm;

	if ((size_t)fd < st->room)
		return 0;
	while (room <= (size_t)fd)
		room *= 2;
	to_arm = evi_realloc(st->to_arm, room * sizeof(*to_arm));
	if (to_arm == NULL)
		return -ENOMEM;
	st->to_arm = to_arm;
	of = evi_realloc(st->of, room * sizeof(*of));
	if (of == NULL)
		return -ENOMEM;
	memset(of + st->room, 0, (room - st->room) * sizeof(*of));
	st->of = of;
	st->room = room;
	return 0;
}

static void queue_arm(struct uring_state *st, int fd)
{
	if (st->of[fd].is_queued)
		return;
	st->of[fd].is_queued = 1;
	st->to_arm[st->to_arm_used++] = fd;
}

/* Takes a request back; its report, should it be on the way, has an old number. */
static void disarm(struct uring_state *st, int fd)
{
	struct watched *w = &st->of[fd];
	struct io_uring_sqe *sqe;

	if (!w->is_armed)
		return;
	w->is_armed = 0;
	sqe = get_sqe(st);
	if (sqe == NULL)
		return; /* it reports once, and is not made again */
	io_uring_prep_poll_remove(sqe, number_of(fd, w));
	io_uring_sqe_set_data64(sqe, NO_REPORT);
}

static int change(struct uring_state *st, const struct evi_change *c)
{
	struct watched *w;

	if (c->after != 0 && grow(st, c->fd) < 0)
		return -ENOMEM;
	if ((size_t)c->fd >= st->room)
		return 0;
	w = &st->of[c->fd];
	disarm(st, c->fd);
	w->interest = c->after;
	w->tag = c->tag;
	if (c->after != 0)
		queue_arm(st, c->fd);
	return 0;
}

static void uring_apply(void *state, struct evi_change *changes, size_t n)
{
	struct uring_state *st = state;
	int has_left = 0;

	for (size_t i = 0; i < n; i++) {
		changes[i].err = change(st, &changes[i]);
		has_left |= changes[i].after == 0;
	}
	if (has_left)
		(void)io_uring_submit(&st->ring);
}

static void arm_all(struct uring_state *st)
{
	size_t done = 0;

	for (; done < st->to_arm_used; done++) {
		int fd = st->to_arm[done];
		struct watched *w = &st->of[fd];
		struct io_uring_sqe *sqe;

		if (w->interest == 0 || w->is_armed) {
			w->is_queued = 0;
			continue;
		}
		sqe = get_sqe(st);
		if (sqe == NULL)
			break;
		w->is_queued = 0;
		w->is_armed = 1;
		w->serial = ++st->serials;
		io_uring_prep_poll_add(sqe, fd,
				       (unsigned)evi_poll_mask(w->interest, POLLRDHUP));
		io_uring_sqe_set_data64(sqe, number_of(fd, w));
	}
	st->to_arm_used -= done;
	if (st->to_arm_used != 0)
		memmove(st->to_arm, st->to_arm + done, st->to_arm_used * sizeof(st->to_arm[0]));
}

static void complete(struct uring_state *st, const struct io_uring_cqe *cqe, evi_report_fn *report,
		     void *ctx)
{
	uint64_t number = cqe->user_data;
	int fd = (int)(uint32_t)number, result = cqe->res;
	struct watched *w;

	if (number == NO_REPORT || (size_t)fd >= st->room)
		return;
	w = &st->of[fd];
	if (!w->is_armed || number != number_of(fd, w) || result == -ECANCELED)
		return;
	w->is_armed = 0;
	queue_arm(st, fd);
	report(ctx, fd, w->tag, evi_poll_interest(result >= 0 ? result : POLLERR, POLLRDHUP));
}

static int wait_for_one(struct uring_state *st, int64_t timeout_ns)
{
	struct __kernel_timespec timeout = { .tv_sec = timeout_ns / 1000000000,
		.tv_nsec = timeout_ns % 1000000000 };
	struct io_uring_cqe *cqe;

	if (timeout_ns == 0)
		return io_uring_submit_and_get_events(&st->ring);
	if (timeout_ns < 0)
		return io_uring_submit_and_wait(&st->ring, 1);
	return io_uring_submit_and_wait_timeout(&st->ring, &cqe, 1, &timeout, NULL);
}

static int uring_wait(void *state, int64_t timeout_ns, const struct evi_gate *gate,
		      evi_report_fn *report, void *ctx)
{
	struct uring_state *st = state;
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0;
	int err;

	arm_all(st);
	gate->leave(gate);
	err = wait_for_one(st, st->to_arm_used == 0 ? timeout_ns : 0);
	gate->enter(gate);
	if (err < 0 && err != -ETIME && err != -EINTR && err != -EAGAIN && err != -EBUSY)
		return err;
	io_uring_for_each_cqe(&st->ring, head, cqe) {
		seen++;
		complete(st, cqe, report, ctx);
	}
	io_uring_cq_advance(&st->ring, seen);
	return 0;
}

const struct evi_backend evi_backend_io_uring = {
	.name = "io_uring",
	.env = "EVENT_NOIO_URING",
	.features = EV_FEATURE_O1 | EV_FEATURE_FDS | EV_FEATURE_EARLY_CLOSE,
	.traits = EVI_BACKEND_EAGER_LEAVE,
	.open = uring_open,
	.close = uring_close,
	.apply = uring_apply,
	.wait = uring_wait,
};
