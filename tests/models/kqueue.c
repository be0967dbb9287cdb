/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A model of kqueue(2), on epoll(7): EVFILT_READ, EVFILT_WRITE, EVFILT_SIGNAL.
 *
 * As on FreeBSD: an entry belongs to a descriptor and a filter and goes when the descriptor is
 * closed; adding one that exists changes its user data, but not EV_CLEAR and its like; a receipt is
 * given for every change that asks for it and every one that fails, and then no event is retrieved;
 * adding the writing end of a pipe that nobody reads fails with EPIPE; a regular file is readable
 * short of its end; signals are counted even if they are ignored; a child does not inherit the
 * queue.
 *
 * Not modelled: the socket error in `fflags`, NOTE_LOWAT, other filters.
 */

#include "model.h"

#include "include/sys/event.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <linux/sockios.h>
#include <unistd.h>

#define BUCKETS 256
#define TAKE    8192

enum { READ, WRITE, SETS };

struct knote {
	struct knote *next;
	struct kevent kev; /* as registered */
	int is_disabled;
	int is_plain;    /* a file that epoll does not take */
	int was_told;    /* a plain one with EV_CLEAR */
	unsigned counted; /* of a signal: as far as it was reported */
};

struct queue {
	struct model_object object;
	int set[SETS]; /* an epoll for each filter: both may have the same descriptor */
	int wake;      /* readable when a signal came */
	struct knote *bucket[BUCKETS];
	int plain, signals; /* how many notes of that kind */
	int next_set;
};

static struct knote **link_of(struct queue *q, uintptr_t ident, short filter)
{
	struct knote **link = &q->bucket[ident % BUCKETS];

	while (*link != NULL && ((*link)->kev.ident != ident || (*link)->kev.filter != filter))
		link = &(*link)->next;
	return link;
}

static int set_of(const struct queue *q, const struct knote *note)
{
	return q->set[note->kev.filter == EVFILT_READ ? READ : WRITE];
}

static void unwatch(struct queue *q, const struct knote *note)
{
	if (note->kev.filter == EVFILT_SIGNAL)
		model_signal_unwatch((int)note->kev.ident, q->wake);
	else if (!note->is_plain && !note->is_disabled)
		(void)epoll_ctl(set_of(q, note), EPOLL_CTL_DEL, (int)note->kev.ident, NULL);
}

static void remove_at(struct queue *q, struct knote **link)
{
	struct knote *gone = *link;

	unwatch(q, gone);
	q->plain -= gone->is_plain;
	q->signals -= gone->kev.filter == EVFILT_SIGNAL;
	*link = gone->next;
	free(gone);
}

static void queue_forget(struct model_object *object, int fd)
{
	static const short filters[] = { EVFILT_READ, EVFILT_WRITE };
	struct queue *q = (struct queue *)object;

	for (int i = 0; i < SETS; i++) {
		struct knote **link = link_of(q, (uintptr_t)fd, filters[i]);

		if (*link != NULL)
			remove_at(q, link);
	}
}

/* In a child the sets are shared with the parent, whose entries must stay. */
static void queue_free(struct model_object *object)
{
	struct queue *q = (struct queue *)object;

	for (int i = 0; i < BUCKETS; i++) {
		while (q->bucket[i] != NULL) {
			struct knote *gone = q->bucket[i];

			if (model_is_owner(object) && gone->kev.filter == EVFILT_SIGNAL)
				unwatch(q, gone);
			q->bucket[i] = gone->next;
			free(gone);
		}
	}
	for (int set = 0; set < SETS; set++)
		(void)real_close(q->set[set]);
	(void)real_close(q->wake);
	free(q);
}

static const struct model_type queue_type = { .forget = queue_forget, .free = queue_free };

static int nest(int outer, int inner)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = inner };

	return epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event);
}

int kqueue(void)
{
	struct queue *q = calloc(1, sizeof(*q));
	int fd;

	if (q == NULL)
		return -1;
	fd = epoll_create1(0);
	q->set[READ] = epoll_create1(EPOLL_CLOEXEC);
	q->set[WRITE] = epoll_create1(EPOLL_CLOEXEC);
	q->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0 || q->set[READ] < 0 || q->set[WRITE] < 0 || q->wake < 0 ||
	    nest(fd, q->set[READ]) < 0 || nest(fd, q->set[WRITE]) < 0 || nest(fd, q->wake) < 0) {
		int err = errno;

		(void)real_close(fd);
		queue_free(&q->object);
		errno = err;
		return -1;
	}
	model_lock();
	model_add(&q->object, &queue_type, fd);
	model_unlock();
	return fd;
}

/* The writing end of a pipe that nobody reads. */
static int is_broken_pipe(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && poll(&pfd, 1, 0) == 1 &&
	       (pfd.revents & POLLERR) != 0;
}

