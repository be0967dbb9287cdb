/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queries: from waiting to in flight to a result.
 *
 * A query is sent at most `attempts` times, each time with `timeout` seconds to be answered. What
 * each kind of reply leads to is in evi_dns_query_replied(). The counts of attempts start afresh
 * when another server or TCP takes over because of what a server said.
 */

#include "dns/base.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static void send_to(struct evi_dns_query *q, struct evi_dns_server *server);
static void send_query(struct evi_dns_query *q, const struct evi_dns_server *except);

/* --- Ids -------------------------------------------------------------------------------------- */

void evi_dns_query_link(struct evi_dns_query **at, struct evi_dns_query *q)
{
	q->next = *at;
	if (q->next != NULL)
		q->next->prev = &q->next;
	q->prev = at;
	*at = q;
}

void evi_dns_query_unlink(struct evi_dns_query *q)
{
	if (q->next != NULL)
		q->next->prev = q->prev;
	*q->prev = q->next;
	q->prev = NULL;
}

static struct evi_dns_query **bucket_of(struct evdns_base *base, uint16_t id)
{
	return &base->ids[id % EVI_DNS_IDS_BUCKETS];
}

struct evi_dns_query *evi_dns_query_find(struct evdns_base *base, uint16_t id)
{
	struct evi_dns_query *q = *bucket_of(base, id);

	while (q != NULL && q->id != id)
		q = q->next;
	return q;
}

/* Random, and nobody else's; 0xffff is never used. There are always fewer in flight than ids. */
static void take_id(struct evi_dns_query *q)
{
	uint16_t id;

	do {
		evi_dns_random(q->base, &id, sizeof(id));
	} while (id == 0xffff || evi_dns_query_find(q->base, id) != NULL);
	q->id = id;
	evi_dns_query_link(bucket_of(q->base, id), q);
}

/* Of a query in flight. */
static void drop_id(struct evi_dns_query *q)
{
	if (q->prev != NULL)
		evi_dns_query_unlink(q);
}

/* --- The message ------------------------------------------------------------------------------ */

static int wants_opt(const struct evi_dns_query *q)
{
	return q->base->settings.edns_udp_size > 512 &&
	       (q->server == NULL || !q->server->lacks_edns);
}

static void randomize_case(struct evi_dns_query *q, size_t name_len)
{
	uint8_t bits[EVI_DNS_NAME_SIZE / 8 + 1];

	evi_dns_random(q->base, bits, name_len / 8 + 1);
	evi_dns_name_flip_case(q->message + EVI_DNS_HEADER_SIZE, name_len, bits);
}

static void append_opt(struct evi_dns_query *q)
{
	struct evi_dns_writer w;

	evi_dns_writer_init(&w, q->message, q->message_room);
	w.at = q->len;
	evi_dns_write_opt(&w, (unsigned)q->base->settings.edns_udp_size, 0);
	q->len = (uint16_t)w.at;
}

/* A new id, and letters of new case. The room for it was made for this name. */
static void build_message(struct evi_dns_query *q)
{
	uint8_t *message = q->message, *end;
	size_t name_len;

	drop_id(q);
	take_id(q);
	q->has_opt = wants_opt(q) != 0;
	memcpy(message,
	       (const uint8_t[EVI_DNS_HEADER_SIZE]){ (uint8_t)(q->id >> 8), (uint8_t)q->id,
						     EVI_DNS_RD >> 8, 0, 0, 1, [11] = q->has_opt },
	       EVI_DNS_HEADER_SIZE);
	name_len = evi_dns_name_to_wire(q->name, message + EVI_DNS_HEADER_SIZE);
	end = message + EVI_DNS_HEADER_SIZE + name_len;
	memcpy(end, (const uint8_t[4]){ (uint8_t)(q->type >> 8), (uint8_t)q->type, 0,
					EVI_DNS_CLASS_IN },
	       4);
	q->question_len = (uint16_t)(name_len + 4);
	q->len = (uint16_t)(EVI_DNS_HEADER_SIZE + q->question_len);
	if (q->has_opt)
		append_opt(q);
	if (q->base->settings.randomize_case)
		randomize_case(q, name_len);
}

