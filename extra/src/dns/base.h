/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_BASE_H_INCLUDED
#define DNS_BASE_H_INCLUDED

/*
 * The resolver: what its parts share. One part, one file.
 *
 *   request (request.c)   one call of the program's; searching makes several queries of it
 *   query (query.c)       one name and type, in flight or waiting; sendings, timeouts, retries;
 *                         others that ask the same follow it (share.c)
 *   server (server.c)     a nameserver: up or down, its sockets (udp.c) and connection (tcp.c)
 *   outbox (outbox.c)     queries that leave together by UDP at the end of a round
 *
 * Everything is called with the base's lock held unless a comment says otherwise. The program's
 * callbacks run from deferred callbacks, without it. A base that is freed lives on, empty, until
 * the last request that has still to tell its result is gone.
 */

#include "dns/datagram.h"
#include "dns/reply.h"
#include "os/os_net.h"

#include <event2/component/buffer.h>
#include <event2/component/reactor.h>
#include <event2/dns.h>
#include <event2/dns_compat.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#define EVI_DNS_IDS_BUCKETS 256
#define EVI_DNS_SENDINGS    4
#define EVI_DNS_QUESTION_BUCKETS 1024
#define EVI_DNS_RANDOM_POOL 256

struct evi_dns_query;
struct evi_dns_server;

/*
 * The global resolver, made empty if there is none; NULL if that fails. Without a lock (compat.c).
 */
struct evdns_base *evi_dns_global_need(void);

/* --- Settings: option.c ----------------------------------------------------------------------- */

struct evi_dns_settings {
	struct timeval timeout;
	int attempts;
	int max_timeouts;
	int max_inflight;
	int randomize_case;
	struct timeval initial_probe_timeout;
	int max_probe_timeout; /* seconds */
	int probe_backoff_factor;
	struct timeval skew; /* getaddrinfo-allow-skew */
	int so_rcvbuf;
	int so_sndbuf;
	struct timeval tcp_idle_timeout;
	int use_vc;
	int ignore_tc;
	int edns_udp_size; /* 512: no EDNS */
	union evi_dns_sockaddr bind_to;
	int bind_to_len; /* 0: none */
};

void evi_dns_settings_init(struct evi_dns_settings *settings);

/* --- Search list: search.c -------------------------------------------------------------------- */

/* Shared by the base and the requests that started with it; copied when it changes meanwhile. */
struct evi_dns_search {
	int refs;
	int ndots;
	int count;
	char **domains; /* in the order they are tried */
};

struct evi_dns_search *evi_dns_search_new(void);
void evi_dns_search_unref(struct evi_dns_search *search);

/* The base's list, which nobody else uses: replaced by a copy if need be. NULL if out of memory. */
struct evi_dns_search *evi_dns_search_own(struct evdns_base *base);
int evi_dns_search_append(struct evi_dns_search *search, const char *domain, size_t len);
void evi_dns_search_empty(struct evi_dns_search *search);

/* Use the part of this host's name after its first dot, if it has one. */
void evi_dns_search_from_hostname(struct evdns_base *base);

/* --- Hosts table: hosts.c --------------------------------------------------------------------- */

struct evi_dns_host {
	struct evi_dns_host *next;
	union evi_dns_sockaddr addr;
	int addr_len;
	char name[];
};

struct evi_dns_hosts {
	struct evi_dns_host *first, **last;
};

/* Add localhost, as both addresses of the loopback, if the table does not have it. */
void evi_dns_hosts_need_localhost(struct evdns_base *base);

/* --- Sockets: udp.c --------------------------------------------------------------------------- */

/*
 * A UDP socket of one server, with a random port for one query, or a few. When it is retired and
 * none of its queries waits any more it is spared for the next query, with another port, or closed.
 */
struct evi_dns_socket {
	struct evdns_base *base;
	struct evi_dns_server *server;
	evutil_socket_t fd; /* -1: closed, and about to be freed */
	struct event readable;
	struct event writable; /* watched while queries wait for room */
	int refs;              /* the server, and sendings */
	int uses_left;         /* queries that may still leave through it; -1: no limit */
	int roomless;          /* queries that wait for room */
	struct evi_dns_socket *next_spare;
	uint8_t is_spare;
	uint8_t is_watched;
	uint8_t is_connected;
	uint8_t is_refused; /* so the system said; to be seen to by the loop */
	int mistakes_left;  /* datagrams that answer nothing, before its queries are asked by TCP */
};

