/* SPDX-License-Identifier: BSD-3-Clause */
/* The public functions of event2/bufferevent_ssl.h for Mbed TLS. */

#include "mbedtls.h"

#include <mbedtls/net_sockets.h>

#include <errno.h>

struct bufferevent *bufferevent_mbedtls_socket_new(struct event_base *base, evutil_socket_t fd,
						   mbedtls_dyncontext *ssl,
						   enum bufferevent_ssl_state state, int options)
{
	if (ssl == NULL)
		return NULL;
	fd = evi_mbedtls_choose_fd(ssl, fd);
	if (fd == -EINVAL) {
		if (options & BEV_OPT_CLOSE_ON_FREE)
			bufferevent_mbedtls_dyncontext_free(ssl);
		return NULL;
	}
	return evi_tls_socket_new(base, fd, &evi_mbedtls_ops, ssl, state, options);
}

struct bufferevent *bufferevent_mbedtls_filter_new(struct event_base *base,
						   struct bufferevent *underlying,
						   mbedtls_dyncontext *ssl,
						   enum bufferevent_ssl_state state, int options)
{
	return evi_tls_filter_new(base, underlying, &evi_mbedtls_ops, ssl, state, options);
}

struct mbedtls_ssl_context *bufferevent_mbedtls_get_ssl(struct bufferevent *bufev)
{
	return evi_tls_object(bufev, &evi_mbedtls_ops);
}

unsigned long bufferevent_get_mbedtls_error(struct bufferevent *bev)
{
	return evi_tls_object(bev, &evi_mbedtls_ops) != NULL ? evi_tls_take_error(bev) : 0;
}

int bufferevent_mbedtls_get_allow_dirty_shutdown(struct bufferevent *bev)
{
	ev_uint64_t flags = bufferevent_ssl_get_flags(bev);

	return flags == EV_UINT64_MAX ? -1 : (flags & BUFFEREVENT_SSL_DIRTY_SHUTDOWN) != 0;
}

void bufferevent_mbedtls_set_allow_dirty_shutdown(struct bufferevent *bev, int allow_dirty_shutdown)
{
	if (allow_dirty_shutdown)
		(void)bufferevent_ssl_set_flags(bev, BUFFEREVENT_SSL_DIRTY_SHUTDOWN);
	else
		(void)bufferevent_ssl_clear_flags(bev, BUFFEREVENT_SSL_DIRTY_SHUTDOWN);
}

int bufferevent_mbedtls_renegotiate(struct bufferevent *bev)
{
	return evi_tls_object(bev, &evi_mbedtls_ops) != NULL ? evi_tls_renegotiate(bev) : -1;
}

mbedtls_dyncontext *bufferevent_mbedtls_dyncontext_new(struct mbedtls_ssl_config *conf)
{
	mbedtls_ssl_context *ssl;

	if (conf == NULL)
		return NULL;
	ssl = evi_calloc(1, sizeof(*ssl));
	if (ssl == NULL)
		return NULL;
	mbedtls_ssl_init(ssl);
	if (mbedtls_ssl_setup(ssl, conf) == 0)
		return ssl;
	bufferevent_mbedtls_dyncontext_free(ssl);
	return NULL;
}

void bufferevent_mbedtls_dyncontext_free(mbedtls_dyncontext *ctx)
{
	if (ctx == NULL)
		return;
	mbedtls_ssl_free(ctx);
	evi_free(ctx);
}
