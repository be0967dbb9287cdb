/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_BUFFEREVENT_COMPAT_H_INCLUDED_
#define EVENT2_BUFFEREVENT_COMPAT_H_INCLUDED_

/**
 * @file event2/bufferevent_compat.h
 *
 * The names of the 1.x interface. New programs use event2/bufferevent.h.
 */

#include <event2/visibility.h>
#include <event2/event-config.h>
#include <event2/util.h>
#include <event2/bufferevent.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Callback types. */
#define evbuffercb bufferevent_data_cb
#define everrorcb bufferevent_event_cb

/* The two buffers. */
#define EVBUFFER_INPUT(x) bufferevent_get_input(x)
#define EVBUFFER_OUTPUT(x) bufferevent_get_output(x)

struct bufferevent;

/* What an event callback is told. */
#define EVBUFFER_READ BEV_EVENT_READING
#define EVBUFFER_WRITE BEV_EVENT_WRITING
#define EVBUFFER_EOF BEV_EVENT_EOF
#define EVBUFFER_ERROR BEV_EVENT_ERROR
#define EVBUFFER_TIMEOUT BEV_EVENT_TIMEOUT

/**
 * Make a socket bufferevent in the loop event_init() made, without options, and set its callbacks.
 *
 * @param fd  nonblocking, or -1; never closed by the library
 * @return the bufferevent, owned by the caller (bufferevent_free()); NULL without a loop or memory
 * @since 1.x; deprecated: bufferevent_socket_new() and bufferevent_setcb()
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_new(evutil_socket_t fd, evbuffercb readcb, evbuffercb writecb,
				    everrorcb errorcb, void *cbarg);

/**
 * Set both timeouts.
 *
 * @param timeout_read, timeout_write  seconds; 0 for none
 * @since 1.x; deprecated: bufferevent_set_timeouts()
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_settimeout(struct bufferevent *bufev, int timeout_read, int timeout_write);

#ifdef __cplusplus
}
#endif

#endif