/* The socket for the server's next query, with a reference; NULL if there is none to be had. */
struct evi_dns_socket *evi_dns_socket_get(struct evi_dns_server *server);
void evi_dns_socket_unref(struct evi_dns_socket *socket);
void evi_dns_socket_retire_all(struct evi_dns_server *server); /* but the main one */

/* Open the one that stays; 0, or a negative errno. */
int evi_dns_socket_open_main(struct evi_dns_server *server);

/*
 * Send up to `count`, which is at least 1. How many of them are done with; or, of the first,
 * -EAGAIN if it would block, or another negative errno.
 */
int evi_dns_socket_send(struct evi_dns_socket *socket, const struct evi_dns_outgoing *list,
			int count);

/* A datagram came by it that answers none of its queries. */
void evi_dns_socket_mistaken(struct evi_dns_socket *socket);

/* Have evi_dns_outbox_send_roomless() called when there is room again; once for each query. */
int evi_dns_socket_await_room(struct evi_dns_socket *socket);
void evi_dns_socket_unawait_room(struct evi_dns_socket *socket);

/* --- What leaves by UDP: outbox.c ------------------------------------------------------------- */

#define EVI_DNS_OUTBOX 32

enum evi_dns_unsent {
	EVI_DNS_SENT,
	EVI_DNS_QUEUED,  /* until the end of this round */
	EVI_DNS_ROOMLESS /* until there is room in its last socket */
};

struct evi_dns_outbox {
	struct evi_round_end task;
	struct evi_dns_query *queries[EVI_DNS_OUTBOX]; /* in order; NULL: taken back */
	int count;
	uint8_t is_scheduled; /* the task, which holds a reference to the base */
	uint8_t is_flushing;
};

void evi_dns_outbox_init(struct evdns_base *base);
void evi_dns_outbox_done(struct evdns_base *base);

/* Send the query by its last socket, now or soon; 0, or a negative errno. */
int evi_dns_outbox_send(struct evi_dns_query *query);

/* If its last sending has not left it is not to leave any more. */
void evi_dns_outbox_forget(struct evi_dns_query *query);

/* Send what waits for room in that socket, as far as there is any. */
void evi_dns_outbox_send_roomless(struct evi_dns_socket *socket);

/* --- TCP: tcp.c ------------------------------------------------------------------------------- */

struct evi_dns_tcp;

/* Send over the server's connection, made if need be; 0 or a negative errno. */
int evi_dns_tcp_send(struct evi_dns_server *server, const void *data, size_t len);

/* A query on the connection is over: it may be idle now. */
void evi_dns_tcp_query_ended(struct evi_dns_server *server);
void evi_dns_tcp_close(struct evi_dns_server *server);

/* Whether a query was answered by the connection that is open. */
int evi_dns_tcp_has_answered(const struct evi_dns_server *server);

/* --- Nameservers: server.c -------------------------------------------------------------------- */

struct evi_dns_server {
	struct evdns_base *base;
	union evi_dns_sockaddr addr;
	int addr_len;
	struct evi_dns_socket *main;    /* opened when added */
	struct evi_dns_socket *current; /* for the next queries, or NULL */
	struct evi_dns_socket *spares;  /* nobody waits for them any more */
	int spare_count;
	int connected_count; /* sockets but the main one */
	int is_main_fixed;              /* the program has the main socket: all queries use it */
	struct evi_dns_tcp *tcp;        /* NULL: not connected */
	int tcp_queries;                /* that wait for it */
	int is_down;
	int lacks_edns; /* answered FORMERR to an OPT record */
	int keeps_case; /* repeated a question with the letters as they were */
	int timeouts;   /* in a row */
	int failed_probes;
	struct event probe_timer;
	int is_probe_passive; /* the timer is no reason for the loop to go on */
	struct evi_dns_query *probe;
	int is_gone; /* removed, and about to be freed */
};

int evi_dns_server_add(struct evdns_base *base, const struct sockaddr *sa, int len);
void evi_dns_server_free(struct evi_dns_server *server);

/* In turn among those that are up, or all if none is; `except` (may be NULL) only if alone. */
struct evi_dns_server *evi_dns_server_choose(struct evdns_base *base,
					     const struct evi_dns_server *except);

void evi_dns_server_failed(struct evi_dns_server *server, const char *reason);
void evi_dns_server_works(struct evi_dns_server *server);
void evi_dns_server_timed_out(struct evi_dns_server *server);
void evi_dns_server_probe_failed(struct evi_dns_server *server);