/* --- Sendings --------------------------------------------------------------------------------- */

static void drop_sending(const struct evi_dns_query *q, const union evi_dns_sending *sending)
{
	if (q->by_tcp)
		evi_dns_tcp_query_ended(sending->server);
	else
		evi_dns_socket_unref(sending->socket);
}

static struct evi_dns_socket *last_socket(const struct evi_dns_query *q)
{
	return q->by_tcp || q->sending_count == 0 ? NULL : q->sendings[q->sending_count - 1].socket;
}

static void drop_sendings(struct evi_dns_query *q)
{
	evi_dns_outbox_forget(q);
	for (int i = 0; i < q->sending_count; i++)
		drop_sending(q, &q->sendings[i]);
	q->sending_count = 0;
}

/* The oldest makes room: an answer to it would be late indeed. */
static void note_sending(struct evi_dns_query *q, union evi_dns_sending sending)
{
	evi_dns_outbox_forget(q);
	if (q->sending_count == EVI_DNS_SENDINGS) {
		drop_sending(q, &q->sendings[0]);
		q->sending_count--;
		memmove(q->sendings, q->sendings + 1, sizeof(q->sendings) - sizeof(q->sendings[0]));
	}
	q->sendings[q->sending_count++] = sending;
	if (q->by_tcp)
		sending.server->tcp_queries++;
}

static int is_being_asked(const struct evi_dns_query *q, const struct evi_dns_server *server)
{
	for (int i = 0; q->by_tcp && i < q->sending_count; i++) {
		if (q->sendings[i].server == server)
			return 1;
	}
	return 0;
}

int evi_dns_query_was_sent_by(const struct evi_dns_query *q, const struct evi_dns_server *server,
			      const struct evi_dns_socket *socket)
{
	if (socket == NULL)
		return is_being_asked(q, server);
	for (int i = 0; !q->by_tcp && i < q->sending_count; i++) {
		if (q->sendings[i].socket == socket)
			return 1;
	}
	return 0;
}

/* --- States ----------------------------------------------------------------------------------- */

static int counts_as_inflight(const struct evi_dns_query *q)
{
	return q->only == NULL; /* probes are exempt */
}

static void leave_state(struct evi_dns_query *q)
{
	evi_dns_deadline_clear(q);
	if (q->state == EVI_DNS_WAITING) {
		if (q->next == NULL)
			q->base->waiting_last = q->prev;
		evi_dns_query_unlink(q);
	} else if (q->state == EVI_DNS_IN_FLIGHT) {
		q->base->inflight -= counts_as_inflight(q);
		drop_id(q);
	}
	drop_sendings(q);
	q->state = EVI_DNS_IDLE;
}

static void forget_history(struct evi_dns_query *q)
{
	evi_free(q->servfail);
	q->servfail = NULL;
	q->sent = 0;
	q->has_moved = 0;
	q->server = NULL;
}

/* Without a server nothing would ever happen: give up when a server would have had its time. */
static void start_giving_up(struct evi_dns_query *q)
{
	struct timeval limit = q->base->settings.timeout;
	int64_t us = ((int64_t)limit.tv_sec * 1000000 + limit.tv_usec) * q->base->settings.attempts;

	limit.tv_sec = (time_t)(us / 1000000);
	limit.tv_usec = (int)(us % 1000000);
	(void)evi_dns_deadline_set(q, &limit);
}

static void enter_waiting(struct evi_dns_query *q, int at_front)
{
	struct evdns_base *base = q->base;

	q->state = EVI_DNS_WAITING;
	evi_dns_query_link(at_front ? &base->waiting : base->waiting_last, q);
	if (q->next == NULL)
		base->waiting_last = &q->next;
	if (base->server_count == 0 && !base->is_suspended)
		start_giving_up(q);
}

static int may_start(const struct evdns_base *base)
{
	return !base->is_suspended && !base->is_freed && base->server_count > 0 &&
	       base->inflight < base->settings.max_inflight;
}

static void launch(struct evi_dns_query *q)
{
	q->state = EVI_DNS_IN_FLIGHT;
	if (counts_as_inflight(q))
		q->base->inflight++;
	send_query(q, NULL);
}

