/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_ESCAPE_H_INCLUDED
#define HTTP_ESCAPE_H_INCLUDED

#include <event2/component/reactor.h>

#include <stddef.h>

enum evi_plus {
	EVI_PLUS_IS_PLUS,
	EVI_PLUS_IS_SPACE,
	EVI_PLUS_IS_SPACE_IN_QUERY /* behind the first '?' */
};

/*
 * Decodes `len` bytes to `out`, which has room for one more than that and may be `in`, and ends it
 * with a NUL. What is no valid sequence stays as it is. Returns the number of bytes, which may
 * contain NULs.
 */
size_t evi_percent_decode(const char *in, size_t len, enum evi_plus plus, char *out);

#endif
