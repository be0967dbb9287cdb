/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_H_INCLUDED
#define LOAD_H_INCLUDED

/* Clients of the TLS benchmarks: OpenSSL on bare system calls, in a process of their own. */

#include <netinet/in.h>
#include <stddef.h>

/*
 * `count` connections send `messages` messages of `size` bytes in all, and wait for each to come
 * back.
 */
void load_messages(const struct sockaddr_in *sin, long count, size_t size, long messages);

/* One handshake after the other; `count` and `size` are of no use. */
void load_handshakes(const struct sockaddr_in *sin, long count, size_t size, long messages);

/* `count` connections that only shake hands; then the last one leaves, and the others stay. */
void load_idle(const struct sockaddr_in *sin, long count, size_t size, long messages);

#endif
