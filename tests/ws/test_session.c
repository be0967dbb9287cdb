/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a session: sending, closing, and every way it ends. */

#include "ws_test.h"

#include <sys/socket.h>

TestSuite(ws_session, .init = ws_open, .fini = ws_close, .timeout = 60);

#define TEXT (WS_FINAL | WS_TEXT_FRAME)
#define BINARY (WS_FINAL | WS_BINARY_FRAME)
#define CLOSE (WS_FINAL | WS_CLOSE)

static void finish(struct ws_peer *peer)
{
	ws_expect_end(peer);
	ws_until(&ws_closed, 1);
	ws_peer_close(peer);
	ws_wait(20);
	cr_expect_eq(ws_closed, 1, "%d close callbacks", ws_closed);
}

/* WS-011 */
Test(ws_session, constants)
{
	cr_expect_eq(WS_CR_NONE, 0);
	cr_expect_eq(WS_CR_NORMAL, 1000);
	cr_expect_eq(WS_CR_PROTO_ERR, 1002);
	cr_expect_eq(WS_CR_DATA_TOO_BIG, 1009);
	cr_expect_eq(WS_TEXT_FRAME, 1);
	cr_expect_eq(WS_BINARY_FRAME, 2);
}

/* WS-010 */
Test(ws_session, bufferevent)
{
	struct sockaddr_storage name;
	ev_socklen_t len = sizeof(name);
	struct ws_peer peer;
	struct bufferevent *bev;

	ws_peer_open(&peer, NULL);
	bev = evws_connection_get_bufferevent(ws_session);
	cr_assert_not_null(bev);
	cr_expect_eq(getpeername(bufferevent_getfd(bev), (struct sockaddr *)&name, &len), 0);
	cr_expect_eq(bufferevent_get_base(bev), base);
	ws_peer_close(&peer);
}

/* --- Sending ---------------------------------------------------------------------------------- */

static void send_three(struct evws_connection *evws)
{
	char data[3] = { 'x', 0, 'y' };

	evws_send_text(evws, "");
	evws_send_binary(evws, data, sizeof(data));
	memset(data, 0, sizeof(data)); /* it was copied */
	evws_send_binary(evws, data, 0);
}

/* WS-006, WS-015: in order, from the message callback. */
Test(ws_session, sends_from_callback)
{
	struct ws_peer peer;

	ws_on_message = send_three;
	ws_peer_open(&peer, NULL);
	for (int i = 0; i < 2; i++)
		ws_send_text(&peer, "go");
	for (int i = 0; i < 2; i++) {
		ws_expect_frame(&peer, TEXT, BYTES("go"));
		ws_expect_frame(&peer, TEXT, "", 0);
		ws_expect_frame(&peer, BINARY, "x\0y", 3);
		ws_expect_frame(&peer, BINARY, "", 0);
	}
	ws_peer_close(&peer);
}

/* WS-071: text is not checked on its way out. */
Test(ws_session, sends_any_text)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	evws_send_text(ws_session, "\xff");
	ws_expect_frame(&peer, TEXT, "\xff", 1);
	ws_peer_close(&peer);
}

/* WS-070: one frame, whatever its length; what is not taken yet can be seen. */
Test(ws_session, sends_without_limit)
{
	static char data[12u << 20];
	struct ws_peer peer;
	struct evbuffer *output;

	ws_peer_open(&peer, NULL);
	memset(data, 'x', sizeof(data));
	output = bufferevent_get_output(evws_connection_get_bufferevent(ws_session));
	evws_send_binary(ws_session, data, sizeof(data));
	cr_expect_eq(evbuffer_get_length(output), sizeof(data) + 10);
	ws_expect_frame(&peer, BINARY, data, sizeof(data));
	cr_expect_eq(evbuffer_get_length(output), 0);
	ws_peer_close(&peer);
}

static int is_inside;

