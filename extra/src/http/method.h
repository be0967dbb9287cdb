/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_METHOD_H_INCLUDED
#define HTTP_METHOD_H_INCLUDED

/* Names and bits of request methods, built in or the program's own. */

#include <event2/http.h>

struct evi_method {
	const char *name;
	ev_uint32_t type;
	int has_body;
};

/**
 * Look a name up.
 *
 * @param ext  asked for what is not built in; may be NULL
 * @return 0; -ENOENT if nobody knows it; -EINVAL if `ext` broke its contract
 */
int evi_method_of_name(const char *name, evhttp_ext_method_cb ext, struct evi_method *ret_method);

/* Look a bit up. 0 or -ENOENT. */
int evi_method_of_type(ev_uint32_t type, evhttp_ext_method_cb ext, struct evi_method *ret_method);

#endif
