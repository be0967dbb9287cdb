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

static X509 *certs[TLS_CERT_COUNT], *authority;
static EVP_PKEY *keys[TLS_CERT_COUNT], *authority_key;

/* --- Certificates ----------------------------------------------------------------------------- */

struct plan {
	const char *names; /* subjectAltName */
	long starts_s, ends_s;
};

static const struct plan plans[TLS_CERT_COUNT] = {
	[TLS_CERT_GOOD] = { "DNS:localhost,IP:127.0.0.1", -3600, 3600 },
	[TLS_CERT_EXPIRED] = { "DNS:localhost,IP:127.0.0.1", -7200, -3600 },
	[TLS_CERT_OTHER] = { "DNS:other.example", -3600, 3600 },
	[TLS_CERT_WILDCARD] = { "DNS:*.example.org", -3600, 3600 },
	[TLS_CERT_NUL] = { NULL, -3600, 3600 },
	[TLS_CERT_TEXT] = { "DNS:127.0.0.1", -3600, 3600 },
	[TLS_CERT_SELF_SIGNED] = { "DNS:localhost,IP:127.0.0.1", -3600, 3600 },
};

static X509 *begin_certificate(const char *subject, EVP_PKEY *key, long starts_s, long ends_s)
{
	static long serial;
	X509 *x = X509_new();

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(x), starts_s);
	X509_gmtime_adj(X509_getm_notAfter(x), ends_s);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)subject, -1, -1, 0);
	return x;
}

static void add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	cr_assert_not_null(extension);
	X509_add_ext(x, extension, -1);
	X509_EXTENSION_free(extension);
}

/* A name that programs which stop at a NUL take for another. */
static void add_name_with_nul(X509 *x)
{
	static const unsigned char name[] = "localhost\0.evil.example";
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *one = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	ASN1_STRING_set(text, name, sizeof(name) - 1);
	GENERAL_NAME_set0_value(one, GEN_DNS, text);
	sk_GENERAL_NAME_push(names, one);
	cr_assert_eq(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0), 1);
	GENERAL_NAMES_free(names);
}

static void make_authority(void)
{
	if (authority != NULL)
		return;
	authority_key = EVP_EC_gen("P-256");
	authority = begin_certificate("test authority", authority_key, -3600, 3600);
	X509_set_issuer_name(authority, X509_get_subject_name(authority));
	add_extension(authority, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(authority, NID_key_usage, "critical,keyCertSign");
	cr_assert_gt(X509_sign(authority, authority_key, EVP_sha256()), 0);
}

static void make_certificate(enum tls_cert which)
{
	const struct plan *plan = &plans[which];
	int is_self_signed = which == TLS_CERT_SELF_SIGNED;
	X509 *x;

	if (certs[which] != NULL)
		return;
	make_authority();
	keys[which] = EVP_EC_gen("P-256");
	x = begin_certificate("someone", keys[which], plan->starts_s, plan->ends_s);
	X509_set_issuer_name(x, X509_get_subject_name(is_self_signed ? x : authority));
	if (plan->names != NULL)
		add_extension(x, NID_subject_alt_name, plan->names);
	else
		add_name_with_nul(x);
	cr_assert_gt(X509_sign(x, is_self_signed ? keys[which] : authority_key, EVP_sha256()), 0);
	certs[which] = x;
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

static const char *pem_of(X509 *x)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, x);
	return text_of(bio);
}

const char *tls_authority_pem(void)
{
	static const char *text;

	make_authority();
	if (text == NULL)
		text = pem_of(authority);
	return text;
}

const char *tls_cert_pem(enum tls_cert which)
{
	static const char *texts[TLS_CERT_COUNT];

	make_certificate(which);
	if (texts[which] == NULL)
		texts[which] = pem_of(certs[which]);
	return texts[which];
}

const char *tls_key_pem(enum tls_cert which)
{
	static char *texts[TLS_CERT_COUNT];

	make_certificate(which);
	if (texts[which] == NULL) {
		BIO *bio = BIO_new(BIO_s_mem());

		PEM_write_bio_PKCS8PrivateKey(bio, keys[which], NULL, NULL, 0, NULL, NULL);
		texts[which] = text_of(bio);
	}
	return texts[which];
}

/* --- Objects ---------------------------------------------------------------------------------- */

static void set_version(SSL_CTX *ctx)
{
	if (!tls_is_13())
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
}

static void *object_with(const struct tls_setup *setup)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *ssl;

	set_version(ctx);
	if (setup->is_server || setup->has_cert) {
		make_certificate(setup->cert);
		SSL_CTX_use_certificate(ctx, certs[setup->cert]);
		SSL_CTX_use_PrivateKey(ctx, keys[setup->cert]);
	}
	if (setup->verifies) {
		make_authority();
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	if (setup->protocols != NULL) {
		size_t count = 0;

		while (setup->protocols[count] != NULL)
			count++;
		cr_assert_eq(bufferevent_openssl_ctx_select_alpn(ctx, setup->protocols, count), 0);
	}
	if (setup->renegotiates)
		SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	return ssl;
}

static void *object_new(int is_server)
{
	return object_with(&(struct tls_setup){ .is_server = is_server });
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

static struct bufferevent *filter_new(struct event_base *base, struct bufferevent *below,
				      void *object, enum bufferevent_ssl_state state, int options)
{
	return bufferevent_openssl_filter_new(base, below, object, state, options);
}

static void *object_of(struct bufferevent *bev)
{
	return bufferevent_openssl_get_ssl(bev);
}

static int verify_host(struct bufferevent *bev, const char *host)
{
	return bufferevent_openssl_verify_host(bev, host, 0);
}

static void say_goodbye(void *object)
{
	SSL_shutdown(object);
}

static void (*called)(void *arg);

static void on_message(int is_write, int version, int type, const void *data, size_t len, SSL *ssl,
		       void *arg)
{
	(void)is_write;
	(void)version;
	(void)type;
	(void)data;
	(void)len;
	(void)ssl;
	called(arg);
}

/* Between two records of one write as well: they are small. */
static int call_back(void *object, void (*call)(void *arg), void *arg)
{
	called = call;
	SSL_set_max_send_fragment(object, 512);
	SSL_set_msg_callback(object, on_message);
	SSL_set_msg_callback_arg(object, arg);
	return 1;
}

const struct tls_library tls_openssl = {
	.name = "openssl",
	.object_with = object_with,
	.object_new = object_new,
	.object_free = object_free,
	.socket_new = socket_new,
	.filter_new = filter_new,
	.object_of = object_of,
	.error_of = bufferevent_get_openssl_error,
	.get_dirty = bufferevent_openssl_get_allow_dirty_shutdown,
	.set_dirty = bufferevent_openssl_set_allow_dirty_shutdown,
	.renegotiate = bufferevent_ssl_renegotiate,
	.verify_host = verify_host,
	.get_alpn = bufferevent_openssl_get_alpn,
	.say_goodbye = say_goodbye,
	.call_back = call_back,
};
