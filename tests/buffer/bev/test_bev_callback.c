/* SPDX-License-Identifier: BSD-3-Clause */
/* When and in which order the user's callbacks run, deferred and not, locked and not. */

#include "bev_test.h"

TestSuite(bev_callback, .init = start, .fini = finish, .timeout = 60);

/* BEV-020, BEV-021 */
Test(bev_callback, all_four_are_set_and_read_at_once)
{
	struct bufferevent *bev = socket_new(-1, 0);
	struct probe one = { 0 }, two = { 0 };
	bufferevent_data_cb readcb, writecb;
	bufferevent_event_cb eventcb;
	void *arg;

	watch(bev, &one);
	bufferevent_getcb(bev, &readcb, &writecb, &eventcb, &arg);
	cr_expect(readcb == on_read && writecb == on_write && eventcb == on_event && arg == &one);
	bufferevent_setcb(bev, NULL, on_write, NULL, &two);
	bufferevent_getcb(bev, &readcb, NULL, NULL, NULL);
	cr_expect(readcb == NULL);
	bufferevent_getcb(bev, NULL, &writecb, &eventcb, &arg);
	cr_expect(writecb == on_write && eventcb == NULL && arg == &two);
	cr_expect_eq(one.n_order + two.n_order, 0);
	bufferevent_free(bev);
}

/* BEV-022 */
Test(bev_callback, a_deferred_run_uses_what_is_set_by_then)
{
	struct bufferevent *bev = socket_new(-1, BEV_OPT_DEFER_CALLBACKS);
	struct probe one = { 0 }, two = { 0 };

	watch(bev, &one);
	bufferevent_trigger(bev, EV_READ, 0);
	watch(bev, &two);
	settle();
	cr_expect_eq(one.reads, 0);
	cr_expect_eq(two.reads, 1);
	bufferevent_trigger(bev, EV_READ, 0);
	bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
	settle();
	watch(bev, &two);
	settle();
	cr_expect_eq(two.reads, 1, "dropped for that run");
	bufferevent_free(bev);
}

/* BEV-023 */
Test(bev_callback, what_comes_without_a_callback_is_lost)
{
	struct bufferevent *bev = socket_new(-1, BEV_OPT_DEFER_CALLBACKS);
	struct probe probe = { 0 };

	bufferevent_trigger(bev, BOTH, 0);
	bufferevent_trigger_event(bev, BEV_EVENT_ERROR, 0);
	watch(bev, &probe);
	settle();
	cr_expect_eq(probe.n_order, 0);
	bufferevent_free(bev);
}

/* BEV-024 */
Test(bev_callback, one_write_that_qualifies_is_one_callback)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_set_max_single_write(bev[0], 10);
	bufferevent_setwatermark(bev[0], EV_WRITE, 25, 0);
	bufferevent_write(bev[0], "0123456789012345678901234567890123456789", 40);
	settle();
	cr_expect_eq(probe.writes, 3, "at 20, 10 and 0 left, got %d", probe.writes);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-008, BEV-025 */
Test(bev_callback, deferred_ones_merge)
{
	struct bufferevent *bev = socket_new(-1, BEV_OPT_DEFER_CALLBACKS);
	struct probe probe = { 0 };

	watch(bev, &probe);
	for (int i = 0; i < 3; i++) {
		bufferevent_trigger(bev, BOTH, 0);
		bufferevent_trigger_event(bev, (short)(BEV_EVENT_EOF << i), 0);
	}
	cr_expect_eq(probe.n_order, 0);
	settle();
	cr_expect_str_eq(probe.order, "rwe");
	cr_expect_eq(probe.what[0], BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT);
	bufferevent_free(bev);
}

/* BEV-026, BEV-028 */
Test(bev_callback, connected_comes_first_and_other_events_last)
{
	struct bufferevent *bev = socket_new(-1, BEV_OPT_DEFER_CALLBACKS);
	struct probe probe = { 0 };

	watch(bev, &probe);
	bufferevent_trigger_event(bev, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
	bufferevent_trigger(bev, EV_WRITE, 0);
	bufferevent_trigger(bev, EV_READ, 0);
	bufferevent_trigger_event(bev, BEV_EVENT_CONNECTED, 0);
	settle();
	cr_expect_str_eq(probe.order, "erwe");
	cr_expect_eq(probe.what[0], BEV_EVENT_CONNECTED);
	cr_expect_eq(probe.what[1], BEV_EVENT_READING | BEV_EVENT_EOF);
	bufferevent_free(bev);
}

/* BEV-027 */
Test(bev_callback, data_is_announced_before_the_end_also_when_deferred)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, BEV_OPT_DEFER_CALLBACKS);
	watch(bev[0], &probe);
	bufferevent_write(bev[1], "bye", 3);
	settle();
	bufferevent_free(bev[1]);
	bufferevent_enable(bev[0], EV_READ);
	run_until(&probe.events, 1);
	cr_expect_str_eq(probe.order, "re");
	bufferevent_free(bev[0]);
}

/* BEV-029 */
Test(bev_callback, the_socket_error_is_there_when_deferred)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, BEV_OPT_DEFER_CALLBACKS);
	watch(bev[0], &probe);
	bufferevent_free(bev[1]);
	bufferevent_write(bev[0], "x", 1);
	run_until(&probe.events, 1);
	cr_expect_eq(probe.err[0], EPIPE);
	bufferevent_free(bev[0]);
}

