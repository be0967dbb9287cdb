/* SPDX-License-Identifier: BSD-3-Clause */
/* Version, size of struct event, shutdown. */

#include "reactor_test.h"

#include <event2/event_struct.h>

#include <stddef.h>

TestSuite(version, .timeout = 60);

/* CORE-024 */
Test(version, functions_and_macros_agree)
{
	int major, minor, patch;

	cr_expect_str_eq(event_get_version(), LIBEVENT_VERSION);
	cr_expect_eq(event_get_version_number(), (ev_uint32_t)LIBEVENT_VERSION_NUMBER);
	cr_assert_eq(sscanf(event_get_version(), "%d.%d.%d", &major, &minor, &patch), 3);
	cr_expect_eq(event_get_version_number() >> 24, (unsigned)major);
	cr_expect_eq(event_get_version_number() >> 16 & 0xff, (unsigned)minor);
	cr_expect_eq(event_get_version_number() >> 8 & 0xff, (unsigned)patch);
}

/* CORE-025 */
Test(version, struct_event_is_not_larger_than_the_header_says)
{
	cr_expect_leq(event_get_struct_event_size(), sizeof(struct event));
	cr_expect_gt(event_get_struct_event_size(), 0u);
}

/* CORE-349. Ours: the layout that programs built for 2.1 know is kept. */
Test(version, struct_event_has_the_layout_of_2_1)
{
	cr_expect_lt(offsetof(struct event, ev_fd), offsetof(struct event, ev_base));
	cr_expect_lt(offsetof(struct event, ev_base), offsetof(struct event, ev_));
	cr_expect_lt(offsetof(struct event, ev_), offsetof(struct event, ev_events));
	cr_expect_eq(offsetof(struct event, ev_res),
		     offsetof(struct event, ev_events) + sizeof(short));
	if (sizeof(void *) == 8)
		cr_expect_eq(sizeof(struct event), 128u);
}

/* CORE-026, CORE-027 */
Test(version, shutdown_frees_no_user_object_and_may_be_repeated)
{
	static struct event_base *b; /* left as they are: no call may follow a shutdown */
	static struct event *ev;
	long live;

	support_count_allocations();
	b = event_base_new();
	ev = event_new(b, -1, EV_PERSIST, never, NULL);
	live = support_live_blocks();
	libevent_global_shutdown();
	libevent_global_shutdown();
	cr_expect_eq(support_live_blocks(), live);
	cr_expect_eq(event_get_base(ev), b);
	cr_expect_eq(event_get_callback(ev), (event_callback_fn)never);
}

/* CORE-026: what debug mode and locks keep for the process is freed. */
Test(version, shutdown_frees_the_bookkeeping_of_debug_mode)
{
	struct event memory;

	support_count_allocations();
	event_enable_debug_mode();
	base = event_base_new();
	cr_assert_eq(event_assign(&memory, base, -1, 0, never, NULL), 0);
	event_base_free(base);
	cr_expect_gt(support_live_blocks(), 0, "debug mode keeps nothing: this tests nothing");
	libevent_global_shutdown();
	cr_expect_eq(support_live_blocks(), 0);
}

/* CORE-028 */
Test(version, debug_mode_cannot_be_entered_again_after_shutdown, .exit_code = 1)
{
	support_capture_log();
	event_enable_debug_mode();
	libevent_global_shutdown();
	event_enable_debug_mode();
	_exit(44);
}
