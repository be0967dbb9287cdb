/* SPDX-License-Identifier: BSD-3-Clause */
#error "<sys/timerfd.h> is Linux's"
