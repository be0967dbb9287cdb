/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_HTTP_H_INCLUDED_
#define EVENT2_HTTP_H_INCLUDED_

/**
 * @file event2/http.h
 *
 * HTTP/1.0 and 1.1, servers and clients: RFC 9110, RFC 9112; URIs: RFC 3986.
 *
 * A server:                                      A client:
 *
 *   http = evhttp_new(base);                       evcon = evhttp_connection_base_new(base, NULL,
 *   evhttp_set_gencb(http, on_request, arg);                               "example.org", 80);
 *   evhttp_bind_socket(http, "::", 8080);          req = evhttp_request_new(on_done, arg);
 *   event_base_dispatch(base);                     evhttp_make_request(evcon, req,
 *                                                                      EVHTTP_REQ_GET, "/");
 *
 * Rules that hold for all functions:
 *
 * - Threads: a server, a client's connection and their requests belong to the thread that runs
 *   their loop. Encoders, header lists and URIs belong to whoever has them.
 * - Callbacks run from the loop, unless a function says otherwise. In all of them anything may
 *   be freed, cancelled or made; what is still in use goes when the callback has returned.
 * - Strings and buffers that a getter returns are borrowed: they live as long as the object.
 *   "Copied" and "taken" say what becomes of an argument.
 * - Nothing a peer sends is trusted: what is not well-formed ends the exchange with 400, or
 *   EVREQ_HTTP_INVALID_HEADER.
 * - Functions without @since are those of libevent 2.1 and before.
 */

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

/** Methods; several are added up for evhttp_set_allowed_methods(). From PROPFIND on since 2.2. */
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

/** Why a request failed; struct evhttp_failure says it more precisely. */
enum evhttp_request_error {
	/* after connecting: nothing came, or nothing could be written */
	EVREQ_HTTP_TIMEOUT = 0,
	EVREQ_HTTP_EOF = 1,            /* the connection ended early, or never stood */
	EVREQ_HTTP_INVALID_HEADER = 2, /* malformed, or a head above the limit */
	EVREQ_HTTP_BUFFER_ERROR = 3,   /* the transport failed, or out of memory */
	EVREQ_HTTP_REQUEST_CANCEL = 4, /* evhttp_cancel_request() */
	EVREQ_HTTP_DATA_TOO_LONG = 5,  /* a body above the limit */
};

/* Status codes (RFC 9110 section 15); any other number from 100 to 999 may be used as well. */
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
/** evhttp_set_flags(): read a body that is too long, within bounds, before answering 413. */
#define EVHTTP_SERVER_LINGERING_CLOSE 1
/** evhttp_set_flags(): take HTTP/1.1 requests without Host, or with a malformed or repeated one. */
#define EVHTTP_SERVER_RELAX_HOST 0x10000
/** evhttp_set_flags(): take "gzip, chunked" bodies; they are de-chunked, not decoded. */
#define EVHTTP_SERVER_ACCEPT_CODINGS 0x20000
/** evhttp_set_flags(): a client that half closes while it waits for a reply counts as gone. */
#define EVHTTP_SERVER_EOF_IS_GONE 0x40000
/** The last method that is built in; types of the program's own begin above it. */
#define EVHTTP_REQ_MAX EVHTTP_REQ_MOVE
/** struct evhttp_ext_method.flags: requests of this method may have a body. */
#define EVHTTP_METHOD_HAS_BODY 1
/** evhttp_connection_set_flags(): see there. EVHTTP_CON_LINGERING_CLOSE is a server's own. */
#define EVHTTP_CON_REUSE_CONNECTED_ADDR 8
#define EVHTTP_CON_READ_ON_WRITE_ERROR 16
#define EVHTTP_CON_LINGERING_CLOSE 32
#define EVHTTP_CON_PUBLIC_FLAGS_END 1048576
/** evhttp_parse_query_str_flags(): see there. */
#define EVHTTP_URI_QUERY_NONCONFORMANT 1
#define EVHTTP_URI_QUERY_LAST_VAL 2
/** evhttp_uri_parse_with_flags(): see there. */
#define EVHTTP_URI_NONCONFORMANT 1
#define EVHTTP_URI_HOST_STRIP_BRACKETS 4
#define EVHTTP_URI_UNIX_SOCKET 8

/** What an evhttp_ext_method_cb translates: name to type, or back, without `method`. Since 2.2. */
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
	int proxy_status; /* the code with which a proxy refused (HTTP or SOCKS), or 0 */
};

/**
 * Makes a client's transport that checks its server, such as bufferevent_openssl_client_new().
 *
 * @param fd    always -1 here: the connection connects it
 * @param host  whom to expect at the other end
 * @return for the connection to free; NULL on failure
 */
typedef struct bufferevent *(*evhttp_transport_cb)(struct event_base *base, evutil_socket_t fd,
						   const char *host, void *arg);

/** What an evhttp_body_cb is told of a body that is streamed to it. */
enum evhttp_body_news {
	EVHTTP_BODY_DATA = 0, /* more has come into the input buffer */
	EVHTTP_BODY_END = 1,  /* the body is complete; its rest is in the input buffer */
	/* the client has gone, or sent nonsense: the request has no connection any more */
	EVHTTP_BODY_LOST = 2,
};

/** For evhttp_request_stream_body(). Since 2.2.1. */
typedef void (*evhttp_body_cb)(struct evhttp_request *req, enum evhttp_body_news news, void *arg);
/** For evhttp_foreach_bound_socket(). */
typedef void evhttp_bound_socket_foreach_fn(struct evhttp_bound_socket *, void *);
/** For evhttp_set_ext_method_cmp(). Since 2.2. */
typedef int (*evhttp_ext_method_cb)(struct evhttp_ext_method *);

/**
 * Accept connections from a socket that listens already, also one inherited or a Unix socket.
 *
 * @param fd  non-blocking; taken on success: closed by evhttp_del_accept_socket() or evhttp_free()
 * @return 0, or -1: then `fd` is still the caller's
 */
EVENT2_EXPORT_SYMBOL
int evhttp_accept_socket(struct evhttp *http, evutil_socket_t fd);

