/* SPDX-License-Identifier: BSD-3-Clause */
/* See test_client_peer.c. */

#include <event2/http.h>

const char *peer_of_21(struct evhttp_connection *evcon, ev_uint16_t *at);
const char *peer_of_22(struct evhttp_connection *evcon, ev_uint16_t *at);
const char *peer_by_pointer(struct evhttp_connection *evcon, ev_uint16_t *at);

const char *peer_of_21(struct evhttp_connection *evcon, ev_uint16_t *at)
{
	char *address;

	evhttp_connection_get_peer(evcon, &address, at);
	return address;
}

const char *peer_of_22(struct evhttp_connection *evcon, ev_uint16_t *at)
{
	const char *address;

	evhttp_connection_get_peer(evcon, &address, at);
	return address;
}

const char *peer_by_pointer(struct evhttp_connection *evcon, ev_uint16_t *at)
{
	void (*get)(struct evhttp_connection *, const char **, ev_uint16_t *) =
		evhttp_connection_get_peer;
	const char *address;

	get(evcon, &address, at);
	return address;
}
