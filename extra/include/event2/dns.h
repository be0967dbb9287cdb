/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_DNS_H_INCLUDED_
#define EVENT2_DNS_H_INCLUDED_

/**
 * @file event2/dns.h
 *
 * A resolver that does not block, and a DNS server: RFC 1034, 1035, 3596, 6891 (EDNS), 7766 (TCP).
 *
 *   dns = evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS);
 *   evdns_getaddrinfo(dns, "example.org", "http", &hints, on_list, arg);
 *   event_base_dispatch(base);
 *
 * Rules that hold for all functions:
 *
 * - Callbacks run from the loop, in its thread; evdns_getaddrinfo() may call its own at once. In
 *   all of them anything may be started, cancelled, reconfigured and freed.
 * - Nothing a server or client sends is trusted. A reply counts if it comes from where the query
 *   went and answers its question; ids, source ports and the case of letters are random (RFC
 *   5452). If many replies come that do not, or one in other letters from a server that has kept
 *   them so far, the query is asked again by TCP, unless DNS_QUERY_IGNTC or the option ignore-tc
 *   says otherwise; where TCP does not work, by UDP again. A name in an answer is refused as
 *   malformed if it has control characters, blanks, quotation marks or dots inside its labels.
 * - Who asks what is being asked already, with the same letters, type and transport, gets the
 *   answer to that query, whose time has begun before; no other is sent.
 * - A NULL resolver is the failure result, or nothing, except where it means the global one.
 * - Functions without @since are those of libevent 2.1 and before.
 */

#include <event2/visibility.h>
#include <event2/util.h>

