/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions of a client, against a server that is written byte by byte, and against ours. */

#include "ws_test.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

TestSuite(ws_client, .init = ws_open, .fini = ws_close, .timeout = 60);

#define TEXT (WS_FINAL | WS_TEXT_FRAME)
#define BINARY (WS_FINAL | WS_BINARY_FRAME)
#define CLOSE (WS_FINAL | WS_CLOSE)
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"

static int opened;           /* calls of on_open() */
static int free_when_opened;
static struct evws_connection *client;
static struct ws_peer server; /* the other end */

static struct evhttp_failure failure; /* told last; all zero: none was */

static void note_failure(const struct evhttp_failure *told)
{
	memset(&failure, 0, sizeof(failure));
	if (told == NULL)
		return;
	failure = *told;
	cr_expect_neq(told->text[0], '\0');
}

static void expect_failure(enum evhttp_failure_stage stage, enum evhttp_request_error reason,
			   int err)
{
	cr_expect_not_null(failure.text);
	cr_expect_eq(failure.stage, stage);
	cr_expect_eq(failure.reason, reason);
	cr_expect_eq(failure.socket_error, err != 0 ? support_socket_error(err) : 0);
}

static void on_open(struct evws_connection *evws, int status, void *arg)
{
	(void)arg;
	opened++;
	note_failure(evws_client_get_failure(evws));
	cr_expect_eq(failure.text == NULL, status != 0);
	http_note("opened-%d", status);
	if (status != 101)
		client = NULL;
	if (free_when_opened)
		evws_connection_free(evws);
}

static void on_client_close(struct evws_connection *evws, void *arg)
{
	(void)arg;
	ws_closed++;
	http_note("closed-%d", evws_connection_get_close_code(evws));
	if (client == evws)
		client = NULL;
}

static const char *offered_protocols;
static struct evkeyvalq *own_headers;

/* A client on a socket pair; the request is awaited. */
static void start(int options)
{
	evutil_socket_t pair[2];
	struct bufferevent *bev;

	support_socketpair(pair);
	ws_echoes = 0;
	bev = bufferevent_socket_new(base, pair[0], BEV_OPT_CLOSE_ON_FREE);
	client = evws_client_new(base, bev, "example.org:8080", "/chat?room=1", offered_protocols,
				 own_headers, on_open, ws_echo, NULL, options);
	cr_assert_not_null(client);
	evws_connection_set_closecb(client, on_client_close, NULL);
	server.peer = peer_open_on(pair[1]);
	server.from = 0;
	peer_until(server.peer, "\r\n\r\n");
	server.from = server.peer->len;
}

static void finish(void)
{
	if (client != NULL)
		evws_connection_free(client);
	peer_close(server.peer);
}

/* The value of a field in the request, up to the line's end. */
static const char *field(const char *name)
{
	static char value[128];
	const char *at = strstr(server.peer->got, name);

	if (at == NULL)
		return "";
	at += strlen(name) + 2;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
	return value;
}

