/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages to the program, and the end of the process after misuse or a failed assertion.
 *
 * The callbacks are set before threads use the library, so they are read without a lock; any
 * thread may log. errno survives every function here.
 */

#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A message is cut to this many bytes, the terminator included. */
#define MESSAGE_SIZE 1024

/* What a fatal callback is told. */
#define CODE_MISUSE    1
#define CODE_ASSERTION ((int)0xdeaddeadU)

ev_uint32_t evi_log_debug_mask;
static event_log_cb log_cb;
static event_fatal_cb fatal_cb;

static const char *const severity_names[] = {
	[EVENT_LOG_DEBUG] = "debug",
	[EVENT_LOG_MSG] = "msg",
	[EVENT_LOG_WARN] = "warn",
	[EVENT_LOG_ERR] = "err",
};

static void deliver(int severity, const char *text)
{
	if (log_cb != NULL)
		log_cb(severity, text);
	else
		(void)fprintf(stderr, "[%s] %s\n", severity_names[severity], text);
}

/* Formats, appends ": " and `reason` unless that is NULL, and delivers. */
static void log_reason(int severity, const char *reason, const char *format, va_list args)
{
	char text[MESSAGE_SIZE];
	int saved_errno = errno, len;

	len = evutil_vsnprintf(text, sizeof(text), format, args);
	if (len < 0)
		text[len = 0] = '\0';
	if (reason != NULL && (size_t)len < sizeof(text) - 3)
		(void)evutil_snprintf(text + len, sizeof(text) - (size_t)len, ": %s", reason);
	deliver(severity, text);
	errno = saved_errno;
}

int evi_log_debug_enabled(void)
{
	return evi_log_debug_mask != 0;
}

void evi_log_debug(const char *format, ...)
{
	va_list args;

	if (evi_log_debug_mask == 0)
		return;
	va_start(args, format);
	log_reason(EVENT_LOG_DEBUG, NULL, format, args);
	va_end(args);
}

void evi_log_msg(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_reason(EVENT_LOG_MSG, NULL, format, args);
	va_end(args);
}

void event_warn(const char *format, ...)
{
	char buf[128];
	va_list args;

	va_start(args, format);
	log_reason(EVENT_LOG_WARN, evi_errno_text(errno, buf, sizeof(buf)), format, args);
	va_end(args);
}

void event_warnx(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_reason(EVENT_LOG_WARN, NULL, format, args);
	va_end(args);
}

void evi_log_socket_error(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_reason(EVENT_LOG_WARN, evutil_socket_error_to_string(err), format, args);
	va_end(args);
}

void evi_fatal_misuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_reason(EVENT_LOG_ERR, NULL, format, args);
	va_end(args);
	if (fatal_cb != NULL)
		fatal_cb(CODE_MISUSE);
	exit(CODE_MISUSE);
}

void evi_assert_failed(const char *condition, const char *function, const char *file, int line)
{
	char text[MESSAGE_SIZE];

	(void)evutil_snprintf(text, sizeof(text), "%s:%d: Assertion %s failed in %s", file, line,
			      condition, function);
	deliver(EVENT_LOG_ERR, text);
	if (fatal_cb != NULL)
		fatal_cb(CODE_ASSERTION);
	abort();
}

void event_set_log_callback(event_log_cb cb)
{
	log_cb = cb;
}

void event_set_fatal_callback(event_fatal_cb cb)
{
	fatal_cb = cb;
}

void event_enable_debug_logging(ev_uint32_t which)
{
	evi_log_debug_mask = which;
}