static void must_not_be_inside(struct evws_connection *evws)
{
	(void)evws;
	cr_expect(!is_inside);
}

static void upgrade_late(struct evhttp_request *req, void *arg)
{
	(void)arg;
	is_inside = 1;
	ws_session = evws_new_session(req, ws_echo, NULL, 0);
	evws_send_text(ws_session, "welcome");
	is_inside = 0;
	evws_connection_set_closecb(ws_session, ws_note_close, NULL);
}

/* WS-048, WS-008: messages that are there already come from the loop, in order. */
Test(ws_session, no_callback_from_inside)
{
	struct peer *peer = peer_open(port);

	ws_on_message = must_not_be_inside;
	evhttp_set_cb(http, "/late", upgrade_late, NULL);
	peer_send_bytes(peer, BYTES("GET /late HTTP/1.1\r\nHost: a\r\nUpgrade: "
				    "websocket\r\nConnection: Upgrade\r\n"
				    "Sec-WebSocket-Key: " WS_KEY "\r\n\r\n"
				    "\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b" CLOSE_1000));
	peer_until_end(peer);
	cr_expect_str_eq(http_log, "text:a text:b closed-1000");
	peer_close(peer);
}

/* --- Closing ---------------------------------------------------------------------------------- */

/* WS-007, WS-058..060, W10: which payload goes out for which reason; later calls do nothing. */
Test(ws_session, close_reasons)
{
	static const struct {
		uint16_t reason;
		int is_sent;
	} table[] = { { WS_CR_NONE, 0 }, { 1000, 1 }, { 1001, 1 }, { 1002, 1 }, { 1003, 1 },
		      { 1004, 0 },	 { 1005, 0 }, { 1006, 0 }, { 1007, 1 }, { 1009, 1 },
		      { 1011, 1 },	 { 1015, 0 }, { 999, 0 },  { 3000, 1 }, { 4999, 1 },
		      { 5000, 0 },	 { 65535, 0 } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t code[2] = { (uint8_t)(table[i].reason >> 8), (uint8_t)table[i].reason };
		struct ws_peer peer;

		ws_peer_open(&peer, NULL);
		evws_send_text(ws_session, "before");
		evws_close(ws_session, table[i].reason);
		evws_close(ws_session, 4321);
		ws_expect_frame(&peer, TEXT, BYTES("before"));
		ws_expect_frame(&peer, CLOSE, code, table[i].is_sent ? 2 : 0);
		ws_send(&peer, CLOSE, "\x03\xe9", 2);
		ws_expect_end(&peer);
		ws_peer_close(&peer);
		ws_until(&ws_closed, (int)i + 1);
	}
	cr_expect_eq(times(http_log, "closed-1001"), (int)(sizeof(table) / sizeof(table[0])));
}

/* WS-016: neither data nor pongs behind a close frame; WS-058: what comes is discarded. */
Test(ws_session, nothing_after_close)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	evws_close(ws_session, WS_CR_NORMAL);
	evws_send_text(ws_session, "late");
	evws_send_binary(ws_session, "late", 4);
	ws_send_text(&peer, "crossing");
	ws_send(&peer, WS_BINARY_FRAME, "crossing", 8);
	ws_send(&peer, WS_FINAL | WS_PING, "p", 1);
	ws_send(&peer, WS_FINAL | WS_CONTINUATION, "crossing", 8);
	ws_expect_close(&peer, 1000);
	ws_wait(20);
	ws_send(&peer, CLOSE, "\x03\xe8", 2);
	finish(&peer);
	cr_expect_str_eq(http_log, "session closed-1000");
}

/* WS-058: a message above the limit, on its way when we close, is passed over too. */
Test(ws_session, big_message_crosses_close)
{
	static char data[100];
	struct ws_peer peer;

	ws_max = 10;
	ws_peer_open(&peer, NULL);
	evws_close(ws_session, WS_CR_NORMAL);
	ws_send(&peer, BINARY, data, sizeof(data));
	ws_send(&peer, CLOSE, "\x03\xe8", 2);
	ws_expect_close(&peer, 1000);
	finish(&peer);
	cr_expect_str_eq(http_log, "session closed-1000");
}

