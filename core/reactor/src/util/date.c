/* SPDX-License-Identifier: BSD-3-Clause */
/* Dates as HTTP and mail write them: RFC 9110 section 5.6.7 (IMF-fixdate, once RFC 1123). */

#include "../os/os_time.h"

#include <event2/util.h>

#include <string.h>
#include <time.h>

static const char *name_of(const char *const names[], int index, int count)
{
	return index >= 0 && index < count ? names[index] : "???";
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define USUAL_LEN 29

static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
				      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static int is_below(int value, int limit)
{
	return value >= 0 && value < limit;
}

/* Whether all numbers have the digits they have in a date. */
static int is_usual(const struct tm *tm)
{
	return is_below(tm->tm_wday, 7) && is_below(tm->tm_mon, 12) && is_below(tm->tm_mday, 100) &&
	       is_below(tm->tm_hour, 100) && is_below(tm->tm_min, 100) &&
	       is_below(tm->tm_sec, 100) && tm->tm_year >= -900 && tm->tm_year < 8100;
}

static void put_two(char *to, int number)
{
	to[0] = (char)('0' + number / 10);
	to[1] = (char)('0' + number % 10);
}

/* A server writes many of them: a hundred instructions instead of printf's two thousand. */
static void put_usual(char *date, const struct tm *tm)
{
	memcpy(date, "day, 00 mon 0000 00:00:00 GMT", USUAL_LEN + 1);
	memcpy(date, days[tm->tm_wday], 3);
	put_two(date + 5, tm->tm_mday);
	memcpy(date + 8, months[tm->tm_mon], 3);
	put_two(date + 12, (1900 + tm->tm_year) / 100);
	put_two(date + 14, (1900 + tm->tm_year) % 100);
	put_two(date + 17, tm->tm_hour);
	put_two(date + 20, tm->tm_min);
	put_two(date + 23, tm->tm_sec);
}

int evutil_date_rfc1123(char *date, const size_t datelen, const struct tm *tm)
{
	struct tm now;

	if (tm == NULL) {
		evi_os_gmtime_now(&now);
		tm = &now;
	}
	if (datelen > USUAL_LEN && is_usual(tm)) {
		put_usual(date, tm);
		return USUAL_LEN;
	}
	return evutil_snprintf(date, datelen, "%s, %02d %s %4d %02d:%02d:%02d GMT",
			       name_of(days, tm->tm_wday, 7), tm->tm_mday,
			       name_of(months, tm->tm_mon, 12), 1900 + tm->tm_year, tm->tm_hour,
			       tm->tm_min, tm->tm_sec);
}