/**
 * Like evhttp_accept_socket().
 *
 * @return a handle as of evhttp_bind_socket_with_handle(); NULL on failure
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_bound_socket *evhttp_accept_socket_with_handle(struct evhttp *http,
							     evutil_socket_t fd);

/**
 * Serve a connection that was accepted elsewhere, for example by a thread that shares connections
 * out to several loops with a server each.
 *
 * Call it in the thread of the server's loop; from another one, by event_base_once() with that
 * loop. (Loops that accept for themselves, each from a listening socket of its own with
 * LEV_OPT_REUSEABLE_PORT, need no hand-over: see evhttp_bind_listener().)
 *
 * @param fd    connected; taken, whatever happens; made non-blocking
 * @param peer  who is at the other end; NULL if that is not known
 * @return 0, or -1: `fd` is closed. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evhttp_serve_socket(struct evhttp *http, evutil_socket_t fd, const struct sockaddr *peer,
			int peer_len);

/**
 * Add a field behind the others; it replaces none.
 *
 * @param key    a token (RFC 9110 section 5.6.2); copied
 * @param value  without control bytes but TAB; copied. A line break followed by a blank, once a way
 *               to fold long lines, becomes one space
 * @return 0, or -1 if either is not so, or out of memory
 */
EVENT2_EXPORT_SYMBOL
int evhttp_add_header(struct evkeyvalq *headers, const char *key, const char *value);

/**
 * Give a server, or virtual host, another name. Aliases are looked at before patterns.
 *
 * @param alias  copied
 * @return 0, or -1 when out of memory
 */
EVENT2_EXPORT_SYMBOL
int evhttp_add_server_alias(struct evhttp *http, const char *alias);

/**
 * Let another server's callbacks handle requests for some hosts. Everything but callbacks, such as
 * limits and allowed methods, stays that of the server that accepted the connection.
 *
 * @param pattern  "*" stands for any run of characters, dots included: "*.example.org"; upper and
 *                 lower case are the same; copied
 * @param vhost    without listeners and not a virtual host yet; taken: freed with `http`
 * @return 0 or -1
 */
EVENT2_EXPORT_SYMBOL
int evhttp_add_virtual_host(struct evhttp *http, const char *pattern, struct evhttp *vhost);

/**
 * Accept connections from a listener of the program's.
 *
 * @param listener  taken on success, and its callback replaced
 * @return a handle as of evhttp_bind_socket_with_handle(); NULL when out of memory
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_bound_socket *evhttp_bind_listener(struct evhttp *http,
						 struct evconnlistener *listener);

/**
 * Listen at an address. May be called for any number of them.
 *
 * The socket is non-blocking, closed on exec, and re-uses its address; the backlog is 128.
 *
 * @param address  numeric or a name, looked up while the caller waits; NULL for any address
 * @param port     0 for one that is free; see evhttp_bound_socket_get_fd()
 * @return 0, or -1 with the socket error of the failing call
 */
EVENT2_EXPORT_SYMBOL
int evhttp_bind_socket(struct evhttp *http, const char *address, ev_uint16_t port);

/**
 * Like evhttp_bind_socket().
 *
 * @return a handle that lives until evhttp_del_accept_socket() or evhttp_free(); NULL on failure
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_bound_socket *evhttp_bind_socket_with_handle(struct evhttp *http, const char *address,
							   ev_uint16_t port);

/**
 * Like evhttp_set_bevcb(), for the connections of one handle only, so that a server may speak HTTP
 * on one port and HTTPS on another. If it returns NULL, the server's own callback is asked.
 *
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
void evhttp_bound_set_bevcb(struct evhttp_bound_socket *bound,
			    struct bufferevent *(*cb)(struct event_base *, void *), void *cbarg);

/**
 * The listening socket behind a handle; getsockname() tells its port.
 *
 * @return borrowed, as long as the handle lives
 */
EVENT2_EXPORT_SYMBOL
evutil_socket_t evhttp_bound_socket_get_fd(struct evhttp_bound_socket *bound_socket);

/**
 * The listener behind a handle. Disabling it pauses accepting.
 *
 * @return borrowed, as long as the handle lives
 */
EVENT2_EXPORT_SYMBOL
struct evconnlistener *evhttp_bound_socket_get_listener(struct evhttp_bound_socket *bound);

/**
 * Give a request up. If it is running, its connection is closed, the error callback gets
 * EVREQ_HTTP_REQUEST_CANCEL, and the completion is not called; the next in the queue goes on with a
 * new connection. One that only waits in the queue goes without a word.
 *
 * The request is freed, except if the program has taken it. Legal in every callback.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_cancel_request(struct evhttp_request *req);

/** Remove all fields. The list can be used again. */
EVENT2_EXPORT_SYMBOL
void evhttp_clear_headers(struct evkeyvalq *headers);

/**
 * Like evhttp_connection_base_new(), over a transport of the program's, such as one of TLS.
 *
 * Beware: NULL for `bev`, maybe because making one has failed, is a connection in the clear;
 * evhttp_connection_base_secure_new() cannot go wrong in that way, and checks the server.
 *
 * @param bev  without descriptor; taken on success, and moved to `base` if it is on another. NULL
 *             for a plain socket
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_base_bufferevent_new(struct event_base *base,
								 struct evdns_base *dnsbase,
								 struct bufferevent *bev,
								 const char *address,
								 ev_uint16_t port);

/**
 * Make a connection out of a transport that is connected. When it closes, there is no way to
 * reconnect, and requests are told so (response code 0).
 *
 * @param bev  taken on success
 * @return NULL when out of memory, or if `bev` is NULL
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_base_bufferevent_reuse_new(struct event_base *base,
								       struct evdns_base *dnsbase,
								       struct bufferevent *bev);

/**
 * Make a connection to a server at a Unix socket. The Host it sends is "localhost".
 *
 * @param bev   as of evhttp_connection_base_bufferevent_new()
 * @param path  copied
 * @return NULL when out of memory, or if `path` is too long for a socket's address
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_base_bufferevent_unix_new(struct event_base *base,
								      struct bufferevent *bev,
								      const char *path);

/**
 * Make a connection to a server. Nothing happens before the first request; later it reconnects as
 * needed.
 *
 * @param base     the loop; borrowed
 * @param dnsbase  looks names up; borrowed. NULL: that is done while the program waits
 * @param address  name, IPv4 or IPv6 address; copied. All addresses of a name are tried, both
 *                 families in turn (RFC 8305)
 * @return for evhttp_connection_free(), or NULL when out of memory
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_base_new(struct event_base *base,
						     struct evdns_base *dnsbase,
						     const char *address, ev_uint16_t port);

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
 * @return NULL when out of memory, or without transport: never a connection in the clear. Since
 *         2.2.1.
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_connection_base_secure_new(struct event_base *base,
							    struct evdns_base *dnsbase,
							    evhttp_transport_cb make_transport,
							    void *arg, const char *host,
							    ev_uint16_t port);

/**
 * Close and free a connection, of a client or a server. The close callback runs if it was
 * established. Legal in every callback, its own included. NULL does nothing.
 *
 * A client's requests are freed without a word, but for those that the program has taken
 * (evhttp_request_own()).
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_free(struct evhttp_connection *evcon);

/**
 * Let a client's connection free itself when its last request is over. If it stays open after that,
 * it waits for the server to close it.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_free_on_completion(struct evhttp_connection *evcon);

/**
 * The peer's address; of a client's connection once it is known, and still in the close callback.
 *
 * @return borrowed, until the connection connects anew or is freed; NULL if it is not known
 */
