/* SPDX-License-Identifier: BSD-3-Clause */
/* Relative references: RFC 3986 section 5.2. */

#include "fetch.h"

#include <stdlib.h>
#include <string.h>

/* Section 5.2.4, for paths that begin with "/"; in place. */
static void remove_dot_segments(char *path)
{
	char *out = path;
	const char *in = path;

	while (*in == '/') {
		size_t len = strcspn(in + 1, "/");
		int is_last = in[len + 1] == '\0';

		if (len == 1 && in[1] == '.') {
			if (is_last)
				*out++ = '/';
		} else if (len == 2 && in[1] == '.' && in[2] == '.') {
			while (out > path && *--out != '/')
				;
			if (is_last)
				*out++ = '/';
		} else {
			memmove(out, in, len + 1);
			out += len + 1;
		}
		in += len + 1;
	}
	*out = '\0';
}

/* Section 5.2.3: `path` behind the last "/" of the base's. For free(). */
static char *merge(const char *base, const char *path)
{
	const char *slash = strrchr(base, '/');
	size_t keep = slash != NULL ? (size_t)(slash - base) : 0;
	char *merged = malloc(keep + strlen(path) + 2);

	if (merged == NULL)
		return NULL;
	memcpy(merged, base, keep);
	merged[keep] = '/';
	strcpy(merged + keep + 1, path);
	return merged;
}

static int set_path(struct evhttp_uri *uri, const char *base, const char *path)
{
	char *whole = *path == '/' ? strdup(path) : merge(base, path);
	int result = -1;

	if (whole != NULL) {
		remove_dot_segments(whole);
		result = evhttp_uri_set_path(uri, whole);
	}
	free(whole);
	return result;
}

static int inherit(struct evhttp_uri *uri, const struct evhttp_uri *base)
{
	const char *path = evhttp_uri_get_path(uri);
	const char *base_path = evhttp_uri_get_path(base);

	if (evhttp_uri_set_scheme(uri, evhttp_uri_get_scheme(base)) != 0)
		return -1;
	if (evhttp_uri_get_host(uri) != NULL)
		return set_path(uri, "", *path != '\0' ? path : "/");
	if (evhttp_uri_set_host(uri, evhttp_uri_get_host(base)) != 0 ||
	    evhttp_uri_set_port(uri, evhttp_uri_get_port(base)) != 0)
		return -1;
	if (*path != '\0')
		return set_path(uri, base_path, path);
	if (evhttp_uri_get_query(uri) == NULL &&
	    evhttp_uri_set_query(uri, evhttp_uri_get_query(base)) != 0)
		return -1;
	return evhttp_uri_set_path(uri, base_path);
}

struct evhttp_uri *uri_resolve(const struct evhttp_uri *base, const char *reference)
{
	struct evhttp_uri *uri = evhttp_uri_parse_with_flags(reference, EVHTTP_URI_NONCONFORMANT);

	if (uri == NULL || evhttp_uri_get_scheme(uri) != NULL)
		return uri;
	if (inherit(uri, base) == 0)
		return uri;
	evhttp_uri_free(uri);
	return NULL;
}
