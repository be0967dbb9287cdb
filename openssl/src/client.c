/* SPDX-License-Identifier: BSD-3-Clause */
/* A client's bufferevent that checks its server, in one call. */

#include "openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

/*
 * The context for programs that bring none. Reading the system's certificate authorities takes
 * milliseconds, so it is done once a process; SSL_new() takes references from any thread.
 */
static CRYPTO_ONCE shared_once = CRYPTO_ONCE_STATIC_INIT;
static SSL_CTX *shared;

static void free_shared(void)
{
	SSL_CTX_free(shared);
	shared = NULL;
}

static void make_shared(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		return;
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_default_verify_paths(ctx) != 1 || OPENSSL_atexit(free_shared) != 1) {
		SSL_CTX_free(ctx);
		return;
	}
	shared = ctx;
}

/* Let go of the descriptor first: it stays the caller's. */
static struct bufferevent *give_up(struct bufferevent *bev)
{
	(void)bufferevent_setfd(bev, EVUTIL_INVALID_SOCKET);
	bufferevent_free(bev);
	return NULL;
}

struct bufferevent *bufferevent_openssl_client_new(struct event_base *base, evutil_socket_t fd,
						   const char *host, void *ssl_ctx)
{
	struct bufferevent *bev;
	SSL *ssl;

	if (ssl_ctx == NULL && CRYPTO_THREAD_run_once(&shared_once, make_shared) == 1)
		ssl_ctx = shared;
	ssl = ssl_ctx != NULL ? SSL_new(ssl_ctx) : NULL;
	ERR_clear_error();
	if (ssl == NULL)
		return NULL;
	bev = bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_CONNECTING,
					     BEV_OPT_CLOSE_ON_FREE);
	if (bev != NULL && bufferevent_openssl_verify_host(bev, host, 0) != 0)
		return give_up(bev);
	return bev;
}