/* WS-058: who never answers sees the end within the bound all the same. */
Test(ws_session, peer_does_not_answer_close)
{
	struct ws_peer peer;
	double start = support_now_ms(), took;

	ws_peer_open(&peer, NULL);
	evws_close(ws_session, WS_CR_NORMAL);
	ws_expect_close(&peer, 1000);
	finish(&peer);
	took = support_now_ms() - start;
	cr_expect_geq(took, 1000);
	cr_expect_str_eq(http_log, "session closed-1006");
}

static void close_normal(struct evws_connection *evws)
{
	evws_close(evws, WS_CR_NORMAL);
	evws_send_text(evws, "late");
}

/* WS-061, WS-013, WS-056, W14: from the message callback; nothing is delivered afterwards. */
Test(ws_session, close_in_message_callback)
{
	struct ws_peer peer;

	ws_on_message = close_normal;
	ws_peer_open(&peer, NULL);
	ws_send_text(&peer, "one");
	ws_send_text(&peer, "two");
	ws_send(&peer, CLOSE, "\x03\xe8", 2);
	ws_expect_frame(&peer, TEXT, BYTES("one"));
	ws_expect_close(&peer, 1000);
	finish(&peer);
	cr_expect_str_eq(http_log, "session text:one closed-1000");
}

static void upgrade_and_close(struct evhttp_request *req, void *arg)
{
	struct evws_connection *evws = evws_new_session(req, ws_echo, arg, 0);

	evws_connection_set_closecb(evws, ws_note_close, NULL);
	evws_send_text(evws, "full");
	evws_close(evws, 1013);
}

/* WS-061: before the first message. */
Test(ws_session, close_at_once)
{
	struct ws_peer peer = { .peer = peer_open(port) };

	evhttp_set_cb(http, "/full", upgrade_and_close, NULL);
	peer_send(peer.peer,
		  "GET /full HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		  "Sec-WebSocket-Key: " WS_KEY "\r\n\r\n");
	peer_until(peer.peer, "\r\n\r\n");
	peer.from = (size_t)(strstr(peer.peer->got, "\r\n\r\n") + 4 - peer.peer->got);
	ws_expect_frame(&peer, TEXT, BYTES("full"));
	ws_expect_close(&peer, 1013);
	ws_send(&peer, CLOSE, "\x03\xf5", 2);
	finish(&peer);
}

/* WS-009: no close frame. */
Test(ws_session, free)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	evws_connection_free(ws_session);
	cr_expect_eq(ws_closed, 1);
	finish(&peer);
}

static void free_now(struct evws_connection *evws)
{
	evws_connection_free(evws);
	/* The pointer holds until the callback returns. */
	evws_send_text(evws, "late");
	evws_close(evws, WS_CR_NORMAL);
	evws_connection_free(evws);
	cr_expect_eq(evws_connection_get_close_code(evws), 1006);
}

/* WS-013, WS-009, W14 */
Test(ws_session, free_in_message_callback)
{
	struct ws_peer peer;

	ws_on_message = free_now;
	ws_echoes = 0;
	ws_peer_open(&peer, NULL);
	for (int i = 0; i < 3; i++)
		ws_send_text(&peer, "one");
	ws_until(&ws_closed, 1);
	peer_until_end(peer.peer);
	cr_expect_eq(peer.peer->len, peer.from);
	ws_peer_close(&peer);
	cr_expect_str_eq(http_log, "session text:one closed-1006");
}

static void free_again(struct evws_connection *evws)
{
	evws_connection_free(evws);
	evws_close(evws, WS_CR_NORMAL);
	evws_send_text(evws, "late");
	cr_expect_not_null(evws_connection_get_bufferevent(evws));
}

