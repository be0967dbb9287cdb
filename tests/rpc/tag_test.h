/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TAG_TEST_H_INCLUDED
#define TAG_TEST_H_INCLUDED

/* What the tests of the tagged encoding share. */

#include "support.h"

#include <event2/buffer.h>
#include <event2/component/reactor.h>
#include <event2/tag.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exported without a public declaration. */
int evtag_decode_int(ev_uint32_t *number, struct evbuffer *evbuf);
int evtag_decode_int64(ev_uint64_t *number, struct evbuffer *evbuf);
int evtag_encode_tag(struct evbuffer *evbuf, ev_uint32_t tag);
int evtag_decode_tag(ev_uint32_t *tag, struct evbuffer *evbuf);

/* Bytes from hexadecimal text; blanks do not matter. Returns their number. */
static inline size_t bytes_of(const char *hex, unsigned char *out)
{
	size_t len = 0;
	unsigned value;
	int used;

	while (sscanf(hex, " %2x%n", &value, &used) == 1) {
		out[len++] = (unsigned char)value;
		hex += used;
	}
	return len;
}

static inline struct evbuffer *buffer_of(const char *hex)
{
	struct evbuffer *buf = evbuffer_new();
	unsigned char bytes[256];
	size_t len = bytes_of(hex, bytes);

	cr_assert_not_null(buf);
	cr_assert_eq(evbuffer_add(buf, bytes, len), 0);
	return buf;
}

static inline void ignore_cleanup(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	(void)arg;
}

/* The same bytes, each in a chain of its own; `bytes` must outlive the buffer. */
static inline struct evbuffer *scattered(const unsigned char *bytes, size_t len)
{
	struct evbuffer *buf = evbuffer_new();

	cr_assert_not_null(buf);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(evbuffer_add_reference(buf, bytes + i, 1, ignore_cleanup, NULL), 0);
	return buf;
}

/* The buffer holds exactly these bytes; it is emptied. */
static inline void expect_bytes(struct evbuffer *buf, const char *hex)
{
	unsigned char want[256];
	size_t len = bytes_of(hex, want);

	cr_expect_eq(evbuffer_get_length(buf), len, "%zu bytes instead of %s",
		     evbuffer_get_length(buf), hex);
	if (evbuffer_get_length(buf) == len && len > 0)
		cr_expect_eq(memcmp(evbuffer_pullup(buf, -1), want, len), 0, "not %s", hex);
	evbuffer_drain(buf, evbuffer_get_length(buf));
}

#endif
