/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_BUFFEREVENT_H_INCLUDED_
#define EVENT2_BUFFEREVENT_H_INCLUDED_

/**
 * @file event2/bufferevent.h
 *
 * A buffered stream: the library moves bytes between two buffers and a transport, and tells when
 * there is something to read, when everything is written, and when the transport has news.
 *
 * Transports are sockets, another bufferevent (filters, TLS: event2/bufferevent_ssl.h), and the
 * other one of a pair. These rules hold for every function unless its comment says otherwise.
 *
 * Errors     `int` functions return 0 on success and -1 on failure; on failure nothing has changed.
 *            NULL arguments are not allowed where the comment does not allow them.
 * Threads    One thread at a time; any number with BEV_OPT_THREADSAFE, after the program has set up
 *            locks (event2/thread.h). Without locks set up that option does nothing.
 * Callbacks  Run in the loop's thread, right after what caused them, with the lock held; see
 *            BEV_OPT_DEFER_CALLBACKS and BEV_OPT_UNLOCK_CALLBACKS. They may call any function
 *            here on any bufferevent, their own included, and free it. Two threads whose locked
 *            callbacks use each other's bufferevents can deadlock: unlock the callbacks then.
 * Order      BEV_EVENT_CONNECTED comes first; data that has arrived is told before an end or
 *            error that followed it. Each end, error and timeout is told once, and disables the
 *            direction it concerns; enabling that again tries again.
 * Sending    Output added during a round of the loop is sent together at the end of that round.
 */

#include <event2/visibility.h>
#include <event2/event-config.h>
#include <event2/util.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bufferevent;
struct bufferevent_rate_limit_group;
struct ev_token_bucket_cfg;
struct evbuffer;
struct evdns_base;
struct event_base;

/** How a bufferevent is made: any of these, or 0. */
enum bufferevent_options {
	/** Close the descriptor, or free the wrapped bufferevent, with this one. */
	BEV_OPT_CLOSE_ON_FREE = 1,
	/** May be used by several threads; buffers and bufferevent share one recursive lock. */
	BEV_OPT_THREADSAFE = 2,
	/** Callbacks run from the loop, later than their cause; several causes become one call. */
	BEV_OPT_DEFER_CALLBACKS = 4,
	/** Callbacks run without the lock. Only together with BEV_OPT_DEFER_CALLBACKS. */
	BEV_OPT_UNLOCK_CALLBACKS = 8,
};

/** How far bufferevent_flush() goes, and what filter functions are called for. */
enum bufferevent_flush_mode {
	/** As usual. */
	BEV_NORMAL = 0,
	/** Pass on what there is, even if more would be better. */
	BEV_FLUSH = 1,
	/** Nothing follows: end the stream. */
	BEV_FINISHED = 2,
};

/** How bufferevent_trigger() and bufferevent_trigger_event() call: any of these, or 0. */
enum bufferevent_trigger_options {
	/** Whatever the low marks say. */
	BEV_TRIG_IGNORE_WATERMARKS = 65536,
	/** From the loop. */
	BEV_TRIG_DEFER_CALLBACKS = 4,
};

/** What a filter function returns. */
enum bufferevent_filter_result {
	/** Made progress; call again if there is more and room for it. */
	BEV_OK = 0,
	/** Nothing to be done until there is more input. */
	BEV_NEED_MORE = 1,
	/** The stream is broken. */
	BEV_ERROR = 2,
};

/** While reading. */
#define BEV_EVENT_READING 1
/** While writing. */
#define BEV_EVENT_WRITING 2
/** The peer has ended its stream. */
#define BEV_EVENT_EOF 16
/** An error: in the callback EVUTIL_SOCKET_ERROR() tells which. */
#define BEV_EVENT_ERROR 32
/** No progress for as long as bufferevent_set_timeouts() allows. */
#define BEV_EVENT_TIMEOUT 64
/** The connection stands; on TLS bufferevents, the handshake is done. */
#define BEV_EVENT_CONNECTED 128
/** The largest rate and burst. */
#define EV_RATE_LIMIT_MAX EV_SSIZE_MAX

