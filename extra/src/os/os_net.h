/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXTRA_OS_NET_H_INCLUDED
#define EXTRA_OS_NET_H_INCLUDED

/*
 * Sockets and their addresses as the system declares them: the one place that knows which headers,
 * and which numbers errors of sockets have (EVUTIL_SOCKET_ERROR).
 */

#include <event2/util.h>

#if defined(_WIN32)
#include <afunix.h>
#define SHUT_WR           SD_SEND
#define EVI_NET_TIMED_OUT WSAETIMEDOUT
#define EVI_NET_REFUSED   WSAECONNREFUSED
typedef ADDRESS_FAMILY sa_family_t;
#else
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>
#define EVI_NET_TIMED_OUT ETIMEDOUT
#define EVI_NET_REFUSED   ECONNREFUSED
#endif

/* Sending to a peer that has gone is an error, not a signal; elsewhere it never is one. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

#endif
