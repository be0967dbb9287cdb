/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BEV_TEST_H_INCLUDED
#define BEV_TEST_H_INCLUDED

/*
 * What the bufferevent suites share: a base, a probe that records what a bufferevent tells, and
 * ways to run the loop until something has happened.
 *
 * Every suite runs twice per backend: as it is, and with BEV_TEST_THREADS=1, which sets up locks
 * and makes each bufferevent BEV_OPT_THREADSAFE.
 */

#include "support.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>
#include <event2/event.h>
#include <event2/event_compat.h>
#include <event2/thread.h>
#include <event2/util.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WATCHDOG_MS 30000
#define SETTLE_MS 50
#define BOTH (EV_READ | EV_WRITE)

static struct event_base *base __attribute__((__unused__));
static int thread_option __attribute__((__unused__)); /* BEV_OPT_THREADSAFE or 0 */

static inline void start(void)
{
	support_leak_init();
	if (getenv("BEV_TEST_THREADS") != NULL) {
		cr_assert(evthread_use_pthreads() == 0);
		evthread_enable_lock_debugging();
		thread_option = BEV_OPT_THREADSAFE;
	}
	base = support_base_new();
}

static inline void finish(void)
{
	event_base_free(base);
	support_leak_fini();
}

/* The events that watch a socket in these directions: none with completions. */
static inline short watched(short directions)
{
	return support_uses_completions() ? 0 : directions;
}

/* --- A probe: the argument of the three callbacks --------------------------------------------- */

#define PROBE_LOG 64

struct probe {
	int reads, writes, events; /* calls */
	short what[PROBE_LOG];     /* of the event callbacks, in order */
	int err[PROBE_LOG];        /* the socket error found in them */
	char order[PROBE_LOG + 1]; /* "r", "w", "e", in order */
	int n_order;
	int drain;        /* take everything in the read callback */
	int free_at;      /* 'r', 'w' or 'e': free the bufferevent there */
	size_t received;  /* bytes drained */
	size_t max_input; /* the most a read callback found */
	size_t min_input;
	char data[1024]; /* the first of them */
};

static inline void probe_note(struct probe *probe, char what)
{
	if (probe->n_order < PROBE_LOG)
		probe->order[probe->n_order++] = what;
}

static inline void on_read(struct bufferevent *bev, void *arg)
{
	struct probe *probe = arg;
	size_t len = evbuffer_get_length(bufferevent_get_input(bev));

	probe->reads++;
	probe_note(probe, 'r');
	if (len > probe->max_input)
		probe->max_input = len;
	if (probe->reads == 1 || len < probe->min_input)
		probe->min_input = len;
	while (probe->drain && len > 0) {
		char data[4096];
		size_t n = bufferevent_read(bev, data, sizeof(data));

		for (size_t i = 0; i < n; i++)
			if (probe->received + i < sizeof(probe->data))
				probe->data[probe->received + i] = data[i];
		probe->received += n;
		len -= n;
	}
	if (probe->free_at == 'r')
		bufferevent_free(bev);
}

static inline void on_write(struct bufferevent *bev, void *arg)
{
	struct probe *probe = arg;

	probe->writes++;
	probe_note(probe, 'w');
	if (probe->free_at == 'w')
		bufferevent_free(bev);
}

static inline void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct probe *probe = arg;

	if (probe->events < PROBE_LOG) {
		probe->what[probe->events] = what;
		probe->err[probe->events] = EVUTIL_SOCKET_ERROR();
	}
	probe->events++;
	probe_note(probe, 'e');
	if (probe->free_at == 'e')
		bufferevent_free(bev);
}

static inline void watch(struct bufferevent *bev, struct probe *probe)
{
	bufferevent_setcb(bev, on_read, on_write, on_event, probe);
}

/* --- The loop --------------------------------------------------------------------------------- */

static inline void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(int *)arg = 1;
}

/* Runs the loop until *count is at least `wanted`; fails when that takes too long. */
static inline void run_until(const int *count, int wanted)
{
	const struct timeval limit = { .tv_sec = WATCHDOG_MS / 1000 };
	int late = 0;
	struct event *dog = evtimer_new(base, on_watchdog, &late);

	cr_assert(dog != NULL);
	cr_assert(evtimer_add(dog, &limit) == 0);
	while (*count < wanted && !late)
		cr_assert(event_base_loop(base, EVLOOP_ONCE) >= 0);
	event_free(dog);
	cr_assert(*count >= wanted, "only %d of %d before the watchdog", *count, wanted);
}

/* Until the probe has received `wanted` bytes. */
static inline void run_until_received(const struct probe *probe, size_t wanted)
{
	const struct timeval limit = { .tv_sec = WATCHDOG_MS / 1000 };
	int late = 0;
	struct event *dog = evtimer_new(base, on_watchdog, &late);

	cr_assert(dog != NULL);
	cr_assert(evtimer_add(dog, &limit) == 0);
	while (probe->received < wanted && !late)
		cr_assert(event_base_loop(base, EVLOOP_ONCE) >= 0);
	event_free(dog);
	cr_assert(probe->received >= wanted, "only %zu of %zu bytes before the watchdog",
		  probe->received, wanted);
}

/*
 * Runs everything that is due: several rounds that do not wait. What local sockets and pairs
 * deliver is there at once, so afterwards nothing more can happen without another cause.
 * Completions come when they come.
 */
static inline void settle(void)
{
	int pause_us = support_uses_completions() ? support_limit_ms(SETTLE_MS) * 1000 / 8 : 0;

	for (int i = 0; i < 8; i++) {
		cr_assert(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
		if (pause_us > 0)
			usleep((unsigned)pause_us);
	}
	cr_assert(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
}

/* Runs the loop for a time: for what must not happen. */
static inline void run_for(int ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	cr_assert(event_base_loopexit(base, &tv) == 0);
	cr_assert(event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY) >= 0);
}

/* --- Making ----------------------------------------------------------------------------------- */

static inline struct bufferevent *socket_new(evutil_socket_t fd, int options)
{
	struct bufferevent *bev = bufferevent_socket_new(base, fd, options | thread_option);

	cr_assert(bev != NULL);
	return bev;
}

/* Two bufferevents over a socket pair, which they own. */
static inline void linked_new(struct bufferevent *bev[2], int options)
{
	evutil_socket_t fds[2];

	support_socketpair(fds);
	for (int i = 0; i < 2; i++)
		bev[i] = socket_new(fds[i], options | BEV_OPT_CLOSE_ON_FREE);
}

static inline void pair_new(struct bufferevent *bev[2], int options)
{
	cr_assert(bufferevent_pair_new(base, options | thread_option, bev) == 0);
}

static inline size_t input_len(struct bufferevent *bev)
{
	return evbuffer_get_length(bufferevent_get_input(bev));
}

static inline size_t output_len(struct bufferevent *bev)
{
	return evbuffer_get_length(bufferevent_get_output(bev));
}

/* `n` bytes that differ from their neighbours; the caller frees them. */
static inline char *pattern(size_t n)
{
	char *bytes = malloc(n);

	cr_assert(bytes != NULL);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	return bytes;
}

/* Fills what the kernel takes, so that the other end finds more than one write. */
static inline size_t fill(struct bufferevent *bev, size_t n)
{
	char *bytes = pattern(n);

	cr_assert_eq(bufferevent_write(bev, bytes, n), 0);
	free(bytes);
	return n;
}

#endif
