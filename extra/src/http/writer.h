/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_WRITER_H_INCLUDED
#define HTTP_WRITER_H_INCLUDED

/*
 * Writes a message head straight into the space at the end of a buffer. The caller states an upper
 * bound of the whole first, so that there is one check for memory and none while writing.
 */

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct evi_writer {
	struct evbuffer *out;
	struct evbuffer_iovec space;
	char *at;
};

#define EVI_NUMBER_MAX 20 /* digits of a 64-bit number */

/* Make room for `max` bytes. 0 or -ENOMEM. */
int evi_writer_open(struct evi_writer *writer, struct evbuffer *out, size_t max);

/* Add what was written to the buffer. 0 or -ENOMEM. */
int evi_writer_close(struct evi_writer *writer);

/* Write bytes as they are. */
static inline void evi_write(struct evi_writer *writer, const char *bytes, size_t len)
{
	memcpy(writer->at, bytes, len);
	writer->at += len;
}

/* Write a string literal. */
#define EVI_WRITE(writer, literal) evi_write(writer, literal, sizeof(literal) - 1)

/* Write a string; control bytes become spaces, so that no line can end inside it. */
void evi_write_text_of(struct evi_writer *writer, const char *text, size_t len);

static inline void evi_write_text(struct evi_writer *writer, const char *text)
{
	evi_write_text_of(writer, text, strlen(text));
}

void evi_write_number(struct evi_writer *writer, uint64_t number);

/*
 * So few bytes are copied to where they go: that costs less than to link a piece of memory, and to
 * tell everyone concerned.
 */
#define EVI_COPIED_MAX 2048

/* Move all of a buffer, `len` bytes, to the writer, which has room for it. 0 or -ENOMEM. */
int evi_write_buffer(struct evi_writer *writer, struct evbuffer *from, size_t len);

/*
 * Move all of `piece`, which is not empty, to `out` as one chunk (RFC 9112 7.1). 0 or -ENOMEM.
 *
 * `io_room` is for the next call, and 0 before the first: what is left behind a chunk that was
 * copied. It may have been used meanwhile.
 */
int evi_write_chunk(struct evbuffer *out, struct evbuffer *piece, uint32_t *io_room);

/* The size of a list of fields on the wire, and the list itself, each line with its CR LF. */
size_t evi_fields_size(const struct evkeyvalq *list);
void evi_write_field(struct evi_writer *writer, const struct evkeyval *pair);

#endif
