/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unmarshalling from evbuffers. What is decoded is first copied out of the buffer, a few bytes
 * only, so it does not matter in how many pieces the buffer is stored. Nothing is removed on
 * failure, and nothing is allocated before all of the payload is there.
 */

#include "tag.h"
#include "tag_wire.h"

#include <event2/buffer.h>
#include <event2/component/reactor.h>

#include <limits.h>

/* The front of an element: its head, and the payload's first bytes if they are wanted. */
struct element {
	uint8_t bytes[EVI_HEAD_MAX_BYTES + 2 * EVI_INT64_MAX_BYTES];
	size_t present; /* how many of `bytes` */
	size_t head_len;
	uint32_t tag;
	uint32_t payload_len;
};

static int read_head(struct evbuffer *evbuf, struct element *ret_element)
{
	ev_ssize_t present;

	present = evbuffer_copyout(evbuf, ret_element->bytes, sizeof(ret_element->bytes));
	if (present <= 0)
		return -1;
	ret_element->present = (size_t)present;
	ret_element->head_len = evi_head_decode(ret_element->bytes, ret_element->present,
						&ret_element->tag, &ret_element->payload_len);
	return ret_element->head_len == 0 ? -1 : 0;
}

/* Likewise, for an element that is there as a whole and whose length an int can tell. */
static int read_whole(struct evbuffer *evbuf, struct element *ret_element)
{
	if (read_head(evbuf, ret_element) != 0 || ret_element->payload_len > (uint32_t)INT_MAX)
		return -1;
	if (evbuffer_get_length(evbuf) - ret_element->head_len < ret_element->payload_len)
		return -1;
	return 0;
}

static int read_wanted(struct evbuffer *evbuf, ev_uint32_t need_tag, struct element *ret_element)
{
	if (read_whole(evbuf, ret_element) != 0 || ret_element->tag != need_tag)
		return -1;
	return 0;
}

/* Decode an integer that starts `offset` bytes into the payload and must end inside it. */
static size_t payload_int(const struct element *element, size_t offset, enum evi_int_width width,
			  uint64_t *ret_value)
{
	size_t len = element->present - element->head_len;

	if (len > element->payload_len)
		len = element->payload_len;
	return evi_int_decode(element->bytes + element->head_len + offset, len - offset, width,
			      ret_value);
}

static int drop(struct evbuffer *evbuf, const struct element *element)
{
	return evbuffer_drain(evbuf, element->head_len + element->payload_len);
}

static int decode_int(struct evbuffer *evbuf, enum evi_int_width width, uint64_t *ret_value)
{
	uint8_t bytes[EVI_INT64_MAX_BYTES];
	ev_ssize_t len = evbuffer_copyout(evbuf, bytes, sizeof(bytes));
	size_t used;

	if (len <= 0)
		return -1;
	used = evi_int_decode(bytes, (size_t)len, width, ret_value);
	return used == 0 || evbuffer_drain(evbuf, used) != 0 ? -1 : 0;
}

/* Returns the size of the tag or -1. */
static int peek_tag(struct evbuffer *evbuf, ev_uint32_t *ret_tag)
{
	uint8_t bytes[EVI_TAG_MAX_BYTES];
	ev_ssize_t len = evbuffer_copyout(evbuf, bytes, sizeof(bytes));
	size_t used;

	if (len <= 0)
		return -1;
	used = evi_tag_decode(bytes, (size_t)len, ret_tag);
	return used == 0 ? -1 : (int)used;
}

static int unmarshal_integer(struct evbuffer *evbuf, ev_uint32_t need_tag, enum evi_int_width width,
			     uint64_t *ret_value)
{
	struct element element;
	size_t used;

	if (read_wanted(evbuf, need_tag, &element) != 0)
		return -1;
	used = payload_int(&element, 0, width, ret_value);
	if (used == 0 || drop(evbuf, &element) != 0)
		return -1;
	return (int)used;
}

int evtag_decode_int(ev_uint32_t *number, struct evbuffer *evbuf)
{
	uint64_t value;

	if (decode_int(evbuf, EVI_INT32_NIBBLES, &value) != 0)
		return -1;
	*number = (ev_uint32_t)value;
	return 0;
}

int evtag_decode_int64(ev_uint64_t *number, struct evbuffer *evbuf)
{
	uint64_t value;

	if (decode_int(evbuf, EVI_INT64_NIBBLES, &value) != 0)
		return -1;
	*number = value;
	return 0;
}

