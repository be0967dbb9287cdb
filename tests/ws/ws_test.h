/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WS_TEST_H_INCLUDED
#define WS_TEST_H_INCLUDED

/*
 * What the suites of WebSocket share, on top of those of HTTP: a server that echoes at /ws, and raw
 * peers that write frames byte by byte.
 *
 * Callbacks are logged: "text:WORDS", "binary-LENGTH", "closed-CODE".
 */

#include "http_test.h"

#include <event2/ws.h>

#include <stdint.h>

/* windows.h has one; the suites have frames of text. */
#undef TEXT

#define BYTES(text) (text), sizeof(text) - 1

#define WS_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define WS_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define WS_REQUEST \
	"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n" \
	"Sec-WebSocket-Key: " WS_KEY "\r\n"

#define WS_FINAL 0x80
#define WS_CONTINUATION 0
#define WS_CLOSE 8
#define WS_PING 9
#define WS_PONG 10

/* A masked close frame with 1000, and what answers it. */
#define CLOSE_1000 "\x88\x82\x00\x00\x00\x00\x03\xe8"
#define CLOSED(high, low) "\x88\x02" high low

/* For sessions that are made from now on; ws_open() resets them. */
extern int ws_options;
extern int ws_echoes;
extern size_t ws_max; /* 0: the default */
extern void (*ws_on_message)(struct evws_connection *evws); /* after the echo */
extern void (*ws_on_close)(struct evws_connection *evws);

extern struct evws_connection *ws_session; /* made last; NULL once it has ended */
extern int ws_closed;                      /* close callbacks */
extern int ws_messages;

/* .init and .fini of suites. */
void ws_open(void);
void ws_close(void);

/* The server's callbacks, for sessions that a test makes. */
void ws_echo(struct evws_connection *evws, int type, const unsigned char *data, size_t len,
	     void *arg);
void ws_note_close(struct evws_connection *evws, void *arg);

/* Run the loop until `*value` is at least `least`. */
void ws_until(const int *value, int least);

/* Run the loop for so long: to see that nothing happens. */
void ws_wait(int ms);

/* A peer whose handshake is done; `headers` may be NULL. What comes after it is in got + from. */
struct ws_peer {
	struct peer *peer;
	size_t from;
	char head[1024];
};

void ws_peer_open(struct ws_peer *peer, const char *headers);
void ws_peer_close(struct ws_peer *peer);

/* Close a connection so that its other end sees a reset. */
void ws_reset(struct peer *peer);

/* A frame of a client, masked. */
void ws_send(struct ws_peer *peer, unsigned first_byte, const void *data, size_t len);
void ws_send_text(struct ws_peer *peer, const char *text);

/* The same to a buffer. */
void ws_add_frame(struct evbuffer *out, unsigned first_byte, const void *data, size_t len,
		  int is_masked);

/* Wait for these bytes, next; `what` is said if they do not come. */
void ws_expect(struct ws_peer *peer, const void *bytes, size_t len, const char *what);
void ws_expect_frame(struct ws_peer *peer, unsigned first_byte, const void *data, size_t len);
void ws_expect_close(struct ws_peer *peer, unsigned code);

/* And that the connection ends, without more. */
void ws_expect_end(struct ws_peer *peer);

#endif
