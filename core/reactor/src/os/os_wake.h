/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_WAKE_H_INCLUDED
#define EVI_OS_WAKE_H_INCLUDED

/* A pair of descriptors by which a sleeping loop is woken; one implementation per platform. */

#include <event2/util.h>

/* fds[0] is readable after a send to fds[1]; they may be the same. 0 or -errno. */
int evi_os_wake_open(evutil_socket_t fds[2]);
void evi_os_wake_close(const evutil_socket_t fds[2]);

/* Never blocks, keeps errno, and may be called from a signal handler. */
void evi_os_wake_send(evutil_socket_t fd);

/* Nonzero if an edge-triggered reader hears of each send, also if it left earlier ones. */
int evi_os_wake_has_edges(void);

/* Take all that was sent. */
void evi_os_wake_drain(evutil_socket_t fd);

#endif