EVENT2_EXPORT_SYMBOL
const struct sockaddr *evhttp_connection_get_addr(struct evhttp_connection *evcon);

/** The loop; borrowed. */
EVENT2_EXPORT_SYMBOL
struct event_base *evhttp_connection_get_base(struct evhttp_connection *req);

/**
 * The transport; borrowed. To take it over after an upgrade (101) or CONNECT, set its callbacks in
 * the completion callback; what the server has sent already is in its input.
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *evhttp_connection_get_bufferevent(struct evhttp_connection *evcon);

/**
 * Whom a connection talks to: a client's, as it was made; a server's, the numeric address.
 *
 * @param address  set to a string that lives as long as the connection; NULL for a Unix socket, or
 *                 a transport that was handed over connected
 * @param port     set; 0 likewise
 * 2.1 had `char **address`, which is accepted as well.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_get_peer(struct evhttp_connection *evcon, const char **address,
				ev_uint16_t *port);

/* Sources written for 2.1 pass a `char **`: so both are taken. */
#if defined(__cplusplus)
extern "C++" {
static inline const char **evhttp_peer_address_(const char **address)
{
	return address;
}

static inline const char **evhttp_peer_address_(char **address)
{
	return const_cast<const char **>(address);
}
}
#define evhttp_connection_get_peer(evcon, address, port)                                          \
	evhttp_connection_get_peer((evcon), evhttp_peer_address_(address), (port))
#elif defined(__GNUC__)
#define evhttp_connection_get_peer(evcon, address, port)                                          \
	evhttp_connection_get_peer(                                                                \
		(evcon),                                                                           \
		__extension__ _Generic((address), char **: (const char **)(void *)(address),       \
				       default: (address)),                                        \
		(port))
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define evhttp_connection_get_peer(evcon, address, port)                                           \
	evhttp_connection_get_peer(                                                                \
		(evcon),                                                                           \
		_Generic((address), char **: (const char **)(void *)(address),                     \
			 default: (address)),                                                      \
		(port))
#endif

/** The server that accepted a connection; NULL for a client's. Borrowed. */
EVENT2_EXPORT_SYMBOL
struct evhttp *evhttp_connection_get_server(struct evhttp_connection *evcon);

/**
 * Be told when an established connection closes, for whatever reason, evhttp_connection_free()
 * included. A client's connection that reconnects may close several times.
 *
 * @param cb  replaces the one before; NULL for none. It may free the connection
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_closecb(struct evhttp_connection *evcon,
				   void (*)(struct evhttp_connection *, void *), void *);

/**
 * How long connecting may take: looking up the name, proxy and TLS included. 45 s at first.
 *
 * @param tv  copied; NULL for no limit. Counts at once, also while connecting
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_connect_timeout_tv(struct evhttp_connection *evcon,
					      const struct timeval *tv);

/**
 * Be told when the client of a server's connection has finished sending while it waits for a reply:
 * it has half closed, or gone. The reply can still be sent. Not called by client connections.
 *
 * @param cb   runs at most once a connection, in the loop's thread; may free the connection
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_eofcb(struct evhttp_connection *evcon,
				 void (*cb)(struct evhttp_connection *, void *), void *arg);

/**
 * Let a client's connection know methods that are not built in; see evhttp_set_ext_method_cmp().
 *
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_ext_method_cmp(struct evhttp_connection *evcon,
					  evhttp_ext_method_cb cmp);

/**
 * Look up addresses of one family only.
 *
 * @param family  AF_INET, AF_INET6, or AF_UNSPEC for both
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_family(struct evhttp_connection *evcon, int family);

/**
 * Replace the flags.
 *
 * @param flags  EVHTTP_CON_REUSE_CONNECTED_ADDR: reconnect to the address of the last time without
 *               looking the name up; EVHTTP_CON_READ_ON_WRITE_ERROR: if a request cannot be written
 *               to its end, take the response that the server may have sent
 * @return 0, or nonzero if there is another bit: then nothing has changed
 */
EVENT2_EXPORT_SYMBOL
int evhttp_connection_set_flags(struct evhttp_connection *evcon, int flags);

