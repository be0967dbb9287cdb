/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A model of event ports, port_create(3C), on epoll(7): associations of descriptors.
 *
 * An association is over when its event is retrieved, and when the descriptor is closed.
 * Associating again replaces. A wait whose time is up fails with ETIME and says how many events it
 * has all the same; one that a signal ends fails with EINTR and leaves the count alone. A child
 * inherits the port, but not the associations.
 */

#include "model.h"

#include "include/port.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define BUCKETS 256
#define TAKE    64

struct association {
	struct association *next;
	int fd;
	int events;
	void *user;
	int is_plain; /* a file that is always ready, which epoll does not take */
};

struct port {
	struct model_object object;
	struct association *bucket[BUCKETS]; /* by descriptor */
	int plain;
};

static struct association **link_of(struct port *port, int fd)
{
	struct association **link = &port->bucket[(unsigned)fd % BUCKETS];

	while (*link != NULL && (*link)->fd != fd)
		link = &(*link)->next;
	return link;
}

static void remove_at(struct port *port, struct association **link)
{
	struct association *gone = *link;

	*link = gone->next;
	if (gone->is_plain)
		port->plain--;
	else
		(void)epoll_ctl(port->object.fd, EPOLL_CTL_DEL, gone->fd, NULL);
	free(gone);
}

static void port_forget(struct model_object *object, int fd)
{
	struct port *port = (struct port *)object;
	struct association **link = link_of(port, fd);

	if (*link != NULL)
		remove_at(port, link);
}

static void port_free(struct model_object *object)
{
	struct port *port = (struct port *)object;

	for (int i = 0; i < BUCKETS; i++) {
		while (port->bucket[i] != NULL) {
			struct association *gone = port->bucket[i];

			port->bucket[i] = gone->next;
			free(gone);
		}
	}
	free(port);
}

static const struct model_type port_type = {
	.forget = port_forget, .free = port_free, .is_inherited = 1
};

int port_create(void)
{
	struct port *port = calloc(1, sizeof(*port));
	int fd = port != NULL ? epoll_create1(0) : -1;

	if (fd < 0) {
		free(port);
		return -1;
	}
	model_lock();
	model_add(&port->object, &port_type, fd);
	model_unlock();
	return fd;
}

/* Tells epoll; 0 or an errno. */
static int watch(struct port *port, struct association *a, int op)
{
	struct epoll_event event = { .data.fd = a->fd };

	event.events = EPOLLONESHOT | (a->events & POLLIN ? EPOLLIN : 0) |
		       (a->events & POLLOUT ? EPOLLOUT : 0) | (a->events & POLLPRI ? EPOLLPRI : 0);
	if (a->is_plain || epoll_ctl(port->object.fd, op, a->fd, &event) == 0)
		return 0;
	if (errno != EPERM)
		return errno;
	a->is_plain = 1;
	port->plain++;
	return 0;
}

static int associate(struct port *port, int fd, int events, void *user)
{
	struct association **link = link_of(port, fd), *a = *link;
	int op = a != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, err;

	if (!model_is_open(fd))
		return EBADF;
	if (a == NULL) {
		a = calloc(1, sizeof(*a));
		if (a == NULL)
			return ENOMEM;
		a->fd = fd;
	}
	a->events = events;
	a->user = user;
	err = watch(port, a, op);
	if (*link != NULL)
		return err;
	if (err != 0)
		free(a);
	else
		*link = a;
	return err;
}

/* The port behind `fd` with the lock held; or NULL, unlocked, with errno. */
static struct port *get(int fd, int source)
{
	struct port *port;

	model_lock();
	port = (struct port *)model_find(fd, &port_type);
	if (port != NULL && source == PORT_SOURCE_FD && model_is_owner(&port->object))
		return port;
	errno = port == NULL ? EBADF : source != PORT_SOURCE_FD ? EINVAL : EACCES;
	model_unlock();
	return NULL;
}

static int finish(int err)
{
	model_unlock();
	if (err == 0)
		return 0;
	errno = err;
	return -1;
}

int port_associate(int fd, int source, uintptr_t object, int events, void *user)
{
	struct port *port = get(fd, source);

	return port != NULL ? finish(associate(port, (int)object, events, user)) : -1;
}

int port_dissociate(int fd, int source, uintptr_t object)
{
	struct port *port = get(fd, source);
	struct association **link;

	if (port == NULL)
		return -1;
	link = link_of(port, (int)object);
	if (*link == NULL)
		return finish(ENOENT);
	remove_at(port, link);
	return finish(0);
}

static void take(struct port *port, struct association **link, int events, port_event_t *ret_event)
{
	*ret_event = (port_event_t){ .portev_events = events, .portev_source = PORT_SOURCE_FD,
		.portev_object = (uintptr_t)(*link)->fd, .portev_user = (*link)->user };
	remove_at(port, link);
}

static unsigned take_plain(struct port *port, port_event_t *list, unsigned max)
{
	unsigned n = 0;

	for (int i = 0; i < BUCKETS && n < max && port->plain != 0; i++) {
		struct association **link = &port->bucket[i];

		while (*link != NULL && n < max) {
			int events = (*link)->events & (POLLIN | POLLOUT);

			if ((*link)->is_plain && events != 0)
				take(port, link, events, &list[n++]);
			else
				link = &(*link)->next;
		}
	}
	return n;
}

/* What is ready now. */
static unsigned collect(struct port *port, port_event_t *list, unsigned max)
{
	unsigned n = take_plain(port, list, max);
	struct epoll_event events[TAKE];
	int got;

	do {
		unsigned room = max - n < TAKE ? max - n : TAKE;

		got = room != 0 ? epoll_wait(port->object.fd, events, (int)room, 0) : 0;
		for (int i = 0; i < got; i++)
			take(port, link_of(port, events[i].data.fd), (int)events[i].events,
			     &list[n++]);
	} while (got == TAKE);
	return n;
}

static struct timespec remaining(const struct timespec *end)
{
	struct timespec now, left;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	left.tv_sec = end->tv_sec - now.tv_sec;
	left.tv_nsec = end->tv_nsec - now.tv_nsec;
	if (left.tv_nsec < 0) {
		left.tv_sec--;
		left.tv_nsec += 1000000000;
	}
	return left.tv_sec >= 0 ? left : (struct timespec){ 0, 0 };
}

static struct timespec end_of(const struct timespec *timeout)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout->tv_sec;
	end.tv_nsec += timeout->tv_nsec;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	return end;
}

int port_getn(int fd, port_event_t list[], unsigned max, unsigned *nget, struct timespec *timeout)
{
	struct timespec end = { 0 }, left;
	unsigned want = *nget, n = 0;
	struct port *port;
	int ready;

	if (want == 0 || want > max) {
		errno = EINVAL;
		return -1;
	}
	if (timeout != NULL)
		end = end_of(timeout);
	for (;;) {
		port = get(fd, PORT_SOURCE_FD);
		if (port == NULL)
			return -1;
		n += collect(port, list + n, max - n);
		model_unlock();
		left = remaining(&end);
		if (n >= want || (timeout != NULL && left.tv_sec == 0 && left.tv_nsec == 0))
			break;
		ready = ppoll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1,
			      timeout != NULL ? &left : NULL, NULL);
		if (ready < 0 && n != 0)
			*nget = n;
		if (ready < 0)
			return -1; /* EINTR */
	}
	*nget = n;
	errno = n >= want ? errno : ETIME;
	return n >= want ? 0 : -1;
}

int port_get(int fd, port_event_t *event, struct timespec *timeout)
{
	unsigned n = 1;

	return port_getn(fd, event, 1, &n, timeout);
}
