/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel's readiness becomes, for every backend, on pipes, sockets and files. */

#include "reactor_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

TestSuite(backend, .init = start, .fini = finish, .timeout = 60);

#define ALL_IO (EV_READ | EV_WRITE | EV_CLOSED)

/* Adds an event for `what`, runs one round, and says what it saw; 0 if it did not run. */
static short what_happens(evutil_socket_t fd, short what)
{
	struct seen seen = { 0 };
	struct event *ev = event_new(base, fd, what | EV_PERSIST, note, &seen);

	cr_assert_eq(event_add(ev, NULL), 0);
	run_round();
	event_free(ev);
	return seen.what;
}

static int has(int feature)
{
	return (event_base_get_features(base) & feature) != 0;
}

/* CORE-057, CORE-058, CORE-059 */
Test(backend, supported_methods_are_one_constant_list_in_order_of_preference)
{
	static const char *const order[] = {
		"evport", "kqueue", "epoll", "devpoll", "poll", "select",
	};
	const char **methods = event_get_supported_methods();
	size_t next = 0;

	cr_expect_eq(event_get_supported_methods(), methods, "the same array each time");
	for (size_t i = 0; methods[i] != NULL; i++)
		for (size_t j = 0; j < sizeof(order) / sizeof(order[0]); j++)
			if (strcmp(methods[i], order[j]) == 0) {
				cr_expect_geq(j, next, "%s comes too late", order[j]);
				next = j;
			}
	cr_expect_str_eq(methods[0], getenv("TEST_MODEL") != NULL ? "evport" : "epoll");
}

/* CORE-058, CORE-060 */
Test(backend, the_method_of_a_base_is_in_the_list)
{
	int found = 0;

	for (const char **m = event_get_supported_methods(); *m != NULL; m++)
		found += strcmp(*m, event_base_get_method(base)) == 0;
	cr_expect_eq(found, 1);
}