/*
 * A message that came from `server`, by `socket` or, if that is NULL, by TCP; 1 if it was an
 * answer.
 */
int evi_dns_server_message(struct evi_dns_server *server, struct evi_dns_socket *socket,
			   const uint8_t *data, size_t len);

/* "address:port" */
const char *evi_dns_sockaddr_text(const struct sockaddr *sa, char *buf, size_t len);

/* --- Deadlines of queries: deadline.c --------------------------------------------------------- */

struct evi_dns_deadline {
	struct evi_dns_deadline *next, *prev; /* base->deadlines; next NULL: not set */
	int64_t at_us;                        /* on the monotonic clock */
};

void evi_dns_deadlines_init(struct evdns_base *base);
void evi_dns_deadlines_done(struct evdns_base *base);

/*
 * Have evi_dns_query_timed_out() called later, instead of when it was to be so far; 0 or -1: not
 * set.
 */
int evi_dns_deadline_set(struct evi_dns_query *query, const struct timeval *after);
void evi_dns_deadline_clear(struct evi_dns_query *query);

/* --- Queries: query.c ------------------------------------------------------------------------- */

/* Where a query went: a reply counts only from there. */
union evi_dns_sending {
	struct evi_dns_socket *socket;
	struct evi_dns_server *server; /* by TCP */
};

enum evi_dns_query_state { EVI_DNS_IDLE, EVI_DNS_WAITING, EVI_DNS_IN_FLIGHT, EVI_DNS_FOLLOWING };

/* Of what comes by UDP. If TCP turns out not to work, UDP is all there is. */
enum evi_dns_distrust { EVI_DNS_TRUSTED, EVI_DNS_DISTRUSTED, EVI_DNS_RESIGNED };

/* Servers that said SERVFAIL. */
struct evi_dns_servfail {
	int count;
	struct evi_dns_server *servers[];
};

/* There may be very many of these and of requests: fields are as small as they can be. */
struct evi_dns_query {
	struct evdns_base *base;
	/* that wait; in flight: in the bucket of ids; or that follow */
	struct evi_dns_query *next, **prev;
	/* in the bucket of questions; NULL: not a leader */
	struct evi_dns_query *same_next, **same_prev;
	struct evi_dns_query *followers;
	struct evi_dns_deadline deadline;
	/* of a probe, which goes nowhere else; NULL: part of a request */
	struct evi_dns_server *only;
	struct evi_dns_server *server; /* the last one it went to */
	struct evi_dns_servfail *servfail; /* owned; NULL: none */
	union {
		/* all by UDP or all by TCP: `by_tcp` */
		union evi_dns_sending sendings[EVI_DNS_SENDINGS];
		struct evi_dns_answer answer;                     /* when it is over */
	};
	uint16_t id;
	uint16_t type;
	uint16_t sent; /* how often */
	uint16_t len;
	uint16_t question_len; /* in the message, behind its head */
	uint8_t sending_count;
	uint8_t state; /* enum evi_dns_query_state */
	uint8_t by_tcp;
	uint8_t ignores_tc;
	uint8_t has_moved;   /* once, after NOTIMP or REFUSED */
	uint8_t has_opt;     /* the message carries an OPT record */
	uint8_t is_stranded; /* its last sending came to nothing just now */
	uint8_t unsent;      /* enum evi_dns_unsent, of its last sending */
	uint8_t distrust;    /* enum evi_dns_distrust */
	uint16_t message_room;
	char *name;       /* as asked */
	uint8_t *message; /* as sent */
};

/* Room behind the owner of a query for its name and message; `name_room` includes the NUL. */
#define EVI_DNS_MESSAGE_ROOM(name_room)                                                            \
	((name_room) + 1 + EVI_DNS_HEADER_SIZE + 4 + EVI_DNS_OPT_SIZE)
#define EVI_DNS_QUERY_ROOM(name_room)   ((name_room) + EVI_DNS_MESSAGE_ROOM(name_room))

/* Say where that room is; once, before the first of the following. */
void evi_dns_query_set_room(struct evi_dns_query *query, void *room, size_t name_room);

/*
 * Prepare to ask; 0, or -1 if the name cannot be asked for. It may stand in the room for it
 * already.
 */
int evi_dns_query_init(struct evi_dns_query *query, struct evdns_base *base, const char *name,
		       uint16_t type);