/** There is something to read, or everything is written. */
typedef void (*bufferevent_data_cb)(struct bufferevent *bev, void *ctx);

/** News of the transport. `what`: BEV_EVENT_* bits. */
typedef void (*bufferevent_event_cb)(struct bufferevent *bev, short what, void *ctx);

/**
 * A filter: take from the front of `src`, append to `dst`.
 *
 * Bytes written to the bufferevent meanwhile are for the next call, which never starts inside one.
 *
 * @param dst_limit  bytes until `dst` reaches its high mark; -1 for no limit. A wish, not a rule.
 * @param mode       in BEV_FLUSH and BEV_FINISHED also called with an empty `src`
 * @param ctx        as given to bufferevent_filter_new()
 */
typedef enum bufferevent_filter_result (*bufferevent_filter_cb)(struct evbuffer *src,
								struct evbuffer *dst,
								ev_ssize_t dst_limit,
								enum bufferevent_flush_mode mode,
								void *ctx);

/* --- Making and freeing ----------------------------------------------------------------------- */

/**
 * Make a bufferevent over a stream descriptor.
 *
 * Nothing is read, written or called back until data is written, a direction is enabled or a
 * connection is begun.
 *
 * @param base     the loop; NULL means the one event_init() made
 * @param fd       a nonblocking stream socket (or pipe), connected or not; -1 to set or connect one
 *                 later. The library leaves its flags alone.
 * @param options  bits of enum bufferevent_options
 * @return the bufferevent, owned by the caller (bufferevent_free()); NULL on bad options, without a
 *         base, or when out of memory: `fd` is then as before
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_socket_new(struct event_base *base, evutil_socket_t fd,
					   int options);

/**
 * Make two bufferevents of which each receives what the other is written.
 *
 * Bytes move inside the call that allows it: a write, enabling, draining a full input. Callbacks
 * are always deferred, BEV_OPT_CLOSE_ON_FREE means nothing, both share one lock. Rate limits and
 * single transfer sizes do not apply. Freeing one tells the other nothing: flush it with
 * BEV_FINISHED before if it is to know.
 *
 * @param base     the loop; NULL means the one event_init() made
 * @param options  bits of enum bufferevent_options
 * @param pair     receives the two, owned by the caller; untouched on failure
 * @return 0; -1 on bad options, without a base, or when out of memory
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_pair_new(struct event_base *base, int options, struct bufferevent *pair[2]);

/**
 * Put functions between the user and another bufferevent.
 *
 * Takes over the underlying one's callbacks and enables both its directions; it reads only while
 * the filter has EV_READ enabled. Keep away from its buffers and callbacks until the filter is
 * freed. Its events are passed on. Its end of file first gives the input filter a last call in mode
 * BEV_FINISHED. A filter function that returns BEV_ERROR ends its direction with
 * BEV_EVENT_ERROR|BEV_EVENT_READING or _WRITING; no byte is lost by that.
 *
 * @param underlying     what is wrapped; kept alive by a reference, and freed with the filter if
 *                       `options` has BEV_OPT_CLOSE_ON_FREE
 * @param input_filter   turns the underlying input into the filter's; NULL passes bytes unchanged
 * @param output_filter  turns the filter's output into the underlying one's; NULL likewise
 * @param options        bits of enum bufferevent_options
 * @param free_context   called once with `ctx` when the filter is destroyed; may be NULL
 * @param ctx            for the three functions
 * @return the bufferevent, owned by the caller; NULL if `underlying` is NULL, on bad options, or
 *         when out of memory: then nothing has changed, and `free_context` is not called
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_filter_new(struct bufferevent *underlying,
					   bufferevent_filter_cb input_filter,
					   bufferevent_filter_cb output_filter, int options,
					   void (*free_context)(void *), void *ctx);

/**
 * Take the callbacks away, cancel what is under way, and drop the creator's reference.
 *
 * With the last reference the output that is not sent is discarded, a lookup or connection attempt
 * is cancelled, and the descriptor is closed if BEV_OPT_CLOSE_ON_FREE was given: at once, unless a
 * callback of this bufferevent is running somewhere. No callback starts any more once this has
 * returned, except that with unlocked callbacks one may just have started in another thread.
 *
 * @param bufev  NULL does nothing. May be called in any of its callbacks and from any thread.
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_free(struct bufferevent *bufev);

/**
 * Add a reference. After bufferevent_free() the others keep the bufferevent working, silently: what
 * is written to it is still sent.
 *
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_incref(struct bufferevent *bufev);

/**
 * Drop a reference.
 *
 * @return 1 if it was the last, and the bufferevent is gone; else 0
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_decref(struct bufferevent *bufev);

/**
 * Lock, recursively, and add a reference. Without BEV_OPT_THREADSAFE only the latter.
 *
 * The lock is that of both buffers; the two of a pair, and a filter and what is below it, share
 * one.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_lock(struct bufferevent *bufev);

/**
 * Undo one bufferevent_lock(). If the bufferevent was freed meanwhile, this may destroy it.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_unlock(struct bufferevent *bufev);

/* --- Callbacks -------------------------------------------------------------------------------- */

