/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending by UDP. What is asked in one round of the loop leaves at its end, by one call for each
 * socket; what is asked from elsewhere leaves at once, as no end of a round may be near. What the
 * socket has no room for waits until there is some.
 */

#include "dns/base.h"

#include <errno.h>

static struct evi_dns_socket *last_socket(const struct evi_dns_query *q)
{
	return q->sendings[q->sending_count - 1].socket;
}

static void await_room(struct evi_dns_query *q)
{
	/* if not: as good as lost on the way */
	if (evi_dns_socket_await_room(last_socket(q)) == 0)
		q->unsent = EVI_DNS_ROOMLESS;
}

static int send_at_once(struct evi_dns_query *q)
{
	struct evi_dns_outgoing message = { q->message, q->len };
	int sent = evi_dns_socket_send(last_socket(q), &message, 1);

	if (sent == -EAGAIN)
		await_room(q);
	return sent > 0 || sent == -EAGAIN ? 0 : sent;
}

void evi_dns_outbox_forget(struct evi_dns_query *q)
{
	struct evi_dns_outbox *outbox = &q->base->outbox;

	if (q->unsent == EVI_DNS_ROOMLESS)
		evi_dns_socket_unawait_room(last_socket(q));
	for (int i = 0; q->unsent == EVI_DNS_QUEUED && i < outbox->count; i++) {
		if (outbox->queries[i] == q)
			outbox->queries[i] = NULL;
	}
	q->unsent = EVI_DNS_SENT;
}

/* --- The end of a round ----------------------------------------------------------------------- */

/* Takes all that is to leave by the socket of the one at `first`. */
static int take_group(struct evi_dns_outbox *outbox, int first,
		      struct evi_dns_query *group[EVI_DNS_OUTBOX])
{
	const struct evi_dns_socket *socket = last_socket(outbox->queries[first]);
	int count = 0;

	for (int i = first; i < outbox->count; i++) {
		struct evi_dns_query *q = outbox->queries[i];

		if (q == NULL || last_socket(q) != socket)
			continue;
		outbox->queries[i] = NULL;
		q->unsent = EVI_DNS_SENT;
		group[count++] = q;
	}
	return count;
}

/* The first of them failed: it is noticed by its timeout, like any loss. */
static void group_failed(struct evi_dns_server *server, struct evi_dns_query *const *group,
			 int count, int err)
{
	evi_dns_server_failed(server, evutil_socket_error_to_string(err));
	for (int i = 1; i < count; i++)
		group[i]->is_stranded = 1;
	evi_dns_query_move_unsent(server);
}

static void send_group(struct evi_dns_socket *socket, struct evi_dns_query *const *group, int count)
{
	struct evi_dns_outgoing messages[EVI_DNS_OUTBOX];
	int done = 0;

	for (int i = 0; i < count; i++)
		messages[i] = (struct evi_dns_outgoing){ group[i]->message, group[i]->len };
	while (done < count) {
		int sent = evi_dns_socket_send(socket, messages + done, count - done);

		if (sent == -EAGAIN)
			break;
		if (sent < 0) {
			group_failed(socket->server, group + done, count - done, -sent);
			return;
		}
		done += sent;
	}
	for (; done < count; done++)
		await_room(group[done]);
}

static void flush(struct evi_dns_outbox *outbox)
{
	struct evi_dns_query *group[EVI_DNS_OUTBOX];

	outbox->is_flushing = 1;
	for (int i = 0; i < outbox->count; i++) {
		struct evi_dns_socket *socket;
		int count;

		if (outbox->queries[i] == NULL)
			continue;
		socket = last_socket(outbox->queries[i]);
		socket->refs++; /* a failure may end what holds it */
		count = take_group(outbox, i, group);
		send_group(socket, group, count);
		evi_dns_socket_unref(socket);
	}
	outbox->count = 0;
	outbox->is_flushing = 0;
}

static void on_round_end(struct evi_round_end *task, void *arg)
{
	struct evdns_base *base = arg;

	(void)task;
	evi_dns_lock(base);
	base->outbox.is_scheduled = 0;
	flush(&base->outbox);
	evi_dns_unref(base);
	evi_dns_unlock(base);
}

static void schedule(struct evdns_base *base)
{
	if (base->outbox.is_scheduled)
		return;
	base->outbox.is_scheduled = 1;
	base->refs++;
	(void)evi_round_end_schedule(base->event_base, &base->outbox.task);
}

int evi_dns_outbox_send(struct evi_dns_query *q)
{
	struct evdns_base *base = q->base;
	struct evi_dns_outbox *outbox = &base->outbox;

	if (outbox->is_flushing || !evi_base_in_round(base->event_base))
		return send_at_once(q);
	q->unsent = EVI_DNS_QUEUED;
	outbox->queries[outbox->count++] = q;
	if (outbox->count == EVI_DNS_OUTBOX)
		flush(outbox);
	else
		schedule(base);
	return 0;
}

void evi_dns_outbox_init(struct evdns_base *base)
{
	evi_round_end_init(&base->outbox.task, on_round_end, base);
}

/* If the task's turn has come, it holds the base until it has run. */
void evi_dns_outbox_done(struct evdns_base *base)
{
	if (!evi_round_end_cancel(base->event_base, &base->outbox.task))
		return;
	base->outbox.is_scheduled = 0;
	evi_dns_unref(base);
}

/* --- Room in the socket ----------------------------------------------------------------------- */

/* 0 if it has to go on waiting. */
static int send_late(struct evi_dns_query *q, struct evi_dns_socket *socket)
{
	struct evi_dns_outgoing message = { q->message, q->len };
	int sent = evi_dns_socket_send(socket, &message, 1);

	if (sent == -EAGAIN)
		return 0;
	evi_dns_outbox_forget(q);
	if (sent < 0)
		evi_dns_server_failed(socket->server, evutil_socket_error_to_string(-sent));
	return 1;
}

void evi_dns_outbox_send_roomless(struct evi_dns_socket *socket)
{
	for (int bucket = 0; socket->roomless > 0 && bucket < EVI_DNS_IDS_BUCKETS; bucket++) {
		for (struct evi_dns_query *q = socket->base->ids[bucket]; q != NULL; q = q->next) {
			if (q->unsent == EVI_DNS_ROOMLESS && last_socket(q) == socket &&
			    !send_late(q, socket))
				return;
		}
	}
}
