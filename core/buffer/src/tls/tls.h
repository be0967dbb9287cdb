/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_TLS_INTERNAL_H_INCLUDED
#define EVI_TLS_INTERNAL_H_INCLUDED

/* What the files of the TLS engine share. */

#include <event2/component/buffer.h>
#include <event2/component/tls.h>

#define EVI_TLS_ERRORS_MAX 8

struct evi_tls {
	struct bufferevent *bev;
	const struct evi_tls_ops *ops;
	void *object;
	enum bufferevent_ssl_state role; /* as given when made; OPEN: no handshake of ours */
	ev_uint64_t flags;               /* BUFFEREVENT_SSL_ bits */

	unsigned is_shaking : 1;         /* the handshake is not over */
	unsigned is_paused : 1;          /* a timeout ended the handshake's turn */
	unsigned read_wants_write : 1;   /* a read waits until the transport takes something */
	unsigned write_wants_read : 1;   /* and the other way round */
	unsigned is_blocked : 1;         /* the transport did not take all */
	unsigned has_more : 1;           /* reading stopped before the object had no more */
	unsigned is_read_closed : 1;     /* the end was reported, or will not be */
	unsigned is_failed : 1;          /* nothing moves until there is a new descriptor */
	unsigned is_transport_ended : 1; /* the transport's end was seen */

	size_t retry_len;  /* of a write that has to be repeated; 0: none */
	int transport_err; /* the socket error that ended an operation; 0: none */
	size_t received;   /* transport bytes not yet charged */
	size_t sent;

	unsigned long errors[EVI_TLS_ERRORS_MAX];
	int error_count;
};

extern const struct bufferevent_ops evi_tls_socket_ops;
extern const struct bufferevent_ops evi_tls_filter_ops;

/* The engine of a TLS bufferevent, or NULL if it is of another kind. */
struct evi_tls *evi_tls_of(struct bufferevent *bev);

/* Forget what belongs to the old connection, and begin with the role given when made. 0 or -errno. */
int evi_tls_restart(struct evi_tls *tls);

/* Charge what went over the transport to the limits. */
void evi_tls_charge(struct evi_tls *tls);

#endif
