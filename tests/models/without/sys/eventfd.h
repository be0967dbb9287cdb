/* SPDX-License-Identifier: BSD-3-Clause */
#error "<sys/eventfd.h> is Linux's"
