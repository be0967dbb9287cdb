/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_BUFFEREVENT_SSL_H_INCLUDED_
#define EVENT2_BUFFEREVENT_SSL_H_INCLUDED_

/**
 * @file event2/bufferevent_ssl.h
 *
 * Bufferevents that speak TLS: directly on a descriptor ("socket"), or over another bufferevent
 * ("filter"). Link libevent_openssl or libevent_mbedtls; both may be in one program.
 *
 * They obey event2/bufferevent.h, and these rules unless a comment says otherwise.
 *
 * A client    bev = bufferevent_openssl_client_new(base, -1, "example.org", NULL);
 *             bufferevent_set_timeouts(bev, &limit, &limit);
 *             bufferevent_enable(bev, EV_READ | EV_WRITE);
 *             bufferevent_socket_connect_hostname(bev, dns, AF_UNSPEC, "example.org", 443);
 *
 *             Check the result of each. One made with bufferevent_openssl_socket_new() checks
 *             nobody by itself: without bufferevent_openssl_verify_host(), or the same done by hand
 *             on the object, anybody in between can answer.
 *
 * A server    bufferevent_openssl_socket_new(base, fd, SSL_new(ctx), BUFFEREVENT_SSL_ACCEPTING,
 *             BEV_OPT_CLOSE_ON_FREE) for each accepted descriptor, with a context that has the
 *             certificate and key. Set a read timeout, or a peer that says nothing stays for ever.
 *
 * Handshake   Starts by itself once there is a transport, and runs while any direction is enabled.
 *             BEV_EVENT_CONNECTED tells that it is over; no other callback comes before. What was
 *             written earlier is sent then. The read timeout, while reading is enabled, is for the
 *             handshake as a whole. After a timeout it rests until a direction is enabled.
 * Failures    BEV_EVENT_ERROR, once; both directions are disabled then, and only
 *             bufferevent_setfd() or connecting starts anew. The library's own codes are in
 *             bufferevent_get_openssl_error(), the socket's in EVUTIL_SOCKET_ERROR().
 * The end     The peer's close_notify is BEV_EVENT_READING | BEV_EVENT_EOF; writing still works. An
 *             end of the transport without it may be an attacker's who cuts the stream short:
 *             BEV_EVENT_READING | BEV_EVENT_ERROR, or _EOF with BUFFEREVENT_SSL_DIRTY_SHUTDOWN,
 *             which suits protocols that tell by themselves where a message ends.
 *             bufferevent_free() says no close_notify: see bufferevent_ssl_shutdown().
 * Ownership   With BEV_OPT_CLOSE_ON_FREE the bufferevent takes the TLS object, and the descriptor
 *             or wrapped bufferevent; it frees them when its last reference goes. Without it all
 *             stay the caller's, who may free the object, or give it to a new bufferevent in state
 *             BUFFEREVENT_SSL_OPEN, right after bufferevent_free(), even in a callback. When making
 *             one fails, the option decides on the object alone: nothing else is closed or freed.
 *             While the bufferevent lives the object may be inspected and set up, but must not be
 *             freed or get another transport.
 * Callbacks   The write callback always runs from the loop. Callbacks of the TLS library (messages,
 *             verification, protocols) may use and free the bufferevent as well. What is just
 *             encrypted is not in its output then, what is just decrypted not yet in its input,
 *             and bufferevent_setfd() fails.
 * Threads     As for any bufferevent. The TLS library's objects are used with the bufferevent's
 *             lock held; what several objects share, such as an SSL_CTX, is made ready beforehand.
 * Limits      Marks and timeouts count the data, rate limits what goes over the transport.
 * Kernel TLS  SSL_OP_ENABLE_KTLS, set before the handshake, lets the kernel encrypt what a socket
 *             sends, if it can; evbuffer_add_file() then costs no copy, rate limits count the data,
 *             and the connection cannot go on with another descriptor.
 */

#include <event2/visibility.h>
#include <event2/event-config.h>
#include <event2/bufferevent.h>
#include <event2/util.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bufferevent;
struct event_base;
struct mbedtls_ssl_config;
struct mbedtls_ssl_context;
struct ssl_ctx_st;
struct ssl_st;

/** An mbedtls_ssl_context that bufferevent_mbedtls_dyncontext_new() made. */
typedef struct mbedtls_ssl_context mbedtls_dyncontext;

/** Where a TLS object is when it is given to a bufferevent. */
enum bufferevent_ssl_state {
	/** The handshake is over: data may move at once, no BEV_EVENT_CONNECTED comes. */
	BUFFEREVENT_SSL_OPEN = 0,
	/** To act as a client. A used object is reset; what was set up on it stays. */
	BUFFEREVENT_SSL_CONNECTING = 1,
	/** To act as a server; otherwise the same. */
	BUFFEREVENT_SSL_ACCEPTING = 2,
};