/**
 * How long to wait before the first retry; each further one waits twice as long, up to an hour.
 *
 * @param tv  copied; NULL for 2 s
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_initial_retry_tv(struct evhttp_connection *evcon,
					    const struct timeval *tv);

/**
 * Connect from an address of this host. Does nothing while connected.
 *
 * @param address  numeric; copied; NULL for any. If it cannot be bound, evhttp_make_request() fails
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_local_address(struct evhttp_connection *evcon, const char *address);

/**
 * Connect from a port. Does nothing while connected.
 *
 * @param port  0 for any
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_local_port(struct evhttp_connection *evcon, ev_uint16_t port);

/**
 * Limit the bodies of responses (or, of a server's connection, of requests).
 *
 * @param new_max_body_size  bytes; negative for no limit, the default
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_max_body_size(struct evhttp_connection *evcon,
					 ev_ssize_t new_max_body_size);

/**
 * Limit the heads of responses (or, of a server's connection, of requests).
 *
 * @param new_max_headers_size  bytes, line ends not counted; negative for no limit. Default
 *                              1048576, 1 MiB
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_max_headers_size(struct evhttp_connection *evcon,
					    ev_ssize_t new_max_headers_size);

/**
 * Reach the server through a tunnel that a proxy makes (CONNECT, RFC 9110 section 9.3.6). Requests,
 * and TLS if the connection has it, go from end to end; the proxy sees the server's name and port
 * only.
 *
 * The server's name is looked up by the proxy. Connecting, asking and shaking hands together must
 * not take longer than the connect timeout. A refusal fails requests with EVREQ_HTTP_EOF;
 * evhttp_request_set_failure_cb() tells EVHTTP_STAGE_PROXY and the proxy's status.
 *
 * @param address      the proxy's name or address; copied. NULL: no proxy any more
 * @param port         the proxy's
 * @param credentials  "user:password" for the proxy alone (Basic, RFC 7617), in the clear; copied.
 *                     Or NULL
 * @return 0, or -1: connected or connecting, not a client's connection to a host and port, a name
 *         that cannot be one, or out of memory. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evhttp_connection_set_proxy(struct evhttp_connection *evcon, const char *address,
				ev_uint16_t port, const char *credentials);

/**
 * Like evhttp_connection_set_proxy(), for a proxy that speaks SOCKS 5 (RFC 1928). A connection has
 * one proxy, of the kind that was set last. The status of a refusal is the SOCKS reply, from 1 on.
 *
 * @param credentials  "user:password" (RFC 1929), 1 to 255 bytes each, in the clear; copied. Or
 * NULL
 * @return 0, or -1 as there, or if the credentials are not such. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evhttp_connection_set_socks_proxy(struct evhttp_connection *evcon, const char *address,
				      ev_uint16_t port, const char *credentials);

/**
 * The first half of evhttp_connection_set_timeout_tv() only; NULL for no limit. Counts at once.
 *
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_read_timeout_tv(struct evhttp_connection *evcon,
					   const struct timeval *tv);

/**
 * How often to try again when a server refuses or does not answer the attempt to connect. A request
 * that was sent is never sent again.
 *
 * @param retry_max  0 at first; negative: for ever
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_retries(struct evhttp_connection *evcon, int retry_max);

/**
 * Like evhttp_connection_set_timeout_tv(), in seconds; negative for the defaults, 0 for none. In
 * 2.1 it counted for connecting as well.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_timeout(struct evhttp_connection *evcon, int timeout);

/**
 * How long a server may send nothing while a response is awaited, and how long it may take nothing
 * of a request. 50 s at first. An idle connection has no timeout.
 * evhttp_request_set_time_limit_tv() limits the whole.
 *
 * @param tv  copied; NULL for the defaults
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_timeout_tv(struct evhttp_connection *evcon, const struct timeval *tv);

/**
 * The second half of evhttp_connection_set_timeout_tv() only; NULL for no limit. Counts at once.
 *
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
void evhttp_connection_set_write_timeout_tv(struct evhttp_connection *evcon,
					    const struct timeval *tv);

/**
 * Like evhttp_uridecode(), where "+" becomes a space behind the first "?" only. Deprecated: split a
 * URI before decoding it.
 */
EVENT2_EXPORT_SYMBOL
char *evhttp_decode_uri(const char *uri);

/**
 * Stop listening: closes the socket and ends the handle. Connections that were accepted live on.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_del_accept_socket(struct evhttp *http, struct evhttp_bound_socket *bound_socket);

/**
 * Undo evhttp_set_cb().
 *
 * @return 0, or -1 if the path has no callback
 */
EVENT2_EXPORT_SYMBOL
int evhttp_del_cb(struct evhttp *, const char *);

/** evhttp_uriencode(str, -1, 0). */
EVENT2_EXPORT_SYMBOL
char *evhttp_encode_uri(const char *str);

/**
 * Find the value of the first field of that name; upper and lower case are the same.
 *
 * @return borrowed, as long as the field is in the list; NULL if there is none
 */
EVENT2_EXPORT_SYMBOL
const char *evhttp_find_header(const struct evkeyvalq *headers, const char *key);

/**
 * Call a function for each handle, in the order they were added. It must not add or remove any.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_foreach_bound_socket(struct evhttp *http, evhttp_bound_socket_foreach_fn *function,
				 void *argument);

/**
 * Free a server: its listeners, connections (their close callbacks run), WebSocket sessions,
 * callbacks, aliases and virtual hosts. Legal in every callback of the server's. NULL does nothing.
 *
 * Requests that the program still has to answer are freed with their connections, except those it
 * has taken (evhttp_request_own()): those stay, without connection, for evhttp_request_free().
 */
EVENT2_EXPORT_SYMBOL
void evhttp_free(struct evhttp *http);

/** How many connections and WebSocket sessions are alive. Since 2.2. */
EVENT2_EXPORT_SYMBOL
int evhttp_get_connection_count(struct evhttp *http);

/**
 * Escape text for HTML: < > " ' and &.
 *
 * @return for free(); NULL for NULL, or when out of memory
 */
EVENT2_EXPORT_SYMBOL
char *evhttp_htmlescape(const char *html);

/**
 * Send a request; if the connection is busy, after those before it.
 *
 * For HTTP/1.1 a Host is added, and Content-Length where it is due, unless the program has set
 * them. The body is what the output buffer has; evhttp_request_set_body_cb() sends one in pieces.
 * With "Expect: 100-continue" it waits for the server's consent, a second at most.
 *
 * @param req   taken in every case: on failure it has been freed
 * @param type  the method
 * @param uri   the target, sent as it is: usually a path with its query, escaped
 * @return 0, or -1: a method that is not known, control bytes in `uri`, a source address that
 *         cannot be used, or out of memory. Failures to connect may call the callbacks before this
 *         returns 0
 */
EVENT2_EXPORT_SYMBOL
int evhttp_make_request(struct evhttp_connection *evcon, struct evhttp_request *req,
			enum evhttp_cmd_type type, const char *uri);

/**
 * Make a server. It listens nowhere yet, and answers 404 to everything.
 *
 * Defaults: GET, POST, HEAD, PUT and DELETE are allowed; heads of at most 1 MiB and 1000 fields; no
 * limit of bodies or connections; no timeout but that of evhttp_set_head_timeout_tv().
 *
 * @param base  the loop; borrowed until evhttp_free(). NULL for a server that is only ever a
 *              virtual host.
 * @return for evhttp_free(), or NULL when out of memory
 */
EVENT2_EXPORT_SYMBOL
struct evhttp *evhttp_new(struct event_base *base);

/** Parse a URI, strictly, and the query in it. Deprecated: evhttp_parse_query_str(). */
EVENT2_EXPORT_SYMBOL
int evhttp_parse_query(const char *uri, struct evkeyvalq *headers);

/** evhttp_parse_query_str_flags() without flags. */
EVENT2_EXPORT_SYMBOL
int evhttp_parse_query_str(const char *uri, struct evkeyvalq *headers);

