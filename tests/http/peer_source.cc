/* SPDX-License-Identifier: BSD-3-Clause */
/* See test_client_peer.c. */

#include <event2/http.h>

extern "C" {
const char *peer_of_21_cc(struct evhttp_connection *evcon, ev_uint16_t *at);
const char *peer_of_22_cc(struct evhttp_connection *evcon, ev_uint16_t *at);
}

const char *peer_of_21_cc(struct evhttp_connection *evcon, ev_uint16_t *at)
{
	char *address;

	evhttp_connection_get_peer(evcon, &address, at);
	return address;
}

const char *peer_of_22_cc(struct evhttp_connection *evcon, ev_uint16_t *at)
{
	const char *address;

	evhttp_connection_get_peer(evcon, &address, at);
	return address;
}
