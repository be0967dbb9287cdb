/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_DNS_COMPAT_H_INCLUDED_
#define EVENT2_DNS_COMPAT_H_INCLUDED_

/**
 * @file event2/dns_compat.h
 *
 * The calls of libevent 1.x: they work on one global resolver. Not for use from several threads.
 */

#include <event2/event-config.h>
#include <event2/util.h>
#include <event2/visibility.h>
#include <event2/dns.h>

#ifdef __cplusplus
extern "C" {
#endif

struct evdns_base;
struct evdns_server_port;
struct in6_addr;
struct in_addr;

/** evdns_add_server_port_with_base() on the current event base. */
EVENT2_EXPORT_SYMBOL
struct evdns_server_port *evdns_add_server_port(evutil_socket_t socket, int flags,
	evdns_request_callback_fn_type callback, void *user_data);

/** evdns_base_clear_nameservers_and_suspend() on the global base; -1 if there is none. */
EVENT2_EXPORT_SYMBOL
int evdns_clear_nameservers_and_suspend(void);

/** evdns_base_count_nameservers() of the global base; 0 if there is none. */
EVENT2_EXPORT_SYMBOL
int evdns_count_nameservers(void);

/** The global base, or NULL. */
EVENT2_EXPORT_SYMBOL
struct evdns_base *evdns_get_global_base(void);

#ifdef _WIN32
/**
 * As evdns_base_config_windows_nameservers() with the global base, made if need be. Windows only.
 */
EVENT2_EXPORT_SYMBOL
int evdns_config_windows_nameservers(void);
#endif

/**
 * Make the global base, with the nameservers of this host, on the current event base. A former one
 * goes on
 * without a name.
 *
 * @return 0, or -1: no event base, no /etc/resolv.conf, no memory
 */
EVENT2_EXPORT_SYMBOL
int evdns_init(void);

/** evdns_base_nameserver_add() on the global base, which is made, empty, if there is none. */
EVENT2_EXPORT_SYMBOL
int evdns_nameserver_add(unsigned long int address);

/** evdns_base_nameserver_ip_add() on the global base, which is made, empty, if there is none. */
EVENT2_EXPORT_SYMBOL
int evdns_nameserver_ip_add(const char *ip_as_string);

/** evdns_base_resolv_conf_parse() on the global base, which is made, empty, if there is none. */
EVENT2_EXPORT_SYMBOL
int evdns_resolv_conf_parse(int flags, const char * const filename);

/**
 * evdns_base_resolve_ipv4() on the global base; cannot be cancelled.
 *
 * @return 0 if it was started, else -1
 */
EVENT2_EXPORT_SYMBOL
int evdns_resolve_ipv4(const char *name, int flags, evdns_callback_type callback, void *ptr);

/** evdns_base_resolve_ipv6() on the global base. As evdns_resolve_ipv4(). */
EVENT2_EXPORT_SYMBOL
int evdns_resolve_ipv6(const char *name, int flags, evdns_callback_type callback, void *ptr);

/** evdns_base_resolve_reverse() on the global base. As evdns_resolve_ipv4(). */
EVENT2_EXPORT_SYMBOL
int evdns_resolve_reverse(const struct in_addr *in, int flags, evdns_callback_type callback,
	void *ptr);

/** evdns_base_resolve_reverse_ipv6() on the global base. As evdns_resolve_ipv4(). */
EVENT2_EXPORT_SYMBOL
int evdns_resolve_reverse_ipv6(const struct in6_addr *in, int flags, evdns_callback_type callback,
	void *ptr);

/** evdns_base_resume() on the global base; -1 if there is none. */
EVENT2_EXPORT_SYMBOL
int evdns_resume(void);

/** evdns_base_search_add() on the global base; nothing if there is none. */
EVENT2_EXPORT_SYMBOL
void evdns_search_add(const char *domain);

/** evdns_base_search_clear() on the global base; nothing if there is none. */
EVENT2_EXPORT_SYMBOL
void evdns_search_clear(void);

/** evdns_base_search_ndots_set() on the global base; nothing if there is none. */
EVENT2_EXPORT_SYMBOL
void evdns_search_ndots_set(const int ndots);

/**
 * evdns_base_set_option() on the global base, which is made, empty, if there is none.
 *
 * @param flags  ignored
 */
EVENT2_EXPORT_SYMBOL
int evdns_set_option(const char *option, const char *val, int flags);

/**
 * Free the global base, as evdns_base_free(), and reset evdns_set_log_fn(). Harmless without one.
 */
EVENT2_EXPORT_SYMBOL
void evdns_shutdown(int fail_requests);

#ifdef __cplusplus
}
#endif

#endif
