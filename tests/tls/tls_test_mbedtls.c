/* SPDX-License-Identifier: BSD-3-Clause */
/* Mbed TLS for the suites. */

#include "tls_test.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/debug.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What one object uses besides itself; kept, for objects outlive the functions that made them. */
struct parts {
	struct parts *next;
	mbedtls_ssl_config config;
	mbedtls_x509_crt cert, authority;
	mbedtls_pk_context key;
};

static struct parts *all_parts;
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_source;

static void seed(void)
{
	static int is_seeded;

	if (is_seeded)
		return;
	is_seeded = 1;
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&random_source);
	cr_assert_eq(mbedtls_ctr_drbg_seed(&random_source, mbedtls_entropy_func, &entropy, NULL, 0),
		     0);
}

static void parse(mbedtls_x509_crt *cert, const char *pem)
{
	cr_assert_eq(mbedtls_x509_crt_parse(cert, (const unsigned char *)pem, strlen(pem) + 1), 0);
}

static void set_certificate(struct parts *parts, enum tls_cert which)
{
	const char *key = tls_key_pem(which);

	parse(&parts->cert, tls_cert_pem(which));
	cr_assert_eq(mbedtls_pk_parse_key(&parts->key, (const unsigned char *)key, strlen(key) + 1,
					  NULL, 0),
		     0);
	cr_assert_eq(mbedtls_ssl_conf_own_cert(&parts->config, &parts->cert, &parts->key), 0);
}

static struct parts *parts_new(const struct tls_setup *setup)
{
	struct parts *parts = calloc(1, sizeof(*parts));

	cr_assert_not_null(parts);
	mbedtls_ssl_config_init(&parts->config);
	mbedtls_x509_crt_init(&parts->cert);
	mbedtls_x509_crt_init(&parts->authority);
	mbedtls_pk_init(&parts->key);
	cr_assert_eq(mbedtls_ssl_config_defaults(
			     &parts->config,
			     setup->is_server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
			     MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
		     0);
	parts->next = all_parts;
	all_parts = parts;
	return parts;
}

static void *object_with(const struct tls_setup *setup)
{
	struct parts *parts = parts_new(setup);
	mbedtls_ssl_config *config = &parts->config;

	seed();
	mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &random_source);
	mbedtls_ssl_conf_authmode(config, setup->verifies ? MBEDTLS_SSL_VERIFY_REQUIRED
							  : MBEDTLS_SSL_VERIFY_NONE);
	if (setup->is_server || setup->has_cert)
		set_certificate(parts, setup->cert);
	if (setup->verifies) {
		parse(&parts->authority, tls_authority_pem());
		mbedtls_ssl_conf_ca_chain(config, &parts->authority, NULL);
	}
	if (setup->renegotiates) {
		mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
		mbedtls_ssl_conf_renegotiation_enforced(config,
							MBEDTLS_SSL_RENEGOTIATION_NOT_ENFORCED);
	}
	if (setup->protocols != NULL)
		cr_assert_eq(bufferevent_mbedtls_conf_set_alpn(
				     config, (const char **)(uintptr_t)setup->protocols),
			     0);
	return bufferevent_mbedtls_dyncontext_new(config);
}

static void *object_new(int is_server)
{
	return object_with(&(struct tls_setup){ .is_server = is_server });
}

static void object_free(void *object)
{
	bufferevent_mbedtls_dyncontext_free(object);
}

static struct bufferevent *socket_new(struct event_base *base, evutil_socket_t fd, void *object,
				      enum bufferevent_ssl_state state, int options)
{
	return bufferevent_mbedtls_socket_new(base, fd, object, state, options);
}

static struct bufferevent *filter_new(struct event_base *base, struct bufferevent *below,
				      void *object, enum bufferevent_ssl_state state, int options)
{
	return bufferevent_mbedtls_filter_new(base, below, object, state, options);
}

static void *object_of(struct bufferevent *bev)
{
	return bufferevent_mbedtls_get_ssl(bev);
}

static void say_goodbye(void *object)
{
	mbedtls_ssl_close_notify(object);
}

#if defined(MBEDTLS_DEBUG_C)

/* A member that release 3 declares private, and has no other way to get at. */
#ifndef MBEDTLS_PRIVATE
#define MBEDTLS_PRIVATE(member) member
#endif

/* Messages of each step, not of each byte. */
#define DEBUG_STEPS 2

static void (*called)(void *arg);

static void on_message(void *arg, int level, const char *file, int line, const char *text)
{
	(void)level;
	(void)file;
	(void)line;
	(void)text;
	called(arg);
}

static int call_back(void *object, void (*call)(void *arg), void *arg)
{
	const mbedtls_ssl_context *ssl = object;

	called = call;
	mbedtls_debug_set_threshold(DEBUG_STEPS);
	mbedtls_ssl_conf_dbg((mbedtls_ssl_config *)(uintptr_t)ssl->MBEDTLS_PRIVATE(conf),
			     on_message, arg);
	return 1;
}

#else

static int call_back(void *object, void (*call)(void *arg), void *arg)
{
	(void)object;
	(void)call;
	(void)arg;
	return 0;
}

#endif

const struct tls_library tls_mbedtls = {
	.name = "mbedtls",
	.object_with = object_with,
	.object_new = object_new,
	.object_free = object_free,
	.socket_new = socket_new,
	.filter_new = filter_new,
	.object_of = object_of,
	.error_of = bufferevent_get_mbedtls_error,
	.get_dirty = bufferevent_mbedtls_get_allow_dirty_shutdown,
	.set_dirty = bufferevent_mbedtls_set_allow_dirty_shutdown,
	.renegotiate = bufferevent_mbedtls_renegotiate,
	.verify_host = bufferevent_mbedtls_verify_host,
	.get_alpn = bufferevent_mbedtls_get_alpn,
	.say_goodbye = say_goodbye,
	.call_back = call_back,
};
