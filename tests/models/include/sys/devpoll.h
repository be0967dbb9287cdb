/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_SYS_DEVPOLL_H_INCLUDED
#define MODEL_SYS_DEVPOLL_H_INCLUDED

/* <sys/devpoll.h> of the model of /dev/poll: names and types as poll(7D) has them. */

#include <poll.h>
#include <signal.h>

struct dvpoll {
	struct pollfd *dp_fds;
	nfds_t dp_nfds;
	int dp_timeout; /* milliseconds; -1: no limit */
	sigset_t *dp_setp;
};

#define DPIOC       (0xD0 << 8)
#define DP_POLL     (DPIOC | 1)
#define DP_ISPOLLED (DPIOC | 2)

#ifndef POLLREMOVE
#define POLLREMOVE 0x0800
#endif

#endif