/* What answers the client's key: our server knows, which other suites check. */
static const char *accept_line(void)
{
	static char line[128];
	struct peer *peer = peer_open(port);
	const char *at;

	peer_send(peer,
		  "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		  "Sec-WebSocket-Key: ");
	peer_send(peer, field("Sec-WebSocket-Key"));
	peer_send(peer, "\r\n\r\n");
	peer_until(peer, "\r\n\r\n");
	at = strstr(peer->got, "Sec-WebSocket-Accept: ");
	cr_assert_not_null(at);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n") + 1, at);
	peer_close(peer);
	ws_until(&ws_closed, ws_closed + 1);
	ws_closed = 0;
	http_log[0] = '\0';
	return line;
}

static void answer(const char *before, const char *accept, const char *behind)
{
	peer_send(server.peer, before);
	peer_send(server.peer, accept);
	peer_send(server.peer, behind);
	peer_send(server.peer, "\r\n");
}

static void open_session(int options)
{
	start(options);
	answer(SWITCH UPGRADE, accept_line(), "");
	ws_until(&opened, 1);
	cr_assert_not_null(client);
}

/* Reads one frame of the client: its payload, unmasked. */
static size_t read_frame(unsigned first_byte, uint8_t mask[4], char *payload, size_t room)
{
	const uint8_t *got;
	size_t len, at = 2;

	while (server.peer->len - server.from < 6)
		event_base_loop(base, EVLOOP_ONCE);
	got = (const uint8_t *)server.peer->got + server.from;
	cr_assert_eq(got[0], first_byte);
	cr_assert_eq(got[1] & 0x80, 0x80, "not masked");
	len = got[1] & 0x7f;
	if (len == 126) {
		len = (size_t)got[2] << 8 | got[3];
		at = 4;
	}
	cr_assert_leq(len, room);
	memcpy(mask, got + at, 4);
	while (server.peer->len - server.from < at + 4 + len)
		event_base_loop(base, EVLOOP_ONCE);
	got = (const uint8_t *)server.peer->got + server.from + at + 4;
	for (size_t i = 0; i < len; i++)
		payload[i] = (char)(got[i] ^ mask[i & 3]);
	server.from += at + 4 + len;
	return len;
}

static void expect_frame(unsigned first_byte, const void *data, size_t len)
{
	static char payload[70000];
	uint8_t mask[4];

	cr_assert_eq(read_frame(first_byte, mask, payload, sizeof(payload)), len);
	cr_assert_arr_eq(payload, data, len);
}

static void send_unmasked(unsigned first_byte, const void *data, size_t len)
{
	ws_add_frame(bufferevent_get_output(server.peer->bev), first_byte, data, len, 0);
}

/* --- Request ---------------------------------------------------------------------------------- */

/* WS-073 */
Test(ws_client, request)
{
	struct evkeyvalq headers;
	char key[128];

	TAILQ_INIT(&headers);
	evhttp_add_header(&headers, "Origin", "http://example.org");
	own_headers = &headers;
	offered_protocols = "chat, superchat";
	start(0);
	cr_expect_eq(strncmp(server.peer->got, BYTES("GET /chat?room=1 HTTP/1.1\r\n")), 0);
	cr_expect_str_eq(field("\r\nHost"), "example.org:8080");
	cr_expect_str_eq(field("Upgrade"), "websocket");
	cr_expect_str_eq(field("Connection"), "Upgrade");
	cr_expect_str_eq(field("Sec-WebSocket-Version"), "13");
	cr_expect_str_eq(field("Sec-WebSocket-Protocol"), "chat, superchat");
	cr_expect_str_eq(field("Origin"), "http://example.org");
	cr_expect_null(strstr(server.peer->got, "Sec-WebSocket-Extensions"));
	snprintf(key, sizeof(key), "%s", field("Sec-WebSocket-Key"));
	cr_expect_eq(strlen(key), 24);
	finish();
	evhttp_clear_headers(&headers);
	own_headers = NULL;
	start(0);
	cr_expect_str_neq(field("Sec-WebSocket-Key"), key);
	finish();
}

/* WS-073: what would change the request is refused, and the bufferevent stays the caller's. */
Test(ws_client, bad_arguments)
{
	struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);
	struct evkeyval bad = { .key = (char *)(uintptr_t) "A",
				.value = (char *)(uintptr_t) "b\r\nC: d" };
	struct evkeyvalq headers;

	TAILQ_INIT(&headers);
	TAILQ_INSERT_TAIL(&headers, &bad, next);
	cr_expect_null(
		evws_client_new(base, NULL, "a", "/", NULL, NULL, on_open, ws_echo, NULL, 0));
	cr_expect_null(
		evws_client_new(base, bev, NULL, "/", NULL, NULL, on_open, ws_echo, NULL, 0));
	cr_expect_null(
		evws_client_new(base, bev, "a\r\nb", "/", NULL, NULL, on_open, ws_echo, NULL, 0));
	cr_expect_null(evws_client_new(base, bev, "a", "", NULL, NULL, on_open, ws_echo, NULL, 0));
	cr_expect_null(
		evws_client_new(base, bev, "a", "/ b", NULL, NULL, on_open, ws_echo, NULL, 0));
	cr_expect_null(
		evws_client_new(base, bev, "a", "/\n", NULL, NULL, on_open, ws_echo, NULL, 0));
	cr_expect_null(
		evws_client_new(base, bev, "a", "/", "x\ny", NULL, on_open, ws_echo, NULL, 0));
	cr_expect_null(
		evws_client_new(base, bev, "a", "/", NULL, &headers, on_open, ws_echo, NULL, 0));
	cr_expect_eq(evbuffer_get_length(bufferevent_get_output(bev)), 0);
	bufferevent_free(bev);
}