/* Tells epoll, anew or again; again gives an edge another chance. 0 or an errno. */
static int watch(struct queue *q, struct knote *note, int op)
{
	struct epoll_event event = { .data.fd = (int)note->kev.ident };

	event.events = (note->kev.filter == EVFILT_READ ? EPOLLIN | EPOLLRDHUP : EPOLLOUT) |
		       (note->kev.flags & EV_CLEAR ? EPOLLET : 0);
	if (epoll_ctl(set_of(q, note), op, (int)note->kev.ident, &event) == 0)
		return 0;
	if (errno != EPERM)
		return errno;
	note->is_plain = 1;
	q->plain++;
	return 0;
}

static int attach(struct queue *q, struct knote *note)
{
	int fd = (int)note->kev.ident;

	if (note->kev.filter == EVFILT_SIGNAL) {
		note->counted = model_signal_count(fd);
		q->signals++;
		return model_signal_watch(fd, q->wake);
	}
	if (note->kev.filter == EVFILT_WRITE && is_broken_pipe(fd))
		return EPIPE;
	return note->is_disabled ? 0 : watch(q, note, EPOLL_CTL_ADD);
}

static int add_new(struct queue *q, const struct kevent *c, struct knote **link)
{
	struct knote *note = calloc(1, sizeof(*note));
	int err;

	if (note == NULL)
		return ENOMEM;
	note->kev = *c;
	note->is_disabled = (c->flags & EV_DISABLE) != 0;
	if (c->filter == EVFILT_SIGNAL)
		note->kev.flags |= EV_CLEAR;
	err = attach(q, note);
	if (err != 0) {
		q->signals -= c->filter == EVFILT_SIGNAL;
		free(note);
		return err;
	}
	*link = note;
	return 0;
}

static int set_disabled(struct queue *q, struct knote *note, int is_disabled)
{
	int was = note->is_disabled;

	if (was == is_disabled || note->is_plain || note->kev.filter == EVFILT_SIGNAL) {
		note->is_disabled = is_disabled;
		return 0;
	}
	if (is_disabled)
		unwatch(q, note);
	note->is_disabled = is_disabled;
	return is_disabled ? 0 : watch(q, note, EPOLL_CTL_ADD);
}

static int update(struct queue *q, const struct kevent *c, struct knote *note)
{
	int err = 0;

	note->kev.udata = c->udata;
	note->was_told = 0;
	if (c->flags & (EV_ENABLE | EV_DISABLE))
		err = set_disabled(q, note, (c->flags & EV_DISABLE) != 0);
	else if (note->kev.filter != EVFILT_SIGNAL && !note->is_disabled && !note->is_plain)
		err = watch(q, note, EPOLL_CTL_MOD);
	return err;
}

static int change(struct queue *q, const struct kevent *c)
{
	struct knote **link = link_of(q, c->ident, c->filter);

	if (c->filter == EVFILT_SIGNAL) {
		if (c->ident == 0 || c->ident >= NSIG)
			return EINVAL;
	} else if (c->filter != EVFILT_READ && c->filter != EVFILT_WRITE) {
		return EINVAL;
	} else if (c->ident > INT_MAX || !model_is_open((int)c->ident)) {
		return EBADF;
	}
	if (*link == NULL && !(c->flags & EV_ADD))
		return ENOENT;
	if (c->flags & EV_DELETE) {
		if (*link == NULL)
			return ENOENT;
		remove_at(q, link);
		return 0;
	}
	return *link == NULL ? add_new(q, c, link) : update(q, c, *link);
}

/* How many receipts there are; -1 with errno if there is no room for an error. */
static int change_all(struct queue *q, const struct kevent *changes, int n_changes,
		      struct kevent *list, int room)
{
	int n = 0;

	for (int i = 0; i < n_changes; i++) {
		struct kevent receipt = changes[i]; /* both lists may be the same */
		int err = change(q, &receipt);

		if (err == 0 && !(receipt.flags & EV_RECEIPT))
			continue;
		if (n == room) {
			errno = err;
			return err != 0 ? -1 : n;
		}
		receipt.flags = EV_ERROR;
		receipt.data = err;
		list[n++] = receipt;
	}
	return n;
}

static int64_t room_to_write(int fd)
{
	int size = 0, used = 0;
	socklen_t len = sizeof(size);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) < 0)
		return PIPE_BUF;
	(void)ioctl(fd, SIOCOUTQ, &used);
	return size > used ? size - used : 0;
}

static int64_t bytes_to_read(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 ? n : 1; /* a listener counts connections */
}

/* Reports one note, and does what its flags say shall then happen to it. */
static void tell(struct queue *q, struct knote **link, unsigned flags, int64_t data,
		 struct kevent *ret_event)
{
	struct knote *note = *link;

