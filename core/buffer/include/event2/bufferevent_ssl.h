/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_BUFFEREVENT_SSL_H_INCLUDED_
#define EVENT2_BUFFEREVENT_SSL_H_INCLUDED_

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
struct ssl_st;

typedef struct mbedtls_ssl_context mbedtls_dyncontext;

enum bufferevent_ssl_state {
	BUFFEREVENT_SSL_OPEN = 0,
	BUFFEREVENT_SSL_CONNECTING = 1,
	BUFFEREVENT_SSL_ACCEPTING = 2,
};

#define BUFFEREVENT_SSL_DIRTY_SHUTDOWN 1
#define BUFFEREVENT_SSL_BATCH_WRITE 2


/* condition: openssl */
EVENT2_EXPORT_SYMBOL
unsigned long bufferevent_get_openssl_error(struct bufferevent *bev);

/* condition: openssl */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_openssl_filter_new(struct event_base *base, struct bufferevent *underlying, struct ssl_st *ssl, enum bufferevent_ssl_state state, int options);

/* condition: openssl */
EVENT2_EXPORT_SYMBOL
int bufferevent_openssl_get_allow_dirty_shutdown(struct bufferevent *bev);

/* condition: openssl */
EVENT2_EXPORT_SYMBOL
struct ssl_st *bufferevent_openssl_get_ssl(struct bufferevent *bufev);

/* condition: openssl */
EVENT2_EXPORT_SYMBOL
void bufferevent_openssl_set_allow_dirty_shutdown(struct bufferevent *bev, int allow_dirty_shutdown);

/* condition: openssl */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_openssl_socket_new(struct event_base *base, evutil_socket_t fd, struct ssl_st *ssl, enum bufferevent_ssl_state state, int options);

/**
 * Check whom a client talks to, in one call: the peer's certificate must be valid and be made out to
 * `host`, and the server is told that name (SNI, RFC 6066) unless it is an address. Without this, or
 * the same done by hand on the SSL object, anybody in between can answer.
 *
 * Call it before the handshake. A failing check ends the handshake with
 * BEV_EVENT_READING | BEV_EVENT_ERROR; bufferevent_get_openssl_error() says why.
 *
 * @param host              name (RFC 6125), IPv4 or IPv6 address; copied
 * @param use_system_trust  nonzero: trust the system's certificate authorities instead of those of
 *                          the SSL_CTX
 * @return 0, or -1 if `bev` is not of OpenSSL, `host` is empty, or out of memory. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_openssl_verify_host(struct bufferevent *bev, const char *host, int use_system_trust);

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
struct bufferevent *bufferevent_openssl_client_new(struct event_base *base, evutil_socket_t fd, const char *host, void *ssl_ctx);

/**
 * Offer application protocols, best first (ALPN, RFC 7301): "h2", "http/1.1". A client's call, before
 * the handshake. Names are copied; 1 to 255 bytes each, 1024 in all with their lengths.
 *
 * @return 0 or -1. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_openssl_set_alpn(struct bufferevent *bev, const char *const *names, size_t count);

/**
 * The application protocol that was agreed on, copied to `name` with a NUL.
 *
 * @return its length, or -1 if there is none, or it does not fit. Since 2.2.1.
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_openssl_get_alpn(struct bufferevent *bev, char *name, size_t size);

/* condition: openssl|mbedtls */
EVENT2_EXPORT_SYMBOL
ev_uint64_t bufferevent_ssl_clear_flags(struct bufferevent *bev, ev_uint64_t flags);

/* condition: openssl|mbedtls */
EVENT2_EXPORT_SYMBOL
ev_uint64_t bufferevent_ssl_get_flags(struct bufferevent *bev);

/* condition: openssl */
EVENT2_EXPORT_SYMBOL
int bufferevent_ssl_renegotiate(struct bufferevent *bev);

/* condition: openssl|mbedtls */
EVENT2_EXPORT_SYMBOL
ev_uint64_t bufferevent_ssl_set_flags(struct bufferevent *bev, ev_uint64_t flags);

/**
 * Make a client's bufferevent that checks its server, in one call; see
 * bufferevent_openssl_client_new(). Whom it trusts is in the configuration, since Mbed TLS knows of no
 * system-wide authorities; MBEDTLS_SSL_VERIFY_REQUIRED, the default of clients, must be in force.
 *
 * @param config  an mbedtls_ssl_config; borrowed until the bufferevent is freed
 * @return NULL on failure, also without `config` or `host`; `fd` is then still the caller's. Since
 *         2.2.1.
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_mbedtls_client_new(struct event_base *base, evutil_socket_t fd, const char *host, void *config);

/* condition: mbedtls */
EVENT2_EXPORT_SYMBOL
unsigned long bufferevent_get_mbedtls_error(struct bufferevent *bev);

/* condition: mbedtls */
EVENT2_EXPORT_SYMBOL
void bufferevent_mbedtls_dyncontext_free(mbedtls_dyncontext *ctx);

/* condition: mbedtls */
EVENT2_EXPORT_SYMBOL
mbedtls_dyncontext *bufferevent_mbedtls_dyncontext_new(struct mbedtls_ssl_config *conf);

/* condition: mbedtls */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_mbedtls_filter_new(struct event_base *base, struct bufferevent *underlying, mbedtls_dyncontext *ssl, enum bufferevent_ssl_state state, int options);

/* condition: mbedtls */
EVENT2_EXPORT_SYMBOL
int bufferevent_mbedtls_get_allow_dirty_shutdown(struct bufferevent *bev);

/* condition: mbedtls */
EVENT2_EXPORT_SYMBOL
struct mbedtls_ssl_context *bufferevent_mbedtls_get_ssl(struct bufferevent *bufev);

/* condition: mbedtls */
EVENT2_EXPORT_SYMBOL
int bufferevent_mbedtls_renegotiate(struct bufferevent *bev);

/* condition: mbedtls */
EVENT2_EXPORT_SYMBOL
void bufferevent_mbedtls_set_allow_dirty_shutdown(struct bufferevent *bev, int allow_dirty_shutdown);

/* condition: mbedtls */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_mbedtls_socket_new(struct event_base *base, evutil_socket_t fd, mbedtls_dyncontext *ssl, enum bufferevent_ssl_state state, int options);

#ifdef __cplusplus
}
#endif

#endif
