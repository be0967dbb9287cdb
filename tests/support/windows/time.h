/* SPDX-License-Identifier: BSD-3-Clause */
#ifdef __GNUC__
#pragma GCC system_header
#endif
#include_next <time.h>

#ifndef gmtime_r
#define gmtime_r(when, ret_tm) (gmtime_s(ret_tm, when) == 0 ? (ret_tm) : NULL)
#endif

#ifndef SUPPORT_WINDOWS_TIME_H_INCLUDED
#define SUPPORT_WINDOWS_TIME_H_INCLUDED

/* Knows the conversions of an HTTP date: %a, %b, %d, %Y, %H, %M and %S. */
char *posix_strptime(const char *text, const char *format, struct tm *ret_tm);

#define strptime(text, format, ret_tm) posix_strptime(text, format, ret_tm)
#define timegm(tm)                     _mkgmtime(tm)

#endif
