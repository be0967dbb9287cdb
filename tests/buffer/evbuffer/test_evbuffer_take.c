/* SPDX-License-Identifier: BSD-3-Clause */
/* Taking bytes out, linearising, peeking, lines, searching and positions. */

#include "evbuffer_test.h"

TestSuite(evbuffer_take, .init = support_leak_init, .fini = support_leak_fini);

/* BUF-140..142, BUF-022 */
Test(evbuffer_take, pulling_up_makes_one_piece)
{
	struct changes c = { 0 };
	struct evbuffer *buf = pieces_of("0123456789", 3), *empty = evbuffer_new();
	const unsigned char *at;

	evbuffer_add_cb(buf, count_changes, &c);
	evbuffer_freeze(buf, 0);
	evbuffer_freeze(buf, 1);
	at = evbuffer_pullup(buf, 5);
	cr_assert(memcmp(at, "01234", 5) == 0);
	cr_assert_geq(evbuffer_get_contiguous_space(buf), 5);
	cr_assert_eq(evbuffer_pullup(buf, (ev_ssize_t)evbuffer_get_contiguous_space(buf)), at);
	cr_assert_null(evbuffer_pullup(buf, 0));
	cr_assert_null(evbuffer_pullup(buf, 11));
	cr_assert_null(evbuffer_pullup(empty, -1));
	cr_assert(memcmp(evbuffer_pullup(buf, -1), "0123456789", 10) == 0);
	cr_assert_eq(evbuffer_get_length(buf), 10);
	cr_assert_eq(c.rounds, 0);
	evbuffer_free(buf);
	evbuffer_free(empty);
}

/* BUF-144 */
Test(evbuffer_take, linearising_lets_go_of_references)
{
	struct cleanup done = { 0 };
	struct evbuffer *buf = buffer_of("ab");

	cr_assert_eq(evbuffer_add_reference(buf, "cd", 2, note_cleanup, &done), 0);
	cr_assert(memcmp(evbuffer_pullup(buf, -1), "abcd", 4) == 0);
	cr_assert_eq(done.calls, 1);
	evbuffer_free(buf);
}

/* BUF-145 */
Test(evbuffer_take, a_pullup_without_memory_changes_nothing)
{
	struct evbuffer *buf = pieces_of("0123456789", 5);

	support_fail_all_after(0);
	cr_assert_null(evbuffer_pullup(buf, 10));
	support_fail_all_after(-1);
	expect_text(buf, "0123456789");
	evbuffer_free(buf);
}

/* BUF-150..152 */
Test(evbuffer_take, draining)
{
	struct changes c = { 0 };
	struct evbuffer *buf = pieces_of("0123456789", 3), *empty = evbuffer_new();

	evbuffer_add_cb(buf, count_changes, &c);
	cr_assert_eq(evbuffer_drain(buf, 0), 0);
	cr_assert_eq(c.rounds, 0);
	cr_assert_eq(evbuffer_drain(buf, 4), 0);
	cr_assert_eq(c.deleted, 4);
	cr_assert_eq(c.orig, 10);
	expect_text(buf, "456789");
	evbuffer_freeze(buf, 1);
	cr_assert_eq(evbuffer_drain(buf, 0), -1);
	cr_assert_eq(evbuffer_drain(buf, 1), -1);
	evbuffer_freeze(empty, 1);
	cr_assert_eq(evbuffer_drain(empty, 5), 0);
	evbuffer_unfreeze(buf, 1);
	cr_assert_eq(evbuffer_drain(buf, SIZE_MAX), 0);
	cr_assert_eq(c.deleted, 6);
	cr_assert_eq(evbuffer_get_length(buf), 0);
	evbuffer_free(buf);
	evbuffer_free(empty);
}