/**
 * Parse a query such as "q=test&s=some+thing". Values are decoded, "+" is a space; keys are not.
 *
 * @param uri      the query alone, without "?"
 * @param headers  a list, initialised here: what it had is not freed. For evhttp_clear_headers()
 * @param flags    EVHTTP_URI_QUERY_NONCONFORMANT: take keys without "=", skip empty ones;
 *                 EVHTTP_URI_QUERY_LAST_VAL: of equal keys the last wins
 * @return 0, or -1 with an empty list: not of that form, or out of memory
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
int evhttp_parse_query_str_flags(const char *uri, struct evkeyvalq *headers, unsigned flags);

/**
 * Remove the first field of that name.
 *
 * @return 0, or -1 if there is none
 */
EVENT2_EXPORT_SYMBOL
int evhttp_remove_header(struct evkeyvalq *headers, const char *key);

/**
 * Undo evhttp_add_server_alias().
 *
 * @return 0, or -1 if there is no such alias
 */
EVENT2_EXPORT_SYMBOL
int evhttp_remove_server_alias(struct evhttp *http, const char *alias);

/**
 * Undo evhttp_add_virtual_host(): `vhost` is the caller's again.
 *
 * @return 0, or -1 if it is no virtual host of `http`
 */
EVENT2_EXPORT_SYMBOL
int evhttp_remove_virtual_host(struct evhttp *http, struct evhttp *vhost);

/**
 * Free a request: one that was never sent, one that the program has taken, or one that is queued or
 * running: that ends it as evhttp_cancel_request() does, but without a word. Legal in every
 * callback. NULL does nothing.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_free(struct evhttp_request *req);

/** The method. */
EVENT2_EXPORT_SYMBOL
enum evhttp_cmd_type evhttp_request_get_command(const struct evhttp_request *req);

/**
 * The connection that a request is on; borrowed. NULL before it is sent, in the completion
 * callback, and when a server's client has gone.
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_connection *evhttp_request_get_connection(struct evhttp_request *req);

/** The target of a server's request, parsed; borrowed. NULL for a client's. */
EVENT2_EXPORT_SYMBOL
const struct evhttp_uri *evhttp_request_get_evhttp_uri(const struct evhttp_request *req);

/**
 * The host that a server's request is for, without port: that of an absolute target, else of the
 * Host field. Borrowed; NULL if there is none.
 */
EVENT2_EXPORT_SYMBOL
const char *evhttp_request_get_host(struct evhttp_request *req);

/**
 * The body that was received, decoded from chunks; borrowed. The program may take bytes out of it.
 */
EVENT2_EXPORT_SYMBOL
struct evbuffer *evhttp_request_get_input_buffer(struct evhttp_request *req);

/** The header fields that were received; borrowed. */
EVENT2_EXPORT_SYMBOL
struct evkeyvalq *evhttp_request_get_input_headers(struct evhttp_request *req);

/**
 * The body to send; borrowed. A client puts it here; a server may, but has evhttp_send_reply() for
 * it.
 */
EVENT2_EXPORT_SYMBOL
struct evbuffer *evhttp_request_get_output_buffer(struct evhttp_request *req);

/** The header fields to send, for evhttp_add_header(); borrowed. */
EVENT2_EXPORT_SYMBOL
struct evkeyvalq *evhttp_request_get_output_headers(struct evhttp_request *req);

/** The status code of the response; 0 if there is none. */
EVENT2_EXPORT_SYMBOL
int evhttp_request_get_response_code(const struct evhttp_request *req);

/** The phrase behind the status code, maybe empty; borrowed; NULL if there was no status line. */
EVENT2_EXPORT_SYMBOL
const char *evhttp_request_get_response_code_line(const struct evhttp_request *req);

/**
 * The target as it was received, or given to evhttp_make_request(); borrowed; NULL if there is none
 * yet.
 */
EVENT2_EXPORT_SYMBOL
const char *evhttp_request_get_uri(const struct evhttp_request *req);

/** 1 if evhttp_request_own() was called, 0 if not. */
EVENT2_EXPORT_SYMBOL
int evhttp_request_is_owned(struct evhttp_request *req);

/**
 * Make a request to send, or to be filled in.
 *
 * @param cb   the completion: runs once when a request that was sent is over, unless it was
 *             cancelled or freed. It gets the request with the response; or NULL if there is none:
 *             see evhttp_request_set_error_cb(). Where nobody listens at the server's address, or
 *             nobody answers within the connect timeout, it gets the request, with response code 0.
 *             The request is freed afterwards, except if the program has taken it. It may do
 *             anything, also send and free
 * @param arg  for `cb` and the header, chunk and error callbacks
 * @return for evhttp_make_request() or evhttp_request_free(); NULL when out of memory
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_request *evhttp_request_new(void (*cb)(struct evhttp_request *, void *), void *arg);

/**
 * Take a request: it is not freed when it is over, but by evhttp_request_free(). A server's request
 * is freed all the same once its reply is written; taking it matters if the client goes first.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_own(struct evhttp_request *req);

/**
 * Stop delivering a client's response, or a body that a server streams, and reading it: what the
 * peer sends waits in the network. To be called when the program cannot keep up, from the chunk
 * callback for example. Pieces that have come to an end of the body already may still be followed
 * by the completion. No timeout runs meanwhile.
 *
 * Does nothing unless the request is running on a client's connection, or its body is streamed
 * (evhttp_request_stream_body()). Loop's thread. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_pause(struct evhttp_request *req);

/** Undo evhttp_request_pause(). Callbacks run from the loop, not from this call. Since 2.2.1. */
EVENT2_EXPORT_SYMBOL
void evhttp_request_resume(struct evhttp_request *req);

