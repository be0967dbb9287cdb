/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_COMPONENT_TLS_H_INCLUDED_
#define EVENT2_COMPONENT_TLS_H_INCLUDED_

/**
 * @file event2/component/tls.h
 *
 * TLS bufferevents without a TLS library: an engine that knows when to shake hands, read, write and
 * report, over a table of what differs between TLS libraries.
 *
 * An adapter (libevent_openssl, libevent_mbedtls) provides the table and makes bufferevents with
 * evi_tls_socket_new() and evi_tls_filter_new(). The TLS object moves its records through
 * evi_tls_recv() and evi_tls_send(), whatever is below.
 *
 * Like event2/component/reactor.h this is for components of the same release only.
 */

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/component/reactor.h>

#ifdef __cplusplus
extern "C" {
#endif

struct evi_tls;

enum evi_tls_result {
	EVI_TLS_OK,
	EVI_TLS_WANT_READ,  /* the transport must have something to read first */
	EVI_TLS_WANT_WRITE, /* the transport must take something first */
	EVI_TLS_CLOSED,     /* the peer's close_notify */
	EVI_TLS_FAILED      /* for good; codes were told by evi_tls_note_error() */
};

/** How far a new handshake on a connection that stands has come. */
enum evi_tls_renegotiation {
	EVI_TLS_SETTLED,   /* there is none */
	EVI_TLS_ASKED,     /* the peer was asked to begin; data goes both ways */
	EVI_TLS_UNDER_WAY  /* data may still come in, none may be written */
};

/**
 * What a TLS library does. All run with the bufferevent's lock held. `object` is the TLS object.
 * The library may call the user back meanwhile (to verify, to log), who may do anything with the
 * bufferevent, but with `object` nothing that frees it or gives it to another.
 */
struct evi_tls_ops {
	const char *name;

	/**
	 * Let `object` move records through `tls` from now on, instead of what it had. 0 or -errno.
	 */
	int (*attach)(void *object, struct evi_tls *tls);

	/**
	 * Prepare for a new handshake, as a client or a server; the user's settings stay. 0 or
	 * -errno. BUFFEREVENT_SSL_OPEN: there is none, but the connection goes on with another
	 * descriptor.
	 */
	int (*reset)(void *object, enum bufferevent_ssl_state role);

	enum evi_tls_result (*handshake)(struct evi_tls *tls, void *object);

	/** Up to `len` > 0 bytes of the user's data; *ret_len only with EVI_TLS_OK, above 0. */
	enum evi_tls_result (*read)(struct evi_tls *tls, void *object, void *data, size_t len,
				    size_t *ret_len);

	/**
	 * Nonzero if it holds bytes of the transport, decrypted or not, for read() to go on with.
	 */
	int (*holds_bytes)(void *object);

	/**
	 * After WANT_* it is called again with the same bytes, maybe elsewhere, and the same `len`.
	 */
	enum evi_tls_result (*write)(struct evi_tls *tls, void *object, const void *data,
				     size_t len, size_t *ret_len);

	/**
	 * Let the kernel send up to `len` bytes of a file from `offset` on, as data of the user.
	 * EVI_TLS_OK with 0 bytes if it cannot: then read the file, and write(). NULL: never.
	 */
	enum evi_tls_result (*send_file)(struct evi_tls *tls, void *object, int file,
					 ev_off_t offset, size_t len, size_t *ret_len);

	/** Nonzero if a new handshake on the connection that stands is possible. */
	int (*can_renegotiate)(void *object);

	/** Begin one; no write is to be repeated. 0 or -errno. */
	int (*renegotiate)(void *object);

	/** Say that no more data will follow (close_notify). 0, or -errno if that had to wait. */
	int (*finish)(void *object);

	/** Asked after every read and write, for the peer may begin one as well. */
	enum evi_tls_renegotiation (*renegotiation)(void *object);

	/**
	 * Go on with it, like read(), but leave data where it is.
	 *
	 * @return EVI_TLS_OK if it is over, or if data is in the way: then read() goes on
	 */
	enum evi_tls_result (*advance)(struct evi_tls *tls, void *object);

	/**
	 * The bufferevent goes, the object stays: give it `fd` (-1: nothing) as its transport. It
	 * is the user's again, maybe for another bufferevent.
	 */
	void (*release)(void *object, evutil_socket_t fd);

	/** Free the object; its transport is not closed. */
	void (*free)(void *object);

	/**
	 * Say in words what an error code means, or why the peer was refused; always ends in a NUL.
	 */
	void (*describe)(void *object, unsigned long code, char *text, size_t size);
};

/**
 * TLS on a descriptor; see bufferevent_openssl_socket_new().
 *
 * @return NULL on failure: then `object` is freed if `options` has BEV_OPT_CLOSE_ON_FREE; `fd` is
 *         not closed
 */
EVENT2_EXPORT_SYMBOL
struct bufferevent *evi_tls_socket_new(struct event_base *base, evutil_socket_t fd,
				       const struct evi_tls_ops *ops, void *object,
				       enum bufferevent_ssl_state state, int options);

/** TLS over another bufferevent; otherwise the same. `underlying` is not freed on failure. */
EVENT2_EXPORT_SYMBOL
struct bufferevent *evi_tls_filter_new(struct event_base *base, struct bufferevent *underlying,
				       const struct evi_tls_ops *ops, void *object,
				       enum bufferevent_ssl_state state, int options);

/** The object of a TLS bufferevent of that library; NULL for any other bufferevent. */
EVENT2_EXPORT_SYMBOL
void *evi_tls_object(struct bufferevent *bev, const struct evi_tls_ops *ops);

/** The last error code that was not taken yet, or 0; also for a bufferevent of another kind. */
EVENT2_EXPORT_SYMBOL
unsigned long evi_tls_take_error(struct bufferevent *bev);

/**
 * The last error code, in words; it is not taken.
 *
 * @return the code, or 0 if there is none, or `bev` is no TLS bufferevent: then `text` is untouched
 */
EVENT2_EXPORT_SYMBOL
unsigned long evi_tls_describe_error(struct bufferevent *bev, char *text, size_t size);

/** Start a new handshake on a connection that stands; 0 or -1. */
EVENT2_EXPORT_SYMBOL
int evi_tls_renegotiate(struct bufferevent *bev);

/* --- For the operations of the table -------------------------------------------------------- */

/** Bytes from the transport: how many, 0 at its end, or -EAGAIN or another negative errno. */
EVENT2_EXPORT_SYMBOL
ev_ssize_t evi_tls_recv(struct evi_tls *tls, void *data, size_t len);

/** Bytes to the transport: how many it took (above 0), or -EAGAIN or another negative errno. */
EVENT2_EXPORT_SYMBOL
ev_ssize_t evi_tls_send(struct evi_tls *tls, const void *data, size_t len);

/**
 * The same by other means than evi_tls_send(): `call` writes to the transport's descriptor, and
 * says how many bytes it took or a negative errno. Raises no SIGPIPE. -EINVAL and -ENOSYS are no
 * failures of the connection.
 */
EVENT2_EXPORT_SYMBOL
ev_ssize_t evi_tls_send_by(struct evi_tls *tls, ev_ssize_t (*call)(void *arg), void *arg);

/** The transport's descriptor, or -1. */
EVENT2_EXPORT_SYMBOL
evutil_socket_t evi_tls_fd(const struct evi_tls *tls);

/** Nonzero if records go straight to the descriptor, not to another bufferevent. */
EVENT2_EXPORT_SYMBOL
int evi_tls_is_on_socket(const struct evi_tls *tls);

/** Keep an error code for the user; 0 is ignored. */
EVENT2_EXPORT_SYMBOL
void evi_tls_note_error(struct evi_tls *tls, unsigned long code);

#ifdef __cplusplus
}
#endif

#endif
