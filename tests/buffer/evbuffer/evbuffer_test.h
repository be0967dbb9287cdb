/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVBUFFER_TEST_H_INCLUDED
#define EVBUFFER_TEST_H_INCLUDED

/* What the evbuffer suites share. */

#include "support.h"

#include <event2/buffer.h>
#include <event2/buffer_compat.h>

#include <string.h>

/* The content must be exactly these bytes; looks by copying, which rearranges nothing. */
static inline void expect_bytes(struct evbuffer *buf, const void *bytes, size_t len)
{
	char *copy = malloc(len + 1);

	cr_assert_eq(evbuffer_get_length(buf), len);
	cr_assert_eq(evbuffer_copyout_from(buf, NULL, copy, len), (ev_ssize_t)len);
	cr_assert(memcmp(copy, bytes, len) == 0);
	free(copy);
}

static inline void expect_text(struct evbuffer *buf, const char *text)
{
	expect_bytes(buf, text, strlen(text));
}

static inline struct evbuffer *buffer_of(const char *text)
{
	struct evbuffer *buf = evbuffer_new();

	cr_assert_eq(evbuffer_add(buf, text, strlen(text)), 0);
	return buf;
}

/* A buffer whose bytes lie in pieces of `size`. */
static inline struct evbuffer *pieces_of(const char *text, size_t size)
{
	struct evbuffer *buf = evbuffer_new();
	size_t len = strlen(text);

	for (size_t at = 0; at < len; at += size) {
		size_t n = len - at < size ? len - at : size;

		cr_assert_eq(evbuffer_add_reference(buf, text + at, n, NULL, NULL), 0);
	}
	return buf;
}

/* Counts what change callbacks were told. */
struct changes {
	int rounds;
	size_t orig, added, deleted; /* of the last round */
	size_t total_added, total_deleted;
};

static inline void count_changes(struct evbuffer *buf, const struct evbuffer_cb_info *info,
				 void *arg)
{
	struct changes *c = arg;

	(void)buf;
	c->rounds++;
	c->orig = info->orig_size;
	c->added = info->n_added;
	c->deleted = info->n_deleted;
	c->total_added += info->n_added;
	c->total_deleted += info->n_deleted;
}

/* Remembers the cleanup of a memory reference. */
struct cleanup {
	int calls;
	const void *data;
	size_t len;
};

static inline void note_cleanup(const void *data, size_t len, void *arg)
{
	struct cleanup *c = arg;

	c->calls++;
	c->data = data;
	c->len = len;
}

#endif
