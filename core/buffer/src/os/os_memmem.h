/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_MEMMEM_H_INCLUDED
#define EVI_OS_MEMMEM_H_INCLUDED

/*
 * memmem() of the C library, or ours (os_memmem_none.c); in linear time and never for an empty
 * pattern.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef EVI_HAVE_MEMMEM
#define evi_memmem memmem
#else
void *evi_memmem(const void *text, size_t text_len, const void *pattern, size_t len);
#endif

#endif
