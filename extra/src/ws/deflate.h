/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WS_DEFLATE_H_INCLUDED
#define WS_DEFLATE_H_INCLUDED

/*
 * permessage-deflate: RFC 7692. Built on zlib where that is found; without it nothing is ever
 * agreed on.
 */

#include <stddef.h>
#include <stdint.h>

struct evi_ws_deflate;

/* A server's side: agree to the first acceptable offer in the list; its answer. NULL: to none. */
struct evi_ws_deflate *evi_ws_deflate_accept(const char *offers, char *answer, size_t size);

/* A client's: the header to send, "" if there is none; and what the server answered. */
const char *evi_ws_deflate_offer(void);
struct evi_ws_deflate *evi_ws_deflate_take(const char *answer);

/* NULL does nothing. */
void evi_ws_deflate_free(struct evi_ws_deflate *deflate);

/* Compress a message; 0 and a block for evi_free(), or -errno: then send it as it is. */
int evi_ws_deflate_pack(struct evi_ws_deflate *deflate, const void *data, size_t len,
			uint8_t **ret_data, size_t *ret_len);

/*
 * Expand one; -EMSGSIZE if that would be more than `max`, another negative errno if it is broken.
 */
int evi_ws_deflate_unpack(struct evi_ws_deflate *deflate, const uint8_t *data, size_t len,
			  size_t max, uint8_t **ret_data, size_t *ret_len);

#endif
