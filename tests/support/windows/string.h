/* SPDX-License-Identifier: BSD-3-Clause */
#ifdef __GNUC__
#pragma GCC system_header
#endif
#include_next <string.h>

#ifndef SUPPORT_WINDOWS_STRING_H_INCLUDED
#define SUPPORT_WINDOWS_STRING_H_INCLUDED

void *posix_memmem(const void *in, size_t n, const void *what, size_t m);

#define memmem(in, n, what, m) posix_memmem(in, n, what, m)

#endif
