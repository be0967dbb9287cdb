/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_H_INCLUDED
#define MODEL_H_INCLUDED

/*
 * What the models share: objects behind descriptors, told of every descriptor that is closed and of
 * fork().
 *
 * The library is preloaded. It stands in front of close(), dup2(), dup3(), open(), write(), ioctl()
 * and sigaction(), which the modelled systems' kernels see and Linux's epoll(7) does not in the
 * same way.
 */

#include <pthread.h>
#include <sys/types.h>

struct model_object;

struct model_type {
	/*
	 * `fd` is about to be closed, and what the object knows of it is over. NULL: nothing to do.
	 */
	void (*forget)(struct model_object *object, int fd);
	/* The object's own descriptor is closed, or a child does not inherit it. */
	void (*free)(struct model_object *object);
	int is_inherited; /* by the child of a fork() */
};

struct model_object {
	const struct model_type *type;
	int fd;
	pid_t owner; /* whose descriptors the object knows */
	struct model_object *next;
};

/* Guards all objects; not held during waits. */
void model_lock(void);
void model_unlock(void);

/* With the lock held. `object` is zeroed but for its own part; its descriptor is object->fd. */
void model_add(struct model_object *object, const struct model_type *type, int fd);

/* The object of this type behind `fd`, or NULL. With the lock held. */
struct model_object *model_find(int fd, const struct model_type *type);

/* Nonzero if the process may change the object. */
int model_is_owner(const struct model_object *object);

/* Nonzero if `fd` is open. */
int model_is_open(int fd);

/* The system's own, whatever stands in front of them. */
int real_close(int fd);

/* devpoll.c */
int model_devpoll_open(void);
/* -1 with errno ENOENT if `fd` is not a /dev/poll; callable from a signal handler then. */
ssize_t model_devpoll_write(int fd, const void *data, size_t size);
int model_devpoll_ioctl(int fd, unsigned long request, void *arg);

/*
 * signals.c: how often `sig` was sent while somebody watched it; `wake_fd` is written to each time.
 */
int model_signal_watch(int sig, int wake_fd);
void model_signal_unwatch(int sig, int wake_fd);
unsigned model_signal_count(int sig);
/* In a child, that has no queues: all dispositions are as the program set them. */
void model_signal_forget(void);

#endif
