/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WS_UTF8_H_INCLUDED
#define WS_UTF8_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/* Where in a character a text that comes in pieces was left. Zero: between two. */
struct evi_utf8 {
	uint8_t missing;    /* continuation bytes still to come */
	uint8_t low, high;  /* what the next of them must be */
};

/* Checks a piece; 0 as soon as no continuation could make it right: RFC 3629 section 4. */
int evi_utf8_check(struct evi_utf8 *state, const uint8_t *data, size_t len);

/* Nonzero if the text may end here. */
static inline int evi_utf8_is_whole(const struct evi_utf8 *state)
{
	return state->missing == 0;
}

#endif
