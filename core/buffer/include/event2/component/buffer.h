/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_COMPONENT_BUFFER_H_INCLUDED_
#define EVENT2_COMPONENT_BUFFER_H_INCLUDED_

/**
 * @file event2/component/buffer.h
 *
 * What sibling components and authors of own bufferevent types use of libevent_buffer beyond the
 * public API: how a type of bufferevent is made, and how names are resolved.
 *
 * Like event2/component/reactor.h this is for components of the same release only: the symbols live
 * in a version node that carries the release.
 *
 * A type in short
 *
 *   A type is one constant `struct bufferevent_ops`. evi_bev_new() makes a bufferevent of it, with
 *   room for the type's own data, which evi_bev_data() finds. The base (this library) keeps what
 *   all types share: both buffers, callbacks and their deferral, marks, timeouts, references, the
 *   lock, what is enabled and what holds it back. The type moves bytes, and nothing else:
 *
 *     start()   a direction may run now         -> evi_bev_wait(): wait for the descriptor, the
 *     timer readable() the transport has something    -> move it to the input, evi_bev_moved(),
 *                                                  evi_bev_notify(EV_READ), or evi_bev_fail()
 *     output_grew() the user wrote              -> evi_bev_at_round_end(), so that many writes go
 *     as one round_end()  now is the time              -> write; if something is left,
 *     evi_bev_wait(EV_WRITE) stop()    no more for now                 -> evi_bev_unwait()
 *
 *   A direction *is active* while it is enabled by the user and no EVI_BEV_HELD_* bit is set; only
 *   then does the user's data move. start() and stop() are the edges of that.
 *
 * Threads and life
 *
 *   Every operation of the table runs with the bufferevent's lock held (if it has one) and the
 *   object kept alive until the operation returns, destroy() excepted. Every function here expects
 *   the same of its caller, except evi_bev_new(), evi_bev_enter() and what says otherwise. A
 *   callback of the user's may run inside evi_bev_notify(), _notify_event() and _fail(), and may do
 *   anything, free the bufferevent included: ask evi_bev_is_alive() afterwards before moving more
 *   bytes.
 *
 * Errors    Functions that can fail return 0 or a negative socket error number.
 */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_struct.h>
#include <event2/component/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- The table of a type ---------------------------------------------------------------------- */

/** bufferevent_ops.traits: has a descriptor of its own; can connect and have a priority. */
#define EVI_BEV_DESCRIPTOR 1u
/** bufferevent_ops.traits: callbacks are always deferred, as with BEV_OPT_DEFER_CALLBACKS. */
#define EVI_BEV_ALWAYS_DEFERS 2u
/** bufferevent_ops.traits: bufferevent_base_set() may move an idle one to another loop. */
#define EVI_BEV_CHANGES_BASE 4u
/** bufferevent_ops.traits: rate limits may be set, and do nothing. */
#define EVI_BEV_UNLIMITED 8u
/** bufferevent_ops.traits: with EVI_BEV_DESCRIPTOR, has the middle priority and no other. */
#define EVI_BEV_FIXED_PRIORITY 16u

/** Why start() is called. */
enum evi_bev_cause {
	EVI_BEV_ENABLED, /* bufferevent_enable(), also if it was enabled before */
	EVI_BEV_RESUMED, /* what held the direction back is gone */
	EVI_BEV_ATTACHED, /* there is a new descriptor */
	EVI_BEV_CONNECTED /* the descriptor's connection, which held the direction back, stands */
};

/**
 * The operations of a type. NULL means: nothing to do, or what the comment says.
 *
 * `bev` is always a bufferevent of the type. `directions` is EV_READ, EV_WRITE or both.
 */
struct bufferevent_ops {
	/** For messages. */
	const char *name;

	/** EVI_BEV_DESCRIPTOR, EVI_BEV_ALWAYS_DEFERS, ..., or 0. */
	unsigned traits;

	/**
	 * Let `directions`, which are active, run. Must be harmless when they run already; then, if
	 * `cause` is EVI_BEV_ENABLED, the timeouts start afresh (which evi_bev_wait() does).
	 *
	 * @return 0, or a negative error: bufferevent_enable() fails with it, other causes report
	 *         it
	 */
	int (*start)(struct bufferevent *bev, short directions, enum evi_bev_cause cause);

	/** Stop `directions`; they may never have been started. */
	void (*stop)(struct bufferevent *bev, short directions);