/**
 * Replace all three callbacks and their argument. Calls nothing by itself.
 *
 * What is pending is delivered to the callbacks that are set when it runs; what happens while a
 * callback is NULL is lost to it.
 *
 * @param readcb   runs after a read that leaves at least the low mark of bytes in the input
 * @param writecb  runs after a write that leaves at most the low mark of bytes in the output. With
 *                 the default mark of 0: when everything is sent
 * @param eventcb  runs on connections, ends, errors, timeouts
 * @param cbarg    for the three of them
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_setcb(struct bufferevent *bufev, bufferevent_data_cb readcb,
		       bufferevent_data_cb writecb, bufferevent_event_cb eventcb, void *cbarg);

/**
 * Tell the callbacks and their argument. Each pointer may be NULL.
 *
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_getcb(struct bufferevent *bufev, bufferevent_data_cb *readcb_ptr,
		       bufferevent_data_cb *writecb_ptr, bufferevent_event_cb *eventcb_ptr,
		       void **cbarg_ptr);

/**
 * Run data callbacks as if bytes had just moved.
 *
 * @param iotype   EV_READ and/or EV_WRITE
 * @param options  BEV_TRIG_IGNORE_WATERMARKS: whatever the marks say. BEV_TRIG_DEFER_CALLBACKS:
 *                 later, from the loop, as always if callbacks are deferred. Other bits are
 *                 ignored.
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_trigger(struct bufferevent *bufev, short iotype, int options);

/**
 * Run the event callback. What is enabled does not change.
 *
 * @param what     the BEV_EVENT_* bits it gets
 * @param options  BEV_TRIG_DEFER_CALLBACKS or 0
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_trigger_event(struct bufferevent *bufev, short what, int options);

/* --- Directions ------------------------------------------------------------------------------- */

