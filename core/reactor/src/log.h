/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_LOG_H_INCLUDED
#define EVI_LOG_H_INCLUDED

/* The reactor's own view of the log: the switch for debug messages without a call. */

#include <event2/component/reactor.h>

/* Nonzero while debug messages are wanted; set by event_enable_debug_logging() only. */
extern ev_uint32_t evi_log_debug_mask;

/* Formats and logs only if someone listens; the arguments are not evaluated otherwise. */
#define EVI_DEBUG(...)                                                                             \
	do {                                                                                       \
		if (__builtin_expect(evi_log_debug_mask != 0, 0))                                  \
			evi_log_debug(__VA_ARGS__);                                                \
	} while (0)

/* Text of an errno value into `buf`, thread-safe; returns `buf` or a constant. */
const char *evi_errno_text(int err, char *buf, size_t len);

#endif
