/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_UTIL_H_INCLUDED_
#define EVENT2_UTIL_H_INCLUDED_

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
typedef socklen_t ev_socklen_t;
typedef int evutil_socket_t;
#define EVUTIL_SOCKET_ERROR() (errno)
#define EVUTIL_SET_SOCKET_ERROR(errcode) do { errno = (errcode); } while (0)
#define evutil_socket_geterror(sock) (errno)
#define evutil_socket_error_to_string(errcode) (strerror(errcode))
#define evutil_timeradd(tvp, uvp, vvp) timeradd((tvp), (uvp), (vvp))
#define evutil_timersub(tvp, uvp, vvp) timersub((tvp), (uvp), (vvp))
#endif
#define evutil_timerclear(tvp) timerclear(tvp)
#define evutil_timercmp(tvp, uvp, cmp) \
	(((tvp)->tv_sec == (uvp)->tv_sec) ? ((tvp)->tv_usec cmp (uvp)->tv_usec) : \
					     ((tvp)->tv_sec cmp (uvp)->tv_sec))
#define evutil_timerisset(tvp) timerisset(tvp)
#define evutil_offsetof(type, field) offsetof(type, field)
#define evutil_gettimeofday(tv, tz) gettimeofday((tv), (tz))

struct evutil_monotonic_timer;
struct tm;

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
#define EV_MONOT_PRECISE 1
#define EV_MONOT_FALLBACK 2
#define EVUTIL_INVALID_SOCKET -1
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
#define EVUTIL_AI_PASSIVE 1
#define EVUTIL_AI_CANONNAME 2
#define EVUTIL_AI_NUMERICHOST 4
#define EVUTIL_AI_NUMERICSERV 1024
#define EVUTIL_AI_V4MAPPED 8
#define EVUTIL_AI_ALL 16
#define EVUTIL_AI_ADDRCONFIG 32


EVENT2_EXPORT_SYMBOL
int evutil_ascii_strcasecmp(const char *str1, const char *str2);

EVENT2_EXPORT_SYMBOL
int evutil_ascii_strncasecmp(const char *str1, const char *str2, size_t n);

EVENT2_EXPORT_SYMBOL
int evutil_closesocket(evutil_socket_t sock);

EVENT2_EXPORT_SYMBOL
int evutil_configure_monotonic_time(struct evutil_monotonic_timer *timer, int flags);

EVENT2_EXPORT_SYMBOL
int evutil_date_rfc1123(char *date, const size_t datelen, const struct tm *tm);

EVENT2_EXPORT_SYMBOL
void evutil_freeaddrinfo(struct evutil_addrinfo *ai);

EVENT2_EXPORT_SYMBOL
const char *evutil_gai_strerror(int err);

EVENT2_EXPORT_SYMBOL
int evutil_getaddrinfo(const char *nodename, const char *servname, const struct evutil_addrinfo *hints_in, struct evutil_addrinfo **res);

EVENT2_EXPORT_SYMBOL
int evutil_gettime_monotonic(struct evutil_monotonic_timer *timer, struct timeval *tp);


EVENT2_EXPORT_SYMBOL
const char *evutil_inet_ntop(int af, const void *src, char *dst, size_t len);

EVENT2_EXPORT_SYMBOL
int evutil_inet_pton(int af, const char *src, void *dst);

EVENT2_EXPORT_SYMBOL
int evutil_inet_pton_scope(int af, const char *src, void *dst, unsigned *indexp);

EVENT2_EXPORT_SYMBOL
int evutil_make_listen_socket_ipv6only(evutil_socket_t sock);

EVENT2_EXPORT_SYMBOL
int evutil_make_listen_socket_not_ipv6only(evutil_socket_t sock);

EVENT2_EXPORT_SYMBOL
int evutil_make_listen_socket_reuseable(evutil_socket_t sock);

EVENT2_EXPORT_SYMBOL
int evutil_make_listen_socket_reuseable_port(evutil_socket_t sock);

EVENT2_EXPORT_SYMBOL
int evutil_make_socket_closeonexec(evutil_socket_t sock);

EVENT2_EXPORT_SYMBOL
int evutil_make_socket_nonblocking(evutil_socket_t sock);

EVENT2_EXPORT_SYMBOL
int evutil_make_tcp_listen_socket_deferred(evutil_socket_t sock);

EVENT2_EXPORT_SYMBOL
void evutil_monotonic_timer_free(struct evutil_monotonic_timer *timer);

EVENT2_EXPORT_SYMBOL
struct evutil_monotonic_timer *evutil_monotonic_timer_new(void);

EVENT2_EXPORT_SYMBOL
int evutil_parse_sockaddr_port(const char *str, struct sockaddr *out, int *outlen);

EVENT2_EXPORT_SYMBOL
void evutil_secure_rng_add_bytes(const char *dat, size_t datlen);

EVENT2_EXPORT_SYMBOL
void evutil_secure_rng_get_bytes(void *buf, size_t n);

EVENT2_EXPORT_SYMBOL
int evutil_secure_rng_init(void);

EVENT2_EXPORT_SYMBOL
int evutil_secure_rng_set_urandom_device_file(char *fname);

EVENT2_EXPORT_SYMBOL
int evutil_set_tcp_keepalive(evutil_socket_t sock, int on, int timeout);

EVENT2_EXPORT_SYMBOL
int evutil_snprintf(char *buf, size_t buflen, const char *format, ...) EVI_PRINTF(3, 4);

EVENT2_EXPORT_SYMBOL
int evutil_sockaddr_cmp(const struct sockaddr *sa1, const struct sockaddr *sa2, int include_port);



EVENT2_EXPORT_SYMBOL
int evutil_socketpair(int domain, int type, int protocol, evutil_socket_t sv[2]);

EVENT2_EXPORT_SYMBOL
ev_int64_t evutil_strtoll(const char *s, char **endptr, int base);

EVENT2_EXPORT_SYMBOL
int evutil_vsnprintf(char *buf, size_t buflen, const char *format, va_list ap) EVI_PRINTF(3, 0);

#ifdef __cplusplus
}
#endif

#endif
