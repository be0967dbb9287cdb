/* SPDX-License-Identifier: BSD-3-Clause */
/* The tagged encoding as bytes; tag_wire.h has the grammar. */

#include "tag_wire.h"

#include <string.h>

#define TAG_MORE      0x80u
#define TAG_GROUP     0x7fu
#define TAG_LAST_MAX  0x0fu /* what of 32 bits is left for the fifth byte */
#define TAG_LAST_BYTE (EVI_TAG_MAX_BYTES - 1)

static size_t nibbles_of(uint64_t value)
{
	size_t count = 1;

	while ((value >>= 4) != 0)
		count++;
	return count;
}

size_t evi_int_encode(uint8_t out[EVI_INT64_MAX_BYTES], uint64_t value)
{
	size_t count = nibbles_of(value);
	size_t size = count / 2 + 1;

	memset(out, 0, size);
	out[0] = (uint8_t)((count - 1) << 4);
	for (size_t i = 1; i <= count; i++, value >>= 4)
		out[i / 2] |= (uint8_t)((value & 0xf) << (i % 2 ? 0 : 4));
	return size;
}

size_t evi_int_decode(const uint8_t *in, size_t len, enum evi_int_width width, uint64_t *ret_value)
{
	uint64_t value = 0;
	size_t count;

	if (len == 0)
		return 0;
	count = (size_t)(in[0] >> 4) + 1;
	if (count > (size_t)width || len < count / 2 + 1)
		return 0;
	for (size_t i = count; i > 0; i--)
		value = value << 4 | (uint64_t)(i % 2 ? in[i / 2] & 0xf : in[i / 2] >> 4);
	*ret_value = value;
	return count / 2 + 1;
}

size_t evi_tag_encode(uint8_t out[EVI_TAG_MAX_BYTES], uint32_t tag)
{
	size_t size = 0;

	for (; tag > TAG_GROUP; tag >>= 7)
		out[size++] = (uint8_t)(tag | TAG_MORE);
	out[size++] = (uint8_t)tag;
	return size;
}

size_t evi_tag_decode(const uint8_t *in, size_t len, uint32_t *ret_tag)
{
	uint32_t tag = 0;

	for (size_t i = 0; i < len && i < EVI_TAG_MAX_BYTES; i++) {
		if (i == TAG_LAST_BYTE && in[i] > TAG_LAST_MAX)
			return 0;
		tag |= (in[i] & TAG_GROUP) << (7 * i);
		if (!(in[i] & TAG_MORE)) {
			*ret_tag = tag;
			return i + 1;
		}
	}
	return 0;
}

size_t evi_head_encode(uint8_t out[EVI_HEAD_MAX_BYTES], uint32_t tag, uint32_t payload_len)
{
	uint8_t number[EVI_INT64_MAX_BYTES];
	size_t tag_size = evi_tag_encode(out, tag);
	size_t number_size = evi_int_encode(number, payload_len);

	memcpy(out + tag_size, number, number_size);
	return tag_size + number_size;
}

size_t evi_head_decode(const uint8_t *in, size_t len, uint32_t *ret_tag, uint32_t *ret_payload_len)
{
	size_t tag_size, number_size;
	uint64_t payload_len;
	uint32_t tag;

	tag_size = evi_tag_decode(in, len, &tag);
	if (tag_size == 0)
		return 0;
	number_size =
		evi_int_decode(in + tag_size, len - tag_size, EVI_INT32_NIBBLES, &payload_len);
	if (number_size == 0)
		return 0;
	*ret_tag = tag;
	*ret_payload_len = (uint32_t)payload_len;
	return tag_size + number_size;
}
