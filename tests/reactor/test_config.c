/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration objects, flags, environment variables, and what base creation makes of them. */

#include "reactor_test.h"

#include <event2/event_struct.h>

#include <limits.h>
#include <signal.h>
#include <stdlib.h>

TestSuite(config, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

/* The backends built in, best first, or NULL. */
static const char *method(size_t i)
{
	return event_get_supported_methods()[i];
}

static int has_epoll(void)
{
	return strcmp(method(0), "epoll") == 0;
}

/*
 * The last of those that every kernel has; io_uring, which comes later, may not work on this one.
 */
static size_t last_resort(void)
{
	size_t i = 0;

	while (method(i + 1) != NULL && strcmp(method(i + 1), "io_uring") != 0)
		i++;
	return i;
}

static int is_windows(void)
{
	return strcmp(method(0), "win32") == 0;
}

/* The variable that switches a backend off. */
static const char *off_switch(size_t i)
{
	static char name[64];

	snprintf(name, sizeof(name), "EVENT_NO%s", method(i));
	for (char *c = name; *c != '\0'; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	return name;
}

static void clear_environment(void)
{
	for (size_t i = 0; method(i) != NULL; i++)
		unsetenv(off_switch(i));
	unsetenv("EVENT_PRECISE_TIMER");
	unsetenv("EVENT_EPOLL_USE_CHANGELIST");
	unsetenv("EVENT_USE_SIGNALFD");
	unsetenv("EVENT_SHOW_METHOD");
}

/* The method of a base made from `cfg`, or "none"; frees `cfg`. */
static const char *method_of(struct event_config *cfg)
{
	struct event_base *b = event_base_new_with_config(cfg);
	const char *method = b == NULL ? "none" : event_base_get_method(b);

	event_config_free(cfg);
	if (b != NULL)
		event_base_free(b);
	return method;
}

static struct event_config *config_with_flags(int flags)
{
	struct event_config *cfg = event_config_new();

	cr_assert_not_null(cfg);
	cr_assert_eq(event_config_set_flag(cfg, flags), 0);
	return cfg;
}

/* CORE-029, CORE-037 */
Test(config, one_config_makes_many_bases_that_outlive_it)
{
	struct event_config *cfg = event_config_new();
	struct event_base *a, *b;
	struct seen seen = { 0 };

	a = event_base_new_with_config(cfg);
	b = event_base_new_with_config(cfg);
	event_config_free(cfg);
	cr_assert(a != NULL && b != NULL);
	event_base_once(a, -1, EV_TIMEOUT, note, &seen, NULL);
	event_base_once(b, -1, EV_TIMEOUT, note, &seen, NULL);
	cr_expect_eq(event_base_dispatch(a), 1);
	cr_expect_eq(event_base_dispatch(b), 1);
	cr_expect_eq(seen.calls, 2);
	event_base_free(a);
	event_base_free(b);
}

/* CORE-037 */
Test(config, no_config_equals_an_empty_one)
{
	struct event_base *none = event_base_new_with_config(NULL), *plain = event_base_new();

	cr_assert(none != NULL && plain != NULL);
	cr_expect_str_eq(event_base_get_method(none), event_base_get_method(plain));
	cr_expect_str_eq(event_base_get_method(none), method_of(event_config_new()));
	event_base_free(none);
	event_base_free(plain);
}

/* CORE-030, CORE-031 */
Test(config, names_are_compared_exactly_and_unknown_ones_ignored)
{
	struct event_config *cfg = event_config_new();

	clear_environment();
	cr_expect_eq(event_config_avoid_method(cfg, "no such method"), 0);
	cr_expect_eq(event_config_avoid_method(cfg, "EPOLL"), 0);
	cr_expect_eq(event_config_avoid_method(cfg, "epoll (with changelist)"), 0);
	cr_expect_eq(event_config_avoid_method(cfg, ""), 0);
	cr_expect_str_eq(method_of(cfg), method(0));
}

/* CORE-031, CORE-039, CORE-057 */
Test(config, avoided_methods_fall_through_in_the_default_order)
{
	struct event_config *cfg;

	clear_environment();
	for (size_t first = 0; first < last_resort(); first++) {
		cfg = event_config_new();
		for (size_t i = 0; i <= first; i++)
			event_config_avoid_method(cfg, method(first - i));
		cr_expect_str_eq(method_of(cfg), method(first + 1));
	}
	cfg = config_with_flags(EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	event_config_avoid_method(cfg, method(0));
	cr_expect_str_eq(method_of(cfg), method(1));
}

/* CORE-038 */
Test(config, without_a_backend_there_is_no_base_and_a_warning)
{
	struct event_config *cfg = event_config_new();

	support_capture_log();
	for (const char **name = event_get_supported_methods(); *name != NULL; name++)
		cr_assert_eq(event_config_avoid_method(cfg, *name), 0);
	cr_expect_null(event_base_new_with_config(cfg));
	cr_expect_geq(support_messages(EVENT_LOG_WARN), 1);
	event_config_free(cfg);
}

/* CORE-038, CORE-052 */
Test(config, with_all_but_one_disabled_and_that_one_avoided_there_is_no_base)
{
	support_capture_log();
	for (size_t left = 0; method(left) != NULL; left++) {
		struct event_config *cfg = event_config_new();
		struct event_base *b;

		clear_environment();
		for (size_t i = 0; method(i) != NULL; i++)
			if (i != left)
				setenv(off_switch(i), "1", 1);
		b = event_base_new();
		if (b != NULL) {
			cr_assert_eq(event_config_avoid_method(cfg, event_base_get_method(b)), 0);
			cr_expect_null(event_base_new_with_config(cfg), "%s", method(left));
			event_base_free(b);
		}
		event_config_free(cfg);
	}
}

/* CORE-032, CORE-039, CORE-061 */
Test(config, required_features_choose_the_backend)
{
	static const struct {
		int features;
		const char *on_linux, *on_windows, *elsewhere;
	} cases[] = {
		{ 0, "epoll", "win32", "evport" },
		{ EV_FEATURE_O1, "epoll", "wepoll", "kqueue" },
		{ EV_FEATURE_ET, "epoll", "none", "kqueue" },
		{ EV_FEATURE_O1 | EV_FEATURE_ET, "epoll", "none", "kqueue" },
		{ EV_FEATURE_FDS, "poll", "none", "kqueue" },
		{ EV_FEATURE_EARLY_CLOSE, "epoll", "wepoll", "none" },
		{ EV_FEATURE_FDS | EV_FEATURE_EARLY_CLOSE, "poll", "none", "none" },
		{ 1 << 12, "none", "none", "none" },
	};

	support_capture_log();
	clear_environment();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event_config *cfg = event_config_new();
		const char *expected = has_epoll()    ? cases[i].on_linux
				       : is_windows() ? cases[i].on_windows
						      : cases[i].elsewhere;

		event_config_avoid_method(cfg, "io_uring");
		cr_expect_eq(event_config_require_features(cfg, EV_FEATURE_FDS), 0);
		cr_expect_eq(event_config_require_features(cfg, cases[i].features), 0);
		cr_expect_str_eq(method_of(cfg), expected, "case %zu", i);
	}
}

/* CORE-032 */
Test(config, a_base_has_all_the_features_that_were_required)
{
	support_capture_log();
	for (int features = 0; features < 16; features++) {
		struct event_config *cfg = event_config_new();
		struct event_base *b;

		event_config_require_features(cfg, features);
		b = event_base_new_with_config(cfg);
		event_config_free(cfg);
		if (b == NULL)
			continue;
		cr_expect_eq(event_base_get_features(b) & features, features);
		event_base_free(b);
	}
}

/* CORE-033 */
Test(config, flags_add_up_and_unknown_ones_are_ignored)
{
	struct event_config *cfg = config_with_flags(EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);

	clear_environment();
	setenv(off_switch(0), "1", 1);
	cr_expect_eq(event_config_set_flag(cfg, 1 << 20), 0);
	cr_expect_eq(event_config_set_flag(cfg, EVENT_BASE_FLAG_IGNORE_ENV), 0);
	cr_expect_eq(event_config_set_flag(cfg, 0), 0);
	cr_expect_str_eq(method_of(cfg), has_epoll() ? "epoll (with changelist)" : method(0));
}

/* CORE-034, CORE-045 */
Test(config, hints_for_windows_change_nothing)
{
	struct event_config *cfg = config_with_flags(EVENT_BASE_FLAG_STARTUP_IOCP);
	struct event_base *b = event_base_new();

	cr_expect_eq(event_config_set_num_cpus_hint(cfg, 16), 0);
	cr_expect_eq(event_config_set_num_cpus_hint(cfg, -1), 0);
	cr_assert_not_null(b);
	cr_expect_str_eq(method_of(cfg), event_base_get_method(b));
	event_base_free(b);
}

/* CORE-035, CORE-036, CORE-369 */
Test(config, null_arguments_are_errors)
{
	struct event_config *cfg = event_config_new();

	cr_expect_eq(event_config_set_flag(NULL, 0), -1);
	cr_expect_eq(event_config_require_features(NULL, 0), -1);
	cr_expect_eq(event_config_set_num_cpus_hint(NULL, 1), -1);
	cr_expect_eq(event_config_avoid_method(NULL, "poll"), -1);
	cr_expect_eq(event_config_avoid_method(cfg, NULL), -1);
	cr_expect_eq(event_config_set_max_dispatch_interval(NULL, NULL, 1, 0), -1);
	event_config_free(NULL);
	event_config_free(cfg);
}

/* CORE-051 */
Test(config, dispatch_limits_are_accepted_with_every_default)
{
	struct event_config *cfg = event_config_new();
	struct event_base *b;
	struct seen seen = { 0 };

	cr_expect_eq(event_config_set_max_dispatch_interval(cfg, NULL, -1, -5), 0);
	cr_expect_eq(event_config_set_max_dispatch_interval(cfg, MS(5), -1, 0), 0);
	cr_expect_eq(event_config_set_max_dispatch_interval(cfg, NULL, 3, -1), 0);
	b = event_base_new_with_config(cfg);
	event_config_free(cfg);
	for (int i = 0; i < 10; i++)
		event_base_once(b, -1, EV_TIMEOUT, note, &seen, NULL);
	cr_expect_eq(event_base_dispatch(b), 1);
	cr_expect_eq(seen.calls, 10);
	event_base_free(b);
}

/* CORE-040 */
Test(config, a_new_base_is_empty_and_not_current)
{
	struct event_base *b = event_base_new();
	struct event *ev = event_new(NULL, -1, 0, never, NULL);

	cr_expect_eq(event_base_get_npriorities(b), 1);
	cr_expect_eq(event_base_get_num_events(b, COUNT_ALL), 0);
	cr_expect_null(event_get_base(ev), "there is no current base");
	event_free(ev);
	event_base_free(b);
}

/* CORE-047 */
Test(config, the_changelist_flag_defers_errors_on_epoll_and_nowhere_else)
{
	struct event_config *cfg = config_with_flags(EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST |
						     EVENT_BASE_FLAG_IGNORE_ENV);
	struct event_base *b;
	struct event *ev;
	int unopened = dup(0);

	close(unopened);
	clear_environment();
	support_capture_log();
	if (!has_epoll()) {
		cr_expect_str_eq(method_of(cfg), method(0));
		return;
	}
	b = event_base_new_with_config(cfg);
	cr_expect_str_eq(event_base_get_method(b), "epoll (with changelist)");
	ev = event_new(b, unopened, EV_READ, note, &(struct seen){ 0 });
	cr_expect_eq(event_add(ev, NULL), 0);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 0);
	cr_expect_eq(event_base_loop(b, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	cr_expect_geq(support_messages(EVENT_LOG_WARN), 1);
	event_free(ev);
	event_base_free(b);

	event_config_avoid_method(cfg, "epoll");
	cr_expect_str_eq(method_of(cfg), "poll");
}

/* The smallest of many steps of the base's clock, in microseconds. */
static long smallest_step_us(struct event_base *b)
{
	struct timeval last, now, step;
	long smallest = LONG_MAX;

	cr_assert_eq(event_gettime_monotonic(b, &last), 0);
	for (int steps = 0; steps < 50;) {
		cr_assert_eq(event_gettime_monotonic(b, &now), 0);
		evutil_timersub(&now, &last, &step);
		if (!evutil_timerisset(&step))
			continue;
		smallest = step.tv_sec == 0 && step.tv_usec < smallest ? step.tv_usec : smallest;
		last = now;
		steps++;
	}
	return smallest;
}

/* CORE-048, CORE-049, CORE-053. Ours: the clock is fine without the flag, too. */
Test(config, a_precise_timer_uses_a_fine_clock)
{
	struct event_base *by_flag, *from_env;
	struct event_config *cfg = config_with_flags(EVENT_BASE_FLAG_PRECISE_TIMER |
						     EVENT_BASE_FLAG_EPOLL_DISALLOW_TIMERFD);

	by_flag = event_base_new_with_config(cfg);
	setenv("EVENT_PRECISE_TIMER", "", 1);
	from_env = event_base_new();
	cr_expect_lt(smallest_step_us(by_flag), 300);
	cr_expect_lt(smallest_step_us(from_env), 300);
	event_base_free(by_flag);
	event_base_free(from_env);
	event_config_free(cfg);
}

static const char *signal_method(int flags)
{
	struct event_config *cfg = config_with_flags(flags);
	struct event_base *b = event_base_new_with_config(cfg);
	const char *method = event_base_get_signal_method(b);

	event_base_free(b);
	event_config_free(cfg);
	return method;
}

/* CORE-050, CORE-056, CORE-265 */
Test(config, signalfd_is_chosen_by_flag_or_environment)
{
	if (!has_epoll()) {
		cr_expect_str_eq(signal_method(EVENT_BASE_FLAG_USE_SIGNALFD), signal_method(0));
		return;
	}
	cr_expect_str_eq(signal_method(0), "signal");
	cr_expect_str_eq(signal_method(EVENT_BASE_FLAG_USE_SIGNALFD), "signalfd_signal");
	clear_environment();
	setenv("EVENT_USE_SIGNALFD", "", 1);
	cr_expect_str_eq(signal_method(0), "signalfd_signal");
	cr_expect_str_eq(signal_method(EVENT_BASE_FLAG_IGNORE_ENV), "signal");
}

/* CORE-044, CORE-052 */
Test(config, a_variable_counts_by_presence_unless_the_environment_is_ignored)
{
	clear_environment();
	setenv(off_switch(0), "", 1);
	cr_expect_str_eq(method_of(event_config_new()), method(1));
	cr_expect_str_eq(method_of(config_with_flags(EVENT_BASE_FLAG_IGNORE_ENV)), method(0));
	for (size_t i = 0; i < last_resort(); i++)
		setenv(off_switch(i), "0", 1);
	cr_expect_str_eq(method_of(event_config_new()), method(last_resort()));
}

/* CORE-053 */
Test(config, the_changelist_variable_equals_the_flag)
{
	clear_environment();
	setenv("EVENT_EPOLL_USE_CHANGELIST", "", 1);
	cr_expect_str_eq(method_of(event_config_new()),
			 has_epoll() ? "epoll (with changelist)" : method(0));
	cr_expect_str_eq(method_of(config_with_flags(EVENT_BASE_FLAG_IGNORE_ENV)), method(0));
}

/* CORE-054 */
Test(config, show_method_logs_one_message_even_if_the_environment_is_ignored)
{
	support_capture_log();
	clear_environment();
	setenv("EVENT_SHOW_METHOD", "", 1);
	cr_expect_str_eq(method_of(event_config_new()), method(0));
	cr_expect_eq(support_messages(EVENT_LOG_MSG), 1);
	cr_expect_not_null(strstr(support_last_message(), method(0)));
	(void)method_of(config_with_flags(EVENT_BASE_FLAG_IGNORE_ENV));
	cr_expect_eq(support_messages(EVENT_LOG_MSG), 2);
}
