/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_BACKEND_H_INCLUDED
#define EVI_BACKEND_H_INCLUDED

/*
 * What a backend is: one table of operations over the kernel's way to watch descriptors.
 *
 * A backend sees descriptors and masks; events, timers and priorities are not its business. Every
 * operation is called with the base lock held; `wait` gives it up through the gate for the blocking
 * call only. tests/reactor runs every backend through the same suites.
 */

#include <event2/component/reactor.h>

#include <stdint.h>

/* Interest and readiness, in the values of the public flags. */
#define EVI_READ   EV_READ
#define EVI_WRITE  EV_WRITE
#define EVI_CLOSED EV_CLOSED
#define EVI_EDGE   EV_ET

/* Of reports only: `fd` is the number of a signal, negated. */
#define EVI_SIGNAL EV_SIGNAL

/* One descriptor goes from interest `before` to `after`; 0 is "not watched". */
struct evi_change {
	evutil_socket_t fd;
	uint8_t before;
	uint8_t after;
	uint8_t is_unsure; /* the descriptor may be another one by now: `before` may not hold */
	/* out, and 0 before: reported by the next wait, but not by one in progress */
	uint8_t is_ready;
	uint32_t tag;      /* handed back with every report of this registration */
	int err;           /* out: 0 or a negative errno; on failure the interest is none */
};

/* Steps outside the base lock, and in again. */
struct evi_gate {
	void (*leave)(const struct evi_gate *gate);
	void (*enter)(const struct evi_gate *gate);
};

/* Reports that `fd`, registered with `tag`, is ready for `what`; called with the lock held. */
typedef void evi_report_fn(void *ctx, evutil_socket_t fd, uint32_t tag, unsigned what);

struct evi_backend {
	const char *name;
	/* with EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST; NULL: no difference */
	const char *changelist_name;
	const char *env;  /* the variable that switches it off */
	int features;     /* EV_FEATURE_ bits */
	unsigned traits;  /* EVI_BACKEND_ bits */
	const char *signal_method; /* with `watch_signal` */

	/* *ret_state is set only on success; `flags` are the base's EVENT_BASE_FLAG_ bits. */
	int (*open)(void **ret_state, int flags);
	/*
	 * Accepts a state whose descriptors are still registered; they stay so in other processes.
	 */
	void (*close)(void *state);
	/* Carries out `n` changes and notes the result of each in it. */
	void (*apply)(void *state, struct evi_change *changes, size_t n);
	/*
	 * Waits for at most `timeout_ns` (-1: no limit; the wait is never shorter by rounding) and
	 * reports each ready descriptor. 0, also if interrupted, or a negative socket error.
	 */
	int (*wait)(void *state, int64_t timeout_ns, const struct evi_gate *gate,
		    evi_report_fn *report, void *ctx);
	/*
	 * Reports `sig` from now on, or stops; NULL if signals do not come this way. Nobody need
	 * catch a signal while it is watched: it does no harm. 0 or -errno.
	 */
	int (*watch_signal)(void *state, int sig, int is_wanted);
};

#define EVI_BACKEND_TAGGED      1u /* reports carry the tag of the registration they are from */
#define EVI_BACKEND_LIVE        4u /* changes made by other threads reach a wait in progress */
#define EVI_BACKEND_EAGER_LEAVE 2u /* keeps a descriptor open while it is watched: leave at once */
#define EVI_BACKEND_LEAVES_CLOSED 8u /* stops watching a descriptor that is closed */

/* Those built in, best first, ended by NULL. */
extern const struct evi_backend *const evi_backends[];

/* Their names, for event_get_supported_methods(). */
extern const char *evi_backend_names[];

extern const struct evi_backend evi_backend_evport;
extern const struct evi_backend evi_backend_kqueue;
extern const struct evi_backend evi_backend_epoll;
extern const struct evi_backend evi_backend_devpoll;
extern const struct evi_backend evi_backend_poll;
extern const struct evi_backend evi_backend_select;
extern const struct evi_backend evi_backend_io_uring;
extern const struct evi_backend evi_backend_win32;
extern const struct evi_backend evi_backend_wepoll;

#endif