/** Take an end of the transport without close_notify for an end, not an error. */
#define BUFFEREVENT_SSL_DIRTY_SHUTDOWN 1
/**
 * Gather output into records as full as may be, whatever pieces it was added in: fewer and bigger
 * records, for the price of copying. By default long pieces are encrypted where they lie.
 */
#define BUFFEREVENT_SSL_BATCH_WRITE 2

/* --- Any library ------------------------------------------------------------------------------ */

/**
 * The flags, BUFFEREVENT_SSL_*; none are set at first. Any thread.
 *
 * @return all ones if `bev` is without TLS. Since 2.2.
 */
EVENT2_EXPORT_SYMBOL
ev_uint64_t bufferevent_ssl_get_flags(struct bufferevent *bev);

/**
 * Set flags, at any time; they hold until cleared, also for another connection. Unknown ones among
 * known ones are ignored. Any thread.
 *
 * @return the flags before; all ones if none is known, or `bev` is without TLS. Since 2.2.
 */
EVENT2_EXPORT_SYMBOL
ev_uint64_t bufferevent_ssl_set_flags(struct bufferevent *bev, ev_uint64_t flags);

/** Clear flags; otherwise like bufferevent_ssl_set_flags(). Since 2.2. */
EVENT2_EXPORT_SYMBOL
ev_uint64_t bufferevent_ssl_clear_flags(struct bufferevent *bev, ev_uint64_t flags);

/**
 * Tell the peer, by a close_notify (RFC 8446 section 6.1), that no more data follows, so that it
 * can tell this end from an attacker's. Does not wait: call it when the write callback has told
 * that all was sent, and bufferevent_free() right after it, or go on reading. Nothing may be
 * written afterwards. Any thread.
 *
 * @return 0, or -1 and nothing was said: no TLS, no handshake, a failed connection, output not yet
 *         sent, or no room in the transport. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_ssl_shutdown(struct bufferevent *bev);

/* --- OpenSSL ---------------------------------------------------------------------------------- */

/**
 * Make a TLS bufferevent on a descriptor.
 *
 * @param base     its loop
 * @param fd       a nonblocking descriptor; -1 to take the one that `ssl` has, or, if it has none,
 *                 for bufferevent_setfd() or bufferevent_socket_connect() later
 * @param ssl      the object; its transport is replaced. SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER and
 *                 read-ahead are set on it, all else is the caller's to set.
 * @param options  enum bufferevent_options
 * @return for bufferevent_free(). NULL, with the object freed if BEV_OPT_CLOSE_ON_FREE, if out of
 *         memory, if `fd` is another than the one that `ssl` has, or if
 *         BEV_OPT_UNLOCK_CALLBACKS comes without BEV_OPT_DEFER_CALLBACKS. Since 2.0.
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_openssl_socket_new(struct event_base *base, evutil_socket_t fd,
						   struct ssl_st *ssl,
						   enum bufferevent_ssl_state state, int options);

/**
 * Make a TLS bufferevent over another: TLS through a proxy or a pair, or inside another TLS.
 *
 * `underlying` gives its callbacks and marks to the new one, which shares its lock. It may connect
 * before or after; its own BEV_EVENT_CONNECTED is not passed on. It may be freed by the caller only
 * after the new one, and is usable again then, unless BEV_OPT_CLOSE_ON_FREE freed it.
 *
 * @param base  the loop of `underlying`
 * @return as bufferevent_openssl_socket_new(); NULL also if `underlying` is NULL. Since 2.0.
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_openssl_filter_new(struct event_base *base,
						   struct bufferevent *underlying,
						   struct ssl_st *ssl,
						   enum bufferevent_ssl_state state, int options);

/** The object, still the bufferevent's; NULL if it is not one of OpenSSL. Any thread. Since 2.0. */
EVENT2_EXPORT_SYMBOL
struct ssl_st *bufferevent_openssl_get_ssl(struct bufferevent *bufev);

/**
 * Take one error code of this connection, the latest first, for ERR_error_string_n(3) and its
 * siblings; the first eight of a connection are kept. Any thread.
 *
 * @return 0 when there are no more, or if `bev` is not one of OpenSSL. Since 2.0.
 */
EVENT2_EXPORT_SYMBOL
unsigned long bufferevent_get_openssl_error(struct bufferevent *bev);

/** Nonzero with BUFFEREVENT_SSL_DIRTY_SHUTDOWN, -1 if `bev` is without TLS. Since 2.1. */
EVENT2_EXPORT_SYMBOL
int bufferevent_openssl_get_allow_dirty_shutdown(struct bufferevent *bev);

