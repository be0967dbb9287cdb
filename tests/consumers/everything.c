/* SPDX-License-Identifier: BSD-3-Clause */
/* A program that uses every component it is told of by WITH_ macros. */

#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/thread.h>
#ifdef WITH_OPENSSL
#include <event2/bufferevent_ssl.h>
#include <openssl/ssl.h>
#endif

#include <stdio.h>

#ifdef WITH_OPENSSL
static int use_tls(struct event_base *base)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct bufferevent *bev = bufferevent_openssl_socket_new(base, -1, SSL_new(ctx),
		BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);

	if (bev == NULL)
		return -1;
	bufferevent_free(bev);
	SSL_CTX_free(ctx);
	return 0;
}
#else
static int use_tls(struct event_base *base)
{
	(void)base;
	return 0;
}
#endif

int main(void)
{
	struct event_base *base;
	struct evhttp *http;
	struct evdns_base *dns;
	struct evbuffer *buffer = evbuffer_new();

	if (evthread_use_pthreads() != 0 || (base = event_base_new()) == NULL)
		return 1;
	http = evhttp_new(base);
	dns = evdns_base_new(base, 0);
	if (buffer == NULL || http == NULL || dns == NULL || use_tls(base) != 0)
		return 1;
	evdns_base_free(dns, 0);
	evhttp_free(http);
	event_base_free(base);
	evbuffer_free(buffer);
	puts("fired");
	return 0;
}
