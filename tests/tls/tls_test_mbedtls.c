/* SPDX-License-Identifier: BSD-3-Clause */
/* Mbed TLS for the suites. */

#include "tls_test.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>

#include <string.h>

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_source;
static mbedtls_x509_crt certificate;
static mbedtls_pk_context key;
static mbedtls_ssl_config configs[2];
static int is_ready;

static void set_up(void)
{
	if (is_ready)
		return;
	is_ready = 1;
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&random_source);
	mbedtls_x509_crt_init(&certificate);
	mbedtls_pk_init(&key);
	cr_assert_eq(mbedtls_ctr_drbg_seed(&random_source, mbedtls_entropy_func, &entropy, NULL, 0), 0);
	cr_assert_eq(mbedtls_x509_crt_parse(&certificate, (const unsigned char *)tls_certificate_pem(),
					    strlen(tls_certificate_pem()) + 1), 0);
	cr_assert_eq(mbedtls_pk_parse_key(&key, (const unsigned char *)tls_key_pem(),
					  strlen(tls_key_pem()) + 1, NULL, 0), 0);
	for (int is_server = 0; is_server < 2; is_server++) {
		mbedtls_ssl_config *config = &configs[is_server];

		mbedtls_ssl_config_init(config);
		cr_assert_eq(mbedtls_ssl_config_defaults(
				     config, is_server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
				     MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT), 0);
		mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &random_source);
		mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
		if (is_server)
			cr_assert_eq(mbedtls_ssl_conf_own_cert(config, &certificate, &key), 0);
	}
}

static void *object_new(int is_server)
{
	set_up();
	return bufferevent_mbedtls_dyncontext_new(&configs[is_server]);
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

static struct bufferevent *filter_new(struct event_base *base, struct bufferevent *below, void *object,
				      enum bufferevent_ssl_state state, int options)
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

const struct tls_library tls_mbedtls = {
	.name = "mbedtls",
	.object_new = object_new,
	.object_free = object_free,
	.socket_new = socket_new,
	.filter_new = filter_new,
	.object_of = object_of,
	.error_of = bufferevent_get_mbedtls_error,
	.get_dirty = bufferevent_mbedtls_get_allow_dirty_shutdown,
	.set_dirty = bufferevent_mbedtls_set_allow_dirty_shutdown,
	.renegotiate = bufferevent_mbedtls_renegotiate,
	.say_goodbye = say_goodbye,
};