void evi_dns_query_start(struct evi_dns_query *query);

/* From deadline.c. */
void evi_dns_query_timed_out(struct evi_dns_query *query);

/* Forget it: nothing is sent, and nothing is told, any more. */
void evi_dns_query_stop(struct evi_dns_query *query);

/* The same for a probe, and free it. */
void evi_dns_query_free_probe(struct evi_dns_query *probe);

/* Start as many waiting ones as there is room for. */
void evi_dns_query_start_waiting(struct evdns_base *base);

/* The same after suspending; without servers they have as long as one would have had. */
void evi_dns_query_resume_all(struct evdns_base *base);

/* Everything in flight waits again, before what waits already, as if never sent. */
void evi_dns_query_suspend_all(struct evdns_base *base);

/* The query that a message with this id is for, or NULL. */
struct evi_dns_query *evi_dns_query_find(struct evdns_base *base, uint16_t id);
void evi_dns_query_replied(struct evi_dns_query *query, struct evi_dns_server *server,
			   struct evi_dns_reader *reader, const struct evi_dns_header *header);
int evi_dns_query_was_sent_by(const struct evi_dns_query *query,
			      const struct evi_dns_server *server,
			      const struct evi_dns_socket *socket);

/*
 * Somebody seems to be guessing: what was asked by UDP is asked by TCP instead, as far as that is
 * allowed.
 */
int evi_dns_query_may_go_by_tcp(const struct evi_dns_query *query);
void evi_dns_query_distrust(struct evi_dns_query *query, struct evi_dns_server *server);
void evi_dns_query_distrust_all(struct evi_dns_socket *socket);

/* Nobody listens where the socket is connected to: its queries go to another server that is up. */
void evi_dns_query_refused(struct evi_dns_socket *socket);

/*
 * The server failed before the queries that are marked as stranded were sent to it: they go to
 * another one that is up, or out of time.
 */
void evi_dns_query_move_unsent(struct evi_dns_server *server);

/* The server's connection is lost: its queries go elsewhere, or out of time. */
void evi_dns_query_tcp_lost(struct evi_dns_server *server);

/* For a list by next and prev. */
void evi_dns_query_link(struct evi_dns_query **at, struct evi_dns_query *query);
void evi_dns_query_unlink(struct evi_dns_query *query);

/* --- One question, one query: share.c --------------------------------------------------------- */

/* 1 if it follows another from now on; 0: it is to be asked, and others may follow it. */
int evi_dns_share_join(struct evi_dns_query *query);

/* A query ends. The follower that is to be asked instead, or NULL. */
struct evi_dns_query *evi_dns_share_end(struct evi_dns_query *query);

/*
 * Take off all followers, each with a copy of the answer; to be told with the list that is
 * returned.
 */
struct evi_dns_query *evi_dns_share_take(struct evi_dns_query *query,
					 const struct evi_dns_answer *answer);
void evi_dns_share_tell(struct evi_dns_query *list);

/* --- Requests: request.c ---------------------------------------------------------------------- */

/* Runs without lock; `answer` is valid during the call. */
typedef void evi_dns_request_fn(struct evdns_request *request, struct evi_dns_answer *answer,
				void *arg);

struct evdns_request {
	struct evdns_request *next, **prev; /* base->requests while running; prev NULL: done */
	struct evi_dns_query query;
	struct evi_dns_search *search; /* NULL: no search */
	int step;                      /* of the search */
	int flags;
	int nodata_ttl;
	uint8_t saw_nodata;
	struct evi_deferred deferred;
	evi_dns_request_fn *fn;
	evdns_callback_type user_fn;
	void *arg;
	char name[]; /* its final dot is gone where there is no search */
};

/* NULL if it is a probe. */
struct evdns_request *evi_dns_request_of(struct evi_dns_query *query);

/* Ask; NULL if the name cannot be asked for, or out of memory: then `fn` is never called. */
struct evdns_request *evi_dns_request_new(struct evdns_base *base, const char *name, uint16_t type,
					  int flags, evi_dns_request_fn *fn, void *arg);

/* The step's result; the answer's parts are taken. */
void evi_dns_request_answered(struct evdns_request *request, struct evi_dns_answer *answer);

/* End it with `err`, told from the loop; nothing if it has ended. */
void evi_dns_request_end(struct evdns_request *request, int err);

/* End it without telling anybody. */
void evi_dns_request_drop(struct evdns_request *request);