/**
 * Let directions run, and start their timeouts afresh.
 *
 * EV_WRITE is enabled from the start. Enabling it explicitly on a socket whose output is empty
 * gives one write callback as soon as the socket is writable. There is no need to disable it for an
 * empty output.
 *
 * @param event  EV_READ and/or EV_WRITE
 * @return 0; -1 if the loop refuses the descriptor or memory is out: then nothing has changed
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_enable(struct bufferevent *bufev, short event);

/**
 * Stop directions. While EV_READ is disabled the peer's end and read errors go unnoticed; output
 * that is written while EV_WRITE is disabled waits. A connection attempt goes on.
 *
 * @param event  EV_READ and/or EV_WRITE
 * @return 0
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_disable(struct bufferevent *bufev, short event);

/**
 * Tell what the user has enabled, whether or not something holds it back at the moment.
 *
 * @return EV_READ and/or EV_WRITE, or 0
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
short bufferevent_get_enabled(struct bufferevent *bufev);

/**
 * Set how long a direction may stay without progress.
 *
 * Once it has, the direction is disabled and the event callback gets BEV_EVENT_TIMEOUT with
 * BEV_EVENT_READING or _WRITING, once until it is enabled again. The time runs only while the
 * direction is enabled and nothing holds it back; for writing only while there is output, or after
 * an explicit enable. It also watches connection attempts (writing). Any transfer is progress.
 *
 * @param timeout_read, timeout_write  copied; NULL or zero for none. A running one starts afresh.
 * @return 0; -1 when out of memory
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_set_timeouts(struct bufferevent *bufev, const struct timeval *timeout_read,
			     const struct timeval *timeout_write);

/**
 * Set watermarks, in bytes.
 *
 * Reading: `lowmark` is what makes the read callback run; at `highmark` (0: none) reading rests
 * until the user drains below it. A socket never exceeds it; filters and TLS may, by what cannot be
 * divided. Writing: at or below `lowmark` the write callback runs; `highmark` is what a filter or
 * TLS layer above fills this output to, and does not limit bufferevent_write().
 *
 * @param events  EV_READ and/or EV_WRITE: whose marks are set
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_setwatermark(struct bufferevent *bufev, short events, size_t lowmark,
			      size_t highmark);

/**
 * Tell the marks of one direction.
 *
 * @param events  exactly EV_READ or exactly EV_WRITE
 * @param lowmark, highmark  may be NULL
 * @return 0; -1 for any other `events`, and nothing is stored
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_getwatermark(struct bufferevent *bufev, short events, size_t *lowmark,
			     size_t *highmark);

/**
 * Push bytes on, for types that hold any back.
 *
 * Sockets: nothing to do. Pairs: BEV_FLUSH moves everything, whatever is enabled and whatever the
 * marks say; BEV_FINISHED also tells the partner the end. Filters: runs the functions in that mode,
 * then flushes below.
 *
 * @param iotype  EV_READ and/or EV_WRITE
 * @return -1 if the type cannot; else 0, or 1 if a filter function has made progress
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_flush(struct bufferevent *bufev, short iotype, enum bufferevent_flush_mode mode);

/* --- Moving data ------------------------------------------------------------------------------ */

/**
 * Append a copy of bytes to the output. Sockets send it at the end of the loop's round.
 *
 * There is no limit but memory: if the peer may be slow, wait for write callbacks.
 *
 * @param data  `size` bytes; may be NULL if `size` is 0
 * @return 0; -1 when out of memory
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_write(struct bufferevent *bufev, const void *data, size_t size);

/**
 * Move all of a buffer to the end of the output, without copying.
 *
 * @return 0, and `buf` is empty; -1, and nothing has moved
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_write_buffer(struct bufferevent *bufev, struct evbuffer *buf);

/**
 * Take bytes from the input.
 *
 * @param data  room for `size` bytes
 * @return bytes taken; 0 if there are none, or if the input is frozen
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
size_t bufferevent_read(struct bufferevent *bufev, void *data, size_t size);

/**
 * Move all of the input to the end of a buffer, without copying.
 *
 * @return 0; -1, and nothing has moved
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_read_buffer(struct bufferevent *bufev, struct evbuffer *buf);

/**
 * The buffer of received bytes, as long-lived as the bufferevent. Take from it; appending fails.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
struct evbuffer *bufferevent_get_input(struct bufferevent *bufev);

/**
 * The buffer of bytes to send, as long-lived as the bufferevent. Append to it; taking fails.
 *
 * References and files are welcome: a socket sends files straight from their descriptor.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
struct evbuffer *bufferevent_get_output(struct bufferevent *bufev);

/**
 * Limit what one readiness reads at most.
 *
 * By default reading adapts to what the connection delivers; the getter then tells 16384.
 *
 * @param size  bytes; 0, or more than EV_SSIZE_MAX, for the default
 * @return 0; -1 if larger than INT_MAX otherwise, and nothing has changed
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_set_max_single_read(struct bufferevent *bev, size_t size);

/**
 * Limit what one write passes to the system at most.
 *
 * @param size  bytes; 0, or more than EV_SSIZE_MAX, for the default: all there is
 * @return 0
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_set_max_single_write(struct bufferevent *bev, size_t size);

/**
 * Tell the limit of a single transfer in bytes; 16384 if none was set.
 *
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
ev_ssize_t bufferevent_get_max_single_read(struct bufferevent *bev);

/** Likewise for writing. */
EVENT2_EXPORT_SYMBOL
ev_ssize_t bufferevent_get_max_single_write(struct bufferevent *bev);