/** Set or clear BUFFEREVENT_SSL_DIRTY_SHUTDOWN; nothing happens to one without TLS. Since 2.1. */
EVENT2_EXPORT_SYMBOL
void bufferevent_openssl_set_allow_dirty_shutdown(struct bufferevent *bev,
						  int allow_dirty_shutdown);

/**
 * Shake hands again on a connection that stands; BEV_EVENT_CONNECTED tells when that is over. TLS
 * 1.2 and older only, and the peer must allow it: OpenSSL 3 servers need
 * SSL_OP_ALLOW_CLIENT_RENEGOTIATION, and others end the connection. Data goes on meanwhile: what
 * arrives is read, what is written waits. Any thread.
 *
 * @return 0 if it was begun; -1, and the connection goes on, if this one cannot, if one is under
 *         way, or if `bev` is not one of OpenSSL. Since 2.0.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_ssl_renegotiate(struct bufferevent *bev);

/**
 * Check whom a client talks to, in one call: the peer's certificate must be valid and be made out
 * to `host`, and the server is told that name (SNI, RFC 6066) unless it is an address. Without
 * this, or the same done by hand on the SSL object, anybody in between can answer.
 *
 * Call it before the handshake; it holds for later ones too. A failing check ends the handshake
 * with BEV_EVENT_READING | BEV_EVENT_ERROR; bufferevent_get_openssl_error() says why.
 *
 * @param host              name (RFC 6125), IPv4 or IPv6 address; copied
 * @param use_system_trust  nonzero: trust the system's certificate authorities instead of those of
 *                          the SSL_CTX
 * @return 0, or -1 if `bev` is not of OpenSSL, `host` is empty, or out of memory: then do not
 *         connect. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_openssl_verify_host(struct bufferevent *bev, const char *host,
				    int use_system_trust);

/**
 * Make a client's bufferevent that checks its server: bufferevent_openssl_socket_new() and
 * bufferevent_openssl_verify_host() in one call. It closes its descriptor when it is freed.
 *
 * It is an evhttp_transport_cb as well: given to evhttp_connection_base_secure_new() it makes a
 * verified https connection.
 *
 * @param fd       connected already, or -1 to connect later with bufferevent_socket_connect() or
 *                 bufferevent_socket_connect_hostname(); taken on success
 * @param host     whom to expect: name, IPv4 or IPv6 address; copied
 * @param ssl_ctx  an SSL_CTX, of which a reference is taken; or NULL for TLS 1.2 and later, and the
 *                 certificate authorities of the system (what SSL_CERT_FILE and SSL_CERT_DIR say in
 *                 the environment, read once a process)
 * @return NULL on failure; `fd` is then still the caller's. Any thread. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_openssl_client_new(struct event_base *base, evutil_socket_t fd,
						   const char *host, void *ssl_ctx);

/**
 * Offer application protocols, best first (ALPN, RFC 7301): "h2", "http/1.1". A client's call,
 * before the handshake. Names are copied; 1 to 255 bytes each, 1024 in all with their lengths.
 *
 * @return 0 or -1. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_openssl_set_alpn(struct bufferevent *bev, const char *const *names, size_t count);

/**
 * Choose among the application protocols that clients offer: the first of `names` that is offered.
 * A client that offers none of them is refused (RFC 7301 section 3.2); one that offers nothing at
 * all is served. A server's call, once for its SSL_CTX, before handshakes; replaces an earlier
 * choice and SSL_CTX_set_alpn_select_cb(3). Names are copied, with the limits of
 * bufferevent_openssl_set_alpn().
 *
 * @return 0 or -1. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_openssl_ctx_select_alpn(struct ssl_ctx_st *ctx, const char *const *names,
					size_t count);

/**
 * The application protocol that was agreed on, copied to `name` with a NUL.
 *
 * @return its length, or -1 if there is none, or it does not fit. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_openssl_get_alpn(struct bufferevent *bev, char *name, size_t size);

/* --- Mbed TLS --------------------------------------------------------------------------------- */

/**
 * Make a context for one connection, with mbedtls_ssl_setup().
 *
 * @param conf  the configuration, with its role, random source, certificates; borrowed for as long
 *              as the context lives
 * @return for a bufferevent, or for bufferevent_mbedtls_dyncontext_free(). NULL if out of memory or
 *         `conf` is NULL. Since 2.2.
 */
EVENT2_EXPORT_SYMBOL
mbedtls_dyncontext *bufferevent_mbedtls_dyncontext_new(struct mbedtls_ssl_config *conf);

