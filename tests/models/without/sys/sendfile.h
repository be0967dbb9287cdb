/* SPDX-License-Identifier: BSD-3-Clause */
#error "<sys/sendfile.h> is Linux's"
