/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_TAG_H_INCLUDED_
#define EVENT2_TAG_H_INCLUDED_

/**
 * @file event2/tag.h
 *
 * Tagged encoding: a message is a row of elements, each a tag, a length and a payload. Integers
 * take as few bytes as their value needs. This is what event_rpcgen's code and event2/rpc.h send.
 *
 * Format     integer: a nibble (count - 1), then `count` nibbles of the value, least significant
 *            first. Tag: 7 bits a byte, least significant first, 0x80 on all but the last.
 *            Element: tag, integer (the payload's length), payload.
 * Writing    An element is appended whole or not at all: if memory is short, or a payload is longer
 *            than 32 bits can tell, it is dropped and a warning logged.
 * Reading    After a failed unmarshal call give the stream up: how much of the element is gone, and
 *            what the output variable holds, is unspecified (currently nothing is touched, unless a
 *            move out of the buffer itself fails). Input is checked in full: no call reads past
 *            what is there, nor allocates more than that.
 * Ownership  Buffers are the caller's.
 * Threads    As the evbuffers in question.
 *
 * Everything here is available since 2.0, exact limits since 2.2.
 */

#include <event2/visibility.h>
#include <event2/event-config.h>
#include <event2/util.h>

#ifdef __cplusplus
extern "C" {
#endif

struct evbuffer;

/**
 * Skip one whole element.
 *
 * @return 0; -1 if it is malformed, or has not arrived as a whole: then nothing is removed
 */
EVENT2_EXPORT_SYMBOL
int evtag_consume(struct evbuffer *evbuf);

/**
 * Append an integer without tag or length: 1 to 5 bytes.
 *
 * Out of memory it appends nothing and logs a warning.
 */
EVENT2_EXPORT_SYMBOL
void evtag_encode_int(struct evbuffer *evbuf, ev_uint32_t number);

/** Append a 64-bit integer without tag or length: 1 to 9 bytes. See evtag_encode_int(). */
EVENT2_EXPORT_SYMBOL
void evtag_encode_int64(struct evbuffer *evbuf, ev_uint64_t number);

/** Does nothing; kept for programs that call it. Any number of times. */
EVENT2_EXPORT_SYMBOL
void evtag_init(void);

/**
 * Append an element with arbitrary bytes.
 *
 * @param data  `len` bytes, copied; may be NULL if `len` is 0
 */
EVENT2_EXPORT_SYMBOL
void evtag_marshal(struct evbuffer *evbuf, ev_uint32_t tag, const void *data, ev_uint32_t len);

/**
 * Append an element whose payload is everything in `data`, without copying it.
 *
 * `data` ends empty. If the element is dropped (see the top), `data` stays as it is.
 */
EVENT2_EXPORT_SYMBOL
void evtag_marshal_buffer(struct evbuffer *evbuf, ev_uint32_t tag, struct evbuffer *data);

/** Append an element with an unsigned integer. */
EVENT2_EXPORT_SYMBOL
void evtag_marshal_int(struct evbuffer *evbuf, ev_uint32_t tag, ev_uint32_t integer);

/** Append an element with an unsigned 64-bit integer. */
EVENT2_EXPORT_SYMBOL
void evtag_marshal_int64(struct evbuffer *evbuf, ev_uint32_t tag, ev_uint64_t integer);

/** Append an element with a string (not NULL), without its terminator. */
EVENT2_EXPORT_SYMBOL
void evtag_marshal_string(struct evbuffer *buf, ev_uint32_t tag, const char *string);

/**
 * Append an element with a time: seconds and microseconds, each cut to 32 unsigned bits.
 *
 * Negative times do not come back.
 */
EVENT2_EXPORT_SYMBOL
void evtag_marshal_timeval(struct evbuffer *evbuf, ev_uint32_t tag, struct timeval *tv);

/**
 * Tell the next element's payload size in bytes. Removes nothing.
 *
 * The payload need not have arrived: check against evbuffer_get_length() before trusting the
 * number.
 *
 * @return 0, or -1 if tag and length are malformed or incomplete
 */
EVENT2_EXPORT_SYMBOL
int evtag_payload_length(struct evbuffer *evbuf, ev_uint32_t *plength);

/**
 * Tell the next element's tag. Removes nothing.
 *
 * @param ptag  may be NULL
 * @return the size of the encoded tag, 1 to 5 bytes, or -1 if it is malformed or incomplete
 */
EVENT2_EXPORT_SYMBOL
int evtag_peek(struct evbuffer *evbuf, ev_uint32_t *ptag);

/**
 * Tell the next element's whole size in bytes: tag, length and payload. Removes nothing.
 *
 * The payload need not have arrived, so this says how much to wait for.
 *
 * @return 0, or -1 if tag and length are malformed or incomplete, or the size exceeds 32 bits
 */
EVENT2_EXPORT_SYMBOL
int evtag_peek_length(struct evbuffer *evbuf, ev_uint32_t *plength);

/**
 * Move the next element's payload to the end of `dst`.
 *
 * @param ptag  may be NULL
 * @return the payload's size, or -1 if the element is malformed or incomplete
 */
EVENT2_EXPORT_SYMBOL
int evtag_unmarshal(struct evbuffer *src, ev_uint32_t *ptag, struct evbuffer *dst);

/**
 * Read an element of exactly `len` bytes.
 *
 * @param data  room for `len` bytes
 * @return 0, or -1 if the tag or the size differs, or the element is malformed or incomplete
 */
EVENT2_EXPORT_SYMBOL
int evtag_unmarshal_fixed(struct evbuffer *src, ev_uint32_t need_tag, void *data, size_t len);

/**
 * Remove the next element's tag and length; the payload then stands at the front.
 *
 * @param ptag  may be NULL
 * @return the payload's size; -1 if malformed, if not all of the payload is there, or above INT_MAX
 */
EVENT2_EXPORT_SYMBOL
int evtag_unmarshal_header(struct evbuffer *evbuf, ev_uint32_t *ptag);

/**
 * Read an integer. Payload bytes behind the integer are skipped.
 *
 * @return the size of the encoded integer, 1 to 5: *not* 0. Compare with -1, which means that the
 *         tag differs, or the element is malformed or incomplete
 */
EVENT2_EXPORT_SYMBOL
int evtag_unmarshal_int(struct evbuffer *evbuf, ev_uint32_t need_tag, ev_uint32_t *pinteger);

/** Read a 64-bit integer; like evtag_unmarshal_int(), with 1 to 9 on success. */
EVENT2_EXPORT_SYMBOL
int evtag_unmarshal_int64(struct evbuffer *evbuf, ev_uint32_t need_tag, ev_uint64_t *pinteger);

/**
 * Read a string.
 *
 * The payload may hold NUL bytes; they stay, and the string seems to end at the first.
 *
 * @param pstring  takes a new string, terminated; the caller owns it and releases it with free(),
 *                 or with what event_set_mem_functions() put in its place
 * @return 0; -1 if the tag differs, the element is malformed or incomplete, or memory is short
 */
EVENT2_EXPORT_SYMBOL
int evtag_unmarshal_string(struct evbuffer *evbuf, ev_uint32_t need_tag, char **pstring);

/**
 * Read a time. Payload bytes behind it are skipped; the microseconds are not checked to be below
 * 1000000.
 *
 * @return 0, or -1 if the tag differs, or the element is malformed or incomplete
 */
EVENT2_EXPORT_SYMBOL
int evtag_unmarshal_timeval(struct evbuffer *evbuf, ev_uint32_t need_tag, struct timeval *ptv);

#ifdef __cplusplus
}
#endif

#endif
