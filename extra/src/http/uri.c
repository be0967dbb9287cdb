/* SPDX-License-Identifier: BSD-3-Clause */
/* URI objects: their parts, and putting them together again (RFC 3986 section 5.3). */

#include "http/uri.h"

#include <event2/util.h>

#include <string.h>

struct evhttp_uri *evhttp_uri_new(void)
{
	struct evhttp_uri *uri = evi_calloc(1, sizeof(*uri));

	if (uri != NULL)
		uri->port = -1;
	return uri;
}

void evhttp_uri_free(struct evhttp_uri *uri)
{
	if (uri == NULL)
		return;
	for (int part = 0; part < EVI_URI_PARTS; part++)
		evi_free(uri->owned[part]);
	evi_free(uri);
}

void evhttp_uri_set_flags(struct evhttp_uri *uri, unsigned flags)
{
	uri->flags = flags;
}

const char *evhttp_uri_get_scheme(const struct evhttp_uri *uri)
{
	return uri->part[EVI_URI_SCHEME];
}

const char *evhttp_uri_get_userinfo(const struct evhttp_uri *uri)
{
	return uri->part[EVI_URI_USERINFO];
}

const char *evhttp_uri_get_host(const struct evhttp_uri *uri)
{
	return uri->part[EVI_URI_HOST];
}

const char *evhttp_uri_get_unixsocket(const struct evhttp_uri *uri)
{
	return uri->part[EVI_URI_UNIXSOCKET];
}

int evhttp_uri_get_port(const struct evhttp_uri *uri)
{
	return uri->port;
}

const char *evhttp_uri_get_path(const struct evhttp_uri *uri)
{
	return uri->part[EVI_URI_PATH];
}

const char *evhttp_uri_get_query(const struct evhttp_uri *uri)
{
	return uri->part[EVI_URI_QUERY];
}

const char *evhttp_uri_get_fragment(const struct evhttp_uri *uri)
{
	return uri->part[EVI_URI_FRAGMENT];
}

/* Takes `copy`, which may be NULL. */
static void replace(struct evhttp_uri *uri, enum evi_uri_part part, char *copy)
{
	evi_free(uri->owned[part]);
	uri->owned[part] = copy;
	uri->part[part] = copy;
}

static int set(struct evhttp_uri *uri, enum evi_uri_part part, const char *value)
{
	char *copy = NULL;

	if (value != NULL) {
		struct evi_span span = { value, strlen(value) };

		if (!evi_uri_is_part(part, span, uri->flags))
			return -1;
		copy = evi_strdup(value);
		if (copy == NULL)
			return -1;
	}
	replace(uri, part, copy);
	return 0;
}

int evhttp_uri_set_scheme(struct evhttp_uri *uri, const char *scheme)
{
	return set(uri, EVI_URI_SCHEME, scheme);
}

int evhttp_uri_set_userinfo(struct evhttp_uri *uri, const char *userinfo)
{
	return set(uri, EVI_URI_USERINFO, userinfo);
}

int evhttp_uri_set_host(struct evhttp_uri *uri, const char *host)
{
	char *copy;

	if (set(uri, EVI_URI_HOST, host) < 0)
		return -1;
	copy = uri->owned[EVI_URI_HOST];
	uri->is_bracketed =
		copy != NULL && copy[0] == '[' && (uri->flags & EVHTTP_URI_HOST_STRIP_BRACKETS);
	if (uri->is_bracketed) {
		size_t inner = strlen(copy) - 2;

		memmove(copy, copy + 1, inner);
		copy[inner] = '\0';
	}
	return 0;
}

int evhttp_uri_set_unixsocket(struct evhttp_uri *uri, const char *unixsocket)
{
	return set(uri, EVI_URI_UNIXSOCKET, unixsocket);
}

int evhttp_uri_set_port(struct evhttp_uri *uri, int port)
{
	if (port < -1)
		return -1;
	uri->port = port;
	return 0;
}

int evhttp_uri_set_path(struct evhttp_uri *uri, const char *path)
{
	return set(uri, EVI_URI_PATH, path);
}

int evhttp_uri_set_query(struct evhttp_uri *uri, const char *query)
{
	return set(uri, EVI_URI_QUERY, query);
}

/* A fragment that is parsed leniently may contain '#'; one that is set may not. */
int evhttp_uri_set_fragment(struct evhttp_uri *uri, const char *fragment)
{
	if (fragment != NULL && strchr(fragment, '#') != NULL)
		return -1;
	return set(uri, EVI_URI_FRAGMENT, fragment);
}

/* Appends as long as it fits. */
struct output {
	char *at;
	size_t left; /* without the NUL */
	int is_cut;
};

static void put(struct output *out, const char *text)
{
	size_t len = strlen(text);

	if (out->is_cut || len > out->left) {
		out->is_cut = 1;
		return;
	}
	memcpy(out->at, text, len);
	out->at += len;
	out->left -= len;
}

static void put_host(struct output *out, const struct evhttp_uri *uri)
{
	char port[16];

	if (uri->is_bracketed)
		put(out, "[");
	put(out, uri->part[EVI_URI_HOST]);
	if (uri->is_bracketed)
		put(out, "]");
	if (uri->port < 0)
		return;
	(void)evutil_snprintf(port, sizeof(port), ":%d", uri->port);
	put(out, port);
}

static void put_authority(struct output *out, const struct evhttp_uri *uri)
{
	const char *unixsocket = uri->part[EVI_URI_UNIXSOCKET];

	if (unixsocket == NULL && uri->part[EVI_URI_HOST] == NULL)
		return;
	put(out, "//");
	if (uri->part[EVI_URI_USERINFO] != NULL) {
		put(out, uri->part[EVI_URI_USERINFO]);
		put(out, "@");
	}
	if (unixsocket == NULL) {
		put_host(out, uri);
		return;
	}
	put(out, "unix:");
	put(out, unixsocket);
	put(out, ":");
}

static void put_part(struct output *out, const char *before, const char *part)
{
	if (part == NULL)
		return;
	put(out, before);
	put(out, part);
}

char *evhttp_uri_join(const struct evhttp_uri *uri, char *buf, size_t limit)
{
	struct output out = { .at = buf, .left = limit - 1 };
	const char *path;

	if (uri == NULL || buf == NULL || limit == 0)
		return NULL;
	path = uri->part[EVI_URI_PATH] != NULL ? uri->part[EVI_URI_PATH] : "";
	if ((uri->part[EVI_URI_HOST] != NULL || uri->part[EVI_URI_UNIXSOCKET] != NULL) &&
	    *path != '\0' && *path != '/')
		return NULL;
	if (uri->part[EVI_URI_SCHEME] != NULL) {
		put(&out, uri->part[EVI_URI_SCHEME]);
		put(&out, ":");
	}
	put_authority(&out, uri);
	put(&out, path);
	put_part(&out, "?", uri->part[EVI_URI_QUERY]);
	put_part(&out, "#", uri->part[EVI_URI_FRAGMENT]);
	if (out.is_cut)
		return NULL;
	*out.at = '\0';
	return buf;
}
