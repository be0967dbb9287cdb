/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_UTIL_H_INCLUDED_
#define EVENT2_UTIL_H_INCLUDED_

/**
 * @file event2/util.h
 *
 * What a portable program on sockets needs: integer types, times, socket options, text, addresses,
 * clocks and random numbers.
 *
 * Errors     A function that fails with -1 leaves the socket error (EVUTIL_SOCKET_ERROR()) as the
 *            system set it, and logs nothing, unless it says so.
 * Threads    Everything may be called from any thread; objects are the caller's to guard.
 * Pointers   must not be NULL unless the comment says so.
 *
 * Available since 2.0 unless a comment says otherwise.
 */

#include <event2/visibility.h>
#include <event2/event-config.h>
#if defined(_WIN32)
#include <event2/component/windows.h>
#else
#include <sys/socket.h>
#include <netdb.h>
#endif
#include <sys/types.h>
#include <sys/time.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <limits.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Integers of a given width; ev_off_t does not depend on the program's large-file settings. */
typedef int64_t ev_int64_t;
typedef uint64_t ev_uint64_t;
typedef int32_t ev_int32_t;
typedef uint32_t ev_uint32_t;
typedef int16_t ev_int16_t;
typedef uint16_t ev_uint16_t;
typedef int8_t ev_int8_t;
typedef uint8_t ev_uint8_t;
typedef intptr_t ev_intptr_t;
typedef uintptr_t ev_uintptr_t;
typedef ssize_t ev_ssize_t;
typedef int64_t ev_off_t;
struct addrinfo; /* strict ISO C modes of some systems do not declare it */
#define evutil_addrinfo addrinfo
#define EVUTIL_CLOSESOCKET(s) evutil_closesocket(s)
#if !defined(_WIN32)
/** A socket: a descriptor, or a SOCKET on Windows. */
typedef socklen_t ev_socklen_t;
typedef int evutil_socket_t;
/** The calling thread's last socket error: errno, or WSAGetLastError() on Windows. */
#define EVUTIL_SOCKET_ERROR() (errno)
/** Set it. */
#define EVUTIL_SET_SOCKET_ERROR(errcode) do { errno = (errcode); } while (0)
/** The last error of a socket. */
#define evutil_socket_geterror(sock) (errno)
/** The text of a socket error; not to be freed. */
#define evutil_socket_error_to_string(errcode) (strerror(errcode))
/**
 * Add, or subtract, normalised times; `vvp` may be one of the others. A negative difference has
 * negative seconds and microseconds of 0 to 999999.
 */
#define evutil_timeradd(tvp, uvp, vvp) timeradd((tvp), (uvp), (vvp))
#define evutil_timersub(tvp, uvp, vvp) timersub((tvp), (uvp), (vvp))
#endif
/** Set a time to zero. */
#define evutil_timerclear(tvp) timerclear(tvp)
/** Compare times by <, <=, ==, !=, >= or >. */
#define evutil_timercmp(tvp, uvp, cmp) \
	(((tvp)->tv_sec == (uvp)->tv_sec) ? ((tvp)->tv_usec cmp (uvp)->tv_usec) : \
					     ((tvp)->tv_sec cmp (uvp)->tv_sec))
/** True unless a time is zero. */
#define evutil_timerisset(tvp) timerisset(tvp)
#define evutil_offsetof(type, field) offsetof(type, field)
/** The wall clock; `tz` is not used. 0 or -1. */
#define evutil_gettimeofday(tv, tz) gettimeofday((tv), (tz))

struct evutil_monotonic_timer;
struct tm;