void evi_dns_query_start_waiting(struct evdns_base *base)
{
	while (base->waiting != NULL && may_start(base)) {
		struct evi_dns_query *q = base->waiting;

		leave_state(q);
		launch(q);
	}
}

/* Requests that came while suspended may now wait in vain. */
void evi_dns_query_resume_all(struct evdns_base *base)
{
	if (base->server_count > 0) {
		evi_dns_query_start_waiting(base);
		return;
	}
	for (struct evi_dns_query *q = base->waiting; q != NULL; q = q->next)
		start_giving_up(q);
}

static void start(struct evi_dns_query *q)
{
	if (!counts_as_inflight(q) || may_start(q->base))
		launch(q);
	else
		enter_waiting(q, 0);
}

void evi_dns_query_start(struct evi_dns_query *q)
{
	if (!evi_dns_share_join(q))
		start(q);
}

void evi_dns_query_stop(struct evi_dns_query *q)
{
	struct evi_dns_query *heir;

	if (q->state == EVI_DNS_FOLLOWING) {
		evi_dns_query_unlink(q);
		q->state = EVI_DNS_IDLE;
		return;
	}
	leave_state(q);
	forget_history(q);
	heir = evi_dns_share_end(q);
	if (heir != NULL)
		start(heir);
	evi_dns_query_start_waiting(q->base);
}

/* NULL if it is the first. */
static struct evdns_request *request_before(struct evdns_base *base, struct evdns_request **link)
{
	if (link == &base->requests)
		return NULL;
	return (struct evdns_request *)(void *)((char *)link -
						offsetof(struct evdns_request, next));
}

/* Requests are kept in the order they were made; the last goes to the front first. */
void evi_dns_query_suspend_all(struct evdns_base *base)
{
	struct evdns_request *request = request_before(base, base->requests_last);

	for (; request != NULL; request = request_before(base, request->prev)) {
		struct evi_dns_query *q = &request->query;

		if (q->state == EVI_DNS_IN_FLIGHT) {
			leave_state(q);
			enter_waiting(q, 1);
		}
		forget_history(q);
	}
}

/* --- Results ---------------------------------------------------------------------------------- */

void evi_dns_query_free_probe(struct evi_dns_query *q)
{
	evi_dns_query_stop(q);
	evi_free(q);
}

static void finish(struct evi_dns_query *q, struct evi_dns_answer *answer)
{
	struct evi_dns_server *probed = q->only;
	struct evi_dns_query *followers = evi_dns_share_take(q, answer);

	evi_dns_query_stop(q);
	if (probed != NULL) {
		evi_dns_answer_done(answer);
		evi_free(q);
		evi_dns_server_probe_failed(probed);
		return;
	}
	evi_dns_request_answered(evi_dns_request_of(q), answer);
	evi_dns_share_tell(followers);
}

static void finish_with(struct evi_dns_query *q, int err)
{
	struct evi_dns_answer answer = { .err = err };

	finish(q, &answer);
}

/* --- Sending ---------------------------------------------------------------------------------- */

static int transmit_udp(struct evi_dns_query *q, struct evi_dns_server *server)
{
	struct evi_dns_socket *socket = evi_dns_socket_get(server);

	if (socket == NULL)
		return -EMFILE;
	note_sending(q, (union evi_dns_sending){ .socket = socket });
	return evi_dns_outbox_send(q);
}

static int transmit(struct evi_dns_query *q, struct evi_dns_server *server)
{
	int err;

	if (!q->by_tcp)
		return transmit_udp(q, server);
	err = evi_dns_tcp_send(server, q->message, q->len);
	if (err == 0)
		note_sending(q, (union evi_dns_sending){ .server = server });
	return err;
}

/* Sends once more; a failure to send is noticed by the timeout, like any loss. */
static void send_to(struct evi_dns_query *q, struct evi_dns_server *server)
{
	int err;

	q->server = server;
	if (q->sent == 0 || (q->has_opt && server->lacks_edns))
		build_message(q);
	q->sent++;
	err = transmit(q, server);
	if (err < 0)
		evi_dns_server_failed(server, evutil_socket_error_to_string(-err));
	if (evi_dns_deadline_set(q, &q->base->settings.timeout) < 0)
		finish_with(q, DNS_ERR_TIMEOUT);
}

