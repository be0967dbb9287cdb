/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions that compress: RFC 7692 on the wire. */

#include "ws_test.h"

#include <netinet/in.h>
#include <sys/socket.h>

TestSuite(ws_deflate, .init = ws_open, .fini = ws_close, .timeout = 60);

#define TEXT (WS_FINAL | WS_TEXT_FRAME)
#define COMPRESSED 0x40
#define OFFER "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
#define ANSWER "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"

/* "Hello", and "Hello" again, as RFC 7692 section 7.2.3 writes them. */
#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00"
#define AGAIN "\xf2\x00\x11\x00\x00"

static void open_compressed(struct ws_peer *peer, const char *offer)
{
	ws_options = EVWS_OPT_DEFLATE;
	ws_peer_open(peer, offer);
}

/* WS-025, WS-083, W02: not unless the program asks for it; not unless the client offers it. */
Test(ws_deflate, negotiation)
{
	struct ws_peer peer;

	ws_peer_open(&peer, OFFER);
	cr_expect_null(strstr(peer.head, "Extensions"));
	ws_peer_close(&peer);
	open_compressed(&peer, NULL);
	cr_expect_null(strstr(peer.head, "Extensions"));
	ws_peer_close(&peer);
	open_compressed(&peer, OFFER);
	cr_expect_not_null(strstr(peer.head, ANSWER));
	ws_peer_close(&peer);
	open_compressed(&peer, "Sec-WebSocket-Extensions: x-other; a=b\r\n" OFFER);
	cr_expect_not_null(strstr(peer.head, ANSWER));
	ws_peer_close(&peer);
}

/* WS-081: an offer that cannot be understood is declined, and the session stands without. */
Test(ws_deflate, declined)
{
	static const char *const offers[] = {
		"permessage-deflate; unknown", "permessage-deflate; server_max_window_bits",
		"permessage-deflate; client_no_context_takeover; client_no_context_takeover",
		"x-other"
	};

	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		char header[256];
		struct ws_peer peer;

		snprintf(header, sizeof(header), "Sec-WebSocket-Extensions: %s\r\n", offers[i]);
		open_compressed(&peer, header);
		cr_expect_null(strstr(peer.head, "Extensions"), "%s", offers[i]);
		ws_send_text(&peer, "plain");
		ws_expect_frame(&peer, TEXT, "plain", 5);
		ws_peer_close(&peer);
	}
}

/* WS-080: compressed and plain messages; the answers are compressed, the second by context. */
Test(ws_deflate, messages)
{
	struct ws_peer peer;

	open_compressed(&peer, OFFER);
	ws_send(&peer, TEXT | COMPRESSED, HELLO, 7);
	ws_expect_frame(&peer, TEXT | COMPRESSED, HELLO, 7);
	ws_send(&peer, TEXT | COMPRESSED, AGAIN, 5);
	ws_expect_frame(&peer, TEXT | COMPRESSED, AGAIN, 5);
	ws_send_text(&peer, "");
	ws_expect_frame(&peer, TEXT, "", 0);
	ws_send(&peer, WS_FINAL | WS_PING, "p", 1);
	ws_expect_frame(&peer, WS_FINAL | WS_PONG, "p", 1);
	cr_expect_str_eq(http_log, "session text:Hello text:Hello text:");
	ws_peer_close(&peer);
}

/* WS-080, WS-044: in fragments, with a ping between them. */
Test(ws_deflate, fragments)
{
	struct ws_peer peer;

	open_compressed(&peer, OFFER);
	ws_send(&peer, WS_TEXT_FRAME | COMPRESSED, HELLO, 3);
	ws_send(&peer, WS_FINAL | WS_PING, NULL, 0);
	ws_expect_frame(&peer, WS_FINAL | WS_PONG, NULL, 0);
	ws_send(&peer, WS_FINAL | WS_CONTINUATION, &HELLO[3], 4);
	ws_expect_frame(&peer, TEXT | COMPRESSED, HELLO, 7);
	ws_peer_close(&peer);
}

/* WS-081: no context in either direction. */
Test(ws_deflate, no_context_takeover)
{
	struct ws_peer peer;

	open_compressed(&peer,
			"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
			"client_no_context_takeover\r\n");
	cr_expect_not_null(strstr(peer.head, "; server_no_context_takeover"));
	cr_expect_not_null(strstr(peer.head, "; client_no_context_takeover"));
	for (int i = 0; i < 2; i++) {
		ws_send(&peer, TEXT | COMPRESSED, HELLO, 7);
		ws_expect_frame(&peer, TEXT | COMPRESSED, HELLO, 7);
	}
	ws_send(&peer, TEXT | COMPRESSED, AGAIN, 5);
	ws_expect_close(&peer, 1007);
	ws_peer_close(&peer);
}