/* BUF-153..155, BUF-159 */
Test(evbuffer_take, removing_and_copying)
{
	struct evbuffer *buf = pieces_of("0123456789", 3);
	struct evbuffer_iovec vec[8];
	char out[32] = "";

	cr_assert_eq(evbuffer_copyout(buf, out, 5), 5);
	cr_assert(memcmp(out, "01234", 5) == 0);
	cr_assert_eq(evbuffer_peek(buf, -1, NULL, vec, 8), 4);
	cr_assert_eq(evbuffer_remove(buf, out, 0), 0);
	cr_assert_eq(evbuffer_remove(buf, out, 7), 7);
	expect_text(buf, "789");
	evbuffer_freeze(buf, 1);
	cr_assert_eq(evbuffer_remove(buf, out, 1), -1);
	cr_assert_eq(evbuffer_copyout(buf, out, 1), -1);
	cr_assert_eq(evbuffer_remove(buf, out, 0), 0);
	evbuffer_unfreeze(buf, 1);
	cr_assert_eq(evbuffer_remove(buf, out, sizeof(out)), 3);
	cr_assert_eq(evbuffer_remove(buf, out, sizeof(out)), 0);
	evbuffer_free(buf);
}

/* BUF-156..158 */
Test(evbuffer_take, copying_from_a_position)
{
	struct evbuffer *buf = pieces_of("0123456789", 3);
	struct evbuffer_ptr p;
	char out[32];

	cr_assert_eq(evbuffer_ptr_set(buf, &p, 4, EVBUFFER_PTR_SET), 0);
	cr_assert_eq(evbuffer_copyout_from(buf, &p, out, 3), 3);
	cr_assert(memcmp(out, "456", 3) == 0);
	cr_assert_eq(evbuffer_copyout_from(buf, &p, out, sizeof(out)), 6);
	cr_assert_eq(evbuffer_copyout_from(buf, NULL, out, 2), 2);
	cr_assert_eq(evbuffer_copyout_from(buf, &p, out, SIZE_MAX), -1);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, 10, EVBUFFER_PTR_SET), 0);
	cr_assert_eq(evbuffer_copyout_from(buf, &p, out, 3), 0);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, 11, EVBUFFER_PTR_SET), -1);
	cr_assert_leq(evbuffer_copyout_from(buf, &p, out, 3), 0);
	evbuffer_free(buf);
}

/*
 * One line of each style from pieces of every size, so that a terminator may lie across a border.
 */
static void expect_line(const char *text, enum evbuffer_eol_style style, const char *line,
			const char *rest)
{
	for (size_t size = 1; size <= strlen(text); size++) {
		struct evbuffer *buf = pieces_of(text, size);
		size_t n = 99;
		char *got = evbuffer_readln(buf, &n, style);

		if (line == NULL) {
			cr_assert_null(got);
			cr_assert_eq(n, 0);
			expect_text(buf, text);
		} else {
			cr_assert_not_null(got);
			cr_assert_eq(n, strlen(line));
			cr_assert_str_eq(got, line);
			expect_text(buf, rest);
		}
		support_free(got);
		evbuffer_free(buf);
	}
}

/* BUF-170, BUF-171, BUF-174..177, BUF-181 */
Test(evbuffer_take, lines_of_every_style)
{
	expect_line("a\nb", EVBUFFER_EOL_LF, "a", "b");
	expect_line("a\r\nb", EVBUFFER_EOL_LF, "a\r", "b");
	expect_line("abc", EVBUFFER_EOL_LF, NULL, NULL);
	expect_line("a\r\nb", EVBUFFER_EOL_CRLF, "a", "b");
	expect_line("a\nb", EVBUFFER_EOL_CRLF, "a", "b");
	expect_line("a\rb\r\nc", EVBUFFER_EOL_CRLF, "a\rb", "c");
	expect_line("a\r", EVBUFFER_EOL_CRLF, NULL, NULL);
	expect_line("a\nb\rc\r\nd", EVBUFFER_EOL_CRLF_STRICT, "a\nb\rc", "d");
	expect_line("a\r\rb", EVBUFFER_EOL_CRLF_STRICT, NULL, NULL);
	expect_line("a\r\n\n\rb", EVBUFFER_EOL_ANY, "a", "b");
	expect_line("\nb", EVBUFFER_EOL_LF, "", "b");
	expect_line("a\r", EVBUFFER_EOL_ANY, "a", "");
}

/* BUF-178 */
Test(evbuffer_take, a_line_feed_that_comes_late_is_an_empty_line)
{
	struct evbuffer *buf = buffer_of("a\r");
	char *line = evbuffer_readln(buf, NULL, EVBUFFER_EOL_ANY);

	cr_assert_str_eq(line, "a");
	support_free(line);
	cr_assert_eq(evbuffer_add(buf, "\nb", 2), 0);
	line = evbuffer_readln(buf, NULL, EVBUFFER_EOL_ANY);
	cr_assert_str_eq(line, "");
	support_free(line);
	expect_text(buf, "b");
	evbuffer_free(buf);
}

