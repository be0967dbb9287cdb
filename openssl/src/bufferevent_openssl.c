/* SPDX-License-Identifier: BSD-3-Clause */
/* The public functions of event2/bufferevent_ssl.h for OpenSSL. */

#include "openssl.h"

#include <openssl/ssl.h>

#include <errno.h>

/*
 * The descriptor to use: the one given, or the one that `ssl` has. -1 for none, -EINVAL if both
 * differ.
 */
static evutil_socket_t choose_fd(SSL *ssl, evutil_socket_t fd)
{
	BIO *bio = SSL_get_rbio(ssl);
	int have = -1;

	if (bio == NULL || BIO_get_fd(bio, &have) < 0)
		have = -1;
	if (have < 0)
		return fd < 0 ? EVUTIL_INVALID_SOCKET : fd;
	return fd < 0 || fd == have ? have : -EINVAL;
}

struct bufferevent *bufferevent_openssl_socket_new(struct event_base *base, evutil_socket_t fd,
						   struct ssl_st *ssl,
						   enum bufferevent_ssl_state state, int options)
{
	if (ssl == NULL)
		return NULL;
	fd = choose_fd(ssl, fd);
	if (fd == -EINVAL) {
		if (options & BEV_OPT_CLOSE_ON_FREE) {
			(void)BIO_set_close(SSL_get_rbio(ssl), BIO_NOCLOSE);
			SSL_free(ssl);
		}
		return NULL;
	}
	return evi_tls_socket_new(base, fd, &evi_openssl_ops, ssl, state, options);
}

struct bufferevent *bufferevent_openssl_filter_new(struct event_base *base,
						   struct bufferevent *underlying,
						   struct ssl_st *ssl,
						   enum bufferevent_ssl_state state, int options)
{
	return evi_tls_filter_new(base, underlying, &evi_openssl_ops, ssl, state, options);
}

struct ssl_st *bufferevent_openssl_get_ssl(struct bufferevent *bufev)
{
	return evi_tls_object(bufev, &evi_openssl_ops);
}

unsigned long bufferevent_get_openssl_error(struct bufferevent *bev)
{
	return evi_tls_object(bev, &evi_openssl_ops) != NULL ? evi_tls_take_error(bev) : 0;
}

int bufferevent_openssl_get_allow_dirty_shutdown(struct bufferevent *bev)
{
	ev_uint64_t flags = bufferevent_ssl_get_flags(bev);

	return flags == EV_UINT64_MAX ? -1 : (flags & BUFFEREVENT_SSL_DIRTY_SHUTDOWN) != 0;
}

void bufferevent_openssl_set_allow_dirty_shutdown(struct bufferevent *bev, int allow_dirty_shutdown)
{
	if (allow_dirty_shutdown)
		(void)bufferevent_ssl_set_flags(bev, BUFFEREVENT_SSL_DIRTY_SHUTDOWN);
	else
		(void)bufferevent_ssl_clear_flags(bev, BUFFEREVENT_SSL_DIRTY_SHUTDOWN);
}

int bufferevent_ssl_renegotiate(struct bufferevent *bev)
{
	return evi_tls_object(bev, &evi_openssl_ops) != NULL ? evi_tls_renegotiate(bev) : -1;
}
