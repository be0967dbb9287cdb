/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_COMPONENT_WINDOWS_H_INCLUDED_
#define EVENT2_COMPONENT_WINDOWS_H_INCLUDED_

/**
 * @file event2/component/windows.h
 *
 * What event2/util.h is made of on Windows; programs include that header instead.
 */

#include <event2/visibility.h>

#include <winsock2.h>
#include <ws2tcpip.h>

#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef intptr_t evutil_socket_t;
typedef int ev_socklen_t;

#define EVUTIL_SOCKET_ERROR() WSAGetLastError()
#define EVUTIL_SET_SOCKET_ERROR(errcode) do { WSASetLastError(errcode); } while (0)

/** The error of the last socket call of this thread, or of `sock` if that says "would block". */
EVENT2_EXPORT_SYMBOL
int evutil_socket_geterror(evutil_socket_t sock);

/** The text of a socket error; never NULL, valid for ever. Any thread. */
EVENT2_EXPORT_SYMBOL
const char *evutil_socket_error_to_string(int errcode);

#define evutil_timeradd(tvp, uvp, vvp)                                                             \
	do {                                                                                       \
		(vvp)->tv_sec = (tvp)->tv_sec + (uvp)->tv_sec;                                     \
		(vvp)->tv_usec = (tvp)->tv_usec + (uvp)->tv_usec;                                  \
		if ((vvp)->tv_usec >= 1000000) {                                                   \
			(vvp)->tv_sec++;                                                           \
			(vvp)->tv_usec -= 1000000;                                                 \
		}                                                                                  \
	} while (0)
#define evutil_timersub(tvp, uvp, vvp)                                                             \
	do {                                                                                       \
		(vvp)->tv_sec = (tvp)->tv_sec - (uvp)->tv_sec;                                     \
		(vvp)->tv_usec = (tvp)->tv_usec - (uvp)->tv_usec;                                  \
		if ((vvp)->tv_usec < 0) {                                                          \
			(vvp)->tv_sec--;                                                           \
			(vvp)->tv_usec += 1000000;                                                 \
		}                                                                                  \
	} while (0)

#ifdef __cplusplus
}
#endif

#endif