/**
 * Tell what would be transferred now: the least of the single-transfer size and what rate limits
 * allow, in bytes. Never negative.
 *
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
ev_ssize_t bufferevent_get_max_to_read(struct bufferevent *bev);

/** Likewise for writing. */
EVENT2_EXPORT_SYMBOL
ev_ssize_t bufferevent_get_max_to_write(struct bufferevent *bev);

/* --- Descriptors and connecting --------------------------------------------------------------- */

/**
 * Use another descriptor; abandons a lookup or a connection attempt.
 *
 * The old one is not closed. Both buffers keep their bytes, and until the next transfer accept all
 * operations, so that they can be cleared. What is enabled goes on at once on the new one.
 * On filters this is the underlying one's matter.
 *
 * @param fd  nonblocking; -1 detaches
 * @return 0; -1 for types without descriptor
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_setfd(struct bufferevent *bufev, evutil_socket_t fd);

/**
 * Close the descriptor, if there is one, then do as bufferevent_setfd().
 *
 * @return 0; -1 for types without descriptor, or if closing fails: the old one is then kept
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_replacefd(struct bufferevent *bufev, evutil_socket_t fd);

/**
 * The descriptor; that of the underlying bufferevent for those that wrap one; -1 if there is none.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
evutil_socket_t bufferevent_getfd(struct bufferevent *bufev);

/**
 * Connect; makes a nonblocking stream socket first if there is no descriptor.
 *
 * The outcome comes from the loop, never inside this call: BEV_EVENT_CONNECTED, or BEV_EVENT_ERROR
 * alone, with the socket error set. Nothing is read or written before. After an error use a fresh
 * socket: bufferevent_replacefd(bufev, -1), and connect again. On a filter it connects what is
 * below.
 *
 * @param addr     where to; copied. NULL declares that the user's own connect() is under way.
 * @param socklen  its size in bytes
 * @return 0: launched. -1: failed at once, without event; the socket error tells why, and a socket
 *         made here is closed again
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_socket_connect(struct bufferevent *bufev, const struct sockaddr *addr, int socklen);

/**
 * Look up a name, then connect to its addresses.
 *
 * They are tried in the order of RFC 8305 (families by turns, the next one after 250 ms without
 * answer or at once after a failure); the first connection to stand wins. A descriptor that was set
 * before is used for the first address only. One event tells the outcome, from the loop:
 * BEV_EVENT_CONNECTED, or BEV_EVENT_ERROR, then see bufferevent_socket_get_dns_error().
 * bufferevent_setfd() and bufferevent_free() cancel it silently.
 *
 * @param evdns_base  asks asynchronously; NULL blocks in the system's resolver inside this call
 * @param family      AF_INET, AF_INET6, or AF_UNSPEC
 * @param hostname    a name, an IPv4 or IPv6 literal, or an IPv6 literal in brackets; copied
 * @param port        1 to 65535, in host order
 * @return 0: launched. -1: bad arguments or out of memory, without event
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_socket_connect_hostname(struct bufferevent *bufev, struct evdns_base *evdns_base,
					int family, const char *hostname, int port);

/**
 * Likewise, with full control of the lookup.
 *
 * @param hints_in  as for getaddrinfo(3); copied. Family as above; socket type and protocol default
 *                  to stream and TCP. NULL means AF_UNSPEC and no flags.
 * @since 2.2
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_socket_connect_hostname_hints(struct bufferevent *bufev,
					      struct evdns_base *evdns_base,
					      const struct evutil_addrinfo *hints_in,
					      const char *hostname, int port);

/**
 * Tell how the last lookup ended.
 *
 * @return 0 before any lookup, while one is under way, or after success; else an EVUTIL_EAI_* code
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_socket_get_dns_error(struct bufferevent *bev);

/* --- Properties ------------------------------------------------------------------------------- */

