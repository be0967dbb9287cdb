/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_EPOLL_H_INCLUDED
#define EVI_OS_EPOLL_H_INCLUDED

#include <stdint.h>
#include <sys/epoll.h>

/*
 * epoll_wait(2) for at most `timeout_ns` (-1: no limit), as finely as the kernel can; never
 * shorter.
 */
int evi_os_epoll_wait(int fd, struct epoll_event *events, int room, int64_t timeout_ns);

#endif
