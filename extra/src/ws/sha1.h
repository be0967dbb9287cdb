/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WS_SHA1_H_INCLUDED
#define WS_SHA1_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/*
 * SHA-1 of a short text: FIPS 180-4. Only for the WebSocket handshake, which uses it as a check sum
 * that nobody needs to trust (RFC 6455 section 10.8); `len` at most 200.
 */
void evi_sha1(const void *data, size_t len, uint8_t digest[20]);

/* RFC 4648 section 4; `text` has room for (len + 2) / 3 * 4 + 1 bytes. */
void evi_base64_encode(const uint8_t *data, size_t len, char *text);

/* How many bytes `text` encodes, or -1 if it is not in the one right form. */
int evi_base64_decoded_len(const char *text);

#endif
