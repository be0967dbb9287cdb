/* SPDX-License-Identifier: BSD-3-Clause */
/* https with OpenSSL. */

#include "files.h"

#include <event2/bufferevent_ssl.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <stdio.h>

void *secure_open(const char *certificate, const char *key)
{
	static const char *const protocols[] = { "http/1.1" };
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
	    bufferevent_openssl_ctx_select_alpn(ctx, protocols, 1) == 0)
		return ctx;
	fprintf(stderr, "files: %s, %s: %s\n", certificate, key,
		ERR_reason_error_string(ERR_get_error()));
	SSL_CTX_free(ctx);
	return NULL;
}

void secure_close(void *context)
{
	SSL_CTX_free(context);
}

struct bufferevent *secure_transport(struct event_base *base, void *context)
{
	SSL *ssl = SSL_new(context);

	if (ssl == NULL) /* which is freed if this fails */
		return NULL;
	return bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
					      BEV_OPT_CLOSE_ON_FREE);
}