/* The server whose turn it is; one that is in flight always has one to go to. */
static void send_query(struct evi_dns_query *q, const struct evi_dns_server *except)
{
	send_to(q, q->only != NULL ? q->only : evi_dns_server_choose(q->base, except));
}

/* What was sent so far counts no more: the question is about to be asked anew. */
static void forget_sendings(struct evi_dns_query *q)
{
	evi_dns_deadline_clear(q);
	drop_sendings(q);
	q->sent = 0;
}

int evi_dns_query_may_go_by_tcp(const struct evi_dns_query *q)
{
	return !q->ignores_tc && !q->base->settings.ignore_tc;
}

static void go_by_tcp(struct evi_dns_query *q, struct evi_dns_server *server)
{
	forget_sendings(q);
	q->by_tcp = 1;
	send_to(q, server);
}

void evi_dns_query_distrust(struct evi_dns_query *q, struct evi_dns_server *server)
{
	if (q->distrust != EVI_DNS_TRUSTED || q->by_tcp || !evi_dns_query_may_go_by_tcp(q))
		return;
	q->distrust = EVI_DNS_DISTRUSTED;
	go_by_tcp(q, server);
}

/* It goes by UDP again if TCP was no more than a precaution. */
static int resign(struct evi_dns_query *q, struct evi_dns_server *server)
{
	if (q->distrust != EVI_DNS_DISTRUSTED)
		return 0;
	forget_sendings(q);
	q->distrust = EVI_DNS_RESIGNED;
	q->by_tcp = 0;
	send_to(q, server);
	return 1;
}

static void give_up(struct evi_dns_query *q)
{
	if (q->server != NULL && q->only == NULL)
		evi_dns_server_failed(q->server, "request timed out.");
	finish_with(q, DNS_ERR_TIMEOUT);
}

/* Closes the server's connection; the queries on it are marked. */
static void strand_queries(struct evi_dns_server *server)
{
	struct evdns_base *base = server->base;

	evi_dns_tcp_close(server);
	for (int bucket = 0; bucket < EVI_DNS_IDS_BUCKETS; bucket++) {
		for (struct evi_dns_query *q = base->ids[bucket]; q != NULL; q = q->next) {
			if (!is_being_asked(q, server))
				continue;
			drop_sendings(q);
			q->is_stranded = 1;
		}
	}
}

/* The next marked query, or NULL. What is done to it may end or start others, but marks none. */
static struct evi_dns_query *next_stranded(struct evdns_base *base, int *bucket)
{
	for (; *bucket < EVI_DNS_IDS_BUCKETS; ++*bucket) {
		for (struct evi_dns_query *q = base->ids[*bucket]; q != NULL; q = q->next) {
			if (q->is_stranded) {
				q->is_stranded = 0;
				return q;
			}
		}
	}
	return NULL;
}

static void mark_queries_of(struct evi_dns_socket *socket)
{
	for (int bucket = 0; bucket < EVI_DNS_IDS_BUCKETS; bucket++) {
		for (struct evi_dns_query *q = socket->base->ids[bucket]; q != NULL; q = q->next)
			q->is_stranded = last_socket(q) == socket;
	}
}

void evi_dns_query_distrust_all(struct evi_dns_socket *socket)
{
	struct evi_dns_server *server = socket->server;
	struct evi_dns_query *q;
	int bucket = 0;

	evi_dns_log(1, "Too many replies that answer nothing: asking by TCP");
	mark_queries_of(socket);
	while ((q = next_stranded(server->base, &bucket)) != NULL)
		evi_dns_query_distrust(q, server);
}

/*
 * A connection that was silent too long is replaced, and all its queries are sent again. One that
 * was made since the query lost its own is not to blame.
 */
static void replace_connection(struct evi_dns_query *silent)
{
	struct evi_dns_server *server = silent->server;
	struct evi_dns_query *q;
	int bucket = 0;

	if (!is_being_asked(silent, server)) {
		send_to(silent, server);
		return;
	}
	strand_queries(server);
	silent->is_stranded = 0;
	send_to(silent, server);
	while ((q = next_stranded(server->base, &bucket)) != NULL) {
		if (q->sent >= server->base->settings.attempts)
			continue; /* its own timeout ends it */
		evi_dns_deadline_clear(q);
		send_to(q, server);
	}
}

