/* SPDX-License-Identifier: BSD-3-Clause */
/* Taking a URI reference apart: RFC 3986 section 3 and appendix B. */

#include "http/uri.h"

#include <string.h>

struct parts {
	struct evi_span of[EVI_URI_PARTS]; /* start NULL: absent */
	int port;
	int is_bracketed;
};

static struct evi_span span_of(const char *start, const char *end)
{
	return (struct evi_span){ start, (size_t)(end - start) };
}

/* A scheme, if what is before the first colon can be one; the rest. */
static const char *take_scheme(const char *p, struct parts *parts)
{
	struct evi_span scheme = span_of(p, p + strcspn(p, ":/?#"));

	if (scheme.start[scheme.len] != ':' || !evi_uri_is_part(EVI_URI_SCHEME, scheme, 0))
		return p;
	parts->of[EVI_URI_SCHEME] = scheme;
	return p + scheme.len + 1;
}

/* "unix:" path ":" in the place of host and port; the rest, or NULL if it does not end. */
static const char *take_unix_socket(const char *p, struct parts *parts)
{
	const char *end = strchr(p, ':');

	if (end == NULL)
		return NULL;
	parts->of[EVI_URI_UNIXSOCKET] = span_of(p, end);
	return end + 1;
}

/* host [":" port]; 0 or -1. */
static int split_host(struct evi_span authority, struct parts *parts)
{
	const char *end = authority.start + authority.len, *host_end = end;

	if (authority.len > 0 && authority.start[0] == '[') {
		const char *close = memchr(authority.start, ']', authority.len);

		if (close == NULL)
			return -1;
		host_end = close + 1;
		if (host_end != end && *host_end != ':')
			return -1;
	} else if (authority.len > 0) {
		const char *colon = memchr(authority.start, ':', authority.len);

		host_end = colon != NULL ? colon : end;
	}
	parts->of[EVI_URI_HOST] = span_of(authority.start, host_end);
	if (host_end != end)
		parts->port = evi_uri_parse_port(span_of(host_end + 1, end));
	return parts->port >= -1 && evi_uri_is_part(EVI_URI_HOST, parts->of[EVI_URI_HOST], 0) ? 0
											      : -1;
}

/* What follows "//"; the rest, or NULL if it is malformed. */
static const char *take_authority(const char *p, unsigned flags, struct parts *parts)
{
	const char *end = p + strcspn(p, "/?#");
	const char *at = memchr(p, '@', (size_t)(end - p));

	if (at != NULL) {
		parts->of[EVI_URI_USERINFO] = span_of(p, at);
		if (!evi_uri_is_part(EVI_URI_USERINFO, parts->of[EVI_URI_USERINFO], 0))
			return NULL;
		p = at + 1;
	}
	if ((flags & EVHTTP_URI_UNIX_SOCKET) && strncmp(p, "unix:", 5) == 0) {
		p = take_unix_socket(p + 5, parts);
		return p == NULL || *p == '\0' || strchr("/?#", *p) != NULL ? p : NULL;
	}
	return split_host(span_of(p, end), parts) == 0 ? end : NULL;
}

/* path ["?" query] ["#" fragment]; 0 or -1. */
static int take_tail(const char *p, unsigned flags, struct parts *parts)
{
	const char *end = p + strcspn(p, "?#");

	parts->of[EVI_URI_PATH] = span_of(p, end);
	if (*end == '?') {
		p = end + 1;
		end = p + strcspn(p, "#");
		parts->of[EVI_URI_QUERY] = span_of(p, end);
	}
	if (*end == '#')
		parts->of[EVI_URI_FRAGMENT] = span_of(end + 1, end + 1 + strlen(end + 1));
	for (enum evi_uri_part part = EVI_URI_PATH; part <= EVI_URI_FRAGMENT; part++) {
		if (parts->of[part].start != NULL && !evi_uri_is_part(part, parts->of[part], flags))
			return -1;
	}
	return 0;
}

/* Without a scheme a colon in the first segment would make the segment one. */
static int is_ambiguous(const struct parts *parts)
{
	const struct evi_span *path = &parts->of[EVI_URI_PATH];
	const char *colon = memchr(path->start, ':', path->len);
	const char *slash = memchr(path->start, '/', path->len);

	return colon != NULL && (slash == NULL || colon < slash);
}

static int split(const char *source, unsigned flags, struct parts *parts)
{
	const char *p = take_scheme(source, parts);
	int has_authority = p[0] == '/' && p[1] == '/';

	if (has_authority) {
		p = take_authority(p + 2, flags, parts);
		if (p == NULL)
			return -1;
	}
	if (take_tail(p, flags, parts) < 0)
		return -1;
	if (parts->of[EVI_URI_SCHEME].start == NULL && !has_authority && is_ambiguous(parts))
		return -1;
	return 0;
}

static void strip_brackets(struct parts *parts)
{
	struct evi_span *host = &parts->of[EVI_URI_HOST];

	if (host->start == NULL || host->len < 2 || host->start[0] != '[')
		return;
	host->start++;
	host->len -= 2;
	parts->is_bracketed = 1;
}

/* Everything in one block: the object, and behind it the parts one after the other. */
static struct evhttp_uri *build(const struct parts *parts, size_t source_len, unsigned flags)
{
	struct evhttp_uri *uri = evi_calloc(1, sizeof(*uri) + source_len + EVI_URI_PARTS);
	char *text;

	if (uri == NULL)
		return NULL;
	uri->flags = flags;
	uri->port = parts->port;
	uri->is_bracketed = parts->is_bracketed;
	text = uri->text;
	for (int part = 0; part < EVI_URI_PARTS; part++) {
		const struct evi_span *span = &parts->of[part];

		if (span->start == NULL)
			continue;
		memcpy(text, span->start, span->len);
		uri->part[part] = text;
		text += span->len + 1;
	}
	return uri;
}

struct evhttp_uri *evhttp_uri_parse_with_flags(const char *source_uri, unsigned flags)
{
	struct parts parts;

	memset(&parts, 0, sizeof(parts));
	parts.port = -1;
	if (split(source_uri, flags, &parts) < 0)
		return NULL;
	if (flags & EVHTTP_URI_HOST_STRIP_BRACKETS)
		strip_brackets(&parts);
	return build(&parts, strlen(source_uri), flags);
}

struct evhttp_uri *evhttp_uri_parse(const char *source_uri)
{
	return evhttp_uri_parse_with_flags(source_uri, 0);
}
