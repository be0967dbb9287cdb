/* SPDX-License-Identifier: BSD-3-Clause */
/* Fixtures of the WebSocket suites; see ws_test.h. */

#include "ws_test.h"

#include <stdlib.h>
#include <sys/socket.h>

int ws_options;
int ws_echoes;
size_t ws_max;
void (*ws_on_message)(struct evws_connection *evws);
void (*ws_on_close)(struct evws_connection *evws);
struct evws_connection *ws_session;
int ws_closed;
int ws_messages;

/* --- Server ----------------------------------------------------------------------------------- */

static void note_message(int type, const unsigned char *data, size_t len)
{
	if (strlen(http_log) + (type == WS_TEXT_FRAME ? len : 0) + 32 > sizeof(http_log))
		return;
	if (type == WS_TEXT_FRAME)
		http_note("text:%.*s", (int)len, (const char *)data);
	else
		http_note("binary-%zu", len);
}

static void send_text(struct evws_connection *evws, const unsigned char *data, size_t len)
{
	char *text = malloc(len + 1);

	memcpy(text, data, len);
	text[len] = '\0';
	evws_send_text(evws, text);
	free(text);
}

void ws_echo(struct evws_connection *evws, int type, const unsigned char *data, size_t len,
	     void *arg)
{
	(void)arg;
	ws_messages++;
	note_message(type, data, len);
	if (ws_echoes && type == WS_TEXT_FRAME)
		send_text(evws, data, len);
	else if (ws_echoes)
		evws_send_binary(evws, (const char *)data, len);
	if (ws_on_message != NULL)
		ws_on_message(evws);
}

void ws_note_close(struct evws_connection *evws, void *arg)
{
	(void)arg;
	ws_closed++;
	if (ws_session == evws)
		ws_session = NULL;
	http_note("closed-%d", evws_connection_get_close_code(evws));
	if (ws_on_close != NULL)
		ws_on_close(evws);
}

static void upgrade(struct evhttp_request *req, void *arg)
{
	ws_session = evws_new_session(req, ws_echo, arg, ws_options);
	http_note(ws_session != NULL ? "session" : "refused");
	if (ws_session == NULL)
		return;
	evws_connection_set_closecb(ws_session, ws_note_close, NULL);
	if (ws_max > 0)
		evws_connection_set_max_message(ws_session, ws_max);
}

void ws_open(void)
{
	http_open();
	ws_options = 0;
	ws_echoes = 1;
	ws_max = 0;
	ws_on_message = NULL;
	ws_on_close = NULL;
	evhttp_set_cb(http, "/ws", upgrade, NULL);
}

void ws_close(void)
{
	http_close();
}

/* --- Waiting ---------------------------------------------------------------------------------- */

static void give_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	cr_assert_fail("waited too long for %s; log: %s", (const char *)arg, http_log);
}

static struct event *start_watchdog(const char *what)
{
	struct timeval limit = { LIMIT_MS / 1000, 0 };
	struct event *watchdog = evtimer_new(base, give_up, (void *)(uintptr_t)what);

	evtimer_add(watchdog, &limit);
	return watchdog;
}

void ws_until(const int *value, int least)
{
	struct event *watchdog = start_watchdog("a callback");

	while (*value < least)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(watchdog);
}

void ws_wait(int ms)
{
	struct timeval limit = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(base, &limit);
	event_base_dispatch(base);
}

/* --- Peer ------------------------------------------------------------------------------------- */

void ws_peer_open(struct ws_peer *peer, const char *headers)
{
	const char *end;

	peer->peer = peer_open(port);
	peer_send(peer->peer, WS_REQUEST);
	peer_send(peer->peer, headers != NULL ? headers : "");
	peer_send(peer->peer, "\r\n");
	peer_until(peer->peer, "\r\n\r\n");
	end = strstr(peer->peer->got, "\r\n\r\n") + 4;
	peer->from = (size_t)(end - peer->peer->got);
	cr_assert_lt(peer->from, sizeof(peer->head));
	memcpy(peer->head, peer->peer->got, peer->from);
	peer->head[peer->from] = '\0';
}

void ws_peer_close(struct ws_peer *peer)
{
	peer_close(peer->peer);
}

void ws_reset(struct peer *peer)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(bufferevent_getfd(peer->bev), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	peer_close(peer);
}

static size_t write_head(uint8_t *head, unsigned first_byte, size_t len, int is_masked)
{
	size_t at = 2, bytes = len < 126 ? 0 : len < 65536 ? 2 : 8;

	head[0] = (uint8_t)first_byte;
	head[1] = (uint8_t)((is_masked ? 0x80 : 0) | (bytes == 0 ? len : bytes == 2 ? 126 : 127));
	for (size_t i = bytes; i-- > 0;)
		head[at++] = (uint8_t)((uint64_t)len >> (8 * i));
	return at;
}

void ws_add_frame(struct evbuffer *out, unsigned first_byte, const void *data, size_t len,
		  int is_masked)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	uint8_t head[14], *copy = malloc(len + 1);
	size_t size = write_head(head, first_byte, len, is_masked);

	evbuffer_add(out, head, size);
	for (size_t i = 0; i < len; i++)
		copy[i] = ((const uint8_t *)data)[i] ^ (is_masked ? mask[i & 3] : 0);
	if (is_masked)
		evbuffer_add(out, mask, sizeof(mask));
	evbuffer_add(out, copy, len);
	free(copy);
}

void ws_send(struct ws_peer *peer, unsigned first_byte, const void *data, size_t len)
{
	ws_add_frame(bufferevent_get_output(peer->peer->bev), first_byte, data, len, 1);
}

void ws_send_text(struct ws_peer *peer, const char *text)
{
	ws_send(peer, WS_FINAL | WS_TEXT_FRAME, text, strlen(text));
}

void ws_expect(struct ws_peer *peer, const void *bytes, size_t len, const char *what)
{
	struct event *watchdog = start_watchdog(what);

	while (peer->peer->len - peer->from < len && !peer->peer->has_ended)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(watchdog);
	cr_assert_geq(peer->peer->len - peer->from, len, "%s: ended after %zu of %zu bytes", what,
		      peer->peer->len - peer->from, len);
	cr_assert_arr_eq(peer->peer->got + peer->from, bytes, len, "%s: other bytes", what);
	peer->from += len;
}

void ws_expect_frame(struct ws_peer *peer, unsigned first_byte, const void *data, size_t len)
{
	uint8_t head[14];

	ws_expect(peer, head, write_head(head, first_byte, len, 0), "the head of a frame");
	if (len > 0)
		ws_expect(peer, data, len, "the payload of a frame");
}

void ws_expect_close(struct ws_peer *peer, unsigned code)
{
	uint8_t frame[4] = { 0x88, 2, (uint8_t)(code >> 8), (uint8_t)code };

	ws_expect(peer, frame, sizeof(frame), "a close frame");
}

void ws_expect_end(struct ws_peer *peer)
{
	peer_until_end(peer->peer);
	cr_assert_eq(peer->peer->len, peer->from, "%zu bytes more", peer->peer->len - peer->from);
}
