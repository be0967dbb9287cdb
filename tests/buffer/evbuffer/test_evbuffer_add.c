/* SPDX-License-Identifier: BSD-3-Clause */
/* Adding bytes, and making room for them. */

#include "evbuffer_test.h"

TestSuite(evbuffer_add, .init = support_leak_init, .fini = support_leak_fini);

/* BUF-001, BUF-002, BUF-006, BUF-020, BUF-021 */
Test(evbuffer_add, a_new_buffer_is_empty)
{
	struct evbuffer *buf = evbuffer_new();

	cr_assert_not_null(buf);
	cr_assert_eq(evbuffer_get_length(buf), 0);
	cr_assert_eq(evbuffer_get_contiguous_space(buf), 0);
	evbuffer_free(buf);
	evbuffer_free(NULL);
}

/* BUF-001, BUF-361 */
Test(evbuffer_add, without_memory_there_is_no_buffer)
{
	support_fail_once_after(0);
	cr_assert_null(evbuffer_new());
	support_fail_once_after(-1);
}

/* BUF-007 */
Test(evbuffer_add, flags_are_taken_and_unknown_ones_do_nothing)
{
	struct evbuffer *buf = evbuffer_new();

	cr_assert_eq(evbuffer_set_flags(buf, EVBUFFER_FLAG_DRAINS_TO_FD), 0);
	cr_assert_eq(evbuffer_set_flags(buf, UINT64_C(1) << 40), 0);
	cr_assert_eq(evbuffer_clear_flags(buf, EVBUFFER_FLAG_DRAINS_TO_FD), 0);
	cr_assert_eq(evbuffer_add(buf, "x", 1), 0);
	expect_text(buf, "x");
	evbuffer_free(buf);
}

/* BUF-030, BUF-031 */
Test(evbuffer_add, appends_copies)
{
	struct evbuffer *buf = evbuffer_new();
	char bytes[] = "abc";

	cr_assert_eq(evbuffer_add(buf, bytes, 3), 0);
	memset(bytes, 'x', 3);
	cr_assert_eq(evbuffer_add(buf, NULL, 0), 0);
	cr_assert_eq(evbuffer_add(buf, "def", 3), 0);
	expect_text(buf, "abcdef");
	evbuffer_freeze(buf, 0);
	cr_assert_eq(evbuffer_add(buf, NULL, 0), -1);
	evbuffer_free(buf);
}

/* BUF-032, BUF-042, BUF-360, B01 */
Test(evbuffer_add, absurd_sizes_are_refused_and_nothing_is_lost)
{
	struct evbuffer *buf = buffer_of("safe");

	cr_assert_eq(evbuffer_add(buf, "x", SIZE_MAX - 1), -1);
	cr_assert_eq(evbuffer_add(buf, "x", EV_SSIZE_MAX), -1);
	cr_assert_eq(evbuffer_prepend(buf, "x", SIZE_MAX - 1), -1);
	cr_assert_eq(evbuffer_expand(buf, SIZE_MAX), -1);
	cr_assert_eq(evbuffer_expand(buf, EV_SSIZE_MAX), -1);
	expect_text(buf, "safe");
	evbuffer_free(buf);
}

/* BUF-033, BUF-036 */
Test(evbuffer_add, prepending_reverses_the_order_of_calls)
{
	struct evbuffer *buf = evbuffer_new();

	cr_assert_eq(evbuffer_prepend(buf, "c", 1), 0);
	cr_assert_eq(evbuffer_prepend(buf, "b", 1), 0);
	cr_assert_eq(evbuffer_prepend(buf, "a", 1), 0);
	evbuffer_freeze(buf, 1);
	cr_assert_eq(evbuffer_prepend(buf, "x", 0), 0);
	cr_assert_eq(evbuffer_prepend(buf, "x", 1), -1);
	evbuffer_unfreeze(buf, 1);
	expect_text(buf, "abc");
	evbuffer_free(buf);
}

/* BUF-034, BUF-096 */
Test(evbuffer_add, memory_of_others_is_never_written_to)
{
	static const char theirs[] = "0123456789";
	char before[sizeof(theirs)];
	struct evbuffer *buf = evbuffer_new();

	memcpy(before, theirs, sizeof(theirs));
	cr_assert_eq(evbuffer_add_reference(buf, theirs + 2, 6, NULL, NULL), 0);
	cr_assert_eq(evbuffer_drain(buf, 2), 0);
	cr_assert_eq(evbuffer_prepend(buf, "pre", 3), 0);
	cr_assert_eq(evbuffer_add(buf, "post", 4), 0);
	expect_text(buf, "pre4567post");
	cr_assert(memcmp(theirs, before, sizeof(theirs)) == 0);
	evbuffer_free(buf);
}

