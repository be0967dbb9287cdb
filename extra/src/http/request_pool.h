/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_REQUEST_POOL_H_INCLUDED
#define HTTP_REQUEST_POOL_H_INCLUDED

/*
 * Requests of clients, kept between uses, so that a request costs neither its block nor its two
 * buffers. A server keeps its own; a client's request is made before it is known where it goes.
 *
 * Any thread may call any function. The requests are the process's: they stay while at least one
 * connection of a client lives and go with the last, so a program that frees those has none left.
 */

#include "http/request.h"

/* A connection of a client was made or is gone. */
void evi_request_pool_enter(void);
void evi_request_pool_leave(void);

/* One that is like new; NULL if none is at hand. */
struct evi_request *evi_request_pool_take(void);

/* Nonzero if one more would be kept, as it looks. */
int evi_request_pool_has_room(void);

/* Keep one that is like new; 0 if it could not be, then it is the caller's still. */
int evi_request_pool_give(struct evi_request *r);

#endif
