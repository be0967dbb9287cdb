/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel TLS: the kernel makes the records that are sent, and sends files without a copy.
 *
 * OpenSSL gives a kernel its keys through a socket BIO. Our BIO keeps one beside it and passes on
 * what concerns the kernel; data goes by the engine as ever, only that it is plain now. Records
 * that are no data (alerts, tickets) go by that socket BIO, which marks them for the kernel. What
 * is received is always decrypted by OpenSSL: BIO_ctrl(3), SSL_sendfile(3), SSL_OP_ENABLE_KTLS in
 * SSL_CTX_set_options(3).
 */

#include "openssl.h"

#include <openssl/err.h>

#include <errno.h>

/* What OpenSSL tells BIOs; openssl/bio.h only lists these numbers, in a comment. */
enum {
	SET_KTLS = 72, /* number: nonzero for sending; pointer: the keys */
	SET_KTLS_RECORD_TYPE = 74,
	CLEAR_KTLS_RECORD_TYPE = 75,
};

int evi_openssl_kernel_sends(const struct evi_openssl_transport *transport)
{
	return transport->kernel != NULL && BIO_get_ktls_send(transport->kernel);
}

/* SSL_set_wfd() makes the socket BIO, and prepares the socket. */
void evi_openssl_kernel_offer(struct evi_tls *tls, SSL *ssl)
{
	struct evi_openssl_transport *transport = evi_openssl_transport_of(ssl);
	BIO *ours = SSL_get_wbio(ssl);

	if (!(SSL_get_options(ssl) & SSL_OP_ENABLE_KTLS) || !evi_tls_is_on_socket(tls) ||
	    transport->kernel != NULL || !BIO_up_ref(ours))
		return;
	if (SSL_set_wfd(ssl, (int)evi_tls_fd(tls)) != 1) {
		BIO_free(ours);
		return;
	}
	if (BIO_up_ref(SSL_get_wbio(ssl)))
		transport->kernel = SSL_get_wbio(ssl);
	SSL_set0_wbio(ssl, ours);
}

/* Who has the kernel decrypt, too, keeps the object: the engine reads records. */
int evi_openssl_kernel_adopt(struct evi_openssl_transport *transport, SSL *ssl)
{
	BIO *in = SSL_get_rbio(ssl), *out = SSL_get_wbio(ssl);

	if (in != NULL && BIO_get_ktls_recv(in))
		return -ENOTSUP;
	if (out == NULL || !BIO_get_ktls_send(out))
		return 0;
	if (!evi_tls_is_on_socket(transport->tls) || !BIO_up_ref(out))
		return -ENOTSUP;
	transport->kernel = out;
	return 0;
}

struct record {
	BIO *kernel;
	const char *data;
	int len;
};

static ev_ssize_t write_record(void *arg)
{
	struct record *record = arg;
	int n;

	errno = 0;
	n = BIO_write(record->kernel, record->data, record->len);
	if (n > 0)
		return n;
	return errno != 0 ? -errno : -EIO;
}

ev_ssize_t evi_openssl_kernel_send_record(struct evi_openssl_transport *transport, const char *data,
					  int len)
{
	struct record record = { transport->kernel, data, len };
	ev_ssize_t n = evi_tls_send_by(transport->tls, write_record, &record);

	if (n > 0)
		transport->record_type = -1; /* the socket BIO has forgotten it as well */
	return n;
}

long evi_openssl_kernel_control(struct evi_openssl_transport *transport, int command, long number,
				void *pointer)
{
	int is_asked = command == SET_KTLS_RECORD_TYPE || command == CLEAR_KTLS_RECORD_TYPE ||
		       (command == SET_KTLS && number != 0);

	if (transport->kernel == NULL || !is_asked)
		return 0;
	if (command == SET_KTLS_RECORD_TYPE)
		transport->record_type = (int)number;
	else if (command == CLEAR_KTLS_RECORD_TYPE)
		transport->record_type = -1;
	return BIO_ctrl(transport->kernel, command, number, pointer);
}

struct file_part {
	SSL *ssl;
	int file;
	ev_off_t offset;
	size_t len;
};

static ev_ssize_t write_file(void *arg)
{
	struct file_part *part = arg;
	ev_ssize_t n;

	errno = 0;
	n = SSL_sendfile(part->ssl, part->file, part->offset, part->len, 0);
	if (n >= 0)
		return n;
	return errno != 0 ? -errno : -EIO;
}

/*
 * A file that sendfile(2) does not take, or that has become shorter, is read instead, or that
 * fails.
 */
ev_ssize_t evi_openssl_kernel_send_file(struct evi_tls *tls, SSL *ssl, int file, ev_off_t offset,
					size_t len)
{
	struct evi_openssl_transport *transport = evi_openssl_transport_of(ssl);
	struct file_part part = { ssl, file, offset, len };
	ev_ssize_t n;

	if (!evi_openssl_kernel_sends(transport))
		return 0;
	if (transport->is_cut)
		return -EPIPE;
	n = evi_tls_send_by(tls, write_file, &part);
	return n == -EINVAL || n == -ENOSYS ? 0 : n;
}
