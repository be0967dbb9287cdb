/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sources of 2.1 and of 2.2 ask for the peer in two ways; both compile, without a warning, and
 * work.
 */

#include "http_test.h"

/* In peer_source.c and peer_source.cc. */
const char *peer_of_21(struct evhttp_connection *evcon, ev_uint16_t *at);
const char *peer_of_22(struct evhttp_connection *evcon, ev_uint16_t *at);
const char *peer_by_pointer(struct evhttp_connection *evcon, ev_uint16_t *at);
const char *peer_of_21_cc(struct evhttp_connection *evcon, ev_uint16_t *at);
const char *peer_of_22_cc(struct evhttp_connection *evcon, ev_uint16_t *at);

TestSuite(http_client_peer, .init = http_open, .fini = http_close, .timeout = 60);

/* HTTP-359, HTTP-151 */
Test(http_client_peer, both_forms)
{
	static const char *(*const asked[])(struct evhttp_connection *, ev_uint16_t *) = {
		peer_of_21,
		peer_of_22,
		peer_by_pointer,
#ifdef HAVE_CXX
		peer_of_21_cc,
		peer_of_22_cc,
#endif
	};
	struct evhttp_connection *evcon = client_open(port);

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		ev_uint16_t at = 0;

		cr_assert_str_eq(asked[i](evcon, &at), "127.0.0.1", "%zu", i);
		cr_assert_eq(at, port);
	}
	evhttp_connection_free(evcon);
}
