/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_NET_H_INCLUDED
#define EVI_OS_NET_H_INCLUDED

/* The network as the system describes it; one implementation per platform, os_net_*.c. */

#if defined(_WIN32)
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#endif

#include <stddef.h>

/* The number of the interface called `name`; 0 if there is none. */
unsigned evi_os_interface_index(const char *name);

/*
 * Calls `fn` with the address of every interface. 0, or a negative errno if they cannot be listed.
 */
int evi_os_each_address(void (*fn)(const struct sockaddr *sa, void *ctx), void *ctx);

struct evi_socket_kind {
	int type, protocol;
};

#define EVI_SOCKET_KINDS 3

/*
 * The kinds of socket that an entry of getaddrinfo() stands for, given the hints that it was asked
 * with: at least one. A system that tells each kind in an entry of its own has one here.
 */
size_t evi_os_socket_kinds(const struct addrinfo *ai, const struct addrinfo *hints,
			   struct evi_socket_kind kinds[EVI_SOCKET_KINDS]);

#endif