	/** Bytes were added to the output, and EV_WRITE is active. */
	void (*output_grew)(struct bufferevent *bev);

	/** The end of the round, after evi_bev_at_round_end(). Look at what is active. */
	void (*round_end)(struct bufferevent *bev);

	/**
	 * The transport may have bytes: the descriptor evi_bev_wait() watched is readable, or the
	 * wrapped bufferevent's input has reached its low mark. Not called while connecting.
	 */
	void (*readable)(struct bufferevent *bev);

	/** Likewise: the transport may take bytes. */
	void (*writable)(struct bufferevent *bev);

	/** A timeout is about to disable `direction` and to be reported. */
	void (*timed_out)(struct bufferevent *bev, short direction);

	/** An event of the wrapped bufferevent. NULL passes it on to the user. */
	void (*transport_event)(struct bufferevent *bev, short what);

	/**
	 * Begin to connect the descriptor. NULL: connect(2), and the descriptor is watched.
	 *
	 * @return 0: under way; a negative error: nothing will follow
	 */
	int (*connect)(struct bufferevent *bev, const struct sockaddr *sa, int len);

	/**
	 * The descriptor's connection, made by bufferevent_socket_connect(), stands. NULL reports
	 * BEV_EVENT_CONNECTED. start() has run for what is active, with EVI_BEV_CONNECTED.
	 */
	void (*connected)(struct bufferevent *bev);

	/**
	 * Take another descriptor; -1 detaches. NULL: with EVI_BEV_DESCRIPTOR evi_bev_set_fd(), on
	 * a wrapping type bufferevent_setfd() of the wrapped one, otherwise refuse.
	 *
	 * @return 0 or a negative error
	 */
	int (*set_fd)(struct bufferevent *bev, evutil_socket_t fd);

	/** bufferevent_flush(): its result. NULL refuses (-1). */
	int (*flush)(struct bufferevent *bev, short directions, enum bufferevent_flush_mode mode);

	/**
	 * The last reference is gone: no I/O and no callback from now on. Let go of partners and of
	 * what the user may use on at once. The base itself has stopped waiting, and lets go of the
	 * wrapped bufferevent next. Calls may be under way further up the stack.
	 */
	void (*detach)(struct bufferevent *bev);

	/**
	 * Release what the type holds; the memory goes right afterwards. Runs once, in the loop's
	 * thread or where no loop runs, without the lock. The base itself closes the descriptor.
	 */
	void (*destroy)(struct bufferevent *bev);
};

/* --- Life ------------------------------------------------------------------------------------- */

/**
 * Make a bufferevent: EV_WRITE enabled, nothing else set; input's end and output's front frozen.
 *
 * @param ops        the type; borrowed for ever
 * @param base       the loop; NULL means the one event_init() made
 * @param options    bits of enum bufferevent_options; checked here (BEV_OPT_UNLOCK_CALLBACKS needs
 *                   BEV_OPT_DEFER_CALLBACKS)
 * @param data_size  bytes of the type's own data, zeroed; 0 if it has none
 * @return with one reference, for bufferevent_free(); NULL on bad options, without base, or without
 *         memory. destroy() does not run for one that was never returned.
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *evi_bev_new(const struct bufferevent_ops *ops, struct event_base *base,
				int options, size_t data_size);

/** The type's own data: aligned like malloc's, as long-lived as `bev`. No lock needed. */
EVENT2_EXPORT_SYMBOL
void *evi_bev_data(const struct bufferevent *bev);

/** Nonzero if `bev` is of the type. No lock needed. */
static inline int evi_bev_is(const struct bufferevent *bev, const struct bufferevent_ops *ops)
{
	return bev->be_ops == ops;
}

/** The options evi_bev_new() got. No lock needed. */
EVENT2_EXPORT_SYMBOL
int evi_bev_options(const struct bufferevent *bev);

/** Lock and keep alive. Recursive. The way in from all that is no operation of the table. */
EVENT2_EXPORT_SYMBOL
void evi_bev_enter(struct bufferevent *bev);

/** Undo evi_bev_enter(); the object may be gone afterwards. */
EVENT2_EXPORT_SYMBOL
void evi_bev_leave(struct bufferevent *bev);

/** Zero once the last reference is gone: no byte may move any more. */
EVENT2_EXPORT_SYMBOL
int evi_bev_is_alive(const struct bufferevent *bev);

/* --- Directions ------------------------------------------------------------------------------- */

