/* SPDX-License-Identifier: BSD-3-Clause */
/* Moving content between buffers, sharing it, and memory by reference. */

#include "evbuffer_test.h"

TestSuite(evbuffer_move, .init = support_leak_init, .fini = support_leak_fini);

/* BUF-050, BUF-053 */
Test(evbuffer_move, everything_goes_and_both_are_told)
{
	struct changes from = { 0 }, to = { 0 };
	struct evbuffer *out = buffer_of("one "), *in = buffer_of("two");

	evbuffer_add_cb(in, count_changes, &from);
	evbuffer_add_cb(out, count_changes, &to);
	cr_assert_eq(evbuffer_add_buffer(out, in), 0);
	expect_text(out, "one two");
	cr_assert_eq(evbuffer_get_length(in), 0);
	cr_assert_eq(from.deleted, 3);
	cr_assert_eq(to.added, 3);
	evbuffer_free(in);
	evbuffer_free(out);
}

/* BUF-051, BUF-052, BUF-055, BUF-057 */
Test(evbuffer_move, nothing_to_do_is_no_failure_and_frozen_ends_are)
{
	struct evbuffer *a = buffer_of("a"), *b = buffer_of("b"), *empty = evbuffer_new();

	evbuffer_freeze(a, 0);
	evbuffer_freeze(a, 1);
	cr_assert_eq(evbuffer_add_buffer(a, empty), 0);
	cr_assert_eq(evbuffer_add_buffer(a, a), 0);
	cr_assert_eq(evbuffer_prepend_buffer(a, empty), 0);
	cr_assert_eq(evbuffer_remove_buffer(a, b, 0), 0);
	cr_assert_eq(evbuffer_remove_buffer(a, a, 1), 0);
	cr_assert_eq(evbuffer_add_buffer(a, b), -1);
	cr_assert_eq(evbuffer_add_buffer(b, a), -1);
	cr_assert_eq(evbuffer_prepend_buffer(a, b), -1);
	cr_assert_eq(evbuffer_prepend_buffer(b, a), -1);
	cr_assert_eq(evbuffer_remove_buffer(a, b, 1), -1);
	cr_assert_eq(evbuffer_remove_buffer(b, a, 1), -1);
	cr_assert_eq(evbuffer_remove_buffer(empty, a, 1), -1);
	evbuffer_unfreeze(a, 1);
	expect_text(a, "a");
	expect_text(b, "b");
	evbuffer_free(a);
	evbuffer_free(b);
	evbuffer_free(empty);
}

/* BUF-055 */
Test(evbuffer_move, prepending_a_buffer)
{
	struct evbuffer *dst = buffer_of("world"), *src = buffer_of("hello ");

	cr_assert_eq(evbuffer_prepend_buffer(dst, src), 0);
	expect_text(dst, "hello world");
	cr_assert_eq(evbuffer_get_length(src), 0);
	cr_assert_eq(evbuffer_add(src, "again", 5), 0);
	expect_text(src, "again");
	evbuffer_free(dst);
	evbuffer_free(src);
}

struct lengths {
	struct evbuffer *src, *dst;
	size_t at_src, at_dst;
	int order[2], calls;
};

static void look(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct lengths *l = arg;

	(void)info;
	l->order[l->calls++] = buf == l->src ? 1 : 2;
	l->at_src = evbuffer_get_length(l->src);
	l->at_dst = evbuffer_get_length(l->dst);
	cr_assert_eq(l->at_src + l->at_dst, 10);
}

/* BUF-056, BUF-058, BUF-059, BUF-061 */
Test(evbuffer_move, some_bytes_go_and_callbacks_see_final_lengths)
{
	struct evbuffer *src = pieces_of("0123456789", 4), *dst = evbuffer_new();
	struct lengths l = { .src = src, .dst = dst };

	evbuffer_add_cb(src, look, &l);
	evbuffer_add_cb(dst, look, &l);
	cr_assert_eq(evbuffer_remove_buffer(src, dst, 6), 6);
	cr_assert_eq(l.calls, 2);
	cr_assert_eq(l.order[0], 1);
	cr_assert_eq(l.order[1], 2);
	expect_text(dst, "012345");
	expect_text(src, "6789");
	l.calls = 0;
	cr_assert_eq(evbuffer_remove_buffer(src, dst, 100), 4);
	expect_text(dst, "0123456789");
	cr_assert_eq(evbuffer_remove_buffer(src, dst, 100), 0);
	evbuffer_free(src);
	evbuffer_free(dst);
}

