/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REACTOR_TEST_H_INCLUDED
#define REACTOR_TEST_H_INCLUDED

/*
 * What the reactor's tests share: a base per test with a leak check around it, and callbacks that
 * write down what they saw.
 */

#include "support.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define UNUSED __attribute__((__unused__))

/* A duration for event_add(), valid until the end of the enclosing block. */
#define MS(n) (&(const struct timeval){ (n) / 1000, (n) % 1000 * 1000 })

#define COUNT_ALL (EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE | EVENT_BASE_COUNT_VIRTUAL)

/* The test's own base; a test that frees it sets it to NULL. */
static struct event_base *base UNUSED;

static void start(void) UNUSED;
static void start(void)
{
	support_leak_init();
	base = support_base_new();
}

static void finish(void) UNUSED;
static void finish(void)
{
	if (base != NULL)
		event_base_free(base);
	support_leak_fini();
}

/* Nonzero if the base under test is `name`; a changelist counts as epoll. */
static inline int backend_is(const char *name)
{
	return strncmp(event_base_get_method(base), name, strlen(name)) == 0;
}

/* What an event's callback saw. */
struct seen {
	int calls;
	short what; /* of the last call */
	evutil_socket_t fd;
};

static inline void note(evutil_socket_t fd, short what, void *arg)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->what = what;
	seen->fd = fd;
}

/* As note(), and takes one byte off the descriptor. */
static inline void note_and_read(evutil_socket_t fd, short what, void *arg)
{
	char byte;

	if (what & EV_READ)
		(void)!read(fd, &byte, 1);
	note(fd, what, arg);
}

static inline void never(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	cr_assert_fail("this callback must not run");
}

/* The letters that trace() was given, in the order in which it ran. */
static char traced[256] UNUSED;

static inline void trace_letter(char letter)
{
	size_t len = strlen(traced);

	cr_assert_lt(len, sizeof(traced) - 1);
	traced[len] = letter;
	traced[len + 1] = '\0';
}

/* `arg` is a string; its first letter is written down. */
static inline void trace(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	trace_letter(*(const char *)arg);
}

static inline void send_byte(evutil_socket_t fd)
{
	cr_assert_eq(write(fd, "x", 1), 1);
}

/* One round: poll without waiting, run what is active. */
static inline void run_round(void)
{
	cr_assert_neq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), -1);
}

static inline int count(unsigned flags)
{
	return event_base_get_num_events(base, flags);
}

static inline void close_pair(evutil_socket_t pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

#endif
