/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_HTTP_H_INCLUDED_
#define EVENT2_HTTP_H_INCLUDED_

#include <event2/util.h>
#include <event2/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bufferevent;
struct evbuffer;
struct evconnlistener;
struct evdns_base;
struct event_base;
struct evhttp;
struct evhttp_bound_socket;
struct evhttp_connection;
struct evhttp_request;
struct evhttp_uri;
struct evkeyvalq;

enum evhttp_cmd_type {
	EVHTTP_REQ_GET = 1,
	EVHTTP_REQ_POST = 2,
	EVHTTP_REQ_HEAD = 4,
	EVHTTP_REQ_PUT = 8,
	EVHTTP_REQ_DELETE = 16,
	EVHTTP_REQ_OPTIONS = 32,
	EVHTTP_REQ_TRACE = 64,
	EVHTTP_REQ_CONNECT = 128,
	EVHTTP_REQ_PATCH = 256,
	EVHTTP_REQ_PROPFIND = 512,
	EVHTTP_REQ_PROPPATCH = 1024,
	EVHTTP_REQ_MKCOL = 2048,
	EVHTTP_REQ_LOCK = 4096,
	EVHTTP_REQ_UNLOCK = 8192,
	EVHTTP_REQ_COPY = 16384,
	EVHTTP_REQ_MOVE = 32768,
};

enum evhttp_request_kind {
	EVHTTP_REQUEST = 0,
	EVHTTP_RESPONSE = 1,
};

enum evhttp_request_error {
	EVREQ_HTTP_TIMEOUT = 0,
	EVREQ_HTTP_EOF = 1,
	EVREQ_HTTP_INVALID_HEADER = 2,
	EVREQ_HTTP_BUFFER_ERROR = 3,
	EVREQ_HTTP_REQUEST_CANCEL = 4,
	EVREQ_HTTP_DATA_TOO_LONG = 5,
};

#define HTTP_CONTINUE 100
#define HTTP_SWITCH_PROTOCOLS 101
#define HTTP_PROCESSING 102
#define HTTP_EARLYHINTS 103
#define HTTP_OK 200
#define HTTP_CREATED 201
#define HTTP_ACCEPTED 202
#define HTTP_NONAUTHORITATIVE 203
#define HTTP_NOCONTENT 204
#define HTTP_MOVEPERM 301
#define HTTP_MOVETEMP 302
#define HTTP_NOTMODIFIED 304
#define HTTP_BADREQUEST 400
#define HTTP_UNAUTHORIZED 401
#define HTTP_PAYMENTREQUIRED 402
#define HTTP_FORBIDDEN 403
#define HTTP_NOTFOUND 404
#define HTTP_BADMETHOD 405
#define HTTP_ENTITYTOOLARGE 413
#define HTTP_EXPECTATIONFAILED 417
#define HTTP_INTERNAL 500
#define HTTP_NOTIMPLEMENTED 501
#define HTTP_BADGATEWAY 502
#define HTTP_SERVUNAVAIL 503
#define EVHTTP_SERVER_LINGERING_CLOSE 1
/** evhttp_set_flags(): take HTTP/1.1 requests without a Host, or with a malformed or repeated one. */
#define EVHTTP_SERVER_RELAX_HOST 0x10000
/** evhttp_set_flags(): take "gzip, chunked" bodies; they are de-chunked, not decoded. */
#define EVHTTP_SERVER_ACCEPT_CODINGS 0x20000
/** evhttp_set_flags(): a client that half closes while it waits for a reply counts as gone. */
#define EVHTTP_SERVER_EOF_IS_GONE 0x40000
#define EVHTTP_REQ_MAX EVHTTP_REQ_MOVE
#define EVHTTP_METHOD_HAS_BODY 1
#define EVHTTP_CON_REUSE_CONNECTED_ADDR 8
#define EVHTTP_CON_READ_ON_WRITE_ERROR 16
#define EVHTTP_CON_LINGERING_CLOSE 32
#define EVHTTP_CON_PUBLIC_FLAGS_END 1048576
#define EVHTTP_URI_QUERY_NONCONFORMANT 1
#define EVHTTP_URI_QUERY_LAST_VAL 2
#define EVHTTP_URI_NONCONFORMANT 1
#define EVHTTP_URI_HOST_STRIP_BRACKETS 4
#define EVHTTP_URI_UNIX_SOCKET 8