/* Limits of the types above, fit for the preprocessor. */
#define EV_UINT64_MAX UINT64_MAX
#define EV_INT64_MAX INT64_MAX
#define EV_INT64_MIN INT64_MIN
#define EV_UINT32_MAX UINT32_MAX
#define EV_INT32_MAX 2147483647
#define EV_INT32_MIN -2147483648
#define EV_UINT16_MAX 65535
#define EV_INT16_MIN -32768
#define EV_INT16_MAX 32767
#define EV_UINT8_MAX 255
#define EV_INT8_MAX 127
#define EV_INT8_MIN -128
#if EVENT__SIZEOF_SIZE_T == 8
#define EV_SIZE_MAX EV_UINT64_MAX
#define EV_SSIZE_MAX EV_INT64_MAX
#define EV_SSIZE_MIN EV_INT64_MIN
#else
#define EV_SIZE_MAX EV_UINT32_MAX
#define EV_SSIZE_MAX EV_INT32_MAX
#define EV_SSIZE_MIN EV_INT32_MIN
#endif
/* Clocks, for evutil_configure_monotonic_time() (2.1). */
#define EV_MONOT_PRECISE 1
#define EV_MONOT_FALLBACK 2
/** No socket (2.1). */
#define EVUTIL_INVALID_SOCKET -1
/* What look-ups fail with. EVUTIL_EAI_CANCEL is the asynchronous resolver's own. */
#define EVUTIL_EAI_ADDRFAMILY (-9)
#define EVUTIL_EAI_AGAIN (-3)
#define EVUTIL_EAI_BADFLAGS (-1)
#define EVUTIL_EAI_FAIL (-4)
#define EVUTIL_EAI_FAMILY (-6)
#define EVUTIL_EAI_MEMORY (-10)
#define EVUTIL_EAI_NODATA (-5)
#define EVUTIL_EAI_NONAME (-2)
#define EVUTIL_EAI_SERVICE (-8)
#define EVUTIL_EAI_SOCKTYPE (-7)
#define EVUTIL_EAI_SYSTEM (-11)
#define EVUTIL_EAI_CANCEL (-90001)
/* Flags of look-ups: RFC 3493, section 6.1. */
#define EVUTIL_AI_PASSIVE 1
#define EVUTIL_AI_CANONNAME 2
#define EVUTIL_AI_NUMERICHOST 4
#define EVUTIL_AI_NUMERICSERV 1024
#define EVUTIL_AI_V4MAPPED 8
#define EVUTIL_AI_ALL 16
#define EVUTIL_AI_ADDRCONFIG 32

/**
 * Compare strings as if ASCII letters were lower case, in every locale; other bytes as unsigned.
 *
 * @return -1, 0 or 1
 */
EVENT2_EXPORT_SYMBOL
int evutil_ascii_strcasecmp(const char *str1, const char *str2);

/** Like evutil_ascii_strcasecmp(), of at most `n` bytes; 0 if `n` is 0. */
EVENT2_EXPORT_SYMBOL
int evutil_ascii_strncasecmp(const char *str1, const char *str2, size_t n);

/** close(2), or closesocket() on Windows, and its result. */
EVENT2_EXPORT_SYMBOL
int evutil_closesocket(evutil_socket_t sock);

/**
 * Choose the clock of a timer, before it is read.
 *
 * @param flags  0: the fastest; EV_MONOT_PRECISE: the finest; EV_MONOT_FALLBACK: the wall clock,
 *               kept from stepping back (for tests)
 * @return 0
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int evutil_configure_monotonic_time(struct evutil_monotonic_timer *timer, int flags);

/**
 * Write a date as HTTP wants it: "Thu, 01 Jan 1970 00:00:00 GMT" (RFC 9110, section 5.6.7).
 *
 * @param datelen  bytes of `date`; 30 hold it with its terminator. If it does not fit it is cut,
 *                 and terminated.
 * @param tm       UTC, not normalised, its weekday trusted; NULL means now
 * @return the full length, 29, so a result of `datelen` or more means that it was cut
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int evutil_date_rfc1123(char *date, const size_t datelen, const struct tm *tm);

/**
 * Free a list from evutil_getaddrinfo() or from the asynchronous resolver, or joined from both.
 *
 * @param ai  may be NULL (since 2.2)
 */
EVENT2_EXPORT_SYMBOL
void evutil_freeaddrinfo(struct evutil_addrinfo *ai);

/** The text of an EVUTIL_EAI_* code; of 0 and of unknown codes too. Not to be freed; never NULL. */
EVENT2_EXPORT_SYMBOL
const char *evutil_gai_strerror(int err);