/* WS-014, WS-062, W14 */
Test(ws_session, free_in_close_callback)
{
	struct ws_peer peer;

	ws_on_close = free_again;
	ws_peer_open(&peer, NULL);
	ws_send(&peer, CLOSE, NULL, 0);
	ws_until(&ws_closed, 1);
	ws_peer_close(&peer);
	ws_peer_open(&peer, NULL);
	ws_peer_close(&peer);
	ws_until(&ws_closed, 2);
	ws_wait(20);
	cr_expect_eq(ws_closed, 2);
}

static void free_server(struct evws_connection *evws)
{
	(void)evws;
	evhttp_free(http);
	http = NULL;
}

/* WS-012, WS-013: the server goes in a callback of one of its sessions. */
Test(ws_session, server_freed_in_message_callback)
{
	struct ws_peer one, two;

	ws_on_message = free_server;
	ws_echoes = 0;
	ws_peer_open(&one, NULL);
	ws_peer_open(&two, NULL);
	ws_send_text(&one, "one");
	ws_until(&ws_closed, 2);
	peer_until_end(one.peer);
	peer_until_end(two.peer);
	ws_peer_close(&one);
	ws_peer_close(&two);
}

/* WS-012, WS-014 */
Test(ws_session, server_freed_in_close_callback)
{
	struct ws_peer one, two;

	ws_on_close = free_server;
	ws_peer_open(&one, NULL);
	ws_peer_open(&two, NULL);
	ws_on_close = NULL;
	ws_send(&one, CLOSE, NULL, 0);
	ws_until(&ws_closed, 1);
	free_server(NULL);
	cr_expect_eq(ws_closed, 2);
	ws_peer_close(&one);
	ws_peer_close(&two);
}

/* --- The peer goes ---------------------------------------------------------------------------- */

/* WS-063, WS-065, W11 */
Test(ws_session, eof)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	ws_send(&peer, WS_TEXT_FRAME, "part", 4);
	peer_finish(peer.peer);
	finish(&peer);
	cr_expect_str_eq(http_log, "session closed-1006");
}

/*
 * WS-063: what had come whole is delivered, however much it is, and the close frame behind it
 * counts.
 */
Test(ws_session, eof_behind_many_frames)
{
	struct evbuffer *bytes = evbuffer_new();
	struct ws_peer peer;

	ws_echoes = 0;
	ws_peer_open(&peer, NULL);
	for (int i = 0; i < 3000; i++)
		ws_add_frame(bytes, BINARY, "x", 1, 1);
	ws_add_frame(bytes, CLOSE, "\x03\xe9", 2, 1);
	bufferevent_write_buffer(peer.peer->bev, bytes);
	evbuffer_free(bytes);
	peer_finish(peer.peer);
	ws_until(&ws_closed, 1);
	cr_expect_eq(ws_messages, 3000);
	cr_expect_not_null(strstr(http_log, "closed-") ? http_log : NULL);
	peer_until_end(peer.peer);
	ws_peer_close(&peer);
}

/* WS-064, W11 */
Test(ws_session, reset)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	ws_reset(peer.peer);
	ws_until(&ws_closed, 1);
	ws_wait(20);
	cr_expect_eq(ws_closed, 1);
	cr_expect_eq(evhttp_get_connection_count(http), 0);
}

/* WS-064, WS-066, W11: with output that was never taken. */
Test(ws_session, gone_with_output_pending)
{
	static char data[8u << 20];

	for (int resets = 0; resets < 2; resets++) {
		struct ws_peer peer;

		ws_peer_open(&peer, NULL);
		bufferevent_disable(peer.peer->bev, EV_READ);
		evws_send_binary(ws_session, data, sizeof(data));
		ws_wait(20);
		cr_expect_neq(evbuffer_get_length(bufferevent_get_output(
				      evws_connection_get_bufferevent(ws_session))), 0);
		if (resets) {
			ws_reset(peer.peer);
		} else {
			shutdown(bufferevent_getfd(peer.peer->bev), SHUT_WR);
			ws_until(&ws_closed, 1);
			ws_peer_close(&peer);
		}
		ws_until(&ws_closed, resets + 1);
	}
}

