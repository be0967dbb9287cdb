/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_TYPE_SOCKET_H_INCLUDED
#define EVI_TYPE_SOCKET_H_INCLUDED

/* The socket type, for the type that does the same by completions where it can. */

#include <event2/component/buffer.h>

/* The socket type's own data. */
struct evi_socket_data {
	unsigned is_blocked : 1;   /* the descriptor did not take all; writable() goes on */
	unsigned is_answering : 1; /* the read callback runs; what it adds is seen to after it */
	unsigned is_announced : 1; /* EV_WRITE was enabled explicitly: tell when it is writable */
};

extern const struct bufferevent_ops evi_socket_ops;

/*
 * Nonzero for a callback or a timeout that the socket's being writable is news for; mostly, there
 * is none.
 */
int evi_socket_is_news(const struct bufferevent *bev);

/*
 * type_overlapped_*.c: the type that a socket bufferevent of this base is to have, with the size of
 * its data, which begins with struct evi_socket_data.
 */
const struct bufferevent_ops *evi_socket_type_of(struct event_base *base, size_t *ret_data_size);

#endif