/* CORE-061 */
Test(backend, features_are_those_of_the_method)
{
	static const struct {
		const char *method;
		int features;
	} table[] = {
		{ "evport", 0 },
		{ "kqueue", EV_FEATURE_ET | EV_FEATURE_O1 | EV_FEATURE_FDS },
		{ "epoll", EV_FEATURE_ET | EV_FEATURE_O1 | EV_FEATURE_EARLY_CLOSE },
		{ "devpoll", EV_FEATURE_O1 | EV_FEATURE_FDS },
		{ "poll", EV_FEATURE_FDS | EV_FEATURE_EARLY_CLOSE },
		{ "select", EV_FEATURE_FDS },
		{ "win32", 0 },
		{ "wepoll", EV_FEATURE_O1 | EV_FEATURE_EARLY_CLOSE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(event_base_get_method(base), table[i].method) == 0)
			cr_expect_eq(event_base_get_features(base), table[i].features);
}

/* CORE-062, CORE-063, CORE-075 */
Test(backend, flags_that_a_backend_lacks_are_accepted_and_served_as_well_as_it_can)
{
	evutil_socket_t pair[2];
	short et = has(EV_FEATURE_ET) ? EV_ET : 0;

	support_socketpair(pair);
	send_byte(pair[1]);
	cr_expect_eq(what_happens(pair[0], EV_READ | EV_ET), EV_READ | et);
	cr_expect_eq(what_happens(pair[0], EV_READ | EV_CLOSED), EV_READ);
	close(pair[1]);
	cr_expect_eq(what_happens(pair[0], EV_CLOSED), has(EV_FEATURE_EARLY_CLOSE) ? EV_CLOSED : 0);
	close(pair[0]);
}

/* CORE-066, CORE-075 */
Test(backend, a_peer_that_sends_no_more_is_told_when_nothing_is_left_to_read)
{
	evutil_socket_t pair[2];
	short closed = has(EV_FEATURE_EARLY_CLOSE) ? EV_CLOSED : 0;

	support_socketpair(pair);
	cr_expect_eq(what_happens(pair[0], EV_CLOSED), 0);
	shutdown(pair[1], SHUT_WR);
	cr_expect_eq(what_happens(pair[0], ALL_IO), EV_READ | EV_WRITE | closed);
	cr_expect_eq(what_happens(pair[0], EV_CLOSED), closed);
	cr_expect_eq(what_happens(pair[0], EV_WRITE), EV_WRITE);
	close_pair(pair);
}

/* CORE-066, CORE-074, CORE-075 */
Test(backend, readable_writable_and_peer_shutdown)
{
	evutil_socket_t pair[2];
	short closed = has(EV_FEATURE_EARLY_CLOSE) ? EV_CLOSED : 0;

	support_socketpair(pair);
	cr_expect_eq(what_happens(pair[0], ALL_IO), EV_WRITE);
	cr_expect_eq(what_happens(pair[0], EV_READ), 0);
	send_byte(pair[1]);
	cr_expect_eq(what_happens(pair[0], ALL_IO), EV_READ | EV_WRITE);
	cr_expect_eq(what_happens(pair[0], EV_READ), EV_READ);
	cr_expect_eq(what_happens(pair[0], EV_WRITE), EV_WRITE);
	shutdown(pair[1], SHUT_WR);
	cr_expect_eq(what_happens(pair[0], ALL_IO), EV_READ | EV_WRITE | closed);
	cr_expect_eq(what_happens(pair[0], EV_CLOSED), closed);
	cr_expect_eq(what_happens(pair[0], EV_READ), EV_READ, "the end of file is readable");
	close_pair(pair);
}

/* CORE-074 */
Test(backend, a_closing_peer_wakes_readers_and_blocked_writers)
{
	evutil_socket_t pair[2];
	char block[4096] = { 0 };

	support_socketpair(pair);
	while (write(pair[0], block, sizeof(block)) > 0)
		;
	cr_expect_eq(what_happens(pair[0], EV_READ | EV_WRITE), 0);
	close(pair[1]);
	cr_expect(what_happens(pair[0], EV_READ) & EV_READ);
	cr_expect(what_happens(pair[0], EV_WRITE) & EV_WRITE);
	close(pair[0]);
}

/* Connects two TCP sockets; *ret_a is reset by the peer. */
static evutil_socket_t reset_socket(void)
{
	struct linger hard = { 1, 0 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	ev_uint16_t port;
	evutil_socket_t listener = support_listen(&port), client, server;

	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(client, (struct sockaddr *)&sin, sizeof(sin)), 0);
	cr_assert_eq(evutil_make_socket_nonblocking(client), 0);
	server = accept(listener, NULL, NULL);
	cr_assert_geq(server, 0);
	setsockopt(server, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(server);
	close(listener);
	return client;
}

/* CORE-067, CORE-068, CORE-069, CORE-070, CORE-357 */
Test(backend, a_reset_connection_is_readable_writable_and_closed)
{
	evutil_socket_t fd = reset_socket();
	short closed = has(EV_FEATURE_EARLY_CLOSE) ? EV_CLOSED : 0;

	cr_expect_eq(what_happens(fd, EV_READ), EV_READ);
	cr_expect_eq(what_happens(fd, EV_WRITE), EV_WRITE);
	cr_expect_eq(what_happens(fd, ALL_IO), EV_READ | EV_WRITE | closed);
	cr_expect_eq(what_happens(fd, EV_CLOSED), closed);
	close(fd);
}

/* CORE-067, CORE-068, CORE-069, CORE-070 */
Test(backend, a_pipe_without_a_writer_hangs_up)
{
	int ends[2];
	short what;

	cr_assert_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	close(ends[1]);
	cr_expect_eq(what_happens(ends[0], EV_READ), EV_READ);
	what = what_happens(ends[0], EV_READ | EV_CLOSED);
	cr_expect(what & EV_READ);
	cr_expect_eq(what & EV_CLOSED, has(EV_FEATURE_EARLY_CLOSE) ? EV_CLOSED : 0);
	cr_expect_eq(what_happens(ends[0], EV_CLOSED), has(EV_FEATURE_EARLY_CLOSE) ? EV_CLOSED : 0);
	close(ends[0]);
}

/* CORE-067, CORE-069 */
Test(backend, a_pipe_without_a_reader_is_writable)
{
	int ends[2];

	cr_assert_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	close(ends[0]);
	cr_expect_eq(what_happens(ends[1], EV_WRITE), EV_WRITE);
	close(ends[1]);
}

/* CORE-076 */
Test(backend, a_socket_that_was_never_connected_hangs_up)
{
	evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	cr_expect_eq(what_happens(fd, EV_READ | EV_WRITE), EV_READ | EV_WRITE);
	close(fd);
}

/* The reading end is closed before anybody watches the other, which kqueue(2) refuses to watch. */
static struct event *add_broken_pipe(int ends[2], short what, struct seen *seen)
{
	struct event *ev;

	cr_assert_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	close(ends[0]);
	ev = event_new(base, ends[1], what | EV_PERSIST, note, seen);
	cr_assert_eq(event_add(ev, NULL), 0);
	return ev;
}

/* CORE-072, CORE-062, CORE-176 */
Test(backend, a_pipe_without_a_reader_stays_writable)
{
	struct seen seen = { 0 }, edge = { 0 };
	int ends[2], others[2];
	struct event *level = add_broken_pipe(ends, EV_WRITE, &seen), *edged;

	for (int i = 1; i <= 3; i++) {
		run_round();
		cr_expect_eq(seen.calls, i);
	}
	/* Another interest in the same descriptor does not make it forgotten. */
	edged = event_new(base, ends[1], EV_READ | EV_PERSIST, note, &edge);
	cr_assert_eq(event_add(edged, NULL), 0);
	run_round();
	cr_expect_eq(seen.calls, 4);
	event_free(edged);
	run_round();
	cr_expect_eq(seen.calls, 5);
	event_free(level);
	run_round();
	cr_expect_eq(seen.calls, 5);
	edge = (struct seen){ 0 };
	edged = add_broken_pipe(others, EV_WRITE | EV_ET, &edge);
	run_round();
	cr_expect_eq(edge.calls, 1);
	run_round();
	cr_expect_eq(edge.calls, has(EV_FEATURE_ET) ? 1 : 2);
	event_free(edged);
	close(ends[1]);
	close(others[1]);
}

/* CORE-077; C04: a refused registration is event_add's own error. */
Test(backend, adding_an_unopened_descriptor)
{
	int fd = dup(0);
	struct seen seen = { 0 };
	struct event *ev;

	close(fd);
	support_capture_log();
	ev = event_new(base, fd, EV_READ, note, &seen);
	if (backend_is("epoll") || backend_is("kqueue") || backend_is("evport")) {
		errno = 0;
		cr_expect_eq(event_add(ev, MS(1000)), -1);
		cr_expect_geq(support_messages(EVENT_LOG_WARN), 1);
		cr_expect_not_null(strstr(support_last_message(), "Bad file descriptor"));
		cr_expect_eq(event_pending(ev, EV_READ | EV_TIMEOUT, NULL), 0);
		cr_expect_eq(count(COUNT_ALL), 0);
	} else if (backend_is("poll") || backend_is("devpoll")) {
		cr_expect_eq(event_add(ev, NULL), 0);
		run_round();
		cr_expect_eq(seen.what, EV_READ);
	} else if (backend_is("select")) {
		cr_expect_eq(event_add(ev, NULL), 0);
		cr_expect_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), -1);
		cr_expect_geq(support_messages(EVENT_LOG_WARN), 1);
	}
	event_free(ev);
}