/**
 * Look up names, blocking: getaddrinfo(3), RFC 3493.
 *
 * It may wait for name servers and stop a loop meanwhile: evdns_getaddrinfo() does not. Services
 * must be names or numbers up to 65535.
 *
 * @param nodename  NULL: the wildcard with EVUTIL_AI_PASSIVE, else loopback
 * @param servname  may be NULL unless `nodename` is
 * @param hints_in  may be NULL: any family and kind of socket
 * @param res       takes a list that the caller frees with evutil_freeaddrinfo() and nothing else;
 *                  untouched on failure
 * @return 0 or an EVUTIL_EAI_* code
 */
EVENT2_EXPORT_SYMBOL
int evutil_getaddrinfo(const char *nodename, const char *servname,
		       const struct evutil_addrinfo *hints_in, struct evutil_addrinfo **res);

/**
 * Read a timer: time from an arbitrary origin that never steps back and no clock setting moves.
 *
 * One timer must not be read by two threads at once.
 *
 * @return 0 or -1
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int evutil_gettime_monotonic(struct evutil_monotonic_timer *timer, struct timeval *tp);

/**
 * Write an address as text; IPv6 as short as RFC 5952 has it.
 *
 * @param af   AF_INET or AF_INET6
 * @param src  struct in_addr or struct in6_addr
 * @param len  bytes of `dst`; INET6_ADDRSTRLEN hold any
 * @return `dst`, or NULL with ENOSPC if it does not fit with its terminator, EAFNOSUPPORT
 */
EVENT2_EXPORT_SYMBOL
const char *evutil_inet_ntop(int af, const void *src, char *dst, size_t len);

/**
 * Read an address: four decimal numbers without leading zeros, or IPv6 as in RFC 4291, section 2.2.
 *
 * No blanks, signs, zones or anything behind it.
 *
 * @return 1; 0 if it is no address; -1 if the family is not supported. `dst` counts only after 1
 */
EVENT2_EXPORT_SYMBOL
int evutil_inet_pton(int af, const char *src, void *dst);

/**
 * Like evutil_inet_pton(), and an IPv6 address may have a zone: "fe80::1%eth0", "fe80::1%2" (RFC
 * 4007).
 *
 * @param indexp  takes the interface's index; 0 without zone
 * @return like evutil_inet_pton(); 0 too for an interface that does not exist
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
int evutil_inet_pton_scope(int af, const char *src, void *dst, unsigned *indexp);

/**
 * Let an IPv6 socket, not yet bound, accept IPv6 only (IPV6_V6ONLY).
 *
 * @return 0 (also where there is no such option), or -1 with the socket error
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int evutil_make_listen_socket_ipv6only(evutil_socket_t sock);

/** Let an IPv6 socket, not yet bound, accept IPv4 too. @return 0 or -1 @since 2.2 */
EVENT2_EXPORT_SYMBOL
int evutil_make_listen_socket_not_ipv6only(evutil_socket_t sock);

/**
 * Let a socket be bound to an address that a closed one still lingers on (SO_REUSEADDR). Does
 * nothing on Windows, where that option means something else.
 *
 * @return 0 or -1 with the socket error
 */
EVENT2_EXPORT_SYMBOL
int evutil_make_listen_socket_reuseable(evutil_socket_t sock);

/**
 * Let several sockets listen on one port, with the kernel spreading the connections (SO_REUSEPORT).
 *
 * @return 0; -1 with the socket error, also where the system does not spread (2.1: 0 there)
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int evutil_make_listen_socket_reuseable_port(evutil_socket_t sock);

/** Close the descriptor on exec(3). @return 0; -1 with a warning. Windows: 0, nothing done */
EVENT2_EXPORT_SYMBOL
int evutil_make_socket_closeonexec(evutil_socket_t sock);

/** Make a socket nonblocking. @return 0; -1 with a warning */
EVENT2_EXPORT_SYMBOL
int evutil_make_socket_nonblocking(evutil_socket_t sock);

/**
 * Have the kernel keep connections back until the peer has sent something (TCP_DEFER_ACCEPT).
 *
 * @return 0 (also where there is no such option); -1 with the socket error, as for a socket not of
 *         TCP
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int evutil_make_tcp_listen_socket_deferred(evutil_socket_t sock);

/** Free a timer; NULL does nothing. @since 2.1 */
EVENT2_EXPORT_SYMBOL
void evutil_monotonic_timer_free(struct evutil_monotonic_timer *timer);

