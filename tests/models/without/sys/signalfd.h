/* SPDX-License-Identifier: BSD-3-Clause */
#error "<sys/signalfd.h> is Linux's"
