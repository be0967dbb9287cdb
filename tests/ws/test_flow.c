/* SPDX-License-Identifier: BSD-3-Clause */
/* Back-pressure: a program that takes no messages, and a peer that takes no bytes. */

#include "ws_test.h"

TestSuite(ws_flow, .init = ws_open, .fini = ws_close, .timeout = 100);

#define TEXT (WS_FINAL | WS_TEXT_FRAME)
#define BINARY (WS_FINAL | WS_BINARY_FRAME)
#define CLOSE (WS_FINAL | WS_CLOSE)
#define PING (WS_FINAL | WS_PING)

static char data[16u << 20];

static struct bufferevent *session_bev(void)
{
	return evws_connection_get_bufferevent(ws_session);
}

static void pause_session(struct evws_connection *evws)
{
	evws_connection_pause(evws);
}

/* --- The program is slow --------------------------------------------------------------------- */

Test(ws_flow, a_pause_holds_messages)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	evws_connection_pause(ws_session);
	ws_send_text(&peer, "a");
	ws_send_text(&peer, "b");
	ws_wait(20);
	cr_expect_eq(ws_messages, 0);
	evws_connection_resume(ws_session);
	cr_expect_eq(ws_messages, 0, "from within the call");
	ws_until(&ws_messages, 2);
	cr_expect_str_eq(http_log, "session text:a text:b");
	evws_connection_resume(ws_session);
	ws_peer_close(&peer);
}

Test(ws_flow, a_pause_in_a_message_holds_the_next)
{
	struct ws_peer peer;

	ws_on_message = pause_session;
	ws_peer_open(&peer, NULL);
	peer_send_bytes(peer.peer, BYTES("\x81\x81\0\0\0\0" "a" "\x81\x81\0\0\0\0" "b"
					 "\x81\x81\0\0\0\0" "c"));
	for (int i = 1; i <= 3; i++) {
		ws_until(&ws_messages, i);
		ws_wait(10);
		cr_expect_eq(ws_messages, i);
		evws_connection_resume(ws_session);
	}
	cr_expect_str_eq(http_log, "session text:a text:b text:c");
	ws_peer_close(&peer);
}

Test(ws_flow, a_pause_reaches_the_peer)
{
	struct evbuffer *bytes = evbuffer_new();
	struct ws_peer peer;

	ws_echoes = 0;
	ws_peer_open(&peer, NULL);
	evws_connection_pause(ws_session);
	for (int i = 0; i < 16; i++)
		ws_add_frame(bytes, BINARY, data, 1u << 20, 1);
	bufferevent_write_buffer(peer.peer->bev, bytes);
	evbuffer_free(bytes);
	ws_wait(200);
	cr_expect_leq(evbuffer_get_length(bufferevent_get_input(session_bev())), 256u << 10);
	evws_connection_resume(ws_session);
	ws_until(&ws_messages, 16);
	ws_peer_close(&peer);
}

Test(ws_flow, the_end_is_told_behind_what_came_before)
{
	for (int resets = 0; resets < 2; resets++) {
		struct ws_peer peer;

		http_log[0] = '\0';
		ws_closed = 0;
		ws_peer_open(&peer, NULL);
		evws_connection_pause(ws_session);
		ws_send_text(&peer, "a");
		while (evbuffer_get_length(bufferevent_get_input(session_bev())) == 0)
			event_base_loop(base, EVLOOP_ONCE);
		if (resets)
			ws_reset(peer.peer);
		else
			ws_peer_close(&peer);
		ws_wait(20);
		cr_expect_str_eq(http_log, "session");
		evws_connection_resume(ws_session);
		ws_until(&ws_closed, 1);
		cr_expect_str_eq(http_log, "session text:a closed-1006");
	}
}

Test(ws_flow, closing_ends_a_pause)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	evws_connection_pause(ws_session);
	ws_send_text(&peer, "too late");
	ws_send(&peer, CLOSE, "\x03\xe9", 2);
	ws_wait(20);
	evws_close(ws_session, WS_CR_NORMAL);
	ws_expect_close(&peer, 1000);
	ws_expect_end(&peer);
	ws_until(&ws_closed, 1);
	ws_peer_close(&peer);
	cr_expect_str_eq(http_log, "session closed-1001");
}

Test(ws_flow, a_paused_session_may_be_freed)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	ws_send_text(&peer, "a");
	evws_connection_pause(ws_session);
	ws_wait(10);
	evws_connection_free(ws_session);
	peer_until_end(peer.peer);
	ws_peer_close(&peer);
	cr_expect_str_eq(http_log, "session closed-1006");
}

