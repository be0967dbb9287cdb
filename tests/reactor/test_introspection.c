/* SPDX-License-Identifier: BSD-3-Clause */
/* Counting, listing and dumping the events of a base; the running event. */

#include "reactor_test.h"

#include <event2/component/reactor.h>
#include <event2/watch.h>

#include <signal.h>
#include <stdlib.h>

TestSuite(introspection, .init = start, .fini = finish, .timeout = 60);

#define ADDED  EVENT_BASE_COUNT_ADDED
#define ACTIVE EVENT_BASE_COUNT_ACTIVE

/* CORE-238, CORE-239 */
Test(introspection, counters_count_registrations_timeouts_and_activations)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, -1, EV_READ, note, &seen);
	struct event *sig = event_new(base, SIGUSR1, EV_SIGNAL, never, NULL);

	cr_expect_eq(count(COUNT_ALL), 0);
	cr_assert_eq(event_add(ev, MS(60000)), 0);
	cr_expect_eq(count(ADDED), 2);
	cr_expect_eq(count(ACTIVE), 0);
	event_active(ev, EV_TIMEOUT, 1);
	cr_expect_eq(count(ADDED), 3);
	cr_expect_eq(count(ACTIVE), 1);
	cr_expect_eq(count(ADDED | ACTIVE), 4);
	cr_expect_eq(count(EVENT_BASE_COUNT_VIRTUAL), 0);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(count(COUNT_ALL), 0);
	cr_assert_eq(event_add(sig, NULL), 0);
	cr_expect_eq(count(ADDED), 1, "the library's own events do not count");
	event_free(ev);
	event_free(sig);
}

/* CORE-240 */
Test(introspection, maxima_are_kept_per_counter_and_cleared_to_zero)
{
	struct event *a = event_new(base, -1, 0, trace, (void *)"a");
	struct event *b = event_new(base, -1, 0, trace, (void *)"b");

	cr_assert_eq(event_add(a, MS(60000)), 0);
	cr_assert_eq(event_add(b, MS(60000)), 0);
	event_active(a, EV_READ, 1);
	event_del(a);
	cr_expect_eq(event_base_get_max_events(base, ADDED, 0), 3);
	cr_expect_eq(event_base_get_max_events(base, ACTIVE, 0), 1);
	cr_expect_eq(event_base_get_max_events(base, ADDED | ACTIVE, 0), 4);
	cr_expect_eq(event_base_get_max_events(base, ACTIVE, 1), 1);
	cr_expect_eq(event_base_get_max_events(base, ACTIVE, 0), 0);
	cr_expect_eq(event_base_get_max_events(base, ADDED, 1), 3);
	cr_expect_eq(event_base_get_max_events(base, ADDED, 0), 0, "not to the present value");
	cr_expect_eq(count(ADDED), 1);
	cr_assert_eq(event_add(a, MS(60000)), 0);
	cr_expect_eq(event_base_get_max_events(base, ADDED, 0), 2);
	event_free(a);
	event_free(b);
}

#define KINDS 7

struct found {
	struct event *ev[KINDS];
	int calls[KINDS];
	int others;
	int stop_at; /* the total of calls at which to stop; 0: never */
	int total;
};

static int find(const struct event_base *b, const struct event *ev, void *arg)
{
	struct found *f = arg;
	int known = 0;

	cr_expect_eq(b, base);
	f->total++;
	for (int i = 0; i < KINDS; i++) {
		known += f->ev[i] == ev;
		f->calls[i] += f->ev[i] == ev;
	}
	f->others += !known;
	/* Queries are allowed, with threads on as well: test_threads.c. */
	(void)event_pending(ev, EV_READ | EV_TIMEOUT, NULL);
	(void)event_get_events(ev);
	return f->total == f->stop_at ? 17 : 0;
}

/* CORE-242, CORE-244 */
Test(introspection, foreach_visits_every_pending_or_active_event_once)
{
	const struct timeval *common = event_base_init_common_timeout(base, MS(60000));
	evutil_socket_t pair[2];
	struct found f = { .total = 0 };
	struct event *idle = event_new(base, -1, 0, never, NULL);

	support_socketpair(pair);
	f.ev[0] = event_new(base, pair[0], EV_READ | EV_PERSIST, never, NULL);
	f.ev[1] = event_new(base, -1, 0, never, NULL);
	f.ev[2] = event_new(base, SIGUSR1, EV_SIGNAL, never, NULL);
	f.ev[3] = event_new(base, -1, 0, never, NULL);
	f.ev[4] = event_new(base, pair[0], EV_READ, never, NULL);
	f.ev[5] = event_new(base, -1, EV_READ, never, NULL);
	f.ev[6] = event_new(base, SIGUSR1, EV_SIGNAL, never, NULL);
	cr_assert_eq(event_add(f.ev[0], NULL), 0);
	cr_assert_eq(event_add(f.ev[1], MS(60000)), 0);
	cr_assert_eq(event_add(f.ev[2], NULL), 0);
	event_active(f.ev[3], EV_READ, 1);
	cr_assert_eq(event_add(f.ev[4], common), 0);
	event_active(f.ev[4], EV_READ, 1); /* watched, with a common timeout, and active */
	cr_assert_eq(event_add(f.ev[5], NULL), 0);
	cr_assert_eq(event_add(f.ev[6], MS(60000)), 0);
	cr_expect_eq(event_base_foreach_event(base, find, &f), 0);
	for (int i = 0; i < KINDS; i++)
		cr_expect_eq(f.calls[i], 1, "event %d", i);

	f.total = 0;
	f.stop_at = 3;
	cr_expect_eq(event_base_foreach_event(base, find, &f), 17);
	cr_expect_eq(f.total, 3);
	for (int i = 0; i < KINDS; i++)
		event_free(f.ev[i]);
	event_free(idle);
	close_pair(pair);
}

