/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSPORT_H_INCLUDED
#define TRANSPORT_H_INCLUDED

#include <event2/bufferevent.h>

/*
 * TLS to a server that must prove to be `host` to the authorities the system trusts; NULL: not
 * built.
 */
struct bufferevent *secure_transport(struct event_base *base, const char *host);

#endif