/* BUF-035, BUF-311 */
Test(evbuffer_add, a_prepend_reports_exactly_its_size)
{
	struct changes c = { 0 };
	struct evbuffer *buf = buffer_of("x");
	char block[5000];

	memset(block, 'p', sizeof(block));
	evbuffer_add_cb(buf, count_changes, &c);
	cr_assert_eq(evbuffer_prepend(buf, block, sizeof(block)), 0);
	cr_assert_eq(c.rounds, 1);
	cr_assert_eq(c.added, sizeof(block));
	cr_assert_eq(c.orig, 1);
	evbuffer_free(buf);
}

static int add_vprintf(struct evbuffer *buf, const char *format, ...)
{
	va_list args;
	int result;

	va_start(args, format);
	result = evbuffer_add_vprintf(buf, format, args);
	va_end(args);
	return result;
}

/* BUF-037, BUF-038, BUF-039 */
Test(evbuffer_add, formatted_text_of_any_length)
{
	struct changes c = { 0 };
	struct evbuffer *buf = evbuffer_new();
	char *digits = malloc(100001);

	memset(digits, '7', 100000);
	digits[100000] = '\0';
	evbuffer_add_cb(buf, count_changes, &c);
	cr_assert_eq(evbuffer_add_printf(buf, "%s/%d", "a", 12), 4);
	cr_assert_eq(c.rounds, 1);
	expect_text(buf, "a/12");
	cr_assert_eq(evbuffer_add_printf(buf, "%s", ""), 0);
	cr_assert_eq(c.rounds, 1);
	evbuffer_drain(buf, 4);
	cr_assert_eq(add_vprintf(buf, "%s", digits), 100000);
	cr_assert_eq(c.rounds, 3);
	expect_bytes(buf, digits, 100000);
	free(digits);
	evbuffer_free(buf);
}

/* BUF-025, BUF-397 */
Test(evbuffer_add, small_formatted_appends_waste_little_memory)
{
	struct evbuffer *buf = evbuffer_new();
	long before = support_allocations();

	for (int i = 0; i < 20000; i++)
		cr_assert_gt(evbuffer_add_printf(buf, "%d: this is one of many lines\n", i), 0);
	cr_assert_lt(support_allocations() - before, 400);
	evbuffer_free(buf);
}

/* BUF-040, BUF-041, BUF-043 */
Test(evbuffer_add, expanding_makes_room_without_changing_anything)
{
	struct changes c = { 0 };
	struct evbuffer *buf = buffer_of("abc");
	char block[3000];

	memset(block, 'z', sizeof(block));
	evbuffer_add_cb(buf, count_changes, &c);
	evbuffer_freeze(buf, 0);
	cr_assert_eq(evbuffer_expand(buf, 3000), 0);
	cr_assert_eq(evbuffer_expand(buf, 0), 0);
	cr_assert_eq(evbuffer_expand(buf, 3000), 0);
	evbuffer_unfreeze(buf, 0);
	cr_assert_eq(c.rounds, 0);
	expect_text(buf, "abc");
	support_fail_all_after(0);
	cr_assert_eq(evbuffer_add(buf, block, sizeof(block)), 0);
	support_fail_all_after(-1);
	cr_assert_eq(evbuffer_get_length(buf), 3003);
	cr_assert_eq(evbuffer_add_printf(buf, "end"), 3);
	cr_assert(memcmp(evbuffer_pullup(buf, -1), "abczzz", 6) == 0);
	cr_assert(memcmp(evbuffer_pullup(buf, -1) + 3003, "end", 3) == 0);
	evbuffer_free(buf);
}

/* BUF-044, BUF-045, BUF-046, BUF-393 */
Test(evbuffer_add, vectors_are_appended_in_one_round)
{
	struct changes c = { 0 };
	struct evbuffer *buf = evbuffer_new();
	struct evbuffer_iovec vec[3] = { { (char *)"ab", 2 },
					 { (char *)"", 0 },
					 { (char *)"cde", 3 } };

	evbuffer_add_cb(buf, count_changes, &c);
	cr_assert_eq(evbuffer_add_iovec(buf, vec, 3), 5);
	cr_assert_eq(c.rounds, 1);
	cr_assert_eq(c.added, 5);
	cr_assert_eq(evbuffer_add_iovec(buf, vec, 0), 0);
	evbuffer_freeze(buf, 0);
	cr_assert_eq(evbuffer_add_iovec(buf, vec, 3), 0);
	expect_text(buf, "abcde");
	evbuffer_free(buf);
}

/* BUF-047, B01 */
Test(evbuffer_add, vectors_whose_sum_overflows_are_refused)
{
	struct evbuffer *buf = buffer_of("x");
	struct evbuffer_iovec vec[2] = { { (char *)"a", SIZE_MAX - 1 }, { (char *)"b", 10 } };

	cr_assert_eq(evbuffer_add_iovec(buf, vec, 2), 0);
	expect_text(buf, "x");
	evbuffer_free(buf);
}
