/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's flags: lingering after 413, and the switches that relax. */

#include "server_test.h"

#include <stdlib.h>

TestSuite(http_server_flags, .init = http_open, .fini = http_close, .timeout = 60);

#define MUCH (1 << 20)

/* Sends a head and a megabyte, in the pieces the socket takes. */
static struct peer *send_much(const char *head)
{
	struct peer *peer = peer_open(port);
	char *bytes = malloc(MUCH);

	memset(bytes, 'x', MUCH);
	peer_send(peer, head);
	peer_send_bytes(peer, bytes, MUCH);
	free(bytes);
	return peer;
}

/* HTTP-073 */
Test(http_server_flags, unknown_flags_change_nothing)
{
	cr_assert_eq(evhttp_set_flags(http, EVHTTP_SERVER_RELAX_HOST), 0);
	cr_assert_neq(evhttp_set_flags(http, 2), 0);
	cr_assert_neq(evhttp_set_flags(http, EVHTTP_SERVER_LINGERING_CLOSE | 0x40), 0);
	evhttp_set_gencb(http, http_hello, NULL);
	cr_assert_eq(code_of(talk("GET / HTTP/1.1\r\n\r\n")), 200);
	cr_assert_eq(evhttp_set_flags(http, 0), 0);
	cr_assert_eq(code_of(talk("GET / HTTP/1.1\r\n\r\n")), 400);
}

/* HTTP-074, H15: cut off; what is behind is never taken for a request. */
Test(http_server_flags, without_lingering_the_body_is_not_read)
{
	struct peer *peer;

	evhttp_set_max_body_size(http, 10);
	evhttp_set_gencb(http, http_keep, NULL);
	peer = send_much(REQUEST("POST /", "Content-Length: 1048576\r\n"));
	peer_until_end(peer);
	cr_assert(peer->was_reset || code_of(peer->got) == 413);
	cr_assert_str_eq(http_log, "");
	peer_close(peer);
	until_connections(0);
}

/* HTTP-075 */
Test(http_server_flags, lingering_reads_the_body_first)
{
	struct peer *peer;

	cr_assert_eq(evhttp_set_flags(http, EVHTTP_SERVER_LINGERING_CLOSE), 0);
	evhttp_set_max_body_size(http, 10);
	evhttp_set_gencb(http, http_keep, NULL);
	peer = send_much(REQUEST("POST /", "Content-Length: 1048576\r\n"));
	peer_until_end(peer);
	cr_assert(!peer->was_reset);
	cr_assert_eq(code_of(peer->got), 413);
	cr_assert_eq(times(peer->got, "HTTP/1.1"), 1);
	cr_assert_str_eq(http_log, "");
	peer_close(peer);
}

/* HTTP-076 */
Test(http_server_flags, lingering_knows_chunks)
{
	struct peer *peer;

	cr_assert_eq(evhttp_set_flags(http, EVHTTP_SERVER_LINGERING_CLOSE), 0);
	evhttp_set_max_body_size(http, 10);
	peer = send_much(REQUEST("POST /", "Transfer-Encoding: chunked\r\n") "100000\r\n");
	settle();
	cr_assert_eq(peer->len, 0);
	peer_send(peer, "\r\n0\r\n\r\n");
	peer_until_end(peer);
	cr_assert(!peer->was_reset);
	cr_assert_eq(code_of(peer->got), 413);
	peer_close(peer);
}

/* HTTP-076, HTTP-377, HTTP-213: a client that waits for 100 would wait for ever. */
Test(http_server_flags, lingering_does_not_wait_for_a_body_held_back)
{
	struct peer *peer = peer_open(port);

	cr_assert_eq(evhttp_set_flags(http, EVHTTP_SERVER_LINGERING_CLOSE), 0);
	evhttp_set_max_body_size(http, 10);
	until_connections(1);
	peer_close(peer);
	peer = peer_open(port);
	peer_send(peer, REQUEST("POST /", "Content-Length: 1000\r\nExpect: 100-continue\r\n"));
	peer_until_end(peer);
	cr_assert_eq(code_of(peer->got), 413);
	cr_assert_eq(times(peer->got, "HTTP/1.1"), 1);
	peer_close(peer);
}

/* HTTP-076, HTTP-377: nor for ever for a body that does not come. */
Test(http_server_flags, lingering_ends_with_the_read_timeout)
{
	struct peer *peer;

	cr_assert_eq(evhttp_set_flags(http, EVHTTP_SERVER_LINGERING_CLOSE), 0);
	evhttp_set_max_body_size(http, 10);
	evhttp_set_read_timeout_tv(http, &(struct timeval){ 0, 50 * 1000 });
	peer = peer_open(port);
	peer_send(peer, REQUEST("POST /", "Content-Length: 1000\r\n") "x");
	peer_until_end(peer);
	peer_close(peer);
	until_connections(0);
}

/* H15: what follows a refused request is thrown away, within bounds. */
Test(http_server_flags, a_refused_client_may_finish_its_sentence)
{
	struct peer *peer = peer_open(port);
	char *bytes = malloc(MUCH);

	evhttp_set_gencb(http, http_keep, NULL);
	memset(bytes, 'x', MUCH);
	peer_send(peer, "nonsense\r\n\r\n");
	peer_send_bytes(peer, bytes, 100000);
	peer_until_end(peer);
	cr_expect_eq(code_of(peer->got), 400);
	cr_expect(!peer->was_reset);
	cr_expect_eq(times(peer->got, "HTTP/1.1"), 1);
	peer_close(peer);

	peer = peer_open(port);
	peer_send(peer, "nonsense\r\n\r\n");
	for (int i = 0; i < 8; i++)
		peer_send_bytes(peer, bytes, MUCH);
	peer_until_end(peer);
	until_connections(0);
	peer_close(peer);
	free(bytes);
}

/* HTTP-187, HTTP-197: the other switches. */
Test(http_server_flags, leniency_is_asked_for)
{
	static const char coded[] = REQUEST("POST /", "Transfer-Encoding: gzip, chunked\r\n")
				    "4\r\nbody\r\n0\r\n\r\n";

	evhttp_set_gencb(http, http_echo, NULL);
	cr_expect_eq(code_of(talk(coded)), 501);
	cr_assert_eq(evhttp_set_flags(http, EVHTTP_SERVER_ACCEPT_CODINGS), 0);
	check_reply(talk(coded), 200, "body");
	cr_expect_eq(code_of(talk("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")), 400);
	cr_assert_eq(evhttp_set_flags(http, EVHTTP_SERVER_RELAX_HOST), 0);
	cr_expect_eq(code_of(talk("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")), 200);
	cr_expect_eq(code_of(talk("GET / HTTP/1.1\r\nHost: a b\r\n\r\n")), 200);
}