/* BUF-060, BUF-146 */
Test(evbuffer_move, order_survives_every_mixture)
{
	struct evbuffer *a = evbuffer_new(), *b = evbuffer_new();
	struct evbuffer_iovec vec[2];
	int n;

	cr_assert_eq(evbuffer_add_reference(a, "", 0, NULL, NULL), 0);
	cr_assert_eq(evbuffer_add(a, "bc", 2), 0);
	cr_assert_eq(evbuffer_prepend(a, "a", 1), 0);
	n = evbuffer_reserve_space(a, 100, vec, 2);
	cr_assert_geq(n, 1);
	memcpy(vec[0].iov_base, "de", 2);
	vec[0].iov_len = 2;
	cr_assert_eq(evbuffer_commit_space(a, vec, 1), 0);
	cr_assert_eq(evbuffer_add_reference(a, "f", 1, NULL, NULL), 0);
	cr_assert_eq(evbuffer_add(b, "xy", 2), 0);
	cr_assert_eq(evbuffer_remove_buffer(a, b, 4), 4);
	cr_assert_eq(evbuffer_prepend_buffer(a, b), 0);
	expect_text(a, "xyabcdef");
	cr_assert(memcmp(evbuffer_pullup(a, -1), "xyabcdef", 8) == 0);
	evbuffer_free(a);
	evbuffer_free(b);
}

/* BUF-070..073, BUF-075, BUF-077, B03 */
Test(evbuffer_move, sharing_leaves_the_source_alone)
{
	struct changes from = { 0 }, to = { 0 };
	struct evbuffer *in = buffer_of("shared"), *out = buffer_of("> "), *empty = evbuffer_new();

	evbuffer_add_cb(in, count_changes, &from);
	evbuffer_add_cb(out, count_changes, &to);
	evbuffer_freeze(in, 0);
	evbuffer_freeze(in, 1);
	cr_assert_eq(evbuffer_add_buffer_reference(out, in), 0);
	evbuffer_unfreeze(in, 0);
	evbuffer_unfreeze(in, 1);
	cr_assert_eq(from.rounds, 0);
	cr_assert_eq(to.added, 6);
	cr_assert_eq(evbuffer_add(in, "!", 1), 0);
	cr_assert_eq(evbuffer_drain(in, 3), 0);
	expect_text(in, "red!");
	expect_text(out, "> shared");
	cr_assert_eq(evbuffer_add_buffer_reference(empty, empty), 0);
	cr_assert_eq(evbuffer_add_buffer_reference(in, in), -1);
	evbuffer_freeze(empty, 0);
	cr_assert_eq(evbuffer_add_buffer_reference(empty, in), -1);
	evbuffer_free(in);
	cr_assert_eq(evbuffer_prepend(out, "*", 1), 0);
	expect_text(out, "*> shared");
	evbuffer_free(out);
	evbuffer_free(empty);
}

/* BUF-074 */
Test(evbuffer_move, what_is_shared_is_not_shared_again)
{
	struct evbuffer *a = buffer_of("x"), *b = evbuffer_new(), *c = evbuffer_new();

	cr_assert_eq(evbuffer_add_buffer_reference(b, a), 0);
	cr_assert_eq(evbuffer_add_buffer_reference(c, b), -1);
	cr_assert_eq(evbuffer_get_length(c), 0);
	evbuffer_free(a);
	evbuffer_free(b);
	evbuffer_free(c);
}

/* BUF-005, BUF-076, BUF-091, B03 */
Test(evbuffer_move, a_shared_reference_is_cleaned_up_by_the_last)
{
	struct cleanup done = { 0 };
	struct evbuffer *in = evbuffer_new(), *out = evbuffer_new();

	cr_assert_eq(evbuffer_add_reference(in, "bytes", 5, note_cleanup, &done), 0);
	cr_assert_eq(evbuffer_add_buffer_reference(out, in), 0);
	cr_assert_eq(evbuffer_drain(in, 5), 0);
	evbuffer_free(in);
	cr_assert_eq(done.calls, 0);
	expect_text(out, "bytes");
	evbuffer_free(out);
	cr_assert_eq(done.calls, 1);
}

/* BUF-078, BUF-361, BUF-395 */
Test(evbuffer_move, sharing_is_all_or_nothing)
{
	struct evbuffer *in = pieces_of("0123456789", 2), *out = buffer_of("x");

	for (long n = 0; n < 20; n++) {
		support_fail_once_after(n);
		if (evbuffer_add_buffer_reference(out, in) == 0) {
			support_fail_once_after(-1);
			break;
		}
		support_fail_once_after(-1);
		expect_text(out, "x");
	}
	expect_text(out, "x0123456789");
	evbuffer_free(in);
	evbuffer_free(out);
}

