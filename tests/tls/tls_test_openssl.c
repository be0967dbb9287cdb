/* SPDX-License-Identifier: BSD-3-Clause */
/* OpenSSL for the suites, and the certificate that all use. */

#include "tls_test.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

static EVP_PKEY *key;
static X509 *certificate;

static void make_certificate(void)
{
	X509_EXTENSION *names;
	X509_NAME *name;

	if (certificate != NULL)
		return;
	key = EVP_EC_gen("P-256");
	certificate = X509_new();
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	name = X509_get_subject_name(certificate);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
	X509_add_ext(certificate, names, -1);
	X509_EXTENSION_free(names);
	cr_assert_gt(X509_sign(certificate, key, EVP_sha256()), 0);
}

static char *text_of(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = malloc((size_t)len + 1);

	memcpy(text, data, (size_t)len);
	text[len] = '\0';
	BIO_free(bio);
	return text;
}

const char *tls_certificate_pem(void)
{
	static char *text;

	if (text == NULL) {
		BIO *bio = BIO_new(BIO_s_mem());

		make_certificate();
		PEM_write_bio_X509(bio, certificate);
		text = text_of(bio);
	}
	return text;
}

const char *tls_key_pem(void)
{
	static char *text;

	if (text == NULL) {
		BIO *bio = BIO_new(BIO_s_mem());

		make_certificate();
		PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
		text = text_of(bio);
	}
	return text;
}

/* TLS_TEST_VERSION=1.2 keeps to that version. */
static void *object_new(int is_server)
{
	const char *version = getenv("TLS_TEST_VERSION");
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *ssl;

	if (version != NULL && strcmp(version, "1.2") == 0)
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	if (is_server) {
		make_certificate();
		SSL_CTX_use_certificate(ctx, certificate);
		SSL_CTX_use_PrivateKey(ctx, key);
	}
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	return ssl;
}

static void object_free(void *object)
{
	SSL_free(object);
}

static struct bufferevent *socket_new(struct event_base *base, evutil_socket_t fd, void *object,
				      enum bufferevent_ssl_state state, int options)
{
	return bufferevent_openssl_socket_new(base, fd, object, state, options);
}

static struct bufferevent *filter_new(struct event_base *base, struct bufferevent *below, void *object,
				      enum bufferevent_ssl_state state, int options)
{
	return bufferevent_openssl_filter_new(base, below, object, state, options);
}

static void *object_of(struct bufferevent *bev)
{
	return bufferevent_openssl_get_ssl(bev);
}

static void say_goodbye(void *object)
{
	SSL_shutdown(object);
}

const struct tls_library tls_openssl = {
	.name = "openssl",
	.object_new = object_new,
	.object_free = object_free,
	.socket_new = socket_new,
	.filter_new = filter_new,
	.object_of = object_of,
	.error_of = bufferevent_get_openssl_error,
	.get_dirty = bufferevent_openssl_get_allow_dirty_shutdown,
	.set_dirty = bufferevent_openssl_set_allow_dirty_shutdown,
	.renegotiate = bufferevent_ssl_renegotiate,
	.say_goodbye = say_goodbye,
};
