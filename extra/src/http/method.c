/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The methods of RFC 9110, 5789 and 4918, and whether a body of theirs is handed to the
 * application.
 */

#include "http/method.h"

#include "http/scan.h"

#include <errno.h>
#include <string.h>

static const struct evi_method methods[] = {
	{ "GET", EVHTTP_REQ_GET, 1 },
	{ "POST", EVHTTP_REQ_POST, 1 },
	{ "HEAD", EVHTTP_REQ_HEAD, 0 },
	{ "PUT", EVHTTP_REQ_PUT, 1 },
	{ "DELETE", EVHTTP_REQ_DELETE, 1 },
	{ "OPTIONS", EVHTTP_REQ_OPTIONS, 1 },
	{ "TRACE", EVHTTP_REQ_TRACE, 0 },
	{ "CONNECT", EVHTTP_REQ_CONNECT, 1 },
	{ "PATCH", EVHTTP_REQ_PATCH, 1 },
	{ "PROPFIND", EVHTTP_REQ_PROPFIND, 1 },
	{ "PROPPATCH", EVHTTP_REQ_PROPPATCH, 1 },
	{ "MKCOL", EVHTTP_REQ_MKCOL, 1 },
	{ "LOCK", EVHTTP_REQ_LOCK, 1 },
	{ "UNLOCK", EVHTTP_REQ_UNLOCK, 1 },
	{ "COPY", EVHTTP_REQ_COPY, 1 },
	{ "MOVE", EVHTTP_REQ_MOVE, 1 },
};

#define N_METHODS (sizeof(methods) / sizeof(methods[0]))

int evi_method_of_name(const char *name, evhttp_ext_method_cb ext, struct evi_method *ret_method)
{
	struct evhttp_ext_method asked = { .method = name };

	for (size_t i = 0; i < N_METHODS; i++) {
		if (strcmp(methods[i].name, name) == 0) {
			*ret_method = methods[i];
			return 0;
		}
	}
	if (ext == NULL || ext(&asked) != 0)
		return -ENOENT;
	if (asked.method != name)
		return -EINVAL;
	ret_method->name = name;
	ret_method->type = asked.type;
	ret_method->has_body = (asked.flags & EVHTTP_METHOD_HAS_BODY) != 0;
	return 0;
}

int evi_method_of_type(ev_uint32_t type, evhttp_ext_method_cb ext, struct evi_method *ret_method)
{
	struct evhttp_ext_method asked = { .type = type };

	for (size_t i = 0; i < N_METHODS; i++) {
		if (methods[i].type == type) {
			*ret_method = methods[i];
			return 0;
		}
	}
	if (ext == NULL || ext(&asked) != 0 || asked.type != type || asked.method == NULL ||
	    !evi_is_token(asked.method))
		return -ENOENT;
	ret_method->name = asked.method;
	ret_method->type = type;
	ret_method->has_body = (asked.flags & EVHTTP_METHOD_HAS_BODY) != 0;
	return 0;
}
