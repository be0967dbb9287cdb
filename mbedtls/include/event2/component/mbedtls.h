/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_COMPONENT_MBEDTLS_H_INCLUDED_
#define EVENT2_COMPONENT_MBEDTLS_H_INCLUDED_

/**
 * @file event2/component/mbedtls.h
 *
 * Its presence on the include path says that libevent_mbedtls is there: event2/event-config.h looks
 * for it and defines EVENT__HAVE_MBEDTLS. The functions are declared in event2/bufferevent_ssl.h.
 */

#endif