/**
 * Send a client's body in pieces, as they come to be: call it before evhttp_make_request(). The
 * body is chunked, unless the program adds a Content-Length.
 *
 * @param cb  asks for a piece: once the head is out (with "Expect: 100-continue": when the server
 *            has agreed), and whenever little of the last one is left. It answers with
 *            evhttp_request_write_body(), or remembers that it was asked and does so later, and at
 *            the end with evhttp_request_end_body(). It may free or cancel anything.
 *
 * While pieces are to come no read timeout runs. A response may come before the last piece; it
 * completes the request, and the connection closes. evhttp_make_request() fails if the method has
 * no body, or if HTTP/1.0 was asked for without Content-Length. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_set_body_cb(struct evhttp_request *req,
				void (*cb)(struct evhttp_request *req, void *arg), void *arg);

/**
 * Give the next piece of a body. `data` is moved, and empty afterwards; an empty one does nothing.
 *
 * @return 0, or -1 and nothing has happened: no piece was asked for yet, the body has ended, more
 *         than Content-Length says, or out of memory (then the request will fail). Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evhttp_request_write_body(struct evhttp_request *req, struct evbuffer *data);

/**
 * The body is complete.
 *
 * @return 0, or -1 and nothing has happened: as above, or less than Content-Length says. Since
 *         2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evhttp_request_end_body(struct evhttp_request *req);

/**
 * Limit the time of a client's request from evhttp_make_request() to its completion, whatever takes
 * it: the queue, lookups, retries, a server that sends a byte a second. Then it fails with
 * EVREQ_HTTP_TIMEOUT.
 *
 * @param tv  copied, counts for the next evhttp_make_request(); NULL or zero for no limit, the
 *            default. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_set_time_limit_tv(struct evhttp_request *req, const struct timeval *tv);

/**
 * Take the body as it comes instead of whole: whole chunks of a chunked one, up to 64 KiB at a
 * time; otherwise what was read. Set on a server's request in the callback of
 * evhttp_set_newreqcb().
 *
 * @param cb  finds the bytes in the input buffer; what it leaves is dropped. Gets the request's
 *            argument. See evhttp_request_pause() for when it cannot keep up
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_set_chunked_cb(struct evhttp_request *,
				   void (*cb)(struct evhttp_request *, void *));

/**
 * Be told that a request has failed: before the completion is called with NULL, or after
 * evhttp_cancel_request(). evhttp_request_set_failure_cb() tells more, and also of refused
 * connections.
 *
 * @param cb  gets the request's argument
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_set_error_cb(struct evhttp_request *,
				 void (*)(enum evhttp_request_error, void *));

/**
 * Be told why an exchange failed: before the error and the completion callback, and also where the
 * latter gets a request with response code 0 (refused, connect timeout) or is not called
 * (cancelled).
 *
 * @param cb  runs once at most, in the loop's thread; may free or cancel anything
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_set_failure_cb(struct evhttp_request *req,
				   void (*cb)(struct evhttp_request *req,
					      const struct evhttp_failure *failure, void *arg),
				   void *arg);

/**
 * Be told when a head has come, before its body; also of each interim response (1xx, 10000 at
 * most).
 *
 * @param cb  gets the request's argument; a negative result closes the connection, and the request
 *            fails with EVREQ_HTTP_EOF
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_set_header_cb(struct evhttp_request *,
				  int (*cb)(struct evhttp_request *, void *));

/**
 * Be told when the last byte of a server's reply has been handed to the system, before the request
 * is freed. Not called if the connection ends first.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_request_set_on_complete_cb(struct evhttp_request *req,
				       void (*cb)(struct evhttp_request *, void *), void *cb_arg);

/**
 * Answer with an error page, and close the connection afterwards. Header fields that were added are
 * dropped. Otherwise like evhttp_send_reply().
 *
 * @param error   the status code
 * @param reason  phrase, and text of the page, which is not escaped; NULL for the usual one
 */
EVENT2_EXPORT_SYMBOL
void evhttp_send_error(struct evhttp_request *req, int error, const char *reason);

/**
 * Answer a request.
 *
 * Date, Content-Length, Content-Type and Connection are added where they are due and the program
 * has not set them. The call returns at once; the loop writes.
 *
 * From now on `req` is the library's: it is freed when all is written. If the client has gone, it
 * is freed now.
 *
 * @param code     100 to 999
 * @param reason   the phrase; NULL for the usual one
 * @param databuf  the body: moved, so empty afterwards, and still the caller's; NULL for none
 */
EVENT2_EXPORT_SYMBOL
void evhttp_send_reply(struct evhttp_request *req, int code, const char *reason,
		       struct evbuffer *databuf);

/**
 * Send a piece of the body.
 *
 * @param databuf  moved, so empty afterwards, and still the caller's; an empty one does nothing
 */
EVENT2_EXPORT_SYMBOL
void evhttp_send_reply_chunk(struct evhttp_request *req, struct evbuffer *databuf);

/**
 * Send a piece of the body, and be told when it has been written: the moment to produce the next
 * one, so that a slow client does not make memory grow.
 *
 * @param cb  runs once, unless the connection ends first; may free anything
 */
EVENT2_EXPORT_SYMBOL
void evhttp_send_reply_chunk_with_cb(struct evhttp_request *req, struct evbuffer *databuf,
				     void (*cb)(struct evhttp_connection *, void *), void *arg);

/** End an answer that evhttp_send_reply_start() began. `req` is the library's from now on. */
EVENT2_EXPORT_SYMBOL
void evhttp_send_reply_end(struct evhttp_request *req);

/**
 * Begin an answer whose body comes in pieces: sends the head.
 *
 * HTTP/1.1 clients get it chunked, unless the program has set a Content-Length, which it must then
 * keep; older ones get it until the connection closes. evhttp_send_reply_end() must follow in every
 * case.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_send_reply_start(struct evhttp_request *req, int code, const char *reason);

/**
 * Say which methods are served; others get 501.
 *
 * @param methods  EVHTTP_REQ_* added up. 16 bits wide in 2.1
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_allowed_methods(struct evhttp *http, ev_uint32_t methods);

/**
 * Provide the transport of accepted connections, for example bufferevent_openssl_socket_new(base,
 * -1, SSL_new(ctx), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE).
 *
 * @param cb  called once a connection; returns a bufferevent without descriptor, which the
 *            connection takes, or NULL for a plain socket
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_bevcb(struct evhttp *http, struct bufferevent *(*cb)(struct event_base *, void *),
		      void *arg);

/**
 * Have requests for a path handled by a function.
 *
 * The path of the request, decoded, is compared with `path` byte for byte; its query takes no part.
 * There is no prefix matching: see evhttp_set_gencb().
 *
 * @param path  copied
 * @param cb    runs when the request is complete, body and all. It must see to it that the request
 *              is answered, now or later: evhttp_send_reply(), evhttp_send_error(), or
 *              evhttp_send_reply_start() and so on
 * @return 0; -1 if the path has a callback; -2 when out of memory
 */
EVENT2_EXPORT_SYMBOL
int evhttp_set_cb(struct evhttp *http, const char *path,
		  void (*cb)(struct evhttp_request *, void *), void *cb_arg);

