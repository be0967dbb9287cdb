/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_AFD_H_INCLUDED
#define EVI_OS_AFD_H_INCLUDED

/*
 * Polls of single sockets that end on a completion port, as the driver behind Winsock (AFD) takes
 * them.
 *
 * The request is not in Microsoft's reference; its layout and bits are public knowledge, as the
 * driver interface that Wine and ReactOS implement. What is used beside it is documented:
 * NtCreateFile(), NtDeviceIoControlFile(), CancelIoEx(), completion ports.
 */

#include <stddef.h>

#include <winsock2.h>
#include <windows.h>

/* What a socket can be polled for, and what is told of it. */
#define EVI_AFD_RECEIVE      0x001u /* data */
#define EVI_AFD_SEND         0x004u /* room for more, or connected */
#define EVI_AFD_DISCONNECT   0x008u /* the peer sends no more */
#define EVI_AFD_ABORT        0x010u /* reset */
#define EVI_AFD_LOCAL_CLOSE  0x020u /* the socket was closed here */
#define EVI_AFD_ACCEPT       0x080u /* a connection waits */
#define EVI_AFD_CONNECT_FAIL 0x100u

/* The kernel writes to it until its packet has been taken from the port: it must stay till then. */
struct evi_afd_poll {
	OVERLAPPED overlapped; /* first: packets carry its address */
	struct {
		LARGE_INTEGER deadline;
		ULONG count;
		ULONG is_exclusive; /* ends the other polls of these sockets */
		struct {
			HANDLE socket;
			ULONG events;
			LONG status;
		} of[1];
	} request;
};

/* The poll that a packet is of. */
static inline struct evi_afd_poll *evi_afd_poll_of(OVERLAPPED *overlapped)
{
	return (struct evi_afd_poll *)(void *)((char *)overlapped -
					       offsetof(struct evi_afd_poll, overlapped));
}

/* A handle to send polls to, whose packets come out of `port`. 0 or -errno. */
int evi_afd_open(HANDLE port, HANDLE *ret_device);

/* The socket of the driver beneath whatever layered providers are installed. 0 or -errno. */
int evi_afd_base_socket(SOCKET s, SOCKET *ret_base);

/*
 * 0: a packet will come, perhaps at once. -EBADF: the socket is closed. Other: -errno, and no
 * packet.
 */
int evi_afd_poll_start(HANDLE device, struct evi_afd_poll *poll, SOCKET base, unsigned events);

/* The packet still comes. NULL: all polls of the handle. */
void evi_afd_poll_cancel(HANDLE device, struct evi_afd_poll *poll);

/* What its packet says: EVI_AFD_ bits, 0 if it was cancelled or failed. */
unsigned evi_afd_poll_result(const struct evi_afd_poll *poll);

#endif
