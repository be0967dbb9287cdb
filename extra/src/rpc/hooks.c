/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hooks, data kept with a call, pausing and resuming: the same for servers and clients.
 *
 * A hook may add and remove hooks, itself included: removal while a chain runs is put off to its
 * end.
 */

#include "hooks.h"

#include <event2/component/reactor.h>

#include <string.h>

#define PATH_PREFIX "/.rpc."

struct evi_hook {
	struct evi_hook *next;
	int (*cb)(void *ctx, struct evhttp_request *req, struct evbuffer *data, void *arg);
	void *arg;
	int is_removed;
};

struct evi_meta {
	struct evi_meta *next;
	char *key; /* behind the data, in the same block */
	size_t size;
	max_align_t data[];
};

/* --- Names ----------------------------------------------------------------------------------- */

static int is_good_name(const char *name)
{
	if (*name == '\0')
		return 0;
	for (; *name != '\0'; name++)
		if ((unsigned char)*name <= ' ' || *name == 0x7f || strchr("/?#", *name) != NULL)
			return 0;
	return 1;
}

char *evi_rpc_path(const char *name)
{
	size_t len = strlen(name);
	char *path;

	if (!is_good_name(name))
		return NULL;
	path = evi_malloc(sizeof(PATH_PREFIX) + len);
	if (path == NULL)
		return NULL;
	memcpy(path, PATH_PREFIX, sizeof(PATH_PREFIX) - 1);
	memcpy(path + sizeof(PATH_PREFIX) - 1, name, len + 1);
	return path;
}

/* --- Chains ---------------------------------------------------------------------------------- */

static void sweep(struct evi_hook **link)
{
	while (*link != NULL) {
		struct evi_hook *hook = *link;

		if (hook->is_removed) {
			*link = hook->next;
			evi_free(hook);
		} else {
			link = &hook->next;
		}
	}
}

static void chain_ended(struct evi_hooks *hooks)
{
	if (--hooks->running > 0)
		return;
	sweep(&hooks->lists[EVRPC_INPUT]);
	sweep(&hooks->lists[EVRPC_OUTPUT]);
}

enum EVRPC_HOOK_RESULT evi_hooks_run(struct evi_hooks *hooks, enum EVRPC_HOOK_TYPE type, void *ctx,
				     struct evhttp_request *req, struct evbuffer *data)
{
	int result = EVRPC_CONTINUE;

	hooks->running++;
	for (struct evi_hook *hook = hooks->lists[type]; hook != NULL; hook = hook->next) {
		if (!hook->is_removed)
			result = hook->cb(ctx, req, data, hook->arg);
		if (result != EVRPC_CONTINUE)
			break;
	}
	chain_ended(hooks);
	if (result != EVRPC_CONTINUE && result != EVRPC_PAUSE)
		return EVRPC_TERMINATE;
	return (enum EVRPC_HOOK_RESULT)result;
}

void evi_hooks_done(struct evi_hooks *hooks)
{
	hooks->running++;
	for (int type = EVRPC_INPUT; type <= EVRPC_OUTPUT; type++)
		for (struct evi_hook *hook = hooks->lists[type]; hook != NULL; hook = hook->next)
			hook->is_removed = 1;
	chain_ended(hooks);
}

void *evrpc_add_hook(void *vbase, enum EVRPC_HOOK_TYPE hook_type,
		     int (*cb)(void *, struct evhttp_request *, struct evbuffer *, void *),
		     void *cb_arg)
{
	struct evi_hooks *hooks = vbase;
	struct evi_hook **link, *hook;

	if (hook_type != EVRPC_INPUT && hook_type != EVRPC_OUTPUT)
		return NULL;
	hook = evi_calloc(1, sizeof(*hook));
	if (hook == NULL)
		return NULL;
	hook->cb = cb;
	hook->arg = cb_arg;
	for (link = &hooks->lists[hook_type]; *link != NULL; link = &(*link)->next)
		;
	*link = hook;
	return hook;
}