/* --- Reply ------------------------------------------------------------------------------------ */

/* WS-074: in any case of letters, with blanks around. */
Test(ws_client, accepted)
{
	char line[160];

	offered_protocols = "chat, superchat";
	start(0);
	snprintf(line, sizeof(line), "%s", accept_line());
	line[strlen(line) - 2] = '\0';
	strcat(line, "  \r\n");
	answer("HTTP/1.1 101 ok\r\nupgrade: WebSocket\r\nCONNECTION: x, upgrade\r\n", line,
	       "Sec-WebSocket-Protocol: superchat\r\n");
	ws_until(&opened, 1);
	cr_expect_str_eq(http_log, "opened-101");
	finish();
}

/* WS-074, WS-079: told once, by one callback. */
Test(ws_client, not_accepted)
{
	static const struct {
		const char *before;
		const char *behind;
		int has_accept;
	} replies[] = {
		{ SWITCH UPGRADE, "", 0 },
		{ SWITCH UPGRADE "Sec-WebSocket-Accept: " WS_ACCEPT "\r\n", "", 0 },
		{ SWITCH "Connection: Upgrade\r\n", "", 1 },
		{ SWITCH "Upgrade: websocket\r\n", "", 1 },
		{ SWITCH "Upgrade: websockets\r\nConnection: Upgrade\r\n", "", 1 },
		{ SWITCH "Upgrade: websocket\r\nConnection: close\r\n", "", 1 },
		{ SWITCH UPGRADE, "Sec-WebSocket-Protocol: other\r\n", 1 },
		{ SWITCH UPGRADE, "Sec-WebSocket-Protocol: chat, superchat\r\n", 1 },
		{ SWITCH UPGRADE, "Sec-WebSocket-Protocol:\r\n", 1 },
		{ SWITCH UPGRADE, "Sec-WebSocket-Extensions: permessage-deflate\r\n", 1 },
		{ "HTTP/1.0 101 Switching Protocols\r\n" UPGRADE, "", 1 },
		{ "HTTP/2 101 Switching Protocols\r\n" UPGRADE, "", 1 },
		{ "ICY 101\r\n" UPGRADE, "", 1 },
		{ "220 mail.example.org\r\n", "", 0 },
	};

	offered_protocols = "chat, superchat";
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		const char *accept;

		start(0);
		accept = accept_line();
		opened = 0;
		answer(replies[i].before, replies[i].has_accept ? accept : "", replies[i].behind);
		ws_until(&opened, 1);
		peer_until_end(server.peer);
		ws_wait(5);
		cr_expect_str_eq(http_log, "opened-0", "%zu: %s", i, http_log);
		expect_failure(EVHTTP_STAGE_RECEIVE, EVREQ_HTTP_INVALID_HEADER, 0);
		cr_expect_eq(ws_closed, 0);
		finish();
	}
}

/* WS-074: protocols that nobody offered. */
Test(ws_client, protocol_not_offered)
{
	start(0);
	answer(SWITCH UPGRADE, accept_line(), "Sec-WebSocket-Protocol: chat\r\n");
	ws_until(&opened, 1);
	cr_expect_str_eq(http_log, "opened-0");
	finish();
}

/* WS-075: no redirect is followed. */
Test(ws_client, other_statuses)
{
	static const char *const replies[] = { "200 OK",
					       "301 Moved\r\nLocation: http://127.0.0.1/",
					       "401 No",
					       "404 Not Found",
					       "426 Upgrade Required",
					       "503 Busy" };

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		char word[32];

		start(0);
		http_log[0] = '\0';
		opened = 0;
		answer("HTTP/1.1 ", replies[i], "\r\nContent-Length: 0\r\n");
		ws_until(&opened, 1);
		peer_until_end(server.peer);
		ws_wait(5);
		snprintf(word, sizeof(word), "opened-%.3s", replies[i]);
		cr_expect_str_eq(http_log, word);
		finish();
	}
	cr_expect_eq(ws_closed, 0);
}

/* Interim replies come before the one that counts. */
Test(ws_client, interim_replies)
{
	start(0);
	answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" SWITCH
		       UPGRADE,
	       accept_line(), "");
	ws_until(&opened, 1);
	cr_expect_str_eq(http_log, "opened-101");
	finish();
}