/** Reasons to hold a direction back. The base sets and clears all but the last two itself. */
#define EVI_BEV_HELD_MARK    0x01u /* reading: the input is at its high mark */
#define EVI_BEV_HELD_LIMIT   0x02u /* the bufferevent's own rate limit */
#define EVI_BEV_HELD_GROUP   0x04u /* the group's rate limit */
#define EVI_BEV_HELD_CONNECT 0x08u /* connecting, or that has failed */
#define EVI_BEV_HELD_LOOKUP  0x10u /* the host's name is being resolved */
#define EVI_BEV_HELD_WRAPPER 0x20u /* reading: the bufferevent around this one does not want any */
#define EVI_BEV_HELD_TYPE    0x40u /* for the type's own use */

/** Those of `directions` that are active: enabled, and held back by nothing. */
EVENT2_EXPORT_SYMBOL
short evi_bev_active(const struct bufferevent *bev, short directions);

/** Set a reason. stop() runs for directions that were active. */
EVENT2_EXPORT_SYMBOL
void evi_bev_hold(struct bufferevent *bev, short directions, unsigned reason);

/** Clear a reason. start() runs, with EVI_BEV_RESUMED, for directions that become active. */
EVENT2_EXPORT_SYMBOL
void evi_bev_unhold(struct bufferevent *bev, short directions, unsigned reason);

/** Remove directions from what is enabled, as before an EOF, ERROR or TIMEOUT. stop() runs. */
EVENT2_EXPORT_SYMBOL
void evi_bev_disable(struct bufferevent *bev, short directions);

/* --- Waiting ---------------------------------------------------------------------------------- */

/**
 * Wait in `directions`: for the descriptor if there is one, until evi_bev_unwait(); and for the
 * direction's timeout if it is enabled and has one, which starts now and again with each readiness.
 * Calling it again starts the timeout again.
 *
 * On expiry the base disables the direction and reports BEV_EVENT_TIMEOUT.
 *
 * A type may wait in a direction that is not active (TLS handshakes do); the timeout then rests.
 *
 * @return 0, or a negative error; the direction then does not wait
 */
EVENT2_EXPORT_SYMBOL
int evi_bev_wait(struct bufferevent *bev, short directions);

/** Stop waiting. */
EVENT2_EXPORT_SYMBOL
void evi_bev_unwait(struct bufferevent *bev, short directions);

/** Those of `directions` that wait. */
EVENT2_EXPORT_SYMBOL
short evi_bev_waits(const struct bufferevent *bev, short directions);

/** Start the timeouts of waiting `directions` afresh; for types whose progress is not readiness. */
EVENT2_EXPORT_SYMBOL
void evi_bev_progress(struct bufferevent *bev, short directions);

/** Have round_end() called at the end of the round, before the loop waits again. Once is enough. */
EVENT2_EXPORT_SYMBOL
void evi_bev_at_round_end(struct bufferevent *bev);

/* --- Moving bytes ----------------------------------------------------------------------------- */

/** evi_bev_room(): as much as you like. */
#define EVI_BEV_ANY ((size_t)EV_SSIZE_MAX)

/**
 * How many bytes one transfer may move now: the least of the single-transfer size, the rate limits'
 * allowance and, for EV_READ, the room below the high mark. EVI_BEV_ANY if nothing limits it.
 *
 * 0 means wait, never "end": the direction is held, or will be, and start() tells when to go on.
 *
 * @param direction  EV_READ or EV_WRITE
 */
EVENT2_EXPORT_SYMBOL
size_t evi_bev_room(struct bufferevent *bev, short direction);

/**
 * `len` bytes went over the transport: charge them to the rate limits, which may hold the
 * direction. Freezes the buffer's end that belongs to the transport (see bufferevent_setfd()).
 */
EVENT2_EXPORT_SYMBOL
void evi_bev_moved(struct bufferevent *bev, short direction, size_t len);

/* --- Telling the user ------------------------------------------------------------------------- */

/**
 * Run the data callbacks of `directions` whose marks allow it.
 *
 * @param options  0, or bits of enum bufferevent_trigger_options
 */
EVENT2_EXPORT_SYMBOL
void evi_bev_notify(struct bufferevent *bev, short directions, int options);

/**
 * Run the event callback.
 *
 * @param what     BEV_EVENT_* bits
 * @param err      the socket error it will find; 0 if none
 * @param options  0 or BEV_TRIG_DEFER_CALLBACKS
 */
