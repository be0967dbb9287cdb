/* SPDX-License-Identifier: BSD-3-Clause */
/* Log messages, and what happens at detected misuse and failed assertions. */

#include "reactor_test.h"

#include <event2/component/reactor.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

TestSuite(log, .timeout = 60);

/* Provokes one warning. */
static void cause_warning(void)
{
	cr_assert_null(event_new(NULL, SIGUSR1, EV_SIGNAL | EV_READ, never, NULL));
}

static void *cause_warning_in_thread(void *arg)
{
	cause_warning();
	return arg;
}

/* Text that `provoke` makes the library write to stderr. */
static size_t stderr_of(void (*provoke)(void), char *text, size_t size)
{
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t len;

	cr_assert_eq(pipe(ends), 0);
	fflush(stderr);
	dup2(ends[1], STDERR_FILENO);
	provoke();
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(ends[1]);
	close(saved);
	len = read(ends[0], text, size - 1);
	close(ends[0]);
	cr_assert_geq(len, 0);
	text[len > 0 ? len : 0] = '\0';
	return (size_t)len;
}

/* CORE-013, CORE-015 */
Test(log, the_callback_gets_the_text_without_a_newline)
{
	support_capture_log();
	cause_warning();
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
	cr_expect_gt(strlen(support_last_message()), 0u);
	cr_expect_null(strchr(support_last_message(), '\n'));
}

/* CORE-013, CORE-014 */
Test(log, null_restores_the_default_which_writes_to_stderr)
{
	char text[2048];
	size_t len;

	support_capture_log();
	cause_warning();
	event_set_log_callback(NULL);
	len = stderr_of(cause_warning, text, sizeof(text));
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
	cr_assert_gt(len, 8u);
	cr_expect_eq(strncmp(text, "[warn] ", 7), 0, "%s", text);
	cr_expect_eq(text[len - 1], '\n');
}

static void log_one_of_each(void)
{
	event_enable_debug_logging(EVENT_DBG_ALL);
	evi_log_debug("number %d", 1);
	evi_log_msg("number %d", 2);
	event_warnx("number %d", 3);
}

/* CORE-014 */
Test(log, the_default_names_the_severity)
{
	char text[2048];

	stderr_of(log_one_of_each, text, sizeof(text));
	cr_expect_str_eq(text, "[debug] number 1\n[msg] number 2\n[warn] number 3\n");
}

/* CORE-015 */
Test(log, a_failed_system_call_ends_with_the_error_text)
{
	const char *colon;

	support_capture_log();
	cr_expect_eq(evutil_make_socket_nonblocking(-1), -1);
	cr_assert_eq(support_messages(EVENT_LOG_WARN), 1);
	colon = strrchr(support_last_message(), ':');
	cr_assert_not_null(colon);
	cr_expect_str_eq(colon, ": Bad file descriptor");
}

/* CORE-016 */
Test(log, text_is_cut_at_1023_bytes)
{
	char text[3000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	support_capture_log();
	evi_log_msg("%s", text);
	cr_expect_eq(strlen(support_last_message()), 1023u);
	errno = EBADF;
	event_warn("%s", text);
	cr_expect_eq(strlen(support_last_message()), 1023u);
	text[1000] = '\0';
	errno = EBADF;
	event_warn("%s", text);
	cr_expect_leq(strlen(support_last_message()), 1023u);
}

/* CORE-017: no library lock is needed by the logging thread, nor is there a thread of its own. */
Test(log, any_thread_may_log)
{
	pthread_t thread;

	support_capture_log();
	cr_assert_eq(pthread_create(&thread, NULL, cause_warning_in_thread, NULL), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
}

static void some_work(void)
{
	struct event_base *b = event_base_new();
	struct event *timer = event_new(b, -1, 0, trace, (void *)"t");

	event_add(timer, MS(1));
	event_base_dispatch(b);
	event_free(timer);
	event_base_free(b);
}

/* CORE-018 */
Test(log, debug_messages_come_only_when_switched_on)
{
	support_capture_log();
	some_work();
	evi_log_debug("unheard");
	cr_expect_eq(support_messages(EVENT_LOG_DEBUG), 0);
	event_enable_debug_logging(EVENT_DBG_ALL);
	evi_log_debug("heard");
	cr_expect_eq(support_messages(EVENT_LOG_DEBUG), 1);
	some_work();
	event_enable_debug_logging(EVENT_DBG_NONE);
	support_capture_log();
	some_work();
	evi_log_debug("unheard");
	cr_expect_eq(support_messages(EVENT_LOG_DEBUG), 0);
}

/* --- fatal errors ----------------------------------------------------------------------------- */

static int fatal_code, fatal_calls, errors_before_fatal;

static void remember_code(int code)
{
	fatal_code = code;
	fatal_calls++;
	errors_before_fatal = support_messages(EVENT_LOG_ERR);
}

/* Status 42 if all went in order, for a test that ends with the process. */
static void exit_42_if_misuse(int code)
{
	remember_code(code);
	_exit(code == 1 && errors_before_fatal == 1 ? 42 : 43);
}

static void exit_42_if_assertion(int code)
{
	remember_code(code);
	_exit(code == (int)0xdeaddeadu && errors_before_fatal == 1 ? 42 : 43);
}

/* Enabling debug mode a second time is misuse. */
static void misuse(void)
{
	event_enable_debug_mode();
	event_enable_debug_mode();
}

/* CORE-020, CORE-286 */
Test(log, misuse_exits_with_status_1, .exit_code = 1)
{
	support_capture_log();
	misuse();
}

/* CORE-020 */
Test(log, a_failed_assertion_aborts, .signal = SIGABRT)
{
	support_capture_log();
	evi_assert_failed("1 == 2", "somewhere", "file.c", 12);
}

/* CORE-021 */
Test(log, the_fatal_callback_gets_1_after_one_error_message, .exit_code = 42)
{
	support_capture_log();
	event_set_fatal_callback(exit_42_if_misuse);
	misuse();
}

/* CORE-021 */
Test(log, the_fatal_callback_gets_deaddead_at_an_assertion, .exit_code = 42)
{
	support_capture_log();
	event_set_fatal_callback(exit_42_if_assertion);
	evi_assert_failed("1 == 2", "somewhere", "file.c", 12);
}

static void check_that_it_was_told(void)
{
	if (fatal_calls != 1)
		_exit(43);
}

/* CORE-022 */
Test(log, misuse_ends_the_process_even_if_the_callback_returns, .exit_code = 1)
{
	support_capture_log();
	atexit(check_that_it_was_told);
	event_set_fatal_callback(remember_code);
	misuse();
	_exit(44);
}

/* CORE-022 */
Test(log, an_assertion_aborts_even_if_the_callback_returns, .signal = SIGABRT)
{
	support_capture_log();
	event_set_fatal_callback(remember_code);
	evi_assert_failed("1 == 2", "somewhere", "file.c", 12);
}

/* CORE-023 */
Test(log, a_null_fatal_callback_restores_the_default, .exit_code = 1)
{
	support_capture_log();
	event_set_fatal_callback(exit_42_if_misuse);
	event_set_fatal_callback(NULL);
	misuse();
}
