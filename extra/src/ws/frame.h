/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WS_FRAME_H_INCLUDED
#define WS_FRAME_H_INCLUDED

/* Frames: RFC 6455 section 5.2. Pure. */

#include <stddef.h>
#include <stdint.h>

#define EVI_WS_CONTINUATION 0
#define EVI_WS_TEXT         1
#define EVI_WS_BINARY       2
#define EVI_WS_CLOSE        8
#define EVI_WS_PING         9
#define EVI_WS_PONG         10

#define EVI_WS_CONTROL_MAX 125
#define EVI_WS_HEAD_MAX    14

struct evi_ws_head {
	uint8_t opcode;
	uint8_t is_final;
	uint8_t reserved; /* RSV1 to RSV3 as bits 4, 2, 1 */
	uint8_t is_masked;
	uint8_t mask[4];
	uint64_t len;
};

/*
 * Reads a head: its size, 0 if it has not come whole, -1 if its length is not in the shortest form.
 */
int evi_ws_head_read(const uint8_t *data, size_t len, struct evi_ws_head *head);

/* Writes one; its size. `mask` NULL: none. */
size_t evi_ws_head_write(uint8_t out[EVI_WS_HEAD_MAX], unsigned first_byte, uint64_t len,
			 const uint8_t mask[4]);

/* Masks or unmasks `len` bytes that are at `offset` of their payload; `from` may be `to`. */
void evi_ws_mask(uint8_t *to, const uint8_t *from, size_t len, const uint8_t mask[4],
		 uint64_t offset);

/* Whether a peer may close with that code: section 7.4. */
int evi_ws_is_close_code(unsigned code);

#endif
