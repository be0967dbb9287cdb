/* SPDX-License-Identifier: BSD-3-Clause */
/* https with OpenSSL. */

#include "fetch.h"

#include <event2/bufferevent_ssl.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

/* NULL: the file is none. */
static SSL_CTX *trust(const char *authorities)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_load_verify_locations(ctx, authorities, NULL) == 1)
		return ctx;
	fprintf(stderr, "fetch: %s: %s\n", authorities, ERR_reason_error_string(ERR_get_error()));
	SSL_CTX_free(ctx);
	return NULL;
}

struct evhttp_connection *secure_connection(struct event_base *base, struct evdns_base *dns,
					    const char *authorities, const char *host, int port)
{
	SSL_CTX *ctx = NULL;
	struct evhttp_connection *evcon;

	if (authorities != NULL) {
		ctx = trust(authorities);
		if (ctx == NULL)
			return NULL;
	}
	evcon = evhttp_connection_base_secure_new(base, dns, bufferevent_openssl_client_new, ctx,
						  host, (ev_uint16_t)port);
	SSL_CTX_free(ctx); /* the connection has a reference */
	return evcon;
}
