/* SPDX-License-Identifier: BSD-3-Clause */
/* Expect: 100-continue. */

#include "server_test.h"

TestSuite(http_server_expect, .init = http_open, .fini = http_close, .timeout = 60);

#define HEAD(fields) REQUEST("POST /", fields)
#define INTERIM	     "HTTP/1.1 100 Continue\r\n\r\n"

/* HTTP-212: in any case of letters, sized or chunked. */
Test(http_server_expect, continue_is_sent_at_once)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, http_echo, NULL);
	peer_send(peer, HEAD("Content-Length: 4\r\nExpect: 100-Continue\r\n"));
	peer_until(peer, INTERIM);
	cr_assert_str_eq(peer->got, INTERIM);
	peer_send(peer, "body");
	peer_until(peer, "\r\n\r\nbody");
	peer_send(peer, HEAD("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"));
	peer_until(peer, INTERIM);
	peer_send(peer, "4\r\nmore\r\n0\r\n\r\n");
	peer_until(peer, "\r\n\r\nmore");
	cr_assert_eq(times(peer->got, "100 Continue"), 2);
	peer_close(peer);
}

/* HTTP-212, H16 */
Test(http_server_expect, not_if_the_body_is_there_already)
{
	evhttp_set_gencb(http, http_echo, NULL);
	check_reply(talk(HEAD("Content-Length: 4\r\nExpect: 100-continue\r\n") "body"), 200,
		    "body");
}

/* HTTP-211, H16: nobody waits without a body, nor with HTTP/1.0. */
Test(http_server_expect, without_a_body_it_does_not_count)
{
	evhttp_set_gencb(http, http_echo, NULL);
	check_reply(talk(HEAD("Expect: 100-continue\r\n")), 200, "");
	check_reply(talk(HEAD("Content-Length: 0\r\nExpect: 100-continue\r\n")), 200, "");
	check_reply(talk(HEAD("Expect: miracles\r\n")), 200, "");
	check_reply(talk(HEAD("Content-Length: 0\r\nExpect: miracles\r\n")), 200, "");
	check_reply(talk("POST / HTTP/1.0\r\nContent-Length: 4\r\nExpect: miracles\r\n\r\nbody"),
		    200, "body");
}

/* HTTP-213 */
Test(http_server_expect, a_body_too_long_is_not_asked_for)
{
	struct peer *peer = peer_open(port);

	peer_close(peer);
	evhttp_set_max_body_size(http, 3);
	settle();
	peer = peer_open(port);
	peer_send(peer, HEAD("Content-Length: 4\r\nExpect: 100-continue\r\n"));
	peer_until_end(peer);
	cr_expect_eq(code_of(peer->got), 413);
	cr_expect_eq(has_line(peer->got, "Connection: close"), 1);
	peer_close(peer);
}

/* HTTP-214 */
Test(http_server_expect, unknown_expectations_fail)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, http_keep, NULL);
	peer_send(peer, HEAD("Content-Length: 4\r\nExpect: 101-continue\r\n"));
	peer_until_end(peer);
	cr_expect_eq(has_line(peer->got, "HTTP/1.1 417 Expectation Failed"), 1);
	cr_expect_eq(has_line(peer->got, "Connection: close"), 1);
	cr_expect_str_eq(http_log, "");
	peer_close(peer);
}

/* HTTP-215 */
Test(http_server_expect, the_interim_reply_is_of_version_1_1)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, http_echo, NULL);
	peer_send(
		peer,
		"POST / HTTP/1.7\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
	peer_until(peer, INTERIM);
	peer_close(peer);
}

/* HTTP-216 */
static int verdict;

static int on_head(struct evhttp_request *req, void *arg)
{
	(void)arg;
	http_note("head");
	cr_expect_eq(evbuffer_get_length(bufferevent_get_output(evhttp_connection_get_bufferevent(
			     evhttp_request_get_connection(req)))),
		     0);
	return verdict;
}

static int install(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_request_set_header_cb(req, on_head);
	return 0;
}

Test(http_server_expect, the_callback_of_the_head_comes_first)
{
	struct peer *peer;

	evhttp_set_gencb(http, http_echo, NULL);
	evhttp_set_newreqcb(http, install, NULL);
	peer = peer_open(port);
	peer_send(peer, HEAD("Content-Length: 4\r\nExpect: 100-continue\r\n"));
	peer_until(peer, INTERIM);
	cr_expect_str_eq(http_log, "head");
	peer_close(peer);
	verdict = -1;
	peer = peer_open(port);
	peer_send(peer, HEAD("Content-Length: 4\r\nExpect: 100-continue\r\n"));
	peer_until_end(peer);
	cr_expect_eq(peer->len, 0);
	peer_close(peer);
}
