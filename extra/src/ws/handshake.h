/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WS_HANDSHAKE_H_INCLUDED
#define WS_HANDSHAKE_H_INCLUDED

/* The opening handshake, both sides: RFC 6455 section 4. */

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

/* base64 of 20 bytes, and of 16. */
#define EVI_WS_ACCEPT_SIZE 29
#define EVI_WS_KEY_SIZE    25

/* What answers `key`. */
void evi_ws_accept_of(const char *key, char accept[EVI_WS_ACCEPT_SIZE]);

/* Whether `token` is in any of the comma-separated lists called `name`, in any case of letters. */
int evi_ws_has_token(const struct evkeyvalq *headers, const char *name, const char *token);

/* The value of the one header of that name; NULL if there is none, or more than one. */
const char *evi_ws_single_header(const struct evkeyvalq *headers, const char *name);

/* Copies the first item of a comma-separated list; 0 if there is none, or it does not fit. */
int evi_ws_first_item(const char *list, char *item, size_t size);

/* 0 if a server may accept that request, or the status to refuse it with. */
int evi_ws_check_request(struct evhttp_request *req);

#endif
