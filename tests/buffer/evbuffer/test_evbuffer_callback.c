/* SPDX-License-Identifier: BSD-3-Clause */
/* Change callbacks, freezing, and the old callback. */

#include "evbuffer_test.h"

#include <event2/component/buffer.h>
#include <event2/event.h>

#include <errno.h>

TestSuite(evbuffer_callback, .init = support_leak_init, .fini = support_leak_fini);

static int order[8], order_count;

static void note_first(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	(void)buf;
	(void)info;
	(void)arg;
	order[order_count++] = 1;
}

static void note_second(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	(void)buf;
	(void)info;
	(void)arg;
	order[order_count++] = 2;
}

/* BUF-310, BUF-314, BUF-321 */
Test(evbuffer_callback, the_newest_runs_first_and_each_can_go)
{
	struct evbuffer *buf = evbuffer_new();
	struct evbuffer_cb_entry *entry = evbuffer_add_cb(buf, note_first, NULL);

	cr_assert_not_null(entry);
	cr_assert_not_null(evbuffer_add_cb(buf, note_second, NULL));
	cr_assert_eq(evbuffer_add(buf, "x", 1), 0);
	cr_assert_eq(order_count, 2);
	cr_assert_eq(order[0], 2);
	cr_assert_eq(order[1], 1);
	cr_assert_eq(evbuffer_remove_cb_entry(buf, entry), 0);
	cr_assert_eq(evbuffer_remove_cb(buf, note_second, buf), -1);
	cr_assert_eq(evbuffer_remove_cb(buf, note_second, NULL), 0);
	cr_assert_eq(evbuffer_remove_cb(buf, note_second, NULL), -1);
	cr_assert_eq(evbuffer_add(buf, "x", 1), 0);
	cr_assert_eq(order_count, 2);
	evbuffer_free(buf);
}

/* BUF-310, BUF-323, BUF-394 */
Test(evbuffer_callback, none_without_memory_or_function)
{
	struct evbuffer *buf = evbuffer_new();

	cr_assert_null(evbuffer_add_cb(buf, NULL, NULL));
	support_fail_once_after(0);
	cr_assert_null(evbuffer_add_cb(buf, note_first, NULL));
	support_fail_once_after(-1);
	cr_assert_eq(evbuffer_add(buf, "x", 1), 0);
	evbuffer_free(buf);
}

static void drain_all(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct changes *c = arg;

	c->rounds++;
	if (info->n_added > 0)
		evbuffer_drain(buf, evbuffer_get_length(buf));
}

/* BUF-311..313, BUF-315, BUF-316 */
Test(evbuffer_callback, a_callback_may_change_the_buffer)
{
	struct changes first = { 0 }, drainer = { 0 };
	struct evbuffer *buf = evbuffer_new();

	evbuffer_add_cb(buf, count_changes, &first);
	evbuffer_add_cb(buf, drain_all, &drainer);
	cr_assert_eq(evbuffer_add(buf, "abc", 3), 0);
	cr_assert_eq(evbuffer_get_length(buf), 0);
	cr_assert_eq(drainer.rounds, 2);
	cr_assert_eq(first.rounds, 2);
	cr_assert_eq(first.total_added, 3);
	cr_assert_eq(first.total_deleted, 3);
	cr_assert_eq(first.added, 3); /* the outer round ran last, with its own numbers */
	cr_assert_eq(first.orig, 0);
	evbuffer_free(buf);
}

static void remove_self(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	(void)info;
	order[order_count++] = 3;
	cr_assert_eq(evbuffer_remove_cb(buf, remove_self, arg), 0);
	cr_assert_not_null(evbuffer_add_cb(buf, note_first, NULL));
}

/* BUF-317 */
Test(evbuffer_callback, a_callback_may_remove_itself_and_add_others)
{
	struct evbuffer *buf = evbuffer_new();

	evbuffer_add_cb(buf, remove_self, NULL);
	cr_assert_eq(evbuffer_add(buf, "a", 1), 0);
	cr_assert_eq(order_count, 1);
	cr_assert_eq(evbuffer_add(buf, "b", 1), 0);
	cr_assert_eq(order_count, 2);
	cr_assert_eq(order[1], 1);
	evbuffer_free(buf);
}