/**
 * The Content-Type of replies that have a body and say nothing else. "text/html;
 * charset=ISO-8859-1" at first.
 *
 * @param content_type  borrowed until the server is freed; NULL for none
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_default_content_type(struct evhttp *http, const char *content_type);

/**
 * Make the pages of error replies, the library's own and those of evhttp_send_error().
 *
 * @param cb  puts a page of HTML, maybe an empty one, in `buffer` and returns 0 or more; or returns
 *            a negative number for the page that is usual. `reason` may be NULL
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_errorcb(struct evhttp *http,
			int (*cb)(struct evhttp_request *req, struct evbuffer *buffer, int error,
				  const char *reason, void *cbarg),
			void *cbarg);

/**
 * Let a server know methods that are not built in. Connections accepted afterwards have it. The
 * methods must be allowed as well: evhttp_set_allowed_methods().
 *
 * @param cmp  gets a name and sets the type, or the other way round (struct evhttp_ext_method);
 *             returns 0 if it knows the method
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_ext_method_cmp(struct evhttp *http, evhttp_ext_method_cb cmp);

/**
 * Replace the flags.
 *
 * @param flags  EVHTTP_SERVER_LINGERING_CLOSE: read on, within bounds, when a body is too long, so
 *               that the client gets to see the 413 rather than a reset; and the others above
 * @return 0, or nonzero if a bit is not known: then nothing has changed
 */
EVENT2_EXPORT_SYMBOL
int evhttp_set_flags(struct evhttp *http, int flags);

/**
 * Have requests handled that no path's callback is for. Without it they get 404.
 *
 * @param cb  like that of evhttp_set_cb(); NULL removes it
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_gencb(struct evhttp *http, void (*cb)(struct evhttp_request *, void *), void *arg);

/**
 * Limit how slowly the body of a request may come: at least `bytes` of it within each `tv`, else
 * the connection is closed like after a read timeout. Time in which the program holds a streamed
 * body up does not count. Default: 1024 bytes within 60 s.
 *
 * @param bytes  0 for no limit; chunk framing does not count
 * @param tv     copied; NULL or zero for no limit. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_body_rate(struct evhttp *http, size_t bytes, const struct timeval *tv);

/**
 * Serve a path like evhttp_set_cb(), but as soon as the head of a request has come: for bodies that
 * are large, or that never end.
 *
 * The callback may call evhttp_request_stream_body() to get the body; without that it is read and
 * thrown away. The request can be answered at any time from now on. If a reply ends before the body
 * has, the connection closes after it, and with "Expect: 100-continue" the client need not send the
 * body at all: it is asked to when the callback returns without an answer.
 *
 * Paths are the same set as those of evhttp_set_cb(): each is served by one callback, and
 * evhttp_del_cb() removes either.
 *
 * @return 0; -1 if the path is served already; -2 when out of memory. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evhttp_set_stream_cb(struct evhttp *http, const char *path,
			 void (*cb)(struct evhttp_request *, void *), void *cb_arg);

/**
 * Have the body of a request handed on as it comes. To be called in a callback of
 * evhttp_set_stream_cb().
 *
 * @param cb  gets EVHTTP_BODY_DATA whenever bytes have come, then once EVHTTP_BODY_END or
 *            EVHTTP_BODY_LOST. What it leaves in the input buffer stays there. After
 *            EVHTTP_BODY_LOST, which comes after the connection's close callback, the request is
 *            the program's alone: end it with a reply or evhttp_request_free(). It is not called
 *            for requests that were answered to the end, or freed, before.
 * @param held_max  while this many bytes or more lie in the input buffer nothing is read; taking
 *            some away, whenever and to wherever, lets it go on. With that a request holds at most
 *            `held_max` and 64 KiB of its body, and its connection 128 KiB of what comes next.
 *            evhttp_request_pause() stops it as well.
 * @return 0; -1 if the body has ended, or is streamed already, or when out of memory. Loop's
 *         thread. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int evhttp_request_stream_body(struct evhttp_request *req, evhttp_body_cb cb, size_t held_max,
			       void *arg);

/**
 * Stop gracefully: free all bound sockets, close the connections that are between requests, and let
 * the others finish theirs; replies from now on say "Connection: close". WebSocket sessions go on
 * until they end. Connections that take too long are the program's to end, by evhttp_free() at the
 * latest.
 *
 * @param cb  NULL, or called once when no connection and no session is left, perhaps before this
 *            returns; it may free the server. Loop's thread. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
void evhttp_stop(struct evhttp *http, void (*cb)(struct evhttp *http, void *arg), void *arg);

/**
 * Limit how long a client may take from the first byte of a request's head to the last, however
 * steadily bytes trickle in. Counts only for heads that do not come in one piece. Default 60 s.
 *
 * @param tv  copied; NULL or zero for no limit
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_head_timeout_tv(struct evhttp *http, const struct timeval *tv);

/**
 * Limit the bodies of requests; 413 above it.
 *
 * @param max_body_size  bytes; negative for no limit, the default
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_max_body_size(struct evhttp *http, ev_ssize_t max_body_size);

/**
 * Limit the number of connections. A further one gets 503 and is closed.
 *
 * @param max_connections  0 or less for no limit, the default
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_max_connections(struct evhttp *http, int max_connections);

/**
 * Limit the request line and header fields together; 400 above it. Counts for connections accepted
 * afterwards, as all limits and timeouts of a server do. More than 1000 fields are refused in any
 * case.
 *
 * @param max_headers_size  bytes, line ends not counted; negative for no limit. Default 1048576, 1
 * MiB
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_max_headers_size(struct evhttp *http, ev_ssize_t max_headers_size);

/**
 * Be told of each request before a byte of it has come: when a connection is accepted, and again
 * when it is ready for the next request. The place for callbacks on the request, such as
 * evhttp_request_set_chunked_cb() to take its body as it comes.
 *
 * @param cb  returns -1 to close the connection
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_newreqcb(struct evhttp *http, int (*cb)(struct evhttp_request *, void *),
			 void *arg);

/** The first half of evhttp_set_timeout_tv() only. Since 2.2. */
EVENT2_EXPORT_SYMBOL
void evhttp_set_read_timeout_tv(struct evhttp *http, const struct timeval *tv);

/** Like evhttp_set_timeout_tv(), in seconds; 0 and less for no timeout. */
EVENT2_EXPORT_SYMBOL
void evhttp_set_timeout(struct evhttp *http, int timeout);

/**
 * How long a client may send nothing while its request, or the rest of it, is awaited; and how long
 * it may take nothing of a reply. The connection is closed then, without a word. While the program
 * has the request no timeout runs.
 *
 * @param tv  copied; NULL for none, the default
 */
EVENT2_EXPORT_SYMBOL
void evhttp_set_timeout_tv(struct evhttp *http, const struct timeval *tv);

/** The second half of evhttp_set_timeout_tv() only. Since 2.2. */
EVENT2_EXPORT_SYMBOL
void evhttp_set_write_timeout_tv(struct evhttp *http, const struct timeval *tv);