EVENT2_EXPORT_SYMBOL
void evi_bev_notify_event(struct bufferevent *bev, short what, int err, int options);

/**
 * Disable the directions that `what` names by BEV_EVENT_READING and _WRITING, then run the event
 * callback: how every end of file and error is reported.
 */
EVENT2_EXPORT_SYMBOL
void evi_bev_fail(struct bufferevent *bev, short what, int err);

/* --- Descriptors (EVI_BEV_DESCRIPTOR) --------------------------------------------------------- */

/** The descriptor or -1. */
EVENT2_EXPORT_SYMBOL
evutil_socket_t evi_bev_fd(const struct bufferevent *bev);

/** Give one just made its descriptor. Nothing starts: that takes data, enabling, connecting. */
EVENT2_EXPORT_SYMBOL
void evi_bev_adopt_fd(struct bufferevent *bev, evutil_socket_t fd);

/**
 * What bufferevent_setfd() does for a plain socket: abandon a lookup or connecting, stop waiting,
 * take `fd` (or -1), keep the priority, unfreeze the buffers, start() what is active.
 */
EVENT2_EXPORT_SYMBOL
int evi_bev_set_fd(struct bufferevent *bev, evutil_socket_t fd);

/* --- Wrapping another bufferevent (filters, TLS over a bufferevent) --------------------------- */

/**
 * Put `bev`, just made, over `transport`: takes its three callbacks, which become readable(),
 * writable() and transport_event(); shares its lock; keeps it alive until destroy(); enables both
 * its directions. Its reading is held until evi_bev_transport_read().
 *
 * When the last reference to `bev` goes, `transport` is freed if `bev` has BEV_OPT_CLOSE_ON_FREE;
 * otherwise it gets NULL callbacks, unless the user has set others, reads on, and is the user's.
 *
 * Without lock held; both are used by no other thread yet.
 *
 * @return 0 or a negative error: then nothing has changed
 */
EVENT2_EXPORT_SYMBOL
int evi_bev_wrap(struct bufferevent *bev, struct bufferevent *transport);

/** What `bev` was put over, also after the user let go of it; NULL if nothing. No lock needed. */
EVENT2_EXPORT_SYMBOL
struct bufferevent *evi_bev_transport(const struct bufferevent *bev);

/** Let the wrapped bufferevent read (nonzero), or hold it back. */
EVENT2_EXPORT_SYMBOL
void evi_bev_transport_read(struct bufferevent *bev, int wanted);

/* --- Buffers that are used again -------------------------------------------------------------- */

/**
 * What evbuffer_free() and then evbuffer_new() would do, in place: no bytes, no callback, no lock,
 * nothing set. No change callback runs.
 *
 * @return 0, or -EBUSY if it has a lock or somebody else holds on to it; nothing has changed then
 */
EVENT2_EXPORT_SYMBOL
int evi_evbuffer_renew(struct evbuffer *buf);

/* --- Names: how bufferevent_socket_connect_hostname() reaches an asynchronous resolver -------- */

struct evdns_base;

/**
 * Takes the answer.
 *
 * @param result  0 or an EVUTIL_EAI_* code
 * @param found   the addresses, owned by the callee (evutil_freeaddrinfo()); NULL unless result is
 *                0
 */
typedef void (*evi_resolved_fn)(int result, struct evutil_addrinfo *found, void *arg);

/** The resolver that owns struct evdns_base registers itself here when its first base is made. */
struct evi_resolver {
	/**
	 * Look up a name.
	 *
	 * @return a handle to cancel with, or NULL if `cb` has run already
	 */
	void *(*getaddrinfo)(struct evdns_base *base, const char *host, const char *service,
			     const struct evutil_addrinfo *hints, evi_resolved_fn cb, void *arg);

	/** Give up. Afterwards `cb` has run with EVUTIL_EAI_CANCEL, or will, from the loop. */
	void (*cancel)(void *handle);
};

/** Set the process's resolver; `resolver` is borrowed for ever. Idempotent. Any thread. */
EVENT2_EXPORT_SYMBOL
void evi_resolver_register(const struct evi_resolver *resolver);

/** The resolver, or NULL if none has registered. Any thread. */
EVENT2_EXPORT_SYMBOL
const struct evi_resolver *evi_resolver_get(void);

#ifdef __cplusplus
}
#endif

#endif
