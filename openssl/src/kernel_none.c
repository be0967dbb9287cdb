/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel TLS, with an OpenSSL that has none. */

#include "openssl.h"

#include <errno.h>

int evi_openssl_kernel_sends(const struct evi_openssl_transport *transport)
{
	(void)transport;
	return 0;
}

void evi_openssl_kernel_offer(struct evi_tls *tls, SSL *ssl)
{
	(void)tls;
	(void)ssl;
}

int evi_openssl_kernel_adopt(struct evi_openssl_transport *transport, SSL *ssl)
{
	(void)transport;
	(void)ssl;
	return 0;
}

ev_ssize_t evi_openssl_kernel_send_record(struct evi_openssl_transport *transport, const char *data,
					  int len)
{
	(void)transport;
	(void)data;
	(void)len;
	return -ENOSYS;
}

long evi_openssl_kernel_control(struct evi_openssl_transport *transport, int command, long number,
				void *pointer)
{
	(void)transport;
	(void)command;
	(void)number;
	(void)pointer;
	return 0;
}

ev_ssize_t evi_openssl_kernel_send_file(struct evi_tls *tls, SSL *ssl, int file, ev_off_t offset,
					size_t len)
{
	(void)tls;
	(void)ssl;
	(void)file;
	(void)offset;
	(void)len;
	return 0;
}
