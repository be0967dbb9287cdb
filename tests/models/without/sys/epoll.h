/* SPDX-License-Identifier: BSD-3-Clause */
#error "<sys/epoll.h> is Linux's"
