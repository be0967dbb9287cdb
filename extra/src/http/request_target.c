/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a request is for: its target as a URI, and its host.
 */

#include "http/request.h"

#include <event2/component/reactor.h>

#include <string.h>

/* origin-form begins with "/" and has no authority, not even after "//". */
static struct evhttp_uri *parse_origin(const char *target)
{
	struct evhttp_uri *uri = evhttp_uri_new();
	struct evi_arena arena;
	char block[256];
	char *path;
	char *query = NULL;
	char *fragment;
	int err = -1;

	evi_arena_init(&arena, block, sizeof(block));
	path = evi_arena_copy(&arena, target, strlen(target));
	if (path != NULL && uri != NULL) {
		fragment = strchr(path, '#');
		if (fragment != NULL)
			*fragment++ = '\0';
		query = strchr(path, '?');
		if (query != NULL)
			*query++ = '\0';
		evhttp_uri_set_flags(uri, EVHTTP_URI_NONCONFORMANT);
		err = evhttp_uri_set_path(uri, path);
		if (err == 0 && query != NULL)
			err = evhttp_uri_set_query(uri, query);
		if (err == 0 && fragment != NULL)
			err = evhttp_uri_set_fragment(uri, fragment);
	}
	evi_arena_done(&arena);
	if (err == 0 || uri == NULL)
		return uri;
	evhttp_uri_free(uri);
	return NULL;
}

/* authority-form is host ":" port and nothing else. */
static struct evhttp_uri *parse_authority(const char *target)
{
	struct evhttp_uri *uri = NULL;
	struct evi_arena arena;
	char block[256];
	size_t len = strlen(target);

	if (target[strcspn(target, "/?#@")] != '\0')
		return NULL;
	evi_arena_init(&arena, block, sizeof(block));
	evi_arena_open(&arena);
	if (evi_arena_add(&arena, "//", 2) == 0 &&
	    evi_arena_add(&arena, target, len + 1) == 0)
		uri = evhttp_uri_parse(arena.open);
	evi_arena_done(&arena);
	return uri;
}

static struct evhttp_uri *parse(const struct evhttp_request *req)
{
	if (req->type == EVHTTP_REQ_CONNECT)
		return parse_authority(req->uri);
	if (req->uri[0] == '/')
		return parse_origin(req->uri);
	return evhttp_uri_parse_with_flags(req->uri, EVHTTP_URI_NONCONFORMANT);
}

/* The host of a Host field: without port, brackets kept. NULL when out of memory. */
static char *host_of_field(struct evi_request *r, const char *value)
{
	size_t len = strlen(value);
	const char *colon = strrchr(value, ':');

	/* The last colon is a port's if it is the only one, or stands behind the bracket. */
	if (colon != NULL && colon > value && (colon == strchr(value, ':') || colon[-1] == ']') &&
	    colon[1 + strspn(colon + 1, "0123456789")] == '\0')
		len = (size_t)(colon - value);
	return evi_arena_copy(&r->arena, value, len);
}

/* Made when it is first asked for: few programs do. */
const struct evhttp_uri *evhttp_request_get_evhttp_uri(const struct evhttp_request *req)
{
	struct evi_request *r = evi_request_of(req);

	if (r->own_uri == NULL && req->uri != NULL && req->uri_elems == NULL)
		r->pub.uri_elems = parse(req);
	return req->uri_elems;
}

const char *evhttp_request_get_host(struct evhttp_request *req)
{
	struct evi_request *r = evi_request_of(req);
	const struct evhttp_uri *uri;
	const char *host;

	if (req->host_cache != NULL)
		return req->host_cache;
	if (req->uri != NULL && (req->uri[0] != '/' || req->type == EVHTTP_REQ_CONNECT)) {
		uri = evhttp_request_get_evhttp_uri(req);
		host = uri != NULL ? evhttp_uri_get_host(uri) : NULL;
		if (host != NULL && *host != '\0')
			return host;
	}
	host = evhttp_find_header(req->input_headers, "Host");
	if (host != NULL)
		req->host_cache = host_of_field(r, host);
	return req->host_cache;
}
