/* SPDX-License-Identifier: BSD-3-Clause */
#error "<sys/inotify.h> is Linux's"