static void remove_other(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	(void)info;
	(void)evbuffer_remove_cb(buf, note_first, arg);
}

static void free_it(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	(void)info;
	++*(int *)arg;
	evbuffer_free(buf);
}

/* BUF-318, BUF-319 */
Test(evbuffer_callback, removing_others_and_freeing_the_buffer_is_survived)
{
	struct evbuffer *buf = evbuffer_new();
	int calls = 0;

	evbuffer_add_cb(buf, note_first, NULL);
	evbuffer_add_cb(buf, remove_other, NULL);
	cr_assert_eq(evbuffer_add(buf, "a", 1), 0);
	cr_assert_eq(order_count, 0);
	evbuffer_add_cb(buf, free_it, &calls);
	cr_assert_eq(evbuffer_add(buf, "b", 1), 0);
	cr_assert_eq(calls, 1);
}

/* BUF-320, BUF-322 */
Test(evbuffer_callback, what_happens_while_switched_off_is_not_told_later)
{
	struct changes c = { 0 };
	struct evbuffer *buf = evbuffer_new();
	struct evbuffer_cb_entry *entry = evbuffer_add_cb(buf, count_changes, &c);

	cr_assert_eq(evbuffer_cb_clear_flags(buf, entry, EVBUFFER_CB_ENABLED), 0);
	cr_assert_eq(evbuffer_add(buf, "abc", 3), 0);
	cr_assert_eq(c.rounds, 0);
	cr_assert_eq(evbuffer_cb_set_flags(buf, entry, EVBUFFER_CB_ENABLED), 0);
	cr_assert_eq(evbuffer_add(buf, "de", 2), 0);
	cr_assert_eq(c.rounds, 1);
	cr_assert_eq(c.orig, 3);
	cr_assert_eq(c.added, 2);
	evbuffer_free(buf);
}