Test(ws_flow, keepalive_does_not_count_a_pause)
{
	struct timeval interval = { 0, 30000 };
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	evws_connection_pause(ws_session);
	cr_assert_eq(evws_connection_set_keepalive(ws_session, &interval), 0);
	ws_wait(200);
	cr_expect_eq(ws_closed, 0);
	cr_expect_eq(peer.peer->len, peer.from);
	evws_connection_resume(ws_session);
	ws_expect_frame(&peer, PING, NULL, 0);
	ws_peer_close(&peer);
}

/* --- The peer is slow ------------------------------------------------------------------------ */

static int drained;

static void on_drained(struct evws_connection *evws, void *arg)
{
	cr_assert_eq(evws, ws_session);
	cr_assert_eq(arg, &drained);
	drained++;
}

Test(ws_flow, the_program_is_told_when_all_has_gone)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	evws_connection_set_drained_cb(ws_session, on_drained, &drained);
	bufferevent_disable(peer.peer->bev, EV_READ);
	evws_send_binary(ws_session, data, sizeof(data));
	ws_wait(50);
	cr_expect_eq(drained, 0);
	bufferevent_enable(peer.peer->bev, EV_READ);
	ws_until(&drained, 1);
	cr_expect_eq(evbuffer_get_length(bufferevent_get_output(session_bev())), 0);
	ws_expect_frame(&peer, BINARY, data, sizeof(data));
	evws_connection_set_drained_cb(ws_session, NULL, NULL);
	evws_send_text(ws_session, "x");
	ws_expect_frame(&peer, TEXT, "x", 1);
	cr_expect_eq(drained, 1);
	ws_peer_close(&peer);
}

Test(ws_flow, or_nearly_all)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	evws_connection_set_drained_cb(ws_session, on_drained, &drained);
	bufferevent_setwatermark(session_bev(), EV_WRITE, sizeof(data) - 1, 0);
	bufferevent_disable(peer.peer->bev, EV_READ);
	evws_send_binary(ws_session, data, sizeof(data));
	ws_until(&drained, 1);
	cr_expect_gt(evbuffer_get_length(bufferevent_get_output(session_bev())), 0);
	bufferevent_enable(peer.peer->bev, EV_READ);
	ws_expect_frame(&peer, BINARY, data, sizeof(data));
	ws_peer_close(&peer);
}

static void free_it(struct evws_connection *evws, void *arg)
{
	(void)arg;
	evws_connection_free(evws);
}

Test(ws_flow, a_session_may_be_freed_when_it_is_told)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	evws_connection_set_drained_cb(ws_session, free_it, NULL);
	evws_send_text(ws_session, "x");
	ws_until(&ws_closed, 1);
	ws_expect_frame(&peer, TEXT, "x", 1);
	ws_expect_end(&peer);
	ws_peer_close(&peer);
}

Test(ws_flow, what_may_wait_is_limited)
{
	static const int options[] = { 0, BEV_OPT_THREADSAFE };

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct ws_peer peer;

		ws_options = options[i];
		ws_closed = 0;
		http_log[0] = '\0';
		ws_peer_open(&peer, NULL);
		evws_connection_set_max_output(ws_session, 1000);
		evws_send_binary(ws_session, data, 1000);
		evws_send_text(ws_session, "more than 1000 bytes are waiting");
		evws_send_text(ws_session, "closing");
		ws_expect_frame(&peer, BINARY, data, 1000);
		ws_expect_close(&peer, 1008);
		ws_send(&peer, CLOSE, "\x03\xf0", 2);
		ws_expect_end(&peer);
		ws_until(&ws_closed, 1);
		ws_peer_close(&peer);
		cr_expect_str_eq(http_log, "session closed-1008");
	}
}

/* Time is no matter: what a peer takes makes room. */
Test(ws_flow, a_peer_that_reads_is_not_limited)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	evws_connection_set_max_output(ws_session, 1000);
	for (int i = 0; i < 20; i++) {
		evws_send_binary(ws_session, data, 1001);
		ws_expect_frame(&peer, BINARY, data, 1001);
	}
	evws_connection_set_max_output(ws_session, 0);
	evws_send_binary(ws_session, data, 1001);
	evws_send_text(ws_session, "a");
	ws_expect_frame(&peer, BINARY, data, 1001);
	ws_expect_frame(&peer, TEXT, "a", 1);
	ws_peer_close(&peer);
}

/* W13: The peer gets nothing, so it cannot be told; the session ends all the same. */
Test(ws_flow, one_that_does_not_read_is_dropped)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	evws_connection_set_max_output(ws_session, 1 << 20);
	bufferevent_disable(peer.peer->bev, EV_READ);
	while (ws_closed == 0) {
		evws_send_binary(ws_session, data, 100000);
		cr_assert_leq(evbuffer_get_length(bufferevent_get_output(session_bev())),
			      (1u << 20) + 110000);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	ws_peer_close(&peer);
	cr_expect_str_eq(http_log, "session closed-1006");
}
