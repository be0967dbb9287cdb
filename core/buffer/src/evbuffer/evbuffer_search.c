/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evbuffer: searching for bytes.
 *
 * Within a chain memmem() does it. A match across chains is looked for in a window: a copy of the
 * bytes around the border, or of as many small chains as go in. A window is at least twice as long
 * as the pattern, so each byte is copied at most twice and the whole stays linear.
 */

#include "chain/chain.h"
#include "chain/memory_search.h"
#include "evbuffer/store.h"

#include <event2/buffer_compat.h>

#include <errno.h>
#include <string.h>

/* Patterns up to half of this need no allocation. */
#define WINDOW_ON_STACK 512

struct search {
	const unsigned char *what;
	size_t what_len;
	struct evi_place place; /* where a match may begin next */
	size_t position;        /* the same, as a number */
	size_t left;            /* bytes that may be looked at from there on */
	unsigned char *window;
	size_t window_len;
};

static void advance(struct search *s, size_t n)
{
	s->position += n;
	s->left -= n;
	s->place.offset += n;
	while (s->place.chain != NULL && s->place.offset >= s->place.chain->len) {
		s->place.offset -= s->place.chain->len;
		s->place.chain = s->place.chain->next;
	}
}

/*
 * Copies bytes from the place on into the window. It ends once it reaches `what_len - 1` bytes into
 * a chain that is long enough to be searched where it is.
 */
static size_t fill_window(struct search *s)
{
	const struct evi_chain *chain = s->place.chain;
	size_t offset = s->place.offset, len = 0;
	size_t limit = s->left < s->window_len ? s->left : s->window_len;

	while (len < limit) {
		size_t part = chain->len - offset;
		int is_long = len > 0 && part >= s->what_len;

		if (is_long)
			part = s->what_len - 1;
		if (part > limit - len)
			part = limit - len;
		memcpy(s->window + len, chain->data + offset, part);
		len += part;
		offset = 0;
		chain = chain->next;
		if (is_long)
			break;
	}
	return len;
}

/* Looks for a match that begins in a window; moves on behind the beginnings looked at. */
static int search_window(struct search *s)
{
	size_t len = fill_window(s);
	const unsigned char *hit = evi_memory_find(s->window, len, s->what, s->what_len);

	advance(s, hit != NULL ? (size_t)(hit - s->window) : len - s->what_len + 1);
	return hit != NULL;
}

static int search_chain(struct search *s, size_t len)
{
	const unsigned char *at = s->place.chain->data + s->place.offset;
	const unsigned char *hit = evi_memory_find(at, len, s->what, s->what_len);

	advance(s, hit != NULL ? (size_t)(hit - at) : len - s->what_len + 1);
	return hit != NULL;
}

/* 1 if found, 0 if not. Each step moves on by one byte at least. */
static int search_run(struct search *s)
{
	while (s->left >= s->what_len) {
		size_t len = s->place.chain->len - s->place.offset;
		int found;

		if (len > s->left)
			len = s->left;
		found = len >= s->what_len ? search_chain(s, len) : search_window(s);
		if (found)
			return 1;
	}
	return 0;
}

/* Whether a match is there; its place is in `s`. Without memory for a window: -ENOMEM. */
static int search_with_window(struct search *s)
{
	unsigned char on_stack[WINDOW_ON_STACK];
	unsigned char *block = NULL;
	int found;

	s->window = on_stack;
	s->window_len = sizeof(on_stack);
	if (s->what_len > WINDOW_ON_STACK / 2 && s->left > s->place.chain->len - s->place.offset) {
		if (s->what_len > (size_t)EV_SSIZE_MAX / 2)
			return 0;
		s->window_len = 2 * s->what_len;
		s->window = block = evi_malloc(s->window_len);
		if (block == NULL)
			return -ENOMEM;
	}
	found = search_run(s);
	evi_free(block);
	return found;
}

/* The number of the last position a match may end before. */
static size_t end_of_range(const struct evbuffer *buf, const struct evbuffer_ptr *end)
{
	if (end == NULL || end->pos < 0 || (size_t)end->pos > buf->len)
		return buf->len;
	return (size_t)end->pos;
}

static struct evbuffer_ptr search_locked(struct evbuffer *buf, const char *what, size_t len,
					 const struct evbuffer_ptr *start,
					 const struct evbuffer_ptr *end)
{
	struct search s = { .what = (const unsigned char *)what, .what_len = len };
	size_t limit = end_of_range(buf, end);

	if (evi_evbuffer_place_of(buf, start, &s.position, &s.place) < 0)
		return evi_evbuffer_ptr_none();
	if (len == 0)
		return evi_evbuffer_ptr_at(buf, s.position, s.place);
	if (limit < s.position || len > limit - s.position)
		return evi_evbuffer_ptr_none();
	s.left = limit - s.position;
	if (buf->flags & EVI_BUF_UNLOADED) {
		if (evi_evbuffer_load(buf, s.position, s.left) < 0)
			return evi_evbuffer_ptr_none();
		s.place = evi_evbuffer_locate(buf, s.position);
	}
	if (search_with_window(&s) <= 0)
		return evi_evbuffer_ptr_none();
	return evi_evbuffer_ptr_at(buf, s.position, s.place);
}

struct evbuffer_ptr evbuffer_search_range(struct evbuffer *buf, const char *what, size_t len,
					  const struct evbuffer_ptr *start,
					  const struct evbuffer_ptr *end)
{
	struct evbuffer_ptr found;

	evi_evbuffer_lock(buf);
	found = search_locked(buf, what, len, start, end);
	evi_evbuffer_unlock(buf);
	return found;
}

struct evbuffer_ptr evbuffer_search(struct evbuffer *buf, const char *what, size_t len,
				    const struct evbuffer_ptr *start)
{
	return evbuffer_search_range(buf, what, len, start, NULL);
}

unsigned char *evbuffer_find(struct evbuffer *buf, const unsigned char *what, size_t len)
{
	unsigned char *data = NULL;
	struct evbuffer_ptr found;

	if (len == 0)
		return NULL;
	evi_evbuffer_lock(buf);
	found = search_locked(buf, (const char *)what, len, NULL, NULL);
	if (found.pos >= 0) {
		data = evi_store_pullup(buf, (size_t)found.pos + len);
		if (data != NULL)
			data += found.pos;
	}
	evi_evbuffer_unlock(buf);
	return data;
}
