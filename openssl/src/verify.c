/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checking whom a client talks to: RFC 6125 names, RFC 6066 server name indication, RFC 7301
 * application protocols.
 */

#include "openssl.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <string.h>

/* An address is checked as such, and never sent as a server name: RFC 6066 section 3. */
static int set_name(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (evi_is_address_literal(host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 ? 0 : -1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_set1_host(ssl, host) != 1 || SSL_set_tlsext_host_name(ssl, host) != 1)
		return -1;
	return 0;
}

/* The object's own store, so that other users of its context keep theirs. */
static int trust_system(SSL *ssl)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL)
		return -1;
	if (X509_STORE_set_default_paths(store) == 1 && SSL_set0_verify_cert_store(ssl, store) == 1)
		return 0;
	X509_STORE_free(store);
	return -1;
}

int bufferevent_openssl_verify_host(struct bufferevent *bev, const char *host, int use_system_trust)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	int result = -1;

	if (ssl == NULL || host == NULL || *host == '\0')
		return -1;
	if (set_name(ssl, host) == 0 && (!use_system_trust || trust_system(ssl) == 0)) {
		SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
		result = 0;
	}
	ERR_clear_error();
	return result;
}

/* The wire format: each name after its length. The size, or 0 if a name is empty or too long. */
static size_t encode_protocols(const char *const *names, size_t count, unsigned char *out, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(names[i]);

		if (len == 0 || len > 255 || room - used < len + 1)
			return 0;
		out[used] = (unsigned char)len;
		memcpy(out + used + 1, names[i], len);
		used += len + 1;
	}
	return used;
}

int bufferevent_openssl_set_alpn(struct bufferevent *bev, const char *const *names, size_t count)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	unsigned char wire[1024];
	size_t len;

	if (ssl == NULL)
		return -1;
	len = encode_protocols(names, count, wire, sizeof(wire));
	return len > 0 && SSL_set_alpn_protos(ssl, wire, (unsigned)len) == 0 ? 0 : -1;
}

int bufferevent_openssl_get_alpn(struct bufferevent *bev, char *name, size_t size)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	const unsigned char *chosen = NULL;
	unsigned len = 0;

	if (ssl == NULL || size == 0)
		return -1;
	SSL_get0_alpn_selected(ssl, &chosen, &len);
	if (len == 0 || len >= size)
		return -1;
	memcpy(name, chosen, len);
	name[len] = '\0';
	return (int)len;
}