/**
 * Make a timer; evutil_configure_monotonic_time() comes before it is read.
 *
 * @return owned by the caller (evutil_monotonic_timer_free()); NULL when out of memory
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
struct evutil_monotonic_timer *evutil_monotonic_timer_new(void);

/**
 * Read an address with a port: "[v6]:port", "[v6]", "v6", "v4:port" or "v4".
 *
 * IPv6 addresses may have a zone. Names are not looked up. Without port it is 0 in the result; port
 * 0, and anything behind the address or port, is refused.
 *
 * @param outlen  in: bytes of `out`; out: those of the struct sockaddr_in or sockaddr_in6 written
 * @return 0; -1 if it is malformed or does not fit: then nothing is written
 */
EVENT2_EXPORT_SYMBOL
int evutil_parse_sockaddr_port(const char *str, struct sockaddr *out, int *outlen);

/** Stir in further entropy; does nothing where the kernel's generator is used: everywhere now. */
EVENT2_EXPORT_SYMBOL
void evutil_secure_rng_add_bytes(const char *dat, size_t datlen);

/**
 * Fill a buffer with random bytes fit for keys. Any thread.
 *
 * They are the kernel's own (getrandom(2) and the like), so a forked child gets others. If the
 * system has none the process ends by way of the fatal callback: weak bytes are never given.
 */
EVENT2_EXPORT_SYMBOL
void evutil_secure_rng_get_bytes(void *buf, size_t n);

/**
 * Make sure that there are random bytes; call it before chroot(2) or giving up rights. Repeatable.
 *
 * @return 0 or -1
 */
EVENT2_EXPORT_SYMBOL
int evutil_secure_rng_init(void);

/**
 * Name the device to read random bytes from, before they are first needed.
 *
 * @param fname  borrowed for ever
 * @return 0; -1 if the kernel is asked directly, so that no device is needed
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int evutil_secure_rng_set_urandom_device_file(char *fname);

/**
 * Switch TCP's keep-alive probes on or off.
 *
 * @param on       nonzero: probe after `timeout` seconds of silence, each third of that again (at
 *                 least every second), and give up after three
 * @param timeout  seconds; 0 or less changes nothing, unless `on` is 0
 * @return 0; -1 with the socket error if the system refuses, as for more than 32767 on Linux
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
int evutil_set_tcp_keepalive(evutil_socket_t sock, int on, int timeout);

/**
 * snprintf() of C99, on every system.
 *
 * @param buf  terminated if `buflen` is not 0; may be NULL if it is
 * @return the length of the full text, so a result of `buflen` or more means that it was cut;
 *         negative on an encoding error
 */
EVENT2_EXPORT_SYMBOL
int evutil_snprintf(char *buf, size_t buflen, const char *format, ...) EVI_PRINTF(3, 4);

/**
 * Order two addresses: by family, then address, then port if `include_port` is nonzero.
 *
 * Zones and flow labels do not count. For other families than IPv4 and IPv6 only the same pointer
 * is equal.
 *
 * @return negative, 0 or positive
 */
EVENT2_EXPORT_SYMBOL
int evutil_sockaddr_cmp(const struct sockaddr *sa1, const struct sockaddr *sa2, int include_port);

/**
 * Make two sockets that are connected to each other: socketpair(2).
 *
 * Without that call (Windows) AF_UNIX and AF_INET streams are built from a Unix-domain or loopback
 * connection, of which both ends are verified.
 *
 * @param type  may have SOCK_NONBLOCK and SOCK_CLOEXEC where the system has them (since 2.2
 *              everywhere)
 * @return 0; -1 with the socket error, and nothing is left open
 */
EVENT2_EXPORT_SYMBOL
int evutil_socketpair(int domain, int type, int protocol, evutil_socket_t sv[2]);

/** strtoll(3): clamps with ERANGE. `endptr` may be NULL. */
EVENT2_EXPORT_SYMBOL
ev_int64_t evutil_strtoll(const char *s, char **endptr, int base);

/** vsnprintf() of C99: see evutil_snprintf(). */
EVENT2_EXPORT_SYMBOL
int evutil_vsnprintf(char *buf, size_t buflen, const char *format, va_list ap) EVI_PRINTF(3, 0);

#ifdef __cplusplus
}
#endif

#endif