/* BUF-179, BUF-171, BUF-180, BUF-187 */
Test(evbuffer_take, zero_bytes_odd_styles_and_the_old_call)
{
	struct evbuffer *buf = evbuffer_new();
	size_t n;
	char *line;

	cr_assert_eq(evbuffer_add(buf, "ab\0c\0d\nrest", 11), 0);
	line = evbuffer_readln(buf, &n, EVBUFFER_EOL_NUL);
	cr_assert_str_eq(line, "ab");
	support_free(line);
	line = evbuffer_readln(buf, &n, EVBUFFER_EOL_LF);
	cr_assert_eq(n, 3);
	cr_assert(memcmp(line, "c\0d", 3) == 0);
	support_free(line);
	cr_assert_null(evbuffer_readln(buf, &n, (enum evbuffer_eol_style)77));
	cr_assert_eq(evbuffer_add(buf, "\r\n", 2), 0);
	line = evbuffer_readline(buf);
	cr_assert_str_eq(line, "rest");
	support_free(line);
	evbuffer_free(buf);
}

/* BUF-172, BUF-173, BUF-182, BUF-362 */
Test(evbuffer_take, a_line_that_cannot_be_taken_stays)
{
	struct changes c = { 0 };
	struct evbuffer *buf = buffer_of("line\r\n");
	char *line;
	size_t n = 5;

	evbuffer_add_cb(buf, count_changes, &c);
	evbuffer_freeze(buf, 1);
	cr_assert_null(evbuffer_readln(buf, &n, EVBUFFER_EOL_CRLF));
	cr_assert_eq(n, 0);
	evbuffer_unfreeze(buf, 1);
	support_fail_once_after(0);
	cr_assert_null(evbuffer_readln(buf, &n, EVBUFFER_EOL_CRLF));
	support_fail_once_after(-1);
	line = evbuffer_readln(buf, &n, EVBUFFER_EOL_CRLF);
	cr_assert_str_eq(line, "line");
	cr_assert_eq(c.rounds, 1);
	cr_assert_eq(c.deleted, 6);
	support_free(line);
	evbuffer_free(buf);
}

/* BUF-183..186 */
Test(evbuffer_take, finding_the_end_of_a_line)
{
	struct evbuffer *buf = pieces_of("ab\r\ncd\n\r\n", 2);
	struct evbuffer_ptr start, found;
	size_t len = 9;

	found = evbuffer_search_eol(buf, NULL, &len, EVBUFFER_EOL_CRLF);
	cr_assert_eq(found.pos, 2);
	cr_assert_eq(len, 2);
	cr_assert_eq(evbuffer_ptr_set(buf, &start, 3, EVBUFFER_PTR_SET), 0);
	found = evbuffer_search_eol(buf, &start, &len, EVBUFFER_EOL_CRLF);
	cr_assert_eq(found.pos, 3);
	cr_assert_eq(len, 1);
	cr_assert_eq(evbuffer_ptr_set(buf, &start, 4, EVBUFFER_PTR_SET), 0);
	found = evbuffer_search_eol(buf, &start, &len, EVBUFFER_EOL_ANY);
	cr_assert_eq(found.pos, 6);
	cr_assert_eq(len, 3);
	cr_assert_eq(evbuffer_ptr_set(buf, &start, 9, EVBUFFER_PTR_SET), 0);
	found = evbuffer_search_eol(buf, &start, &len, EVBUFFER_EOL_ANY);
	cr_assert_eq(found.pos, -1);
	cr_assert_eq(len, 0);
	cr_assert_eq(evbuffer_get_length(buf), 9);
	evbuffer_free(buf);
}

/* BUF-396, B08 */
Test(evbuffer_take, a_line_that_grows_is_not_scanned_again_and_again, .timeout = 60)
{
	struct evbuffer *buf = evbuffer_new();
	char block[1000], *line;
	size_t n;

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 20000; i++) {
		cr_assert_eq(evbuffer_add(buf, block, sizeof(block)), 0);
		cr_assert_null(evbuffer_readln(buf, NULL, EVBUFFER_EOL_CRLF));
	}
	cr_assert_eq(evbuffer_add(buf, "\n", 1), 0);
	line = evbuffer_readln(buf, &n, EVBUFFER_EOL_CRLF);
	cr_assert_eq(n, 20000000);
	support_free(line);
	evbuffer_free(buf);
}

