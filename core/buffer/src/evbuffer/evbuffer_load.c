/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evbuffer: bringing file ranges into memory, when somebody wants to look at them.
 *
 * Piece by piece, each the size of a pooled block, and only as far as asked: a file much larger
 * than memory can pass through a buffer.
 */

#include "chain/chain.h"
#include "evbuffer/file_segment.h"
#include "evbuffer/store.h"

#define PIECE EVI_CHAIN_ROOM_MAX

/* Cuts `len` bytes off the front of the chain that `link` refers to; both are then linked there. */
static int cut(struct evi_chain **link, size_t len)
{
	struct evi_chain *chain = *link, *front = evi_chain_split(chain, len);

	if (front == NULL)
		return -ENOMEM;
	evi_chain_skip(chain, len);
	front->next = chain;
	*link = front;
	return 0;
}

/* Puts a memory chain with the range's bytes in place of the chain that `link` refers to. */
static int replace(struct evbuffer *buf, struct evi_chain **link)
{
	struct evi_chain *chain = *link, *loaded = evi_chain_new(chain->len);
	const struct evi_chain_file *file = (const struct evi_chain_file *)chain;
	int err;

	if (loaded == NULL)
		return -ENOMEM;
	err = evi_segment_read(file->segment, file->end - (ev_off_t)chain->len, loaded->data,
			       chain->len);
	if (err < 0) {
		evi_chain_unref(loaded);
		return err;
	}
	loaded->len = chain->len;
	loaded->room -= chain->len;
	loaded->next = chain->next;
	*link = loaded;
	if (buf->last == chain)
		buf->last = loaded;
	evi_chain_unref(chain);
	return 0;
}

/*
 * Loads the piece that holds the byte `skipped` bytes into a file chain, cutting off what is
 * around.
 */
static int load_piece(struct evbuffer *buf, struct evi_chain **link, size_t skipped)
{
	size_t before = skipped / PIECE * PIECE;

	evi_evbuffer_renumber(buf);
	if (before > 0) {
		if (cut(link, before) < 0)
			return -ENOMEM;
		link = &(*link)->next;
	}
	if ((*link)->len > PIECE && cut(link, PIECE) < 0)
		return -ENOMEM;
	return replace(buf, link);
}

int evi_evbuffer_load_files(struct evbuffer *buf, size_t position, size_t n)
{
	struct evi_chain **link = &buf->first;
	size_t at = 0, end = n < buf->len - position ? position + n : buf->len;
	int has_more = 0, err;

	while (*link != NULL && at < end) {
		struct evi_chain *chain = *link;
		int is_file = chain->kind == EVI_CHAIN_FILE;

		if (is_file && at + chain->len > position) {
			err = load_piece(buf, link, position > at ? position - at : 0);
			if (err < 0)
				return err;
			continue;
		}
		has_more |= is_file;
		at += chain->len;
		link = &chain->next;
	}
	if (*link == NULL && !has_more)
		buf->flags &= (uint16_t)~EVI_BUF_UNLOADED;
	return 0;
}