/*
 * WS-038, WS-039: a peer that is still sending reads why it was failed; its bytes are thrown away.
 */
Test(ws_session, failed_while_sending)
{
	static char data[4u << 20];
	struct ws_peer peer;

	ws_max = 1000;
	ws_peer_open(&peer, NULL);
	ws_send(&peer, BINARY, data, sizeof(data));
	ws_expect_close(&peer, 1009);
	peer_until_end(peer.peer);
	cr_expect(!peer.peer->was_reset);
	cr_expect_eq(peer.peer->len, peer.from);
	ws_peer_close(&peer);
	ws_until(&ws_closed, 1);
	cr_expect_str_eq(http_log, "session closed-1009");
}

/* WS-038: and one that neither closes nor reads is dropped within the bound. */
Test(ws_session, failed_and_stays)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	peer_send_bytes(peer.peer, BYTES("\x83\x80\0\0\0\0"));
	ws_expect_close(&peer, 1002);
	ws_until(&ws_closed, 1);
	ws_peer_close(&peer);
}

/* --- Time ------------------------------------------------------------------------------------- */

/* WS-029, W11: a timeout that the program sets ends the session, and the answer is heard. */
Test(ws_session, own_timeout)
{
	struct timeval limit = { 0, 100000 };
	struct ws_peer peer;
	double start;

	ws_peer_open(&peer, NULL);
	bufferevent_set_timeouts(evws_connection_get_bufferevent(ws_session), &limit, NULL);
	start = support_now_ms();
	ws_expect_close(&peer, 1001);
	cr_expect_geq(support_now_ms() - start, 90);
	ws_send(&peer, CLOSE, "\x03\xe9", 2);
	finish(&peer);
	cr_expect_str_eq(http_log, "session closed-1001");
}

/* WS-052 */
Test(ws_session, no_pings_unasked)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	ws_wait(300);
	cr_expect_eq(peer.peer->len, peer.from);
	ws_peer_close(&peer);
}

/* W17 */
Test(ws_session, keepalive)
{
	struct timeval interval = { 1, 0 }; /* in which a busy machine must find time for a pong */
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	cr_expect_eq(evws_connection_set_keepalive(ws_session, &interval), 0);
	for (int i = 0; i < 3; i++) {
		ws_expect_frame(&peer, WS_FINAL | WS_PING, NULL, 0);
		ws_send(&peer, WS_FINAL | WS_PONG, NULL, 0);
	}
	cr_expect_eq(ws_closed, 0);
	ws_expect_frame(&peer, WS_FINAL | WS_PING, NULL, 0);
	finish(&peer);
	cr_expect_str_eq(http_log, "session closed-1006");
}

Test(ws_session, keepalive_off)
{
	struct timeval interval = { 0, 50000 };
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	cr_expect_eq(evws_connection_set_keepalive(ws_session, &interval), 0);
	cr_expect_eq(evws_connection_set_keepalive(ws_session, NULL), 0);
	ws_wait(200);
	cr_expect_eq(peer.peer->len, peer.from);
	cr_expect_eq(ws_closed, 0);
	ws_peer_close(&peer);
}

/* --- Floods ----------------------------------------------------------------------------------- */

