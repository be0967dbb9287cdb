/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Marshalling into evbuffers. An element is written whole or not at all: these functions return
 * nothing, and half an element would make everything behind it unreadable.
 */

#include "tag.h"
#include "tag_wire.h"

#include <event2/buffer.h>
#include <event2/component/reactor.h>

#include <string.h>

/* Append both parts, which is all or nothing because the space is reserved as one piece. */
static int append(struct evbuffer *evbuf, const void *head, size_t head_len, const void *data,
		  size_t data_len)
{
	struct evbuffer_iovec space;

	if (evbuffer_reserve_space(evbuf, (ev_ssize_t)(head_len + data_len), &space, 1) != 1)
		return -1;
	memcpy(space.iov_base, head, head_len);
	if (data_len > 0)
		memcpy((char *)space.iov_base + head_len, data, data_len);
	space.iov_len = head_len + data_len;
	return evbuffer_commit_space(evbuf, &space, 1);
}

/* What a length on the wire can say, and a buffer can hold with the head before it. */
#define PAYLOAD_MAX \
	((size_t)EV_SSIZE_MAX < EV_UINT32_MAX ? (size_t)EV_SSIZE_MAX - EVI_HEAD_MAX_BYTES \
					      : (size_t)EV_UINT32_MAX)

static void warn_dropped(ev_uint32_t tag)
{
	event_warnx("evtag: element with tag %lu dropped: it is too long, or memory is short",
		    (unsigned long)tag);
}

static void append_element(struct evbuffer *evbuf, ev_uint32_t tag, const void *data, size_t len)
{
	uint8_t head[EVI_HEAD_MAX_BYTES];
	size_t head_len;

	if (len <= PAYLOAD_MAX) {
		head_len = evi_head_encode(head, tag, (uint32_t)len);
		if (append(evbuf, head, head_len, data, len) == 0)
			return;
	}
	warn_dropped(tag);
}

void evtag_init(void)
{
}

int evtag_encode_tag(struct evbuffer *evbuf, ev_uint32_t tag)
{
	uint8_t bytes[EVI_TAG_MAX_BYTES];
	size_t len = evi_tag_encode(bytes, tag);

	if (evbuf != NULL && evbuffer_add(evbuf, bytes, len) != 0)
		return -1;
	return (int)len;
}

void evtag_encode_int64(struct evbuffer *evbuf, ev_uint64_t number)
{
	uint8_t bytes[EVI_INT64_MAX_BYTES];
	size_t len = evi_int_encode(bytes, number);

	if (evbuffer_add(evbuf, bytes, len) != 0)
		event_warnx("evtag: integer dropped: memory is short");
}

void evtag_encode_int(struct evbuffer *evbuf, ev_uint32_t number)
{
	evtag_encode_int64(evbuf, number);
}

void evtag_marshal(struct evbuffer *evbuf, ev_uint32_t tag, const void *data, ev_uint32_t len)
{
	append_element(evbuf, tag, data, len);
}

void evtag_marshal_string(struct evbuffer *buf, ev_uint32_t tag, const char *string)
{
	append_element(buf, tag, string, strlen(string));
}

void evtag_marshal_int64(struct evbuffer *evbuf, ev_uint32_t tag, ev_uint64_t integer)
{
	uint8_t bytes[EVI_INT64_MAX_BYTES];

	append_element(evbuf, tag, bytes, evi_int_encode(bytes, integer));
}

void evtag_marshal_int(struct evbuffer *evbuf, ev_uint32_t tag, ev_uint32_t integer)
{
	evtag_marshal_int64(evbuf, tag, integer);
}

void evtag_marshal_timeval(struct evbuffer *evbuf, ev_uint32_t tag, struct timeval *tv)
{
	uint8_t bytes[2 * EVI_INT64_MAX_BYTES];
	size_t len;

	len = evi_int_encode(bytes, (uint32_t)tv->tv_sec);
	len += evi_int_encode(bytes + len, (uint32_t)tv->tv_usec);
	append_element(evbuf, tag, bytes, len);
}

/* The head goes before `data` first: that can fail, and be undone, without touching `evbuf`. */
void evtag_marshal_buffer(struct evbuffer *evbuf, ev_uint32_t tag, struct evbuffer *data)
{
	size_t len = evbuffer_get_length(data), head_len;
	uint8_t head[EVI_HEAD_MAX_BYTES];

	if (len > PAYLOAD_MAX) {
		warn_dropped(tag);
		return;
	}
	head_len = evi_head_encode(head, tag, (uint32_t)len);
	if (evbuffer_prepend(data, head, head_len) != 0) {
		warn_dropped(tag);
		return;
	}
	if (evbuffer_add_buffer(evbuf, data) != 0) {
		(void)evbuffer_drain(data, head_len); /* it was just put there */
		warn_dropped(tag);
	}
}
