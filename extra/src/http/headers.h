/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_HEADERS_H_INCLUDED
#define HTTP_HEADERS_H_INCLUDED

/* Lists of name and value: the pure part of evkeyvalq, without HTTP's rules. */

#include "http/field.h"

/* An entry on the heap with copies of both strings; NULL when out of memory. */
struct evi_field *evi_field_new(const char *name, size_t name_len, const char *value,
				size_t value_len);

/* The first entry of that name, in any case of letters, or NULL. */
struct evkeyval *evi_headers_find(const struct evkeyvalq *list, const char *name);

#endif
