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

/* The list of protocols with the length before each, which a hello has room for. */
#define PROTOCOLS_MAX 1024

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
static size_t encode_protocols(const char *const *names, size_t count, unsigned char *out,
			       size_t room)
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
	unsigned char wire[PROTOCOLS_MAX];
	size_t len;

	if (ssl == NULL)
		return -1;
	len = encode_protocols(names, count, wire, sizeof(wire));
	return len > 0 && SSL_set_alpn_protos(ssl, wire, (unsigned)len) == 0 ? 0 : -1;
}

/* --- A server's choice ------------------------------------------------------------------------ */

struct choice {
	size_t len;
	unsigned char wire[PROTOCOLS_MAX];
};

static int choice_index = -1;
static CRYPTO_ONCE choice_once = CRYPTO_ONCE_STATIC_INIT;

static void free_choice(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
			void *argp)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	evi_free(ptr);
}

static void make_index(void)
{
	choice_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_choice);
}

/*
 * The first of ours that is among theirs. The lists come checked: theirs from OpenSSL, ours from
 * here.
 */
static int choose(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		  const unsigned char *theirs, unsigned theirs_len, void *arg)
{
	const struct choice *choice = arg;

	(void)ssl;
	for (size_t i = 0; i < choice->len; i += choice->wire[i] + 1u)
		for (unsigned j = 0; j < theirs_len; j += theirs[j] + 1u)
			if (choice->wire[i] == theirs[j] &&
			    memcmp(choice->wire + i + 1, theirs + j + 1, theirs[j]) == 0) {
				*out = theirs + j + 1;
				*out_len = theirs[j];
				return SSL_TLSEXT_ERR_OK;
			}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int set_choice(SSL_CTX *ctx, struct choice *choice)
{
	struct choice *old;

	if (!CRYPTO_THREAD_run_once(&choice_once, make_index) || choice_index < 0)
		return -1;
	old = SSL_CTX_get_ex_data(ctx, choice_index);
	if (SSL_CTX_set_ex_data(ctx, choice_index, choice) != 1)
		return -1;
	SSL_CTX_set_alpn_select_cb(ctx, choose, choice);
	evi_free(old);
	return 0;
}

int bufferevent_openssl_ctx_select_alpn(struct ssl_ctx_st *ctx, const char *const *names,
					size_t count)
{
	struct choice *choice = ctx != NULL ? evi_malloc(sizeof(*choice)) : NULL;

	if (choice == NULL)
		return -1;
	choice->len = encode_protocols(names, count, choice->wire, sizeof(choice->wire));
	if (choice->len > 0 && set_choice(ctx, choice) == 0)
		return 0;
	ERR_clear_error();
	evi_free(choice);
	return -1;
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
