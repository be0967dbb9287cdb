/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_HTTP_COMPAT_H_INCLUDED_
#define EVENT2_HTTP_COMPAT_H_INCLUDED_

/**
 * @file event2/http_compat.h
 *
 * Old names and forms; event2/http.h has better ones.
 */

#include <event2/event-config.h>
#include <event2/util.h>
#include <event2/http.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The 1.x name of evhttp_request_get_uri(). */
#define evhttp_request_uri evhttp_request_get_uri

struct event_base;
struct evhttp;
struct evhttp_connection;

/**
 * Like evhttp_connection_base_new() on the base of the process (event_init()), without resolver. If
 * there is no such base, evhttp_connection_set_base() must come before the first request.
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_new(const char *address, ev_uint16_t port);

/** Move a client's connection that was never connected to a loop. Afterwards it does nothing. */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_base(struct evhttp_connection *evcon, struct event_base *base);

/**
 * evhttp_new() on the base of the process, and evhttp_bind_socket().
 *
 * @return NULL if either fails
 */
EVENT2_EXPORT_SYMBOL
struct evhttp *evhttp_start(const char *address, ev_uint16_t port);

#ifdef __cplusplus
}
#endif

#endif
