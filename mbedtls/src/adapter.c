/* SPDX-License-Identifier: BSD-3-Clause */
/* What the TLS engine needs of Mbed TLS: mbedtls/ssl.h. */

#include "mbedtls.h"

#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/version.h>

#include <errno.h>
#include <string.h>

/* Members that release 3 declares private, and has no other way to get at. */
#ifndef MBEDTLS_PRIVATE
#define MBEDTLS_PRIVATE(member) member
#endif

static int on_send(void *ctx, const unsigned char *data, size_t len)
{
	ev_ssize_t n = evi_tls_send(ctx, data, len < INT_MAX ? len : INT_MAX);

	if (n == -EAGAIN)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	return n > 0 ? (int)n : MBEDTLS_ERR_NET_SEND_FAILED;
}

static int on_recv(void *ctx, unsigned char *data, size_t len)
{
	ev_ssize_t n = evi_tls_recv(ctx, data, len < INT_MAX ? len : INT_MAX);

	if (n == -EAGAIN)
		return MBEDTLS_ERR_SSL_WANT_READ;
	return n >= 0 ? (int)n : MBEDTLS_ERR_NET_RECV_FAILED;
}

evutil_socket_t evi_mbedtls_choose_fd(mbedtls_ssl_context *ssl, evutil_socket_t fd)
{
	const mbedtls_net_context *net = ssl->MBEDTLS_PRIVATE(p_bio);
	evutil_socket_t have;

	if (net == NULL)
		return fd < 0 ? EVUTIL_INVALID_SOCKET : fd;
	if (ssl->MBEDTLS_PRIVATE(f_recv) != mbedtls_net_recv)
		return fd < 0 ? EVUTIL_INVALID_SOCKET : -EINVAL;
	have = net->MBEDTLS_PRIVATE(fd);
	return fd < 0 || fd == have ? have : -EINVAL;
}

static int attach(void *object, struct evi_tls *tls)
{
	mbedtls_ssl_set_bio(object, tls, on_send, on_recv, NULL);
	return 0;
}

/* The role is the configuration's. */
static int reset(void *object, enum bufferevent_ssl_state role)
{
	if (role == BUFFEREVENT_SSL_OPEN)
		return 0;
	return mbedtls_ssl_session_reset(object) == 0 ? 0 : -ENOMEM;
}

static enum evi_tls_result result_of(struct evi_tls *tls, int result)
{
	switch (result) {
	case MBEDTLS_ERR_SSL_WANT_READ:
	case MBEDTLS_ERR_SSL_WAITING_SERVER_HELLO_RENEGO:
		return EVI_TLS_WANT_READ;
	case MBEDTLS_ERR_SSL_WANT_WRITE:
		return EVI_TLS_WANT_WRITE;
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		return EVI_TLS_CLOSED;
	case 0: /* the transport's end */
		evi_tls_note_error(tls, (unsigned long)(unsigned)MBEDTLS_ERR_SSL_CONN_EOF);
		return EVI_TLS_FAILED;
	default:
		evi_tls_note_error(tls, (unsigned long)(unsigned)result);
		return EVI_TLS_FAILED;
	}
}

static enum evi_tls_result handshake(struct evi_tls *tls, void *object)
{
	int result = mbedtls_ssl_handshake(object);

	return result == 0 ? EVI_TLS_OK : result_of(tls, result);
}

static enum evi_tls_result read_data(struct evi_tls *tls, void *object, void *data, size_t len,
				     size_t *ret_len)
{
	int result = mbedtls_ssl_read(object, data, len < INT_MAX ? len : INT_MAX);

	if (result <= 0)
		return result_of(tls, result);
	*ret_len = (size_t)result;
	return EVI_TLS_OK;
}

static int holds_bytes(void *object)
{
	return mbedtls_ssl_check_pending(object);
}

