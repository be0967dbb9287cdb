/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_BUFFEREVENT_STRUCT_H_INCLUDED_
#define EVENT2_BUFFEREVENT_STRUCT_H_INCLUDED_

/**
 * @file event2/bufferevent_struct.h
 *
 * The layout of a bufferevent, for programs that look into it, as those of the 1.x interface did.
 *
 * Reading is allowed, in the loop's thread or with the lock held, and gives current values.
 * Writing is not: use event2/bufferevent.h. The layout is that of 2.1 and does not change.
 */

#include <event2/event-config.h>
#include <event2/util.h>
#include <event2/event_struct.h>
#include <event2/bufferevent.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes; a high mark of 0 is none. */
struct event_watermark {
	size_t low;
	size_t high;
};
struct bufferevent_ops;
struct evbuffer;
/** The public part; more follows it, so it cannot be copied or made by hand. */
struct bufferevent {
	struct event_base *ev_base; /* the loop */
	const struct bufferevent_ops *be_ops; /* the type: see event2/component/buffer.h */
	struct event ev_read; /* pending while reading waits for the descriptor or its timeout */
	struct event ev_write; /* likewise for writing */
	struct evbuffer *input; /* received */
	struct evbuffer *output; /* to be sent */
	struct event_watermark wm_read; /* bufferevent_setwatermark() */
	struct event_watermark wm_write;
	bufferevent_data_cb readcb; /* bufferevent_setcb() */
	bufferevent_data_cb writecb;
	bufferevent_event_cb errorcb;
	void *cbarg;
	struct timeval timeout_read; /* zero for none */
	struct timeval timeout_write;
	short enabled; /* EV_READ and EV_WRITE as the user wants them */
};

#ifdef __cplusplus
}
#endif

#endif