/* WS-049, W13: pings whose answers nobody reads do not fill the memory. */
Test(ws_session, ping_flood)
{
	struct evbuffer *bytes = evbuffer_new();
	char payload[125] = "";
	struct ws_peer peer;
	size_t most = 0;
	int small = 4096;

	ws_peer_open(&peer, NULL);
	setsockopt(bufferevent_getfd(evws_connection_get_bufferevent(ws_session)), SOL_SOCKET,
		   SO_SNDBUF, &small, sizeof(small));
	bufferevent_disable(peer.peer->bev, EV_READ);
	for (int i = 0; i < 100000; i++)
		ws_add_frame(bytes, WS_FINAL | WS_PING, payload, sizeof(payload), 1);
	bufferevent_write_buffer(peer.peer->bev, bytes);
	evbuffer_free(bytes);
	while (ws_closed == 0) {
		struct bufferevent *bev = evws_connection_get_bufferevent(ws_session);
		size_t len = evbuffer_get_length(bufferevent_get_output(bev));

		most = len > most ? len : most;
		event_base_loop(base, EVLOOP_ONCE);
	}
	cr_log_info("at most %lu bytes of output", (unsigned long)most);
	cr_expect_leq(most, 1u << 20);
	cr_expect_str_eq(http_log, "session closed-1008");
	ws_peer_close(&peer);
}

/* WS-049: pings of a peer that reads a long message slowly are no flood. */
Test(ws_session, pings_behind_a_long_message)
{
	static char data[6u << 20];
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	bufferevent_disable(peer.peer->bev, EV_READ);
	evws_send_binary(ws_session, data, sizeof(data));
	for (int i = 0; i < 100; i++)
		ws_send(&peer, WS_FINAL | WS_PING, "p", 1);
	ws_wait(50);
	bufferevent_enable(peer.peer->bev, EV_READ);
	ws_expect_frame(&peer, BINARY, data, sizeof(data));
	for (int i = 0; i < 100; i++)
		ws_expect_frame(&peer, WS_FINAL | WS_PONG, "p", 1);
	ws_peer_close(&peer);
}

static size_t most_input;

static void note_input(struct evws_connection *evws)
{
	size_t len =
		evbuffer_get_length(bufferevent_get_input(evws_connection_get_bufferevent(evws)));

	most_input = len > most_input ? len : most_input;
}

/*
 * WS-090, W08: small frames that come faster than they are handled wait with the peer, not in our
 * memory.
 */
Test(ws_session, small_frames)
{
	struct evbuffer *bytes = evbuffer_new();
	struct ws_peer peer;

	ws_echoes = 0;
	ws_on_message = note_input;
	ws_peer_open(&peer, NULL);
	for (int i = 0; i < 100000; i++)
		ws_add_frame(bytes, BINARY, NULL, 0, 1);
	bufferevent_write_buffer(peer.peer->bev, bytes);
	evbuffer_free(bytes);
	ws_until(&ws_messages, 100000);
	cr_log_info("at most %lu bytes of input", (unsigned long)most_input);
	cr_expect_gt(most_input, 0);
	cr_expect_leq(most_input, 256u << 10);
	ws_peer_close(&peer);
}

static struct event *other;

static void count_round(evutil_socket_t fd, short what, void *arg)
{
	struct timeval soon = { 0, 0 };

	(void)fd;
	(void)what;
	++*(int *)arg;
	event_add(other, &soon);
}

/* WS-090, W16: a peer with many frames does not keep others waiting until it is through. */
Test(ws_session, takes_turns)
{
	struct timeval soon = { 0, 0 };
	int rounds = 0;
	struct evbuffer *bytes = evbuffer_new();
	struct ws_peer peer;

	ws_echoes = 0;
	ws_peer_open(&peer, NULL);
	for (int i = 0; i < 20000; i++)
		ws_add_frame(bytes, BINARY, NULL, 0, 1);
	bufferevent_write_buffer(peer.peer->bev, bytes);
	evbuffer_free(bytes);
	other = evtimer_new(base, count_round, &rounds);
	event_add(other, &soon);
	ws_until(&ws_messages, 20000);
	event_free(other);
	cr_log_info("%d rounds", rounds);
	cr_expect_geq(rounds, 5);
	ws_peer_close(&peer);
}