static int refuses_files(void)
{
	return backend_is("epoll") || backend_is("win32") || backend_is("wepoll");
}

/* CORE-077; C12 */
Test(backend, adding_a_regular_file)
{
	char name[] = "/tmp/reactor-test-XXXXXX";
	int fd = mkstemp(name);
	struct seen seen = { 0 };
	struct event *ev;

	cr_assert_geq(fd, 0);
	unlink(name);
	/* kqueue(2) finds a file readable short of its end */
	cr_assert_eq(pwrite(fd, "x", 1, 0), 1);
	support_capture_log();
	ev = event_new(base, fd, EV_READ | EV_WRITE, note, &seen);
	if (refuses_files()) {
		cr_expect_eq(event_add(ev, MS(1000)), -1);
		cr_expect_eq(event_pending(ev, EV_READ | EV_TIMEOUT, NULL), 0);
		cr_expect_eq(count(COUNT_ALL), 0);
	} else {
		cr_expect_eq(event_add(ev, NULL), 0);
		run_round();
		cr_expect_eq(seen.what, EV_READ | EV_WRITE);
	}
	event_free(ev);
	close(fd);
}

/* CORE-069, CORE-071; C10: closed while watched, against the rules. */
Test(backend, a_descriptor_closed_while_watched_never_spins_or_hangs)
{
	evutil_socket_t pair[2];
	struct seen seen = { 0 }, tick = { 0 };
	struct event *ev, *timer;
	int result;

	support_socketpair(pair);
	support_capture_log();
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, note, &seen);
	timer = event_new(base, -1, 0, note, &tick);
	cr_assert_eq(event_add(ev, NULL), 0);
	run_round();
	close(pair[0]);
	event_add(timer, MS(5));
	result = event_base_loop(base, EVLOOP_ONCE);
	if (backend_is("poll") || backend_is("devpoll")) {
		cr_expect_eq(result, 0);
		cr_expect_eq(seen.what, EV_READ);
	} else if (backend_is("select")) {
		cr_expect_eq(result, -1);
		cr_expect_geq(support_messages(EVENT_LOG_WARN), 1);
	} else {
		cr_expect_eq(result, 0);
		cr_expect_eq(tick.calls, 1);
		cr_expect_eq(seen.calls, 0);
	}
	event_free(ev);
	event_free(timer);
	close(pair[1]);
}

