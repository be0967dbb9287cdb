/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_SCAN_H_INCLUDED
#define HTTP_SCAN_H_INCLUDED

/*
 * How far a run of bytes reaches: names (RFC 9110 5.6.2, token) and text (5.5, field-vchar, SP,
 * HTAB and obs-text). No allocation, no state.
 */

#include <stddef.h>
#include <stdint.h>

#define EVI_BYTE_TOKEN 1 /* RFC 9110 5.6.2 */
#define EVI_BYTE_HOST  2 /* unreserved, sub-delims and "%" of RFC 3986 */

extern const uint8_t evi_byte_class[256];

/* How many bytes at the front of `in` are token bytes. */
size_t evi_scan_token(const char *in, size_t len);

/* How many bytes at the front of `in` are text: anything but controls; HTAB is text, DEL is not. */
size_t evi_scan_text(const char *in, size_t len);

/* Nonzero if the string is a token of one byte or more. */
int evi_is_token(const char *text);

/* Nonzero if `len` bytes equal the lower-case string `word`, ASCII letters in any case. */
int evi_is_word(const char *text, size_t len, const char *word);

/* Like strcasecmp(), ASCII only, in every locale. */
int evi_text_casecmp(const char *a, const char *b);

/*
 * The next element of a comma-separated list (RFC 9110 5.6.1), blanks stripped; it may be empty.
 *
 * @param list  in: where to go on; out: behind the element and its comma, NULL after the last
 * @return the element's first byte, *ret_len bytes long
 */
const char *evi_list_next(const char **list, size_t *ret_len);

/* Nonzero if a comma-separated list has the element `option`, which is lower-case. */
int evi_value_has_option(const char *value, const char *option);

#endif