/* BUF-324..326 */
Test(evbuffer_callback, deferred_rounds_are_merged)
{
	struct changes c = { 0 };
	struct event_base *base = event_base_new();
	struct evbuffer *buf = evbuffer_new();

	evbuffer_add_cb(buf, count_changes, &c);
	cr_assert_eq(evbuffer_defer_callbacks(buf, base), 0);
	cr_assert_eq(evbuffer_add(buf, "hello", 5), 0);
	cr_assert_eq(evbuffer_drain(buf, 2), 0);
	cr_assert_eq(evbuffer_add(buf, "abc", 3), 0);
	cr_assert_eq(c.rounds, 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_eq(c.rounds, 1);
	cr_assert_eq(c.orig, 0);
	cr_assert_eq(c.added, 8);
	cr_assert_eq(c.deleted, 2);
	cr_assert_eq(evbuffer_drain(buf, 6), 0);
	cr_assert_eq(evbuffer_add(buf, "123456", 6), 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_eq(c.rounds, 2);
	cr_assert_eq(c.added, 6);
	cr_assert_eq(c.deleted, 6);
	evbuffer_free(buf);
	event_base_free(base);
}

static void look_at_content(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	(void)info;
	++*(int *)arg;
	cr_assert_eq(evbuffer_get_length(buf), 4);
}

/* BUF-003, BUF-004, BUF-327 */
Test(evbuffer_callback, a_freed_buffer_lives_until_its_deferred_round)
{
	struct event_base *base = event_base_new();
	struct evbuffer *buf = evbuffer_new();
	int calls = 0;

	evbuffer_add_cb(buf, look_at_content, &calls);
	cr_assert_eq(evbuffer_defer_callbacks(buf, base), 0);
	cr_assert_eq(evbuffer_add(buf, "kept", 4), 0);
	evbuffer_free(buf);
	cr_assert_eq(calls, 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_eq(calls, 1);
	event_base_free(base);
}

/* BUF-340, BUF-341, BUF-343, BUF-344 */
Test(evbuffer_callback, a_frozen_front_refuses_what_takes_there)
{
	struct evbuffer *buf = buffer_of("line\n"), *other = buffer_of("o");
	struct evbuffer_ptr p;
	char out[8];

	cr_assert_eq(evbuffer_freeze(buf, 1), 0);
	cr_assert_eq(evbuffer_freeze(buf, 1), 0);
	cr_assert_eq(evbuffer_drain(buf, 1), -1);
	cr_assert_eq(evbuffer_remove(buf, out, 1), -1);
	cr_assert_eq(evbuffer_copyout(buf, out, 1), -1);
	cr_assert_null(evbuffer_readln(buf, NULL, EVBUFFER_EOL_LF));
	cr_assert_eq(evbuffer_prepend(buf, "x", 1), -1);
	cr_assert_eq(evbuffer_prepend_buffer(buf, other), -1);
	cr_assert_eq(evbuffer_add_buffer(other, buf), -1);
	cr_assert_eq(evbuffer_remove_buffer(buf, other, 1), -1);
	cr_assert_eq(evbuffer_write(buf, 1), -1);
	cr_assert_eq(evbuffer_add(buf, "!", 1), 0);
	cr_assert_eq(evbuffer_expand(buf, 10), 0);
	cr_assert_eq(evbuffer_search(buf, "!", 1, NULL).pos, 5);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, 2, EVBUFFER_PTR_SET), 0);
	cr_assert_not_null(evbuffer_pullup(buf, -1));
	cr_assert_eq(evbuffer_unfreeze(buf, 1), 0);
	expect_text(buf, "line\n!");
	expect_text(other, "o");
	evbuffer_free(buf);
	evbuffer_free(other);
}

/* BUF-342, BUF-344, BUF-123 */
Test(evbuffer_callback, a_frozen_end_refuses_what_adds_there)
{
	struct evbuffer *buf = buffer_of("a"), *other = buffer_of("o");
	struct evbuffer_file_segment *segment;
	FILE *file = tmpfile();

	cr_assert_geq(fputs("file", file), 0);
	cr_assert_eq(fflush(file), 0);
	segment = evbuffer_file_segment_new(fileno(file), 0, 4, 0);
	cr_assert_not_null(segment);
	cr_assert_eq(evbuffer_freeze(buf, 0), 0);
	cr_assert_eq(evbuffer_add(buf, "x", 1), -1);
	cr_assert_eq(evbuffer_add_printf(buf, "x"), -1);
	cr_assert_eq(evbuffer_add_reference(buf, "x", 1, NULL, NULL), -1);
	cr_assert_eq(evbuffer_add_buffer(buf, other), -1);
	cr_assert_eq(evbuffer_remove_buffer(other, buf, 1), -1);
	cr_assert_eq(evbuffer_add_buffer_reference(buf, other), -1);
	cr_assert_eq(evbuffer_add_file_segment(buf, segment, 0, -1), -1);
	cr_assert_eq(evbuffer_prepend(buf, "b", 1), 0);
	cr_assert_eq(evbuffer_drain(buf, 1), 0);
	expect_text(buf, "a");
	expect_text(other, "o");
	evbuffer_file_segment_free(segment);
	fclose(file);
	evbuffer_free(buf);
	evbuffer_free(other);
}

struct old_call {
	int calls;
	size_t before, after;
};

static void old_callback(struct evbuffer *buf, size_t before, size_t after, void *arg)
{
	struct old_call *o = arg;

	(void)buf;
	o->calls++;
	o->before = before;
	o->after = after;
}

static void old_drain(struct evbuffer *buf, size_t before, size_t after, void *arg)
{
	++*(int *)arg;
	if (after > before)
		evbuffer_drain(buf, after);
}

/* BUF-370, BUF-371, BUF-373 */
Test(evbuffer_callback, the_old_callback)
{
	struct old_call o = { 0 };
	struct changes c = { 0 };
	struct evbuffer *buf = evbuffer_new();
	int calls = 0;

	evbuffer_add_cb(buf, note_first, NULL);
	cr_assert_eq(evbuffer_setcb(buf, old_callback, &o), 0);
	evbuffer_add_cb(buf, count_changes, &c);
	cr_assert_eq(evbuffer_add(buf, "abc", 3), 0);
	cr_assert_eq(order_count, 0);
	cr_assert_eq(o.calls, 1);
	cr_assert_eq(o.before, 0);
	cr_assert_eq(o.after, 3);
	cr_assert_eq(c.rounds, 1);
	cr_assert_eq(evbuffer_setcb(buf, old_drain, &calls), 0);
	cr_assert_eq(evbuffer_add(buf, "d", 1), 0);
	cr_assert_eq(calls, 2);
	cr_assert_eq(evbuffer_get_length(buf), 0);
	cr_assert_eq(evbuffer_setcb(buf, NULL, NULL), 0);
	cr_assert_eq(evbuffer_add(buf, "e", 1), 0);
	cr_assert_eq(calls, 2);
	support_fail_once_after(0);
	cr_assert_eq(evbuffer_setcb(buf, old_callback, &o), -1);
	support_fail_once_after(-1);
	evbuffer_free(buf);
}

/* BUF-372 */
Test(evbuffer_callback, the_old_macros)
{
	struct evbuffer *buf = pieces_of("0123", 2), *empty = evbuffer_new();

	cr_assert_eq(EVBUFFER_LENGTH(buf), 4);
	cr_assert(memcmp(EVBUFFER_DATA(buf), "0123", 4) == 0);
	cr_assert_null(EVBUFFER_DATA(empty));
	evbuffer_free(buf);
	evbuffer_free(empty);
}

static void count_release(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	(*(int *)arg)++;
}

/* What a component does with a buffer that a program has had: nothing of it is left. */
Test(evbuffer_callback, a_renewed_buffer_is_like_a_new_one)
{
	struct changes c = { 0 };
	struct evbuffer *buf = buffer_of("abc");
	int released = 0;

	cr_assert_eq(evbuffer_add_reference(buf, "def", 3, NULL, NULL), 0);
	cr_assert_not_null(evbuffer_add_cb(buf, count_changes, &c));
	cr_assert_eq(evbuffer_freeze(buf, 0), 0);
	cr_assert_eq(evbuffer_set_max_read(buf, 1), 0);
	cr_assert_eq(evi_evbuffer_renew(buf), 0);
	cr_assert_eq(evbuffer_get_length(buf), 0);
	cr_assert_eq(evbuffer_get_max_read(buf), 4096);
	cr_assert_eq(evbuffer_add(buf, "x", 1), 0);
	expect_text(buf, "x");
	cr_assert_eq(c.rounds, 0);

	cr_assert_eq(evbuffer_add_reference(buf, "y", 1, count_release, &released), 0);
	cr_assert_eq(evi_evbuffer_renew(buf), 0);
	cr_assert_eq(released, 1);
	evbuffer_free(buf);
}

/* Where others may look at it, now or from the loop, it is left alone. */
Test(evbuffer_callback, a_buffer_in_use_is_not_renewed)
{
	struct changes c = { 0 };
	struct event_base *base = event_base_new();
	struct evbuffer *buf = evbuffer_new();

	cr_assert_eq(evbuffer_defer_callbacks(buf, base), 0);
	cr_assert_not_null(evbuffer_add_cb(buf, count_changes, &c));
	cr_assert_eq(evbuffer_add(buf, "abc", 3), 0);
	cr_assert_eq(evi_evbuffer_renew(buf), -EBUSY);
	expect_text(buf, "abc");
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_assert_eq(c.total_added, 3);
	cr_assert_eq(evi_evbuffer_renew(buf), 0);
	cr_assert_eq(evbuffer_get_length(buf), 0);
	evbuffer_free(buf);
	event_base_free(base);
}