/* A head without end. */
Test(ws_client, endless_head)
{
	char line[1024];

	start(0);
	memset(line, 'x', sizeof(line));
	memcpy(line, BYTES("X: "));
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	peer_send(server.peer, SWITCH);
	for (int i = 0; i < 200 && opened == 0; i++) {
		peer_send_bytes(server.peer, line, sizeof(line));
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	ws_until(&opened, 1);
	cr_expect_str_eq(http_log, "opened-0");
	finish();
}

/* WS-076: with the head, and cut anywhere in it. */
Test(ws_client, frames_behind_head)
{
	char reply[512];
	int len;

	start(0);
	len = snprintf(reply, sizeof(reply), SWITCH UPGRADE "%s\r\n\x81\x02hi", accept_line());
	peer_send_bytes(server.peer, reply, (size_t)len);
	ws_until(&ws_messages, 1);
	cr_expect_str_eq(http_log, "opened-101 text:hi");
	finish();
	opened = 0;
	start(0);
	len = snprintf(reply, sizeof(reply), SWITCH UPGRADE "%s\r\n\x81\x02ho", accept_line());
	for (int i = 0; i < len; i++) {
		peer_send_bytes(server.peer, reply + i, 1);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	ws_until(&ws_messages, 2);
	cr_expect_str_eq(http_log, "opened-101 text:ho");
	finish();
}

/* --- Failing to connect ----------------------------------------------------------------------- */

static void connect_to(ev_uint16_t to)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(to) };
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client = evws_client_new(base, bev, "localhost", "/ws", NULL, NULL, on_open, ws_echo, NULL,
				 0);
	cr_assert_not_null(client);
	evws_connection_set_closecb(client, on_client_close, NULL);
	cr_assert_eq(bufferevent_socket_connect(bev, (struct sockaddr *)&name, sizeof(name)), 0);
}

/* WS-079 */
Test(ws_client, refused)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	ev_socklen_t len = sizeof(name);
	evutil_socket_t fd =
		socket(AF_INET, SOCK_STREAM, 0); /* keeps its port, and does not listen */

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	connect_to(ntohs(name.sin_port));
	ws_until(&opened, 1);
	ws_wait(20);
	cr_expect_str_eq(http_log, "opened-0");
	expect_failure(EVHTTP_STAGE_CONNECT, EVREQ_HTTP_EOF, ECONNREFUSED);
	evutil_closesocket(fd);
}

/* WS-079 */
Test(ws_client, not_found)
{
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	client = evws_client_new(base, bev, "a", "/", NULL, NULL, on_open, ws_echo, NULL, 0);
	(void)bufferevent_socket_connect_hostname(bev, NULL, AF_INET, "no such host.invalid", 80);
	ws_until(&opened, 1);
	cr_expect_str_eq(http_log, "opened-0");
	expect_failure(EVHTTP_STAGE_LOOKUP, EVREQ_HTTP_EOF, failure.socket_error);
	cr_expect_neq(failure.lookup_error, 0);
}

/* WS-079: the server ends the connection before, or in the middle of, its reply. */
Test(ws_client, ends_early)
{
	static const char *const parts[] = { "", "HTTP/1.1 1", SWITCH "Upgrade: web" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		start(0);
		http_log[0] = '\0';
		opened = 0;
		peer_send(server.peer, parts[i]);
		peer_finish(server.peer);
		ws_until(&opened, 1);
		ws_wait(5);
		cr_expect_str_eq(http_log, "opened-0");
		expect_failure(EVHTTP_STAGE_RECEIVE, EVREQ_HTTP_EOF, 0);
		finish();
	}
}

/* WS-079: a timeout of the bufferevent's; the library's own is half a minute. */
Test(ws_client, times_out)
{
	struct timeval limit = { 0, 50000 };

	start(0);
	bufferevent_set_timeouts(evws_connection_get_bufferevent(client), &limit, NULL);
	ws_until(&opened, 1);
	ws_wait(5);
	cr_expect_str_eq(http_log, "opened-0");
	expect_failure(EVHTTP_STAGE_RECEIVE, EVREQ_HTTP_TIMEOUT, ETIMEDOUT);
	finish();
}

