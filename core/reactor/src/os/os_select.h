/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_SELECT_H_INCLUDED
#define EVI_OS_SELECT_H_INCLUDED

/*
 * Sets for select(2) that may be larger than an fd_set. Its words are 32 bits on some systems and
 * those of `unsigned long` on others, which is not the same where the most significant byte comes
 * first.
 */

#include <limits.h>
#include <stdint.h>
#include <sys/select.h>

typedef __typeof__(_Generic(((fd_set *)0)->fds_bits[0], int: (uint32_t)0, unsigned: (uint32_t)0,
			    default: (unsigned long)0)) evi_select_word;

/*
 * Descriptors from here on are refused: the C library of Solaris refuses sets larger than its own.
 */
#ifdef __sun
#define EVI_SELECT_LIMIT FD_SETSIZE
#else
#define EVI_SELECT_LIMIT INT_MAX
#endif

#endif
