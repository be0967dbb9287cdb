/* SPDX-License-Identifier: BSD-3-Clause */
#ifdef __GNUC__
#pragma GCC system_header
#endif
#include_next <time.h>

#ifndef gmtime_r
#define gmtime_r(when, ret_tm) (gmtime_s(ret_tm, when) == 0 ? (ret_tm) : NULL)
#endif