/** Free a URI. */
EVENT2_EXPORT_SYMBOL
void evhttp_uri_free(struct evhttp_uri *uri);

/** What stands behind "#"; NULL if there is none. Not decoded. */
EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_fragment(const struct evhttp_uri *uri);

/**
 * The host: a name, an IPv4 address, or an IP literal with its brackets (without, with
 * EVHTTP_URI_HOST_STRIP_BRACKETS). "" in "file:///x", NULL in "mailto:x".
 */
EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_host(const struct evhttp_uri *uri);

/** The path; "" if it is empty. Not decoded. */
EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_path(const struct evhttp_uri *uri);

/** The port, or -1 if there is none. */
EVENT2_EXPORT_SYMBOL
int evhttp_uri_get_port(const struct evhttp_uri *uri);

/** What stands behind "?"; NULL if there is none. Not decoded. */
EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_query(const struct evhttp_uri *uri);

/**
 * The scheme without ":"; borrowed, as the results of all getters, until it is set anew. NULL if
 * there is none.
 */
EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_scheme(const struct evhttp_uri *uri);

/**
 * The path of a Unix socket: "/run/c" in "http://unix:/run/c:/path", with EVHTTP_URI_UNIX_SOCKET.
 * NULL if there is none.
 *
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_unixsocket(const struct evhttp_uri *uri);

/** What stands before "@"; NULL if there is none. */
EVENT2_EXPORT_SYMBOL
const char *evhttp_uri_get_userinfo(const struct evhttp_uri *uri);

/**
 * Write a URI as text. Nothing is escaped.
 *
 * @param limit  bytes of `buf`, NUL included
 * @return `buf`; NULL if it does not fit, or if there is a host and the path does not begin with
 *         "/"
 */
EVENT2_EXPORT_SYMBOL
char *evhttp_uri_join(const struct evhttp_uri *uri, char *buf, size_t limit);

/**
 * Make an empty URI.
 *
 * @return for evhttp_uri_free(), or NULL when out of memory
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_uri *evhttp_uri_new(void);

/** evhttp_uri_parse_with_flags() without flags: as RFC 3986 has it. */
EVENT2_EXPORT_SYMBOL
struct evhttp_uri *evhttp_uri_parse(const char *source_uri);

/**
 * Parse a URI, or a relative reference (RFC 3986 section 4.1). Nothing is decoded.
 *
 * @param flags  EVHTTP_URI_NONCONFORMANT: any byte may stand in path, query and fragment;
 *               EVHTTP_URI_HOST_STRIP_BRACKETS, EVHTTP_URI_UNIX_SOCKET: see the getters
 * @return for evhttp_uri_free(); NULL if it is malformed, or out of memory
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_uri *evhttp_uri_parse_with_flags(const char *source_uri, unsigned flags);

/**
 * What a reference means that stands in the resource of another URI (RFC 3986 section 5.2), such as
 * a Location field: "../b?c" seen from "http://a/x/y" is "http://a/b?c".
 *
 * @param base   has a scheme; its host, port and socket stay as they are written in it
 * @param flags  as of evhttp_uri_parse_with_flags(), for the reference and the result
 * @return for evhttp_uri_free(); NULL if `base` has no scheme, the reference is malformed, or out
 *         of memory. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_uri *evhttp_uri_resolve(const struct evhttp_uri *base, const char *reference,
				      unsigned flags);

/**
 * Where a response sends its client (RFC 9110 section 15.4): 301, 302, 303, 307 and 308 with a
 * Location that a client may follow: http or https with a host, and never from https to http.
 *
 * How often, the caller counts. Towards another host or port, leave out what was meant for the
 * first (Authorization, Cookie).
 *
 * @param req         a complete response, or one whose head has come
 * @param uri         what was asked, absolute
 * @param flags       as of evhttp_uri_parse_with_flags()
 * @param ret_method  how to ask there: 303 makes GET of all but HEAD, 301 and 302 of POST, and
 *                    then there is no body; may be NULL
 * @return for evhttp_uri_free(); NULL if it is no redirect, or none to follow. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
struct evhttp_uri *evhttp_request_get_redirect(struct evhttp_request *req,
					       const struct evhttp_uri *uri, unsigned flags,
					       enum evhttp_cmd_type *ret_method);

/** Replace the flags, EVHTTP_URI_*, which also say how strict the setters are. */
EVENT2_EXPORT_SYMBOL
void evhttp_uri_set_flags(struct evhttp_uri *uri, unsigned flags);

/** Set what stands behind "#"; it must not have "#" in it. */
EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_fragment(struct evhttp_uri *uri, const char *fragment);

/** Set the host; IP literals with brackets. */
EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_host(struct evhttp_uri *uri, const char *host);

/** Set the path; it must not have "?" or "#" in it. */
EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_path(struct evhttp_uri *uri, const char *path);

/** Set the port; -1 for none. */
EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_port(struct evhttp_uri *uri, int port);

/** Set what stands behind "?"; it must not have "#" in it. */
EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_query(struct evhttp_uri *uri, const char *query);

/**
 * Set the scheme.
 *
 * @param scheme  copied; NULL for none. So it is with all setters
 * @return 0; or -1 if it is malformed, or out of memory: then the old value stays. So it is with
 *         all setters
 */
EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_scheme(struct evhttp_uri *uri, const char *scheme);

/** Set the path of a Unix socket. Since 2.2. */
EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_unixsocket(struct evhttp_uri *uri, const char *unixsocket);

/** Set what stands before "@". */
EVENT2_EXPORT_SYMBOL
int evhttp_uri_set_userinfo(struct evhttp_uri *uri, const char *userinfo);

/**
 * Undo evhttp_uriencode(). What is no escape is copied.
 *
 * @param decode_plus  nonzero: "+" becomes a space
 * @param size_out     set to the length, as there may be NULs inside; or NULL
 * @return for free(), with a NUL behind it; NULL when out of memory
 */
EVENT2_EXPORT_SYMBOL
char *evhttp_uridecode(const char *uri, int decode_plus, size_t *size_out);

/**
 * Escape what may not stand in a component of a URI: all but letters, digits and "-._~" becomes %XX
 * (RFC 3986 section 2.1).
 *
 * @param size           bytes, NULs included; negative: up to the first NUL
 * @param space_to_plus  nonzero: a space becomes "+"
 * @return for free(); NULL when out of memory
 */
EVENT2_EXPORT_SYMBOL
char *evhttp_uriencode(const char *str, ev_ssize_t size, int space_to_plus);

#ifdef __cplusplus
}
#endif

#endif