/** What an evhttp_ext_method_cb translates: from name to type, or, if `method` is NULL, back. 2.2 */
struct evhttp_ext_method {
	const char *method; /* borrowed; set by the callback if it was NULL */
	ev_uint32_t type;   /* one bit above EVHTTP_REQ_MAX */
	ev_uint16_t flags;  /* EVHTTP_METHOD_HAS_BODY or 0 */
};

/** How far an exchange had come when it failed. */
enum evhttp_failure_stage {
	EVHTTP_STAGE_LOOKUP = 0,
	EVHTTP_STAGE_CONNECT = 1,
	EVHTTP_STAGE_SEND = 2,
	EVHTTP_STAGE_RECEIVE = 3,
	EVHTTP_STAGE_TLS = 4,   /* shaking hands */
	EVHTTP_STAGE_PROXY = 5, /* asking the proxy for a tunnel */
};

/** Why an exchange failed; valid during the callback. */
struct evhttp_failure {
	enum evhttp_failure_stage stage;
	enum evhttp_request_error reason;
	int socket_error; /* 0 if there was none */
	int lookup_error; /* EVUTIL_EAI_*, or 0 */
	const char *text; /* one phrase in English */
	unsigned long tls_error; /* of the TLS library, or 0 */
	int proxy_status; /* the code with which a proxy refused, or 0 */
};

/**
 * Makes a client's transport that checks its server, such as bufferevent_openssl_client_new().
 *
 * @param fd    always -1 here: the connection connects it
 * @param host  whom to expect at the other end
 * @return for the connection to free; NULL on failure
 */
typedef struct bufferevent *(*evhttp_transport_cb)(struct event_base *base, evutil_socket_t fd, const char *host, void *arg);

typedef void evhttp_bound_socket_foreach_fn(struct evhttp_bound_socket *, void *);
typedef int (*evhttp_ext_method_cb)(struct evhttp_ext_method *);

EVENT2_EXPORT_SYMBOL
int evhttp_accept_socket(struct evhttp *http, evutil_socket_t fd);

EVENT2_EXPORT_SYMBOL
struct evhttp_bound_socket *evhttp_accept_socket_with_handle(struct evhttp *http, evutil_socket_t fd);

EVENT2_EXPORT_SYMBOL
int evhttp_add_header(struct evkeyvalq *headers, const char *key, const char *value);

EVENT2_EXPORT_SYMBOL
int evhttp_add_server_alias(struct evhttp *http, const char *alias);

EVENT2_EXPORT_SYMBOL
int evhttp_add_virtual_host(struct evhttp *http, const char *pattern, struct evhttp *vhost);

EVENT2_EXPORT_SYMBOL
struct evhttp_bound_socket *evhttp_bind_listener(struct evhttp *http, struct evconnlistener *listener);

EVENT2_EXPORT_SYMBOL
int evhttp_bind_socket(struct evhttp *http, const char *address, ev_uint16_t port);

EVENT2_EXPORT_SYMBOL
struct evhttp_bound_socket *evhttp_bind_socket_with_handle(struct evhttp *http, const char *address, ev_uint16_t port);

EVENT2_EXPORT_SYMBOL
void evhttp_bound_set_bevcb(struct evhttp_bound_socket *bound, struct bufferevent *(*cb)(struct event_base *, void *), void *cbarg);

EVENT2_EXPORT_SYMBOL
evutil_socket_t evhttp_bound_socket_get_fd(struct evhttp_bound_socket *bound_socket);

EVENT2_EXPORT_SYMBOL
struct evconnlistener *evhttp_bound_socket_get_listener(struct evhttp_bound_socket *bound);

