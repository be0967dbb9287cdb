/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_POLL_H_INCLUDED
#define EVI_OS_POLL_H_INCLUDED

#include <poll.h>
#include <stdint.h>

/* poll(2) for at most `timeout_ns` (-1: no limit), never shorter. */
int evi_os_poll(struct pollfd *fds, nfds_t n, int64_t timeout_ns);

#endif
