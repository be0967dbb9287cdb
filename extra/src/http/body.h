/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_BODY_H_INCLUDED
#define HTTP_BODY_H_INCLUDED

/*
 * Moves the bytes of a body from a connection's input to the request's input buffer, by the framing
 * that was decided, within the limit.
 */

#include "http/request.h"

enum evi_body_step {
	EVI_BODY_MORE,     /* the input is used up */
	EVI_BODY_PIECE,    /* there is something to deliver to a chunk callback; go on afterwards */
	EVI_BODY_DONE,
	EVI_BODY_TOO_LONG, /* what is announced or has come exceeds the limit */
	EVI_BODY_BAD,
	EVI_BODY_MEMORY
};

/* Start; r->framing is decided. 0, or -EMSGSIZE if the announced length exceeds the limit. */
int evi_body_start(struct evi_request *r, uint64_t body_max);

/* Go on. Pieces are told apart only if the request has a chunk callback. */
enum evi_body_step evi_body_read(struct evi_request *r, struct evbuffer *in, uint64_t body_max);

#endif
