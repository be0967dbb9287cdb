/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checking whom a client talks to: RFC 6125 names, RFC 6066 server name indication, RFC 7301
 * application protocols.
 */

#include "mbedtls.h"

#include <string.h>

/* Members that release 3 declares private, and has no other way to get at. */
#ifndef MBEDTLS_PRIVATE
#define MBEDTLS_PRIVATE(member) member
#endif

static int insists_on_certificate(const mbedtls_ssl_context *ssl)
{
	const mbedtls_ssl_config *conf = ssl->MBEDTLS_PRIVATE(conf);

	return conf->MBEDTLS_PRIVATE(authmode) == MBEDTLS_SSL_VERIFY_REQUIRED;
}

int bufferevent_mbedtls_verify_host(struct bufferevent *bev, const char *host)
{
	mbedtls_ssl_context *ssl = bufferevent_mbedtls_get_ssl(bev);

	if (ssl == NULL || host == NULL || *host == '\0' || evi_is_address_literal(host) ||
	    !insists_on_certificate(ssl))
		return -1;
	return mbedtls_ssl_set_hostname(ssl, host) == 0 ? 0 : -1;
}

/* Let go of the descriptor first: it stays the caller's. */
static struct bufferevent *give_up(struct bufferevent *bev)
{
	(void)bufferevent_setfd(bev, EVUTIL_INVALID_SOCKET);
	bufferevent_free(bev);
	return NULL;
}

struct bufferevent *bufferevent_mbedtls_client_new(struct event_base *base, evutil_socket_t fd,
						   const char *host, void *config)
{
	mbedtls_dyncontext *ssl = bufferevent_mbedtls_dyncontext_new(config);
	struct bufferevent *bev;

	if (ssl == NULL)
		return NULL;
	bev = bufferevent_mbedtls_socket_new(base, fd, ssl, BUFFEREVENT_SSL_CONNECTING,
					     BEV_OPT_CLOSE_ON_FREE);
	if (bev != NULL && bufferevent_mbedtls_verify_host(bev, host) != 0)
		return give_up(bev);
	return bev;
}

#if defined(MBEDTLS_SSL_ALPN)

int bufferevent_mbedtls_conf_set_alpn(struct mbedtls_ssl_config *conf, const char **names)
{
	if (conf == NULL || names == NULL || names[0] == NULL)
		return -1;
	return mbedtls_ssl_conf_alpn_protocols(conf, names) == 0 ? 0 : -1;
}

static const char *agreed_protocol(const mbedtls_ssl_context *ssl)
{
	return mbedtls_ssl_get_alpn_protocol(ssl);
}

#else

int bufferevent_mbedtls_conf_set_alpn(struct mbedtls_ssl_config *conf, const char **names)
{
	(void)conf;
	(void)names;
	return -1;
}

static const char *agreed_protocol(const mbedtls_ssl_context *ssl)
{
	(void)ssl;
	return NULL;
}

#endif

int bufferevent_mbedtls_get_alpn(struct bufferevent *bev, char *name, size_t size)
{
	mbedtls_ssl_context *ssl = bufferevent_mbedtls_get_ssl(bev);
	const char *chosen = ssl != NULL ? agreed_protocol(ssl) : NULL;
	size_t len = chosen != NULL ? strlen(chosen) : 0;

	if (len == 0 || len >= size)
		return -1;
	memcpy(name, chosen, len + 1);
	return (int)len;
}