/* BUF-090..093 */
Test(evbuffer_move, a_reference_is_cleaned_up_once_with_all_of_it)
{
	static const char bytes[] = "reference";
	struct cleanup done = { 0 };
	struct evbuffer *a = evbuffer_new(), *b = evbuffer_new();

	cr_assert_eq(evbuffer_add_reference(a, bytes, 9, note_cleanup, &done), 0);
	cr_assert_eq(evbuffer_pullup(a, -1), (const unsigned char *)bytes);
	cr_assert_eq(evbuffer_drain(a, 4), 0);
	cr_assert_eq(evbuffer_add_buffer(b, a), 0);
	cr_assert_eq(done.calls, 0);
	cr_assert_eq(evbuffer_drain(b, 5), 0);
	cr_assert_eq(done.calls, 1);
	cr_assert_eq(done.data, bytes);
	cr_assert_eq(done.len, 9);
	evbuffer_free(a);
	evbuffer_free(b);
	cr_assert_eq(done.calls, 1);
}

/* BUF-094 */
Test(evbuffer_move, a_refused_reference_stays_the_callers)
{
	struct cleanup done = { 0 };
	struct evbuffer *buf = evbuffer_new();

	evbuffer_freeze(buf, 0);
	cr_assert_eq(evbuffer_add_reference(buf, "x", 1, note_cleanup, &done), -1);
	evbuffer_unfreeze(buf, 0);
	support_fail_once_after(0);
	cr_assert_eq(evbuffer_add_reference(buf, "x", 1, note_cleanup, &done), -1);
	support_fail_once_after(-1);
	evbuffer_free(buf);
	cr_assert_eq(done.calls, 0);
}

/* BUF-095, BUF-023, BUF-240 */
Test(evbuffer_move, an_empty_reference_is_cleaned_up_and_not_seen)
{
	struct cleanup done = { 0 };
	struct evbuffer *buf = evbuffer_new();
	struct evbuffer_iovec vec[4];

	cr_assert_eq(evbuffer_add_reference(buf, NULL, 0, note_cleanup, &done), 0);
	cr_assert_eq(evbuffer_get_length(buf), 0);
	cr_assert_eq(evbuffer_add(buf, "abc", 3), 0);
	cr_assert_eq(evbuffer_get_contiguous_space(buf), 3);
	cr_assert_eq(evbuffer_peek(buf, -1, NULL, vec, 4), 1);
	evbuffer_free(buf);
	cr_assert_eq(done.calls, 1);
}

/* BUF-097, BUF-098 */
Test(evbuffer_move, a_reference_with_an_offset)
{
	static const char bytes[] = "0123456789";
	struct cleanup done = { 0 };
	struct evbuffer *buf = evbuffer_new();

	cr_assert_eq(evbuffer_add_reference_with_offset(buf, bytes, 3, 4, note_cleanup, &done), 0);
	expect_text(buf, "3456");
	cr_assert_eq(
		evbuffer_add_reference_with_offset(buf, bytes, SIZE_MAX, 4, note_cleanup, &done),
		-1);
	evbuffer_free(buf);
	cr_assert_eq(done.calls, 1);
	cr_assert_eq(done.data, bytes);
	cr_assert_eq(done.len, 7);
}

/* BUF-024 */
Test(evbuffer_move, references_keep_their_own_pieces)
{
	struct evbuffer *buf = pieces_of("aabbcc", 2);
	struct evbuffer_iovec vec[4];

	cr_assert_eq(evbuffer_peek(buf, -1, NULL, vec, 4), 3);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(vec[i].iov_len, 2);
	evbuffer_free(buf);
}

static void use_another_buffer(const void *data, size_t len, void *arg)
{
	cr_assert_eq(evbuffer_add(arg, data, len), 0);
}

/* BUF-099 */
Test(evbuffer_move, a_cleanup_may_use_another_buffer)
{
	struct evbuffer *buf = evbuffer_new(), *other = evbuffer_new();

	cr_assert_eq(evbuffer_add_reference(buf, "kept", 4, use_another_buffer, other), 0);
	cr_assert_eq(evbuffer_drain(buf, 4), 0);
	expect_text(other, "kept");
	evbuffer_free(buf);
	evbuffer_free(other);
}
