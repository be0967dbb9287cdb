/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_MBEDTLS_H_INCLUDED
#define EVI_MBEDTLS_H_INCLUDED

#include <event2/component/tls.h>

#include <mbedtls/ssl.h>

extern const struct evi_tls_ops evi_mbedtls_ops;

/*
 * The descriptor to use: the one given, or the one that `ssl` has. -1 for none, -EINVAL if the two
 * differ, or if `ssl` has a transport of another kind and `fd` is given as well.
 */
evutil_socket_t evi_mbedtls_choose_fd(mbedtls_ssl_context *ssl, evutil_socket_t fd);

#endif