/* WS-079: freed, closed, or freed in the callback that tells so. */
Test(ws_client, given_up)
{
	start(0);
	evws_send_text(client, "too early");
	evws_connection_free(client);
	peer_until_end(server.peer);
	cr_expect_str_eq(http_log, "closed-1006");
	cr_expect_eq(server.peer->len, server.from);
	finish();

	http_log[0] = '\0';
	start(0);
	evws_close(client, WS_CR_NORMAL);
	evws_close(client, WS_CR_NORMAL);
	cr_expect_eq(opened, 0);
	ws_until(&opened, 1);
	peer_until_end(server.peer);
	cr_expect_str_eq(http_log, "opened-0");
	expect_failure(EVHTTP_STAGE_RECEIVE, EVREQ_HTTP_REQUEST_CANCEL, 0);
	finish();

	for (int fails = 0; fails < 2; fails++) {
		free_when_opened = 0;
		start(0);
		opened = 0;
		answer(SWITCH UPGRADE, accept_line(), fails ? "Sec-WebSocket-Protocol: x\r\n" : "");
		free_when_opened = 1;
		ws_until(&opened, 1);
		peer_until_end(server.peer);
		cr_expect_str_eq(http_log, fails ? "opened-0" : "opened-101 closed-1006");
		client = NULL;
		finish();
	}
}

/* --- Frames ----------------------------------------------------------------------------------- */

/* WS-077, W03: the mask is another one each time, for each length. */
Test(ws_client, masks)
{
	static const size_t lens[] = { 0, 1, 125, 126, 3000, 65535 };
	static char data[65535], payload[65535];
	uint8_t masks[64][4];
	int equal = 0;

	open_session(0);
	for (int i = 0; i < 64; i++) {
		size_t len = lens[i % 6];

		memset(data, 'a' + i % 26, sizeof(data));
		evws_send_binary(client, data, len);
		cr_assert_eq(read_frame(BINARY, masks[i], payload, sizeof(payload)), len);
		cr_assert_arr_eq(payload, data, len);
		for (int k = 0; k < i; k++)
			equal += memcmp(masks[i], masks[k], 4) == 0;
	}
	cr_expect_leq(equal, 1);
	evws_send_text(client, "text");
	expect_frame(TEXT, "text", 4);
	finish();
}

/* WS-077, W03 */
Test(ws_client, masked_server)
{
	open_session(0);
	ws_send(&server, TEXT, "hi", 2);
	expect_frame(CLOSE, "\x03\xea", 2);
	peer_finish(server.peer);
	ws_until(&ws_closed, 1);
	cr_expect_str_eq(http_log, "opened-101 closed-1002");
	finish();
}

/* WS-078: fragments, pings, UTF-8, limits, as for a server. */
Test(ws_client, receives)
{
	open_session(0);
	send_unmasked(WS_TEXT_FRAME, "\xc3", 1);
	send_unmasked(WS_FINAL | WS_PING, "p", 1);
	send_unmasked(WS_FINAL | WS_PONG, "q", 1);
	expect_frame(WS_FINAL | WS_PONG, "p", 1);
	send_unmasked(WS_FINAL | WS_CONTINUATION, "\xa9", 1);
	send_unmasked(BINARY, NULL, 0);
	ws_until(&ws_messages, 2);
	cr_expect_str_eq(http_log, "opened-101 text:\xc3\xa9 binary-0");
	evws_connection_set_max_message(client, 3);
	send_unmasked(BINARY, "1234", 4);
	expect_frame(CLOSE, "\x03\xf1", 2);
	finish();
}

static void expect_client_fails(unsigned first_byte, const void *data, size_t len, const char *code)
{
	opened = 0;
	open_session(0);
	send_unmasked(first_byte, data, len);
	expect_frame(CLOSE, code, 2);
	finish();
}

/* WS-078 */
Test(ws_client, fails)
{
	expect_client_fails(TEXT, "\xff", 1, "\x03\xef");
	expect_client_fails(WS_FINAL | 3, "", 0, "\x03\xea");
	expect_client_fails(TEXT | 0x40, "", 0, "\x03\xea");
	expect_client_fails(WS_FINAL | WS_CONTINUATION, "", 0, "\x03\xea");
	expect_client_fails(WS_PING, "", 0, "\x03\xea");
	expect_client_fails(CLOSE, "x", 1, "\x03\xea");
	expect_client_fails(CLOSE, "\x03\xed", 2, "\x03\xea");
}

