/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Times of a server's connection: the read timeout, the deadline of a head, the pace of a body.
 */

#include "http/server_step.h"

#include <event2/component/reactor.h>

/* How long a client that was refused may go on sending before the connection is cut. */
#define LINGER_SECONDS 2

const struct timeval *evi_server_or_none(const struct timeval *tv)
{
	return tv->tv_sec != 0 || tv->tv_usec != 0 ? tv : NULL;
}

void evi_server_set_quiet(struct evhttp_connection *c, int is_quiet)
{
	if (c->is_quiet == (unsigned)is_quiet || evi_server_or_none(&c->read_timeout) == NULL)
		return;
	c->is_quiet = is_quiet != 0;
	(void)bufferevent_set_timeouts(c->bev, is_quiet ? NULL : &c->read_timeout,
				       evi_server_or_none(&c->write_timeout));
}

/* Nonzero if the body has come fast enough since the last look, or is held up by the program. */
static int keeps_pace(struct evhttp_connection *c)
{
	const struct evi_request *r = c->current;
	size_t before = c->body_mark;

	c->body_mark = r->pub.body_size;
	return r->is_held || r->is_paused || r->pub.body_size - before >= c->server->body_rate;
}

static int is_reading_body(const struct evhttp_connection *c)
{
	return c->state == EVI_SERVER_BODY || c->state == EVI_SERVER_SKIP;
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct evhttp_connection *c = arg;

	(void)fd;
	(void)what;
	c->has_deadline = 0;
	evi_connection_enter(c);
	if (is_reading_body(c) && keeps_pace(c))
		evi_server_time_body(c);
	else
		evi_server_lose(c, EVREQ_HTTP_TIMEOUT);
	evi_connection_leave(c);
}

static void start(struct evhttp_connection *c, const struct timeval *limit)
{
	if (limit == NULL || c->has_deadline)
		return;
	if (c->deadline == NULL)
		c->deadline = evtimer_new(c->base, on_deadline, c);
	if (c->deadline != NULL && evtimer_add(c->deadline, limit) == 0)
		c->has_deadline = 1;
}

void evi_server_time_head(struct evhttp_connection *c)
{
	start(c, evi_server_or_none(&c->server->head_timeout));
}

void evi_server_time_body(struct evhttp_connection *c)
{
	if (c->has_deadline || c->server->body_rate == 0)
		return;
	c->body_mark = c->current->pub.body_size;
	start(c, evi_server_or_none(&c->server->body_window));
}

void evi_server_time_linger(struct evhttp_connection *c)
{
	static const struct timeval limit = { LINGER_SECONDS, 0 };

	evi_server_stop_deadline(c);
	start(c, &limit);
	if (!c->has_deadline)
		evhttp_connection_free(c);
}

void evi_server_stop_deadline(struct evhttp_connection *c)
{
	if (c->has_deadline)
		(void)evtimer_del(c->deadline);
	c->has_deadline = 0;
}
