/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RPC_TAG_H_INCLUDED
#define RPC_TAG_H_INCLUDED

/*
 * Exported, but in no public header: programs and tests of old declare these four themselves.
 * A decoder that fails (-1) leaves the buffer alone.
 */

#include <event2/tag.h>

/* 0 or -1. */
EVENT2_EXPORT_SYMBOL
int evtag_decode_int(ev_uint32_t *number, struct evbuffer *evbuf);

EVENT2_EXPORT_SYMBOL
int evtag_decode_int64(ev_uint64_t *number, struct evbuffer *evbuf);

/* The number of bytes, 1 to 5, or -1. `evbuf` may be NULL: then nothing is written. */
EVENT2_EXPORT_SYMBOL
int evtag_encode_tag(struct evbuffer *evbuf, ev_uint32_t tag);

/* The number of bytes, 1 to 5, or -1. */
EVENT2_EXPORT_SYMBOL
int evtag_decode_tag(ev_uint32_t *tag, struct evbuffer *evbuf);

#endif
