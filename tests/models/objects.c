/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects behind descriptors, and the calls on descriptors that the models must see. */

#include "model.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct model_object *objects;

void model_lock(void)
{
	pthread_mutex_lock(&lock);
}

void model_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* By name rather than by number, because a sanitizer may have to see the call as well. */
int real_close(int fd)
{
	static int (*real)(int);
	void *symbol = real == NULL ? dlsym(RTLD_NEXT, "close") : NULL;

	if (symbol != NULL)
		memcpy(&real, &symbol, sizeof(symbol));
	return real(fd);
}

static int real_dup3(int from, int to, int flags)
{
	static int (*real)(int, int, int);
	void *symbol = real == NULL ? dlsym(RTLD_NEXT, "dup3") : NULL;

	if (symbol != NULL)
		memcpy(&real, &symbol, sizeof(symbol));
	return real(from, to, flags);
}

int model_is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

int model_is_owner(const struct model_object *object)
{
	return object->owner == getpid();
}

void model_add(struct model_object *object, const struct model_type *type, int fd)
{
	object->type = type;
	object->fd = fd;
	object->owner = getpid();
	object->next = objects;
	objects = object;
}

struct model_object *model_find(int fd, const struct model_type *type)
{
	struct model_object *object = objects;

	while (object != NULL && (object->fd != fd || object->type != type))
		object = object->next;
	return object;
}

/* Frees the object behind `fd`, if there is one; the descriptor itself stays. */
static void drop(int fd)
{
	for (struct model_object **link = &objects; *link != NULL; link = &(*link)->next) {
		struct model_object *object = *link;

		if (object->fd != fd)
			continue;
		*link = object->next;
		object->type->free(object);
		return;
	}
}

static void about_to_close(int fd)
{
	if (objects == NULL || !model_is_open(fd))
		return;
	model_lock();
	for (struct model_object *object = objects; object != NULL; object = object->next) {
		if (object->fd != fd && object->type->forget != NULL && model_is_owner(object))
			object->type->forget(object, fd);
	}
	drop(fd);
	model_unlock();
}

int close(int fd)
{
	about_to_close(fd);
	return real_close(fd);
}

int dup3(int from, int to, int flags)
{
	if (from != to && model_is_open(from))
		about_to_close(to);
	return real_dup3(from, to, flags);
}

int dup2(int from, int to)
{
	if (from == to)
		return model_is_open(from) ? to : -1;
	return dup3(from, to, 0);
}

static int open_at(const char *path, int flags, mode_t mode)
{
	if (path != NULL && strcmp(path, "/dev/poll") == 0)
		return model_devpoll_open();
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static int needs_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

/* Both names: which one a program calls depends on the size of its off_t. */
int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (needs_mode(flags))
		mode = va_arg(args, mode_t);
	va_end(args);
	return open_at(path, flags, mode);
}

#ifdef __GLIBC__
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
#endif

ssize_t write(int fd, const void *data, size_t size)
{
	int saved_errno = errno;
	ssize_t n = model_devpoll_write(fd, data, size);

	if (n >= 0 || errno != ENOENT)
		return n;
	errno = saved_errno;
	return (ssize_t)syscall(SYS_write, fd, data, size);
}

int ioctl(int fd, unsigned long request, ...)
{
	int saved_errno = errno, result;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	result = model_devpoll_ioctl(fd, request, arg);
	if (result >= 0 || errno != ENOENT)
		return result;
	errno = saved_errno;
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

/* A queue that is not inherited is gone, and its number with it. */
static void in_child(void)
{
	struct model_object **link = &objects;

	while (*link != NULL) {
		struct model_object *object = *link;

		if (object->type->is_inherited) {
			link = &object->next;
			continue;
		}
		*link = object->next;
		(void)real_close(object->fd);
		object->type->free(object);
	}
	model_signal_forget();
	model_unlock();
}

__attribute__((constructor)) static void watch_forks(void)
{
	(void)pthread_atfork(model_lock, model_unlock, in_child);
}