static void expect_failure(unsigned first_byte, const void *data, size_t len, unsigned code)
{
	struct ws_peer peer;

	open_compressed(&peer, OFFER);
	ws_send(&peer, first_byte, data, len);
	ws_expect_close(&peer, code);
	ws_expect_end(&peer);
	ws_peer_close(&peer);
}

/* WS-080 */
Test(ws_deflate, reserved_bits)
{
	struct ws_peer peer;

	expect_failure(WS_FINAL | WS_PING | COMPRESSED, NULL, 0, 1002);
	expect_failure(WS_FINAL | WS_CLOSE | COMPRESSED, NULL, 0, 1002);
	expect_failure(WS_FINAL | WS_CONTINUATION | COMPRESSED, NULL, 0, 1002);
	expect_failure(TEXT | 0x20, NULL, 0, 1002);
	expect_failure(TEXT | COMPRESSED | 0x10, HELLO, 7, 1002);
	open_compressed(&peer, OFFER);
	ws_send(&peer, WS_TEXT_FRAME | COMPRESSED, HELLO, 3);
	ws_send(&peer, WS_FINAL | WS_CONTINUATION | COMPRESSED, &HELLO[3], 4);
	ws_expect_close(&peer, 1002);
	ws_peer_close(&peer);
	open_compressed(&peer, OFFER);
	ws_send(&peer, WS_TEXT_FRAME, "a", 1);
	ws_send(&peer, TEXT | COMPRESSED, HELLO, 7);
	ws_expect_close(&peer, 1002);
	ws_peer_close(&peer);
}

/* WS-046: what it becomes must be UTF-8; and it must become something. */
Test(ws_deflate, broken)
{
	expect_failure(TEXT | COMPRESSED, "\x00\x01\x00\xfe\xff\xff\x00", 7, 1007);
	expect_failure(TEXT | COMPRESSED, "\x00\x01\x00\xfe\xff\xc3\x00", 7, 1007);
	expect_failure(TEXT | COMPRESSED, "\xff\xff\xff", 3, 1007);
}

/* WS-082, W15 */
Test(ws_deflate, limit)
{
	ws_max = 5;
	expect_failure(TEXT | COMPRESSED, "\x00\x06\x00\xf9\xff" "123456\x00", 12, 1009);
	ws_max = 4;
	expect_failure(TEXT | COMPRESSED, HELLO, 7, 1009);
}

/* --- Client ----------------------------------------------------------------------------------- */

static int opened, status_seen;
static struct evws_connection *client;

static void on_open(struct evws_connection *evws, int status, void *arg)
{
	(void)evws;
	(void)arg;
	opened = 1;
	status_seen = status;
}

static void connect_client(int options)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client =
		evws_client_new(base, bev, "a", "/ws", NULL, NULL, on_open, ws_echo, NULL, options);
	cr_assert_not_null(client);
	evws_connection_set_closecb(client, ws_note_close, NULL);
	cr_assert_eq(bufferevent_socket_connect(bev, (struct sockaddr *)&name, sizeof(name)), 0);
	ws_until(&opened, 1);
	cr_assert_eq(status_seen, 101);
}

static void echo_once(struct evws_connection *evws)
{
	ws_echoes = evws != client;
}

/* WS-080, WS-081: both ends ours, agreeing or not. */
Test(ws_deflate, client)
{
	static char data[50000];

	for (int agrees = 0; agrees < 2; agrees++) {
		opened = ws_messages = 0;
		ws_options = agrees ? EVWS_OPT_DEFLATE : 0;
		connect_client(EVWS_OPT_DEFLATE);
		ws_on_message = echo_once;
		memset(data, 'x', sizeof(data));
		for (int i = 0; i < 20; i++) {
			ws_echoes = 1;
			evws_send_binary(client, data, sizeof(data));
			ws_until(&ws_messages, 2 * i + 1);
			ws_echoes = 0;
			ws_until(&ws_messages, 2 * i + 2);
		}
		evws_close(client, WS_CR_NORMAL);
		ws_until(&ws_closed, 2 * (agrees + 1));
		cr_expect_eq(times(http_log, "closed-1000"), 2 * (agrees + 1));
	}
}