EVENT2_EXPORT_SYMBOL
void evhttp_cancel_request(struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
void evhttp_clear_headers(struct evkeyvalq *headers);

EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_base_bufferevent_new(struct event_base *base, struct evdns_base *dnsbase, struct bufferevent *bev, const char *address, ev_uint16_t port);

EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_base_bufferevent_reuse_new(struct event_base *base, struct evdns_base *dnsbase, struct bufferevent *bev);

EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_base_bufferevent_unix_new(struct event_base *base, struct bufferevent *bev, const char *path);

EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_base_new(struct event_base *base, struct evdns_base *dnsbase, const char *address, ev_uint16_t port);

/**
 * Make an https connection that checks its server, in one call:
 *
 *     evhttp_connection_base_secure_new(base, dns, bufferevent_openssl_client_new, NULL,
 *                                       "example.org", 443)
 *
 * Otherwise like evhttp_connection_base_new(). Where the check fails, requests fail with
 * EVREQ_HTTP_EOF, and evhttp_request_set_failure_cb() tells EVHTTP_STAGE_TLS and why.
 *
 * @param make_transport  called once, now; bufferevent_openssl_client_new(), which is in
 *                        libevent_openssl, bufferevent_mbedtls_client_new(), or the program's own
 * @param arg   for it: an SSL_CTX, or NULL to trust the system's authorities; see there
 * @param host  name, IPv4 or IPv6 address; copied
 * @return NULL when out of memory, or without transport: never an unencrypted connection. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_base_secure_new(struct event_base *base, struct evdns_base *dnsbase, evhttp_transport_cb make_transport, void *arg, const char *host, ev_uint16_t port);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_free(struct evhttp_connection *evcon);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_free_on_completion(struct evhttp_connection *evcon);

EVENT2_EXPORT_SYMBOL
const struct sockaddr *evhttp_connection_get_addr(struct evhttp_connection *evcon);

EVENT2_EXPORT_SYMBOL
struct event_base *evhttp_connection_get_base(struct evhttp_connection *req);

EVENT2_EXPORT_SYMBOL
struct bufferevent *evhttp_connection_get_bufferevent(struct evhttp_connection *evcon);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_get_peer(struct evhttp_connection *evcon, const char **address, ev_uint16_t *port);

EVENT2_EXPORT_SYMBOL
struct evhttp *evhttp_connection_get_server(struct evhttp_connection *evcon);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_closecb(struct evhttp_connection *evcon, void (*)(struct evhttp_connection *, void *), void *);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_connect_timeout_tv(struct evhttp_connection *evcon, const struct timeval *tv);

/**
 * Be told when the client of a server's connection has finished sending while it waits for a reply:
 * it has half closed, or gone. The reply can still be sent. Not called by client connections.
 *
 * @param cb   runs at most once a connection, in the loop's thread; may free the connection
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_eofcb(struct evhttp_connection *evcon, void (*cb)(struct evhttp_connection *, void *), void *arg);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_ext_method_cmp(struct evhttp_connection *evcon, evhttp_ext_method_cb cmp);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_family(struct evhttp_connection *evcon, int family);

EVENT2_EXPORT_SYMBOL
int evhttp_connection_set_flags(struct evhttp_connection *evcon, int flags);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_initial_retry_tv(struct evhttp_connection *evcon, const struct timeval *tv);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_local_address(struct evhttp_connection *evcon, const char *address);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_local_port(struct evhttp_connection *evcon, ev_uint16_t port);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_max_body_size(struct evhttp_connection *evcon, ev_ssize_t new_max_body_size);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_max_headers_size(struct evhttp_connection *evcon, ev_ssize_t new_max_headers_size);

/**
 * Reach the server through a tunnel that a proxy makes (CONNECT, RFC 9110 section 9.3.6). Requests,
 * and TLS if the connection has it, go from end to end; the proxy sees the server's name and port only.
 *
 * The server's name is looked up by the proxy. Connecting, asking and shaking hands together must not
 * take longer than the connect timeout. A refusal fails requests with EVREQ_HTTP_EOF;
 * evhttp_request_set_failure_cb() tells EVHTTP_STAGE_PROXY and the proxy's status.
 *
 * @param address      the proxy's name or address; copied. NULL: no proxy any more
 * @param port         the proxy's
 * @param credentials  "user:password" for the proxy alone (Basic, RFC 7617), in the clear; copied. Or
 *                     NULL
 * @return 0, or -1: connected or connecting, not a client's connection to a host and port, a name that
 *         cannot be one, or out of memory. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evhttp_connection_set_proxy(struct evhttp_connection *evcon, const char *address, ev_uint16_t port, const char *credentials);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_read_timeout_tv(struct evhttp_connection *evcon, const struct timeval *tv);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_retries(struct evhttp_connection *evcon, int retry_max);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_timeout(struct evhttp_connection *evcon, int timeout);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_timeout_tv(struct evhttp_connection *evcon, const struct timeval *tv);

EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_write_timeout_tv(struct evhttp_connection *evcon, const struct timeval *tv);

EVENT2_EXPORT_SYMBOL
char *evhttp_decode_uri(const char *uri);

EVENT2_EXPORT_SYMBOL
void evhttp_del_accept_socket(struct evhttp *http, struct evhttp_bound_socket *bound_socket);

EVENT2_EXPORT_SYMBOL
int evhttp_del_cb(struct evhttp *, const char *);

EVENT2_EXPORT_SYMBOL
char *evhttp_encode_uri(const char *str);

EVENT2_EXPORT_SYMBOL
const char *evhttp_find_header(const struct evkeyvalq *headers, const char *key);

EVENT2_EXPORT_SYMBOL
void evhttp_foreach_bound_socket(struct evhttp *http, evhttp_bound_socket_foreach_fn *function, void *argument);

EVENT2_EXPORT_SYMBOL
void evhttp_free(struct evhttp *http);

EVENT2_EXPORT_SYMBOL
int evhttp_get_connection_count(struct evhttp *http);

EVENT2_EXPORT_SYMBOL
char *evhttp_htmlescape(const char *html);

EVENT2_EXPORT_SYMBOL
int evhttp_make_request(struct evhttp_connection *evcon, struct evhttp_request *req, enum evhttp_cmd_type type, const char *uri);

EVENT2_EXPORT_SYMBOL
struct evhttp *evhttp_new(struct event_base *base);

EVENT2_EXPORT_SYMBOL
int evhttp_parse_query(const char *uri, struct evkeyvalq *headers);

EVENT2_EXPORT_SYMBOL
int evhttp_parse_query_str(const char *uri, struct evkeyvalq *headers);

EVENT2_EXPORT_SYMBOL
int evhttp_parse_query_str_flags(const char *uri, struct evkeyvalq *headers, unsigned flags);

EVENT2_EXPORT_SYMBOL
int evhttp_remove_header(struct evkeyvalq *headers, const char *key);

EVENT2_EXPORT_SYMBOL
int evhttp_remove_server_alias(struct evhttp *http, const char *alias);

EVENT2_EXPORT_SYMBOL
int evhttp_remove_virtual_host(struct evhttp *http, struct evhttp *vhost);

EVENT2_EXPORT_SYMBOL
void evhttp_request_free(struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
enum evhttp_cmd_type evhttp_request_get_command(const struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_request_get_connection(struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
const struct evhttp_uri *evhttp_request_get_evhttp_uri(const struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
const char *evhttp_request_get_host(struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
struct evbuffer *evhttp_request_get_input_buffer(struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
struct evkeyvalq *evhttp_request_get_input_headers(struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
struct evbuffer *evhttp_request_get_output_buffer(struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
struct evkeyvalq *evhttp_request_get_output_headers(struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
int evhttp_request_get_response_code(const struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
const char *evhttp_request_get_response_code_line(const struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
const char *evhttp_request_get_uri(const struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
int evhttp_request_is_owned(struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
struct evhttp_request *evhttp_request_new(void (*cb)(struct evhttp_request *, void *), void *arg);

EVENT2_EXPORT_SYMBOL
void evhttp_request_own(struct evhttp_request *req);

/**
 * Stop delivering a client's response, and reading it: what the server sends waits in the network. To
 * be called when the program cannot keep up, from the chunk callback for example. Pieces that have come
 * to an end of the body already may still be followed by the completion. No timeout runs meanwhile.
 *
 * Does nothing unless the request is running on a client's connection. Loop's thread. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_pause(struct evhttp_request *req);

/** Undo evhttp_request_pause(). Callbacks run from the loop, not from this call. Since 2.2.1. */
EVENT2_EXPORT_SYMBOL
void evhttp_request_resume(struct evhttp_request *req);

/**
 * Send a client's body in pieces, as they come to be: call it before evhttp_make_request(). The body is
 * chunked, unless the program adds a Content-Length.
 *
 * @param cb  asks for a piece: once the head is out (with "Expect: 100-continue": when the server has
 *            agreed), and whenever little of the last one is left. It answers with
 *            evhttp_request_write_body(), or remembers that it was asked and does so later, and at the
 *            end with evhttp_request_end_body(). It may free or cancel anything.
 *
 * While pieces are to come no read timeout runs. A response may come before the last piece; it
 * completes the request, and the connection closes. evhttp_make_request() fails if the method has no
 * body, or if HTTP/1.0 was asked for without Content-Length. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_set_body_cb(struct evhttp_request *req, void (*cb)(struct evhttp_request *req, void *arg), void *arg);

/**
 * Give the next piece of a body. `data` is moved, and empty afterwards; an empty one does nothing.
 *
 * @return 0, or -1 and nothing has happened: no piece was asked for yet, the body has ended, more than
 *         Content-Length says, or out of memory (then the request will fail). Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evhttp_request_write_body(struct evhttp_request *req, struct evbuffer *data);

/**
 * The body is complete.
 *
 * @return 0, or -1 and nothing has happened: as above, or less than Content-Length says. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evhttp_request_end_body(struct evhttp_request *req);

/**
 * Limit the time of a client's request from evhttp_make_request() to its completion, whatever takes
 * it: the queue, lookups, retries, a server that sends a byte a second. Then it fails with
 * EVREQ_HTTP_TIMEOUT.
 *
 * @param tv  copied, counts for the next evhttp_make_request(); NULL or zero for no limit, the default.
 *            Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_set_time_limit_tv(struct evhttp_request *req, const struct timeval *tv);

EVENT2_EXPORT_SYMBOL
void evhttp_request_set_chunked_cb(struct evhttp_request *, void (*cb)(struct evhttp_request *, void *));

EVENT2_EXPORT_SYMBOL
void evhttp_request_set_error_cb(struct evhttp_request *, void (*)(enum evhttp_request_error, void *));

/**
 * Be told why an exchange failed: before the error and the completion callback, and also where the
 * latter gets a request with response code 0 (refused, connect timeout) or is not called (cancelled).
 *
 * @param cb  runs once at most, in the loop's thread; may free or cancel anything
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_set_failure_cb(struct evhttp_request *req, void (*cb)(struct evhttp_request *req, const struct evhttp_failure *failure, void *arg), void *arg);

EVENT2_EXPORT_SYMBOL
void evhttp_request_set_header_cb(struct evhttp_request *, int (*cb)(struct evhttp_request *, void *));

EVENT2_EXPORT_SYMBOL
void evhttp_request_set_on_complete_cb(struct evhttp_request *req, void (*cb)(struct evhttp_request *, void *), void *cb_arg);

EVENT2_EXPORT_SYMBOL
void evhttp_send_error(struct evhttp_request *req, int error, const char *reason);

EVENT2_EXPORT_SYMBOL
void evhttp_send_reply(struct evhttp_request *req, int code, const char *reason, struct evbuffer *databuf);

EVENT2_EXPORT_SYMBOL
void evhttp_send_reply_chunk(struct evhttp_request *req, struct evbuffer *databuf);

EVENT2_EXPORT_SYMBOL
void evhttp_send_reply_chunk_with_cb(struct evhttp_request *req, struct evbuffer *databuf, void (*cb)(struct evhttp_connection *, void *), void *arg);

EVENT2_EXPORT_SYMBOL
void evhttp_send_reply_end(struct evhttp_request *req);

EVENT2_EXPORT_SYMBOL
void evhttp_send_reply_start(struct evhttp_request *req, int code, const char *reason);

EVENT2_EXPORT_SYMBOL
void evhttp_set_allowed_methods(struct evhttp *http, ev_uint32_t methods);

EVENT2_EXPORT_SYMBOL
void evhttp_set_bevcb(struct evhttp *http, struct bufferevent *(*cb)(struct event_base *, void *), void *arg);

EVENT2_EXPORT_SYMBOL
int evhttp_set_cb(struct evhttp *http, const char *path, void (*cb)(struct evhttp_request *, void *), void *cb_arg);

EVENT2_EXPORT_SYMBOL
void evhttp_set_default_content_type(struct evhttp *http, const char *content_type);

EVENT2_EXPORT_SYMBOL
void evhttp_set_errorcb(struct evhttp *http, int (*cb)(struct evhttp_request *req, struct evbuffer *buffer, int error, const char *reason, void *cbarg), void *cbarg);

EVENT2_EXPORT_SYMBOL
void evhttp_set_ext_method_cmp(struct evhttp *http, evhttp_ext_method_cb cmp);

EVENT2_EXPORT_SYMBOL
int evhttp_set_flags(struct evhttp *http, int flags);

EVENT2_EXPORT_SYMBOL
void evhttp_set_gencb(struct evhttp *http, void (*cb)(struct evhttp_request *, void *), void *arg);

/**
 * Limit how long a client may take from the first byte of a request's head to the last, however
 * steadily bytes trickle in. Counts only for heads that do not come in one piece. Default 60 s.
 *
 * @param tv  copied; NULL or zero for no limit
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_head_timeout_tv(struct evhttp *http, const struct timeval *tv);

EVENT2_EXPORT_SYMBOL
void evhttp_set_max_body_size(struct evhttp *http, ev_ssize_t max_body_size);

EVENT2_EXPORT_SYMBOL
void evhttp_set_max_connections(struct evhttp *http, int max_connections);

EVENT2_EXPORT_SYMBOL
void evhttp_set_max_headers_size(struct evhttp *http, ev_ssize_t max_headers_size);

EVENT2_EXPORT_SYMBOL
void evhttp_set_newreqcb(struct evhttp *http, int (*cb)(struct evhttp_request *, void *), void *arg);

EVENT2_EXPORT_SYMBOL
void evhttp_set_read_timeout_tv(struct evhttp *http, const struct timeval *tv);

EVENT2_EXPORT_SYMBOL
void evhttp_set_timeout(struct evhttp *http, int timeout);

EVENT2_EXPORT_SYMBOL
void evhttp_set_timeout_tv(struct evhttp *http, const struct timeval *tv);

EVENT2_EXPORT_SYMBOL
void evhttp_set_write_timeout_tv(struct evhttp *http, const struct timeval *tv);

EVENT2_EXPORT_SYMBOL
void evhttp_uri_free(struct evhttp_uri *uri);

EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_fragment(const struct evhttp_uri *uri);

EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_host(const struct evhttp_uri *uri);

EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_path(const struct evhttp_uri *uri);

EVENT2_EXPORT_SYMBOL
int evhttp_uri_get_port(const struct evhttp_uri *uri);

EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_query(const struct evhttp_uri *uri);

EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_scheme(const struct evhttp_uri *uri);

EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_unixsocket(const struct evhttp_uri *uri);

EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_userinfo(const struct evhttp_uri *uri);

EVENT2_EXPORT_SYMBOL
char *evhttp_uri_join(const struct evhttp_uri *uri, char *buf, size_t limit);

EVENT2_EXPORT_SYMBOL
struct evhttp_uri *evhttp_uri_new(void);

EVENT2_EXPORT_SYMBOL
struct evhttp_uri *evhttp_uri_parse(const char *source_uri);

EVENT2_EXPORT_SYMBOL
struct evhttp_uri *evhttp_uri_parse_with_flags(const char *source_uri, unsigned flags);

EVENT2_EXPORT_SYMBOL
void evhttp_uri_set_flags(struct evhttp_uri *uri, unsigned flags);

EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_fragment(struct evhttp_uri *uri, const char *fragment);

EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_host(struct evhttp_uri *uri, const char *host);

EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_path(struct evhttp_uri *uri, const char *path);

EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_port(struct evhttp_uri *uri, int port);

EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_query(struct evhttp_uri *uri, const char *query);

EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_scheme(struct evhttp_uri *uri, const char *scheme);

EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_unixsocket(struct evhttp_uri *uri, const char *unixsocket);

EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_userinfo(struct evhttp_uri *uri, const char *userinfo);

EVENT2_EXPORT_SYMBOL
char *evhttp_uridecode(const char *uri, int decode_plus, size_t *size_out);

EVENT2_EXPORT_SYMBOL
char *evhttp_uriencode(const char *str, ev_ssize_t size, int space_to_plus);

#ifdef __cplusplus
}
#endif

#endif
