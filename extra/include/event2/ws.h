/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_WS_H_INCLUDED_
#define EVENT2_WS_H_INCLUDED_

#include <event2/visibility.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bufferevent;
struct evhttp_request;
struct evws_connection;

#define WS_CR_NONE 0
#define WS_CR_NORMAL 1000
#define WS_CR_PROTO_ERR 1002
#define WS_CR_DATA_TOO_BIG 1009
#define WS_TEXT_FRAME 1
#define WS_BINARY_FRAME 2

typedef void (*ws_on_msg_cb)(struct evws_connection *, int type, const unsigned char *, size_t, void *);
typedef void (*ws_on_close_cb)(struct evws_connection *, void *);

EVENT2_EXPORT_SYMBOL
void evws_close(struct evws_connection *evws, uint16_t reason);

EVENT2_EXPORT_SYMBOL
void evws_connection_free(struct evws_connection *evws);

EVENT2_EXPORT_SYMBOL
struct bufferevent *evws_connection_get_bufferevent(struct evws_connection *evws);

EVENT2_EXPORT_SYMBOL
void evws_connection_set_closecb(struct evws_connection *evws, ws_on_close_cb, void *);

EVENT2_EXPORT_SYMBOL
struct evws_connection *evws_new_session(struct evhttp_request *req, ws_on_msg_cb, void *arg, int options);

EVENT2_EXPORT_SYMBOL
void evws_send_binary(struct evws_connection *evws, const char *packet_data, size_t packet_len);

EVENT2_EXPORT_SYMBOL
void evws_send_text(struct evws_connection *evws, const char *packet_str);

#ifdef __cplusplus
}
#endif

#endif