/* WS-078: after both close frames the server ends the connection, the client waits for it. */
Test(ws_client, waits_for_the_servers_end)
{
	open_session(0);
	evws_close(client, WS_CR_NORMAL);
	expect_frame(CLOSE, "\x03\xe8", 2);
	send_unmasked(CLOSE, "\x03\xe8", 2);
	ws_wait(50);
	cr_expect_eq(ws_closed, 0);
	cr_expect(!server.peer->has_ended);
	peer_finish(server.peer);
	ws_until(&ws_closed, 1);
	cr_expect_str_eq(http_log, "opened-101 closed-1000");
	finish();
}

/* WS-078: but not for ever; the server closed first here. */
Test(ws_client, does_not_wait_for_ever)
{
	double start_ms;

	open_session(0);
	start_ms = support_now_ms();
	send_unmasked(CLOSE, "\x03\xe9" "bye", 5);
	expect_frame(CLOSE, "\x03\xe9", 2);
	peer_until_end(server.peer);
	cr_expect_geq(support_now_ms() - start_ms, 1000);
	cr_expect_str_eq(http_log, "opened-101 closed-1001");
	finish();
}

/* --- Both ends ours --------------------------------------------------------------------------- */

/* WS-073, WS-078 */
Test(ws_client, with_our_server)
{
	connect_to(port);
	ws_echoes = 0;
	ws_until(&opened, 1);
	ws_echoes = 1;
	evws_send_text(client, "hello");
	ws_until(&ws_messages, 1);
	ws_echoes = 0;
	ws_until(&ws_messages, 2);
	evws_close(client, WS_CR_NORMAL);
	ws_until(&ws_closed, 2);
	cr_expect_str_eq(http_log,
			 "session opened-101 text:hello text:hello closed-1000 closed-1000");
}

/* WS-073: over any bufferevent: through a filter, as TLS and tunnels are. */
Test(ws_client, over_a_filter)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct bufferevent *below = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE), *bev;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bufferevent_socket_connect(below, (struct sockaddr *)&name, sizeof(name)), 0);
	bev = bufferevent_filter_new(below, NULL, NULL, BEV_OPT_CLOSE_ON_FREE, NULL, NULL);
	client = evws_client_new(base, bev, "localhost", "/ws", NULL, NULL, on_open, ws_echo, NULL,
				 0);
	cr_assert_not_null(client);
	evws_connection_set_closecb(client, on_client_close, NULL);
	ws_until(&opened, 1);
	cr_expect_not_null(client);
	evws_send_text(client, "hello");
	ws_until(&ws_messages, 1);
	evws_connection_free(client);
	ws_until(&ws_closed, 2);
}

static void on_proxy_reply(struct bufferevent *bev, void *arg)
{
	static const char end[] = "\r\n\r\n";
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer_ptr at = evbuffer_search(in, end, 4, NULL);

	(void)arg;
	if (at.pos < 0)
		return;
	evbuffer_drain(in, (size_t)at.pos + 4);
	client = evws_client_new(base, bev, "inside", "/ws", NULL, NULL, on_open, ws_echo, NULL, 0);
}

/* WS-073: what a proxy has connected to somebody else. */
Test(ws_client, through_a_tunnel)
{
	evutil_socket_t pair[2];
	struct bufferevent *bev;

	ws_echoes = 0;
	support_socketpair(pair);
	bev = bufferevent_socket_new(base, pair[0], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(bev, on_proxy_reply, NULL, NULL, NULL);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	bufferevent_write(bev, BYTES("CONNECT inside:80 HTTP/1.1\r\nHost: inside:80\r\n\r\n"));
	server.peer = peer_open_on(pair[1]);
	peer_until(server.peer, "\r\n\r\n");
	peer_send(server.peer, "HTTP/1.1 200 OK\r\n\r\n");
	peer_until(server.peer, "GET /ws HTTP/1.1\r\nHost: inside\r\n");
	peer_until(server.peer, "\r\n\r\n");
	server.from = server.peer->len;
	answer(SWITCH UPGRADE, accept_line(), "");
	ws_until(&opened, 1);
	cr_expect_str_eq(http_log, "opened-101");
	finish();
}