int evtag_decode_tag(ev_uint32_t *tag, struct evbuffer *evbuf)
{
	ev_uint32_t found;
	int len = peek_tag(evbuf, &found);

	if (len < 0 || evbuffer_drain(evbuf, (size_t)len) != 0)
		return -1;
	*tag = found;
	return len;
}

int evtag_peek(struct evbuffer *evbuf, ev_uint32_t *ptag)
{
	ev_uint32_t found;
	int len = peek_tag(evbuf, &found);

	if (len > 0 && ptag != NULL)
		*ptag = found;
	return len;
}

int evtag_peek_length(struct evbuffer *evbuf, ev_uint32_t *plength)
{
	struct element element;

	if (read_head(evbuf, &element) != 0)
		return -1;
	if (element.payload_len > EV_UINT32_MAX - (uint32_t)element.head_len)
		return -1;
	*plength = (ev_uint32_t)element.head_len + element.payload_len;
	return 0;
}

int evtag_payload_length(struct evbuffer *evbuf, ev_uint32_t *plength)
{
	struct element element;

	if (read_head(evbuf, &element) != 0)
		return -1;
	*plength = element.payload_len;
	return 0;
}

int evtag_unmarshal_header(struct evbuffer *evbuf, ev_uint32_t *ptag)
{
	struct element element;

	if (read_whole(evbuf, &element) != 0 || evbuffer_drain(evbuf, element.head_len) != 0)
		return -1;
	if (ptag != NULL)
		*ptag = element.tag;
	return (int)element.payload_len;
}

int evtag_consume(struct evbuffer *evbuf)
{
	struct element element;

	return read_whole(evbuf, &element) != 0 ? -1 : drop(evbuf, &element);
}

int evtag_unmarshal(struct evbuffer *src, ev_uint32_t *ptag, struct evbuffer *dst)
{
	int len = evtag_unmarshal_header(src, ptag);

	if (len > 0 && evbuffer_remove_buffer(src, dst, (size_t)len) != len)
		return -1;
	return len;
}

int evtag_unmarshal_int(struct evbuffer *evbuf, ev_uint32_t need_tag, ev_uint32_t *pinteger)
{
	uint64_t value;
	int used = unmarshal_integer(evbuf, need_tag, EVI_INT32_NIBBLES, &value);

	if (used != -1)
		*pinteger = (ev_uint32_t)value;
	return used;
}

int evtag_unmarshal_int64(struct evbuffer *evbuf, ev_uint32_t need_tag, ev_uint64_t *pinteger)
{
	uint64_t value;
	int used = unmarshal_integer(evbuf, need_tag, EVI_INT64_NIBBLES, &value);

	if (used != -1)
		*pinteger = value;
	return used;
}

int evtag_unmarshal_fixed(struct evbuffer *src, ev_uint32_t need_tag, void *data, size_t len)
{
	struct element element;

	if (read_wanted(src, need_tag, &element) != 0 || element.payload_len != len)
		return -1;
	if (evbuffer_drain(src, element.head_len) != 0)
		return -1;
	return evbuffer_remove(src, data, len) == (int)len ? 0 : -1;
}

int evtag_unmarshal_string(struct evbuffer *evbuf, ev_uint32_t need_tag, char **pstring)
{
	struct element element;
	char *text;

	if (read_wanted(evbuf, need_tag, &element) != 0)
		return -1;
	text = evi_malloc((size_t)element.payload_len + 1);
	if (text == NULL)
		return -1;
	if (evtag_unmarshal_fixed(evbuf, need_tag, text, element.payload_len) != 0) {
		evi_free(text);
		return -1;
	}
	text[element.payload_len] = '\0';
	*pstring = text;
	return 0;
}

int evtag_unmarshal_timeval(struct evbuffer *evbuf, ev_uint32_t need_tag, struct timeval *ptv)
{
	struct element element;
	uint64_t sec, usec;
	size_t used;

	if (read_wanted(evbuf, need_tag, &element) != 0)
		return -1;
	used = payload_int(&element, 0, EVI_INT32_NIBBLES, &sec);
	if (used == 0 || payload_int(&element, used, EVI_INT32_NIBBLES, &usec) == 0)
		return -1;
	if (drop(evbuf, &element) != 0)
		return -1;
	ptv->tv_sec = (time_t)sec;
	ptv->tv_usec = (long)usec;
	return 0;
}
