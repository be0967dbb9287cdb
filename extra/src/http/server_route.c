/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which callback serves a request: by host (aliases, then patterns of virtual hosts), then by path.
 */

#include "http/escape.h"
#include "http/scan.h"
#include "http/server.h"

#include <event2/component/reactor.h>

#include <string.h>

/* --- Hosts ------------------------------------------------------------------------------------ */

/* `*` matches any run of characters, the empty one too; everything else itself, in any case. */
static int is_match(const char *pattern, const char *name)
{
	const char *star = NULL;
	const char *retry = NULL;

	while (*name != '\0') {
		char pair[2][2] = { { *pattern, '\0' }, { *name, '\0' } };

		if (*pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (evi_text_casecmp(pair[0], pair[1]) == 0) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star;
			name = ++retry;
		} else {
			return 0;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* The server, or the virtual host below it, that has the alias. */
static struct evhttp *find_alias(struct evhttp *http, const char *name)
{
	for (struct evi_alias *alias = http->aliases; alias != NULL; alias = alias->next)
		if (evi_text_casecmp(alias->name, name) == 0)
			return http;
	for (struct evhttp *vhost = http->vhosts; vhost != NULL; vhost = vhost->next_vhost) {
		struct evhttp *found = find_alias(vhost, name);

		if (found != NULL)
			return found;
	}
	return NULL;
}

static struct evhttp *find_pattern(struct evhttp *http, const char *name)
{
	struct evhttp *vhost = http->vhosts;

	while (vhost != NULL) {
		if (is_match(vhost->pattern, name)) {
			http = vhost;
			vhost = http->vhosts;
		} else {
			vhost = vhost->next_vhost;
		}
	}
	return http;
}

static struct evhttp *find_host(struct evhttp *http, const char *name)
{
	struct evhttp *found = find_alias(http, name);

	return found != NULL ? found : find_pattern(http, name);
}

/* --- Paths ------------------------------------------------------------------------------------ */

/* The path of the target, not decoded. */
static const char *raw_path(struct evhttp_request *req, size_t *ret_len)
{
	const char *path = req->uri;

	if (path[0] != '/') {
		const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);

		path = uri != NULL ? evhttp_uri_get_path(uri) : "";
		if (path == NULL)
			path = "";
		if (*path == '\0' && uri != NULL && evhttp_uri_get_scheme(uri) != NULL)
			path = "/";
		*ret_len = strlen(path);
		return path;
	}
	*ret_len = strcspn(path, "?#");
	return path;
}

static int is_same(const struct evi_route *route, const char *path, size_t len)
{
	return route->len == len && memcmp(route->path, path, len) == 0;
}

static const struct evi_route *find_route(const struct evhttp *http, const char *path, size_t len)
{
	const struct evi_route *route = http->routes;

	while (route != NULL && !is_same(route, path, len))
		route = route->next;
	return route;
}

/* Like find_route(), with percent-encoding undone first. */
static const struct evi_route *find_encoded(const struct evhttp *http, const char *path, size_t len)
{
	const struct evi_route *route;
	char stack[256];
	char *decoded = len < sizeof(stack) ? stack : evi_malloc(len + 1);

	if (decoded == NULL)
		return NULL;
	route = find_route(http, decoded,
			   evi_percent_decode(path, len, EVI_PLUS_IS_PLUS, decoded));
	if (decoded != stack)
		evi_free(decoded);
	return route;
}

struct evi_handler evi_server_route(struct evhttp *http, struct evhttp_request *req)
{
	const struct evi_route *route = NULL;
	const char *host;
	const char *path;
	size_t len;

	if (http->vhosts != NULL || http->aliases != NULL) {
		host = evhttp_request_get_host(req);
		if (host != NULL)
			http = find_host(http, host);
	}
	if (http->routes != NULL) {
		path = raw_path(req, &len);
		route = memchr(path, '%', len) == NULL ? find_route(http, path, len)
						       : find_encoded(http, path, len);
	}
	if (route != NULL)
		return (struct evi_handler){ route->cb, route->arg, route->is_stream };
	return (struct evi_handler){ http->gencb, http->gencb_arg, 0 };
}

/* --- Sets ------------------------------------------------------------------------------------- */

static void unlink_vhost(struct evhttp *vhost)
{
	struct evhttp **link = &vhost->parent->vhosts;

	while (*link != vhost)
		link = &(*link)->next_vhost;
	*link = vhost->next_vhost;
	evi_free(vhost->pattern);
	vhost->pattern = NULL;
	vhost->parent = NULL;
	vhost->next_vhost = NULL;
}

void evi_server_free_routes(struct evhttp *http)
{
	if (http->parent != NULL)
		unlink_vhost(http);
	while (http->vhosts != NULL) {
		struct evhttp *vhost = http->vhosts;

		unlink_vhost(vhost);
		evhttp_free(vhost);
	}
	while (http->routes != NULL) {
		struct evi_route *route = http->routes;

		http->routes = route->next;
		evi_free(route);
	}
	while (http->aliases != NULL) {
		struct evi_alias *alias = http->aliases;

		http->aliases = alias->next;
		evi_free(alias);
	}
}

static int add_route(struct evhttp *http, const char *path,
		     void (*cb)(struct evhttp_request *, void *), void *cb_arg, int is_stream)
{
	size_t len = strlen(path);
	struct evi_route **end = &http->routes;
	struct evi_route *route;

	for (; *end != NULL; end = &(*end)->next)
		if (is_same(*end, path, len))
			return -1;
	route = evi_malloc(sizeof(*route) + len + 1);
	if (route == NULL)
		return -2;
	*route = (struct evi_route){
		.cb = cb, .arg = cb_arg, .is_stream = is_stream, .len = len
	};
	memcpy(route->path, path, len + 1);
	*end = route;
	return 0;
}

int evhttp_set_cb(struct evhttp *http, const char *path,
		  void (*cb)(struct evhttp_request *, void *), void *cb_arg)
{
	return add_route(http, path, cb, cb_arg, 0);
}

int evhttp_set_stream_cb(struct evhttp *http, const char *path,
			 void (*cb)(struct evhttp_request *, void *), void *cb_arg)
{
	return add_route(http, path, cb, cb_arg, 1);
}

int evhttp_del_cb(struct evhttp *http, const char *path)
{
	size_t len = strlen(path);
	struct evi_route **link = &http->routes;
	struct evi_route *route;

	while (*link != NULL && !is_same(*link, path, len))
		link = &(*link)->next;
	route = *link;
	if (route == NULL)
		return -1;
	*link = route->next;
	evi_free(route);
	return 0;
}

int evhttp_add_virtual_host(struct evhttp *http, const char *pattern, struct evhttp *vhost)
{
	struct evhttp **end = &http->vhosts;
	char *copy;

	if (vhost->parent != NULL || vhost->bound != NULL || vhost == http)
		return -1;
	copy = evi_strdup(pattern);
	if (copy == NULL)
		return -1;
	while (*end != NULL)
		end = &(*end)->next_vhost;
	*end = vhost;
	vhost->parent = http;
	vhost->pattern = copy;
	return 0;
}

int evhttp_remove_virtual_host(struct evhttp *http, struct evhttp *vhost)
{
	if (vhost->parent != http)
		return -1;
	unlink_vhost(vhost);
	return 0;
}

int evhttp_add_server_alias(struct evhttp *http, const char *alias)
{
	size_t len = strlen(alias);
	struct evi_alias **end = &http->aliases;
	struct evi_alias *added = evi_malloc(sizeof(*added) + len + 1);

	if (added == NULL)
		return -1;
	added->next = NULL;
	memcpy(added->name, alias, len + 1);
	while (*end != NULL)
		end = &(*end)->next;
	*end = added;
	return 0;
}

int evhttp_remove_server_alias(struct evhttp *http, const char *alias)
{
	struct evi_alias **link = &http->aliases;
	struct evi_alias *found;

	while (*link != NULL && evi_text_casecmp((*link)->name, alias) != 0)
		link = &(*link)->next;
	found = *link;
	if (found == NULL)
		return -1;
	*link = found->next;
	evi_free(found);
	return 0;
}
