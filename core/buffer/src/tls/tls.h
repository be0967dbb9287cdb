/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_TLS_INTERNAL_H_INCLUDED
#define EVI_TLS_INTERNAL_H_INCLUDED

/* What the files of the TLS engine share. */

#include "bufferevent/bufferevent.h"

#include <event2/component/tls.h>

#define EVI_TLS_ERRORS_MAX 8

/* The largest piece of data in one record: RFC 8446 section 5.1. */
#define EVI_TLS_RECORD_MAX 16384

struct evi_tls {
	struct bufferevent *bev;
	const struct evi_tls_ops *ops;
	void *object; /* NULL before it was taken and after it was let go */
	enum bufferevent_ssl_state role; /* as given when made; OPEN: no handshake of ours */
	enum evi_tls_renegotiation renegotiation;
	ev_uint64_t flags;               /* BUFFEREVENT_SSL_ bits */

	unsigned is_shaking : 1;         /* the first handshake is not over */
	unsigned is_paused : 1;          /* a timeout stopped it */
	unsigned is_in_call : 1;         /* an operation of the table runs */
	unsigned is_in_turn : 1;         /* run() will see to what the user adds */
	unsigned read_wants_write : 1;   /* a read waits until the transport takes something */
	unsigned write_wants_read : 1;   /* and the other way round */
	unsigned is_blocked : 1;         /* the transport did not take all */
	unsigned has_more : 1;           /* reading stopped before the object had no more */
	unsigned is_read_closed : 1;     /* the end was reported, or will not be */
	unsigned is_failed : 1;          /* nothing moves until there is a new descriptor */
	unsigned is_drained : 1;         /* the socket had no more when it was read last */
	unsigned has_received : 1;       /* the transport gave something; for who has cleared it */
	unsigned is_transport_ended : 1; /* the transport's end was seen */
	unsigned is_renegotiation_due : 1;  /* the user asked; a write has to be repeated first */
	unsigned is_renegotiation_ours : 1; /* its end is reported */

	short advance_waits; /* what advancing a renegotiation waits for, while nothing is read */
	size_t retry_len;    /* of a write that has to be repeated; 0: none */
	int transport_err;   /* the socket error that ended an operation; 0: none */
	short failure_below; /* an event of the transport's that came during a call; 0: none */
	int failure_below_err;
	size_t received;     /* transport bytes not yet charged */
	size_t sent;

	struct event deadline;   /* of the first handshake */
	ev_uint64_t shake_start_ns; /* when it began; 0: it has not */

	unsigned long errors[EVI_TLS_ERRORS_MAX];
	int error_count;
};

extern const struct bufferevent_ops evi_tls_socket_ops;
extern const struct bufferevent_ops evi_tls_filter_ops;

/* Nonzero while bytes may move: alive, connected, not failed. */
static inline int evi_tls_is_running(const struct evi_tls *tls)
{
	return evi_bev_lives(evi_bev_of(tls->bev)) && !tls->is_failed;
}

/* Those of `directions` that are active. */
static inline short evi_tls_active(const struct evi_tls *tls, short directions)
{
	return evi_bev_moves(evi_bev_of(tls->bev), directions);
}

/* The engine of a TLS bufferevent, or NULL if it is of another kind. */
struct evi_tls *evi_tls_of(struct bufferevent *bev);

/* tls_new.c: the object goes back to the user, or is freed, as soon as no call into it runs. */
void evi_tls_let_go(struct evi_tls *tls);

/* Around every call of an operation that may call the user back. */
static inline void evi_tls_call_begin(struct evi_tls *tls)
{
	tls->is_in_call = 1;
}

static inline void evi_tls_call_end(struct evi_tls *tls)
{
	tls->is_in_call = 0;
	if (!evi_bev_lives(evi_bev_of(tls->bev)))
		evi_tls_let_go(tls);
}

/* tls_handshake.c: prepare the engine for its first handshake; stop what that has scheduled. */
void evi_tls_handshake_init(struct evi_tls *tls);
void evi_tls_handshake_done(struct evi_tls *tls);

/*
 * Forget what belongs to the old connection, and begin with the role given when made. 0 or -errno.
 */
int evi_tls_restart(struct evi_tls *tls);

/* Go on with the first handshake. */
void evi_tls_shake(struct evi_tls *tls);

/* A timeout is reported: the first handshake stops until a direction is enabled. */
void evi_tls_pause(struct evi_tls *tls);

/* Go on with a renegotiation, if there is one and reading does not do that. */
void evi_tls_advance(struct evi_tls *tls);

/* After a read or write: has a renegotiation begun or ended? */
void evi_tls_watch_renegotiation(struct evi_tls *tls);

/* tls_io.c: decrypt and encrypt what may move now. Afterwards the bufferevent may be dead. */
void evi_tls_read(struct evi_tls *tls);
void evi_tls_write(struct evi_tls *tls);

/* Nonzero if a burst has left something that could go on at once. */
int evi_tls_has_work(const struct evi_tls *tls);

/*
 * Before a failure elsewhere ends everything: decrypt all that has come, as far as it may be read.
 */
void evi_tls_read_rest(struct evi_tls *tls);

/* tls_wait.c: everything is over: one event, and nothing moves or waits any more. */
void evi_tls_fail(struct evi_tls *tls, short what);

/* A read has failed: an error, or an end if the user takes the transport's for one. */
void evi_tls_fail_read(struct evi_tls *tls);

/* Wait for the transport. */
void evi_tls_wait(struct evi_tls *tls, short directions);

/* Wait for what the connection waits for now, in both directions, no more and no less. */
void evi_tls_update_waits(struct evi_tls *tls);

/* tls_transport.c: nonzero if a read of the transport may give something, or its end. */
int evi_tls_may_recv(const struct evi_tls *tls);

/* Charge what went over the transport to the limits. */
void evi_tls_charge(struct evi_tls *tls);

#endif
