/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_SINGLE_THREAD_H_INCLUDED
#define EVI_OS_SINGLE_THREAD_H_INCLUDED

/*
 * Whether the calling thread is certainly the only one of the process, so that nothing needs to be
 * atomic: no other can begin before the caller makes it. Where the C library does not tell, never.
 */

#ifdef EVI_HAVE_SINGLE_THREADED
#include <sys/single_threaded.h>

static inline int evi_is_single_thread(void)
{
	return __libc_single_threaded;
}
#else
static inline int evi_is_single_thread(void)
{
	return 0;
}
#endif

#endif
