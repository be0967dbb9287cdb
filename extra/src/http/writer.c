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

void evi_write_text(struct evi_writer *writer, const char *text)
{
	size_t left = strlen(text);

	for (;;) {
		size_t run = evi_scan_text(text, left);

		evi_write(writer, text, run);
		if (run == left)
			return;
		*writer->at++ = ' ';
		text += run + 1;
		left -= run + 1;
	}
}

void evi_write_number(struct evi_writer *writer, uint64_t number)
{
	char digits[EVI_NUMBER_MAX];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	evi_write(writer, digits + at, sizeof(digits) - at);
}

static int write_chunk_size(struct evbuffer *out, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char line[sizeof(len) * 2 + 2];
	size_t at = sizeof(line) - 2;

	line[sizeof(line) - 2] = '\r';
	line[sizeof(line) - 1] = '\n';
	do {
		line[--at] = hex[len & 15];
		len >>= 4;
	} while (len > 0);
	return evbuffer_add(out, line + at, sizeof(line) - at);
}

int evi_write_chunk(struct evbuffer *out, struct evbuffer *piece)
{
	if (write_chunk_size(out, evbuffer_get_length(piece)) != 0 ||
	    evbuffer_add_buffer(out, piece) != 0 || evbuffer_add(out, "\r\n", 2) != 0)
		return -ENOMEM;
	return 0;
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
