/* SPDX-License-Identifier: BSD-3-Clause */
/* The opening handshake of a server: RFC 6455 section 4.2. */

#include "ws_test.h"

#include <sys/socket.h>

TestSuite(ws_handshake, .init = ws_open, .fini = ws_close, .timeout = 60);

#define LINE "GET /ws HTTP/1.1\r\nHost: a\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: " WS_KEY "\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"

/* Sends, and waits for the reply's head. */
static const char *reply_to(const char *request)
{
	static char reply[4096];
	struct peer *peer = peer_open(port);

	peer_send(peer, request);
	peer_until(peer, "\r\n\r\n");
	cr_assert_lt(peer->len, sizeof(reply));
	memcpy(reply, peer->got, peer->len + 1);
	peer_close(peer);
	return reply;
}

/* WS-001, WS-017, WS-018, WS-020, WS-027 */
Test(ws_handshake, accepted)
{
	static const char *const requests[] = {
		LINE UPGRADE CONNECTION KEY "\r\n",
		LINE UPGRADE CONNECTION KEY VERSION "\r\n",
		LINE "Upgrade: WEBSOCKET\r\n" CONNECTION KEY "\r\n",
		LINE "Upgrade: h2c, websocket\r\n" CONNECTION KEY "\r\n",
		LINE UPGRADE "Connection: keep-alive, uPGRADE\r\n" KEY "\r\n",
		LINE UPGRADE "Connection: keep-alive\r\nConnection: upgrade\r\n" KEY "\r\n",
		LINE UPGRADE CONNECTION KEY "Content-Length: 3\r\n\r\nabc",
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const char *reply = reply_to(requests[i]);

		cr_expect_eq(strncmp(reply, BYTES("HTTP/1.1 101 Switching Protocols\r\n")), 0,
			     "%zu: %s", i, reply);
		cr_expect_not_null(ws_session, "%zu", i);
		ws_until(&ws_closed, (int)i + 1);
	}
}

#define AAAA "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* WS-003, WS-017..021, W01: the body is empty, and the connection goes on. */
Test(ws_handshake, refused)
{
	static const char *const requests[] = {
		"POST /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" UPGRADE CONNECTION KEY
		"\r\n",
		LINE CONNECTION KEY "\r\n",
		LINE "Upgrade: websockets\r\n" CONNECTION KEY "\r\n",
		LINE "Upgrade: a-websocket\r\n" CONNECTION KEY "\r\n",
		LINE UPGRADE KEY "\r\n",
		LINE UPGRADE "Connection: keep-alive\r\n" KEY "\r\n",
		LINE UPGRADE "Connection: not-upgraded\r\n" KEY "\r\n",
		LINE UPGRADE CONNECTION "\r\n",
		LINE UPGRADE CONNECTION "Sec-WebSocket-Key:\r\n\r\n",
		LINE UPGRADE CONNECTION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n\r\n",
		LINE UPGRADE CONNECTION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n\r\n",
		LINE UPGRADE CONNECTION
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSBsb25nZXI=\r\n\r\n",
		LINE UPGRADE CONNECTION "Sec-WebSocket-Key: ????????????????????????\r\n\r\n",
		LINE UPGRADE CONNECTION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n\r\n",
		LINE UPGRADE CONNECTION KEY KEY "\r\n",
		LINE UPGRADE CONNECTION "Sec-WebSocket-Key: " AAAA AAAA AAAA AAAA AAAA AAAA
					"\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct peer *peer = peer_open(port);

		peer_send(peer, requests[i]);
		peer_send(peer, LINE UPGRADE CONNECTION KEY "\r\n");
		peer_until(peer, "\r\n\r\n");
		cr_expect_eq(strncmp(peer->got, BYTES("HTTP/1.1 400 ")), 0, "%zu: %s", i,
			     peer->got);
		cr_expect_not_null(strstr(peer->got, "Content-Length: 0\r\n"), "%zu: %s", i,
				   peer->got);
		peer_until(peer, "HTTP/1.1 101 ");
		peer_close(peer);
		ws_until(&ws_closed, (int)i + 1);
	}
	cr_expect_eq(times(http_log, "refused"), (int)(sizeof(requests) / sizeof(requests[0])));
}

/* WS-018, W01: where there is no Upgrade yet. */
Test(ws_handshake, old_version)
{
	const char *reply =
		reply_to("GET /ws HTTP/1.0\r\nHost: a\r\n" UPGRADE CONNECTION KEY "\r\n");

	cr_expect_not_null(strstr(reply, " 400 "), "%s", reply);
	cr_expect_null(ws_session);
}

/* WS-020, W01 */
Test(ws_handshake, other_protocol_version)
{
	static const char *const versions[] = { "8", "12", "14", "13, 8", "013", "x" };

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		char request[512];
		const char *reply;

		snprintf(request, sizeof(request),
			 LINE UPGRADE CONNECTION KEY "Sec-WebSocket-Version: %s\r\n\r\n",
			 versions[i]);
		reply = reply_to(request);
		cr_expect_eq(strncmp(reply, BYTES("HTTP/1.1 426 ")), 0, "%s", reply);
		cr_expect_not_null(strstr(reply, "\r\nSec-WebSocket-Version: 13\r\n"), "%s", reply);
		cr_expect_null(ws_session);
	}
}