static void append_arg(struct bufferevent *bev, void *arg)
{
	struct probe *probe = ((void **)arg)[0];

	(void)bev;
	probe_note(probe, *(const char *)((void **)arg)[1]);
}

/* BEV-030, BEV-216 */
Test(bev_callback, deferred_ones_run_at_the_bufferevents_priority)
{
	struct bufferevent *low, *high;
	struct probe probe = { 0 };
	void *low_arg[] = { &probe, "l" }, *high_arg[] = { &probe, "h" };

	if (support_uses_completions())
		cr_skip_test("the priority is fixed");
	event_base_priority_init(base, 3);
	low = socket_new(-1, BEV_OPT_DEFER_CALLBACKS);
	high = socket_new(-1, BEV_OPT_DEFER_CALLBACKS);
	cr_expect_eq(bufferevent_get_priority(low), 1);
	bufferevent_setcb(low, append_arg, NULL, NULL, low_arg);
	bufferevent_setcb(high, append_arg, NULL, NULL, high_arg);
	bufferevent_priority_set(low, 2);
	bufferevent_priority_set(high, 0);
	bufferevent_trigger(low, EV_READ, 0);
	bufferevent_trigger(high, EV_READ, 0);
	settle();
	cr_expect_str_eq(probe.order, "hl");
	bufferevent_trigger(low, EV_READ, 0);
	bufferevent_trigger(high, EV_READ, 0);
	bufferevent_priority_set(low, 0);
	bufferevent_priority_set(high, 1);
	settle();
	cr_expect_str_eq(probe.order, "hllh", "a pending run moves along");
	bufferevent_free(low);
	bufferevent_free(high);
}

static void do_everything(struct bufferevent *bev, void *arg)
{
	struct probe *probe = arg;

	probe->reads++;
	bufferevent_write(bev, "x", 1);
	bufferevent_disable(bev, BOTH);
	bufferevent_enable(bev, BOTH);
	bufferevent_setwatermark(bev, BOTH, 0, 0);
	bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
	bufferevent_setfd(bev, -1);
	bufferevent_free(bev);
	cr_expect_eq(bufferevent_get_enabled(bev), BOTH, "valid until the callback returns");
}

/* BEV-032 */
Test(bev_callback, may_do_anything_to_its_bufferevent)
{
	for (int options = 0; options <= BEV_OPT_DEFER_CALLBACKS;
	     options += BEV_OPT_DEFER_CALLBACKS) {
		evutil_socket_t fds[2];
		struct bufferevent *bev;
		struct probe probe = { 0 };

		support_socketpair(fds);
		bev = socket_new(fds[0], options);
		bufferevent_setcb(bev, do_everything, NULL, NULL, &probe);
		bufferevent_enable(bev, EV_READ);
		cr_assert_eq(send(fds[1], "x", 1, 0), 1);
		run_until(&probe.reads, 1);
		settle();
		close(fds[0]);
		close(fds[1]);
	}
}

/* BEV-033, BEV-205, B19 */
Test(bev_callback, none_starts_after_free)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, BEV_OPT_DEFER_CALLBACKS);
	watch(bev[0], &probe);
	bufferevent_enable(bev[0], BOTH);
	bufferevent_trigger(bev[0], BOTH, 0);
	bufferevent_trigger_event(bev[0], BEV_EVENT_ERROR, 0);
	bufferevent_write(bev[1], "x", 1);
	bufferevent_free(bev[0]);
	settle();
	cr_expect_eq(probe.n_order, 0);
	bufferevent_free(bev[1]);
}

/* B19, BEV-032 */
Test(bev_callback, freeing_inside_any_callback_is_safe)
{
	static const char places[] = "rwe";
	static const int options[] = { 0, BEV_OPT_DEFER_CALLBACKS,
				       BEV_OPT_DEFER_CALLBACKS | BEV_OPT_UNLOCK_CALLBACKS };

	for (size_t i = 0; i < 9; i++) {
		struct bufferevent *bev[2];
		struct probe probe = { .free_at = places[i % 3] };

		linked_new(bev, options[i / 3]);
		watch(bev[0], &probe);
		bufferevent_write(bev[0], "x", 1);
		bufferevent_write(bev[1], "x", 1);
		settle();
		bufferevent_free(bev[1]);
		if (i % 3 != 1)
			bufferevent_enable(bev[0], EV_READ);
		settle();
		cr_expect_eq(probe.order[probe.n_order - 1], places[i % 3]);
	}
}

/* BEV-031 */
Test(bev_callback, the_lock_is_free_in_unlocked_ones)
{
	const int options = BEV_OPT_DEFER_CALLBACKS | BEV_OPT_UNLOCK_CALLBACKS;
	struct bufferevent *bev = socket_new(-1, options);
	struct probe probe = { 0 };

	watch(bev, &probe);
	bufferevent_lock(bev);
	bufferevent_trigger(bev, BOTH, 0);
	bufferevent_unlock(bev);
	settle();
	cr_expect_str_eq(probe.order, "rw");
	bufferevent_free(bev);
}
