/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_HTTP_COMPAT_H_INCLUDED_
#define EVENT2_HTTP_COMPAT_H_INCLUDED_

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



EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_new(const char *address, ev_uint16_t port);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_base(struct evhttp_connection *evcon, struct event_base *base);

EVENT2_EXPORT_SYMBOL
struct evhttp *evhttp_start(const char *address, ev_uint16_t port);

#ifdef __cplusplus
}
#endif

#endif