void evi_dns_query_timed_out(struct evi_dns_query *q)
{
	if (q->state == EVI_DNS_WAITING) {
		finish_with(q, DNS_ERR_TIMEOUT);
		return;
	}
	if (q->only == NULL)
		evi_dns_server_timed_out(q->server);
	if (resign(q, q->server))
		return;
	if (q->sent >= q->base->settings.attempts)
		give_up(q);
	else if (q->by_tcp)
		replace_connection(q);
	else
		send_query(q, NULL);
}

/*
 * Servers close after so many queries, or so long: what it did not answer is asked for again at
 * once.
 */
static void reopen_connection(struct evi_dns_server *server)
{
	struct evi_dns_query *q;
	int bucket = 0;

	strand_queries(server);
	while ((q = next_stranded(server->base, &bucket)) != NULL) {
		if (q->sent > 1)
			q->sent--; /* that sending was no failure */
		evi_dns_deadline_clear(q);
		send_to(q, server);
	}
}

static int is_another_up(const struct evi_dns_query *q, const struct evi_dns_server *server)
{
	for (int i = 0; i < q->base->server_count; i++) {
		if (q->base->servers[i] != server && !q->base->servers[i]->is_down)
			return 1;
	}
	return 0;
}

/* The next server at once, attempts still count; a probe waits for its timeout. */
static void move_on(struct evi_dns_query *q, const struct evi_dns_server *server)
{
	if (q->only != NULL)
		return;
	if (q->sent >= q->base->settings.attempts) {
		give_up(q);
		return;
	}
	evi_dns_deadline_clear(q);
	send_query(q, server);
}

void evi_dns_query_move_unsent(struct evi_dns_server *server)
{
	struct evi_dns_query *q;
	int bucket = 0;

	while ((q = next_stranded(server->base, &bucket)) != NULL) {
		if (!is_another_up(q, server))
			continue;
		evi_dns_deadline_clear(q);
		drop_sendings(q);
		q->sent--; /* that sending was none */
		send_query(q, server);
	}
}

/* Refused, closed early, or nonsense. */
void evi_dns_query_tcp_lost(struct evi_dns_server *server)
{
	struct evdns_base *base = server->base;
	struct evi_dns_query *q;
	int bucket = 0;

	if (evi_dns_tcp_has_answered(server)) {
		reopen_connection(server);
		return;
	}
	strand_queries(server);
	while ((q = next_stranded(base, &bucket)) != NULL) {
		if (!resign(q, server) && base->server_count > 1)
			move_on(q, server);
	}
}

void evi_dns_query_refused(struct evi_dns_socket *socket)
{
	struct evi_dns_server *server = socket->server;
	struct evdns_base *base = server->base;
	struct evi_dns_query *q;
	int bucket = 0;

	evi_dns_server_failed(server, "connection refused");
	mark_queries_of(socket);
	while ((q = next_stranded(base, &bucket)) != NULL) {
		if (is_another_up(q, server))
			move_on(q, server);
	}
}

/* --- Replies ---------------------------------------------------------------------------------- */

static int has_said_servfail(const struct evi_dns_query *q, const struct evi_dns_server *server)
{
	for (int i = 0; q->servfail != NULL && i < q->servfail->count; i++) {
		if (q->servfail->servers[i] == server)
			return 1;
	}
	return 0;
}

static int note_servfail(struct evi_dns_query *q, struct evi_dns_server *server)
{
	int count = q->servfail != NULL ? q->servfail->count : 0;
	struct evi_dns_servfail *servfail =
		evi_realloc(q->servfail,
			    sizeof(*servfail) + (size_t)(count + 1) * sizeof(servfail->servers[0]));

	if (servfail == NULL)
		return -1;
	servfail->servers[count] = server;
	servfail->count = count + 1;
	q->servfail = servfail;
	return 0;
}

