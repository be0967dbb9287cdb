/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OPENSSL_H_INCLUDED
#define EVI_OPENSSL_H_INCLUDED

#include <event2/component/tls.h>

#include <openssl/bio.h>

extern const struct evi_tls_ops evi_openssl_ops;

/* A transport for SSL that moves bytes through the engine; NULL if out of memory. */
BIO *evi_openssl_bio_new(struct evi_tls *tls);

#endif
