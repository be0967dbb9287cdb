/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_MEMORY_SEARCH_H_INCLUDED
#define EVI_MEMORY_SEARCH_H_INCLUDED

/* Searching plain memory. Pure; any thread. */

#include <stddef.h>

/* The first place in `at` where the `what_len` > 0 bytes are, or NULL. Worst case linear. */
const unsigned char *evi_memory_find(const unsigned char *at, size_t len, const unsigned char *what,
				     size_t what_len);

/* The first CR or LF in `at`, or NULL. */
const unsigned char *evi_memory_find_crlf(const unsigned char *at, size_t len);

#endif