static enum evi_tls_result write_data(struct evi_tls *tls, void *object, const void *data,
				      size_t len, size_t *ret_len)
{
	int result = mbedtls_ssl_write(object, data, len < INT_MAX ? len : INT_MAX);

	if (result <= 0)
		return result_of(tls, result);
	*ret_len = (size_t)result;
	return EVI_TLS_OK;
}

#if defined(MBEDTLS_SSL_RENEGOTIATION)

/* Values of renego_status; the library has names for them in a header that it does not install. */
enum { RENEGO_IN_PROGRESS = 1, RENEGO_PENDING = 3 };

static int can_renegotiate(void *object)
{
	const mbedtls_ssl_context *ssl = object;

	return ssl->MBEDTLS_PRIVATE(conf)->MBEDTLS_PRIVATE(disable_renegotiation) ==
		       MBEDTLS_SSL_RENEGOTIATION_ENABLED &&
	       strcmp(mbedtls_ssl_get_version(ssl), "TLSv1.3") != 0;
}

/* A client's handshake begins right here; whatever it wants is wanted again later. */
static int renegotiate(void *object)
{
	int result = mbedtls_ssl_renegotiate(object);

	switch (result) {
	case 0:
	case MBEDTLS_ERR_SSL_WANT_READ:
	case MBEDTLS_ERR_SSL_WANT_WRITE:
	case MBEDTLS_ERR_SSL_WAITING_SERVER_HELLO_RENEGO:
		return 0;
	default:
		return -EINVAL;
	}
}

static enum evi_tls_renegotiation renegotiation(void *object)
{
	const mbedtls_ssl_context *ssl = object;

	switch (ssl->MBEDTLS_PRIVATE(renego_status)) {
	case RENEGO_IN_PROGRESS:
		return EVI_TLS_UNDER_WAY;
	case RENEGO_PENDING:
		return EVI_TLS_ASKED;
	default:
		return EVI_TLS_SETTLED;
	}
}

#else

static int can_renegotiate(void *object)
{
	(void)object;
	return 0;
}

static int renegotiate(void *object)
{
	(void)object;
	return -ENOTSUP;
}

static enum evi_tls_renegotiation renegotiation(void *object)
{
	(void)object;
	return EVI_TLS_SETTLED;
}

#endif

static int finish(void *object)
{
	return mbedtls_ssl_close_notify(object) == 0 ? 0 : -EAGAIN;
}

/* A read of no bytes handles what comes before the next data. */
static enum evi_tls_result advance(struct evi_tls *tls, void *object)
{
	int result = mbedtls_ssl_read(object, NULL, 0);

	if (result == 0 && mbedtls_ssl_get_bytes_avail(object) > 0)
		return EVI_TLS_OK;
	return result_of(tls, result);
}

/* There is no transport that it could be given: the user sets one. */
static void release(void *object, evutil_socket_t fd)
{
	(void)fd;
	mbedtls_ssl_set_bio(object, NULL, NULL, NULL, NULL);
}

static void free_object(void *object)
{
	bufferevent_mbedtls_dyncontext_free(object);
}

static void describe(void *object, unsigned long code, char *text, size_t size)
{
	uint32_t verdict = mbedtls_ssl_get_verify_result(object);

	/*
	 * Mbed TLS's codes are negative ints. Without a peer's certificate the verdict is all ones.
	 */
	if ((int)code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && verdict != UINT32_MAX)
		(void)mbedtls_x509_crt_verify_info(text, size, "", verdict);
	else
		mbedtls_strerror((int)code, text, size);
	text[strcspn(text, "\n")] = '\0';
}

const struct evi_tls_ops evi_mbedtls_ops = {
	.name = "mbedtls",
	.attach = attach,
	.reset = reset,
	.handshake = handshake,
	.read = read_data,
	.holds_bytes = holds_bytes,
	.write = write_data,
	.can_renegotiate = can_renegotiate,
	.renegotiate = renegotiate,
	.renegotiation = renegotiation,
	.advance = advance,
	.finish = finish,
	.release = release,
	.free = free_object,
	.describe = describe,
};
