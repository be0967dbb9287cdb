/* SPDX-License-Identifier: BSD-3-Clause */
/* What a response tells a client to ask next: RFC 9110 section 15.4. */

#include "http/headers.h"
#include "http/scan.h"

#include <event2/http.h>

#include <string.h>

/* With a body or not; those that may turn into GET do so as browsers do it. */
static const struct redirect {
	int code;
	int post_becomes_get;
	int others_become_get;
} redirects[] = {
	{ HTTP_MOVEPERM, 1, 0 }, { HTTP_MOVETEMP, 1, 0 }, { 303, 1, 1 },
	{ 307, 0, 0 },		 { 308, 0, 0 },
};

static const struct redirect *redirect_of_code(int code)
{
	for (size_t i = 0; i < sizeof(redirects) / sizeof(redirects[0]); i++)
		if (redirects[i].code == code)
			return &redirects[i];
	return NULL;
}

static int has_scheme(const struct evhttp_uri *uri, const char *scheme)
{
	const char *own = evhttp_uri_get_scheme(uri);

	return own != NULL && evi_text_casecmp(own, scheme) == 0;
}

/* Nonzero if a client may go there: to a web server, and never from a safe connection to another.
 */
static int may_follow(const struct evhttp_uri *from, const struct evhttp_uri *to)
{
	const char *host = evhttp_uri_get_host(to);

	if (host == NULL || *host == '\0')
		return 0;
	return has_scheme(to, "https") || (has_scheme(to, "http") && !has_scheme(from, "https"));
}

static enum evhttp_cmd_type next_method(const struct redirect *redirect,
					enum evhttp_cmd_type method)
{
	if (method == EVHTTP_REQ_POST)
		return redirect->post_becomes_get ? EVHTTP_REQ_GET : method;
	return redirect->others_become_get && method != EVHTTP_REQ_HEAD ? EVHTTP_REQ_GET : method;
}

struct evhttp_uri *evhttp_request_get_redirect(struct evhttp_request *req,
					       const struct evhttp_uri *uri, unsigned flags,
					       enum evhttp_cmd_type *ret_method)
{
	const struct redirect *redirect =
		redirect_of_code(evhttp_request_get_response_code(req));
	const char *location =
		evhttp_find_header(evhttp_request_get_input_headers(req), "Location");
	struct evhttp_uri *next;

	if (redirect == NULL || location == NULL)
		return NULL;
	next = evhttp_uri_resolve(uri, location, flags);
	if (next == NULL)
		return NULL;
	if (!may_follow(uri, next)) {
		evhttp_uri_free(next);
		return NULL;
	}
	if (ret_method != NULL)
		*ret_method = next_method(redirect, evhttp_request_get_command(req));
	return next;
}