static void upgrade_with_headers(struct evhttp_request *req, void *arg)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);

	evhttp_add_header(out, "X-Mine", "1");
	evhttp_add_header(out, "Content-Type", "text/plain");
	evhttp_add_header(out, "Sec-WebSocket-Extensions", "made-up");
	if (arg != NULL)
		evhttp_add_header(out, "Sec-WebSocket-Protocol", arg);
	cr_expect_not_null(evws_new_session(req, ws_echo, NULL, 0));
}

/* WS-022, WS-023, WS-025, W02 */
Test(ws_handshake, reply)
{
	struct ws_peer peer;

	ws_peer_open(&peer, "Sec-WebSocket-Extensions: permessage-deflate, x-mine\r\n");
	cr_expect_not_null(strstr(peer.head, "\r\nUpgrade: websocket\r\n"));
	cr_expect_not_null(strstr(peer.head, "\r\nConnection: Upgrade\r\n"));
	cr_expect_not_null(strstr(peer.head, "\r\nSec-WebSocket-Accept: " WS_ACCEPT "\r\n"));
	cr_expect_null(strstr(peer.head, "Content-"));
	cr_expect_null(strstr(peer.head, "Sec-WebSocket-Protocol"));
	cr_expect_null(strstr(peer.head, "Sec-WebSocket-Extensions"));
	ws_peer_close(&peer);
}

/* WS-022, WS-025 */
Test(ws_handshake, reply_with_own_headers)
{
	const char *reply;

	evhttp_set_cb(http, "/mine", upgrade_with_headers, NULL);
	reply = reply_to("GET /mine HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECTION KEY "\r\n");
	cr_expect_eq(strncmp(reply, BYTES("HTTP/1.1 101 ")), 0, "%s", reply);
	cr_expect_not_null(strstr(reply, "\r\nX-Mine: 1\r\n"));
	cr_expect_null(strstr(reply, "Content-"));
	cr_expect_null(strstr(reply, "made-up"));
}

/* WS-024, W02 */
Test(ws_handshake, protocol)
{
	static char chosen[] = "two";
	const char *reply;

	evhttp_set_cb(http, "/first", upgrade_with_headers, NULL);
	evhttp_set_cb(http, "/chosen", upgrade_with_headers, chosen);
	reply = reply_to(
		"GET /first HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECTION KEY
		"Sec-WebSocket-Protocol: one, two\r\nSec-WebSocket-Protocol: three\r\n\r\n");
	cr_expect_not_null(strstr(reply, "\r\nSec-WebSocket-Protocol: one\r\n"), "%s", reply);
	cr_expect_eq(times(reply, "Sec-WebSocket-Protocol"), 1, "%s", reply);
	reply = reply_to("GET /chosen HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECTION KEY
			 "Sec-WebSocket-Protocol: one, two\r\n\r\n");
	cr_expect_not_null(strstr(reply, "\r\nSec-WebSocket-Protocol: two\r\n"), "%s", reply);
	cr_expect_eq(times(reply, "Sec-WebSocket-Protocol"), 1, "%s", reply);
}

static void upgrade_own_origin(struct evhttp_request *req, void *arg)
{
	const char *origin = evhttp_find_header(evhttp_request_get_input_headers(req), "Origin");

	(void)arg;
	if (origin != NULL && strcmp(origin, "http://own") == 0)
		cr_expect_not_null(evws_new_session(req, ws_echo, NULL, 0));
	else
		evhttp_send_error(req, 403, NULL);
}

/* WS-026: nothing is checked; the program can. */
Test(ws_handshake, origin)
{
	struct ws_peer peer;

	ws_peer_open(&peer, "Origin: http://stranger\r\n");
	cr_expect_not_null(ws_session);
	ws_peer_close(&peer);
	evhttp_set_cb(http, "/own", upgrade_own_origin, NULL);
	cr_expect_eq(
		strncmp(reply_to("GET /own HTTP/1.1\r\nHost: a\r\nOrigin: http://own\r\n" UPGRADE
					 CONNECTION KEY "\r\n"),
			BYTES("HTTP/1.1 101 ")),
		0);
	cr_expect_eq(
		strncmp(reply_to("GET /own HTTP/1.1\r\nHost: a\r\nOrigin: http://no\r\n" UPGRADE
					 CONNECTION KEY "\r\n"),
			BYTES("HTTP/1.1 403 ")),
		0);
}

/* WS-028: what comes with the handshake is processed, though nothing more comes. */
Test(ws_handshake, frames_behind_it)
{
	struct peer *peer = peer_open(port);

	peer_send_bytes(peer, BYTES(WS_REQUEST "\r\n\x81\x82\x01\x02\x03\x04ik"));
	peer_until(peer, "\x81\x02hi");
	cr_expect_str_eq(http_log, "session text:hi");
	peer_close(peer);
}

/* WS-032, W16: byte by byte, the handshake too. */
Test(ws_handshake, in_bytes)
{
	static const char bytes[] = WS_REQUEST "\r\n\x81\x82\x01\x02\x03\x04ik" CLOSE_1000;
	struct peer *peer = peer_open(port);

	for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
		peer_send_bytes(peer, bytes + i, 1);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	peer_until_end(peer);
	cr_expect_arr_eq(peer->got + peer->len - 8, "\x81\x02hi" CLOSED("\x03", "\xe8"), 8);
	cr_expect_str_eq(http_log, "session text:hi closed-1000");
	peer_close(peer);
}

static void count_call(struct evhttp_request *req, void *arg)
{
	(void)req;
	++*(int *)arg;
}

static void count_end(struct evhttp_connection *evcon, void *arg)
{
	(void)evcon;
	++*(int *)arg;
}

static void upgrade_watched(struct evhttp_request *req, void *arg)
{
	evhttp_request_set_on_complete_cb(req, count_call, arg);
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), count_end, arg);
	ws_session = evws_new_session(req, ws_echo, NULL, 0);
	cr_assert_not_null(ws_session);
	evws_connection_set_closecb(ws_session, ws_note_close, NULL);
}

