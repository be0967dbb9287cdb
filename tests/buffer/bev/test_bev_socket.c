/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Socket bufferevents: making, enabling, descriptors, sizes. What they carry: test_bev_transfer.c.
 */

#include "bev_test.h"

#include <fcntl.h>

TestSuite(bev_socket, .init = start, .fini = finish, .timeout = 60);

static int is_open(evutil_socket_t fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* --- Making ----------------------------------------------------------------------------------- */

/* BEV-001, BEV-002, BEV-010, BEV-011, BEV-180 */
Test(bev_socket, a_new_one_has_writing_enabled_and_nothing_else)
{
	struct bufferevent *bev = socket_new(-1, 0);
	struct probe probe;
	bufferevent_data_cb readcb = on_read, writecb = on_write;
	bufferevent_event_cb eventcb = on_event;
	void *arg = &probe;
	size_t low = 1, high = 1;

	cr_expect_eq(bufferevent_get_enabled(bev), EV_WRITE);
	cr_expect_eq(bufferevent_getwatermark(bev, EV_READ, &low, &high), 0);
	cr_expect_eq(low + high, 0);
	low = 1;
	cr_expect_eq(bufferevent_getwatermark(bev, EV_WRITE, &low, &high), 0);
	cr_expect_eq(low + high, 0);
	bufferevent_getcb(bev, &readcb, &writecb, &eventcb, &arg);
	cr_expect(readcb == NULL && writecb == NULL && eventcb == NULL && arg == NULL);
	cr_expect_eq(bufferevent_getfd(bev), -1);
	cr_expect_null(bufferevent_get_token_bucket_cfg(bev));
	cr_expect_eq(bufferevent_get_read_limit(bev), EV_SSIZE_MAX);
	cr_expect_eq(bufferevent_get_base(bev), base);
	cr_expect_not_null(bufferevent_get_input(bev));
	cr_expect_not_null(bufferevent_get_output(bev));
	cr_expect_null(bufferevent_get_underlying(bev));
	cr_expect_eq(bev->timeout_read.tv_sec + bev->timeout_write.tv_sec, 0);
	bufferevent_free(bev);
}

/* BEV-003 */
Test(bev_socket, without_a_base_the_default_one_is_used)
{
	struct event_base *mine;
	struct bufferevent *bev, *pair[2];

	cr_expect_null(bufferevent_socket_new(NULL, -1, 0), "there is no default base yet");
	cr_expect_eq(bufferevent_pair_new(NULL, 0, pair), -1);
	mine = event_init();
	bev = bufferevent_socket_new(NULL, -1, thread_option);
	cr_assert_not_null(bev);
	cr_expect_eq(bufferevent_get_base(bev), mine);
	cr_assert_eq(bufferevent_pair_new(NULL, thread_option, pair), 0);
	cr_expect_eq(bufferevent_get_base(pair[1]), mine);
	bufferevent_free(bev);
	bufferevent_free(pair[0]);
	bufferevent_free(pair[1]);
	event_base_free(mine);
}

/* BEV-004 */
Test(bev_socket, the_blocking_mode_is_the_callers)
{
	evutil_socket_t fds[2];
	struct bufferevent *bev;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	bev = socket_new(fds[0], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_enable(bev, BOTH);
	settle();
	cr_expect_eq(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	bufferevent_free(bev);
	close(fds[1]);
}

/* BEV-005 */
Test(bev_socket, making_one_with_a_descriptor_starts_nothing)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	cr_assert_eq(send(bufferevent_getfd(bev[1]), "x", 1, 0), 1);
	settle();
	cr_expect_eq(probe.n_order, 0);
	cr_expect_eq(input_len(bev[0]), 0);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-006, BEV-134 */
Test(bev_socket, the_descriptor_is_closed_only_if_asked_for)
{
	evutil_socket_t fds[2];
	struct bufferevent *bev;

	support_socketpair(fds);
	bev = socket_new(fds[0], 0);
	bufferevent_free(bev);
	settle();
	cr_expect(is_open(fds[0]));
	bev = socket_new(fds[0], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_free(bev);
	settle();
	cr_expect_not(is_open(fds[0]));
	close(fds[1]);
}

/* BEV-007 */
Test(bev_socket, thread_safety_without_thread_support_is_no_error)
{
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_THREADSAFE);
	struct bufferevent *pair[2];

	cr_assert_not_null(bev);
	cr_expect_eq(bufferevent_write(bev, "x", 1), 0);
	cr_assert_eq(bufferevent_pair_new(base, BEV_OPT_THREADSAFE, pair), 0);
	bufferevent_free(bev);
	bufferevent_free(pair[0]);
	bufferevent_free(pair[1]);
}

/* BEV-009 */
Test(bev_socket, unlocked_callbacks_must_be_deferred_ones)
{
	support_capture_log();
	cr_expect_null(bufferevent_socket_new(base, -1, BEV_OPT_UNLOCK_CALLBACKS));
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 1);
}

/* BEV-012 */
Test(bev_socket, the_transports_ends_of_the_buffers_are_frozen)
{
	struct bufferevent *bev[2];
	char byte;

	linked_new(bev, 0);
	cr_expect_eq(evbuffer_add(bufferevent_get_input(bev[0]), "x", 1), -1);
	cr_expect_eq(bufferevent_write(bev[0], "x", 1), 0);
	cr_expect_eq(evbuffer_remove(bufferevent_get_output(bev[0]), &byte, 1), -1);
	cr_expect_eq(evbuffer_drain(bufferevent_get_output(bev[0]), 1), -1);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

static void count_change(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	int *total = arg;

	(void)buf;
	total[0] += (int)info->n_added;
	total[1] += (int)info->n_deleted;
}

/* BEV-013 */
Test(bev_socket, both_buffers_take_change_callbacks)
{
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };
	int out[2] = { 0 }, in[2] = { 0 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	evbuffer_add_cb(bufferevent_get_output(bev[0]), count_change, out);
	evbuffer_add_cb(bufferevent_get_input(bev[1]), count_change, in);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "12345", 5);
	run_until_received(&probe, 5);
	cr_expect(out[0] == 5 && out[1] == 5, "%d, %d", out[0], out[1]);
	cr_expect(in[0] == 5 && in[1] == 5, "%d, %d", in[0], in[1]);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* --- Enabling --------------------------------------------------------------------------------- */

/* BEV-040, BEV-041 */
Test(bev_socket, directions_are_enabled_and_disabled)
{
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	cr_expect_eq(bufferevent_enable(bev[0], EV_READ), 0);
	cr_expect_eq(bufferevent_get_enabled(bev[0]), BOTH);
	bufferevent_write(bev[1], "a", 1);
	run_until_received(&probe, 1);
	cr_expect_eq(bufferevent_disable(bev[0], EV_READ), 0);
	cr_expect_eq(bufferevent_get_enabled(bev[0]), EV_WRITE);
	bufferevent_write(bev[1], "b", 1);
	settle();
	cr_expect_eq(probe.received, 1);
	bufferevent_enable(bev[0], EV_READ);
	run_until_received(&probe, 2);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-043, BEV-341 */
Test(bev_socket, enabling_writing_explicitly_gives_exactly_one_write_callback)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	settle();
	cr_expect_eq(probe.writes, 0);
	bufferevent_enable(bev[0], EV_WRITE);
	cr_expect_eq(probe.writes, 0, "never inside the call");
	settle();
	cr_expect_eq(probe.writes, 1);
	settle();
	cr_expect_eq(probe.writes, 1);
	bufferevent_enable(bev[0], EV_WRITE);
	settle();
	cr_expect_eq(probe.writes, 2);
	cr_expect_eq(probe.n_order, 2);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-043 */
Test(bev_socket, data_after_enabling_writing_makes_no_second_callback)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_enable(bev[0], EV_WRITE);
	bufferevent_write(bev[0], "x", 1);
	settle();
	cr_expect_eq(probe.writes, 1);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-044, BEV-045 */
Test(bev_socket, output_waits_while_writing_is_disabled)
{
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_disable(bev[0], EV_WRITE);
	bufferevent_write(bev[0], "late", 4);
	settle();
	cr_expect_eq(output_len(bev[0]), 4);
	cr_expect_eq(probe.received, 0);
	bufferevent_enable(bev[0], EV_WRITE);
	run_until_received(&probe, 4);
	cr_expect_eq(output_len(bev[0]), 0);
	cr_expect_not(event_pending(&bev[0]->ev_write, EV_WRITE, NULL));
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-046, BEV-102 */
Test(bev_socket, the_end_goes_unnoticed_while_reading_is_disabled)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	bufferevent_free(bev[1]);
	settle();
	cr_expect_eq(probe.events, 0);
	bufferevent_enable(bev[0], EV_READ);
	run_until(&probe.events, 1);
	bufferevent_enable(bev[0], EV_READ);
	run_until(&probe.events, 2);
	cr_expect_eq(probe.what[0], BEV_EVENT_READING | BEV_EVENT_EOF);
	cr_expect_eq(probe.what[1], BEV_EVENT_READING | BEV_EVENT_EOF);
	bufferevent_free(bev[0]);
}

/* BEV-049 */
Test(bev_socket, without_descriptor_and_timeout_the_loop_may_end)
{
	struct bufferevent *bev = socket_new(-1, 0);

	cr_expect_eq(bufferevent_enable(bev, BOTH), 0);
	cr_expect_eq(event_base_loop(base, 0), 1, "nothing can happen, so the loop ends");
	cr_expect_eq(bufferevent_disable(bev, BOTH), 0);
	bufferevent_free(bev);
}

/* BEV-050 */
Test(bev_socket, enabling_never_calls_back)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	bufferevent_free(bev[1]);
	watch(bev[0], &probe);
	bufferevent_enable(bev[0], BOTH);
	cr_expect_eq(probe.n_order, 0);
	bufferevent_free(bev[0]);
}

/* --- Descriptors ------------------------------------------------------------------------------ */

/* BEV-180..183 */
Test(bev_socket, another_descriptor_takes_over_at_once)
{
	evutil_socket_t one[2], two[2];
	struct bufferevent *bev;
	struct probe probe = { .drain = 1 };
	char data[4];

	support_socketpair(one);
	support_socketpair(two);
	bev = socket_new(one[0], 0);
	watch(bev, &probe);
	bufferevent_enable(bev, EV_READ);
	bufferevent_disable(bev, EV_WRITE);
	bufferevent_write(bev, "out", 3);
	cr_expect_eq(bufferevent_setfd(bev, two[0]), 0);
	cr_expect_eq(bufferevent_getfd(bev), two[0]);
	cr_expect_eq(bufferevent_get_enabled(bev), EV_READ);
	cr_expect_eq(output_len(bev), 3);
	cr_assert_eq(send(two[1], "in", 2, 0), 2);
	run_until_received(&probe, 2);
	bufferevent_enable(bev, EV_WRITE);
	settle();
	cr_expect_eq(recv(two[1], data, sizeof(data), 0), 3);
	cr_expect(is_open(one[0]));
	cr_expect_eq(bufferevent_setfd(bev, -1), 0);
	cr_expect_eq(bufferevent_getfd(bev), -1);
	cr_assert_eq(send(two[1], "xx", 2, 0), 2);
	settle();
	cr_expect_eq(probe.received, 2);
	bufferevent_free(bev);
	for (int i = 0; i < 2; i++) {
		close(one[i]);
		close(two[i]);
	}
}

/* BEV-182, BEV-043, BEV-341 */
Test(bev_socket, an_explicit_enable_is_remembered_for_the_descriptor)
{
	evutil_socket_t fds[2];
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct probe probe = { 0 };

	support_socketpair(fds);
	watch(bev, &probe);
	bufferevent_enable(bev, EV_WRITE);
	settle();
	cr_expect_eq(probe.writes, 0);
	bufferevent_setfd(bev, fds[0]);
	settle();
	cr_expect_eq(probe.writes, 1);
	bufferevent_setfd(bev, fds[0]);
	settle();
	cr_expect_eq(probe.writes, 1, "it has been answered");
	bufferevent_free(bev);
	close(fds[1]);
}

/* BEV-184 */
Test(bev_socket, after_setfd_the_buffers_can_be_cleared)
{
	evutil_socket_t fds[2];
	struct bufferevent *bev = socket_new(-1, BEV_OPT_CLOSE_ON_FREE);
	struct evbuffer *in = bufferevent_get_input(bev), *out = bufferevent_get_output(bev);

	support_socketpair(fds);
	bufferevent_write(bev, "abc", 3);
	cr_expect_eq(evbuffer_drain(out, 1), -1);
	bufferevent_setfd(bev, -1);
	cr_expect_eq(evbuffer_drain(out, 3), 0);
	cr_expect_eq(evbuffer_add(in, "x", 1), 0);
	cr_expect_eq(evbuffer_drain(in, 1), 0);
	bufferevent_setfd(bev, fds[0]);
	cr_expect_eq(evbuffer_add(in, "x", 1), 0);
	bufferevent_write(bev, "abc", 3);
	settle();
	bufferevent_write(bev, "abc", 3);
	cr_expect_eq(evbuffer_drain(out, 3), -1, "frozen again after a transfer");
	bufferevent_free(bev);
	close(fds[1]);
}

/* BEV-185, BEV-346, BEV-216 */
Test(bev_socket, the_priority_survives_setfd)
{
	int is_fixed = support_uses_completions(), expected = is_fixed ? 2 : 4;
	struct bufferevent *bev;

	event_base_priority_init(base, 5);
	bev = socket_new(-1, 0);
	cr_expect_eq(bufferevent_get_priority(bev), 2);
	cr_expect_eq(bufferevent_priority_set(bev, 4), is_fixed ? -1 : 0);
	cr_expect_eq(bufferevent_get_priority(bev), expected);
	cr_expect_eq(bufferevent_priority_set(bev, 5), -1);
	cr_expect_eq(bufferevent_priority_set(bev, -1), -1);
	cr_expect_eq(bufferevent_get_priority(bev), expected);
	bufferevent_setfd(bev, -1);
	cr_expect_eq(bufferevent_get_priority(bev), expected);
	bufferevent_free(bev);
}

/* BEV-187, BEV-330 */
Test(bev_socket, replacefd_closes_the_old_descriptor)
{
	evutil_socket_t one[2], two[2];
	struct bufferevent *bev, *pair[2];

	support_socketpair(one);
	support_socketpair(two);
	bev = socket_new(one[0], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_enable(bev, EV_READ);
	cr_expect_eq(bufferevent_replacefd(bev, two[0]), 0);
	cr_expect_not(is_open(one[0]));
	cr_expect_eq(bufferevent_getfd(bev), two[0]);
	cr_expect_eq(bufferevent_replacefd(bev, -1), 0);
	cr_expect_not(is_open(two[0]));
	cr_expect_eq(bufferevent_replacefd(bev, -1), 0);
	cr_expect_eq(bufferevent_getfd(bev), -1);
	bufferevent_free(bev);
	close(one[1]);
	close(two[1]);
	pair_new(pair, 0);
	cr_expect_eq(bufferevent_replacefd(pair[0], -1), -1);
	bufferevent_free(pair[0]);
	bufferevent_free(pair[1]);
}

/* --- Triggering, flushing --------------------------------------------------------------------- */

/* BEV-195..197, BEV-199 */
Test(bev_socket, a_trigger_runs_the_callbacks_whose_marks_allow_it)
{
	struct bufferevent *bev = socket_new(-1, 0);
	struct probe probe = { 0 };

	watch(bev, &probe);
	bufferevent_trigger(bev, BOTH, 0);
	cr_expect_str_eq(probe.order, "rw");
	bufferevent_setwatermark(bev, EV_READ, 1, 0);
	bufferevent_write(bev, "x", 1);
	bufferevent_trigger(bev, BOTH, 0x1000);
	cr_expect_eq(probe.n_order, 2);
	bufferevent_trigger(bev, BOTH, BEV_TRIG_IGNORE_WATERMARKS);
	cr_expect_str_eq(probe.order, "rwrw");
	bufferevent_trigger(bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
	cr_expect_eq(probe.n_order, 4);
	settle();
	cr_expect_str_eq(probe.order, "rwrwr");
	bufferevent_free(bev);
}

/* BEV-197, BEV-198 */
Test(bev_socket, any_event_can_be_triggered)
{
	struct bufferevent *bev = socket_new(-1, 0);
	struct probe probe = { 0 };

	watch(bev, &probe);
	bufferevent_trigger_event(bev, BEV_EVENT_EOF | BEV_EVENT_READING | 0x1000, 0);
	cr_expect_eq(probe.events, 1);
	cr_expect_eq(probe.what[0], BEV_EVENT_EOF | BEV_EVENT_READING | 0x1000);
	cr_expect_eq(bufferevent_get_enabled(bev), EV_WRITE);
	bufferevent_trigger_event(bev, BEV_EVENT_ERROR, BEV_TRIG_DEFER_CALLBACKS);
	cr_expect_eq(probe.events, 1);
	settle();
	cr_expect_eq(probe.what[1], BEV_EVENT_ERROR);
	bufferevent_free(bev);
	bev = socket_new(-1, BEV_OPT_DEFER_CALLBACKS);
	watch(bev, &probe);
	bufferevent_trigger_event(bev, BEV_EVENT_EOF, 0);
	cr_expect_eq(probe.events, 2);
	settle();
	cr_expect_eq(probe.events, 3);
	bufferevent_free(bev);
}

/* BEV-200 */
Test(bev_socket, flushing_does_nothing)
{
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "x", 1);
	cr_expect_eq(bufferevent_flush(bev[0], EV_WRITE, BEV_NORMAL), 0);
	cr_expect_eq(bufferevent_flush(bev[0], EV_WRITE, BEV_FLUSH), 0);
	cr_expect_eq(bufferevent_flush(bev[0], EV_WRITE, BEV_FINISHED), 0);
	cr_expect_eq(output_len(bev[0]), 1);
	run_until_received(&probe, 1);
	cr_expect_eq(probe.events, 0);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* --- Base, sizes ------------------------------------------------------------------------------ */

/* BEV-215 */
Test(bev_socket, an_idle_one_can_change_its_base)
{
	struct event_base *other = event_base_new();
	struct bufferevent *bev[2];
	struct probe probe = { .drain = 1 };

	linked_new(bev, 0);
	watch(bev[1], &probe);
	cr_expect_eq(bufferevent_base_set(other, bev[0]), 0);
	cr_expect_eq(bufferevent_get_base(bev[0]), other);
	bufferevent_enable(bev[1], EV_READ);
	bufferevent_write(bev[0], "x", 1);
	settle();
	cr_expect_eq(probe.received, 0, "the other loop has not run");
	event_base_loop(other, EVLOOP_NONBLOCK);
	run_until_received(&probe, 1);
	cr_expect_eq(bufferevent_base_set(other, bev[1]), -1, "it waits for reading");
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
	event_base_free(other);
}

/* BEV-217, BEV-218 */
Test(bev_socket, single_transfer_sizes_have_a_default)
{
	struct bufferevent *bev = socket_new(-1, 0);

	cr_expect_eq(bufferevent_get_max_single_read(bev), 16384);
	cr_expect_eq(bufferevent_get_max_single_write(bev), 16384);
	cr_expect_eq(bufferevent_set_max_single_read(bev, 10), 0);
	cr_expect_eq(bufferevent_set_max_single_write(bev, 20), 0);
	cr_expect_eq(bufferevent_get_max_single_read(bev), 10);
	cr_expect_eq(bufferevent_get_max_single_write(bev), 20);
	cr_expect_eq(bufferevent_get_max_to_read(bev), 10);
	cr_expect_eq(bufferevent_get_max_to_write(bev), 20);
	if (EV_SSIZE_MAX > INT32_MAX) { /* else it is the size that asks for the default */
		cr_expect_eq(bufferevent_set_max_single_read(bev, (size_t)INT32_MAX + 1), -1);
		cr_expect_eq(bufferevent_get_max_single_read(bev), 10);
	}
	cr_expect_eq(bufferevent_set_max_single_read(bev, 0), 0);
	cr_expect_eq(bufferevent_set_max_single_write(bev, (size_t)EV_SSIZE_MAX + 1), 0);
	cr_expect_eq(bufferevent_get_max_single_read(bev), 16384);
	cr_expect_eq(bufferevent_get_max_single_write(bev), 16384);
	cr_expect_eq(bufferevent_set_max_single_read(bev, SIZE_MAX), 0);
	cr_expect_eq(bufferevent_get_max_single_read(bev), 16384);
	bufferevent_free(bev);
}

static void note_deletes(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct probe *probe = arg;

	(void)buf;
	if (info->n_deleted > 0 && probe->received < sizeof(probe->data))
		probe->data[probe->received++] = (char)info->n_deleted;
}

/* BEV-219 */
Test(bev_socket, a_single_write_limit_splits_the_output)
{
	struct bufferevent *bev[2];
	struct probe sizes = { 0 };

	linked_new(bev, 0);
	evbuffer_add_cb(bufferevent_get_output(bev[0]), note_deletes, &sizes);
	bufferevent_set_max_single_write(bev[0], 10);
	fill(bev[0], 35);
	settle();
	cr_expect_eq(sizes.received, 4);
	cr_expect_arr_eq(sizes.data, "\12\12\12\5", 4);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* BEV-334 */
Test(bev_socket, functions_of_other_types_refuse)
{
	struct bufferevent *bev = socket_new(-1, 0);

	cr_expect_null(bufferevent_pair_get_partner(bev));
	cr_expect_null(bufferevent_get_underlying(bev));
	cr_expect_eq(bufferevent_socket_get_dns_error(bev), 0);
	bufferevent_free(bev);
}

/* BEV-034 */
Test(bev_socket, writing_never_calls_back_recursively)
{
	struct bufferevent *bev[2];
	struct probe probe = { 0 };

	linked_new(bev, 0);
	watch(bev[0], &probe);
	for (int i = 0; i < 100; i++)
		bufferevent_write(bev[0], "x", 1);
	cr_expect_eq(probe.writes, 0);
	settle();
	cr_expect_eq(probe.writes, 1);
	bufferevent_free(bev[0]);
	bufferevent_free(bev[1]);
}

/* --- Answers ---------------------------------------------------------------------------------- */

/* A read callback that writes, and what it does besides. */
struct answerer {
	evutil_socket_t client;
	size_t more; /* bytes, apart from four */
	const struct answerer *other;
	int calls;
	int others_answer; /* bytes at the other's client, when this was called after it */
	int must_free, must_disable;
};

static int bytes_at(evutil_socket_t fd)
{
	char bytes[16];

	return (int)recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
}

static void answer(struct bufferevent *bev, void *arg)
{
	struct answerer *a = arg;

	a->calls++;
	if (a->other != NULL && a->other->calls > 0)
		a->others_answer = bytes_at(a->other->client);
	cr_assert_eq(bufferevent_write(bev, "po", 2), 0);
	cr_assert_eq(bufferevent_write(bev, "ng", 2), 0);
	cr_assert_eq(evbuffer_expand(bufferevent_get_output(bev), a->more), 0);
	for (size_t i = 0; i < a->more; i++)
		cr_assert_eq(bufferevent_write(bev, ".", 1), 0);
	cr_expect_eq(bytes_at(a->client), -1, "written inside the call");
	if (a->must_disable)
		bufferevent_disable(bev, EV_WRITE);
	if (a->must_free)
		bufferevent_free(bev);
}

static struct bufferevent *answerer_new(struct answerer *a)
{
	evutil_socket_t fds[2];
	struct bufferevent *bev;

	support_socketpair(fds);
	a->client = fds[1];
	bev = socket_new(fds[0], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(bev, answer, NULL, NULL, a);
	cr_assert_eq(bufferevent_enable(bev, EV_READ), 0);
	cr_assert_eq(send(a->client, "ping", 4, 0), 4);
	return bev;
}

/* Two answer in the same round: what had the first sent when the second was called? */
static int sent_before_the_next_callback(size_t more)
{
	struct answerer a = { .more = more }, b = { .more = more, .other = &a };
	struct bufferevent *bev[2];

	a.other = &b;
	bev[0] = answerer_new(&a);
	bev[1] = answerer_new(&b);
	settle();
	cr_expect_eq(a.calls + b.calls, 2);
	cr_expect_gt(bytes_at(a.client), 0);
	cr_expect_gt(bytes_at(b.client), 0);
	for (int i = 0; i < 2; i++)
		bufferevent_free(bev[i]);
	evutil_closesocket(a.client);
	evutil_closesocket(b.client);
	return a.others_answer + b.others_answer; /* which of the two was first, is open */
}

/* Its bytes would have left the caches at the end of the round. */
Test(bev_socket, a_large_answer_leaves_before_the_next_callback)
{
	if (support_uses_completions())
		cr_skip_test("completions come one by one");
	cr_expect_eq(sent_before_the_next_callback(20000), 16);
}

Test(bev_socket, a_small_answer_leaves_with_those_of_others)
{
	if (support_uses_completions())
		cr_skip_test("completions come one by one");
	cr_expect_eq(sent_before_the_next_callback(0), -1);
}

Test(bev_socket, an_answer_is_dropped_with_its_bufferevent)
{
	struct answerer a = { .must_free = 1 };

	answerer_new(&a);
	run_until(&a.calls, 1);
	settle();
	cr_expect_eq(bytes_at(a.client), 0, "only the end");
	evutil_closesocket(a.client);
}

Test(bev_socket, an_answer_waits_while_writing_is_disabled)
{
	struct answerer a = { .must_disable = 1 };
	struct bufferevent *bev = answerer_new(&a);

	run_until(&a.calls, 1);
	settle();
	cr_expect_eq(bytes_at(a.client), -1);
	cr_assert_eq(bufferevent_enable(bev, EV_WRITE), 0);
	settle();
	cr_expect_eq(bytes_at(a.client), 4);
	bufferevent_free(bev);
	evutil_closesocket(a.client);
}

static void answer_then_note(struct bufferevent *bev, void *arg)
{
	on_read(bev, arg);
	cr_assert_eq(bufferevent_write(bev, "pong", 4), 0);
}

/* BEV-105 */
Test(bev_socket, an_answer_that_nobody_takes_is_an_error)
{
	struct probe probe = { .free_at = 'e' };
	evutil_socket_t fds[2];
	struct bufferevent *bev;

	support_socketpair(fds);
	bev = socket_new(fds[0], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(bev, answer_then_note, on_write, on_event, &probe);
	cr_assert_eq(send(fds[1], "ping", 4, 0), 4);
	evutil_closesocket(fds[1]);
	cr_assert_eq(bufferevent_enable(bev, EV_READ), 0);
	run_until(&probe.events, 1);
	settle();
	cr_expect_str_eq(probe.order, "re");
	cr_expect_eq(probe.what[0], BEV_EVENT_WRITING | BEV_EVENT_ERROR);
}
