/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_RANDOM_H_INCLUDED
#define EVI_OS_RANDOM_H_INCLUDED

#include <stddef.h>

/* Fill `buf` from the kernel's generator; 0 or a negative errno. Any thread. */
int evi_os_random(void *buf, size_t n);

/*
 * Where random bytes are read from, if they come from a file; the name is not copied. 0, or -1 if
 * not.
 */
int evi_os_random_set_device(const char *name);

#endif
