/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of names and values. */

#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <support.h>

#include <sys/queue.h>

TestSuite(http_header_list, .timeout = 20, .init = support_leak_init, .fini = support_leak_fini);

/* HTTP-308..310, HTTP-314, HTTP-315 */
Test(http_header_list, add_find_remove)
{
	struct evkeyvalq list;

	TAILQ_INIT(&list);
	evhttp_clear_headers(&list);
	cr_assert_eq(evhttp_add_header(&list, "Name", "1"), 0);
	cr_assert_eq(evhttp_add_header(&list, "nAME", "2"), 0);
	cr_expect_str_eq(evhttp_find_header(&list, "NAME"), "1");
	cr_expect_eq(evhttp_remove_header(&list, "name"), 0);
	cr_expect_str_eq(evhttp_find_header(&list, "NAME"), "2");
	cr_expect_eq(evhttp_remove_header(&list, "other"), -1);
	cr_expect_null(evhttp_find_header(&list, "other"));
	evhttp_clear_headers(&list);
	evhttp_clear_headers(&list);
	cr_expect(TAILQ_EMPTY(&list));
	cr_expect_eq(evhttp_add_header(&list, "a", ""), 0);
	cr_expect_str_eq(evhttp_find_header(&list, "A"), "");
	evhttp_clear_headers(&list);
}

/* HTTP-311..313, HTTP-374 */
Test(http_header_list, what_cannot_go_on_the_wire)
{
	static const char *const names[] = {
		"", "a\r", "a\nb", "a b", "a:", "a\x01", "a\xff", "a(",
	};
	static const char *const values[] = { "a\rb", "a\nb", "a\r\nb", "a\r\n", "a\x01", "a\x7f" };
	struct evkeyvalq list;

	TAILQ_INIT(&list);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i)
		cr_expect_eq(evhttp_add_header(&list, names[i], "v"), -1, "name %zu", i);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); ++i)
		cr_expect_eq(evhttp_add_header(&list, "n", values[i]), -1, "value %zu", i);
	cr_expect(TAILQ_EMPTY(&list));
	cr_assert_eq(evhttp_add_header(&list, "n", "a\tb\xff\r\n \t c"), 0);
	cr_expect_str_eq(evhttp_find_header(&list, "n"), "a\tb\xff c");
	evhttp_clear_headers(&list);
}

/* HTTP-310 */
Test(http_header_list, refused_memory)
{
	struct evkeyvalq list;
	int result = -1;

	TAILQ_INIT(&list);
	for (long n = 0; n < 20 && result != 0; ++n) {
		support_fail_once_after(n);
		result = evhttp_add_header(&list, "a", "b");
		cr_expect_eq(TAILQ_EMPTY(&list), result != 0);
	}
	support_fail_once_after(-1);
	cr_assert_eq(result, 0);
	evhttp_clear_headers(&list);
}
