/* SPDX-License-Identifier: BSD-3-Clause */
/* Text: formatting, numbers, comparison, dates. */

#include "support.h"

#include <locale.h>
#include <string.h>
#include <time.h>

TestSuite(util_string, .timeout = 60);

/* UTIL-031 */
Test(util_string, snprintf_cuts_terminates_and_tells_the_full_length)
{
	char buf[16];
	int result = evutil_snprintf(buf, sizeof(buf), "%s %d", "longish", 1234567890);

	cr_expect_eq(result, 18);
	cr_expect_str_eq(buf, "longish 1234567");
	cr_expect_eq(evutil_snprintf(buf, sizeof(buf), "%d%%", 50), 3);
	cr_expect_str_eq(buf, "50%");
	cr_expect_eq(evutil_snprintf(buf, 1, "abc"), 3);
	cr_expect_str_eq(buf, "");
}

static int format_v(char *buf, size_t len, const char *format, ...)
{
	va_list ap;
	int result;

	va_start(ap, format);
	result = evutil_vsnprintf(buf, len, format, ap);
	va_end(ap);
	return result;
}

/* UTIL-031, UTIL-032; U05 */
Test(util_string, every_size_is_terminated_and_no_byte_behind_is_touched)
{
	for (size_t len = 0; len < 12; len++) {
		char buf[16];

		memset(buf, 'x', sizeof(buf));
		cr_expect_eq(format_v(buf, len, "%s", "hello you"), 9);
		if (len > 0) {
			size_t kept = len > 9 ? 9 : len - 1;

			cr_expect_eq(strlen(buf), kept);
			cr_expect_arr_eq(buf, "hello you", kept);
		}
		for (size_t i = len > 10 ? 10 : len; i < sizeof(buf); i++)
			cr_expect_eq(buf[i], 'x');
	}
	cr_expect_eq(evutil_snprintf(NULL, 0, "%d", 12345), 5);
}

/* UTIL-033 */
Test(util_string, strtoll_is_that_of_the_language)
{
	const char *text = " 99999stuff", *word = "foo";
	char *end;

	cr_expect_eq(evutil_strtoll(text, &end, 10), 99999);
	cr_expect_str_eq(end, "stuff");
	cr_expect_eq(evutil_strtoll(word, &end, 10), 0);
	cr_expect_eq(end, word);
	cr_expect_eq(evutil_strtoll("5000000000", NULL, 10), 5000000000LL);
	cr_expect_eq(evutil_strtoll("-5000000000", NULL, 10), -5000000000LL);
	cr_expect_eq(evutil_strtoll("+5000000000", NULL, 10), 5000000000LL);
	errno = 0;
	cr_expect_eq(evutil_strtoll("99999999999999999999", NULL, 10), EV_INT64_MAX);
	cr_expect_eq(errno, ERANGE);
	errno = 0;
	cr_expect_eq(evutil_strtoll("-99999999999999999999", NULL, 10), EV_INT64_MIN);
	cr_expect_eq(errno, ERANGE);
	cr_expect_eq(evutil_strtoll("0xff", NULL, 16), 255);
	cr_expect_eq(evutil_strtoll("0xff", NULL, 0), 255);
	cr_expect_eq(evutil_strtoll("077", NULL, 0), 63);
	cr_expect_eq(evutil_strtoll("zz", NULL, 36), 35 * 36 + 35);
}

/* UTIL-034, UTIL-035 */
Test(util_string, comparison_ignores_the_case_of_ascii_letters)
{
	cr_expect_eq(evutil_ascii_strcasecmp("ABC", "abc"), 0);
	cr_expect_eq(evutil_ascii_strcasecmp("ABC", "abcd"), -1);
	cr_expect_eq(evutil_ascii_strcasecmp("abcd", "ABC"), 1);
	cr_expect_eq(evutil_ascii_strcasecmp("ABC", "abb"), 1);
	cr_expect_eq(evutil_ascii_strcasecmp("", ""), 0);
	cr_expect_eq(evutil_ascii_strcasecmp("", "a"), -1);
	cr_expect_eq(evutil_ascii_strncasecmp("ABCdef", "abcxyz", 3), 0);
	cr_expect_eq(evutil_ascii_strncasecmp("ABCdef", "abcxyz", 4), -1);
	cr_expect_eq(evutil_ascii_strncasecmp("Lib", "LibEvEnT", 4), -1);
	cr_expect_eq(evutil_ascii_strncasecmp("Lib", "LibEvEnT", 3), 0);
	cr_expect_eq(evutil_ascii_strncasecmp("Z", "qrst", 1), 1);
	cr_expect_eq(evutil_ascii_strncasecmp("a", "b", 0), 0);
	cr_expect_eq(evutil_ascii_strncasecmp("a", "A", 99), 0);
	cr_expect_eq(evutil_ascii_strcasecmp("[", "{"), -1); /* 0x20 apart, and no letters */
	cr_expect_eq(evutil_ascii_strcasecmp("@", "`"), -1);
}