/* BUF-200..205, BUF-207, B07 */
Test(evbuffer_take, positions)
{
	struct evbuffer *buf = pieces_of("0123456789", 3), *empty = evbuffer_new();
	struct evbuffer_ptr p;
	char out;

	cr_assert_eq(evbuffer_ptr_set(empty, &p, 0, EVBUFFER_PTR_SET), 0);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, 10, EVBUFFER_PTR_SET), 0);
	cr_assert_eq(p.pos, 10);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, 2, EVBUFFER_PTR_SET), 0);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, 5, EVBUFFER_PTR_ADD), 0);
	cr_assert_eq(p.pos, 7);
	cr_assert_eq(evbuffer_copyout_from(buf, &p, &out, 1), 1);
	cr_assert_eq(out, '7');
	cr_assert_eq(evbuffer_ptr_set(buf, &p, 4, EVBUFFER_PTR_ADD), -1);
	cr_assert_eq(p.pos, -1);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, 0, EVBUFFER_PTR_ADD), -1);
	cr_assert_eq(evbuffer_search(buf, "1", 1, &p).pos, -1);
	cr_assert_leq(evbuffer_peek(buf, 1, &p, NULL, 0), 0);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, 3, EVBUFFER_PTR_SET), 0);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, SIZE_MAX, EVBUFFER_PTR_ADD), -1);
	cr_assert_eq(p.pos, -1);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, SIZE_MAX, EVBUFFER_PTR_SET), -1);
	evbuffer_free(buf);
	evbuffer_free(empty);
}

/* BUF-210..213, BUF-215, BUF-216, B07 */
Test(evbuffer_take, searching_across_pieces_of_every_size)
{
	static const char text[] = "aaabcaabab";

	for (size_t size = 1; size <= 10; size++) {
		struct evbuffer *buf = pieces_of(text, size);
		struct evbuffer_ptr p;

		evbuffer_freeze(buf, 0);
		evbuffer_freeze(buf, 1);
		p = evbuffer_search(buf, "aab", 3, NULL);
		cr_assert_eq(p.pos, 1);
		cr_assert_eq(evbuffer_search(buf, "aab", 3, &p).pos, 1);
		cr_assert_eq(evbuffer_ptr_set(buf, &p, 1, EVBUFFER_PTR_ADD), 0);
		cr_assert_eq(evbuffer_search(buf, "aab", 3, &p).pos, 5);
		cr_assert_eq(evbuffer_search(buf, "abab", 4, NULL).pos, 6);
		cr_assert_eq(evbuffer_search(buf, "abc ", 4, NULL).pos, -1);
		cr_assert_eq(evbuffer_search(buf, "aaabcaababx", 11, NULL).pos, -1);
		cr_assert_eq(evbuffer_search(buf, "x", 0, NULL).pos, 0);
		cr_assert_eq(evbuffer_search(buf, "x", SIZE_MAX, NULL).pos, -1);
		cr_assert_eq(evbuffer_ptr_set(buf, &p, 10, EVBUFFER_PTR_SET), 0);
		cr_assert_eq(evbuffer_search(buf, "b", 1, &p).pos, -1);
		evbuffer_free(buf);
	}
}

/* BUF-214 */
Test(evbuffer_take, searching_up_to_an_end)
{
	struct evbuffer *buf = pieces_of("0123456789", 4);
	struct evbuffer_ptr end;

	cr_assert_eq(evbuffer_ptr_set(buf, &end, 6, EVBUFFER_PTR_SET), 0);
	cr_assert_eq(evbuffer_search_range(buf, "45", 2, NULL, &end).pos, 4);
	cr_assert_eq(evbuffer_search_range(buf, "456", 3, NULL, &end).pos, -1);
	cr_assert_eq(evbuffer_ptr_set(buf, &end, 10, EVBUFFER_PTR_SET), 0);
	cr_assert_eq(evbuffer_search_range(buf, "789", 3, NULL, &end).pos, 7);
	cr_assert_eq(evbuffer_search_range(buf, "789", 3, NULL, NULL).pos, 7);
	evbuffer_free(buf);
}