/* CORE-078 */
Test(backend, deleting_after_closing_is_silent)
{
	evutil_socket_t pair[2];
	struct event *ev;

	support_socketpair(pair);
	support_capture_log();
	ev = event_new(base, pair[0], EV_READ | EV_PERSIST, never, NULL);
	cr_assert_eq(event_add(ev, NULL), 0);
	run_round();
	close(pair[0]);
	cr_expect_eq(event_del(ev), 0);
	run_round();
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 0);
	event_free(ev);
	close(pair[1]);
}

/* CORE-079 */
Test(backend, a_duplicate_closed_and_made_again_under_the_same_number)
{
	evutil_socket_t pair[2], copy;
	struct seen original = { 0 }, again = { 0 };
	struct event *ev1, *ev2, *ev3;

	support_socketpair(pair);
	copy = dup(pair[0]);
	ev1 = event_new(base, pair[0], EV_READ | EV_PERSIST, note_and_read, &original);
	ev2 = event_new(base, copy, EV_READ | EV_PERSIST, never, NULL);
	cr_assert_eq(event_add(ev1, NULL), 0);
	cr_assert_eq(event_add(ev2, NULL), 0);
	run_round();
	close(copy);
	event_del(ev2);
	send_byte(pair[1]);
	run_round();
	cr_expect_eq(original.calls, 1);
	cr_assert_eq(dup2(pair[0], copy), copy);
	ev3 = event_new(base, copy, EV_WRITE, note, &again);
	cr_assert_eq(event_add(ev3, NULL), 0);
	send_byte(pair[1]);
	run_round();
	cr_expect_eq(again.what, EV_WRITE);
	cr_expect_eq(original.calls, 2);
	event_free(ev1);
	event_free(ev2);
	event_free(ev3);
	close(copy);
	close_pair(pair);
}

#define MANY 75

/* CORE-080; C05: also when the backend reports less than all at a time. */
Test(backend, many_ready_descriptors_are_served_in_one_pass)
{
	evutil_socket_t pairs[MANY][2];
	struct seen once[MANY] = { 0 }, persistent[MANY] = { 0 };
	struct event *one_shot[MANY], *persist[MANY];

	for (int i = 0; i < MANY; i++) {
		support_socketpair(pairs[i]);
		send_byte(pairs[i][1]);
		one_shot[i] = event_new(base, pairs[i][0], EV_READ, note, &once[i]);
		cr_assert_eq(event_add(one_shot[i], NULL), 0);
	}
	cr_expect_eq(event_base_loop(base, EVLOOP_NONBLOCK), 1);
	for (int i = 0; i < MANY; i++) {
		cr_expect_eq(once[i].calls, 1, "descriptor %d", i);
		persist[i] = event_new(base, pairs[i][0], EV_READ | EV_PERSIST, note_and_read,
				       &persistent[i]);
		cr_assert_eq(event_add(persist[i], NULL), 0);
	}
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	for (int i = 0; i < MANY; i++) {
		cr_expect_eq(persistent[i].calls, 1, "descriptor %d", i);
		event_free(one_shot[i]);
		event_free(persist[i]);
		close_pair(pairs[i]);
	}
}

/* CORE-064 */
Test(backend, a_wait_is_never_cut_short_by_rounding)
{
	struct timeval odd = { 0, 12345 };
	struct seen seen = { 0 };
	double begin = support_now_ms();

	event_base_once(base, -1, EV_TIMEOUT, note, &seen, &odd);
	cr_expect_eq(event_base_dispatch(base), 1);
	/* The coarse clock may be a tick (4 ms) behind when the event is added. */
	cr_expect_geq(support_now_ms() - begin, 12.345 - 4.1);
}

