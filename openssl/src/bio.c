/* SPDX-License-Identifier: BSD-3-Clause */
/* A BIO over the TLS engine's transport: BIO_meth_new(3). */

#include "openssl.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <string.h>

static BIO_METHOD *method;
static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;

static struct evi_openssl_transport *transport_of(BIO *bio)
{
	return BIO_get_data(bio);
}

/* Data that the kernel will encrypt must not get to a descriptor where it does not. */
static ev_ssize_t send_bytes(struct evi_openssl_transport *transport, const char *data, int len)
{
	if (transport->is_cut)
		return -EPIPE;
	if (transport->record_type >= 0)
		return evi_openssl_kernel_send_record(transport, data, len);
	return evi_tls_send(transport->tls, data, (size_t)len);
}

static int on_write(BIO *bio, const char *data, int len)
{
	struct evi_openssl_transport *transport = transport_of(bio);
	ev_ssize_t n;

	BIO_clear_retry_flags(bio);
	if (len <= 0)
		return 0;
	transport->has_written = 1;
	n = send_bytes(transport, data, len);
	if (n == -EAGAIN)
		BIO_set_retry_write(bio);
	return n > 0 ? (int)n : -1;
}

static int on_read(BIO *bio, char *data, int len)
{
	ev_ssize_t n;

	BIO_clear_retry_flags(bio);
	if (len <= 0)
		return 0;
	n = evi_tls_recv(transport_of(bio)->tls, data, (size_t)len);
	if (n == -EAGAIN)
		BIO_set_retry_read(bio);
	if (n == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	return n >= 0 ? (int)n : -1;
}

static int on_puts(BIO *bio, const char *text)
{
	return on_write(bio, text, (int)strlen(text));
}

/* Most of it is OpenSSL asking, several times for each record, what the kernel does. */
static long on_ctrl(BIO *bio, int command, long number, void *pointer)
{
	struct evi_openssl_transport *transport;
	int fd;

	if (command == BIO_CTRL_GET_KTLS_RECV)
		return 0;
	transport = transport_of(bio);
	if (command == BIO_CTRL_GET_KTLS_SEND)
		return transport->kernel != NULL && evi_openssl_kernel_sends(transport);
	switch (command) {
	case BIO_C_GET_FD:
		fd = transport->tls != NULL ? (int)evi_tls_fd(transport->tls) : -1;
		if (pointer != NULL)
			*(int *)pointer = fd;
		return fd;
	case BIO_CTRL_GET_CLOSE:
		return BIO_get_shutdown(bio);
	case BIO_CTRL_SET_CLOSE:
		BIO_set_shutdown(bio, (int)number);
		return 1;
	case BIO_CTRL_EOF:
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	case BIO_CTRL_DUP:
	case BIO_CTRL_FLUSH:
		return 1;
	default:
		return evi_openssl_kernel_control(transport, command, number, pointer);
	}
}

static int on_create(BIO *bio)
{
	struct evi_openssl_transport *transport = OPENSSL_zalloc(sizeof(*transport));

	if (transport == NULL)
		return 0;
	transport->record_type = -1;
	BIO_set_data(bio, transport);
	BIO_set_init(bio, 1);
	BIO_set_shutdown(bio, BIO_NOCLOSE);
	return 1;
}

static int on_destroy(BIO *bio)
{
	struct evi_openssl_transport *transport = transport_of(bio);

	if (transport != NULL)
		BIO_free(transport->kernel);
	OPENSSL_free(transport);
	return 1;
}

/* It says that it has a descriptor, so that SSL_get_fd() finds it. */
static void make_method(void)
{
	int type = BIO_get_new_index();

	if (type < 0)
		return;
	method = BIO_meth_new(type | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "libevent");
	if (method == NULL)
		return;
	BIO_meth_set_write(method, on_write);
	BIO_meth_set_read(method, on_read);
	BIO_meth_set_puts(method, on_puts);
	BIO_meth_set_ctrl(method, on_ctrl);
	BIO_meth_set_create(method, on_create);
	BIO_meth_set_destroy(method, on_destroy);
}

BIO *evi_openssl_bio_new(struct evi_tls *tls)
{
	BIO *bio;

	if (!CRYPTO_THREAD_run_once(&method_once, make_method) || method == NULL)
		return NULL;
	bio = BIO_new(method);
	if (bio != NULL)
		transport_of(bio)->tls = tls;
	return bio;
}

struct evi_openssl_transport *evi_openssl_transport_of(SSL *ssl)
{
	return transport_of(SSL_get_rbio(ssl));
}