/* BUF-217 */
Test(evbuffer_take, the_old_find)
{
	struct evbuffer *buf = pieces_of("0123456789", 3);

	cr_assert(memcmp(evbuffer_find(buf, (const unsigned char *)"2345", 4), "2345", 4) == 0);
	cr_assert_null(evbuffer_find(buf, (const unsigned char *)"9x", 2));
	cr_assert_null(evbuffer_find(buf, (const unsigned char *)"9", 0));
	evbuffer_free(buf);
}

/* BUF-230..232, BUF-238 */
Test(evbuffer_take, peeking_lists_pieces_until_there_is_enough)
{
	struct evbuffer *buf = pieces_of("0123456789", 3);
	struct evbuffer_iovec vec[6];

	memset(vec, 0x55, sizeof(vec));
	cr_assert_eq(evbuffer_peek(buf, 4, NULL, vec, 6), 2);
	cr_assert_eq(vec[0].iov_len, 3);
	cr_assert_eq(vec[1].iov_len, 3);
	cr_assert(memcmp(vec[1].iov_base, "345", 3) == 0);
	cr_assert_eq(((unsigned char *)&vec[2])[0], 0x55);
	cr_assert_eq(evbuffer_peek(buf, 10, NULL, vec, 2), 4);
	evbuffer_free(buf);
}

/* BUF-233..237, BUF-239 */
Test(evbuffer_take, peeking_without_a_limit_and_from_a_position)
{
	struct evbuffer *buf = pieces_of("0123456789", 3), *empty = evbuffer_new();
	struct evbuffer_iovec vec[6];
	struct evbuffer_ptr p;

	cr_assert_eq(evbuffer_peek(buf, -1, NULL, vec, 2), 2);
	cr_assert_eq(evbuffer_peek(buf, -1, NULL, vec, 6), 4);
	cr_assert_eq(evbuffer_peek(buf, -1, NULL, NULL, 0), 4);
	cr_assert_eq(evbuffer_peek(buf, 100, NULL, vec, 6), 4);
	cr_assert_eq(evbuffer_peek(empty, -1, NULL, vec, 6), 0);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, 4, EVBUFFER_PTR_SET), 0);
	cr_assert_eq(evbuffer_peek(buf, -1, &p, vec, 6), 3);
	cr_assert(memcmp(vec[0].iov_base, "45", 2) == 0);
	cr_assert_eq(vec[0].iov_len, 2);
	cr_assert_eq(evbuffer_ptr_set(buf, &p, 10, EVBUFFER_PTR_SET), 0);
	cr_assert_eq(evbuffer_peek(buf, -1, &p, vec, 6), 0);
	cr_assert_eq(evbuffer_peek(buf, 0, NULL, vec, 6), 0);
	evbuffer_free(buf);
	evbuffer_free(empty);
}

/* Bytes whose bits nearly are those of CR or LF lie all around. */
static void expect_end_at(size_t at, char end, size_t total)
{
	static const char decoys[] = "\x0b\x0c\x0e\x8a\x8d\x1a";
	struct evbuffer *buf = evbuffer_new();
	struct evbuffer_ptr found;
	char text[80];

	for (size_t i = 0; i < total; i++)
		text[i] = decoys[i % (sizeof(decoys) - 1)];
	if (at < total)
		text[at] = end;
	evbuffer_add(buf, "ab", 2);
	evbuffer_add(buf, text, total);
	evbuffer_drain(buf, 2);
	found = evbuffer_search_eol(buf, NULL, NULL, EVBUFFER_EOL_ANY);
	cr_assert_eq(found.pos, at < total ? (ev_ssize_t)at : -1, "%zu of %zu: %zd", at, total,
		     found.pos);
	evbuffer_free(buf);
}

/* BUF-177, BUF-183 */
Test(evbuffer_take, an_end_of_any_style_is_found_wherever_it_is)
{
	for (size_t total = 0; total < 70; total++) {
		for (size_t at = 0; at <= total; at++) {
			expect_end_at(at, '\r', total);
			expect_end_at(at, '\n', total);
		}
	}
}