/* WS-002 */
Test(ws_handshake, takes_the_connection)
{
	int calls = 0;
	struct peer *peer = peer_open(port);

	evhttp_set_cb(http, "/watched", upgrade_watched, &calls);
	peer_send(peer, "GET /watched HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECTION KEY "\r\n");
	peer_until(peer, "\r\n\r\n");
	peer_send_bytes(peer, BYTES(CLOSE_1000));
	peer_until_end(peer);
	ws_until(&ws_closed, 1);
	cr_expect_eq(calls, 0);
	peer_close(peer);
}

/* WS-030 */
Test(ws_handshake, connection_is_gone)
{
	struct peer *peer = peer_open(port);

	evhttp_set_cb(http, "/kept", http_keep, NULL);
	peer_send(peer, "GET /kept HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECTION KEY "\r\n");
	log_wait("handler");
	ws_reset(peer);
	while (evhttp_request_get_connection(kept) != NULL)
		event_base_loop(base, EVLOOP_ONCE);
	cr_expect_null(evws_new_session(kept, ws_echo, NULL, 0));
}

/* WS-001: also when its callback has returned long ago. */
Test(ws_handshake, later)
{
	struct peer *peer = peer_open(port);

	evhttp_set_cb(http, "/kept", http_keep, NULL);
	peer_send(peer, "GET /kept HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECTION KEY "\r\n");
	log_wait("handler");
	event_base_loop(base, EVLOOP_NONBLOCK);
	ws_session = evws_new_session(kept, ws_echo, NULL, 0);
	cr_assert_not_null(ws_session);
	evws_connection_set_closecb(ws_session, ws_note_close, NULL);
	peer_until(peer, "\r\n\r\n");
	peer_send_bytes(peer, BYTES("\x81\x82\x01\x02\x03\x04ik" CLOSE_1000));
	peer_until(peer, "\x81\x02hi\x88\x02");
	peer_close(peer);
}

/* WS-012 */
Test(ws_handshake, counts_for_the_server)
{
	struct ws_peer one, two;
	struct peer *third;

	evhttp_set_max_connections(http, 2);
	ws_peer_open(&one, NULL);
	ws_peer_open(&two, NULL);
	cr_expect_eq(evhttp_get_connection_count(http), 2);
	third = peer_open(port);
	peer_send(third, LINE UPGRADE CONNECTION KEY "\r\n");
	peer_until_end(third);
	cr_expect_null(strstr(third->got, " 101 "), "%s", third->got);
	peer_close(third);
	ws_send(&one, WS_FINAL | WS_CLOSE, NULL, 0);
	ws_until(&ws_closed, 1);
	cr_expect_eq(evhttp_get_connection_count(http), 1);
	evhttp_free(http);
	http = NULL;
	cr_expect_eq(ws_closed, 2);
	peer_until_end(two.peer);
	ws_peer_close(&one);
	ws_peer_close(&two);
}

/* WS-029: the server's timeouts are not the session's. */
Test(ws_handshake, no_timeouts)
{
	struct timeval short_time = { 2, 0 }; /* enough for a handshake */
	struct ws_peer peer;

	evhttp_set_timeout_tv(http, &short_time);
	ws_peer_open(&peer, NULL);
	ws_wait(2500);
	cr_expect_eq(ws_closed, 0);
	ws_send_text(&peer, "still there");
	ws_expect_frame(&peer, WS_FINAL | WS_TEXT_FRAME, BYTES("still there"));
	ws_peer_close(&peer);
}
