/* SPDX-License-Identifier: BSD-3-Clause */
/* What the TLS engine needs of OpenSSL: ssl(7), SSL_get_error(3). */

#include "openssl.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <errno.h>
#include <stdio.h>

static int attach(void *object, struct evi_tls *tls)
{
	SSL *ssl = object;
	BIO *bio = evi_openssl_bio_new(tls);
	BIO *old = SSL_get_rbio(ssl);
	int err = bio != NULL ? evi_openssl_kernel_adopt(BIO_get_data(bio), ssl) : -ENOMEM;

	if (err < 0) {
		BIO_free(bio);
		ERR_clear_error();
		return err;
	}
	/* The descriptor is the bufferevent's now: nobody closes it twice. */
	if (old != NULL)
		(void)BIO_set_close(old, BIO_NOCLOSE);
	if (evi_openssl_kernel_sends(BIO_get_data(bio)))
		(void)BIO_set_close(SSL_get_wbio(ssl), BIO_NOCLOSE);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_mode(ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_set_read_ahead(ssl, 1); /* a record's head and body in one system call */
	return 0;
}

/* A used object is cleared; its settings, such as the server's name, stay. */
static int reset(void *object, enum bufferevent_ssl_state role)
{
	SSL *ssl = object;
	struct evi_openssl_transport *transport = evi_openssl_transport_of(ssl);

	if (role == BUFFEREVENT_SSL_OPEN) {
		transport->is_cut |= evi_openssl_kernel_sends(transport);
		return 0;
	}
	if (!SSL_in_before(ssl) && SSL_clear(ssl) != 1) {
		ERR_clear_error();
		return -EINVAL;
	}
	BIO_free(transport->kernel);
	transport->kernel = NULL;
	transport->record_type = -1;
	transport->is_cut = 0;
	if (role == BUFFEREVENT_SSL_CONNECTING)
		SSL_set_connect_state(ssl);
	else
		SSL_set_accept_state(ssl);
	return 0;
}

/* OpenSSL's queue holds the oldest first; the engine gives the newest out first. */
static void note_errors(struct evi_tls *tls)
{
	unsigned long code;

	while ((code = ERR_get_error()) != 0)
		evi_tls_note_error(tls, code);
}

static enum evi_tls_result result_of(struct evi_tls *tls, SSL *ssl, int result)
{
	if (result == 1)
		return EVI_TLS_OK;
	switch (SSL_get_error(ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return EVI_TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return EVI_TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return EVI_TLS_CLOSED;
	default:
		note_errors(tls);
		return EVI_TLS_FAILED;
	}
}

/* Looking is far cheaper than clearing, and mostly there is nothing. */
static void clear_errors(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

/* What other connections left in the thread's queue must not be taken for this one's. */
static enum evi_tls_result handshake(struct evi_tls *tls, void *object)
{
	enum evi_tls_result result;

	clear_errors();
	if (SSL_in_before(object))
		evi_openssl_kernel_offer(tls, object);
	result = result_of(tls, object, SSL_do_handshake(object));
	clear_errors();
	return result;
}

static enum evi_tls_result read_data(struct evi_tls *tls, void *object, void *data, size_t len,
				     size_t *ret_len)
{
	struct evi_openssl_transport *transport = evi_openssl_transport_of(object);
	enum evi_tls_result result;

	clear_errors();
	transport->has_written = 0;
	result = result_of(tls, object, SSL_read_ex(object, data, len, ret_len));
	if (result != EVI_TLS_OK || transport->has_written)
		clear_errors(); /* decrypting alone leaves nothing; a handshake on the way may */
	return result;
}

static int holds_bytes(void *object)
{
	return SSL_has_pending(object); /* what SSL_pending() counts included */
}

static enum evi_tls_result write_data(struct evi_tls *tls, void *object, const void *data,
				      size_t len, size_t *ret_len)
{
	enum evi_tls_result result;

	clear_errors();
	result = result_of(tls, object, SSL_write_ex(object, data, len, ret_len));
	if (result != EVI_TLS_OK)
		clear_errors(); /* encrypting alone leaves nothing */
	return result;
}

static enum evi_tls_result send_file(struct evi_tls *tls, void *object, int file, ev_off_t offset,
				     size_t len, size_t *ret_len)
{
	ev_ssize_t n;

	clear_errors();
	n = evi_openssl_kernel_send_file(tls, object, file, offset, len);
	if (n < 0 && n != -EAGAIN)
		note_errors(tls);
	clear_errors();
	*ret_len = n > 0 ? (size_t)n : 0;
	return n >= 0 ? EVI_TLS_OK : n == -EAGAIN ? EVI_TLS_WANT_WRITE : EVI_TLS_FAILED;
}

static int can_renegotiate(void *object)
{
	SSL *ssl = object;

	return SSL_version(ssl) < TLS1_3_VERSION &&
	       !(SSL_get_options(ssl) & SSL_OP_NO_RENEGOTIATION);
}

static int renegotiate(void *object)
{
	int result;

	clear_errors();
	result = SSL_renegotiate(object);
	clear_errors();
	return result == 1 ? 0 : -EINVAL;
}

static int finish(void *object)
{
	int result;

	clear_errors();
	result = SSL_shutdown(object);
	clear_errors();
	return result >= 0 ? 0 : -EAGAIN;
}

/*
 * A server has only asked until the client's hello comes; a client's own begins with the next read.
 */
static enum evi_tls_renegotiation renegotiation(void *object)
{
	SSL *ssl = object;

	if (SSL_in_init(ssl))
		return EVI_TLS_UNDER_WAY;
	if (!SSL_renegotiate_pending(ssl))
		return EVI_TLS_SETTLED;
	return SSL_is_server(ssl) ? EVI_TLS_ASKED : EVI_TLS_UNDER_WAY;
}

static enum evi_tls_result advance(struct evi_tls *tls, void *object)
{
	enum evi_tls_result result;
	size_t len;
	char byte;

	clear_errors();
	result = result_of(tls, object, SSL_peek_ex(object, &byte, 1, &len));
	clear_errors();
	return result;
}

/*
 * The object is used on, maybe by a new bufferevent: it gets a plain transport of its own, or the
 * one that knows that the kernel encrypts.
 */
static void release(void *object, evutil_socket_t fd)
{
	SSL *ssl = object;
	struct evi_openssl_transport *transport = evi_openssl_transport_of(ssl);
	BIO *kernel = NULL;

	if (evi_openssl_kernel_sends(transport) && !transport->is_cut &&
	    BIO_up_ref(transport->kernel))
		kernel = transport->kernel;
	SSL_set_bio(ssl, NULL, NULL);
	if (kernel != NULL)
		SSL_set0_wbio(ssl, kernel);
	if (fd >= 0)
		(void)(kernel != NULL ? SSL_set_rfd(ssl, (int)fd) : SSL_set_fd(ssl, (int)fd));
	clear_errors();
}

/* Who holds a reference of his own must not reach the bufferevent through it. */
static void free_object(void *object)
{
	SSL_set_bio(object, NULL, NULL);
	SSL_free(object);
}

/* "certificate verify failed" alone helps nobody: X509_verify_cert_error_string(3) says why. */
static void describe(void *object, unsigned long code, char *text, size_t size)
{
	const char *reason = ERR_reason_error_string(code);
	long verdict = SSL_get_verify_result(object);

	if (reason == NULL)
		reason = "TLS failed";
	if (verdict != X509_V_OK)
		(void)snprintf(text, size, "%s: %s", reason,
			       X509_verify_cert_error_string(verdict));
	else
		(void)snprintf(text, size, "%s", reason);
}

const struct evi_tls_ops evi_openssl_ops = {
	.name = "openssl",
	.attach = attach,
	.reset = reset,
	.handshake = handshake,
	.read = read_data,
	.holds_bytes = holds_bytes,
	.write = write_data,
	.send_file = send_file,
	.can_renegotiate = can_renegotiate,
	.renegotiate = renegotiate,
	.renegotiation = renegotiation,
	.advance = advance,
	.finish = finish,
	.release = release,
	.free = free_object,
	.describe = describe,
};