/**
 * The loop this bufferevent works in. Never NULL.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
struct event_base *bufferevent_get_base(struct bufferevent *bev);

/**
 * Move an idle socket bufferevent to another loop: before anything is enabled, written or
 * connecting.
 *
 * @return 0; -1 for other types, or if it is busy
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_base_set(struct event_base *base, struct bufferevent *bufev);

/**
 * Set the priority of its events and deferred callbacks; bufferevent_setfd() keeps it.
 *
 * @param pri  0 (first) to the base's number of priorities - 1
 * @return 0; -1 for pairs and filters, out of range, or while its event is active: then unchanged
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_priority_set(struct bufferevent *bufev, int pri);

/**
 * The priority; by default the number of priorities / 2.
 *
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_get_priority(const struct bufferevent *bufev);

/**
 * What a filter or TLS bufferevent was put over; NULL for all others.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_get_underlying(struct bufferevent *bufev);

/**
 * The other one of a pair; NULL if it was freed, or if `bev` is not of a pair.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *bufferevent_pair_get_partner(struct bufferevent *bev);

/* --- Rate limits of one bufferevent ----------------------------------------------------------- */

/**
 * Describe a limit: at each tick a bucket gains its rate, up to its burst, and each byte that moves
 * takes one from it. Time is monotonic.
 *
 * @param read_rate, write_rate    bytes per tick; at least 1, at most the burst
 * @param read_burst, write_burst  bytes; at most EV_RATE_LIMIT_MAX
 * @param tick_len  at least 1 ms, at most INT_MAX / 1000 s; fractions of a millisecond are ignored.
 *                  NULL means one second.
 * @return the configuration, owned by the caller (ev_token_bucket_cfg_free()); NULL if anything is
 *         out of range, or when out of memory
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
struct ev_token_bucket_cfg *ev_token_bucket_cfg_new(size_t read_rate, size_t read_burst,
						    size_t write_rate, size_t write_burst,
						    const struct timeval *tick_len);

/**
 * Free a configuration that nothing uses any more. NULL does nothing.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
void ev_token_bucket_cfg_free(struct ev_token_bucket_cfg *cfg);

/**
 * Limit a socket or TLS bufferevent; it starts with one tick's worth.
 *
 * Where a bucket is empty the direction rests, without timeout, until the next tick. On pairs and
 * filters it has no effect on what moves.
 *
 * @param cfg  borrowed until it is replaced or the bufferevent is gone; may serve many. NULL
 *             removes the limit. Replacing one by another takes what is above the new burst, and
 *             gives nothing.
 * @return 0; -1 when out of memory
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_set_rate_limit(struct bufferevent *bev, struct ev_token_bucket_cfg *cfg);

/**
 * The configuration in force, or NULL.
 *
 * @since 2.1
 */
EVENT2_EXPORT_SYMBOL
const struct ev_token_bucket_cfg *bufferevent_get_token_bucket_cfg(const struct bufferevent *bev);

