/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WS_SESSION_H_INCLUDED
#define WS_SESSION_H_INCLUDED

/*
 * A session: what the files of evws share.
 *
 * All reading and writing of the bufferevent is done in the loop's thread. What other threads send
 * is queued in `outbox` under the session's lock and taken over by a deferred callback.
 */

#include "http/server.h"
#include "ws/deflate.h"
#include "ws/frame.h"
#include "ws/utf8.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/component/reactor.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/ws.h>

enum evi_ws_state {
	EVI_WS_CONNECTING, /* client: the handshake is not over */
	EVI_WS_OPEN,
	EVI_WS_CLOSE_SENT, /* by us: the peer's is awaited */
	EVI_WS_FLUSHING,   /* both, or no more is to come: what is queued is written */
	EVI_WS_LINGERING,  /* all is written: the peer's end of the connection is awaited */
	EVI_WS_ENDED
};

struct evws_connection {
	struct evi_session in_server; /* member of http->sessions */
	struct evhttp *http;          /* NULL: a client */
	struct event_base *base;
	struct bufferevent *bev;
	int owns_fd;
	int options;
	int holds; /* uses on the stack, and one while not ended */
	enum evi_ws_state state; /* written under `lock`, by the loop's thread only */
	unsigned is_client : 1;
	unsigned has_failed : 1; /* the peer broke a rule, and may be sending still */
	unsigned has_eof : 1;    /* nothing more comes; what has come is processed to its end */
	unsigned is_told : 1;    /* the program knows of the end already */
	unsigned is_heard : 1;   /* something has come since the last look */
	unsigned is_paused : 1;  /* the program takes no messages at present */

	ws_on_msg_cb on_message;
	void *arg;
	ws_on_close_cb on_close;
	void *close_arg;
	evws_drained_cb on_drained;
	void *drained_arg;
	size_t output_max;   /* what may wait for the peer; 0: all of it; under `lock` */
	unsigned close_code; /* as evws_connection_get_close_code() tells */

	/* the frame being read */
	struct evi_ws_head head;
	int has_head;
	uint64_t head_read; /* bytes of its payload that were taken */

	/* the message being put together */
	uint8_t *message;
	size_t len, room;
	size_t max; /* of a message */
	uint8_t type; /* 0: none in progress */
	int is_compressed;
	struct evi_utf8 utf8;

	struct evi_ws_deflate *deflate; /* NULL: not agreed on */
	struct event close_timer;
	struct event *keepalive; /* NULL: off */
	unsigned silence;        /* intervals without a byte */
	size_t pongs;            /* bytes of them since the output was empty */
	struct evi_deferred deferred; /* go on reading; take the outbox over */

	void *lock; /* NULL unless BEV_OPT_THREADSAFE */
	struct evbuffer *outbox;
	int must_close;     /* asked for by another thread */
	uint16_t must_code;

	struct evi_ws_opening *opening; /* client.c; NULL once it is told how that went */
	const struct evhttp_failure *failure; /* while that is told */
};

/* A session on `bev`, which it owns; NULL when out of memory, `bev` untouched. */
struct evws_connection *evi_ws_new(struct event_base *base, struct bufferevent *bev, int owns_fd,
				   ws_on_msg_cb cb, void *arg, int options, int is_client);

void evi_ws_set_state(struct evws_connection *ws, enum evi_ws_state state);

/* Start reading frames; what has come already is processed from the loop. */
void evi_ws_open(struct evws_connection *ws);

void evi_ws_enter(struct evws_connection *ws);
void evi_ws_leave(struct evws_connection *ws); /* may free it */

/* The end: tells the program once, frees the bufferevent. */
void evi_ws_end(struct evws_connection *ws);


/* --- send.c: in the loop's thread ----------------------------------------------------------- */

void evi_ws_send_frame(struct evws_connection *ws, unsigned opcode, const void *data, size_t len);

/* A close frame with that code, or without payload if the code may not appear on the wire. */
void evi_ws_send_close(struct evws_connection *ws, unsigned code);
void evi_ws_take_outbox(struct evws_connection *ws);

/* --- receive.c ------------------------------------------------------------------------------ */

/* Processes the input as far as it goes; at most so much per call. */
void evi_ws_receive(struct evws_connection *ws);

/* --- message.c ------------------------------------------------------------------------------ */

/* Takes the next `len` bytes of the frame's payload, all there; 0 if that has ended the session. */
int evi_ws_message_take(struct evws_connection *ws, struct evbuffer *in, size_t len);

/* The message is whole. */
void evi_ws_message_deliver(struct evws_connection *ws);
void evi_ws_message_forget(struct evws_connection *ws);

/* --- flow.c --------------------------------------------------------------------------------- */

/* The program takes no messages at present. */
int evi_ws_is_waiting(const struct evws_connection *ws);

/* More waits in `out` than may. */
int evi_ws_is_full(const struct evws_connection *ws, const struct evbuffer *out);

/* What was sent has gone, or nearly. */
void evi_ws_tell_drained(struct evws_connection *ws);

/* --- close.c -------------------------------------------------------------------------------- */

/* The peer's close frame. */
void evi_ws_close_received(struct evws_connection *ws, const uint8_t *payload, size_t len);
void evi_ws_begin_close(struct evws_connection *ws, unsigned code);

/* Close with a code because of what the peer did. */
void evi_ws_fail(struct evws_connection *ws, unsigned code);

/* Nothing more is to be said: go on when all of it is written. */
void evi_ws_drained(struct evws_connection *ws);

/* --- keepalive.c ---------------------------------------------------------------------------- */

void evi_ws_keepalive_stop(struct evws_connection *ws);

/* --- client.c ------------------------------------------------------------------------------- */

/* Nothing more is waited for, or the program does not want it: tell so, which ends the session. */
void evi_ws_client_give_up(struct evws_connection *ws);

/* The program does not want it: give up from the loop. */
void evi_ws_client_abort(struct evws_connection *ws);
void evi_ws_opening_free(struct evi_ws_opening *opening); /* NULL does nothing */

#endif