/* CORE-065: a wait beyond what any backend's argument holds is still a wait. */
Test(backend, a_wait_of_months_can_be_interrupted_and_resumed)
{
	struct timeval months = { 90L * 24 * 3600, 0 };
	struct event *timer = event_new(base, -1, 0, never, NULL);
	struct seen seen = { 0 };

	cr_assert_eq(event_add(timer, &months), 0);
	cr_expect_eq(event_base_loopexit(base, MS(10)), 0);
	cr_expect_eq(event_base_dispatch(base), 0);
	cr_expect_neq(event_pending(timer, EV_TIMEOUT, NULL), 0);
	event_base_once(base, -1, EV_TIMEOUT, note, &seen, MS(5));
	cr_expect_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	cr_expect_eq(seen.calls, 1);
	event_free(timer);
}

/* CORE-116, CORE-371 */
Test(backend, an_absurdly_high_descriptor_is_refused_or_costs_little)
{
	static const int numbers[] = { INT_MAX, INT_MAX / 2 };

	support_capture_log();
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct event *ev = event_new(base, numbers[i], EV_READ, never, NULL);

		cr_assert_not_null(ev);
		cr_expect_eq(event_add(ev, MS(1000)), -1, "%d", numbers[i]);
		cr_expect_eq(event_pending(ev, EV_READ | EV_TIMEOUT, NULL), 0);
		event_free(ev);
	}
	cr_expect_eq(count(COUNT_ALL), 0);
}

/* Nonzero if the system is one whose select(2) is limited to FD_SETSIZE. */
static int is_limited(void)
{
	const char *model = getenv("TEST_MODEL");

	return model != NULL && strcmp(model, "select-limited") == 0;
}

/* CORE-371 */
Test(backend, a_high_descriptor_is_served)
{
	struct rlimit limit;
	evutil_socket_t pair[2], high;

	if (is_limited() || support_is_select_emulated(base))
		cr_skip_test("%s has a limit", event_base_get_method(base));
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	support_socketpair(pair);
	high = fcntl(pair[0], F_DUPFD_CLOEXEC, (int)limit.rlim_cur - 1);
	if (high < 0)
		high = fcntl(pair[0], F_DUPFD_CLOEXEC, 1000);
	send_byte(pair[1]);
	cr_expect_eq(what_happens(high, EV_READ), EV_READ, "descriptor %d", (int)high);
	close(high);
	close_pair(pair);
}

/* CORE-371, CORE-116; C04: where select(2) takes no larger sets than the system's own. */
Test(backend, a_descriptor_beyond_the_limit_of_select_is_refused_by_its_number)
{
	evutil_socket_t pair[2], high;
	struct event *ev;

	if (!is_limited())
		cr_skip_test("%s has no limit", event_base_get_method(base));
	support_socketpair(pair);
	support_capture_log();
	high = fcntl(pair[0], F_DUPFD_CLOEXEC, FD_SETSIZE);
	if (high < 0) {
		close_pair(pair);
		cr_skip_test("there are no such descriptors");
	}
	ev = event_new(base, high, EV_READ, never, NULL);
	cr_expect_eq(event_add(ev, MS(1000)), -1);
	cr_expect_eq(event_pending(ev, EV_READ | EV_TIMEOUT, NULL), 0);
	cr_expect_not_null(strstr(support_last_message(), "1024"));
	event_free(ev);
	close(high);
	high = fcntl(pair[0], F_DUPFD_CLOEXEC, FD_SETSIZE - 1);
	cr_assert_eq(high, FD_SETSIZE - 1);
	send_byte(pair[1]);
	cr_expect_eq(what_happens(high, EV_READ), EV_READ, "the last one is served");
	close(high);
	close_pair(pair);
}

/* CORE-081: over many rounds with one callback each, every descriptor gets a turn. */
Test(backend, low_descriptors_do_not_starve_the_others)
{
	evutil_socket_t pairs[8][2];
	struct seen seen[8] = { 0 };
	struct event *ev[8];
	int served = 0;

	for (int i = 0; i < 8; i++) {
		support_socketpair(pairs[i]);
		send_byte(pairs[i][1]);
		ev[i] = event_new(base, pairs[i][0], EV_READ | EV_PERSIST, note, &seen[i]);
		cr_assert_eq(event_add(ev[i], NULL), 0);
	}
	for (int round = 0; round < 400; round++)
		run_round();
	for (int i = 0; i < 8; i++) {
		served += seen[i].calls > 0;
		event_free(ev[i]);
		close_pair(pairs[i]);
	}
	cr_expect_eq(served, 8);
}
