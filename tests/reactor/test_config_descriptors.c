/* SPDX-License-Identifier: BSD-3-Clause */
/* The descriptors that a base opens, as /proc shows them, and bases that cannot open theirs. */

#include "own_descriptors.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

TestSuite(config_descriptors, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static struct event_config *config_with_flags(int flags)
{
	struct event_config *cfg = event_config_new();

	cr_assert_not_null(cfg);
	cr_assert_eq(event_config_set_flag(cfg, flags), 0);
	return cfg;
}

/*
 * Descriptors opened since `before` was noted: all close-on-exec, and nonblocking if they can be.
 */
static void check_own_descriptors(const char *known)
{
	DIR *dir = opendir("/proc/self/fd");

	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		int fd = atoi(entry->d_name);
		char link[64], target[256] = "";

		if (entry->d_name[0] == '.' || fd == dirfd(dir) || fd >= 1024 || known[fd])
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		cr_assert_gt(readlink(link, target, sizeof(target) - 1), 0);
		cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC, "%s", target);
		if (strstr(target, "eventpoll") == NULL && strstr(target, "io_uring") == NULL)
			cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK, "%s", target);
	}
	closedir(dir);
}

/* CORE-042 */
Test(config_descriptors, descriptors_of_the_library_are_close_on_exec_and_nonblocking)
{
	static const int flags[] = {
		0, EVENT_BASE_FLAG_PRECISE_TIMER, EVENT_BASE_FLAG_USE_SIGNALFD,
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		char known[1024];
		struct event_config *cfg = config_with_flags(flags[i]);
		struct event_base *b;
		struct event *sig, *timer;

		for (int fd = 0; fd < 1024; fd++)
			known[fd] = fcntl(fd, F_GETFD) >= 0;
		b = event_base_new_with_config(cfg);
		sig = event_new(b, SIGUSR1, EV_SIGNAL, never, NULL);
		timer = event_new(b, -1, 0, note, &(struct seen){ 0 });
		cr_assert_eq(event_add(sig, NULL), 0);
		cr_assert_eq(event_add(timer, MS(1)), 0);
		cr_assert_eq(event_base_loop(b, EVLOOP_ONCE), 0);
		check_own_descriptors(known);
		event_free(sig);
		event_free(timer);
		event_base_free(b);
		event_config_free(cfg);
	}
}

/* CORE-049 */
Test(config_descriptors, without_a_timer_descriptor_precise_timers_still_work)
{
	struct event_config *cfg = config_with_flags(EVENT_BASE_FLAG_PRECISE_TIMER |
						     EVENT_BASE_FLAG_EPOLL_DISALLOW_TIMERFD);
	struct event_base *b = event_base_new_with_config(cfg);
	struct seen seen = { 0 };
	double begin = support_now_ms(), took;

	event_base_once(b, -1, EV_TIMEOUT, note, &seen, MS(20));
	cr_expect_eq(event_base_dispatch(b), 1);
	took = support_now_ms() - begin;
	cr_expect_eq(descriptors_like("timerfd"), 0);
	cr_expect_eq(seen.calls, 1);
	cr_expect(took >= 20, "%f", took);
	event_base_free(b);
	event_config_free(cfg);
}

/* CORE-038; C03: no descriptor left for the base, then for its n-th. */
Test(config_descriptors, a_base_that_cannot_open_its_descriptors_is_not_made)
{
	int failures = 0, first_free = dup(0);
	struct event_config *cfg = config_with_flags(EVENT_BASE_FLAG_PRECISE_TIMER);
	struct rlimit limit;
	int before;

	cr_assert_geq(first_free, 0);
	close(first_free);
	before = support_open_fds();
	support_capture_log();
	for (int room = 0; room < 8; room++) {
		struct event_base *b;
		struct event *sig;
		int added;

		cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
		limit.rlim_cur = (rlim_t)(first_free + room);
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		b = event_base_new_with_config(cfg);
		if (b != NULL) {
			sig = event_new(b, SIGUSR1, EV_SIGNAL, never, NULL);
			added = event_add(sig, NULL);
			failures += added != 0;
			cr_expect_eq(event_pending(sig, EV_SIGNAL, NULL),
				     added == 0 ? EV_SIGNAL : 0);
			event_free(sig);
			event_base_free(b);
		} else {
			failures++;
		}
		limit.rlim_cur = limit.rlim_max < 1024 ? limit.rlim_max : 1024;
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		cr_assert_eq(support_open_fds(), before, "room for %d", room);
	}
	event_config_free(cfg);
	cr_expect_gt(failures, 0);
}
