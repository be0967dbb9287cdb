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

/**
 * evws_new_session(), evws_client_new(): a repeated opcode is no continuation (RFC 6455 to the
 * letter).
 */
#define EVWS_OPT_STRICT 0x10000
/** evws_new_session(): take frames of clients that do not mask them, which RFC 6455 forbids. */
#define EVWS_OPT_UNMASKED_OK 0x20000
/**
 * Compress messages if the peer agrees (permessage-deflate, RFC 7692) and zlib was there to build
 * with.
 */
#define EVWS_OPT_DEFLATE 0x40000

/**
 * A message has come whole.
 *
 * @param type  WS_TEXT_FRAME or WS_BINARY_FRAME
 * @param data  valid during the call; not ended by a NUL; text is valid UTF-8
 */
typedef void (*ws_on_msg_cb)(struct evws_connection *evws, int type, const unsigned char *data,
			     size_t len, void *arg);

/** The session has ended, however it did; it is freed when the callback returns. */
typedef void (*ws_on_close_cb)(struct evws_connection *evws, void *arg);

/**
 * What was sent has been handed to the system: see evws_connection_set_drained_cb(). Since 2.2.1.
 */
typedef void (*evws_drained_cb)(struct evws_connection *evws, void *arg);

/**
 * How a client's handshake went: `status` is 101 if the session is open, another HTTP status if the
 * server refused, 0 if there was no proper reply: evws_client_get_failure() says why. Unless it is
 * 101 the session is freed afterwards, without the close callback.
 */
typedef void (*evws_open_cb)(struct evws_connection *evws, int status, void *arg);

struct event_base;
struct evhttp_failure;
struct evkeyvalq;
struct timeval;

/**
 * Begin to close (RFC 6455 section 7.1): a close frame goes out behind what was sent, the peer has
 * 1.5 seconds to answer, then the connection is closed. Later calls, and sends, do nothing. A
 * client whose handshake is not over gives up: its evws_open_cb is told 0.
 *
 * @param reason  status code; one that must not appear on the wire, WS_CR_NONE among them, is left
 * out
 *
 * Any callback; any thread with BEV_OPT_THREADSAFE. Since 2.2.
 */
EVENT2_EXPORT_SYMBOL
void evws_close(struct evws_connection *evws, uint16_t reason);

/**
 * End the session at once, without a close frame: runs the close callback, closes the socket.
 * Any callback; the loop's thread. Since 2.2.
 */
EVENT2_EXPORT_SYMBOL
void evws_connection_free(struct evws_connection *evws);

/** The bufferevent, owned by the session: for its descriptor, timeouts and marks. Since 2.2. */
EVENT2_EXPORT_SYMBOL
struct bufferevent *evws_connection_get_bufferevent(struct evws_connection *evws);

/** Set what is called, once, when the session has ended. Since 2.2. */
EVENT2_EXPORT_SYMBOL
void evws_connection_set_closecb(struct evws_connection *evws, ws_on_close_cb cb, void *arg);

/**
 * Refuse messages above `bytes`, assembled and expanded, with status 1009. Default 10 MiB
 * (10485760). Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evws_connection_set_max_message(struct evws_connection *evws, size_t bytes);

/**
 * Why the session ended, in its close callback: the code that the peer closed with, 1005 if it gave
 * none; the one that it was failed with because it broke a rule (1002, 1007, 1008, 1009); 1006 if
 * the connection ended without a close frame from the peer (RFC 6455 section 7.1.5). Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evws_connection_get_close_code(const struct evws_connection *evws);

/**
 * Ping a peer that was silent for `interval`; when it is silent for about as long again, end the
 * session. Off until called (RFC 6455 section 5.5.2).
 *
 * @param interval  NULL: off
 * @return 0, or -1 without memory, when it is as it was before. The loop's thread. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evws_connection_set_keepalive(struct evws_connection *evws, const struct timeval *interval);

/**
 * Take no messages until evws_connection_resume(), so that a peer that is faster than the program
 * has to wait. At most 256 KiB of what has come are held, beside the message in progress.
 *
 * The end of the connection, if it comes meanwhile, is told after the messages before it, once they
 * are taken; keepalive does not count the time. Closing ends the pause. Any callback; the loop's
 * thread. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evws_connection_pause(struct evws_connection *evws);

/** End a pause. Messages come from the loop, not from within the call. Since 2.2.1. */
EVENT2_EXPORT_SYMBOL
void evws_connection_resume(struct evws_connection *evws);

