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
	unsigned shift = 0;

	while (len >> shift > 15)
		shift += 4;
	*writer->at++ = hex[len >> shift];
	while (shift > 0) {
		shift -= 4;
		*writer->at++ = hex[len >> shift & 15];
	}
	EVI_WRITE(writer, "\r\n");
}

int evi_write_chunk(struct evbuffer *out, struct evbuffer *piece)
{
	size_t len = evbuffer_get_length(piece);
	size_t copied = len <= EVI_COPIED_MAX ? len : 0;
	struct evi_writer w;

	if (evi_writer_open(&w, out, CHUNK_FIXED + copied) != 0)
		return -ENOMEM;
	write_chunk_size(&w, len);
	if (copied == 0)
		return evi_writer_close(&w) != 0 || evbuffer_add_buffer(out, piece) != 0 ||
				       evbuffer_add(out, "\r\n", 2) != 0
			       ? -ENOMEM
			       : 0;
	if (evi_write_buffer(&w, piece, len) != 0)
		return -ENOMEM;
	EVI_WRITE(&w, "\r\n");
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