/**
 * Tell the level of the bufferevent's own bucket in bytes, which may be negative; EV_SSIZE_MAX
 * without such a limit. A group's limit is not included.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
ev_ssize_t bufferevent_get_read_limit(struct bufferevent *bev);

/** Likewise for writing. */
EVENT2_EXPORT_SYMBOL
ev_ssize_t bufferevent_get_write_limit(struct bufferevent *bev);

/**
 * Take bytes from the bucket by hand, for traffic that went another way; a negative number gives,
 * even above the burst.
 *
 * @return 0; -1 if there is no limit of its own
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_decrement_read_limit(struct bufferevent *bev, ev_ssize_t decr);

/** Likewise for writing. */
EVENT2_EXPORT_SYMBOL
int bufferevent_decrement_write_limit(struct bufferevent *bev, ev_ssize_t decr);

/* --- Rate limits of groups -------------------------------------------------------------------- */

/**
 * Make a group, whose members share one pair of buckets.
 *
 * @param base  runs the group's timer; members may belong to other loops. NULL means the one
 *              event_init() made.
 * @param cfg   copied
 * @return the group, owned by the caller; NULL when out of memory
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent_rate_limit_group *bufferevent_rate_limit_group_new(
	struct event_base *base, const struct ev_token_bucket_cfg *cfg);

/**
 * Free a group; members that it still has leave it first. NULL does nothing.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_rate_limit_group_free(struct bufferevent_rate_limit_group *);

/**
 * Replace the limits; what is above the new bursts is taken, nothing is given.
 *
 * @return 0; -1 if either is NULL
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_rate_limit_group_set_cfg(struct bufferevent_rate_limit_group *,
					 const struct ev_token_bucket_cfg *);

/**
 * Set what a member may move at least when it gets its turn, so that many members do not make many
 * tiny transfers. 64 by default; both rates cap it.
 *
 * @param share  bytes; 0 for no minimum
 * @return 0; -1 above EV_SSIZE_MAX
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_rate_limit_group_set_min_share(struct bufferevent_rate_limit_group *, size_t);

/**
 * Make a bufferevent a member, after it has left the group it may be in. Its own limit counts as
 * well: the smaller allowance wins, and both are charged.
 *
 * @param g  NULL: only leave
 * @return 0; -1 when out of memory
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_add_to_rate_limit_group(struct bufferevent *bev,
					struct bufferevent_rate_limit_group *g);

/**
 * Leave the group, if in one; what the group held back goes on. bufferevent_free() does it, too.
 *
 * @return 0
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_remove_from_rate_limit_group(struct bufferevent *bev);

/**
 * Tell the level of the group's bucket in bytes; it may be negative.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
ev_ssize_t bufferevent_rate_limit_group_get_read_limit(struct bufferevent_rate_limit_group *);

/** Likewise for writing. */
EVENT2_EXPORT_SYMBOL
ev_ssize_t bufferevent_rate_limit_group_get_write_limit(struct bufferevent_rate_limit_group *);

/**
 * Take bytes from the group's bucket by hand; a negative number gives. Members that may go on do so
 * from the group's loop.
 *
 * @return 0
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
int bufferevent_rate_limit_group_decrement_read(struct bufferevent_rate_limit_group *, ev_ssize_t);

/** Likewise for writing. */
EVENT2_EXPORT_SYMBOL
int bufferevent_rate_limit_group_decrement_write(struct bufferevent_rate_limit_group *, ev_ssize_t);

/**
 * Tell how many bytes members have moved since the group was made or the totals were reset.
 *
 * @param total_read_out, total_written_out  may be NULL
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_rate_limit_group_get_totals(struct bufferevent_rate_limit_group *grp,
					     ev_uint64_t *total_read_out,
					     ev_uint64_t *total_written_out);

/**
 * Set both totals to 0.
 *
 * @since 2.0
 */
EVENT2_EXPORT_SYMBOL
void bufferevent_rate_limit_group_reset_totals(struct bufferevent_rate_limit_group *grp);

#ifdef __cplusplus
}
#endif

#endif