	*ret_event = note->kev;
	ret_event->flags =
		(unsigned short)((note->kev.flags & (EV_CLEAR | EV_ONESHOT | EV_DISPATCH)) | flags);
	ret_event->data = data;
	note->was_told = 1;
	if (note->kev.flags & EV_ONESHOT)
		remove_at(q, link);
	else if (note->kev.flags & EV_DISPATCH)
		(void)set_disabled(q, note, 1);
}

static int collect_set(struct queue *q, int set, struct kevent *list, int room)
{
	static const short filter_of[SETS] = { EVFILT_READ, EVFILT_WRITE };
	static struct epoll_event events[TAKE]; /* guarded by the lock */
	int n = room > 0 ? epoll_wait(q->set[set], events, room < TAKE ? room : TAKE, 0) : 0;

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;
		struct knote **link = link_of(q, (uintptr_t)fd, filter_of[set]);
		unsigned ends = EPOLLHUP | EPOLLERR | (set == READ ? EPOLLRDHUP : 0);

		tell(q, link, events[i].events & ends ? EV_EOF : 0,
		     set == READ ? bytes_to_read(fd) : room_to_write(fd), &list[i]);
	}
	return n > 0 ? n : 0;
}

/*
 * How much of a plain file is left to read; other plain things, such as /dev/null, are always
 * ready.
 */
static int64_t plain_data(const struct knote *note)
{
	int fd = (int)note->kev.ident;
	struct stat st;

	if (note->kev.filter == EVFILT_WRITE || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 1;
	return st.st_size - lseek(fd, 0, SEEK_CUR);
}

/* Nonzero if the note is news; *ret_data says how much. */
static int is_ready(struct knote *note, int64_t *ret_data)
{
	unsigned count;

	if (note->is_disabled)
		return 0;
	if (note->kev.filter == EVFILT_SIGNAL) {
		count = model_signal_count((int)note->kev.ident);
		*ret_data = count - note->counted;
		note->counted = count;
		return *ret_data != 0;
	}
	if (!note->is_plain || (note->was_told && (note->kev.flags & EV_CLEAR)))
		return 0;
	*ret_data = plain_data(note);
	return *ret_data != 0;
}

static int collect_others(struct queue *q, struct kevent *list, int room)
{
	uint64_t sends;
	int n = 0;

	if (q->plain == 0 && q->signals == 0)
		return 0;
	if (read(q->wake, &sends, sizeof(sends)) < 0 && q->plain == 0)
		return 0;
	for (int i = 0; i < BUCKETS; i++) {
		struct knote **link = &q->bucket[i];

		while (*link != NULL && n < room) {
			struct knote *note = *link;
			int64_t data;

			if (is_ready(note, &data))
				tell(q, link, 0, data, &list[n++]);
			if (*link == note)
				link = &note->next;
		}
	}
	return n;
}

static int collect(struct queue *q, struct kevent *list, int room)
{
	int n = collect_others(q, list, room);

	for (int i = 0; i < SETS; i++)
		n += collect_set(q, (q->next_set + i) % SETS, list + n, room - n);
	q->next_set = (q->next_set + 1) % SETS;
	return n;
}

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Until something may have happened; as ppoll(2). */
static int sleep_until(int fd, int has_end, int64_t end_ns)
{
	int64_t left = has_end ? end_ns - now_ns() : 0;
	struct timespec timeout = {
		.tv_sec = (time_t)(left / 1000000000), .tv_nsec = left % 1000000000,
	};
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (has_end && left <= 0)
		return 0;
	return ppoll(&pfd, 1, has_end ? &timeout : NULL, NULL);
}

/* The queue with the lock held; or NULL, unlocked, with errno. */
static struct queue *get(int kq)
{
	struct queue *q;

	model_lock();
	q = (struct queue *)model_find(kq, &queue_type);
	if (q == NULL) {
		model_unlock();
		errno = EBADF;
	}
	return q;
}

int kevent(int kq, const struct kevent *changelist, int nchanges, struct kevent *eventlist,
	   int nevents, const struct timespec *timeout)
{
	int64_t end = timeout != NULL ? now_ns() + timeout->tv_sec * INT64_C(1000000000) +
						timeout->tv_nsec : 0;
	struct queue *q = get(kq);
	int n = -1, slept = 1, slept_errno = 0;

	if (q != NULL)
		n = change_all(q, changelist, nchanges, eventlist, nevents);
	while (q != NULL && n == 0 && nevents > 0) {
		n = collect(q, eventlist, nevents);
		if (n > 0 || slept == 0)
			break;
		if (slept < 0) { /* EINTR */
			n = -1;
			break;
		}
		model_unlock();
		slept = sleep_until(kq, timeout != NULL, end);
		slept_errno = errno;
		q = get(kq);
		if (q == NULL)
			n = -1;
	}
	if (q != NULL)
		model_unlock();
	if (q != NULL && n < 0 && slept < 0)
		errno = slept_errno;
	return n;
}