/** Free a context that no bufferevent has; NULL does nothing. Since 2.2. */
EVENT2_EXPORT_SYMBOL
void bufferevent_mbedtls_dyncontext_free(mbedtls_dyncontext *ctx);

/**
 * Make a TLS bufferevent on a descriptor; see bufferevent_openssl_socket_new(). The role is the
 * configuration's: of `state` it only matters whether it is BUFFEREVENT_SSL_OPEN.
 *
 * @param fd  -1 also takes the one of a context with an mbedtls_net_context for its transport
 * @return NULL also if `ssl` has a transport of another kind and `fd` is not -1. Since 2.2.
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_mbedtls_socket_new(struct event_base *base, evutil_socket_t fd,
						   mbedtls_dyncontext *ssl,
						   enum bufferevent_ssl_state state, int options);

/** Make a TLS bufferevent over another; see bufferevent_openssl_filter_new(). Since 2.2. */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_mbedtls_filter_new(struct event_base *base,
						   struct bufferevent *underlying,
						   mbedtls_dyncontext *ssl,
						   enum bufferevent_ssl_state state, int options);

/**
 * The context, still the bufferevent's; NULL if it is not one of Mbed TLS. Any thread. Since 2.2.
 */
EVENT2_EXPORT_SYMBOL
struct mbedtls_ssl_context *bufferevent_mbedtls_get_ssl(struct bufferevent *bufev);

/**
 * Take one error code of this connection, the latest first: a negative MBEDTLS_ERR_ code as an
 * unsigned int. Any thread.
 *
 * @return 0 when there are no more, or if `bev` is not one of Mbed TLS. Since 2.2.
 */
EVENT2_EXPORT_SYMBOL
unsigned long bufferevent_get_mbedtls_error(struct bufferevent *bev);

/** Nonzero with BUFFEREVENT_SSL_DIRTY_SHUTDOWN, -1 if `bev` is without TLS. Since 2.2. */
EVENT2_EXPORT_SYMBOL
int bufferevent_mbedtls_get_allow_dirty_shutdown(struct bufferevent *bev);

/** Set or clear BUFFEREVENT_SSL_DIRTY_SHUTDOWN; nothing happens to one without TLS. Since 2.2. */
EVENT2_EXPORT_SYMBOL
void bufferevent_mbedtls_set_allow_dirty_shutdown(struct bufferevent *bev,
						  int allow_dirty_shutdown);

/**
 * Shake hands again; see bufferevent_ssl_renegotiate(). The configuration must allow it,
 * mbedtls_ssl_conf_renegotiation(). A peer that does not answer leaves a client's output waiting.
 *
 * @return 0 if it was begun; -1, and the connection goes on. Since 2.2.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_mbedtls_renegotiate(struct bufferevent *bev);

/**
 * Check whom a client talks to: the peer's certificate must be made out to `host`, and the server
 * is told that name (SNI, RFC 6066). Call it before the handshake; it holds for later ones too.
 *
 * The configuration must say whom to trust, mbedtls_ssl_conf_ca_chain(), and insist on it,
 * mbedtls_ssl_conf_authmode() with MBEDTLS_SSL_VERIFY_REQUIRED; otherwise this fails.
 *
 * @param host  name; copied. Addresses fail: Mbed TLS 2.28 would take one for a name.
 * @return 0 or -1: then do not connect. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_mbedtls_verify_host(struct bufferevent *bev, const char *host);

/**
 * Make a client's bufferevent that checks its server, in one call; see
 * bufferevent_openssl_client_new(). Whom it trusts is in the configuration, since Mbed TLS knows of
 * no system-wide authorities; MBEDTLS_SSL_VERIFY_REQUIRED, the default of clients, must be in
 * force. Like bufferevent_mbedtls_verify_host() it takes names only.
 *
 * @param config  an mbedtls_ssl_config; borrowed until the bufferevent is freed
 * @return NULL on failure, also without `config` or `host`; `fd` is then still the caller's. Since
 *         2.2.1.
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_mbedtls_client_new(struct event_base *base, evutil_socket_t fd,
						   const char *host, void *config);

/**
 * Set the application protocols (ALPN, RFC 7301), best first: a client's to offer, a server's to
 * choose from. Before contexts are made.
 *
 * @param names  NULL after the last one; borrowed for as long as `conf` is used. 1 to 255 bytes
 * each.
 * @return 0 or -1. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_mbedtls_conf_set_alpn(struct mbedtls_ssl_config *conf, const char **names);

/**
 * The application protocol that was agreed on, copied to `name` with a NUL.
 *
 * @return its length, or -1 if there is none, or it does not fit. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_mbedtls_get_alpn(struct bufferevent *bev, char *name, size_t size);

#ifdef __cplusplus
}
#endif

#endif
