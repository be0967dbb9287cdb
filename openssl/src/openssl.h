/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OPENSSL_H_INCLUDED
#define EVI_OPENSSL_H_INCLUDED

#include <event2/component/tls.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

/* OpenSSL before 3.0 does not ask. */
#ifndef BIO_CTRL_GET_KTLS_SEND
#define BIO_CTRL_GET_KTLS_SEND 73
#define BIO_CTRL_GET_KTLS_RECV 76
#endif

extern const struct evi_tls_ops evi_openssl_ops;

/* What belongs to our BIO. */
struct evi_openssl_transport {
	struct evi_tls *tls;
	BIO *kernel;     /* a reference: a socket BIO that may hand the kernel its keys; or NULL */
	int record_type; /* of the next write, if the kernel encrypts and it is no data; else -1 */
	int is_cut;      /* the kernel that has the keys is not behind the descriptor any more */
	int has_written; /* something went out, or should have; for who has cleared it */
};

/* A transport for SSL that moves bytes through the engine; NULL if out of memory. */
BIO *evi_openssl_bio_new(struct evi_tls *tls);

/* That of an object that attach() was called for. */
struct evi_openssl_transport *evi_openssl_transport_of(SSL *ssl);

/* --- kernel.c: kernel TLS; kernel_none.c: before OpenSSL 3.0 ---------------------------------- */

/*
 * Before the first handshake: if the user wants it, give OpenSSL what it gives the kernel keys by.
 */
void evi_openssl_kernel_offer(struct evi_tls *tls, SSL *ssl);

/* Take over an object whose records the kernel makes already. 0 or -errno. */
int evi_openssl_kernel_adopt(struct evi_openssl_transport *transport, SSL *ssl);

/* Nonzero if the kernel encrypts. */
int evi_openssl_kernel_sends(const struct evi_openssl_transport *transport);

/* A record that is no data, while the kernel encrypts: like evi_tls_send(). */
ev_ssize_t evi_openssl_kernel_send_record(struct evi_openssl_transport *transport, const char *data,
					  int len);

/* What the BIO is told in this matter; 0 for all else. */
long evi_openssl_kernel_control(struct evi_openssl_transport *transport, int command, long number,
				void *pointer);

/*
 * As send_file() of the table, but for the queue of errors: bytes or a negative errno; 0: cannot.
 */
ev_ssize_t evi_openssl_kernel_send_file(struct evi_tls *tls, SSL *ssl, int file, ev_off_t offset,
					size_t len);

#endif
