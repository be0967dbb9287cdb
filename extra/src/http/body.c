/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of a body. Data are moved, not copied; only the framing between chunks is looked at.
 */

#include "http/body.h"

#include <errno.h>

/* A chunk callback gets whole chunks, but no more than this at once (bounded memory). */
#define PIECE_MAX 65536

int evi_body_start(struct evi_request *r, uint64_t body_max)
{
	r->body_left = r->framing.length;
	r->pub.body_size = 0;
	r->pub.chunked = r->framing.body == EVI_BODY_CHUNKED;
	r->pub.ntoread = r->framing.body == EVI_BODY_LENGTH ? (ev_int64_t)r->body_left : -1;
	if (r->framing.body == EVI_BODY_NONE)
		r->pub.ntoread = 0;
	if (r->framing.body == EVI_BODY_CHUNKED)
		evi_chunk_init(&r->chunk, &r->arena, r->head.size_max, r->head.fields_max);
	return r->framing.length > body_max ? -EMSGSIZE : 0;
}

static int is_in_pieces(const struct evi_request *r)
{
	return r->pub.chunk_cb != NULL || r->is_streamed;
}

static int move(struct evi_request *r, struct evbuffer *in, size_t len)
{
	if (r->drops_body)
		evbuffer_drain(in, len);
	else if (evbuffer_remove_buffer(in, r->pub.input_buffer, len) != (int)len)
		return -ENOMEM;
	r->pub.body_size += len;
	return 0;
}

/* evbuffer_remove_buffer() counts in int. */
static size_t portion(struct evbuffer *in, uint64_t wanted)
{
	size_t len = evbuffer_get_length(in);

	if (len > PIECE_MAX)
		len = PIECE_MAX;
	return len < wanted ? len : (size_t)wanted;
}

static enum evi_body_step read_length(struct evi_request *r, struct evbuffer *in)
{
	while (r->body_left > 0) {
		size_t len = portion(in, r->body_left);

		if (len == 0)
			return EVI_BODY_MORE;
		if (move(r, in, len) != 0)
			return EVI_BODY_MEMORY;
		r->body_left -= len;
		r->pub.ntoread = (ev_int64_t)r->body_left;
		if (is_in_pieces(r) &&
		    (evbuffer_get_length(in) == 0 || r->body_left == 0 ||
		     evbuffer_get_length(r->pub.input_buffer) >= PIECE_MAX))
			return EVI_BODY_PIECE;
	}
	return EVI_BODY_DONE;
}

static enum evi_body_step read_until_close(struct evi_request *r, struct evbuffer *in,
					   uint64_t body_max)
{
	size_t len = portion(in, UINT64_MAX);

	if (len == 0)
		return EVI_BODY_MORE;
	if (len > body_max - r->pub.body_size)
		return EVI_BODY_TOO_LONG;
	return move(r, in, len) == 0 ? EVI_BODY_PIECE : EVI_BODY_MEMORY;
}

/* The data of a chunk, as far as they are here. *ret_step is set when that is the end for now. */
static int read_data(struct evi_request *r, struct evbuffer *in, enum evi_body_step *ret_step)
{
	size_t len = portion(in, r->chunk.left);
	int is_full;

	*ret_step = EVI_BODY_MORE;
	if (len == 0)
		return 1;
	if (move(r, in, len) != 0) {
		*ret_step = EVI_BODY_MEMORY;
		return 1;
	}
	evi_chunk_passed(&r->chunk, len);
	is_full = evbuffer_get_length(r->pub.input_buffer) >= PIECE_MAX ||
		  (r->chunk.left == 0 && !r->is_streamed);
	*ret_step = EVI_BODY_PIECE;
	return is_full && is_in_pieces(r) && !r->drops_body;
}

static enum evi_body_step read_chunks(struct evi_request *r, struct evbuffer *in,
				      uint64_t body_max)
{
	for (;;) {
		struct evbuffer_iovec span = { 0 };
		enum evi_chunk_step step;
		enum evi_body_step ret;
		size_t used;

		if (r->chunk.left == 0) {
			if (evbuffer_peek(in, -1, NULL, &span, 1) < 1)
				return EVI_BODY_MORE;
			step = evi_chunk_take(&r->chunk, span.iov_base, span.iov_len, &used);
			evbuffer_drain(in, used);
			if (step == EVI_CHUNK_MORE)
				continue;
			if (step != EVI_CHUNK_DATA)
				return step == EVI_CHUNK_END ? EVI_BODY_DONE : EVI_BODY_BAD;
			if (r->chunk.left > body_max - r->pub.body_size)
				return EVI_BODY_TOO_LONG;
		}
		if (read_data(r, in, &ret))
			return ret;
	}
}

enum evi_body_step evi_body_read(struct evi_request *r, struct evbuffer *in, uint64_t body_max)
{
	switch (r->framing.body) {
	case EVI_BODY_LENGTH:
		return read_length(r, in);
	case EVI_BODY_CHUNKED:
		return read_chunks(r, in, body_max);
	case EVI_BODY_CLOSE:
		return read_until_close(r, in, body_max);
	default:
		return EVI_BODY_DONE;
	}
}