static void found_by_foreach(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	cr_expect_eq(event_base_foreach_event(base, find, arg), 0);
}

/* CORE-242, CORE-243: in a callback, too; an empty base has nothing to show. */
Test(introspection, foreach_on_an_empty_base_and_with_null)
{
	struct found f = { .total = 0 };
	struct event *ev = event_new(base, -1, 0, found_by_foreach, &f);

	cr_expect_eq(event_base_foreach_event(base, find, &f), 0);
	cr_expect_eq(f.total, 0);
	cr_expect_eq(event_base_foreach_event(NULL, find, &f), -1);
	cr_expect_eq(event_base_foreach_event(base, NULL, &f), -1);
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(f.total, 0, "it was one-shot, so it is not pending while it runs");
	event_free(ev);
}

/* The dump of the base; the caller frees it. */
static char *dump(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	event_base_dump_events(base, out);
	fclose(out);
	return text;
}

/* Asserts that `text` has the line that the format describes. */
#define EXPECT_LINE(text, ...)                                                                     \
	do {                                                                                       \
		char line_[256];                                                                   \
		snprintf(line_, sizeof(line_), __VA_ARGS__);                                       \
		cr_expect_not_null(strstr(text, line_), "no line \"%s\" in:\n%s", line_, text);    \
	} while (0)

/* CORE-245 */
Test(introspection, dump_shows_pending_and_active_events)
{
	evutil_socket_t pair[2];
	struct event *io, *persistent, *sig, *timer, *active, *active_sig;
	struct timeval expiry;
	char *text;

	support_socketpair(pair);
	io = event_new(base, pair[0], EV_READ | EV_WRITE, never, NULL);
	persistent = event_new(base, pair[1], EV_READ | EV_CLOSED | EV_PERSIST, never, NULL);
	sig = event_new(base, SIGUSR1, EV_SIGNAL | EV_PERSIST, never, NULL);
	timer = event_new(base, -1, 0, never, NULL);
	active = event_new(base, -1, 0, never, NULL);
	active_sig = event_new(base, SIGUSR2, EV_SIGNAL, never, NULL);
	cr_assert_eq(event_base_priority_init(base, 3), 0);
	event_priority_set(active, 2);
	cr_assert_eq(event_add(io, NULL), 0);
	cr_assert_eq(event_add(persistent, NULL), 0);
	cr_assert_eq(event_add(sig, NULL), 0);
	cr_assert_eq(event_add(timer, MS(60000)), 0);
	event_active(active, EV_READ | EV_TIMEOUT, 1);
	event_active(active_sig, EV_SIGNAL, 1);
	event_pending(timer, EV_TIMEOUT, &expiry);

	text = dump();
	cr_expect_eq(strncmp(text, "Inserted events:\n", 17), 0, "%s", text);
	EXPECT_LINE(text, "\nActive events:\n");
	EXPECT_LINE(text, "  %p [fd  %d] Read Write\n", (void *)io, (int)pair[0]);
	EXPECT_LINE(text, "  %p [fd  %d] Read EOF Persist\n", (void *)persistent, (int)pair[1]);
	EXPECT_LINE(text, "  %p [sig %d] Signal Persist\n", (void *)sig, SIGUSR1);
	EXPECT_LINE(text, "  %p [fd  -1] Timeout=%ld.", (void *)timer, (long)expiry.tv_sec);
	EXPECT_LINE(text, "  %p [fd  -1, priority=2] Read Timeout active\n", (void *)active);
	EXPECT_LINE(text, "  %p [sig %d, priority=0] Signal active\n", (void *)active_sig, SIGUSR2);
	cr_expect_lt(strstr(text, "Timeout="), strstr(text, "Active events:"));
	free(text);
	event_free(io);
	event_free(persistent);
	event_free(sig);
	event_free(timer);
	event_free(active);
	event_free(active_sig);
	close_pair(pair);
}

static struct event *running;
static int running_was_null;

static void ask_running(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	running = event_base_get_running_event(base);
}

static void expect_no_running(void)
{
	running_was_null += event_base_get_running_event(base) == NULL;
}

static void in_deferred(struct evi_deferred *deferred, void *arg)
{
	(void)deferred;
	(void)arg;
	expect_no_running();
}

static void in_finalizer(struct event *ev, void *arg)
{
	(void)ev;
	(void)arg;
	expect_no_running();
}

static void in_prepare(struct evwatch *w, const struct evwatch_prepare_cb_info *info, void *arg)
{
	(void)w;
	(void)info;
	(void)arg;
	expect_no_running();
}

/* CORE-246, CORE-247 */
Test(introspection, the_running_event_is_known_in_its_callback_only)
{
	struct event *ev = event_new(base, -1, 0, ask_running, NULL);
	struct event *sig = event_new(base, SIGUSR1, EV_SIGNAL, ask_running, NULL);
	struct event *gone = event_new(base, -1, 0, never, NULL);
	struct evi_deferred deferred;

	cr_expect_null(event_base_get_running_event(base));
	cr_expect_null(event_base_get_running_event(NULL));
	event_active(ev, EV_READ, 1);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(running, ev);
	event_active(sig, EV_SIGNAL, 2);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(running, sig);
	cr_expect_null(event_base_get_running_event(base));

	cr_assert_not_null(evwatch_prepare_new(base, in_prepare, NULL));
	evi_deferred_init(&deferred, 0, in_deferred, NULL);
	evi_deferred_schedule(base, &deferred);
	event_finalize(0, gone, in_finalizer);
	cr_expect_eq(event_base_dispatch(base), 1);
	cr_expect_eq(running_was_null, 3);
	event_free(ev);
	event_free(sig);
	event_free(gone);
}
