/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_COMPONENT_BUFFER_H_INCLUDED_
#define EVENT2_COMPONENT_BUFFER_H_INCLUDED_

/**
 * @file event2/component/buffer.h
 *
 * What the sibling components (TLS, extra) use of evbuffer and bufferevent beyond the public API.
 * For components of the same release only, like event2/component/reactor.h.
 */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>
#include <event2/component/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Names: how bufferevent_socket_connect_hostname() reaches an asynchronous resolver ------- */

struct evdns_base;
typedef void (*evi_resolved_fn)(int result, struct evutil_addrinfo *found, void *arg);

/** The resolver that owns struct evdns_base registers itself here when its first base is made. */
struct evi_resolver {
	/* Returns a handle to cancel with, or NULL if `cb` has run already. */
	void *(*getaddrinfo)(struct evdns_base *base, const char *host, const char *service,
			     const struct evutil_addrinfo *hints, evi_resolved_fn cb, void *arg);
	/* Afterwards `cb` has run with EVUTIL_EAI_CANCEL or will, from the loop. */
	void (*cancel)(void *handle);
};

/** Set the process's resolver; `resolver` is borrowed for ever. Idempotent. */
EVENT2_EXPORT_SYMBOL
void evi_resolver_register(const struct evi_resolver *resolver);

EVENT2_EXPORT_SYMBOL
const struct evi_resolver *evi_resolver_get(void);

#ifdef __cplusplus
}
#endif

#endif
