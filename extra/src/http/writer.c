/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Message heads on their way out. Whatever a program puts into names, values and phrases, no byte
 * of it ends a line (response splitting).
 */

#include "http/writer.h"

#include "http/queue.h"
#include "http/scan.h"

#include <errno.h>
#include <string.h>

/* What a block for chunks is asked to hold at most. */
#define CHUNKS_BLOCK_MAX 8192

#define CHUNK_FIXED (sizeof(size_t) * 2 + 4) /* the size, and the ends of two lines */

int evi_writer_open(struct evi_writer *writer, struct evbuffer *out, size_t max)
{
	writer->out = out;
	if (max > EV_SSIZE_MAX ||
	    evbuffer_reserve_space(out, (ev_ssize_t)max, &writer->space, 1) != 1)
		return -ENOMEM;
	writer->at = writer->space.iov_base;
	return 0;
}

int evi_writer_close(struct evi_writer *writer)
{
	writer->space.iov_len = (size_t)(writer->at - (char *)writer->space.iov_base);
	return evbuffer_commit_space(writer->out, &writer->space, 1) == 0 ? 0 : -ENOMEM;
}

void evi_write_text_of(struct evi_writer *writer, const char *text, size_t len)
{
	for (;;) {
		size_t run = evi_copy_text(writer->at, text, len);

		writer->at += run;
		if (run == len)
			return;
		*writer->at++ = ' ';
		text += run + 1;
		len -= run + 1;
	}
}

void evi_write_number(struct evi_writer *writer, uint64_t number)
{
	char digits[EVI_NUMBER_MAX];
	size_t at = sizeof(digits);

	if (number < 10) {
		*writer->at++ = (char)('0' + number);
		return;
	}
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	evi_write(writer, digits + at, sizeof(digits) - at);
}

int evi_write_buffer(struct evi_writer *writer, struct evbuffer *from, size_t len)
{
	if (len > 0 && evbuffer_remove(from, writer->at, len) != (int)len)
		return -ENOMEM;
	writer->at += len;
	return 0;
}

static void write_chunk_size(struct evi_writer *writer, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char *end = writer->at + 1;

	for (size_t rest = len >> 4; rest > 0; rest >>= 4)
		end++;
	writer->at = end;
	do {
		*--end = hex[len & 15];
		len >>= 4;
	} while (len > 0);
	EVI_WRITE(writer, "\r\n");
}

/* A piece too large to be copied: its memory goes between size and line end. */
static int link_chunk(struct evbuffer *out, struct evbuffer *piece, size_t len)
{
	struct evi_writer w;

	if (evi_writer_open(&w, out, CHUNK_FIXED) != 0)
		return -ENOMEM;
	write_chunk_size(&w, len);
	return evi_writer_close(&w) != 0 || evbuffer_add_buffer(out, piece) != 0 ||
			       evbuffer_add(out, "\r\n", 2) != 0
		       ? -ENOMEM
		       : 0;
}

/*
 * Where many chunks gather, each block is as large as all before it: there are few then, and at
 * most half of the last is not used.
 */
static size_t room_wanted(const struct evbuffer *out, size_t need, size_t room)
{
	size_t waiting = evbuffer_get_length(out);

	if (room >= need || waiting <= need)
		return need;
	return waiting < CHUNKS_BLOCK_MAX ? waiting : CHUNKS_BLOCK_MAX;
}

int evi_write_chunk(struct evbuffer *out, struct evbuffer *piece, uint32_t *io_room)
{
	size_t len = evbuffer_get_length(piece), need = CHUNK_FIXED + len, left;
	struct evi_writer w;

	if (len > EVI_COPIED_MAX) {
		*io_room = 0;
		return link_chunk(out, piece, len);
	}
	if (evi_writer_open(&w, out, room_wanted(out, need, *io_room)) != 0)
		return -ENOMEM;
	write_chunk_size(&w, len);
	if (evi_write_buffer(&w, piece, len) != 0)
		return -ENOMEM;
	EVI_WRITE(&w, "\r\n");
	left = w.space.iov_len - (size_t)(w.at - (char *)w.space.iov_base);
	*io_room = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
	return evi_writer_close(&w);
}

size_t evi_fields_size(const struct evkeyvalq *list)
{
	const struct evkeyval *pair;
	size_t size = 0;

	EVI_QUEUE_EACH(pair, list, next)
		size += strlen(pair->key) + strlen(pair->value) + 4;
	return size;
}

void evi_write_field(struct evi_writer *writer, const struct evkeyval *pair)
{
	evi_write_text(writer, pair->key);
	EVI_WRITE(writer, ": ");
	evi_write_text(writer, pair->value);
	EVI_WRITE(writer, "\r\n");
}
