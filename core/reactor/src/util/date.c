/* SPDX-License-Identifier: BSD-3-Clause */
/* Dates as HTTP and mail write them: RFC 9110 section 5.6.7 (IMF-fixdate, once RFC 1123). */

#include "../os/os_time.h"

#include <event2/util.h>

#include <time.h>

static const char *name_of(const char *const names[], int index, int count)
{
	return index >= 0 && index < count ? names[index] : "???";
}

int evutil_date_rfc1123(char *date, const size_t datelen, const struct tm *tm)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	struct tm now;

	if (tm == NULL) {
		evi_os_gmtime_now(&now);
		tm = &now;
	}
	return evutil_snprintf(date, datelen, "%s, %02d %s %4d %02d:%02d:%02d GMT",
			       name_of(days, tm->tm_wday, 7), tm->tm_mday,
			       name_of(months, tm->tm_mon, 12), 1900 + tm->tm_year, tm->tm_hour,
			       tm->tm_min, tm->tm_sec);
}