/**
 * Be told when all that was sent has been handed to the system: time to send more. With a low
 * watermark for EV_WRITE on the bufferevent, when no more than that is left.
 *
 * @param cb  may be called for frames of the library's own, such as pongs, too; NULL: none. It may
 *            send, close and free. The loop's thread. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evws_connection_set_drained_cb(struct evws_connection *evws, evws_drained_cb cb, void *arg);

/**
 * Close the session with 1008 instead of sending a message while more than `bytes` wait for the
 * peer, so that one that does not read cannot fill the memory. If other threads may send, the same
 * amount once more may be on its way to the loop. Default 0, no limit. The loop's thread. Since
 * 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evws_connection_set_max_output(struct evws_connection *evws, size_t bytes);

/**
 * Make a WebSocket session of an HTTP request, in its callback (RFC 6455 section 4.2).
 *
 * Headers that the program has put into the request's output headers go out with the reply;
 * Sec-WebSocket-Protocol among them chooses the protocol.
 *
 * @param options  BEV_OPT_THREADSAFE: sending and closing from any thread, until the close callback
 *                 returns: a program's lock, taken there and by its threads, sees to that;
 *                 EVWS_OPT_ bits
 * @return the session, which belongs to the server until it ends; NULL if the handshake was refused
 *         or there is no memory. In either case the request is taken: do not touch it again. Since
 *         2.2.
 */
EVENT2_EXPORT_SYMBOL
struct evws_connection *evws_new_session(struct evhttp_request *req, ws_on_msg_cb cb, void *arg,
					 int options);

/**
 * Open a WebSocket session as a client (RFC 6455 section 4.1).
 *
 * @param bev        connected, or connecting, to the server or through a tunnel; plain or TLS. The
 *                   session owns it from now on if the call succeeds.
 * @param host       for the Host header: "example.org" or "example.org:8080"
 * @param target     path and query: "/chat?room=1"
 * @param protocols  comma-separated offer, or NULL
 * @param headers    further headers, or NULL; copied
 * @param opened     told how it went, once, from the loop, within half a minute
 * @return the session, or NULL (bad argument, no memory): `bev` is the caller's then. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
struct evws_connection *evws_client_new(struct event_base *base, struct bufferevent *bev,
					const char *host, const char *target, const char *protocols,
					const struct evkeyvalq *headers, evws_open_cb opened,
					ws_on_msg_cb cb, void *arg, int options);

/**
 * In an evws_open_cb with status 0: at what stage it failed, why, and the error codes
 * (event2/http.h). EVREQ_HTTP_INVALID_HEADER: what came is no reply to a handshake;
 * EVREQ_HTTP_REQUEST_CANCEL: the program has closed the session.
 *
 * @return valid during the callback; NULL anywhere else. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
const struct evhttp_failure *evws_client_get_failure(const struct evws_connection *evws);

/**
 * Send a binary message; copied. Does nothing before a client's session is open, and once the
 * session closes. Without memory for it the session is closed with 1011. What the peer has not
 * taken yet is in the output of the bufferevent: see evws_connection_set_max_output(). Any thread
 * with BEV_OPT_THREADSAFE. Since 2.2.
 */
EVENT2_EXPORT_SYMBOL
void evws_send_binary(struct evws_connection *evws, const char *packet_data, size_t packet_len);

/**
 * Send a text message, which must be valid UTF-8, which is not checked; else as evws_send_binary().
 * Since 2.2.
 */
EVENT2_EXPORT_SYMBOL
void evws_send_text(struct evws_connection *evws, const char *packet_str);

#ifdef __cplusplus
}
#endif

#endif