int evrpc_remove_hook(void *vbase, enum EVRPC_HOOK_TYPE hook_type, void *handle)
{
	struct evi_hooks *hooks = vbase;
	struct evi_hook *hook;

	if (hook_type != EVRPC_INPUT && hook_type != EVRPC_OUTPUT)
		return 0;
	for (hook = hooks->lists[hook_type]; hook != NULL; hook = hook->next)
		if (hook == handle && !hook->is_removed)
			break;
	if (hook == NULL)
		return 0;
	hooks->running++;
	hook->is_removed = 1;
	chain_ended(hooks);
	return 1;
}

/* --- Pausing --------------------------------------------------------------------------------- */

void evi_hooks_pause(struct evi_hooks *hooks, struct evrpc_hook_meta *meta,
		     void (*resume)(void *ctx, int is_continued))
{
	meta->resume = resume;
	meta->next = hooks->paused;
	meta->link = &hooks->paused;
	if (meta->next != NULL)
		meta->next->link = &meta->next;
	hooks->paused = meta;
}

void evi_hooks_unpause(struct evrpc_hook_meta *meta)
{
	if (meta->link == NULL)
		return;
	*meta->link = meta->next;
	if (meta->next != NULL)
		meta->next->link = meta->link;
	meta->link = NULL;
}

int evrpc_resume_request(void *vbase, void *ctx, enum EVRPC_HOOK_RESULT res)
{
	struct evi_hooks *hooks = vbase;
	struct evrpc_hook_meta *meta;

	for (meta = hooks->paused; meta != NULL; meta = meta->next)
		if (meta->ctx == ctx)
			break;
	if (meta == NULL)
		return -1;
	evi_hooks_unpause(meta);
	meta->resume(ctx, res == EVRPC_CONTINUE);
	return 0;
}

/* --- Data kept with a call -------------------------------------------------------------------- */

void evi_hook_meta_init(struct evrpc_hook_meta *meta, void *ctx)
{
	memset(meta, 0, sizeof(*meta));
	meta->ctx = ctx;
}

void evi_hook_meta_done(struct evrpc_hook_meta *meta)
{
	evi_hooks_unpause(meta);
	while (meta->first != NULL) {
		struct evi_meta *first = meta->first;

		meta->first = first->next;
		evi_free(first);
	}
}

static struct evrpc_hook_meta *meta_of(void *ctx)
{
	return *(struct evrpc_hook_meta **)ctx;
}

int evrpc_hook_add_meta(void *ctx, const char *key, const void *data, size_t data_size)
{
	struct evi_meta **link = &meta_of(ctx)->first, *meta;
	size_t key_size = strlen(key) + 1;

	if (data_size > SIZE_MAX - sizeof(*meta) - key_size)
		return -1;
	meta = evi_malloc(sizeof(*meta) + data_size + key_size);
	if (meta == NULL)
		return -1;
	meta->next = NULL;
	meta->size = data_size;
	if (data_size > 0)
		memcpy(meta->data, data, data_size);
	meta->key = (char *)meta->data + data_size;
	memcpy(meta->key, key, key_size);
	while (*link != NULL)
		link = &(*link)->next;
	*link = meta;
	return 0;
}

int evrpc_hook_find_meta(void *ctx, const char *key, void **data, size_t *data_size)
{
	for (struct evi_meta *meta = meta_of(ctx)->first; meta != NULL; meta = meta->next)
		if (strcmp(meta->key, key) == 0) {
			*data = meta->data;
			*data_size = meta->size;
			return 0;
		}
	return -1;
}

struct evhttp_connection *evrpc_hook_get_connection(void *ctx)
{
	const struct evrpc_hook_meta *meta = meta_of(ctx);

	if (meta->http_req != NULL)
		return evhttp_request_get_connection(meta->http_req);
	return meta->evcon;
}
