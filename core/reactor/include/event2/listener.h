/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_LISTENER_H_INCLUDED_
#define EVENT2_LISTENER_H_INCLUDED_

/**
 * @file event2/listener.h
 *
 * Listeners: accept connections and hand them to a callback.
 *
 * Accepting  The callback runs once per connection, from the loop, and owns the new descriptor from
 *            then on. Up to 64 are taken per round, so that a flood does not starve other events.
 * Errors     Connections that went away while they waited are passed over. Any other failure goes
 *            to the error callback, or to the log once per series; then the listener pauses for 100
 *            ms, so that running out of descriptors costs no processor time, and goes on by itself.
 * Threads    Without LEV_OPT_THREADSAFE a listener belongs to its loop's thread. With it, and with
 *            lock functions set, any thread may call anything; the listener's lock is held during
 *            callbacks, so calls of other threads wait until they are over.
 *
 * Available since 2.0 unless a comment says otherwise.
 */

#include <event2/visibility.h>
#include <event2/event.h>

#ifdef __cplusplus
extern "C" {
#endif

struct evconnlistener;
struct event_base;

/** Accepted sockets are blocking; nonblocking otherwise. */
#define LEV_OPT_LEAVE_SOCKETS_BLOCKING 1
/** Freeing the listener closes its socket. */
#define LEV_OPT_CLOSE_ON_FREE 2
/** Accepted sockets, and the one new_bind() opens, are closed on exec(3). */
#define LEV_OPT_CLOSE_ON_EXEC 4
/** evutil_make_listen_socket_reuseable(); this and the following ones: new_bind() only. */
#define LEV_OPT_REUSEABLE 8
/** May be used from several threads; both ways of making one. */
#define LEV_OPT_THREADSAFE 16
/** Made disabled; both ways (2.1). */
#define LEV_OPT_DISABLED 32
/** evutil_make_tcp_listen_socket_deferred() (2.1). */
#define LEV_OPT_DEFERRED_ACCEPT 64
/** evutil_make_listen_socket_reuseable_port() (2.1). */
#define LEV_OPT_REUSEABLE_PORT 128
/** evutil_make_listen_socket_ipv6only() (2.1). */
#define LEV_OPT_BIND_IPV6ONLY 256
/** evutil_make_listen_socket_not_ipv6only() (2.2). */
#define LEV_OPT_BIND_IPV4_AND_IPV6 512

/** A connection: its socket, owned by the callee, and the peer's address, valid during the call. */
typedef void (*evconnlistener_cb)(struct evconnlistener *, evutil_socket_t, struct sockaddr *,
				  int socklen, void *);
/** Accepting failed: EVUTIL_SOCKET_ERROR() tells why. Gets the listener's argument. */
typedef void (*evconnlistener_errorcb)(struct evconnlistener *, void *);

/**
 * Stop accepting: connections wait in the kernel, and the listener does not keep the loop alive.
 *
 * With LEV_OPT_THREADSAFE, when this returns in another thread no callback is running.
 *
 * @return 0 or -1. Idempotent
 */
EVENT2_EXPORT_SYMBOL
int evconnlistener_disable(struct evconnlistener *lev);

/**
 * Start accepting, or go on; without callback that waits for evconnlistener_set_cb().
 *
 * The pause after an error (see the top) is not cut short.
 *
 * @return 0 or -1. Idempotent
 */
EVENT2_EXPORT_SYMBOL
int evconnlistener_enable(struct evconnlistener *lev);

/**
 * Free a listener, also from its own callbacks; no callback runs afterwards.
 *
 * With LEV_OPT_CLOSE_ON_FREE the socket is closed at once, and the kernel resets what waits; the
 * file of a Unix-domain socket stays.
 *
 * @param lev  NULL does nothing
 */
EVENT2_EXPORT_SYMBOL
void evconnlistener_free(struct evconnlistener *lev);

/** The base it was made with. */
EVENT2_EXPORT_SYMBOL
struct event_base *evconnlistener_get_base(struct evconnlistener *lev);

/** The listening socket, still the listener's. */
EVENT2_EXPORT_SYMBOL
evutil_socket_t evconnlistener_get_fd(struct evconnlistener *lev);

/**
 * Listen on a socket of the caller's, which becomes nonblocking.
 *
 * @param base     NULL means the one event_init() made
 * @param cb       NULL: connections wait until evconnlistener_set_cb()
 * @param flags    LEV_OPT_*; those that concern binding do nothing here
 * @param backlog  above 0: listen(2) with it; below 0: with a default, 128; 0: it listens already
 * @param fd       bound; closed with the listener only with LEV_OPT_CLOSE_ON_FREE
 * @return NULL with the socket error, if listening or watching is refused or memory is short: `fd`
 *         is still the caller's, whatever the flags
 */
EVENT2_EXPORT_SYMBOL
struct evconnlistener *evconnlistener_new(struct event_base *base, evconnlistener_cb cb, void *ptr,
					  unsigned flags, int backlog, evutil_socket_t fd);

/**
 * Open a stream socket, bind it and listen.
 *
 * Keep-alive probes are switched on (300 s, see evutil_set_tcp_keepalive()) unless it is of the
 * Unix domain, which refuses LEV_OPT_REUSEABLE and LEV_OPT_REUSEABLE_PORT.
 *
 * @param backlog  for listen(2); below 0: a default, 128; 0 is refused
 * @param sa       `socklen` bytes; port 0 lets the system choose (getsockname(2) tells)
 * @return NULL with the error of the step that failed; nothing is left open
 */
EVENT2_EXPORT_SYMBOL
struct evconnlistener *evconnlistener_new_bind(struct event_base *base, evconnlistener_cb cb,
					       void *ptr, unsigned flags, int backlog,
					       const struct sockaddr *sa, int socklen);

/** Change callback and argument, from the next connection on. NULL acts as disable does. */
EVENT2_EXPORT_SYMBOL
void evconnlistener_set_cb(struct evconnlistener *lev, evconnlistener_cb cb, void *arg);

/**
 * Set what is called when accepting fails; NULL removes it, and failures are logged.
 *
 * The socket error is readable in it. The listener stays enabled unless the callback disables or
 * frees it.
 */
EVENT2_EXPORT_SYMBOL
void evconnlistener_set_error_cb(struct evconnlistener *lev, evconnlistener_errorcb errorcb);

#ifdef __cplusplus
}
#endif

#endif