/* UTIL-034, UTIL-036 */
Test(util_string, other_bytes_compare_as_unsigned_in_every_locale)
{
	setlocale(LC_ALL, "");
	cr_expect_eq(evutil_ascii_strcasecmp("\xe4", "a"), 1);
	cr_expect_eq(evutil_ascii_strcasecmp("a", "\xe4"), -1);
	cr_expect_neq(evutil_ascii_strcasecmp("\xc4", "\xe4"), 0);
	cr_expect_eq(evutil_ascii_strncasecmp("\xff", "\x01", 1), 1);
}

/* UTIL-084 */
Test(util_string, dates_are_english_and_fixed)
{
	time_t when = 0;
	struct tm tm;
	char buf[64];

	setlocale(LC_ALL, "");
	gmtime_r(&when, &tm);
	cr_expect_eq(evutil_date_rfc1123(buf, sizeof(buf), &tm), 29);
	cr_expect_str_eq(buf, "Thu, 01 Jan 1970 00:00:00 GMT");
	when = 1323648000;
	gmtime_r(&when, &tm);
	cr_expect_eq(evutil_date_rfc1123(buf, sizeof(buf), &tm), 29);
	cr_expect_str_eq(buf, "Mon, 12 Dec 2011 00:00:00 GMT");
	/* The last second of 9999, which not every time_t can hold. */
	tm = (struct tm){ .tm_year = 8099, .tm_mon = 11, .tm_mday = 31, .tm_hour = 23, .tm_min = 59,
		.tm_sec = 59, .tm_wday = 5 };
	cr_expect_eq(evutil_date_rfc1123(buf, sizeof(buf), &tm), 29);
	cr_expect_str_eq(buf, "Fri, 31 Dec 9999 23:59:59 GMT");
}

/* UTIL-085; U05 */
Test(util_string, a_date_is_cut_to_its_buffer)
{
	time_t when = 0;
	struct tm tm;

	gmtime_r(&when, &tm);
	for (size_t len = 1; len < 32; len++) {
		char buf[40];

		memset(buf, 'x', sizeof(buf));
		cr_expect_eq(evutil_date_rfc1123(buf, len, &tm), 29);
		cr_expect_eq(strlen(buf), len > 29 ? 29 : len - 1);
		cr_expect_eq(buf[len > 30 ? 30 : len], 'x');
	}
}

/* UTIL-086 */
Test(util_string, odd_dates_are_neither_normalised_nor_followed_out_of_bounds)
{
	struct tm tm = { .tm_wday = 2, .tm_mday = 35, .tm_mon = 0, .tm_year = 100, .tm_hour = 25 };
	char buf[64], now[64];
	time_t when = time(NULL);

	evutil_date_rfc1123(buf, sizeof(buf), &tm);
	cr_expect_str_eq(buf, "Tue, 35 Jan 2000 25:00:00 GMT");
	tm.tm_wday = 7;
	tm.tm_mon = -1;
	cr_expect_gt(evutil_date_rfc1123(buf, sizeof(buf), &tm), 0);
	tm.tm_wday = -1;
	tm.tm_mon = INT_MAX;
	cr_expect_gt(evutil_date_rfc1123(buf, sizeof(buf), &tm), 0);

	/* NULL is now, give or take the second that may pass. */
	evutil_date_rfc1123(now, sizeof(now), NULL);
	for (int late = 0; late < 3; late++, when++) {
		gmtime_r(&when, &tm);
		evutil_date_rfc1123(buf, sizeof(buf), &tm);
		if (strcmp(buf, now) == 0)
			return;
	}
	cr_assert_fail("%s is not now", now);
}