/* A server that works and has not failed at this question; NULL if all have. */
static struct evi_dns_server *next_capable(const struct evi_dns_query *q)
{
	for (int i = 0; i < q->base->server_count; i++) {
		struct evi_dns_server *server = q->base->servers[i];

		if (!server->is_down && !has_said_servfail(q, server))
			return server;
	}
	return NULL;
}

static void server_failed_at_it(struct evi_dns_query *q, struct evi_dns_server *server)
{
	struct evi_dns_server *next = NULL;

	if (note_servfail(q, server) == 0 && q->only == NULL)
		next = next_capable(q);
	if (next == NULL) {
		finish_with(q, DNS_ERR_SERVERFAILED);
		return;
	}
	forget_sendings(q);
	send_to(q, next);
}

static void server_will_not(struct evi_dns_query *q, struct evi_dns_server *server, int err)
{
	if (q->only != NULL || q->has_moved || !is_another_up(q, server)) {
		finish_with(q, err);
		return;
	}
	q->has_moved = 1;
	forget_sendings(q);
	send_query(q, server);
}

static void reply_was_cut(struct evi_dns_query *q, struct evi_dns_server *server)
{
	if (q->by_tcp || q->ignores_tc || q->base->settings.ignore_tc) {
		finish_with(q, DNS_ERR_TRUNCATED);
		return;
	}
	go_by_tcp(q, server);
}

static void format_error(struct evi_dns_query *q, struct evi_dns_server *server)
{
	if (!q->has_opt) {
		finish_with(q, DNS_ERR_FORMAT);
		return;
	}
	server->lacks_edns = 1;
	forget_sendings(q);
	send_to(q, server);
}

/* The query's message is not needed any more: its room is the answer's. */
static void answered(struct evi_dns_query *q, struct evi_dns_reader *reader,
		     const struct evi_dns_header *header)
{
	size_t unaligned = -(uintptr_t)q->message % sizeof(uint64_t);
	struct evi_dns_question question = { .name = q->name, .type = q->type,
		.room = q->message + unaligned, .room_size = q->message_room - unaligned };
	struct evi_dns_answer answer;

	evi_dns_reply_read(reader, header, &question, &answer);
	finish(q, &answer);
}

void evi_dns_query_replied(struct evi_dns_query *q, struct evi_dns_server *server,
			   struct evi_dns_reader *reader, const struct evi_dns_header *header)
{
	unsigned rcode = header->flags & EVI_DNS_RCODE;
	int is_probe = q->only != NULL;

	if (rcode != 2 && rcode != 4 && rcode != 5) {
		if (is_probe)
			server->probe = NULL; /* it is ended here, not by the server's coming up */
		evi_dns_server_works(server);
		if (is_probe) {
			evi_dns_query_free_probe(q);
			return;
		}
	}
	if (header->flags & EVI_DNS_TC) {
		reply_was_cut(q, server);
		return;
	}
	switch (rcode) {
	case 0:
	case 3:
		answered(q, reader, header);
		return;
	case 1:
		format_error(q, server);
		return;
	case 2:
		server_failed_at_it(q, server);
		return;
	case 4:
		server_will_not(q, server, DNS_ERR_NOTIMPL);
		return;
	case 5:
		server_will_not(q, server, DNS_ERR_REFUSED);
		return;
	default:
		finish_with(q, DNS_ERR_UNKNOWN);
		return;
	}
}

/* --- Making them ------------------------------------------------------------------------------ */

void evi_dns_query_set_room(struct evi_dns_query *q, void *room, size_t name_room)
{
	q->name = room;
	q->message = (uint8_t *)room + name_room;
	q->message_room = (uint16_t)EVI_DNS_MESSAGE_ROOM(name_room);
}

int evi_dns_query_init(struct evi_dns_query *q, struct evdns_base *base, const char *name,
		       uint16_t type)
{
	size_t len = evi_dns_name_len(name);

	if (!evi_dns_name_is_valid(name, EVI_DNS_NAME_MAX))
		return -1;
	memset(q, 0, offsetof(struct evi_dns_query, message_room));
	q->base = base;
	q->type = type;
	if (name != q->name)
		memcpy(q->name, name, len);
	q->name[len] = '\0';
	return 0;
}