/* --- Cache: cache.c --------------------------------------------------------------------------- */

struct evi_dns_cached;

struct evi_dns_cache {
	struct evi_dns_cached **buckets;
	unsigned bucket_count;
	struct evi_dns_cached *oldest, **newest;
	int count;
	size_t size; /* bytes, all entries together */
};

/* Which families a lookup asked for. */
#define EVI_DNS_ASKED_V4 1
#define EVI_DNS_ASKED_V6 2

/* Remember a copy of `list` for `ttl` seconds; NULL or ttl <= 0 forgets the name. */
void evi_dns_cache_put(struct evdns_base *base, const char *name,
		       const struct evutil_addrinfo *list, int asked, int ttl);

/*
 * 0 and a list, EVUTIL_EAI_ADDRFAMILY, EVUTIL_EAI_MEMORY, or -1 if the name is not known for that.
 */
int evi_dns_cache_get(struct evdns_base *base, const char *name,
		      const struct evutil_addrinfo *hints, uint16_t port,
		      struct evutil_addrinfo **ret_list);
void evi_dns_cache_done(struct evdns_base *base);

/* --- Address lists: addrlist.c ---------------------------------------------------------------- */

/*
 * Puts an address at the end of a list, which is at `last`, once for each kind of socket that
 * `hints` allows. Returns the new end, or NULL: no memory, list unchanged.
 */
struct evutil_addrinfo **evi_dns_list_add(struct evutil_addrinfo **last, const struct sockaddr *sa,
					  int len, uint16_t port,
					  const struct evutil_addrinfo *hints);

/* Whether the hints allow that family. */
int evi_dns_wants_family(const struct evutil_addrinfo *hints, int family);

/* --- getaddrinfo.c ---------------------------------------------------------------------------- */

void evi_dns_resolver_register(void);
void evi_dns_getaddrinfo_drop_all(struct evdns_base *base);

/* --- The base: base.c ------------------------------------------------------------------------- */

struct evdns_base {
	struct event_base *event_base;
	void *lock;
	int refs; /* the program's, and one for each request not freed */
	int is_freed;
	int flags;
	int is_suspended;
	int is_disabled_when_inactive;
	struct evi_dns_settings settings;
	struct evi_dns_search *search;
	struct evi_dns_hosts hosts;
	struct evi_dns_server **servers; /* in the order they were added */
	int server_count;
	unsigned rotation;
	struct evi_dns_query *ids[EVI_DNS_IDS_BUCKETS];
	struct evi_dns_query *questions[EVI_DNS_QUESTION_BUCKETS];
	uint64_t hash_secret; /* so that nobody can choose names for one bucket */
	struct evi_dns_deadline deadlines; /* a ring, the earliest first */
	struct event timer;
	int64_t timer_at_us; /* 0: not set */
	int inflight;
	struct evi_dns_query *waiting, **waiting_last;
	struct evdns_request *requests, **requests_last;
	struct evdns_getaddrinfo_request *lookups;
	struct evi_dns_cache cache;
	int socket_count;    /* UDP, of all servers */
	int64_t fresh_second; /* sockets that may still be opened in this second */
	int fresh_left;
	struct evi_dns_outbox outbox;
	uint8_t *packet; /* room for one datagram of any size */
	uint8_t *batch;  /* for several, of which only what is used is touched; NULL: not needed yet */
	uint8_t random[EVI_DNS_RANDOM_POOL];
	size_t random_left;
	unsigned random_forks; /* when the stock was filled */
};

/* Secure random bytes; small numbers of them from a stock, so that not each takes a system call. */
void evi_dns_random(struct evdns_base *base, void *bytes, size_t len);

void evi_dns_lock(struct evdns_base *base);

/* Frees the memory with the last reference. */
void evi_dns_unlock(struct evdns_base *base);
void evi_dns_unref(struct evdns_base *base); /* with the lock; evi_dns_unlock() must follow */

/*
 * Free the block that is the event's argument, by `fn`: at once, or, if the event's callback may be
 * running in the loop's thread, later from there. The base outlives it; `fn` ends with
 * evi_dns_disposed().
 */
void evi_dns_dispose(struct evdns_base *base, struct event *event, event_finalize_callback_fn fn);
void evi_dns_disposed(struct evdns_base *base);

/* --- log.c ------------------------------------------------------------------------------------ */

void evi_dns_log(int is_warning, const char *format, ...) EVI_PRINTF(2, 3);

#endif
