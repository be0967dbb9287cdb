/* SPDX-License-Identifier: BSD-3-Clause */
/* What a relative reference means: RFC 3986 section 5.2. */

#include "http/uri.h"

#include <string.h>

/* Without its last segment and the slash before that. */
static char *drop_segment(const char *path, char *out)
{
	while (out > path && *--out != '/')
		;
	return out;
}

/* Section 5.2.4, in place: what goes out is never longer than what was read. */
static void remove_dot_segments(char *path)
{
	char *out = path;
	const char *in = path;

	while (*in != '\0') {
		size_t slash = *in == '/', len = strcspn(in + slash, "/");
		const char *segment = in + slash;
		int is_last = segment[len] == '\0';
		int is_up = len == 2 && segment[0] == '.' && segment[1] == '.';

		if (!is_up && (len != 1 || segment[0] != '.')) {
			memmove(out, in, slash + len);
			out += slash + len;
		} else if (slash == 0) { /* at the beginning: goes with the slash behind it */
			in += !is_last;
		} else {
			out = is_up ? drop_segment(path, out) : out;
			if (is_last)
				*out++ = '/';
		}
		in += slash + len;
	}
	*out = '\0';
}

/* Sets a part to the first `keep` bytes of `before`, and `behind`. 0 or -1. */
static int put(struct evhttp_uri *uri, enum evi_uri_part part, const char *before, size_t keep,
	       const char *behind)
{
	char *copy = evi_malloc(keep + strlen(behind) + 1);

	if (copy == NULL)
		return -1;
	memcpy(copy, before, keep);
	strcpy(copy + keep, behind);
	evi_free(uri->owned[part]);
	uri->owned[part] = copy;
	uri->part[part] = copy;
	return 0;
}

static int inherit(struct evhttp_uri *uri, const struct evhttp_uri *base, enum evi_uri_part part)
{
	return base->part[part] == NULL ? 0 : put(uri, part, "", 0, base->part[part]);
}

static int has_authority(const struct evhttp_uri *uri)
{
	return uri->part[EVI_URI_HOST] != NULL || uri->part[EVI_URI_UNIXSOCKET] != NULL;
}

static int inherit_authority(struct evhttp_uri *uri, const struct evhttp_uri *base)
{
	uri->port = base->port;
	uri->is_bracketed = base->is_bracketed;
	return inherit(uri, base, EVI_URI_USERINFO) == 0 && inherit(uri, base, EVI_URI_HOST) == 0 &&
			       inherit(uri, base, EVI_URI_UNIXSOCKET) == 0
		       ? 0
		       : -1;
}

/* The path, behind the last slash of the base's: section 5.2.3. */
static int merge_path(struct evhttp_uri *uri, const struct evhttp_uri *base)
{
	const char *before = base->part[EVI_URI_PATH] != NULL ? base->part[EVI_URI_PATH] : "";
	const char *slash = strrchr(before, '/');
	size_t keep = slash != NULL ? (size_t)(slash - before) + 1 : 0;

	if (*before == '\0' && has_authority(base))
		return put(uri, EVI_URI_PATH, "/", 1, uri->part[EVI_URI_PATH]);
	return put(uri, EVI_URI_PATH, before, keep, uri->part[EVI_URI_PATH]);
}

/* Section 5.2.2, for a reference with neither scheme nor authority. */
static int resolve_path(struct evhttp_uri *uri, const struct evhttp_uri *base)
{
	if (inherit_authority(uri, base) < 0)
		return -1;
	if (uri->part[EVI_URI_PATH][0] == '/')
		return 0;
	if (uri->part[EVI_URI_PATH][0] != '\0')
		return merge_path(uri, base);
	if (uri->part[EVI_URI_QUERY] == NULL && inherit(uri, base, EVI_URI_QUERY) < 0)
		return -1;
	return inherit(uri, base, EVI_URI_PATH);
}

static int resolve(struct evhttp_uri *uri, const struct evhttp_uri *base)
{
	int is_relative = uri->part[EVI_URI_SCHEME] == NULL;
	int keeps_path = is_relative && !has_authority(uri) && uri->part[EVI_URI_PATH][0] == '\0';

	if (is_relative && inherit(uri, base, EVI_URI_SCHEME) < 0)
		return -1;
	if (is_relative && !has_authority(uri) && resolve_path(uri, base) < 0)
		return -1;
	if (keeps_path)
		return 0;
	if (uri->owned[EVI_URI_PATH] == NULL &&
	    put(uri, EVI_URI_PATH, "", 0, uri->part[EVI_URI_PATH]) < 0)
		return -1;
	remove_dot_segments(uri->owned[EVI_URI_PATH]);
	return 0;
}

struct evhttp_uri *evhttp_uri_resolve(const struct evhttp_uri *base, const char *reference,
				      unsigned flags)
{
	struct evhttp_uri *uri;

	if (base->part[EVI_URI_SCHEME] == NULL)
		return NULL;
	uri = evhttp_uri_parse_with_flags(reference, flags);
	if (uri != NULL && resolve(uri, base) < 0) {
		evhttp_uri_free(uri);
		uri = NULL;
	}
	return uri;
}