#ifdef __cplusplus
extern "C" {
#endif

struct evconnlistener;
struct evdns_base;
struct evdns_getaddrinfo_request;
struct evdns_request;
struct evdns_server_port;
struct evdns_server_request;
struct event_base;
struct in6_addr;
struct in_addr;

/** Options of a TCP port, for evdns_server_port_set_option(). Since 2.2. */
enum evdns_server_option {
	EVDNS_SOPT_TCP_MAX_CLIENTS = 0,
	EVDNS_SOPT_TCP_IDLE_TIMEOUT = 1,
};

/* Results; those below 64 are what the server said. */
#define DNS_ERR_NONE 0
#define DNS_ERR_FORMAT 1
#define DNS_ERR_SERVERFAILED 2
#define DNS_ERR_NOTEXIST 3
#define DNS_ERR_NOTIMPL 4
#define DNS_ERR_REFUSED 5
#define DNS_ERR_TRUNCATED 65
#define DNS_ERR_UNKNOWN 66
#define DNS_ERR_TIMEOUT 67
#define DNS_ERR_SHUTDOWN 68
#define DNS_ERR_CANCEL 69
#define DNS_ERR_NODATA 70
/* What a callback is told of. */
#define DNS_IPv4_A 1
#define DNS_PTR 2
#define DNS_IPv6_AAAA 3
#define DNS_CNAME 4
/*
 * Flags of a request: do not search domains; by TCP from the start (2.2); do not repeat by TCP
 * what was
 * truncated (2.2); tell of an alias as well (2.2).
 */
#define DNS_QUERY_NO_SEARCH 1
#define DNS_QUERY_USEVC 2
#define DNS_QUERY_IGNTC 4
#define DNS_CNAME_CALLBACK 128
/* What of a resolv.conf counts; NO_DEFAULT: never add 127.0.0.1. */
#define DNS_OPTION_SEARCH 1
#define DNS_OPTION_NAMESERVERS 2
#define DNS_OPTION_MISC 4
#define DNS_OPTION_HOSTSFILE 8
#define DNS_OPTIONS_ALL 15
#define DNS_OPTION_NAMESERVERS_NO_DEFAULT 16
#define DNS_NO_SEARCH DNS_QUERY_NO_SEARCH
/*
 * Flags of a resolver: read /etc/resolv.conf and the hosts file; remember no results of
 * evdns_getaddrinfo() (2.2); let the loop end while no request is unfinished; with the first:
 * never add
 * 127.0.0.1.
 */
#define EVDNS_BASE_INITIALIZE_NAMESERVERS 1
#define EVDNS_BASE_NO_CACHE 16
#define EVDNS_BASE_DISABLE_WHEN_INACTIVE 32768
#define EVDNS_BASE_NAMESERVERS_NO_DEFAULT 65536
/* Results of evdns_base_resolv_conf_parse(); the names since 2.2. */
#define EVDNS_ERROR_NONE 0
#define EVDNS_ERROR_FAILED_TO_OPEN_FILE 1
#define EVDNS_ERROR_FAILED_TO_STAT_FILE 2
#define EVDNS_ERROR_FILE_TOO_LARGE 3
#define EVDNS_ERROR_OUT_OF_MEMORY 4
#define EVDNS_ERROR_SHORT_READ_FROM_FILE 5
#define EVDNS_ERROR_NO_NAMESERVERS_CONFIGURED 6
/* Of answers: sections, types, classes, and bits for evdns_server_request_set_flags(). */
#define EVDNS_ANSWER_SECTION 0
#define EVDNS_AUTHORITY_SECTION 1
#define EVDNS_ADDITIONAL_SECTION 2
#define EVDNS_TYPE_A 1
#define EVDNS_TYPE_NS 2
#define EVDNS_TYPE_CNAME 5
#define EVDNS_TYPE_SOA 6
#define EVDNS_TYPE_PTR 12
#define EVDNS_TYPE_MX 15
#define EVDNS_TYPE_TXT 16
#define EVDNS_TYPE_AAAA 28
#define EVDNS_QTYPE_AXFR 252
#define EVDNS_QTYPE_ALL 255
#define EVDNS_CLASS_INET 1
#define EVDNS_FLAGS_AA 1024
#define EVDNS_FLAGS_RD 128

/**
 * The result of a request.
 *
 * Called once; with DNS_CNAME_CALLBACK once more if an alias led to the addresses, with type
 * DNS_CNAME
 * and `addresses` being the name at the end of the chain. What `addresses` points to is gone
 * afterwards.
 *
 * @param result  DNS_ERR_NONE, or why there is none: count is 0 and addresses NULL then
 * @param type  DNS_IPv4_A, DNS_IPv6_AAAA, DNS_PTR, or DNS_CNAME
 * @param count  how many there are
 * @param ttl  seconds that the result may be remembered; also that of DNS_ERR_NOTEXIST and _NODATA
 * @param addresses  4 or 16 bytes each, in network byte order; DNS_PTR: a pointer to the name,
 *         char **
 */
typedef void (*evdns_callback_type)(int result, char type, int count, int ttl, void *addresses,
	void *arg);

/** Gets a message, without newline; is_warning is 1 or 0. */
typedef void (*evdns_debug_log_fn_type)(int is_warning, const char *msg);

/**
 * A query has come: see struct evdns_server_request in event2/dns_struct.h. It is the program's
 * until
 * evdns_server_request_respond() or evdns_server_request_drop(), now or at any time later.
 */
typedef void (*evdns_request_callback_fn_type)(struct evdns_server_request *, void *);

/**
 * 0 and a list, which is the callback's to free with evutil_freeaddrinfo(); or an EVUTIL_EAI_
 * code and NULL.
 */
typedef void (*evdns_getaddrinfo_cb)(int result, struct evutil_addrinfo *res, void *arg);

/**
 * Serve DNS by UDP (RFC 1035) on a bound socket, IPv4 or IPv6.
 *
 * @param base  NULL means the current base
 * @param socket  owned by the port from success on; made nonblocking
 * @param flags  0
 * @param callback  gets each well-formed query; NULL drops them all
 * @return the port, or NULL: bad socket or flags, no base, no memory. The loop runs as long as it
 *         is open.
 * @threads as evdns_base_new(); the callback runs in the loop's thread, and no lock is held then
 */
EVENT2_EXPORT_SYMBOL
struct evdns_server_port *evdns_add_server_port_with_base(struct event_base *base,
	evutil_socket_t socket, int flags, evdns_request_callback_fn_type callback,
	void *user_data);

/**
 * Serve DNS by TCP (RFC 7766). The listener's callback is replaced; the listener belongs to the
 * port. Connections are limited by evdns_server_port_set_option().
 *
 * @return the port, or NULL: no listener, flags that are not 0, no memory
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
struct evdns_server_port *evdns_add_server_port_with_listener(struct event_base *base,
	struct evconnlistener *listener, int flags, evdns_request_callback_fn_type callback,
	void *user_data);

/** Forget all entries of the hosts table, wherever they came from. */
EVENT2_EXPORT_SYMBOL
void evdns_base_clear_host_addresses(struct evdns_base *base);

/**
 * Remove all nameservers; requests wait, in their order, until evdns_base_resume().
 *
 * @return 0, or -1 for a NULL base
 */
EVENT2_EXPORT_SYMBOL
int evdns_base_clear_nameservers_and_suspend(struct evdns_base *base);

#ifdef _WIN32
/**
 * Load the system's hosts table, then add the nameservers of all interfaces that are up, or those
 * in the registry if the interfaces have none. Windows only.
 *
 * @param base  NULL means the global one
 * @return 0, or -1 if no nameserver was found or there is no global base
 */
EVENT2_EXPORT_SYMBOL
int evdns_base_config_windows_nameservers(struct evdns_base *base);
#endif

/** How many nameservers there are, those that are down included. */
EVENT2_EXPORT_SYMBOL
int evdns_base_count_nameservers(struct evdns_base *base);

/**
 * Free a resolver, its nameservers, connections, hosts table and cache.
 *
 * @param fail_requests  nonzero: unfinished requests are told DNS_ERR_SHUTDOWN (lookups
 *         EVUTIL_EAI_FAIL) from the loop, which must run once more; 0: they end without a word.
 *         NULL base: nothing happens.
 * @threads no other thread may be using it
 */
EVENT2_EXPORT_SYMBOL
void evdns_base_free(struct evdns_base *base, int fail_requests);

/**
 * The address of a nameserver.
 *
 * @param idx  from 0, in the order they were added
 * @param sa  set if `len` bytes are enough for it
 * @return the length of the address, or -1 if there is no such nameserver
 */
EVENT2_EXPORT_SYMBOL
int evdns_base_get_nameserver_addr(struct evdns_base *base, int idx, struct sockaddr *sa,
	ev_socklen_t len);

/**
 * The UDP socket of a nameserver, to set socket options on. From then on all its queries leave by
 * this socket; before, most leave from random ports of their own.
 *
 * @param idx  from 0, in the order they were added
 * @return the descriptor, which stays the resolver's, or -1
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
int evdns_base_get_nameserver_fd(struct evdns_base *base, int idx);

/**
 * Add the entries of a file like /etc/hosts to the hosts table, which evdns_getaddrinfo() looks
 * in.
 *
 * @param base  NULL means the global one
 * @param hosts_fname  NULL: only localhost, as 127.0.0.1 and ::1, which is also added if the file
 *         is unreadable
 * @return 0, or -1 if the file cannot be read or there is no base
 */
EVENT2_EXPORT_SYMBOL
int evdns_base_load_hosts(struct evdns_base *base, const char *hosts_fname);

/**
 * Add a nameserver by IPv4 address in network byte order, port 53. As
 * evdns_base_nameserver_sockaddr_add().
 */
EVENT2_EXPORT_SYMBOL
int evdns_base_nameserver_add(struct evdns_base *base, unsigned long int address);

/**
 * Add a nameserver: "ADDRESS", "ADDRESS:PORT" or "[IPV6]:PORT"; port 53 if none is given.
 *
 * @return 0; 3: known already; 4: not an address; another number: no socket or no memory
 */
EVENT2_EXPORT_SYMBOL
int evdns_base_nameserver_ip_add(struct evdns_base *base, const char *ip_as_string);

/**
 * Add a nameserver by IPv4 or IPv6 address; port 0 means 53. Waiting requests start.
 *
 * @param flags  ignored
 * @return as evdns_base_nameserver_ip_add()
 */
EVENT2_EXPORT_SYMBOL
int evdns_base_nameserver_sockaddr_add(struct evdns_base *base, const struct sockaddr *sa,
	ev_socklen_t len, unsigned flags);

/**
 * Make a resolver.
 *
 * @param event_base  NULL means the current one. It must outlive the resolver.
 * @param flags  0, or EVDNS_BASE_ flags added up; 0: no nameservers are known, none is asked for
 * @return the resolver, or NULL: no base, no memory, or, with EVDNS_BASE_INITIALIZE_NAMESERVERS,
 *         no readable /etc/resolv.conf
 * @threads if thread support was on before: all functions from any thread; callbacks run in the
 *         loop's thread, never inside another call (but see evdns_getaddrinfo()), and no lock is
 *         held then
 */
EVENT2_EXPORT_SYMBOL
struct evdns_base *evdns_base_new(struct event_base *event_base, int flags);

/**
 * Read nameservers, search list and options from a file like /etc/resolv.conf: resolv.conf(5).
 * Nameservers are added, the search list and options are replaced.
 *
 * @param flags  DNS_OPTION_ flags: which parts count
 * @param filename  NULL is as a missing file
 * @return EVDNS_ERROR_NONE; _FAILED_TO_OPEN_FILE: the defaults apply, nameserver 127.0.0.1 among
 *         them; _FAILED_TO_STAT_FILE: unreadable; _OUT_OF_MEMORY; _NO_NAMESERVERS_CONFIGURED:
 *         127.0.0.1 was added
 */
EVENT2_EXPORT_SYMBOL
int evdns_base_resolv_conf_parse(struct evdns_base *base, int flags, const char * const filename);

/**
 * Ask for the IPv4 addresses (A) of a name; it is copied.
 *
 * @param name  up to 253 characters; a final dot makes it absolute. Bytes are sent as they are.
 * @param flags  0, or DNS_QUERY_ flags and DNS_CNAME_CALLBACK added up
 * @param callback  called once from the loop, see evdns_callback_type
 * @return a handle to cancel it with, valid until the callback begins; NULL: the name cannot be
 *         asked for, or no memory, and the callback is never called
 */
EVENT2_EXPORT_SYMBOL
struct evdns_request *evdns_base_resolve_ipv4(struct evdns_base *base, const char *name, int flags,
	evdns_callback_type callback, void *ptr);

/** Ask for the IPv6 addresses (AAAA) of a name. As evdns_base_resolve_ipv4(). */
EVENT2_EXPORT_SYMBOL
struct evdns_request *evdns_base_resolve_ipv6(struct evdns_base *base, const char *name, int flags,
	evdns_callback_type callback, void *ptr);

/**
 * Ask for the name (PTR, RFC 1035 section 3.5) of an IPv4 address. As evdns_base_resolve_ipv4();
 * never searched.
 */
EVENT2_EXPORT_SYMBOL
struct evdns_request *evdns_base_resolve_reverse(struct evdns_base *base, const struct in_addr *in,
	int flags, evdns_callback_type callback, void *ptr);

/**
 * Ask for the name (PTR, RFC 3596 section 2.5) of an IPv6 address. As evdns_base_resolve_ipv4();
 * never searched.
 */
EVENT2_EXPORT_SYMBOL
struct evdns_request *evdns_base_resolve_reverse_ipv6(struct evdns_base *base,
	const struct in6_addr *in, int flags, evdns_callback_type callback, void *ptr);

/**
 * Go on after evdns_base_clear_nameservers_and_suspend(), with the nameservers there are now.
 *
 * @return 0, or -1 for a NULL base
 */
EVENT2_EXPORT_SYMBOL
int evdns_base_resume(struct evdns_base *base);

/**
 * Search this domain first, before those added until now. Leading dots are removed; copied.
 * Requests that run keep the list that they began with.
 */
EVENT2_EXPORT_SYMBOL
void evdns_base_search_add(struct evdns_base *base, const char *domain);

/** Search no domains any more, and reset ndots to 1. */
EVENT2_EXPORT_SYMBOL
void evdns_base_search_clear(struct evdns_base *base);

/**
 * Names with at least that many dots are tried as they are before the search domains, others
 * behind them.
 */
EVENT2_EXPORT_SYMBOL
void evdns_base_search_ndots_set(struct evdns_base *base, const int ndots);

/**
 * Set an option, by the names of resolv.conf(5) and others; a colon and what follows it are
 * ignored.
 *
 * - ndots, attempts, timeout (seconds per sending), max-timeouts, max-inflight, randomize-case
 * - initial-probe-timeout, max-probe-timeout (2.2), probe-backoff-factor (2.2): of servers that
 *   are down
 * - getaddrinfo-allow-skew: seconds that the second of two answers may take longer
 * - so-rcvbuf, so-sndbuf, bind-to: of the sockets of nameservers added later
 * - tcp-idle-timeout, use-vc, ignore-tc, edns-udp-size (RFC 6891; 512: no EDNS): since 2.2
 *
 * @param val  NULL or "" for use-vc and ignore-tc, which need none
 * @return 0, also for names that are not known; -1: not a good value, and nothing changed
 */
EVENT2_EXPORT_SYMBOL
int evdns_base_set_option(struct evdns_base *base, const char *option, const char *val);

/**
 * Look a name up in the cache only.
 *
 * @param hints  not NULL; family, kind of socket, protocol and EVUTIL_AI_CANONNAME count
 * @param port  in host byte order, for the list
 * @param res  set on success to a list for evutil_freeaddrinfo()
 * @return 0; EVUTIL_EAI_ADDRFAMILY: known, but not in that family; EVUTIL_EAI_MEMORY; -1: not
 *         known
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
int evdns_cache_lookup(struct evdns_base *base, const char *nodename, struct evutil_addrinfo *hints,
	ev_uint16_t port, struct evutil_addrinfo **res);

/**
 * Remember a copy of a list for a name. The size of the cache is bounded; the oldest goes first.
 *
 * @param res  NULL forgets the name
 * @param ttl  seconds; 0 or less forgets it
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
void evdns_cache_write(struct evdns_base *dns_base, char *nodename, struct evutil_addrinfo *res,
	int ttl);

/**
 * Cancel a request: its callback gets DNS_ERR_CANCEL, from the loop. Nothing happens if its result
 * is on its way already. Not allowed once the callback has begun.
 *
 * @param base  may be NULL
 * @param req  NULL: nothing happens
 */
EVENT2_EXPORT_SYMBOL
void evdns_cancel_request(struct evdns_base *base, struct evdns_request *req);

/**
 * Stop serving: the callback is not called any more. Requests not yet answered stay valid; a UDP
 * socket is closed with the last of them, TCP connections at once. NULL: nothing happens.
 */
EVENT2_EXPORT_SYMBOL
void evdns_close_server_port(struct evdns_server_port *port);

/** The text of a DNS_ERR_ code; constant, never NULL. */
EVENT2_EXPORT_SYMBOL
const char *evdns_err_to_string(int err);

/**
 * Look a name up as getaddrinfo(3) does, without blocking: literals, the hosts table and the
 * cache, then the nameservers, A and AAAA together. IPv4 addresses come first.
 *
 * @param dns_base  NULL means the global one
 * @param nodename, servname  one of them may be NULL; a service name is looked up on this host,
 *         blocking
 * @param hints_in  NULL: any family and kind of socket
 * @param cb  called exactly once with 0 and a list for evutil_freeaddrinfo(), or an EVUTIL_EAI_
 *         code and NULL
 * @return a handle to cancel it with, valid until the callback begins; NULL: the callback was
 *         called inside this call, with the result or an error
 */
EVENT2_EXPORT_SYMBOL
struct evdns_getaddrinfo_request *evdns_getaddrinfo(struct evdns_base *dns_base,
	const char *nodename, const char *servname, const struct evutil_addrinfo *hints_in,
	evdns_getaddrinfo_cb cb, void *arg);

/**
 * Cancel a lookup: its callback gets EVUTIL_EAI_CANCEL, from the loop, unless its result is on its
 * way already. NULL: nothing happens. Not allowed once the callback has begun.
 */
EVENT2_EXPORT_SYMBOL
void evdns_getaddrinfo_cancel(struct evdns_getaddrinfo_request *req);

/**
 * Limit the connections of a TCP port that are accepted from now on.
 *
 * @param option  EVDNS_SOPT_TCP_MAX_CLIENTS: how many at once, 10 at first; 0: none.
 *         EVDNS_SOPT_TCP_IDLE_TIMEOUT: seconds, 10 at first; 0: no limit. Not while an answer is
 *         due.
 * @return 0, or -1: a UDP port, or no such option
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
int evdns_server_port_set_option(struct evdns_server_port *port, enum evdns_server_option option,
	size_t value);

/**
 * Add IPv4 addresses to the answer section; each has a record of its own if that fits.
 *
 * @param n  how many, at least 1
 * @param addrs  n times 4 bytes in network byte order; copied
 * @param ttl  seconds
 * @return 0, or -1: bad name or number, no memory; the request stays usable
 */
EVENT2_EXPORT_SYMBOL
int evdns_server_request_add_a_reply(struct evdns_server_request *req, const char *name, int n,
	const void *addrs, int ttl);

/** Add IPv6 addresses, 16 bytes each. As evdns_server_request_add_a_reply(). */
EVENT2_EXPORT_SYMBOL
int evdns_server_request_add_aaaa_reply(struct evdns_server_request *req, const char *name, int n,
	const void *addrs, int ttl);

/** Add an alias to the answer section. As evdns_server_request_add_a_reply(). */
EVENT2_EXPORT_SYMBOL
int evdns_server_request_add_cname_reply(struct evdns_server_request *req, const char *name,
	const char *cname, int ttl);

/**
 * Add the name of an address to the answer section. As evdns_server_request_add_a_reply().
 *
 * @param in  an IPv4 address, whose reverse name is the owner; or NULL
 * @param inaddr_name  the owner, if `in` is NULL; exactly one of both is given
 */
EVENT2_EXPORT_SYMBOL
int evdns_server_request_add_ptr_reply(struct evdns_server_request *req, struct in_addr *in,
	const char *inaddr_name, const char *hostname, int ttl);

/**
 * Add a record of any type. Sections keep the order of adding.
 *
 * @param section  EVDNS_ANSWER_SECTION, EVDNS_AUTHORITY_SECTION or EVDNS_ADDITIONAL_SECTION
 * @param name  the owner as text; "" or "." is the root
 * @param datalen  bytes of data, 0 to 65535; ignored with is_name
 * @param is_name  nonzero: data is a domain name as text, which is compressed
 * @param data  copied; NULL: an empty record
 * @return 0, or -1: bad section, name or length, no memory; the request stays usable
 */
EVENT2_EXPORT_SYMBOL
int evdns_server_request_add_reply(struct evdns_server_request *req, int section, const char *name,
	int type, int dns_class, int ttl, int datalen, int is_name, const char *data);

/**
 * End a request without an answer. From any thread.
 *
 * @return 0
 */
EVENT2_EXPORT_SYMBOL
int evdns_server_request_drop(struct evdns_server_request *req);

/**
 * The client's address.
 *
 * @return its length, or -1 if `addr_len` bytes are not enough
 */
EVENT2_EXPORT_SYMBOL
int evdns_server_request_get_requesting_addr(struct evdns_server_request *req, struct sockaddr *sa,
	int addr_len);

/**
 * Send the answer and free the request. From any thread, in the callback or later; exactly once
 * respond or drop. What the network does not take is lost; too large by UDP: cut between records,
 * with TC set.
 *
 * @param err  the rcode, 0 to 15 (RFC 1035 section 4.1.1)
 * @return 0, or -1: bad rcode, or a question that was made unusable; the request stays usable then
 */
EVENT2_EXPORT_SYMBOL
int evdns_server_request_respond(struct evdns_server_request *req, int err);

/**
 * Clear AA and RA in the header's flags of the answer, then set these bits.
 *
 * @param flags  such as EVDNS_FLAGS_AA
 */
EVENT2_EXPORT_SYMBOL
void evdns_server_request_set_flags(struct evdns_server_request *req, int flags);

/**
 * Where messages of resolvers and servers go, instead of the library's log; NULL: back to that.
 *
 * @param fn  must not call back; texts are at most 511 bytes
 * @threads before others use the resolver
 */
EVENT2_EXPORT_SYMBOL
void evdns_set_log_fn(evdns_debug_log_fn_type fn);

/** Does nothing: random numbers come from the system's secure source. Of libevent 2.1 only. */
EVENT2_EXPORT_SYMBOL
void evdns_set_random_bytes_fn(void (*fn)(char *, size_t));

/** Does nothing: ids come from the system's secure source. Of libevent 2.1 only. */
EVENT2_EXPORT_SYMBOL
void evdns_set_transaction_id_fn(ev_uint16_t (*fn)(void));

#ifdef __cplusplus
}
#endif

#endif
