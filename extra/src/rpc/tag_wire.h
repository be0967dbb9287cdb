/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TAG_WIRE_H_INCLUDED
#define TAG_WIRE_H_INCLUDED

/*
 * The tagged encoding as bytes: integers, tags and the head of an element. Pure: no buffer type, no
 * allocation. Decoders look at no more than the bytes they are given.
 *
 *   integer = nibble (count - 1), then `count` nibbles of the value, least significant first,
 *             packed high half first, the last half-byte 0 if left over
 *   tag     = groups of 7 bits, least significant first, 0x80 set on every byte but the last
 *   element = tag, integer (length of the payload), payload
 */

#include <stddef.h>
#include <stdint.h>

#define EVI_TAG_MAX_BYTES   5
#define EVI_INT32_MAX_BYTES 5
#define EVI_INT64_MAX_BYTES 9
#define EVI_HEAD_MAX_BYTES  (EVI_TAG_MAX_BYTES + EVI_INT32_MAX_BYTES)

/* The widest integer a decoder takes. */
enum evi_int_width {
	EVI_INT32_NIBBLES = 8,
	EVI_INT64_NIBBLES = 16
};

/* Encoders return the number of bytes written. */
size_t evi_int_encode(uint8_t out[EVI_INT64_MAX_BYTES], uint64_t value);
size_t evi_tag_encode(uint8_t out[EVI_TAG_MAX_BYTES], uint32_t tag);
size_t evi_head_encode(uint8_t out[EVI_HEAD_MAX_BYTES], uint32_t tag, uint32_t payload_len);

/* Decoders return the number of bytes used, 0 if there is no whole, valid one. */
size_t evi_int_decode(const uint8_t *in, size_t len, enum evi_int_width width, uint64_t *ret_value);
size_t evi_tag_decode(const uint8_t *in, size_t len, uint32_t *ret_tag);
size_t evi_head_decode(const uint8_t *in, size_t len, uint32_t *ret_tag, uint32_t *ret_payload_len);

#endif
