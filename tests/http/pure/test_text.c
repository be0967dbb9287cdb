/* SPDX-License-Identifier: BSD-3-Clause */
/* Encoding, decoding, HTML escaping, query strings. */

#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <support.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

TestSuite(http_text, .timeout = 20, .init = support_leak_init, .fini = support_leak_fini);

static void
expect_text(char *got, const char *want)
{
	cr_assert_not_null(got);
	cr_expect_str_eq(got, want);
	support_free(got);
}

/* HTTP-344, HTTP-345 */
Test(http_text, encode)
{
	expect_text(evhttp_encode_uri("aZ09-._~ +/%\xff"), "aZ09-._~%20%2B%2F%25%FF");
	expect_text(evhttp_uriencode("a b", -1, 1), "a+b");
	expect_text(evhttp_uriencode("hello\0world", 11, 0), "hello%00world");
	expect_text(evhttp_uriencode("abc", 0, 0), "");
	expect_text(evhttp_uriencode("abc", 2, 0), "ab");
}

/* HTTP-346, HTTP-347 */
Test(http_text, decode)
{
	size_t size = 99;
	char *got = evhttp_uridecode("a%00%4a%4A+", 0, &size);

	cr_assert_not_null(got);
	cr_expect_eq(size, 5);
	cr_expect_arr_eq(got, "a\0JJ+", 6);
	support_free(got);
	expect_text(evhttp_uridecode("a+b", 1, NULL), "a b");
	expect_text(evhttp_uridecode("%%4%zz%%x%", 0, NULL), "%%4%zz%%x%");
	expect_text(evhttp_decode_uri("a+b?c+d?%20"), "a+b?c d? ");
	expect_text(evhttp_decode_uri("a%3Fb+c"), "a?b+c");
}

/* HTTP-348 */
Test(http_text, html)
{
	expect_text(evhttp_htmlescape("<a href=\"x\" id='y'>&amp;"),
		"&lt;a href=&quot;x&quot; id=&#039;y&#039;&gt;&amp;amp;");
	expect_text(evhttp_htmlescape(""), "");
	cr_expect_null(evhttp_htmlescape(NULL));
}

struct query {
	const char *text;
	unsigned flags;
	int result;
	const char *pairs; /* key=value; for each entry */
};

static void
check_query(const struct query *want)
{
	char pairs[256] = "";
	struct evkeyvalq list;
	struct evkeyval *kv;
	int result = evhttp_parse_query_str_flags(want->text, &list, want->flags);

	cr_expect_eq(result, want->result, "result of %s", want->text);
	TAILQ_FOREACH (kv, &list, next) {
		strcat(pairs, kv->key);
		strcat(pairs, "=");
		strcat(pairs, kv->value);
		strcat(pairs, ";");
	}
	cr_expect_str_eq(pairs, want->pairs);
	evhttp_clear_headers(&list);
}

/* HTTP-316, HTTP-350..357 */
Test(http_text, query)
{
	static const struct query table[] = {
		{ "", 0, 0, "" },
		{ "q=test", 0, 0, "q=test;" },
		{ "q=", 0, 0, "q=;" },
		{ "q=a=b&", 0, 0, "q=a=b;" },
		{ "http://x/?q=test", 0, 0, "http://x/?q=test;" },
		{ "a%20b=c%20d+e", 0, 0, "a%20b=c d e;" },
		{ "a=1&a=2", 0, 0, "a=1;a=2;" },
		{ "a=1;b=2", 0, 0, "a=1;b=2;" },
		{ "q=test%0Afoo", 0, 0, "q=test\nfoo;" },
		{ "q=a%00b", 0, 0, "q=a;" },
		{ "a", 0, -1, "" },
		{ "=1", 0, -1, "" },
		{ "a=1&&b=2", 0, -1, "" },
		{ "&a=1", 0, -1, "" },
		{ "a=1&b", 0, -1, "" },
		{ "a&=1&&b=2", EVHTTP_URI_QUERY_NONCONFORMANT, 0, "a=;b=2;" },
		{ "a=1&b=2&A=3", EVHTTP_URI_QUERY_LAST_VAL, 0, "b=2;A=3;" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); ++i)
		check_query(&table[i]);
}

/* H53: a million parameters; each is looked at once. */
Test(http_text, a_long_query, .timeout = 60)
{
	enum { PARAMETERS = 1000000 };
	static const char piece[] = "k=%00&";
	const size_t len = sizeof(piece) - 1;
	char *text = malloc(PARAMETERS * len + 1);
	struct evkeyvalq list;
	const struct evkeyval *pair;
	long count = 0;

	for (size_t i = 0; i < PARAMETERS; i++)
		memcpy(text + i * len, piece, len + 1);
	text[PARAMETERS * len - 1] = '\0';
	cr_assert_eq(evhttp_parse_query_str(text, &list), 0);
	for (pair = list.tqh_first; pair != NULL; pair = pair->next.tqe_next)
		count++;
	cr_expect_eq(count, PARAMETERS);
	evhttp_clear_headers(&list);
	free(text);
}

/* HTTP-355, H53: comparing each key with all before it would not end within the time limit. */
Test(http_text, the_last_values_of_a_long_query, .timeout = 60)
{
	enum { PARAMETERS = 200000 };
	char *text = malloc((size_t)PARAMETERS * 2 * 10 + 1), *end = text;
	struct evkeyvalq list;
	const struct evkeyval *pair;
	long count = 0;

	for (int i = 0; i < 2 * PARAMETERS; i++)
		end += sprintf(end, "k%d=%d&", i % PARAMETERS, i / PARAMETERS);
	cr_assert_eq(evhttp_parse_query_str_flags(text, &list, EVHTTP_URI_QUERY_LAST_VAL), 0);
	for (pair = list.tqh_first; pair != NULL; pair = pair->next.tqe_next) {
		cr_assert_eq(atoi(pair->key + 1), count);
		cr_assert_str_eq(pair->value, "1");
		count++;
	}
	cr_expect_eq(count, PARAMETERS);
	evhttp_clear_headers(&list);
	free(text);
}

/* HTTP-349, HTTP-354 */
Test(http_text, query_of_a_whole_uri)
{
	struct evkeyvalq list;

	cr_assert_eq(evhttp_parse_query("http://x/?q=1&Q=2", &list), 0);
	cr_expect_str_eq(evhttp_find_header(&list, "q"), "1");
	evhttp_clear_headers(&list);
	cr_expect_eq(evhttp_parse_query("a=b", &list), 0);
	cr_expect(TAILQ_EMPTY(&list));
	cr_expect_eq(evhttp_parse_query("http://x/ y?q=1", &list), -1);
	cr_expect(TAILQ_EMPTY(&list));
}

/* Refused memory is an error and leaves nothing. HTTP-351 */
Test(http_text, refused_memory)
{
	struct evkeyvalq list;
	int result = -1;

	for (long n = 0; n < 50 && result != 0; ++n) {
		support_fail_once_after(n);
		result = evhttp_parse_query_str_flags("a=1&b=2&a=3", &list,
						      EVHTTP_URI_QUERY_LAST_VAL);
		if (result != 0)
			cr_expect(TAILQ_EMPTY(&list));
	}
	support_fail_once_after(-1);
	cr_assert_eq(result, 0);
	evhttp_clear_headers(&list);
}
